"""Taking an operation back: first what it would do, then the doing."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_http_methods

from pbxadmin.common.http import PortalRequest, RequestFacts, safe_next
from users import rights, road
from users.history import timeline
from users.models import Customer, Operation, User
from users.road import finding, undo
from users.road.pages.doors import in_customer

# So many are shown; those that can't be undone come first, and the others are counted.
MOST_SHOWN = 30


@dataclass(frozen=True)
class Undone:
    """One row as it would be again."""

    name: str
    changes: list[dict[str, str]]
    reasons: list[str]
    goes: bool = False  # it was created by the operation, and is deleted again
    follows: Sequence[str] = ()  # what comes of it, where that could do harm


def may_undo(actor: User, customer: Customer, operation: Operation) -> str:
    """Why `actor` may not even look at what taking `operation` back would do, as a sentence; "" where they may.

    The preview shows values: it takes the right over everybody whom the operation is about, and where it is about nobody,
    over the whole customer.
    """
    pairs = operation.changes.values_list("subject_pk", "former_subject_pk")
    keys = {subject for subject, _former in pairs} | {former for _subject, former in pairs if former}
    people = (
        User.objects.visible_to(actor)
        .of(customer)
        .select_related("role", "customer")
        .in_bulk([key for key in keys if key])
    )
    if keys - people.keys() and (refusal := rights.why_not(actor, rights.Verb.CUSTOMER, customer=customer)):
        return str(refusal)
    return next(
        (str(refusal) for person in people.values() if (refusal := rights.why_not(actor, rights.Verb.EDIT, person, customer))), ""
    )  # fmt: skip


@require_http_methods(["GET", "HEAD", "POST"])
@in_customer()
def undo_operation(request: PortalRequest, customer: Customer, operation: int) -> HttpResponse:
    """Shows old and new value of everything that would be taken back, with what stands against it; a POST does it."""
    found = Operation.objects.visible_to(request.user).of(customer).filter(pk=operation).first()
    if found is None:
        raise Http404
    if refusal := may_undo(request.user, customer, found):
        raise PermissionDenied(refusal)
    error, status = "", 200
    if request.method == "POST":
        try:
            done = undo.undo(request.user, customer, found, RequestFacts.of(request))
        except undo.NotUndoableError as problem:
            error, status = str(problem), 409
        except road.ChangedMeanwhileError:
            error, status = _("Somebody else changed this in the meantime. Check it again."), 409
        else:
            if done is None:
                messages.info(request, _("Nothing to undo: everything is as it was before."))
            else:
                messages.success(request, _("%(who)s's change was undone.") % {"who": found.actor_name})
            return redirect(_back(request, customer, found))
    rows: list[tuple[bool, Callable[[], Undone]]] = []  # whether it is refused, and how it is drawn
    try:
        plans = undo.plan_undo(request.user, customer, found)
    except undo.NotUndoableError as problem:
        error = error or str(problem)
    else:
        rows = [
            (row.outcome == "refused", partial(_row, plan, row))
            for plan in plans
            for row in plan.rows
            if row.outcome != "unchanged"
        ]
        rows += [
            (record.pk in removal.refusals, partial(_gone, record, removal))
            for removal in undo.plan_removals(request.user, customer, found)
            for record in removal.records
        ]
        rows.sort(key=lambda row: not row[0])
    shown = [draw() for _refused, draw in rows[:MOST_SHOWN]]
    possible = bool(rows) and not rows[0][0]
    return render(request, "users/undo.html", {
        "operation": found, "what": timeline.reason_in_words(found), "rows": shown, "others": len(rows) - len(shown), "error": error, "possible": possible,
        "back_url": _back(request, customer, found), "gauge": finding.gauge(customer),
        "breadcrumbs": [(_("History"), _back(request, customer, found)), (_("Undo"), None)],
    }, status=status)  # fmt: skip


def _row(plan: road.Plan, row: road.RowPlan) -> Undone:
    columns = plan.sheet.columns
    cells = [
        {
            "label": str(columns[name].label),
            "old": _words(columns[name].show(old, plan.scope), old),
            "new": _words(columns[name].show(new, plan.scope), new),
        }
        for name, (old, new) in row.changes.items()
    ]
    reasons = (
        [row.refusal]
        if row.refusal
        else [
            f"{columns[name].label}{pgettext('before a value', ':')} {text}" if name in columns else text
            for name, texts in row.errors.items()
            for text in texts
        ]
    )
    follows = [] if reasons else [text for texts in row.warnings.values() for text in texts]
    return Undone(str(row.record) if row.record is not None else row.label, cells, reasons, follows=follows)


def _gone(record: Any, removal: road.Removal) -> Undone:
    """What was created in the course of the change, and goes with it."""
    refusal = removal.refusals.get(record.pk)
    follows = [] if refusal else removal.lost_with(record.pk)
    return Undone(str(record), [], [refusal] if refusal else [], goes=True, follows=follows)


def _words(shown: str, value: Any) -> str:
    return "" if value in (None, "", (), []) else shown


def _back(request: PortalRequest, customer: Customer, operation: Operation) -> str:
    """The history from which one came; else where this operation stands: of its one person, else of the customer; the list for who reads neither."""
    if here := safe_next(request, request.GET.get("next")):
        return here
    found = operation.changes.exclude(subject_pk=None).order_by().values_list("subject_pk", flat=True)
    keys = [key for key in found.distinct()[:2] if key is not None]
    person = (
        User.objects.visible_to(request.user).of(customer).filter(pk__in=keys).only("number").first()
        if len(keys) == 1
        else None
    )
    if person is not None:
        return reverse("user_history", args=[customer.slug, person.number])
    if rights.can(request.user, rights.Verb.HISTORY, customer=customer):
        return reverse("history", args=[customer.slug])
    return reverse("users", args=[customer.slug])
