"""The support desk's pages. Importing this registers them."""

from django.utils.translation import gettext_lazy as _

from support import customers, nodes, people, phones, roles, trunks
from support.pages import columns, frame, many, many_job, reports, team, undo

__all__ = [
    "columns",
    "customers",
    "many",
    "many_job",
    "nodes",
    "people",
    "phones",
    "reports",
    "roles",
    "team",
    "trunks",
    "undo",
]

frame.of_the_portal("audit", _("History"))
