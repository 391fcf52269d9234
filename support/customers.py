"""Customers with their contracts, and what belongs to them as a whole."""

from collections.abc import Callable, Sequence
from typing import Any
from zoneinfo import available_timezones

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.timezone import localtime
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from pbxadmin.common.columns import Scope
from pbxadmin.common.fields import phone_number_national
from pbxadmin.common.places import city_said
from pbxadmin.common.sections import Section
from pbxadmin.common.values.destinations import Kind
from support.cells import yes_no
from support.files import FilesAdmin
from support.filters import CustomersFilter
from support.many.chosen import change_settings, give_holiday
from support.road import RoadAdmin
from users import rights
from users.company.sheets import (
    CONTRACT,
    customer_sheet,
    department_sheet,
    did_sheet,
    system_extension_sheet,
)
from users.models import Customer, Department, Did, SystemExtension
from users.rights import Verb
from users.road.finding import in_use

# So many owners of a customer are named on its page.
OWNERS_NAMED = 5


@admin.register(Customer)
class CustomerAdmin(RoadAdmin):
    """Contract and licence. A customer is never deleted, only suspended."""

    sheet = customer_sheet
    new = _("New customer")
    may_delete = False
    actions = (give_holiday, change_settings)
    facts = ("slug", "extensions_in_use", "owners", "suspension")
    list_display = (
        "name",
        "fqdn",
        "edition",
        "extensions_in_use",
        yes_no(Customer, "require_2fa"),
        "suspended_since",
        "language",
        "zone",
        "sip_trunk_channels",
        "portal",
    )
    usual_columns = ("fqdn", "edition", "extensions_in_use", "require_2fa", "suspended_since")
    list_filter = (
        "edition",
        "suspended",
        "require_2fa",
        "supports_deflection",
        "has_microsoft_365",
        "has_google",
    )
    search_fields = ("search_text", "edition", "language", "time_zone")
    search_said = {"time_zone": lambda: [(zone, city_said(zone)) for zone in available_timezones()]}

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        """With how many extensions are in use."""
        return super().get_queryset(request).annotate(used=in_use())

    @admin.display(description=_("Time zone"), ordering="time_zone")
    def zone(self, record: Customer) -> str:
        """By its city."""
        return city_said(record.time_zone)

    @admin.display(description=_("Extensions"), ordering="used")
    def extensions_in_use(self, record: Any) -> str:
        """In use, of the contract."""
        return f"{record.used} / {record.included_extensions}"

    @admin.display(description=_("Suspended"), ordering="suspended_at")
    def suspended_since(self, record: Customer) -> str:
        """Since when and why; blank for whoever isn't."""
        return self._suspended(record) if record.suspended else ""

    @staticmethod
    def _suspended(record: Customer) -> str:
        said = [
            date_format(localtime(record.suspended_at)) if record.suspended_at else "",
            record.suspended_by,
        ]
        return " · ".join(part for part in (*said, record.suspended_reason) if part)

    def facts_for(self, scope: Scope) -> Sequence[Any]:
        """Read-only staff are told about a suspension and the owner, and not led to the pages that change them."""
        if rights.can(scope.actor, Verb.SUPPORT, customer=scope.customer):
            return self.facts
        return [
            {"suspension": "suspension_told", "owners": "owners_told"}.get(name, name) for name in self.facts
        ]

    @admin.display(description=_("Suspension"))
    def suspension_told(self, record: Customer) -> str:
        """Whether it is suspended."""
        return self._suspended(record) if record.suspended else gettext("Not suspended")

    @admin.display(description=_("System owner"))
    def owners(self, record: Customer) -> SafeString:
        """Who owns it, and the page that gives it to somebody else."""
        found = list(record.users.filter(role=rights.OWNERS).order_by("disabled", "number")[:OWNERS_NAMED])
        names = format_html_join(
            ", ",
            '<a href="{}">{}</a>{}',
            (
                (
                    reverse("user_tab", args=[record.slug, each.number, "general"]),
                    each,
                    f" ({gettext('Disabled')})" if each.disabled else "",
                )
                for each in found
            ),
        )
        if not found:
            return format_html("{}", gettext("nobody"))
        return format_html(
            '{} <a href="{}">{}</a>',
            names,
            reverse("customer_ownership", args=[record.slug]),
            _("Transfer the ownership"),
        )

    @admin.display(description=_("System owner"))
    def owners_told(self, record: Customer) -> SafeString:
        """The same for whoever reads only."""
        found = record.users.filter(role=rights.OWNERS).order_by("disabled", "number")[:OWNERS_NAMED]
        return format_html("{}", ", ".join(map(str, found)) or gettext("nobody"))

    @admin.display(description=_("Suspension"))
    def suspension(self, record: Customer) -> SafeString:
        """The same, with the page that says what that means and changes it."""
        said = self.suspension_told(record)
        words = _("Lift the suspension") if record.suspended else _("Suspend")
        url = reverse("customer_suspension", args=[record.slug])
        return format_html('{} <a href="{}">{}</a>', said, url, words)

    def sections(self, creating: bool) -> Sequence[Section]:
        """The contract first, and so open."""
        return sorted(super().sections(creating), key=lambda section: section is not CONTRACT)

    def _only_told(self, scope: Scope, record: Any, section: Section) -> list[Callable[[Any], Any]]:
        """Nothing beside `suspension`."""
        return []

    def customer_of(self, record: Customer) -> Customer:
        """Itself."""
        return record

    def history_url(self, record: Customer) -> str:
        """The customer's own: what was changed of its contract and settings."""
        return reverse("record_history", args=[record.slug, self.opts.model_name, record.pk])

    def portal_url(self, record: Customer) -> str:
        """The customer's first page."""
        return reverse("customer_home", args=[record.slug])

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """The portal's page makes a customer with all that it needs, in one go."""
        return redirect("customer_create")


