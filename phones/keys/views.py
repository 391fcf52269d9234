"""The tab "BLF": a person's keys drawn as on their phone, edited key by key, and printed as paper labels."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from pbxadmin.common.columns import Scope
from pbxadmin.common.forms import SectionForm
from pbxadmin.common.http import PortalRequest
from pbxadmin.common.sections import Section
from phones.keys import keypad
from phones.keys.columns import (
    KEYS,
    KEYS_COLUMN,
    LAST_POSITION,
    Checked,
    KeyValue,
    as_text,
    in_sentences,
    kind_and_label,
    typed_rows,
)
from phones.keys.keypad import Device, Row
from phones.keys.sections import BLF, newly_hidden
from phones.keys.targets import Directory, directory, meant
from phones.models import Phone
from users import rights, road
from users.models import Customer, User
from users.people.sections import user_sheet
from users.people.views.editor import frame_of, save_tab, show_tab
from users.road.finding import user_or_404
from users.road.meanwhile import Meanwhile, changed_since
from users.road.pages.doors import of_person, require

# More names than that in one list of suggestions help nobody; an extension may be typed all the same.
SUGGESTIONS = 1_000


@require_http_methods(["GET", "HEAD", "POST"])
def keys_tab(request: PortalRequest, customer: Customer, person: User) -> HttpResponse:
    """The tab of one person (called by the editor, which has asked for the rights to see them)."""
    if request.method != "POST":
        return show(request, customer, person, BLF, BLF.form(Scope(request.user, customer)))
    require(request.user, rights.Verb.EDIT, person, customer)
    rows = typed_rows(request.POST)
    if rows is not None and (arranged := rearranged(request, customer, person, rows)) is not None:
        form = BLF.form(Scope(request.user, customer))
        return show(request, customer, person, BLF, form, seen=request.POST.get("seen", ""), rows=arranged)
    drawn = _drawn(request)
    return save_tab(
        request,
        customer,
        person,
        BLF,
        show=show,
        conflict=show_conflict,
        kept=f"phone={drawn}" if drawn else "",
    )


def _drawn(request: PortalRequest) -> str:
    """The MAC of the phone whose model is drawn; "" for the first one."""
    mac = request.POST.get("draw") or request.POST.get("drawn") or request.GET.get("phone", "")
    return mac if len(mac) == 12 and mac.isascii() and mac.isalnum() else ""


def rearranged(request: PortalRequest, customer: Customer, person: User, rows: list[Row]) -> list[Row] | None:
    """The form after one of its buttons that save nothing: a move, more keys, another phone, a colleague's keys."""
    asked = request.POST
    rows = keypad.in_order(rows)
    if source := asked.get("take_from", "").strip():
        return taken_from(request, customer, person, source, rows)
    if "move" in asked:
        return keypad.moved(rows, asked["move"])
    if "add" in asked:
        return keypad.in_order(rows, min(len(rows) + keypad.PLAIN_PAGE, LAST_POSITION))
    return rows if {"draw", "take"} & asked.keys() else None


def taken_from(
    request: PortalRequest, customer: Customer, person: User, source: str, rows: list[Row]
) -> list[Row]:
    """The keys of a colleague in place of one's own, as a starting point: nothing is saved yet."""
    number = source.split(" ", 1)[0]
    other = (
        User.objects.visible_to(request.user)
        .of(customer)
        .filter(number=number)
        .select_related("role")
        .first()
    )
    refusal = (
        rights.why_not(request.user, rights.Verb.SEE, other, customer)
        if other
        else _("There is no extension %(number)s.") % {"number": number[:10]}
    )
    scope = Scope(request.user, customer)
    here = directory(scope)
    if other is None and (about := meant(number, scope)) and about.system:
        refusal = _("%(callee)s has no keys: choose a user.") % {"callee": here.of(about)}
    if other is None or refusal:
        messages.error(request, str(refusal))
        return rows
    theirs: tuple[KeyValue, ...] = KEYS.load([other])[other.pk]["keys"]
    left_out = newly_hidden(theirs, KEYS.load([person])[person.pk]["keys"], here)
    taken = [key for key in theirs if key.position not in left_out]
    messages.info(
        request, _("These are the keys of %(user)s. Save to keep them.") % {"user": here.people[other.pk]}
    )
    for sentence in in_sentences(left_out):
        messages.warning(request, sentence)
    return keypad.rows_of(taken, len(rows), here)


