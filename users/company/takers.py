"""Who takes what visitors ask of a department, a queue or a ring group through its Talk link."""

from collections.abc import Sequence
from typing import Any

from django.db.models import Case, QuerySet, When

from users.models import Department, SystemExtension, User

Place = Department | SystemExtension

# So many people at most are told of one request to a place.
MOST_TOLD = 50


def reachable(**where: Any) -> QuerySet[User]:
    """People whom a mail reaches, their customer apart."""
    return User.objects.filter(disabled=False, **where).exclude(email="")


def takers_of(place: Place) -> Sequence[User]:
    """Who is told of a request to a place, by extension.

    Of a queue or ring group its members. Of a department those who have the right "Receptionist operations" and whose primary
    department it is; without any, members with that right; without any, all members. An address and an extension in
    service are needed in every case.
    """
    if isinstance(place, Department):
        people = reachable(memberships__department=place).annotate(
            rank=Case(
                When(role__receptionist=True, primary_department=place, then=0),
                When(role__receptionist=True, then=1),
                default=2,
            )
        )
    else:
        people = reachable(system_extensions=place).annotate(rank=Case(default=0))
    found = list(
        people.select_related("customer", "primary_department")
        .defer("password", "sip_password")
        .order_by("rank", "number")[:MOST_TOLD]
    )
    return [person for person in found if person.rank == found[0].rank]
