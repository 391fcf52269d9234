"""Delete one record: the page says what goes with it and what stands against it, asks to type its name, and deletes.

Every page that deletes one record goes through here: people, phones, departments, numbers, system extensions, SBCs.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from pbxadmin.common.http import PortalRequest, RequestFacts
from pbxadmin.common.values.signs import plainly
from users.road import Outcome
from users.road.replacements import Departure

# Places named in full on the page that asks; the others are counted.
SHOWN = 30


@dataclass(frozen=True)
class Words:
    """What the page says of this record."""

    title: str  # "Delete Inès Roy?"
    typed: str  # what is to be typed to confirm, as it is shown
    mistyped: str  # to whoever typed something else
    deleted: str
    meanwhile: str = ""  # where somebody else has changed it since; a sentence for any record by default


def delete_page(
    request: PortalRequest,
    record: Any,
    planned: Callable[[], Departure],
    words: Words,
    *,
    done_url: str,
    cancel_url: str,
    template: str = "users/delete.html",
    losses: Sequence[str] = (),
    spelled: Callable[[str], str] = str.strip,
    leave: Callable[[Departure], str] | None = None,
    **facts: Any,
) -> HttpResponse:
    """Ask, or delete where the name was typed (compared as `spelled`).

    `losses` go whatever the apps say goes with it as well. `leave` deletes in another way than the departure does by itself,
    and says why not, or "". `facts` are for the template.
    """
    along = request.POST.getlist("along")
    departure = planned().take_along(along)
    error = instead_error = ""
    if request.method == "POST":
        try:
            departure.instead(request.POST.get("instead", "")[:60])
        except ValidationError as unknown:
            instead_error = " ".join(unknown.messages)
        if spelled(plainly(request.POST.get("confirm", ""))) != spelled(plainly(words.typed)):
            error = words.mistyped
        elif not instead_error:
            error = leave(departure) if leave else left(request, departure, words.meanwhile)
        if not error and not instead_error:
            messages.success(request, words.deleted)
            return redirect(done_url)
        departure = planned().take_along(along)
    places = departure.places
    return render(
        request,
        template,
        {
            "title": words.title,
            "typed": words.typed,
            "error": error,
            "refusal": departure.refusals.get(record.pk, ""),
            "losses": [*losses, *departure.removal.lost_with(record.pk)],
            "staying": departure.removal.staying,
            "boxes": departure.removal.boxes,
            "asks_instead": bool(places),
            "references": places[:SHOWN],
            "more_references": max(0, len(places) - SHOWN),
            "instead": request.POST.get("instead", "")[:60],
            "instead_error": instead_error,
            "cancel_url": cancel_url,
            **facts,
        },
        status=422 if error or instead_error else 200,
    )


def left(request: PortalRequest, departure: Departure, meanwhile: str = "") -> str:
    """Delete, and send the calls where the form says; why it can't be, or "" when it is done."""
    try:
        instead = departure.instead(request.POST.get("instead", "")[:60])
    except ValidationError as error:
        return " ".join(error.messages)
    outcome = departure.commit(instead, RequestFacts.of(request))
    if outcome is Outcome.CONFLICT:
        return meanwhile or _("Somebody else changed this in the meantime. Check it before you delete it.")
    return departure.reasons if outcome is Outcome.REFUSED else ""
