"""What an emergency call shows: the department's number, because rescuers come to where that is; else the next best, and never nothing
as long as the company has any number."""

from collections.abc import Collection

from users.models import Customer, Department, Did


def shown_instead(customer: Customer, without: Collection[int] = ()) -> tuple[str, str]:
    """The number that stands in for departments without one, in E.164, and whose it is in words; both "" where there is none.

    That of the department that was there first, as somebody has given it an address for emergencies; else the first DID number.
    `without`: keys of departments that have none, or lose it.
    """
    found = (
        Department.objects.of(customer)
        .exclude(pk__in=list(without))
        .exclude(outbound_caller_id="")
        .order_by("pk")
        .values_list("outbound_caller_id", "name")
        .first()
    )
    if found is None:
        found = Did.objects.of(customer).order_by("pk").values_list("number", "name").first()
    return found or ("", "")


def emergency_caller_id(department: Department | None, customer: Customer | None) -> str:
    """The number that an emergency call of somebody of this department shows, in E.164; no query where the department has its own."""
    if department is not None and department.outbound_caller_id:
        return department.outbound_caller_id
    return shown_instead(customer)[0] if customer is not None else ""
