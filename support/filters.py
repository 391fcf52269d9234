"""Filters of the desk's lists whose values are said in words."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import parse_qsl

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext

from users.company import picking
from users.models import Customer, User


class WordsFilter(admin.AllValuesFieldListFilter):
    """All values that a column has, each as people call it."""

    def words(self, value: str) -> str:
        """What a stored value is called."""
        raise NotImplementedError

    def choices(self, changelist: Any) -> Iterator[Any]:
        """Django's own, said in words."""
        known = {str(value) for value in self.lookup_choices}
        for choice in super().choices(changelist):
            # With the counts shown it is "value (3)".
            value, blank, count = str(choice["display"]).partition(" ")
            words = f"{self.words(value)}{blank}{count}" if value in known else choice["display"]
            yield {**choice, "display": words}


@dataclass(frozen=True)
class Box:
    """What `partials/customer_box.html` takes: where a customer is picked by typing."""

    name: str
    value: str
    kept: Sequence[tuple[str, str]]
    pick_url: str


# By what a list of the desk is narrowed to a customer: what was typed or chosen, or its key, as links of Django's have it.
CUSTOMER, KEY = "customer", "customer__id__exact"
# How Django hands the address of a list over to the pages that one opens from it.
FROM_LIST = "_changelist_filters"


def customer_asked(parameters: Mapping[str, str]) -> tuple[str, int | None]:
    """What an address says of whose a new record or a file is to be: a text and a key; else what the list said that one comes from."""
    for each in (parameters, dict(parse_qsl(parameters.get(FROM_LIST, "")[:2000]))):
        text, key = picking.typed(each, CUSTOMER), str(each.get(KEY, ""))
        if text or key:
            return text, int(key) if key.isascii() and key.isdecimal() and len(key) < 18 else None
    return "", None


class CustomersFilter(admin.FieldListFilter):
    """Of one customer, picked by typing a part of its name; of all whose name holds what was typed, until one of them is chosen."""

    name = "customer"

    def __init__(
        self, field: Any, request: HttpRequest, params: Any, model: Any, model_admin: Any, field_path: str
    ) -> None:
        self.by_key = f"{field_path}__id__exact"
        kept = [
            (key, str(value))
            for key, value in request.GET.items()
            if key not in (self.name, self.by_key, "p")
        ]
        super().__init__(field, request, params, model, model_admin, field_path)
        self.title = gettext("customer")
        text = picking.typed({self.name: self._asked(self.name)}, self.name)
        self.meant = picking.meant(cast(User, request.user), text) if text else None
        self.box = Box(self.name, text if self.meant and not self.meant.one else "", kept, reverse("customers_pick"))  # fmt: skip

    def _asked(self, name: str) -> str:
        found = self.used_parameters.get(name, "")
        return str(found[-1] if isinstance(found, list) and found else found or "")

    def _key(self) -> int | None:
        """The key that the address names; None where it is none."""
        text = self._asked(self.by_key)
        return int(text) if text.isascii() and text.isdecimal() and len(text) < 18 else None

    def expected_parameters(self) -> list[str | None]:
        """By the customer's address in the portal, or what was typed; by its key, as links of Django's are."""
        return [self.name, self.by_key]

    def has_output(self) -> bool:
        """Always: there may be hundreds of them."""
        return True

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Narrow."""
        if self.meant is not None:
            one = self.meant.one
            if one is not None:
                return queryset.filter(**{self.field_path: one})
            found = Customer.objects.visible_to(request.user).filter(picking.named_by(self.meant.text))
            return queryset.filter(**{f"{self.field_path}__in": found})
        key = self._key()
        return queryset if key is None else queryset.filter(**{self.by_key: key})

    def get_facet_counts(self, pk_attname: str, filtered_qs: Any) -> dict[str, Any]:
        """None: it would count all customers."""
        return {}

    def choices(self, changelist: Any) -> Iterator[Any]:
        """Everybody's; what is chosen; and among whom there is still to choose."""
        both = [self.name, self.by_key]
        key = self._key()
        asked = self.meant is not None or key is not None
        yield {
            "selected": not asked,
            "query_string": changelist.get_query_string(remove=both),
            "display": gettext("All customers"),
        }
        if self.meant is None:
            if asked:
                one = Customer.objects.filter(pk=key or 0).first()
                yield {"selected": True, "query_string": "", "display": str(one or "?")}
            return
        one = self.meant.one
        if one is None:
            words = gettext("“%(message)s”") % {"message": self.meant.text}
            yield {"selected": True, "query_string": changelist.get_query_string(), "display": words}
        for each in [one] if one is not None else self.meant.few:
            yield {
                "selected": each == one,
                "query_string": changelist.get_query_string({self.name: each.slug}, [self.by_key]),
                "display": each.name,
            }
