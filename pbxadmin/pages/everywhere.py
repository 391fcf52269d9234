"""The search of support staff: over all customers at once, on every page of the portal and of the desk.

Within a customer it finds the same, that customer's first. A word may stand in the record itself or in its customer's name ("roy laurier"),
but one of them in the record. Five queries, whatever is found and however many customers there are: people with the phones that
they have, phones, numbers, and in one question all that is known by its name.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from django.db.models import Case, CharField, F, IntegerField, Model, Q, QuerySet, TextField, Value, When
from django.db.models.functions import Cast, Coalesce
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_safe

from asterisk.models import Trunk
from pbxadmin.common.columns import Text
from pbxadmin.common.fields import phone_number_national
from pbxadmin.common.http import PortalRequest
from pbxadmin.common.searching import Said, anywhere, mac_sought
from pbxadmin.common.values.signs import folded, plainly, words_of
from pbxadmin.pages.hits import IN_BOX, ON_PAGE, Group, Hit, asked, facts_of, url_of_phone
from phones import selectors as phones
from phones.models import Phone, Sbc
from phones.presence import presence
from users.company import picking
from users.company.views.customers import only_support
from users.models import Customer, Department, Did, SystemExtension, User
from users.road.finding import NOT_IN_LISTS

CUSTOMER_WORDS = "customer__search_text"


def find(actor: User, text: str, most: int, first: Customer | None = None) -> list[Group]:
    """What `text` finds of all customers, kind by kind, at most so many of each; those of `first` come before the others'."""
    own = first.pk if first else 0
    people, dids = _people(actor, text, most, own), _numbers(actor, text, most, own)
    named = _named(actor, text, most, own)
    groups = [
        _group("customer", _("Customers"), "customers", named["customer"], most, text),
        _group("user", _("Users"), "user", people, most, text),
        _group("phone", _("Phones"), "phone", _phones(actor, text, most, own), most, text),
        _group("did", pgettext("heading", "DID numbers"), "number", dids, most, text),
        _group("extension", pgettext("heading", "System extensions"), "loop", named["extension"], most, text),
        _group("department", pgettext("heading", "Departments"), "departments", named["department"], most, text),
        _group("sbc", _("SBCs"), "server", named["sbc"], most, text),
        _group("trunk", _("SIP trunks"), "server", named["trunk"], most, text),
    ]  # fmt: skip
    return [group for group in groups if group.hits]


def _group(kind: str, title: Text, icon: str, hits: Sequence[Hit], most: int, text: str) -> Group:
    """`hits` may be one more than are shown: then there are others."""
    there = picking.LISTS[kind]() if kind in picking.LISTS and len(hits) > most else ""
    return Group(title, icon, hits[:most], f"{there}?{urlencode({'q': text})}" if there else "")


def _sought(model: type[Model], paths: Sequence[str], text: str, said: Mapping[str, Said] | None = None) -> Q:
    return anywhere(model, paths, text, said, beside=[CUSTOMER_WORDS])


def _nearest(own: int) -> Any:
    """The records of the customer whose pages one is on before all others."""
    return Case(When(customer=own, then=Value(0)), default=Value(1), output_field=IntegerField())


# --- People, with their phones ------------------------------------------------------------------------------------
def _signing_in(text: str) -> Q:
    """Whoever signs in with this name: extension@host name, as far as that was typed."""
    number, at, host = plainly(text).strip().lower().partition("@")
    if not (at and number.isascii() and number.isdecimal() and len(number) <= 5 and len(host) > 1):
        return Q(pk__in=[])
    return Q(number=number, customer__fqdn__startswith=host)


