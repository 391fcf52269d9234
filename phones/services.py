"""What people do with phones: add, change, move, delete, restart, look at the file, see a secret."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from pbxadmin.common.columns import Scope
from pbxadmin.common.crypto import MASK, Reader, fingerprint, plain, random_token
from pbxadmin.common.http import RequestFacts
from pbxadmin.common.values import configtext
from pbxadmin.common.values.configtext import DiffLine, FileLine, UnsafeTextError
from phones import build, moving, selectors
from phones.models import Phone
from phones.push import outbox, telling
from phones.settings import logos
from phones.settings.sections import MODEL, SETTINGS, offers, phone_sheet
from phones.vendors import ContextError, UnknownModelError, find_model, vendor_of
from users import rights, road
from users.models import Customer, Operation, User
from users.road import Outcome

Kind = Operation.Kind


# --- Adding, changing, moving, deleting: by the one road ---
def phone_plan(actor: User, customer: Customer, person: User | None, values: Mapping[str, Any]) -> road.Plan:
    """What adding a phone for `person` (None: for the stock) would do; `values` are raw: mac, model, and any
    setting. A phone that the customer has in stock is taken from there."""
    scope = Scope(actor, customer)
    row = road.Row(
        None,
        {"model": "", **values, "user": person.pk if person else None},
        label=str(values.get("mac", ""))[:40],
    )
    plan = road.plan(actor, customer, phone_sheet(), moving.rows_from_stock(scope, [row]), scope=scope)
    moving.say_who_gives_from_stock(plan)
    return plan


def phone_create(
    actor: User,
    customer: Customer,
    person: User | None,
    values: Mapping[str, Any],
    facts: RequestFacts,
    reason: str = "",
) -> road.Plan:
    """Add a phone; the plan that comes back has its record, or says why not (`plan.refused`)."""
    plan = phone_plan(actor, customer, person, values)
    try:
        if road.commit(plan, facts, reason).outcome is Outcome.CONFLICT:
            plan.rows[0].refuse("", _("Somebody else changed this in the meantime. Try again."))
    except IntegrityError:
        # Another customer's phone with this MAC, in the same moment: planned again, it is refused in words.
        plan = phone_plan(actor, customer, person, values)
        if not plan.refused:
            raise
    return plan


def phone_change(
    actor: User,
    customer: Customer,
    phone: Phone,
    values: Mapping[str, Any],
    facts: RequestFacts,
    seen: int | None = None,
    reason: str = "",
) -> road.Plan:
    """Change settings of a phone, or move it (`user`: a primary key, or None for the stock). Raises what
    `apply` raises."""
    plan = road.plan(actor, customer, phone_sheet(), [road.Row(phone.pk, values, seen=seen)])
    road.apply(plan, facts, reason)
    return plan


def phone_move_plan(actor: User, customer: Customer, phone: Phone, person: User | None) -> road.Plan:
    """What giving a phone to `person` (None: back to the stock) would do."""
    wanted = road.Row(phone.pk, {"user": person.pk if person else None})
    return road.plan(actor, customer, phone_sheet(), [wanted])


def logo_change(
    actor: User, customer: Customer, phone: Phone, upload: Any, facts: RequestFacts
) -> road.Commit:
    """Give a phone the uploaded picture as its logo (None: none), and say how it ended."""
    plan = road.plan(actor, customer, phone_sheet(), [road.Row(phone.pk, {"logo": upload})])
    written = False
    try:
        done = road.commit(plan, facts)
        written = done.outcome is not Outcome.CONFLICT
    finally:
        # The file is there before the row: where the row isn't written, nobody would ever ask for it.
        if not written:
            logos.forget_unused(phone.pk, plan.rows[0].after.get("logo", ""))
    return done


def phone_removal(actor: User, customer: Customer, phone: Phone) -> road.Removal:
    """What taking a phone away would mean; once it is done, its token is dead."""
    return road.plan_removal(actor, customer, phone_sheet(), [phone.pk], verb=rights.Verb.EDIT)


def phone_delete(actor: User, customer: Customer, phone: Phone, facts: RequestFacts) -> Operation | None:
    """Take a phone away. Raises `RefusedError` or `ChangedMeanwhileError`."""
    return road.remove(phone_removal(actor, customer, phone), facts)


# --- Commands ---
def phone_command(actor: User, phone: Phone, command: Phone.Command, facts: RequestFacts) -> str:
    """Restart or reprovision a phone by hand: into the outbox and the history, then to a worker. A refusal,
    or ""."""
    command = Phone.Command(command)
    if refusal := rights.why_not(
        actor, rights.Verb.COMMAND, phone.user, phone.customer
    ) or selectors.why_no_command(phone, command):
        return str(refusal)
    with transaction.atomic():
        if not outbox.press(phone.pk, command, timezone.now()):
            return _("This command was just sent to the phone.")
        cell = {"column": "command", "old": "", "new": str(command)}
        road.record_operation(
            actor,
            phone.customer,
            Kind.COMMAND,
            facts,
            "",
            [road.change_of(phone_sheet(), phone, Kind.COMMAND, [cell])],
        )
        telling.after_commit([phone.pk])
    return ""


# --- Secrets ---
def reveal_secret(actor: User, phone: Phone, which: str, facts: RequestFacts) -> str:
    """A secret of `noted.SECRETS` in plain text; that it was shown is in the history before it is. Raises
    `RefusedError`."""

    def read() -> str:
        known = Phone.objects.select_related("user").get(pk=phone.pk)
        if which == "link":
            # A model that isn't in the catalogue any more has no wishes.
            folder, vendor = build.provisioning_url(known, Reader.PERSON), selectors.maker_of(known)
            return vendor.entered_address(folder) if vendor else folder
        if which == "web":
            return plain(known, Phone.web_password, Reader.PERSON)
        return plain(known.user, User.sip_password, Reader.PERSON) if known.user else ""

    cell = {"column": which, "old": "", "new": MASK}
    return road.reveal(actor, phone.customer, phone_sheet(), phone, cell, facts, read)


def token_rotate(actor: User, phone: Phone, facts: RequestFacts, at_once: bool = False) -> None:
    """Give a phone a new secret address. Raises `RefusedError`.

    The one that the phone knows goes on until the first use of the new one, which it learns by its next
    fetch: else it could never fetch the file that tells it. `at_once` (the link got into wrong hands): the
    old one is dead now, and the new one must be entered at the phone.
    """
    if rights.why_not(actor, rights.Verb.COMMAND, phone.user, phone.customer):
        raise road.RefusedError
    with transaction.atomic():
        held = Phone.objects.select_for_update(of=("self",)).get(pk=phone.pk)
        # Changed twice before a fetch: what the phone knows is still the first one.
        previous = held.previous_token_hash or held.token_hash
        token = random_token()
        Phone.objects.filter(pk=held.pk).update(
            token=token, token_hash=fingerprint(token), previous_token_hash="" if at_once else previous
        )
        cell = {"column": "link", "old": MASK, "new": MASK}
        road.record_operation(
            actor,
            held.customer,
            Kind.EDIT,
            facts,
            "",
            [road.change_of(phone_sheet(), held, Kind.EDIT, [cell])],
        )
        telling.after_commit(outbox.mark_stale(Phone.objects.filter(pk=held.pk)))


# --- The file ---
@dataclass(frozen=True)
class ShownFile:
    """A phone's file for people, secrets as dots. `lines` is the whole file, with what the last fetched one
    had otherwise."""

    name: str
    lines: list[DiffLine] = field(default_factory=list)
    fetched: bool = False
    same: bool = False
    problem: str = ""


class NoFileError(Exception):
    """There is no file for this phone; the text says why, in the reader's language."""


