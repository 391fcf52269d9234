"""The function keys of a person as one value: how they are read, checked, shown and kept."""

import json
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from itertools import zip_longest
from typing import Any, NamedTuple

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from pbxadmin.common.columns import Column, Pending, Scope
from pbxadmin.common.contributions import Contribution
from pbxadmin.common.fields import refuse_control_characters
from pbxadmin.common.references import Store
from pbxadmin.common.sections import Section
from pbxadmin.common.values.signs import as_it_looks, as_number, folded
from pbxadmin.common.values.statuses import Status
from phones.context import AgentAction
from phones.keys import blf
from phones.keys.dialled import (
    dear_numbers_are_told,
    emergency_numbers_are_dialled_at_once,
    own_numbers_are_told,
)
from phones.models import Key
from users import road
from users.models import STATUS_CHOICES, Change, Operation, User

Kind = Key.Kind
LAST_POSITION = 240
PARKING = re.compile(r"SP\d{1,3}\Z", re.ASCII)
# Digits, star and hash, an international plus, and commas: each a pause of one second.
CUSTOM_NUMBER = re.compile(r"\+?[0-9*#]{1,40}(,{1,30}[0-9*#]{1,20}){0,5}\Z", re.ASCII)
WITH_TARGET = (Kind.BLF, Kind.SPEED_DIAL)
# What a form has for each key, beside one another: "keys-3-kind". Which of them counts is the kind's business.
FIELDS = ("position", "kind", "target", "number", "first_name", "last_name", "slot", "agent", "status")
VALUE_FIELDS: Mapping[str, str] = {
    Kind.CUSTOM_SPEED_DIAL.value: "number",
    Kind.SHARED_PARKING.value: "slot",
    Kind.AGENT.value: "agent",
    Kind.STATUS.value: "status",
}
NOT_A_LIST = "null"  # read as no list at all: a form without its keys must not empty them
WATCHERS_NAMED = 20  # in what a deletion says


class KeyValue(NamedTuple):
    """One key, comparable and ready for JSON; `target` is the primary key of the colleague (`Pending` for one who is created with
    it), `value` what else it dials."""

    position: int
    kind: str
    target: Any = None
    value: str = ""
    first_name: str = ""
    last_name: str = ""


class Colleague(NamedTuple):
    """Somebody whom a key may be about."""

    number: str
    name: str
    hidden: bool
    disabled: bool

    def __str__(self) -> str:
        return f"{self.number} {self.name}".strip()


class Checked(NamedTuple):
    """A list of keys as it was read: the good ones by position, what is wrong with the others, and with the whole."""

    keys: dict[int, KeyValue]
    problems: dict[int, list[str]]
    general: list[str]


class KeyStore(Store):
    """Keys are rows of their own: one list per person, the same for every phone of theirs."""

    def load(self, records: Sequence[Any]) -> Mapping[Any, Mapping[str, Any]]:
        """{user: {"keys": (KeyValue, …)}}, in one query."""
        found: dict[Any, list[KeyValue]] = {record.pk: [] for record in records}
        rows = Key.objects.filter(user__in=found).order_by("position")
        for user, *parts in rows.values_list("user", *KeyValue._fields):
            found[user].append(KeyValue(*parts))
        return {user: {"keys": tuple(keys)} for user, keys in found.items()}

    def save(self, rows: Sequence[Any], scope: Scope) -> None:
        """Replace the lists of these people: one DELETE and one INSERT."""
        Key.objects.filter(user__in=[row.key for row in rows]).delete()
        Key.objects.bulk_create(
            [
                Key(
                    user_id=row.key,
                    position=key.position,
                    kind=key.kind,
                    target_id=key.target,
                    value=key.value,
                    first_name=key.first_name,
                    last_name=key.last_name,
                )
                for row in rows
                for key in row.changes["keys"][1]
            ],
            batch_size=2_000,
        )


KEYS = KeyStore()


