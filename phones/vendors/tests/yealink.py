"""A plain Yealink for the tests, and what a reader finds in its file."""

from dataclasses import fields, replace
from datetime import date, time, timedelta

from pbxadmin.common.values.clock import ZONES, Clock, clock_of
from pbxadmin.common.values.configtext import pairs
from phones.context import (
    Account,
    AgentAction,
    Codec,
    DateFormat,
    Key,
    KeyKind,
    Language,
    PhoneContext,
    PhoneSettings,
    PowerLed,
    Ringtone,
    Srtp,
    TimeFormat,
    TransferMode,
    Transport,
)
from phones.vendors import (
    FileKind,
)
from phones.vendors.yealink import YEALINK

TODAY = date(2026, 11, 26)
MAC = "805ec0d57d72"
SIP_PASSWORD = "sentinel-sip-0Kq3"
WEB_PASSWORD = "sentinel-web-7Wp9"
TOKEN = "sentinel-token-9vK2"
SETTING_NAMES = {field.name for field in fields(PhoneSettings)}

ACCOUNT = Account(
    extension="101",
    display_name="Amélie Tremblay",
    label="101",
    auth_id="u7Qx2mN4",
    password=SIP_PASSWORD,
    registrar="pbx.example.net",
    port=5061,
    transport=Transport.TLS,
)
ALL_KINDS = (
    Key(1, KeyKind.LINE),
    Key(2, KeyKind.BLF, "102", "Félix Gagnon"),
    Key(3, KeyKind.BLANK),
    Key(4, KeyKind.SPEED_DIAL, "103", "Inès Roy"),
    Key(5, KeyKind.CUSTOM_SPEED_DIAL, "+15145550100", "Fournisseur"),
    Key(6, KeyKind.CUSTOM_SPEED_DIAL, "8663062224,,,225", "Soutien"),
    Key(7, KeyKind.SHARED_PARKING, "SP2", "SP2"),
    Key(8, KeyKind.AGENT, AgentAction.LOGIN, "Connexion"),
    Key(9, KeyKind.AGENT, AgentAction.LOGOUT, "Déconnexion"),
    Key(10, KeyKind.STATUS, "lunch", "Lunch"),
)


def phone(model: str = "yealink-t54w", **changes: object) -> PhoneContext:
    """A plain phone of that model, with `changes` of it or of its settings."""
    chosen = {name: changes.pop(name) for name in SETTING_NAMES & changes.keys()}
    zone = str(chosen.get("time_zone", PhoneSettings.time_zone))
    plain = PhoneContext(
        mac=MAC,
        model=model,
        account=ACCOUNT,
        provisioning_url=f"https://pbx.example.net/p/{TOKEN}/",
        web_password=WEB_PASSWORD,
        ntp_servers=("pool.ntp.org",),
        clock=clock_of(zone, TODAY) if zone in ZONES else Clock(timedelta(0)),
        nightly_at=time(2, 17),
        settings=replace(PhoneSettings(), **chosen),
    )
    return replace(plain, **changes)


def device(context: PhoneContext) -> list[tuple[str, str]]:
    """What a reader of the phone's own file finds there."""
    return list(pairs(YEALINK.render(FileKind.DEVICE, context)))


def value(context: PhoneContext, key: str) -> str:
    """The one value of `key` in the phone's own file."""
    (found,) = [text for name, text in device(context) if name == key]
    return found


FULL = {
    "keys": tuple(
        Key(n, KeyKind.BLF, str(100 + n), f"Poste {100 + n}") if n > 1 else Key(1, KeyKind.LINE)
        for n in range(1, 31)
    ),
    "language": Language.EN,
    "time_zone": "America/St_Johns",
    "date_format": DateFormat.DAY_MONTH_YEAR,
    "time_format": TimeFormat.H12,
    "transfer_mode": TransferMode.BLIND,
    "power_led": PowerLed.VOICEMAIL_AND_MISSED,
    "screensaver_seconds": 3600,
    "backlight_seconds": 0,
    "lldp": False,
    "ringtone": Ringtone.RING_5,
    "queue_ringtone": Ringtone.RING_8,
    "codecs": (Codec.PCMA, Codec.G729),
    "account": replace(ACCOUNT, srtp=Srtp.ENFORCED, expires=600, voicemail_number="*98"),
    "ntp_servers": ("ntp1.example.net", "ntp2.example.net"),
    "trusted_certificate_url": f"https://pbx.example.net/p/{TOKEN}/root.pem",
}


CLASSES = ("yealink-t31g", "yealink-t33g", "yealink-t42u", "yealink-t54w", "yealink-t57w")
