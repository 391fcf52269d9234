"""What a vendor and a model are: the contract a vendor's folder fulfils, the record of what a model can
do."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property, lru_cache
from operator import attrgetter
from typing import Protocol, runtime_checkable

from pbxadmin.common.values.configtext import UnsafeTextError, is_one_line, refuse_control_characters
from phones.context import (
    Codec,
    DateFormat,
    DialCodes,
    Key,
    KeyKind,
    Language,
    PhoneContext,
    PowerLed,
    TimeFormat,
    TransferMode,
    Vlan,
)

MAC = re.compile(r"[0-9a-f]{12}", re.ASCII)
# A host name or IPv4 address, or an IPv6 address in brackets.
HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|\[[0-9A-Fa-f:.]{2,45}\]", re.ASCII)
# What an address a phone fetches may hold: no blank, quote or `$`, which some phones replace (`$MAC`, `$PN`).
URL = re.compile(r"https?://[A-Za-z0-9._~:/?\[\]@!&'()*+,;=%-]{1,1000}", re.ASCII)
EXTENSION = re.compile(r"[0-9]{2,5}", re.ASCII)
DIALLED = re.compile(r"[0-9*#+]{1,40}", re.ASCII)
# Digits, then groups of digits behind commas of one second each; commas at the end would wait for nothing.
DIALLED_WITH_PAUSES = re.compile(r"[0-9*#+]{1,40}(?:,{1,60}[0-9*#+]{1,40}){0,10},{0,60}", re.ASCII)
PARKING_SLOT = re.compile(r"SP[0-9]{1,3}", re.ASCII)
CREDENTIAL = re.compile(r"[!-~]{1,128}", re.ASCII)
# All of a plain phone at once, one a line: the quick answer for nearly every file.
PLAIN_PHONE = re.compile(
    "\n".join(
        (
            MAC.pattern,
            EXTENSION.pattern,
            DIALLED.pattern,
            f"(?:{HOST.pattern})",
            *[CREDENTIAL.pattern] * 4,
            f"{URL.pattern}(?<=/)",
        )
    ),
    re.ASCII,
)


# What a fleet repeats from phone to phone is judged once. Secrets are not kept: they are judged each time.
@lru_cache(maxsize=4096)
def is_extension(text: str) -> bool:
    """Whether `text` is the number of an extension: two to five ASCII digits."""
    return EXTENSION.fullmatch(text) is not None


@lru_cache(maxsize=4096)
def is_dialled(text: str) -> bool:
    """Whether `text` can be dialled as it stands: digits, `*`, `#`, `+`."""
    return DIALLED.fullmatch(text) is not None


@lru_cache(maxsize=4096)
def is_dialled_with_pauses(text: str) -> bool:
    """Whether `text` is a number, with digits to send after the answer behind a comma for each second."""
    return DIALLED_WITH_PAUSES.fullmatch(text) is not None


@lru_cache(maxsize=4096)
def is_host(text: str) -> bool:
    """Whether `text` is a host name, an IPv4 address, or an IPv6 address in brackets."""
    return HOST.fullmatch(text) is not None


@lru_cache(maxsize=1024)
def is_parking_slot(text: str) -> bool:
    """Whether `text` names a shared parking slot, SP0 to SP999."""
    return PARKING_SLOT.fullmatch(text) is not None


@lru_cache(maxsize=1024)
def codes_not_dialled(codes: DialCodes) -> tuple[str, ...]:
    """Names of the codes that can't be dialled."""
    named = (
        ("codes.pickup", codes.pickup),
        ("codes.agent_login", codes.agent_login),
        ("codes.agent_logout", codes.agent_logout),
        *((f"codes.statuses.{status}", code) for status, code in codes.statuses),
    )
    return tuple(name for name, code in named if not is_dialled(code))


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a phone can't be configured: the field of `PhoneContext`, a stable code, a sentence."""

    field: str
    code: str
    message: str


