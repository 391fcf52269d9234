"""The page "Latest calls" of a person, and the page of one call: for whoever administers them, for themselves, and for colleagues who see
their calls."""

from collections.abc import Collection, Sequence
from datetime import datetime
from functools import partial
from typing import Any
from urllib.parse import urlencode

from django.db.models import Max
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from asterisk.calls import comparing, latest, words
from asterisk.calls.became import became
from asterisk.calls.comparing import Compared
from asterisk.calls.naming import Names, caller_of, names_of, said
from asterisk.models import CallParty, CallRecord, Node
from forwarding.simulator import Sees
from forwarding.tabs import facts
from pbxadmin.common.http import PortalRequest
from pbxadmin.common.listing import PAGE_SIZE, ListState, show_list
from users import rights
from users.access import signed_in_user
from users.models import Customer, User
from users.models.history import changes_since
from users.road import finding
from users.road.pages.doors import of_person

Trail = Sequence[tuple[Any, str | None]]


# --- Doors --------------------------------------------------------------------------------------------------------
@require_safe
@of_person(rights.Verb.SEE)
def user_calls(request: PortalRequest, customer: Customer, person: User) -> HttpResponse:
    """Of a person whom one may open."""
    return _list(request, person, _trail(customer, person), "user_call", [customer.slug, person.number])


@require_safe
@of_person(rights.Verb.SEE)
def user_call(request: PortalRequest, customer: Customer, person: User, key: int) -> HttpResponse:
    """One of their calls."""
    back = reverse("user_calls", args=[customer.slug, person.number])
    return _call(request, person, key, _trail(customer, person), back)


@require_safe
def own_calls(request: PortalRequest) -> HttpResponse:
    """One's own."""
    person = finding.own_person(signed_in_user(request))
    return _list(request, person, [(_("My page"), reverse("own_page"))], "own_call", [])


@require_safe
def own_call(request: PortalRequest, key: int) -> HttpResponse:
    """One of one's own."""
    person = finding.own_person(signed_in_user(request))
    return _call(request, person, key, [(_("My page"), reverse("own_page"))], reverse("own_calls"))


@require_safe
def colleague_calls(request: PortalRequest, number: str) -> HttpResponse:
    """Of a colleague whose calls one sees."""
    person = _colleague(request, number)
    return _list(request, person, _trail_of_colleague(person), "colleague_call", [number])


@require_safe
def colleague_call(request: PortalRequest, number: str, key: int) -> HttpResponse:
    """One of theirs."""
    person = _colleague(request, number)
    back = reverse("colleague_calls", args=[number])
    return _call(request, person, key, _trail_of_colleague(person), back)


def _colleague(request: PortalRequest, number: str) -> User:
    """A colleague in the directory whose calls one sees; nobody else exists here."""
    viewer = finding.own_person(signed_in_user(request))
    company: Any = viewer.customer  # whoever has a page of their own has one
    found = finding.user_or_404(viewer, company, number)
    if found.pk == viewer.pk or not rights.what_sees(viewer, found).calls:
        raise Http404
    return found


def _trail(customer: Customer, person: User) -> Trail:
    return [
        (_("Users"), reverse("users", args=[customer.slug])),
        (person.full_name, reverse("user_tab", args=[customer.slug, person.number, "forwarding"])),
    ]


def _trail_of_colleague(person: User) -> Trail:
    return [
        (_("My page"), reverse("own_page")),
        (_("Colleagues"), reverse("own_colleagues")),
        (person.full_name, None),
    ]


# --- Pages --------------------------------------------------------------------------------------------------------
def _list(
    request: PortalRequest, person: User, trail: Trail, address: str, arguments: Sequence[str]
) -> HttpResponse:
    customer: Any = person.customer
    state = ListState.of(latest.SHAPE, request.GET, request.path)
    rows = state.rows(latest.parties_of(request.user, person))
    page = latest.NEWEST_FIRST.part(rows, PAGE_SIZE, state.page, state.after, state.before)
    lines = [
        (line, reverse(address, args=[*arguments, line.key]))
        for line in latest.lines_of(list(page.object_list), person, partial(_seen, request.user, customer))
    ]
    return show_list(request, "asterisk/calls.html", state, page, {
        "lines": lines, "person": person, "customer": customer, "steps": state.steps(page), "own": person.pk == request.user.pk,
        "connected": bool(lines) or Node.objects.exists(), "breadcrumbs": [*trail, (_("Latest calls"), None)],
        "headings": [
            state.heading(label) for label in (_("Time"), _("Call"), _("Outcome"), _("Length"))
        ],
    })  # fmt: skip


