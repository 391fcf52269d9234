"""The function keys of a person as one value: how they are read, checked, shown and kept."""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import zip_longest
from typing import Any, NamedTuple

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from pbxadmin.common import many
from pbxadmin.common.columns import Column, Pending, Scope, Text
from pbxadmin.common.fields import refuse_control_characters
from pbxadmin.common.reasons import Reason, reasons_of
from pbxadmin.common.references import Store
from pbxadmin.common.values.signs import as_it_looks, as_number
from pbxadmin.common.values.statuses import Status
from phones.context import AgentAction
from phones.keys import blf
from phones.keys.targets import About, Directory, directory, gone_words, known, meant
from phones.models import Key
from users.models import STATUS_CHOICES

Kind = Key.Kind
LAST_POSITION = 240
PARKING = re.compile(r"SP\d{1,3}\Z", re.ASCII)
# Digits, star and hash, an international plus, and commas: each a pause of one second.
CUSTOM_NUMBER = re.compile(r"\+?[0-9*#]{1,40}(,{1,30}[0-9*#]{1,20}){0,5}\Z", re.ASCII)
WITH_TARGET = (Kind.BLF, Kind.SPEED_DIAL)
KINDS = frozenset(Kind.values)
# What a form has for each key, beside one another: "keys-3-kind". Which of them counts is the kind's business.
FIELDS = (
    "position",
    "kind",
    "target",
    "number",
    "first_name",
    "last_name",
    "slot",
    "agent",
    "status",
    "kept",
)
VALUE_FIELDS: Mapping[str, str] = {
    Kind.CUSTOM_SPEED_DIAL.value: "number",
    Kind.SHARED_PARKING.value: "slot",
    Kind.AGENT.value: "agent",
    Kind.STATUS.value: "status",
    Kind.UNKNOWN.value: "kept",
}
REMEMBERED = 10_000
NOT_A_LIST = "null"  # read as no list at all: a form without its keys must not empty them
# What a key is refused for, as programs know it.
TARGET, VALUE, UNREADABLE, TOO_LONG = "blf_target", "blf_value", "blf_xml", "too_long"
# Said beside what no page sends by itself.
OF_A_PAGE = gettext_lazy("Reload the page and make your changes again.")


class KeyValue(NamedTuple):
    """One key, comparable and ready for JSON; `target` is the primary key of the colleague (`Pending` for one who is created with
    it) or `system` that of a system extension, `value` what else it dials, or what a key of an unknown kind says (`blf.kept`)."""

    position: int
    kind: str
    target: Any = None
    value: str = ""
    first_name: str = ""
    last_name: str = ""
    system: int | None = None


# The attributes of a row of the table that hold these parts, in their order.
KEY_ATTRIBUTES = ("position", "kind", "target_id", "value", "first_name", "last_name", "system_id")


