"""What can be done to many people at once by giving them values: a second factor required or not, a department, numbers in a row."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from pbxadmin.common.columns import Scope
from pbxadmin.common.fields import phone_number_e164, phone_number_national
from pbxadmin.common.proof import Takeover
from users import rights, road
from users.models import Did, User
from users.people import access
from users.people.reach import (
    QUICK,
    lets_keep,
    may_edit,
    nothing_asked,
    page_of,
    people,
    planned,
    refusals_of,
    written,
)
from users.people.sections.general import DIDS, MEMBERSHIPS, departments_of
from users.road import Outcome
from users.road.actions import Action, Asked, Done, Settings, Trace


# --- A second factor ----------------------------------------------------------------------------------------------
def _ask_before_second_factor(scope: Scope, allowed: Sequence[User], data: QueryDict) -> Asked:
    return Asked(facts={"already": sum(user.require_2fa for user in allowed)})


def _second_factor(scope: Scope, going: Sequence[User], required: bool, trace: Trace, told: str) -> Done:
    plan = planned(scope, going, {user.pk: {"require_2fa": required} for user in going})
    return written(plan, trace, told)


def _require_second_factor(scope: Scope, going: Sequence[User], settings: Settings, trace: Trace) -> Done:
    count = sum(not user.require_2fa for user in going)
    told = ngettext(
        "Two-factor authentication is now required for %(count)s user.",
        "Two-factor authentication is now required for %(count)s users.",
        count,
    )
    return _second_factor(scope, going, True, trace, told % {"count": count})


SECOND_FACTOR = Action(
    slug="second_factor",
    records=people,
    label=gettext_lazy("Require 2FA"),
    title=lambda n: (
        ngettext("Require 2FA for %(count)s user", "Require 2FA for %(count)s users", n) % {"count": n}
    ),
    template="users/chosen/second_factor.html",
    may=may_edit,
    ask=_ask_before_second_factor,
    do=_require_second_factor,
    at_once=QUICK,
    url=page_of,
    seldom=True,
)


def _ask_before_no_second_factor(scope: Scope, allowed: Sequence[User], data: QueryDict) -> Asked:
    plan = planned(scope, allowed, {user.pk: {"require_2fa": False} for user in allowed})
    return Asked(
        refusals=refusals_of(plan),
        facts={
            "already": sum(not user.require_2fa for user in allowed),
            "all_the_same": scope.customer.require_2fa,
        },
    )


def _require_no_second_factor(scope: Scope, going: Sequence[User], settings: Settings, trace: Trace) -> Done:
    count = sum(user.require_2fa for user in going)
    told = ngettext(
        "Two-factor authentication is no longer required for %(count)s user.",
        "Two-factor authentication is no longer required for %(count)s users.",
        count,
    )
    return _second_factor(scope, going, False, trace, told % {"count": count})


NO_SECOND_FACTOR = Action(
    slug="no_second_factor",
    records=people,
    label=gettext_lazy("No longer require 2FA"),
    title=lambda n: (
        ngettext("No longer require 2FA for %(count)s user?", "No longer require 2FA for %(count)s users?", n)
        % {"count": n}
    ),
    job=lambda n: (
        ngettext("No longer require 2FA for %(count)s user", "No longer require 2FA for %(count)s users", n)
        % {"count": n}
    ),
    template="users/chosen/no_second_factor.html",
    may=may_edit,
    ask=_ask_before_no_second_factor,
    do=_require_no_second_factor,
    at_once=QUICK,
    url=page_of,
    takes_over=Takeover.SECOND_FACTOR,
    seldom=True,
)


# --- Another department -------------------------------------------------------------------------------------------
def _moved(chosen: Sequence[User], department: int, stay: bool, scope: Scope) -> dict[Any, dict[str, Any]]:
    """The departments of people whose primary one is another: the former one is left, unless they `stay` its members."""
    former = {user.pk: user.primary_department_id for user in chosen}
    found = {}
    for user, values in MEMBERSHIPS.values(chosen, scope).items():
        kept = set(values["departments"])
        if not stay:
            kept -= {former[user]}
        found[user] = {"primary_department": department, "departments": sorted({*kept, department})}
    return found


def _ask_where_to(scope: Scope, allowed: Sequence[User], data: QueryDict) -> Asked:
    departments = {str(each.pk): each for each in departments_of(scope)}
    chosen = departments.get(data.get("department", ""))
    stay = "stay" in data
    facts: dict[str, Any] = {"departments": list(departments.values()), "department": chosen, "stay": stay}
    if chosen is None:
        return Asked(problem=_("Choose the department."), facts=facts)
    plan = planned(scope, allowed, _moved(allowed, chosen.pk, stay, scope))
    facts["already"] = sum(user.primary_department_id == chosen.pk for user in allowed)
    return Asked(
        {"department": chosen.pk, "stay": stay},
        refusals=refusals_of(plan),
        facts=facts,
        takes_over=lets_keep([plan]),
    )


def _move(scope: Scope, going: Sequence[User], settings: Settings, trace: Trace) -> Done:
    plan = planned(scope, going, _moved(going, settings["department"], settings["stay"], scope))
    count = len(plan.having("changed"))
    told = ngettext(
        "%(count)s user now has the department %(department)s.",
        "%(count)s users now have the department %(department)s.",
        count,
    )
    name = next((each.name for each in departments_of(scope) if each.pk == settings["department"]), "")
    return written(plan, trace, told % {"count": count, "department": name})


MOVE = Action(
    slug="move",
    records=people,
    label=gettext_lazy("Change the department"),
    title=lambda n: (
        ngettext("Change the department of %(count)s user", "Change the department of %(count)s users", n)
        % {"count": n}
    ),
    template="users/chosen/move.html",
    may=may_edit,
    ask=_ask_where_to,
    do=_move,
    at_once=QUICK,
    url=page_of,
    seldom=True,
)


# --- DID numbers in a row -----------------------------------------------------------------------------------------
MOST_PAIRS = 500


def _number(typed: str) -> str:
    return phone_number_e164(typed.replace("\0", "").strip()[:40])


def _in_a_row(scope: Scope, chosen: Sequence[User], first: str, last: str) -> tuple[dict[Any, Did], int]:
    """Which free number between two goes to whom, in the order of extensions; and how many are left without one.

    Whoever has one of these numbers keeps it and gets no other: asked for again, nothing changes.
    """
    numbers = Did.objects.of(scope.customer).filter(number__gte=first)
    if last:
        numbers = numbers.filter(number__lte=last)
    found = [did for did in numbers.order_by("number") if len(did.number) == len(first)]
    having = {did.user_id for did in found}
    free = [did for did in found if did.user_id is None and did.system_extension_id is None]
    waiting = sorted((user for user in chosen if user.pk not in having), key=lambda user: user.number)
    pairs = {user.pk: did for user, did in zip(waiting, free, strict=False)}
    return pairs, len(waiting) - len(pairs)


def _with_number(chosen: Sequence[User], pairs: Mapping[Any, int], scope: Scope) -> dict[Any, dict[str, Any]]:
    of_each = DIDS.values(chosen, scope)
    return {
        user.pk: {"dids": [*of_each[user.pk]["dids"], pairs[user.pk]]} for user in chosen if user.pk in pairs
    }


def _ask_which_numbers(scope: Scope, allowed: Sequence[User], data: QueryDict) -> Asked:
    typed = {name: data.get(name, "")[:40] for name in ("from", "to")}
    facts: dict[str, Any] = {"first": typed["from"], "last": typed["to"], "pairs": None}
    if not typed["from"].strip():
        free = Did.objects.of(scope.customer).filter(user=None, system_extension=None).order_by("number")
        facts["offered"] = [(phone_number_national(each.number), each.name) for each in free[:MOST_PAIRS]]
        return Asked(problem=_("Enter the first number."), facts=facts)
    try:
        first, last = _number(typed["from"]), _number(typed["to"]) if typed["to"].strip() else ""
    except ValidationError as error:
        return Asked(problem=" ".join(error.messages), facts=facts | {"wrong": " ".join(error.messages)})
    pairs, without = _in_a_row(scope, allowed, first, last)
    plan = planned(scope, allowed, _with_number(allowed, {key: did.pk for key, did in pairs.items()}, scope))
    # Whoever can't get one leaves it to the next.
    refused = refusals_of(plan)
    if refused:
        pairs, without = _in_a_row(scope, [user for user in allowed if user.pk not in refused], first, last)
    names = {user.pk: user for user in allowed}
    facts |= {
        "pairs": [(names[key], phone_number_national(did.number)) for key, did in pairs.items()],
        "without": without,
        "already": len(allowed) - len(refused) - len(pairs) - without,
        "seen": f"{first}-{last}",
    }
    problem = ""
    if not pairs:
        problem = (
            _("None of these numbers is free.") if without else _("Each of them has one of these numbers.")
        )
    elif without:
        problem = ngettext(
            "One user would be left without a number: enter more numbers, or select fewer users.",
            "%(count)s users would be left without a number: enter more numbers, or select fewer users.",
            without,
        ) % {"count": without}
    elif data.get("seen") != facts["seen"]:
        problem = _("Look first at who gets which number.")
    return Asked({"pairs": [[key, did.pk] for key, did in pairs.items()]}, problem, refused, facts)


def _give_numbers(scope: Scope, going: Sequence[User], settings: Settings, trace: Trace) -> Done:
    plan = planned(scope, going, _with_number(going, dict(settings["pairs"]), scope))
    count = len(plan.having("changed"))
    told = ngettext("%(count)s user was given a number.", "%(count)s users were given a number.", count)
    done = written(plan, trace, told % {"count": count})
    if done.outcome is Outcome.UNCHANGED:
        return Done(Outcome.UNCHANGED, told=_("Nothing to save: everything is as it was."))
    return done


# --- A lost second factor -----------------------------------------------------------------------------------------
def _may_lose_factor(scope: Scope, chosen: Sequence[User]) -> dict[Any, str]:
    without = access.nothing_set_up(chosen)
    refused = {key: str(words) for key, words in without.items()}
    rights.look_up_departments(scope.actor, chosen)
    for user in chosen:
        if words := access.why_no_factor(scope.actor, user, scope.customer):
            refused[user.pk] = str(words)
    return refused


def _take_factor(scope: Scope, going: Sequence[User], settings: Settings, trace: Trace) -> Done:
    keys = [user.pk for user in going]
    outcome, operation = road.ended(
        lambda: access.take_factor(scope.actor, scope.customer, keys, trace.facts, trace.into)
    )
    told = ngettext(
        "The second factor of %(count)s user was taken away.",
        "The second factor of %(count)s users was taken away.",
        len(going),
    )
    why_not = _(
        "Some of the people selected can no longer be changed. Nothing was changed: go back to the list and select again."
    )
    return Done(outcome, operation, told % {"count": len(going)}, why_not)


TAKE_FACTOR = Action(
    slug="take_factor",
    records=people,
    label=gettext_lazy("Take the second factor away"),
    title=lambda n: (
        ngettext(
            "Take the second factor of %(count)s user away",
            "Take the second factor of %(count)s users away",
            n,
        )
        % {"count": n}
    ),
    template="users/chosen/take_factor.html",
    may=_may_lose_factor,
    ask=nothing_asked,
    do=_take_factor,
    at_once=QUICK,
    url=page_of,
    takes_over=Takeover.FACTOR,
    danger=True,
    seldom=True,
)
NUMBERS = Action(
    slug="numbers",
    records=people,
    label=gettext_lazy("Assign DID numbers in a row"),
    title=lambda n: (
        ngettext("Assign a DID number to %(count)s user", "Assign DID numbers to %(count)s users", n)
        % {"count": n}
    ),
    template="users/chosen/numbers.html",
    may=may_edit,
    ask=_ask_which_numbers,
    do=_give_numbers,
    at_once=QUICK,
    url=page_of,
    seldom=True,
)
