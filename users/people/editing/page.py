"""The page on which many users are changed: the tabs with a box before each field; what it makes of them goes on to the preview."""

import json
from collections.abc import Mapping
from typing import Any

from django.http import HttpResponse, QueryDict
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from pbxadmin.common.columns import Scope, Text
from pbxadmin.common.http import PortalRequest
from users.models import Customer
from users.people.editing.plans import Wanted, wanted_of
from users.people.editing.tabs import tabs
from users.people.reach import may_edit, people
from users.road import finding

# What the preview's form carries: what is wanted, as JSON.
WANTED = "_wanted"
REFUSED = 422


def problems_of(scope: Scope, wanted: Wanted) -> dict[str, Mapping[str, list[str]]]:
    """What can't be read of what is wanted: {tab: {name: sentences}}."""
    found = {
        section.slug: tab.problems(scope, wanted[section.slug])
        for section, tab in tabs()
        if section.slug in wanted
    }
    return {slug: problems for slug, problems in found.items() if problems}


def form_or_wanted(
    request: PortalRequest, customer: Customer, choice: Any, trail: tuple[Text, str]
) -> HttpResponse | QueryDict:
    """The page itself; or, where its form was sent to see what would change, or the preview's, what was sent for the preview."""
    sent = request.POST
    scope = Scope(request.user, customer)
    if WANTED in sent and "again" not in sent:
        return sent
    records = people(request.user, customer).filter(pk__in=choice.keys)
    refused = may_edit(scope, found := list(records))
    chosen = [person for person in found if person.pk not in refused]
    as_typed = "edited" in sent
    wanted: Wanted = wanted_of(scope, sent[WANTED]) if WANTED in sent else {}
    problem = ""
    if "preview" in sent:
        read = {section.slug: tab.read(scope, chosen, sent) for section, tab in tabs()}
        wanted = {slug: each for slug, each in read.items() if each}
        if wanted and not problems_of(scope, wanted):
            carried = sent.copy()
            carried[WANTED] = json.dumps(wanted, ensure_ascii=False)
            return carried
        problem = (
            _("Correct what is marked.")
            if wanted
            else _("Tick what is to be changed: nothing is ticked yet.")
        )
    return _shown(request, customer, choice, trail, scope, chosen, len(refused), wanted, as_typed, problem)


def _shown(
    request: PortalRequest,
    customer: Customer,
    choice: Any,
    trail: tuple[Text, str],
    scope: Scope,
    chosen: list[Any],
    left_out: int,
    wanted: Wanted,
    as_typed: bool,
    problem: str,
) -> HttpResponse:
    data = request.POST if as_typed else None
    shown: list[dict[str, Any]] = [
        {
            "section": section,
            "template": tab.template,
            "facts": tab.facts(scope, chosen, wanted.get(section.slug, {}), data),
            "problems": tab.problems(scope, wanted[section.slug])
            if section.slug in wanted and problem
            else {},
        }
        for section, tab in tabs()
    ]
    asked = request.POST.get("_tab", "")
    slugs = [each["section"].slug for each in shown]
    bad = next((each["section"].slug for each in shown if each["problems"]), "")
    title = ngettext("Edit %(count)s user", "Edit %(count)s users", len(chosen)) % {"count": len(chosen)}
    return render(
        request,
        "users/editing/page.html",
        {
            "tabs": shown,
            "current": bad or (asked if asked in slugs else slugs[0]),
            "hidden": choice.hidden,
            "people": chosen[:20],
            "more": max(0, len(chosen) - 20),
            "count": len(chosen),
            "left_out": left_out,
            "problem": problem,
            "title": title,
            "back_url": trail[1],
            "unsaved": as_typed or bool(wanted),
            "gauge": finding.gauge(customer),
            "breadcrumbs": [trail, (title, None)],
        },
        status=REFUSED if problem else 200,
    )