class Checked(NamedTuple):
    """A list of keys as it was read: the good ones by position, what is wrong with the others, and with the whole."""

    keys: dict[int, KeyValue]
    problems: dict[int, list[Reason]]
    general: list[Reason]


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
        """Replace the lists of these people: one DELETE, where there can be keys, and one INSERT."""
        if old := [row.key for row in rows if not row.new]:
            Key.objects.filter(user__in=old).delete()
        people, keys = [], []
        for row in rows:
            own = row.changes["keys"][1]
            people += [row.key] * len(own)
            keys += own
        columns = zip(KEY_ATTRIBUTES, zip(*keys, strict=True), strict=True) if keys else ()
        many.insert(Key, {"user_id": people, **dict(columns)}, len(keys))


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
    """The whole list of keys: a list, or JSON, of {"position", "kind", "target", "value", "first_name", "last_name", "system"}.

    `target` is a colleague: their primary key as a number, or their extension as text (what follows it is taken for their
    name); the text may as well be a system extension's, whose primary key is `system`. Blank keys needn't be listed: a
    position without a key is blank.
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
        """Keys sorted by position, without blanks; `ValidationError` names every key that is wrong, each with a code."""
        return self._good(self.check(raw, scope))

    def _good(self, checked: Checked) -> tuple[KeyValue, ...]:
        if refused := [*checked.general, *in_sentences(checked.problems)]:
            raise ValidationError([ValidationError(reason, code=reason.code) for reason in refused])
        return tuple(checked.keys[position] for position in sorted(checked.keys))

    def check(self, raw: Any, scope: Scope, hint: Text = OF_A_PAGE) -> Checked:
        """Read a list key by key, so that the good ones are known beside the wrong ones.

        `hint` is said beside what no page sends by itself.
        """
        checked = Checked({}, {}, [])
        items = self._items(raw)
        if items is None:
            checked.general.append(_with(_("The list of keys can't be read."), hint, UNREADABLE))
            return checked
        for item in items:
            position = _position(item.get("position"))
            if position is None:
                outside = _("A key is outside positions 1 to %(last)s.") % {"last": LAST_POSITION}
                checked.general.append(_with(outside, hint, VALUE))
                continue
            try:
                key = self._clean_key(position, item, scope, hint)
            except ValidationError as error:
                checked.problems.setdefault(position, []).extend(reasons_of(error))
                continue
            if position in checked.keys:
                checked.problems.setdefault(position, []).append(
                    _with(_("this place has more than one key."), hint, VALUE)
                )
            if key.kind != Kind.BLANK:
                checked.keys[position] = key
        if sum(len(key.value) for key in checked.keys.values() if key.kind == Kind.UNKNOWN) > blf.LONGEST:
            checked.general.append(Reason(PROBLEMS[blf.Problem.TOO_LONG][1], TOO_LONG))
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

    def _clean_key(self, position: int, item: Mapping[str, Any], scope: Scope, hint: Text) -> KeyValue:
        kind = str(item.get("kind") or Kind.BLANK)
        if kind not in KINDS:
            raise ValidationError(_with(_("this is not a key."), hint, VALUE), code=VALUE)
        if kind == Kind.UNKNOWN:
            return KeyValue(position, kind, None, _kept(str(item.get("value") or ""), hint))
        typed = (str(item.get(name) or "") for name in ("value", "first_name", "last_name"))
        value, first, last = (as_it_looks(text).strip() for text in typed)
        if kind == Kind.CUSTOM_SPEED_DIAL:
            value = as_number(str(item.get("value") or ""))
        for text in (value, first, last):
            refuse_control_characters(text)
            if len(text) > 50:
                raise ValidationError(_("50 characters at most."), code=TOO_LONG)
        if kind in WITH_TARGET:
            about = self._about(item, scope)
            return KeyValue(position, kind, about.target, system=about.system)
        if kind == Kind.CUSTOM_SPEED_DIAL:
            number = re.sub(r"[ ()./\-]", "", value)
            if not CUSTOM_NUMBER.fullmatch(number):
                raise ValidationError(
                    _("enter digits, * or #; a comma waits one second, for example 8663062224,,,225."),
                    code=VALUE,
                )
            return KeyValue(position, kind, None, number, first, last)
        if kind == Kind.SHARED_PARKING:
            if not PARKING.fullmatch(value.upper()):
                raise ValidationError(_("enter a parking slot from SP0 to SP999."), code=VALUE)
            return KeyValue(position, kind, None, value.upper())
        if kind == Kind.AGENT:
            if value not in AGENT_ACTIONS:
                raise ValidationError(_("choose log in or log out."), code=VALUE)
            return KeyValue(position, kind, None, value)
        if kind == Kind.STATUS:
            if value not in set(Status):
                raise ValidationError(_("choose a status."), code=VALUE)
            return KeyValue(position, kind, None, value)
        return KeyValue(position, kind)

    def _about(self, item: Mapping[str, Any], scope: Scope) -> About:
        target, system = item.get("target") or item.get("value") or "", item.get("system")
        if isinstance(target, Pending):
            return About(target.checked())
        found: About | None
        # A key is never taken for an extension: that of what is gone must not become another one's number.
        if system is not None:
            found = About(system=system) if _is_key(system) and system in directory(scope).systems else None
        elif isinstance(target, int):
            found = About(target) if _is_key(target) and target in directory(scope).people else None
        else:
            found = meant(str(target), scope)
        if found is None:
            raise ValidationError(_("choose an extension of this company."), code=TARGET)
        return found

    def to_json(self, value: Any) -> Any:
        """Lists instead of tuples; the last part only of a key that has it."""
        return [list(key if key.system else key[:-1]) for key in value or ()]

    def _as_text(self, value: Any, scope: Scope) -> str:
        """3CX's XML; colleagues and system extensions by their extension."""
        # Colleagues watch the same lines at the same places: what a key is there is worked out once.
        known: dict[KeyValue, str] = scope.once("keys as they are written", dict)
        texts = []
        for parts in value or ():
            key = KeyValue(*parts)
            if (text := known.get(key)) is None:
                here = directory(scope)
                said = here.number_of(key) if key.kind in WITH_TARGET else key.value
                text = blf.written_key(blf.Entry(key.position, key.kind, said, key.first_name, key.last_name))
                if len(known) < REMEMBERED:
                    known[key] = text
            texts.append(text)
        return blf.whole(texts)

    def _from_text(self, text: str, scope: Scope) -> Any:
        """3CX's XML, or the list as JSON."""
        if not text.lstrip().startswith("<"):
            return self._good(self.check(text, scope, hint=""))
        try:
            entries = blf.read(text)
        except blf.BlfError as error:
            code, sentence = PROBLEMS[error.problem]
            raise ValidationError(sentence, code=code, params={"text": error.text[:40]}) from None
        return self._good(self.check([entry._asdict() for entry in entries], scope, hint=""))

    def pieces(self, old: Any, new: Any, scope: Scope) -> Iterable[tuple[str, str, str]]:
        """Key by key."""
        lists = [[KeyValue(*parts) for parts in keys or ()] for keys in (old, new)]
        before, after = ({key.position: key for key in keys} for keys in lists)
        here = known([key for keys in lists for key in keys], scope)
        for position in sorted(before.keys() | after.keys()):
            was, is_now = before.get(position), after.get(position)
            if was != is_now:
                said = [kind_and_label(key, here) if key else str(Kind.BLANK.label) for key in (was, is_now)]
                yield _("Key %(position)s") % {"position": position}, said[0], said[1]

    def show(self, value: Any, scope: Scope | None = None) -> str:
        """ "1 Ligne, 3 BLF 101 Amélie Tremblay, …"."""
        keys = [KeyValue(*parts) for parts in value or ()]
        here = known(keys, scope) if scope else NOBODY
        words = []
        for key in keys:
            words.append(f"{key.position} {kind_and_label(key, here)}")
        return super().show(words)


