"""Statuses that change by themselves: at the edges of the schedule, and at the end of a temporary status.

What is asked is "what should it be now", never "what happened since": a run that comes late, twice, or together with another
one changes nothing that is right already.
"""

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q
from django.utils import timezone

from forwarding import hours, schedules
from forwarding.routing import status_of_hours
from pbxadmin.common.http import RequestFacts
from pbxadmin.common.values.statuses import Status
from users import rights, road
from users.models import Customer, User
from users.people.sections import user_sheet
from users.road import Outcome

log = logging.getLogger(__name__)

FACTS = RequestFacts("system")
FROM_PHONE = RequestFacts("pbx")
# So many people are written in one transaction: others wait for a customer's row no longer than a moment.
BATCH = 2_000
ATTEMPTS = 3


@dataclass(frozen=True)
class Due:
    """A person whose status is to change: what it becomes."""

    key: int
    customer: int
    status: str


def switch(now: datetime | None = None) -> int:
    """Give everybody the status that is due at `now` (aware; default the present); how many were changed.

    Only those are read and written whose status really changes.
    """
    now = hours.must_be_aware(now or timezone.now())
    done = 0
    by_customer: dict[int, list[Due]] = defaultdict(list)
    for each in due(now):
        by_customer[each.customer].append(each)
    for customer in Customer.objects.filter(pk__in=by_customer):
        people = by_customer[customer.pk]
        for start in range(0, len(people), BATCH):
            done += _write(customer, people[start : start + BATCH], now)
    return done


def by_phone(person: User, status: Status) -> bool:
    """Give somebody the status whose code they dialled on their own phone; whether they have it now."""
    assert person.customer is not None, "support staff have no extension"
    for _attempt in range(ATTEMPTS):
        row = road.Row(person.pk, {"status": str(status)})
        plan = road.plan(rights.pbx_actor(person), person.customer, user_sheet(), [row], rights.Verb.STATUS)
        found = road.commit(plan, FROM_PHONE, "status dialled on the phone").outcome
        if found is not Outcome.CONFLICT:
            return found in (Outcome.SAVED, Outcome.UNCHANGED)
    return False


def due(now: datetime) -> list[Due]:
    """People who have another status than they should: everybody with the automatic status, and whose temporary one is over.

    A temporary status that still runs is left alone; of a suspended customer, which nobody serves, all are until it is back.
    """
    over = Q(status_until__lte=now)
    people = User.objects.filter(customer__suspended=False, primary_department__isnull=False).order_by("pk")
    columns = (
        "pk",
        "customer",
        "status",
        "status_after",
        "status_until",
        "hours_mode",
        "primary_department",
        "auto_switch_status",
    )
    departments = set(
        people.filter(auto_switch_status=True)
        .order_by()
        .values_list("primary_department", flat=True)
        .distinct()
    )
    weeks = schedules.of_departments(departments)
    found: list[Due] = []
    told = _Told(now)
    # People who follow their department are compared by the database: only those who differ come back.
    by_status: dict[str, list[int]] = defaultdict(list)
    for key, week in weeks.items():
        by_status[told.status(week)].append(key)
    follows = Q(auto_switch_status=True, hours_mode=User.Hours.DEPARTMENT)
    differ = Q(pk__in=[])
    for status, keys in by_status.items():
        differ |= Q(primary_department__in=keys) & ~Q(status=status)
    by_department = people.filter((follows & differ & Q(status_until=None)) | over)
    own_hours = people.filter(auto_switch_status=True, hours_mode=User.Hours.OWN, status_until=None)
    rows = [*by_department.values_list(*columns), *own_hours.values_list(*columns)]
    own = schedules.own_periods({row[0] for row in rows if row[5] == User.Hours.OWN and row[7]})
    seen: set[int] = set()
    for key, customer, status, after, until, mode, department, automatic in rows:
        if key in seen:
            continue
        seen.add(key)
        if automatic:
            wanted = told.status(schedules.schedule_of(mode, weeks[department], own.get(key, {})))
        else:
            wanted = after or str(Status.AVAILABLE)
        if wanted != status or until is not None:
            found.append(Due(key, customer, wanted))
    return found


class _Told:
    """What schedules say at one instant, each asked once: thousands of people share a few."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.known: dict[hours.Schedule, str] = {}

    def status(self, week: hours.Schedule) -> str:
        """The status that a schedule gives now."""
        if week not in self.known:
            self.known[week] = str(status_of_hours(hours.state_at(week, self.now)))
        return self.known[week]


def _write(customer: Customer, people: Iterable[Due], now: datetime) -> int:
    """Change these people of one customer through the road; who was changed by somebody else in between is looked at again."""
    wanted: Mapping[int, Due] = {each.key: each for each in people}
    for _attempt in range(ATTEMPTS):
        rows = [
            road.Row(key, {"status": each.status, "status_until": None, "status_after": ""})
            for key, each in wanted.items()
        ]
        plan = road.plan(rights.schedule_actor(customer), customer, user_sheet(), rows, rights.Verb.STATUS)
        while refused := plan.refused:
            for row in refused:
                log.warning("status of user %s not switched: %s", row.key, " ".join(row.sentences))
            plan = plan.without(refused)
        if road.commit(plan, FACTS, "automatic status").outcome in (Outcome.SAVED, Outcome.UNCHANGED):
            return len(plan.having("changed"))
        wanted = {each.key: each for each in due(now) if each.key in wanted}
    log.warning("statuses of customer %s are being changed by others: left for the next run", customer.pk)
    return 0