class ContextError(ValueError):
    """A `PhoneContext` no file can be written from, with every problem found; no message holds a secret."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        super().__init__("; ".join(f"{problem.field}: {problem.message}" for problem in problems))


class UnknownModelError(KeyError):
    """No vendor has a model of that slug."""


@dataclass(frozen=True, slots=True)
class Sidecar:
    """The module of extra keys a model takes: its name, its keys, how many may be chained, and its keys a page."""

    name: str
    keys: int
    up_to: int
    page_keys: int = 20


class PictureFormat(StrEnum):
    """How a picture for a screen is written, by the ending of its name."""

    PNG = "png"
    JPEG = "jpg"


# What a fetch of each says that it is.
PICTURE_TYPES = {PictureFormat.PNG: "image/png", PictureFormat.JPEG: "image/jpeg"}


@dataclass(frozen=True, slots=True)
class Picture:
    """What a screen takes as its background: the size in pixels, and the format."""

    width: int
    height: int
    format: PictureFormat = PictureFormat.PNG


@dataclass(frozen=True, eq=False)
class Model:
    """What one phone model can do, all in one record, so that a form offers only what reaches the phone.

    `lines` is the number of SIP accounts, `keys` the number of line keys over all pages, `page_keys` how many
    of them one page shows (0: all of them), beside the key that turns the page. An empty tuple, a False or a
    None means the option is not offered on that model. `common_file` is the vendor's number of the model's
    common file where it is known. `agent_names` are other names the model gives itself in its User-Agent.
    `language_codes` replaces the vendor's code of a language where the model has another word for it.
    """

    vendor: str
    name: str
    lines: int
    keys: int
    page_keys: int = 0
    sidecar: Sidecar | None = None
    logo: Picture | None = None
    common_file: int | None = None
    agent_names: tuple[str, ...] = ()
    languages: tuple[Language, ...] = ()
    language_codes: tuple[tuple[Language, str], ...] = ()
    date_formats: tuple[DateFormat, ...] = ()
    time_formats: tuple[TimeFormat, ...] = tuple(TimeFormat)
    transfer_modes: tuple[TransferMode, ...] = tuple(TransferMode)
    power_leds: tuple[PowerLed, ...] = tuple(PowerLed)
    screensaver_choices: tuple[int, ...] = ()
    backlight_choices: tuple[int, ...] = ()
    ringtones: tuple[str, ...] = ()
    queue_ringtones: tuple[str, ...] = ()
    codecs: tuple[Codec, ...] = tuple(Codec)
    time_zones: tuple[str, ...] = ()
    has_lldp: bool = True
    has_vlan_wan: bool = True
    has_vlan_pc: bool = True

    @cached_property
    def slug(self) -> str:
        """What the database stores, unique among all vendors: "yealink-t54w"."""
        return f"{self.vendor}-{self.name.lower()}"

    @property
    def display_name(self) -> str:
        """The name people know: "Yealink T54W"."""
        return f"{self.vendor.capitalize()} {self.name}"

    def key_capacity(self, sidecars: int = 0) -> int:
        """How many key positions there are with that many sidecars plugged in."""
        return self.keys + (self.sidecar.keys * min(sidecars, self.sidecar.up_to) if self.sidecar else 0)

    def keys_that_do_not_fit(self, context: PhoneContext) -> list[Key]:
        """The keys past the last position: kept in the user's list, not written to this phone."""
        capacity = self.key_capacity(context.sidecars)
        return [key for key in context.keys if key.position > capacity and key.kind is not KeyKind.BLANK]

    def problems(self, context: PhoneContext) -> list[Problem]:
        """Every reason why `context` can't be written for this model; empty if it can.

        Keys that don't fit are no problem (`keys_that_do_not_fit`): a list outlives the phone it was made
        for.
        """
        return [] if self._is_plainly_right(context) else list(self._problems(context))

    def validate(self, context: PhoneContext) -> None:
        """Raise `ContextError` with every problem of `context` on this model."""
        if problems := self.problems(context):
            raise ContextError(problems)

    def _is_plainly_right(self, context: PhoneContext) -> bool:
        """A quick look at all `_problems` looks for; False where there is, or may be, something to say."""
        account, proxy = context.account, context.account.outbound_proxy
        wan, pc = context.vlan_wan, context.vlan_pc
        return (
            context.model == self.slug
            and PLAIN_PHONE.fullmatch(
                f"{context.mac}\n{account.extension}\n{account.voicemail_number}\n{account.registrar}\n"
                f"{account.auth_id}\n{account.password}\n{context.web_user}\n{context.web_password}\n"
                f"{context.provisioning_url}"
            )
            is not None
            and f"{account.display_name}{account.label}{context.queue_alert_info}".isprintable()
            and 1 <= account.port <= 65535
            and 60 <= account.expires <= 86400
            and (proxy is None or (is_host(proxy.address) and 1 <= proxy.port <= 65535))
            and len(context.ntp_servers) > 0
            and all(map(is_host, context.ntp_servers))
            and not codes_not_dialled(context.codes)
            and not choice_problems(self, *CHOSEN(context))
            and not (wan.enabled or pc.enabled)
            and 1 <= wan.id <= 4094 >= pc.id >= 1
            and 0 <= wan.priority <= 7 >= pc.priority >= 0
            and context.logo_url is None is context.trusted_certificate_url
            and not any(self._key_problems(context))
        )

    def _problems(self, context: PhoneContext) -> Iterator[Problem]:
        if context.model != self.slug:
            yield Problem("model", "other_model", f"{context.model} is not {self.slug}")
        if not MAC.fullmatch(context.mac):
            yield Problem("mac", "mac", "not twelve lower-case hex digits")
        yield from self._account_problems(context)
        yield from self._option_problems(context)
        yield from self._key_problems(context)

    def _account_problems(self, context: PhoneContext) -> Iterator[Problem]:
        account = context.account
        if not is_extension(account.extension):
            yield Problem("account.extension", "extension", "not two to five digits")
        for name, text in (
            ("account.display_name", account.display_name),
            ("account.label", account.label),
            ("queue_alert_info", context.queue_alert_info),
        ):
            if not is_one_line(text):
                yield _unsafe(name, text)
        secrets = (account.auth_id, account.password, context.web_user, context.web_password)
        names = ("account.auth_id", "account.password", "web_user", "web_password")
        for name, secret in zip(names, secrets, strict=True):
            if not CREDENTIAL.fullmatch(secret):
                yield Problem(name, "credential", "not 1 to 128 printable ASCII characters, no blank")
        servers = [("account.registrar", account.registrar, account.port)]
        if account.outbound_proxy:
            proxy = account.outbound_proxy
            servers.append(("account.outbound_proxy", proxy.address, proxy.port))
        servers.extend(("ntp_servers", server, 123) for server in context.ntp_servers)
        for name, host, port in servers:
            if not is_host(host):
                yield Problem(name, "host", "not a host name or address")
            if not 1 <= port <= 65535:
                yield Problem(name, "port", "not a port, 1 to 65535")
        if not context.ntp_servers:
            yield Problem("ntp_servers", "missing", "at least one time server is needed")
        if not 60 <= account.expires <= 86400:
            yield Problem("account.expires", "range", "not 60 to 86400 seconds")
        if not is_dialled(account.voicemail_number):
            yield Problem("account.voicemail_number", "dialled", "not digits, * # or +")
        for name in codes_not_dialled(context.codes):
            yield Problem(name, "dialled", "not digits, * # or +")

    def _option_problems(self, context: PhoneContext) -> Iterator[Problem]:
        yield from choice_problems(self, *CHOSEN(context))
        yield from _vlan_problems("vlan_wan", context.vlan_wan, self.has_vlan_wan)
        yield from _vlan_problems("vlan_pc", context.vlan_pc, self.has_vlan_pc)
        if context.logo_url is not None and self.logo is None:
            yield Problem("logo_url", "choice", f"the {self.display_name} shows no logo")
        if not context.provisioning_url.endswith("/"):
            yield Problem("provisioning_url", "url", "a folder is needed: the address must end with /")
        for name, url in (
            ("provisioning_url", context.provisioning_url),
            ("logo_url", context.logo_url),
            ("trusted_certificate_url", context.trusted_certificate_url),
        ):
            if url is not None and not URL.fullmatch(url):
                yield Problem(name, "url", "not an http or https address a phone can fetch")

    def _key_problems(self, context: PhoneContext) -> Iterator[Problem]:
        most = self.sidecar.up_to if self.sidecar else 0
        if not 0 <= context.sidecars <= most:
            yield Problem("sidecars", "range", f"the {self.display_name} takes {most} sidecars at most")
        if not "".join([key.label for key in context.keys]).isprintable():  # quick; the culprit is looked for
            for key in context.keys:
                if not is_one_line(key.label):
                    yield _unsafe(f"keys.{key.position}.label", key.label)
        positions = {key.position for key in context.keys}
        if len(positions) != len(context.keys) or (positions and min(positions) < 1):
            yield Problem("keys", "position", "a key's position is below 1, or there twice")
        codes = context.codes
        for key in context.keys:
            kind = key.kind
            if kind in KEY_VALUES:
                meant = KEY_VALUES[kind](key.value)
            elif kind == "agent":
                meant = codes.agent(key.value)
            else:
                meant = kind != "status" or codes.status(key.value)
            if not meant:
                where = f"key {key.position}"
                yield Problem("keys", "value", f"{where}: its target doesn't fit the kind {kind.value}")


