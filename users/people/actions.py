"""What can be done to many people at once: delete them, reset them, send the welcome mail; and the register of all such actions."""

from collections.abc import Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy

from pbxadmin.common.columns import Scope
from pbxadmin.common.proof import Takeover
from pbxadmin.common.values.destinations import Kind
from pbxadmin.common.values.signs import plainly
from users import road
from users.mail import letters
from users.models import Customer, Operation, User
from users.people import exports, reset
from users.people.changing import MOVE, NO_SECOND_FACTOR, NUMBERS, SECOND_FACTOR, TAKE_FACTOR
from users.people.editing.action import EDIT
from users.people.reach import AT_ONCE, QUICK, SHOWN, may_edit, nothing_asked, page_of, people
from users.people.sections import user_sheet
from users.road import Outcome, meant, replacements
from users.road.actions import Action, Asked, Done, Settings, Trace, register


# --- Deleting -----------------------------------------------------------------------------------------------------
def _departure(scope: Scope, chosen: Sequence[User]) -> replacements.Departure:
    keys = [user.pk for user in chosen]
    return replacements.plan_departure(scope.actor, scope.customer, user_sheet(), Kind.EXTENSION, keys)


def _may_delete(scope: Scope, chosen: Sequence[User]) -> dict[Any, str]:
    return may_edit(scope, chosen) | _departure(scope, chosen).refusals


def _ask_before_deleting(scope: Scope, allowed: Sequence[User], data: QueryDict) -> Asked:
    # Of those who can go: who stays keeps the rules that they have, and those may lead to somebody who goes.
    departure = _departure(scope, allowed).take_along(data.getlist("along"))
    places = departure.places
    count = len(allowed) - len(departure.refusals)
    typed = data.get("instead", "")[:60]
    problem, instead = "", None
    try:
        instead = departure.instead(typed)
    except ValidationError as error:
        problem = " ".join((_("Nobody was deleted."), *error.messages))
    if plainly(data.get("confirm", "")).strip() != str(count):
        problem = _("Type the number %(count)s to confirm.") % {"count": count}
    elif instead in allowed:
        problem = " ".join(
            (_("Nobody was deleted."), _("Choose somebody who isn't among those being deleted."))
        )
    losses = [
        (
            user,
            [
                _("Extension %(number)s with its settings and its unread voicemail messages.")
                % {"number": user.number},
                *departure.removal.lost_with(user.pk),
            ],
        )
        for user in allowed[:SHOWN]
    ]
    return Asked(
        # Who they are, and not their extension, which may be another one's by the time a job comes to it.
        {"instead": meant.key_of(instead) if places else "", "along": sorted(departure.removal.along)},
        problem,
        departure.refusals,
        {
            "losses": losses,
            "export_url": exports.url(scope.customer),
            "instead": typed,
            "staying": departure.removal.staying[:SHOWN],
            "more_staying": max(0, len(departure.removal.staying) - SHOWN),
            "boxes": departure.removal.boxes,
            "references": places[:SHOWN],
            "more_references": max(0, len(places) - SHOWN),
        },
    )


def _delete(scope: Scope, going: Sequence[User], settings: Settings, trace: Trace) -> Done:
    # Planned anew for those who are left: the rules about a set ("the last owner") are about this one.
    departure = _departure(scope, going).take_along(settings.get("along", ()))
    key = settings.get("instead", "")
    instead = meant.callee_of(scope.customer, key)
    if key and instead is None and departure.places:
        gone = _("Whoever was to take the calls is no longer there: choose somebody else.")
        return Done(Outcome.REFUSED, why_not=f"{_('Nobody was deleted.')} {gone}", mend=True)
    outcome, operation = road.ended(lambda: departure.leave(instead, trace.facts, trace.reason, trace.into))
    if outcome is Outcome.CONFLICT:
        return Done(
            outcome,
            why_not=_(
                "Somebody else changed one of these users in the meantime. Check them before you delete them."
            ),
        )
    if outcome is Outcome.REFUSED:
        why_not = f"{_('Nobody was deleted.')} {departure.reasons}"
        return Done(outcome, why_not=why_not, mend=bool(departure.places))
    told = ngettext("%(count)s user was deleted.", "%(count)s users were deleted.", len(going))
    return Done(outcome, operation, told % {"count": len(going)})


