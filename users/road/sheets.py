"""The sheets that the road knows, their rules and stores, and who may change what of them."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db.models import Model

from pbxadmin.common.columns import Column, Scope, Text
from pbxadmin.common.references import Store
from pbxadmin.common.sections import Sheet
from users import rights

# A statement with more parameters than this is refused by some databases.
CHUNK = 10_000

SHEETS: dict[str, Sheet] = {}


def register(sheet: Sheet) -> Sheet:
    """Make a sheet known under its model's label, so that the history can name its columns."""
    SHEETS[sheet.label] = sheet
    return sheet


def sheet_of(model: type[Model]) -> Sheet:
    """The sheet of a kind of row."""
    return SHEETS[model._meta.label_lower]


def why_not(sheet: Sheet, scope: Scope, verb: rights.Verb | str, record: Any = None) -> Text | None:
    """Why the scope's actor may not do `verb` with a record of this sheet (None: with a new one); None when they may."""
    if sheet.allowed is not None:
        return sheet.allowed(scope.actor, verb, record, scope.customer)
    subject = sheet.subject(record) if record is not None else None
    return rights.why_not(scope.actor, rights.Verb(verb), subject, scope.customer)


def locks(sheet: Sheet, scope: Scope, record: Any = None) -> dict[str, Text]:
    """The columns that the scope's actor sees but may not change, each with the reason. For forms."""
    reasons = {verb: why_not(sheet, scope, verb, record) for verb in set(sheet.own_verbs.values())}
    return {name: reason for name, verb in sheet.own_verbs.items() if (reason := reasons[verb])}


def rules_of(sheet: Sheet, name: str) -> Iterable[Any]:
    for section in sheet.sections:
        yield from getattr(section, name)


def stores_of(columns: Iterable[Column]) -> list[Store]:
    """The stores of these columns, each once."""
    found = [store for column in columns if (store := getattr(column, "store", None))]
    return list({id(store): store for store in found}.values())


def store_columns(sheet: Sheet, store: Store) -> frozenset[str]:
    """The names of the columns that a store keeps."""
    return frozenset(
        name for name, column in sheet.columns.items() if getattr(column, "store", None) is store
    )


def chunks(items: Sequence[Any], size: int = CHUNK) -> Iterable[Sequence[Any]]:
    return (items[start : start + size] for start in range(0, len(items), size))
