"""Replacing: somebody leaves, and a new person, or one who is there already, takes their place, by one operation.

What there is to hand over the apps say with their tabs (`Contribution.hands_over`); here it becomes plans of the road: one of all the
people concerned, one of each other kind of row. Nothing is written before `replace`.
"""

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from pbxadmin.common import for_many
from pbxadmin.common.columns import Pending, Scope
from pbxadmin.common.contributions import Heir, Legacy
from pbxadmin.common.http import RequestFacts
from pbxadmin.common.personal import stays_behind
from pbxadmin.common.values.destinations import Kind
from users import rights, road
from users.models import Customer, Operation, User
from users.people import copying, reset
from users.people.sections import user_sheet
from users.people.sections.talk import talk_url
from users.road import Outcome, replacements

# What a new person says of themselves; all else they get from whoever they replace.
IDENTITY = ("number", "first_name", "last_name", "email", "mobile")


class Afterwards(StrEnum):
    """What becomes of the leaver."""

    DISABLE = "disable"
    DELETE = "delete"
    KEEP = "keep"


@dataclass(frozen=True)
class Wish:
    """Who takes the place (`heir`, or a new person called `identity`, raw by column), what goes over, and what becomes of the leaver."""

    heir: User | None
    identity: Mapping[str, Any]
    parts: frozenset[str]
    afterwards: Afterwards = Afterwards.DISABLE


@dataclass(frozen=True)
class Told:
    """What would become of one record: the old and the new value of each column, in words."""

    name: str
    changes: Sequence[Mapping[str, str]]


@dataclass
class Replacement:
    """A planned replacement: what would change, what can't go over and why, and what stands against all of it."""

    scope: Scope
    leaver: User
    wish: Wish
    plans: list[road.Plan]  # of the people first
    rows: list[road.Row]  # of the people, as they were planned: the leaver's, the heir's, those of colleagues
    left_out: list[str] = field(
        default_factory=list
    )  # in sentences: what goes over otherwise than it was, or not at all
    problem: str = ""  # why the leaver can't be deleted

    @property
    def heir(self) -> road.RowPlan:
        """The planned row of whoever takes the place."""
        return self.plans[0].rows[1]

    @property
    def refusals(self) -> list[str]:
        """Why it can't be done; empty where it can be."""
        return [
            *([self.problem] if self.problem else []),
            *(text for plan in self.plans for text in plan.sentences),
        ]

    @property
    def devices(self) -> int:
        """How many phones will load a new configuration."""
        written = [(plan.sheet.model, plan.having("new", "changed")) for plan in self.plans]
        return sum(section.adds.reloads(written) for section in user_sheet().sections if section.adds.reloads)

    @property
    def link(self) -> str:
        """What becomes of the leaver's Talk link, which strangers may have; "" where nobody is reached by one."""
        leaver = self.leaver
        if not (leaver.talk_enabled and leaver.talk_name and leaver.is_active):
            return ""
        words = {"link": self._talk_url(leaver.talk_name), "number": leaver.number, "leaver": leaver}
        if self.wish.afterwards is Afterwards.KEEP:
            return (
                _("The Talk link %(link)s stays with %(leaver)s, who goes on receiving its requests.") % words
            )
        said = (
            _("The Talk link %(link)s is deleted with extension %(number)s.")
            if self.wish.afterwards is Afterwards.DELETE
            else _("The Talk link %(link)s stays with extension %(number)s and answers no more.")
        ) % words
        if heirs := self._link_of_heir():
            return f"{said} " + _(
                "In email signatures and on websites, put that of %(heir)s in its place: %(link)s."
            ) % {"heir": self.heir.label, "link": heirs}
        return f"{said} " + _(
            "%(heir)s has no Talk link: nobody receives the requests made through this one any more."
        ) % {"heir": self.heir.label}

    def _link_of_heir(self) -> str:
        after = {name: new for name, (_old, new) in self.heir.changes.items()}
        there = self.wish.heir
        on = after.get("talk_enabled", there.talk_enabled if there else False)
        name = after.get("talk_name", there.talk_name if there else "")
        return self._talk_url(name) if on and name else ""

    def _talk_url(self, name: str) -> str:
        return talk_url(self.scope.customer, name)

    def told(self) -> list[Told]:
        """Every record that would change, with its columns in words; of a new person what isn't as with anybody new."""
        found = []
        for plan in self.plans:
            for row in plan.having("new", "changed"):
                cells = [
                    {
                        "label": str(plan.sheet.columns[name].label),
                        "old": _words(plan, name, old),
                        "new": _words(plan, name, new),
                    }
                    for name, (old, new) in row.changes.items()
                    if not row.new or new not in (None, "", (), plan.sheet.columns[name].default(plan.scope))
                ]
                found.append(Told(row.label or str(row.record), cells))
        return found

    def seen(self) -> str:
        """What a page has shown, as a short text: another one means that what would happen isn't what was read."""
        text = repr((self.told(), self.left_out, self.link, self.refusals, self.wish.afterwards))
        return hashlib.sha256(text.encode()).hexdigest()[:32]


