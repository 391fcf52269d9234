"""Another status for many people at once, now or until a time."""

from collections.abc import Sequence
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from pbxadmin.common.columns import Scope
from users.models import STATUS_CHOICES, User
from users.people import reach
from users.road.actions import Action, Asked, Done, Settings, Trace


def _values(chosen: Sequence[User], settings: Settings) -> dict[Any, Settings]:
    return {user.pk: {name: settings[name] for name in ("status", "status_until")} for user in chosen}


def _ask(scope: Scope, allowed: Sequence[User], data: QueryDict) -> Asked:
    settings = {"status": data.get("status", "")[:40], "status_until": data.get("status_until", "")[:20]}
    facts = {"statuses": STATUS_CHOICES, **settings}
    if settings["status"] not in dict(STATUS_CHOICES):
        return Asked(problem=_("Choose the status."), facts=facts)
    plan = reach.planned(scope, allowed, _values(allowed, settings))
    # What is wrong with the time is wrong for everybody: that is for the reader to mend, and leaves nobody out.
    if plan.refused and len(plan.refused) == len(plan.rows) and any(row.errors for row in plan.refused):
        return Asked(settings, " ".join(plan.refused[0].sentences), facts=facts)
    return Asked(settings, refusals=reach.refusals_of(plan), facts=facts)


def _do(scope: Scope, going: Sequence[User], settings: Settings, trace: Trace) -> Done:
    plan = reach.planned(scope, going, _values(going, settings))
    count = len(plan.having("changed"))
    told = ngettext(
        "%(count)s user now has the status “%(status)s”.",
        "%(count)s users now have the status “%(status)s”.",
        count,
    )
    return reach.written(
        plan, trace, told % {"count": count, "status": dict(STATUS_CHOICES)[settings["status"]]}
    )


STATUS = Action(
    slug="change_status",
    records=reach.people,
    label=gettext_lazy("Change the status"),
    title=lambda n: (
        ngettext("Change the status of %(count)s user", "Change the status of %(count)s users", n)
        % {"count": n}
    ),
    template="forwarding/status_for_many.html",
    may=reach.may_edit,
    ask=_ask,
    do=_do,
    at_once=reach.QUICK,
    url=reach.page_of,
    seldom=True,
)
