"""What ends for good when somebody is disabled, or a customer suspended: it doesn't come back with them."""

from typing import Any

from django.db.models import F

from users.mail import links
from users.models import Customer, Operation, PersonalLink, User


def sessions_and_links_end(sender: Any, rows: Any, operation: Operation, **rest: Any) -> None:
    """Receiver of `users.signals.changed`: sessions and set-password links die, and the app's configuration link with them.

    While somebody is disabled they are kept out by every page anyhow; this is about the day when they are let in again. Of a
    customer, the row says since when and by whom it is suspended, as long as it is.
    """
    if sender is User:
        people = [row.record for row in rows if row.changes.get("disabled") == (False, True)]
        if people:
            keys = [person.pk for person in people]
            User.objects.filter(pk__in=keys).update(sessions_epoch=F("sessions_epoch") + 1)
            links.kill(PersonalLink.Kind.APP, people)
    elif sender is Customer:
        customers = [row.key for row in rows if row.changes.get("suspended") == (False, True)]
        if customers:
            User.objects.filter(customer__in=customers).update(sessions_epoch=F("sessions_epoch") + 1)
            Customer.objects.filter(pk__in=customers).update(
                suspended_at=operation.at, suspended_by=operation.actor_name
            )
        back = [row.key for row in rows if row.changes.get("suspended") == (True, False)]
        if back:
            Customer.objects.filter(pk__in=back).update(suspended_at=None, suspended_by="")
