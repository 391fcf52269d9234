"""Whether a phone can be configured as its context says: what no make can write, and what the model doesn't offer."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from functools import lru_cache

from pbxadmin.common.values.configtext import UnsafeTextError, is_one_line, refuse_control_characters
from phones.context import Account, DialCodes, KeyKind, PhoneContext, PhoneSettings, Vlan
from phones.vendors.model import Model

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


def problems(model: Model, context: PhoneContext) -> list[Problem]:
    """Every reason why `context` can't be written for this model; empty if it can.

    Keys that don't fit are no problem (`Model.keys_that_do_not_fit`): a list outlives the phone it was made for.
    """
    return [
        *_identity_problems(model, context),
        *_account_problems(context.account),
        *setting_problems(model, context.settings),
        *_address_problems(model, context),
        *_key_problems(model, context),
    ]


# --- What a fleet repeats from phone to phone is judged once. Secrets are not kept: they are judged each time ---
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


@lru_cache(maxsize=4096)
def setting_problems(model: Model, settings: PhoneSettings) -> tuple[Problem, ...]:
    """What of the settings the model doesn't offer. Nothing is written of an option that it doesn't have."""
    return tuple(_setting_problems(model, settings))


def _setting_problems(model: Model, settings: PhoneSettings) -> Iterator[Problem]:
    for setting in fields(settings):
        name = setting.name
        value, offered = getattr(settings, name), getattr(model.offers, name)
        if isinstance(value, Vlan):
            yield from _vlan_problems(name, value, offered)
        elif name == "codecs":
            if not value or len(set(value)) != len(value) or not set(value) <= set(offered):
                yield Problem(name, "choice", "not a choice, each once, of its codecs")
        elif isinstance(offered, tuple) and offered and value not in offered:
            yield Problem(name, "choice", f"{value!s} is not offered by the {model.display_name}")


def _vlan_problems(name: str, vlan: Vlan, offered: bool) -> Iterator[Problem]:
    if vlan.enabled and not offered:
        yield Problem(name, "choice", "this model can't tag that port")
    if not 1 <= vlan.id <= 4094:
        yield Problem(f"{name}.id", "range", "not 1 to 4094")
    if not 0 <= vlan.priority <= 7:
        yield Problem(f"{name}.priority", "range", "not 0 to 7")


# --- What is one phone's own ---
def _identity_problems(model: Model, context: PhoneContext) -> Iterator[Problem]:
    if context.model != model.slug:
        yield Problem("model", "other_model", f"{context.model} is not {model.slug}")
    if not MAC.fullmatch(context.mac):
        yield Problem("mac", "mac", "not twelve lower-case hex digits")
    if not is_one_line(context.queue_alert_info):
        yield _unsafe("queue_alert_info", context.queue_alert_info)
    if not CREDENTIAL.fullmatch(context.web_password):
        yield _credential("web_password")
    if context.clock is None:
        yield Problem("time_zone", "clock", "the clocks of this zone follow no yearly rule")
    for name in codes_not_dialled(context.codes):
        yield Problem(name, "dialled", "not digits, * # or +")


def _account_problems(account: Account) -> Iterator[Problem]:
    if not is_extension(account.extension):
        yield Problem("account.extension", "extension", "not two to five digits")
    if not is_one_line(account.display_name):
        yield _unsafe("account.display_name", account.display_name)
    if not is_one_line(account.label):
        yield _unsafe("account.label", account.label)
    if not CREDENTIAL.fullmatch(account.auth_id):
        yield _credential("account.auth_id")
    if not CREDENTIAL.fullmatch(account.password):
        yield _credential("account.password")
    yield from _server_problems("account.registrar", account.registrar, account.port)
    if proxy := account.outbound_proxy:
        yield from _server_problems("account.outbound_proxy", proxy.address, proxy.port)
    if not 60 <= account.expires <= 86400:
        yield Problem("account.expires", "range", "not 60 to 86400 seconds")
    if not is_dialled(account.voicemail_number):
        yield Problem("account.voicemail_number", "dialled", "not digits, * # or +")


def _address_problems(model: Model, context: PhoneContext) -> Iterator[Problem]:
    if not context.ntp_servers:
        yield Problem("ntp_servers", "missing", "at least one time server is needed")
    for server in context.ntp_servers:
        yield from _server_problems("ntp_servers", server, 123)
    if context.logo_url is not None and model.logo is None:
        yield Problem("logo_url", "choice", f"the {model.display_name} shows no logo")
    if not context.provisioning_url.endswith("/"):
        yield Problem("provisioning_url", "url", "a folder is needed: the address must end with /")
    for name, url in (
        ("provisioning_url", context.provisioning_url),
        ("logo_url", context.logo_url),
        ("trusted_certificate_url", context.trusted_certificate_url),
    ):
        if url is not None and not URL.fullmatch(url):
            yield Problem(name, "url", "not an http or https address a phone can fetch")


def _server_problems(name: str, host: str, port: int) -> Iterator[Problem]:
    if not is_host(host):
        yield Problem(name, "host", "not a host name or address")
    if not 1 <= port <= 65535:
        yield Problem(name, "port", "not a port, 1 to 65535")


# What the value of a key must look like, where that depends on the kind alone.
KEY_VALUES: dict[KeyKind, Callable[[str], object]] = {
    KeyKind.BLF: is_extension,
    KeyKind.SPEED_DIAL: is_extension,
    KeyKind.CUSTOM_SPEED_DIAL: is_dialled_with_pauses,
    KeyKind.SHARED_PARKING: is_parking_slot,
}


def _key_problems(model: Model, context: PhoneContext) -> Iterator[Problem]:
    most = model.sidecar.up_to if model.sidecar else 0
    if not 0 <= context.sidecars <= most:
        yield Problem("sidecars", "range", f"the {model.display_name} takes {most} sidecars at most")
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


def _credential(name: str) -> Problem:
    return Problem(name, "credential", "not 1 to 128 printable ASCII characters, no blank")


def _unsafe(name: str, text: str) -> Problem:
    try:
        refuse_control_characters(text)
    except UnsafeTextError as error:
        return Problem(name, error.code, f"holds {error.where}")
    raise AssertionError("asked about safe text")