# Fields whose value is one of the model's list, and the list.
CHOICES = {
    "language": "languages",
    "date_format": "date_formats",
    "time_format": "time_formats",
    "transfer_mode": "transfer_modes",
    "power_led": "power_leds",
    "ringtone": "ringtones",
    "queue_ringtone": "queue_ringtones",
    "time_zone": "time_zones",
    "screensaver_seconds": "screensaver_choices",
    "backlight_seconds": "backlight_choices",
}
# Without a screen to save or to light the delay means nothing: no form offers it, a default stands there.
DELAYS = frozenset({"screensaver_seconds", "backlight_seconds"})
CHOSEN = attrgetter("codecs", *CHOICES)


@lru_cache(maxsize=4096)
def choice_problems(model: Model, codecs: tuple[Codec, ...], *chosen: str | int) -> tuple[Problem, ...]:
    """What of the codecs, and of the values `chosen` for the fields of `CHOICES`, the model doesn't offer."""
    problems = []
    if not codecs or len(set(codecs)) != len(codecs) or not set(codecs) <= set(model.codecs):
        problems.append(Problem("codecs", "choice", "not a choice, each once, of its codecs"))
    for (name, offered), value in zip(CHOICES.items(), chosen, strict=True):
        choices = getattr(model, offered)
        if value not in choices and (choices or name not in DELAYS):
            problems.append(Problem(name, "choice", f"{value!s} is not offered by the {model.display_name}"))
    return tuple(problems)


