"""Bringing a file in: sending it, its preview, its confirmation, its report, and the refused rows to mend."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import get_language, gettext_lazy, ngettext
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from files import uploads
from files.exporting.writing import Kind, written
from files.importing.imports import Mode
from files.importing.outcome import BLANK, CHANGED, NEW, REFUSED, UNCHANGED
from files.importing.words import FILES
from files.models import AT_THE_DESK, MODES, TooManyError, Upload, UploadPage
from files.pages.labels import labels_of, options_of
from files.pages.sending import attached
from files.reading import LARGEST, Damage, FileRefusedError, read
from files.reading.headers import REPORT, compared
from files.reading.spreadsheets import protected, unprotected
from files.reading.workbook import is_workbook
from files.subjects import SUBJECTS, USERS, Subject
from pbxadmin.common.columns import Scope, Text
from pbxadmin.common.counts import grouped
from pbxadmin.common.http import PortalRequest, RequestFacts
from users import rights
from users.models import Customer, Job
from users.road import finding, jobs
from users.road.pages.doors import in_customer
from users.road.pages.jobs import told

REFUSED_STATUS, CONFLICT, TOO_MANY = 422, 409, 429
TWO_AT_ONCE = gettext_lazy(
    "Two of your files are being checked or imported already: wait until one is done, or cancel it, then send this one."
)
RECENT = 10
# In the order of the tabs: what must be looked at first.
ORDER = (REFUSED, NEW, CHANGED, UNCHANGED, BLANK)
SHOWN_NOT_READ = 30
MOST_COLUMNS = 150  # that can be said to be something


# --- Which files, and whose ---------------------------------------------------------------------------------------
def mine(request: PortalRequest, customer: Customer) -> QuerySet[Upload]:
    """The files that the reader sent here themselves: what stands in a colleague's may be nothing for them."""
    mine = Upload.objects.visible_to(request.user).of(customer).filter(starter=request.user)
    return mine.exclude(language=AT_THE_DESK)


def upload_or_404(request: PortalRequest, customer: Customer, pk: int) -> Upload:
    """One of them."""
    found = mine(request, customer).select_related("job", "operation").filter(pk=pk) if pk < 2**63 else None
    upload = found.first() if found is not None else None
    if upload is None or upload.subject not in SUBJECTS:
        raise Http404
    upload.customer = customer
    uploads.let_go(upload)
    return upload


def offered(scope: Scope) -> list[Subject]:
    """What the reader may bring files of."""
    return [subject for subject in SUBJECTS.values() if not subject.why_not(scope)]


# --- Sending ------------------------------------------------------------------------------------------------------
@require_safe
@in_customer()
def home(request: PortalRequest, customer: Customer) -> HttpResponse:
    """Where files go in and out."""
    return _home(request, customer)


