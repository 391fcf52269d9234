"""Columns of a customer's rows that are no plain model fields: time zones, and several people at once."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from pbxadmin.common import many
from pbxadmin.common.columns import FieldColumn, Scope
from pbxadmin.common.places import countries_said, country_code, zone_said
from pbxadmin.common.references import LinkedColumn, Option, ReferenceColumn, Store
from pbxadmin.common.values.clock import CANADIAN_ZONES, OTHER_ZONES
from pbxadmin.common.values.signs import folded, plainly
from users.models import SystemExtension, User


class OnItsOwnPage(FieldColumn):
    """A column that a page of its own changes, which says first what will happen."""

    own_form = True


class ZoneColumn(FieldColumn):
    """A time zone that phones can be given; those of Canada stand first."""

    def form_field(self, scope: Scope) -> forms.Field:
        """A menu in two groups."""
        others = sorted(
            ((name, zone_said(name)) for name in OTHER_ZONES), key=lambda choice: folded(choice[1])
        )
        choices = [
            (_("Canada"), [(name, zone_said(name)) for name in CANADIAN_ZONES]),
            (_("Other time zones"), others),
        ]
        return forms.ChoiceField(label=self.label, help_text=self.help, choices=choices)

    def show(self, value: Any, scope: Scope | None = None) -> str:
        """By its city."""
        return zone_said(value) if value else super().show(value, scope)


class CountriesColumn(FieldColumn):
    """Countries by their names or their two letters, in any order; kept as sorted letters."""

    def form_field(self, scope: Scope) -> forms.Field:
        """Filled with their names."""
        return CountriesFormField(label=self.label, help_text=self.help, required=False, max_length=2_000)

    def clean(self, raw: Any, scope: Scope) -> str:
        """ "ca, us" and "Canada, United States" are "CA US"; blank is North America."""
        found = super().clean(raw, scope)
        return str(found or self.field.get_default())

    def show(self, value: Any, scope: Scope | None = None) -> str:
        """Their names, in order."""
        return countries_said(value) if value else super().show(value, scope)


class CountriesFormField(forms.CharField):
    """Reads countries as people name them, gives their letters, shows the names again."""

    def to_python(self, value: Any) -> str:
        """ "CA US"; a word that is no country's name stays in it, for the validator to name."""
        codes = set()
        for part in re.split(r"[,;\n]+", str(super().to_python(value) or "")):
            if code := country_code(part):
                codes.add(code)
            else:
                codes |= {country_code(word) or word for word in part.split()}
        return " ".join(sorted(codes))

    def prepare_value(self, value: Any) -> Any:
        """What is stored by name; what a person typed wrongly, as they typed it."""
        return countries_said(value) if isinstance(value, str) and LETTERS.fullmatch(value) else value


# What is stored: two letters each, with a blank between them.
LETTERS = re.compile(r"[A-Z]{2}( [A-Z]{2})*")


class SecretColumn(FieldColumn):
    """A secret that is typed in and never shown again: what is left blank stays as it is."""

    def form_field(self, scope: Scope) -> forms.Field:
        """Dots, always empty."""
        return forms.CharField(
            label=self.label,
            help_text=self.help,
            required=False,
            max_length=self.field.max_length,
            widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}, render_value=False),
        )

    def clean(self, raw: Any, scope: Scope) -> Any:
        """What was typed; the customer's own for a blank."""
        return super().clean(raw, scope) or self.read(scope.customer)


def model_field(model: type[models.Model], name: str) -> Any:
    return model._meta.get_field(name)


def people(scope: Scope) -> list[Option]:
    """Everybody of the customer, by extension: {key, "101 Amélie Tremblay"}."""
    found = scope.once(
        "people by extension",
        lambda: list(
            User.objects.of(scope.customer)
            .order_by("number")
            .values_list("pk", "number", "first_name", "last_name")
        ),
    )
    return [
        Option(key, f"{number} {first} {last}".strip(), (number,), number)
        for key, number, first, last in found
    ]


