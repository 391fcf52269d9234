"""What a search finds, as the list below the box and the page of results show it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _

from pbxadmin.common.columns import Text
from pbxadmin.common.http import PortalRequest
from phones.models import Phone
from users.models import Customer

# Of each kind, in the list below the box and on the page of results.
IN_BOX, ON_PAGE = 5, 20
LONGEST = 100


@dataclass(frozen=True)
class Hit:
    """One thing that was found: how it is called, what else tells it apart, and where it is."""

    label: str
    note: str
    url: str
    customer: str = ""  # whose it is, where several customers are searched
    states: Sequence[
        tuple[str, str]
    ] = ()  # how it is doing: tone and words of each, as `partials/state.html` takes them


@dataclass(frozen=True)
class Group:
    """What was found of one kind; where that isn't all, the list that has it."""

    title: Text
    icon: str
    hits: Sequence[Hit]
    more_url: str = ""


def url_of_phone(customer: Customer, phone: Phone) -> str:
    """The tab of whoever uses it; of one in stock the page where it is given to somebody."""
    if phone.user is None:
        return reverse("phone_give", args=[customer.slug, phone.mac])
    return f"{reverse('user_tab', args=[customer.slug, phone.user.number, 'phone'])}?phone={phone.mac}"


def asked(request: PortalRequest) -> tuple[str, bool]:
    """What is sought, and whether it is for the list below the box."""
    text = request.GET.get("q", "").replace("\0", "").strip()[:LONGEST]
    return text, bool(request.htmx) and request.htmx.target == "search-list"


def facts_of(request: PortalRequest, text: str, groups: Sequence[Group]) -> Mapping[str, Any]:
    """What the templates of a search take."""
    return {
        "text": text,
        "groups": groups,
        "count": sum(len(group.hits) for group in groups),
        "more": any(group.more_url for group in groups),
        "all_url": f"{request.path}?{urlencode({'q': text})}",
        "breadcrumbs": [(_("Search"), None)],
    }
