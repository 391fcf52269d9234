"""Many rows at once: COPY and UPDATE … FROM on PostgreSQL, batches elsewhere and for few rows.

Values are given column by column, because a column of ten thousand rows has few distinct values more often than not: each is
prepared once. What goes in is what the model's fields hold (a foreign key by its key), and the fields prepare it, so secrets are
encrypted and references keep their form, as with any other write. Nothing here asks who may: the callers are `users.road` and
the stores of columns that it calls.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connection, connections, models
from django.db.models.base import ModelState
from django.utils import timezone

# No value at all, where None is one.
NOTHING: Any = object()
# Fewer rows than this are written as Django does it: one INSERT with all of them.
FEW = 20
# So many rows are texts at one time: fifty thousand of them would be hundreds of megabytes.
PART = 5_000
_SPECIAL = re.compile(r"[\\\t\n\r]")


@dataclass(frozen=True)
class Same:
    """One value for all rows."""

    value: Any


class Json(str):
    """JSON that is written already: it goes into a JSON column as it is."""

    __slots__ = ()


Values = Sequence[Any] | Same


def insert(model: type[models.Model], columns: Mapping[str, Values], count: int) -> None:
    """Add `count` rows. `columns` by attribute; every other field has its default, a new one for each row where it is computed."""
    if not count:
        return
    if connection.vendor != "postgresql" or count < FEW:
        names = list(columns)
        lists = [_listed(columns[name], count) for name in names]
        model._default_manager.bulk_create(
            [
                model(**{name: json.loads(value) if isinstance(value, Json) else value for name, value in zip(names, row, strict=True)})
                for row in zip(*lists, strict=True)
            ],
            batch_size=2_000,
        )  # fmt: skip
        return
    whole = {
        field: columns[field.attname] if field.attname in columns else _default(field, count)
        for field in model._meta.concrete_fields
        if field.attname in columns or not field.primary_key
    }
    _copy(model, whole, count)


def insert_records(records: Sequence[models.Model]) -> None:
    """Add records of one model and give them their primary keys."""
    model = type(records[0])
    if connection.vendor != "postgresql" or len(records) < FEW:
        model._default_manager.bulk_create(records)
        return
    key: Any = model._meta.pk
    now = timezone.now()
    for record, number in zip(records, _next_keys(model, len(records)), strict=True):
        record.__dict__[key.attname] = number
        record._state.adding, record._state.db = False, connection.alias
    whole: dict[Any, Values] = {}
    for field in model._meta.concrete_fields:
        if _is_now(field):
            for record in records:
                record.__dict__[field.attname] = now
            whole[field] = Same(now)
        else:
            name = field.attname
            whole[field] = [record.__dict__[name] for record in records]
    _copy(model, whole, len(records))


def update(
    model: type[models.Model],
    keys: Sequence[Any],
    columns: Mapping[str, Sequence[Any]],
    *,
    key: str = "",
    counting: str = "",
    also: Mapping[str, Any] | None = None,
) -> int:
    """Give each row its own values, in one statement; the number of rows that were touched.

    `keys` are values of the field `key` (the primary key, if blank) and `columns` what each of them gets, by attribute.
    `counting` names a column that counts up by one; `also` are further conditions: attribute → value.
    """
    if not keys:
        return 0
    fields: dict[str, Any] = {field.attname: field for field in model._meta.concrete_fields}
    own: Any = fields[key] if key else model._meta.pk
    names = [fields[name] for name in columns]
    # Only names that the model declares go into the text of a statement; every value is a parameter.
    quote = connection.ops.quote_name
    table = quote(model._meta.db_table)
    counted = [f"{quote(counting)} = {table}.{quote(counting)} + 1"] if counting else []
    conditions = "".join(f" AND {table}.{quote(fields[name].column)} = %s" for name in also or {})
    given = [_prepared(fields[name], value) for name, value in (also or {}).items()]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            everything = [own, *names]
            sources = ", ".join(f"%s::{field.db_type(connection)}[]" for field in everything)
            aliases = ", ".join(f"c{place}" for place in range(len(everything)))
            assigned = [f"{quote(field.column)} = given.c{place}" for place, field in enumerate(names, 1)]
            statement = (
                f"UPDATE {table} SET {', '.join(assigned + counted)} FROM unnest({sources}) AS given({aliases})"  # noqa: S608  # nosec B608
                f" WHERE {table}.{quote(own.column)} = given.c0{conditions}"
            )
            arrays = [_array(own, keys), *(_array(field, columns[field.attname]) for field in names)]
            cursor.execute(statement, [*arrays, *given])
        else:
            assigned = [f"{quote(field.column)} = %s" for field in names]
            statement = (
                f"UPDATE {table} SET {', '.join(assigned + counted)}"  # noqa: S608  # nosec B608
                f" WHERE {table}.{quote(own.column)} = %s{conditions}"
            )
            prepared = [
                [_prepared(field, value) for value in values]
                for field, values in [*((field, columns[field.attname]) for field in names), (own, keys)]
            ]
            cursor.executemany(statement, [[*row, *given] for row in zip(*prepared, strict=True)])
        return int(cursor.rowcount)


def records(rows: models.QuerySet[Any]) -> list[Any]:
    """The records of a query, as iterating over it gives them, made several times quicker: from the columns that it doesn't defer.

    Signals of `Model.__init__` aren't sent, and what the query annotates isn't there.
    """
    model: Any = rows.model
    names, deferring = rows.query.deferred_loading
    loaded = [
        field.attname
        for field in model._meta.concrete_fields
        if field.primary_key or (bool({field.name, field.attname} & set(names)) is not deferring)
    ]
    found = []
    for values in rows.defer(None).values_list(*loaded):
        record: Any = model.__new__(model)
        record.__dict__.update(zip(loaded, values, strict=True))
        record._state = state = ModelState()
        state.adding, state.db = False, rows.db
        found.append(record)
    return found


# --- PostgreSQL -------------------------------------------------------------------------------------------------
def _copy(model: type[models.Model], whole: Mapping[Any, Values], count: int) -> None:
    """COPY the rows, a few thousand of them as text at a time."""
    for start in range(0, count, PART):
        part = {
            field: values if isinstance(values, Same) else values[start : start + PART]
            for field, values in whole.items()
        }
        _copy_part(model, part, min(PART, count - start))


def _copy_part(model: type[models.Model], whole: Mapping[Any, Values], count: int) -> None:
    """COPY the rows: what differs in front, what is the same in all of them as one text behind."""
    varying: list[tuple[Any, list[str]]] = []
    constant: list[tuple[Any, str]] = []
    for field, values in whole.items():
        if isinstance(values, Same):
            constant.append((field, _escaped(_as_text(_prepared(field, values.value)))))
            continue
        texts = _texts(field, values, _escaped)
        if isinstance(texts, str):
            constant.append((field, texts))
        else:
            varying.append((field, texts))
    tail = "".join(f"\t{text}" for _field, text in constant) + "\n"
    if varying:
        text = tail.join(map("\t".join, zip(*(texts for _field, texts in varying), strict=True))) + tail
    else:
        text = tail[1:] * count
    quote = connection.ops.quote_name
    names = ", ".join(quote(field.column) for field, _texts in [*varying, *constant])
    with connection.cursor() as cursor:
        cursor.copy_expert(
            f"COPY {quote(model._meta.db_table)} ({names}) FROM STDIN", BytesIO(text.encode()), 64 * 1024
        )


def _texts(field: Any, values: Sequence[Any], finish: Callable[[str | None], str]) -> list[str] | str:
    """Each value as text, prepared once where it repeats; the one text where all are the same."""
    if isinstance(field, models.JSONField):
        return [finish(value if isinstance(value, Json) else json.dumps(value)) for value in values]
    if getattr(field, "is_secret", False):
        # The same secret twice must not be the same cipher text twice.
        return [finish(_as_text(_prepared(field, value))) for value in values]
    if _is_whole_number(field):
        return [finish(None if value is None else str(value)) for value in values]
    try:
        known: dict[Any, str] = dict.fromkeys(values, "")
    except TypeError:
        return [finish(_as_text(_prepared(field, value))) for value in values]
    for value in known:
        known[value] = finish(_as_text(_prepared(field, value)))
    if len(known) == 1:
        return str(next(iter(known.values())))
    return list(map(known.__getitem__, values))


def _prepared(field: Any, value: Any) -> Any:
    if isinstance(value, Json):
        return value
    return field.get_db_prep_save(value, connections[DEFAULT_DB_ALIAS])


def _as_text(value: Any) -> str | None:
    """A prepared value in PostgreSQL's input form; None for NULL."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "t" if value else "f"
    return str(value)