# More people than this aren't boxes to tick any more: their extensions are typed.
MOST_BOXES = 200


def system_extensions(scope: Scope) -> list[Option]:
    """The customer's ring groups, queues and IVRs, by extension."""
    found = scope.once(
        "system extensions by extension",
        lambda: list(SystemExtension.objects.of(scope.customer).values_list("pk", "number", "name")),
    )
    return [Option(key, f"{number} {name}", (number,), number) for key, number, name in found]


class AnsweringColumn(ReferenceColumn):
    """The system extension to which a number leads; chosen together with the person, in one place ("Rings")."""

    own_form = True


EXTENSIONS = re.compile(r"[\s,;:]+")
EXTENSIONS_ALONE = re.compile(r"[\d\s,;:]+")


class PeopleColumn(LinkedColumn):
    """Several people of the customer: boxes to tick, or their extensions as text."""

    def form_field(self, scope: Scope) -> forms.Field:
        """Boxes; a text of extensions where there would be too many of them."""
        if len(self.by_key(scope)) <= MOST_BOXES:
            return super().form_field(scope)
        return ExtensionsField(
            label=self.label,
            help_text=_("Extensions, separated by commas."),
            required=False,
            numbers={key: option.words[0] for key, option in self.by_key(scope).items()},
        )

    def clean(self, raw: Any, scope: Scope) -> Any:
        """Keys, sorted: a list holds keys (boxes, history), a text extensions."""
        if not isinstance(raw, str):
            return super().clean(raw, scope)
        numbers = {option.words[0]: option.key for option in self.by_key(scope).values()}
        typed = plainly(raw).replace(":", ",").replace(";", ",").replace("\n", ",").split(",")
        wanted = [words[0] for item in typed if (words := item.split())]
        if unknown := [number for number in wanted if number not in numbers]:
            raise ValidationError(
                _("These extensions don't exist: %(numbers)s."), params={"numbers": ", ".join(unknown)[:60]}
            )
        return tuple(sorted({numbers[number] for number in wanted}))

    def _from_text(self, text: str, scope: Scope) -> Any:
        """Extensions, separated as people do it."""
        return super()._from_text(
            EXTENSIONS.sub(":", text) if EXTENSIONS_ALONE.fullmatch(text) else text, scope
        )


class ExtensionsField(forms.CharField):
    """A text of extensions for a set of keys."""

    def __init__(self, numbers: Mapping[str, str], **settings: Any) -> None:
        super().__init__(widget=forms.Textarea(attrs={"rows": 3}), **settings)
        self.numbers = numbers

    def prepare_value(self, value: Any) -> Any:
        """Keys as their extensions; what was typed as it was typed."""
        if isinstance(value, (list, tuple)):
            return ", ".join(sorted(self.numbers.get(str(key), str(key)) for key in value))
        return value


class MemberStore(Store):
    """The members of a ring group or queue, as a sorted tuple of keys."""

    def load(self, records: Sequence[Any]) -> Mapping[Any, Mapping[str, Any]]:
        """{system extension: {"members": keys}}, in one query."""
        found: dict[Any, list[int]] = {record.pk: [] for record in records}
        links = SystemExtension.members.through.objects.filter(systemextension__in=found).order_by("user")
        for extension, user in links.values_list("systemextension", "user"):
            found[extension].append(user)
        return {key: {"members": tuple(keys)} for key, keys in found.items()}

    def save(self, rows: Sequence[Any], scope: Scope) -> None:
        """Add and remove, for all rows together."""
        through = SystemExtension.members.through
        extensions, people = [], []
        for row in rows:
            before, after = (set(keys or ()) for keys in row.changes["members"])
            if before - after:
                through.objects.filter(systemextension=row.key, user__in=before - after).delete()
            extensions += [row.key] * len(after - before)
            people += sorted(after - before)
        many.insert(through, {"systemextension_id": extensions, "user_id": people}, len(people))


MEMBERS = MemberStore()
