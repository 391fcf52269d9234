"""The registered devices of a person, as they are this moment: what the tabs "Téléphone IP" and "Options" ask for every five seconds, and a page
of its own."""

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from pbxadmin.common.http import PortalRequest
from phones import registered
from users import rights
from users.models import Customer, User
from users.road.pages.doors import of_person


@require_safe
@of_person(rights.Verb.SEE)
def user_devices(request: PortalRequest, customer: Customer, person: User) -> HttpResponse:
    """Which of their devices are registered, and which of these is the phone that `?phone=` names."""
    facts = registered.facts(request.user, customer, person, request.GET.get("phone", ""))
    if request.htmx and not request.htmx.boosted:
        return render(request, "phones/devices.html", facts)
    trail = [
        (_("Users"), reverse("users", args=[customer.slug])),
        (person.full_name, reverse("user_tab", args=[customer.slug, person.number, "phone"])),
        (_("Registered devices"), None),
    ]
    return render(request, "phones/devices_page.html", {**facts, "breadcrumbs": trail})
