"""Suspending a customer and taking it back: a page that says what will happen, and a reason."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from pbxadmin.common.http import PortalRequest, RequestFacts
from users import rights
from users.company import suspension
from users.models import Customer
from users.road import Outcome, finding
from users.road.pages.conflicts import seen_version
from users.road.pages.doors import in_customer

CONFLICT, REFUSED = 409, 422


@require_http_methods(["GET", "HEAD", "POST"])
@in_customer(rights.Verb.SUPPORT)
def customer_suspension(request: PortalRequest, customer: Customer) -> HttpResponse:
    """Says what suspending means, or lifting it, and does it. What is to be done is in the form: two who press at once don't undo each other."""
    reason, error, field_error, status = "", "", "", 200
    if request.method == "POST":
        suspended = request.POST.get("do") != "lift"
        reason = request.POST.get("reason", "")
        made = suspension.plan(request.user, customer, suspended, reason, seen_version(request.POST))
        done = suspension.commit(made, RequestFacts.of(request))
        if done.outcome in (Outcome.SAVED, Outcome.UNCHANGED):
            if done.outcome is Outcome.SAVED:
                for sentence in (text for texts in done.row.warnings.values() for text in texts):
                    messages.warning(request, sentence)
                said = (
                    _("%(name)s is suspended.")
                    if suspended
                    else _("%(name)s is no longer suspended: it can sign in and call again.")
                )
                messages.success(request, said % {"name": customer})
            return redirect("customer_suspension", customer.slug)
        if done.outcome is Outcome.CONFLICT:
            status = CONFLICT
            error = _("Somebody else changed this in the meantime. Check it and confirm.")
        else:
            status = REFUSED
            field_error = " ".join(map(str, done.row.errors.get("suspended_reason", ())))
            error = "" if field_error else " ".join(map(str, done.row.sentences))
        customer = Customer.objects.get(pk=customer.pk)
        request.customer = customer
    return render(
        request,
        "users/suspension.html",
        {
            "meaning": suspension.meaning(customer),
            "reason": reason[:200],
            "error": error,
            "field_error": field_error,
            "gauge": finding.gauge(customer),
            "breadcrumbs": [
                (_("Settings"), reverse("settings_start", args=[customer.slug])),
                (_("Contract"), reverse("customer_settings", args=[customer.slug, "contract"])),
                (_("Suspension"), None),
            ],
        },
        status=status,
    )
