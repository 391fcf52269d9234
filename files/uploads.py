"""From a file that was sent to its preview, and from a preview that was confirmed to what it says: two works, in a worker each.

What is imported is exactly what the preview showed. The file is planned anew when it is confirmed, and what would happen then is
compared, as a digest, with what was shown; where it is something else the reader gets the new preview instead.
"""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

from django.db import transaction
from django.urls import reverse
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from files.importing.imports import Import, Mode
from files.importing.outcome import CHANGED, NEW, REFUSED, RowOutcome, Said, counted, grouped
from files.importing.words import said_of
from files.models import Upload, UploadPage, make_room, remember, remembered, wait_for_ones_turn
from files.reading import FileRefusedError
from files.reading.headers import Columns, compared
from files.reading.table import Table
from files.subjects import SUBJECTS, Subject
from pbxadmin.common import progress
from pbxadmin.common.columns import Scope
from pbxadmin.common.crypto import MASK
from pbxadmin.common.http import RequestFacts
from pbxadmin.common.proof import Takeover
from pbxadmin.common.values.signs import folded
from users import rights, road
from users.company.sheets import department_sheet
from users.models import Customer, Job, Operation, User
from users.road import jobs
from users.road.works import Beat, StoppedError, Work, register_work

State = Upload.State
# What columns of secrets are called in other people's lists, as names are compared; too much is masked rather than too little.
_SECRET = re.compile(r"pin|nip|pass|secret|code|cle|key")
SAMPLES = 3  # cells of each column on the page that asks what it is
LONGEST_SAMPLE = 40
MOST_GROUPS, MOST_IN_A_GROUP = 200, 500
MOST_LEANING = 100
CHANGED_MEANWHILE = gettext_lazy(
    "Something has changed since the preview: nothing was imported. Check the new preview, then confirm it."
)


# --- From a page --------------------------------------------------------------------------------------------------
def receive(
    scope: Scope, subject: Subject, name: str, content: Iterable[bytes], mode: Mode, facts: RequestFacts
) -> Upload:
    """Store a file and have a worker look at it. Nothing of it is read here, however large it is. Raises `TooManyError`."""
    with transaction.atomic():
        upload = Upload.objects.create(
            customer=scope.customer,
            starter=scope.actor,
            subject=subject.slug,
            name=" ".join(name.split())[-120:] or "?",
            size=0,
            mode=mode,
            language=get_language() or "",
        )
        make_room(upload)
        upload.keep(content)
        _have_looked_at(upload, scope, facts)
    return upload


def look_again(
    upload: Upload, scope: Scope, facts: RequestFacts, mode: Mode, mapping: dict[str, str]
) -> bool:
    """Have the same file looked at with another meaning of its columns, another mode, or in another language; False where it is too late.

    Raises `TooManyError`.
    """
    with transaction.atomic():
        held = Upload.objects.select_for_update().of(scope.customer).get(pk=upload.pk)
        if held.state in (State.WRITING, State.WRITTEN):
            return False
        wait_for_ones_turn(held)
        if held.job and not held.job.is_over:
            jobs.cancel(held.job)
        held.mode, held.mapping, held.language = mode, mapping, get_language() or ""
        _have_looked_at(held, scope, facts)
    return True


def _have_looked_at(upload: Upload, scope: Scope, facts: RequestFacts) -> None:
    upload.job = jobs.start_work(LOOK, scope, {"name": upload.name}, facts)
    upload.state, upload.changed_meanwhile = State.READING, False
    upload.save()


def take_in(upload: Upload, scope: Scope, facts: RequestFacts, seen: str, good_rows: bool) -> bool:
    """Have a worker import what the preview showed, as `seen` names it; False where the preview isn't that any more.

    Asked twice (a second click) it is imported once. Raises `ProofNeededError` and `TooManyError`.
    """
    with transaction.atomic():
        held = Upload.objects.select_for_update().of(scope.customer).get(pk=upload.pk)
        if held.state in (State.WRITING, State.WRITTEN):
            return True
        shown = held.seen_without if good_rows else held.seen
        if held.state != State.LOOKED or not shown or shown != seen:
            return False
        facts.demand_proof(Takeover(held.takes_over) if held.takes_over else None)
        wait_for_ones_turn(held)
        settings = {"name": held.name, "seen": seen, "proved": bool(held.takes_over)}
        held.good_rows, held.state, held.changed_meanwhile = good_rows, State.WRITING, False
        held.job = jobs.start_work(TAKE_IN, scope, settings, facts)
        held.save()
    return True


