"""Tab "Messagerie vocale": the mailbox of a person, its rules, and who loses what when something goes."""

import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Case, F, Q, Value, When
from django.urls import reverse
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from pbxadmin.common.columns import OPPOSITE, FieldColumn, Scope
from pbxadmin.common.companions import CompanionStore, companion_columns
from pbxadmin.common.contributions import Contribution, Legacy, ListColumn
from pbxadmin.common.crypto import Reader, plain
from pbxadmin.common.keyset import Key
from pbxadmin.common.parts import Part
from pbxadmin.common.personal import PersonalColumn, offer_own, refuse_what_is_anothers
from pbxadmin.common.reasons import Reason
from pbxadmin.common.sections import Section
from users import rights, road
from users.models import Did, User
from users.rights import Own, Verb
from voicemail.effects import EFFECTS
from voicemail.greetings.for_many import GIVE
from voicemail.messages import UNREAD
from voicemail.models import Greeting, Mailbox
from voicemail.pins import Weakness, random_pin, weakness
from voicemail.resets import RESETS

PREFIX = "voicemail"
DEFAULT_GREETING = f"{PREFIX}.default_greeting"
# The sets of prompts of 3CX: each is known by its number in every installation. It has one French for all of them.
PROMPT_SETS = {
    "fr-CA": "0D767FEA-10A3-4ba4-8A57-FE74BDABE4E5",
    "en": "8210986B-9412-497f-AD77-3A554F4A9BDB",
    "es": "F1BAA317-E130-44ff-B467-63AE7F9EC061",
}
# What a form or a file says to have a new PIN made; each row then gets its own.
REGENERATE = "regenerate"

SENTENCES: Mapping[Weakness, Any] = {
    Weakness.NOT_DIGITS: gettext_lazy("A PIN contains only digits."),
    Weakness.LENGTH: gettext_lazy("A PIN has 4 to 10 digits."),
    Weakness.EXTENSION: gettext_lazy(
        "The PIN can't contain the extension, nor repeat it or say it backwards."
    ),
    Weakness.PHONE_NUMBER: gettext_lazy(
        "The PIN can't be a part of one of the extension's phone numbers, the mobile included."
    ),
    Weakness.REPEATED: gettext_lazy(
        "The PIN needs three different digits, and no repetition such as 123123, 112233 or 123321."
    ),
    Weakness.RUN: gettext_lazy(
        "The PIN can't be digits that follow one another, such as 1234, 8901 or 2468."
    ),
    Weakness.KEYPAD: gettext_lazy("The PIN can't be a pattern on the keypad, such as 2580 or 147258."),
    Weakness.YEAR: gettext_lazy("The PIN can't be a year."),
    Weakness.COMMON: gettext_lazy(
        "This PIN is one of those that people choose most often: choose another one."
    ),
}


def read_off(rows: Sequence[Any]) -> list[tuple[str, list[str]]]:
    """What everybody knows of each planned person: their extension and their phone numbers. One query for all."""
    keys = {key for row in rows for key in _value(row, "dids") if isinstance(key, int)}
    dids = {
        key: number
        for part in road.chunks(list(keys))
        for key, number in Did.objects.filter(pk__in=part).values_list("pk", "number")
    }
    return [
        (
            _value(row, "number"),
            [
                *filter(
                    None,
                    (
                        _value(row, "mobile"),
                        _value(row, "outbound_caller_id"),
                        *map(dids.get, _value(row, "dids")),
                    ),
                )
            ],
        )
        for row in rows
    ]


def _value(row: road.RowPlan, name: str) -> Any:
    return row.after.get(name, row.before.get(name)) or ""


def new_pins(rows: Sequence[Any]) -> list[str]:
    """A PIN for each person who is made without one."""
    return [random_pin(secrets.SystemRandom(), extension, numbers) for extension, numbers in read_off(rows)]


MAILBOXES = CompanionStore(Mailbox, prefixes=(PREFIX,), made={"pin": new_pins})


def _field(name: str) -> Any:
    return Mailbox._meta.get_field(name)


