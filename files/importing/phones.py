"""The phones of a file of people: MAC, model and options of each person's first phone."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models

from files.importing.imports import explained
from files.importing.people import Meant
from files.importing.wanted import columns_there
from files.reading.spreadsheets import Kind
from pbxadmin.common.columns import NOT_IN_FILES, Column, FieldColumn, Pending, Scope
from pbxadmin.common.reasons import Reason, reasons_of
from phones import moving
from phones.models import Phone
from phones.settings.columns import mac_address
from phones.settings.sections import phone_sheet
from phones.sites import routers
from users import road

MAC, MODEL, ROUTER = "MAC", "Model", "Router"
# Follows from the model: read, and never kept.
FOLLOWS = "Template"


def by_file_name() -> Mapping[str, Column]:
    """The columns of phones that a file of people has, by their name there."""
    return {
        column.csv: column
        for column in phone_sheet().columns.values()
        if column.csv != NOT_IN_FILES and column.name != "user"
    }


def columns_by_name() -> Mapping[str, Column]:
    """The columns of phones by their own name."""
    return phone_sheet().columns


def names() -> list[str]:
    """All names that a file of people may have for what is their phone's."""
    return [*by_file_name(), FOLLOWS]


def kind_of(name: str) -> Kind:
    """What the cells of a column are."""
    if name == MAC:
        return Kind.MAC
    column = by_file_name().get(name)
    if isinstance(column, FieldColumn) and isinstance(
        column.field, (models.BooleanField, models.IntegerField)
    ):
        return Kind.CODE
    return Kind.TEXT


# A column of the file, what it is, and what each text of it says: {(text, whether the phone is new): (values, reasons against it)}.
Said = tuple[str, Column, dict[tuple[str, bool], tuple[dict[str, Any], list[Reason]]]]


@dataclass(slots=True)
class PhoneRow:
    """What one row says of a phone, and whose row it is; `meant` None: a phone that somebody gives back."""

    meant: Meant | None
    row: road.Row
    phone: Phone | None = None  # the one that there is already
    planned: road.RowPlan | None = None


@dataclass
class Phones:
    """The phones of a file: the plan of them all, and what is planned for each row."""

    plan: road.Plan
    rows: list[PhoneRow] = field(default_factory=list)
    routers: road.Plan | None = None  # of the router phones that come with the file: written before

    def of(self, meant: Meant) -> road.RowPlan | None:
        """What is planned for the phone of a row."""
        return next((each.planned for each in self._by_row.get(id(meant), ())), None)

    def __post_init__(self) -> None:
        self._by_row: dict[int, list[PhoneRow]] = defaultdict(list)
        for each, planned in zip(self.rows, self.plan.rows, strict=True):
            each.planned = planned
            if each.meant is not None:
                self._by_row[id(each.meant)].append(each)


def plan_phones(scope: Scope, made: Sequence[Meant]) -> Phones | None:
    """The plan of the phones that the rows speak of; None where none does. After `plan_people`."""
    present = columns_there(each.wanted for each in made)
    columns = {name: column for name, column in by_file_name().items() if name in present}
    concerned = [
        each
        for each in made
        if any(name in each.wanted.cells for name in columns) or MAC in each.wanted.problems
    ]
    if not concerned:
        return None
    own: dict[int, list[Phone]] = defaultdict(list)
    people = [each.person.pk for each in concerned if each.person is not None]
    for part in road.chunks(people):
        for phone in Phone.objects.of(scope.customer).filter(user__in=part).order_by("pk"):
            own[phone.user_id or 0].append(phone)
    claimed = _claimed(scope, concerned, own)
    said: list[Said] = [(name, column, {}) for name, column in columns.items() if name not in (MAC, ROUTER)]
    rows: list[PhoneRow] = []
    for each in concerned:
        rows += _rows(scope, each, own[each.person.pk] if each.person else [], claimed, said)
    if not rows:
        return None
    new_routers = _through_routers(scope, rows)
    found = moving.rows_from_stock(scope, [each.row for each in rows])
    for one, row in zip(rows, found, strict=True):
        one.row = row
    plan = road.plan(scope.actor, scope.customer, phone_sheet(), found, scope=scope, leave_limited=True)
    moving.say_who_gives_from_stock(plan)
    return Phones(plan, rows, new_routers)