def let_go(upload: Upload) -> None:
    """After a work that was cancelled or stopped, the file is what it was before it: looked at, or to be looked at."""
    if upload.state == State.WRITING and (upload.job is None or upload.job.is_over):
        Upload.objects.filter(pk=upload.pk, state=State.WRITING, job=upload.job).update(state=State.LOOKED)
        upload.state = State.LOOKED


def unknown_departments(upload: Upload) -> list[str]:
    """The names in a file that no department has, each once."""
    names: dict[str, str] = {}
    for group in upload.groups:
        if group["code"] == "unknown_department" and group["value"].strip():
            names.setdefault(folded(group["value"].strip()), group["value"].strip())
    return list(names.values())


def create_departments(upload: Upload, scope: Scope, facts: RequestFacts) -> road.Commit:
    """Create the departments that a file names and that aren't there, with nothing but their names."""
    rows = [road.Row(None, {"name": name}) for name in unknown_departments(upload)]
    return road.commit(road.plan(scope.actor, scope.customer, department_sheet(), rows, scope=scope), facts)


# --- In a worker --------------------------------------------------------------------------------------------------
def _look(scope: Scope, beat: Beat) -> None:
    """Read the file, plan it, and write down what the page shows."""
    upload = _of(beat.job)
    with progress.told_to(beat.at):
        beat.at("reading")
        looked = _looked_at(upload, scope)
        with transaction.atomic():
            _write_down(upload, looked)
            beat.finish(sum(looked.counts.values()), looked.counts.get(REFUSED, 0))


def _take_in(scope: Scope, beat: Beat) -> None:
    """Plan the file anew; where it says what was confirmed, write it, with the end of the job, in one transaction."""
    upload, settings = _of(beat.job), beat.job.settings
    with progress.told_to(beat.at):
        beat.at("reading")
        # As the preview read it, whatever somebody has said of such columns since.
        looked = _looked_at(upload, scope, upload.read.get("chosen"))
        made = looked.good if upload.good_rows else looked.made
        shown = looked.seen_without if upload.good_rows else looked.seen
        if made is None or shown != settings["seen"] or (looked.takes_over and not settings["proved"]):
            _show_anew(upload, looked)
        beat.at("writing")
        operation = None
        try:
            with transaction.atomic():
                _unless_rights_changed(scope, beat.job)
                operation = SUBJECTS[upload.subject].write(
                    made, _facts(beat.job), f"file {upload.name[:100]}"
                )
                beat.at("writing", 0.9)
                _tell_what_became(upload, looked, made, operation)
                done = made.counts[NEW] + made.counts[CHANGED]
                beat.finish(done, len(made.left_out), operation)
        except (_RightsChangedError, road.ChangedMeanwhileError, road.RefusedError):
            # By whoever they are now, who may see less, and with nothing that was looked up before.
            _show_anew(upload, _looked_at(upload, _scope_of(beat.job), upload.read.get("chosen")))


class _RightsChangedError(Exception):
    """Whoever started the import has other rights than those with which it was planned."""


def _scope_of(job: Job) -> Scope:
    """Whoever started a job, with the rights of now."""
    customer = Customer.objects.get(pk=job.customer_id or 0)
    actor = jobs.actor_of(job, customer)
    if isinstance(actor, str):
        raise StoppedError(actor)
    return Scope(actor, customer)


def _of(job: Job) -> Upload:
    upload = Upload.objects.select_related("customer").filter(job=job).first()
    if upload is None or upload.subject not in SUBJECTS:
        raise StoppedError(_("This file is no longer there: send it again."))
    return upload


