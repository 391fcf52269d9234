"""One form saved by the road: planned, applied, or why not. Every page that edits one record goes through here."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from pbxadmin.common.columns import Column, Scope
from pbxadmin.common.forms import SectionForm
from pbxadmin.common.http import PortalRequest, RequestFacts
from pbxadmin.common.sections import Section, Sheet
from users import rights, road
from users.road import Outcome, meanwhile
from users.road.pages.conflicts import reconcile, seen_version, values_of


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


@dataclass(frozen=True)
class Page:
    """A page with one form of one record: how the form is made and shown, and where the page is."""

    sheet: Sheet
    section: Section
    # (form, status, **facts) → the page; `record` is among the facts where it was read anew.
    show: Callable[..., HttpResponse]
    url: str
    kept: str = ""  # what its address keeps after a save: "phone=805ec0123456"
    # The record as it is now, for whoever was forestalled; and how that is shown where the page does it in its own way.
    reload: Callable[[], Any] | None = None
    conflict: Callable[[road.RowPlan, int], HttpResponse] | None = None
    # (record, what was typed, its present values) → the form, where the section doesn't make it by itself.
    form: Callable[[Any, QueryDict, Mapping[str, Any]], SectionForm] | None = None
    verb: rights.Verb = rights.Verb.EDIT
    source: str = "portal"

    def made(self, scope: Scope, record: Any, data: QueryDict, initial: Mapping[str, Any]) -> SectionForm:
        """The form, with what was typed."""
        if self.form:
            return self.form(record, data, initial)
        return self.section.form(scope, data, initial=initial)


def save(
    request: PortalRequest, scope: Scope, page: Page, record: Any, *, fresh: bool = False
) -> HttpResponse:
    """Save a page's form, or show what is refused, or what somebody else changed in between: nothing typed is lost.

    `fresh`: `record` was read for this request, with all that the sheet asks of it.
    """
    data = request.POST
    form = page.made(scope, record, data, values_of(page.section, record, scope))
    seen = seen_version(data)
    known = {record.pk: record} if fresh else None
    done = attempt(
        request,
        scope,
        page.sheet,
        page.section.columns,
        record,
        form.raw(),
        seen,
        verb=page.verb,
        source=page.source,
        records=known,
    )
    if done.outcome is Outcome.CONFLICT:
        if page.conflict:
            return page.conflict(done.row, seen)
        now = page.reload() if page.reload else record
        form, theirs = reconcile(
            page.sheet,
            page.section,
            now,
            done.row,
            seen,
            scope,
            data,
            lambda typed, initial: page.made(scope, now, typed, initial),
        )
        return page.show(form, 409, record=now, seen=now.version, conflict=theirs)
    if done.outcome is Outcome.REFUSED:
        show_refusal(form, done.row)
        return page.show(form, 422, seen=seen)
    query = "&".join(filter(None, ["saved=1" if done.outcome is Outcome.SAVED else "", page.kept]))
    glue = "&" if "?" in page.url else "?"
    return redirect(f"{page.url}{glue}{query}" if query else page.url)


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
