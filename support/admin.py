"""The support desk's pages. Importing this registers them."""

from django.utils.translation import gettext_lazy as _

from support import customers, people, phones, roles
from support.pages import columns, frame, many, many_job, reports, team

__all__ = ["columns", "customers", "many", "many_job", "people", "phones", "reports", "roles", "team"]

frame.of_the_portal("audit", _("History"))