def _people(actor: User, text: str, most: int, own: int) -> list[Hit]:
    condition = _sought(User, ["search_text", "dids__number", *_macs(text, "phones__mac")], text)
    found = list(
        User.objects.visible_to(actor)
        .filter(condition | _signing_in(text), customer__isnull=False)
        .select_related("customer", "primary_department")
        .defer(*NOT_IN_LISTS)
        .order_by(_nearest(own), "sort_name", "customer__sort_name", "number")[: most + 1]
    )
    theirs: dict[Any, list[tuple[str, str]]] = {}
    for phone in phones.light(Phone.objects.filter(user__in=[person.pk for person in found])).order_by("pk"):
        theirs.setdefault(phone.user_id, []).append(_doing(phone, with_model=True))
    return [
        Hit(
            str(person),
            " · ".join(filter(None, [person.primary_department.name if person.primary_department else "", person.national_mobile])),
            reverse("user_tab", args=[_of(person).slug, person.number, "general"]),
            _of(person).name,
            [*_suspended(_of(person)), *theirs.get(person.pk, [])],
        )
        for person in found
    ]  # fmt: skip


def _of(person: User) -> Customer:
    assert person.customer is not None  # the question leaves out whoever has none
    return person.customer


def _suspended(customer: Customer) -> list[tuple[str, str]]:
    return [("bad", _("suspended"))] if customer.suspended else []


def _doing(phone: Phone, with_model: bool = False) -> tuple[str, str]:
    """How a phone is doing, as the portal draws it; that it isn't there comes before what it would have."""
    there, now = presence(phone), phones.state(phone)
    tone, words = (there.tone, there.sentence) if there.away else (now.tone, now.sentence)
    return tone, f"{phones.model_of(phone).name} : {words}" if with_model else words


# --- Phones -------------------------------------------------------------------------------------------------------
def _macs(text: str, path: str) -> list[str]:
    """The column of MACs where a part of one was typed: at least four digits, or two with a separator. An extension is none."""
    pieces = [folded(text), *words_of(text)]
    hexes = [piece for piece in pieces if len(piece) >= 4 and all(sign in "0123456789abcdef" for sign in piece)]  # fmt: skip
    return [path] if hexes or any(mac_sought(piece) for piece in pieces) else []


def _phones(actor: User, text: str, most: int, own: int) -> list[Hit]:
    paths = [*_macs(text, "mac"), *(["fetched_from"] if any(sign in text for sign in ".:") else [])]
    if not paths:
        return []
    found = (
        phones.light(Phone.objects.visible_to(actor).filter(_sought(Phone, paths, text)))
        .select_related("customer")
        .order_by(_nearest(own), "customer__sort_name", "mac")[: most + 1]
    )
    return [
        Hit(
            phone.mac_with_colons,
            " · ".join(filter(None, [phones.model_of(phone).display_name, str(phone.user or ""), phone.fetched_from or ""])),
            url_of_phone(phone.customer, phone),
            phone.customer.name,
            [_doing(phone)],
        )
        for phone in found
    ]  # fmt: skip


# --- Numbers ------------------------------------------------------------------------------------------------------
def _numbers(actor: User, text: str, most: int, own: int) -> list[Hit]:
    found = (
        Did.objects.visible_to(actor)
        .filter(_sought(Did, ["number", "name"], text))
        .select_related("customer", "user", "system_extension")
        .defer(*(f"user__{name}" for name in NOT_IN_LISTS))
        .order_by(_nearest(own), "customer__sort_name", "number")[: most + 1]
    )
    return [
        Hit(
            str(number),
            " · ".join(filter(None, [number.name, f"→ {number.answers or _('nobody')}"])),
            reverse("did_tab", args=[number.customer.slug, number.pk, "general"]),
            number.customer.name,
            _suspended(number.customer),
        )
        for number in found
    ]


# --- What is known by its name: one question for all kinds ----------------------------------------------------------
_COLUMNS = ("kind_", "key_", "place_", "sort_", "name_", "more_", "type_", "slug_", "customer_")


