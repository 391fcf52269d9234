"""The pages of a library of greetings: a person's, one's own, the company's. Each is the same views behind another door."""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import wraps
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from pbxadmin.common.columns import Scope
from pbxadmin.common.http import PortalRequest, RequestFacts, lets_use_the_microphone
from pbxadmin.common.personal import offer_own
from users import rights, road
from users.access import signed_in_user
from users.models import Customer, User
from users.rights import Verb
from users.road import Outcome
from users.road.pages.conflicts import values_of
from users.road.pages.doors import in_customer, of_person
from voicemail import audio
from voicemail.greetings import calling, making, recorder, sounds, usage
from voicemail.greetings.library import Library
from voicemail.greetings.making import RefusedError, Wanted
from voicemail.greetings.serving import file_name, sound_response
from voicemail.greetings.sheet import greeting_sheet
from voicemail.greetings.words import NO_STORAGE, said_of
from voicemail.models import Greeting, Made, Sound
from voicemail.sections import DEFAULT_GREETING, VOICEMAIL

View = Callable[..., HttpResponse]
# What forms send back: a key, and a moment in seconds with a point or a comma.
KEY = re.compile(r"\d{1,18}", re.ASCII)
SECONDS = re.compile(r"(?=[.,]?\d)\d{0,9}(?:[.,]\d{0,9})?", re.ASCII)
MADE_HERE = {str(Made.UPLOAD): Made.UPLOAD, str(Made.BROWSER): Made.BROWSER}


def _facts(request: PortalRequest, library: Library) -> RequestFacts:
    return RequestFacts.of(request, "self") if library.verb is Verb.SELF else RequestFacts.of(request)


def _back(
    request: PortalRequest, library: Library, *refusals: str, told: str = "", typed_name: str = ""
) -> HttpResponse:
    """The library anew: as the fragment that a script asked for, else the page; refusals stand above it.

    `told` is what a screen reader hears of what was done; `typed_name` was given to what is refused.
    """
    if request.htmx:
        shown = Library(library.scope, library.person, library.verb, library.name, library.parts)
        return render(
            request,
            "voicemail/library.html",
            {
                "library": shown,
                "refusals": refusals,
                "customer": library.scope.customer,
                "told": "" if refusals else told,
                "typed_name": typed_name if refusals else "",
                **_menu_above(request, shown),
            },
            status=422 if refusals else 200,
        )
    for sentence in refusals:
        messages.error(request, sentence)
    return redirect(f"{library.back}#greetings")


def _menu_above(request: PortalRequest, library: Library) -> dict[str, Any]:
    """The choices of the tab's menu above the library, which has just changed: what is chosen and typed there stays."""
    if library.person is None or (request.htmx.current_url_abs_path or "").partition("?")[0] != library.back:
        return {}
    scope = Scope(library.scope.actor, library.scope.customer)
    form = VOICEMAIL.form(scope, initial=values_of(VOICEMAIL, library.person))
    if DEFAULT_GREETING not in form.fields:
        return {}
    offer_own(form, library.person.pk, scope)
    return {
        "menu": form[DEFAULT_GREETING],
        "menu_value": str(form.initial.get(DEFAULT_GREETING) or ""),
    }


# --- Looking and hearing -----------------------------------------------------------------------------------------
@lets_use_the_microphone
def page(request: PortalRequest, library: Library) -> HttpResponse:
    """The library; as a fragment of its tab, or a page of its own."""
    template = "voicemail/library.html" if request.htmx else "voicemail/greetings.html"
    facts = {"library": library, "customer": library.scope.customer, "person": library.person}
    return render(request, template, facts | {"breadcrumbs": library.path})


def progress(request: PortalRequest, library: Library) -> HttpResponse:
    """What is on its way, asked again and again while something is; the whole library once something has come."""
    if request.GET.get("waiting", "") != library.waiting:
        response = _back(request, library, told=_("The library of greetings has changed."))
        response["HX-Retarget"] = "#greetings"
        return response
    return render(request, "voicemail/incoming.html", {"library": library})


