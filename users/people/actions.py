"""What can be done to many people at once: delete them, reset them, ask for a second factor, send the welcome mail."""

from collections.abc import Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy

from pbxadmin.common.columns import Scope
from pbxadmin.common.proof import Takeover
from pbxadmin.common.values.destinations import Kind
from pbxadmin.common.values.signs import plainly
from users import rights, road
from users.mail import letters
from users.models import Customer, Operation, User
from users.people import reset
from users.people.sections import user_sheet
from users.road import Outcome, finding, meant, replacements
from users.road.actions import Action, Asked, Done, Settings, Trace, register

# What one step of a job takes is done while the reader waits: about a second, all of it or nothing, and the answer is there.
AT_ONCE = 50
# One statement for all, or one row each in the box of the mails.
QUICK = 500
SHOWN = 30


def people(actor: User, customer: Customer) -> QuerySet[User]:
    """The people of a customer, with all that the actions ask of them."""
    return (
        User.objects.visible_to(actor)
        .of(customer)
        .select_related("role", "customer", "primary_department")
        .defer(*finding.NOT_IN_LISTS)
        .order_by("sort_name", "number")
    )


def _may_edit(scope: Scope, chosen: Sequence[User]) -> dict[Any, str]:
    return {
        user.pk: str(words)
        for user in chosen
        if (words := rights.why_not(scope.actor, rights.Verb.EDIT, user, scope.customer))
    }


def _url(customer: Customer, user: User) -> str:
    return reverse("user_tab", args=[customer.slug, user.number, "general"])


# --- Deleting -----------------------------------------------------------------------------------------------------
def _departure(scope: Scope, chosen: Sequence[User]) -> replacements.Departure:
    keys = [user.pk for user in chosen]
    return replacements.plan_departure(scope.actor, scope.customer, user_sheet(), Kind.EXTENSION, keys)


def _may_delete(scope: Scope, chosen: Sequence[User]) -> dict[Any, str]:
    return _may_edit(scope, chosen) | _departure(scope, chosen).refusals


def _ask_before_deleting(scope: Scope, allowed: Sequence[User], data: QueryDict) -> Asked:
    # Of those who can go: who stays keeps the rules that they have, and those may lead to somebody who goes.
    departure = _departure(scope, allowed)
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
                *departure.removal.losses.get(user.pk, []),
            ],
        )
        for user in allowed[:SHOWN]
    ]
    return Asked(
        # Who they are, and not their extension, which may be another one's by the time a job comes to it.
        {"instead": meant.key_of(instead)} if departure.references else {},
        problem,
        departure.refusals,
        {
            "losses": losses,
            "instead": typed,
            "references": [reference.words for reference in departure.references[:SHOWN]],
            "more_references": max(0, len(departure.references) - SHOWN),
        },
    )


def _delete(scope: Scope, going: Sequence[User], settings: Settings, trace: Trace) -> Done:
    # Planned anew for those who are left: the rules about a set ("the last owner") are about this one.
    departure = _departure(scope, going)
    key = settings.get("instead", "")
    instead = meant.callee_of(scope.customer, key)
    if key and instead is None and departure.references:
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
        return Done(outcome, why_not=why_not, mend=bool(departure.references))
    told = ngettext("%(count)s user was deleted.", "%(count)s users were deleted.", len(going))
    return Done(outcome, operation, told % {"count": len(going)})


DELETE = Action(
    slug="delete",
    records=people,
    label=gettext_lazy("Delete"),
    title=lambda n: ngettext("Delete %(count)s user?", "Delete %(count)s users?", n) % {"count": n},
    name=lambda n: ngettext("Delete %(count)s user", "Delete %(count)s users", n) % {"count": n},
    template="users/chosen/delete.html",
    may=_may_delete,
    ask=_ask_before_deleting,
    do=_delete,
    at_once=AT_ONCE,
    url=_url,
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
    name=lambda n: ngettext("Reset %(count)s user", "Reset %(count)s users", n) % {"count": n},
    template="users/chosen/reset.html",
    may=_may_edit,
    ask=_ask_what_to_reset,
    do=_reset,
    at_once=AT_ONCE,
    url=_url,
    after=_reset_done,
    takes_over=Takeover.RESET,
)


# --- 2FA ----------------------------------------------------------------------------------------------------------
def _ask_before_second_factor(scope: Scope, allowed: Sequence[User], data: QueryDict) -> Asked:
    return Asked(facts={"already": sum(user.require_2fa for user in allowed)})


def _require_second_factor(scope: Scope, going: Sequence[User], settings: Settings, trace: Trace) -> Done:
    rows = [road.Row(user.pk, {"require_2fa": True}, label=str(user)) for user in going]
    plan = road.plan(scope.actor, scope.customer, user_sheet(), rows)
    done = road.commit(plan, trace.facts, trace.reason, into=trace.into)
    count = sum(not user.require_2fa for user in going)
    told = ngettext(
        "Two-factor authentication is now required for %(count)s user.",
        "Two-factor authentication is now required for %(count)s users.",
        count,
    )
    reasons = [
        _(
            "Some of the people selected can no longer be changed. Nothing was changed: go back to the list and select again."
        ),
        *plan.sentences[:5],
    ]
    return Done(done.outcome, done.operation, told % {"count": count}, " ".join(reasons))


SECOND_FACTOR = Action(
    slug="second_factor",
    records=people,
    label=gettext_lazy("Require 2FA"),
    title=lambda n: (
        ngettext("Require 2FA for %(count)s user", "Require 2FA for %(count)s users", n) % {"count": n}
    ),
    name=lambda n: (
        ngettext("Require 2FA for %(count)s user", "Require 2FA for %(count)s users", n) % {"count": n}
    ),
    template="users/chosen/second_factor.html",
    may=_may_edit,
    ask=_ask_before_second_factor,
    do=_require_second_factor,
    at_once=QUICK,
    url=_url,
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
    return nowhere | _may_edit(scope, chosen)


def _ask_nothing(scope: Scope, allowed: Sequence[User], data: QueryDict) -> Asked:
    return Asked()


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
    name=lambda n: (
        ngettext("Send the welcome email to %(count)s user", "Send the welcome email to %(count)s users", n)
        % {"count": n}
    ),
    template="users/chosen/welcome.html",
    may=_may_welcome,
    ask=_ask_nothing,
    do=_welcome,
    at_once=QUICK,
    url=_url,
    takes_over=Takeover.MAIL,
)

# In the order in which the list offers them.
ACTIONS = (RESET, SECOND_FACTOR, WELCOME, DELETE)


def register_all() -> None:
    """Make the actions known to the jobs."""
    for action in ACTIONS:
        register(action)