@admin.register(Department)
class DepartmentAdmin(FilesAdmin):
    """Departments of all customers."""

    sheet = department_sheet
    subject_slug = "departments"
    actions = (give_holiday, change_settings, "delete_chosen")
    new = _("New department")
    list_display = ("name", "owner", "language", "zone", "caller_id", "talk_name", "portal")
    usual_columns = ("owner", "language", "zone", "caller_id")
    list_filter = (("customer", CustomersFilter), "language")
    list_select_related = ("customer",)
    search_fields = (
        "name", "talk_name", "customer__search_text", "outbound_caller_id", "language", "time_zone",
    )  # fmt: skip
    search_said = {"time_zone": lambda: [(zone, city_said(zone)) for zone in available_timezones()]}

    @admin.display(description=_("Default outbound caller ID"), ordering="outbound_caller_id")
    def caller_id(self, record: Department) -> str:
        """As people write it."""
        return phone_number_national(record.outbound_caller_id)

    @admin.display(description=_("Time zone"), ordering="time_zone")
    def zone(self, record: Department) -> str:
        """By its city."""
        return city_said(record.time_zone)

    def initial(self, customer: Customer) -> dict[str, Any]:
        """The customer's own language and time zone."""
        return {"language": customer.language, "time_zone": customer.time_zone}

    def portal_url(self, record: Department) -> str:
        """Its page."""
        return reverse("department_tab", args=[record.customer.slug, record.pk, "general"])


@admin.register(Did)
class DidAdmin(FilesAdmin):
    """Numbers of all customers. Whom a number rings is chosen on its page in the portal, or with the person."""

    sheet = did_sheet
    subject_slug = "numbers"
    new = _("New number")
    facts = ("user", "system_extension")
    list_display = ("national", "name", "owner", "user", "system_extension", "portal")
    usual_columns = ("name", "owner", "user", "system_extension")
    list_filter = (("customer", CustomersFilter), ("user", admin.EmptyFieldListFilter))
    list_select_related = ("customer", "user", "system_extension")
    search_fields = (
        "number", "name", "customer__search_text", "user__search_text", "system_extension__number", "system_extension__name",
    )  # fmt: skip

    @admin.display(description=_("DID number"), ordering="number")
    def national(self, record: Did) -> str:
        """As people write it."""
        return phone_number_national(record.number)

    def portal_url(self, record: Did) -> str:
        """Its page."""
        return reverse("did_tab", args=[record.customer.slug, record.pk, "general"])


@admin.register(SystemExtension)
class SystemExtensionAdmin(FilesAdmin):
    """Ring groups, queues and IVRs of all customers."""

    sheet = system_extension_sheet
    subject_slug = "system-extensions"
    new = _("New system extension")
    destination = Kind.SYSTEM
    list_display = ("number", "name", "kind", "owner", "talk_name", "portal")
    usual_columns = ("kind", "owner")
    list_display_links = ("number", "name")
    list_filter = ("kind", ("customer", CustomersFilter))
    list_select_related = ("customer",)
    search_fields = ("number", "name", "kind", "talk_name", "customer__search_text")

    def portal_url(self, record: SystemExtension) -> str:
        """Its page."""
        return reverse("system_extension_tab", args=[record.customer.slug, record.pk, "general"])
