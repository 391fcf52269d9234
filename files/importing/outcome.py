"""What becomes of each row of a file, for people and for programs: one outcome for each row, always."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from files.importing.codes import refined
from pbxadmin.common.reasons import Reason

NEW, CHANGED, UNCHANGED, REFUSED, BLANK = "new", "changed", "unchanged", "refused", "blank"


@dataclass
class Said:
    """Something told of a cell: `column` as the file calls it ("" for the row), `value` as it stands there."""

    column: str
    value: str
    reason: Reason

    def as_json(self) -> dict[str, str]:
        """For programs: `reason` is the same in every language, `message` is the reader's."""
        return {
            "column": self.column,
            "value": self.value,
            "reason": self.reason.code,
            "message": str(self.reason),
        }


@dataclass
class RowOutcome:
    """One row: `changes` {column of our files: (cell before, cell after)}, empty for somebody new, of whom `means` says to what their
    cells refer: which department, which role it was that a name meant."""

    row: int
    line: int
    outcome: str
    number: str = ""
    errors: list[Said] = field(default_factory=list)
    warnings: list[Said] = field(default_factory=list)
    changes: dict[str, tuple[str, str]] = field(default_factory=dict)
    means: str = ""

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "row": self.row, "line": self.line, "number": self.number, "outcome": self.outcome,
            "errors": [each.as_json() for each in self.errors], "warnings": [each.as_json() for each in self.warnings],
            "changes": {name: list(pair) for name, pair in self.changes.items()},
        }  # fmt: skip


def counted(rows: Iterable[RowOutcome]) -> dict[str, int]:
    """How many rows have each outcome."""
    counts = Counter(row.outcome for row in rows)
    return {outcome: counts[outcome] for outcome in (NEW, CHANGED, UNCHANGED, REFUSED, BLANK)}


def grouped(rows: Sequence[RowOutcome]) -> list[tuple[Said, list[int]]]:
    """Equal refusals together with the rows that have them, those of most rows first."""
    found: dict[tuple[str, str, str], tuple[Said, list[int]]] = {}
    for row in rows:
        for said in row.errors:
            found.setdefault((said.column, said.reason.code, str(said.reason)), (said, []))[1].append(row.row)
    return sorted(found.values(), key=lambda group: -len(group[1]))


def told(
    reasons: Mapping[str, Sequence[Reason]],
    called: Mapping[str, str],
    cells: Mapping[str, str],
    value: str,
    names: Mapping[str, str],
) -> list[Said]:
    """Reasons by column of the sheet as `Said`: `called` {column of the sheet: name in the file}, `cells` {name in the file: text}, `names`
    {column of the sheet: name in our files}."""
    said = []
    for column, found in reasons.items():
        name = called.get(column, column)
        text = cells.get(name, "") if name else value
        said += [
            Said(name, text, refined(reason, names.get(column, ""), text)) for reason in dict.fromkeys(found)
        ]
    return said