# Of each problem the code, and the sentence.
PROBLEMS: Mapping[blf.Problem, tuple[str, Any]] = {
    blf.Problem.UNREADABLE: (
        UNREADABLE,
        gettext_lazy("The keys can't be read: the phone system's own text is expected, from <PhoneDevice> to </PhoneDevice>."),
    ),
    blf.Problem.TOO_LONG: (TOO_LONG, gettext_lazy("The list of keys is longer than the phone system takes.")),
    blf.Problem.NO_KIND: (VALUE, gettext_lazy("A key doesn't say its type: BLFType is missing.")),
    blf.Problem.NO_PLACE: (VALUE, gettext_lazy("A key doesn't say its place: BLFNo “%(text)s” is not a number from 1 to 240.")),
}  # fmt: skip


def _with(sentence: str, hint: Text, code: str) -> Reason:
    return Reason(f"{sentence} {hint}".strip(), code)


def _is_key(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _kept(text: str, hint: Text) -> str:
    """What a key of an unknown kind says, as it is always kept."""
    try:
        kept = blf.kept(text)
        for words in blf.words_of(kept):
            refuse_control_characters(words)
    except blf.BlfError as error:
        code = TOO_LONG if error.problem is blf.Problem.TOO_LONG else VALUE
        raise ValidationError(_with(_("this is not a key."), hint, code), code=code) from None
    return kept


def _position(raw: Any) -> int | None:
    try:
        position = int(raw)
    except (TypeError, ValueError, OverflowError):
        return None
    return position if 1 <= position <= LAST_POSITION else None


def in_sentences(problems: Mapping[int, Sequence[Reason]]) -> list[Reason]:
    """What is wrong with keys, each time with the key's position before it, under the same code."""
    return [
        Reason(_("Key %(position)s: %(problem)s") % {"position": position, "problem": problem}, problem.code)
        for position in sorted(problems)
        for problem in problems[position]
    ]


def label_of(key: KeyValue, here: Directory) -> str:
    """What a key is about, in words: "101 Amélie Tremblay", "Labo · 8663062224,,,225", "SP1", "Absent", "Teleport · Mars"."""
    if isinstance(key.target, Pending):
        return str(key.target)
    if key.target or key.system:
        return str(here.of(key) or gone_words(key))
    if key.kind == Kind.AGENT:
        return str(AGENT_ACTIONS.get(key.value, key.value))
    if key.kind == Kind.STATUS:
        return str(dict(STATUS_CHOICES).get(key.value, key.value))
    if key.kind == Kind.UNKNOWN:
        try:
            return " · ".join(filter(None, blf.words_of(key.value)))
        except blf.BlfError:
            return ""
    name = f"{key.first_name} {key.last_name}".strip()
    return " · ".join(filter(None, [name, key.value]))


def kind_and_label(key: KeyValue, here: Directory) -> str:
    """A key in words: "BLF 101 Amélie Tremblay"."""
    return f"{Kind(key.kind).label} {label_of(key, here)}".strip()


AGENT_ACTIONS = {
    AgentAction.LOGIN.value: gettext_lazy("Log in to the queues"),
    AgentAction.LOGOUT.value: gettext_lazy("Log out of the queues"),
}


NOBODY = Directory({}, {})

KEYS_COLUMN = KeysColumn(
    "keys",
    label=gettext_lazy("BLF (shortcut keys)"),
    help=gettext_lazy("Each line is a key that can be programmed on the IP phone."),
    csv="BLF",
)
