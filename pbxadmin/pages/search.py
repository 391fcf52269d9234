"""The one search in the header: people, phones, numbers, groups, departments and pages of a customer, as far as the reader sees them.

It asks the lists themselves: what a list finds is found here, and what it doesn't show to somebody isn't. One query for each kind,
whatever is found. Support staff look over all customers at once (`everywhere`), here with this customer's first.
"""

from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlencode

from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_safe

from pbxadmin.common.columns import Text
from pbxadmin.common.http import PortalRequest
from pbxadmin.common.values.signs import folded, words_of
from pbxadmin.pages import everywhere
from pbxadmin.pages.context import entries
from pbxadmin.pages.hits import IN_BOX, ON_PAGE, Group, Hit, asked, facts_of, url_of_phone
from phones import selectors as phones
from phones.sites import views as sites
from users import rights
from users.company.sheets import customer_sheet
from users.company.views import company, numbers
from users.models import Customer, User
from users.people.sections import user_sheet
from users.road.finding import NOT_IN_LISTS
from users.road.pages.doors import in_customer
from users.road.pages.sheet_pages import SheetPages

# The lists of what belongs to the company, and what tells their records apart beside their name.
LISTS: Sequence[tuple[SheetPages, Callable[[Any], str]]] = (
    (numbers.NUMBERS, lambda number: " · ".join(filter(None, [number.name, str(number.answers or "")]))),
    (company.SYSTEM_EXTENSIONS, lambda extension: extension.get_kind_display()),
    (company.DEPARTMENTS, lambda department: ""),
    (sites.SBCS, lambda sbc: sbc.get_kind_display()),
)


def find(actor: User, customer: Customer, text: str, most: int) -> list[Group]:
    """What `text` finds, kind by kind, at most so many of each; kinds of which there is nothing are left out."""
    groups = [
        _people(actor, customer, text, most),
        _phones(actor, customer, text, most),
        *(
            _listed(pages, note, actor, customer, text, most)
            for pages, note in LISTS
            if rights.can(actor, pages.see, customer=customer)
        ),
        _pages(actor, customer, text, most),
    ]
    return [group for group in groups if group.hits]


def _group(title: Text, icon: str, hits: list[Hit], most: int, list_url: str, text: str) -> Group:
    """`hits` may be one more than are shown: then there are others."""
    more = f"{list_url}?{urlencode({'q': text})}" if len(hits) > most and list_url else ""
    return Group(title, icon, hits[:most], more)


def _people(actor: User, customer: Customer, text: str, most: int) -> Group:
    condition = Q(pk__in=[])
    for section in user_sheet().sections:
        if section.adds.search:
            condition |= section.adds.search(text)
    found = (
        User.objects.visible_to(actor)
        .of(customer)
        .filter(rights.administered_by(actor) & condition)
        .select_related("primary_department")
        .defer(*NOT_IN_LISTS)
        .order_by("sort_name", "number")[: most + 1]
    )
    hits = [
        Hit(
            str(person),
            person.primary_department.name if person.primary_department else "",
            reverse("user_tab", args=[customer.slug, person.number, "general"]),
        )
        for person in found
    ]
    return _group(_("Users"), "user", hits, most, reverse("users", args=[customer.slug]), text)


def _phones(actor: User, customer: Customer, text: str, most: int) -> Group:
    found = phones.light(sites.phones_in_sight(actor, customer).filter(sites.matching(text)))
    found = found.order_by("user__number", "pk")[: most + 1]
    hits = [
        Hit(
            phone.mac_with_colons,
            " · ".join([phones.model_of(phone).display_name, str(phone.user or _("In stock"))]),
            url_of_phone(customer, phone),
        )
        for phone in found
    ]
    return _group(_("Phones"), "phone", hits, most, reverse("phones", args=[customer.slug]), text)


def _listed(
    pages: SheetPages, note: Callable[[Any], str], actor: User, customer: Customer, text: str, most: int
) -> Group:
    order = pages.sheet().model._meta.ordering or ()
    found: Any = pages.rows(actor, customer).filter(pages.search(text)).order_by(*order, "pk")[: most + 1]
    hits = [Hit(pages.lead(record), note(record), pages.url(customer, record)) for record in found]
    return _group(pages.title, pages.icon, hits, most, pages.list_url(customer), text)


def _pages(actor: User, customer: Customer, text: str, most: int) -> Group:
    """The pages of the rail and of the settings, and what is done from one of them; by their name. No query."""
    settings = _("Settings")
    known = [(label, "", url) for label, url, _icon, _deep in entries(actor, customer)]
    if rights.can(actor, rights.Verb.WHOLE, customer=customer):
        known += [
            (str(section.title), settings, reverse("customer_settings", args=[customer.slug, section.slug]))
            for section in customer_sheet().sections
            if section.columns
        ]
    known.append((pgettext("heading", "Roles"), settings, reverse("roles", args=[customer.slug])))
    if rights.can(actor, rights.Verb.CREATE, customer=customer):
        known.append((_("New user"), _("Users"), reverse("user_create", args=[customer.slug])))
    if actor.customer_id:
        known.append((_("My page"), "", reverse("own_page")))
    words = words_of(text)
    hits = [
        Hit(label, note, url)
        for label, note, url in dict.fromkeys(known)
        if all(word in folded(f"{label} {note}") for word in words)
    ]
    return _group(pgettext("heading", "Pages"), "file", hits, most, "", text)


# --- The page, and the list below the box -------------------------------------------------------------------------
@require_safe
@in_customer()
def search(request: PortalRequest, customer: Customer) -> HttpResponse:
    """What was found as a page; to the box in the header the same as the options of its list."""
    text, in_box = asked(request)
    most = IN_BOX if in_box else ON_PAGE
    actor, groups = request.user, []
    if text and actor.is_staff:
        groups = [*everywhere.find(actor, text, most, customer), _pages(actor, customer, text, most)]
    elif text:
        groups = find(actor, customer, text, most)
    groups = [group for group in groups if group.hits]
    template = "pages/search_options.html" if in_box else "pages/search.html"
    everywhere_url = reverse("search_everywhere") if actor.is_staff else ""
    if text and everywhere_url:
        everywhere_url += f"?{urlencode({'q': text})}"
    return render(request, template, {**facts_of(request, text, groups), "everywhere_url": everywhere_url})