def _part(rows: QuerySet, kind: str, own: int, most: int, **texts: Any) -> Any:
    """The first rows of a kind, in the columns that all kinds have."""
    of = "" if kind == "customer" else "customer__"
    place = When(**{f"{of}pk": own}, then=Value(0))
    # The provider's own are nobody's.
    sort = Coalesce(F(f"{of}sort_name"), Value(""))
    ranked = rows.order_by(Case(place, default=Value(1)), sort, "pk")
    # SQLite takes no limit within a part of a union, but in a question that a part asks.
    return (
        rows.model._base_manager.filter(pk__in=ranked.values("pk")[: most + 1])
        .order_by()
        .annotate(
            kind_=Value(kind, CharField()),
            key_=F("pk"),
            place_=Case(place, default=Value(1), output_field=IntegerField()),
            sort_=Cast(sort, TextField()),
            name_=Cast(F("name"), TextField()),
            more_=Cast(texts.get("more", Value("")), TextField()),
            type_=Cast(texts.get("type", Value("")), TextField()),
            slug_=Cast(F(f"{of}slug"), TextField()),
            customer_=Cast(F(f"{of}name"), TextField()),
        )
        .values_list(*_COLUMNS)
    )


def _named(actor: User, text: str, most: int, own: int) -> Mapping[str, list[Hit]]:
    def rows(model: Any, *paths: str) -> QuerySet:
        found: QuerySet = model.objects.visible_to(actor).filter(_sought(model, paths, text))
        return found

    customers = Customer.objects.visible_to(actor).filter(anywhere(Customer, ["search_text"], text))
    suspended = Case(When(suspended=True, then=Value("suspended")), default=Value(""))
    question = _part(customers, "customer", own, most, more=F("fqdn"), type=suspended).union(
        _part(
            rows(Department, "name", "outbound_caller_id"),
            "department",
            own,
            most,
            more=F("outbound_caller_id"),
        ),
        _part(
            rows(SystemExtension, "number", "name"), "extension", own, most, more=F("number"), type=F("kind")
        ),
        _part(
            rows(Sbc, "name", "address", "identifier"), "sbc", own, most, more=F("address"), type=F("kind")
        ),
        _part(rows(Trunk, "name", "host", "networks"), "trunk", own, most, more=F("host")),
        all=True,
    )
    found: dict[str, list[Hit]] = {
        kind: [] for kind in ("customer", "department", "extension", "sbc", "trunk")
    }
    for row in sorted(question, key=lambda row: (row[2], row[3], folded(row[4]))):
        kind, key, _place, _sort, name, more, type_, slug, customer = row
        found[kind].append(_hit(kind, key, name, more or "", type_, slug or "", customer or ""))
    return found


def _hit(kind: str, key: int, name: str, more: str, type_: str, slug: str, customer: str) -> Hit:
    if kind == "customer":
        states = [("bad", _("suspended"))] if type_ else []
        return Hit(name, more, reverse("customer_home", args=[slug]), "", states)
    if kind == "department":
        return Hit(
            name,
            phone_number_national(more),
            reverse("department_tab", args=[slug, key, "general"]),
            customer,
        )
    if kind == "extension":
        said = str(SystemExtension.Kind(type_).label)
        return Hit(f"{more} {name}", said, reverse("system_extension_tab", args=[slug, key, "general"]), customer)  # fmt: skip
    if kind == "trunk":
        return Hit(name, more, f"{picking.LISTS['trunk']()}?{urlencode({'q': name})}", customer)
    said = " · ".join(filter(None, [str(Sbc.Kind(type_).label), more.removesuffix("/32")]))
    return Hit(name, said, reverse("sbc_tab", args=[slug, key, "general"]), customer)


# --- The page, and the list below the box -------------------------------------------------------------------------
@require_safe
def search_everywhere(request: PortalRequest) -> HttpResponse:
    """What was found of all customers, as `pbxadmin.pages.search` shows it of one."""
    only_support(request)
    text, in_box = asked(request)
    groups = find(request.user, text, IN_BOX if in_box else ON_PAGE) if text else []
    template = "pages/search_options.html" if in_box else "pages/search.html"
    return render(request, template, facts_of(request, text, groups))