def sound(request: PortalRequest, library: Library, pk: int) -> HttpResponse:
    """What callers hear, to play it or to keep it."""
    greeting = library.heard_or_404(pk)
    try:
        return sound_response(request, library.content_of(greeting), file_name(str(greeting)))
    except sounds.StorageError:
        return HttpResponse(str(NO_STORAGE), status=503, content_type="text/plain; charset=utf-8")


# --- Changing ----------------------------------------------------------------------------------------------------
def add(request: PortalRequest, library: Library) -> HttpResponse:
    """Take a file or a recording, for a new greeting or in the place of one."""
    upload = request.FILES.get("sound")
    if upload is None:
        return _back(request, library, _("Choose a file, or record the greeting."))
    replaced = request.POST.get("greeting", "")
    greeting = library.greeting_or_404(_key_or_404(replaced)) if replaced else None
    as_it_is = "as_it_is" in request.POST
    wanted = Wanted(
        name=request.POST.get("name", "").strip() or _name_of(upload.name or "", greeting),
        made=MADE_HERE.get(request.POST.get("made", ""), Made.UPLOAD),
        person=library.person,
        greeting=greeting,
        level=not as_it_is,
        trim=not as_it_is,
    )
    try:
        made = making.receive(library.scope, upload, wanted, _facts(request, library), library.verb)
    except RefusedError as refused:
        return _back(request, library, *refused.sentences, typed_name=request.POST.get("name", "")[:80])
    told = (
        _("The greeting “%(name)s” is in the library.") % {"name": made} if isinstance(made, Greeting) else ""
    )
    if told and not request.htmx:
        messages.success(request, told)
    return _back(request, library, told=told)


def by_phone(request: PortalRequest, library: Library) -> HttpResponse:
    """Have a phone ring, at which the greeting is recorded."""
    why = calling.why_not(library, request.POST.get("phone", "").strip(), _facts(request, library))
    if why:
        return _back(request, library, *why)
    return _back(request, library, told=_("The phones are being called."))


def hang_up(request: PortalRequest, library: Library, pk: int) -> HttpResponse:
    """End a call at which a greeting is recorded; forget one of which nothing came."""
    recorder.put_away(library.scope.customer, library.person, pk)
    return _back(request, library)


def _key_or_404(text: str) -> int:
    """The key that a form sends back; whatever else it sends names nothing, rather than something new."""
    if not KEY.fullmatch(text):
        raise Http404
    return int(text)


def _name_of(file: str, greeting: Greeting | None) -> str:
    """A name for what was given none: the one that it has, or that of the file without its ending."""
    if greeting is not None:
        return greeting.name
    plain = "".join(
        sign if sign.isprintable() else " " for sign in file.replace("\\", "/").rpartition("/")[2]
    )
    before, dot, after = plain.rpartition(".")
    stem = " ".join((before if dot else after).split())
    return stem[: Greeting._meta.get_field("name").max_length or 80] or _("Greeting")


def rename(request: PortalRequest, library: Library, pk: int) -> HttpResponse:
    """Give a greeting another name."""
    greeting = library.greeting_or_404(pk)
    return _written(request, library, greeting, {"name": request.POST.get("name", "")})


def trim(request: PortalRequest, library: Library, pk: int) -> HttpResponse:
    """Keep the part of a greeting between two moments, in thousandths of a second."""
    greeting = library.greeting_or_404(pk)
    moments = [SECONDS.fullmatch(request.POST.get(name, "").strip()) for name in ("start", "end")]
    unclear = _("Enter the beginning and the end in seconds, the beginning first.")
    start, end = (round(float(found[0].replace(",", ".")) * 1000) if found else -1 for found in moments)
    if not 0 <= start < end:
        return _back(request, library, unclear)
    try:
        whole = library.content_of(greeting)
        part = audio.convert(audio.cut(whole, start, end), level=False, trim=False)
        kept = sounds.keep(library.scope.customer, replace(part, kept=False))
    except audio.AudioError as error:
        return _back(request, library, unclear if error.fault is audio.Fault.EMPTY else said_of(error))
    except sounds.NoRoomError:
        return _back(request, library, str(making.NO_ROOM))
    except sounds.StorageError:
        return _back(request, library, str(NO_STORAGE))
    return _written(request, library, greeting, {"sound": kept.pk}, kept)


