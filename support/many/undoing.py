"""Taking back at every customer what a job did there: each customer's own operation, unless the world has moved on."""

from collections.abc import Sequence

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from pbxadmin.common.columns import Scope
from support.many.values import page_of
from users.models import Job, Operation
from users.rights import Verb
from users.road import undo
from users.road.actions import Settings, Trace
from users.road.wide import WIDES, NotPossibleError, Turn, Wide, register_wide, turn_of


def _plan(scope: Scope, keys: Sequence[int], settings: Settings) -> Turn:
    found = Operation.objects.visible_to(scope.actor).of(scope.customer).filter(pk__in=keys).first()
    if found is None:
        return Turn(refusal=_("This item no longer exists. Reload the page."))
    operation = found
    try:
        plans = undo.plan_undo(scope.actor, scope.customer, operation)
    except undo.NotUndoableError as error:
        return Turn(refusal=str(error))

    def write(trace: Trace) -> Operation | None:
        try:
            return undo.undo(scope.actor, scope.customer, operation, trace.facts)
        except undo.NotUndoableError as error:
            raise NotPossibleError(str(error)) from None

    return turn_of(plans, write)


def _title(settings: Settings, count: int) -> str:
    what = WIDES.get(settings.get("kind", ""))
    return _("Undo: %(what)s") % {"what": what.title(settings.get("of", {}), count) if what else ""}


UNDO = register_wide(
    Wide(
        slug="undo_everywhere",
        title=_title,
        url=page_of,
        records=lambda count: ngettext("%(count)s record", "%(count)s records", count) % {"count": count},
        verb=Verb.CUSTOMER,
        plan=_plan,
        undoable=False,
    )
)


def settings_for(job: Job) -> Settings:
    """What taking a job back is called by."""
    return {"kind": job.kind, "of": {name: each for name, each in job.settings.items() if name != "asked"}}


def operations_of(job: Job) -> list[tuple[int, list[int]]]:
    """Each customer where a job did something, with the operation there that nobody has taken back yet."""
    steps = job.steps.exclude(operation=None).filter(operation__undone_by=None)
    return [(key, [operation]) for key, operation in steps.values_list("operation__customer", "operation")]
