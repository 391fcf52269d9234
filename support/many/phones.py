"""A restart or a new configuration for phones of many customers: paced by the push, and told to each phone once for each confirmation."""

from collections.abc import Sequence
from typing import Any

from django.utils.translation import ngettext

from pbxadmin.common.columns import Scope
from phones import selectors
from phones.commands import tell
from phones.models import Phone
from support.many.values import page_of
from users import rights
from users.models import Operation
from users.rights import Verb
from users.road.actions import Settings, Trace
from users.road.wide import LINES, NAMES, Turn, Wide, register_wide


def command_of(settings: Settings) -> Phone.Command:
    """Which command it is; a new configuration where that can't be read, which disturbs nobody."""
    return Phone.Command.RESTART if settings.get("command") == Phone.Command.RESTART else Phone.Command.RESYNC


def _plan(scope: Scope, keys: Sequence[int], settings: Settings) -> Turn:
    command = command_of(settings)
    found = Phone.objects.visible_to(scope.actor).of(scope.customer).filter(pk__in=keys)
    phones = list(
        found.select_related("user__role", "user__customer", "customer")
        .defer(*selectors.SECRETS)
        .order_by("pk")
    )
    told: list[Phone] = []
    left_out: dict[str, list[str]] = {}
    for phone in phones:
        why_not: Any = selectors.why_no_command(phone, command) or rights.why_not(
            scope.actor, Verb.COMMAND, phone.user, scope.customer
        )
        if why_not:
            left_out.setdefault(str(why_not), []).append(str(phone))
        else:
            told.append(phone)
    if gone := len(keys) - len(phones):
        words = ngettext("%(count)s no longer exists.", "%(count)s no longer exist.", gone) % {"count": gone}
        left_out.setdefault(words, [])
    pairs = [(_names(names), words) for words, names in left_out.items()]
    if not told:
        return Turn(refusal=" ".join(left_out))

    def write(trace: Trace) -> Operation | None:
        operation, _count = tell(scope, told, command, trace)
        return operation

    holders = [str(phone.user) for phone in told]
    return Turn(
        changed=len(told),
        lines=[(str(command.label), "", "", holders[: NAMES * 2], max(0, len(holders) - NAMES * 2))],
        left_out=pairs[:LINES],
        write=write,
    )


def _names(names: Sequence[str]) -> str:
    more = len(names) - NAMES
    return ", ".join(names[:NAMES]) + (f" +{more}" if more > 0 else "")


def phones_said(count: int) -> str:
    """So many phones."""
    return ngettext("%(count)s phone", "%(count)s phones", count) % {"count": count}


def _title(settings: Settings, count: int) -> str:
    return ngettext(
        "%(what)s: phones of %(count)s customer", "%(what)s: phones of %(count)s customers", count
    ) % {
        "what": command_of(settings).label,
        "count": count,
    }


COMMAND = register_wide(
    Wide(
        slug="phones_command",
        title=_title,
        url=page_of,
        records=phones_said,
        verb=Verb.COMMAND,
        plan=_plan,
        undoable=False,
    )
)
