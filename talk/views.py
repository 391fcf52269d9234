"""The pages behind Talk and Meet links, for anybody; and the list of those who asked, for the person."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from pbxadmin.common.fields import OneLineFormField, PhoneNumberFormField, phone_number_national
from pbxadmin.common.http import PortalRequest, client_address
from pbxadmin.common.throttle import network_of
from talk import visits
from talk.models import Visitor
from users.access import public, signed_in_user

Kind = Visitor.Kind


class VisitorForm(forms.Form):
    """Exactly what is asked of the visitors of a link: name, e-mail, both or nothing; and whoever asks for a call, for the number."""

    name = OneLineFormField(
        label=gettext_lazy("Your name"), max_length=80, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )
    email = forms.EmailField(
        label=gettext_lazy("Your email address"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )

    number = PhoneNumberFormField(
        label=gettext_lazy("Your phone number"),
        help_text=gettext_lazy("Where you are called back, area code included, for example 514 555-0123."),
        widget=forms.TextInput(
            attrs={"type": "tel", "inputmode": "tel", "autocomplete": "tel", "maxlength": 40}
        ),
    )

    def __init__(self, asked: tuple[str, ...], kind: Visitor.Kind, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Nobody can call back without a number, whatever else the link asks for; a meeting calls nobody.
        wanted = {*asked, "number"} if kind == Kind.TALK else {*asked}
        for name in set(self.fields) - wanted:
            del self.fields[name]


@public
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def talk(request: PortalRequest, slug: str, name: str) -> HttpResponse:
    """Ask to be called back by the person, or one of the people, of a Talk link."""
    return _landing(request, Kind.TALK, slug, name)


@public
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def meet(request: PortalRequest, slug: str, name: str) -> HttpResponse:
    """Ask to come into the meeting of the person of a Meet link."""
    return _landing(request, Kind.MEET, slug, name)


@public
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def talk_on_host(request: PortalRequest, name: str) -> HttpResponse:
    """The same under the customer's own host name."""
    return _landing(request, Kind.TALK, request.host_slug, name)  # type: ignore[attr-defined]  # set by the middleware


@public
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def meet_on_host(request: PortalRequest, name: str) -> HttpResponse:
    """The same under the customer's own host name."""
    return _landing(request, Kind.MEET, request.host_slug, name)  # type: ignore[attr-defined]  # set by the middleware


def _landing(request: PortalRequest, kind: Kind, slug: str, name: str) -> HttpResponse:
    address = client_address(request)
    place = network_of(address)
    blocked = not visits.UNKNOWN.allows(place)
    # Always this look-up, so that no answer comes sooner than another.
    link = visits.link_of(slug, name)
    if link is None or (kind == Kind.MEET and link.person is None):  # a place has no meeting
        visits.UNKNOWN.take(place)
        raise Http404
    if blocked:
        # Whoever guesses names isn't told that they found one.
        raise Http404
    form = VisitorForm(link.asks, kind, request.POST if request.method == "POST" else None)
    status = 200
    if request.method == "POST":
        if not form.is_valid():
            status = 422
        elif not visits.may_ask(address, link):
            return render(request, "429.html", status=429)
        else:
            facts = form.cleaned_data
            token = visits.ask_for(
                link, kind, facts.get("name", ""), facts.get("email", ""), facts.get("number", "")
            )
            if kind == Kind.MEET:
                return redirect("meet_waiting", token)
            return redirect(f"{request.path}?sent=1")
    shown = {"link": link, "company_number": phone_number_national(link.number)}
    if request.method != "POST" and request.GET.get("sent") == "1" and kind == Kind.TALK:
        return render(request, "talk/asked.html", shown)
    return render(
        request,
        "talk/landing.html",
        {**shown, "form": form, "meeting": kind == Kind.MEET},
        status=status,
    )


@public
@never_cache
@require_safe
def waiting(request: PortalRequest, token: str) -> HttpResponse:
    """The waiting room of a meeting: whether the meeting has begun, and whether the visitor is let in. Asked again by htmx."""
    visitor = visits.waiting_room(token)
    if visitor is None or visitor.kind != Kind.MEET:
        raise Http404
    if not visits.ASKING.take(str(visitor.pk)):
        return render(request, "429.html", status=429)
    facts = {
        "visitor": visitor, "person": visitor.user, "open": visits.meeting_is_open(visitor.user), "token": token,
        "settled": visitor.state != Visitor.State.WAITING,
    }  # fmt: skip
    return render(request, "talk/room.html" if request.htmx else "talk/waiting.html", facts)


# --- The person's own side ----------------------------------------------------------------------------------------
@require_safe
def own_visitors(request: PortalRequest) -> HttpResponse:
    """Who asked for me today, through my links or those of my departments and groups; and my meeting: open or not, who waits."""
    user = signed_in_user(request)
    if user.customer is None or not visits.may_have_visitors(user):
        raise Http404
    found = visits.visitors_of(user)
    facts = {
        "person": user, "callers": [one for one in found if one.kind == Kind.TALK],
        "participants": [one for one in found if one.kind == Kind.MEET], "open": visits.meeting_is_open(user),
        "customer": user.customer, "breadcrumbs": [(_("My page"), "/me"), (_("Visitors"), None)],
    }  # fmt: skip
    return render(request, "talk/visitors_list.html" if request.htmx else "talk/visitors.html", facts)


@require_POST
def own_meeting(request: PortalRequest) -> HttpResponse:
    """Begin or end my meeting."""
    user = signed_in_user(request)
    if user.customer is None or not user.talk_enabled:
        raise Http404
    if request.POST.get("do") == "end":
        visits.end_meeting(user)
        messages.success(request, _("Your meeting is over."))
    else:
        visits.open_meeting(user)
        messages.success(request, _("Your meeting has begun."))
    return redirect("own_visitors")


@require_POST
def own_visitor(request: PortalRequest, key: int) -> HttpResponse:
    """Let a participant in, or not."""
    user = signed_in_user(request)
    admit = request.POST.get("do") == "admit"
    if not visits.decide(user, key, admit):
        messages.info(request, _("This visitor is no longer waiting."))
    return redirect("own_visitors")
