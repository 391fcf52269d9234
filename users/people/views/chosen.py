"""The list of users as a list to choose from; copying one; the same reset for one person; what a reset left to do."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext
from django.views.decorators.http import require_http_methods, require_safe

from pbxadmin.common.http import PortalRequest
from pbxadmin.common.listing import ListState
from users import rights
from users.models import Customer, Operation, User
from users.people import actions, exports, reset, selectors
from users.road import finding
from users.road.pages.chosen_action import Choice, ChosenList, act
from users.road.pages.doors import in_customer


def _matching(actor: User, customer: Customer, data: QueryDict) -> QuerySet[User]:
    """Everybody whom the list shows, in its order."""
    state = ListState.of(selectors.shape(actor, customer), data)
    found = User.objects.visible_to(actor).of(customer).filter(rights.administered_by(actor))
    return state.rows(found)


def _list_url(customer: Customer) -> str:
    return reverse("users", args=[customer.slug])


PEOPLE = ChosenList(
    path="users",
    title=gettext_lazy("Users"),
    actions=actions.offered,
    query=lambda actor, customer, data: ListState.of(selectors.shape(actor, customer), data).parameters(),
    matching=_matching,
    list_url=_list_url,
)


def reset_person(request: PortalRequest, customer: Customer, person: User) -> HttpResponse:
    """The dialog of the reset, for one person; the address says which button led here (`?reset=link`)."""
    back = reverse("user_tab", args=[customer.slug, person.number, "general"])
    named = request.GET.get("reset", "")
    pressed = reset.PRESSED.get(named, reset.ALL)
    url = reverse("user_reset", args=[customer.slug, person.number])
    # What was ticked by hand stays when the form comes back.
    facts = {} if request.POST.get("confirmed") else {"ticked": pressed.ticked}
    return act(
        request,
        customer,
        actions.RESET,
        Choice([person.pk]),
        back,
        trail=(_("Users"), _list_url(customer)),
        title=str(pressed.title) % {"name": person.full_name},
        person_reset=f"{url}?reset={named}" if named in reset.PRESSED else url,
        words=pressed.words,
        **facts,
    )


@require_safe
@in_customer()
def reset_done(request: PortalRequest, customer: Customer, operation: int) -> HttpResponse:
    """After a reset: who must restart a phone or scan the code again, whom the mail went to, who has no address."""
    found = (
        Operation.objects.visible_to(request.user)
        .of(customer)
        .filter(pk=operation, kind=Operation.Kind.RESET)
        .first()
    )
    # Their own report, or that of whoever reads the whole history.
    if found is None or (
        found.actor_pk != request.user.pk
        and not rights.can(request.user, rights.Verb.CUSTOMER, customer=customer)
    ):
        raise Http404
    return render(
        request,
        "users/chosen/reset_done.html",
        {
            "done": reset.aftermath(request.user, customer, found),
            "operation": found,
            "gauge": finding.gauge(customer),
            "breadcrumbs": [(_("Users"), _list_url(customer)), (pgettext("action", "Reset"), None)],
        },
    )


@require_http_methods(["GET", "HEAD", "POST"])
@in_customer(rights.Verb.CREATE)
def copy(request: PortalRequest, customer: Customer) -> HttpResponse:
    """From the list to the form of a new person with the settings of the one chosen."""
    if request.method != "POST":
        return redirect(_list_url(customer))
    choice = PEOPLE.choice(request, customer)
    if len(choice.keys) != 1:
        messages.warning(request, _("Choose exactly one user to copy."))
        return redirect(PEOPLE.back_url(customer, choice))
    source = actions.people(request.user, customer).filter(pk=choice.keys[0]).first()
    if source is None or not rights.can(request.user, rights.Verb.EDIT, source, customer):
        raise Http404
    return redirect(reverse("user_create", args=[customer.slug]) + "?" + urlencode({"copy": source.number}))


def bar(customer: Customer, may: Mapping[str, bool]) -> list[dict[str, Any]]:
    """The actions that rise when rows are chosen."""
    found = PEOPLE.bar(customer)
    if may.get("create"):
        found.insert(0, {"label": _("Copy"), "url": reverse("chosen_copy", args=[customer.slug])})
    if export_url := exports.url(customer):
        found.insert(len(found) - 1, {"label": _("Export"), "url": export_url})
    return found
