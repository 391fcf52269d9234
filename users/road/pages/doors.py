"""The door of a customer's pages: the customer by its address, and whether this person may."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from django.core.exceptions import PermissionDenied
from django.http.response import HttpResponseBase

from pbxadmin.common.http import PortalRequest
from users import rights
from users.models import Customer, User
from users.road.finding import customer_or_404, user_or_404

Answer = TypeVar("Answer", bound=HttpResponseBase)


def require(
    actor: User, verb: rights.Verb, subject: User | None = None, customer: Customer | None = None
) -> None:
    """Raise `PermissionDenied` with the sentence, where `users.rights` says no."""
    if refusal := rights.why_not(actor, verb, subject, customer):
        raise PermissionDenied(str(refusal))


def in_customer(
    verb: rights.Verb = rights.Verb.ADMINISTER,
) -> Callable[[Callable[..., Answer]], Callable[..., Answer]]:
    """A page under /c/<slug>/: the view gets the customer instead of its slug; 404 for a stranger, 403 for a lesser role."""

    def decorate(view: Callable[..., Answer]) -> Callable[..., Answer]:
        @wraps(view)
        def inside(request: PortalRequest, slug: str, **rest: Any) -> Answer:
            customer = customer_or_404(request.user, slug)
            require(request.user, verb, customer=customer)
            request.customer = customer
            return view(request, customer, **rest)

        inside.verb = verb  # type: ignore[attr-defined]  # the table of who may open what reads it
        return inside

    return decorate


def of_person(
    verb: rights.Verb = rights.Verb.SEE,
) -> Callable[[Callable[..., Answer]], Callable[..., Answer]]:
    """A page under /c/<slug>/users/<number>/: the view gets customer and person; 404 where they don't exist, 403 where not the actor's to act on."""

    def decorate(view: Callable[..., Answer]) -> Callable[..., Answer]:
        @wraps(view)
        def inside(request: PortalRequest, slug: str, number: str, **rest: Any) -> Answer:
            customer = customer_or_404(request.user, slug)
            require(request.user, rights.Verb.ADMINISTER, customer=customer)
            person = user_or_404(request.user, customer, number)
            require(request.user, verb, person, customer)
            request.customer = customer
            return view(request, customer, person, **rest)

        inside.verb = verb  # type: ignore[attr-defined]  # the table of who may open what reads it
        return inside

    return decorate
