"""What every page begins with: the customer and the person of an address, and the contract's gauge."""

from dataclasses import dataclass

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404
from django.utils.translation import gettext as _

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
    user = (
        with_status_message(User.objects.visible_to(actor).of(customer))
        .filter(number=number)
        .select_related("role", "customer", "primary_department")
        .defer("password", "sip_password")
        .first()
    )
    if user is None:
        raise Http404
    return user


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


def gauge(customer: Customer) -> Gauge:
    """The contract's gauge, counted now."""
    return Gauge(User.objects.of(customer).count(), customer.included_extensions)
