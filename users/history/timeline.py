"""The history as people read it: operation by operation, searched, narrowed and paged; each with the way to take it back."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import BooleanField, Count, Exists, F, OuterRef, Q, QuerySet, Value, Window
from django.db.models.functions import RowNumber
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from pbxadmin.common.columns import Column, Scope
from pbxadmin.common.crypto import MASK
from pbxadmin.common.listing import PAGE_SIZE, ListState
from signin import credentials as signin
from users import rights, road
from users.company import ownership
from users.history import asked, titles
from users.models import Change, Customer, Operation, User
from users.people import replacing
from users.people.reset import LABELS
from users.road.meanwhile import shown

# Rows of an operation that its entry lists; the page of the operation has all of them.
SHOWN = 8
# Where changes of what belongs to no customer are taken back: {table: name of the address}; whoever has such a page enters it here.
UNDO_AT: dict[str, str] = {}
# Their titles say everything: what was sent, which secret was shown.
TOLD_BY_TITLE = (Operation.Kind.COMMAND, Operation.Kind.REVEAL)
# What the portal itself notes as a reason; where "where from" says it already, nothing.
REASONS: Mapping[str, Any] = {
    "automatic status": _("Status changed by the schedule"),
    "status dialled on the phone": _("Status set by a code dialled on the phone"),
    "demo": " ",
    "export": _("In a file"),
    "new customer": _("New customer"),
}


@dataclass(frozen=True)
class ToldRow:
    """What an operation did to one record."""

    name: str
    changes: list[dict[str, str]]
    created: bool = False
    taken_out: bool = False  # of its list, from which it can be put back


@dataclass(frozen=True)
class Told:
    """An operation as the timeline tells it. `rows` are at most `SHOWN`, `more` counts the others."""

    who: str
    what: str
    when: Any
    where: str
    reason: str
    rows: list[ToldRow]
    more: int = 0
    url: str = ""
    undo_url: str = ""
    # Whose it is, where several customers' stand together.
    customer: str = ""
    customer_url: str = ""

    @property
    def count(self) -> int:
        """How many values changed in the rows that are listed."""
        return sum(len(row.changes) for row in self.rows)


def about_person(person: User) -> QuerySet[Change]:
    """What was changed about one person: their own row and those of their phones, also of one that they gave away."""
    return Change.objects.filter(Q(subject_pk=person.pk) | Q(former_subject_pk=person.pk))


def of_person(actor: User, person: User, state: ListState) -> Page:
    """The history of one person, a page of it: of an operation on many, their part alone."""
    about = about_person(person)
    operations = Operation.objects.filter(pk__in=about.values("operation"))
    return _page(actor, operations, about, state, person.customer)


def of_record(actor: User, customer: Customer, label: str, key: int, state: ListState) -> Page:
    """The history of one record (`label`: its table), a page of it: what it was changed in, and what changes of others say of it."""
    about = within_reach(actor, customer).filter(asked.about_record(label, key))
    operations = operations_of(actor, customer, about).filter(asked.operations_about(label, key))
    return _page(actor, operations, about, state, customer)


def of_everybody(actor: User, state: ListState) -> Page:
    """The history of all customers, and of what belongs to none, a page of it: for support staff."""
    operations = Operation.objects.visible_to(actor).select_related("customer")
    return _page(actor, operations, within_reach(actor), state, None)


def of_customer(actor: User, customer: Customer, state: ListState) -> Page:
    """A customer's history, a page of it: what is about people whom `actor` administers, or all of it."""
    about = within_reach(actor, customer)
    return _page(actor, operations_of(actor, customer, about), about, state, customer)


def within_reach(actor: User, customer: Customer | None = None) -> QuerySet[Change]:
    """The rows of the history that somebody may read: who acts on some departments reads of their people alone. None: of all customers.

    `closed`: the row is about somebody above them, whose tabs they can't open: that it changed is theirs to read, not the values.
    """
    if rights.acts_on_whole_customer(actor):
        return Change.objects.annotate(closed=_is_above(actor, "subject_pk"))
    assert customer is not None, "support staff alone read of all customers"
    mine = User.objects.visible_to(actor).of(customer).filter(rights.administered_by(actor))
    return Change.objects.filter(subject_pk__in=mine.order_by().values("pk"))


def _is_above(actor: User, key: str) -> Any:
    """Whether the person whose key stands in this column is above the reader, as a condition: by their role, or as the provider's staff."""
    if actor.is_staff:
        return Value(False, output_field=BooleanField())
    above = Q(role__level__gt=actor.role.level) | Q(is_staff=True)
    return Exists(User.objects.filter(above, pk=OuterRef(key)))


