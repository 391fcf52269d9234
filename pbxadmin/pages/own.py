"""One's own page: who the portal takes somebody for, and their own credentials. For everybody who is
signed in."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from pbxadmin.common.http import PortalRequest
from signin import credentials as signin
from signin import second_factor as factor
from signin import single_sign_on as sso
from signin.asking import shown
from signin.forms import ChangePasswordForm, ProofForm
from signin.hashing import BusyError
from signin.oidc import PROVIDERS
from signin.views.signin import form_view, next_of, show_codes, with_next
from talk import visits
from users import rights
from users.access import half_signed_in, signed_in_user
from users.models import User


def _crumbs(heading: str | Promise) -> list[tuple[str | Promise, str | None]]:
    return [(_("My page"), reverse("own_page")), (heading, None)]


@dataclass(frozen=True)
class Account:
    """A line of the own page: whether somebody signs in with their account at a provider."""

    provider: str
    name: str
    email: str  # with which it is linked; "" where none is
    holds: bool  # whether that still counts
    allowed: bool  # whether company and options let them link one


def _accounts(user: User) -> list[Account]:
    """What the company has set up, and what is linked (also when it is switched off since: it can be taken away)."""
    linked, allowed = sso.linked(user), sso.providers_for(user)
    return [
        Account(
            key,
            provider.name,
            linked[key].email if key in linked else "",
            key in linked and key in allowed and sso.holds(linked[key], user),
            key in allowed,
        )
        for key, provider in PROVIDERS.items()
        if key in linked or key in allowed
    ]


@require_safe
def own_page(request: PortalRequest) -> HttpResponse:
    """Name, extension, role, department; second factor, password, sessions."""
    user = signed_in_user(request)
    enrolled = factor.is_enrolled(user)
    return render(
        request,
        "pages/own_page.html",
        {
            "person": user,
            "sees_forwarding": rights.sees_own_forwarding(user),
            "customer": user.customer,
            "enrolled": enrolled,
            "may_remove": enrolled and not user.needs_second_factor,
            "codes_left": factor.backup_codes_left(user) if enrolled else 0,
            "few": factor.FEW_CODES,
            "accounts": _accounts(user),
            "may_have_visitors": user.customer is not None and visits.may_have_visitors(user),
        },
    )


@require_safe
def security(request: PortalRequest) -> HttpResponse:
    """The part of one's own page that is about signing in."""
    return HttpResponseRedirect(reverse("own_page") + "#security")


@never_cache
@sensitive_post_parameters("old_password", "new_password", "repeated")
@form_view
def password(request: PortalRequest) -> HttpResponse:
    """Change one's own password; every other session ends."""
    form = ChangePasswordForm(request, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            if signin.change_own_password(request, form.cleaned_data["new_password"]):
                messages.success(request, _("Your password is changed. You are signed out everywhere else."))
                return redirect("own_page")
            form.add_error(None, _("Your password was changed elsewhere in the meantime. Try again."))
        except BusyError as later:
            form.put_off(later)
    heading = _("Change the password")
    facts = {
        "heading": heading,
        "breadcrumbs": _crumbs(heading),
        "customer": signed_in_user(request).customer,
    }
    return shown(request, "pages/password.html", form, facts)


def _ask_proof(request: PortalRequest, form: ProofForm, **facts: Any) -> HttpResponse:
    return shown(request, "signin/prove.html", form, {"next": next_of(request)} | facts)


@half_signed_in
@never_cache
@sensitive_post_parameters("password", "code")
@form_view
def prove(request: PortalRequest) -> HttpResponse:
    """Password (and code) before another app, or a late first one, is set up."""
    user = signed_in_user(request)
    if factor.is_enrolled(user) and not factor.is_verified(request):
        return with_next(request, "second_factor")
    form = ProofForm(request, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        factor.note_proof(request)
        return with_next(request, "second_factor_enrol")
    return _ask_proof(
        request,
        form,
        heading=gettext_lazy("Set up an authenticator app"),
        button=gettext_lazy("Continue"),
        lead=gettext_lazy(
            "First confirm that it's you. The app you had, if any, works until the new one is confirmed."
        ),
    )


@never_cache
@sensitive_post_parameters("password", "code")
@form_view
def remove_second_factor(request: PortalRequest) -> HttpResponse:
    """Go back to the password alone, where that is allowed."""
    user = signed_in_user(request)
    if not factor.is_enrolled(user):
        return redirect("own_page")
    if user.needs_second_factor:
        messages.error(
            request, _("Your account needs a second factor. You can replace the app, but not remove it.")
        )
        return redirect("own_page")
    form = ProofForm(request, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        factor.remove(request)
        messages.success(
            request, _("Your second factor is removed: from now on your password alone opens your account.")
        )
        return redirect("own_page")
    return _ask_proof(
        request,
        form,
        heading=gettext_lazy("Remove the second factor"),
        button=gettext_lazy("Remove the second factor"),
        danger=True,
        lead=gettext_lazy(
            "Your app and your backup codes will stop working. Anyone who learns your password can then sign in as you."
        ),
    )


@never_cache
@sensitive_post_parameters("password", "code")
@form_view
def backup_codes(request: PortalRequest) -> HttpResponse:
    """Ten new backup codes; the old ones stop working."""
    user = signed_in_user(request)
    if not factor.is_enrolled(user):
        return redirect("own_page")
    form = ProofForm(request, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        codes = factor.renew_backup_codes(user)
        signin.record(request, user, "backup_codes.renewed")
        return show_codes(request, codes)
    return _ask_proof(
        request,
        form,
        heading=gettext_lazy("New backup codes"),
        button=gettext_lazy("Create new codes"),
        lead=gettext_lazy("The codes that you have now stop working."),
    )


@never_cache
@require_POST
def end_sessions(request: PortalRequest) -> HttpResponse:
    """Sign out everywhere but here."""
    signin.end_other_sessions(request)
    messages.success(request, _("You are signed out everywhere else."))
    return redirect("own_page")
