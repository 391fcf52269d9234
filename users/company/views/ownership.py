"""The page that transfers the ownership: to whom, what becomes of the owner; first who becomes what, then the doing."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from pbxadmin.common.http import PortalRequest, RequestFacts
from users import rights
from users.company import ownership
from users.company.ownership import Transfer
from users.models import Customer, User
from users.road import Outcome, finding
from users.road.meant import person_meant
from users.road.pages.doors import in_customer

CONFLICT, REFUSED = 409, 422


@require_http_methods(["GET", "HEAD", "POST"])
@in_customer()
def customer_ownership(request: PortalRequest, customer: Customer) -> HttpResponse:
    """Ask; show who becomes what; do it, if that is still what happens."""
    found = ownership.may_hand_over(request.user, customer)
    if not found and (refusal := rights.why_not(request.user, rights.Verb.OWNERSHIP, customer=customer)):
        raise PermissionDenied(str(refusal))
    sent = request.POST if request.method == "POST" else request.GET
    owner = next((each for each in found if each.number == sent.get("from")), found[0] if found else None)
    role = sent.get("role", ownership.USUALLY)
    planned: Transfer | None = None
    field_error, error, status = "", "", 200
    if request.method == "POST" and owner is not None:
        try:
            heir = person_meant(request.user, customer, sent.get("heir", ""))
        except ValidationError as problem:
            field_error, status = " ".join(problem.messages), REFUSED
        else:
            planned = ownership.plan(request.user, customer, owner, heir, role)
            if planned.refusals:
                status = REFUSED
            elif "transfer" in sent:
                outcome = (
                    ownership.transfer(planned, RequestFacts.of(request))
                    if sent.get("seen") == planned.seen
                    else Outcome.CONFLICT
                )
                if outcome in (Outcome.SAVED, Outcome.UNCHANGED):
                    return _done(request, customer, planned)
                error = _("What would happen has changed in the meantime. Check it again below.")
                status = CONFLICT
                if outcome is Outcome.REFUSED:
                    error, status = " ".join(planned.refusals), REFUSED
    refused = planned is not None and bool(planned.refusals)
    return render(
        request,
        "users/ownership.html",
        {
            "owners": found,
            "owner": owner,
            "role": role,
            "roles": ownership.roles_after(),
            "heir": sent.get("heir", "")[:100],
            "field_error": field_error or (" ".join(planned.refusals) if refused and planned else ""),
            "helped": planned.heir
            if refused and planned and planned.heir != owner and planned.problems
            else None,
            "error": error,
            "preview": planned if planned and not refused else None,
            "gauge": finding.gauge(customer),
            "breadcrumbs": [
                (_("Users"), reverse("users", args=[customer.slug])),
                (_("Transfer of ownership"), None),
            ],
        },
        status=status,
    )


def _done(request: PortalRequest, customer: Customer, planned: Transfer) -> HttpResponse:
    """To the new owner's page, or to one's own where one doesn't administer any more."""
    told = _("%(heir)s is the system owner now. %(owner)s is: %(role)s.") % {
        "heir": planned.heir,
        "owner": planned.owner,
        "role": planned.plan.sheet.columns["role"].show(
            planned.plan.rows[0].value("role"), planned.plan.scope
        ),
    }
    messages.success(request, told)
    actor = User.objects.select_related("role").get(pk=request.user.pk)
    if rights.administers(actor) and rights.acts_on_whole_customer(actor):
        return redirect("user_tab", customer.slug, planned.heir.number, "general")
    return redirect("home")
