"""What the reset dialog does to mailboxes: a new PIN that nobody would guess."""

from collections.abc import Collection, Mapping
from secrets import SystemRandom
from typing import Any

from pbxadmin.common.columns import Scope
from pbxadmin.common.contributions import Renewed
from users.models import Did, User
from voicemail.models import Mailbox
from voicemail.pins import random_pin


def renew_pins(people: Collection[User], scope: Scope) -> Mapping[Any, Renewed]:
    """A new random PIN for each mailbox of these people."""
    mailboxes = list(Mailbox.objects.filter(user__in=[user.pk for user in people]).select_related("user"))
    numbers: dict[Any, list[str]] = {user.pk: [user.mobile, user.outbound_caller_id] for user in people}
    for key, number in Did.objects.filter(user__in=numbers).values_list("user", "number"):
        numbers[key].append(number)
    for mailbox in mailboxes:
        mailbox.pin = random_pin(
            SystemRandom(), mailbox.user.number, [*filter(None, numbers[mailbox.user_id])]
        )
    Mailbox.objects.bulk_update(mailboxes, ["pin"], batch_size=200)
    return {mailbox.user_id: Renewed() for mailbox in mailboxes}


RESETS = {"voicemail_pin": renew_pins}
