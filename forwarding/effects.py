"""What a status does beside a call's path: its message, and whether the person leaves their queues when they take it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db.models import OuterRef, Subquery
from django.utils.translation import gettext as _

from forwarding.models import ForwardingRule
from pbxadmin.common.contributions import Effects
from pbxadmin.common.values.statuses import Status
from users.models import User
from users.models.person import status_in_words

# What a person says beside the status that they have now.
STATUS_MESSAGE = Subquery(
    ForwardingRule.objects.filter(user=OuterRef("pk"), status=OuterRef("status"))
    .order_by()
    .values("custom_message")[:1]
)


def of(people: Sequence[User]) -> Mapping[Any, dict[str, Any]]:
    """For each of these people, in one query: the status that they have, and what each status is to do when it is taken."""
    found: dict[Any, dict[str, ForwardingRule]] = defaultdict(dict)
    for rule in ForwardingRule.objects.filter(user__in=[person.pk for person in people]):
        found[rule.user_id][rule.status] = rule
    return {person.pk: _data(person, found[person.pk]) for person in people}


def _data(person: User, rules: Mapping[str, ForwardingRule]) -> dict[str, Any]:
    return {
        "status": person.status,
        "until": person.status_until.isoformat() if person.status_until else "",
        "time_zone": person.time_zone,
        "statuses": {
            str(status): {
                "dial_code": status.dial_code,
                "message": rules[status].custom_message,
                "leaves_queues": rules[status].log_out_of_queues,
                # Whoever is out of service isn't rung at all, by `forwarding.routing` either.
                "rings_in_groups": person.is_active and rules[status].accept_ring_group_calls,
                "wakes_app": person.is_active and rules[status].accept_push,
            }
            for status in Status
            if status in rules
        },
    }


def in_words(data: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What the present status says and does."""
    until = datetime.fromisoformat(data["until"]) if data["until"] else None
    words = [status_in_words(data["status"], until, data["time_zone"])]
    now = data["statuses"].get(data["status"], {})
    if now.get("message"):
        words.append(_("“%(message)s”") % {"message": now["message"]})
    if now.get("leaves_queues"):
        words.append(_("logged out of the queues"))
    return [(_("Status"), " · ".join(words))]


EFFECTS = Effects(of, in_words)
