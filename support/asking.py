"""Saves that do harm, asked about before they are written: what changes and what follows, and again where that isn't any more what was shown."""

from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from pbxadmin.common.http import NOTE
from support.pages.frame import show
from users import road
from users.road.wide import mark_of

# What the page that asks sends beside what was typed: a mark of what was shown there.
SHOWN = "_shown"


def sent_along(request: HttpRequest, *others: str) -> list[tuple[str, str]]:
    """What was typed, for the page that asks to send again; without what such a page has itself (`others` too)."""
    own = ("csrfmiddlewaretoken", SHOWN, NOTE, *others)
    return [(name, value) for name, values in request.POST.lists() if name not in own for value in values]


def warned_of(plan: road.Plan, code: str) -> list[str]:
    """The sentences of a plan that warn of this, each once."""
    found = [said for row in plan.rows for sentences in row.warnings.values() for said in sentences]
    return list(dict.fromkeys(str(said) for said in found if said.code == code))


def question(request: HttpRequest, plan: road.Plan, consequences: Sequence[str]) -> HttpResponse | None:
    """The page that says what follows from a save of one record; None where nothing does, or where the reader wants exactly that."""
    shown = f"{mark_of([plan])}-{sha256(repr(list(consequences)).encode()).hexdigest()[:32]}"
    if plan.refused or not consequences or request.POST.get(SHOWN) == shown:
        return None
    row, columns, scope = plan.rows[0], plan.sheet.columns, plan.scope
    changes = [
        (columns[name].label, columns[name].show(old, scope), columns[name].show(new, scope))
        for name, (old, new) in row.changes.items()
    ]
    context: dict[str, Any] = {
        "title": str(row.record),
        "changes": changes,
        "consequences": consequences,
        "sent": sent_along(request),
        "shown": shown,
        "note": request.POST.get(NOTE, ""),
        "internal": scope.customer is None or scope.customer.pk is None,
        "back": request.get_full_path(),
        "problem": _("Something changed since: look at it again.") if SHOWN in request.POST else "",
    }
    return show(request, "support/consequences.html", context, 422 if context["problem"] else 200)
