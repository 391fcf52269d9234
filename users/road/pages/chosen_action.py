"""What is done to the records chosen in a list: first a page that says what happens to whom, then a POST does it.

Whom it can't be done to is listed with the reason; nothing happens to anybody until the reader has left those out. Few
records have it done while the reader waits; for many it becomes a job, and the reader is led to its page.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from pbxadmin.common.columns import Scope, Text
from pbxadmin.common.http import PortalRequest, RequestFacts
from users import rights
from users.models import Customer, User
from users.road import finding, jobs
from users.road.actions import Action, Asked, Trace
from users.road.pages.doors import in_customer

# Names in full on the page that asks; the others are counted.
SHOWN = 30
REFUSED, CONFLICT = 422, 409
# The field in which later forms carry how the list was asked for.
LIST = "_list"


@dataclass(frozen=True)
class Choice:
    """Which records were chosen: by box, or "all that match", which is asked of the database again each time."""

    keys: list[int]
    all_matching: bool = False
    query: Mapping[str, str] | None = None
    said: str = ""  # which search all match, in words; "" where it is no search

    @property
    def hidden(self) -> list[tuple[str, str]]:
        """What the next form sends along to mean the same: one field, however many they are; how the list was asked for stands in another,
        apart from the form's own."""
        chosen = [("chosen", ",".join(map(str, self.keys)))] if self.keys else []
        mine = [("all_matching", "1")] if self.all_matching else chosen
        return [*mine, (LIST, urlencode(self.query or {}))]


def list_of(data: QueryDict) -> QueryDict:
    """How the list was asked for: as its own form sends it, or as a later one carries it. A form for a status or a role has fields of
    the same names, which narrow no list."""
    return QueryDict(str(data[LIST])) if LIST in data else data


@dataclass
class Chosen:
    """The chosen records at one moment: whom an action reaches, whom it can't and why."""

    records: list[Any]
    refusals: dict[Any, str]
    strangers: int = 0  # those that don't exist for the reader: another customer's, deleted ones

    @property
    def allowed(self) -> list[Any]:
        """Those whom it reaches."""
        return [record for record in self.records if record.pk not in self.refusals]

    @property
    def refused(self) -> list[tuple[Any, str]]:
        """Those whom it can't reach, with the sentence."""
        return [(record, self.refusals[record.pk]) for record in self.records if record.pk in self.refusals]

    @property
    def who(self) -> str:
        """A mark of exactly those whom it reaches: as many others have another one."""
        return sha256(",".join(map(str, sorted(record.pk for record in self.allowed))).encode()).hexdigest()[
            :32
        ]


@dataclass(frozen=True)
class ChosenList:
    """A list whose rows can be chosen, and what can be done to them. Addresses are named chosen_<action>."""

    path: str  # under /c/<customer>/
    title: Text
    actions: Callable[[], Sequence[Action]]
    # What the list was narrowed to, as parameters of its address; and everything that matches it, in the list's order.
    query: Callable[[User, Customer, QueryDict], Mapping[str, str]]
    matching: Callable[[User, Customer, QueryDict], QuerySet]
    list_url: Callable[[Customer], str]
    # The search and the filters in words.
    said: Callable[[User, Customer, QueryDict], str] = lambda actor, customer, data: ""

    def urls(self) -> list[URLPattern]:
        """The addresses, for a URLconf."""
        start = f"c/<slug:slug>/{self.path}/chosen/"
        return [
            path(f"{start}{action.slug.replace('_', '-')}", self._view(action), name=f"chosen_{action.slug}")
            for action in self.actions()
        ]

    def bar(self, customer: Customer) -> list[dict[str, Any]]:
        """The actions that rise when rows are chosen."""
        return [
            {
                "label": action.label,
                "url": reverse(f"chosen_{action.slug}", args=[customer.slug]),
                "danger": action.danger,
                "seldom": action.seldom,
            }
            for action in self.actions()
        ]

    def back_url(self, customer: Customer, choice: Choice) -> str:
        """The list as it was."""
        return self.list_url(customer) + "?" + urlencode(choice.query or {})

    def choice(self, request: PortalRequest, customer: Customer) -> Choice:
        """Read the choice out of a form. What isn't a key is nobody."""
        asked = list_of(request.POST)
        query = self.query(request.user, customer, asked)
        if request.POST.get("all_matching") == "1":
            found = self.matching(request.user, customer, asked)
            said = self.said(request.user, customer, asked)
            return Choice(list(found.values_list("pk", flat=True)), True, query, said)
        return Choice(self.keys(request.POST), False, query)

    def keys(self, data: QueryDict) -> list[int]:
        """The records whose boxes were ticked: a key each, or many in one field. What isn't a key is nobody."""
        typed = [
            text
            for field in data.getlist("chosen")
            for text in field.split(",")
            if text.isascii() and text.isdigit() and len(text) < 18
        ]
        return list(dict.fromkeys(int(text) for text in typed))

    def _view(self, action: Action) -> Callable[..., HttpResponse]:
        def view(request: PortalRequest, customer: Customer) -> HttpResponse:
            """Say what the action would do to the chosen, or do it."""
            if request.method != "POST":
                return redirect(self.list_url(customer))
            # Asked before anything is read through; the doing and the job ask again.
            RequestFacts.of(request).demand_proof(action.takes_over)
            choice = self.choice(request, customer)
            if not choice.keys:
                messages.warning(request, _("Select at least one person first."))
                return redirect(self.back_url(customer, choice))
            trail = (self.title, self.back_url(customer, choice))
            if action.before:
                found = action.before(request, customer, choice, trail)
                if isinstance(found, HttpResponse):
                    return found
                request.POST = found
            return act(request, customer, action, choice, self.back_url(customer, choice), trail=trail)

        return require_http_methods(["GET", "HEAD", "POST"])(in_customer(rights.Verb.WORK)(view))


