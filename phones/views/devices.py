"""The registered devices of a person, as they are this moment: a fragment of the tabs "Téléphone IP" and "Options", and a page where no script
runs."""

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from pbxadmin.common.http import PortalRequest
from phones import registered, selectors
from users import rights
from users.models import Customer, User
from users.road.pages.doors import of_person


@require_safe
@of_person(rights.Verb.SEE)
def user_devices(request: PortalRequest, customer: Customer, person: User) -> HttpResponse:
    """Which of their devices are registered, and which of these is the phone that `?phone=` names."""
    known = registered.of(person)
    phones = {phone.mac: phone for phone in selectors.phones_of(request.user, customer, person)}
    shown = request.GET.get("phone", "")
    shown = shown if shown in phones else ""
    facts = {
        "customer": customer,
        "person": person,
        "known": known,
        "shown": shown,
        "devices": [
            (each, phones.get(each.phone), bool(shown) and each.phone == shown) for each in known.devices
        ],
    }
    if request.htmx and not request.htmx.boosted:
        return render(request, "phones/devices.html", facts)
    trail = [
        (_("Users"), reverse("users", args=[customer.slug])),
        (person.full_name, reverse("user_tab", args=[customer.slug, person.number, "phone"])),
        (_("Registered devices"), None),
    ]
    return render(request, "phones/devices_page.html", {**facts, "breadcrumbs": trail})
