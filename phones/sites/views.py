"""Every phone of a customer on one page, and the pages of its SBCs."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from django.db.models import Count, F, Q
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from pbxadmin.common.http import PortalRequest
from pbxadmin.common.listing import NOTHING, Filter, ListState, Shape, show_list
from pbxadmin.common.searching import named
from pbxadmin.common.values.signs import folded, plainly, words_of
from phones import selectors
from phones.models import Phone, Sbc
from phones.presence import Presence, last_seen_column, presence
from phones.settings.columns import SEPARATORS, identifier_said
from phones.sites.overview import PRESENCES, STATES, counted, doing, phones_in_sight, present
from phones.sites.sections import sbc_sheet
from phones.vendors import models
from users import rights
from users.models import Customer, User
from users.people import selectors as user_selectors
from users.rights import Verb
from users.road.pages.doors import in_customer
from users.road.pages.sheet_pages import Cell, SheetPages, Tab


# --- Questions ----------------------------------------------------------------------------------------------------
def matching(text: str) -> Q:
    """The condition over phones that a search means: MAC by part, model by name, extension or name of the user."""
    text = plainly(text).strip()
    digits = SEPARATORS.sub("", text).lower()
    words = folded(text)
    slugs = [model.slug for model in models() if words and words in folded(model.display_name)]
    # Of the few SBCs, each folded once, however many phones stand behind it.
    sites = Sbc.objects.filter(named("name", text) or NOTHING)
    condition = Q(model__in=slugs) | Q(user__number=text) | Q(sbc__in=sites)
    if len(digits) >= 3:
        condition |= Q(mac__contains=digits)
    people = Q()
    for word in words_of(text):
        people &= Q(user__search_text__contains=word)
    return condition | people if people else condition


@dataclass(frozen=True)
class Line:
    """A phone in the list."""

    phone: Phone
    model: str
    state: selectors.PhoneState
    presence: Presence
    url: str
    give_url: str = ""  # of a phone in stock: who is in this list with those may give them


def _line(customer: Customer, phone: Phone, now: datetime) -> Line:
    url = (
        f"{reverse('user_tab', args=[customer.slug, phone.user.number, 'phone'])}?phone={phone.mac}"
        if phone.user
        else ""
    )
    give = "" if phone.user else reverse("phone_give", args=[customer.slug, phone.mac])
    return Line(
        phone,
        selectors.model_of(phone).display_name,
        selectors.state(phone, now),
        presence(phone, now),
        url,
        give,
    )


# --- Pages --------------------------------------------------------------------------------------------------------
def tabs_of_phones(actor: User, customer: Customer, current: str) -> list[Tab]:
    """The list of phones, and beside it the SBCs for whoever may see them."""
    if not rights.can(actor, Verb.WHOLE, customer=customer):
        return []
    return [
        Tab(_("Phones"), reverse("phones", args=[customer.slug]), current == "phones"),
        Tab(_("SBCs"), reverse("sbc_list", args=[customer.slug]), current == "sbc"),
    ]


@require_safe
@in_customer()
def phones(request: PortalRequest, customer: Customer) -> HttpResponse:
    """All phones with how they are doing: searched, and narrowed to those that need somebody."""
    now = timezone.now()
    mine = phones_in_sight(request.user, customer).alias(doing=doing(now))
    counts: dict[str, int] = {}
    state = ListState.of(shape(counts, now), request.GET, request.path)
    # How many each value of a filter would show, whichever is chosen of it.
    counts |= counted(
        mine.filter(state.condition("state", "presence")),
        now,
        in_presence=state.condition_of("presence"),
        in_state=state.condition_of("state"),
    )
    page = state.page_of(state.rows(selectors.light(mine)))
    return show_list(
        request,
        "phones/all.html",
        state,
        page,
        {
            "rows": [_line(customer, phone, now) for phone in page],
            "headings": [
                state.heading(_("MAC address"), "mac"),
                state.heading(_("Phone model"), "model"),
                state.heading(_("User"), "user"),
                state.heading(_("State")),
                state.heading(_("Last seen"), "seen"),
            ],
            "beside": tabs_of_phones(request.user, customer, "phones"),
            "gauge": user_selectors.gauge(customer),
            "breadcrumbs": [(_("Phones"), None)],
        },
    )


def shape(counts: Mapping[str, int], now: datetime) -> Shape:
    """What the list of phones can be asked for; `counts`: how many each value would show, by the time the chips are drawn."""
    return Shape(
        search=matching,
        search_label=gettext_lazy("MAC, extension, name or model"),
        filters=[
            Filter(
                "state",
                gettext_lazy("State"),
                lambda name: Q(doing=name),
                lambda: [(name, f"{label} ({counts[name]})") for name, label in STATES.items()],
                flat=True,
            ),
            Filter(
                "presence",
                gettext_lazy("Presence"),
                lambda name: present(now, name),
                lambda: [(name, f"{label} ({counts[name]})") for name, label in PRESENCES.items()],
                flat=True,
            ),
        ],
        orders={
            "user": (F("user__number").asc(nulls_last=True), "pk"),
            "mac": ("mac",),
            "model": ("model", F("user__number").asc(nulls_last=True), "pk"),
            "seen": (last_seen_column().asc(nulls_first=True), "pk"),
        },
    )


def _address(record: Sbc) -> str:
    """Where the phones at its site send their calls, or what is missing for that."""
    if record.address is None:
        return _("Local address missing: enter it.")
    return f"{record.address}:{record.port}"


SBCS = SheetPages(
    name="sbc",
    path="sbcs",
    sheet=sbc_sheet,
    icon="server",
    see=Verb.WHOLE,
    title=gettext_lazy("SBCs"),
    new=gettext_lazy("New SBC"),
    lead=lambda record: record.name,
    cells=(
        Cell(gettext_lazy("Name"), str, order="name"),
        Cell(gettext_lazy("Type"), lambda record: record.get_kind_display(), order="kind"),
        Cell(gettext_lazy("ID in files"), lambda record: record.identifier, order="identifier"),
        Cell(gettext_lazy("Local address"), _address, order="address"),
        Cell(
            gettext_lazy("Phones"),
            lambda record: record.behind,
            lambda customer, record: (
                f"{reverse('phones', args=[customer.slug])}?{urlencode({'q': record.name})}"
            ),
            order="behind",
        ),
    ),
    rows=lambda actor, customer: Sbc.objects.visible_to(actor).of(customer).annotate(behind=Count("phones")),
    search=lambda text: (
        named("name", text)
        | Q(address__icontains=plainly(text))
        | Q(identifier__icontains=plainly(text))
        | Q(identifier=identifier_said(text))
    ),
    search_label=gettext_lazy("Name, ID or address"),
    empty=gettext_lazy("Phones outside the PBX's own network should ideally connect through an SBC."),
    beside=tabs_of_phones,
)
