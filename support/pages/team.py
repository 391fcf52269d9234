"""The support team: who has an account, at which level; a manager invites, grades, disables and helps in.

Everybody of the team reads it. What is done goes by `users.people.team` and `users.people.access`, which ask again who may.
"""

from collections.abc import Callable, Mapping
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import get_language, gettext_lazy, ngettext
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from pbxadmin.common.fields import OneLineFormField
from pbxadmin.common.http import RequestFacts
from signin.credentials import EmailTakenError, set_password_link
from support.pages.frame import page, show
from support.sheets import SOURCE
from users import rights, road
from users.history.timeline import UNDO_AT
from users.mail import letters
from users.models import Operation, StaffLevel, User
from users.people import access, team
from users.people.sections.noted import NOTED
from users.rights import Verb
from users.road.undo import NotUndoableError

UNDO_AT[User._meta.label_lower] = "admin:team_undo"


class InviteForm(forms.Form):
    """Whom to invite."""

    first_name = OneLineFormField(label=gettext_lazy("First name"), max_length=50)
    last_name = OneLineFormField(label=gettext_lazy("Last name"), max_length=50, required=False)
    email = forms.EmailField(
        label=gettext_lazy("Email"),
        max_length=254,
        help_text=gettext_lazy("What they sign in with; the invitation goes there."),
    )
    level = forms.ChoiceField(
        label=gettext_lazy("Level"),
        choices=StaffLevel.choices,
        initial=StaffLevel.TECHNICIAN,
        help_text=gettext_lazy(
            "Read-only: sees every customer and changes nothing. Technician: does the work of any customer. Manager: also changes roles and this team."
        ),
    )
    language = forms.ChoiceField(
        label=gettext_lazy("Language"), help_text=gettext_lazy("Of the emails that they get.")
    )

    def __init__(self, data: Any = None) -> None:
        super().__init__(data)
        self.fields["language"].choices = settings.LANGUAGES  # type: ignore[attr-defined]
        self.fields["language"].initial = get_language()


def _standing_of(user: User) -> tuple[str, str]:
    """Whether an account can be signed in with, drawn and in words."""
    if user.disabled:
        return "bad", _("Disabled")
    return ("ok", _("Active")) if user.has_usable_password() else ("wait", _("invited, no password yet"))


@page("team/", "team", gettext_lazy("Support team"))
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def team_list(request: HttpRequest) -> HttpResponse:
    """Everybody of the team; a POST invites somebody."""
    actor: Any = request.user
    refusal = rights.why_not(actor, Verb.TEAM)
    form = InviteForm(request.POST if request.method == "POST" else None)
    link, invited = "", None
    if request.method == "POST":
        if refusal:
            raise PermissionDenied(str(refusal))
        if form.is_valid():
            invited = _invite(request, form)
        if invited is not None:
            said = _("An invitation will be sent to %(email)s.") % {"email": invited.email}
            messages.success(request, said)
            if letters.mails_go_out():
                return redirect("admin:team")
            link, form = set_password_link(invited), InviteForm()
    facts: dict[str, Any] = {
        "title": _("Support team"),
        "members": [(user, *_standing_of(user)) for user in team.members(actor)],
        "form": form,
        "refusal": refusal,
        "link": link,
        "invited": invited,
    }
    return show(request, "support/team.html", facts, 422 if form.errors else 200)


def _invite(request: HttpRequest, form: InviteForm) -> User | None:
    """The new account; None where it may not be, which the form then says."""
    said, facts = form.cleaned_data, RequestFacts.of(request, SOURCE)
    actor: Any = request.user
    names = (said["first_name"], said["last_name"])
    try:
        return team.invite(actor, facts, said["email"], names, said["level"], said["language"])
    except EmailTakenError:
        words = _("The email address %(email)s is already in use: enter another one.")
        form.add_error("email", words % {"email": said["email"]})
    except team.TeamError as error:
        raise PermissionDenied(str(error.why)) from None
    return None


def _member(request: HttpRequest, key: int) -> User:
    user = team.members(request.user).filter(pk=key).first() if key < 2**63 else None  # type: ignore[arg-type]
    if user is None:
        raise Http404
    return user


