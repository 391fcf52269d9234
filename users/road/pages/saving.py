"""One form saved by the road: planned, applied, or why not. Every page that edits one record goes through here."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.contrib import messages
from django.http import HttpRequest
from django.utils.translation import gettext as _

from pbxadmin.common.columns import Column, Scope
from pbxadmin.common.forms import SectionForm
from pbxadmin.common.http import RequestFacts
from pbxadmin.common.sections import Sheet
from users import rights, road
from users.road import Outcome, meanwhile


def attempt(
    request: HttpRequest,
    scope: Scope,
    sheet: Sheet,
    columns: Iterable[Column],
    record: Any,
    raw: Mapping[str, Any],
    seen: int,
    *,
    verb: rights.Verb = rights.Verb.EDIT,
    source: str = "portal",
    records: Mapping[Any, Any] | None = None,
) -> road.Commit:
    """Try to save what was typed (`raw`) for `record`, of which the sender had seen version `seen`; tell what the road has to tell.

    `columns` are those of the form: what was changed elsewhere since (a status that switched by itself) is no conflict.
    `records` as `road.plan` takes it: a record that was just read needn't be read again.
    """

    def planned(version: int, known: Mapping[Any, Any] | None) -> road.Plan:
        rows = [road.Row(record.pk, raw, seen=version)]
        return road.plan(scope.actor, scope.customer, sheet, rows, verb, scope=scope, records=known)

    plan = planned(seen, records)
    if plan.rows[0].stale and _only_elsewhere(sheet, columns, record, seen, scope):
        plan = planned(record.version, None)
    done = road.commit(plan, RequestFacts.of(request, source))
    if done.outcome in (Outcome.SAVED, Outcome.UNCHANGED):
        tell_warnings(request, done.row)
    if done.outcome is Outcome.UNCHANGED:
        messages.info(request, _("Nothing to save: everything is as it was."))
    return done


def _only_elsewhere(sheet: Sheet, columns: Iterable[Column], record: Any, seen: int, scope: Scope) -> bool:
    """Whether what was changed since `seen` is on other tabs."""
    own = {column.name: column for column in columns if not column.own_form}
    return (
        0 < seen < record.version
        and not meanwhile.changed_since(record, sheet.label, seen, own, scope).before
    )


def show_refusal(form: SectionForm, row: road.RowPlan) -> None:
    """Put everything that refuses a row onto its form."""
    form.show_errors(row.errors | ({"": [row.refusal]} if row.refusal else {}))


def tell_warnings(request: HttpRequest, row: road.RowPlan) -> None:
    """What the plan had to say beside saving."""
    for sentence in [sentence for sentences in row.warnings.values() for sentence in sentences]:
        messages.warning(request, sentence)