def operations_of(actor: User, customer: Customer, about: QuerySet[Change]) -> QuerySet[Operation]:
    """The operations of a customer's history of which somebody reads something."""
    operations = Operation.objects.visible_to(actor).of(customer)
    if rights.acts_on_whole_customer(actor):
        return operations
    return operations.filter(Exists(about.filter(operation=OuterRef("pk"))))


def latest(actor: User, customer: Customer, count: int) -> list[Told]:
    """The last changes in a customer, without who signed in."""
    about = within_reach(actor, customer)
    operations = operations_of(actor, customer, about).exclude(kind=Operation.Kind.SIGN_IN).order_by("-id")
    return _told(actor, list(annotated(actor, operations)[:count]), about, customer)


@dataclass(frozen=True)
class Line:
    """An operation in one line, of whichever customer."""

    customer: Customer | None
    who: str
    what: str
    when: Any


def latest_everywhere(actor: User, count: int) -> list[Line]:
    """The last changes over all customers, without who signed in: one query, which reads no value of anybody's."""
    told = Operation.objects.visible_to(actor).exclude(kind=Operation.Kind.SIGN_IN).order_by("-id")
    numbered = Change.objects.filter(operation__in=told.values("pk")[:count]).annotate(
        place=Window(RowNumber(), partition_by=F("operation"), order_by=F("id").asc()),
        of=Window(Count("pk"), partition_by=F("operation")),
    )
    rows: dict[Operation, list[Any]] = defaultdict(list)
    for change in (
        numbered.filter(place__lte=SHOWN)
        .select_related("operation__customer")
        .order_by("-operation_id", "id")
    ):
        rows[change.operation].append(change)
    return [
        Line(
            operation.customer,
            operation.actor_name,
            title_of(operation, [_named_row(change) for change in changes], changes[0].of),
            operation.at,
        )
        for operation, changes in rows.items()
    ]


def _named_row(change: Change) -> ToldRow:
    """What was done to one record by the names of its columns; of what was sent to a phone, what that was."""
    if change.kind in TOLD_BY_TITLE:
        return _told_row(change, None)
    sheet = road.SHEETS.get(change.model)
    known = [sheet.columns.get(cell["column"]) if sheet else None for cell in change.cells]
    labels = [
        str(column.label if column else LABELS.get(cell["column"], cell["column"]))
        for cell, column in zip(change.cells, known, strict=True)
    ]
    return ToldRow(
        change.object_name,
        [{"label": label, "old": "", "new": ""} for label in labels],
        change.kind == Operation.Kind.CREATE,
        _takes_out(change),
    )


def rows_of(actor: User, customer: Customer, operation: Operation, page: Any) -> Page:
    """Everything that one operation did, a page of it, record by record; and from which `address`, where that is the reader's to know.

    `operation` as `annotated` gives it.
    """
    rows_in_reach = within_reach(actor, customer).filter(operation=operation).order_by("id")
    found: Any = Paginator(rows_in_reach, PAGE_SIZE).get_page(page)
    rows = list(found.object_list)
    scope = Scope(actor, customer)
    look_up(rows, scope)
    found.address = address_for(actor, operation, rows, customer)
    found.object_list = [_told_row(change, scope) for change in rows]
    return found


def _page(
    actor: User,
    operations: QuerySet[Operation],
    changes_of: QuerySet[Change],
    state: ListState,
    customer: Customer | None,
) -> Page:
    shown_page: Any = state.page_of(annotated(actor, state.rows(operations)))
    shown_page.object_list = _told(actor, list(shown_page.object_list), changes_of, customer)
    return shown_page


def annotated(actor: User, operations: QuerySet[Operation]) -> QuerySet[Operation]:
    """With whether it was taken back already, and whether somebody above the reader did it."""
    return operations.annotate(
        undone=Exists(Operation.objects.filter(undoes=OuterRef("pk"))), by_above=_is_above(actor, "actor_pk")
    )


def address_for(actor: User, operation: Operation, rows: Sequence[Change], customer: Customer | None) -> str:
    """From which network address it was done, for those whose business that is; "" for others.

    It tells where somebody sits: it takes the event log, and the right over whoever did it. Who acts on some departments knows of
    theirs that they administer them where the operation is about themselves (their sign-in, their own settings).
    """
    if actor.is_staff or operation.actor_pk == actor.pk:
        return operation.address
    if not rights.can(actor, rights.Verb.HISTORY, customer=customer):
        return ""
    if getattr(operation, "by_above", False) or any(getattr(row, "closed", False) for row in rows):
        return ""
    about = {row.subject_pk for row in rows} | {None}
    return operation.address if rights.acts_on_whole_customer(actor) or operation.actor_pk in about else ""


