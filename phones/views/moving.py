"""What of the tab "Téléphone IP" has a form of its own: the logo, and who uses the phone."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from pbxadmin.common.columns import Scope
from pbxadmin.common.http import PortalRequest, RequestFacts
from phones import selectors, services
from phones.models import Phone
from phones.settings import logos
from phones.settings.form import settings_form
from phones.views.tab import of_phone, show, tab_url
from users import rights, road
from users.models import Customer, User
from users.road import Outcome
from users.road.finding import gauge
from users.road.meant import person_meant
from users.road.pages.doors import in_customer, require
from users.road.pages.saving import tell_warnings

MEANWHILE = gettext_lazy("Somebody else changed this phone in the meantime. Check it again.")


def show_refused(
    request: PortalRequest, customer: Customer, person: User, phone: Phone, **facts: Any
) -> HttpResponse:
    """The tab again, with what is wrong beside the form that was sent."""
    phones = list(selectors.phones_of(request.user, customer, person))
    form = settings_form(Scope(request.user, customer), phone)
    return show(request, customer, person, phones, phone, form, 422, **facts)


# --- The logo ---
@require_http_methods(["GET", "HEAD", "POST"])
@of_phone(rights.Verb.SEE)
def phone_logo(request: PortalRequest, customer: Customer, person: User, phone: Phone) -> HttpResponse:
    """The logo as the phone shows it; a POST chooses another one, or none."""
    if request.method == "POST":
        return choose_logo(request, customer, person, phone)
    logo = logos.logo_of(phone, customer)
    if logo is None:
        raise Http404
    try:
        response = HttpResponse(logo.content(), content_type=logo.content_type)
    except OSError:
        raise Http404 from None
    response["Cache-Control"] = "private, no-cache"
    return response


def choose_logo(request: PortalRequest, customer: Customer, person: User, phone: Phone) -> HttpResponse:
    """Take over the picture that was sent, or remove the present one."""
    require(request.user, rights.Verb.EDIT, person, customer)
    upload = None if "remove" in request.POST else request.FILES.get("logo")
    if upload is None and "remove" not in request.POST:
        return show_refused(request, customer, person, phone, logo_errors=[_("Choose a picture first.")])
    done = services.logo_change(request.user, customer, phone, upload, RequestFacts.of(request))
    if done.outcome is Outcome.REFUSED:
        return show_refused(request, customer, person, phone, logo_errors=done.row.sentences)
    if done.outcome is Outcome.CONFLICT:
        messages.warning(request, MEANWHILE)
    saved = "&saved=1" if done.outcome is Outcome.SAVED else ""
    return redirect(tab_url(customer, person, phone) + saved)


# --- Who uses it ---
@require_POST
@of_phone(rights.Verb.COMMAND)
def phone_move(request: PortalRequest, customer: Customer, person: User, phone: Phone) -> HttpResponse:
    """Give the phone to somebody else, or back to the stock."""
    typed = request.POST.get("person", "")
    other = None
    try:
        if "stock" not in request.POST:
            other = person_meant(request.user, customer, typed)
        refused, plan = move(request, customer, phone, other)
    except ValidationError as error:
        refused, plan = error.messages, None
    if plan is None or refused:
        return show_refused(request, customer, person, phone, move_errors=refused, move_typed=typed)
    return redirect(tab_url(customer, other, phone) if other else tab_url(customer, person))


def move(
    request: PortalRequest, customer: Customer, phone: Phone, person: User | None
) -> tuple[list[str], road.Plan]:
    """Move a phone and say so; what stands against it, and the plan."""
    plan = services.phone_move_plan(request.user, customer, phone, person)
    done = road.commit(plan, RequestFacts.of(request))
    if done.outcome is Outcome.CONFLICT:
        return [str(MEANWHILE)], plan
    if done.outcome is Outcome.REFUSED:
        return done.row.sentences, plan
    facts = {"mac": phone.mac_with_colons, "user": person}
    if done.outcome is Outcome.UNCHANGED:
        messages.info(request, _("Nothing to save: everything is as it was."))
    elif person is not None:
        messages.success(request, _("The phone %(mac)s now belongs to %(user)s.") % facts)
    else:
        messages.success(request, _("The phone %(mac)s is in stock now.") % facts)
    tell_warnings(request, done.row)
    return [], plan


@require_http_methods(["GET", "HEAD", "POST"])
@in_customer(rights.Verb.CUSTOMER)
def phone_give(request: PortalRequest, customer: Customer, mac: str) -> HttpResponse:
    """Give a phone of the stock to a person."""
    phone = selectors.phones_in_stock(request.user, customer).filter(mac=mac).first()
    if phone is None:
        raise Http404
    typed = request.POST.get("person", "")
    errors: list[str] = []
    if request.method == "POST":
        try:
            person = person_meant(request.user, customer, typed)
            errors, _plan = move(request, customer, phone, person)
        except ValidationError as error:
            errors = error.messages
        if not errors:
            return redirect(tab_url(customer, person, phone))
    return render(
        request,
        "phones/give.html",
        {
            "phone": phone,
            "model": selectors.model_of(phone),
            "errors": errors,
            "typed": typed,
            "cancel_url": reverse("phones", args=[customer.slug]),
            "gauge": gauge(customer),
            "breadcrumbs": [
                (_("Phones"), reverse("phones", args=[customer.slug])),
                (_("Assign to a person"), None),
            ],
        },
        status=422 if errors else 200,
    )
