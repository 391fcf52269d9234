"""SIP trunks at the support desk: the provider's own and those of customers, with what the nodes say of them."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from asterisk.link.status import as_known
from asterisk.models import Trunk, TrunkState
from asterisk.trunks import rules, states
from asterisk.trunks.sheet import trunk_sheet
from asterisk.trunks.states import TONES, WORDS, State
from pbxadmin.common.values.signs import folded
from support import asking
from support.cells import state, yes_no
from support.filters import CustomersFilter
from support.road import RoadAdmin
from users import road


class StateFilter(admin.SimpleListFilter):
    """What nodes say of them."""

    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Those that answer everywhere, that don't somewhere, and those of which nobody says anything."""
        return [(each.value, WORDS[each]) for each in (State.ANSWERS, State.SILENT, State.UNKNOWN)]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Narrow."""
        asked = {
            State.ANSWERS: {"up": True, "down": False},
            State.SILENT: {"down": True, "enabled": True},
            State.UNKNOWN: {"up": False, "down": False},
        }
        condition = asked.get(self.value() or "")  # type: ignore[call-overload]  # its keys are texts
        return queryset.filter(**condition) if condition else queryset


class WhoseFilter(admin.SimpleListFilter):
    """The provider's own, or customers'."""

    title = _("for")
    parameter_name = "whose"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Both."""
        return [("all", _("all customers")), ("one", _("one customer"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Narrow."""
        known = {"all": True, "one": False}
        return queryset.filter(customer__isnull=known[self.value()]) if self.value() in known else queryset  # type: ignore[index]


@admin.register(Trunk)
class TrunkAdmin(RoadAdmin):
    """The ways to the public network."""

    sheet = trunk_sheet
    new = _("New SIP trunk")
    for_all = _("All customers")
    facts = ("doing", "told")
    list_display = (
        "name",
        "owner",
        "host",
        "port",
        "channels",
        yes_no(Trunk, "enabled", _("In use")),
        "doing",
        "position",
        "transport",
        "networks",
        "username",
        yes_no(Trunk, "registers"),
        "number_format",
        "portal",
    )
    usual_columns = ("owner", "host", "channels", "enabled", "doing")
    list_filter = (StateFilter, WhoseFilter, "enabled", "transport", ("customer", CustomersFilter))
    search_fields = (
        "name", "host", "port", "channels", "position", "transport", "networks", "username", "number_format", "customer__search_text",
    )  # fmt: skip
    search_help_text = _("Name, customer or address")

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        """With what nodes say, and without passwords."""
        found: QuerySet[Trunk] = (
            super().get_queryset(request).select_related("customer").defer("trunk_password")
        )
        return states.with_state(found, timezone.now())

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet, search_term: str
    ) -> tuple[QuerySet, bool]:
        """The provider's own as well, where what the list says of them was typed."""
        found, several = super().get_search_results(request, queryset, search_term)
        if search_term.strip() and folded(search_term.strip()) in folded(str(self.for_all)):
            found |= queryset.filter(customer=None)
        return found, several

    def asked_first(self, request: HttpRequest, plan: road.Plan) -> HttpResponse | None:
        """Who can call nobody outside any more, 911 included, before that is so."""
        return asking.question(request, plan, asking.warned_of(plan, rules.NO_WAY_OUT))

    @admin.display(description=_("State"))
    def doing(self, record: Trunk) -> SafeString | str:
        """What nodes say, drawn as the portal draws it."""
        now = states.state_of(record)
        return state(TONES[now], str(WORDS[now])) if record.enabled else ""

    @admin.display(description=_("What nodes say"))
    def told(self, record: Trunk) -> str:
        """Node by node."""
        rows = record.states.select_related("node").order_by("node__name")
        return "; ".join(_said(row) for row in rows) or "—"

    def portal_url(self, record: Trunk) -> str:
        """The contract of whose it is."""
        return (
            reverse("customer_settings", args=[record.customer.slug, "contract"]) if record.customer else ""
        )


# What a node says of one in a word that `WORDS` says already.
_PLAIN = ("", "Reachable", "Unreachable")


def _said(row: TrunkState) -> str:
    """What one node says; its own words, which are English, after ours."""
    words = str(WORDS[_of(row.answers)])
    status = words if row.detail in _PLAIN else f"{words} ({row.detail})"
    return gettext("%(name)s: %(status)s") % {"name": row.node.name, "status": as_known(status, row.node)}


def _of(answers: bool) -> State:
    return State.ANSWERS if answers else State.SILENT
