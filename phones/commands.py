"""A restart or a new configuration for the phones of many people at once: at most once for each press, and paced by the push."""

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from pbxadmin.common.columns import Scope, Text
from phones import selectors
from phones.models import Phone
from phones.push import outbox, telling
from users import rights, road
from users.models import Operation, User
from users.people import reach
from users.road import Outcome
from users.road.actions import Action, Asked, Done, Settings, Trace

Kind = Operation.Kind


def _phones(scope: Scope, chosen: Sequence[User]) -> dict[Any, list[Phone]]:
    """The phones of these people, each with its person: one query."""
    people = {user.pk: user for user in chosen}
    found: dict[Any, list[Phone]] = {key: [] for key in people}
    phones = Phone.objects.visible_to(scope.actor).of(scope.customer).filter(user__in=people)
    for phone in phones.select_related("customer").defer(*selectors.SECRETS).order_by("pk"):
        if phone.user_id is not None:
            phone.user = people[phone.user_id]
            found[phone.user_id].append(phone)
    return found


def _reachable(scope: Scope, chosen: Sequence[User], command: Phone.Command) -> dict[Any, list[Phone]]:
    return {
        key: [phone for phone in phones if not selectors.why_no_command(phone, command)]
        for key, phones in _phones(scope, chosen).items()
    }


def tell(
    scope: Scope, phones: Sequence[Phone], command: Phone.Command, trace: Trace
) -> tuple[Operation | None, int]:
    """Tell phones of the scope's customer a command, with its history, and how many were told.

    What waits for the same already, or was just sent it, is left alone: where that is all of them, there is no operation.
    """
    known = {phone.pk: phone for phone in phones}
    with transaction.atomic():
        pressed = outbox.press_all(sorted(known), command, timezone.now())
        if not pressed:
            return None, 0
        sheet = road.sheet_of(Phone)
        cell = {"column": "command", "old": "", "new": str(command)}
        operation = road.record_operation(
            scope.actor,
            scope.customer,
            Kind.COMMAND,
            trace.facts,
            trace.reason,
            [road.change_of(sheet, known[key], Kind.COMMAND, [cell]) for key in pressed],
            into=trace.into,
        )
        telling.after_commit(pressed)
    return operation, len(pressed)


class Told:
    """One command for the phones of the chosen: whom it may be told, and the telling."""

    def __init__(self, command: Phone.Command) -> None:
        self.command = command

    def may(self, scope: Scope, chosen: Sequence[User]) -> dict[Any, str]:
        """Whose phones the reader may not command, and who has none that could be told."""
        refused = {}
        for key, phones in _phones(scope, chosen).items():
            reasons = [selectors.why_no_command(phone, self.command) for phone in phones]
            if not phones:
                refused[key] = _("This user has no phone.")
            elif all(reasons):
                refused[key] = " ".join(dict.fromkeys(reasons))
        return refused | reach.may(scope, chosen, rights.Verb.COMMAND)

    def ask(self, scope: Scope, allowed: Sequence[User], data: QueryDict) -> Asked:
        """How many phones it is about."""
        found = _reachable(scope, allowed, self.command)
        return Asked(
            facts={
                "phones": sum(map(len, found.values())),
                "command": str(self.command),
                "url_name": f"chosen_{SLUGS[self.command]}",
            }
        )

    def do(self, scope: Scope, going: Sequence[User], settings: Settings, trace: Trace) -> Done:
        """Into the outbox and the history, then to the workers; what waits already, or was sent just now, is left alone."""
        phones = [each for some in _reachable(scope, going, self.command).values() for each in some]
        operation, pressed = tell(scope, phones, self.command, trace)
        if operation is None:
            return Done(Outcome.UNCHANGED, told=_("These phones were just told."))
        told = ngettext(
            "%(command)s: %(count)s phone is being told.", "%(command)s: %(count)s phones are being told.", pressed
        ) % {"command": self.command.label, "count": pressed}  # fmt: skip
        if left := len(phones) - pressed:
            told += " " + ngettext(
                "%(count)s phone had just been told.", "%(count)s phones had just been told.", left
            ) % {"count": left}
        return Done(Outcome.SAVED, operation, told)


SLUGS = {Phone.Command.RESYNC: "reprovision", Phone.Command.RESTART: "restart"}


def _action(command: Phone.Command, label: Text, titles: Any) -> Action:
    told = Told(command)
    return Action(
        slug=SLUGS[command],
        records=reach.people,
        label=label,
        title=titles,
        template="phones/commands.html",
        may=told.may,
        ask=told.ask,
        do=told.do,
        at_once=reach.QUICK,
        url=reach.page_of,
        seldom=True,
    )


REPROVISION = _action(
    Phone.Command.RESYNC,
    gettext_lazy("Reprovision the phones"),
    lambda n: (
        ngettext("Reprovision the phones of %(count)s user", "Reprovision the phones of %(count)s users", n)
        % {"count": n}
    ),
)
RESTART = _action(
    Phone.Command.RESTART,
    gettext_lazy("Restart the phones"),
    lambda n: (
        ngettext("Restart the phones of %(count)s user", "Restart the phones of %(count)s users", n)
        % {"count": n}
    ),
)
