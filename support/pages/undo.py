"""Taking back a change of what belongs to no customer: SIP trunks of the provider's, and nodes."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from asterisk.sheets import TOKEN, node_sheet
from asterisk.trunks.sheet import trunk_sheet
from pbxadmin.common.columns import Scope
from pbxadmin.common.http import RequestFacts
from support.pages.frame import page, show
from support.sheets import SOURCE
from users import road
from users.history.timeline import UNDO_AT
from users.models import Operation, User
from users.rights import Verb
from users.road.undo import NotUndoableError, plan_undo, undo

SHEETS = {sheet.label: sheet for sheet in (trunk_sheet(), node_sheet())}
UNDO_AT.update(dict.fromkeys(SHEETS, "admin:undo_for_all"))


@page("undo/<int:operation>", "undo_for_all")
@require_http_methods(["GET", "HEAD", "POST"])
def undo_for_all(request: HttpRequest, operation: int) -> HttpResponse:
    """What taking it back would change; a POST does it."""
    actor: Any = request.user
    found = (
        Operation.objects.visible_to(actor).filter(pk=operation, customer=None) if operation < 2**63 else None
    )
    undone = found.first() if found is not None else None
    labels = set(undone.changes.values_list("model", flat=True)) if undone is not None else set()
    if undone is None or not labels or not labels <= SHEETS.keys():
        raise Http404
    for label in labels:
        if refusal := road.why_not(SHEETS[label], Scope(actor, None), Verb.EDIT):
            raise PermissionDenied(str(refusal))
    problem = ""
    changes: list[tuple[Any, str, str]] = []
    consequences: list[str] = []
    try:
        if request.method == "POST":
            return _undone(request, actor, undone)
        changes, problem, consequences = _planned(actor, undone)
    except NotUndoableError as error:
        problem = str(error)
    except road.ChangedMeanwhileError:
        problem = _("Somebody else changed this in the meantime. Check it again.")
    name = undone.changes.values_list("object_name", flat=True).first()
    facts = {
        "title": name,
        "changes": changes,
        "problem": problem,
        "consequences": consequences,
        "back": reverse("audit"),
    }
    return show(request, "support/undo.html", facts, 409 if problem else 200)


def _planned(actor: User, undone: Operation) -> tuple[list[tuple[Any, str, str]], str, list[str]]:
    """What would change, as (label, now, then), why it can't be, and what follows from it."""
    _no_token(undone)
    plans = plan_undo(actor, None, undone)
    changes = [
        (plan.sheet.columns[name].label, plan.sheet.columns[name].show(old, plan.scope), plan.sheet.columns[name].show(new, plan.scope))
        for plan in plans
        for row in plan.rows
        for name, (old, new) in row.changes.items()
    ]  # fmt: skip
    rows = [row for plan in plans for row in plan.rows]
    follows = [str(said) for row in rows for sentences in row.warnings.values() for said in sentences]
    return changes, " ".join(sentence for plan in plans for sentence in plan.sentences), follows


def _undone(request: HttpRequest, actor: User, undone: Operation) -> HttpResponse:
    _no_token(undone)
    if undo(actor, None, undone, RequestFacts.of(request, SOURCE)) is None:
        messages.info(request, _("Nothing to undo: everything is as it was before."))
    else:
        messages.success(request, _("%(who)s's change was undone.") % {"who": undone.actor_name})
    return redirect("audit")


def _no_token(undone: Operation) -> None:
    """A token that was replaced is kept nowhere."""
    if any(cell["column"] == TOKEN for change in undone.changes.all() for cell in change.cells):
        raise NotUndoableError(
            _("A secret was changed: the old one isn't kept anywhere and can't be restored.")
        )
