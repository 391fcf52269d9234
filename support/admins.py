"""What every page of Django's is at the desk: a list that its reader sees everything of, and no way of writing by Django's own means."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin import helpers
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import label_for_field, unquote
from django.core.exceptions import PermissionDenied
from django.db import DataError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from pbxadmin.common.searching import Said, anywhere
from support.lists import Choice, DeskList, name_of
from users.people import list_columns

# What a filter of a list may ask of its column, and a date of its.
LOOKUPS = frozenset({"exact", "id__exact", "slug__exact", "isnull", "isempty", "in"})
DATE_LOOKUPS = frozenset({"year", "month", "day", "gte", "lt"})


class SupportAdmin(admin.ModelAdmin):
    """A page of the support desk: everybody who is let in sees everything; nothing is written by Django's own means."""

    keeps_to_the_road: ClassVar[bool] = True
    list_per_page = 50
    show_full_result_count = False
    view_on_site = False
    actions: Any = ()
    # What the values of a column that is searched are called, where it isn't one of choices.
    search_said: ClassVar[Mapping[str, Said]] = {}
    # The columns that a list has where nobody chose others; blank: all of them. Those that lead somewhere are always there.
    usual_columns: ClassVar[Sequence[str]] = ()
    # Conditions on the list that links of our own carry.
    asked_by_links: ClassVar[Sequence[str]] = ()

    def has_module_permission(self, request: HttpRequest) -> bool:
        """The site has asked."""
        return True

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """The site has asked."""
        return True

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Not here."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Not here."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Not here."""
        return False

    def get_action_choices(self, request: HttpRequest, default_choices: Any = None) -> list[tuple[str, str]]:
        """Beginning with what is to be done there."""
        return super().get_action_choices(request, [("", _("Choose an action"))])

    def lookup_allowed(self, lookup: str, value: str, request: Any = None) -> bool:
        """The filters that the list offers, and no other: an address must not ask how a password begins."""
        if self.date_hierarchy and lookup.removeprefix(f"{self.date_hierarchy}__") in DATE_LOOKUPS:
            return True
        offered: Any
        for offered in self.list_filter:
            name = offered if isinstance(offered, str) else offered[0] if isinstance(offered, tuple) else ""
            if name and (lookup == name or lookup.removeprefix(f"{name}__") in LOOKUPS):
                return True
            if not name and lookup == offered.parameter_name:
                return True
        return lookup in self.asked_by_links

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet, search_term: str
    ) -> tuple[QuerySet, bool]:
        """Every word in some of the fields, as the portal's own lists search; numbers and MACs in whatever spelling."""
        condition = anywhere(self.model, self.search_fields, search_term, self.search_said)
        return queryset.filter(condition), False

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """The list, called by what is in it as the portal calls it. What was chosen and is no key is nobody: Django would ask the database for it."""
        name = helpers.ACTION_CHECKBOX_NAME
        if request.method == "POST" and name in request.POST:
            data = request.POST.copy()
            keys = [key for key in data.getlist(name) if key.isascii() and key.isdecimal() and len(key) < 18]
            data.setlist(
                name, keys if self.opts.pk.get_internal_type() != "CharField" else data.getlist(name)
            )
            request.POST = data  # type: ignore[assignment]  # what the action reads
        title = capfirst(str(self.opts.verbose_name_plural))
        return super().changelist_view(request, {"title": title, **(extra_context or {})})

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """By its key alone: no page of ours opens a record by another column, which Django would take from the address."""
        return super().get_object(request, object_id)

    @staticmethod
    def _actor(request: HttpRequest) -> Any:
        return request.user

    def _always(self) -> set[str]:
        links = {name_of(each) for each in self.list_display_links or self.list_display[:1]}
        return links | {"portal"}

    def get_list_display(self, request: HttpRequest) -> Any:
        """The columns that the reader has chosen; else the usual ones."""
        if not self.usual_columns:
            return self.list_display
        chosen = list_columns.chosen_at_desk(self._actor(request), self.opts.label_lower)
        names = self._always() | set(self.usual_columns if chosen is None else chosen)
        return [column for column in self.list_display if name_of(column) in names]

    def column_choices(self, request: HttpRequest) -> list[Choice]:
        """The columns that may be chosen, and which of them are."""
        shown = {name_of(column) for column in self.get_list_display(request)}
        return [
            Choice(
                name_of(each), capfirst(str(label_for_field(each, self.model, self))), name_of(each) in shown
            )
            for each in self.list_display
            if name_of(each) not in self._always()
        ]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[DeskList]:
        """The desk's own list."""
        return DeskList

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """The list that the address asks for. What Django can't reckon with (a year of thirty digits) is no condition of ours."""
        try:
            found: Any = super().get_changelist_instance(request)
            if self.usual_columns:
                found.columns = self.column_choices(request)
                found.usual = list_columns.chosen_at_desk(self._actor(request), self.opts.label_lower) is None
            return found
        except (ArithmeticError, ValueError, DataError) as error:
            raise IncorrectLookupParameters(error) from error

    # Django's own ways of writing, all of them shut.
    def _around_the_road(self, *args: Any, **kwargs: Any) -> Any:
        raise PermissionDenied("the support desk writes through users.road alone")

    save_form = save_model = save_related = save_formset = delete_model = delete_queryset = _around_the_road
    log_addition = log_change = log_deletions = _around_the_road
    get_changelist_formset = _around_the_road

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """The portal's own history of the record, not Django's log."""
        record = self.get_object(request, unquote(object_id))
        if record is None:
            raise Http404
        return redirect(self.history_url(record))

    def history_url(self, record: Any) -> str:
        """Where the portal has the history of a record."""
        if getattr(record, "customer", None) is None:
            return f"{reverse('audit')}?{urlencode({'of': f'{self.opts.label_lower}:{record.pk}'})}"
        return reverse("record_history", args=[record.customer.slug, self.opts.model_name, record.pk])
