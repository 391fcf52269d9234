"""Template tags of the support desk's own pages."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import capfirst

register = template.Library()


@register.filter
def with_labels(cells: Iterable[SafeString], headers: Iterable[Mapping[str, Any]]) -> Iterator[SafeString]:
    """The cells of a row of Django's list, each but the box with the name of its column: on a narrow page it stands beside the value."""
    for cell, header in zip(cells, headers, strict=False):
        opening, rest = cell[:3], cell[3:]
        if opening == "<td" and "action-checkbox" not in rest.partition(">")[0]:
            label = format_html(' data-label="{}"', capfirst(str(header["text"])))
            yield mark_safe(f"{opening}{label}{rest}")  # noqa: S308 - both are escaped  # nosec B308 B703
        else:
            yield cell


@register.filter
def beside(cells: Iterable[Any], headings: Iterable[Any]) -> Iterator[tuple[Any, Any]]:
    """The cells of a line of ours, each with the heading of its column."""
    return zip(cells, headings, strict=True)
