"""Kinds of values that the trade uses everywhere: one-line text, phone numbers, yes and no; as model and form fields."""

import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

import phonenumbers
from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from pbxadmin.common.values import tolls
from pbxadmin.common.values.signs import as_it_looks, as_number, unshowable

# Where a number without a country code is from.
REGION = "CA"
# Ten digits as people write them here; a first digit of 0 or 1 is somebody's prefix, and the library's to understand.
_NORTH_AMERICAN = re.compile(r"(?:\+1)?[-. ()/]*([2-9](?:[-. ()/]*[0-9]){9})[-. ()/]*", re.ASCII)
NOT_A_NUMBER = _(
    "Enter a phone number: ten digits, area code included, for example 514 555-0123. Abroad, + and the country code come first."
)


def refuse_control_characters(text: str) -> None:
    """Raise `ValidationError` where a text holds what can't be shown on one line, or turns the direction of what is read."""
    if unshowable(text):
        raise ValidationError(
            _("Line breaks and characters that can't be shown are not allowed here."), code="control"
        )


class OneLineFormField(forms.CharField):
    """One line of text, outer blanks removed, read as it looks so that the same name is the same bytes."""

    def to_python(self, value: Any) -> str:
        """Refuse what isn't one line before blanks are stripped: a line break at the end is one too."""
        if isinstance(value, str):
            value = as_it_looks(value)
            refuse_control_characters(value.strip(" "))
        return str(super().to_python(value))


class OneLineField(models.CharField):
    """Text of one line: it may go into a phone's file, a mail header, a log."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.validators = [*self.validators, refuse_control_characters]

    def formfield(self, **kwargs: Any) -> Any:
        """A form field that refuses rather than strips."""
        return super().formfield(**({"form_class": OneLineFormField} | kwargs))


def phone_number_e164(text: str, *, canonical: bool = False) -> str:
    """A number of the numbering plan as E.164 ("+15145550100"); '' for blank; raises `ValidationError` for anything else.

    Numbers without a country code are North American: ten digits. Only digits and the usual separators are read: pauses, star
    codes, letters and SIP addresses aren't phone numbers. `canonical`: E.164 is what it says; else one that looks like a number of
    here whose 1 was forgotten is refused.
    """
    text = as_number(text)
    if not text:
        return ""
    if (plain := _NORTH_AMERICAN.fullmatch(text)) and len(text) <= 40:
        # As the library reads it, many times quicker.
        digits = "".join(sign for sign in plain[1] if sign.isdigit())
        if not _is_of_north_america(digits):
            raise ValidationError(NOT_A_NUMBER, code="invalid")
        return f"+1{digits}"
    if "e+" in text.lower():
        raise ValidationError(
            _(
                "“%(value)s”: a spreadsheet turned this number into 1.23E+11. Format the column as text and enter it again."
            ),
            code="mangled",
            params={"value": text[:40]},
        )
    if len(text) > 40 or not all(
        sign.isascii() and (sign.isdigit() or sign in "+-(). \u00a0/") for sign in text
    ):
        raise ValidationError(NOT_A_NUMBER, code="invalid")
    try:
        number = phonenumbers.parse(text, REGION)
    except phonenumbers.NumberParseException:
        number = None
    if number is None or not phonenumbers.is_valid_number(number) or number.extension:
        if _lacks_its_one(text, ""):
            raise ValidationError(_ONE_IS_MISSING, code="invalid", params={"value": text})
        raise ValidationError(NOT_A_NUMBER, code="invalid")
    if not canonical and _lacks_its_one(text, str(number.country_code)):
        raise ValidationError(_ONE_IS_MISSING, code="invalid", params={"value": text})
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


_ONE_IS_MISSING = _(
    "“%(value)s” would be a number abroad. If it is one of here, put 1 before the area code: +1 514 555-0123. If it is abroad, "
    "leave a blank after the country code."
)


def _lacks_its_one(text: str, country_code: str) -> bool:
    """Whether a text is "+" and the ten digits of a number of here: "+514 282-1234" isn't Peru's. Written apart, a country code is one."""
    digits = "".join(sign for sign in text if sign.isdigit())
    apart = re.match(r"\+\(?([0-9]+)", text)
    if not text.startswith("+") or len(digits) != 10 or not _is_of_north_america(digits):
        return False
    return not (country_code and apart and apart[1] == country_code)


_TOLL_FREE = frozenset({"800", "833", "844", "855", "866", "877", "888"})


def _is_of_north_america(digits: str) -> bool:
    """Whether ten digits are a number by the numbering plan of North America.

    411, 911 and their like are services in every area: no exchange has such a number, those of toll-free numbers apart.
    """
    if digits[4:6] == "11" and digits[:3] not in _TOLL_FREE:
        return False
    return _is_assigned(digits[:6]) or _is_valid(digits)


@lru_cache(maxsize=8_192)
def _is_assigned(first_six: str) -> bool:
    """Whether there are numbers that begin so; what distinguishes them further is left to the library."""
    return _is_valid(f"{first_six}0000")


def _is_valid(digits: str) -> bool:
    return phonenumbers.is_valid_number(phonenumbers.PhoneNumber(country_code=1, national_number=int(digits)))


_STORED_OF_HERE = re.compile(r"\+1([2-9]\d{2})(\d{3})(\d{4})", re.ASCII)


def phone_number_national(e164: str) -> str:
    """A stored number as people write it: "514 555-0123" in North America, "+33 1 23 45 67 89" elsewhere."""
    if not e164:
        return ""
    if match := _STORED_OF_HERE.fullmatch(e164):
        return f"{match[1]} {match[2]}-{match[3]}"  # as the library reads it, many times quicker
    try:
        number = phonenumbers.parse(e164, REGION)
    except phonenumbers.NumberParseException:
        return e164
    if number.country_code != 1:
        return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
    digits = str(number.national_number)
    return f"{digits[:3]} {digits[3:6]}-{digits[6:]}" if len(digits) == 10 else e164


def phone_number_said(text: str) -> str:
    """A number as it was dialled, or in E.164, as people write it; what is no outside number (an extension, a code, 911) as it is."""
    if not text.removeprefix("+").isdecimal():
        return text
    return phone_number_national(tolls.as_dialled(text)) or text


class SuggestingInput(forms.TextInput):
    """A line to type in that offers values to choose: pairs of a value and what is said beside it."""

    template_name = "widgets/suggesting.html.j2"

    def __init__(self, offered: Callable[[], Iterable[tuple[str, str]]], attrs: Any = None) -> None:
        super().__init__(attrs)
        self.offered = offered  # asked only when it is shown

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        """What the template shows; a line that can't be typed in offers nothing."""
        context = super().get_context(name, value, attrs)
        locked = context["widget"]["attrs"].get("disabled")
        return context | {"offered": () if locked else list(self.offered())}


