"""What is done to the people chosen in the list: delete, reset, ask for 2FA, welcome. First a page that says what, then a POST.

Who can't be acted on is listed with the reason; nothing happens to anybody until the reader has left them out himself.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext
from django.views.decorators.http import require_http_methods, require_safe

from pbxadmin.common.http import PortalRequest, RequestFacts
from pbxadmin.common.values.destinations import Kind
from signin.second_factor import ask_again, recently_verified
from users import rights, road
from users.mail import letters
from users.models import Customer, Operation, User
from users.people import reset, selectors
from users.people.sections import user_sheet
from users.road import replacements
from users.road.pages.doors import in_customer

# Names in full on the page that asks; the others are counted.
SHOWN = 30
REFUSED, CONFLICT = 422, 409


@dataclass(frozen=True)
class Choice:
    """Who was chosen: by box, or "all that match", which is asked of the database again each time."""

    keys: list[int]
    all_matching: bool
    query: selectors.Query

    @property
    def hidden(self) -> list[tuple[str, str]]:
        """What the next form sends along to mean the same."""
        if self.all_matching:
            return [("all_matching", "1"), *self.query.parameters().items()]
        return [("chosen", str(key)) for key in self.keys]

    def back_url(self, customer: Customer) -> str:
        """The list as it was."""
        return reverse("users", args=[customer.slug]) + "?" + urlencode(self.query.parameters())


def choice_of(request: PortalRequest, customer: Customer) -> Choice:
    """Read the choice out of a form. What isn't a key is nobody."""
    query = selectors.Query.of(request.POST)
    if request.POST.get("all_matching") == "1":
        found = (
            User.objects.visible_to(request.user)
            .of(customer)
            .filter(rights.administered_by(request.user) & selectors.matching(query))
        )
        return Choice(list(found.order_by("sort_name", "number").values_list("pk", flat=True)), True, query)
    typed = [
        text
        for text in request.POST.getlist("chosen")
        if text.isascii() and text.isdigit() and len(text) < 18
    ]
    return Choice(list(dict.fromkeys(int(text) for text in typed)), False, query)


@dataclass
class Action:
    """One of the actions, at one moment: whom it reaches, whom it can't and why."""

    people: list[User]
    refusals: dict[Any, str]
    strangers: int = 0

    @property
    def allowed(self) -> list[User]:
        """Those whom it reaches."""
        return [user for user in self.people if user.pk not in self.refusals]

    @property
    def refused(self) -> list[tuple[User, str]]:
        """Those whom it can't reach, with the sentence."""
        return [(user, self.refusals[user.pk]) for user in self.people if user.pk in self.refusals]


def people_of(request: PortalRequest, customer: Customer, choice: Choice) -> Action:
    """The chosen people as far as they exist here; others (another customer's, deleted ones) are only counted."""
    found = (
        User.objects.visible_to(request.user)
        .of(customer)
        .filter(pk__in=choice.keys)
        .select_related("role", "customer", "primary_department")
        .defer("password", "sip_password", "search_text")
        .order_by("sort_name", "number")
    )
    people = list(found)
    refusals = {
        user.pk: str(words)
        for user in people
        if (words := rights.why_not(request.user, rights.Verb.EDIT, user, customer))
    }
    return Action(people, refusals, len(choice.keys) - len(people))


def ask(
    request: PortalRequest,
    customer: Customer,
    choice: Choice,
    action: Action,
    template: str,
    status: int = 200,
    **facts: Any,
) -> HttpResponse:
    """The page that says what will happen to whom, and asks."""
    allowed = action.allowed
    return render(
        request, template,
        {
            "choice": choice, "hidden": [*choice.hidden, ("expected", str(len(allowed)))], "action": action, "count": len(allowed),
            "shown": allowed[:SHOWN], "more": max(0, len(allowed) - SHOWN), "refused": action.refused, "back_url": choice.back_url(customer),
            "gauge": selectors.gauge(customer),
            "breadcrumbs": [(_("Users"), choice.back_url(customer)), (facts.get("title", ""), None)],
            **facts,
        },
        status=status,
    )  # fmt: skip