def _written(
    request: PortalRequest,
    library: Library,
    greeting: Greeting,
    values: dict[str, Any],
    kept: Sound | None = None,
) -> HttpResponse:
    """Change a greeting by the road; a sound that was kept for that goes again where nothing came of it."""
    seen = request.POST.get("seen", "")
    row = road.Row(greeting.pk, values, seen=int(seen) if seen.isdecimal() and len(seen) < 10 else None)
    plan = road.plan(library.scope.actor, library.scope.customer, greeting_sheet(), [row], library.verb)
    done = road.commit(plan, _facts(request, library))
    if kept is not None and done.operation is None:
        sounds.erase(kept)
    if done.outcome is Outcome.CONFLICT:
        return _back(request, library, _("Somebody else changed this in the meantime. Try again."))
    return _back(request, library, *done.row.sentences, told=_("Saved"))


def delete(request: PortalRequest, library: Library, pk: int) -> HttpResponse:
    """Ask, naming who uses it; then take it out of the library, and give those who use it the default again."""
    greeting = library.greeting_or_404(pk)
    found = usage.uses(library.scope.customer.pk, [greeting])[greeting.pk]
    if request.method != "POST" or "confirmed" not in request.POST:
        facts = {
            "library": library,
            "customer": library.scope.customer,
            "person": library.person,
            "greeting": greeting,
            "used": usage.named(found, many=library.person is None),
            "why_not": _why_not_taken_out(library, found),
            "has_history": _has_history(library),
            "breadcrumbs": library.path,
        }
        return render(request, "voicemail/greeting_delete.html", facts)
    outcome, sentences = usage.take_out(library.scope, [greeting], _facts(request, library), library.verb)
    if outcome is Outcome.SAVED:
        said = (
            _("“%(name)s” was deleted. It can be put back for 30 days, in the history.")
            if _has_history(library)
            else _(
                "“%(name)s” was deleted. An administrator of your company can put it back for 30 days, in the history."
            )
        )
        messages.success(request, said % {"name": greeting})
    elif outcome is Outcome.CONFLICT:
        messages.warning(request, _("Somebody else changed this in the meantime. Try again."))
    for sentence in sentences if outcome is Outcome.REFUSED else ():
        messages.error(request, sentence)
    return redirect(f"{library.back}#greetings")


def _has_history(library: Library) -> bool:
    return rights.can(library.scope.actor, Verb.HISTORY, customer=library.scope.customer)


def _why_not_taken_out(library: Library, found: Sequence[usage.Use]) -> str:
    """Why a greeting can't be deleted by whoever deletes their own: it is used where the choice isn't theirs."""
    others = [each for each in found if each.column not in dict(library.places)]
    if library.verb is not Verb.SELF or not others:
        return ""
    return _(
        "It is used where you can't choose: an administrator of your company can choose another one there first."
    )


def use(request: PortalRequest, library: Library, pk: int) -> HttpResponse:
    """Let the person's callers hear it: as the default, or in one status."""
    greeting = library.heard_or_404(pk)
    if library.person is None:
        raise Http404
    facts = _facts(request, library)
    column = request.POST.get("where", "")
    # Whoever may change nothing here is told so by the road.
    if library.places and column not in dict(library.places):
        messages.error(request, _("This item no longer exists. Reload the page."))
        return redirect(f"{library.back}#greetings")
    done = usage.use(library.scope, library.person, greeting, column, facts, library.verb)
    if done.outcome is Outcome.SAVED:
        where = dict(library.places)[column]
        messages.success(
            request, _("Callers hear “%(name)s” now: %(where)s.") % {"name": greeting, "where": where}
        )
    elif done.outcome is Outcome.CONFLICT:
        messages.warning(request, _("Somebody else changed this in the meantime. Try again."))
    for sentence in done.row.sentences if done.outcome is Outcome.REFUSED else ():
        messages.error(request, sentence)
    return redirect(f"{library.back}#greetings")


