"""A destination as a column of a table, as a row of a form, and the question who points at something.

The database keeps the canonical text ("extension:105?voicemail"), Python has a `Destination`. A field that may be blank
keeps '' and gives None. Because every such column is found in the app registry, a new one can't be forgotten when
something that calls are sent to is deleted.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from django import forms
from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.db.models.functions import Cast
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import get_language, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from pbxadmin.common.fields import NOT_A_NUMBER, phone_number_e164, phone_number_national
from pbxadmin.common.rendering import Menu, options
from pbxadmin.common.values.destinations import (
    Code,
    Destination,
    DestinationError,
    Kind,
    Side,
    allowed,
    modifiers_allowed,
    refusal,
)

# Longest canonical text: "external:+" and fifteen digits with both modifiers.
LONGEST = 48

KIND_LABELS: Mapping[Kind, Any] = {
    Kind.VOICEMAIL: _("Voicemail"),
    Kind.EXTENSION: _("Extension number"),
    Kind.MOBILE: _("Mobile"),
    Kind.EXTERNAL: _("External number"),
    Kind.SYSTEM: _("System extension"),
    Kind.BUSY: _("Send busy"),
    Kind.SAME: _("Same as all calls"),
}
MODIFIER_LABELS: Mapping[str, Any] = {
    "voicemail": _("Voicemail"), "bounce": pgettext_lazy("forwarding", "Bounce"), "deflect": _("Use call deflection (302)"),
}  # fmt: skip
# In the guide's words, below the menu as soon as one is chosen.
KIND_HELP: Mapping[Kind, Any] = {
    Kind.VOICEMAIL: _("Sends calls directly to the user's mailbox. The mailbox greeting can be personalised for each status."),
    Kind.EXTENSION: _("Forwards calls to another user."),
    Kind.MOBILE: _("Forwards the call to the number in the field “Mobile” of the tab “General”."),
    Kind.EXTERNAL: _("Forwards the call to the number entered."),
    Kind.SYSTEM: _("Forwards the call to a system extension (ring group, queue, digital receptionist)."),
    Kind.BUSY: _("The caller hears a busy tone and is disconnected."),
    Kind.SAME: _("Uses the destination that is set for external calls."),
}  # fmt: skip
# The same to whoever chooses for themself.
OWN_KIND_HELP: Mapping[Kind, Any] = {
    Kind.VOICEMAIL: _("Sends calls directly to your mailbox. The mailbox greeting can be personalised for each status."),
    Kind.MOBILE: _("Forwards the call to your mobile number."),
}  # fmt: skip
OWN_MODIFIER_HELP: Mapping[str, Any] = {
    "bounce": _(
        "Bounce: if the first forward fails, the system tries to call the external number back while the caller waits. You hear the "
        "caller's number announced and can choose whether to take the call."
    ),
}  # fmt: skip
MODIFIER_HELP: Mapping[str, Any] = {
    "voicemail": _("“Voicemail” ticked: calls go directly to that user's mailbox."),
    "bounce": _(
        "Bounce: if the first forward fails, the system tries to call the external number back while the caller waits. The user hears "
        "the caller's number announced and can choose whether to take the call."
    ),
    "deflect": _("Deflection (302): the SIP trunk's server takes over the call, which frees the phone system's channels."),
}  # fmt: skip
SENTENCES: Mapping[Code, Any] = {
    Code.BLANK: _("Choose a destination."),
    Code.UNKNOWN_KIND: _("“%(text)s” is not a destination: choose one from the list."),
    Code.VALUE_MISSING: _("Be specific: enter an extension or a number."),
    Code.VALUE_NOT_TAKEN: _("“%(text)s” is not a destination: choose one from the list."),
    Code.BAD_EXTENSION: _("“%(text)s” is not an extension of this company."),
    Code.BAD_NUMBER: NOT_A_NUMBER,
    Code.UNKNOWN_MODIFIER: _("“%(text)s” is not a destination: choose one from the list."),
    Code.REPEATED_MODIFIER: _("“%(text)s” is not a destination: choose one from the list."),
    Code.MODIFIER_NOT_TAKEN: _(
        "This destination doesn't offer that option: clear the option, or choose another destination."
    ),
    Code.KIND_NOT_FOR_SIDE: _("This destination isn't offered for these calls: choose another one."),
    Code.MODIFIER_NOT_FOR_SIDE: _("This option isn't offered for internal calls."),
}


def refused(code: Code, text: str = "") -> ValidationError:
    """The sentence of a code, as forms raise it."""
    return ValidationError(SENTENCES[code], code=str(code), params={"text": text[:40]})


def destination_of(raw: Any, side: Side) -> Destination | None:
    """The destination that a text means, typed numbers included ("external:514 555-0123"); None for blank.

    Raises `ValidationError` in the reader's language, also for what a field of this side can't hold.
    """
    if raw is None or isinstance(raw, Destination):
        found = raw
    else:
        text = str(raw).strip()
        if not text:
            return None
        target, question, flags = text.partition("?")
        kind, _colon, value = target.partition(":")
        if kind == Kind.EXTERNAL and value:
            text = f"{kind}:{phone_number_e164(value, canonical=value[1:].isdecimal())}{question}{flags}"
        try:
            found = Destination.parse(text)
        except DestinationError as error:
            raise refused(error.code, value or text) from None
    if found is not None and (code := refusal(found, side)):
        raise refused(code, str(found))
    return found


class DestinationField(models.CharField):
    """Where calls of one side are sent. With `blank`, '' in the database is None in Python."""

    description = "Call destination"

    def __init__(self, *args: Any, side: Side = Side.EXTERNAL, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", LONGEST)
        self.side = Side(side)
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        """For migrations: texts, because a migration mustn't depend on what `Destination` looks like later."""
        name, path, args, kwargs = super().deconstruct()
        kwargs["side"] = str(self.side)
        if isinstance(kwargs.get("default"), Destination):
            kwargs["default"] = str(kwargs["default"])
        return name, path, args, kwargs

    def get_default(self) -> Any:
        """The default as a `Destination`."""
        return self.to_python(super().get_default())

    def to_python(self, value: Any) -> Destination | None:
        """A `Destination`, or None for blank; raises `ValidationError`."""
        if value is None or value == "" or isinstance(value, Destination):
            return value or None
        try:
            return Destination.parse(str(value))
        except DestinationError as error:
            raise refused(error.code, str(value)) from None

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> Destination | None:
        """What the road has validated reads back; anything else in the table is a fault and raises `DestinationError`."""
        return Destination.parse(value) if value else None

    def get_prep_value(self, value: Any) -> str:
        """The canonical text."""
        return "" if value is None else str(value)

    def value_to_string(self, obj: Any) -> str:
        """For dumps."""
        return self.get_prep_value(self.value_from_object(obj))

    def run_validators(self, value: Any) -> None:
        """The side's rule; the length follows from the value."""
        if isinstance(value, Destination) and (code := refusal(value, self.side)):
            raise refused(code, str(value))

    def formfield(self, **kwargs: Any) -> Any:
        """The picker."""
        return DestinationFormField(side=self.side, required=not self.blank, label=self.verbose_name, **{
            name: kwargs[name] for name in ("label", "help_text", "initial", "widget") if name in kwargs and name != "label"
        })  # fmt: skip


