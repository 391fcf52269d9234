"""What an emergency call shows: the department's number, because rescuers come to where that is; else the next best, and never nothing
as long as the company has any number."""

from collections.abc import Collection
from dataclasses import dataclass

from django.utils.translation import gettext as _

from pbxadmin.common.fields import phone_number_national
from users import rights
from users.models import Customer, Department, Did, User
from users.rights import Verb


@dataclass(frozen=True)
class Gap:
    """What the pages of a department without a number, and of its people, say for as long as it has none."""

    sentence: str
    department: Department | None  # whose page has the field, where the reader may fill it in


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


def gap_of_department(actor: User, customer: Customer, department: Department) -> Gap | None:
    """What is to be said of a department without a number; None, without a query, where it has one."""
    if department.outbound_caller_id:
        return None
    number, whose = shown_instead(customer, [department.pk])
    if number:
        sentence = _(
            "This department has no number of its own: its emergency calls (911) show %(number)s (%(whose)s), and rescuers may be "
            "sent to another address."
        ) % {"number": phone_number_national(number), "whose": whose or _("without a name")}
    else:
        sentence = _(
            "This department has no number, and neither has the company: its emergency calls (911) show none, and rescuers learn "
            "neither the address nor whom to call back."
        )
    return Gap(sentence, _to_be_filled_in(actor, customer, department))


def gap_of_person(actor: User, customer: Customer, person: User) -> Gap | None:
    """The same of somebody whose emergency calls show no number at all; None, without a query, where their department has one."""
    department = person.primary_department
    if emergency_caller_id(department, customer):
        return None
    if department is None:
        sentence = _(
            "Emergency calls (911) from this extension show no number, and rescuers learn neither the address nor whom to call back: "
            "the user is in no department."
        )
        return Gap(sentence, None)
    sentence = _(
        "Emergency calls (911) from this extension show no number, and rescuers learn neither the address nor whom to call back: the "
        "department %(department)s has none."
    ) % {"department": department.name}
    return Gap(sentence, _to_be_filled_in(actor, customer, department))


def _to_be_filled_in(actor: User, customer: Customer, department: Department) -> Department | None:
    """The department, where the reader may enter its number."""
    return department if rights.can(actor, Verb.SUPPORT, customer=customer) else None
