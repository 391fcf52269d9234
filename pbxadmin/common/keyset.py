"""Parts of a sorted list that go on from a row instead of from a count of rows.

A page that is asked for by its number moves under whoever turns it: somebody is added above, and a row is seen twice; somebody
is deleted, and one is never seen. "Next" and "previous" therefore name the row that they go on from, by what the list is sorted
by: what is there beyond it is asked of an index, and costs the same in the middle of 50,000 rows as at their ends.
"""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.core.paginator import EmptyPage, Page, PageNotAnInteger, Paginator
from django.db.models import F, Q, QuerySet
from django.db.models.expressions import Combinable, OrderBy

# Longer than the keys of any row: name, address and number, twice as long as letters.
LONGEST_PLACE = 1_000
# Times that a row may have, by their year: databases hold fewer than Python, and what is read in another zone must still be a time there.
YEARS = range(1900, 2201)
NOTHING = Q(pk__in=[])


@dataclass(frozen=True)
class Key:
    """One thing by which rows are sorted, after those before it."""

    by: str | Combinable
    # It may be NULL; rows without it come last, whichever way the list is sorted.
    blank: bool = False


def key_of(by: "str | Combinable | Key") -> Key:
    """A field or an expression as a key."""
    return by if isinstance(by, Key) else Key(by)


class Counted(Paginator):
    """Pages of rows that were counted already."""

    def __init__(self, rows: Any, per_page: int, count: int) -> None:
        super().__init__(rows, per_page)
        self.count = count