def show(
    request: PortalRequest,
    customer: Customer,
    person: User,
    section: Section,
    form: SectionForm,
    status: int = 200,
    *,
    rows: list[Row] | None = None,
    theirs: Mapping[int, str] | None = None,
    **facts: Any,
) -> HttpResponse:
    """The tab's page: `rows` (else what was sent, else what is saved) on the pages of the drawn phone."""
    scope = Scope(request.user, customer)
    here = directory(scope)
    saved: tuple[KeyValue, ...] = KEYS.load([person])[person.pk]["keys"]
    devices = devices_of(request.user, customer, person)
    device = next((one for one in devices if one.mac == _drawn(request)), devices[0] if devices else None)
    sent = typed_rows(form.data) if form.is_bound else None
    if rows is None:
        rows = keypad.in_order(sent) if sent is not None else keypad.rows_of(saved, 0, here)
    rows = keypad.in_order(rows, keypad.count_for(devices, len(rows)))
    checked = _checked(rows, saved, scope) if status == 422 else Checked({}, {}, [])
    line = keypad.line_label(person)
    cells = keypad.cells_of(rows, here, line, checked.problems, theirs)
    # What the keys' own sentences say isn't said twice.
    others = [] if checked.problems else list(form.errors.get("keys", ()))
    return show_tab(
        request,
        customer,
        person,
        section,
        form,
        status,
        pages=keypad.pages_of(cells, device),
        cells=cells,
        wrong=[cell for cell in cells if cell.problems],
        other_errors=[*others, *form.non_field_errors()],
        device=device,
        devices=devices,
        line_label=line,
        suggestions=suggestions(here),
        may_add=len(rows) < LAST_POSITION,
        may_edit=rights.can(request.user, rights.Verb.EDIT, person, customer),
        unsaved=status != 200
        or KEYS_COLUMN.check(as_text(rows), scope) != Checked({key.position: key for key in saved}, {}, []),
        labels_url=reverse("key_labels", args=[customer.slug, person.number])
        + (f"?phone={device.mac}" if device else ""),
        menus=keypad.menus(),
        **facts,
    )


def suggestions(here: Directory) -> list[str]:
    """What the fields for an extension offer: people who aren't hidden, and system extensions, in the order of their numbers."""
    people = [one for one in list(here.people.values())[:SUGGESTIONS] if not getattr(one, "hidden", False)]
    return sorted(map(str, [*people, *here.systems.values()]))[:SUGGESTIONS]


def _checked(rows: Sequence[Row], saved: Sequence[KeyValue], scope: Scope) -> Checked:
    """What is wrong with the rows, key by key, as the plan has said it for the list as a whole."""
    checked = KEYS_COLUMN.check(as_text(rows), scope)
    for position, problems in newly_hidden(checked.keys.values(), saved, directory(scope)).items():
        checked.problems.setdefault(position, []).extend(problems)
    return checked


def devices_of(actor: User, customer: Customer, person: User) -> list[Device]:
    """The person's phones."""
    phones = Phone.objects.visible_to(actor).of(customer).filter(user=person).order_by("pk")
    return [Device.of(phone) for phone in phones.only("mac", "model", "sidecars")]


def show_conflict(
    request: PortalRequest,
    customer: Customer,
    person: User,
    section: Section,
    row: road.RowPlan,
    seen: int,
) -> HttpResponse:
    """Somebody else saved these keys first: theirs where this person hadn't touched a key, this person's where they had."""
    scope = Scope(request.user, customer)
    here = directory(scope)
    person = user_or_404(request.user, customer, person.number)
    theirs = changed_since(person, user_sheet().label, seen, {"keys": KEYS_COLUMN}, scope)
    now = {key.position: key for key in KEYS.load([person])[person.pk]["keys"]}
    before = _before(theirs, now)
    rows = {int(one["position"]): one for one in keypad.in_order(typed_rows(request.POST) or [])}
    mine = KEYS_COLUMN.check(as_text(list(rows.values())), scope)
    kept, changed = {}, []
    for position in sorted({*rows, *now, *before}):
        was, is_now = before.get(position), now.get(position)
        untouched = position not in mine.problems and mine.keys.get(position) == was
        if untouched:
            rows[position] = keypad.row_of(is_now, here) if is_now else keypad.blank_row(position)
        if was == is_now:
            continue
        words = kind_and_label(is_now, here) if is_now else str(_("Blank"))
        changed.append((position, words, untouched))
        if not untouched and mine.keys.get(position) != is_now:
            kept[position] = words
    form = section.form(scope)
    form.show_errors({})
    return show(
        request, customer, person, section, form, 409,
        rows=list(rows.values()), theirs=kept, seen=person.version, conflict=theirs, changed=changed,
    )  # fmt: skip


def _before(theirs: Meanwhile, now: Mapping[int, KeyValue]) -> Mapping[int, KeyValue]:
    """The keys as they were before the others changed them."""
    if "keys" not in theirs.before:
        return now
    keys = [KeyValue(*parts) for parts in theirs.before["keys"] or ()]
    return {key.position: key for key in keys}


@require_safe
@of_person()
def key_labels(request: PortalRequest, customer: Customer, person: User) -> HttpResponse:
    """A sheet of paper labels for each page of the model, to print and to cut out."""
    scope = Scope(request.user, customer)
    here = directory(scope)
    devices = devices_of(request.user, customer, person)
    device = next((one for one in devices if one.mac == _drawn(request)), devices[0] if devices else None)
    saved = KEYS.load([person])[person.pk]["keys"]
    count = device.capacity if device else keypad.AT_LEAST
    cells = keypad.cells_of(keypad.rows_of(saved, count, here), here, keypad.line_label(person))
    pages = [page for page in keypad.pages_of(cells, device) if page.fits]
    return render(
        request,
        "phones/keys_labels.html",
        {
            **frame_of(request.user, customer, person, BLF.slug),
            "section": BLF,
            "sheets": [
                (page, [(cell.position, *keypad.paper_label(cell)) for cell in page.cells]) for page in pages
            ],
            "device": device,
            "devices": devices,
            "left_out": sum(not cell.blank for cell in cells[count:]),
            "back_url": reverse("user_tab", args=[customer.slug, person.number, BLF.slug])
            + (f"?phone={device.mac}" if device else ""),
        },
    )
