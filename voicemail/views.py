"""What the Voicemail tab does beside saving: showing the PIN to whoever proves who they are, and making another one."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from pbxadmin.common.columns import Scope
from pbxadmin.common.crypto import Reader, plain
from pbxadmin.common.http import PortalRequest, RequestFacts, lets_use_the_microphone
from pbxadmin.common.proof import Takeover
from signin.second_factor import step_up
from users import rights, road
from users.access import signed_in_user
from users.models import Customer, User
from users.people.sections import user_sheet
from users.people.views.editor import save_tab, show_tab
from users.people.views.own_tabs import own_section
from users.road import Outcome
from users.road.pages.conflicts import values_of
from users.road.pages.doors import of_person
from voicemail.models import Mailbox
from voicemail.sections import PIN, REGENERATE, VOICEMAIL


@never_cache
@require_POST
@of_person(rights.Verb.REVEAL)
@step_up(Takeover.SECRET)
def show_pin(request: PortalRequest, customer: Customer, person: User) -> HttpResponse:
    """A person's PIN in plain text: after a recent second factor, and written into the history."""
    return _show(
        request,
        person,
        reverse("voicemail_pin", args=[customer.slug, person.number]),
        reverse("user_tab", args=[customer.slug, person.number, VOICEMAIL.slug]),
        RequestFacts.of(request),
    )


@never_cache
@require_POST
@step_up(Takeover.SECRET)
def show_own_pin(request: PortalRequest) -> HttpResponse:
    """One's own PIN."""
    own, back = reverse("own_voicemail_pin"), reverse("own_voicemail")
    return _show(request, _own(request), own, back, RequestFacts.of(request, "self"))


def _show(request: PortalRequest, person: User, url: str, back: str, facts: RequestFacts) -> HttpResponse:
    def read() -> str:
        return plain(Mailbox.objects.get(user=person), Mailbox.pin, Reader.PERSON)

    assert person.customer is not None, "support staff have no mailbox"
    cell = {"column": PIN.name, "old": "", "new": ""}
    pin = road.reveal(request.user, person.customer, user_sheet(), person, cell, facts, read, own=True)
    shown = {"id": "secret-pin", "what": _("PIN number"), "value": pin, "in_form": False, "reveal_url": url}
    if request.htmx:
        return render(request, "partials/secret.html", shown)
    page = {**shown, "person": person, "customer": person.customer, "back_url": back}
    return render(request, "voicemail/secret.html", page)


@require_POST
@of_person(rights.Verb.EDIT)
def new_pin(request: PortalRequest, customer: Customer, person: User) -> HttpResponse:
    """Have another PIN made."""
    _renew(request, customer, person, rights.Verb.EDIT, RequestFacts.of(request))
    return redirect("user_tab", customer.slug, person.number, VOICEMAIL.slug)


@require_POST
def new_own_pin(request: PortalRequest) -> HttpResponse:
    """Have another PIN made for oneself."""
    person = _own(request)
    _renew(request, person.customer, person, rights.Verb.SELF, RequestFacts.of(request, "self"))
    return redirect("own_voicemail")


def _renew(
    request: PortalRequest, customer: Any, person: User, verb: rights.Verb, facts: RequestFacts
) -> None:
    plan = road.plan(
        request.user, customer, user_sheet(), [road.Row(person.pk, {PIN.name: REGENERATE})], verb
    )
    done = road.commit(plan, facts)
    if done.outcome is Outcome.REFUSED:
        raise PermissionDenied(" ".join(done.row.sentences))
    if done.outcome is Outcome.CONFLICT:
        messages.warning(request, _("Somebody else changed this in the meantime. Try again."))
    else:
        messages.success(request, _("A new PIN was generated. Choose “Show” to see it."))


@lets_use_the_microphone
def voicemail_tab(request: PortalRequest, customer: Customer, person: User) -> HttpResponse:
    """The tab, with the library of greetings below its form."""
    if request.method == "POST":
        return save_tab(request, customer, person, VOICEMAIL)
    form = VOICEMAIL.form(Scope(request.user, customer), initial=values_of(VOICEMAIL, person))
    return show_tab(request, customer, person, VOICEMAIL, form)


@require_http_methods(["GET", "HEAD", "POST"])
@lets_use_the_microphone
def own_voicemail(request: PortalRequest) -> HttpResponse:
    """One's own voicemail options."""
    return own_section(request, _own(request), VOICEMAIL, reverse("own_voicemail"), "voicemail/own.html")


def _own(request: PortalRequest) -> User:
    """The signed-in person; `PermissionDenied` for whoever has no extension."""
    user = signed_in_user(request)
    if user.customer_id is None:
        raise PermissionDenied(_("You have no extension: ask an administrator of your company."))
    return User.objects.select_related("customer", "role", "primary_department").get(pk=user.pk)