def _words(plan: road.Plan, name: str, value: Any) -> str:
    return "" if value in (None, "", (), []) else plan.sheet.columns[name].show(value, plan.scope)


def legacies() -> list[Legacy]:
    """Everything that can go over, in the order of the tabs."""
    return [each for section in user_sheet().sections for each in section.adds.hands_over]


def plan_replacement(actor: User, customer: Customer, leaver: User, wish: Wish) -> Replacement:
    """Say what would happen; nothing is written.

    What the heir can't have (a rule to somebody who is disabled), what colleagues have that the actor may not change, and rows
    beside that are refused, are left out and told; they don't stand against the rest. A refusal of the leaver's or the heir's own
    row does.
    """
    scope = Scope(actor, customer)
    chosen = [each for each in legacies() if each.name in wish.parts]
    told: list[str] = []
    pending = Pending()
    heir = (
        Heir(wish.heir.pk, wish.heir.number, wish.heir.mobile)
        if wish.heir
        else _new_heir(scope, wish, pending)
    )
    own = _handed_over(scope, leaver, wish, heir, chosen, told)
    values: dict[Any, dict[str, Any]] = defaultdict(dict)
    for legacy in chosen:
        if legacy.of_colleagues:
            for key, columns in legacy.of_colleagues(leaver, heir, scope).items():
                values[key] |= columns
    of_leaver = {name: value for legacy in chosen for name, value in legacy.leaves.items()}
    if wish.afterwards is Afterwards.DISABLE:
        of_leaver["disabled"] = True
    going = road.Row(leaver.pk, of_leaver, str(leaver), leaving=wish.afterwards is Afterwards.DELETE)
    values.pop(leaver.pk, None)
    if wish.heir:
        coming = road.Row(heir.key, values.pop(heir.key, {}) | own, str(wish.heir))
    else:
        name = " ".join(str(wish.identity.get(part) or "").strip() for part in ("first_name", "last_name"))
        coming = road.Row(None, own, f"{heir.number} {name.strip()}".strip(), pending=pending)
    plan, rows = _people_planned(
        scope, [going, coming, *(road.Row(key, columns) for key, columns in values.items())], told
    )
    plans = [plan]
    for legacy in chosen:
        if legacy.beside:
            plans += _planned_beside(scope, legacy, legacy.beside(leaver, heir, scope), told)
    told += [text for row in plan.rows for texts in row.warnings.values() for text in texts]
    made = Replacement(scope, leaver, wish, plans, rows, list(dict.fromkeys(filter(None, told))))
    if wish.afterwards is Afterwards.DELETE:
        made.problem = _why_not_delete(made)
    return made


def _new_heir(scope: Scope, wish: Wish, pending: Pending) -> Heir:
    """The new person: which extension it is to be is asked of the road, so that what leads to it can be planned too."""
    row = road.plan(
        scope.actor, scope.customer, user_sheet(), [road.Row(None, wish.identity)], scope=scope
    ).rows[0]
    return Heir(pending, row.after.get("number") or "", row.after.get("mobile") or "")


def _handed_over(
    scope: Scope, leaver: User, wish: Wish, heir: Heir, chosen: Sequence[Legacy], told: list[str]
) -> dict[str, Any]:
    """What the heir's row is to say, raw, by column."""
    sheet = user_sheet()
    values: dict[str, Any] = {}
    if wish.heir is None:
        copied = copying.settings_of(leaver, scope)
        told += copied.left_out
        not_chosen = {name for each in legacies() if each not in chosen for name in each.columns}
        # Somebody new always belongs somewhere.
        not_chosen -= {"departments"}
        values = {name: value for name, value in copied.values.items() if name not in not_chosen}
        # Who left is disabled perhaps; who comes isn't.
        values.pop("disabled", None)
        values |= {**wish.identity, "number": heir.number}
        told += _only_own_departments(scope, values)
    names = [name for each in chosen for name in each.columns if sheet.columns[name].is_offered(scope)]
    records = [leaver, wish.heir] if wish.heir else [leaver]
    present = for_many.values_of([sheet.columns[name] for name in names], records, scope)
    theirs = present[wish.heir.pk] if wish.heir else {}
    for legacy in chosen:
        for name in legacy.columns:
            if name in present[leaver.pk]:
                own = stays_behind([sheet.columns[name]], name, present[leaver.pk][name], scope)
                if own:
                    # Whoever comes keeps their own there, or has the default.
                    told.append(own)
                    continue
                value, words = legacy.fit(name, present[leaver.pk][name], theirs.get(name), leaver, heir)
                values[name] = value
                told.append(str(words))
    return values