class DestinationWidget(forms.Widget):
    """The picker: a menu of kinds, and beside it what the kind needs; everything else of it is hidden by the style sheet.

    One name carries the kind (or a whole canonical text, as files and the history have it); `name.extension`,
    `name.external`, `name.system` and the boxes `name.voicemail`, `name.bounce`, `name.deflect` the rest.
    """

    template_name = "widgets/destination.html.j2"
    use_fieldset = True

    def __init__(self, side: Side, attrs: Any = None) -> None:
        super().__init__(attrs)
        self.side = side
        # What the page knows and the field doesn't; a column fills it in.
        self.systems = Menu(())
        self.names: Mapping[str, str] = {}
        self.mobile: str | None = None
        self.search_url = ""
        self.no_deflection: Any = ""
        self.trunk_warning: Any = ""
        self.required_kind = True
        self.own = False  # whether somebody chooses for themself

    def value_from_datadict(self, data: Any, files: Any, name: str) -> str:
        """The text that was put together: "extension:105 Maude Côté?voicemail" is still as typed."""
        kind = str(data.get(name) or "")
        if kind not in set(Kind):
            return kind
        value = str(data.get(f"{name}.{kind}") or "").strip()
        flags = [flag for flag in modifiers_allowed(Kind(kind), self.side) if data.get(f"{name}.{flag}")]
        if kind in (Kind.EXTENSION, Kind.SYSTEM, Kind.EXTERNAL):
            kind = f"{kind}:{value.replace('?', ' ')}"
        return f"{kind}?{'&'.join(flags)}" if flags else kind

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        """Whether the picker wasn't on the page at all."""
        return name not in data

    def get_context(self, name: str, value: Any, attrs: Mapping[str, Any] | None) -> dict[str, Any]:
        """What the template shows, from a `Destination` or from a refused text."""
        attrs = dict(attrs or {})
        invalid = attrs.pop("aria-invalid", None)
        described = attrs.pop("aria-describedby", None)
        context = super().get_context(name, None, attrs)
        text = "" if value is None else str(value)
        target, _question, flags = text.partition("?")
        kind, _colon, typed = target.partition(":")
        on = set(flags.split("&")) - {""}
        shown = typed
        if kind == Kind.EXTENSION and typed in self.names:
            shown = f"{typed} {self.names[typed]}".strip()
        elif kind == Kind.EXTERNAL and typed.startswith("+"):
            shown = phone_number_national(typed)
        kinds, words = allowed(self.side), _words(self.side, get_language(), self.own)
        context |= {
            "kinds": options(
                [
                    (name, self.label(Kind.MOBILE) if name == Kind.MOBILE else label)
                    for name, label in words.kinds
                ],
                kind,
                {Kind.MOBILE} if self.mobile == "" and kind != Kind.MOBILE else (),
            ),
            "unknown": text if kind not in set(kinds) and text else "",
            "extension": shown if kind == Kind.EXTENSION else "",
            "external": shown if kind == Kind.EXTERNAL else "",
            "systems": self.systems.options(typed if kind == Kind.SYSTEM else ""),
            "unknown_system": typed if kind == Kind.SYSTEM and typed and typed not in self.systems else "",
            "modifiers": [
                box
                | {
                    "checked": box["name"] in on,
                    "locked": self.no_deflection if box["name"] == "deflect" and "deflect" not in on else "",
                }
                for box in words.modifiers
            ],
            "told": words.told,
            "search_url": self.search_url,
            "trunk_warning": self.trunk_warning,
            "blank": not self.required_kind,
            "label": self.attrs.get("aria-label", ""),
            "invalid": invalid,
            "described_by": described,
        }
        return context

    def label(self, kind: Kind) -> str:
        """A kind as the menu names it, the mobile with its number."""
        if kind is Kind.MOBILE and self.mobile:
            return f"{KIND_LABELS[kind]} {self.mobile}"
        if kind is Kind.MOBILE and self.mobile == "":
            return str(_("Mobile (no number)"))
        return str(KIND_LABELS[kind])