def _escaped(text: str | None) -> str:
    """A cell of COPY's text format."""
    if text is None:
        return "\\N"
    if not _SPECIAL.search(text):
        return text
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")


def _element(text: str | None) -> str:
    """An element of an array as a literal."""
    if text is None:
        return "NULL"
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _array(field: Any, values: Sequence[Any]) -> str:
    texts = _texts(field, values, _element)
    return "{" + ",".join([texts] * len(values) if isinstance(texts, str) else texts) + "}"


def _next_keys(model: type[models.Model], count: int) -> list[int]:
    key: Any = model._meta.pk
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence(%s, %s)) FROM generate_series(1, %s)",
            [connection.ops.quote_name(model._meta.db_table), key.column, count],
        )
        return [number for (number,) in cursor.fetchall()]


def _is_whole_number(field: Any) -> bool:
    """Whether a column holds whole numbers, or the key of a row that is known by one: they need no preparing."""
    while field.is_relation:
        field = field.target_field
    return isinstance(field, (models.IntegerField, models.AutoField))


def _is_now(field: Any) -> bool:
    return bool(getattr(field, "auto_now_add", False) or getattr(field, "auto_now", False))


def _default(field: Any, count: int) -> Values:
    """What a field holds where nobody says anything."""
    if _is_now(field):
        return Same(timezone.now())
    if callable(field.default) and field.default is not models.NOT_PROVIDED:
        return [field.get_default() for _number in range(count)]
    return Same(field.get_default())


def _listed(values: Values, count: int) -> Sequence[Any]:
    return [values.value] * count if isinstance(values, Same) else values
