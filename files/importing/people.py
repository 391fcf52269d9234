"""People of a file: which record each row means, what its cells say, and the plan of it all."""

from collections.abc import Collection, Mapping, Sequence

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from files.importing import imports
from files.importing.codes import refined
from files.importing.imports import Mode, read_column, said_by
from files.importing.wanted import Wanted, columns_there
from files.reading.spreadsheets import Kind
from pbxadmin.common.columns import NOT_IN_FILES, Column, FieldColumn, Pending, Scope
from pbxadmin.common.fields import OneLineField, PhoneNumberField, YesNoFormField
from pbxadmin.common.reasons import reasons_of
from pbxadmin.common.values.signs import folded
from users import rights, road
from users.models import Department, User
from users.people.sections import user_sheet

Recording = User.Recording
# Columns of 3CX's file that are two for one option of ours, and what they are then.
CALLS, EXTERNAL = "RecordCalls", "RecordExternal"
TALK = "WebMeetingFriendlyName"
NUMBER = "Number"
NOTHING = object()  # what isn't said
# What several columns of a file say together, or nobody says: the road reads these as what anybody else sends.
NOT_OF_ONE_COLUMN = frozenset({"recording", "talk_enabled", "talk_name", "primary_department"})


def by_file_name() -> Mapping[str, Column]:
    """The columns of people that files have, by their name there."""
    return {column.csv: column for column in user_sheet().columns.values() if column.csv != NOT_IN_FILES}


def columns_by_name() -> Mapping[str, Column]:
    """The columns of people by their own name."""
    return user_sheet().columns


def names() -> list[str]:
    """All names that a file of people may have for what is a person's own."""
    return [*by_file_name(), CALLS, EXTERNAL]


def kind_of(name: str) -> Kind:
    """What the cells of a column are."""
    if name in ("Number", "VMPIN", "PinTimeout", "SIPID"):
        return Kind.DIGITS
    if name in ("DID",):
        return Kind.DIGITS
    column = by_file_name().get(name)
    if name in (CALLS, EXTERNAL):
        return Kind.CODE
    if not isinstance(column, FieldColumn):
        return Kind.TEXT
    if isinstance(column.field, PhoneNumberField):
        return Kind.PHONE
    short = isinstance(column.field, (models.BooleanField, models.IntegerField)) or bool(column.codes)
    return Kind.CODE if short else Kind.TEXT


class Meant(imports.Meant):
    """One row with whom it means (None: somebody new) and what it says of them by column."""

    __slots__ = ()

    nothing = gettext_lazy("Nobody is meant by this row, and this file only changes those who are there.")

    @property
    def person(self) -> User | None:
        """Who is there already."""
        found: User | None = self.record
        return found


def meant_by(scope: Scope, rows: Sequence[Wanted], mode: Mode) -> list[Meant]:
    """Which record each row means. Rows that say nothing aren't among them."""
    made = [Meant(row) for row in rows if not row.is_blank]
    _by_number(scope, made)
    _by_address(
        scope,
        [
            each
            for each in made
            if not each.wanted.cells.get(NUMBER, "").strip() and NUMBER not in each.wanted.problems
        ],
    )
    for each in made:
        each.keep_to(mode, "number")
    return made


def _by_number(scope: Scope, made: Sequence[Meant]) -> None:
    """Whoever has the extension of the row, and what its cell says: it is read here, for the plan too."""
    column = by_file_name()[NUMBER]
    for each in made:
        if (text := each.wanted.cells.get(NUMBER, "")).strip():
            values, problems, _told = said_by(column, text, scope, True)
            each.values.update(values)
            if problems:
                each.problems[column.name] = list(problems)
    found = road.find(user_sheet(), scope, [each.values.get(column.name) for each in made])
    for each in made:
        each.record = found.get(each.values.get(column.name))


def _by_address(scope: Scope, made: Sequence[Meant]) -> None:
    """Without an extension, whoever alone has the very address and name of the row."""
    asked = {text.casefold() for each in made if (text := each.wanted.cells.get("EmailAddress", "").strip())}
    if not asked:
        return
    having: dict[str, list[int]] = {}
    people = User.objects.visible_to(scope.actor).of(scope.customer).exclude(email="").order_by("pk")
    for key, email, first, last in people.values_list("pk", "email", "first_name", "last_name"):
        if email.casefold() in asked:
            having.setdefault(_who(email, first, last), []).append(key)
    wanted = {}
    for each in made:
        cells = each.wanted.cells
        keys = having.get(
            _who(
                cells.get("EmailAddress", "").strip(), cells.get("FirstName", ""), cells.get("LastName", "")
            ),
            [],
        )
        if len(keys) == 1:
            wanted[id(each)] = keys[0]
    found = road.records_of(user_sheet(), scope, (), list(set(wanted.values()))) if wanted else {}
    for each in made:
        each.record = found.get(wanted.get(id(each)))


def _who(email: str, first: str, last: str) -> str:
    return f"{email.casefold()}\n{folded(first.strip())}\n{folded(last.strip())}"


def coming(made: Sequence[Meant]) -> dict[str, Pending]:
    """Whoever comes with the file, by extension: keys of other rows may be about them."""
    found = {}
    for each in made:
        number = each.wanted.cells.get(NUMBER, "").strip()
        if each.person is None and number:
            each.pending = found[number] = Pending()
    return found