def share(request: PortalRequest, library: Library, pk: int) -> HttpResponse:
    """Put a person's greeting into the company's library as well, for everybody to choose."""
    greeting = library.greeting_or_404(pk)
    values = {"name": greeting.name, "sound": greeting.sound_id, "made": greeting.made, "user": None}
    plan = road.plan(
        library.scope.actor, library.scope.customer, greeting_sheet(), [road.Row(None, values)], Verb.EDIT
    )
    done = road.commit(plan, _facts(request, library))
    if done.operation is None:
        return _back(
            request,
            library,
            *(done.row.sentences or [_("Somebody else changed this in the meantime. Try again.")]),
        )
    messages.success(
        request, _("“%(name)s” is in the company's library now: anybody may choose it.") % {"name": greeting}
    )
    return redirect(Library.of_company(request.user, library.scope.customer).home)


def put_away(request: PortalRequest, library: Library, pk: int) -> HttpResponse:
    """Forget a recording that was refused; one that still waits is cancelled."""
    incoming = next((each for each in library.incoming if each.pk == pk), None)
    if incoming is not None:
        if incoming.job is not None and not incoming.job.is_over:
            making.cancel(incoming)
        else:
            sounds.erase(incoming)
    return _back(request, library)


# --- Doors -------------------------------------------------------------------------------------------------------
def _of_person(verb: Verb) -> Callable[[View], View]:
    def decorate(view: View) -> View:
        @of_person(verb)
        def inside(request: PortalRequest, customer: Customer, person: User, **rest: Any) -> HttpResponse:
            return view(request, Library.of_person(request.user, customer, person), **rest)

        return inside

    return decorate


def _of_company(verb: Verb) -> Callable[[View], View]:
    def decorate(view: View) -> View:
        @in_customer(Verb.ADMINISTER if verb is Verb.SEE else Verb.CUSTOMER)
        def inside(request: PortalRequest, customer: Customer, **rest: Any) -> HttpResponse:
            return view(request, Library.of_company(request.user, customer), **rest)

        return inside

    return decorate


def _of_oneself(verb: Verb) -> Callable[[View], View]:
    def decorate(view: View) -> View:
        @wraps(view)
        def inside(request: PortalRequest, **rest: Any) -> HttpResponse:
            user = signed_in_user(request)
            if user.customer_id is None:
                raise PermissionDenied(_("You have no extension: ask an administrator of your company."))
            person = User.objects.select_related("customer", "role").get(pk=user.pk)
            return view(request, Library.of_oneself(person), **rest)

        return inside

    return decorate


# The pages by the last word of their address: the view, the right that it takes, and whether it is sent.
PAGES: tuple[tuple[str, str, View, Verb, Callable[[View], View]], ...] = (
    ("page", "", page, Verb.SEE, require_safe),
    ("progress", "progress", progress, Verb.SEE, require_safe),
    ("add", "new", add, Verb.EDIT, require_POST),
    ("by_phone", "by-phone", by_phone, Verb.EDIT, require_POST),
    ("hang_up", "by-phone/<int:pk>/forget", hang_up, Verb.EDIT, require_POST),
    ("put_away", "incoming/<int:pk>/forget", put_away, Verb.EDIT, require_POST),
    ("sound", "<int:pk>/sound.wav", sound, Verb.SEE, require_safe),
    ("rename", "<int:pk>/rename", rename, Verb.EDIT, require_POST),
    ("trim", "<int:pk>/trim", trim, Verb.EDIT, require_POST),
    ("use", "<int:pk>/use", use, Verb.EDIT, require_POST),
    ("share", "<int:pk>/share", share, Verb.EDIT, require_POST),
    ("delete", "<int:pk>/delete", delete, Verb.EDIT, require_http_methods(["GET", "HEAD", "POST"])),
)


def urls() -> list[URLPattern]:
    """The addresses of the three kinds of library."""
    doors = (
        ("greetings", "c/<slug:slug>/users/<str:number>/voicemail/greetings/", _of_person),
        ("company_greetings", "c/<slug:slug>/greetings/", _of_company),
        ("own_greetings", "me/voicemail/greetings/", _of_oneself),
    )
    return [
        path(f"{start}{rest}", never_cache(how(door(verb)(view))), name=f"{name}_{word}")
        for name, start, door in doors
        for word, rest, view, verb, how in PAGES
        if not (word == "share" and name != "greetings")
        and not (word == "use" and name == "company_greetings")
    ]