def phone_file_text(phone: Phone) -> str:
    """What the phone would be given now, secrets included; raises `NoFileError`."""
    loaded = build.loaded(Phone.objects.filter(pk=phone.pk)).get()
    try:
        made = build.context_for(loaded)
        if made is None:
            raise NoFileError(_("Nobody uses this phone, or its user is disabled: it gets no configuration."))
        return build.device_file(made).decode()
    except UnknownModelError:
        raise NoFileError(_("The model is no longer in the catalogue: choose another one.")) from None
    except ContextError as error:
        problems = ", ".join(f"{problem.field}: {problem.message}" for problem in error.problems)
        raise NoFileError(
            _("The configuration can't be generated: %(problems)s.") % {"problems": problems}
        ) from None
    except UnsafeTextError as error:
        raise NoFileError(
            _("The configuration can't be generated: %(problems)s.") % {"problems": error}
        ) from None


def phone_file_lines(phone: Phone) -> list[FileLine]:
    """The lines of what the phone would be given now, their secrets hidden; raises `NoFileError`."""
    text = phone_file_text(phone)
    return vendor_of(phone.model).lines(text)


def phone_file_diff(phone: Phone, context: int = 3) -> list[DiffLine]:
    """What the phone would get now against what it fetched last, secrets hidden; empty where it is the
    same."""
    return configtext.diff(_fetched_lines(phone), phone_file_lines(phone), context)


def file_for_page(phone: Phone) -> ShownFile:
    """The whole file, marked where it differs from the one that was fetched last, secrets as dots."""
    fetched = _fetched_lines(phone)
    try:
        now = phone_file_lines(phone)
    except NoFileError as error:
        return ShownFile(phone.mac, fetched=bool(fetched), problem=str(error))
    name = vendor_of(phone.model).file_name(phone.mac, find_model(phone.model))
    if not fetched or fetched == now:
        return ShownFile(name, [DiffLine(" ", line.shown) for line in now], bool(fetched), bool(fetched))
    whole = configtext.diff(fetched, now, context=len(fetched) + len(now))
    return ShownFile(name, [line for line in whole if line.sign != "@"], fetched=True)


def _fetched_lines(phone: Phone) -> list[FileLine]:
    """The lines of what it fetched last, in the words of the make that it was then: another's wouldn't know its secrets."""
    known = Phone.objects.only("fetched_text", "fetched_model", "model").get(pk=phone.pk)
    text = plain(known, Phone.fetched_text, Reader.COMPARISON)
    try:
        return vendor_of(known.fetched_model or known.model).lines(text)
    except UnknownModelError:
        return []


# --- What is kept of a phone ---
def settings_as_text(phone: Phone) -> str:
    """The phone's settings in words, a line each, to keep before it is deleted. No secrets."""
    scope = Scope(None, phone.customer)
    sheet = phone_sheet()
    lines = [f"{sheet.columns['mac'].label}: {phone.mac_with_colons}"]
    if phone.user:
        lines.append(f"{sheet.columns['user'].label}: {phone.user}")
    model = selectors.model_of(phone)
    lines += [
        f"{column.label}: {column.show(column.read(phone), scope)}"
        for column in (MODEL, *SETTINGS)
        if offers(model, column)
    ]
    return "".join(_one_line(line) + "\n" for line in lines)


def _one_line(text: str) -> str:
    return "".join(sign for sign in text if unicodedata.category(sign) not in ("Cc", "Zl", "Zp"))
