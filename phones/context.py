"""One phone as it should be configured, in words no vendor owns: `phones.build` makes it, a vendor reads it.

Pure: no Django, no database. The text values of the enumerations are what the database stores; each vendor
maps them to its own codes, and each model says which of them it has.
"""

import hashlib
from dataclasses import dataclass, field, fields
from datetime import time
from enum import StrEnum
from functools import cached_property

from pbxadmin.common.values import dial_codes
from pbxadmin.common.values.clock import Clock
from pbxadmin.common.values.signalling import Codec, Srtp, Transport


class KeyKind(StrEnum):
    """The eight things a function key can be."""

    BLANK = "blank"
    LINE = "line"
    BLF = "blf"
    SPEED_DIAL = "speed_dial"
    CUSTOM_SPEED_DIAL = "custom_speed_dial"
    SHARED_PARKING = "shared_parking"
    AGENT = "agent"
    STATUS = "status"


class AgentAction(StrEnum):
    """What an agent key does with the queues of its user."""

    LOGIN = "login"
    LOGOUT = "logout"


class Language(StrEnum):
    """Languages of a phone's screen and web pages, as IETF tags."""

    FR_CA = "fr-CA"
    FR_FR = "fr-FR"
    EN = "en"
    ES = "es"
    DE = "de"
    IT = "it"
    NL = "nl"
    PT = "pt"


class DateFormat(StrEnum):
    """How a screen writes a date, by its pattern: WWW is the day of the week, MMM the month in letters."""

    ISO = "YYYY-MM-DD"
    DAY_MONTH_YEAR = "DD/MM/YYYY"
    MONTH_DAY_YEAR = "MM/DD/YY"
    WEEKDAY_MONTH_DAY = "WWW MMM DD"
    WEEKDAY_DAY_MONTH = "WWW DD MMM"
    DAY_MONTH_NAME_SHORT_YEAR = "DD-MMM-YY"
    DAY_MONTH_NAME_YEAR = "DD MMM YYYY"


class TimeFormat(StrEnum):
    """Clock of twelve hours with AM and PM, or of twenty-four."""

    H12 = "12"
    H24 = "24"


class TransferMode(StrEnum):
    """What pressing another extension's key does with the call in hand: send it at once, or speak first."""

    BLIND = "blind"
    ATTENDED = "attended"


class PowerLed(StrEnum):
    """What makes the power light flash."""

    VOICEMAIL = "voicemail"
    VOICEMAIL_AND_MISSED = "voicemail_and_missed"


class Ringtone(StrEnum):
    """What a phone rings with. The numbered ones are the make's own, in its order; the named ones only some makes have."""

    RING_1 = "ring1"
    RING_2 = "ring2"
    RING_3 = "ring3"
    RING_4 = "ring4"
    RING_5 = "ring5"
    RING_6 = "ring6"
    RING_7 = "ring7"
    RING_8 = "ring8"
    RING_9 = "ring9"
    RING_10 = "ring10"
    SILENT = "silent"
    SPLASH = "splash"


@dataclass(frozen=True, slots=True)
class Proxy:
    """Where SIP goes when not straight to the PBX: the local address of an SBC or a router phone."""

    address: str
    port: int = Transport.TCP.port
    transport: Transport = Transport.TCP


@dataclass(frozen=True, slots=True)
class Account:
    """The SIP account of the phone's user.

    `expires` is in seconds. With an `outbound_proxy` the registrar stays the PBX's public name, and the
    signalling goes to the proxy over the proxy's transport. `behind_nat`: the way to the PBX leads through the
    Internet, out of a network with addresses of its own.
    """

    extension: str
    display_name: str
    label: str
    auth_id: str = field(repr=False)
    password: str = field(repr=False)
    registrar: str
    port: int = Transport.UDP.port
    transport: Transport = Transport.UDP
    srtp: Srtp = Srtp.DISABLED
    outbound_proxy: Proxy | None = None
    behind_nat: bool = False
    voicemail_number: str = dial_codes.VOICEMAIL
    expires: int = 300


@dataclass(frozen=True, slots=True)
class Key:
    """One function key at a 1-based position, counted through the pages and then through the sidecars.

    `value` by kind: BLF and speed dial an extension; custom speed dial a number in which each `,` is a pause
    of one second after the answer; shared parking a slot ("SP1"); agent an `AgentAction`; status one of the
    five statuses ("available", "away", "do_not_disturb", "lunch", "business_trip"); nothing for a blank and a
    line.
    """

    position: int
    kind: KeyKind
    value: str = ""
    label: str = ""


