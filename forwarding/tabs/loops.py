"""Calls that would come back: to the same person, round two or more, over extensions and over the company's own numbers.

A number of the public network that is the company's own is the extension that it rings, wherever an outside number may stand: in the
rules of every status, as the mobile, on the day on which it is given to somebody. It is never a way round to oneself.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _

from forwarding.models import ForwardingRule
from forwarding.routing import MAX_HOPS
from forwarding.tabs.rules import DESTINATIONS, by_target, column_label, in_words, leads_away
from pbxadmin.common.destination_field import DestinationField, references_to
from pbxadmin.common.fields import phone_number_national
from pbxadmin.common.values.destinations import Destination, Kind
from pbxadmin.common.values.statuses import Status
from users import road
from users.models import Did

# A row of the plan, its column, and the extension to which it sends calls.
_Way = tuple[road.RowPlan, str, str]


def _changed(plan: road.Plan) -> list[tuple[road.RowPlan, str, Destination]]:
    """Every destination that is chosen now."""
    names = [name for name in DESTINATIONS if name in plan.columns]
    return [
        (row, name, row.changes[name][1])
        for row in plan.rows
        if row.record is not None
        for name in names
        if name in row.changes and isinstance(row.changes[name][1], Destination)
    ]


def _gained(plan: road.Plan) -> dict[int, road.RowPlan]:
    """The DID numbers that somebody is given now, with their row."""
    return {
        key: row
        for row in plan.rows
        if "dids" in row.changes and row.record is not None
        for key in set(row.changes["dids"][1]) - set(row.changes["dids"][0] or ())
        if isinstance(key, int)
    }


class _OwnNumbers:
    """Whom the company's own numbers ring once the plan is carried out."""

    def __init__(self, plan: road.Plan, numbers: Iterable[str]) -> None:
        self.customer = plan.scope.customer
        self.gained = _gained(plan)
        self.left = {
            key
            for row in plan.rows
            if "dids" in row.changes and not row.new
            for key in set(row.changes["dids"][0] or ()) - set(row.changes["dids"][1])
        }
        self.found: dict[str, Did] = {}
        self.given: dict[str, road.RowPlan] = {}
        if self.gained:
            for did in self._named(pk__in=list(self.gained)):
                self.given[did.number] = self.gained[did.pk]
        self.look_up(numbers)

    def _named(self, **condition: Any) -> Iterable[Did]:
        named = ("number", "first_name", "last_name", "email", "disabled", "hidden")
        dids = Did.objects.of(self.customer).filter(**condition).select_related("user", "system_extension")
        return dids.only(
            "number",
            *(f"user__{name}" for name in named),
            "system_extension__number",
            "system_extension__name",
        )

    def look_up(self, numbers: Iterable[str]) -> None:
        """Ask for these numbers at once; those that are anybody else's aren't found."""
        new = set(numbers) - self.found.keys()
        if new:
            self.found |= {did.number: did for did in self._named(number__in=new)}

    def rings(self, number: str) -> str:
        """The extension that an own number rings, "" for none."""
        if number in self.given:
            return str(self.given[number].value_of_record("number") or "")
        did = self.found.get(number)
        return did.answers.number if did and did.answers and did.pk not in self.left else ""

    def words(self, number: str) -> str:
        """Whom it rings, in words."""
        did = self.found.get(number)
        return str(did.answers) if did and did.answers and number not in self.given else self.rings(number)


def own_numbers_are_extensions(plan: road.Plan) -> None:
    """An outside number that is one's own is refused; one that is a colleague's is followed, and told."""
    chosen = [each for each in _changed(plan) if each[2].kind is Kind.EXTERNAL]
    mobiles = [row for row in plan.rows if row.changes.get("mobile", ("", ""))[1]]
    if chosen or mobiles:
        wanted = {value.value for _row, _name, value in chosen} | {row.value("mobile") for row in mobiles}
        own = _OwnNumbers(plan, wanted)
        for row in mobiles:
            if row.value("mobile") in own.found:
                row.refuse(
                    "mobile",
                    _(
                        "%(number)s is one of the company's numbers: enter the number of a mobile phone, or leave it blank."
                    )
                    % {"number": phone_number_national(row.value("mobile"))},
                )
        for row, name, value in chosen:
            if value.value in own.found:
                _judge(row, name, value, own)
    _new_numbers_lead_nobody_back(plan)
    _numbers_taken_away_are_told(plan)