def _told(
    actor: User, operations: Sequence[Operation], changes_of: QuerySet[Change], customer: Customer | None
) -> list[Told]:
    """These operations in words: one query, however many rows each of them has."""
    whole = rights.can(actor, rights.Verb.HISTORY, customer=customer)
    keys = [operation.pk for operation in operations]
    first: dict[int, list[Change]] = defaultdict(list)
    counts: dict[int, int] = {}
    # The first rows of each operation, and how many it has in all, in one query.
    numbered = changes_of.filter(operation__in=keys).annotate(
        place=Window(RowNumber(), partition_by=F("operation"), order_by=F("id").asc()),
        of=Window(Count("pk"), partition_by=F("operation")),
    )
    for change in numbered.filter(place__lte=SHOWN).order_by("id"):
        first[change.operation_id].append(change)
        counts[change.operation_id] = change.of
    # Of several customers' things the history's own words are told; what is called alike everywhere in the reader's language.
    scope = Scope(actor, customer or Customer())
    if customer:
        look_up([change for rows in first.values() for change in rows], scope)
    return [
        _tell(
            operation,
            first[operation.pk],
            counts.get(operation.pk, 0),
            scope,
            whole,
            address_for(actor, operation, first[operation.pk], customer),
        )
        for operation in operations
    ]


def _tell(
    operation: Operation, rows: Sequence[Change], count: int, scope: Scope | None, whole: bool, address: str
) -> Told:
    """One operation in words; `scope`: in which customer, for names and links; `whole`: whether its own page is the reader's to open."""
    together = scope is not None and scope.customer.pk is None and operation.customer
    customer = operation.customer if together else scope.customer if scope else None
    slug = customer.slug if customer else ""
    told = [_told_row(row, scope) for row in rows]
    return Told(
        who=operation.actor_name,
        what=title_of(operation, told, count),
        when=operation.at,
        where=" ".join(filter(None, [source_in_words(operation.source), address])),
        reason=why(operation),
        rows=[] if operation.kind in TOLD_BY_TITLE else told,
        more=max(0, count - len(rows)),
        url=reverse("operation", args=[slug, operation.pk]) if slug and whole and count > len(rows) else "",
        undo_url=_undo_url(slug, operation, rows),
        customer=str(customer) if together else "",
        customer_url=reverse("history", args=[slug]) if together else "",
    )


def _told_row(change: Change, scope: Scope | None) -> ToldRow:
    created = change.kind == Operation.Kind.CREATE
    return ToldRow(change.object_name, cells_in_words(change, scope), created, _takes_out(change))


def _takes_out(change: Change) -> bool:
    """Whether a record was taken out of its list, which its readers call a deletion."""
    sheet = road.SHEETS.get(change.model)
    return any(
        sheet is not None and cell["column"] == sheet.taken_out and not cell.get("old") and cell.get("new")
        for cell in change.cells
    )


def title_of(operation: Operation, rows: Sequence[ToldRow], count: int, *, named: bool = True) -> str:
    """What an operation is called, by its first `rows` of `count`; `named`: with the record that it was done to."""
    if names := replacing.names_in(operation.reason):
        return gettext("Replacement of %(leaver)s by %(heir)s") % {"leaver": names[0], "heir": names[1]}
    if names := ownership.names_in(operation.reason):
        return gettext("Transfer of ownership from %(owner)s to %(heir)s") % {
            "owner": names[0],
            "heir": names[1],
        }
    # Somebody who is created with what they are given is created, whatever else changes for it.
    kind = Operation.Kind.CREATE if rows and rows[0].created else operation.kind
    if gone := [row for row in rows if row.taken_out]:
        # What else changed follows from it.
        return titles.title(Operation.Kind.DELETE, gone[0].name if named else "", len(gone), [])
    cells = [cell for row in rows for cell in row.changes]
    commands = [cell["new"] for cell in cells] if operation.kind == Operation.Kind.COMMAND else []
    return titles.title(
        kind,
        rows[0].name if rows and named else "",
        count,
        list(dict.fromkeys(cell["label"] for cell in cells)),
        list(dict.fromkeys(commands)),
        reason_in_words(operation).strip() if _says_itself(operation) else "",
    )


def _says_itself(operation: Operation) -> bool:
    """Whether the reason is what was done: about signing in, which changes no column."""
    return operation.kind == Operation.Kind.SIGN_IN


