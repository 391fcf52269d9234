"""Who takes the calls and numbers of somebody, or something, that is deleted: the rules that lead there lead elsewhere from the same moment on."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from pbxadmin.common.columns import Scope, Text
from pbxadmin.common.destination_field import Reference, references_to
from pbxadmin.common.http import RequestFacts
from pbxadmin.common.sections import Sheet
from pbxadmin.common.values.destinations import Destination, Kind
from users import road
from users.models import Customer, Did, Operation, SystemExtension, User
from users.road.meant import Callee, callee_meant


def leading_to(customer: Customer, kind: Kind, numbers: Sequence[str]) -> list[Reference]:
    """The rules that send calls to these extensions, by themselves or by a number of the company's own that rings them.

    `target` is the extension in both cases, `value` what the rule says.
    """
    holder = "user__number" if kind is Kind.EXTENSION else "system_extension__number"
    own = dict(
        Did.objects.of(customer).filter(**{f"{holder}__in": list(numbers)}).values_list("number", holder)
    )
    over = references_to(customer, Kind.EXTERNAL, list(own))
    return [
        *references_to(customer, kind, numbers),
        *(replace(reference, target=own[reference.target]) for reference in over),
    ]


def calls_sent_to(customer: Customer, kind: Kind, records: Sequence[Any]) -> list[Reference]:
    """The rules that send calls to these people (EXTENSION) or system extensions (SYSTEM), theirs among themselves left out."""
    going = {record.pk for record in records} if kind is Kind.EXTENSION else set()
    found = leading_to(customer, kind, [record.number for record in records])
    return [reference for reference in found if reference.column and reference.owner not in going]


def _held_by_calls(records: Sequence[Any], references: Iterable[Reference]) -> dict[Any, Text]:
    """The sentence for each record that calls lead to."""
    by_number: dict[str, list[str]] = defaultdict(list)
    for reference in references:
        by_number[reference.target].append(reference.words)
    return {
        record.pk: _("Calls are sent to extension %(number)s: %(where)s. Choose who will take them instead.") % {
            "number": record.number, "where": "; ".join(by_number[record.number][:3]) + (" …" if len(by_number[record.number]) > 3 else ""),
        }
        for record in records if record.number in by_number
    }  # fmt: skip


def stays_while_calls_lead_there(kind: Kind) -> Callable[[Sequence[Any], Scope], Mapping[Any, Text]]:
    """A removal rule: what is somebody's destination isn't deleted before another one is chosen."""

    def rule(records: Sequence[Any], scope: Scope) -> dict[Any, Text]:
        return _held_by_calls(records, calls_sent_to(scope.customer, kind, records))

    return rule


@dataclass(frozen=True)
class Departure:
    """What is to be deleted, with the calls that lead there and must lead elsewhere from then on.

    `numbers` ring those who go: they ring whoever takes the calls, or nobody any more.
    """

    removal: road.Removal
    references: Sequence[Reference]
    numbers: Sequence[Did] = ()

    @property
    def places(self) -> list[str]:
        """What sends calls to those who go, in words: their numbers first, then the rules of others."""
        numbers = [
            _("%(number)s, which rings %(user)s") % {"number": _number_said(did), "user": did.user}
            for did in self.numbers
        ]
        return [*numbers, *(reference.words for reference in self.references)]

    def take_along(self, names: Iterable[str]) -> "Departure":
        """The same, where what would stay and is named goes as well (the boxes of the page that asks)."""
        self.removal.along = frozenset(names)
        return self

    @property
    def refusals(self) -> dict[Any, str]:
        """Why records can't go, whoever takes their calls."""
        held = _held_by_calls(self.removal.records, self.references) if self.references else {}
        return {
            key: sentence
            for key, sentence in self.removal.refusals.items()
            if str(held.get(key)) != str(sentence)
        }

    @property
    def reasons(self) -> str:
        """Why not, each sentence once; after `commit` was refused."""
        return " ".join(dict.fromkeys(self.removal.refusals.values()))

    def instead(self, typed: str) -> Callee | None:
        """Who is to take the calls: what was typed is an extension or a name. None, or where no calls lead here: rules lead to each
        person's own voicemail, and numbers ring nobody.

        Raises `ValidationError` where nobody, or more than one, is meant.
        """
        if not self.places or not typed.strip():
            return None
        return callee_meant(self.removal.scope.actor, self.removal.scope.customer, typed)

    def leave(
        self,
        instead: Callee | None,
        facts: RequestFacts,
        reason: str = "",
        into: Operation | None = None,
    ) -> Operation | None:
        """Delete; calls and numbers go to `instead`, or rules to each person's own voicemail, in the same transaction.

        Raises `road.RefusedError` and `road.ChangedMeanwhileError`; then nothing has happened. Inside a transaction with more
        in it; else see `commit`.
        """
        numbers = self.numbers if instead is not None else ()
        if not self.references and not numbers:
            return road.remove(self.removal, facts, reason, into)
        destination = destination_of(instead)
        return remove_with_replacement(
            self.removal, self.references, destination, facts, reason, into, (instead, numbers)
        )

    def commit(self, instead: Callee | None, facts: RequestFacts, reason: str = "") -> road.Outcome:
        """`leave`, and how it ended."""
        return road.ended(lambda: self.leave(instead, facts, reason))[0]


