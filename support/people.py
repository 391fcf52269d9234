"""People of all customers, their options grouped as the portal's tabs are."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from pbxadmin.common.fields import phone_number_national
from pbxadmin.common.searching import Folded
from pbxadmin.common.sections import Section
from pbxadmin.common.templatetags.portal import moment
from pbxadmin.common.values.destinations import Kind
from signin.models import TotpDevice
from support.cells import state, yes_no
from support.files import FilesAdmin
from support.filters import CustomersFilter
from users.models import Customer, User
from users.people.sections import user_sheet
from users.road import finding


@admin.register(User)
class UserAdmin(FilesAdmin):
    """Everybody with an extension. Support staff themselves have a page of their own (`support.pages.team`)."""

    sheet = user_sheet
    subject_slug = "users"
    new = _("New user")
    destination = Kind.EXTENSION
    part_by_part = True
    facts = ("owner", "created", "last_login", "second_factor")
    list_display = (
        "number",
        "full_name",
        "owner",
        "department",
        "role",
        "status_drawn",
        yes_no(User, "disabled", _("Disabled")),
        "email",
        "national_mobile",
        "caller_id",
        "last_sign_in",
        "created",
        "portal",
    )
    usual_columns = ("owner", "department", "role", "status_drawn", "national_mobile")
    list_display_links = ("number", "full_name")
    list_filter = (
        "role",
        "status",
        "disabled",
        "require_2fa",
        "outbound_disabled",
        ("customer", CustomersFilter),
    )
    list_select_related = ("customer", "role", "primary_department")
    search_fields = (
        "search_text", "outbound_caller_id", "status", "dids__number", "phones__mac", "customer__search_text",
        "primary_department__name", "role__name_fr", "role__name_en",
    )  # fmt: skip
    ordering = ("customer__sort_name", "number")

    @admin.display(description=_("Name"), ordering="sort_name")
    def full_name(self, record: User) -> str:
        """First and last name."""
        return record.full_name

    @admin.display(description=_("Department"), ordering=Folded("primary_department__name"))
    def department(self, record: User) -> Any:
        """The primary one."""
        return record.primary_department

    @admin.display(description=_("Status"), ordering="status")
    def status_drawn(self, record: User) -> SafeString:
        """As the portal draws it; that somebody is disabled comes before it."""
        if record.disabled:
            return state("off", str(_("Disabled")))
        return state(record.status_tone, record.status_in_words)

    @admin.display(description=_("Mobile"), ordering="mobile")
    def national_mobile(self, record: User) -> str:
        """As people write it."""
        return record.national_mobile

    @admin.display(description=_("Outbound caller ID"), ordering="outbound_caller_id")
    def caller_id(self, record: User) -> str:
        """The same."""
        return phone_number_national(record.outbound_caller_id)

    @admin.display(description=_("Last sign-in"), ordering="last_login")
    def last_sign_in(self, record: User) -> str:
        """When."""
        return moment(record.last_login) if record.last_login else ""

    @admin.display(description=_("Created on"), ordering="created_at")
    def created(self, record: User) -> str:
        """When."""
        return moment(record.created_at)

    @admin.display(description=_("Second factor"))
    def second_factor(self, record: User) -> SafeString:
        """Whether it is set up, apart from whether it is required."""
        since = (
            TotpDevice.objects.filter(user=record.pk, confirmed=True)
            .values_list("created_at", flat=True)
            .first()
        )
        if since:
            words = gettext("Set up on %(when)s") % {
                "when": date_format(timezone.localtime(since), "DATE_FORMAT")
            }
            return state("ok", words)
        if record.needs_second_factor:
            return state("wait", gettext("required, not set up"))
        return state("off", gettext("not required"))

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        """Without support staff, and without secrets."""
        found = super().get_queryset(request).filter(customer__isnull=False)
        return found.select_related("customer", "role", "primary_department").defer(*finding.NOT_IN_LISTS)

    def initial(self, customer: Customer) -> dict[str, object]:
        """As the portal's page of a new user."""
        return {"role": "users", "require_2fa": True}

    def part_url(self, record: User, section: Section) -> str:
        """The tab."""
        assert record.customer is not None  # the list leaves out whoever has none
        return reverse("user_tab", args=[record.customer.slug, record.number, section.slug])

    def history_url(self, record: User) -> str:
        """Everything about them."""
        assert record.customer is not None  # the list leaves out whoever has none
        return reverse("user_history", args=[record.customer.slug, record.number])

    def portal_url(self, record: User) -> str:
        """Their first tab."""
        assert record.customer is not None  # the list leaves out whoever has none
        return reverse("user_tab", args=[record.customer.slug, record.number, "general"])