@cache
def _takers_of_modifiers(side: Side) -> dict[str, str]:
    """The modifiers that some destination of a side takes, with the kinds that take each: "extension system"."""
    takers = {
        flag: " ".join(each for each in allowed(side) if flag in modifiers_allowed(each, side))
        for flag in MODIFIER_LABELS
    }
    return {flag: kinds for flag, kinds in takers.items() if kinds}


@dataclass(frozen=True)
class Words:
    """What every picker of a side says alike in one language: a page has dozens of them."""

    kinds: list[tuple[str, str]]
    modifiers: list[dict[str, str]]
    told: SafeString


@cache
def _words(side: Side, language: str | None, own: bool) -> Words:
    kinds = allowed(side)
    kind_help = {**KIND_HELP, **(OWN_KIND_HELP if own else {})}
    modifier_help = {**MODIFIER_HELP, **(OWN_MODIFIER_HELP if own else {})}
    return Words(
        kinds=[(str(each), str(KIND_LABELS[each])) for each in kinds],
        modifiers=[
            {
                "name": flag,
                "kinds": takers,
                "label": str(MODIFIER_LABELS[flag]),
                "help": str(modifier_help[flag]),
            }
            for flag, takers in _takers_of_modifiers(side).items()
        ],
        told=format_html_join(
            "\n",
            '<p class="for field-help" data-for="{}">{}</p>',
            ((str(each), kind_help[each]) for each in kinds),
        ),
    )


