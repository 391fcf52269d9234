"""Searching for a colleague by name or extension, while one is typed."""

from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from pbxadmin.common.http import PortalRequest
from pbxadmin.common.values.signs import folded, words_of
from users.access import signed_in_user
from users.models import Customer, SystemExtension, User
from users.road import finding
from users.road.pages.doors import in_customer

MOST_OFFERED = 20


@require_safe
@in_customer()
def destination_search(request: PortalRequest, customer: Customer) -> HttpResponse:
    """The colleagues whose name or extension fits what is being typed, for the picker's list; ring groups, queues and digital
    receptionists as well where the picker takes them (`systems`)."""
    return _offer(request, customer)


@require_safe
def own_destination_search(request: PortalRequest) -> HttpResponse:
    """The same for somebody's own pages."""
    return _offer(request, finding.own_person(signed_in_user(request)).customer)


def _offer(request: PortalRequest, customer: Customer | None) -> HttpResponse:
    text = request.GET.get(request.GET.get("typed", "q"), "").replace("\0", "")[:60]
    condition = Q()
    for word in words_of(text):
        condition &= Q(search_text__contains=word)
    systems: list[SystemExtension] = []
    if request.GET.get("systems") == "1":
        wanted = words_of(text)
        systems = [
            system
            for system in SystemExtension.objects.visible_to(request.user).of(customer).order_by("number")
            if all(word in folded(f"{system.number} {system.name}") for word in wanted)
        ]
    found = User.objects.visible_to(request.user).of(customer).filter(condition, hidden=False, disabled=False)
    return render(
        request,
        "users/offered.html",
        {
            "people": found.only("number", "first_name", "last_name")[:MOST_OFFERED],
            "systems": systems[:MOST_OFFERED],
        },
    )