def _mac_of(each: Meant) -> str:
    """The MAC that a row asks for, "" for none or one that can't be read."""
    text = each.wanted.cells.get(MAC, "")
    try:
        return mac_address(text) if text.strip() else ""
    except ValidationError:
        return ""


def _claimed(scope: Scope, made: Sequence[Meant], own: Mapping[int, Sequence[Phone]]) -> dict[str, Phone]:
    """Phones of people in this file that change hands within it, by MAC: their present user's row names another one."""
    asked = {mac: each for each in made if (mac := _mac_of(each))}
    by_person = {each.person.pk: each for each in made if each.person is not None}
    claimed = {}
    for key, phones in own.items():
        wanted = _mac_of(by_person[key])
        for phone in phones:
            by = asked.get(phone.mac)
            if by is not None and by is not by_person[key] and wanted and wanted != phone.mac:
                claimed[phone.mac] = phone
    return claimed


def _rows(
    scope: Scope, each: Meant, own: Sequence[Phone], claimed: Mapping[str, Phone], said: Sequence[Said]
) -> list[PhoneRow]:
    mac, text = _mac_of(each), each.wanted.cells.get(MAC, "").strip()
    problems: dict[str, list[Reason]] = {}
    if MAC in each.wanted.problems:
        text = text or "?"
        problems["mac"] = list(each.wanted.problems[MAC])
    first = own[0] if own else None
    same = next((phone for phone in own if phone.mac == mac), None) if mac else None if text else first
    values = _settings(scope, each, same is None, problems, said)

    def row(key: Any, values: Mapping[str, Any], phone: Phone | None = None) -> PhoneRow:
        return PhoneRow(each, road.Row(key, values, each.wanted.label, problems=problems), phone)

    if same is not None:
        return [row(same.pk, values, same)]
    if not text:
        return []
    user = each.person.pk if each.person else _pending(each)
    if mac in claimed:
        return [row(claimed[mac].pk, {**values, "user": user}, claimed[mac])]
    if first is None:
        return [row(None, {**values, "mac": text, "model": values.get("model", ""), "user": user})]
    # Other hardware: what was chosen for the phone in its place stays, and that one goes into the stock.
    kept = {
        column.name: column.read(first)
        for column in by_file_name().values()
        if column.name not in ("mac", "logo")
    }
    made = [row(None, {**kept, **values, "mac": text, "user": user})]
    if first.mac not in claimed and not problems:
        made.append(PhoneRow(None, road.Row(first.pk, {"user": None}, each.wanted.label)))
    return made


def _settings(
    scope: Scope, each: Meant, new: bool, problems: dict[str, list[Reason]], said: Sequence[Said]
) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, column, memory in said:
        text = each.wanted.cells.get(name)
        if text is None or (name == MODEL and not text.strip()):
            continue
        if (known := memory.get((text, new))) is None:
            try:
                known = column.said(text, scope, new), []
            except ValidationError as error:
                known = {}, [explained(reason, column, text) for reason in reasons_of(error)]
            memory[text, new] = known
        if known[1]:
            problems.setdefault(column.name, []).extend(known[1])
        values |= known[0]
    return values


def _through_routers(scope: Scope, rows: Sequence[PhoneRow]) -> road.Plan | None:
    """Say of each phone through which router it goes, where its row has the cell; the plan of router phones that come with the file."""
    saying = [
        (one, cell) for one in rows if one.meant and (cell := one.meant.wanted.cells.get(ROUTER)) is not None
    ]
    asked = [
        routers.Asked(
            cell,
            str(one.row.values.get("mac", "")) or (one.phone.mac if one.phone else ""),
            one.phone.connection if one.phone else None,
        )
        for one, cell in saying
    ]
    if not asked:
        return None
    found = routers.routers_of(scope, asked)
    for (one, _cell), answer in zip(saying, found.answers, strict=True):
        problems = {**one.row.problems, **({routers.COLUMN: answer.reasons} if answer.reasons else {})}
        one.row = replace(one.row, values={**one.row.values, **answer.values}, problems=problems)
    return found.plan


def _pending(each: Meant) -> Pending:
    if each.pending is None:
        each.pending = Pending(each.planned)
    return each.pending
