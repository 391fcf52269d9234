"""The columns of a phone: how a MAC is read, what each model offers, in which words."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Field
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from pbxadmin.common import cells
from pbxadmin.common.columns import Blank, Column, FieldColumn, Pending, Scope, Text
from pbxadmin.common.forms import OrderedBoxes
from pbxadmin.common.references import Option, ReferenceColumn
from pbxadmin.common.values.signs import plainly
from phones.context import Codec, DateFormat, Language, TimeFormat
from phones.models import Phone, Sbc
from phones.vendors import Model, UnknownModelError, find_model, models
from users import road
from users.models import User
from users.road.finding import NOT_IN_LISTS

# "8,05E+11": what a spreadsheet makes of a MAC that happens to look like a number.
MANGLED = re.compile(r"\d+[.,]?\d*E[+-]?\d{1,3}\Z", re.ASCII | re.IGNORECASE)
SEPARATORS = re.compile(r"[:.\- ]", re.ASCII)
NUMBERED = re.compile(r"(?<=[a-z])(?=\d)")
HEX = re.compile(r"[0-9a-f]+\Z", re.ASCII)


def mac_address(text: str) -> str:
    """A MAC as twelve lower-case hex digits; raises `ValidationError` that says what is wrong and the way
    out."""
    text = plainly(text).strip(" \t")
    if MANGLED.match(text) and re.search(r"[.,+]", text):
        raise ValidationError(
            _(
                "“%(value)s”: a spreadsheet turned this address into a number. Format the column as text "
                "and paste it again."
            ),
            code="excel_number",
            params={"value": text[:30]},
        )
    digits = SEPARATORS.sub("", text).lower()
    if not HEX.match(digits):
        raise ValidationError(
            _(
                "A MAC address contains only the digits 0 to 9 and the letters A to F, for example 80:5E:C0:12:34:56."
            ),
            code="mac_form",
        )
    if len(digits) != 12:
        raise ValidationError(
            _(
                "A MAC address has 12 digits and letters; this one has %(count)s. It is printed on the back of the phone."
            ),
            code="mac_form",
            params={"count": len(digits)},
        )
    # The lowest bit of the first byte makes it a group of devices (IEEE 802), which no phone has.
    if int(digits[1], 16) & 1 or digits == "0" * 12:
        raise ValidationError(
            _(
                "This MAC address doesn't belong to a single device: enter the one printed on the back of the phone."
            ),
            code="mac_group",
        )
    return digits


class MacColumn(FieldColumn):
    """The MAC, however people write it; fixed once the phone is there."""

    def form_field(self, scope: Scope) -> forms.Field:
        """A text long enough for any way of writing it."""
        attributes = {"autocomplete": "off", "spellcheck": "false", "maxlength": 40}
        widget = forms.TextInput(attributes)
        return forms.CharField(
            label=self.label, help_text=self.help, max_length=60, strip=False, widget=widget
        )

    def _as_text(self, value: Any, scope: Scope) -> str:
        """As 3CX's file has it: capitals without separators."""
        return str(value or "").upper()

    def clean(self, raw: Any, scope: Scope) -> Any:
        """Twelve lower-case hex digits."""
        return mac_address(Column.clean(self, raw, scope))

    def show(self, value: Any, scope: Scope | None = None) -> str:
        """As it is printed on the phone."""
        return Phone(mac=value).mac_with_colons if value else super().show(value, scope)


def _bare(name: str) -> str:
    """A model's name as names are compared: "Yealink SIP-T54W", "yealink-t54w" and "Yealink T54W" are one."""
    return re.sub(r"[\s_-]|\bsip(?=[\s_-])", "", name.strip().casefold())


