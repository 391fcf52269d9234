"""Yealink desk phones: the files they ask for, how they name themselves, what makes them reload.

A phone asks for `y000000000000.boot`, `{mac}.boot`, its model's `y000000000NNN.cfg` and `{mac}.cfg`.
Everything is in `{mac}.cfg`: settings of language and time were seen to be ignored in the common file. The
boot file sets `overwrite_mode`, so that a setting taken out of the files goes back to its default.

Can't be known without a phone: whether a given firmware accepts each key; that the web password really
changes; the name of a model's French (Canada); ring names; whether a picture is accepted; that its list of
authorities holds the one that signed our certificate (else `trusted_certificate_url`); the pauses of Enhanced
DSS keys; TLS to an SBC known by address only, whose name can't be checked; that a common file without a
setting is taken as well.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import time
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from pbxadmin.common.values.clock import Clock
from pbxadmin.common.values.configtext import FileLine, Verbatim, guard_line_values, masked_lines
from phones.context import Codec, PhoneContext, PhoneSettings, Proxy, Vlan
from phones.vendors.base import Command, FileKind, FileRequest, Identified, UnknownModelError
from phones.vendors.checks import ContextError, Problem, problems
from phones.vendors.model import Model
from phones.vendors.yealink.keys import NULL, KeyRow, key_rows, label_text, needs_macros
from phones.vendors.yealink.models import CODECS, CODES, LANGUAGES, MODELS, SRTP_MODES, TRANSPORTS
from phones.vendors.yealink.zones import zone_values

TEMPLATES = Path(__file__).parent / "templates"

USER_AGENT = re.compile(
    r"yealink\s(?:SIP(?:\s?VP)?-)?(?P<model>[A-Z0-9_-]{2,16})\s(?P<firmware>[0-9.]{1,24})"
    r"(?:\s(?P<mac>[0-9a-f]{2}(?::?[0-9a-f]{2}){5}))?",
    re.ASCII | re.IGNORECASE,
)
LONGEST_USER_AGENT = 256
COMMON_FILE = re.compile(r"y0{9}[0-9]{3}\.cfg", re.ASCII)
MAC_FILE = re.compile(r"(?P<mac>[0-9a-f]{12})\.(?P<ending>boot|cfg)", re.ASCII)
# Asked for by phones that keep their user's own changes; ours don't, and are told there is none.
KEPT_BY_THE_PHONE = re.compile(
    r"(?P<mac>[0-9a-f]{12})-(?:local\.cfg|calllog\.xml|contact\.xml|directory\.xml|license\.dat)", re.ASCII
)
PICTURE = re.compile(r"[A-Za-z0-9_-]{1,60}\.(?:png|jpg|jpeg|bmp)", re.ASCII)
# The name that `phones.settings.logos` gives a picture: with a digest, so that another picture is another address.
LOGO = re.compile(r"logo-[0-9a-f]{16}\.(?:png|jpg)", re.ASCII)
KEEP_ALIVE = 30  # seconds: many routers forget a UDP flow after a minute, some after forty seconds
WEB_USER = "admin"  # the firmware has two more logins, "user" and "var"
NIGHT_WINDOW = 30  # minutes in which the phone itself picks its moment

# `sip.notify_reboot_enable` is 0 in every file, so that only reboot=true restarts the phone.
EVENTS = {Command.RESYNC: "check-sync;reboot=false", Command.RESTART: "check-sync;reboot=true"}

SECRET_KEYS = (
    "account.*.auth_name",
    "account.*.password",
    "static.auto_provision.server.password",
    "static.auto_provision.server.url",
    "static.security.user_password",
    "static.trusted_certificates.url",
    "wallpaper_upload.url",
)

environment = Environment(
    loader=FileSystemLoader(TEMPLATES),
    undefined=StrictUndefined,
    # HTML and XML only: these files know no escape; `guard_line_values` refuses what would need one.
    autoescape=select_autoescape(),
    keep_trailing_newline=True,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)
_templates = {
    kind: environment.get_template(f"{kind.value}.cfg.j2")
    for kind in (FileKind.BOOT, FileKind.COMMON, FileKind.DEVICE)
}
_models = {model.slug: model for model in MODELS}
_models_by_common_file = {
    name: tuple(model.slug for model in MODELS if model.common_file == name)
    for name in {model.common_file for model in MODELS if model.common_file}
}
_slugs_by_agent = {name: model.slug for model in MODELS for name in (model.name, *model.agent_names)}


@dataclass(frozen=True)
class Yealink:
    """The vendor, as `phones.vendors.base.Vendor` asks."""

    name: str = "yealink"
    models: tuple[Model, ...] = MODELS
    content_type: str = "text/plain; charset=utf-8"
    web_user: str = WEB_USER
    # Not the boot file: whether the names in it are asked at the address before or after a redirection isn't known.
    redirected: frozenset[FileKind] = frozenset({FileKind.DEVICE})

    def identify(self, user_agent: str) -> Identified | None:
        """Read "Yealink SIP-T54W 96.86.0.45 80:5e:c0:d5:7d:72"; the address may lack its colons or be left
        out."""
        if len(user_agent) > LONGEST_USER_AGENT:
            return None
        found = USER_AGENT.fullmatch(user_agent)
        if not found:
            return None
        model, mac = found["model"].upper(), found["mac"]
        return Identified(
            vendor=self.name,
            model=model,
            firmware=found["firmware"],
            mac=mac.replace(":", "").lower() if mac else None,
            slug=_slugs_by_agent.get(model),
        )

    def parse_file_name(self, name: str) -> FileRequest | None:
        """Understand the six names a phone asks for, in their one canonical spelling."""
        if name == "y000000000000.boot":
            return FileRequest(FileKind.BOOT)
        if found := MAC_FILE.fullmatch(name):
            kind = FileKind.BOOT if found["ending"] == "boot" else FileKind.DEVICE
            return FileRequest(kind, mac=found["mac"])
        if COMMON_FILE.fullmatch(name):
            return FileRequest(FileKind.COMMON, models=_models_by_common_file.get(name, ()))
        if LOGO.fullmatch(name):
            return FileRequest(FileKind.LOGO, picture=name)
        if found := KEPT_BY_THE_PHONE.fullmatch(name):
            return FileRequest(FileKind.OTHER, mac=found["mac"])
        return None

    def file_name(self, mac: str, model: Model) -> str:
        """ "{mac}.cfg", in lower case without separators."""
        return f"{mac}.cfg"

    def entered_address(self, folder: str) -> str:
        """The folder itself."""
        return folder

    def render(self, kind: FileKind, context: PhoneContext) -> bytes:
        """The file of that kind for the phone of `context`, as UTF-8."""
        template = _templates.get(kind)
        if template is None:
            raise ValueError(f"no content for {kind}")
        model = _models.get(context.model)
        if model is None:
            raise UnknownModelError(context.model)
        if kind is FileKind.COMMON:
            return template.render().encode()
        check(context, model)
        if kind is FileKind.BOOT:
            return template.render(files=file_names(context, model)).encode()
        own = own_values(context)
        keys = key_rows(context, model)
        guard_line_values(own.values())
        zone = clock_values(context.settings.time_zone, context.clock)
        values = {**own, **setting_values(model, context.settings), **zone, **device_rows(context, keys)}
        return template.render(values).encode()

    def notify_event(self, command: Command) -> str:
        """The check-sync that reloads without a restart, or the one that starts the phone anew."""
        return EVENTS[Command(command)]

    def lines(self, content: str) -> list[FileLine]:
        """The file's own lines, with SIP and web passwords and the addresses that hold the token hidden."""
        return masked_lines(content, SECRET_KEYS)


