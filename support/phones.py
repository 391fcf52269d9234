"""Phones and SBCs of all customers at the support desk."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from pbxadmin.common.sections import Section
from pbxadmin.common.templatetags.portal import moment
from phones import selectors
from phones.models import Phone, Sbc, model_said
from phones.presence import last_seen_column, presence
from phones.settings.sections import ADDING, phone_sheet
from phones.sites.overview import PRESENCES, STATES, doing, present
from phones.sites.sections import sbc_sheet
from phones.vendors import models
from support.cells import state
from support.files import FilesAdmin
from support.filters import CustomersFilter, WordsFilter
from support.many.chosen import command_phones
from support.road import RoadAdmin


class StateFilter(admin.SimpleListFilter):
    """How phones are doing: those that are silent, those in stock."""

    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """As the portal's list of phones says it."""
        return list(STATES.items())

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Narrow."""
        value = self.value() or ""
        return (
            queryset.alias(doing=doing(timezone.now())).filter(doing=value) if value in STATES else queryset
        )


class PresenceFilter(admin.SimpleListFilter):
    """Phones that ought to be there and aren't, whether or not they have the latest configuration."""

    title = _("presence")
    parameter_name = "presence"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """As the portal's list of phones says it."""
        return list(PRESENCES.items())

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Narrow."""
        value = self.value() or ""
        return queryset.filter(present(timezone.now(), value)) if value in PRESENCES else queryset


class ModelFilter(WordsFilter):
    """By model."""

    def words(self, value: str) -> str:
        """The name that people know."""
        return model_said(value)


@admin.register(Phone)
class PhoneAdmin(FilesAdmin):
    """The stock, and every phone in use. Settings depend on the model, so the portal's own tab changes them."""

    sheet = phone_sheet
    subject_slug = "phones"
    actions = ("reprovision", "restart", "delete_chosen")
    new = _("Add a phone")
    facts = (
        "mac_address",
        "model_name",
        "owner",
        "holder",
        "doing",
        "told",
        "sbc",
        "firmware",
        "seen",
        "fetched",
    )
    list_display = (
        "mac_address",
        "model_name",
        "owner",
        "holder",
        "doing",
        "seen",
        "told",
        "sbc",
        "firmware",
        "fetched_from",
        "portal",
    )
    usual_columns = ("model_name", "owner", "holder", "doing", "seen")
    list_filter = (
        StateFilter,
        PresenceFilter,
        ("model", ModelFilter),
        "connection",
        ("customer", CustomersFilter),
    )
    search_fields = (
        "mac", "model", "user__search_text", "customer__search_text", "firmware", "fetched_from", "sbc__name",
    )  # fmt: skip
    search_said = {"model": lambda: [(model.slug, model.display_name) for model in models()]}
    search_help_text = _("MAC, model, user, customer, address or firmware")
    ordering = ("customer__sort_name", "user__number")

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        """Without secrets."""
        return selectors.light(super().get_queryset(request)).select_related(
            "customer", "user", "user__customer", "sbc"
        )

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """In the portal."""
        return False

    @admin.action(description=_("Reprovision the phones"))
    def reprovision(self, request: HttpRequest, queryset: QuerySet) -> HttpResponse:
        """Have the chosen phones, or all that the list shows, fetch their configuration; a preview comes first."""
        return command_phones(request, queryset, Phone.Command.RESYNC)

    @admin.action(description=_("Restart the phones"))
    def restart(self, request: HttpRequest, queryset: QuerySet) -> HttpResponse:
        """Have them restart; the same."""
        return command_phones(request, queryset, Phone.Command.RESTART)

    def sections(self, creating: bool) -> Sequence[Section]:
        """A new phone goes into the stock: MAC and model."""
        return (ADDING,) if creating else ()

    @admin.display(description=_("MAC address"), ordering="mac")
    def mac_address(self, record: Phone) -> str:
        """As it is printed on the phone."""
        return record.mac_with_colons

    @admin.display(description=_("Phone model"), ordering="model")
    def model_name(self, record: Phone) -> str:
        """The name that people know."""
        return selectors.model_of(record).display_name

    @admin.display(description=_("User"), ordering="user__number")
    def holder(self, record: Phone) -> Any:
        """Who uses it."""
        return record.user

    @admin.display(description=_("Last command"))
    def told(self, record: Phone) -> str:
        """What became of it."""
        return selectors.command_in_words(record).text

    @admin.display(description=_("Last seen"), ordering=last_seen_column())
    def seen(self, record: Phone) -> str:
        """Whether it is there."""
        return presence(record).sentence

    @admin.display(description=_("Last fetch"), ordering="fetched_at")
    def fetched(self, record: Phone) -> str:
        """When."""
        return moment(record.fetched_at)

    @admin.display(description=_("State"))
    def doing(self, record: Phone) -> SafeString:
        """As the portal draws it."""
        now = selectors.state(record)
        return state(now.tone, now.sentence)

    def portal_url(self, record: Phone) -> str:
        """Its user's tab; a phone in stock in the list of phones."""
        if record.user is not None:
            return f"{reverse('user_tab', args=[record.customer.slug, record.user.number, 'phone'])}?phone={record.mac}"
        return f"{reverse('phones', args=[record.customer.slug])}?{urlencode({'q': record.mac})}"


@admin.register(Sbc)
class SbcAdmin(RoadAdmin):
    """SBCs and router phones of all customers."""

    sheet = sbc_sheet
    new = _("New SBC")
    list_display = ("name", "owner", "kind", "identifier", "address", "port", "portal")
    usual_columns = ("owner", "kind", "address", "port")
    list_filter = ("kind", ("customer", CustomersFilter))
    list_select_related = ("customer",)
    search_fields = ("name", "kind", "identifier", "address", "port", "customer__search_text")

    def portal_url(self, record: Sbc) -> str:
        """Its page."""
        return reverse("sbc_tab", args=[record.customer.slug, record.pk, "general"])
