"""One greeting for many people at once: as their default, or in some of their statuses."""

from collections.abc import Sequence
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from pbxadmin.common.columns import Scope
from users.models import User
from users.people import reach
from users.rights import Verb
from users.road.actions import Action, Asked, Done, Settings, Trace
from voicemail.greetings.usage import places
from voicemail.models import Greeting


def _values(chosen: Sequence[User], greeting: int, where: Sequence[str]) -> dict[Any, dict[str, Any]]:
    return {user.pk: dict.fromkeys(where, greeting) for user in chosen}


def _ask(scope: Scope, allowed: Sequence[User], data: QueryDict) -> Asked:
    """Only what everybody may choose is offered: a person's own greeting is put into the company's library first."""
    there = {str(each.pk): each for each in Greeting.objects.shared(scope.customer.pk)}
    known = places(scope, Verb.EDIT)
    typed = set(data.getlist("where"))
    where = [name for name, _label in known if name in typed]
    greeting = there.get(data.get("greeting", ""))
    facts: dict[str, Any] = {
        "companys": [each for each in there.values() if each.customer_id],
        "providers": [each for each in there.values() if not each.customer_id],
        "greeting": greeting,
        "places": [(name, label, name in where) for name, label in known],
    }
    if greeting is None:
        return Asked(problem=_("Choose the greeting."), facts=facts)
    if not where:
        return Asked(problem=_("Choose what the greeting is for."), facts=facts)
    plan = reach.planned(scope, allowed, _values(allowed, greeting.pk, where))
    changed = plan.having("changed")
    facts["touched"] = len(changed)
    facts["replaced"] = sum(any(old for old, _new in row.changes.values()) for row in changed)
    facts["seen"] = seen = f"{greeting.pk}:{','.join(where)}"
    problem = "" if data.get("seen") == seen else _("Look first at what would change.")
    return Asked({"greeting": greeting.pk, "where": where}, problem, reach.refusals_of(plan), facts)


def _do(scope: Scope, going: Sequence[User], settings: Settings, trace: Trace) -> Done:
    plan = reach.planned(scope, going, _values(going, settings["greeting"], settings["where"]))
    count = len(plan.having("changed"))
    told = ngettext(
        "Callers of %(count)s user hear “%(name)s” now.",
        "Callers of %(count)s users hear “%(name)s” now.",
        count,
    )
    name = Greeting.objects.shared(scope.customer.pk).filter(pk=settings["greeting"]).first()
    return reach.written(plan, trace, told % {"count": count, "name": name or ""})


GIVE = Action(
    slug="give_greeting",
    records=reach.people,
    label=gettext_lazy("Give a greeting"),
    title=lambda n: (
        ngettext("Give a greeting to %(count)s user", "Give a greeting to %(count)s users", n) % {"count": n}
    ),
    template="voicemail/for_many.html",
    may=reach.may_edit,
    ask=_ask,
    do=_do,
    at_once=reach.QUICK,
    url=reach.page_of,
    seldom=True,
)
