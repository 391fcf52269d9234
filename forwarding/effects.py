"""What a status does beside a call's path: its message, and whether the person leaves his queues when he takes it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import OuterRef, Subquery
from django.utils.translation import gettext as _

from forwarding.models import ForwardingRule
from pbxadmin.common.sections import Effects
from pbxadmin.common.values.statuses import Status
from users.models import User

# What a person says beside the status that he has now.
STATUS_MESSAGE = Subquery(
    ForwardingRule.objects.filter(user=OuterRef("pk"), status=OuterRef("status"))
    .order_by()
    .values("custom_message")[:1]
)


def effects(people: Sequence[User]) -> Mapping[Any, Effects]:
    """Of each of these people, in one query: what each status is to do, and in words what the present one does."""
    found: dict[Any, dict[str, ForwardingRule]] = defaultdict(dict)
    for rule in ForwardingRule.objects.filter(user__in=people):
        found[rule.user_id][rule.status] = rule
    return {person.pk: _effects(person, found[person.pk]) for person in people}


def _effects(person: User, rules: Mapping[str, ForwardingRule]) -> Effects:
    data = {
        "status": person.status,
        "statuses": {
            str(status): {
                "dial_code": status.dial_code,
                "message": rules[status].custom_message,
                "leaves_queues": rules[status].log_out_of_queues,
                "rings_in_groups": rules[status].accept_ring_group_calls,
                "wakes_app": rules[status].accept_push,
            }
            for status in Status
            if status in rules
        },
    }
    now = rules.get(person.status)
    words = [person.status_in_words]
    if now is not None and now.custom_message:
        words.append(_("“%(message)s”") % {"message": now.custom_message})
    if now is not None and now.log_out_of_queues:
        words.append(_("logged out of the queues"))
    return Effects(data, [(_("Status"), " · ".join(words))])
