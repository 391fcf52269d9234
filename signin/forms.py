"""The forms of signing in and of one's own account: each asks for few things and says what is wrong with
them."""

from typing import Any

from django import forms
from django.contrib.auth.password_validation import password_validators_help_texts, validate_password
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from signin import credentials as signin
from signin import second_factor
from signin.hashing import TryLaterError
from signin.lockout import TooManyTriesError
from users.access import signed_in_user
from users.models import User


class AskedField(forms.CharField):
    """A question that must be answered, taken exactly as typed: no blanks stripped, no character refused
    here.

    What is refused, and how, is decided by the check that follows, so that every failure reads the same.
    """

    def __init__(self, missing: str | Promise, **kwargs: Any) -> None:
        super().__init__(required=False, strip=False, **kwargs)
        self.missing = missing
        self.validators = []

    def clean(self, value: Any) -> str:
        """The text, or the sentence that asks for it."""
        text: str = super().clean(value)
        if not text.strip():
            raise ValidationError(str(self.missing), code="required")
        return text


def login_field(**kwargs: Any) -> AskedField:
    """Extension@host or e-mail."""
    attrs = {"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false", "autofocus": True}
    return AskedField(
        _("Enter your login: your extension with its host name, or your email."),
        label=_("Extension@host name or email address"),
        help_text=_("For example 101@clinique.example.com"),
        widget=forms.TextInput(attrs=attrs),
        **kwargs,
    )


def password_field(**kwargs: Any) -> AskedField:
    """The password that a person has."""
    return AskedField(
        _("Enter your password."),
        label=_("Password"),
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
        **kwargs,
    )


def code_field(**kwargs: Any) -> AskedField:
    """Six digits of the app."""
    attrs = {"autocomplete": "one-time-code", "inputmode": "numeric", "maxlength": 12, "class": "code-input"}
    return AskedField(
        _("Enter the 6 digits that your app shows."),
        label=_("Code from your app"),
        widget=forms.TextInput(attrs=attrs),
        **kwargs,
    )


def backup_code_field() -> AskedField:
    """One of the ten codes on paper."""
    attrs = {
        "autocomplete": "off",
        "autocapitalize": "none",
        "spellcheck": "false",
        "maxlength": 20,
        "class": "code-input",
    }
    return AskedField(
        _("Enter one of your backup codes."),
        label=_("Backup code"),
        help_text=_("Eight letters and digits, for example abcd-2345."),
        widget=forms.TextInput(attrs=attrs),
    )


