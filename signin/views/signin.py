"""Signing in: password, second factor, setting it up, asking again, forgotten passwords, and out."""

import base64
import logging
import re
from urllib.parse import urlencode

from django.contrib import auth, messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from pbxadmin.common.http import PortalRequest, safe_next
from signin import credentials as signin
from signin import second_factor as factor
from signin.asking import REFUSED, shown
from signin.forms import CodeForm, ForgotPasswordForm, NewPasswordForm, ProofForm, SignInForm
from signin.hashing import BusyError
from signin.oidc import PROVIDERS
from users.access import half_signed_in, public, signed_in_user
from users.mail import letters
from users.models import Customer, Letter, User

logger = logging.getLogger("signin.credentials")

form_view = require_http_methods(["GET", "HEAD", "POST"])
# What stands in a set-password address instead of the token, once the token is in the session.
IN_SESSION = "now"
LINK_TOKEN = "set_password_token"  # noqa: S105 - the name of a session key
# Cookie: at whose sign-in page this browser was last, by the address in the portal.
COMPANY = "company"
SLUG = re.compile(r"[-a-zA-Z0-9_]{1,50}")


def next_of(request: PortalRequest) -> str:
    """Where the person wanted to go, if that is a page of ours; else ''."""
    return safe_next(request, request.POST.get("next", request.GET.get("next")))


def go_on(request: PortalRequest) -> HttpResponse:
    """To where the person wanted to go, else home. What they still owe is asked by the middleware on the
    way."""
    return HttpResponseRedirect(next_of(request) or reverse("home"))


def with_next(request: PortalRequest, name: str) -> HttpResponse:
    """To another page of signing in, keeping where the person wanted to go."""
    target = next_of(request)
    return redirect(reverse(name) + ("?" + urlencode({"next": target}) if target else ""))


def ways_in(slug: str, target: str) -> list[tuple[str, str]]:
    """The buttons of a company's sign-in page: name of the provider, and where the button leads.

    A suspended company, one without single sign-on and one that isn't there have none.
    """
    if not SLUG.fullmatch(slug):
        return []
    customer = Customer.objects.filter(slug=slug, suspended=False).first()
    query = "?" + urlencode({"next": target}) if target else ""
    return [
        (PROVIDERS[key].name, reverse("sso_start", args=[slug, key]) + query)
        for key in (customer.single_sign_on if customer else ())
    ]