# What the value of a key must look like, where that depends on the kind alone.
KEY_VALUES: dict[KeyKind, Callable[[str], object]] = {
    KeyKind.BLF: is_extension,
    KeyKind.SPEED_DIAL: is_extension,
    KeyKind.CUSTOM_SPEED_DIAL: is_dialled_with_pauses,
    KeyKind.SHARED_PARKING: is_parking_slot,
}


def _vlan_problems(name: str, vlan: Vlan, offered: bool) -> Iterator[Problem]:
    if vlan.enabled and not offered:
        yield Problem(name, "choice", "this model can't tag that port")
    if not 1 <= vlan.id <= 4094:
        yield Problem(f"{name}.id", "range", "not 1 to 4094")
    if not 0 <= vlan.priority <= 7:
        yield Problem(f"{name}.priority", "range", "not 0 to 7")


def _unsafe(name: str, text: str) -> Problem:
    try:
        refuse_control_characters(text)
    except UnsafeTextError as error:
        return Problem(name, error.code, f"holds {error.where}")
    raise AssertionError("asked about safe text")


class FileKind(StrEnum):
    """What a phone asks for: the list of files, its model's, its own, its picture, or one we know and never serve."""

    BOOT = "boot"
    COMMON = "common"
    DEVICE = "device"
    LOGO = "logo"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class FileRequest:
    """A file name a phone asked for: its kind, and the MAC, the model number or the picture the name carries."""

    vendor: str
    kind: FileKind
    mac: str | None = None
    common_file: int | None = None
    picture: str = ""

    def is_for(self, mac: str, model: Model) -> bool:
        """Whether the phone `mac` of that model may have this file, which no other phone or model may."""
        return (
            self.vendor == model.vendor
            and self.mac in (None, mac)
            and self.common_file in (None, model.common_file)
        )


@dataclass(frozen=True, slots=True)
class Identified:
    """What a phone says of itself in its User-Agent; a hint for people and logs, never a proof.

    `model` is the name as the phone writes it, `slug` that of our record of it or None if we have none, `mac`
    in canonical form or None if it wasn't said.
    """

    vendor: str
    model: str
    firmware: str
    mac: str | None
    slug: str | None


class Command(StrEnum):
    """What the portal asks of a phone: fetch the configuration, or start anew."""

    RESYNC = "resync"
    RESTART = "restart"


@runtime_checkable
class Vendor(Protocol):
    """A maker of phones: its models, the files they ask for, and the words by which they are told to ask.

    A vendor's folder holds one object that fulfils this; `phones.vendors.VENDORS` lists them. Everything here
    is pure: no database, no clock, no network.
    """

    @property
    def name(self) -> str:
        """Slug of the vendor, the beginning of its models' slugs: "yealink"."""

    @property
    def models(self) -> tuple[Model, ...]:
        """Every model, in the order in which a list shows them."""

    @property
    def content_type(self) -> str:
        """Of the HTTP answers that carry its files."""

    @property
    def secret_keys(self) -> tuple[str, ...]:
        """Keys of its files whose values are hidden when one is shown (`configtext.mask_secrets`)."""

    def identify(self, user_agent: str) -> Identified | None:
        """Called with the User-Agent of every provisioning request; None if it isn't this vendor's."""

    def parse_file_name(self, name: str) -> FileRequest | None:
        """Called with the last part of the path a phone asked for, before anything is looked up.

        Only the one canonical spelling of a name is understood; anything else is None, and the caller answers
        404.
        """

    def render(self, kind: FileKind, context: PhoneContext) -> bytes:
        """Called at request time, after the token was checked and the name matched; also for the preview and
        the digest.

        Pre: `context.model` is one of this vendor's. Post: the same context gives the same bytes, and every
        value reads back unchanged. Raises `ContextError` if the model can't be so configured,
        `UnsafeTextError` for a value that would not stay on its line, `UnknownModelError`, and ValueError for
        a kind that has no content.
        """

    def notify_event(self, command: Command) -> str:
        """Called when a phone is told something: the value of the Event header of the NOTIFY."""

    def mask(self, content: bytes | str) -> str:
        """Called before a file is shown: its text with the secrets replaced."""
