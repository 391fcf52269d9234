"""The history of all customers, to search and to read."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from pbxadmin.common.columns import Scope
from support.filters import WordsFilter
from support.road import SupportAdmin
from users.history.timeline import SOURCES, cells_in_words, look_up, source_in_words, why
from users.models import Change
from users.road import SHEETS


class CustomerFilter(admin.SimpleListFilter):
    """Of one customer."""

    title = _("customer")
    parameter_name = "customer"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """All of them, and what belongs to none: the roles, support staff's own sign-ins."""
        from users.models import Customer

        return [(str(pk), name) for pk, name in Customer.objects.values_list("pk", "name")] + [
            ("none", str(_("none")))
        ]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Narrow."""
        if self.value() == "none":
            return queryset.filter(operation__customer=None)
        value = self.value() or ""
        return (
            queryset.filter(operation__customer=int(value))
            if value.isascii() and value.isdecimal() and len(value) < 18
            else queryset
        )


class KindFilter(admin.ChoicesFieldListFilter):
    """By what was done."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = gettext("what was done")


def table_in_words(label: str) -> str:
    """What kind of record a table has, by its label ("users.user")."""
    sheet = SHEETS.get(label)
    return str(sheet.model._meta.verbose_name) if sheet else label


class TableFilter(WordsFilter):
    """By table."""

    def words(self, value: str) -> str:
        """What kind of record it has."""
        return table_in_words(value)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = gettext("table")


class SourceFilter(WordsFilter):
    """By the way in."""

    def words(self, value: str) -> str:
        """As the history says it."""
        return source_in_words(value)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = gettext("source")


@admin.register(Change)
class ChangeAdmin(SupportAdmin):
    """One row of the history: who did what, to which record, when and from where."""

    list_display = ("at", "customer", "who", "done", "table", "record", "source", "address", "reason")
    list_display_links = ("at", "record")
    list_filter = (
        CustomerFilter,
        ("kind", KindFilter),
        ("model", TableFilter),
        ("operation__source", SourceFilter),
    )
    list_select_related = ("operation__customer",)
    search_fields = (
        "object_name",
        "operation__actor_name",
        "operation__address",
        "operation__reason",
        "operation__note",
        "operation__request_id",
        "operation__customer__search_text",
        "operation__source",
        "model",
        "kind",
    )
    search_said = {
        "model": lambda: [(label, table_in_words(label)) for label in SHEETS],
        "operation__source": lambda: SOURCES.items(),
    }
    asked_by_links = ("model", "object_pk")
    search_help_text = _("Record, person, address, reason, request or customer")
    date_hierarchy = "operation__at"
    ordering = ("-id",)
    fields = (
        "at",
        "customer",
        "who",
        "done",
        "table",
        "record",
        "source",
        "address",
        "request",
        "reason",
        "what",
    )
    readonly_fields = fields

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Called as the history calls it."""
        return super().change_view(
            request, object_id, form_url, {"title": gettext("History"), **(extra_context or {})}
        )

    @admin.display(description=_("When"), ordering="operation__at")
    def at(self, record: Change) -> Any:
        """The moment."""
        return record.operation.at

    @admin.display(description=_("Customer"))
    def customer(self, record: Change) -> Any:
        """Whose history it is."""
        return record.operation.customer

    @admin.display(description=_("Who"))
    def who(self, record: Change) -> str:
        """The name that the person had then."""
        return record.operation.actor_name

    @admin.display(description=_("What was done"), ordering="kind")
    def done(self, record: Change) -> str:
        """In words."""
        return record.get_kind_display()

    @admin.display(description=_("Table"), ordering="model")
    def table(self, record: Change) -> str:
        """What kind of record it is, in words."""
        return table_in_words(record.model)

    @admin.display(description=_("Record"), ordering="object_name")
    def record(self, record: Change) -> str:
        """As it was called then."""
        return record.object_name

    @admin.display(description=_("Source"))
    def source(self, record: Change) -> str:
        """The way in."""
        return source_in_words(record.operation.source)

    @admin.display(description=_("Address"))
    def address(self, record: Change) -> str:
        """The network address."""
        return record.operation.address

    @admin.display(description=_("Request"))
    def request(self, record: Change) -> str:
        """As the logs name it."""
        return record.operation.request_id

    @admin.display(description=_("Reason"))
    def reason(self, record: Change) -> str:
        """Why."""
        return why(record.operation)

    @admin.display(description=_("What changed"))
    def what(self, record: Change) -> SafeString:
        """Each column with its old and new value."""
        customer = record.operation.customer
        scope = Scope(None, customer) if customer else None
        look_up([record], scope)
        cells = cells_in_words(record, scope)
        return format_html_join(
            "",
            "<div><b>{}</b>: {} → {}</div>",
            ((cell["label"], cell["old"] or "—", cell["new"] or "—") for cell in cells),
        )
