"""A file of people from its bytes to what becomes of each row."""

from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache

from files.importing import people, phones
from files.importing.imports import (
    Called,
    Contents,
    Import,
    Mode,
    changes_of,
    is_a_strangers,
    means,
    once,
    refused_as_a_strangers,
)
from files.importing.imports import look_at as look_at_file
from files.importing.outcome import BLANK, CHANGED, NEW, REFUSED, UNCHANGED, RowOutcome, Said, told
from files.importing.people import Meant
from files.importing.phones import Phones
from files.importing.wanted import Wanted
from files.reading.headers import Names
from files.reading.spreadsheets import Kind
from pbxadmin.common import progress
from pbxadmin.common.columns import Scope
from pbxadmin.common.reasons import Reason
from phones.keys.targets import expect_colleagues


def names() -> list[str]:
    """All names that the columns of a file of people may have."""
    return [*people.names(), *phones.names()]


@lru_cache(maxsize=1)
def known_names() -> Names:
    """The same, with what others call them."""
    return Names(names())


def kind_of(name: str) -> Kind:
    """What the cells of a column are, as far as a spreadsheet cares."""
    return phones.kind_of(name) if name in phones.names() else people.kind_of(name)


def look_at(
    content: bytes, scope: Scope, mode: Mode = Mode.BOTH, chosen: Mapping[str, str] | None = None
) -> Import:
    """Read a file of people and plan all of it; nothing is written. Raises `FileRefusedError`."""
    return look_at_file(PEOPLE, content, scope, mode, chosen)


def _plan(made: Import, rows: Sequence[Wanted]) -> None:
    meant = people.meant_by(made.scope, rows, made.mode)
    expect_colleagues(made.scope, people.coming(meant))
    progress.at("checking", 0.1)
    people.read_values(made.scope, meant)
    progress.at("checking", 0.3)
    planned = people.plan_people(made.scope, meant)
    progress.at("checking", 0.7)
    with_phones = phones.plan_phones(made.scope, meant)
    found = [planned, *([with_phones.routers, with_phones.plan] if with_phones else [])]
    made.plans = [plan for plan in found if plan is not None]
    by_row = {each.wanted.record.row: each for each in meant}
    of_people = Called(people.columns_by_name(), made.columns)
    of_phones = Called(phones.columns_by_name(), made.columns)
    made.outcomes = [
        _outcome(made, wanted, by_row.get(wanted.record.row), with_phones, of_people, of_phones)
        for wanted in rows
    ]


PEOPLE = Contents(known_names, kind_of, _plan)


def _outcome(
    made: Import,
    wanted: Wanted,
    meant: Meant | None,
    with_phones: Phones | None,
    of_people: Called,
    of_phones: Called,
) -> RowOutcome:
    record = wanted.record
    if meant is None or meant.planned is None:
        return RowOutcome(record.row, record.line, BLANK)
    planned, phone = meant.planned, with_phones.of(meant) if with_phones else None
    if is_a_strangers(planned):
        return refused_as_a_strangers(record, planned, wanted.cells.get("Number", ""))
    parts = [(planned, of_people), *([(phone, of_phones)] if phone else [])]
    errors: list[Said] = []
    warnings: list[Said] = []
    changes: dict[str, tuple[str, str]] = {}
    raw: dict[str, str] = {}
    if wanted.warnings or any(row.warnings or row.errors or row.refusal for row, _called in parts):
        header = made.columns.header
        raw = {
            header[place]: record.cells[place] for place in made.columns.by_place if place < len(record.cells)
        }
    for row, called in parts:
        # That a phone's person can't be made either is said by the person's own reasons.
        reasons = {name: found for name, found in row.reasons.items() if row is planned or name != "user"}
        if is_a_strangers(row):
            errors += told(
                {"": [Reason(row.refusal, "not_yours")]}, called.here, raw, wanted.value, called.ours
            )
            continue
        if reasons:
            errors += told(reasons, called.here, raw, wanted.value, called.ours)
        if row.warnings:
            warnings += told(row.warnings, called.here, raw, wanted.value, called.ours)
        if not planned.new:
            found = changes_of(row, called.columns, made.scope)
            # Of a phone that comes with the row: what the row says of it, and not what every new phone has.
            changes |= (
                {name: pair for name, pair in found.items() if name in wanted.cells} if row.new else found
            )
    if wanted.warnings:
        here = {name: made.columns.called(name) for name in wanted.warnings}
        warnings += told(wanted.warnings, here, raw, wanted.value, {})
    outcomes: Collection[str] = {row.outcome for row, _called in parts}
    outcome = next(each for each in (REFUSED, NEW, CHANGED, UNCHANGED) if each in outcomes)
    if outcome == NEW and not planned.new:
        outcome = CHANGED  # a phone that is new, of somebody who was there
    number = planned.after.get("number", "") if planned.new else planned.value_of_record("number")
    number = str(number or wanted.cells.get("Number", ""))
    refers = means(*((row, called.columns) for row, called in parts if row.new))
    return RowOutcome(record.row, record.line, outcome, number, once(errors), once(warnings), changes, refers)