YEALINK = Yealink()


def file_names(context: PhoneContext, model: Model) -> list[str]:
    """What the boot file names: the common file of the model, if its number is known, and the phone's own."""
    own = f"{context.mac}.cfg"
    return [model.common_file, own] if model.common_file else [own]


def device_values(context: PhoneContext, model: Model) -> dict[str, Any]:
    """What the device template asks for, in Yealink's codes, of a context that was checked."""
    zone = clock_values(context.settings.time_zone, context.clock)
    return {**own_values(context), **setting_values(model, context.settings), **zone}


def own_values(context: PhoneContext) -> dict[str, Any]:
    """The values that are this one phone's: its account, its addresses, its passwords."""
    account = context.account
    proxy = account.outbound_proxy
    return {
        "account_label": label_text(account.label, account.extension),
        "display_name": label_text(account.display_name, account.extension),
        "extension": account.extension,
        "auth_id": account.auth_id,
        "password": account.password,
        "registrar": account.registrar,
        "registrar_port": account.port,
        # The firmware has one transport per account: through a proxy, that of the way to the proxy.
        "transport": TRANSPORTS[proxy.transport if proxy else account.transport],
        "expires": account.expires,
        **_proxy_values(proxy),
        # Through a NAT the answer must come back the way that the request took (RFC 3581, `nat.rport`), and something must
        # pass before the way is forgotten (`nat.udp_update_enable` and `_time`: Administrator Guide, "NAT Traversal").
        # In one network, or to an SBC beside it, the phone would only wake the PBX for nothing.
        "behind_nat": int(account.behind_nat),
        "keep_alive": KEEP_ALIVE if account.behind_nat else NULL,
        "srtp": SRTP_MODES[account.srtp],
        "voicemail_number": account.voicemail_number,
        "provisioning_url": context.provisioning_url,
        "nightly_begin": _clock(context.nightly_at),
        "nightly_end": _clock(context.nightly_at, later=NIGHT_WINDOW),
        "trusted_certificate_url": context.trusted_certificate_url or NULL,
        "web_user": WEB_USER,
        "queue_alert_info": context.queue_alert_info,
        "ntp_server1": context.ntp_servers[0],
        "ntp_server2": context.ntp_servers[1] if len(context.ntp_servers) > 1 else NULL,
        "web_password": context.web_password,
        "logo_url": context.logo_url or NULL,
        "logo_background": f"Config:{_picture_name(context.logo_url)}" if context.logo_url else NULL,
    }


