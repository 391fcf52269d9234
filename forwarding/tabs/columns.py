"""Columns of the Forwarding tab: destinations, and statuses for a limited time."""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime, time
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from forwarding import periods
from pbxadmin.common.columns import FieldColumn, Scope
from pbxadmin.common.destination_field import (
    KIND_LABELS,
    MODIFIER_LABELS,
    DestinationField,
    DestinationWidget,
    refused,
)
from pbxadmin.common.fields import phone_number_national
from pbxadmin.common.rendering import Menu
from pbxadmin.common.values.destinations import Code, Destination, Kind
from pbxadmin.common.values.signs import folded
from users import rights
from users.models import SystemExtension, User

NO_DEFLECTION = gettext_lazy("Note that this option isn't supported by your provider's lines.")
TRUNK_WARNING = gettext_lazy(
    "A call forwarded to an outside number takes two channels for as long as it lasts. Your SIP trunk has %(channels)s."
)


def systems_of(scope: Scope) -> dict[str, SystemExtension]:
    """The customer's system extensions by number, looked up once in a scope."""
    return scope.once("system extensions", lambda: {
        each.number: each for each in SystemExtension.objects.of(scope.customer).order_by("number")
    })  # fmt: skip


def names_of(scope: Scope, numbers: Sequence[str]) -> dict[str, str]:
    """The names of these extensions, as far as they are people of the customer; asked for once each in a scope."""
    known: dict[str, str] = scope.once("names by extension", dict)
    if missing := set(numbers) - known.keys():
        found = User.objects.of(scope.customer).filter(number__in=missing)
        remember(scope, missing, found.only("number", "first_name", "last_name"))
    return known


def remember(scope: Scope, numbers: Iterable[str], people: Iterable[User]) -> None:
    """That these are the people, and all of them, who have these extensions."""
    names, keys = scope.once("names by extension", dict), scope.once("keys by extension", dict)
    for number in numbers:
        names[number] = ""
        keys.pop(number, None)
    for person in people:
        names[person.number] = f"{person.first_name} {person.last_name}".strip()
        keys[person.number] = person.pk


def _destination(value: Any) -> Destination | None:
    """A destination, or the text of one, as the history keeps it; None for what is none any more."""
    if isinstance(value, Destination):
        return value
    try:
        return Destination.parse(str(value))
    except ValueError:
        return None


# A typed "105 Maude Côté": the extension comes first.
_LEADING_EXTENSION = re.compile(r"([0-9]{2,5})(?:\s|\Z)")


