"""Django's list as the desk has it: names are sorted without regard to accents and capitals, whichever column shows them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import FieldDoesNotExist
from django.db.models import Count, Window
from django.db.models.expressions import Combinable

from pbxadmin.common.fields import OneLineField
from pbxadmin.common.keyset import Counted
from pbxadmin.common.searching import Folded


class DeskList(ChangeList):
    """One list of the desk, as its address asks for it."""

    columns: Sequence["Choice"] = ()  # that its reader may choose
    usual = True  # whether they have chosen none

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Django would look up in all addresses of the portal, for each link of each row, whether it belongs to this list.
        self._kept, self.preserved_filters = self.preserved_filters, ""

    def url_for_result(self, result: Any) -> str:
        """The page of a record, from which one comes back to the list as it was asked for."""
        url = super().url_for_result(result)
        return f"{url}?{self._kept}" if self._kept else url

    def get_results(self, request: Any) -> None:
        """The page of rows: their keys are sought in order, for which little is read, and these rows alone are read with all that they show."""
        if self.page_num == 1 and not self.show_all:
            keys: Any = self._first_page()
        else:
            super().get_results(request)
            keys = self.result_list.values("pk")
        rows: Any = self.root_queryset
        if not rows.query.select_related:
            rows = self.apply_select_related(rows)
        chosen = rows.filter(pk__in=keys)
        self.result_list = chosen.order_by(*self.get_ordering(request, rows))

    def _first_page(self) -> list[Any]:
        """The keys of the first page, read along with how many rows there are in all: what is searched is searched once, not twice."""
        found = list(self.queryset.values_list("pk", Window(Count("pk")))[: self.list_per_page])
        self.result_count = total = found[0][1] if found else 0
        self.full_result_count = None
        self.show_full_result_count, self.show_admin_actions = False, True
        self.can_show_all = total <= self.list_max_show_all
        self.multi_page = total > self.list_per_page
        self.paginator = Counted(self.queryset, self.list_per_page, total)
        return [key for key, _total in found]

    def get_ordering_field(self, field_name: Any) -> str | Combinable | None:
        """What a column is sorted by; a name by its letters, as people look for it."""
        found: str | Combinable | None = super().get_ordering_field(field_name)
        if not isinstance(found, str):
            return found
        try:
            field = self.lookup_opts.get_field(found)
        except FieldDoesNotExist:
            return found  # of another table, or counted
        if found == "name" and hasattr(self.model, "sort_name"):
            return "sort_name"
        return Folded(found) if isinstance(field, OneLineField) else found


@dataclass(frozen=True)
class Choice:
    """A column that a list may have beside those that it always has."""

    name: str
    label: str
    shown: bool


def name_of(column: Any) -> str:
    """By what a column of `list_display` is known: its own name, or that of the function that says it."""
    return column if isinstance(column, str) else str(column.__name__)
