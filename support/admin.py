"""The support desk's pages. Importing this registers them."""

from support import customers, history, people, phones, roles
from support.pages import many, many_job

__all__ = ["customers", "history", "many", "many_job", "people", "phones", "roles"]
