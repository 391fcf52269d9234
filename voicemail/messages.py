"""How many messages wait in a mailbox: what the phone system tells. The portal counts nothing itself."""

from django.db.models import F, Q
from django.utils import timezone

from users.models import Customer
from voicemail.models import Mailbox


def told(customer: Customer, number: str, unread: int) -> bool:
    """The phone system says that the mailbox of this extension has so many new messages; False where there is no such mailbox.

    It tells of every call: the same number again writes nothing.
    """
    mailbox = Mailbox.objects.filter(user__customer=customer, user__number=number)
    count = max(0, min(unread, 32_767))
    if mailbox.filter(~Q(unread=count) | Q(unread=None)).update(unread=count, unread_told_at=timezone.now()):
        return True
    return mailbox.exists()


# What the pages of people read along with them: None where the phone system has told nothing.
UNREAD = F("mailbox__unread")
