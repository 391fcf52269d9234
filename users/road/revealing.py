"""Showing a secret to a person: who may, and that it was shown, in the history before it is."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from django.db import transaction

from pbxadmin.common.columns import Scope
from pbxadmin.common.http import RequestFacts
from pbxadmin.common.sections import Sheet
from users import rights
from users.models import Customer, Operation, User
from users.road.loading import records_of
from users.road.recording import Kind, change_of, record_operation
from users.road.rows import RefusedError
from users.road.sheets import chunks

Secret = TypeVar("Secret")


def reveal(
    actor: User,
    customer: Customer,
    sheet: Sheet,
    record: Any,
    cell: Mapping[str, Any],
    facts: RequestFacts,
    read: Callable[[], Secret],
    *,
    own: bool = False,
) -> Secret:
    """What `read` gives, a secret of `record`, to somebody with the right to see it; `own`: to the person whose it is as well.

    `cell` names in the history what was shown. Raises `RefusedError`.
    """
    subject = sheet.subject(record)
    is_own = own and subject is not None and subject.pk == actor.pk
    if not is_own and rights.why_not(actor, rights.Verb.REVEAL, subject, customer):
        raise RefusedError
    with transaction.atomic():
        secret = read()
        record_operation(
            actor, customer, Kind.REVEAL, facts, "", [change_of(sheet, record, Kind.REVEAL, [dict(cell)])]
        )
    return secret


def reveal_many(
    scope: Scope,
    sheet: Sheet,
    keys: Sequence[Any],
    cell: Mapping[str, Any],
    facts: RequestFacts,
    reason: str,
    read: Callable[[Sequence[Any]], Mapping[Any, Secret]],
) -> dict[Any, Secret]:
    """What `read` gives of some records at a time, {primary key: secret}, to somebody with the right to see the secrets of all of them.

    One operation of the history, with a row for each record of which there is a secret; `cell` names what was shown. Raises `RefusedError`.
    """
    found: dict[Any, Secret] = {}
    operation: Operation | None = None
    with transaction.atomic():
        for part in chunks(keys):
            records = records_of(sheet, scope, (), part)
            subjects = {key: sheet.subject(record) for key, record in records.items()}
            rights.look_up_departments(scope.actor, subjects.values())
            if any(
                rights.why_not(scope.actor, rights.Verb.REVEAL, subject, scope.customer)
                for subject in subjects.values()
            ):
                raise RefusedError
            secrets = {key: secret for key, secret in read(list(records)).items() if secret}
            found |= secrets
            changes = [
                change_of(sheet, record, Kind.REVEAL, [dict(cell)])
                for key, record in records.items()
                if key in secrets
            ]
            if changes:
                operation = record_operation(
                    scope.actor, scope.customer, Kind.REVEAL, facts, reason, changes, into=operation
                )
    return found
