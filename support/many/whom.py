"""Which customers, and which of their departments, something is to be done to."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from pbxadmin.common.fields import OneLineFormField
from pbxadmin.common.searching import named
from pbxadmin.common.values.signs import folded, plainly
from users.models import Customer, Department

Keys = list[tuple[int, list[int]]]  # each customer with the records there, in the order of their turn

MOST = 5_000  # keys in an address, which lists of the desk hand over


def keys_of(text: str) -> list[int]:
    """Primary keys as an address has them ("3,7"); what is none is left out."""
    parts = text.split(",")[:MOST]
    return [int(part) for part in parts if part.isascii() and part.isdecimal() and len(part) < 18]


class WhomForm(forms.Form):
    """Customers: all, those that match, or those that are named; and departments by words of their names."""

    names = OneLineFormField(
        label=gettext_lazy("Customers"),
        required=False,
        max_length=2_000,
        help_text=gettext_lazy("Names or parts of names, separated by commas. Blank: all of them."),
    )
    edition = forms.ChoiceField(label=gettext_lazy("Licence"), required=False)
    suspended = forms.ChoiceField(label=gettext_lazy("Suspended"), required=False)
    departments = OneLineFormField(
        label=pgettext_lazy("heading", "Departments"),
        required=False,
        max_length=200,
        help_text=gettext_lazy("Words of their names. Blank: every department of these customers."),
    )
    # What was chosen in a list of the desk, by key: it then needs no words.
    customer_keys = forms.CharField(required=False, widget=forms.HiddenInput)
    department_keys = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, actor: Any, data: Any, of_departments: bool) -> None:
        super().__init__(data)
        self.actor = actor
        anything = [("", _("Whatever"))]
        self.fields["edition"].choices = anything + list(Customer.Edition.choices)  # type: ignore[attr-defined]
        self.fields["suspended"].choices = [*anything, ("no", _("No")), ("yes", _("Yes"))]  # type: ignore[attr-defined]
        if not of_departments:
            del self.fields["departments"]
        self.of_departments = of_departments

    @property
    def chosen(self) -> int:
        """How many records a list of the desk has handed over; 0 where words say it."""
        return len(self._keys("department_keys") or self._keys("customer_keys"))

    def _keys(self, name: str) -> list[int]:
        return keys_of(str(self.data.get(name) or ""))

    def clean_names(self) -> list[int] | None:
        """The keys of the named customers; None where nobody is named."""
        parts = [part.strip() for part in plainly(self.cleaned_data["names"]).replace(";", ",").split(",")]
        wanted = list(dict.fromkeys(part for part in parts if part))
        if not wanted:
            return None
        everybody = [
            (key, folded(name), slug)
            for key, name, slug in Customer.objects.visible_to(self.actor).values_list("pk", "name", "slug")
        ]
        found: list[int] = []
        for part in wanted:
            words = folded(part).split()
            exactly = [key for key, name, slug in everybody if folded(part) in (name, slug)]
            matching = exactly or [
                key for key, name, _slug in everybody if words and all(word in name for word in words)
            ]
            if not matching:
                raise ValidationError(_("There is no customer “%(name)s”.") % {"name": part[:60]})
            found += matching
        return found

    def customers(self) -> "QuerySet[Customer]":
        """The customers that are meant; only of a form that is valid."""
        found = Customer.objects.visible_to(self.actor)
        said = self.cleaned_data
        if keys := self._keys("customer_keys"):
            found = found.filter(pk__in=keys)
        if said["names"] is not None:
            found = found.filter(pk__in=said["names"])
        if said["edition"]:
            found = found.filter(edition=said["edition"])
        if said["suspended"]:
            found = found.filter(suspended=said["suspended"] == "yes")
        return found

    def keys(self) -> Keys:
        """The customers with their meant departments, or with themselves; in the order of their names."""
        customers = list(self.customers().values_list("pk", flat=True))
        if not self.of_departments:
            return [(key, [key]) for key in customers]
        departments = Department.objects.visible_to(self.actor).filter(customer__in=customers)
        if keys := self._keys("department_keys"):
            departments = departments.filter(pk__in=keys)
        if words := self.cleaned_data["departments"]:
            departments = departments.filter(named("name", words))
        return grouped(departments.values_list("customer", "pk"), customers)


def grouped(pairs: Any, order: Sequence[int]) -> Keys:
    """Pairs of customer and record as turns, in this order of the customers; those without a record have none."""
    found: dict[int, list[int]] = defaultdict(list)
    for customer, key in pairs:
        found[customer].append(key)
    return [(key, found[key]) for key in order if key in found]
