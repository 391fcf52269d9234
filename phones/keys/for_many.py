"""The tab "BLF" for several people: their keys replaced as a whole, or those of some positions."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import models
from django.utils.translation import gettext as _

from pbxadmin.common.columns import Scope
from phones.keys import keypad
from phones.keys.columns import (
    KEYS,
    KEYS_COLUMN,
    LAST_POSITION,
    KeyValue,
    as_text,
    in_sentences,
    typed_rows,
)
from phones.keys.targets import directory
from phones.keys.views import suggestions
from users.models import User

ROWS = 12
ALL, SOME = "all", "some"


class KeysForMany:
    """What is wanted is {"from": 1, "to": 12, "keys": [key, …]}: those positions of everybody hold these keys, or are blank."""

    template = "phones/keys_for_many.html"

    def facts(
        self, scope: Scope, people: Sequence[Any], wanted: Mapping[str, Any], data: Any
    ) -> Mapping[str, Any]:
        """The keys to give, as typed or as wanted so far."""
        here = directory(scope)
        rows = typed_rows(data) if data is not None else None
        if rows is None:
            rows = keypad.rows_of([KeyValue(*parts) for parts in wanted.get("keys", ())], ROWS, here)
        rows = keypad.in_order(rows, ROWS)
        if data is not None and "move" in data:
            rows = keypad.moved(rows, data["move"])
        if data is not None and "add_keys" in data:
            rows = keypad.in_order(rows, min(len(rows) + keypad.PLAIN_PAGE, LAST_POSITION))
        problems = {}
        if data is not None and _mode(data):
            problems = KEYS_COLUMN.check(as_text(rows), scope).problems
        mode = _mode(data) if data is not None else _mode_of(wanted)
        return {
            "form": None,
            "cells": keypad.cells_of(rows, here, "", problems),
            "menus": keypad.menus(),
            "suggestions": suggestions(here),
            "mode": mode,
            "first": data.get("keys_from", "1") if data is not None else wanted.get("from", 1),
            "last": data.get("keys_to", "") if data is not None else wanted.get("to", ROWS),
            "page_rows": (len(rows) + 1) // 2,
        }

    def read(self, scope: Scope, people: Sequence[Any], data: Any) -> Mapping[str, Any]:
        """The keys that were typed, for the positions that were asked for."""
        mode = _mode(data)
        rows = typed_rows(data)
        if not mode or rows is None:
            return {}
        first, last = (
            (1, LAST_POSITION) if mode == ALL else (_position(data, name) for name in ("from", "to"))
        )
        checked = KEYS_COLUMN.check(as_text(keypad.in_order(rows)), scope)
        wrong: list[str] = [*checked.general, *in_sentences(checked.problems)]
        if not 1 <= first <= last <= LAST_POSITION:
            wrong.append(
                _("Enter the first and the last position, from 1 to %(last)s.") % {"last": LAST_POSITION}
            )
        keys = _as_json(key for position, key in sorted(checked.keys.items()) if first <= position <= last)
        return {"from": first, "to": last, "keys": keys} | ({"wrong": wrong} if wrong else {})

    def checked(self, scope: Scope, wanted: Any) -> Mapping[str, Any]:
        """Positions that there are, and keys that can be read."""
        if not isinstance(wanted, dict) or not isinstance(wanted.get("keys"), list):
            return {}
        first, last = wanted.get("from"), wanted.get("to")
        if type(first) is not int or type(last) is not int or not 1 <= first <= last <= LAST_POSITION:
            return {}
        keys = [
            item for item in wanted["keys"] if isinstance(item, list) and len(item) <= len(KeyValue._fields)
        ]
        found = KEYS_COLUMN.check(keys, scope)
        return {
            "from": first,
            "to": last,
            "keys": _as_json(found.keys[each] for each in sorted(found.keys) if first <= each <= last),
        }

    def problems(self, scope: Scope, wanted: Mapping[str, Any]) -> Mapping[str, list[str]]:
        """What was wrong with the keys as they were typed."""
        return {"keys": list(wanted["wrong"])} if wanted.get("wrong") else {}

    def values(
        self, scope: Scope, people: Sequence[Any], wanted: Mapping[str, Any]
    ) -> Mapping[type[models.Model], Mapping[Any, Mapping[str, Any]]]:
        """The keys of each with those positions replaced."""
        if not wanted:
            return {}
        new = [list(key) for key in wanted["keys"]]
        found = {}
        for user, values in KEYS.values(people, scope).items():
            kept = [list(key) for key in values["keys"] if not wanted["from"] <= key.position <= wanted["to"]]
            found[user] = {"keys": sorted([*kept, *new])}
        return {User: found}


KEYS_OF_MANY = KeysForMany()


def _as_json(keys: Iterable[KeyValue]) -> list[Any]:
    return list(KEYS_COLUMN.to_json(keys))


def _mode(data: Any) -> str:
    return data.get("keys_mode", "") if data.get("keys_mode", "") in (ALL, SOME) else ""


def _mode_of(wanted: Mapping[str, Any]) -> str:
    if not wanted:
        return ""
    return ALL if (wanted["from"], wanted["to"]) == (1, LAST_POSITION) else SOME


def _position(data: Any, name: str) -> int:
    text = data.get(f"keys_{name}", "").strip()
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 4 else 0