@lru_cache(maxsize=1024)
def setting_values(model: Model, settings: PhoneSettings) -> Mapping[str, Any]:
    """What the template says of these settings, already guarded: remembered, so to be read only.

    Under the setting's own name stands its code (`CODES`), or the number, or 0 and 1 for a no and a yes.
    """
    values = {
        "language": dict(model.language_codes).get(settings.language, LANGUAGES[settings.language]),
        "has_screensaver": int(bool(model.offers.screensaver_seconds)),
        "has_backlight": int(bool(model.offers.backlight_seconds)),
        "has_logo": int(model.logo is not None),
    }
    for setting in fields(settings):
        name, value = setting.name, getattr(settings, setting.name)
        if name in CODES:
            values[name] = CODES[name][value]
        elif isinstance(value, Vlan):
            values |= _vlan_values(name, value)
        elif isinstance(value, int):
            values[name] = int(value)
    guard_line_values(values.values())
    return values


@lru_cache(maxsize=256)
def clock_values(zone: str, clock: Clock | None) -> Mapping[str, str | int]:
    """What the template says of the clocks, already guarded: remembered, so to be read only."""
    assert clock is not None  # `checks.problems`
    values = zone_values(zone, clock)
    guard_line_values(values.values())
    return values


def device_rows(context: PhoneContext, keys: list[KeyRow]) -> dict[str, Any]:
    """What the device template goes through row by row, and whether a key needs the macros switched on."""
    return {"keys": keys, "macros": int(needs_macros(keys)), "codecs": codec_rows(context.settings.codecs)}


def check(context: PhoneContext, model: Model) -> None:
    """Refuse what the model can't do, and what this vendor's format can't say."""
    found = problems(model, context)
    if ":" in context.web_password:
        found.append(Problem("web_password", "reserved", "holds a colon, which ends the user name"))
    if context.logo_url is not None and not PICTURE.fullmatch(_picture_name(context.logo_url)):
        found.append(Problem("logo_url", "url", "doesn't end in the name of a png, jpg or bmp file"))
    if found:
        raise ContextError(found)


def _proxy_values(proxy: Proxy | None) -> dict[str, Any]:
    if proxy is None:
        return {"proxy_enable": 0, "proxy_address": NULL, "proxy_port": NULL}
    return {"proxy_enable": 1, "proxy_address": proxy.address, "proxy_port": proxy.port}


def _vlan_values(name: str, vlan: Vlan) -> dict[str, int | Verbatim]:
    """The three settings of a port; id and priority are cleared when not in force."""
    return {
        f"{name}_enable": int(vlan.enabled),
        f"{name}_id": vlan.id if vlan.enabled else NULL,
        f"{name}_priority": vlan.priority if vlan.enabled else NULL,
    }


@lru_cache(maxsize=256)
def codec_rows(codecs: tuple[Codec, ...]) -> list[tuple[str, int, int]]:
    """(name, enabled, priority) of the four codecs: those chosen from 1 on in their order, the others off."""
    chosen = [(CODECS[codec], 1, rank) for rank, codec in enumerate(codecs, start=1)]
    return chosen + [(name, 0, 0) for codec, name in CODECS.items() if codec not in codecs]


def _clock(at: time, later: int = 0) -> str:
    """HH:MM, some minutes later but not past midnight."""
    minute = min(at.hour * 60 + at.minute + later, 24 * 60 - 1)
    return f"{minute // 60:02d}:{minute % 60:02d}"


def _picture_name(url: str) -> str:
    return urlsplit(url).path.rpartition("/")[2]