class ModelColumn(FieldColumn):
    """Which model of the catalogue it is; a file may name it as people do ("Yealink T54W", "SIP-T54W", "T54W")."""

    def form_field(self, scope: Scope) -> forms.Field:
        """A menu, grouped by vendor."""
        vendors: dict[str, list[tuple[str, str]]] = {}
        for model in models():
            vendors.setdefault(model.vendor.capitalize(), []).append((model.slug, model.display_name))
        choices = [("", "—"), *vendors.items()]
        return forms.ChoiceField(label=self.label, help_text=self.help, choices=choices)

    def _as_text(self, value: Any, scope: Scope) -> str:
        """The name that people know, as 3CX's file has it."""
        try:
            return find_model(value).display_name
        except UnknownModelError:
            return str(value or "")

    def clean(self, raw: Any, scope: Scope) -> Any:
        """The model's slug."""
        word = _bare(str(raw or ""))
        if not word:
            raise ValidationError(_("Choose one."), code="model_missing")
        for model in models():
            if word in (
                _bare(model.slug),
                _bare(model.display_name),
                _bare(model.display_name.partition(" ")[2]),
            ):
                return model.slug
        raise ValidationError(
            _("The catalogue has no model “%(value)s”: enter one as in “Yealink T54W”."),
            code="unknown_model",
            params={"value": str(raw).strip()[:60]},
        )

    def show(self, value: Any, scope: Scope | None = None) -> str:
        """The name that people know."""
        try:
            return find_model(value).display_name
        except UnknownModelError:
            return super().show(value, scope)


class UserColumn(FieldColumn):
    """Who uses the phone, by primary key; nobody, and it is in stock. A rule looks the people up, all in one
    query."""

    refers = True

    def __init__(self, model_field: Field, **overrides: Any) -> None:
        super().__init__(model_field, **overrides)
        self.options = people  # the history keeps the name beside the key

    def form_field(self, scope: Scope) -> forms.Field:
        """The key as a number; a page of its own lets people search."""
        return forms.IntegerField(label=self.label, required=False, min_value=1)

    def clean(self, raw: Any, scope: Scope) -> Any:
        """The key, or None."""
        return raw.checked() if isinstance(raw, Pending) else Column.clean(self, raw, scope)

    def _blank_of_kind(self, record_is_new: bool) -> Blank:
        """No phone is taken from anybody because a cell is blank."""
        return Blank.EMPTY if record_is_new else Blank.LEAVE

    def _as_text(self, value: Any, scope: Scope) -> str:
        """The person's extension."""
        return "" if value is None else extensions(scope).get(value, "")

    def _from_text(self, text: str, scope: Scope) -> Any:
        """The person of an extension."""
        word = text.strip()
        if not word:
            return None
        keys = scope.once(
            "people by extension, by number",
            lambda: {number: key for key, number in extensions(scope).items()},
        )
        if word not in keys:
            raise ValidationError(
                _("“%(value)s” is not one of the choices: choose one from the list."),
                code="invalid",
                params={"value": word[:60]},
            )
        return keys[word]

    def look_up(self, values: Iterable[Any], scope: Scope) -> None:
        """The people of these keys that this scope hasn't met yet, in one query for ten thousand of them."""
        read_people(scope, {value for value in values if isinstance(value, int)} - people(scope).keys())

    def show(self, value: Any, scope: Scope | None = None) -> str:
        """The person's extension and name."""
        if value is None:
            return _("(in stock)")
        if isinstance(value, Pending) or scope is None:
            return str(value)
        if value not in people(scope):
            self.look_up([value], scope)
        return str(people(scope).get(value, value))


def people(scope: Scope) -> dict[int, User]:
    """The people that were looked up for this scope, by key."""
    return scope.once("people of phones", dict)


# What says who somebody is and whom they are administered by: of so many, no more than that is read.
WHO = ("number", "first_name", "last_name", "email", "customer", "role", "primary_department", "is_staff", "disabled")  # fmt: skip
MANY = 1_000


def read_people(scope: Scope, keys: Collection[int]) -> None:
    """Have the people of these keys, with their roles, among those that were looked up: as they are now, also who was met before."""
    known = people(scope)
    of_customer = User.objects.of(scope.customer).order_by()
    of_customer = of_customer.only(*WHO) if len(keys) > MANY else of_customer.defer(*NOT_IN_LISTS)
    for part in road.chunks(sorted(keys)):
        found = road.with_related(of_customer.filter(pk__in=part), len(part), ("role",))
        known.update((user.pk, user) for user in found)


