"""Signing in with Microsoft or Google, and linking an account on one's own page.

Both ways to a provider are links, not forms: a form's answer that leads to another host would need that host in the
Content-Security-Policy's form-action. Nothing is changed by following one; what a link of a stranger's page could begin ends
at the provider, or at the question for the password.
"""

import logging
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_GET, require_POST, require_safe

from pbxadmin.common.http import PortalRequest, client_address, safe_next
from pbxadmin.common.proof import Takeover
from signin import credentials as signin
from signin import lockout, oidc
from signin import second_factor as factor
from signin import single_sign_on as sso
from signin.asking import shown
from signin.forms import ProofForm, SignInForm
from signin.oidc import PROVIDERS, OidcError
from signin.views.signin import COMPANY, form_view, next_of, ways_in
from users.access import public, signed_in_user
from users.models import Customer, User

logger = logging.getLogger("signin.credentials")

COMPANY_AGE = 365 * 24 * 3600


def _told(request: PortalRequest, slug: str = "") -> HttpResponse:
    """Back to signing in with the one sentence for every failure, and without the provider's answer in the address."""
    messages.error(
        request,
        _(
            "Signing in with Microsoft or Google didn't work. Sign in with your password, "
            "or ask an administrator of your company."
        ),
    )
    return redirect("sign_in_at", slug) if slug else redirect("sign_in")


def _path(name: str, slug: str, target: str) -> str:
    return reverse(name, args=[slug]) + ("?" + urlencode({"next": target}) if target else "")


# --- The doors ----------------------------------------------------------------------------------------------------
@public
@never_cache
@require_safe
def company(request: PortalRequest) -> HttpResponse:
    """Which company: by its host name, never by its people."""
    if request.user.is_authenticated:
        return redirect("home")
    word = request.GET.get("company", "").replace("\0", "").strip()
    customer = sso.customer_at(word) if word else None
    if customer is not None:
        return HttpResponseRedirect(_path("sign_in_at", customer.slug, next_of(request)))
    facts = {"word": word[: signin.LONGEST_LOGIN], "next": next_of(request)}
    return render(request, "signin/company.html", facts)


@public
@never_cache
@require_safe
def sign_in_at(request: PortalRequest, slug: str) -> HttpResponse:
    """The sign-in page of one company, with the buttons of what it has set up; this browser remembers it.

    A company that has nothing set up, or isn't there, has the ordinary page.
    """
    if request.user.is_authenticated:
        return HttpResponseRedirect(next_of(request) or reverse("home"))
    target = next_of(request)
    ways = ways_in(slug, target)
    response = render(
        request, "signin/sign_in.html", {"form": SignInForm(request), "next": target, "ways": ways}
    )
    if ways:
        response.set_cookie(
            COMPANY,
            slug,
            max_age=COMPANY_AGE,
            path=reverse("sign_in"),
            secure=settings.SESSION_COOKIE_SECURE,
            httponly=True,
            samesite="Lax",
        )
    return response


@public
@never_cache
@require_GET
def start(request: PortalRequest, slug: str, provider: str) -> HttpResponse:
    """To the provider, to sign in."""
    if request.user.is_authenticated:
        return redirect("home")
    customer = Customer.objects.filter(slug=slug).first()
    client = oidc.client_of(customer, provider) if customer is not None else None
    if customer is None or client is None:
        return _told(request, slug)
    try:
        return HttpResponseRedirect(sso.start(request, client, customer, next=next_of(request)))
    except OidcError as error:
        logger.warning("single sign-on of %s with %s can't begin: %s", slug, provider, error)
        return _told(request, slug)


@public
@never_cache
@require_GET
@sensitive_variables()
def back(request: PortalRequest, provider: str) -> HttpResponse:
    """From the provider: its answer to what this browser has asked, and to nothing else."""
    flow = sso.take_flow(request, provider, request.GET.get("state", ""))
    if flow is None:
        signin.refused.warning("sign-in refused from %s (nobody asked)", client_address(request))
        return _told(request)
    slug = Customer.objects.filter(pk=flow.customer).values_list("slug", flat=True).first() or ""
    tally = sso.count(request, flow)
    if not tally.allowed:
        signin.refused.warning("sign-in refused from %s (%s of %s)", client_address(request), provider, slug)
        return _own_failure(request) if flow.person else _told(request, slug)
    try:
        answer = sso.answer_of(request, flow)
    except OidcError as error:
        logger.warning(
            "sign-in failed from %s (%s of %s: %s)", client_address(request), provider, slug, error
        )
        return _own_failure(request) if flow.person else _told(request, slug)
    if flow.person:
        lockout.forget(tally.account, tally.origin)
        return _ask_to_link(request, flow, answer)
    person = sso.sign_in(request, answer)
    if person is None:
        return _told(request, slug)
    lockout.forget(tally.account, tally.origin)
    return HttpResponseRedirect(safe_next(request, flow.next) or reverse("home"))