class KeysWidget(forms.HiddenInput):
    """The list as text; a page that shows each key sends their fields one by one instead ("keys-3-kind")."""

    def format_value(self, value: Any) -> str:
        """As JSON."""
        return value if isinstance(value, str) else json.dumps(value or [])

    def value_from_datadict(self, data: Any, files: Any, name: str) -> str:
        """The list as JSON, from either way of sending it."""
        rows = typed_rows(data, name)
        if rows is None:
            return str(data.get(name, NOT_A_LIST))
        return as_text(rows)


def typed_rows(data: Any, name: str = "keys") -> list[dict[str, str]] | None:
    """What was typed for each key of a form, all fields of it; None where no form with keys was sent."""
    count = str(data.get(f"{name}-count", ""))
    if not (count.isascii() and count.isdecimal() and len(count) < 4):
        return None
    rows = []
    for number in range(1, min(int(count), LAST_POSITION) + 1):
        row = {field: str(data.get(f"{name}-{number}-{field}", "")) for field in FIELDS}
        rows.append(
            row | {"position": row["position"] or str(number), "kind": row["kind"] or Kind.BLANK.value}
        )
    return rows


def as_text(rows: Sequence[Mapping[str, str]]) -> str:
    """The rows of a form as the column reads them: of each key that isn't blank what its kind needs."""
    return json.dumps(
        [
            {
                "position": row["position"],
                "kind": row["kind"],
                "target": row["target"],
                "value": row.get(VALUE_FIELDS.get(row["kind"], ""), ""),
                "first_name": row["first_name"],
                "last_name": row["last_name"],
            }
            for row in rows
            if row["kind"] != Kind.BLANK
        ]
    )