def extensions(scope: Scope) -> dict[int, str]:
    """The extension of everybody of the customer by key, looked up once in a scope."""
    return scope.once(
        "extensions", lambda: dict(User.objects.of(scope.customer).order_by().values_list("pk", "number"))
    )


class OfferedColumn(FieldColumn):
    """An option of which each model offers its own values; a model without any doesn't have the option."""

    def __init__(
        self,
        model_field: Field,
        words: Callable[[Any], Text] | None = None,
        blank: Text = "",
        **overrides: Any,
    ) -> None:
        self.words = words or self._label
        self.blank_label = blank  # how a blank is called, where it is allowed
        super().__init__(model_field, **overrides)

    def offered(self, model: Model) -> Sequence[Any]:
        """What the model offers of it."""
        return getattr(model.offers, self.name)

    def _label(self, value: Any) -> Text:
        """What the model field calls the value."""
        return dict(self.field.choices or ()).get(value, str(value))

    def choices(self, offered: Sequence[Any]) -> list[tuple[Any, Text]]:
        """Values with their names, for a menu."""
        return [
            *([("", self.blank_label)] if self.blank_label else []),
            *((str(value), self.words(value)) for value in offered),
        ]

    def form_field(self, scope: Scope) -> forms.Field:
        """A menu of what any model offers; `phones.settings.form.settings_form` narrows it to the phone's own."""
        everything = list(dict.fromkeys(value for model in models() for value in self.offered(model)))
        kind = int if self.field.get_internal_type().startswith("Positive") else str
        return forms.TypedChoiceField(
            label=self.label,
            help_text=self.help,
            choices=self.choices(everything),
            coerce=kind,
            empty_value="",
            required=not self.blank_label,
        )

    def clean(self, raw: Any, scope: Scope) -> Any:
        """One of the values that any model offers; a rule asks the phone's own model."""
        return Column.clean(self, raw, scope)

    def _blank_of_kind(self, record_is_new: bool) -> Blank:
        return Blank.EMPTY if self.blank_label else Blank.DEFAULT

    def _from_text(self, text: str, scope: Scope) -> Any:
        """A stored value, or its name in any language."""
        everything = dict.fromkeys(value for model in models() for value in self.offered(model))
        choices = [(value, format_lazy("{}", self.words(value))) for value in everything]
        return self.clean(cells.choice_of(text.strip(), choices), scope)

    def show(self, value: Any, scope: Scope | None = None) -> str:
        """The value's name."""
        return (
            str(self.blank_label) if self.blank_label and not value and value != 0 else str(self.words(value))
        )

    def nearest(self, model: Model, value: Any) -> Any:
        """What `model` has instead of a value that it doesn't offer: the field's default, or the closest
        delay."""
        offered = self.offered(model)
        if self.blank_label:
            return ""
        default = self.field.get_default()
        if default in offered:
            return default
        return min(offered, key=lambda other: abs(other - value)) if isinstance(value, int) else offered[0]


class CodecBoxes(OrderedBoxes):
    """The codecs to tick and to put in order; their stored text is one value of several."""

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        """The ticked ones in the order of the page."""
        values = super().value_from_datadict(data, files, name)
        return [codec for value in values or () for codec in str(value).split(",") if codec]


class CodecsColumn(FieldColumn):
    """The codecs in the order of preference, kept as one text: "G722,PCMU"."""

    def form_field(self, scope: Scope) -> forms.Field:
        """Boxes in an order."""
        choices = [(codec.value, CODECS[codec]) for codec in Codec]
        return forms.MultipleChoiceField(
            label=self.label, help_text=self.help, choices=choices, widget=CodecBoxes
        )

    def clean(self, raw: Any, scope: Scope) -> Any:
        """The names, separated by commas; a file may separate them by colons or blanks."""
        parts = [raw] if isinstance(raw, str) else list(raw or ())
        text = ",".join(name.upper() for part in parts for name in re.split(r"[,:; ]+", str(part)) if name)
        self.field.run_validators(text)
        if not text:
            raise ValidationError(_("Choose at least one codec, each only once."), code="codecs")
        return text

    def show(self, value: Any, scope: Scope | None = None) -> str:
        """The names, in their order."""
        return ", ".join(str(value or "").split(","))