def _judge(row: road.RowPlan, name: str, value: Destination, own: _OwnNumbers) -> None:
    """A destination that is one of the company's own numbers."""
    words = {"number": phone_number_national(value.value), "who": own.words(value.value)}
    extension = own.rings(value.value)
    holder = own.found[value.value].user
    if not extension:
        row.refuse(
            name,
            _("%(number)s is one of the company's numbers and rings nobody: choose an extension.") % words,
        )
    elif extension == row.value_of_record("number"):
        row.refuse(
            name,
            _(
                "%(number)s rings this same extension: the call would come back. Choose the voicemail, or somebody else."
            )
            % words,
        )
    elif value.modifiers:
        row.refuse(
            name,
            _(
                "%(number)s is one of the company's numbers and rings %(who)s: the call doesn't leave the company, and this option would "
                "have no effect. Choose that extension instead."
            )
            % words,
        )
    elif holder is not None and holder.disabled and value.value not in own.given:
        row.refuse(
            name,
            _("Extension %(number)s is disabled: callers would hear the busy tone.") % {"number": extension},
        )
    elif holder is not None and holder.hidden and value.value not in own.given:
        row.refuse(name, _("Extension %(number)s is hidden from the directory.") % {"number": extension})
    else:
        row.warn(name, _("%(number)s is one of the company's numbers: calls go to %(who)s.") % words)


def _new_numbers_lead_nobody_back(plan: road.Plan) -> None:
    """Whoever is given a number doesn't forward their own calls to it, nor have it as their mobile."""
    own = _OwnNumbers(plan, ())
    if not own.given:
        return
    plan.need("mobile", *DESTINATIONS)
    for number, row in own.given.items():
        said = phone_number_national(number)
        where = [
            str(column_label(name))
            for name in DESTINATIONS
            if name not in row.changes
            and isinstance(value := row.value(name), Destination)
            and (value.kind, value.value) == (Kind.EXTERNAL, number)
        ]
        if where:
            row.refuse(
                "dids",
                _(
                    "Calls of this user are forwarded to %(number)s (%(where)s) and would come back. Choose another destination there first."
                )
                % {"number": said, "where": ", ".join(where[:4])},
            )
        if row.value("mobile") == number:
            row.refuse(
                "dids",
                _(
                    "%(number)s is this user's mobile: calls that ring it would come back. Change the mobile first."
                )
                % {"number": said},
            )


def _numbers_taken_away_are_told(plan: road.Plan) -> None:
    """A number that rings nobody any more is told where calls are forwarded to it as to an outside one: they stay in the company."""
    left = {
        key: row
        for row in plan.rows
        if "dids" in row.changes and not row.new
        for key in set(row.changes["dids"][0] or ()) - set(row.changes["dids"][1])
    }
    for key in _gained(plan):
        left.pop(key, None)
    if not left:
        return
    customer = plan.scope.customer
    numbers = dict(Did.objects.of(customer).filter(pk__in=list(left)).values_list("number", "pk"))
    rows = {row.key: row for row in plan.rows if not row.new}
    for number, references in by_target(references_to(customer, Kind.EXTERNAL, list(numbers))).items():
        if calls := [each for each in references if each.column and not leads_away(each, rows)]:
            left[numbers[number]].warn(
                "dids",
                _(
                    "%(number)s will ring nobody, and calls are forwarded to it: %(where)s. These callers will hear the busy tone."
                )
                % {"number": phone_number_national(number), "where": in_words(calls)},
            )


