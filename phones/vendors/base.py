"""What a vendor is: the contract that a vendor's folder fulfils."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, runtime_checkable

from pbxadmin.common.values.configtext import FileLine
from phones.context import PhoneContext
from phones.vendors.model import Model


class UnknownModelError(KeyError):
    """No vendor has a model of that slug."""


class FileKind(StrEnum):
    """What a phone asks for.

    `BOOT` names the other files, `COMMON` is shared by the phones of a model, `DEVICE` is the phone's own and says all that
    it must know, `LOGO` is a picture for its screen, `OTHER` is what phones ask for and are never given.
    """

    BOOT = "boot"
    COMMON = "common"
    DEVICE = "device"
    LOGO = "logo"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class FileRequest:
    """What a file name asks for, in no vendor's words.

    `mac` is the phone that the name names (twelve lower-case hex digits), `models` the slugs of the models whose file it is
    (none, where no model has that file), `picture` the picture's name; None and "" where the name says nothing of it.
    """

    kind: FileKind
    mac: str | None = None
    models: tuple[str, ...] | None = None
    picture: str = ""

    def is_for(self, mac: str, model: Model) -> bool:
        """Whether the phone `mac` of that model may have this file, which no other phone or model may."""
        return self.mac in (None, mac) and (self.models is None or model.slug in self.models)


@dataclass(frozen=True, slots=True)
class Identified:
    """What a phone says of itself in its User-Agent; a hint for people and logs, never a proof.

    `model` is the name as the phone writes it, `slug` that of our record of it or None if we have none, `mac`
    in canonical form or None if it wasn't said; `firmware` is a version as `Phone.firmware` takes it.
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
    def web_user(self) -> str:
        """The login of its phones' web pages whose password their file sets: "admin"."""

    @property
    def redirected(self) -> frozenset[FileKind]:
        """The kinds of file by whose name, where it holds a phone's MAC, that phone is sent on to its own address when it asks at
        the one that its maker's redirection service gives to several phones (`phones.serving.redirection`)."""

    def identify(self, user_agent: str) -> Identified | None:
        """Called with the User-Agent of every provisioning request; None if it isn't this vendor's."""

    def parse_file_name(self, name: str) -> FileRequest | None:
        """Called with what stands behind the token in the path that one of its phones asked for, slashes included.

        Two vendors may mean different files by the same name: the token has said whose phone it is. Only the one canonical
        spelling of a name is understood; anything else is None, and the caller answers 404.
        """

    def file_name(self, mac: str, model: Model) -> str:
        """The name under which the phone asks for its own file (`FileKind.DEVICE`); a page shows the file under it."""

    def entered_address(self, folder: str) -> str:
        """What a person types into the phone, or at its maker's redirection service, so that it asks in `folder`.

        `folder` is an address that ends with "/"; some makes want its scheme left out, or a file's name with a macro in it.
        """

    def render(self, kind: FileKind, context: PhoneContext) -> bytes:
        """Called at request time, after the token was checked and the name matched; also for the preview and
        the digest.

        Pre: `context.model` is one of this vendor's. Post: the same context gives the same bytes, and every
        value reads back unchanged. Raises `ContextError` if the model can't be so configured,
        `UnsafeTextError` for a value that would not stay on its line, `UnknownModelError`, and ValueError for
        a kind that has no content.
        """

    def notify_event(self, command: Command) -> str | None:
        """Called when a phone is told something: the value of the Event header of the NOTIFY.

        None where its phones know no such command: no page offers it. `Command.RESYNC` is known to every make.
        """

    def lines(self, content: str) -> list[FileLine]:
        """Called before one of its device files is shown, or compared with another: its lines, with the secrets of each hidden.

        What a phone reads as one long line is cut where a person would cut it.
        """