CODECS: Mapping[Codec, str] = {
    Codec.PCMU: "PCMU",
    Codec.PCMA: "PCMA",
    Codec.G722: "G.722",
    Codec.G729: "G.729",
}
LANGUAGES: Mapping[Language, Text] = {
    Language.FR_CA: gettext_lazy("French (Canada)"),
    Language.FR_FR: gettext_lazy("French (France)"),
    Language.EN: gettext_lazy("English"),
    Language.ES: gettext_lazy("Spanish"),
    Language.DE: gettext_lazy("German"),
    Language.IT: gettext_lazy("Italian"),
    Language.NL: gettext_lazy("Dutch"),
    Language.PT: gettext_lazy("Portuguese"),
}
# As 3CX's file names them: its French is the one of Canada here.
LANGUAGES_OF_3CX: Mapping[str, str] = {
    Language.FR_CA.value: "French",
    Language.FR_FR.value: "French (France)",
    Language.EN.value: "English",
    Language.ES.value: "Spanish",
    Language.DE.value: "German",
    Language.IT.value: "Italian",
    Language.NL.value: "Dutch",
    Language.PT.value: "Portuguese",
}
DATE_FORMATS: Mapping[DateFormat, Text] = {
    DateFormat.ISO: "2026-03-09",
    DateFormat.DAY_MONTH_YEAR: "09/03/2026",
    DateFormat.MONTH_DAY_YEAR: "03/09/26",
    DateFormat.WEEKDAY_MONTH_DAY: gettext_lazy("Mon Mar 09"),
    DateFormat.WEEKDAY_DAY_MONTH: gettext_lazy("Mon 09 Mar"),
    DateFormat.DAY_MONTH_NAME_SHORT_YEAR: gettext_lazy("09-Mar-26"),
    DateFormat.DAY_MONTH_NAME_YEAR: gettext_lazy("09 Mar 2026"),
}
TIME_FORMATS: Mapping[TimeFormat, Text] = {TimeFormat.H24: "14:05", TimeFormat.H12: "02:05 PM"}


def delay(seconds: Any) -> str:
    """A delay of the screen in words."""
    seconds = int(seconds)
    if seconds == 0:
        return _("Never")
    if seconds < 60:
        return _("%(count)s s") % {"count": seconds}
    if seconds < 3600:
        return _("%(count)s min") % {"count": seconds // 60}
    return _("%(count)s h") % {"count": seconds // 3600}


def ring(name: Any) -> str:
    """A ringtone as 3CX's files write it: "Ring 1"."""
    return NUMBERED.sub(" ", str(name)).capitalize()


def sbcs(scope: Scope) -> list[Option]:
    """The customer's SBCs and router phones; a file calls each by its identifier, where it has one, or by its name."""
    found = scope.once("sbcs", lambda: list(Sbc.objects.of(scope.customer)))
    return [Option(sbc.pk, sbc.name, (identifier_said(sbc.name),), sbc.identifier) for sbc in found]


def identifier_said(text: str) -> str:
    """An identifier of an SBC as it is kept: a MAC, however it is written, as twelve digits in capitals; anything else as it is."""
    try:
        return mac_address(text).upper()
    except ValidationError:
        return text


class RouterColumn(ReferenceColumn):
    """Through which SBC or router phone: a file says its identifier, its name in any case, or the MAC of a router phone however
    written. A router phone that isn't there yet is made by `phones.sites.routers`."""

    def _key_of(self, text: str, scope: Scope) -> Any:
        for word in dict.fromkeys([text, identifier_said(text.strip())]):
            try:
                return super()._key_of(word, scope)
            except ValidationError as refused:
                refused.error_list[0].code = "unknown_router"
                unknown = refused
        raise unknown
