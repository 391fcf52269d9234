"""Yealink's T3, T4 and T5 desk phones, one record each, and the code tables their firmware shares.

Keys, accounts, modules, picture sizes and common-file numbers come from the vendor's provisioning templates
and guides as public provisioners use them. A number left out is one nobody published: such a phone asks for
its common file, gets a 404 and goes on to its own, which is complete. Colour screens take a picture; the grey
ones want a bitmap only the vendor's tool makes, and a screen saver isn't confirmed on them, so neither is
offered. A page shows as many keys as stand beside the screen, less the one that turns the page; the touch
screens are drawn with all of theirs at once. How a phone is made the router of its
neighbours isn't published for any of them: nothing here says that one can be.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from pbxadmin.common.values.clock import ZONES
from phones.context import (
    Codec,
    DateFormat,
    Language,
    PowerLed,
    Ringtone,
    Srtp,
    TimeFormat,
    TransferMode,
    Transport,
)
from phones.vendors.model import Model, Offers, Picture, Sidecar

# `lang.gui` and `lang.wui`. The firmware's French is one; a French (Canada) is not confirmed on any of these
# models, so a model that has it says so in its record.
LANGUAGES = {
    Language.FR_CA: "French",
    Language.FR_FR: "French",
    Language.EN: "English",
    Language.ES: "Spanish",
    Language.DE: "German",
    Language.IT: "Italian",
    Language.NL: "Dutch",
    Language.PT: "Portuguese",
}
DATE_FORMATS = {
    DateFormat.WEEKDAY_MONTH_DAY: 0,
    DateFormat.DAY_MONTH_NAME_SHORT_YEAR: 1,
    DateFormat.ISO: 2,
    DateFormat.DAY_MONTH_YEAR: 3,
    DateFormat.MONTH_DAY_YEAR: 4,
    DateFormat.DAY_MONTH_NAME_YEAR: 5,
    DateFormat.WEEKDAY_DAY_MONTH: 6,
}
TIME_FORMATS = {TimeFormat.H12: 0, TimeFormat.H24: 1}
TRANSFER_MODES = {TransferMode.ATTENDED: 1, TransferMode.BLIND: 2}
MISSED_CALL_LEDS = {PowerLed.VOICEMAIL: 0, PowerLed.VOICEMAIL_AND_MISSED: 1}
TRANSPORTS = {Transport.UDP: 0, Transport.TCP: 1, Transport.TLS: 2}
SRTP_MODES = {Srtp.DISABLED: 0, Srtp.ENABLED: 1, Srtp.ENFORCED: 2}
CODECS = {Codec.PCMU: "pcmu", Codec.PCMA: "pcma", Codec.G722: "g722", Codec.G729: "g729"}
# A distinctive ring is named by its number, the phone's own by its file.
RING_NUMBERS = {Ringtone(f"ring{number}"): number for number in range(1, 9)}
RING_FILES = {ring: f"{ring.capitalize()}.wav" for ring in (*RING_NUMBERS, Ringtone.SILENT, Ringtone.SPLASH)}
# The codes of those settings that have codes, by the setting's name.
CODES: Mapping[str, Mapping[Any, int | str]] = {
    "date_format": DATE_FORMATS,
    "time_format": TIME_FORMATS,
    "transfer_mode": TRANSFER_MODES,
    "power_led": MISSED_CALL_LEDS,
    "ringtone": RING_FILES,
    "queue_ringtone": RING_NUMBERS,
}

EXP40 = Sidecar("EXP40", keys=40, up_to=6)
EXP43 = Sidecar("EXP43", keys=60, up_to=3)
EXP50 = Sidecar("EXP50", keys=60, up_to=3)

QVGA = Picture(320, 240)
WQVGA = Picture(480, 272)
WVGA = Picture(800, 480)
WSVGA = Picture(1024, 600)

ON_GREY = Offers(
    language=tuple(LANGUAGES),
    time_zone=ZONES,
    date_format=tuple(DATE_FORMATS),
    backlight_seconds=(0, 15, 30, 60, 120, 300, 600, 1800),
    ringtone=tuple(RING_FILES),
    queue_ringtone=tuple(RING_NUMBERS),
)
ON_COLOUR = replace(ON_GREY, screensaver_seconds=(15, 30, 60, 120, 300, 600, 1800, 3600, 7200, 10800, 21600))


def model(name: str, offers: Offers, common: int | None = None, **more: Any) -> Model:
    """A model; `common` is the number of its common file, where it is known."""
    common_file = "" if common is None else f"y{common:012d}.cfg"
    # 3CX has one for each series.
    template = f"yealink{name[:2]}x.ph.xml"
    return Model("yealink", name, offers=offers, common_file=common_file, template=template, **more)


GREY = partial(model, offers=ON_GREY)
COLOUR = partial(model, offers=ON_COLOUR)

MODELS: tuple[Model, ...] = (
    GREY("T30", lines=1, keys=0, agent_names=("T30P",)),
    GREY("T31", lines=2, keys=2),
    GREY("T31G", lines=2, keys=2, common=123),
    GREY("T31P", lines=2, keys=2),
    GREY("T31W", lines=2, keys=2, common=172),
    COLOUR("T33G", lines=4, keys=12, page_keys=3, logo=QVGA, common=124),
    COLOUR("T33P", lines=4, keys=12, page_keys=3, logo=QVGA),
    COLOUR("T34W", lines=4, keys=12, page_keys=3, logo=QVGA, common=171),
    GREY("T41S", lines=6, keys=15, page_keys=5, common=68),
    GREY("T41U", lines=6, keys=15, page_keys=5),
    GREY("T42S", lines=12, keys=15, page_keys=5, common=67),
    GREY("T42U", lines=12, keys=15, page_keys=5, common=116),
    GREY("T43U", lines=12, keys=21, page_keys=7, sidecar=EXP43, common=107),
    COLOUR("T44U", lines=12, keys=21, page_keys=7),
    COLOUR("T44W", lines=12, keys=21, page_keys=7, common=174),
    COLOUR("T46S", lines=16, keys=27, page_keys=9, sidecar=EXP40, logo=WQVGA, common=66),
    COLOUR("T46U", lines=16, keys=27, page_keys=9, sidecar=EXP43, logo=WQVGA, common=108),
    COLOUR("T48S", lines=16, keys=29, sidecar=EXP40, logo=WVGA, common=65),
    COLOUR("T48U", lines=16, keys=29, sidecar=EXP43, logo=WVGA, common=109),
    COLOUR("T52S", lines=12, keys=21, page_keys=7, sidecar=EXP50, common=74),
    GREY("T53", lines=12, keys=21, page_keys=7, sidecar=EXP50, common=95),
    GREY("T53W", lines=12, keys=21, page_keys=7, sidecar=EXP50, common=95),
    COLOUR("T54S", lines=16, keys=27, page_keys=9, sidecar=EXP50, logo=WQVGA, common=70),
    COLOUR("T54W", lines=16, keys=27, page_keys=9, sidecar=EXP50, logo=WQVGA, common=96),
    COLOUR("T56A", lines=16, keys=27, sidecar=EXP50, logo=WSVGA, common=56),
    COLOUR("T57W", lines=16, keys=29, sidecar=EXP50, logo=WVGA, common=97),
    COLOUR("T58A", lines=16, keys=27, sidecar=EXP50, logo=WSVGA, common=58, agent_names=("T58", "T58V")),
    COLOUR("T58W", lines=16, keys=27, sidecar=EXP50, logo=WSVGA, common=150),
)