def _only_own_departments(scope: Scope, values: dict[str, Any]) -> list[str]:
    """Leave out the departments that aren't the actor's to fill; which they are, in a sentence."""
    actor, wanted = scope.actor, set(values.get("departments") or ())
    strange = set() if rights.acts_on_whole_customer(actor) else wanted - actor.department_ids
    if not strange:
        return []
    values["departments"] = tuple(sorted(wanted - strange))
    names = user_sheet().columns["departments"].show(tuple(sorted(strange)), scope)
    return [
        _("These departments aren't yours, and the new user doesn't become a member of them: %(names)s.")
        % {"names": names}
    ]


def _people_planned(
    scope: Scope, rows: Sequence[road.Row], told: list[str]
) -> tuple[road.Plan, list[road.Row]]:
    """The plan of the leaver, the heir and their colleagues, without what colleagues' rows, or the heir's settings, are refused for."""
    sheet = user_sheet()
    rows = list(rows)
    made = road.plan(scope.actor, scope.customer, sheet, rows, scope=scope)
    heir = made.rows[1]
    own = {*IDENTITY, "role", "primary_department", "departments", "dids", "disabled", ""}
    impossible = heir.errors.keys() - own
    told += [
        f"{sheet.columns[name].label}{pgettext('before a value', ':')} {text}"
        for name in impossible
        for text in heir.errors[name]
    ]
    refused = [each for each in made.rows[2:] if each.outcome == "refused"]
    told += [
        _("%(who)s stays as it is: %(why)s")
        % {"who": each.record or each.label, "why": " ".join(each.sentences)}
        for each in refused
    ]
    if not impossible and not refused:
        return made, rows
    kept = {name: value for name, value in rows[1].values.items() if name not in impossible}
    gone = {each.key for each in refused}
    rows = [
        rows[0],
        road.Row(rows[1].key, kept, rows[1].label, pending=rows[1].pending),
        *(row for row in rows[2:] if row.key not in gone),
    ]
    return road.plan(scope.actor, scope.customer, sheet, rows, scope=scope), rows


def _planned_beside(
    scope: Scope,
    legacy: Legacy,
    wanted: Mapping[type[Any], Mapping[Any, Mapping[str, Any]]],
    told: list[str],
) -> list[road.Plan]:
    """The plans of what isn't people: a plan for each kind of row, without the rows that are refused."""
    plans = []
    for model, values in wanted.items():
        if not values:
            continue
        rows = [road.Row(key, columns) for key, columns in values.items()]
        plan = road.plan(scope.actor, scope.customer, road.sheet_of(model), rows, scope=scope)
        told += [
            _("%(who)s stays as it is: %(why)s")
            % {"who": row.record or legacy.label, "why": " ".join(row.sentences)}
            for row in plan.refused
        ]
        told += [text for row in plan.rows for texts in row.warnings.values() for text in texts]
        plans.append(plan.without_refused())
    return plans


def _why_not_delete(made: Replacement) -> str:
    """Why the leaver can't be deleted in the end, as far as it is known before; "" where nothing is."""
    scope, leaver = made.scope, made.leaver
    if refusal := rights.why_not(scope.actor, rights.Verb.DELETE, leaver, scope.customer):
        return str(refusal)
    led_away = {(row.key, name) for row in made.plans[0].rows for name in row.changes}
    staying = [
        reference.words
        for reference in replacements.calls_sent_to(scope.customer, Kind.EXTENSION, [leaver])
        if (reference.owner, reference.column) not in led_away
    ]
    if not staying:
        return ""
    return _(
        "Calls are sent to extension %(number)s: %(where)s. They have to lead elsewhere before it is deleted."
    ) % {
        "number": leaver.number,
        "where": "; ".join(staying[:3]) + (" …" if len(staying) > 3 else ""),
    }


def replace(made: Replacement, facts: RequestFacts, welcome: bool = False) -> Outcome:
    """Do it, all of it or nothing; `welcome`: mail the heir how to sign in, which is an operation of its own.

    What refuses it only now (somebody was quicker) is in `made.refusals`.
    """
    scope, leaver = made.scope, made.leaver
    reason = f"replace {leaver}{ARROW}{made.heir.label}"[:200]

    def write() -> Operation | None:
        with transaction.atomic():
            operation = road.apply_all(made.plans, facts, reason)
            if made.wish.afterwards is Afterwards.DELETE:
                removal = road.plan_removal(scope.actor, scope.customer, user_sheet(), [leaver.pk])
                made.problem = " ".join(dict.fromkeys(removal.refusals.values()))
                operation = road.remove(removal, facts, reason, into=operation)
            if welcome:
                planned = reset.plan_reset(scope.actor, scope.customer, [made.heir.key])
                reset.send_welcome(planned, facts)
        return operation

    return road.ended(write)[0]


# Between the two names in the reason that the history keeps.
ARROW = " → "


def names_in(reason: str) -> tuple[str, str] | None:
    """Who was replaced by whom, as the history noted it; None where a reason says something else."""
    if not reason.startswith("replace "):
        return None
    leaver, arrow, heir = reason.removeprefix("replace ").partition(ARROW)
    return (leaver, heir) if arrow else None
