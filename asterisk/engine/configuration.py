"""The configuration of one Asterisk: `deploy/asterisk/` with what is this one's own, its folders, ports, token and password."""

import os
import re
import secrets
import shutil
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from asterisk.engine.fetching import EngineError, Installed
from pbxadmin.common.values.clock import ZONES
from pbxadmin.run.processes import ROOT

TEMPLATES = ROOT / "deploy" / "asterisk"
PLACEHOLDER = re.compile(r"@([A-Z][A-Z_]*)@")
BRACES = re.compile(r"^((?:load = |preload = |ast|)[a-z_]*)\{([a-z0-9_,]+)\}(.*)$")
# What a value may be for it to stay one value of one line: `;` begins a comment there.
PLAIN = re.compile(r"[^\x00-\x1f\x7f;]*")
DEFAULTS = {
    "NODE_NAME": "pbx",
    "NODE_TOKEN": "",
    "NODE_PASSWORD": "",
    "NODE_ADDRESS": "127.0.0.1",  # where AMI and ARI listen
    "PORTAL_URL": "http://127.0.0.1:8000",
    "SIP_ADDRESS": "0.0.0.0",  # noqa: S104  # nosec B104 - phones are everywhere
    "SIP_PORT": "5060",
    "SIP_TLS_PORT": "5061",
    "RTP_FIRST": "10000",
    "RTP_LAST": "19999",
    "AMI_PORT": "5038",
    "HTTP_PORT": "8088",
    "TLS_CERTIFICATE": "",
    "TLS_KEY": "",
}
SECRETS = ("NODE_TOKEN", "NODE_PASSWORD")
# Modules that aren't satisfied with their defaults want these to be there.
EMPTY = [
    "cel",
    "features",
    "acl",
    "ccss",
    "confbridge",
    "pjproject",
    "udptl",
    "pjsip_notify",
    "websocket_client",
]
SOUNDS = {"fr": "fr_CA_f_June", "en": "en_US_f_Allison"}
OF_THE_DATA = ("documentation", "static-http", "rest-api", "moh")
SPOOL = (
    "recording/voicemail", "recording/out", "monitor", "outgoing", "tmp", "plans", "greetings", "dictate", "meetme", "system",
)  # fmt: skip


@dataclass
class Folders:
    """Where one Asterisk keeps what is its own: everything below one folder."""

    home: Path
    etc: Path = field(init=False)
    var: Path = field(init=False)

    def __post_init__(self) -> None:
        self.home = self.home.resolve()
        self.etc, self.var = self.home / "etc", self.home / "lib"
        self.data, self.run = self.home / "data", self.home / "run"
        self.spool, self.log = self.home / "spool", self.home / "log"

    def named(self) -> dict[str, str]:
        """As the templates call them."""
        return {name: str(getattr(self, name.lower())) for name in ("ETC", "VAR", "DATA", "RUN", "SPOOL")}

    def make(self, installed: Installed) -> None:
        """Make them all; whatever is there stays."""
        for folder in (
            self.etc,
            self.var / "keys",
            self.data / "sounds",
            self.run,
            self.log,
        ):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for name in SPOOL:
            (self.spool / name).mkdir(parents=True, exist_ok=True, mode=0o700)
        # ARI gives out what lies below `recording` alone; so messages are heard by the portal.
        _link(self.spool / "voicemail", Path("recording/voicemail"))
        for name in OF_THE_DATA:
            _link(self.data / name, installed.data / name)
        for language, voice in SOUNDS.items():
            there = [installed.data / "sounds" / name for name in (voice, language)]
            _link(self.data / "sounds" / language, next((path for path in there if path.exists()), there[0]))


def _link(path: Path, target: Path) -> None:
    if path.is_symlink() and path.readlink() != target:
        path.unlink()
    if not path.is_symlink() and not path.exists():
        path.symlink_to(target)