DELETE = Action(
    slug="delete",
    records=people,
    label=gettext_lazy("Delete"),
    title=lambda n: ngettext("Delete %(count)s user?", "Delete %(count)s users?", n) % {"count": n},
    job=lambda n: ngettext("Delete %(count)s user", "Delete %(count)s users", n) % {"count": n},
    template="users/chosen/delete.html",
    may=_may_delete,
    ask=_ask_before_deleting,
    do=_delete,
    at_once=AT_ONCE,
    url=page_of,
    danger=True,
)


# --- Resetting ----------------------------------------------------------------------------------------------------
def _ask_what_to_reset(scope: Scope, allowed: Sequence[User], data: QueryDict) -> Asked:
    names = [name for name in data.getlist("box") if name in reset.LABELS]
    without_address = [user for user in allowed if not letters.has_an_address(user)]
    return Asked(
        {"boxes": names},
        "" if names else _("Tick at least one box."),
        facts={
            "boxes": reset.boxes(),
            "ticked": names if data.get("confirmed") else reset.ALL.ticked,
            "words": reset.ALL.words,
            "no_address": without_address[:SHOWN],
            "more_without_address": max(0, len(without_address) - SHOWN),
        },
    )


def _reset(scope: Scope, going: Sequence[User], settings: Settings, trace: Trace) -> Done:
    planned = reset.plan_reset(scope.actor, scope.customer, [user.pk for user in going])
    outcome, operation = road.ended(
        lambda: reset.reset(planned, settings["boxes"], trace.facts, trace.reason, trace.into)
    )
    return Done(
        outcome,
        operation,
        why_not=_(
            "Some of the people selected can no longer be reset. Nothing was reset: go back to the list and select again."
        ),
    )


def _reset_done(customer: Customer, operation: Operation) -> tuple[str, str]:
    return _("What is to be done now"), reverse("reset_done", args=[customer.slug, operation.pk])


RESET = Action(
    slug="reset",
    records=people,
    label=pgettext_lazy("action", "Reset"),
    title=lambda n: ngettext("Reset %(count)s user", "Reset %(count)s users", n) % {"count": n},
    template="users/chosen/reset.html",
    may=may_edit,
    ask=_ask_what_to_reset,
    do=_reset,
    at_once=AT_ONCE,
    url=page_of,
    after=_reset_done,
    takes_over=Takeover.RESET,
)


# --- The welcome mail ---------------------------------------------------------------------------------------------
def _may_welcome(scope: Scope, chosen: Sequence[User]) -> dict[Any, str]:
    nowhere = {
        user.pk: _("This person has no email address.")
        if user.is_active
        else _("This person's extension is disabled.")
        for user in chosen
        if not letters.has_an_address(user)
    }
    return nowhere | may_edit(scope, chosen)


def _welcome(scope: Scope, going: Sequence[User], settings: Settings, trace: Trace) -> Done:
    planned = reset.plan_reset(scope.actor, scope.customer, [user.pk for user in going])
    outcome, operation = road.ended(
        lambda: reset.send_welcome(planned, trace.facts, trace.reason, trace.into)
    )
    told = ngettext(
        "The welcome email will be sent to %(count)s user.",
        "The welcome email will be sent to %(count)s users.",
        len(going),
    )
    why_not = _(
        "Some of the people selected can no longer be emailed. No email was sent: go back to the list and select again."
    )
    return Done(outcome, operation, told % {"count": len(going)}, why_not)


WELCOME = Action(
    slug="welcome",
    records=people,
    label=gettext_lazy("Welcome email"),
    title=lambda n: (
        ngettext("Send the welcome email to %(count)s user", "Send the welcome email to %(count)s users", n)
        % {"count": n}
    ),
    template="users/chosen/welcome.html",
    may=_may_welcome,
    ask=nothing_asked,
    do=_welcome,
    at_once=QUICK,
    url=page_of,
    takes_over=Takeover.MAIL,
)


def offered() -> tuple[Action, ...]:
    """Everything that can be done to chosen people, in the order in which the list offers it; apps above add theirs with their tabs."""
    added = [action for section in user_sheet().sections for action in section.adds.actions]
    return (EDIT, RESET, MOVE, NUMBERS, *added, WELCOME, SECOND_FACTOR, NO_SECOND_FACTOR, TAKE_FACTOR, DELETE)


def register_all() -> None:
    """Make the actions known to the jobs."""
    for action in offered():
        register(action)
