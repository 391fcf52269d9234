"""Every phone of a customer on one page, and the pages of its SBCs."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.db.models import Count, Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from pbxadmin.common.columns import Text
from pbxadmin.common.http import PortalRequest
from pbxadmin.common.searching import named
from pbxadmin.common.values.signs import folded, plainly, words_of
from phones import selectors
from phones.models import Phone, Sbc
from phones.settings.columns import SEPARATORS
from phones.sites.overview import silent
from phones.sites.sections import sbc_sheet
from phones.vendors import models
from users import rights
from users.models import Customer, User
from users.people import selectors as user_selectors
from users.rights import Verb
from users.road.pages.doors import in_customer
from users.road.pages.sheet_pages import Cell, SheetPages, Tab

PAGE_SIZE = 50


# --- Questions ----------------------------------------------------------------------------------------------------
def phones_in_sight(actor: User, customer: Customer) -> "QuerySet[Phone]":
    """The phones of whom `actor` administers, and those in stock for whoever acts on the whole customer; without secrets."""
    people = User.objects.visible_to(actor).of(customer).filter(rights.administered_by(actor))
    condition = Q(user__in=people)
    if rights.acts_on_whole_customer(actor):
        condition |= Q(user=None)
    return selectors.light(Phone.objects.visible_to(actor).of(customer).filter(condition)).order_by(
        "user__number", "pk"
    )


def states(now: datetime) -> dict[str, tuple[Text, Q]]:
    """How phones may be doing, for the filter: {name in the address: (in words, condition over phones)}; each is in one."""
    stock, never = Q(user=None), Q(fetched_at=None)
    is_silent = silent(now) & ~never & ~stock
    return {
        "silent": (gettext_lazy("Silent"), is_silent),
        "waiting": (
            gettext_lazy("Waiting"),
            ~stock & ~never & ~is_silent & (Q(stale_since__isnull=False) | Q(command_at__isnull=False)),
        ),
        "never": (gettext_lazy("Never connected"), ~stock & never),
        "current": (gettext_lazy("Up to date"), ~stock & ~never & Q(stale_since=None, command_at=None)),
        "stock": (gettext_lazy("In stock"), stock),
    }


def matching(text: str) -> Q:
    """The condition over phones that a search means: MAC by part, model by name, extension or name of the user."""
    text = plainly(text).strip()
    digits = SEPARATORS.sub("", text).lower()
    words = folded(text)
    slugs = [model.slug for model in models() if words and words in folded(model.display_name)]
    condition = Q(model__in=slugs) | Q(user__number=text) | named("sbc__name", text)
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
    url: str
    give_url: str = ""  # of a phone in stock: who is in this list with those may give them


def _line(customer: Customer, phone: Phone, now: datetime) -> Line:
    url = (
        f"{reverse('user_tab', args=[customer.slug, phone.user.number, 'phone'])}?phone={phone.mac}"
        if phone.user
        else ""
    )
    give = "" if phone.user else reverse("phone_give", args=[customer.slug, phone.mac])
    return Line(phone, selectors.model_of(phone).display_name, selectors.state(phone, now), url, give)


# --- Pages --------------------------------------------------------------------------------------------------------
def tabs_of_phones(actor: User, customer: Customer, current: str) -> list[Tab]:
    """The list of phones, and beside it the SBCs for whoever may see them."""
    if not rights.can(actor, Verb.CUSTOMER, customer=customer):
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
    known = states(now)
    text = request.GET.get("q", "").replace("\0", "").strip()[:100]
    chosen = request.GET.get("state", "") if request.GET.get("state", "") in known else ""
    mine = phones_in_sight(request.user, customer)
    found = mine.filter(matching(text)) if text else mine
    counts: dict[str, Any] = found.order_by().aggregate(
        **{name: Count("pk", filter=condition) for name, (_label, condition) in known.items()}
    )
    if chosen:
        found = found.filter(known[chosen][1])
    page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
    kept = {"q": text} if text else {}
    return render(
        request,
        "phones/all.html",
        {
            "rows": [_line(customer, phone, now) for phone in page],
            "page": page,
            "beside": tabs_of_phones(request.user, customer, "phones"),
            "filters": [
                {
                    "label": f"{label} ({counts[name]})",
                    "value": name == chosen,
                    "url": "?" + urlencode(kept | ({} if name == chosen else {"state": name})),
                }
                for name, (label, _condition) in known.items()
                if counts[name] or name == chosen
            ],
            "search": {"name": "q", "value": text, "label": _("MAC, extension, name or model")},
            "hidden": [("state", chosen)] if chosen else [],
            "narrowed": bool(text or chosen),
            "query_text": urlencode(kept | ({"state": chosen} if chosen else {})),
            "gauge": user_selectors.gauge(customer),
            "breadcrumbs": [(_("Phones"), None)],
        },
    )


SBCS = SheetPages(
    name="sbc",
    path="sbcs",
    sheet=sbc_sheet,
    icon="server",
    see=Verb.CUSTOMER,
    title=gettext_lazy("SBCs"),
    new=gettext_lazy("New SBC"),
    lead=lambda record: record.name,
    cells=(
        Cell(gettext_lazy("Name"), str),
        Cell(gettext_lazy("Type"), lambda record: record.get_kind_display()),
        Cell(gettext_lazy("Local address"), lambda record: f"{record.address}:{record.port}"),
        Cell(
            gettext_lazy("Phones"),
            lambda record: record.behind,
            lambda customer, record: (
                f"{reverse('phones', args=[customer.slug])}?{urlencode({'q': record.name})}"
            ),
        ),
    ),
    rows=lambda actor, customer: Sbc.objects.visible_to(actor).of(customer).annotate(behind=Count("phones")),
    search=lambda text: named("name", text) | Q(address__icontains=plainly(text)),
    search_label=gettext_lazy("Name or address"),
    empty=gettext_lazy("Phones outside the PBX's own network should ideally connect through an SBC."),
    beside=tabs_of_phones,
)
