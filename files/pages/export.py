"""The page that makes a file of people: of everybody, of what the list shows, of chosen rows, of one person."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.http import QueryDict, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from files.exporting.export import Export, everybody
from files.exporting.people import Layout
from files.exporting.writing import Kind
from files.pages.sending import attached
from pbxadmin.common.columns import Scope, Text
from pbxadmin.common.http import PortalRequest, RequestFacts
from pbxadmin.common.listing import ListState
from pbxadmin.common.proof import Takeover
from users import rights
from users.models import Customer, User
from users.people import selectors
from users.people.views.chosen import PEOPLE
from users.road import finding
from users.road.pages.chosen_action import SHOWN
from users.road.pages.doors import in_customer, require


@dataclass(frozen=True)
class Whose:
    """Whose rows the file has: who they are in words, what a form sends along to mean the same, and how many there are."""

    words: Text
    people: QuerySet[User]
    hidden: Sequence[tuple[str, str]]
    back_url: str
    count: int = 0
    left_out: int = 0  # of those who were meant: whom the reader may not open, or who isn't there any more
    about: str = ""
    chips: Sequence[tuple[Text, Text]] = ()
    chosen: bool = False


@require_http_methods(["GET", "HEAD", "POST"])
@in_customer()
def export(request: PortalRequest, customer: Customer) -> HttpResponseBase:
    """Ask for the format, and send the file; nothing is kept of it at the server."""
    scope = Scope(request.user, customer)
    data = request.POST if request.method == "POST" else request.GET
    whose = _whose(scope, data)
    layout = _one_of(Layout, data.get("layout"), Layout.FULL)
    kind = _one_of(Kind, data.get("kind"), Kind.XLSX)
    with_pins = data.get("pins") == "1"
    facts = RequestFacts.of(request)
    wanted = Export(scope, whose.people, layout, kind, with_pins, whose.about)
    asked = request.method == "POST" and data.get("download") == "1"
    if asked and with_pins:
        # The proof comes first, and back to this page, which then says what is about to leave.
        facts.demand_proof(Takeover.SECRET)
    if asked and whose.count and (not with_pins or data.get("agreed") == str(whose.count)):
        return _sent(wanted, facts)
    return render(
        request,
        "files/export.html",
        {
            "whose": whose,
            "shown": list(whose.people[:SHOWN]) if whose.chosen else [],
            "more": max(0, whose.count - SHOWN),
            "layouts": _layouts(),
            "layout": layout,
            "kinds": _kinds(),
            "kind": kind,
            "confirms": asked and with_pins and whose.count,
            "then": _then(customer, data, whose),
            "title": _("Export users"),
            "breadcrumbs": [(_("Users"), whose.back_url), (_("Export users"), None)],
        },
    )


def _sent(wanted: Export, facts: RequestFacts) -> StreamingHttpResponse:
    return attached(wanted.name(timezone.localdate()), wanted.kind, wanted.pieces(facts))


def _one_of(kinds: Any, text: str | None, usual: Any) -> Any:
    return next((each for each in kinds if each.value == text), usual)


def _layouts() -> list[tuple[Layout, Text, Text]]:
    return [
        (
            Layout.FULL,
            _("Everything"),
            _("All tabs, forwarding and schedule included. Imported again here, it changes nothing."),
        ),
        (
            Layout.V20,
            _("As 3CX v20 has it"),
            _("The 54 columns of 3CX, in its order. Forwarding, schedule and view aren't in it."),
        ),
    ]


def _kinds() -> list[tuple[Kind, Text, Text]]:
    return [
        (
            Kind.XLSX,
            _("Excel workbook (XLSX)"),
            _(
                "Keeps accents and leading zeros in every spreadsheet. Take this one to work in it and import it again."
            ),
        ),
        (
            Kind.CSV,
            _("CSV"),
            _(
                "For 3CX and other programs: UTF-8 without a byte order mark, commas. Don't open it in Excel, which damages accents and leading zeros."
            ),
        ),
    ]


# --- Whose --------------------------------------------------------------------------------------------------------
def _whose(scope: Scope, data: QueryDict) -> Whose:
    """Whom a form or an address means. Counted is only whom the reader may open, or whom they meant: a filter that counted others
    would tell of them what it filters by."""
    everyone = everybody(scope)
    list_url = reverse("users", args=[scope.customer.slug])
    if number := data.get("only", "")[:20]:
        return _one(scope, everyone, number)
    state = ListState.of(selectors.shape(scope.actor, scope.customer), data, list_url)
    back_url = state.url()
    if data.getlist("chosen") and data.get("all_matching") != "1":
        keys = PEOPLE.keys(data)
        people = everyone.filter(pk__in=keys)
        found = people.count()
        words = ngettext("%(count)s selected user", "%(count)s selected users", found) % {"count": found}
        hidden = [*(("chosen", str(key)) for key in keys), *state.everything]
        return Whose(words, people, hidden, back_url, found, len(keys) - found, chosen=True)
    if not state.narrows:
        hidden = [("all_matching", "1")] if data.get("all_matching") == "1" else []
        found = everyone.count()
        there = User.objects.visible_to(scope.actor).of(scope.customer).count()
        return Whose(_("All users"), everyone, hidden, list_url, found, there - found)
    people = everyone.filter(state.condition())
    people = state.ordered(people) if state.sort else people
    chips = [(chip.label, chip.value) for chip in state.chips if chip.value]
    if state.text:
        chips.insert(0, (_("Search"), state.text))
    return Whose(
        _("The users that the list shows"), people, state.everything, back_url, people.count(), chips=chips
    )


def _one(scope: Scope, everyone: QuerySet[User], number: str) -> Whose:
    person = finding.user_or_404(scope.actor, scope.customer, number)
    require(scope.actor, rights.Verb.SEE, person, scope.customer)
    back_url = reverse("user_tab", args=[scope.customer.slug, person.number, "general"])
    return Whose(
        str(person), everyone.filter(pk=person.pk), [("only", number)], back_url, 1, about=person.number
    )


def _then(customer: Customer, data: QueryDict, whose: Whose) -> dict[str, Any] | None:
    """The action that goes on with the same people when they have their file."""
    action = next((each for each in PEOPLE.actions() if each.slug == data.get("then")), None)
    if action is None or not whose.count:
        return None
    return {
        "slug": action.slug,
        "label": action.label,
        "url": reverse(f"chosen_{action.slug}", args=[customer.slug]),
    }
