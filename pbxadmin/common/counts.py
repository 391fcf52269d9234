"""Counts as people read them."""

from django.utils.formats import number_format


def grouped(count: int) -> str:
    """A count in digits, grouped from five digits on, as is the custom in Québec: "9999", "12,400", « 12 400 »."""
    return number_format(count, force_grouping=True) if count >= 10_000 else str(count)