def _home(
    request: PortalRequest, customer: Customer, problem: Text = "", status: int = 200, **chosen: str
) -> HttpResponse:
    scope = Scope(request.user, customer)
    recent = [
        (upload, SUBJECTS[upload.subject].title)
        for upload in mine(request, customer).select_related("job")[:RECENT]
        if upload.subject in SUBJECTS
    ]
    return render(
        request,
        "files/home.html",
        {
            "subjects": offered(scope),
            "subject": chosen.get("subject") or request.GET.get("subject", "") or "users",
            "modes": list(MODES.items()),
            "mode": chosen.get("mode") or str(Mode.BOTH),
            "problem": problem,
            "recent": recent,
            "lists": [
                each for each in SUBJECTS.values() if each is not USERS and not each.why_not_out(scope)
            ],
            "largest": LARGEST,
            "too_large": str(FILES["too_large"]) % {"limit": LARGEST // 1024 // 1024},
            "gauge": finding.gauge(customer),
            "breadcrumbs": [(_("Import / Export"), None)],
        },
        status=status,
    )


@require_POST
@in_customer(rights.Verb.WORK)
def send(request: PortalRequest, customer: Customer) -> HttpResponse:
    """Take a file in, as it is; what it would do is looked at by a worker, and its page says so."""
    scope = Scope(request.user, customer)
    asked = {"subject": request.POST.get("subject", ""), "mode": request.POST.get("mode", "")}
    subject = next((each for each in offered(scope) if each.slug == asked["subject"]), None)
    file = request.FILES.get("file")
    problem: Text = ""
    if subject is None:
        problem = _("Choose what the file holds.")
    elif file is None:
        problem = _("Choose a file first.")
    elif file.size == 0:
        problem = _("The file is empty.")
    elif (file.size or 0) > LARGEST:
        problem = str(FILES["too_large"]) % {"limit": LARGEST // 1024 // 1024}
    if problem or subject is None or file is None:
        return _home(request, customer, problem, REFUSED_STATUS, **asked)
    mode = Mode(asked["mode"]) if asked["mode"] in list(Mode) else Mode.BOTH
    name = (file.name or "").replace("\0", "")
    try:
        upload = uploads.receive(scope, subject, name, file.chunks(), mode, RequestFacts.of(request))
    except TooManyError:
        return _home(request, customer, TWO_AT_ONCE, TOO_MANY, **asked)
    return redirect("file_upload", customer.slug, upload.pk)


# --- The page of one file -----------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Tab:
    """The rows of one outcome."""

    outcome: str
    label: str
    count: str
    url: str
    current: bool


LABELS = {
    REFUSED: lambda n: ngettext("Refused", "Refused", n),
    NEW: lambda n: ngettext("New", "New", n),
    CHANGED: lambda n: ngettext("Changed", "Changed", n),
    UNCHANGED: lambda n: ngettext("Unchanged", "Unchanged", n),
    BLANK: lambda n: ngettext("Blank", "Blank", n),
}


@never_cache
@require_safe
@in_customer()
def upload_page(request: PortalRequest, customer: Customer, pk: int) -> HttpResponse:
    """A file as far as it is: its progress, followed live; its preview; its report."""
    upload = upload_or_404(request, customer, pk)
    busy = upload.job is not None and not upload.job.is_over
    if upload.job:
        upload.job.customer = customer
    if request.htmx:
        if not busy or upload.job is None:
            return HttpResponse(status=204, headers={"HX-Refresh": "true"})
        now = told(upload.job, request.user)
        aloud = request.GET.get("said", "") != str(now.tenth)
        return render(request, "users/jobs/progress.html", {"told": now, "job": upload.job, "aloud": aloud})
    return _show(request, customer, upload)


def _show(
    request: PortalRequest, customer: Customer, upload: Upload, problem: Text = "", status: int = 200
) -> HttpResponse:
    subject = SUBJECTS[upload.subject]
    busy = upload.job is not None and not upload.job.is_over
    facts: dict[str, Any] = {
        "upload": upload,
        "subject": subject,
        "problem": problem,
        "told": told(upload.job, request.user) if upload.job else None,
        "job": upload.job,
        "busy": busy,
        # An import that was cancelled or stopped leaves the preview as it was, and says why.
        "ended": ""
        if busy or upload.job is None or upload.state != Upload.State.LOOKED
        else _why_it_ended(upload.job),
        "state": "busy" if busy else upload.state,
        "again_url": reverse("file_again", args=[customer.slug, upload.pk]),
    }
    if not busy and upload.state == Upload.State.LOOKED:
        facts |= _preview(upload)
        if rights.can(request.user, rights.Verb.CUSTOMER, customer=customer):
            facts["departments"] = uploads.unknown_departments(upload)
    if not busy and upload.state in (Upload.State.LOOKED, Upload.State.UNREADABLE):
        facts |= _columns(upload, subject, everything=bool(problem) or request.GET.get("columns") == "all")
        facts |= {
            "modes": list(MODES.items()),
            "other_language": upload.language != get_language(),
        }
    if not busy and upload.state in (Upload.State.LOOKED, Upload.State.WRITTEN):
        facts |= _rows(request, upload, subject)
    return render(
        request,
        "files/upload.html",
        {
            **facts,
            "gauge": finding.gauge(customer),
            "breadcrumbs": [
                (_("Import / Export"), reverse("files", args=[customer.slug])),
                (upload.name, None),
            ],
        },
        status=status,
    )


def _why_it_ended(job: Job) -> Text:
    if job.state == Job.State.CANCELLED:
        return _("This was cancelled: nothing was imported.")
    return job.words if job.state == Job.State.STOPPED else ""


def _preview(upload: Upload) -> dict[str, Any]:
    counts = upload.counts
    leaning, rows = upload.leaning or (0, [])
    whole = counts.get(NEW, 0) + counts.get(CHANGED, 0)
    return {
        "whole": whole if upload.seen else 0,
        "without": max(0, whole - leaning) if upload.seen_without else 0,
        "refused_count": counts.get(REFUSED, 0),
        "leaning": leaning,
        "leaning_rows": rows,
    }


def _columns(upload: Upload, subject: Subject, everything: bool) -> dict[str, Any]:
    """What each column of the file is, with its first cells. What isn't called as we call it can be said otherwise at once, a column
    of our own name where `everything` is asked for."""
    labels, own = labels_of(subject), subject.names.own
    known = upload.read
    header, meaning = known.get("header", []), known.get("is", {})
    samples = known.get("samples", [])
    remembered = set(known.get("remembered", ()))
    return {
        "columns": [
            {
                "place": place,
                "name": name,
                "is": meaning.get(str(place), ""),
                "label": labels.get(meaning.get(str(place), ""), ""),
                "asked": everything or compared(name) not in own,
                "samples": samples[place] if place < len(samples) else [],
                "remembered": name in remembered,
            }
            for place, name in enumerate(header)
            if name and name not in REPORT
        ][:MOST_COLUMNS],
        "options": options_of(subject),
        "everything": everything,
        "not_read": known.get("not_read", [])[:SHOWN_NOT_READ],
        "not_read_more": max(0, len(known.get("not_read", [])) - SHOWN_NOT_READ),
        # What was guessed, and what nobody knows, is looked at before the rows are.
        "ask_columns": known.get("format") not in ("3cx20", "3cx18")
        and any(compared(name) not in own for name in header if name and name not in REPORT),
    }


def _rows(request: PortalRequest, upload: Upload, subject: Subject) -> dict[str, Any]:
    counts = {outcome: upload.counts.get(outcome, 0) for outcome in ORDER}
    there = [outcome for outcome in ORDER if counts[outcome]]
    asked = request.GET.get("rows", "")
    current = asked if asked in there else there[0] if there else ""
    size = UploadPage.SIZE
    last = max(1, -(-counts.get(current, 0) // size))
    number = request.GET.get("page", "")
    page = (
        min(max(int(number), 1), last) if number.isascii() and number.isdecimal() and len(number) < 9 else 1
    )
    found = upload.pages.filter(outcome=current, number=page).first()
    labels = labels_of(subject)
    rows = found.rows if found else []
    for row in rows:
        row["changes"] = [(labels.get(name, name), name, old, new) for name, old, new in row["changes"]]
    base = reverse("file_upload", args=[upload.customer.slug, upload.pk])
    return {
        "tabs": [
            Tab(
                each,
                LABELS[each](counts[each]),
                grouped(counts[each]),
                f"{base}?rows={each}#rows",
                each == current,
            )
            for each in there
        ],
        "current": current,
        "rows": rows,
        "page": page,
        "pages": last,
        "previous_url": f"{base}?rows={current}&page={page - 1}#rows" if page > 1 else "",
        "next_url": f"{base}?rows={current}&page={page + 1}#rows" if page < last else "",
        "first_row": (page - 1) * size + 1,
        "last_row": min(page * size, counts.get(current, 0)),
        "row_count": counts.get(current, 0),
    }


# --- What is done with it -----------------------------------------------------------------------------------------
@require_POST
@in_customer(rights.Verb.WORK)
def again(request: PortalRequest, customer: Customer, pk: int) -> HttpResponse:
    """Look at the file again: other columns, another mode, another language, or because something went wrong."""
    upload = upload_or_404(request, customer, pk)
    subject = SUBJECTS[upload.subject]
    asked = request.POST.get("mode", "")
    mode = Mode(asked) if asked in list(Mode) else Mode(upload.mode)
    mapping = upload.mapping
    if "columns" in request.POST:
        mapping = _said_of_columns(request.POST, upload, subject)
        if problem := _why_not_columns(mapping, upload, subject):
            return _show(request, customer, upload, problem, REFUSED_STATUS)
    return _looked_again(request, customer, upload, mode, mapping)


def _looked_again(
    request: PortalRequest, customer: Customer, upload: Upload, mode: Mode, mapping: dict[str, str]
) -> HttpResponse:
    try:
        uploads.look_again(upload, Scope(request.user, customer), RequestFacts.of(request), mode, mapping)
    except TooManyError:
        return _show(request, customer, upload, TWO_AT_ONCE, TOO_MANY)
    return redirect("file_upload", customer.slug, upload.pk)


def _said_of_columns(sent: Mapping[str, str], upload: Upload, subject: Subject) -> dict[str, str]:
    """What was chosen for each column, where it isn't what the column is by itself."""
    ours = set(subject.names.ours)
    meaning = upload.read.get("is", {})
    said = dict(upload.mapping)
    for place, name in enumerate(upload.read.get("header", [])):
        chosen = sent.get(f"column-{place}")
        if name and chosen is not None and chosen in {"", *ours} and chosen != meaning.get(str(place), ""):
            said[name] = chosen
    return said


def _why_not_columns(mapping: dict[str, str], upload: Upload, subject: Subject) -> Text:
    meaning = {
        name: upload.read.get("is", {}).get(str(place), "")
        for place, name in enumerate(upload.read.get("header", []))
    } | mapping
    chosen = [column for column in meaning.values() if column]
    if twice := {column for column in chosen if chosen.count(column) > 1}:
        labels = labels_of(subject)
        names = ", ".join(sorted(str(labels.get(column, column)) for column in twice))
        return _("Two columns can't be the same: %(names)s. Leave one, and don't read the other.") % {
            "names": names
        }
    return ""


@require_POST
@in_customer(rights.Verb.WORK)
def take(request: PortalRequest, customer: Customer, pk: int) -> HttpResponse:
    """Import exactly what the preview showed, all of it or, on purpose, the good rows; a second press does nothing more."""
    upload = upload_or_404(request, customer, pk)
    scope, facts = Scope(request.user, customer), RequestFacts.of(request)
    seen, without = request.POST.get("seen", ""), request.POST.get("without", "") == "1"
    try:
        taken = uploads.take_in(upload, scope, facts, seen, without)
    except TooManyError:
        return _show(request, customer, upload, TWO_AT_ONCE, TOO_MANY)
    if not taken:
        upload = upload_or_404(request, customer, pk)
        return _show(request, customer, upload, uploads.CHANGED_MEANWHILE, CONFLICT)
    return redirect("file_upload", customer.slug, upload.pk)


@require_POST
@in_customer(rights.Verb.CUSTOMER)
def departments(request: PortalRequest, customer: Customer, pk: int) -> HttpResponse:
    """Create the departments that the file names and that aren't there, and look at it again."""
    upload = upload_or_404(request, customer, pk)
    scope, facts = Scope(request.user, customer), RequestFacts.of(request)
    made = uploads.create_departments(upload, scope, facts)
    if made.plan.refused:
        return _show(request, customer, upload, " ".join(made.plan.sentences), REFUSED_STATUS)
    return _looked_again(request, customer, upload, Mode(upload.mode), upload.mapping)


@require_POST
@in_customer(rights.Verb.WORK)
def cancel(request: PortalRequest, customer: Customer, pk: int) -> HttpResponse:
    """End what a worker is at; nothing was or will be written."""
    upload = upload_or_404(request, customer, pk)
    if upload.job:
        jobs.cancel(upload.job)
    return redirect("file_upload", customer.slug, upload.pk)


@require_POST
@in_customer(rights.Verb.WORK)
def discard(request: PortalRequest, customer: Customer, pk: int) -> HttpResponse:
    """Delete a file that was sent, with all that is in it; what it changed stays as it is."""
    upload = upload_or_404(request, customer, pk)
    if upload.job and not upload.job.is_over:
        jobs.cancel(upload.job)
        return redirect("file_upload", customer.slug, upload.pk)
    upload.delete()
    return redirect("files", customer.slug)


@never_cache
@require_safe
@in_customer()
def refused_rows(request: PortalRequest, customer: Customer, pk: int) -> StreamingHttpResponse:
    """The refused rows as they came, in a file of the same kind, with the reason beside each: to be mended and sent again."""
    upload = upload_or_404(request, customer, pk)
    if not upload.counts.get(REFUSED):
        raise Http404
    content = upload.content()
    kind = Kind.XLSX if is_workbook(content) else Kind.CSV
    try:
        table = read(content, SUBJECTS[upload.subject].names)
    except FileRefusedError:
        raise Http404 from None
    reasons = {
        row["row"]: " ".join(
            f"{column}: {words}" if column else words for column, _value, words in row["errors"]
        )
        for page in upload.pages.filter(outcome=REFUSED).order_by("number")
        for row in page.rows
    }

    def rows() -> Iterator[list[str]]:
        for record in table.records:
            if record.row in reasons:
                cells = [_as_it_came(cell) for cell in record.cells]
                yield [str(record.row), protected(reasons[record.row]), *cells]

    header = [*REPORT, *(protected(unprotected(name)) for name in table.header)]
    name = f"{customer.slug}-refused-{upload.pk}.{kind}"
    # One that is told without a line that names it: spreadsheets show no such line, and what is saved has lost it.
    separator = table.separator if table.separator in (",", ";", "tab") else ","
    return attached(
        name,
        kind,
        written(kind, _("Refused rows"), header, rows(), separator=separator, mark=True),
    )


def _as_it_came(cell: str) -> str:
    """A cell of a refused row, such that it is still refused where nobody mends it, and that no spreadsheet runs it."""
    lost = isinstance(cell, Damage) and not cell.strip()  # a formula whose result isn't in the file
    return "#N/A" if lost else protected(unprotected(cell))