# --- What the cells say -------------------------------------------------------------------------------------------
def read_values(scope: Scope, made: Sequence[Meant]) -> None:
    """What the cells of each row say, column by column: each distinct text of a column is read once."""
    columns = by_file_name()
    present = columns_there(each.wanted for each in made)
    for name in columns:
        if name == NUMBER:
            # What stands there was read to find whom it means.
            read_column(
                scope,
                [each for each in made if not each.wanted.cells.get(NUMBER, "?").strip()],
                name,
                columns[name],
            )
        elif name in present and name != TALK:
            read_column(scope, made, name, columns[name])
    _read_talk(scope, made, columns)
    if present & {CALLS, EXTERNAL}:
        _read_recording(made)
    _give_departments(scope, made)
    texts = _texts_of_their_own(columns, present)
    for each in made:
        _leave_the_same_address(each)
        _leave_the_same_status(each)
        _name_lost_zeros(each, texts)
        each.take_problems(columns, {CALLS: "recording", EXTERNAL: "recording"})


def _leave_the_same_status(each: Meant) -> None:
    """A status that somebody has isn't chosen again by a file that says so: chosen, it would hold against the schedule until its next change."""
    until = each.values.get("status_until", NOTHING)
    if (
        each.person
        and each.values.get("status") == each.person.status
        and until in (NOTHING, each.person.status_until)
    ):
        each.values.pop("status")
        each.values.pop("status_until", None)


def _texts_of_their_own(columns: Mapping[str, Column], present: Collection[str]) -> list[Column]:
    """The columns there whose cells may be digits that aren't a number: an identifier, a name."""
    return [
        column
        for name, column in columns.items()
        if name in present
        and type(column) is FieldColumn
        and type(column.field) in (models.CharField, OneLineField)
        and not column.field.choices
    ]


def _name_lost_zeros(each: Meant, texts: Sequence[Column]) -> None:
    """What somebody has without its leading zeros is what a spreadsheet makes of it: refused, because nobody sees it on the way."""
    if each.person is None:
        return
    for column in texts:
        value = each.values.get(column.name)
        if value is None or not isinstance(value, str) or not value.isdecimal():
            continue
        before = column.read(each.person)
        if before != value and before.startswith("0") and before.lstrip("0") == value:
            words = _(
                "“%(now)s” stands there now: a spreadsheet may have taken its zeros away. Format the column as text and enter it again."
            )
            each.refuse(column.name, words % {"now": before}, "lost_zeros")


def _leave_the_same_address(each: Meant) -> None:
    """An address in other letters, small and large, is the same one: lists write them as they like."""
    if each.person and each.values.get("email", "").casefold() == each.person.email.casefold():
        each.values.pop("email", None)


def _read_talk(scope: Scope, made: Sequence[Meant], columns: Mapping[str, Column]) -> None:
    """A name turns Talk on; a blank one turns it off and keeps the name that there is, unless another column says what is to be."""
    column = columns[TALK]
    for each in made:
        text = each.wanted.cells.get(TALK)
        if text is None:
            continue
        said = bool(text.strip())
        if said:
            values, reasons, _warnings = said_by(column, text, scope, each.person is None)
            each.values |= values
            if reasons:
                each.problems.setdefault(column.name, []).extend(reasons)
        each.values.setdefault("talk_enabled", said)


def _read_recording(made: Sequence[Meant]) -> None:
    """Two switches in 3CX's file, whether calls are recorded and whether only outside ones, are one choice here."""
    yes_or_no = YesNoFormField(required=False)
    for each in made:
        cells = each.wanted.cells
        said: dict[str, bool] = {}
        for name in (CALLS, EXTERNAL):
            if (text := cells.get(name)) is not None:
                try:
                    said[name] = yes_or_no.to_python(text.strip())
                except ValidationError as error:
                    each.problems.setdefault("recording", []).extend(
                        refined(reason, name) for reason in reasons_of(error)
                    )
        if not said or "recording" in each.problems:
            continue
        before = each.person.recording if each.person else Recording.OFF
        calls = said.get(CALLS, before != Recording.OFF)
        external = said.get(EXTERNAL, before == Recording.EXTERNAL)
        each.values["recording"] = (
            (Recording.EXTERNAL if external else Recording.ALL) if calls else Recording.OFF
        )


def _give_departments(scope: Scope, made: Sequence[Meant]) -> None:
    """Somebody new without a department gets the one that is called DEFAULT, as 3CX calls it, else the actor's, else the only one;
    from whoever acts in some departments only, the actor's."""
    nowhere = [
        each
        for each in made
        if each.person is None
        and "primary_department" not in each.values
        and "primary_department" not in each.problems
    ]
    if not nowhere:
        return
    departments = dict(
        Department.objects.visible_to(scope.actor).of(scope.customer).values_list("pk", "name")
    )
    default = next((key for key, name in departments.items() if folded(name) == "default"), None)
    if default is None or not rights.acts_on_whole_customer(scope.actor):
        own = scope.actor.primary_department_id
        default = own if own in departments else next(iter(departments)) if len(departments) == 1 else None
    for each in nowhere:
        if default is not None:
            each.values["primary_department"] = default


# --- The plan -----------------------------------------------------------------------------------------------------
def plan_people(scope: Scope, made: Sequence[Meant]) -> road.Plan:
    """The plan of all rows; each knows its part of it afterwards."""
    rows = [
        road.Row(
            each.person.pk if each.person else None,
            each.values,
            each.wanted.label,
            pending=each.pending,
            problems=each.problems,
        )
        for each in made
    ]
    records = {each.person.pk: each.person for each in made if each.person is not None}
    planned = road.plan(
        scope.actor,
        scope.customer,
        user_sheet(),
        rows,
        scope=scope,
        records=records,
        leave_limited=True,
        cleaned=columns_by_name().keys() - NOT_OF_ONE_COLUMN,
    )
    for each, row in zip(made, planned.rows, strict=True):
        each.planned = row
    return planned
