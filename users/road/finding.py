"""What every page begins with: the customer and the person of an address, and the contract's gauge."""

from dataclasses import dataclass
from types import SimpleNamespace

from django.core.exceptions import PermissionDenied
from django.db.models import BooleanField, Count, ExpressionWrapper, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import Http404
from django.utils.translation import gettext as _

from pbxadmin.common.prepared import Prepared
from users.models import Customer, User
from users.road.sheets import sheet_of

# Secrets and hashes have no business in a list.
NOT_IN_LISTS = ("password", "sip_password", "search_text")


def customer_or_404(actor: User, slug: str) -> Customer:
    """The customer of an address; `Http404` where it doesn't exist or isn't the actor's."""
    own = actor.customer
    if own is not None:
        if own.slug == slug:
            return own
        raise Http404
    customer = Customer.objects.visible_to(actor).filter(slug=slug).first()
    if customer is None:
        raise Http404
    return customer


def with_status_message(people: QuerySet[User]) -> QuerySet[User]:
    """With what each says beside their status, as `status_message`: read along, without a query of its own."""
    expressions = [
        section.adds.status_message for section in sheet_of(User).sections if section.adds.status_message
    ]
    return people.annotate(status_message=expressions[0]) if expressions else people


def user_or_404(actor: User, customer: Customer, number: str) -> User:
    """A person of a customer by their extension."""
    if User.objects.visible_to(actor).query.is_empty() or "\0" in number:
        raise Http404
    if actor.is_staff:
        found = _anybody.records(customer.pk, number)
    else:
        found = _of_own_customer.records(actor.customer_id, customer.pk, number)
    user: User | None = next(found, None)
    if user is None:
        raise Http404
    return user


def _people(staff: bool, own: object, customer: object, number: object) -> QuerySet[User]:
    """Somebody as a reader sees them who is staff, or of the customer `own`."""
    reader = SimpleNamespace(is_authenticated=True, is_active=True, is_staff=staff, customer_id=own)
    return (
        with_status_message(User.objects.visible_to(reader).of(customer))
        .annotate(
            **{
                name: expression
                for section in sheet_of(User).sections
                for name, expression in section.adds.read_along.items()
            }
        )
        .filter(number=number)
        .select_related("role", "customer", "primary_department")
        .defer("password", "sip_password")
        .order_by()
    )


# Asked by every page of a person, and again by the save that follows.
_anybody = Prepared(lambda customer, number: _people(True, None, customer, number))
_of_own_customer = Prepared(lambda own, customer, number: _people(False, own, customer, number))


def own_person(user: User) -> User:
    """The signed-in person with what their own pages need; `PermissionDenied` for whoever has no extension."""
    if user.customer_id is None:
        raise PermissionDenied(_("You have no extension: ask an administrator of your company."))
    return User.objects.select_related("customer", "role", "primary_department").get(pk=user.pk)


@dataclass(frozen=True)
class Gauge:
    """How many of the contract's extensions are in use."""

    used: int
    included: int

    @property
    def percent(self) -> float:
        """0 to 100, and more when the contract is exceeded."""
        return 100 * self.used / self.included if self.included else (100 if self.used else 0)

    @property
    def over(self) -> bool:
        """Whether more are in use than the contract includes."""
        return self.used > self.included


def in_use() -> Coalesce:
    """How many extensions each customer of a list has in use: counted of the rows that are shown, and not of all that are sorted."""
    people = User.objects.filter(customer=OuterRef("pk")).order_by().values("customer")
    return Coalesce(Subquery(people.annotate(count=Count("pk")).values("count")), 0)


def gauge_and(customer: Customer, holds: Q) -> tuple[Gauge, bool]:
    """The contract's gauge, and whether a condition that asks other tables holds: both by the query that the gauge costs anyway."""
    asked = Customer.objects.filter(pk=customer.pk).annotate(
        used=in_use(), holds=ExpressionWrapper(holds, BooleanField())
    )
    used, found = asked.values_list("used", "holds").get()
    return Gauge(used, customer.included_extensions), bool(found)


def gauge(customer: Customer) -> Gauge:
    """The contract's gauge, counted now."""
    return Gauge(User.objects.of(customer).count(), customer.included_extensions)