class LanguageColumn(FieldColumn):
    """The language of the prompts; blank is the primary department's, and says so."""

    def form_field(self, scope: Scope) -> forms.Field:
        """A menu."""
        choices = [("", gettext_lazy("The department's")), *self.field.flatchoices]
        return forms.ChoiceField(label=self.label, help_text=self.help, choices=choices, required=False)

    def said_in_file(
        self, text: str, scope: Scope, record_is_new: bool
    ) -> tuple[dict[str, Any], Sequence[Reason]]:
        """Another installation's set of prompts (Italian, or one of its own) is the department's language here, and that is told."""
        try:
            return super().said_in_file(text, scope, record_is_new)
        except ValidationError:
            words = _("The portal has no prompts “%(value)s”: the department's language is used.")
            return {self.name: ""}, [Reason(words % {"value": text.strip()[:60]}, "unknown_language")]

    def show(self, value: Any, scope: Scope | None = None) -> str:
        """The language's name."""
        return super().show(value, scope) if value else _("The department's")


class DefaultGreetingColumn(PersonalColumn):
    """Which greeting; blank is the phone system's own."""

    def form_field(self, scope: Scope) -> forms.Field:
        """A menu, the phone system's greeting first."""
        choices = [("", gettext_lazy("The phone system's greeting")), *self.choices(scope)]
        return forms.ChoiceField(label=self.label, help_text=self.help, choices=choices, required=False)

    def show(self, value: Any, scope: Scope | None = None) -> str:
        """The greeting's name."""
        return super().show(value, scope) if value else _("The phone system's greeting")


class PinColumn(FieldColumn):
    """The PIN: typed anew or left as it is, never shown by a form. "regenerate" has one made, each row its own."""

    def form_field(self, scope: Scope) -> forms.Field:
        """A box that is always empty."""
        attributes = {
            "autocomplete": "new-password",
            "inputmode": "numeric",
            "maxlength": 20,
            "class": "narrow",
        }
        return forms.CharField(
            label=self.label,
            help_text=self.help,
            required=False,
            widget=forms.PasswordInput(attributes, render_value=False),
        )

    def clean(self, raw: Any, scope: Scope) -> Any:
        """Digits, enough of them; '' and "regenerate" have their meaning in the rules, which also ask whether anybody would guess it:
        the one that somebody has stays theirs when it comes again."""
        pin = str(raw or "").strip()
        if pin in ("", REGENERATE):
            return pin
        if (found := weakness(pin)) in (Weakness.NOT_DIGITS, Weakness.LENGTH):
            raise ValidationError(SENTENCES[found], code=str(found))
        return pin


COLUMNS = companion_columns(
    MAILBOXES,
    PREFIX,
    enabled={"csv": "VMEnable", "own": Own.VOICEMAIL},
    language=LanguageColumn(
        _field("language"),
        own=Own.VOICEMAIL,
        csv="VMLanguage",
        codes=PROMPT_SETS,
        more=gettext_lazy("Choose the language of the voice prompts that the caller and the user hear."),
    ),
    pin=PinColumn(
        _field("pin"),
        own=Own.VOICEMAIL,
        csv="VMPIN",
        identity=True,
        help=gettext_lazy(
            "Entered by the user to reach the voicemail from a phone: 4 to 10 digits. Blank: the PIN stays as it is."
        ),
        more=gettext_lazy(
            "Choose a safe PIN to protect the messages: not the extension, no repeated digits, no digits in sequence, not a year."
        ),
    ),
    default_greeting=DefaultGreetingColumn(
        _field("default_greeting"),
        Greeting.objects.options,
        Greeting.objects.of_people,
        own=Own.VOICEMAIL,
        more=gettext_lazy(
            "In the tab “Call forwarding”, a status can have a greeting of its own, or use the default one chosen here."
        ),
    ),
    play_date_time={
        "csv": "VMPlayMsgDateTime",
        "own": Own.VOICEMAIL,
        "codes": {"no": "0", "h12": "1", "h24": "2"},
        "help": gettext_lazy(
            "Whether the voicemail announces the date and time at which each message was left."
        ),
    },
    email_option={
        "csv": "VMEmailOptions",
        "own": Own.VOICEMAIL,
        "codes": {"none": "0", "notify": "1", "attach": "2", "attach_delete": "3"},
        "help": gettext_lazy("What is sent to the user's email address when a message comes in."),
        "more": gettext_lazy(
            "Deleting a message from the email inbox doesn't delete it from the mailbox: the user has to do that too. To handle "
            "messages by email only, choose “Send the message as an attachment and delete it from the mailbox”."
        ),
    },
    pin_disabled={
        "csv": "VMNoPin",
        "codes": OPPOSITE,
        "help": gettext_lazy(
            "Easier, but less safe: anybody who uses the user's phone can listen to the messages."
        ),
    },
    play_caller_id={
        "csv": "VMPlayCallerID",
        "own": Own.VOICEMAIL,
        "help": gettext_lazy("Announces the caller's number at the beginning of each message."),
    },
)
# To whoever changes their own.
OWN_HELP = {
    "pin": gettext_lazy(
        "Entered to reach your voicemail from a phone: 4 to 10 digits. Blank: the PIN stays as it is."
    ),
    "email_option": gettext_lazy("What is sent to your email address when a message comes in."),
}
OWN_MORE = {
    "language": gettext_lazy("Choose the language of the voice prompts that callers and you hear."),
    "default_greeting": gettext_lazy(
        "A status can have a greeting of its own, or use the default one chosen here."
    ),
    "email_option": gettext_lazy(
        "Deleting a message from the email inbox doesn't delete it from the mailbox: you have to do that too. To handle messages by "
        "email only, choose “Send the message as an attachment and delete it from the mailbox”."
    ),
}
PIN = MAILBOXES.columns["voicemail.pin"]
LANGUAGE = MAILBOXES.columns["voicemail.language"]


