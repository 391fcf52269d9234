"""What every page of the portal shows around its content."""

from dataclasses import dataclass
from functools import partial
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from asterisk.link import away
from signin import second_factor
from talk import visits
from users import rights
from users.models import Customer


@dataclass(frozen=True)
class Entry:
    """One line of the rail."""

    label: str
    url: str
    icon: str
    current: bool


def portal_frame(request: HttpRequest) -> dict[str, Any]:
    """The rail, where other customers are picked, and what the reader may do; nothing for whoever isn't signed in."""
    actor = getattr(request, "user", None)
    if actor is None or not actor.is_authenticated or hasattr(request, "host_slug"):
        # A customer's own host has no pages of the portal to lead to.
        return {}
    if second_factor.is_due(actor) and not second_factor.is_verified(request):
        # Half signed in: the password alone shows nothing, not even which customers there are.
        return {}
    if request.resolver_match is not None and request.resolver_match.app_name == "admin":
        return {}  # the support desk has a frame of its own
    customer = getattr(request, "customer", None)
    frame: dict[str, Any] = {"customer": customer, "may": rights.facts(actor, customer)}
    if actor.is_staff:
        frame |= {"customers_url": reverse("customers"), "pick_url": reverse("customers_pick")}
        if customer is not None and customer.suspended:
            frame["suspension_url"] = reverse("customer_suspension", args=[customer.slug])
    # Of one customer; whoever administers one looks for things of theirs from the own pages too.
    searched = customer or (None if actor.is_staff else actor.customer)
    if searched is not None and rights.administers(actor):
        frame["search_url"] = reverse("search", args=[searched.slug])
        # Asked by the pages alone that say it.
        frame["phone_system_away"] = partial(away.of, searched)
    elif actor.is_staff:
        frame["search_url"] = reverse("search_everywhere")
    found = entries(actor, customer)
    here = [
        url for _l, url, _i, deep in found if request.path == url or (deep and request.path.startswith(url))
    ]
    # One line alone says where one is: of a page and what lies below it, the nearer.
    nearest = max(here, key=len, default="")
    frame["nav"] = [Entry(label, url, icon, url == nearest) for label, url, icon, _deep in found]
    return frame


def entries(actor: Any, customer: Customer | None) -> list[tuple[str, str, str, bool]]:
    """The lines of the rail: label, address, drawing, and whether deeper addresses belong to it."""
    found = []
    own_pages = customer is None and not actor.is_staff
    if own_pages and rights.administers(actor):
        customer = actor.customer  # their own pages stand within the same rail
    if customer is not None and rights.administers(actor):
        found.append((_("Home"), reverse("customer_home", args=[customer.slug]), "home", False))
        found.append((_("Users"), reverse("users", args=[customer.slug]), "users", True))
        for label, name, icon in (
            (pgettext("heading", "Departments"), "department_list", "departments"),
            (_("Phones"), "phones", "phone"),
            (pgettext("heading", "DID numbers"), "did_list", "number"),
            (pgettext("heading", "System extensions"), "system_extension_list", "loop"),
            (_("Greetings"), "company_greetings_page", "voicemail"),
        ):
            found.append((label, reverse(name, args=[customer.slug]), icon, True))
        found.append((_("Import / Export"), reverse("files", args=[customer.slug]), "file", True))
        found.append((_("Simulator"), reverse("simulator", args=[customer.slug]), "divert", False))
        found.append((_("Settings"), reverse("settings_start", args=[customer.slug]), "settings", True))
        if rights.can(actor, rights.Verb.HISTORY, customer=customer):
            found.append((_("History"), reverse("history", args=[customer.slug]), "history", True))
        if actor.is_staff:
            found.append((pgettext("menu", "Support desk"), reverse("admin:index"), "handset", False))
    elif actor.is_staff:
        found.append((_("Customers"), reverse("customers"), "customers", False))
        found.append((_("History"), reverse("audit"), "history", False))
        found.append((pgettext("menu", "Support desk"), reverse("admin:index"), "handset", False))
    if own_pages:
        found.append((_("My page"), reverse("own_page"), "user", True))
        found.append((_("Colleagues"), reverse("own_colleagues"), "users", False))
        if visits.may_have_visitors(actor):
            found.append((_("Visitors"), reverse("own_visitors"), "users", False))
    return found