def confirmed(request: PortalRequest, action: Action) -> tuple[bool, str]:
    """Whether the reader has confirmed this very action; else why not, where he tried.

    The number that he saw is compared with the number now: who was added to, or fell out of, what matches in between is
    never hit unseen. Whom it can't reach stays out only where the reader ticked that.
    """
    if request.POST.get("confirmed") != "1":
        return False, ""
    if not action.allowed:
        return False, _("There is nobody left to whom this could be done.")
    if (action.refusals or action.strangers) and request.POST.get("without") != "1":
        return False, _("Tick that you go on without those who can't be changed.")
    if request.POST.get("expected") != str(len(action.allowed)):
        return False, ngettext(
            "The choice has changed in the meantime: it is now %(count)s person. Look again and confirm.",
            "The choice has changed in the meantime: it is now %(count)s people. Look again and confirm.",
            len(action.allowed),
        ) % {"count": len(action.allowed)}
    return True, ""


def _back_to_list(request: PortalRequest, customer: Customer) -> HttpResponse:
    return redirect("users", customer.slug)


# --- Deleting -----------------------------------------------------------------------------------------------------
@require_http_methods(["GET", "HEAD", "POST"])
@in_customer()
def delete(request: PortalRequest, customer: Customer) -> HttpResponse:
    """Delete the chosen: says what goes with them, asks to type their number, deletes all of them or nobody."""
    if request.method != "POST":
        return _back_to_list(request, customer)
    choice = choice_of(request, customer)
    if not choice.keys:
        return _nobody(request, customer, choice)
    action = people_of(request, customer, choice)
    action.refusals |= _departure(request, customer, choice.keys).refusals
    # Of those who can go: who stays keeps his rules, and those may lead to somebody who goes.
    departure = _departure(request, customer, [user.pk for user in action.allowed])
    action.refusals |= departure.refusals
    going, error = confirmed(request, action)
    status = CONFLICT if error else 200
    count = len(action.allowed)
    typed = request.POST.get("instead", "")[:60]
    if going and request.POST.get("confirm", "").strip() != str(count):
        going, error, status = False, _("Type the number %(count)s to confirm.") % {"count": count}, REFUSED
    if going:
        # Planned anew for those who are left: the rules about a set ("the last owner") are about this one.
        departure = _departure(request, customer, [user.pk for user in action.allowed])
        try:
            departure.leave(typed, RequestFacts.of(request))
        except road.ChangedMeanwhileError:
            error, status = (
                _("Somebody else changed one of these users in between. Look again before you delete them."),
                CONFLICT,
            )
        except road.RefusedError:
            error = f"{_('Nobody was deleted.')} {departure.reasons}"
            status = REFUSED if departure.references else CONFLICT
        else:
            messages.success(
                request,
                ngettext("%(count)s user was deleted.", "%(count)s users were deleted.", count)
                % {"count": count},
            )
            return redirect(choice.back_url(customer))
    losses = [(user, [
        _("The extension %(number)s with its settings and its unread voicemail messages.") % {"number": user.number},
        *departure.removal.losses.get(user.pk, []),
    ]) for user in action.allowed[:SHOWN]]  # fmt: skip
    return ask(
        request, customer, choice, action, "users/chosen/delete.html", status, error=error, losses=losses, instead=typed,
        references=[reference.words for reference in departure.references[:SHOWN]],
        more_references=max(0, len(departure.references) - SHOWN),
        title=ngettext("Delete %(count)s user?", "Delete %(count)s users?", count) % {"count": count},
    )  # fmt: skip


def _departure(request: PortalRequest, customer: Customer, keys: list[int]) -> replacements.Departure:
    return replacements.plan_departure(request.user, customer, user_sheet(), Kind.EXTENSION, keys)


def _nobody(request: PortalRequest, customer: Customer, choice: Choice) -> HttpResponse:
    messages.warning(request, _("Choose somebody first."))
    return redirect(choice.back_url(customer))