def _facts(job: Job) -> RequestFacts:
    return RequestFacts("csv", job.address, job.request_id, job.note)


def _unless_rights_changed(scope: Scope, job: Job) -> None:
    """Under the customer's lock: what was planned was planned with the rights that its starter has now."""
    Customer.objects.select_for_update().only("pk").get(pk=scope.customer.pk)
    if _rights_of(_scope_of(job).actor) != _rights_of(scope.actor):
        raise _RightsChangedError


def _rights_of(actor: User) -> tuple[Any, ...]:
    return actor.is_staff, actor.staff_level, actor.role_id, frozenset(actor.department_ids)


def _show_anew(upload: Upload, looked: "Looked") -> NoReturn:
    with transaction.atomic():
        _write_down(upload, looked, changed_meanwhile=True)
    raise StoppedError(str(CHANGED_MEANWHILE))


@dataclass
class Looked:
    """What became of looking at a file."""

    refused: FileRefusedError | None = None
    made: Import | None = None
    good: Import | None = None  # without the refused rows, where there are some
    remembered: Sequence[str] = ()  # columns that are what somebody said before
    chosen: Mapping[str, str] = field(default_factory=dict)  # what its columns were said to be, then or now
    of: str = ""  # the file itself, and how it was read

    @property
    def counts(self) -> dict[str, int]:
        """Rows by outcome."""
        return self.made.counts if self.made else {}

    @property
    def seen(self) -> str:
        """What all of it would do, as a digest; "" where it can't be done."""
        return digest_of(self.of, self.made.outcomes) if self.made and not self.made.refused else ""

    @property
    def seen_without(self) -> str:
        """What the good rows would do; "" where there are none, or no others."""
        good = self.good
        return digest_of(self.of, good.outcomes) if good and good.outcomes and not good.refused else ""

    @property
    def takes_over(self) -> Takeover | None:
        """What it would let somebody keep who found a session open."""
        made = self.good or self.made
        for plan in made.plans if made else ():
            for row in plan.having(NEW, CHANGED):
                if found := plan.sheet.takes_over(row, plan.scope):
                    return found
        return None


def _looked_at(upload: Upload, scope: Scope, frozen: Mapping[str, str] | None = None) -> Looked:
    """Look at a file; `frozen`: what its columns were when it was last looked at, instead of what is remembered now."""
    subject, content = SUBJECTS[upload.subject], upload.content()
    before = remembered(upload.customer, subject.slug) if frozen is None else {}
    said = {compared(name) for name in upload.mapping}
    chosen = {name: column for name, column in before.items() if name not in said} | upload.mapping
    chosen = chosen if frozen is None else dict(frozen)
    mode = Mode(upload.mode)
    try:
        try:
            made = subject.look_at(content, scope, mode, chosen)
        except FileRefusedError as refused:
            if refused.reason != "duplicate_column" or chosen == upload.mapping:
                raise
            # What was said of another list makes two columns the same in this one.
            before, chosen = {}, upload.mapping
            made = subject.look_at(content, scope, mode, chosen)
    except FileRefusedError as refused:
        return Looked(refused=refused)
    known = [name for name in made.columns.header if compared(name) in before and compared(name) not in said]
    good = subject.good_rows(made) if made.refused else None
    of = json.dumps([upload.pk, upload.digest, mode, sorted(made.columns.by_place.items())])
    return Looked(None, made, good, known, chosen, of)


def digest_of(of: str, outcomes: Sequence[RowOutcome]) -> str:
    """What the rows of a file would do, whichever language it is said in.

    What is new is as the file has it, read as `of` says; to what its names refer is in the outcome. What changes is there from what to what.
    """
    digest = hashlib.sha256(of.encode())
    for row in outcomes:
        reasons = sorted((said.column, said.reason.code) for said in row.errors)
        digest.update(
            json.dumps([row.row, row.outcome, row.number, reasons, row.changes, row.means]).encode()
        )
    return digest.hexdigest()


