"""The support desk: Django's admin over all customers."""

from functools import partial

from django.apps import AppConfig
from django.urls import reverse


class SupportDeskConfig(AppConfig):
    """The support desk: Django's admin over all customers."""

    name = "support"

    def ready(self) -> None:
        """Make known what the desk does at many customers, to the workers, and where it lists all of a kind, to the search."""
        from support.many import holidays, phones, undoing, values  # noqa: F401 - importing registers
        from users.company import picking

        tables = {
            "customer": "users_customer", "user": "users_user", "phone": "phones_phone", "did": "users_did",
            "extension": "users_systemextension", "department": "users_department", "sbc": "phones_sbc",
            "trunk": "asterisk_trunk",
        }  # fmt: skip
        for kind, table in tables.items():
            picking.LISTS[kind] = partial(reverse, f"admin:{table}_changelist")
