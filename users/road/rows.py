"""What a caller wants of one record, and what would happen to it."""

from collections.abc import Iterable, Iterator, KeysView, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from pbxadmin.common.columns import Pending, Text
from pbxadmin.common.reasons import Reason

# What a row doesn't say: None is an answer.
NOTHING: Any = object()


class ChangedMeanwhileError(Exception):
    """Somebody else wrote a row between plan and apply. `keys` are the primary keys; plan again."""

    def __init__(self, keys: Iterable[Any]) -> None:
        super().__init__(f"rows changed meanwhile: {sorted(keys)}")
        self.keys = set(keys)


class RefusedError(Exception):
    """An attempt to apply a plan that has refused rows."""


@dataclass(frozen=True)
class Row:
    """What a caller wants of one record: raw values for some columns; `key` None makes a new record.

    `seen` is the version that the caller had before their eyes: an older one than the record's refuses the row as stale.
    `pending` is what other rows refer to this new one by. `leaving`: the record is deleted in the same transaction, after all
    plans are written; rules that count people count without it. `steps_down`: the person hands their role over, so that even their own
    may become a lower one. `problems` refuse the row: what its caller found before, by column.
    """

    key: Any
    values: Mapping[str, Any]
    label: str = ""
    seen: int | None = None
    pending: Pending | None = None
    leaving: bool = False
    problems: Mapping[str, Sequence[Reason]] = field(default_factory=dict)
    steps_down: bool = False


def is_there_twice(value: str, where: str) -> Text:
    """The sentence for a value that two rows ask for at once; `where`: the names of those rows, "" where they have none."""
    if where:
        return _("%(value)s is there more than once (%(where)s): correct all but one of them.") % {
            "value": value,
            "where": where,
        }
    return _("%(value)s is there more than once: correct all but one of them.") % {"value": value}


class _OfNew(Mapping[str, tuple[None, Any]]):
    """The changes of a record that isn't there yet: all that it will have, and nothing before. Kept by nobody: it reads `after`."""

    __slots__ = ("_after",)

    def __init__(self, after: Mapping[str, Any]) -> None:
        self._after = after

    def __getitem__(self, name: str) -> tuple[None, Any]:
        return None, self._after[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._after)

    def __len__(self) -> int:
        return len(self._after)

    def __contains__(self, name: object) -> bool:
        return name in self._after

    def keys(self) -> KeysView[str]:
        """The names of the columns."""
        return self._after.keys()


@dataclass(slots=True)
class RowPlan:
    """What would happen to one record.

    `after` is read by everybody and written by `put` and `leave` alone, so that `changes` is worked out once and kept.
    """

    key: Any
    label: str
    raw: Mapping[str, Any]
    record: Any = None
    new: bool = False
    removed: bool = False
    before: dict[str, Any] = field(default_factory=dict)
    after: Mapping[str, Any] = field(default_factory=dict)
    errors: dict[str, list[Reason]] = field(default_factory=dict)
    warnings: dict[str, list[Reason]] = field(default_factory=dict)
    refusal: str = ""
    stale: bool = False
    subject: Any = None  # primary key of the person whose record it was when the plan was made
    seen: int | None = None
    pending: Pending | None = None
    leaving: bool = False
    problems: Mapping[str, Sequence[Reason]] = field(default_factory=dict)
    steps_down: bool = False
    _changes: dict[str, tuple[Any, Any]] | None = None

    @property
    def changes(self) -> Mapping[str, tuple[Any, Any]]:
        """Old and new value of each column that differs."""
        if self.new:
            return _OfNew(self.after)
        if self._changes is None:
            before = self.before
            self._changes = {
                name: (old, value) for name, value in self.after.items() if value != (old := before.get(name))
            }
        return self._changes

    def put(self, name: str, value: Any) -> None:
        """Plan a value for a column."""
        self.after[name] = value  # type: ignore[index]
        self._changes = None

    def leave(self, name: str) -> None:
        """Plan nothing for a column after all."""
        self.after.pop(name, None)  # type: ignore[attr-defined]
        self._changes = None

    @property
    def outcome(self) -> str:
        """ "refused", "new", "changed" or "unchanged"."""
        if self.errors or self.refusal:
            return "refused"
        if self.new:
            return "new"
        return "changed" if self.changes else "unchanged"

    def value(self, name: str) -> Any:
        """The value that the record will have."""
        return self.after[name] if name in self.after else self.before[name]

    def value_of_record(self, name: str) -> Any:
        """A value that nobody can change once the record is there (an extension): planned for a new one, else the record's."""
        return self.after.get(name, getattr(self.record, name, None))

    @property
    def sentences(self) -> list[str]:
        """Why the row can't be written, each reason once; empty where it can be."""
        words = [self.refusal, *(text for texts in self.errors.values() for text in texts)]
        return list(dict.fromkeys(text for text in words if text))

    @property
    def reasons(self) -> Mapping[str, Sequence[Reason]]:
        """Why the row can't be written, by column; "" for the row as a whole."""
        return ({"": [Reason(self.refusal)]} if self.refusal else {}) | self.errors

    def refuse(self, column: str, message: Text, code: str = "") -> None:
        """Add an error to a column ("" for the row as a whole); `code` tells programs which one it is."""
        self.errors.setdefault(column, []).append(Reason(message, code))

    def warn(self, column: str, message: Text, code: str = "") -> None:
        """Add something to tell that doesn't refuse the row."""
        messages = self.warnings.setdefault(column, [])
        if message not in messages:
            messages.append(Reason(message, code))
