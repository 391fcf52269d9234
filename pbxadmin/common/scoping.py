"""One entrance for tenancy: what a person's customer has, and nothing else, comes out of a query."""

from typing import Any, Self

from django.db import models


class ScopedQuerySet(models.QuerySet):
    """Rows that belong to a customer. `model.customer_path` says over which relation ("customer", "user__customer")."""

    def visible_to(self, actor: Any) -> Self:
        """The rows of the actor's own customer; of every customer for support staff; none for anybody else.

        A row that isn't in it does not exist for the actor: a page answers 404. What they may *do* with a row that they
        sees is another question, and `users.rights` answers it.
        """
        if not getattr(actor, "is_authenticated", False) or not actor.is_active:
            return self.none()
        if actor.is_staff:
            return self
        return self.of(actor.customer_id)

    def of(self, customer: Any) -> Self:
        """The rows of one customer (an object or its primary key)."""
        path = getattr(self.model, "customer_path", "customer")
        return self.filter(**{path: getattr(customer, "pk", customer)})


ScopedManager = models.Manager.from_queryset(ScopedQuerySet)


class ProvidersQuerySet(ScopedQuerySet):
    """Rows of a table that is the provider's own: no customer has any of them, and support staff alone see them."""

    def visible_to(self, actor: Any) -> Self:
        """All of them for support staff; none for anybody else."""
        return self if getattr(actor, "is_staff", False) and actor.is_active else self.none()

    def of(self, customer: Any) -> Self:
        """All of them where no customer is meant; a customer has none."""
        return self if customer is None else self.none()


ProvidersManager = models.Manager.from_queryset(ProvidersQuerySet)
