"""A second make of phone for the tests, unlike the first in all that a make may decide.

Its `{mac}.cfg`, which is a Yealink's own file, only names other files; its own is XML in one long line; its rings are numbers; it knows
no restart, has neither a logo nor a screen saver, and is entered without the scheme of the address.
"""

import re
from dataclasses import dataclass
from xml.sax.saxutils import quoteattr

from pbxadmin.common.values.configtext import MASK, FileLine, refuse_control_characters
from phones.context import DateFormat, Language, PhoneContext, Ringtone
from phones.vendors import (
    Command,
    ContextError,
    FileKind,
    FileRequest,
    Identified,
    Model,
    Offers,
    UnknownModelError,
)
from phones.vendors.checks import problems

USER_AGENT = re.compile(
    r"FileTransport Nordet-(?P<model>\w{2,10})-UA/(?P<firmware>[\d.]{1,20}) \(SN:(?P<mac>[0-9a-f]{12})\)"
)
NAMES = re.compile(r"(?P<mac>[0-9a-f]{12})(?P<rest>\.cfg|-own\.xml|-phone\.cfg)", re.ASCII)
KINDS = {".cfg": FileKind.BOOT, "-own.xml": FileKind.DEVICE, "-phone.cfg": FileKind.OTHER}
SECRETS = ("user", "password", "url", "console")
RINGS = {ring: number for number, ring in enumerate(list(Ringtone)[:10], start=1)}
MODELS = (
    Model(
        "nordet",
        "N20",
        lines=2,
        keys=4,
        offers=Offers(
            language=(Language.FR_CA, Language.EN),
            time_zone=("America/Toronto",),
            date_format=(DateFormat.ISO,),
            transfer_mode=(),
            ringtone=tuple(RINGS),
            queue_ringtone=tuple(RINGS),
        ),
    ),
)


@dataclass(frozen=True)
class Nordet:
    """The vendor, as `phones.vendors.base.Vendor` asks."""

    name: str = "nordet"
    models: tuple[Model, ...] = MODELS
    content_type: str = "text/xml; charset=utf-8"
    web_user: str = "Nordet"
    redirected: frozenset[FileKind] = frozenset({FileKind.BOOT, FileKind.DEVICE})

    def identify(self, user_agent: str) -> Identified | None:
        found = USER_AGENT.fullmatch(user_agent)
        if not found:
            return None
        slug = f"nordet-{found['model'].lower()}"
        known = slug if slug in {model.slug for model in self.models} else None
        return Identified(self.name, found["model"], found["firmware"], found["mac"], known)

    def parse_file_name(self, name: str) -> FileRequest | None:
        if name == "000000000000.cfg":
            return FileRequest(FileKind.BOOT)
        found = NAMES.fullmatch(name)
        return FileRequest(KINDS[found["rest"]], mac=found["mac"]) if found else None

    def file_name(self, mac: str, model: Model) -> str:
        return f"{mac}-own.xml"

    def entered_address(self, folder: str) -> str:
        return folder.partition("://")[2]

    def render(self, kind: FileKind, context: PhoneContext) -> bytes:
        model = next((one for one in self.models if one.slug == context.model), None)
        if model is None:
            raise UnknownModelError(context.model)
        if found := problems(model, context):
            raise ContextError(found)
        if kind is FileKind.BOOT:
            return f'<files own="{context.mac}-own.xml"/>\n'.encode()
        if kind is not FileKind.DEVICE:
            raise ValueError(f"no content for {kind}")
        account = context.account
        values = {
            "label": account.label,
            "number": account.extension,
            "user": account.auth_id,
            "password": account.password,
            "url": context.provisioning_url,
            "console": context.web_password,
            "ring": RINGS[context.settings.ringtone],
            **{f"key.{key.position}": key.label for key in context.keys if key.position <= model.keys},
        }
        written = " ".join(f"{name}={quoteattr(str(value))}" for name, value in values.items())
        return f"<phone {refuse_control_characters(written)}/>\n".encode()

    def notify_event(self, command: Command) -> str | None:
        return {Command.RESYNC: "resync"}.get(Command(command))

    def lines(self, content: str) -> list[FileLine]:
        """An attribute a line."""
        cut = re.split(r" (?=[a-z.0-9]+=[\"'])", content.strip())
        return [FileLine(line, self._shown(line)) for line in cut]

    def _shown(self, line: str) -> str:
        name, equals, _value = line.partition("=")
        return f'{name}="{MASK}"' if equals and name in SECRETS else line


NORDET = Nordet()