class PasswordForm(forms.Form):
    """A form with a password, or a code, that may not be looked at now; `later` says so to whoever answers."""

    later: TryLaterError | None = None

    def put_off(self, later: TryLaterError) -> None:
        """Refuse the form without a word on the password."""
        self.later = later
        if isinstance(later, TooManyTriesError):
            minutes = -(-later.seconds // 60)
            words = ngettext(
                "Too many sign-ins have failed here. Wait %(n)s minute, then try again.",
                "Too many sign-ins have failed here. Wait %(n)s minutes, then try again.",
                minutes,
            ) % {"n": minutes}
        else:
            words = gettext("Many people are signing in at this moment. Wait a few seconds, then try again.")
        self.add_error(None, ValidationError(words, code="later"))


class SignInForm(PasswordForm):
    """Login and password. `user` is who they belong to, once the form is valid."""

    login = login_field()
    password = password_field()

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request = request
        self.user: User | None = None

    def clean(self) -> dict[str, Any]:
        """One sentence for every failure."""
        data = self.cleaned_data
        if "login" in data and "password" in data:
            try:
                self.user = signin.check_sign_in(self.request, data["login"], data["password"])
            except TryLaterError as later:
                self.put_off(later)
                return data
            if self.user is None:
                raise ValidationError(
                    _(
                        "The login or the password is incorrect. Check both and try again. After several failures, wait 15 minutes."
                    ),
                    code="refused",
                )
        return data


class ForgotPasswordForm(forms.Form):
    """To whom a link is mailed."""

    login = login_field()


class CodeForm(PasswordForm):
    """A code of the app, or a backup code; `answer` is what became of it."""

    code = code_field()

    def __init__(self, request: HttpRequest, *args: Any, backup: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request = request
        self.answer = second_factor.Answer()
        if backup:
            self.fields["code"] = backup_code_field()
        self.fields["code"].widget.attrs["autofocus"] = True

    def clean_code(self) -> str:
        """Right and unused, or the sentence that says why not."""
        code: str = self.cleaned_data["code"]
        self.answer = second_factor.check_code(self.request, code)
        if self.answer.wait:
            self.later = TooManyTriesError(self.answer.wait)
        if self.answer.error:
            raise ValidationError(self.answer.error, code="wrong")
        return code


def _is_own(form: "ProofForm | ChangePasswordForm", field: str) -> bool:
    """Whether a field holds the password of the person who is signed in; the form says why not."""
    try:
        right = signin.check_own_password(form.request, form.cleaned_data[field])
    except TryLaterError as later:
        form.put_off(later)
        return False
    if not right:
        form.add_error(field, _("This is not your password. After several failures, wait 15 minutes."))
    return right


class ProofForm(PasswordForm):
    """Password, and a code where the person has a second factor: before their credentials change."""

    password = password_field()
    code = code_field()

    def __init__(
        self, request: HttpRequest, *args: Any, ask: tuple[str, ...] = ("password", "code"), **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.request = request
        if "code" not in ask or not second_factor.is_enrolled(signed_in_user(request)):
            del self.fields["code"]
        else:
            self.fields["code"].help_text = _("Or one of your backup codes. Each code works once.")
            self.fields["code"].widget.attrs.pop("inputmode")
        if "password" not in ask and "code" in self.fields:
            del self.fields["password"]
        next(iter(self.fields.values())).widget.attrs["autofocus"] = True

    def clean(self) -> dict[str, Any]:
        """The password first: a code is used up by being looked at."""
        data = self.cleaned_data
        if self.errors:
            return data
        if "password" in self.fields and not _is_own(self, "password"):
            return data
        if "code" in self.fields:
            answer = second_factor.check_code(self.request, data["code"])
            if answer.wait:
                self.later = TooManyTriesError(answer.wait)
            if answer.error:
                self.add_error("code", answer.error)
            elif answer.device is not None:
                second_factor.mark_verified(self.request, answer.device)
        return data


class NewPasswordForm(PasswordForm):
    """A password that is typed twice and that the validators accept."""

    new_password = AskedField(
        _("Enter a new password."),
        label=_("New password"),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    repeated = AskedField(
        _("Enter the new password again."),
        label=_("New password, again"),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        self.fields["new_password"].help_text = " ".join(password_validators_help_texts())

    def clean_new_password(self) -> str:
        """Refuse what is too short, too common, too long to be hashed, or too close to the name or addresses of the person."""
        password: str = self.cleaned_data["new_password"]
        if not signin.acceptable(password):
            raise ValidationError(
                gettext("Enter at most %(n)s characters, without control characters.")
                % {"n": signin.LONGEST_PASSWORD},
                code="long",
            )
        validate_password(password, self.user)
        return password

    def clean(self) -> dict[str, Any]:
        """The same twice."""
        data = self.cleaned_data
        if "new_password" in data and "repeated" in data and data["new_password"] != data["repeated"]:
            self.add_error("repeated", _("The two new passwords are not the same. Enter the new one again."))
        return data


class ChangePasswordForm(NewPasswordForm):
    """The old password, and a new one twice."""

    old_password = AskedField(
        _("Enter your current password."),
        label=_("Your current password"),
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password", "autofocus": True}),
    )
    field_order = ["old_password", "new_password", "repeated"]

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(signed_in_user(request), *args, **kwargs)
        self.request = request

    def clean(self) -> dict[str, Any]:
        """The old password is looked at last, so that a badly chosen new one costs no try."""
        data = super().clean()
        if not self.errors:
            _is_own(self, "old_password")
        return data
