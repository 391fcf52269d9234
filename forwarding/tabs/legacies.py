"""What goes from a leaver to whoever takes their place: the rules, the hours, and the calls that colleagues send to them."""

from collections import defaultdict
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from forwarding.tabs.rules import DESTINATIONS, RING_MOBILE, RULE_COLUMNS
from forwarding.tabs.schedule import schedule_columns
from pbxadmin.common.columns import Scope, Text
from pbxadmin.common.contributions import Heir, Legacy
from pbxadmin.common.values.destinations import VOICEMAIL, Destination, Kind
from users.models import User
from users.road import replacements


def rules_for_the_heir(column: str, value: Any, theirs: Any, leaver: User, heir: Heir) -> tuple[Any, Text]:
    """The leaver's rules: what led to the leaver's or the heir's own extension leads to the heir's voicemail, and nothing leads to
    a mobile that there isn't."""
    if column in RING_MOBILE and value and not heir.mobile:
        return False, _(
            "“%(option)s” needs a mobile number, and the new user has none: it is turned off."
        ) % {"option": _label(column)}
    if not isinstance(value, Destination):
        return value, ""
    if value.kind is Kind.MOBILE and not heir.mobile:
        return VOICEMAIL, _(
            "“%(option)s” leads to a mobile, and the new user has none: the voicemail takes these calls."
        ) % {"option": _label(column)}
    if value.kind is Kind.EXTENSION and value.value in (leaver.number, heir.number):
        return VOICEMAIL, ""
    return value, ""


def _label(column: str) -> Text:
    return next(each.label for each in RULE_COLUMNS if each.name == column)


def calls_to_the_heir(leaver: User, heir: Heir, scope: Scope) -> dict[Any, dict[str, Any]]:
    """The rules of colleagues that lead to the leaver, or to the leaver's voicemail, lead to the heir's; the heir's own to the voicemail."""
    found: dict[Any, dict[str, Any]] = defaultdict(dict)
    for reference in replacements.calls_sent_to(scope.customer, Kind.EXTENSION, [leaver]):
        if reference.owner is None or reference.column not in DESTINATIONS:
            continue
        voicemail = bool(reference.value and reference.value.voicemail)
        found[reference.owner][reference.column] = (
            VOICEMAIL
            if reference.owner == heir.key
            else Destination(Kind.EXTENSION, heir.number, voicemail=voicemail)
        )
    return found


RULES = Legacy(
    "rules",
    gettext_lazy("Forwarding rules and greetings"),
    columns=tuple(column.name for column in RULE_COLUMNS),
    fit=rules_for_the_heir,
)
CALLS = Legacy(
    "calls",
    gettext_lazy("Calls that colleagues forward to this user"),
    of_colleagues=calls_to_the_heir,
)
HOURS = Legacy(
    "hours",
    gettext_lazy("Hours"),
    columns=tuple(column.name for column in schedule_columns()),
)
