"""Filters of the desk's lists whose values are said in words."""

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.utils.translation import gettext


class WordsFilter(admin.AllValuesFieldListFilter):
    """All values that a column has, each as people call it."""

    def words(self, value: str) -> str:
        """What a stored value is called."""
        raise NotImplementedError

    def choices(self, changelist: Any) -> Iterator[Any]:
        """Django's own, said in words."""
        known = {str(value) for value in self.lookup_choices}
        for choice in super().choices(changelist):
            # With the counts shown it is "value (3)".
            value, blank, count = str(choice["display"]).partition(" ")
            words = f"{self.words(value)}{blank}{count}" if value in known else choice["display"]
            yield {**choice, "display": words}


class CustomersFilter(admin.RelatedOnlyFieldListFilter):
    """Of one of the customers that have such records."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = gettext("customer")

    @property
    def include_empty_choice(self) -> bool:
        """Everything that the desk lists is some customer's."""
        return False