# --- What the page shows ------------------------------------------------------------------------------------------
def _write_down(upload: Upload, looked: Looked, changed_meanwhile: bool = False) -> None:
    """Keep what the page shows of a file, unless it is looked at again already."""
    held = Upload.objects.select_for_update().get(pk=upload.pk)
    if held.job_id != upload.job_id:
        raise StoppedError(_("The file was looked at again in the meantime."))
    held.changed_meanwhile = changed_meanwhile
    held.pages.all().delete()
    if looked.refused:
        held.state = State.UNREADABLE
        held.read = {
            "reason": looked.refused.reason,
            "message": said_of(looked.refused),
        }
        if table := looked.refused.table:
            secret = {place for place, name in enumerate(table.header) if _sounds_secret(name)}
            held.read |= {
                "header": list(table.header),
                "samples": samples_of(table, len(table.header), secret),
            }
        held.counts, held.groups, held.warnings, held.leaning = {}, [], [], []
        held.seen = held.seen_without = held.takes_over = ""
    elif looked.made:
        made = looked.made
        held.state = State.LOOKED
        held.read = how_read(SUBJECTS[held.subject], made.table, made.columns) | {
            "remembered": list(looked.remembered),
            "chosen": dict(looked.chosen),
        }
        held.seen, held.seen_without = looked.seen, looked.seen_without
        held.takes_over = looked.takes_over or ""
        first = {row.row for row in made.outcomes if row.outcome == REFUSED}
        leaning = [row.row for row in looked.good.left_out if row.row not in first] if looked.good else []
        held.leaning = [len(leaning), leaning[:MOST_LEANING]] if leaning else []
        _keep_rows(held, made.outcomes, made.table)
    held.save()


def _tell_what_became(upload: Upload, looked: Looked, made: Import, operation: Operation | None) -> None:
    """The report in the place of the preview."""
    held = Upload.objects.select_for_update().get(pk=upload.pk)
    held.state, held.operation = State.WRITTEN, operation
    held.pages.all().delete()
    _keep_rows(held, [*made.left_out, *made.outcomes], made.table)
    held.save()
    # What columns are called is said for everybody by whoever acts for everybody.
    if looked.made and rights.can(held.starter, rights.Verb.CUSTOMER, customer=held.customer):
        own = looked.made.contents.names().own
        said = {compared(name): column for name, column in held.mapping.items()}
        remember(held.customer, held.subject, [pair for pair in said.items() if pair[0] not in own])


def how_read(subject: Subject, table: Table, columns: Columns) -> dict[str, Any]:
    """How a file was read, for its page."""
    secret = {place for place, column in columns.by_place.items() if column in secrets_of(subject)}
    secret |= {place for place, name in enumerate(columns.header) if _sounds_secret(name)}
    return {
        "format": str(columns.format),
        "encoding": table.encoding,
        "separator": table.separator,
        "sheet": table.sheet,
        "header_row": table.header_row,
        "header": list(columns.header),
        "is": {str(place): column for place, column in columns.by_place.items()},
        "not_read": columns.not_read,
        "nameless": len(columns.nameless),
        "samples": samples_of(table, len(columns.header), secret),
    }


def samples_of(table: Table, width: int, secret: Collection[int] = ()) -> list[list[str]]:
    """The first filled cells of each column, masked where they are secrets."""
    found: list[list[str]] = [[] for _place in range(width)]
    for record in table.records[:50]:
        for place, cell in enumerate(record.cells[:width]):
            if cell.strip() and len(found[place]) < SAMPLES:
                found[place].append(MASK if place in secret else cell.strip()[:LONGEST_SAMPLE])
    return found


