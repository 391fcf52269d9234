""" "Can't sign in": what stands in the way of a person's signing in, and the buttons that take it away, in one place."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from pbxadmin.common.http import PortalRequest, RequestFacts
from signin import credentials
from users import rights, road
from users.mail import letters
from users.models import Customer, User
from users.people import access
from users.people.views.editor import frame_of
from users.road.pages.doors import of_person


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@of_person()
def user_sign_in(request: PortalRequest, customer: Customer, person: User) -> HttpResponse:
    """How it stands; a POST unblocks, sends or shows a link, or takes the second factor away."""
    link = ""
    if request.method == "POST":
        do = DOES.get(request.POST.get("do", ""))
        if do is None:
            return redirect("user_sign_in", customer.slug, person.number)
        try:
            link = do(request, customer, person)
        except road.RefusedError:
            raise PermissionDenied(_why_not(request.user, customer, person)) from None
        if not link:
            return redirect("user_sign_in", customer.slug, person.number)
    standing = access.standing_of(person)
    actor = request.user
    may_edit = rights.can(actor, rights.Verb.EDIT, person, customer)
    whole = rights.acts_on_whole_customer(actor)
    facts: dict[str, Any] = {
        "standing": standing,
        "places": [(place, _where(place) if whole else "") for place in standing.places],
        # Where they were themselves stands in the event log; where others have tried is told to whoever acts on the whole customer.
        "known_from": standing.last_from if rights.can(actor, rights.Verb.HISTORY, customer=customer) else "",
        "required": person.needs_second_factor,
        "codes_until": standing.device.waits_until() if standing.device else None,
        "email_signs_in": credentials.signs_in_with_email(person, shared=standing.shares_email),
        "may_unblock": may_edit and standing.can_be_unblocked,
        "may_mail": may_edit and letters.has_an_address(person),
        "may_show": may_edit and person.is_active and rights.can(actor, rights.Verb.REVEAL, person, customer),
        "why_no_factor": access.why_no_factor(actor, person, customer),
        "link": link,
    }
    frame = frame_of(actor, customer, person, "")
    frame["breadcrumbs"] = [
        frame["breadcrumbs"][0],
        (person.full_name, reverse("user_tab", args=[customer.slug, person.number, "general"])),
        (_("Can't sign in"), None),
    ]
    return render(request, "users/sign_in.html", {**frame, **facts, "title": _("Can't sign in")})


def _where(place: Any) -> str:
    return _("a browser in which they have signed in") if place.is_browser else place.origin


def _why_not(actor: User, customer: Customer, person: User) -> str:
    refusal = rights.why_not(actor, rights.Verb.EDIT, person, customer) or access.why_no_factor(
        actor, person, customer
    )
    return str(refusal or _("This person's extension is disabled."))


def _unblock(request: PortalRequest, customer: Customer, person: User) -> str:
    count = access.unblock(request.user, customer, person, RequestFacts.of(request))
    said = ngettext(
        "%(count)s failed try was forgotten: they can try again at once.",
        "%(count)s failed tries were forgotten: they can try again at once.",
        count,
    )
    messages.success(request, said % {"count": count})
    return ""


def _mail(request: PortalRequest, customer: Customer, person: User) -> str:
    if access.send_link(request.user, customer, person, RequestFacts.of(request)):
        messages.success(
            request, _("A link to set a password will be sent to %(email)s.") % {"email": person.email}
        )
    else:
        messages.error(request, _("No email reaches this person: they have no address, or can't sign in."))
    return ""


def _show(request: PortalRequest, customer: Customer, person: User) -> str:
    return access.show_link(request.user, customer, person, RequestFacts.of(request))


def _factor(request: PortalRequest, customer: Customer, person: User) -> str:
    if access.take_factor(request.user, customer, [person.pk], RequestFacts.of(request)):
        messages.success(
            request, _("The second factor of %(name)s was taken away.") % {"name": person.full_name}
        )
    else:
        messages.info(request, _("This person has no second factor set up."))
    return ""


DOES: dict[str, Callable[[PortalRequest, Customer, User], str]] = {
    "unblock": _unblock,
    "mail": _mail,
    "show": _show,
    "factor": _factor,
}
