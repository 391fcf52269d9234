"""Showing a secret to a person: who may, and that it was shown, in the history before it is."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from django.db import transaction

from pbxadmin.common.http import RequestFacts
from pbxadmin.common.sections import Sheet
from users import rights
from users.models import Customer, User
from users.road.planning import RefusedError
from users.road.recording import Kind, change_of, record_operation

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