class KeysColumn(Column):
    """The whole list of keys: a list, or JSON, of {"position", "kind", "target", "value", "first_name", "last_name"}.

    `target` is a colleague: their primary key as a number, or their extension as text (what follows it is taken for their
    name). Blank keys needn't be listed: a position without a key is blank.
    """

    store = KEYS
    refers = True

    def awaits(self, value: Any) -> bool:
        """Whether a key is about somebody who is created with it."""
        return any(isinstance(key.target, Pending) for key in value or ())

    def settled(self, value: Any, key_of: Callable[[Any], Any]) -> Any:
        """The same keys about people who are there by now."""
        return tuple(key._replace(target=key_of(key.target)) for key in value)

    def form_field(self, scope: Scope) -> forms.Field:
        """One hidden text, or the fields of the tab's own form."""
        return forms.CharField(label=self.label, required=False, widget=KeysWidget)

    def clean(self, raw: Any, scope: Scope) -> tuple[KeyValue, ...]:
        """Keys sorted by position, without blanks; `ValidationError` names every key that is wrong."""
        checked = self.check(raw, scope)
        if checked.problems or checked.general:
            raise ValidationError([*checked.general, *in_sentences(checked.problems)])
        return tuple(checked.keys[position] for position in sorted(checked.keys))

    def check(self, raw: Any, scope: Scope) -> Checked:
        """Read a list key by key, so that the good ones are known beside the wrong ones."""
        checked = Checked({}, {}, [])
        items = self._items(raw)
        if items is None:
            checked.general.append(
                _("The list of keys can't be read. Reload the page and make your changes again.")
            )
            return checked
        for item in items:
            position = _position(item.get("position"))
            if position is None:
                checked.general.append(
                    _("A key is outside positions 1 to %(last)s. Reload the page and try again.")
                    % {"last": LAST_POSITION}
                )
                continue
            try:
                key = self._clean_key(position, item, scope)
            except ValidationError as error:
                checked.problems.setdefault(position, []).extend(error.messages)
                continue
            if position in checked.keys:
                checked.problems.setdefault(position, []).append(
                    _("this key appears twice: reload the page and try again.")
                )
            if key.kind != Kind.BLANK:
                checked.keys[position] = key
        return checked

    def _items(self, raw: Any) -> list[Mapping[str, Any]] | None:
        """The list's entries; None where it is no list of keys."""
        try:
            items = json.loads(raw) if isinstance(raw, str) and raw.strip() else raw or []
        except (ValueError, RecursionError):
            return None
        if not isinstance(items, (list, tuple)) or len(items) > LAST_POSITION:
            return None
        # As the history keeps a key: its parts in order.
        named = [
            dict(zip_longest(KeyValue._fields, item))
            if isinstance(item, (list, tuple)) and len(item) <= len(KeyValue._fields)
            else item
            for item in items
        ]
        return named if all(isinstance(item, dict) for item in named) else None

    def _clean_key(self, position: int, item: Mapping[str, Any], scope: Scope) -> KeyValue:
        kind = str(item.get("kind") or Kind.BLANK)
        if kind not in Kind.values:
            raise ValidationError(_("this is not a key: reload the page and try again."))
        typed = (str(item.get(name) or "") for name in ("value", "first_name", "last_name"))
        value, first, last = (as_it_looks(text).strip() for text in typed)
        if kind == Kind.CUSTOM_SPEED_DIAL:
            value = as_number(str(item.get("value") or ""))
        for text in (value, first, last):
            refuse_control_characters(text)
            if len(text) > 50:
                raise ValidationError(_("50 characters at most."))
        if kind in WITH_TARGET:
            return KeyValue(position, kind, self._target(item, scope))
        if kind == Kind.CUSTOM_SPEED_DIAL:
            number = re.sub(r"[ ()./\-]", "", value)
            if not CUSTOM_NUMBER.fullmatch(number):
                raise ValidationError(
                    _("enter digits, * or #; a comma waits one second, for example 8663062224,,,225.")
                )
            return KeyValue(position, kind, None, number, first, last)
        if kind == Kind.SHARED_PARKING:
            if not PARKING.fullmatch(value.upper()):
                raise ValidationError(_("enter a parking slot from SP0 to SP999."))
            return KeyValue(position, kind, None, value.upper())
        if kind == Kind.AGENT:
            if value not in AGENT_ACTIONS:
                raise ValidationError(_("choose log in or log out."))
            return KeyValue(position, kind, None, value)
        if kind == Kind.STATUS:
            if value not in set(Status):
                raise ValidationError(_("choose a status."))
            return KeyValue(position, kind, None, value)
        return KeyValue(position, kind)

    def _target(self, item: Mapping[str, Any], scope: Scope) -> int | Pending:
        target = item.get("target") or item.get("value") or ""
        if isinstance(target, Pending):
            return target.checked()
        found: int | None
        if isinstance(target, int) and not isinstance(target, bool):
            # Never taken for an extension: the key of somebody who is gone must not become another one's number.
            found = target if target in colleagues(scope) else None
        else:
            found = _by_number(str(target), scope)
        if found is None:
            raise ValidationError(_("choose an extension of this company."))
        return found

    def to_json(self, value: Any) -> Any:
        """Lists instead of tuples."""
        return [list(key) for key in value or ()]

    def _as_text(self, value: Any, scope: Scope) -> str:
        """3CX's XML; colleagues by their extension."""
        people = colleagues(scope)
        return blf.written(
            blf.Entry(
                key.position, key.kind, people[key.target].number if key.target else key.value, key.first_name, key.last_name
            )
            for key in (KeyValue(*parts) for parts in value or ())
        )  # fmt: skip

    def _from_text(self, text: str, scope: Scope) -> Any:
        """3CX's XML, or the list as JSON."""
        if not text.lstrip().startswith("<"):
            return self.clean(text, scope)
        try:
            entries = blf.read(text)
        except blf.BlfError as error:
            raise ValidationError(PROBLEMS[error.problem], params={"text": error.text[:40]}) from None
        return self.clean([entry._asdict() for entry in entries], scope)

    def show(self, value: Any, scope: Scope | None = None) -> str:
        """ "1 Ligne, 3 BLF 101 Amélie Tremblay, …"."""
        keys = [KeyValue(*parts) for parts in value or ()]
        people = known_people(keys, scope) if scope else {}
        words = []
        for key in keys:
            words.append(f"{key.position} {kind_and_label(key, people)}")
        return super().show(words)


