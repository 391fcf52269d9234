"""People's lines as the PBX is to treat them: what the tabs say, worked out in one place, in no telephone system's own words.

`lines_of` gives data, the same in every language; `in_words` tells a line to people.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from pbxadmin.common.fields import phone_number_national
from signin import single_sign_on
from signin.models import LinkedAccount
from users import rights
from users.models import AskedOfVisitors, Customer, Options, Planning, User
from users.people.emergency import emergency_caller_id
from users.people.sections import user_sheet
from users.people.sections.talk import meet_url, talk_url


class Registration(StrEnum):
    """From where devices may register on the extension."""

    NOWHERE = "nowhere"  # the extension is out of service
    TUNNELLED = "lan_or_tunnel"  # the local network, an SBC, an app's tunnel
    ANYWHERE = "anywhere"


class OutsideCalls(StrEnum):
    """Which numbers outside of the company may be dialled. Emergency numbers always may."""

    ALLOWED = "allowed"
    WITH_PIN = "with_pin"
    EMERGENCY_ONLY = "emergency_only"


class Audio(StrEnum):
    """Which way the voice takes."""

    DIRECT = "direct"  # from device to device where it can
    THROUGH_PBX = "through_pbx"


@dataclass(frozen=True, slots=True)
class Line:
    """One extension as configured, effects only: what a switch doesn't change isn't in here.

    Licence conditions are applied already, and empty text or tuples mean "not at all". Times of day aren't in here: what
    a call does at an instant is `forwarding.routing`'s.
    """

    extension: str
    name: str
    sip_address: str
    auth_id: str
    direct_sip_address: str  # "sip:amelie@fqdn", reachable from the Internet; "" without a SIP ID
    sign_in: bool  # in the portal
    single_sign_on: tuple[
        str, ...
    ]  # "microsoft", "google": accounts that open the portal now, because they are linked
    single_sign_on_offered: tuple[str, ...]  # as well: set up, left on for them, not linked yet
    registration: Registration
    hot_desking: bool
    srtp: str  # disabled, enabled, enforced
    audio: Audio
    caller_id: str  # E.164; shown to outside callees
    emergency_caller_id: (
        str  # the department's: rescuers come to where that is; else what `emergency.shown_instead` says
    )
    outside_calls: OutsideCalls
    pin_code: str  # dialled before the voicemail PIN; "" where no PIN is asked
    pin_open_seconds: int
    outside_calls_only_in_hours: bool
    hours: str  # department, own
    status_follows_hours: bool
    recording: str  # off, external, all
    recording_controls: bool
    recordings_visible: bool
    recordings_deletable: bool
    screens_bounced_calls: bool
    missed_call_mail: str  # the address; "" for no mail
    in_directory: bool
    sees_own_forwarding: bool
    integrations: tuple[str, ...]  # "teams", "microsoft_calendar", …
    talk_url: str  # "" where the link is off
    meet_url: str
    talk_asks: tuple[str, ...]  # "name", "email"
    meeting_needs_approval: bool
    sees: tuple[str, ...]  # "presence", "calls", … in at least one department, see `users.rights.Sight`
    shows_calls: bool  # in at least one of their departments
    # What the tabs of other apps add: {address of the tab: data}.
    tabs: Mapping[str, Mapping[str, Any]]

    def as_dict(self) -> dict[str, Any]:
        """Ready for JSON."""
        own = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "tabs"}
        return own | dict(self.tabs)


ASKS = {
    AskedOfVisitors.NAME_AND_EMAIL: ("name", "email"), AskedOfVisitors.NAME: ("name",), AskedOfVisitors.EMAIL: ("email",), AskedOfVisitors.NOTHING: (),
}  # fmt: skip
INTEGRATIONS = (
    ("has_microsoft_365", "ms365_teams", "teams"),
    ("has_microsoft_365", "ms365_calendar", "microsoft_calendar"),
    ("has_microsoft_365", "ms365_contacts", "microsoft_contacts"),
    ("has_google", "google_contacts", "google_contacts"),
    ("has_google", "google_calendar", "google_calendar"),
)


# People who are asked about come with these loaded, and without what no line says.
LOADED = ("customer", "role", "primary_department")
NOT_LOADED = ("password", "sip_password")


def line_of(user: User) -> Line:
    """The line of somebody with an extension: `lines_of` for one."""
    return lines_of([user])[user.pk]


def lines_of(people: Sequence[User]) -> dict[int, Line]:
    """The lines of people with an extension: {primary key: line}. They come with what `LOADED` names.

    Four queries for any number of people, and those of the tabs that keep rows of their own (`Contribution.effects`).
    """
    active = [person for person in people if person.is_active]
    rights.learn_departments(people)
    forced = rights.forcings_of(active)
    views = rights.views_of(active, forced)
    accounts = single_sign_on.linked_accounts([person for person in active if person.email])
    tabs = {
        section.slug: section.adds.effects.of(people)
        for section in user_sheet().sections
        if section.adds.effects
    }
    return {
        person.pk: _line(
            person,
            forced.get(person.pk, {}),
            views.get(person.pk, {}),
            accounts.get(person.pk, {}),
            {slug: found[person.pk] for slug, found in tabs.items()},
        )
        for person in people
    }


def _line(
    user: User,
    forced: rights.Forcings,
    views: Mapping[int, rights.Sight],
    linked: Mapping[str, LinkedAccount],
    tabs: Mapping[str, Mapping[str, Any]],
) -> Line:
    customer, department = user.customer, user.primary_department
    assert customer is not None, "support staff have no extension"
    active = user.is_active
    edition = customer.edition

    def chosen(options: tuple[tuple[str, str, str], ...]) -> tuple[str, ...]:
        return tuple(
            name
            for flag, option, name in options
            if active and getattr(customer, flag) and getattr(user, option)
        )

    offered = single_sign_on.providers_for(user) if active and user.email else []
    holding = tuple(key for key in offered if key in linked and single_sign_on.holds(linked[key], user))
    pin = active and user.pin_protected and not user.outbound_disabled
    department_caller_id = department.outbound_caller_id if department else ""
    reachable = active and user.talk_enabled
    return Line(
        extension=user.number,
        name=user.full_name,
        sip_address=f"sip:{user.number}@{customer.fqdn}",
        auth_id=user.sip_auth_id,
        direct_sip_address=f"sip:{user.sip_id}@{customer.fqdn}" if user.sip_id and active else "",
        sign_in=active,
        single_sign_on=holding,
        single_sign_on_offered=tuple(key for key in offered if key not in holding),
        registration=_registration(user),
        hot_desking=active and user.hot_desking and edition != Customer.Edition.STANDARD,
        srtp=user.srtp,
        audio=Audio.THROUGH_PBX if user.pbx_delivers_audio else Audio.DIRECT,
        caller_id=user.outbound_caller_id or department_caller_id,
        emergency_caller_id=emergency_caller_id(department, customer),
        outside_calls=_outside_calls(user),
        pin_code=customer.pin_protection_code if pin else "",
        pin_open_seconds=user.pin_protect_seconds if pin else 0,
        outside_calls_only_in_hours=user.block_outbound_out_of_hours,
        hours=user.hours_mode,
        status_follows_hours=user.auto_switch_status,
        recording=user.recording,
        recording_controls=user.recordings_controllable or edition != Customer.Edition.ENTERPRISE,
        recordings_visible=user.recordings_visible or user.recordings_deletable,
        recordings_deletable=user.recordings_deletable,
        screens_bounced_calls=user.call_screening,
        missed_call_mail=user.email if user.missed_call_email else "",
        in_directory=active and not user.hidden,
        sees_own_forwarding=rights.sees_own_forwarding(user),
        integrations=chosen(INTEGRATIONS),
        talk_url=talk_url(customer, user.talk_name) if reachable else "",
        meet_url=meet_url(customer, user.talk_name) if reachable else "",
        talk_asks=ASKS[AskedOfVisitors(user.talk_ask)] if reachable else (),
        meeting_needs_approval=reachable and user.meet_approve,
        sees=tuple(
            name for name in ("presence", "calls", "pick_up", "control_ivr", "intercom", "barge_in")
            if any(getattr(sight, name) for sight in views.values())
        ),
        tabs=tabs,
        shows_calls=active and any(forced.get(key, rights.Forced()).show_my_calls is not False for key in user.department_ids),
    )  # fmt: skip


def _registration(user: User) -> Registration:
    if not user.is_active:
        return Registration.NOWHERE
    return Registration.TUNNELLED if user.block_remote else Registration.ANYWHERE


def _outside_calls(user: User) -> OutsideCalls:
    if user.outbound_disabled or not user.is_active:
        return OutsideCalls.EMERGENCY_ONLY
    return OutsideCalls.WITH_PIN if user.pin_protected else OutsideCalls.ALLOWED


# --- In words ---------------------------------------------------------------------------------------------------
def in_words(line: Line) -> list[tuple[str, str]]:
    """The line for people: label and sentence, in the reader's language."""
    registration = {
        Registration.NOWHERE: _("nowhere: the extension is out of service"),
        Registration.TUNNELLED: _("from the local network, through an SBC or an app's tunnel"),
        Registration.ANYWHERE: _("from anywhere"),
    }
    outside = {
        OutsideCalls.ALLOWED: _("allowed"),
        OutsideCalls.WITH_PIN: _("after %(code)s and the voicemail PIN, for %(seconds)s s")
        % {"code": line.pin_code, "seconds": line.pin_open_seconds},
        OutsideCalls.EMERGENCY_ONLY: _("emergency numbers only"),
    }
    outside_said = outside[line.outside_calls]
    if line.outside_calls_only_in_hours and line.outside_calls is not OutsideCalls.EMERGENCY_ONLY:
        outside_said += " · " + _("only during office hours")
    recording = [str(dict(Options.Recording.choices)[line.recording])]
    recording += [
        text for flag, text in (
            (line.recording_controls, _("may start and stop it")), (line.recordings_visible, _("sees the recordings")),
            (line.recordings_deletable, _("may delete them")),
        ) if flag
    ]  # fmt: skip
    hours = str(dict(Planning.Hours.choices)[line.hours])
    sight = {
        "presence": _("Presence"), "calls": _("Calls"), "pick_up": _("Pickup and diverting"), "control_ivr": _("IVR control"),
        "intercom": _("Intercom"), "barge_in": _("Barge in, whisper, listen"),
    }  # fmt: skip
    names = {
        "microsoft": "Microsoft", "google": "Google", "teams": "MS Teams", "microsoft_calendar": _("Microsoft calendar"),
        "microsoft_contacts": _("Microsoft contacts"), "google_contacts": _("Google contacts"), "google_calendar": _("Google calendar"),
    }  # fmt: skip

    def listed(keys: tuple[str, ...], words: dict[str, str], none: str) -> str:
        return ", ".join(words[key] for key in keys) or none

    signs_in = _("nothing: the extension is out of service")
    if line.sign_in:
        later = [
            _("%(name)s once the account is linked") % {"name": names[key]}
            for key in line.single_sign_on_offered
        ]
        signs_in = ", ".join(
            [_("the portal's password"), *(names[key] for key in line.single_sign_on), *later]
        )
    return [
        (_("Registers"), registration[line.registration]),
        (_("SIP address"), " · ".join(filter(None, [line.sip_address, line.direct_sip_address]))),
        (_("Voice encryption"), str(dict(Options.Srtp.choices)[line.srtp])),
        (_("Voice path"), _("through the PBX") if line.audio is Audio.THROUGH_PBX else _("straight between the devices where possible")),
        (_("Hot desking"), _yes(line.hot_desking)),
        (_("Outside calls"), outside_said),
        (_("Outbound caller ID"), phone_number_national(line.caller_id) or pgettext("caller ID", "none")),
        (_("Emergency caller ID"), phone_number_national(line.emergency_caller_id) or pgettext("caller ID", "none")),
        (_("Recording"), " · ".join(recording)),
        (_("Screens bounced calls"), _yes(line.screens_bounced_calls)),
        (_("Missed calls"), _("email to %(address)s") % {"address": line.missed_call_mail} if line.missed_call_mail else _("no email")),
        (_("Directory"), _("listed") if line.in_directory else _("not listed, nor offered as a destination")),
        (_("This user's forwarding rules"), _("visible to the user") if line.sees_own_forwarding else _("hidden from the user")),
        (_("Office hours"), f"{hours} · " + _("the status follows them") if line.status_follows_hours else hours),
        (_("What this user sees of others"), listed(line.sees, sight, _("nothing"))),
        (_("This user's calls"), _("shown to the department") if line.shows_calls else _("not shown")),
        (_("Integrations"), listed(line.integrations, names, pgettext("integration", "none"))),
        (_("Signs in with"), signs_in),
        (_("Talk and Meet"), " · ".join(_talk_in_words(line)) or _("switched off")),
        *(
            told
            for section in user_sheet().sections
            if section.adds.effects and section.slug in line.tabs
            for told in section.adds.effects.in_words(line.tabs[section.slug])
        ),
    ]  # fmt: skip


def _talk_in_words(line: Line) -> list[str]:
    """The two links, and what visitors meet there; nothing where they are off."""
    if not line.talk_url and not line.meet_url:
        return []
    asked = next(each for each, keys in ASKS.items() if keys == line.talk_asks)
    label = User._meta.get_field("talk_ask").verbose_name
    found = [line.talk_url, line.meet_url, _("%(what)s: %(which)s") % {"what": label, "which": asked.label}]
    if line.meeting_needs_approval:
        found.append(str(User._meta.get_field("meet_approve").verbose_name))
    return [text for text in found if text]


def _yes(value: bool) -> str:
    return _("Yes") if value else _("No")
