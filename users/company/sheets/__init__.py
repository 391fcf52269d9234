"""What belongs to a customer as a whole: the sheets of its departments, numbers, system extensions and settings, and of the roles."""

from collections.abc import Sequence
from functools import lru_cache

from django.conf import settings
from django.utils.module_loading import import_string

from pbxadmin.common.proof import Takeover
from pbxadmin.common.sections import Section, Sheet
from users import road
from users.company.sheets.rules import names_are_there_once, what_lasts
from users.company.sheets.sections import CONTRACT, DEPARTMENT, DID, ROLE
from users.company.sheets.who_may import belongs_to_nobody, customers_stay, of_the_company, of_the_provider
from users.models import Customer, Department, Did, Role, SystemExtension
from users.rights import Verb

__all__ = [
    "CONTRACT",
    "DEPARTMENT",
    "DID",
    "belongs_to_nobody",
    "customer_sheet",
    "department_sheet",
    "did_sheet",
    "names_are_there_once",
    "of_the_company",
    "register",
    "role_sheet",
    "system_extension_sheet",
]


def _sections(paths: Sequence[str]) -> tuple[Section, ...]:
    return tuple(import_string(path) for path in paths)


@lru_cache(maxsize=1)
def customer_sheet() -> Sheet:
    """A customer's settings and contract: the parts that `settings.CUSTOMER_SECTIONS` lists."""
    return Sheet(
        model=Customer,
        identity="slug",
        sections=_sections(settings.CUSTOMER_SECTIONS),
        subject=belongs_to_nobody,
        allowed=customers_stay,
        has_customer=False,
        derive=lambda customer: {
            name: customer._meta.get_field(name).folded_of(customer) for name in ("sort_name", "search_text")
        },
        derived=("sort_name", "search_text"),
        derived_from=frozenset({"name", "slug", "fqdn"}),
        takes_over=what_lasts,
    )


@lru_cache(maxsize=1)
def department_sheet() -> Sheet:
    """A department: the parts that `settings.DEPARTMENT_SECTIONS` lists."""
    return Sheet(
        model=Department,
        identity="name",
        sections=_sections(settings.DEPARTMENT_SECTIONS),
        subject=belongs_to_nobody,
        allowed=of_the_company(),
    )


@lru_cache(maxsize=1)
def did_sheet() -> Sheet:
    """A number of the public network. The person whom it rings is written with the person (tab General)."""
    return Sheet(
        model=Did,
        identity="number",
        sections=(DID,),
        subject=belongs_to_nobody,
        related=("user", "system_extension"),
        allowed=of_the_company(create=Verb.SUPPORT, delete=Verb.SUPPORT),
    )


@lru_cache(maxsize=1)
def system_extension_sheet() -> Sheet:
    """A ring group, queue or IVR: the parts that `settings.SYSTEM_EXTENSION_SECTIONS` lists."""
    return Sheet(
        model=SystemExtension,
        identity="number",
        sections=_sections(settings.SYSTEM_EXTENSION_SECTIONS),
        subject=belongs_to_nobody,
        allowed=of_the_company("call_handling"),
    )


@lru_cache(maxsize=1)
def role_sheet() -> Sheet:
    """What may be changed of a role. Roles belong to no customer: `users.company.roles` holds and writes them, not the road."""
    return Sheet(
        model=Role,
        sections=(ROLE,),
        subject=belongs_to_nobody,
        allowed=of_the_provider,
        has_customer=False,
        takes_over=lambda row, scope: Takeover.ROLE,
    )


def register() -> None:
    """Tell the history how the columns of these tables are called."""
    for sheet in (customer_sheet, department_sheet, did_sheet, system_extension_sheet, role_sheet):
        road.register(sheet())
