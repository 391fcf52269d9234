"""Who may change what belongs to a customer as a whole: its own administrators, or support staff alone."""

from collections.abc import Callable
from typing import Any

from django.utils.translation import gettext_lazy as _

from pbxadmin.common.columns import Text
from users import rights
from users.models import Customer, Department, Role, User
from users.rights import Verb

Reason = Text | None


def of_the_company(
    right: str = "", create: Verb = Verb.CUSTOMER, delete: Verb = Verb.CUSTOMER
) -> Callable[..., Reason]:
    """The rule of a sheet: who acts on the whole customer (and has the role's `right`) edits; `create` and `delete` say what else it takes."""
    verbs = {Verb.CREATE: create, Verb.DELETE: delete, Verb.SUPPORT: Verb.SUPPORT, Verb.HOURS: Verb.HOURS}

    def allowed(actor: User, verb: str, record: Any, customer: Customer) -> Reason:
        if Verb(verb) is Verb.SEE:
            return rights.why_not(actor, Verb.ADMINISTER, None, customer)
        department = record.pk if isinstance(record, Department) else None
        refusal = rights.why_not(actor, verbs.get(Verb(verb), Verb.CUSTOMER), None, customer, department)
        if refusal or actor.is_staff or not right or getattr(actor.role, right) or Verb(verb) is Verb.HOURS:
            return refusal
        return _(
            "Your role doesn't include “%(right)s”: an administrator of your company can change your role."
        ) % {"right": next(column.verbose_name for column in Role._meta.local_fields if column.name == right)}

    return allowed


def customers_stay(actor: User, verb: str, record: Any, customer: Customer) -> Reason:
    """Support staff make customers; nobody deletes one, because its history stays."""
    if Verb(verb) is Verb.DELETE:
        return _("A customer is never deleted, because its history is kept: suspend it instead.")
    return of_the_company(create=Verb.SUPPORT)(actor, verb, record, customer)


def of_the_provider(actor: User, verb: str, record: Any, customer: Customer | None) -> Reason:
    """What is the same for all customers is changed by managers of the provider's support alone."""
    return rights.why_not(actor, Verb.ADMINISTER if Verb(verb) is Verb.SEE else Verb.ROLES)


def belongs_to_nobody(record: Any) -> None:
    """The subject of what is the customer's as a whole."""
    return