PROBLEMS: Mapping[blf.Problem, Any] = {
    blf.Problem.UNREADABLE: gettext_lazy(
        "The list of keys can't be read. Reload the page and make your changes again."
    ),
    blf.Problem.TOO_LONG: gettext_lazy("The list of keys is longer than the phone system takes."),
    blf.Problem.UNKNOWN_KIND: gettext_lazy("The portal doesn't know keys of the type “%(text)s”."),
}


def _position(raw: Any) -> int | None:
    try:
        position = int(raw)
    except (TypeError, ValueError, OverflowError):
        return None
    return position if 1 <= position <= LAST_POSITION else None


def _by_number(text: str, scope: Scope) -> int | None:
    """The colleague of an extension, which may have their name behind it; or of a name that only they have."""
    text = as_it_looks(text).strip()
    number = text.split(" ", 1)[0]
    numbers = scope.once(
        "colleagues by number", lambda: {person.number: key for key, person in colleagues(scope).items()}
    )
    if number in numbers:
        return int(numbers[number])
    namesakes = [
        key for key, person in colleagues(scope).items() if text and folded(person.name) == folded(text)
    ]
    return namesakes[0] if len(namesakes) == 1 else None


def in_sentences(problems: Mapping[int, Sequence[str]]) -> list[str]:
    """What is wrong with keys, each time with the key's position before it."""
    return [
        _("Key %(position)s: %(problem)s") % {"position": position, "problem": problem}
        for position in sorted(problems)
        for problem in problems[position]
    ]


def label_of(key: KeyValue, people: Mapping[int, Colleague | str]) -> str:
    """What a key is about, in words: "101 Amélie Tremblay", "Labo · 8663062224,,,225", "SP1", "Absent"."""
    if isinstance(key.target, Pending):
        return str(key.target)
    if key.target:
        return str(people.get(key.target) or _("somebody who is no longer there"))
    if key.kind == Kind.AGENT:
        return str(AGENT_ACTIONS.get(key.value, key.value))
    if key.kind == Kind.STATUS:
        return str(dict(STATUS_CHOICES).get(key.value, key.value))
    name = f"{key.first_name} {key.last_name}".strip()
    return " · ".join(filter(None, [name, key.value]))


def kind_and_label(key: KeyValue, people: Mapping[int, Colleague | str]) -> str:
    """A key in words: "BLF 101 Amélie Tremblay"."""
    return f"{Kind(key.kind).label} {label_of(key, people)}".strip()


AGENT_ACTIONS = {
    AgentAction.LOGIN.value: gettext_lazy("Log in to the queues"),
    AgentAction.LOGOUT.value: gettext_lazy("Log out of the queues"),
}


def colleagues(scope: Scope) -> dict[int, Colleague]:
    """Everybody of the customer by primary key, looked up once in a scope."""
    found: dict[int, Colleague] = scope.once(
        "colleagues",
        lambda: {
            key: Colleague(number, f"{first} {last}".strip(), hidden, disabled)
            for key, number, first, last, hidden, disabled in User.objects.of(scope.customer)
            .order_by("number")
            .values_list("pk", "number", "first_name", "last_name", "hidden", "disabled")
        },
    )
    return found


def known_people(keys: Iterable[KeyValue], scope: Scope) -> Mapping[int, Colleague | str]:
    """Everybody of the customer, and whoever of these keys was deleted, as the history calls them: one query for those not met yet."""
    people = colleagues(scope)
    gone: dict[int, str] = scope.once("colleagues who are gone", dict)
    missing = {key.target for key in keys if isinstance(key.target, int)} - people.keys() - gone.keys()
    if missing:
        gone |= dict.fromkeys(missing, "")
        deleted = Change.objects.filter(
            model=User._meta.label_lower,
            object_pk__in=missing,
            kind=Operation.Kind.DELETE,
            operation__customer=scope.customer,
        )
        gone |= dict(deleted.values_list("object_pk", "object_name"))
    return {**people, **gone} if gone else people