@page("team/<int:key>/", "team_member")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def team_member(request: HttpRequest, key: int) -> HttpResponse:
    """How it stands with one of them; a POST changes the account, or helps its person in."""
    actor: Any = request.user
    user = _member(request, key)
    refusal = rights.why_not(actor, Verb.TEAM, user)
    link = ""
    if request.method == "POST":
        if refusal:
            raise PermissionDenied(str(refusal))
        if do := DOES.get(request.POST.get("do", "")):
            try:
                link = do(request, user)
            except team.TeamError as error:
                messages.error(request, str(error.why))
            except road.RefusedError:
                raise PermissionDenied(_("This account is disabled.") if user.disabled else "") from None
        if not link:
            return redirect("admin:team_member", key)
    standing = access.standing_of(user)
    tone, words = _standing_of(user)
    facts: dict[str, Any] = {
        "title": user.full_name,
        "member": user,
        "tone": tone,
        "words": words,
        "standing": standing,
        "codes_until": standing.device.waits_until() if standing.device else None,
        "may": refusal is None,
        "refusal": refusal,
        "may_unblock": standing.can_be_unblocked,
        "levels": StaffLevel.choices,
        "link": link,
        "history_url": f"{reverse('audit')}?{urlencode({'of': f'{User._meta.label_lower}:{user.pk}'})}",
    }
    return show(request, "support/team_member.html", facts)


# --- What can be done ---------------------------------------------------------------------------------------------
def _level(request: HttpRequest, user: User) -> str:
    level = request.POST.get("level", "")
    if level in StaffLevel.values:
        done = team.change(_actor(request), user.pk, _facts(request), level=level)
        _told(
            request, done, _("%(name)s now has the level “%(level)s”."), user, level=StaffLevel(level).label
        )
    return ""


def _disable(request: HttpRequest, user: User) -> str:
    done = team.change(_actor(request), user.pk, _facts(request), disabled=True)
    _told(request, done, _("The account of %(name)s is disabled, and their sessions have ended."), user)
    return ""


def _enable(request: HttpRequest, user: User) -> str:
    done = team.change(_actor(request), user.pk, _facts(request), disabled=False)
    _told(request, done, _("The account of %(name)s is enabled again."), user)
    return ""


def _unblock(request: HttpRequest, user: User) -> str:
    count = access.unblock(_actor(request), None, user, _facts(request))
    said = ngettext(
        "%(count)s failed try was forgotten: they can try again at once.",
        "%(count)s failed tries were forgotten: they can try again at once.",
        count,
    )
    messages.success(request, said % {"count": count})
    return ""


def _mail(request: HttpRequest, user: User) -> str:
    access.send_link(_actor(request), None, user, _facts(request))
    messages.success(
        request, _("A link to set a password will be sent to %(email)s.") % {"email": user.email}
    )
    return ""


def _show(request: HttpRequest, user: User) -> str:
    return access.show_link(_actor(request), None, user, _facts(request))


def _factor(request: HttpRequest, user: User) -> str:
    done = access.take_factor(_actor(request), None, [user.pk], _facts(request))
    _told(request, done, _("The second factor of %(name)s was taken away."), user)
    return ""


def _actor(request: HttpRequest) -> User:
    actor: Any = request.user
    return actor


def _facts(request: HttpRequest) -> RequestFacts:
    return RequestFacts.of(request, SOURCE)


def _told(request: HttpRequest, done: Operation | None, words: str, user: User, **more: Any) -> None:
    if done is None:
        messages.info(request, _("Nothing changed: it is so already."))
    else:
        messages.success(request, words % {"name": user.full_name, **more})


DOES: Mapping[str, Callable[[HttpRequest, User], str]] = {
    "level": _level, "disable": _disable, "enable": _enable, "unblock": _unblock, "mail": _mail, "show": _show, "factor": _factor,
}  # fmt: skip


@page("team/<int:operation>/undo", "team_undo")
@require_http_methods(["GET", "HEAD", "POST"])
def team_undo(request: HttpRequest, operation: int) -> HttpResponse:
    """What taking a change of an account back would do; a POST does it."""
    actor: Any = request.user
    found = Operation.objects.visible_to(actor).filter(customer=None, changes__model=User._meta.label_lower)
    undone = found.filter(pk=operation).first() if operation < 2**63 else None
    if undone is None:
        raise Http404
    if refusal := rights.why_not(actor, Verb.TEAM):
        raise PermissionDenied(str(refusal))
    facts: dict[str, Any] = {"title": _("Undo")}
    try:
        done, wanted = team.what_undoing_does(undone)
        if request.method == "POST":
            team.change(actor, done.object_pk, _facts(request), undoes=undone, **wanted)
            messages.success(request, _("%(who)s's change was undone.") % {"who": undone.actor_name})
            return redirect("admin:team_member", done.object_pk)
    except (NotUndoableError, team.TeamError) as error:
        return show(request, "support/team_undo.html", {**facts, "problem": str(error)}, 409)
    words = [
        (
            NOTED[cell["column"]].label,
            NOTED[cell["column"]].said(cell["new"]),
            NOTED[cell["column"]].said(cell["old"]),
        )
        for cell in done.cells
    ]
    facts |= {"title": done.object_name, "changes": words, "member": done.object_pk}
    return show(request, "support/team_undo.html", facts)
