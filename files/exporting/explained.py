"""What every column of a file means: read off the columns of the sheets, so that nothing is listed a second time."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.validators import BaseValidator, MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from files.importing.people import CALLS, EXTERNAL, NUMBER, TALK
from files.importing.phones import FOLLOWS, MAC, MODEL, ROUTER
from files.importing.phones import by_file_name as columns_of_phones
from files.reading.headers import LISTS, OLDER, V20
from files.subjects import USERS, Subject
from forwarding import periods
from forwarding.tabs.columns import DestinationColumn, StatusUntilColumn
from forwarding.tabs.week_columns import HolidaysColumn, PeriodsColumn
from pbxadmin.common.columns import Blank, Column, Scope, Text
from pbxadmin.common.companions import CompanionColumn
from pbxadmin.common.destination_field import KIND_LABELS
from pbxadmin.common.fields import PhoneNumberField
from pbxadmin.common.references import LinkedColumn, OptionsMixin
from pbxadmin.common.sections import Section, Sheet
from pbxadmin.common.values.destinations import Kind, allowed
from phones.keys import blf
from phones.keys.columns import KeysColumn
from phones.settings.columns import CodecsColumn, MacColumn, ModelColumn, OfferedColumn, RouterColumn
from phones.settings.sections import phone_sheet
from phones.vendors import models as phone_models
from users.people.sections.visualiser import VisibilityColumn
from users.rights import Forced

# So many values are named; of more there are the first, and how many others.
MOST = 24
# What is no more than an example, by kind of file: people, addresses and numbers that nobody has.
EXAMPLES: Mapping[str, Mapping[str, str]] = {
    "users": {
        NUMBER: "142", "FirstName": "Amélie", "LastName": "Tremblay", "EmailAddress": "amelie.tremblay@example.com",
        "MobileNumber": "+15145550142", "OutboundCallerID": "+15145550100", "DID": "15145550101:15145550102", TALK: "ameliet",
        "VMPIN": "730582", "SIPID": "142", MAC: "805EC0A1B2C3", ROUTER: "805EC0A1B2C3", "StatusUntil": "14:00",
    },
    "departments": {"Name": "Ventes", "TalkName": "ventes", "OutboundCallerID": "+15145550100"},
    "numbers": {"Number": "+15145550187", "Name": "Ligne directe"},
    "system-extensions": {"Number": "801", "Name": "Réception", "TalkName": "reception", "Members": "142:143"},
    "phones": {MAC: "805EC0A1B2C4", ROUTER: "805EC0A1B2C3"},
}  # fmt: skip
A_KEY = blf.written([blf.Entry(1, "line"), blf.Entry(2, "blf", "143")])


@dataclass(frozen=True)
class Explained:
    """One column. `values` are all that its cells may say, each with what it means; where anything else may stand there too, `form` says what."""

    name: str
    label: Text
    tab: Text
    help: Text
    values: Sequence[tuple[str, str]]
    more_values: int
    form: Text
    blank: Text
    blank_for_new: Text
    example: str
    also_read: Sequence[str]
    in_3cx: bool

    @property
    def anchor(self) -> str:
        """Its place on the page."""
        return self.name.replace(".", "-")


def explained(subject: Subject, scope: Scope) -> list[Explained]:
    """The columns of a kind of file, tab by tab, in the order in which they stand there."""
    return list(_all(subject, scope))


def _all(subject: Subject, scope: Scope) -> Iterator[Explained]:
    names = set(subject.header())
    columns = {id(column) for column in subject.sheet().columns.values() if column.csv in names}
    sheets: list[Sheet] = [subject.sheet()]
    beside: Mapping[str, str] = {FOLLOWS: "model"} if FOLLOWS in names else {}
    if subject is USERS:
        # Beside their own: those of their first phone, and what 3CX's file has otherwise than any sheet.
        columns |= {id(column) for column in columns_of_phones().values()}
        sheets.append(phone_sheet())
        beside = {CALLS: "recording", EXTERNAL: "recording", FOLLOWS: "model"}
    for section in (section for sheet in sheets for section in sheet.sections):
        for column in section.columns:
            if id(column) in columns:
                yield _of(subject, column, section, scope)
            for name in (name for name, of in beside.items() if of == column.name):
                yield _beside(name, section)


def _of(subject: Subject, column: Column, section: Section, scope: Scope) -> Explained:
    name, people = column.csv, subject is USERS
    values = values_of(column, scope)
    meaning, for_new = column.blank(False), column.blank(True)
    usual = _usual(column, scope)
    special = SPECIAL.get(name, "") if people else ""
    return Explained(
        name,
        column.label,
        section.title,
        _("Kept as it came, and written again: the portal doesn't offer it.")
        if column.only_in_files
        else column.help,
        values[:MOST],
        max(0, len(values) - MOST),
        form_of(column),
        special or _blank_in_words(meaning, usual),
        ""
        if special or (meaning is for_new and meaning is not Blank.LEAVE)
        else _new_in_words(for_new, usual),
        example_of(name, column, scope, subject.slug),
        _also_read(name) if people else (),
        people and name in V20,
    )


def _beside(name: str, section: Section) -> Explained:
    """A column that 3CX's file has and no sheet: two switches for one choice, and what follows from the model."""
    yes_and_no = [("1", str(_("Yes"))), ("0", str(_("No")))]
    label, help, values, example = {
        CALLS: (_("Record calls"), _("Whether this person's calls are recorded."), yes_and_no, "0"),
        EXTERNAL: (
            _("Record outside calls only"),
            _("Counts where calls are recorded: all of them, or those with the outside only."),
            yes_and_no,
            "0",
        ),
        FOLLOWS: (
            _("Template of the phone"),
            _("Follows from the model: it is written for 3CX, and not read."),
            [],
            "",
        ),
    }[name]
    stays = _("The field stays as it is.") if name == FOLLOWS else _("The same as 0.")
    return Explained(
        name, label, section.title, help, values, 0, "", stays, "", example, _also_read(name), True
    )


