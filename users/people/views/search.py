"""Searching for a colleague by name or extension, while one is typed."""

from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from pbxadmin.common.http import PortalRequest
from pbxadmin.common.values.signs import words_of
from users.access import signed_in_user
from users.models import Customer, User
from users.road import finding
from users.road.pages.doors import in_customer

MOST_OFFERED = 20


@require_safe
@in_customer()
def destination_search(request: PortalRequest, customer: Customer) -> HttpResponse:
    """The colleagues whose name or extension fits what is being typed, for the picker's list."""
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
    found = User.objects.visible_to(request.user).of(customer).filter(condition, hidden=False, disabled=False)
    return render(
        request,
        "users/offered.html",
        {"people": found.only("number", "first_name", "last_name")[:MOST_OFFERED]},
    )