# --- Rules --------------------------------------------------------------------------------------------------------
def newly_hidden(
    keys: Collection[KeyValue], before: Collection[KeyValue], people: Mapping[int, Colleague]
) -> dict[int, list[str]]:
    """The keys about somebody who is hidden from directories and wasn't on any key before, with the refusal."""
    known = {key.target for key in before}
    return {
        key.position: [_("%(number)s is hidden from the directory.") % {"number": people[key.target].number}]
        for key in keys
        if isinstance(key.target, int) and key.target not in known and people[key.target].hidden
    }


def hidden_people_are_not_offered_anew(row: road.RowPlan, plan: road.Plan) -> None:
    """Whoever is hidden from directories isn't put on a key anew; a key that already has them keeps them."""
    if "keys" not in row.changes:
        return
    before, after = row.changes["keys"]
    before = [KeyValue(*key) for key in before or ()]
    for sentence in in_sentences(newly_hidden(after, before, colleagues(plan.scope))):
        row.refuse("keys", sentence)


def targets_are_still_there(plan: road.Plan) -> None:
    """Whoever a key is about still exists: asked again under the lock, where nobody is deleted any more."""
    rows = [row for row in plan.rows if "keys" in row.changes]
    wanted = {key.target for row in rows for key in row.changes["keys"][1] if isinstance(key.target, int)}
    if not wanted:
        return
    there = set(User.objects.of(plan.scope.customer).filter(pk__in=wanted).values_list("pk", flat=True))
    for row in rows:
        gone = {
            key.position: [_("choose an extension of this company.")]
            for key in row.changes["keys"][1]
            if isinstance(key.target, int) and key.target not in there
        }
        for sentence in in_sentences(gone):
            row.refuse("keys", sentence)


def keys_about_a_deleted_user(records: Sequence[Any], scope: Scope) -> dict[Any, list[str]]:
    """The keys of others that are about somebody who is deleted: they become blank on their phones."""
    going = [record.pk for record in records]
    rows = (
        Key.objects.filter(target__in=going)
        .exclude(user__in=going)
        .order_by("user__number", "position")
        .values_list("target", "user__number", "user__first_name", "user__last_name", "position")
    )
    watchers: dict[Any, dict[str, list[int]]] = {}
    for target, number, first, last, position in rows:
        watchers.setdefault(target, {}).setdefault(f"{number} {first} {last}".strip(), []).append(position)
    losses: dict[Any, list[str]] = {}
    for target, found in watchers.items():
        losses[target] = [
            ngettext("The key %(keys)s of %(user)s.", "The keys %(keys)s of %(user)s.", len(positions))
            % {"keys": ", ".join(map(str, positions)), "user": user}
            for user, positions in list(found.items())[:WATCHERS_NAMED]
        ]
        if (more := len(found) - WATCHERS_NAMED) > 0:
            losses[target].append(
                ngettext("Keys of %(count)s more user.", "Keys of %(count)s more users.", more)
                % {"count": more}
            )
    return losses


KEYS_COLUMN = KeysColumn(
    "keys",
    label=gettext_lazy("BLF (shortcut keys)"),
    help=gettext_lazy("Each line is a key that can be programmed on the IP phone."),
    csv="BLF",
)

BLF = Section(
    slug="blf",
    title=gettext_lazy("BLF"),
    columns=(KEYS_COLUMN,),
    template="phones/keys.html",
    view="phones.keys.views.keys_tab",
    row_rules=(
        hidden_people_are_not_offered_anew,
        dear_numbers_are_told,
        emergency_numbers_are_dialled_at_once,
    ),
    set_rules=(targets_are_still_there, own_numbers_are_told),
    adds=Contribution(
        losses=keys_about_a_deleted_user,
    ),
)
