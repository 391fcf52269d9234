"""How somebody begins: what comes with them when they are created (the welcome mail, a phone from stock), and what is left to do then."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from pbxadmin.common.columns import Pending, Scope, Text
from pbxadmin.common.contributions import Offer
from pbxadmin.common.http import RequestFacts
from users import rights, road
from users.mail import letters
from users.models import Letter, Operation, SystemExtension, User
from users.people import reset
from users.people.sections import user_sheet
from users.road import Outcome


@dataclass(frozen=True)
class Offered:
    """An offer as the page shows it: what may be chosen, and what is."""

    offer: Offer
    choices: Sequence[tuple[str, str]]
    chosen: str


def offers(scope: Scope, chosen: Mapping[str, str]) -> list[Offered]:
    """What can come with somebody new, with what was chosen of it; what has nothing to choose from isn't offered."""
    found = []
    for section in user_sheet().sections:
        for offer in section.adds.offers:
            if choices := offer.choices(scope):
                value = chosen.get(f"with-{offer.name}", "")
                found.append(Offered(offer, choices, value if value in dict(choices) else ""))
    return found


def plan_beside(scope: Scope, plan: road.Plan, offered: Sequence[Offered]) -> list[road.Plan]:
    """What the choices change besides: plans to be written after `plan`, whose one row makes the person."""
    if plan.refused:
        return []
    pending = Pending(plan.rows[0])
    return [
        road.plan(
            scope.actor,
            scope.customer,
            road.sheet_of(model),
            [road.Row(key, values) for key, values in rows.items()],
            scope=scope,
        )
        for each in offered
        if each.chosen
        for model, rows in each.offer.beside(each.chosen, pending, scope).items()
    ]


def create(
    plans: Sequence[road.Plan], facts: RequestFacts, reason: str = "", welcome: bool = False
) -> Outcome:
    """Create the person of the first plan with all that comes with them, or nothing; `welcome`: mail them how to sign in."""

    def write() -> Operation | None:
        with transaction.atomic():
            operation = road.apply_all(plans, facts, reason)
            if welcome:
                made = plans[0].rows[0]
                scope = plans[0].scope
                reset.send_welcome(reset.plan_reset(scope.actor, scope.customer, [made.key]), facts)
        return operation

    return road.ended(write)[0]


def welcome_told(person: User, wished: bool) -> str:
    """What becomes of the welcome mail of somebody who was just created, in a sentence; "" where none is sent."""
    if not (wished and person.email):
        return ""
    return _("The welcome email is on its way to %(address)s.") % {"address": person.email}


def left_to_do(scope: Scope, person: User) -> list[tuple[Text, str]]:
    """What somebody new doesn't have yet, in sentences, each with the page where it is done."""
    found: list[tuple[Text, str]] = []
    here = [scope.customer.slug, person.number]
    if not person.email:
        found.append(
            (
                _("Enter an email address: the welcome email and voicemail go there."),
                reverse("user_tab", args=[*here, "general"]),
            )
        )
    elif not Letter.objects.filter(user=person, kind=Letter.Kind.WELCOME).exists() and letters.has_an_address(
        person
    ):
        found.append(
            (_("Send the welcome email, with a link to set a password."), reverse("user_reset", args=here))
        )
    for section in user_sheet().sections:
        if section.adds.left_to_do:
            found += section.adds.left_to_do(person, scope)
    if not SystemExtension.members.through.objects.filter(user=person).exists() and rights.can(
        scope.actor, rights.Verb.CUSTOMER, customer=scope.customer
    ):
        found.append(
            (
                _("Add the user to ring groups and queues."),
                reverse("system_extension_list", args=[scope.customer.slug]),
            )
        )
    found.append((_("Set up the app with the QR code."), reverse("app_link", args=here)))
    return found
