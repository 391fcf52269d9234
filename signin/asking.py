"""Asking for a fresh proof in the middle of something: the page keeps what was typed, and goes on with it after the proof.

Nothing is kept at the server: what was sent comes back with the proof, to the same address, through the same checks.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.forms import Form
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from pbxadmin.common.http import PortalRequest, page_path, safe_next
from pbxadmin.common.proof import WHY, Takeover
from signin.forms import ProofForm

# A refused form is shown again with 422: "understood, but not so".
REFUSED = 422
# What the page adds to the form that it repeats: for what the proof is, and the proof itself.
WHAT = "proof"
OF_THE_PAGE = (WHAT, f"{WHAT}-password", f"{WHAT}-code")


def shown(request: PortalRequest, template: str, form: Form, facts: Mapping[str, Any]) -> HttpResponse:
    """A page with its form: as it is opened, refused, or put off until the time that Retry-After says."""
    later = getattr(form, "later", None)
    status = later.status if later else REFUSED if form.is_bound else 200
    response = render(request, template, {"form": form} | dict(facts), status=status)
    if later:
        response.headers["Retry-After"] = str(later.seconds)
    return response


def ask(request: PortalRequest, what: Takeover, form: ProofForm | None = None) -> HttpResponse:
    """The page that says why it asks, with the proof to be given and all that was sent."""
    if request.FILES:
        # A file can't be sent back: the page from which it came is opened again after the proof.
        back = safe_next(request, page_path(request) or referring_path(request))
        return redirect(reverse("step_up") + ("?" + urlencode({"next": back}) if back else ""))
    repeated = [
        (name, value)
        for name, values in request.POST.lists()
        if name not in (*OF_THE_PAGE, "csrfmiddlewaretoken")
        for value in values
    ]
    made = form or ProofForm(request, ask=("code",), prefix=WHAT)
    facts = {
        "what": what.value,
        "why": WHY[what],
        "repeated": repeated,
        "action": request.get_full_path(),
        "back": safe_next(request, page_path(request) or referring_path(request)) or "/",
    }
    response = shown(request, "signin/ask_again.html", made, facts)
    if request.htmx:
        # In the place of the whole page: a fragment has no room for the question.
        response.headers["HX-Retarget"] = "body"
        response.headers["HX-Reswap"] = "innerHTML"
        response.status_code = 200
    elif form is None:
        response.status_code = 403
    return response


def referring_path(request: PortalRequest) -> str:
    """The path of the page whose form this is, if it was ours."""
    own = f"{request.scheme}://{request.get_host()}"
    referer = request.headers.get("Referer", "")
    return referer.removeprefix(own) if referer.startswith(f"{own}/") else ""


def answered(request: PortalRequest) -> HttpResponse | None:
    """Look at the proof that came with a form; None where it is right, or none was asked: the view goes on as if it had been
    there from the start."""
    if request.method != "POST" or WHAT not in request.POST:
        return None
    try:
        what = Takeover(request.POST[WHAT])
    except ValueError:
        return None
    form = ProofForm(request, request.POST, ask=("code",), prefix=WHAT)
    if not form.is_valid():
        return ask(request, what, form)
    data = request.POST.copy()
    for name in OF_THE_PAGE:
        data.pop(name, None)
    request.POST = data  # type: ignore[assignment]  # what views read is never written
    return None
