"""Parts of a page: which columns of a tab stand together and under which heading, as data of the tab."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from django import forms
from django.forms.boundfield import BoundField

from pbxadmin.common.columns import Text


@dataclass(frozen=True)
class Part:
    """A heading of a page, and below it the columns from `first` on, up to where another part begins.

    The order of the columns is the order of the page: a new column is on the page where it stands in its tab, and no
    part has to name it.
    """

    first: str = ""  # none: all that it has stands in its `parts`
    title: Text = ""
    note: Text = ""  # small, beside the heading
    intro: Text = ""  # a sentence below the heading
    warning: Text = ""
    # Templates of what stands there beside the fields: facts that the page tells, or the form of a column that has one of its own.
    above: str = ""
    below: str = ""
    parts: tuple["Part", ...] = ()  # under headings of their own within this one

    @property
    def firsts(self) -> Iterator[str]:
        """Where it begins, and where each part within it does."""
        if self.first:
            yield self.first
        for part in self.parts:
            yield from part.firsts


@dataclass(frozen=True)
class DrawnPart:
    """A part as one page draws it: the fields that this form has of it, and the parts within that have any."""

    part: Part
    key: str  # unique on the page: "2", and "2-1" within it
    fields: Sequence[BoundField]
    parts: Sequence["DrawnPart"] = ()


def fields_alone(parts: Sequence[Part]) -> tuple[Part, ...]:
    """The same parts without what stands above and below their fields."""
    return tuple(replace(part, above="", below="", parts=fields_alone(part.parts)) for part in parts)


def begin_in_order(parts: Sequence[Part], names: Sequence[str]) -> bool:
    """Whether the parts begin at different ones of these columns, in their order."""
    firsts = [first for part in parts for first in part.firsts]
    places = [names.index(first) for first in firsts if first in names]
    return len(places) == len(firsts) and places == sorted(set(places))


def drawn(
    parts: Sequence[Part],
    names: Sequence[str],
    form: forms.Form,
    own_forms: frozenset[str] = frozenset(),
) -> list[DrawnPart]:
    """The parts of a page for `form`, without those of which it has nothing.

    `names` are the columns of the tab in order; those before the first part's are drawn with it. `own_forms`: which of
    them this page offers in a form beside this one.
    """
    firsts = [first for part in parts for first in part.firsts]
    of: dict[str, list[str]] = {first: [] for first in firsts}
    current = firsts[0]
    for name in names:
        current = name if name in of else current
        of[current].append(name)
    return list(_drawn(parts, of, form, own_forms, ""))


def _drawn(
    parts: Sequence[Part],
    names: dict[str, list[str]],
    form: forms.Form,
    own_forms: frozenset[str],
    within: str,
) -> Iterator[DrawnPart]:
    for number, part in enumerate(parts, 1):
        key = f"{within}{number}"
        own = names.get(part.first, [])
        fields = [form[name] for name in own if name in form.fields]
        inner = list(_drawn(part.parts, names, form, own_forms, f"{key}-"))
        if fields or inner or not own_forms.isdisjoint(own):
            yield DrawnPart(part, key, fields, inner)