class DestinationColumn(FieldColumn):
    """Where calls go. Typed in with the picker, or as its canonical text; a colleague also by their name."""

    field: DestinationField
    by_number = True

    def form_field(self, scope: Scope) -> forms.Field:
        """The picker with this customer's system extensions and channels."""
        made = self.field.formfield()
        made.label, made.help_text = self.label, self.help
        widget: DestinationWidget = made.widget
        widget.systems = scope.once("menu of system extensions", lambda: Menu(
            (number, f"{number} {each.name} · {each.get_kind_display()}")
            for number, each in systems_of(scope).items()
        ))  # fmt: skip
        widget.names = scope.once("names by extension", dict)
        # Whoever has no administration pages searches from their own.
        admin = scope.actor is not None and scope.actor.is_authenticated and rights.administers(scope.actor)
        widget.search_url = (
            reverse("destination_search", args=[scope.customer.slug])
            if admin
            else reverse("own_destination_search")
        )
        widget.no_deflection = "" if scope.customer.supports_deflection else NO_DEFLECTION
        widget.trunk_warning = TRUNK_WARNING % {"channels": scope.customer.sip_trunk_channels}
        widget.attrs["aria-label"] = str(self.label)
        return made

    def clean(self, raw: Any, scope: Scope) -> Any:
        """A `Destination`; whether it exists is a rule's question, for all rows at once."""
        form_field = scope.once(("form field", self), lambda: self.form_field(scope))
        return form_field.clean(self._with_extension(raw, scope) if isinstance(raw, str) else raw)

    def is_shown_as(self, raw: Any, value: Any, scope: Scope) -> bool:
        """Also with the number as the picker writes it."""
        if not isinstance(value, Destination) or value.kind is not Kind.EXTERNAL:
            return super().is_shown_as(raw, value, scope)
        written = str(value)
        return raw in (written, written.replace(value.value, phone_number_national(value.value)))

    def _with_extension(self, raw: str, scope: Scope) -> str:
        """The text with a colleague's extension in place of what was typed for them."""
        target, question, flags = raw.strip().partition("?")
        kind, colon, typed = target.partition(":")
        typed = typed.strip()
        if kind != Kind.EXTENSION or not typed:
            return raw
        if found := _LEADING_EXTENSION.match(typed):
            return f"{kind}{colon}{found[1]}{question}{flags}"
        people = scope.once(("people called", typed), lambda: self._called(typed, scope))
        if len(people) != 1:
            raise refused(Code.BAD_EXTENSION, typed)
        return f"{kind}{colon}{people[0]}{question}{flags}"

    @staticmethod
    def _called(name: str, scope: Scope) -> list[str]:
        """The extensions of everybody with exactly this name."""
        wanted = folded(name)
        candidates = User.objects.of(scope.customer).filter(search_text__contains=wanted, hidden=False)
        return [
            person.number
            for person in candidates.only("number", "first_name", "last_name")[:50]
            if folded(person.full_name) == wanted
        ]

    def to_json(self, value: Any) -> Any:
        """The canonical text."""
        return str(value) if value else ""

    def look_up(self, values: Iterable[Any], scope: Scope) -> None:
        """The names of the colleagues among them."""
        found = [_destination(value) for value in values]
        names_of(scope, [each.value for each in found if each and each.kind is Kind.EXTENSION])

    def referred(self, value: Any, scope: Scope) -> tuple[Any, str] | None:
        """The colleague, or the system extension, that has the number."""
        found = _destination(value) if value else None
        if found is not None and found.kind is Kind.EXTENSION:
            name = names_of(scope, [found.value]).get(found.value, "")
            key = scope.once("keys by extension", dict).get(found.value)
            return None if key is None else (key, name or found.value)
        if found is not None and found.kind is Kind.SYSTEM and (system := systems_of(scope).get(found.value)):
            return system.pk, system.name
        return None

    def show(self, value: Any, scope: Scope | None = None) -> str:
        """In words: "Extension number 105 Maude Côté (Voicemail)"."""
        found = self.referred(value, scope) if scope else None
        return self.show_named(value, found[1] if found else "", scope)

    def show_named(self, value: Any, name: str, scope: Scope | None = None) -> str:
        """In words, whoever has the number now."""
        if not value:
            return super().show(None)
        if (found := _destination(value)) is None:
            return str(value)
        value = found
        words = [str(KIND_LABELS[value.kind])]
        if value.kind is Kind.EXTERNAL:
            words.append(phone_number_national(value.value))
        elif value.kind in (Kind.SYSTEM, Kind.EXTENSION):
            words += [value.value, name if name != value.value else ""]
        if value.modifiers:
            words.append("(" + ", ".join(str(MODIFIER_LABELS[name]) for name in value.modifiers) + ")")
        return " ".join(filter(None, words))


class StatusColumn(FieldColumn):
    """The status, changed by its own form in the head of the page and in the list."""

    own_form = True


class StatusUntilColumn(FieldColumn):
    """Until when a status lasts: a time of the person's department ("14:00", "14 h"), or a whole instant from the history."""

    own_form = True

    def form_field(self, scope: Scope) -> forms.Field:
        """A time of day."""
        return forms.CharField(
            label=self.label,
            help_text=self.help,
            required=False,
            widget=forms.TimeInput(attrs={"type": "time", "class": "narrow"}),
        )

    def clean(self, raw: Any, scope: Scope) -> Any:
        """None, an aware datetime, or a `time` that a rule turns into one on the person's own clock."""
        if raw is None or isinstance(raw, (datetime, time)):
            return raw
        text = str(raw).strip()
        if not text:
            return None
        try:
            instant = parse_datetime(text)
        except ValueError:
            instant = None
        if instant is not None and instant.tzinfo is not None:
            return instant
        try:
            (found,) = periods.day_of(f"{text}-24:00", 0)
        except (periods.PeriodError, ValueError):
            raise ValidationError(
                _("“%(value)s” is not a time, for example 14:00."), params={"value": text[:40]}
            ) from None
        return found.start


class StatusAfterColumn(FieldColumn):
    """The status that comes back after a temporary one; follows from what it was before."""

    own_form = True
