"""The page that replaces a person: who comes, what goes over, what becomes of the leaver; first what would happen, then the doing."""

from dataclasses import dataclass, field
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from pbxadmin.common.columns import Scope
from pbxadmin.common.http import PortalRequest, RequestFacts
from users import rights
from users.models import Customer, User
from users.people import beginnings, replacing
from users.people.replacing import Afterwards, Replacement, Wish
from users.people.sections import GENERAL
from users.road import Outcome, finding
from users.road.meant import person_meant
from users.road.pages.doors import of_person

AFTERWARDS = {
    Afterwards.DISABLE: (
        gettext_lazy("Disable the extension"),
        gettext_lazy(
            "Nobody signs in or calls with it any more. Its mailbox keeps its messages, and all of this can be undone."
        ),
    ),
    Afterwards.DELETE: (
        gettext_lazy("Delete the extension"),
        gettext_lazy("Its mailbox goes with it, unread messages included, and this can't be undone."),
    ),
    Afterwards.KEEP: (
        gettext_lazy("Leave it as it is"),
        gettext_lazy("The user stays, without what goes over: for somebody who changes jobs."),
    ),
}


@dataclass
class Typed:
    """What was sent, and what is wrong with it."""

    data: QueryDict
    new: bool
    parts: frozenset[str]
    afterwards: Afterwards
    errors: dict[str, str] = field(default_factory=dict)  # of the fields beside those of the new person

    @classmethod
    def of(cls, data: QueryDict | None) -> "Typed":
        """Everything goes over, to somebody new, and the leaver is disabled, until something else is said."""
        known = [each.name for each in replacing.legacies()]
        if data is None:
            return cls(QueryDict(), True, frozenset(known), Afterwards.DISABLE)
        chosen = data.get("afterwards", "")
        return cls(
            data,
            data.get("who") != "existing",
            frozenset(name for name in known if name in data.getlist("part")),
            Afterwards(chosen) if chosen in set(Afterwards) else Afterwards.DISABLE,
        )

    @property
    def confirmed(self) -> str:
        """What was typed to confirm a deletion."""
        return self.data.get("confirm", "").strip()


@require_http_methods(["GET", "HEAD", "POST"])
@of_person(rights.Verb.EDIT)
def user_replace(request: PortalRequest, customer: Customer, person: User) -> HttpResponse:
    """Ask; show what would happen; do it, if that is still what happens."""
    typed = Typed.of(request.POST if request.method == "POST" else None)
    scope = Scope(request.user, customer)
    may_create = rights.can(request.user, rights.Verb.CREATE, customer=customer)
    form = GENERAL.form(
        scope,
        typed.data if request.method == "POST" else None,
        creating=True,
        only=lambda column: column.name in replacing.IDENTITY,
    )
    planned: Replacement | None = None
    again = False  # what would happen isn't what the page said
    if request.method == "POST":
        heir = None if typed.new else _heir(request, customer, person, typed)
        if not typed.errors:
            planned = replacing.plan_replacement(
                request.user,
                customer,
                person,
                Wish(heir, form.raw() if typed.new else {}, typed.parts, typed.afterwards),
            )
            if typed.new:
                row = planned.heir
                form.show_errors({name: texts for name, texts in row.errors.items() if name in form.fields})
            if not planned.refusals and "replace" in typed.data:
                again = typed.data.get("seen") != planned.seen()
                if not again and typed.afterwards is Afterwards.DELETE and typed.confirmed != person.number:
                    typed.errors["confirm"] = _("Type the extension %(number)s to confirm.") % {
                        "number": person.number
                    }
                elif not again:
                    outcome = replacing.replace(planned, RequestFacts.of(request), _welcomes(typed))
                    if outcome is Outcome.SAVED:
                        return _done(request, customer, planned, typed)
                    again = outcome is not Outcome.REFUSED
    refused = bool(typed.errors or (planned and planned.refusals) or again)
    return render(
        request,
        "users/replace.html",
        {
            "person": person,
            "form": form,
            "typed": typed,
            "may_create": may_create,
            "parts": [(each, each.name in typed.parts) for each in replacing.legacies()],
            "afterwards": [(str(key), *words, key is typed.afterwards) for key, words in AFTERWARDS.items()],
            "welcome": request.method != "POST" or _welcomes(typed),
            "again": again,
            "problems": _problems(planned, form),
            "preview": _preview(planned) if planned and not planned.refusals else None,
            "deletes": typed.afterwards is Afterwards.DELETE,
            "gauge": finding.gauge(customer),
            "breadcrumbs": [
                (_("Users"), reverse("users", args=[customer.slug])),
                (person.full_name, _url(customer, person.number)),
                (_("Replace"), None),
            ],
        },
        status=422 if refused else 200,
    )


def _heir(request: PortalRequest, customer: Customer, person: User, typed: Typed) -> User | None:
    """The person who was typed; what is wrong with that goes to the errors."""
    try:
        found = person_meant(request.user, customer, typed.data.get("heir", ""))
    except ValidationError as error:
        typed.errors["heir"] = " ".join(error.messages)
        return None
    if found.pk == person.pk:
        typed.errors["heir"] = _("Choose somebody else: this is the user who leaves.")
    elif found.disabled:
        typed.errors["heir"] = _("Extension %(number)s is disabled: enable it first.") % {
            "number": found.number
        }
    return found


def _welcomes(typed: Typed) -> bool:
    return typed.new and "welcome" in typed.data


def _problems(planned: Replacement | None, form: Any) -> list[str]:
    """What stands against it and isn't said beside a field."""
    if planned is None:
        return []
    beside = {text for texts in form.errors.values() for text in texts}
    row = planned.heir
    own = [text for text in row.sentences if text not in beside]
    if form.errors:
        return own  # what else is said follows from that
    name = str(row.label or row.record or "")
    said = {f"{name}: {text}" for text in row.sentences}
    return [*own, *(text for text in planned.refusals if text not in said)]


def _preview(planned: Replacement) -> dict[str, Any]:
    return {
        "told": planned.told(),
        "left_out": planned.left_out,
        "link": planned.link,
        "devices": planned.devices,
        "seen": planned.seen(),
        "heir": planned.heir.label,
    }


def _done(request: PortalRequest, customer: Customer, planned: Replacement, typed: Typed) -> HttpResponse:
    """To the heir's page, with what is left to do."""
    heir = User.objects.only("number", "first_name", "last_name", "email").get(pk=planned.heir.key)
    told = [
        _("%(heir)s takes the place of %(leaver)s.") % {"heir": heir, "leaver": planned.leaver},
        beginnings.welcome_told(heir, _welcomes(typed)),
    ]
    messages.success(request, " ".join(filter(None, told)))
    if planned.link:
        messages.info(request, planned.link)
    for sentence in planned.left_out:
        messages.warning(request, sentence)
    created = "?created=1" if typed.new else ""
    return redirect(f"{_url(customer, heir.number)}{created}")


def _url(customer: Customer, number: str) -> str:
    return reverse("user_tab", args=[customer.slug, number, GENERAL.slug])