# That the PINs of a plan were compared with the present ones.
COMPARED = f"{PIN.name}: compared"


# --- Rules -------------------------------------------------------------------------------------------------------
def pin_stays(row: road.RowPlan, plan: road.Plan) -> None:
    """A blank PIN leaves the present one alone; somebody new has one made."""
    if row.after.get(PIN.name) != "":
        return
    if row.new:
        row.put(PIN.name, REGENERATE)
    else:
        row.leave(PIN.name)


def the_same_pin_is_no_change(plan: road.Plan) -> None:
    """A PIN that is typed again, or comes back with a file, is the one that there is: nothing happens, and nobody is told it is new.

    Asked once for a plan: whoever writes in between is found by the record's version.
    """
    if COMPARED in plan.known:
        return
    plan.known.add(COMPARED)
    typed = {
        row.key: row
        for row in plan.rows
        if not row.new and row.record is not None and row.after.get(PIN.name, REGENERATE) != REGENERATE
    }
    for part in road.chunks(list(typed)):
        for mailbox in Mailbox.objects.filter(user__in=part).only("user", "pin"):
            row = typed[mailbox.user_id]
            if constant_time_compare(plain(mailbox, Mailbox.pin, Reader.CHECK), row.after[PIN.name]):
                row.leave(PIN.name)


def pins_are_not_guessed(plan: road.Plan) -> None:
    """A PIN isn't what everybody can read of its person: extension and phone numbers. A wanted one is made here, for each row its own."""
    rows = [row for row in plan.rows if row.record is not None and row.after.get(PIN.name)]
    if not rows:
        return
    plan.need("number", "mobile", "outbound_caller_id", "dids")
    for row, (extension, numbers) in zip(rows, read_off(rows), strict=True):
        pin = row.after[PIN.name]
        if pin == REGENERATE:
            row.put(PIN.name, random_pin(secrets.SystemRandom(), extension, numbers))
        elif found := weakness(pin, extension, numbers):
            row.refuse(PIN.name, SENTENCES[found], "pin_weak")


def open_mailbox_is_told(row: road.RowPlan, plan: road.Plan) -> None:
    """A mailbox without a PIN, and mails to nobody, are possible and are told."""
    if row.changes.get("voicemail.pin_disabled", (None, False))[1]:
        row.warn(
            "voicemail.pin_disabled",
            _("Without a PIN, anyone who uses this user's phone can listen to the messages."),
        )
    option = row.changes.get("voicemail.email_option", (None, None))[1]
    if option and option != Mailbox.EmailOption.NONE:
        plan.need("email")
        if not row.value("email"):
            missing = (
                _(
                    "You have no email address: nothing can be sent. An administrator of your company can add one."
                )
                if plan.verb is Verb.SELF
                else _("This user has no email address: nothing can be sent. Add one in the tab “General”.")
            )
            row.warn("voicemail.email_option", missing)


# --- Deleting ----------------------------------------------------------------------------------------------------
def what_a_deleted_user_takes_along(records: Sequence[Any], scope: Scope) -> dict[Any, list[str]]:
    """A deleted person's messages and own greetings go with them."""
    losses = greetings_of(records)
    waiting = Mailbox.objects.filter(user__in=[record.pk for record in records], unread__gt=0)
    for mailbox in waiting.only("user", "unread"):
        count = mailbox.unread or 0
        said = ngettext("%(count)s unread voicemail message.", "%(count)s unread voicemail messages.", count)
        losses[mailbox.user_id] = [said % {"count": count}, *losses.get(mailbox.user_id, [])]
    return losses