# --- Resetting ----------------------------------------------------------------------------------------------------
@require_http_methods(["GET", "HEAD", "POST"])
@in_customer()
def reset_chosen(request: PortalRequest, customer: Customer) -> HttpResponse:
    """Reset the chosen: seven boxes, explained; then the page that says what is left to do."""
    if request.method != "POST":
        return _back_to_list(request, customer)
    if not recently_verified(request):
        return ask_again(request)  # whoever found a session open takes over nobody's account with it
    choice = choice_of(request, customer)
    if not choice.keys:
        return _nobody(request, customer, choice)
    return _reset(request, customer, choice)


def _reset(
    request: PortalRequest, customer: Customer, choice: Choice, person: User | None = None
) -> HttpResponse:
    action = people_of(request, customer, choice)
    names = [name for name in request.POST.getlist("box") if name in reset.LABELS]
    going, error = confirmed(request, action)
    status = CONFLICT if error else 200
    if going and not names:
        going, error, status = False, _("Tick at least one box."), REFUSED
    if going:
        planned = reset.plan_reset(request.user, customer, [user.pk for user in action.allowed])
        try:
            operation = reset.reset(planned, names, RequestFacts.of(request))
        except road.RefusedError:
            error, status = _("Not all of them can be reset any more. Nothing was reset."), CONFLICT
        else:
            if operation is None:
                return redirect(choice.back_url(customer))
            return redirect("reset_done", customer.slug, operation.pk)
    title = (
        _("Reset %(name)s") % {"name": person.full_name} if person
        else ngettext("Reset %(count)s user", "Reset %(count)s users", len(action.allowed)) % {"count": len(action.allowed)}
    )  # fmt: skip
    back = (
        {
            "back_url": reverse("user_tab", args=[customer.slug, person.number, "general"]),
            "person_reset": reverse("user_reset", args=[customer.slug, person.number]),
        }
        if person
        else {}
    )
    return ask(
        request, customer, choice, action, "users/chosen/reset.html", status, error=error, title=title, boxes=reset.boxes(),
        ticked=names if request.POST.get("confirmed") else ["sip", "link", reset.WELCOME],
        no_address=[user for user in action.allowed if not letters.has_an_address(user)], **back,
    )  # fmt: skip


def reset_person(request: PortalRequest, customer: Customer, person: User) -> HttpResponse:
    """The same dialog for one person."""
    return _reset(request, customer, Choice([person.pk], False, selectors.Query()), person)


@require_safe
@in_customer()
def reset_done(request: PortalRequest, customer: Customer, operation: int) -> HttpResponse:
    """After a reset: who must restart a phone or scan the code again, whom the mail went to, who has no address."""
    found = (
        Operation.objects.visible_to(request.user)
        .of(customer)
        .filter(pk=operation, kind=Operation.Kind.RESET)
        .first()
    )
    # His own report, or that of who reads the whole history.
    if found is None or (
        found.actor_pk != request.user.pk
        and not rights.can(request.user, rights.Verb.CUSTOMER, customer=customer)
    ):
        raise Http404
    return render(request, "users/chosen/reset_done.html", {
        "done": reset.aftermath(request.user, customer, found), "operation": found, "gauge": selectors.gauge(customer),
        "breadcrumbs": [(_("Users"), reverse("users", args=[customer.slug])), (pgettext("action", "Reset"), None)],
    })  # fmt: skip


