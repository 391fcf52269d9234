"""Whether the phone system of a customer is back: what a page asks for that says it is away."""

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from asterisk.link import away
from pbxadmin.common.http import PortalRequest
from users.models import Customer
from users.road.pages.doors import in_customer


@require_safe
@in_customer()
def phone_system(request: PortalRequest, customer: Customer) -> HttpResponse:
    """The sentence as it is now; where it was away until a moment ago, that it is back."""
    if not request.htmx:
        return redirect("customer_home", customer.slug)
    found = away.of(customer)
    return render(
        request,
        "partials/phone_system.html",
        {"phone_system_away": found, "back": found is None},
    )
