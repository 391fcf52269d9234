"""What one phone model can do, all in one record."""

from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

from phones.context import (
    Codec,
    DateFormat,
    Key,
    KeyKind,
    Language,
    PhoneContext,
    PowerLed,
    Ringtone,
    TimeFormat,
    TransferMode,
)


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


@dataclass(frozen=True, slots=True)
class Offers:
    """What a model offers of each of the `PhoneSettings`, under the same name: the values, or whether it has the option.

    An empty tuple or a False means that the model doesn't have it: no form shows it, and nothing is written for it.
    """

    language: tuple[Language, ...] = ()
    time_zone: tuple[str, ...] = ()
    date_format: tuple[DateFormat, ...] = ()
    time_format: tuple[TimeFormat, ...] = tuple(TimeFormat)
    transfer_mode: tuple[TransferMode, ...] = tuple(TransferMode)
    power_led: tuple[PowerLed, ...] = tuple(PowerLed)
    screensaver_seconds: tuple[int, ...] = ()
    backlight_seconds: tuple[int, ...] = ()
    lldp: bool = True
    ringtone: tuple[Ringtone, ...] = ()
    queue_ringtone: tuple[Ringtone, ...] = ()
    codecs: tuple[Codec, ...] = tuple(Codec)
    vlan_wan: bool = True
    vlan_pc: bool = True


@dataclass(frozen=True, eq=False)
class Model:
    """What one phone model can do, so that a form offers only what reaches the phone.

    `lines` is the number of SIP accounts, `keys` the number of line keys over all pages, `page_keys` how many of them one page
    shows (0: all of them), beside the key that turns the page. `common_file` is the name of the file that all phones of the
    model ask for, where it is known. `agent_names` are other names the model gives itself in its User-Agent. `language_codes`
    replaces the vendor's code of a language where the model has another word for it. `template` is what 3CX's files call the way in
    which it configures the model, "" where nobody published it. A vendor that must know more of its
    models derives from this record.
    """

    vendor: str
    name: str
    lines: int
    keys: int
    page_keys: int = 0
    sidecar: Sidecar | None = None
    logo: Picture | None = None
    common_file: str = ""
    agent_names: tuple[str, ...] = ()
    language_codes: tuple[tuple[Language, str], ...] = ()
    template: str = ""
    offers: Offers = field(default=Offers())

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