class Part(Page):
    """The keys of some rows of a list, in order, with where they stand: it needs not begin where a numbered page does."""

    def __init__(
        self,
        keys: Sequence[Any],
        first: int,
        paginator: Paginator,
        before: str = "",
        after: str = "",
        place: str = "",
    ) -> None:
        super().__init__(list(keys), 1 + first // paginator.per_page, paginator)
        self.first = first  # how many rows stand before it
        # From where the parts before and after it go on, and the place by which it was asked for ("" where it was a number).
        self.before, self.after, self.place = before, after, place

    def start_index(self) -> int:
        """The first row's number in the list, from 1; 0 where there is none."""
        return self.first + 1 if self.object_list else 0

    def end_index(self) -> int:
        """The last row's number in the list."""
        return self.first + len(self.object_list)

    def has_previous(self) -> bool:
        """Whether rows stand before it."""
        return self.first > 0

    def has_next(self) -> bool:
        """Whether rows stand after it."""
        return self.end_index() < self.paginator.count


class Places:
    """Where each row stands in a list: by these keys, which no two rows share, forwards or backwards."""

    def __init__(self, keys: Sequence[str | Combinable | Key], backwards: bool = False) -> None:
        self.keys = [key_of(each) for each in keys]
        self.backwards = backwards
        self.names = [f"place_{number}" for number in range(len(self.keys))]

    def sorted(self, rows: QuerySet, told: bool = False) -> QuerySet:
        """The rows in order; each key may be asked for by its name in `names`. `told`: and is read with the row."""
        known = {
            name: F(key.by) if isinstance(key.by, str) else key.by
            for name, key in zip(self.names, self.keys, strict=True)
        }
        rows = rows.annotate(**known) if told else rows.alias(**known)
        return rows.order_by(*self._ordering())

    def _ordering(self) -> list[OrderBy]:
        found = []
        for name, key in zip(self.names, self.keys, strict=True):
            last = {"nulls_last": True} if key.blank else {}
            found.append(F(name).desc(**last) if self.backwards else F(name).asc(**last))
        return found

    def beyond(self, place: Sequence[Any], before: bool = False) -> Q:
        """The condition over rows (`sorted` ones) that they come after a place, or before it."""
        condition, same = NOTHING, Q()
        for name, key, value in zip(self.names, self.keys, place, strict=True):
            condition |= same & self._further(name, key, value, before)
            same &= Q(**{f"{name}__isnull": True}) if value is None else Q(**{name: value})
        return condition & self._bound(place[0], before)

    def _further(self, name: str, key: Key, value: Any, before: bool) -> Q:
        if value is None:  # among those without it, at the end
            return Q(**{f"{name}__isnull": False}) if before else NOTHING
        lookup = "lt" if before is not self.backwards else "gt"
        further = Q(**{f"{name}__{lookup}": value})
        return further | Q(**{f"{name}__isnull": True}) if key.blank and not before else further

    def _bound(self, value: Any, before: bool) -> Q:
        """What follows from the rest, said so that an index is read from there on and not from its beginning."""
        if self.keys[0].blank or value is None:
            return Q()
        return Q(**{f"{self.names[0]}__{'lte' if before is not self.backwards else 'gte'}": value})

    def part(
        self,
        rows: QuerySet,
        size: int,
        page: str = "",
        after: str = "",
        before: str = "",
        count: int | None = None,
    ) -> Part:
        """The primary keys of `size` of these rows: those that come after a place or before it, else those of a numbered page.

        A place that says nothing is the first page, and one beyond which there is nobody any more is the end that it lies at.
        `count`: how many rows there are, where that is known. Two queries; one more tells where in the list a place is.
        """
        rows = self.sorted(rows, told=True)
        keys = rows.values_list("pk", *self.names)
        place = self.read(after or before, rows)
        found: list[Any] = []
        if place is not None:
            beyond = keys.filter(self.beyond(place, before=not after))
            found = list(beyond[:size]) if after else list(beyond.reverse()[:size])[::-1]
        count = rows.count() if count is None else count
        paginator = Counted(rows, size, count)
        # Fewer than a page before a place: that is the beginning of the list.
        if found and (after or len(found) == size):
            first = rows.filter(self.beyond(found[0][1:], before=True)).order_by().count()
            return self._part(found, first, paginator, after or before)
        number = str(paginator.num_pages) if place is not None and after else page
        return self._numbered(keys, paginator, number)

    def _numbered(self, keys: QuerySet, paginator: Counted, page: str) -> Part:
        """A page by its number, read from whichever end is nearer: the last one costs what the first one does."""
        try:
            number = paginator.validate_number(page or 1)
        except PageNotAnInteger:
            number = 1
        except EmptyPage:
            number = paginator.num_pages
        first = (number - 1) * paginator.per_page
        last = min(first + paginator.per_page, paginator.count)
        if first > paginator.count // 2:
            found = list(keys.reverse()[paginator.count - last : paginator.count - first])[::-1]
        else:
            found = list(keys[first:last])
        return self._part(found, first, paginator)

    def _part(self, found: Sequence[Any], first: int, paginator: Counted, place: str = "") -> Part:
        keys = [row[0] for row in found]
        if not found:
            return Part(keys, first, paginator)
        return Part(keys, first, paginator, self.written(found[0][1:]), self.written(found[-1][1:]), place)

    def written(self, values: Sequence[Any]) -> str:
        """A place as text of an address."""
        said = [value.isoformat() if isinstance(value, datetime) else value for value in values]
        text = json.dumps(said, ensure_ascii=False, separators=(",", ":"))
        return urlsafe_b64encode(text.encode()).decode().rstrip("=")

    def read(self, text: str, rows: QuerySet) -> list[Any] | None:
        """The place that a text means, for rows that are `sorted`; None where it means none: anybody may write an address."""
        if not text or len(text) > LONGEST_PLACE:
            return None
        try:
            values = json.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
            if not isinstance(values, list) or len(values) != len(self.keys):
                return None
            return [self._value(name, key, value, rows) for name, key, value in self._with(values)]
        except (ValueError, TypeError, OverflowError, RecursionError):
            return None

    def _with(self, values: Sequence[Any]) -> "zip[tuple[str, Key, Any]]":
        return zip(self.names, self.keys, values, strict=True)

    def _value(self, name: str, key: Key, value: Any, rows: QuerySet) -> Any:
        if value is None:
            if not key.blank:
                raise ValueError(name)
            return None
        kind = rows.query.annotations[name].output_field.get_internal_type()
        if kind == "DateTimeField":
            found = datetime.fromisoformat(value)
            if found.tzinfo is None:
                raise ValueError(value)
            # As it is stored: zones that Python knows (+23:59) are none to a database.
            found = found.astimezone(UTC)
            if found.year not in YEARS:
                raise ValueError(value)
            return found
        if type(value) is not _JSON_OF.get(kind, str):
            raise ValueError(value)
        # Half a sign (a lone surrogate) is none either.
        if (isinstance(value, int) and abs(value) >= _MOST.get(kind, 2**31)) or (
            isinstance(value, str) and b"\0" in value.encode()
        ):
            raise ValueError(value)
        return value


# As what JSON brings a value of these fields; those that aren't named are texts.
_JSON_OF: dict[str, type] = {
    "BigAutoField": int, "BooleanField": bool, "IntegerField": int, "PositiveIntegerField": int, "PositiveSmallIntegerField": int,
}  # fmt: skip
# What a database takes for a number of these fields, where that is more than for the others.
_MOST = {"BigAutoField": 2**63}