def _keep_rows(upload: Upload, outcomes: Sequence[RowOutcome], table: Table) -> None:
    """The rows by outcome, a page each, with equal refusals together."""
    upload.counts = counted(outcomes)
    ours, header = secrets_of(SUBJECTS[upload.subject]), upload.read["header"]
    secret = frozenset(header[int(place)] for place, column in upload.read["is"].items() if column in ours)
    upload.groups = [
        {
            "column": said.column,
            "value": _shown_value(said, secret),
            "code": said.reason.code,
            "message": _shown_reason(said, secret),
            "rows": rows[:MOST_IN_A_GROUP],
            "count": len(rows),
        }
        for said, rows in grouped(outcomes)[:MOST_GROUPS]
    ]
    # What is told once for the file stands beside the first row that it is about, which may be on any page.
    told = Counter((s.column, _shown_reason(s, secret)) for row in outcomes for s in row.warnings)
    upload.warnings = [[column, words, count] for (column, words), count in told.most_common(MOST_GROUPS)]
    by_outcome: dict[str, list[dict[str, Any]]] = {}
    names = _names_in(table, upload.read)
    for row in sorted(outcomes, key=lambda each: each.row):
        by_outcome.setdefault(row.outcome, []).append(
            {
                "row": row.row,
                "line": row.line,
                "number": row.number,
                "name": names.get(row.row, ""),
                "errors": [[s.column, _shown_value(s, secret), _shown_reason(s, secret)] for s in row.errors],
                "warnings": [
                    [s.column, _shown_value(s, secret), _shown_reason(s, secret)] for s in row.warnings
                ],
                "changes": [[column, *pair] for column, pair in row.changes.items()],
            }
        )
    size = UploadPage.SIZE
    UploadPage.objects.bulk_create(
        [
            UploadPage(
                upload=upload, outcome=outcome, number=place // size + 1, rows=rows[place : place + size]
            )
            for outcome, rows in by_outcome.items()
            for place in range(0, len(rows), size)
        ],
        batch_size=100,
    )


def _shown_value(said: Said, secret: frozenset[str]) -> str:
    return MASK if _is_secret(said, secret) and said.value else said.value[:200]


def _shown_reason(said: Said, secret: frozenset[str]) -> str:
    """The sentence, without the cell that it may cite where that is a secret."""
    words = str(said.reason)
    cited = said.value.strip() if _is_secret(said, secret) else ""
    return words.replace(cited, MASK) if cited else words


def _is_secret(said: Said, secret: frozenset[str]) -> bool:
    """A cell of a column of secrets; or one beyond the header, in a file that has some: it may be a shifted one."""
    return said.column in secret or (not said.column and bool(secret))


def _sounds_secret(name: str) -> bool:
    """Whether a column that nobody knows yet is called as columns of secrets are."""
    return bool(_SECRET.search(compared(name[:200])))


def secrets_of(subject: Subject) -> frozenset[str]:
    """The columns of its files whose cells are secrets."""
    return frozenset(column.csv for column in subject.sheet().columns.values() if column.secret)


def _names_in(table: Table, read: dict[str, Any]) -> dict[int, str]:
    """What each row calls itself, beside its number: a first and last name, or a name."""
    places = [
        int(place)
        for wanted in ("FirstName", "LastName", "Name")
        for place, column in read["is"].items()
        if column == wanted
    ]
    return {
        record.row: " ".join(record.cells[place].strip() for place in places if place < len(record.cells))[
            :80
        ]
        for record in table.records
    }


# --- The two works ------------------------------------------------------------------------------------------------
def url_of(job: Job) -> str:
    """The page of the file that a job is about; "" where the file is gone."""
    upload = Upload.objects.filter(job=job).only("pk", "customer_id").first()
    return reverse("file_upload", args=[job.customer.slug, upload.pk]) if upload and job.customer else ""


LOOK = register_work(
    Work(
        slug="file-preview",
        title=lambda job: _("Preview of “%(name)s”") % {"name": job.settings["name"]},
        url=url_of,
        phases={
            "reading": (gettext_lazy("Reading"), 0),
            "checking": (gettext_lazy("Checking the rows"), 100),
        },
        do=_look,
    )
)
TAKE_IN = register_work(
    Work(
        slug="file-import",
        title=lambda job: _("Import of “%(name)s”") % {"name": job.settings["name"]},
        url=url_of,
        phases={
            "reading": (gettext_lazy("Reading"), 0),
            "checking": (gettext_lazy("Checking the rows"), 50),
            "writing": (gettext_lazy("Saving"), 550),
        },
        do=_take_in,
    )
)