def _call(request: PortalRequest, person: User, key: int, trail: Trail, back: str) -> HttpResponse:
    customer: Any = person.customer
    party = (
        latest.parties_of(request.user, person).filter(call=key).select_related("call").first()
        if key < 2**63
        else None
    )
    if party is None:
        raise Http404
    call, now = party.call, timezone.now()
    known = became(call)
    known = known.seen(_seen(request.user, customer, known.rules_of))
    named = names_of([call], customer.pk, [known.taker, known.mailbox])
    tone, outcome = words.outcome_for(party, person.number, known, named, now)
    compared = comparing.compared(call, customer, _sees(request.user, customer), now)
    return render(request, "asterisk/call.html", {
        "person": person, "customer": customer, "call": call, "tone": tone, "outcome": outcome, "length": words.spoken(call.seconds),
        "from": said(caller_of(call), named), "from_number": call.from_extension,
        "to": said(call.dialled, named), "to_number": call.dialled if call.dialled in named else "",
        "answered_by": _answered_by(call, named, outcome), "answered_number": call.answered_by,
        "compared": compared, "changed": _changed(request.user, customer, call, compared),
        "simulator_url": _simulator(request.user, customer, party), "back": back,
        "breadcrumbs": [*trail, (_("Latest calls"), back), (_("The call"), None)],
    })  # fmt: skip


def _answered_by(call: CallRecord, named: Names, outcome: str) -> str:
    """Who answered, where the outcome doesn't name them."""
    name = said(call.answered_by, named) if call.answered_by else ""
    return "" if name in outcome else name


def _sees(reader: User, customer: Customer) -> Sees:
    """Whose settings the reader may see: those whom they administer, and their own unless these are hidden from them."""
    administered = facts.sees(reader, customer) if rights.administers(reader) else lambda extension: False
    return lambda extension: extension in _own(reader, customer) or administered(extension)


def _seen(reader: User, customer: Customer, extensions: Collection[str]) -> set[str]:
    """The same of several at once: those of these `extensions`; one query."""
    found = _own(reader, customer).intersection(extensions)
    others = set(extensions) - found
    if others and rights.administers(reader):
        mine = User.objects.visible_to(reader).of(customer).filter(rights.administered_by(reader))
        found |= set(mine.filter(number__in=others).order_by().values_list("number", flat=True))
    return found


def _own(reader: User, customer: Customer) -> set[str]:
    theirs = reader.customer_id == customer.pk and rights.sees_own_forwarding(reader)
    return {reader.number} - {""} if theirs else set()


def _changed(
    reader: User, customer: Customer, call: CallRecord, compared: Compared
) -> list[tuple[User, datetime, str]]:
    """Whose settings were changed since a call that would go another way now, when, and where that is told; of those whom the reader sees."""
    if compared.same or not compared.then or not compared.now:
        return []
    seen = _sees(reader, customer)
    people = User.objects.of(customer).filter(number__in=[each for each in compared.people if seen(each)])
    found = {person.pk: person for person in people.only("number", "first_name", "last_name", "customer")}
    rows = changes_since(call.at).filter(subject_pk__in=found).order_by()
    last = dict(rows.values_list("subject_pk").annotate(at=Max("operation__at")))
    return [(found[key], last[key], _history(reader, customer, found[key])) for key in found if key in last]


def _history(reader: User, customer: Customer, person: User) -> str:
    """Where the changes of a person are told, for whoever may open them."""
    may = rights.administers(reader) and rights.can(reader, rights.Verb.SEE, person, customer)
    return reverse("user_history", args=[customer.slug, person.number]) if may else ""


def _simulator(reader: User, customer: Customer, party: CallParty) -> str:
    """Where the simulator is asked about the same call, by whoever has it."""
    call = party.call
    if not rights.can(reader, rights.Verb.ADMINISTER, None, customer):
        return ""
    asked = {"to": call.dialled, "caller": caller_of(call)}
    return f"{reverse('simulator', args=[customer.slug])}?{urlencode(asked)}"
