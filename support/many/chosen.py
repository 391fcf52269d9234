"""What the desk's lists do to what was chosen in them, over customers: each leads to a preview, or to the form that leads to one."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _

from pbxadmin.common.http import RequestFacts
from support.many.phones import COMMAND
from support.many.whom import grouped
from users import rights
from users.models import Customer
from users.road import jobs

SOURCE = "admin"
# So many keys an address may have: servers take eight kilobytes of it.
IN_AN_ADDRESS = 800


def command_phones(request: HttpRequest, chosen: "QuerySet[Any]", command: str) -> HttpResponse:
    """Preview what telling these phones a command means."""
    actor: Any = request.user
    if refusal := rights.why_not(actor, COMMAND.verb):
        raise PermissionDenied(str(refusal))
    pairs = list(chosen.order_by("customer__name", "customer", "pk").values_list("customer", "pk"))
    order = list(dict.fromkeys(customer for customer, _key in pairs))
    job = jobs.look(
        COMMAND, actor, grouped(pairs, order), {"command": str(command)}, RequestFacts.of(request, SOURCE)
    )
    return redirect("admin:many_job", job.pk)


@admin.action(description=_("Give a holiday"))
def give_holiday(desk: Any, request: HttpRequest, chosen: "QuerySet[Any]") -> HttpResponse | None:
    """The form for a holiday, about the chosen customers or departments."""
    return _to_the_form(request, "holiday", chosen)


@admin.action(description=_("Change settings"))
def change_settings(desk: Any, request: HttpRequest, chosen: "QuerySet[Any]") -> HttpResponse | None:
    """The form for their settings; a customer's have its licence."""
    return _to_the_form(request, "customers" if chosen.model is Customer else "departments", chosen)


def _to_the_form(request: HttpRequest, what: str, chosen: "QuerySet[Any]") -> HttpResponse | None:
    keys = list(chosen.order_by("pk").values_list("pk", flat=True))
    if len(keys) > IN_AN_ADDRESS:
        messages.error(
            request,
            _("So many can't be chosen one by one: “Over many customers” has conditions for them."),
        )
        return None
    name = "customer_keys" if chosen.model is Customer else "department_keys"
    return redirect(f"{reverse('admin:many')}?{urlencode({'what': what, name: ','.join(map(str, keys))})}")
