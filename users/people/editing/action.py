"""Changing many users at once, as an action on the chosen: what it asks, says before, and does."""

import json
from collections import defaultdict
from collections.abc import Sequence

from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from pbxadmin.common.columns import Scope
from users import road
from users.models import User
from users.people.editing import page
from users.people.editing.plans import (
    led_to,
    plans_of,
    preview_of,
    refused_by,
    settled,
    wanted_of,
)
from users.people.reach import lets_keep, may_edit, page_of, people
from users.road import Outcome
from users.road.actions import Action, Asked, Done, Settings, Trace

# So many are changed while one waits, all of them or none.
AT_ONCE = 200
NAMED = 20


def _ask(scope: Scope, allowed: Sequence[User], data: QueryDict) -> Asked:
    wanted = wanted_of(scope, data.get(page.WANTED, ""))
    if not wanted or page.problems_of(scope, wanted):
        return Asked(problem=_("Tick what is to be changed first."), facts={"preview": None, "wanted": "{}"})
    plans, refusals = settled(scope, allowed, wanted)
    preview = preview_of(plans, allowed, refusals)
    problem = ""
    if data.get("seen") != preview.seen:
        problem = _("Something has changed in the meantime. Check what would change now, and confirm.")
    by_reason: dict[str, list[str]] = defaultdict(list)
    names = {person.pk: str(person) for person in allowed}
    for key, words in refusals.items():
        by_reason[words].append(names[key])
    facts = {
        "preview": preview,
        "wanted": json.dumps(wanted, ensure_ascii=False),
        "grouped": refusals.keys(),
        "reasons": [
            (words, left_out[:NAMED], max(0, len(left_out) - NAMED), len(left_out))
            for words, left_out in by_reason.items()
        ],
    }
    settings = {"wanted": wanted, "led": led_to(scope, wanted)}
    return Asked(settings, problem, refusals, facts, takes_over=lets_keep(plans))


def _do(scope: Scope, going: Sequence[User], settings: Settings, trace: Trace) -> Done:
    wanted = settings["wanted"]
    if led_to(scope, wanted) != settings["led"]:
        return Done(
            Outcome.REFUSED,
            why_not=_("Whoever was to take the calls is no longer there: choose somebody else."),
            mend=True,
        )
    plans = plans_of(scope, going, wanted)
    if refused := refused_by(plans):
        return Done(Outcome.REFUSED, why_not=_not_changed(list(refused.values())))
    outcome, operation = road.ended(lambda: road.apply_all(plans, trace.facts, trace.reason, into=trace.into))
    if outcome is Outcome.UNCHANGED:
        return Done(outcome, told=_("Nothing to save: everything is as it was."))
    count = len({row.subject for plan in plans for row in plan.having("changed")})
    told = ngettext(
        "%(count)s user was changed. The history shows what, and can undo it.",
        "%(count)s users were changed. The history shows what, and can undo it.",
        count,
    )
    return Done(outcome, operation, told % {"count": count}, _not_changed(list(refused_by(plans).values())))


def _not_changed(reasons: list[str]) -> str:
    words = _(
        "Some of the people selected can no longer be changed. Nothing was changed: go back to the list and select again."
    )
    return " ".join([words, *dict.fromkeys(reasons[:5])])


def _title(count: int) -> str:
    return ngettext("Edit %(count)s user", "Edit %(count)s users", count) % {"count": count}


EDIT = Action(
    slug="edit",
    records=people,
    label=gettext_lazy("Edit"),
    title=_title,
    template="users/chosen/edit.html",
    may=may_edit,
    ask=_ask,
    do=_do,
    at_once=AT_ONCE,
    url=page_of,
    before=page.form_or_wanted,
)