# --- 2FA and welcome ----------------------------------------------------------------------------------------------
@require_http_methods(["GET", "HEAD", "POST"])
@in_customer()
def require_second_factor(request: PortalRequest, customer: Customer) -> HttpResponse:
    """Ask the chosen for a second factor at their next sign-in."""
    if request.method != "POST":
        return _back_to_list(request, customer)
    choice = choice_of(request, customer)
    if not choice.keys:
        return _nobody(request, customer, choice)
    action = people_of(request, customer, choice)
    going, error = confirmed(request, action)
    status = CONFLICT if error else 200
    already = sum(user.require_2fa for user in action.allowed)
    if going:
        rows = [road.Row(user.pk, {"require_2fa": True}, label=str(user)) for user in action.allowed]
        plan = road.plan(request.user, customer, user_sheet(), rows)
        try:
            road.apply(plan, RequestFacts.of(request))
        except (road.RefusedError, road.ChangedMeanwhileError):
            action.refusals |= {row.key: _first_words(row) for row in plan.refused}
            error, status = _("Not all of them can be changed any more. Nothing was changed."), CONFLICT
        else:
            count = len(action.allowed) - already
            messages.success(request, ngettext(
                "%(count)s user is asked for a second factor from now on.", "%(count)s users are asked for a second factor from now on.", count
            ) % {"count": count})  # fmt: skip
            return redirect(choice.back_url(customer))
    count = len(action.allowed)
    return ask(
        request, customer, choice, action, "users/chosen/second_factor.html", status, error=error, already=already,
        title=ngettext("Require 2FA of %(count)s user", "Require 2FA of %(count)s users", count) % {"count": count},
    )  # fmt: skip


def _first_words(row: road.RowPlan) -> str:
    return row.refusal or next(iter(text for texts in row.errors.values() for text in texts), "")


@require_http_methods(["GET", "HEAD", "POST"])
@in_customer()
def welcome(request: PortalRequest, customer: Customer) -> HttpResponse:
    """Send the welcome mail to the chosen who have an address; the others are named."""
    if request.method != "POST":
        return _back_to_list(request, customer)
    choice = choice_of(request, customer)
    if not choice.keys:
        return _nobody(request, customer, choice)
    action = people_of(request, customer, choice)
    action.refusals |= {
        user.pk: _("This person has no email address.") if user.is_active else _("This person's extension is disabled.")
        for user in action.people if user.pk not in action.refusals and not letters.has_an_address(user)
    }  # fmt: skip
    going, error = confirmed(request, action)
    count = len(action.allowed)
    if going:
        planned = reset.plan_reset(request.user, customer, [user.pk for user in action.allowed])
        try:
            reset.send_welcome(planned, RequestFacts.of(request))
        except road.RefusedError:
            error = _("Not all of them can be written to any more. No mail was sent.")
        else:
            messages.success(
                request,
                ngettext(
                    "The welcome mail goes to %(count)s user.",
                    "The welcome mail goes to %(count)s users.",
                    count,
                )
                % {"count": count},
            )
            return redirect(choice.back_url(customer))
    return ask(
        request, customer, choice, action, "users/chosen/welcome.html", CONFLICT if error else 200, error=error,
        title=ngettext("Send the welcome mail to %(count)s user", "Send the welcome mail to %(count)s users", count) % {"count": count},
    )  # fmt: skip


# --- Copying ------------------------------------------------------------------------------------------------------
@require_http_methods(["GET", "HEAD", "POST"])
@in_customer(rights.Verb.CREATE)
def copy(request: PortalRequest, customer: Customer) -> HttpResponse:
    """From the list to the form of a new person with the settings of the one chosen."""
    if request.method != "POST":
        return _back_to_list(request, customer)
    choice = choice_of(request, customer)
    if len(choice.keys) != 1:
        messages.warning(request, _("Choose exactly one user to copy."))
        return redirect(choice.back_url(customer))
    source = people_of(request, customer, choice).allowed
    if not source:
        raise Http404
    return redirect(
        reverse("user_create", args=[customer.slug]) + "?" + urlencode({"copy": source[0].number})
    )


def bar(customer: Customer, may: Mapping[str, bool]) -> list[dict[str, Any]]:
    """The actions that rise when rows are chosen."""
    actions: list[dict[str, Any]] = [
        {"label": pgettext("action", "Reset"), "url": reverse("chosen_reset", args=[customer.slug])},
        {"label": _("Require 2FA"), "url": reverse("chosen_second_factor", args=[customer.slug])},
        {"label": _("Welcome mail"), "url": reverse("chosen_welcome", args=[customer.slug])},
        {"label": _("Delete"), "url": reverse("chosen_delete", args=[customer.slug]), "danger": True},
    ]
    if may.get("create"):
        actions.insert(0, {"label": _("Copy"), "url": reverse("chosen_copy", args=[customer.slug])})
    return actions
