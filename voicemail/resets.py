"""What the reset dialog does to mailboxes: a new PIN that nobody would guess."""

from collections.abc import Collection, Mapping
from secrets import SystemRandom
from typing import Any

from pbxadmin.common.columns import Scope
from pbxadmin.common.contributions import Renewed
from users.models import User
from voicemail.models import Mailbox
from voicemail.pins import random_pin


def renew_pins(people: Collection[User], scope: Scope) -> Mapping[Any, Renewed]:
    """A new random PIN for each mailbox of these people."""
    mailboxes = list(Mailbox.objects.filter(user__in=[user.pk for user in people]).select_related("user"))
    for mailbox in mailboxes:
        mailbox.pin = random_pin(SystemRandom(), mailbox.user.number)
    Mailbox.objects.bulk_update(mailboxes, ["pin"], batch_size=200)
    return {mailbox.user_id: Renewed() for mailbox in mailboxes}


RESETS = {"voicemail_pin": renew_pins}
