"""What a change anywhere means for the phones: in its own transaction it puts them into the outbox."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from django.db.models import Model, Q

from phones import build
from phones.models import Key, Phone, Sbc
from phones.push import outbox, telling
from phones.settings.logos import forget_after_commit
from users.models import Customer, Department, Operation, SystemExtension, User
from users.signals import changed


def connect() -> None:
    """Listen to the changes of every sheet."""
    changed.connect(phones_fall_behind, dispatch_uid="phones fall behind")


def phones_fall_behind(sender: type[Model], rows: Sequence[Any], operation: Operation, **rest: Any) -> None:
    """Mark the phones whose file may differ now, and have them pushed after the commit.

    A SELECT and an UPDATE for any number of rows (in thousands): the push itself finds out whose file is the
    same after all.
    """
    _pictures_go(sender, rows)
    ids = sorted(phones_concerned(sender, rows))
    outbox.mark_stale_by_key(ids)
    telling.after_commit(ids)


def phones_concerned(sender: type[Model], rows: Sequence[Any]) -> set[int]:
    """The phones whose file may differ once these rows are written (or now that they are)."""
    found: set[int] = set()
    for part in outbox.chunks(rows, 2_000):
        if (condition := CONDITIONS.get(sender, _nobody)(part)) is not None:
            # A phone that nobody uses has no file.
            found.update(
                Phone.objects.filter(condition, user__isnull=False).order_by().values_list("pk", flat=True)
            )
    return found


def phones_that_reload(plans: Sequence[tuple[type[Model], Sequence[Any]]]) -> int:
    """How many phones will load a new configuration because of these rows: a count before anything is written."""
    found: set[int] = set()
    for model, rows in plans:
        found |= phones_concerned(model, rows)
    return len(found)


def _pictures_go(sender: type[Model], rows: Sequence[Any]) -> None:
    """The logos of phones that are going go with them, once that is certain; also where their user goes."""
    gone = [row.key for row in rows if row.removed]
    path = {Phone: "pk__in", User: "user__in"}.get(sender)
    if gone and path:
        phones = Phone.objects.filter(**{path: gone}).exclude(logo="").order_by()
        forget_after_commit(phones.values_list("pk", "logo"))


def _nobody(rows: Sequence[Any]) -> Q | None:
    return None


# What the file says of the department is only what `DEPARTMENT_COLUMNS` are.
_BUT_DEPARTMENT = tuple(name for name in build.USER_COLUMNS if name != "primary_department")


def _under_another_clock(rows: Sequence[Any]) -> list[Any]:
    """Whose department becomes one of which the file says something else: another language, another time zone."""
    moves = {
        row.key: row.changes["primary_department"]
        for row in rows
        if not row.new and not row.removed and "primary_department" in row.changes
    }
    keys = {key for pair in moves.values() for key in pair if isinstance(key, int)}
    if not keys:
        return list(moves)
    said = {
        key: values
        for key, *values in Department.objects.filter(pk__in=keys)
        .order_by()
        .values_list("pk", *build.DEPARTMENT_COLUMNS)
    }
    # A department that isn't written yet, or is gone, may say anything.
    return [
        key for key, (old, new) in moves.items() if said.get(old) is None or said.get(old) != said.get(new)
    ]


def _people(rows: Sequence[Any]) -> Q | None:
    """The phones of changed people; and of everybody who has a key for one who is called otherwise now, or is
    gone."""
    own = [*_touched(rows, (*_BUT_DEPARTMENT, "keys")), *_under_another_clock(rows)]
    watched = _touched(rows, build.WATCHED_COLUMNS)
    condition = Q()
    if own:
        condition |= Q(user__in=own)
    if watched:
        condition |= Q(user__in=Key.objects.filter(target__in=watched).values("user"))
    return condition if own or watched else None


def _phones(rows: Sequence[Any]) -> Q | None:
    """The changed phones themselves; one that is going needs nothing, and a new one waits for its first fetch
    anyway."""
    keys = [row.key for row in rows if not row.removed and not row.new]
    return Q(pk__in=keys) if keys else None


def _departments(rows: Sequence[Any]) -> Q | None:
    keys = _touched(rows, build.DEPARTMENT_COLUMNS)
    return Q(user__primary_department__in=keys) if keys else None


def _customers(rows: Sequence[Any]) -> Q | None:
    every = _touched(rows, build.CUSTOMER_COLUMNS)
    with_logo = _touched(rows, build.LICENCE_COLUMNS)
    condition = Q(customer__in=every) | (Q(customer__in=with_logo) & ~Q(logo=""))
    return condition if every or with_logo else None


def _sbcs(rows: Sequence[Any]) -> Q | None:
    keys = _touched(rows, (*build.SBC_COLUMNS, "identifier"))
    return Q(sbc__in=keys) if keys else None


def _system_extensions(rows: Sequence[Any]) -> Q | None:
    """The phones of everybody who has a key for a ring group, a queue or a digital receptionist that is called otherwise now, or is gone."""
    watched = _touched(rows, build.WATCHED_SYSTEM_COLUMNS)
    return Q(user__in=Key.objects.filter(system__in=watched).values("user")) if watched else None


def _touched(rows: Iterable[Any], columns: Collection[str]) -> list[Any]:
    """The keys of rows in which one of these columns changes, or that are going. A new row has no phones
    yet."""
    return [
        row.key for row in rows if row.removed or (not row.new and not row.changes.keys().isdisjoint(columns))
    ]


CONDITIONS = {
    User: _people,
    Phone: _phones,
    Department: _departments,
    Customer: _customers,
    Sbc: _sbcs,
    SystemExtension: _system_extensions,
}