def look_up(rows: Iterable[Change], scope: Scope | None) -> None:
    """Ask for the names of everything that these rows speak of: a query for each kind of thing, not for each value."""
    if scope is None:
        return
    values: dict[Column, list[Any]] = defaultdict(list)
    for change in rows:
        sheet = None if _is_closed(change) else road.SHEETS.get(change.model)
        for cell in change.cells:
            if sheet and (column := sheet.columns.get(cell["column"])):
                values[column] += [
                    value for value in (cell.get("old"), cell.get("new")) if value not in (None, "", [])
                ]
    for column, found in values.items():
        if found and not column.secret:
            column.look_up(found, scope)


def _is_closed(change: Change) -> bool:
    """Whether the reader learns that something changed and not what: `within_reach` says of whom. What was sent or shown has no value."""
    return getattr(change, "closed", False) and change.kind not in TOLD_BY_TITLE


def cells_in_words(change: Change, scope: Scope | None) -> list[dict[str, str]]:
    """Each column that changed with its old and new value, in the reader's language."""
    sheet = road.SHEETS.get(change.model)
    told = []
    for cell in change.cells:
        column = sheet.columns.get(cell["column"]) if sheet else None
        noted = sheet.noted.get(cell["column"]) if sheet and not column else None
        if _is_closed(change):
            known = column or noted
            told.append(
                {
                    "label": str(known.label if known else LABELS.get(cell["column"], cell["column"])),
                    **{
                        which: MASK if cell.get(which) not in (None, "", []) else ""
                        for which in ("old", "new")
                    },
                }
            )
            continue
        if noted:
            told.append(
                {"label": str(noted.label), "old": noted.said(cell["old"]), "new": noted.said(cell["new"])}
            )
            continue
        label = column.label if column else LABELS.get(cell["column"], cell["column"])
        told.append(
            {
                "label": str(label),
                "old": shown(cell, "old", column, _asked_in(scope, column)),
                "new": shown(cell, "new", column, _asked_in(scope, column)),
            }
        )
    return told


def _undo_url(slug: str, operation: Operation, rows: Sequence[Change]) -> str:
    """Where an operation is taken back; "" where it can't be."""
    if not may_be_undone(operation, rows):
        return ""
    if slug:
        return reverse("undo", args=[slug, operation.pk])
    name = UNDO_AT.get(rows[0].model)
    return reverse(name, args=[operation.pk]) if name else ""


def _asked_in(scope: Scope | None, column: Column | None) -> Scope | None:
    """Where a column asks for today's words: among several customers' things only for what is called alike at all of them."""
    everywhere = scope is not None and scope.customer.pk is None
    return None if everywhere and not (column and column.translated) else scope


def may_be_undone(operation: Operation, rows: Sequence[Change]) -> bool:
    """Whether it is worth a link: an edit without secrets that nobody has taken back. The page behind it decides."""
    if operation.kind != Operation.Kind.EDIT or getattr(operation, "undone", False) or not rows:
        return False
    if all(change.kind == Operation.Kind.CREATE for change in rows):
        return False
    for change in rows:
        if _is_closed(change):
            return False
        if change.kind == Operation.Kind.CREATE:
            continue  # whoever came with a change goes with it
        sheet = road.SHEETS.get(change.model)
        if change.kind != Operation.Kind.EDIT or sheet is None or not change.cells:
            return False
        for cell in change.cells:
            column = sheet.columns.get(cell["column"])
            if column is None:
                # Noted of what belongs to no customer: the page that takes it back knows how.
                if operation.customer_id or change.model not in UNDO_AT or cell["column"] not in sheet.noted:
                    return False
            elif column.secret:
                return False
    return True


def reason_in_words(operation: Operation) -> str:
    """Why something was done, where it was said: a reader's own words, or what the portal notes."""
    if operation.undoes_id:
        return gettext("Undo of an earlier change")
    if operation.reason.startswith("copy "):
        return gettext("Copy of extension %(number)s") % {"number": operation.reason.removeprefix("copy ")}
    if replacing.names_in(operation.reason) or ownership.names_in(operation.reason):
        return ""  # the title says it
    if operation.reason.startswith("file "):
        return gettext("File “%(name)s”") % {"name": operation.reason.removeprefix("file ")}
    if operation.reason.startswith("job "):
        return gettext("Job %(number)s") % {"number": operation.reason.removeprefix("job ")}
    return str(REASONS.get(operation.reason) or signin.REASONS.get(operation.reason, operation.reason))


def why(operation: Operation) -> str:
    """What the portal notes of an operation, and what its actor said of it, as one line."""
    noted = "" if _says_itself(operation) else reason_in_words(operation).strip()
    return " · ".join(filter(None, [noted, operation.note]))


def source_in_words(source: str) -> str:
    """Where an operation came in."""
    return str(asked.SOURCES.get(source, source))