def act(
    request: PortalRequest,
    customer: Customer,
    action: Action,
    choice: Choice,
    back_url: str,
    trail: tuple[Text, str],
    title: str = "",
    **facts: Any,
) -> HttpResponse:
    """Ask whether `action` is to be done to the chosen; do it, or begin the job, where the reader has confirmed."""
    scope = Scope(request.user, customer)
    chosen, asked = looked_at(scope, action, choice, request.POST)
    going, error = confirmed(request.POST, chosen)
    status = CONFLICT if error else 200
    if going and asked.problem:
        going, error, status = False, asked.problem, REFUSED
    if going:
        RequestFacts.of(request).demand_proof(asked.takes_over)
    if going and len(chosen.allowed) > action.at_once:
        keys = [record.pk for record in chosen.allowed]
        job = jobs.start(action, scope, keys, asked.settings, RequestFacts.of(request))
        return redirect("job", customer.slug, job.pk)
    if going:
        done = action.do(scope, chosen.allowed, asked.settings, Trace(RequestFacts.of(request)))
        if done.well:
            if done.told:
                messages.success(request, done.told)
            if action.after and done.operation:
                return redirect(action.after(customer, done.operation)[1])
            return redirect(back_url)
        error, status = done.why_not, REFUSED if done.mend else CONFLICT
        chosen, asked = looked_at(scope, action, choice, request.POST)
    allowed = chosen.allowed
    title = title or action.title(len(allowed))
    return render(
        request,
        action.template,
        {
            "hidden": [*choice.hidden, ("expected", str(len(allowed))), ("who", chosen.who)],
            "all_of": choice.said,
            "action": chosen,
            "count": len(allowed),
            "shown": allowed[:SHOWN],
            "more": max(0, len(allowed) - SHOWN),
            "refused": chosen.refused,
            "is_a_job": len(allowed) > action.at_once,
            "error": error,
            "title": title,
            "back_url": back_url,
            "gauge": finding.gauge(customer),
            "breadcrumbs": [trail, (title, None)],
            **asked.facts,
            **facts,
        },
        status=status,
    )


def looked_at(scope: Scope, action: Action, choice: Choice, data: QueryDict) -> tuple[Chosen, Asked]:
    """Whom an action reaches as things are now, and what its own part of the form says of them."""
    records = list(action.records(scope.actor, scope.customer).filter(pk__in=choice.keys))
    chosen = Chosen(records, action.may(scope, records), len(choice.keys) - len(records))
    asked = action.ask(scope, chosen.allowed, data)
    chosen.refusals |= asked.refusals
    return chosen, asked


def confirmed(data: QueryDict, chosen: Chosen) -> tuple[bool, str]:
    """Whether the reader has confirmed this very action; else why not, where it was tried.

    Who was seen is compared with who it is now: who was added to, or fell out of, what matches in between is
    never hit unseen. Whom it can't reach stays out only where the reader ticked that.
    """
    if data.get("confirmed") != "1":
        return False, ""
    if not chosen.allowed:
        return False, _("This no longer applies to anyone you selected. Go back to the list.")
    if (chosen.refusals or chosen.strangers) and data.get("without") != "1":
        return False, _("Tick the box to continue without the people who can't be changed.")
    if data.get("who", chosen.who) != chosen.who and data.get("expected") == str(len(chosen.allowed)):
        return False, _(
            "The selection has changed in the meantime: as many people as before, but not the same ones. Check it and confirm."
        )
    if data.get("expected") != str(len(chosen.allowed)):
        return False, ngettext(
            "The selection has changed in the meantime: it is now %(count)s person. Check it and confirm.",
            "The selection has changed in the meantime: it is now %(count)s people. Check it and confirm.",
            len(chosen.allowed),
        ) % {"count": len(chosen.allowed)}
    return True, ""