def _also_read(name: str) -> list[str]:
    older = [other for other, column in OLDER.items() if column == name]
    return [*LISTS.get(name, ()), *older]


# --- Values -------------------------------------------------------------------------------------------------------
def _inner(column: Column) -> Column:
    return column.inner if isinstance(column, CompanionColumn) else column


def values_of(column: Column, scope: Scope) -> list[tuple[str, str]]:
    """What a cell may say where that is a list, each with its meaning in the reader's language; nothing where it is open."""
    inner = _inner(column)
    field = getattr(inner, "field", None)
    if isinstance(inner, OptionsMixin):
        labels = [(inner._cell_of(key, scope), str(label)) for key, label in inner.choices(scope)]
        return [(cell, "" if cell == label else label) for cell, label in labels]
    if isinstance(inner, DestinationColumn):
        return [(_TARGETS.get(kind, str(kind)), str(KIND_LABELS[kind])) for kind in allowed(inner.field.side)]
    if isinstance(inner, ModelColumn):
        return [(model.display_name, "") for model in phone_models()]
    raw: Sequence[Any] = ()
    if isinstance(inner, CodecsColumn):
        return [(str(value), str(label)) for value, label in inner.form_field(scope).choices]  # type: ignore[attr-defined]
    if isinstance(inner, OfferedColumn):
        raw = list(dict.fromkeys(value for model in phone_models() for value in inner.offered(model)))
    elif isinstance(field, models.BooleanField):
        raw = [True, False]
    elif field is not None and field.choices:
        raw = [value for value, _label in field.flatchoices]
    elif inner.codes:
        raw = list(inner.codes)
    cells = [(inner.to_cell(value, scope), str(inner.show(value, scope))) for value in raw]
    return [(cell, "" if cell == label else label) for cell, label in cells if cell]


_TARGETS: Mapping[Kind, str] = {
    Kind.EXTENSION: "extension:143",
    Kind.SYSTEM: "system:801",
    Kind.EXTERNAL: "external:+15145550142",
}


def form_of(column: Column) -> Text:
    """What a cell says where its values aren't a list, in a sentence."""
    inner = _inner(column)
    for kind, sentence in FORMS:
        if isinstance(inner, kind):
            return sentence
    field = getattr(inner, "field", None)
    if isinstance(inner, OptionsMixin | OfferedColumn) or field is None or field.choices:
        return ""
    if isinstance(field, PhoneNumberField):
        return _("A phone number with its area code, however it is written.")
    if isinstance(field, models.EmailField):
        return _("An email address.")
    if isinstance(field, models.BooleanField):
        return _("“oui”, “non”, “yes”, “no”, “true” and “false” are read, too.")
    if isinstance(field, models.IntegerField):
        limits = {
            type(each): each.limit_value for each in field.validators if isinstance(each, BaseValidator)
        }
        least, most = limits.get(MinValueValidator, 0), limits.get(MaxValueValidator)
        facts = {"least": least, "most": most}
        return _("A whole number from %(least)s to %(most)s.") % facts if most else _("A whole number.")
    if field.max_length:
        return ngettext(
            "Text, %(count)s character at most.", "Text, %(count)s characters at most.", field.max_length
        ) % {"count": field.max_length}
    return ""


