"""The list of users as a list to choose from; copying one; the same reset for one person; what a reset left to do."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpResponse, JsonResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from pbxadmin.common.counts import grouped
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
    said=lambda actor, customer, data: ListState.of(selectors.shape(actor, customer), data).said,
)

# Whose names the page of the chosen has; the others are counted.
NAMED = 500


def _still_there(request: PortalRequest, customer: Customer, keys: Sequence[int]) -> QuerySet[User]:
    """Those of the chosen who are there, and whom the reader administers."""
    found = User.objects.visible_to(request.user).of(customer)
    return found.filter(rights.administered_by(request.user), pk__in=keys)


@require_POST
@in_customer()
def chosen_set(request: PortalRequest, customer: Customer) -> HttpResponse:
    """What the browser can't know of the chosen that it remembers: who is gone, and whom the list doesn't show as it is asked for.

    `all_matching`: all whom it shows, too, as of now.
    """
    keys = PEOPLE.keys(request.POST)
    there = set(_still_there(request, customer, keys).values_list("pk", flat=True))
    matching = _matching(request.user, customer, request.POST).order_by()
    everybody = request.POST.get("all_matching") == "1"
    shown = set((matching if everybody else matching.filter(pk__in=there)).values_list("pk", flat=True))
    return JsonResponse(
        {
            "gone": [key for key in keys if key not in there],
            "outside": [key for key in keys if key in there and key not in shown],
            "all": sorted(shown) if everybody else [],
        }
    )


@require_http_methods(["GET", "HEAD", "POST"])
@in_customer()
def chosen_look(request: PortalRequest, customer: Customer) -> HttpResponse:
    """Who they are, and a way to take one off; the actions stand below as they do below the list."""
    if request.method != "POST":
        return redirect(_list_url(customer))
    choice = PEOPLE.choice(request, customer)
    taken_off = request.POST.get("off", "")
    found = _still_there(request, customer, choice.keys).select_related("primary_department")
    people = [
        person
        for person in found.defer(*finding.NOT_IN_LISTS).order_by("sort_name", "number")
        if str(person.pk) != taken_off
    ]
    title = ngettext("%(count)s selected user", "%(count)s selected users", len(people)) % {
        "count": grouped(len(people))
    }
    return render(
        request,
        "users/chosen/look.html",
        {
            "title": title,
            "keys": ",".join(str(person.pk) for person in people),
            "query": (choice.query or {}).items(),
            "people": people[:NAMED],
            "more": max(0, len(people) - NAMED),
            "count": len(people),
            "gone": len(choice.keys) - len(people) - (taken_off in map(str, choice.keys)),
            "actions": bar(customer, rights.facts(request.user, customer)),
            "back_url": PEOPLE.back_url(customer, choice),
            "gauge": finding.gauge(customer),
            "breadcrumbs": [(_("Users"), PEOPLE.back_url(customer, choice)), (title, None)],
        },
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
    found = PEOPLE.bar(customer) if may.get("work") else []
    if may.get("create"):
        found.insert(0, {"label": _("Copy"), "url": reverse("chosen_copy", args=[customer.slug])})
    if export_url := exports.url(customer):
        found.insert(max(0, len(found) - 1), {"label": _("Export"), "url": export_url})
    return found
