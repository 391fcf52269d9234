"""The support desk's pages of the users app. Importing this registers them."""

from users.admin import customers, history, people

__all__ = ["customers", "history", "people"]
