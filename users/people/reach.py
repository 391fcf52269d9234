"""Whom an action on many people is about: who they are for its reader, whom it may reach, how many at once."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import QuerySet
from django.http import QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _

from pbxadmin.common.columns import Scope
from pbxadmin.common.proof import Takeover
from users import rights, road
from users.models import Customer, User
from users.people.sections import user_sheet
from users.road import finding
from users.road.actions import Asked, Done, Trace

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


def may(scope: Scope, chosen: Sequence[User], verb: rights.Verb) -> dict[Any, str]:
    """Whom the reader may not do this to, each with the reason."""
    rights.look_up_departments(scope.actor, chosen)
    return {
        user.pk: str(words)
        for user in chosen
        if (words := rights.why_not(scope.actor, verb, user, scope.customer))
    }


def may_edit(scope: Scope, chosen: Sequence[User]) -> dict[Any, str]:
    """Whom the reader may not change, each with the reason."""
    return may(scope, chosen, rights.Verb.EDIT)


def page_of(customer: Customer, user: User) -> str:
    """Where a person is."""
    return reverse("user_tab", args=[customer.slug, user.number, "general"])


def nothing_asked(scope: Scope, allowed: Sequence[User], data: QueryDict) -> Asked:
    """For an action that has nothing to ask."""
    return Asked()


# --- Values for many -----------------------------------------------------------------------------------------------
def planned(scope: Scope, chosen: Sequence[User], values: Mapping[Any, Mapping[str, Any]]) -> road.Plan:
    """What giving people these values would do: {primary key: {column: what was typed}}."""
    rows = [road.Row(user.pk, values[user.pk], label=str(user)) for user in chosen if user.pk in values]
    return road.plan(scope.actor, scope.customer, user_sheet(), rows, scope=scope)


def refusals_of(plan: road.Plan) -> dict[Any, str]:
    """Whom a plan refuses, each with all reasons."""
    return {row.key: " ".join(row.sentences) for row in plan.refused}


def lets_keep(plans: Sequence[road.Plan]) -> Takeover | None:
    """What would let somebody stay who found a session open."""
    for plan in plans:
        for row in plan.having("changed"):
            if found := plan.sheet.takes_over(row, plan.scope):
                return found
    return None


def written(plan: road.Plan, trace: Trace, told: str) -> Done:
    """Write a plan; `told` is the sentence for whoever waits, where it is written."""
    done = road.commit(plan, trace.facts, trace.reason, into=trace.into)
    reasons = [
        _(
            "Some of the people selected can no longer be changed. Nothing was changed: go back to the list and select again."
        ),
        *plan.sentences[:5],
    ]
    return Done(done.outcome, done.operation, told, " ".join(reasons))