class PhoneNumberFormField(forms.CharField):
    """Reads a number as people type it, gives E.164, shows it nationally again."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.pop("max_length", None)
        kwargs.setdefault(
            "widget", forms.TextInput(attrs={"inputmode": "tel", "autocomplete": "off", "maxlength": 40})
        )
        super().__init__(**kwargs)

    def to_python(self, value: Any) -> str:
        """E.164 or ''."""
        return phone_number_e164(str(super().to_python(value)))

    def prepare_value(self, value: Any) -> Any:
        """A stored number nationally; what a person typed wrongly, as they typed it."""
        return phone_number_national(value) if isinstance(value, str) and value.startswith("+") else value


class PhoneNumberField(models.CharField):
    """A phone number in E.164 ("+15145550100"), or ''."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", 16)
        super().__init__(*args, **kwargs)

    def formfield(self, **kwargs: Any) -> Any:
        """National in, E.164 out."""
        return super().formfield(**({"form_class": PhoneNumberFormField} | kwargs))


def within_limits(field: models.Field, refused: ValidationError) -> ValidationError:
    """A refusal of a number that is too small or too large, told with both limits where the field has both."""
    if not {error.code for error in refused.error_list} & {"min_value", "max_value"}:
        return refused
    # Those that the model sets; what only a kind of column can't hold says nothing to anybody.
    given = getattr(field, "_validators", ())
    low = [each.limit_value for each in given if isinstance(each, MinValueValidator)]
    high = [each.limit_value for each in given if isinstance(each, MaxValueValidator)]
    if not low or not high:
        return refused
    return ValidationError(
        _("Enter a number from %(low)s to %(high)s."), "limits", {"low": max(low), "high": min(high)}
    )


YES = {"1", "true", "vrai", "yes", "oui", "on", "y", "o"}
NO = {"", "0", "false", "faux", "no", "non", "off", "n"}


class YesNoFormField(forms.BooleanField):
    """A box that also reads a file's words: `non` is no (Django's own would take any text for yes)."""

    def to_python(self, value: Any) -> bool:
        """True or False; anything else is refused rather than guessed."""
        if value is None or isinstance(value, bool):
            return bool(value)
        word = str(value).strip().casefold()
        if word in YES:
            return True
        if word in NO:
            return False
        raise ValidationError(
            _("“%(value)s” is neither yes nor no: enter yes or no."),
            code="invalid",
            params={"value": word[:40]},
        )


class YesNoField(models.BooleanField):
    """Yes or no, written in a file as oui/non, yes/no, vrai/faux or 1/0."""

    def formfield(self, **kwargs: Any) -> Any:
        """Never `required`: an unticked box is an answer."""
        settings: dict[str, Any] = {"form_class": YesNoFormField, "required": False}
        return super().formfield(**(settings | kwargs))


DIGITS = RegexValidator(r"^[0-9]*\Z", _("Digits only."), code="digits")
LETTERS_AND_DIGITS = RegexValidator(
    r"^[A-Za-z0-9]*\Z", _("Letters and digits only, without accents or spaces."), code="alnum"
)
# Two addresses that differ in capitals alone would be taken for one another.
PORTAL_ADDRESS = RegexValidator(
    r"^[a-z0-9]+(-[a-z0-9]+)*\Z",
    _("Lowercase letters, digits and hyphens: it is part of every address of the portal."),
    code="address",
)
HOST_NAME = RegexValidator(
    r"^(?=.{1,253}\Z)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]\Z",
    _("Enter a host name, for example clinique.example.com."),
    code="host",
)