def greetings_of(records: Sequence[Any]) -> dict[Any, list[str]]:
    """How many greetings each of these people has in their library."""
    losses: dict[Any, list[str]] = {}
    counts: dict[int, int] = {}
    for user in (
        Greeting.objects.in_library()
        .filter(user__in=[record.pk for record in records])
        .values_list("user", flat=True)
    ):
        counts[user] = counts.get(user, 0) + 1
    for user, count in counts.items():
        losses[user] = [
            ngettext("%(count)s recorded greeting.", "%(count)s recorded greetings.", count)
            % {"count": count}
        ]
    return losses


def page_facts(scope: Scope, person: User, form: Any) -> dict[str, Any]:
    """Where the library of greetings is; in the form, which language the department has, and the person's own greetings."""
    offer_own(form, person.pk, scope)
    if (department := person.primary_department) and LANGUAGE.name in form.fields:
        said = (
            _("Language of the prompts that callers and you hear. The department's: %(department_language)s.")
            if person.pk == scope.actor.pk
            else _(
                "Language of the prompts that callers and the user hear. The department's: %(department_language)s."
            )
        )
        form.fields[LANGUAGE.name].help_text = said % {
            "department_language": department.get_language_display()
        }
    own = person.pk == scope.actor.pk and not rights.administers(scope.actor)
    url = (
        reverse("own_greetings_page")
        if own
        else reverse("greetings_page", args=[scope.customer.slug, person.number])
    )
    found = Mailbox.objects.filter(user=person).values_list("pin_weakness", "unread").first() or ("", None)
    weak = SENTENCES.get(Weakness(found[0])) if found[0] else ""
    return {"greetings_url": url, "pin_weak": weak, "unread": found[1]}


def _mailbox_said(enabled: bool, weak: str) -> str:
    """Whether there is a voicemail, and whether anybody would guess its PIN."""
    if not enabled:
        return _("No")
    return _("Yes, PIN easily guessed") if weak else _("Yes")


VOICEMAIL = Section(
    slug="voicemail",
    title=gettext_lazy("Voicemail"),
    intro="",
    columns=COLUMNS,
    parts=(
        Part("voicemail.enabled"),
        Part("voicemail.pin_disabled", gettext_lazy("Additional options")),
    ),
    template="voicemail/tab.html",
    view="voicemail.views.voicemail_tab",
    row_rules=(pin_stays, open_mailbox_is_told),
    set_rules=(the_same_pin_is_no_change, pins_are_not_guessed, refuse_what_is_anothers(COLUMNS)),
    page_facts=page_facts,
    own_help=OWN_HELP,
    own_more=OWN_MORE,
    adds=Contribution(
        listed=(
            ListColumn(
                "voicemail",
                gettext_lazy("Voicemail"),
                lambda person: _mailbox_said(person.has_voicemail, person.weak_pin),
                order=(Case(When(mailbox__enabled=True, then=Value(0)), default=Value(1)),),
                reads={"has_voicemail": F("mailbox__enabled"), "weak_pin": F("mailbox__pin_weakness")},
            ),
            ListColumn(
                "messages",
                gettext_lazy("New messages"),
                lambda person: "" if person.unread is None else str(person.unread),
                order=(Key(UNREAD, blank=True),),
                reads={"unread": UNREAD},
            ),
        ),
        menus={
            "voicemail": (
                gettext_lazy("Voicemail"),
                {
                    "off": (gettext_lazy("Voicemail off"), Q(mailbox__enabled=False)),
                    "weak_pin": (gettext_lazy("PIN easily guessed"), ~Q(mailbox__pin_weakness="")),
                    "messages": (gettext_lazy("New voicemail messages"), Q(mailbox__unread__gt=0)),
                },
            )
        },
        losses=what_a_deleted_user_takes_along,
        resets=RESETS,
        actions=(GIVE,),
        effects=EFFECTS,
        hands_over=(
            Legacy(
                "voicemail",
                gettext_lazy("Voicemail settings"),
                gettext_lazy("The PIN and the messages stay with the mailbox of this user."),
                columns=tuple(column.name for column in COLUMNS if not column.secret),
            ),
        ),
    ),
)