@public
@never_cache
@sensitive_post_parameters("password")
@form_view
def sign_in(request: PortalRequest) -> HttpResponse:
    """Login and password."""
    if request.method != "POST" and request.user.is_authenticated:
        return go_on(request)
    form = SignInForm(request, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid() and form.user is not None:
        signin.begin_session(request, form.user)
        if not factor.is_due(form.user):
            signin.complete_session(request)
        return go_on(request)
    return shown(
        request,
        "signin/sign_in.html",
        form,
        {"next": next_of(request), "ways": ways_in(request.COOKIES.get(COMPANY, ""), next_of(request))},
    )


@half_signed_in
@never_cache
@require_POST
def sign_out(request: PortalRequest) -> HttpResponse:
    """End this session."""
    auth.logout(request)
    messages.success(request, _("You are signed out."))
    return redirect("sign_in")


@half_signed_in
@never_cache
@sensitive_post_parameters("code")
@form_view
def second_factor(request: PortalRequest) -> HttpResponse:
    """A code of the app, or a backup code."""
    user = signed_in_user(request)
    if not factor.is_enrolled(user):
        return with_next(request, "second_factor_enrol") if user.needs_second_factor else go_on(request)
    if request.method != "POST" and factor.is_verified(request):
        return go_on(request)
    backup = "backup" in (request.POST if request.method == "POST" else request.GET)
    form = CodeForm(request, request.POST if request.method == "POST" else None, backup=backup)
    if request.method == "POST" and form.is_valid():
        factor.give(request, form.answer)
        if form.answer.backup:
            warn_of_few_codes(request, user)
        return go_on(request)
    return shown(request, "signin/second_factor.html", form, {"next": next_of(request), "backup": backup})


def warn_of_few_codes(request: PortalRequest, user: User) -> None:
    """Say how many backup codes are left, when they are few."""
    left = factor.backup_codes_left(user)
    if left <= factor.FEW_CODES:
        messages.warning(
            request,
            ngettext(
                "You have %(n)s backup code left. Make new ones on your page.",
                "You have %(n)s backup codes left. Make new ones on your page.",
                left,
            )
            % {"n": left},
        )


@half_signed_in
@never_cache
@sensitive_post_parameters("code")
@form_view
def enrol(request: PortalRequest) -> HttpResponse:
    """Set an app up: scan, type the first code, keep the backup codes."""
    user = signed_in_user(request)
    if factor.is_enrolled(user) and not factor.is_verified(request):
        return with_next(request, "second_factor")
    if not factor.may_enrol(request):
        return with_next(request, "second_factor_prove")
    error = ""
    if request.method == "POST":
        codes = factor.enrol(request, request.POST.get("code", ""))
        if codes is not None:
            return show_codes(request, codes, next_of(request))
        error = _(
            "This code is wrong. Enter the 6 digits that your app shows now; the clock of your phone must be right."
        )
    key = factor.pending_key(request)
    facts = {
        "error": error,
        "next": next_of(request),
        "key": factor.key_for_typing(key),
        "picture": factor.qr_image(factor.key_address(user, key)),
        "forced": user.needs_second_factor,
        "replaces": factor.is_enrolled(user),
    }
    return render(request, "signin/enrol.html", facts, status=REFUSED if error else 200)


def show_codes(request: PortalRequest, codes: list[str], target: str = "") -> HttpResponse:
    """Ten backup codes, this once: in the answer to the POST that made them, at no address of their own."""
    text = "\r\n".join([f"pbxadmin · {signed_in_user(request).login}", *codes, ""])
    facts = {
        "codes": codes,
        "next": target or reverse("home"),
        "file": "data:text/plain;charset=utf-8;base64," + base64.b64encode(text.encode()).decode(),
    }
    return render(request, "signin/backup_codes.html", facts)


@never_cache
@sensitive_post_parameters("password", "code")
@form_view
def step_up(request: PortalRequest) -> HttpResponse:
    """The second factor again (the password, of who has none), before something secret is shown."""
    form = ProofForm(request, request.POST if request.method == "POST" else None, ask=("code",))
    if request.method == "POST" and form.is_valid():
        request.session.cycle_key()
        return go_on(request)
    return shown(request, "signin/step_up.html", form, {"next": next_of(request)})


# --- Links by mail ------------------------------------------------------------------------------------------
@public
@never_cache
@form_view
def forgot_password(request: PortalRequest) -> HttpResponse:
    """Ask for a set-password link. The answer is the same whoever asks for whom."""
    form = ForgotPasswordForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        heard, user = signin.may_send_link(request, form.cleaned_data["login"])
        if heard:
            # Also for nobody, so that the answer takes as long for those whom we don't know.
            letters.post_as_asked(Letter.Kind.PASSWORD, user)
        return render(request, "signin/link_sent.html")
    return render(
        request, "signin/forgot_password.html", {"form": form}, status=REFUSED if form.is_bound else 200
    )


@public
@never_cache
@sensitive_post_parameters("new_password", "repeated")
@form_view
def set_password(request: PortalRequest, uidb64: str, token: str) -> HttpResponse:
    """Choose a password, by a one-time link. Opens no session: the next step is to sign in, second
    factor and all."""
    if token == IN_SESSION:
        response = _set_password(request, uidb64)
    elif signin.user_of_link(uidb64, token) is None:
        response = render(request, "signin/link_dead.html", status=404)
    else:
        # Out of the address bar, the history and the Referer header, before anything is loaded by the page.
        request.session[LINK_TOKEN] = token
        response = redirect("set_password", uidb64, IN_SESSION)
    # Not "no-referrer": with it browsers send `Origin: null`, which the CSRF check refuses.
    response.headers["Referrer-Policy"] = "same-origin"
    return response


def _set_password(request: PortalRequest, uidb64: str) -> HttpResponse:
    user = signin.user_of_link(uidb64, request.session.get(LINK_TOKEN, ""))
    if user is None:
        return render(request, "signin/link_dead.html", status=404)
    form = NewPasswordForm(user, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            if not signin.set_password_by_link(request, user, form.cleaned_data["new_password"]):
                return render(request, "signin/link_dead.html", status=404)
        except BusyError as later:
            form.put_off(later)
        else:
            del request.session[LINK_TOKEN]
            messages.success(request, _("Your password is set. Sign in with it now."))
            return redirect("sign_in")
    return shown(request, "signin/set_password.html", form, {"person": user})
