"""The history as lines of a table, for a file: one for each value that changed, told as the pages tell it."""

from collections.abc import Iterator
from itertools import islice

from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from pbxadmin.common.columns import Scope
from pbxadmin.common.listing import ListState
from users.history import asked, timeline
from users.models import Change, Customer, Operation, User

# Operations that are read at one time.
AT_ONCE = 200


def header() -> list[str]:
    """What the columns are called."""
    return [
        _("When"), _("Customer"), _("Done by"), _("Action"), _("Source"), _("Address"), _("What was changed"), _("Record"), _("Field"),
        _("Before"), _("After"), _("Reason or ticket number"),
    ]  # fmt: skip


def lines(actor: User, customer: Customer | None, state: ListState) -> Iterator[list[str]]:
    """What `state` asks for of a customer's history (None: of all customers', for support staff), latest first."""
    about = timeline.within_reach(actor, customer)
    operations = (
        timeline.operations_of(actor, customer, about)
        if customer
        else Operation.objects.visible_to(actor).select_related("customer")
    )
    scope = Scope(actor, customer or Customer())
    tables = {label: str(words) for label, words in asked.tables()}
    wanted = timeline.annotated(actor, state.rows(operations)).iterator(chunk_size=AT_ONCE)
    while part := list(islice(wanted, AT_ONCE)):
        rows: dict[int, list[Change]] = {operation.pk: [] for operation in part}
        for change in about.filter(operation__in=rows).order_by("id"):
            rows[change.operation_id].append(change)
        if customer:
            timeline.look_up([change for found in rows.values() for change in found], scope)
        for operation in part:
            found = rows[operation.pk]
            whose = str(operation.customer or "") if customer is None else str(customer)
            first = [
                f"{localtime(operation.at):%Y-%m-%d %H:%M:%S}",
                whose,
                operation.actor_name,
                str(operation.get_kind_display()),
                timeline.source_in_words(operation.source),
                timeline.address_for(actor, operation, found, customer),
            ]
            why = timeline.why(operation)
            for change in found:
                about_it = [tables.get(change.model, ""), change.object_name]
                for cell in timeline.cells_in_words(change, scope) or [{"label": "", "old": "", "new": ""}]:
                    yield [*first, *about_it, cell["label"], cell["old"], cell["new"], why]
            if not found:
                yield [*first, "", "", "", "", "", why or timeline.title_of(operation, [], 0)]
