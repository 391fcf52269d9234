"""The tab "BLF": its rules, and what becomes of keys when somebody, or a system extension, goes."""

from collections.abc import Collection, Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from pbxadmin.common.columns import Scope
from pbxadmin.common.contributions import Contribution
from pbxadmin.common.reasons import Reason
from pbxadmin.common.sections import Section
from phones.keys.columns import KEYS_COLUMN, TARGET, KeyValue, in_sentences
from phones.keys.dialled import (
    dear_numbers_are_told,
    emergency_numbers_are_dialled_at_once,
    own_numbers_are_told,
)
from phones.keys.targets import Callee, Directory, directory
from phones.models import Key
from users import road
from users.models import SystemExtension, User

WATCHERS_NAMED = 20  # in what a deletion says


# --- Rules --------------------------------------------------------------------------------------------------------
def newly_hidden(
    keys: Collection[KeyValue], before: Collection[KeyValue], here: Directory
) -> dict[int, list[Reason]]:
    """The keys about somebody who is hidden from directories and wasn't on any key before, with the refusal."""
    had = {key.target for key in before}
    found = {}
    for key in keys:
        person = (
            here.people.get(key.target) if isinstance(key.target, int) and key.target not in had else None
        )
        if isinstance(person, Callee) and person.hidden:
            words = _("%(number)s is hidden from the directory.") % {"number": person.number}
            found[key.position] = [Reason(words, TARGET)]
    return found


def hidden_people_are_not_offered_anew(row: road.RowPlan, plan: road.Plan) -> None:
    """Whoever is hidden from directories isn't put on a key anew; a key that already has them keeps them."""
    if "keys" not in row.changes:
        return
    before, after = row.changes["keys"]
    if not any(isinstance(key.target, int) for key in after):
        return  # about nobody who is there: the directory needn't be read for that
    before = [KeyValue(*key) for key in before or ()]
    for sentence in in_sentences(newly_hidden(after, before, directory(plan.scope))):
        row.refuse("keys", sentence)


def targets_are_still_there(plan: road.Plan) -> None:
    """What a key is about still exists: asked again under the lock, where nothing is deleted any more."""
    rows = [row for row in plan.rows if "keys" in row.changes]
    keys = [key for row in rows for key in row.changes["keys"][1]]
    people = _there(User, {key.target for key in keys if isinstance(key.target, int)}, plan.scope)
    systems = _there(SystemExtension, {key.system for key in keys if key.system}, plan.scope)
    for row in rows:
        gone = {
            key.position: [Reason(_("choose an extension of this company."), TARGET)]
            for key in row.changes["keys"][1]
            if (isinstance(key.target, int) and key.target not in people)
            or (key.system and key.system not in systems)
        }
        for sentence in in_sentences(gone):
            row.refuse("keys", sentence)


def _there(model: Any, wanted: set[int], scope: Scope) -> set[int]:
    if not wanted:
        return set()
    return set(model.objects.of(scope.customer).filter(pk__in=wanted).values_list("pk", flat=True))


# --- Deleting -----------------------------------------------------------------------------------------------------
def keys_about_a_deleted_user(records: Sequence[Any], scope: Scope) -> dict[Any, list[str]]:
    """The keys of others that are about somebody who is deleted: they become blank on their phones."""
    return _keys_that_become_blank("target", records, leaving=[record.pk for record in records])


def keys_about_a_deleted_system_extension(records: Sequence[Any], scope: Scope) -> dict[Any, list[str]]:
    """The keys about a ring group, a queue or a digital receptionist that is deleted: they become blank on their phones."""
    return _keys_that_become_blank("system", records)


def _keys_that_become_blank(
    about: str, records: Sequence[Any], leaving: Sequence[Any] = ()
) -> dict[Any, list[str]]:
    """What goes with each record, in sentences; `leaving`: whose keys are no loss, because they go as well."""
    rows = (
        Key.objects.filter(**{f"{about}__in": [record.pk for record in records]})
        .exclude(user__in=leaving)
        .order_by("user__number", "position")
        .values_list(about, "user__number", "user__first_name", "user__last_name", "position")
    )
    watchers: dict[Any, dict[str, list[int]]] = {}
    for target, number, first, last, position in rows:
        watchers.setdefault(target, {}).setdefault(f"{number} {first} {last}".strip(), []).append(position)
    losses: dict[Any, list[str]] = {}
    for target, found in watchers.items():
        losses[target] = [
            ngettext("The key %(keys)s of %(user)s.", "The keys %(keys)s of %(user)s.", len(positions))
            % {"keys": ", ".join(map(str, positions)), "user": user}
            for user, positions in list(found.items())[:WATCHERS_NAMED]
        ]
        if (more := len(found) - WATCHERS_NAMED) > 0:
            losses[target].append(
                ngettext("Keys of %(count)s more user.", "Keys of %(count)s more users.", more)
                % {"count": more}
            )
    return losses


BLF = Section(
    slug="blf",
    title=gettext_lazy("BLF"),
    columns=(KEYS_COLUMN,),
    template="phones/keys.html",
    view="phones.keys.views.keys_tab",
    row_rules=(
        hidden_people_are_not_offered_anew,
        dear_numbers_are_told,
        emergency_numbers_are_dialled_at_once,
    ),
    set_rules=(targets_are_still_there, own_numbers_are_told),
    adds=Contribution(
        losses=keys_about_a_deleted_user,
        for_many="phones.keys.for_many.KEYS_OF_MANY",
    ),
)
