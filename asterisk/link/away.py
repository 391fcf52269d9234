"""That the phone system of a customer can't be heard, for whoever administers it: since when, and what goes on meanwhile."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from asterisk.link.status import status
from asterisk.models import Node
from pbxadmin.common.clock import moment_in_zone
from users.models import Customer


@dataclass(frozen=True)
class Away:
    """What can't be heard: all of a customer's phone system, or a part of it; `since` is None for what never was."""

    customer: Customer
    everything: bool
    since: datetime | None

    @property
    def sentence(self) -> str:
        """Since when."""
        if self.since is None:
            return _("The phone system isn't connected to the portal yet.")
        when = {"when": moment_in_zone(self.since, self.customer.time_zone)}
        if self.everything:
            return _("The phone system hasn't been connected to the portal since %(when)s.") % when
        return _("A part of the phone system hasn't been connected to the portal since %(when)s.") % when

    @property
    def url(self) -> str:
        """Where a page asks whether it is back."""
        return reverse("phone_system", args=[self.customer.slug])


def nodes_of(customer: Customer) -> "QuerySet[Node]":
    """The nodes that carry a customer's calls: its own, and those of everybody."""
    return Node.objects.filter(Q(customers=customer) | Q(customers=None)).defer("node_password")


def of(customer: Customer) -> Away | None:
    """What of a customer's phone system is away now; None where all is there, or where there is none: one query."""
    now = timezone.now()
    links = [status(node, now) for node in nodes_of(customer)]
    gone = [link for link in links if not link.healthy]
    since = max((link.since for link in gone if link.since), default=None)
    everything = len(gone) == len(links)
    # Of several, one that never was there is news for the provider alone.
    if not gone or (since is None and not everything):
        return None
    return Away(customer, everything, since)
