"""The support desk's pages. Importing this registers them."""

from support import customers, history, people, phones

__all__ = ["customers", "history", "people", "phones"]
