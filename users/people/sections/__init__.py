"""The tabs that the users app owns, and the sheet of the nine tabs together."""

from functools import lru_cache

from django.conf import settings
from django.utils.module_loading import import_string

from pbxadmin.common.sections import Sheet
from users.models import User
from users.people.sections.general import GENERAL, complete, departments_of, derived
from users.people.sections.general_rules import what_lasts
from users.people.sections.noted import NOTED

__all__ = ["GENERAL", "departments_of", "user_sheet"]


@lru_cache(maxsize=1)
def user_sheet() -> Sheet:
    """Everything that may be changed of a user: the tabs that `settings.USER_SECTIONS` lists, in that order."""
    return Sheet(
        model=User,
        identity="number",
        noted=NOTED,
        sections=tuple(import_string(path) for path in settings.USER_SECTIONS),
        subject=lambda user: user,
        complete=complete,
        derive=derived,
        derived=("search_text", "sort_name"),
        derived_from=frozenset({"number", "first_name", "last_name", "email", "mobile"}),
        related=("role", "customer", "primary_department"),
        named_by=("number", "first_name", "last_name", "email"),
        takes_over=what_lasts,
    )