# --- On one's own page --------------------------------------------------------------------------------------------
def _own_failure(request: PortalRequest) -> HttpResponse:
    messages.error(
        request, _("The account could not be linked: the provider gave no valid answer. Try again.")
    )
    return redirect("own_security")


def _ask_to_link(request: PortalRequest, flow: sso.Flow, answer: sso.Answer) -> HttpResponse:
    """Keep the account for the page that asks for password and code, if it is the person's who has asked."""
    user = request.user
    if not isinstance(user, User) or user.pk != flow.person or user.customer_id != answer.customer.pk:
        return redirect("sign_in")
    if factor.is_due(user) and not factor.is_verified(request):
        return redirect("own_page")
    if not sso.addresses_match(user, answer.identity):
        messages.error(
            request,
            _(
                "The address of this account is not the one that you have in the portal (%(email)s). "
                "Choose another account, or ask an administrator of your company to correct your address."
            )
            % {"email": user.email or pgettext("address", "none")},
        )
        return redirect("own_security")
    sso.propose(request, user, answer.identity)
    return redirect("sso_confirm", flow.provider)


def _name_of(provider: str) -> str:
    if provider not in PROVIDERS:
        raise Http404
    return PROVIDERS[provider].name


@never_cache
@require_GET
def link(request: PortalRequest, provider: str) -> HttpResponse:
    """To the provider, to show which account is to be linked."""
    user, name = signed_in_user(request), _name_of(provider)
    customer = user.customer
    known = sso.linked(user).get(provider)
    if known is not None and sso.holds(known, user):
        messages.info(request, _("Your %(name)s account is linked already.") % {"name": name})
        return redirect("own_security")
    client = oidc.client_of(customer, provider) if customer and provider in sso.providers_for(user) else None
    if customer is None or client is None:
        messages.error(request, _("Your company hasn't set up signing in with %(name)s.") % {"name": name})
        return redirect("own_security")
    try:
        return HttpResponseRedirect(sso.start(request, client, customer, person=user.pk))
    except OidcError as error:
        logger.warning("single sign-on with %s can't begin: %s", provider, error)
        return _own_failure(request)


@never_cache
@sensitive_post_parameters("password", "code")
@form_view
def confirm(request: PortalRequest, provider: str) -> HttpResponse:
    """Password and code: from now on this account opens the portal for the person."""
    user, name = signed_in_user(request), _name_of(provider)
    proven = sso.proposed(request, user, provider)
    if proven is None:
        return redirect("own_page")
    form = ProofForm(request, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        if sso.confirm(request, user, proven):
            messages.success(
                request,
                _("Your %(name)s account %(account)s is linked: you can sign in with it.")
                % {"name": name, "account": proven.account},
            )
        else:
            messages.error(
                request,
                _(
                    "This account could not be linked: it is already linked to somebody else, or you already have another account "
                    "linked. Unlink that one first, or ask an administrator of your company."
                ),
            )
        return redirect("own_security")
    return shown(
        request,
        "signin/prove.html",
        form,
        {
            "heading": _("Link my %(name)s account") % {"name": name},
            "button": _("Link this account"),
            "lead": _(
                "From now on, anyone signed in to %(name)s as %(account)s can open the portal as you. Confirm that it's you."
            )
            % {"account": proven.account, "name": name},
        },
    )


@never_cache
@require_POST
@factor.step_up(Takeover.ACCOUNT)
def unlink(request: PortalRequest, provider: str) -> HttpResponse:
    """Take the account away again."""
    name = _name_of(provider)
    if sso.unlink(request, signed_in_user(request), provider):
        messages.success(request, _("Your %(name)s account is no longer linked.") % {"name": name})
    return redirect("own_security")