def loops_are_told(plan: road.Plan) -> None:
    """A colleague whose own rules may send the call back: possible, because it depends on both statuses, and told.

    Two queries for each step of the way that the calls may take, eleven steps at most.
    """
    changed = _changed(plan)
    own = _OwnNumbers(plan, {value.value for _row, _name, value in changed if value.kind is Kind.EXTERNAL})
    ways: list[_Way] = []
    for row, name, value in changed:
        if value.kind is Kind.EXTENSION and not value.voicemail:
            ways.append((row, name, value.value))
        elif value.kind is Kind.EXTERNAL and (target := own.rings(value.value)):
            ways.append((row, name, target))
    starts = {target for _row, _name, target in ways}
    givers = {str(row.value_of_record("number") or ""): row for row in own.given.values()}
    if not starts and not givers:
        return
    edges, through = follow(own, [*starts, *givers])
    for row, _name, target in ways:  # what the same plan changes counts as well
        edges.setdefault(str(row.value_of_record("number")), set()).add(target)
    for row, name, target in ways:
        number = row.value_of_record("number")
        if number != target and number in _reached(edges, target):
            row.warn(name, _("%(column)s: extension %(target)s may send the call back to %(number)s. The caller then hears the busy tone.") % {
                "column": column_label(name), "target": target, "number": number,
            })  # fmt: skip
    for number, row in own.given.items():
        extension = str(row.value_of_record("number") or "")
        back = [each for each in _reached(edges, extension) - {extension} if number in through.get(each, ())]
        if back:
            row.warn(
                "dids",
                _(
                    "Extension %(target)s forwards calls to %(number)s, and this user's calls may reach it: the caller then hears the busy tone."
                )
                % {"target": sorted(back)[0], "number": phone_number_national(number)},
            )


def _reached(edges: Mapping[str, set[str]], start: str) -> set[str]:
    """Everybody to whom calls of `start` may be sent, itself included."""
    reached, waiting = {start}, [start]
    while waiting:
        for further in edges.get(waiting.pop(), ()):
            if further not in reached:
                reached.add(further)
                waiting.append(further)
    return reached


def follow(own: _OwnNumbers, extensions: Iterable[str]) -> tuple[dict[str, set[str]], dict[str, set[str]]]:
    """To whom each of these people, and whoever they lead to, may send a call: {extension: extensions}; and over which outside numbers."""
    found: dict[str, set[str]] = {}
    outside: dict[str, set[str]] = {}
    frontier = set(extensions)
    fields = [field for field in ForwardingRule._meta.concrete_fields if isinstance(field, DestinationField)]
    leading = Q()
    for field in fields:
        for kind in (Kind.EXTENSION, Kind.EXTERNAL, Kind.MOBILE):
            leading |= Q(**{f"{field.name}__startswith": f"{kind}"})
    for _hop in range(MAX_HOPS + 1):
        if not frontier:
            break
        found |= {number: set() for number in frontier}
        numbers: dict[str, set[str]] = defaultdict(set)
        rules = ForwardingRule.objects.of(own.customer).filter(leading, user__number__in=frontier)
        for extension, mobile, status, *values in rules.values_list(
            "user__number", "user__mobile", "status", *(field.name for field in fields)
        ):
            for field, value in zip(fields, values, strict=True):
                if (
                    value is None
                    or value.voicemail
                    or field.name.startswith("divert") is Status(status).rings
                ):
                    continue
                if value.kind is Kind.EXTENSION:
                    found[extension].add(value.value)
                elif value.kind is Kind.EXTERNAL or (value.kind is Kind.MOBILE and mobile):
                    numbers[extension].add(value.value or mobile)
        outside |= numbers
        own.look_up({number for some in numbers.values() for number in some} - own.given.keys())
        for extension, some in numbers.items():
            found[extension] |= {target for number in some if (target := own.rings(number))}
        frontier = {further for targets in found.values() for further in targets} - found.keys()
    return found, outside