@dataclass(frozen=True, slots=True)
class Vlan:
    """802.1Q tag of one port: id 1..4094, priority 0..7; nothing is tagged while not `enabled`."""

    enabled: bool = False
    id: int = 1
    priority: int = 0


@dataclass(frozen=True, slots=True)
class DialCodes:
    """What a key dials to make the PBX do something."""

    pickup: str = dial_codes.PICKUP
    agent_login: str = dial_codes.AGENT_LOGIN
    agent_logout: str = dial_codes.AGENT_LOGOUT
    statuses: tuple[tuple[str, str], ...] = tuple(
        (str(each), code) for code, each in dial_codes.STATUSES.items()
    )

    def status(self, name: str) -> str | None:
        """The code that switches to the status `name`, or None if there is no such status."""
        for status, code in self.statuses:
            if status == name:
                return code
        return None

    def agent(self, action: str) -> str | None:
        """The code that logs an agent in or out of their queues, or None if `action` is neither."""
        if action == AgentAction.LOGIN:
            return self.agent_login
        return self.agent_logout if action == AgentAction.LOGOUT else None


@dataclass(frozen=True)
class PhoneSettings:
    """What is chosen for a phone and isn't this one phone's alone: a fleet has few different ones.

    Each field has the name of its column in `phones.models.Settings` (a `Vlan` of its three: `_enabled`, `_id`,
    `_priority`) and of what the model offers of it in `phones.vendors.model.Offers`. `time_zone` is an IANA name;
    `backlight_seconds` 0 is a screen that never goes dark; `queue_ringtone` rings for calls of a queue.
    """

    language: Language = Language.FR_CA
    time_zone: str = "America/Toronto"
    date_format: DateFormat = DateFormat.ISO
    time_format: TimeFormat = TimeFormat.H24
    transfer_mode: TransferMode = TransferMode.ATTENDED
    power_led: PowerLed = PowerLed.VOICEMAIL
    screensaver_seconds: int = 600
    backlight_seconds: int = 600
    lldp: bool = True
    ringtone: Ringtone = Ringtone.RING_1
    queue_ringtone: Ringtone = Ringtone.RING_2
    codecs: tuple[Codec, ...] = (Codec.G722, Codec.PCMU, Codec.PCMA, Codec.G729)
    vlan_wan: Vlan = Vlan()
    vlan_pc: Vlan = Vlan()

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        """Counted once: what a fleet shares is looked up by it several times for each file."""
        return hash(tuple(getattr(self, setting.name) for setting in fields(self)))


@dataclass(frozen=True, slots=True)
class PhoneContext:
    """Everything a vendor needs to write the files of one phone.

    `mac` is twelve lower-case hex digits; `model` the slug of a `vendors.model.Model`; `settings` values that the model
    offers; `queue_alert_info` the text of the Alert-Info header by which the PBX announces a call from a queue;
    `nightly_at` when the phone asks for its configuration every night, in its own time (see `nightly_time`);
    `clock` what clocks show in the settings' time zone from the day on which the file is written, None where no telephone can be
    told; `provisioning_url` the folder (it ends with `/`) where the phone asks; `sidecars` how many are plugged in.
    """

    mac: str
    model: str
    account: Account
    provisioning_url: str = field(repr=False)
    web_password: str = field(repr=False)
    ntp_servers: tuple[str, ...]
    clock: Clock | None
    keys: tuple[Key, ...] = ()
    sidecars: int = 0
    settings: PhoneSettings = PhoneSettings()
    logo_url: str | None = field(default=None, repr=False)
    queue_alert_info: str = "queue"
    nightly_at: time = time(2, 0)
    trusted_certificate_url: str | None = None
    codes: DialCodes = DialCodes()


def nightly_time(mac: str, first: time = time(1, 0), minutes: int = 240) -> time:
    """The minute of the night at which the phone `mac` asks for its configuration.

    Always the same for one phone, between `first` and `minutes` later, spread over the fleet so that ten
    thousand phones don't ask at midnight sharp.
    """
    spread = int.from_bytes(hashlib.sha256(mac.encode()).digest()[:4], "big") % minutes
    minute = (first.hour * 60 + first.minute + spread) % (24 * 60)
    return time(minute // 60, minute % 60)