def rendered(text: str, values: Mapping[str, str]) -> str:
    """A template with its values, and `load = app_{dial,read}.so` as a line for each, which also takes the place of `{}` after it; raises
    `EngineError` for what it can't say."""

    def value(found: re.Match[str]) -> str:
        if (given := values.get(found[1])) is None:
            raise EngineError(f"the configuration asks for {found[1]}, which nobody gave.")
        if not PLAIN.fullmatch(given):
            raise EngineError(
                f"{found[1]} has a character that a line of Asterisk's configuration can't hold."
            )
        return given

    lines = []
    for line in PLACEHOLDER.sub(value, text).splitlines():
        several = BRACES.match(line)
        names = several[2].split(",") if several else []
        lines += (
            [f"{several[1]}{name}{several[3].replace('{}', name)}" for name in names] if several else [line]
        )
    return "\n".join([*lines, ""])


def configure(folders: Folders, installed: Installed, given: Mapping[str, str]) -> dict[str, str]:
    """Write the configuration into `folders`, for their owner's eyes only; gives the values that it was written with."""
    values = DEFAULTS | {name: text for name, text in given.items() if text}
    values |= folders.named() | {"MODULES": str(installed.modules)}
    values["NODE_PASSWORD"] = values["NODE_PASSWORD"] or secrets.token_urlsafe(24)
    folders.make(installed)
    if not values["TLS_CERTIFICATE"]:
        values["TLS_CERTIFICATE"], values["TLS_KEY"] = own_certificate(folders.etc)
    values["TLS_KEY"] = values["TLS_KEY"] or values["TLS_CERTIFICATE"]
    refuse_a_wrong_certificate(values["TLS_CERTIFICATE"], values["TLS_KEY"])
    files = {path.name: path.read_text() for path in sorted(TEMPLATES.glob("*.conf"))}
    for name in EMPTY:
        files.setdefault(f"{name}.conf", "")
    files["voicemail.conf"] += zones()
    for name, text in files.items():
        _write(folders.etc / name, rendered(text, values))
    return values


def zones() -> str:
    """How the times of messages are said in the zones that the portal offers, by the machine's own data of zones (`tzdata`)."""
    return "".join(
        f"{zone.replace('/', '-')}-{clock} = {zone}|'vm-received' Q 'digits/at' {said}\n"
        for zone in ZONES
        for clock, said in (("12", "IMp"), ("24", "R"))
    )


def _write(path: Path, text: str) -> None:
    """In one step, so that an Asterisk that reads it meanwhile reads either."""
    beside = path.with_name(f".{path.name}")
    beside.unlink(missing_ok=True)
    with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    beside.replace(path)


def own_certificate(folder: Path) -> tuple[str, str]:
    """Certificate and key for SIP over TLS where none was given: signed by nobody but itself, kept for the next start."""
    certificate, key = folder / "sip.crt", folder / "sip.key"
    if certificate.exists() and key.exists():
        return str(certificate), str(key)
    # Imported where it is needed: fetching works before anything is installed.
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "pbxadmin")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, private.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=3650))
        .sign(private, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    _write(
        key,
        private.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode(),
    )
    _write(certificate, made.public_bytes(pem).decode())
    return str(certificate), str(key)


def refuse_a_wrong_certificate(certificate: str, key: str) -> None:
    """Raise `EngineError` for one that can't be read or isn't its key's: Asterisk would start without TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(certificate, key, password=lambda: "")
    except ssl.SSLError:
        why = "it is no certificate, or the key is another one's, or has a password."
    except OSError as error:
        why = f"{error.strerror}."
    else:
        return
    raise EngineError(f"TLS_CERTIFICATE {certificate} with TLS_KEY {key} can't be used: {why}")


def forget(folders: Folders) -> None:
    """Delete everything of an Asterisk that isn't needed any more: its messages and recordings, too."""
    shutil.rmtree(folders.home, ignore_errors=True)