def plan_departure(
    actor: User, customer: Customer | None, sheet: Sheet, kind: Kind | None, keys: Iterable[Any]
) -> Departure:
    """Say what would go, what stands against it, and whose calls would need another destination. Nothing is written.

    `kind` is what sort of destination these records are; None: calls can't be sent to such a thing.
    """
    removal = road.plan_removal(actor, customer, sheet, keys)
    numbers: Sequence[Did] = ()
    if kind is Kind.EXTENSION:
        people = [record.pk for record in removal.records]
        numbers = list(Did.objects.of(customer).filter(user__in=people).select_related("user"))
    calls = calls_sent_to(customer, kind, removal.records) if kind and customer else ()
    return Departure(removal, calls, numbers)


def _number_said(did: Did) -> str:
    return f"{did} ({did.name})" if did.name else str(did)


def destination_of(instead: Callee | None) -> str:
    """The destination, as text, of calls that somebody (a ring group, queue or IVR) takes; of nobody: each person's own voicemail."""
    if instead is None:
        return str(Kind.VOICEMAIL)
    return f"{Kind.EXTENSION if isinstance(instead, User) else Kind.SYSTEM}:{instead.number}"


def replacement_plan(
    actor: User,
    customer: Customer,
    references: Sequence[Reference],
    instead: str,
    heir: Callee | None = None,
    numbers: Sequence[Did] = (),
) -> road.Plan:
    """The change of everybody's rules that lead to what goes: `instead` is a destination as text ("extension:105", "voicemail").

    Whom `numbers` ring gives them up, and `heir`, a person, gets them in the same plan.
    """
    values: dict[int, dict[str, Any]] = defaultdict(dict)
    for reference in references:
        if reference.owner is not None:
            voicemail = bool(reference.value and reference.value.voicemail) and instead.startswith(
                f"{Kind.EXTENSION}:"
            )
            values[reference.owner][reference.column] = (
                f"{instead}?voicemail" if voicemail and "?" not in instead else instead
            )
    if heir is not None and numbers:
        for did in numbers:
            values[did.user_id]["dids"] = []  # type: ignore[index]  # they ring somebody
        if isinstance(heir, User):
            own = Did.objects.of(customer).filter(user=heir).values_list("pk", flat=True)
            values[heir.pk]["dids"] = sorted({*own, *(did.pk for did in numbers)})
    return road.plan(
        actor, customer, road.sheet_of(User), [road.Row(key, columns) for key, columns in values.items()]
    )


def remove_with_replacement(
    removal: road.Removal,
    references: Sequence[Reference],
    instead: str,
    facts: RequestFacts,
    reason: str = "",
    into: Operation | None = None,
    numbers_go: tuple[Callee | None, Sequence[Did]] = (None, ()),
) -> Operation | None:
    """Send the calls elsewhere and delete, both or neither; `numbers_go` says to whom which numbers lead from then on.

    Raises `road.RefusedError` with the reasons in `removal.refusals`, and `road.ChangedMeanwhileError`.
    """
    scope = removal.scope
    with transaction.atomic():
        heir, numbers = numbers_go
        plan = replacement_plan(scope.actor, scope.customer, references, instead, heir, numbers)
        gone = {
            str(Destination(Kind.EXTENSION if isinstance(record, User) else Kind.SYSTEM, record.number))
            for record in removal.records
            if isinstance(record, (User, SystemExtension))
        }
        if instead.partition("?")[0] in gone:
            stays = (
                _("Choose somebody who isn't among those being deleted.")
                if instead.startswith(f"{Kind.EXTENSION}:")
                else _("Choose an extension that isn't among those being deleted.")
            )
            removal.refusals = {record.pk: stays for record in removal.records}
            raise road.RefusedError
        try:
            edits = road.apply(plan, facts, reason)
            if isinstance(heir, SystemExtension) and numbers:
                # They are nobody's by now.
                rows = [road.Row(did.pk, {"system_extension": heir.pk}, label=str(did)) for did in numbers]
                plan = road.plan(scope.actor, scope.customer, road.sheet_of(Did), rows)
                road.apply(plan, facts, reason, into=edits)
        except road.RefusedError:
            removal.refusals = {record.pk: " ".join(plan.sentences[:5]) for record in removal.records}
            raise
        again = road.plan_removal(
            scope.actor,
            scope.customer,
            removal.sheet,
            [record.pk for record in removal.records],
            removal.verb,
        )
        again.along = removal.along
        try:
            return road.remove(again, facts, reason, into)
        finally:
            removal.refusals = again.refusals