class DestinationFormField(forms.Field):
    """Reads what the picker, a file or the history says; gives a `Destination`, or None where blank is allowed.

    It cleans to a `Destination`, not to a text, so that an unchanged one compares equal.
    """

    widget = DestinationWidget

    def __init__(self, *, side: Side, **kwargs: Any) -> None:
        self.side = Side(side)
        kwargs.setdefault("widget", DestinationWidget(self.side))
        super().__init__(**kwargs)
        self.widget.required_kind = self.required

    def clean(self, value: Any) -> Destination | None:
        """A `Destination`; raises `ValidationError`."""
        found = destination_of(value, self.side)
        if found is None and self.required:
            raise refused(Code.BLANK)
        return found

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Whether it means something else."""
        return str(initial or "") != str(data or "")


# --- Who points at it --------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Reference:
    """A place from which calls lead to an extension.

    `owner` is the primary key of the person whose place it is (None: it is nobody's), `column` the column of their sheet
    that holds it ("" where it isn't one that can be replaced), `words` what it is in the reader's language.
    """

    target: str
    owner: int | None
    words: str
    column: str = ""
    value: Destination | None = None


# How the row that holds a destination is told: model → (row with its owner → owner's key, column, words).
Teller = Callable[[Any, "DestinationField"], tuple[int | None, str, str]]
_tellers: dict[type[models.Model], tuple[Teller, tuple[str, ...]]] = {}


def tells_references(model: type[models.Model], teller: Teller, related: Sequence[str] = ()) -> None:
    """Say whose a row of `model` is, under which column of their sheet, and how to call it; `related` rows are loaded with it."""
    _tellers[model] = teller, tuple(related)


def destination_fields() -> Iterator[tuple[type[models.Model], list[DestinationField]]]:
    """Every model of the installation that has destinations, with those fields."""
    for model in apps.get_models():
        fields = [each for each in model._meta.concrete_fields if isinstance(each, DestinationField)]
        if fields:
            yield model, fields


def references_to(customer: Any, kind: Kind, values: Sequence[str]) -> list[Reference]:
    """What points at these extensions (of people: EXTENSION; of groups, queues and receptionists: SYSTEM) or outside numbers (EXTERNAL)
    of a customer.

    One query per table that has destinations, whatever the number of extensions.
    """
    found: list[Reference] = []
    texts = {f"{kind}:{value}" for value in values}
    if len(texts) > MANY:
        texts &= _pointed_at(customer, kind)
    if not texts:
        return found
    for model, fields in destination_fields():
        manager: Any = model._default_manager
        condition = Q()
        for each in fields:
            condition |= Q(**{f"{each.name}__in": _spellings(texts)})
        teller, related = _tellers.get(model, (None, ()))
        for row in manager.of(customer).filter(condition).select_related(*related):
            for each in fields:
                value = getattr(row, each.attname)
                if value is None or value.kind is not kind or f"{kind}:{value.value}" not in texts:
                    continue
                owner, column, words = (
                    teller(row, each) if teller else (None, "", f"{row} · {each.verbose_name}")
                )
                # Two fields that are written together are one place.
                if (reference := Reference(value.value, owner, words, column, value)) not in found:
                    found.append(reference)
    return found


# From so many targets on it is asked first where calls lead at all: a statement that names all of them in every column takes seconds.
MANY = 100


def _pointed_at(customer: Any, kind: Kind) -> set[str]:
    """Where any calls of a customer lead that are of this kind, without modifiers."""
    found: set[str] = set()
    for model, fields in destination_fields():
        manager: Any = model._default_manager
        for each in fields:
            texts = manager.of(customer).annotate(text=Cast(each.name, models.CharField()))
            some = texts.filter(text__startswith=f"{kind}:").order_by().values_list("text", flat=True)
            found |= {text.partition("?")[0] for text in some.distinct()}
    return found


def _spellings(texts: Iterable[str]) -> list[str]:
    """Every canonical text of these targets, with and without the modifiers that they may take."""
    flags = ("", "?voicemail", "?bounce", "?deflect", "?bounce&deflect")
    return [f"{text}{flag}" for text in sorted(texts) for flag in flags]