FORMS: Sequence[tuple[type[Column], Text]] = (
    (
        MacColumn,
        gettext_lazy("12 hexadecimal digits, with or without colons or dashes. Another address replaces the phone, whose settings stay."),
    ),
    (RouterColumn, gettext_lazy("The ID or the name of an SBC, or the MAC of a router phone; the phone's own MAC says that it is one itself.")),
    (
        DestinationColumn,
        gettext_lazy("Where calls go. What is added stands behind a question mark, for example “143?voicemail” for a colleague's mailbox."),
    ),
    (PeriodsColumn, gettext_lazy("Days in English, three letters each, with their hours; closed days are left out.")),
    (HolidaysColumn, gettext_lazy("A list of holidays, each with first day, last day, name, and whether it comes back every year.")),
    (StatusUntilColumn, gettext_lazy("A time of today, or an instant with its time zone.")),
    (KeysColumn, gettext_lazy("3CX's XML, one element for each key: its number (BLFNo), its type, and what it dials. Keys that aren't in it are blank.")),
    (VisibilityColumn, gettext_lazy("Department, “=”, and what is forced there: + on, - off. “:” between departments.")),
    (CodecsColumn, gettext_lazy("Those that are wanted, in the order of preference, with commas between them.")),
    (LinkedColumn, gettext_lazy("Several with “:” between them.")),
)  # fmt: skip

# What a blank cell does where the import knows more than the column.
SPECIAL: Mapping[str, Text] = {
    NUMBER: gettext_lazy("Email and name say who is meant; a new user gets the next free extension."),
    TALK: gettext_lazy("Talk is turned off, and the link keeps its name."),
    MAC: gettext_lazy("The phone stays as it is: no phone is ever taken away."),
    MODEL: gettext_lazy("The model stays as it is."),
    ROUTER: gettext_lazy("The phone is on the local network."),
    "VMPIN": gettext_lazy("The PIN stays; a new user gets one that is generated."),
}


def _usual(column: Column, scope: Scope) -> str:
    if column.secret or isinstance(column, OptionsMixin):
        return ""
    value = column.default(scope)
    if value in (None, "", ()):
        return ""
    cell, words = column.to_cell(value, scope), str(column.show(value, scope))
    return cell if words in (cell, "") else f"{cell} ({words})"


def _blank_in_words(meaning: Blank, usual: str) -> Text:
    if meaning is Blank.REFUSE:
        return _("The row is refused.")
    if meaning is Blank.LEAVE:
        return _("The field stays as it is.")
    if meaning is Blank.DEFAULT and usual:
        return _("The usual value: %(value)s.") % {"value": usual}
    return _("The field is emptied.")


def _new_in_words(meaning: Blank, usual: str) -> Text:
    if meaning is Blank.LEAVE:
        return _("The same as without the column.")
    return _blank_in_words(meaning, usual)


# --- Examples -----------------------------------------------------------------------------------------------------
def example_of(name: str, column: Column, scope: Scope, slug: str) -> str:
    """A cell that something new may have in the files of that `slug`: what is usual, else the first value there is, else something made up."""
    inner = _inner(column)
    if (made_up := EXAMPLES.get(slug, {}).get(name)) is not None:
        return made_up
    if isinstance(inner, KeysColumn):
        return A_KEY
    if isinstance(inner, PeriodsColumn):
        return periods.text_of(periods.week_of("mon 8:00-12:00, 13:00-17:00; fri 8:00-12:00"))
    if isinstance(inner, VisibilityColumn):
        return f"Ventes={Forced._fields[1]}+,{Forced._fields[2]}-"
    if isinstance(inner, ModelColumn):
        return phone_models()[-1].display_name
    values = values_of(column, scope)
    if not column.secret and not isinstance(inner, OptionsMixin):
        usual = column.default(scope)
        if usual not in (None, "", ()) and (cell := column.to_cell(usual, scope)):
            return cell
    return values[0][0] if values else ""
