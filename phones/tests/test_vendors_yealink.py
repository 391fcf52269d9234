"""Yealink's files: against files read by a person, read back with hostile values, and option by option.

After a wanted change write the expected files again, and read the difference before committing it:
`UPDATE_GOLDEN=1 pytest phones/tests/test_vendors_yealink.py`. What no test here can tell stands in the
docstring of `phones.vendors.yealink`.
"""

import os
import re
import zoneinfo
from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pbxadmin.common.values.configtext import MASK, UnsafeTextError, guard_line_values, pairs
from phones.context import (
    Account,
    AgentAction,
    Codec,
    DateFormat,
    DialCodes,
    Key,
    KeyKind,
    Language,
    PhoneContext,
    PowerLed,
    Proxy,
    Srtp,
    TimeFormat,
    TransferMode,
    Transport,
    Vlan,
    nightly_time,
)
from phones.vendors import (
    VENDORS,
    Command,
    ContextError,
    FileKind,
    FileRequest,
    UnknownModelError,
    Vendor,
    find_model,
    identify,
    models,
    vendor_of,
)
from phones.vendors.yealink import YEALINK, device_values
from phones.vendors.yealink.keys import dial_macro, label_text
from phones.vendors.yealink.models import MODELS
from phones.vendors.yealink.zones import ZONES

GOLDEN = Path(__file__).parent / "golden" / "yealink"
MAC = "805ec0d57d72"
SIP_PASSWORD = "sentinel-sip-0Kq3"
WEB_PASSWORD = "sentinel-web-7Wp9"
TOKEN = "sentinel-token-9vK2"

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
    """A plain phone of that model, with `changes`."""
    plain = PhoneContext(
        mac=MAC,
        model=model,
        account=ACCOUNT,
        provisioning_url=f"https://pbx.example.net/p/{TOKEN}/",
        web_password=WEB_PASSWORD,
        nightly_at=time(2, 17),
    )
    return replace(plain, **changes)


def device(context: PhoneContext) -> list[tuple[str, str]]:
    """What a reader of the phone's own file finds there."""
    return list(pairs(YEALINK.render(FileKind.DEVICE, context)))


def value(context: PhoneContext, key: str) -> str:
    """The one value of `key` in the phone's own file."""
    (found,) = [text for name, text in device(context) if name == key]
    return found


# --- files read by a person ---

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
    "ringtone": "Ring5.wav",
    "queue_ringtone": "Ring8.wav",
    "codecs": (Codec.PCMA, Codec.G729),
    "account": replace(ACCOUNT, srtp=Srtp.ENFORCED, expires=600, voicemail_number="*98"),
    "ntp_servers": ("ntp1.example.net", "ntp2.example.net"),
    "trusted_certificate_url": f"https://pbx.example.net/p/{TOKEN}/root.pem",
}
ACCENTED = {
    "account": replace(ACCOUNT, display_name="Éloïse L’Écuyer-Côté « Œuvre »", label="Éloïse 101"),
    "keys": (Key(1, KeyKind.BLF, "104", "Noël Ça-Où"), Key(2, KeyKind.SPEED_DIAL, "105", "Maïté Hôte")),
}
CASES = {
    "minimal": {},
    "full": FULL,
    "all_kinds": {"keys": ALL_KINDS},
    "accents": ACCENTED,
    "vlan": {"vlan_wan": Vlan(True, 20, 5), "vlan_pc": Vlan(True, 10, 0)},
    "sbc": {"account": replace(ACCOUNT, outbound_proxy=Proxy("10.0.0.5", 5060, Transport.TCP))},
    "direct": {"account": replace(ACCOUNT, behind_nat=True)},
}
# One of each class: few keys and grey, small colour, grey with pages, colour with pages, touch screen.
CLASSES = ("yealink-t31g", "yealink-t33g", "yealink-t42u", "yealink-t54w", "yealink-t57w")


def compare_with_golden(name: str, content: bytes) -> None:
    """Compare with the file of that name, or write it where UPDATE_GOLDEN is set."""
    path = GOLDEN / name
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_bytes(content)
    assert content == path.read_bytes()


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("model", CLASSES)
def test_the_file_of_a_phone_is_the_one_a_person_read(model: str, case: str) -> None:
    content = YEALINK.render(FileKind.DEVICE, phone(model, **CASES[case]))
    compare_with_golden(f"{model.removeprefix('yealink-')}_{case}.cfg", content)


def test_the_file_of_a_phone_with_sidecars_and_a_logo_is_the_one_a_person_read() -> None:
    logo = f"https://pbx.example.net/p/{TOKEN}/logo.png"
    keys = (*ALL_KINDS, Key(27, KeyKind.BLF, "127", "127"), Key(28, KeyKind.BLF, "128", "128"))
    content = YEALINK.render(FileKind.DEVICE, phone(keys=keys, sidecars=1, logo_url=logo))
    compare_with_golden("t54w_sidecar_logo.cfg", content)


def test_the_boot_and_common_files_are_those_a_person_read() -> None:
    compare_with_golden("t54w.boot", YEALINK.render(FileKind.BOOT, phone()))
    compare_with_golden("t54w_common.cfg", YEALINK.render(FileKind.COMMON, phone()))
    compare_with_golden("t41u.boot", YEALINK.render(FileKind.BOOT, phone("yealink-t41u")))


@pytest.mark.parametrize("path", sorted(GOLDEN.iterdir()), ids=lambda path: path.name)
def test_every_expected_file_begins_as_the_phone_demands_and_leaves_nothing_open(path: Path) -> None:
    if path.name == "known_keys.txt":
        return
    text = path.read_text(encoding="utf-8")
    lines = text.split("\n")
    assert lines[0] == "#!version:1.0.0.1"
    assert lines[-1] == ""
    assert not re.search(r"\{\{|\}\}|\{%|%\}|None|Undefined|=\s*$", text, re.MULTILINE)
    for line in filter(None, lines):
        assert line.startswith(("#", "include:config ")) or re.fullmatch(r"[a-z0-9_.]+ = \S.*", line), line


# --- values never change the structure ---

HOSTILE = (
    "\n account.2.enable = 1",
    "Amélie\nstatic.auto_provision.server.url = http://evil/",
    "a\rb",
    "a\x00b",
    "a\x0bb",
    "a\x85b",
    "a\u2028b",
    "a\u2029b",
    "a\tb",
    "\u202eeilémA",
    "\u2066x",
    "\ufeffx",
    "a\ud800b",
)
HARMLESS = (
    "$PSN",
    "$MAC",
    "{{7*7}}",
    "{{ settings.SECRET_KEY }}",
    "{% load x %}",
    "${7*7}",
    "%(x)s",
    "{0.__class__}",
    "<script>alert(1)</script>",
    '"quoted"',
    "it's",
    "a = b",
    "= b",
    "# comment",
    "#!version:1.0.0.1",
    'include:config "http://evil/x.cfg"',
    "overwrite_mode = 1",
    "account.2.enable = 1",
    "a\\nb",
    "50 % et plus",
    "Noël 张 Ωμέγα",
)
# What a person may type and a form would let through.
NAMES = st.text(
    st.characters(exclude_categories=("Cc", "Cs", "Cf", "Zl", "Zp", "Cn"), max_codepoint=0xFFFF), max_size=60
) | st.sampled_from(HARMLESS)
NUMBERS = st.from_regex(r"[0-9*#+]{1,12}(,{1,25}[0-9*#+]{1,6}){0,3}", fullmatch=True)


def shown(text: str, otherwise: str) -> str:
    """What must stand on a screen for a name typed as `text`."""
    label = re.sub("[\ufe00-\ufe0f]", "", text)[:99].strip()
    return otherwise if label.upper() in ("", "%NULL%") else label


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(name=NAMES, label=NAMES, target=st.from_regex(r"[0-9]{2,5}", fullmatch=True), number=NUMBERS)
@example(name="%NULL%", label="%null%", target="102", number="866,1")
def test_what_is_written_reads_back_as_what_was_meant(
    name: str, label: str, target: str, number: str
) -> None:
    plain = dict(device(phone()))
    keys = (Key(1, KeyKind.BLF, target, label), Key(2, KeyKind.CUSTOM_SPEED_DIAL, number, name))
    context = phone(account=replace(ACCOUNT, display_name=name, label=label), keys=keys)

    found = device(context)

    assert [key for key, _ in found] == [key for key, _ in device(phone())]
    values = dict(found)
    assert values.pop("account.1.display_name") == shown(name, "101")
    assert values.pop("account.1.label") == shown(label, "101")
    assert values.pop("linekey.1.value") == target
    assert values.pop("linekey.1.label") == shown(label, target)
    dialled = number.rstrip(",")
    assert values.pop("linekey.2.value") == (dial_macro(dialled) if "," in dialled else dialled)
    assert values.pop("linekey.2.label") == shown(name, dialled)
    changed = {key for key in values if values[key] != plain[key]}
    assert changed <= {
        "linekey.1.type",
        "linekey.1.line",
        "linekey.1.extension",
        "linekey.2.type",
        "linekey.2.line",
        "features.enhanced_dss_keys.enable",
    }


@pytest.mark.parametrize("text", HARMLESS)
def test_text_that_means_something_elsewhere_is_only_text(text: str) -> None:
    assert value(phone(account=replace(ACCOUNT, display_name=text)), "account.1.display_name") == text


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
@pytest.mark.parametrize("where", ["display_name", "label", "key", "alert_info"])
def test_a_line_break_or_a_control_is_refused_wherever_it_stands(text: str, where: str) -> None:
    match where:
        case "key":
            context = phone(keys=(Key(1, KeyKind.BLF, "102", text),))
        case "alert_info":
            context = phone(queue_alert_info=text)
        case _:
            context = phone(account=replace(ACCOUNT, **{where: text}))
    with pytest.raises(ContextError) as refused:
        YEALINK.render(FileKind.DEVICE, context)
    assert refused.value.problems[0].code in ("control", "direction")


@pytest.mark.parametrize("field", ["extension", "auth_id", "password", "registrar", "voicemail_number"])
@pytest.mark.parametrize("text", [*HOSTILE, "", " ", "a b", "%NULL%\n"], ids=ascii)
def test_an_account_with_such_an_identity_is_refused_and_the_error_does_not_tell_it(
    field: str, text: str
) -> None:
    with pytest.raises(ContextError) as refused:
        YEALINK.render(FileKind.DEVICE, phone(account=replace(ACCOUNT, **{field: text})))
    assert [problem.field for problem in refused.value.problems] == [f"account.{field}"]
    assert SIP_PASSWORD not in str(refused.value)


@pytest.mark.parametrize(
    "url",
    [
        "http://evil/ x/",
        "https://pbx/$MAC/",
        "ftp://pbx/",
        'https://pbx/"/',
        "https://pbx/\n/",
        "https://pbx/x",
        "//pbx/",
        "%NULL%",
    ],
    ids=ascii,
)
def test_a_provisioning_address_the_phone_would_read_otherwise_is_refused(url: str) -> None:
    with pytest.raises(ContextError):
        YEALINK.render(FileKind.DEVICE, phone(provisioning_url=url))


def test_a_password_that_is_the_word_for_clearing_a_setting_is_refused() -> None:
    with pytest.raises(UnsafeTextError, match="reserved"):
        YEALINK.render(FileKind.DEVICE, phone(account=replace(ACCOUNT, password="%NULL%")))


def test_a_web_login_that_would_be_read_as_another_is_refused() -> None:
    for changes in ({"web_user": "user"}, {"web_user": "a:b"}, {"web_password": "a:b"}):
        with pytest.raises(ContextError):
            YEALINK.render(FileKind.DEVICE, phone(**changes))


def test_every_text_of_the_template_is_guarded() -> None:
    values = device_values(phone(), find_model("yealink-t54w"))
    for name, text in values.items():
        if type(text) is str:
            with pytest.raises(UnsafeTextError):
                guard_line_values((values | {name: f"{text}\nx = 1"}).values())


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_a_label_that_was_never_checked_is_still_refused(text: str) -> None:
    with pytest.raises(UnsafeTextError):
        label_text(f"x{text}x")


def test_a_label_leaves_out_what_no_screen_shows() -> None:
    assert label_text(" Réception 📞\ufe0f ", "101") == "Réception"
    assert label_text("👩\u200d💻", "101") == "101"
    assert label_text("☎ Accueil", "101") == "☎ Accueil"
    assert label_text("x" * 300, "101") == "x" * 99


# --- keys ---


def key_settings(context: PhoneContext, prefix: str) -> tuple[str, ...]:
    """type, line, value, label and pickup code of the key at `prefix`."""
    found = dict(device(context))
    return tuple(found[f"{prefix}.{name}"] for name in ("type", "line", "value", "label", "extension"))


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        (Key(1, KeyKind.BLANK, "", "gone"), ("0", "%NULL%", "%NULL%", "%NULL%", "%NULL%")),
        (Key(1, KeyKind.LINE), ("15", "1", "%NULL%", "101", "%NULL%")),
        (Key(1, KeyKind.BLF, "102", "Félix"), ("16", "1", "102", "Félix", "*20*")),
        (Key(1, KeyKind.SPEED_DIAL, "103"), ("13", "1", "103", "103", "%NULL%")),
        (Key(1, KeyKind.CUSTOM_SPEED_DIAL, "5145550100", "F"), ("13", "1", "5145550100", "F", "%NULL%")),
        (Key(1, KeyKind.CUSTOM_SPEED_DIAL, "5145550100,,", "F"), ("13", "1", "5145550100", "F", "%NULL%")),
        (
            Key(1, KeyKind.CUSTOM_SPEED_DIAL, "8663062224,,,225", "F"),
            ("73", "1", "8663062224$Tinvite$$Cwc$$Cp3$225$Tdtmf$", "F", "%NULL%"),
        ),
        (Key(1, KeyKind.SHARED_PARKING, "SP2"), ("16", "1", "SP2", "SP2", "%NULL%")),
        (Key(1, KeyKind.AGENT, AgentAction.LOGIN, "In"), ("13", "1", "*62", "In", "%NULL%")),
        (Key(1, KeyKind.AGENT, AgentAction.LOGOUT, "Out"), ("13", "1", "*63", "Out", "%NULL%")),
        (Key(1, KeyKind.STATUS, "business_trip", "V"), ("13", "1", "*34", "V", "%NULL%")),
    ],
    ids=lambda case: f"{case.kind.value} {case.value}" if isinstance(case, Key) else "",
)
def test_each_kind_of_key_says_what_the_phone_must_do(key: Key, expected: tuple[str, ...]) -> None:
    assert key_settings(phone(keys=(key,)), "linekey.1") == expected


@pytest.mark.parametrize(
    ("number", "macro"),
    [
        ("866,1", "866$Tinvite$$Cwc$$Cp1$1$Tdtmf$"),
        ("866,,,,,,,,,,1", "866$Tinvite$$Cwc$$Cp10$1$Tdtmf$"),
        ("866,,,,,,,,,,,,,,,,,,,,,,,1", "866$Tinvite$$Cwc$$Cp10$$Cp10$$Cp3$1$Tdtmf$"),
        ("866,,12#,,,*9", "866$Tinvite$$Cwc$$Cp2$12#$Tdtmf$$Cp3$*9$Tdtmf$"),
    ],
)
def test_a_pause_longer_than_ten_seconds_is_chained(number: str, macro: str) -> None:
    assert dial_macro(number) == macro
    assert all(1 <= int(seconds) <= 10 for seconds in re.findall(r"\$Cp(\d+)\$", macro))


def test_macros_are_switched_on_only_where_a_key_needs_them() -> None:
    assert value(phone(keys=ALL_KINDS), "features.enhanced_dss_keys.enable") == "1"
    assert value(phone(), "features.enhanced_dss_keys.enable") == "0"


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_every_position_of_the_model_and_its_sidecars_is_written_once(model) -> None:
    sidecars = model.sidecar.up_to if model.sidecar else 0
    found = [key for key, _ in device(phone(model.slug, sidecars=sidecars)) if key.endswith(".type")]
    keys = [key for key in found if key.startswith(("linekey.", "expansion_module."))]
    assert len(keys) == len(set(keys)) == model.key_capacity(sidecars)
    assert sum(key.startswith("linekey.") for key in keys) == model.keys


def test_keys_past_the_last_one_go_to_the_sidecar_or_are_named_as_not_fitting() -> None:
    keys = (Key(27, KeyKind.BLF, "127"), Key(28, KeyKind.BLF, "128"), Key(88, KeyKind.BLF, "188"))
    model = find_model("yealink-t54w")
    alone, with_two = phone(keys=keys), phone(keys=keys, sidecars=2)
    assert model.keys_that_do_not_fit(alone) == [keys[1], keys[2]]
    assert not any("expansion_module" in key for key, _ in device(alone))
    assert model.keys_that_do_not_fit(with_two) == []
    assert key_settings(with_two, "expansion_module.1.key.1")[2] == "128"
    assert key_settings(with_two, "expansion_module.2.key.1")[2] == "188"


@pytest.mark.parametrize(
    "key",
    [
        Key(0, KeyKind.BLF, "102"),
        Key(1, KeyKind.BLF, "Félix"),
        Key(1, KeyKind.BLF, "102|*20*"),
        Key(1, KeyKind.SPEED_DIAL, ""),
        Key(1, KeyKind.SPEED_DIAL, "１０２"),
        Key(1, KeyKind.CUSTOM_SPEED_DIAL, ",,225"),
        Key(1, KeyKind.CUSTOM_SPEED_DIAL, "866$Tinvite$"),
        Key(1, KeyKind.CUSTOM_SPEED_DIAL, "sip:x@evil"),
        Key(1, KeyKind.SHARED_PARKING, "SP1000"),
        Key(1, KeyKind.AGENT, "sleep"),
        Key(1, KeyKind.STATUS, "gone"),
    ],
    ids=lambda key: f"{key.kind.value} {key.value}",
)
def test_a_key_without_a_meaning_is_refused(key: Key) -> None:
    with pytest.raises(ContextError):
        YEALINK.render(FileKind.DEVICE, phone(keys=(key,)))


def test_two_keys_at_one_position_are_refused() -> None:
    with pytest.raises(ContextError, match="twice"):
        YEALINK.render(FileKind.DEVICE, phone(keys=(Key(1, KeyKind.LINE), Key(1, KeyKind.BLF, "102"))))


# --- every option reaches the phone, and only what the model offers ---

OTHER_VALUES: dict[str, object] = {
    "mac": "805ec0d57d73",
    "model": "yealink-t46u",
    "account": replace(ACCOUNT, display_name="Félix Gagnon"),
    "provisioning_url": "https://pbx.example.net/p/other/",
    "web_password": "another",
    "keys": (Key(1, KeyKind.BLF, "102"),),
    "sidecars": 1,
    "language": Language.ES,
    "time_zone": "America/Regina",
    "date_format": DateFormat.MONTH_DAY_YEAR,
    "time_format": TimeFormat.H12,
    "transfer_mode": TransferMode.BLIND,
    "power_led": PowerLed.VOICEMAIL_AND_MISSED,
    "screensaver_seconds": 60,
    "backlight_seconds": 0,
    "lldp": False,
    "logo_url": "https://pbx.example.net/p/t/logo.png",
    "ringtone": "Ring4.wav",
    "queue_ringtone": "Ring6.wav",
    "queue_alert_info": "file",
    "codecs": (Codec.PCMU,),
    "vlan_wan": Vlan(True, 20, 5),
    "vlan_pc": Vlan(True, 30, 1),
    "web_user": "support",
    "nightly_at": time(4, 5),
    "ntp_servers": ("ntp.example.net",),
    "trusted_certificate_url": "https://pbx.example.net/root.pem",
    "codes": DialCodes(pickup="**"),
}
OTHER_ACCOUNTS: dict[str, object] = {
    "extension": "102",
    "display_name": "Félix Gagnon",
    "label": "102",
    "auth_id": "other",
    "password": "other",
    "registrar": "other.example.net",
    "port": 5070,
    "transport": Transport.TCP,
    "srtp": Srtp.ENABLED,
    "outbound_proxy": Proxy("10.0.0.5"),
    "behind_nat": True,
    "voicemail_number": "*99",
    "expires": 120,
}
OTHER_PROXIES: dict[str, object] = {"address": "10.0.0.6", "port": 5080, "transport": Transport.UDP}
OTHER_CODES: dict[str, object] = {
    "pickup": "**",
    "agent_login": "*11",
    "agent_logout": "*12",
    "statuses": (("lunch", "*13"), *DialCodes().statuses),
}
OTHER_VLANS: dict[str, object] = {"enabled": False, "id": 7, "priority": 7}


def names(kind: type) -> list[str]:
    """Field names of a dataclass."""
    return [field.name for field in fields(kind)]


@pytest.mark.parametrize("field", names(PhoneContext))
def test_every_option_of_a_phone_changes_some_byte(field: str) -> None:
    base = phone(keys=(Key(1, KeyKind.LINE), Key(2, KeyKind.BLF, "102")))
    changed = replace(base, **{field: OTHER_VALUES[field]})
    written = [YEALINK.render(kind, base) for kind in (FileKind.BOOT, FileKind.DEVICE)]
    assert written != [YEALINK.render(kind, changed) for kind in (FileKind.BOOT, FileKind.DEVICE)]


@pytest.mark.parametrize("field", names(Account))
def test_every_option_of_an_account_changes_some_byte(field: str) -> None:
    changed = replace(ACCOUNT, **{field: OTHER_ACCOUNTS[field]})
    assert device(phone()) != device(phone(account=changed))


@pytest.mark.parametrize("field", names(Proxy))
def test_every_option_of_a_proxy_changes_some_byte(field: str) -> None:
    proxy = Proxy("10.0.0.5")
    changed = replace(proxy, **{field: OTHER_PROXIES[field]})
    assert device(phone(account=replace(ACCOUNT, outbound_proxy=proxy))) != device(
        phone(account=replace(ACCOUNT, outbound_proxy=changed))
    )


@pytest.mark.parametrize("field", names(DialCodes))
def test_every_dial_code_changes_some_byte(field: str) -> None:
    changed = replace(DialCodes(), **{field: OTHER_CODES[field]})
    assert device(phone(keys=ALL_KINDS)) != device(phone(keys=ALL_KINDS, codes=changed))


@pytest.mark.parametrize("field", names(Vlan))
@pytest.mark.parametrize("port", ["vlan_wan", "vlan_pc"])
def test_every_option_of_a_vlan_changes_some_byte(port: str, field: str) -> None:
    vlan = Vlan(True, 20, 5)
    changed = replace(vlan, **{field: OTHER_VLANS[field]})
    assert device(phone(**{port: vlan})) != device(phone(**{port: changed}))


OFFERED = {
    "language": "languages",
    "time_zone": "time_zones",
    "date_format": "date_formats",
    "time_format": "time_formats",
    "transfer_mode": "transfer_modes",
    "power_led": "power_leds",
    "screensaver_seconds": "screensaver_choices",
    "backlight_seconds": "backlight_choices",
    "ringtone": "ringtones",
    "queue_ringtone": "queue_ringtones",
}
# Fields whose choices may mean the same to the phone: it has one French, and zones share rules.
MAY_SHARE = {"language", "time_zone"}


@pytest.mark.parametrize("field", OFFERED)
@pytest.mark.parametrize("model", CLASSES)
def test_every_choice_a_model_offers_is_written_and_differs_from_the_others(model: str, field: str) -> None:
    choices = getattr(find_model(model), OFFERED[field])
    written = {YEALINK.render(FileKind.DEVICE, phone(model, **{field: choice})) for choice in choices}
    assert len(written) == len(choices) or field in MAY_SHARE
    assert len(set(choices)) == len(choices)


@pytest.mark.parametrize("field", OFFERED)
def test_what_a_model_does_not_offer_is_refused_by_name(field: str) -> None:
    for wrong in ("nonsense", 17):
        with pytest.raises(ContextError) as refused:
            YEALINK.render(FileKind.DEVICE, phone(**{field: wrong}))
        assert [problem.field for problem in refused.value.problems] == [field]


@pytest.mark.parametrize(
    "changes",
    [
        {"codecs": ()},
        {"codecs": (Codec.PCMU, Codec.PCMU)},
        {"codecs": ("OPUS",)},
        {"vlan_wan": Vlan(True, 0, 0)},
        {"vlan_wan": Vlan(True, 4095, 0)},
        {"vlan_pc": Vlan(True, 1, 8)},
        {"sidecars": 4},
        {"sidecars": -1},
        {"mac": "805EC0D57D72"},
        {"mac": "80:5e:c0:d5:7d:72"},
        {"logo_url": "https://pbx.example.net/logo.svg"},
        {"ntp_servers": ()},
        {"account": replace(ACCOUNT, port=0)},
        {"account": replace(ACCOUNT, expires=1)},
        {"codes": DialCodes(pickup="*20*\n")},
    ],
    ids=str,
)
def test_what_is_out_of_range_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ContextError):
        YEALINK.render(FileKind.DEVICE, phone(**changes))


def test_a_phone_without_a_colour_screen_takes_neither_logo_nor_screen_saver() -> None:
    with pytest.raises(ContextError, match="logo"):
        YEALINK.render(FileKind.DEVICE, phone("yealink-t42u", logo_url="https://pbx.example.net/logo.png"))
    keys = [key for key, _ in device(phone("yealink-t42u"))]
    assert "screensaver.wait_time" not in keys
    assert "wallpaper_upload.url" not in keys


def test_a_codec_that_was_not_chosen_is_off_and_the_others_keep_their_order() -> None:
    found = dict(device(phone(codecs=(Codec.G729, Codec.PCMA))))
    ranks = {name: found[f"account.1.codec.{name}.priority"] for name in ("g729", "pcma", "pcmu", "g722")}
    assert ranks == {"g729": "1", "pcma": "2", "pcmu": "0", "g722": "0"}
    assert [found[f"account.1.codec.{name}.enable"] for name in ranks] == ["1", "1", "0", "0"]


def test_both_logins_of_the_web_pages_are_written_in_their_order() -> None:
    passwords = [text for key, text in device(phone()) if key == "static.security.user_password"]
    assert passwords == [f"user:{WEB_PASSWORD}", f"admin:{WEB_PASSWORD}"]


def test_no_other_setting_is_written_twice() -> None:
    keys = [key for key, _ in device(phone(keys=ALL_KINDS, sidecars=3))]
    assert {key for key in keys if keys.count(key) > 1} == {"static.security.user_password"}


def test_a_check_sync_alone_never_restarts_the_phone_and_only_its_registrar_is_heard() -> None:
    found = dict(device(phone()))
    assert found["sip.notify_reboot_enable"] == "0"
    assert found["sip.trust_ctrl"] == "1"
    assert found["static.auto_provision.pnp_enable"] == "0"
    assert found["static.wui.http_enable"] == "0"


def test_the_phone_asks_once_a_night_in_a_window_that_stays_on_its_day() -> None:
    assert value(phone(), "static.auto_provision.weekly.begin_time") == "02:17"
    assert value(phone(), "static.auto_provision.weekly.end_time") == "02:47"
    assert value(phone(nightly_at=time(23, 50)), "static.auto_provision.weekly.end_time") == "23:59"


def test_a_fleet_is_spread_over_the_night() -> None:
    times = [nightly_time(f"805ec0{number:06x}") for number in range(2000)]
    assert min(times) >= time(1, 0)
    assert max(times) < time(5, 0)
    busiest = max(times.count(minute) for minute in set(times))
    assert len(set(times)) > 230
    assert busiest < 30
    assert times == [nightly_time(f"805ec0{number:06x}") for number in range(2000)]


def test_behind_an_sbc_the_registrar_stays_and_the_transport_is_the_way_to_the_sbc() -> None:
    found = dict(
        device(phone(account=replace(ACCOUNT, outbound_proxy=Proxy("10.0.0.5", 5062, Transport.UDP))))
    )
    assert found["account.1.sip_server.1.address"] == "pbx.example.net"
    assert found["account.1.sip_server.1.transport_type"] == "0"
    assert found["account.1.outbound_proxy_enable"] == "1"
    assert found["account.1.outbound_proxy.1.address"] == "10.0.0.5"
    assert found["account.1.outbound_proxy.1.port"] == "5062"


# --- known names and values ---

ENUMERATIONS = {
    "account.N.sip_server.N.transport_type": "012",
    "account.N.srtp_encryption": "012",
    "account.N.dtmf.type": "0123",
    "local_time.date_format": "0123456",
    "local_time.time_format": "01",
    "local_time.summer_time": "012",
    "transfer.dsskey_deal_type": "012",
    "static.security.ca_cert": "012",
    "sip.notify_reboot_enable": "012",
}
RANGES = {
    "account.N.nat.udp_update_time": (15, 2_147_483_647),
    "screensaver.wait_time": (0, 21600),
    "distinctive_ring_tones.alert_info.N.ringer": (1, 8),
    "static.network.vlan.internet_port_vid": (1, 4094),
    "static.network.vlan.internet_port_priority": (0, 7),
    "static.network.vlan.pc_port_vid": (1, 4094),
    "static.network.vlan.pc_port_priority": (0, 7),
}
KEY_TYPES = {"0", "13", "15", "16", "73"}


def known_keys() -> set[str]:
    """Names of settings the vendor's templates and guides have, N for a number."""
    lines = (GOLDEN / "known_keys.txt").read_text(encoding="utf-8").split("\n")
    return {line for line in lines if line and not line.startswith("#")}


def every_sample() -> Iterator[PhoneContext]:
    for model in MODELS:
        for name, changes in CASES.items():
            if name != "full" or model.screensaver_choices:
                yield phone(model.slug, sidecars=model.sidecar.up_to if model.sidecar else 0, **changes)
    yield phone(logo_url="https://pbx.example.net/logo.png")


def test_every_setting_written_is_one_the_vendor_knows_with_a_value_it_knows() -> None:
    known, used = known_keys(), set()
    for context in every_sample():
        for key, text in device(context):
            name = re.sub(r"(?<=\.)\d+(?=\.|$)", "N", key)
            used.add(name)
            assert name in known, key
            if name.endswith((".enable", "_enable")) and not name.startswith("sip.notify"):
                assert text in ("0", "1"), key
            if name in ENUMERATIONS:
                assert text in ENUMERATIONS[name], key
            if name in RANGES and text != "%NULL%":
                low, high = RANGES[name]
                assert low <= int(text) <= high, key
            if name in ("linekey.N.type", "expansion_module.N.key.N.type"):
                assert text in KEY_TYPES, key
    assert used == known, "a known setting nothing writes"


# --- time zones ---

YEAR = 2026


def hours(offset: timedelta) -> str:
    """An offset as Yealink writes it."""
    minutes = int(offset.total_seconds() // 60)
    sign = "-" if minutes < 0 else "+" if minutes else ""
    whole, rest = divmod(abs(minutes), 60)
    return f"{sign}{whole}:{rest:02d}" if rest else f"{sign}{whole}"


@pytest.mark.parametrize("name", ZONES)
def test_a_zone_has_the_offset_and_the_daylight_saving_of_the_time_zone_database(name: str) -> None:
    zone = zoneinfo.ZoneInfo(name)
    moments = [datetime(YEAR, month, 15, 12, tzinfo=UTC).astimezone(zone) for month in range(1, 13)]
    offsets = {moment.utcoffset() for moment in moments}
    assert ZONES[name].offset == hours(min(offsets))
    assert ZONES[name].summer_time == (len(offsets) > 1)


def test_every_canadian_zone_can_be_set() -> None:
    canadian = {
        *("St_Johns", "Halifax", "Glace_Bay", "Moncton", "Goose_Bay", "Blanc-Sablon", "Toronto", "Iqaluit"),
        *("Atikokan", "Winnipeg", "Resolute", "Rankin_Inlet", "Regina", "Swift_Current", "Edmonton"),
        *("Cambridge_Bay", "Inuvik", "Creston", "Dawson_Creek", "Fort_Nelson", "Whitehorse", "Dawson"),
        "Vancouver",
    }
    assert {f"America/{city}" for city in canadian} <= set(ZONES)


def test_a_zone_without_a_yealink_name_is_refused_and_not_guessed() -> None:
    with pytest.raises(ContextError, match="Asia/Tokyo is not offered"):
        YEALINK.render(FileKind.DEVICE, phone(time_zone="Asia/Tokyo"))


def test_the_lower_north_shore_does_not_change_its_clocks() -> None:
    found = dict(device(phone(time_zone="America/Blanc-Sablon")))
    assert (found["local_time.time_zone"], found["local_time.summer_time"]) == ("-4", "0")


# --- file names ---


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("y000000000000.boot", FileRequest("yealink", FileKind.BOOT)),
        (f"{MAC}.boot", FileRequest("yealink", FileKind.BOOT, mac=MAC)),
        (f"{MAC}.cfg", FileRequest("yealink", FileKind.DEVICE, mac=MAC)),
        ("y000000000096.cfg", FileRequest("yealink", FileKind.COMMON, common_file=96)),
        ("y000000000123.cfg", FileRequest("yealink", FileKind.COMMON, common_file=123)),
        (f"{MAC}-local.cfg", FileRequest("yealink", FileKind.OTHER, mac=MAC)),
        (
            "logo-0123456789abcdef.png",
            FileRequest("yealink", FileKind.LOGO, picture="logo-0123456789abcdef.png"),
        ),
    ],
)
def test_the_names_a_phone_asks_for_are_understood(name: str, expected: FileRequest) -> None:
    assert YEALINK.parse_file_name(name) == expected


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "../805ec0d57d72.cfg",
        "..%2f805ec0d57d72.cfg",
        "..\\805ec0d57d72.cfg",
        "/805ec0d57d72.cfg",
        "//805ec0d57d72.cfg",
        "805EC0D57D72.cfg",
        "805ec0d57d72.CFG",
        "80:5e:c0:d5:7d:72.cfg",
        "80-5e-c0-d5-7d-72.cfg",
        "805ec0d57d7.cfg",
        "805ec0d57d722.cfg",
        "805ec0d57d72.cfg\n",
        "805ec0d57d72\n.cfg",
        "805ec0d57d72%0a.cfg",
        "805ec0d57d72.cfg.",
        "805ec0d57d72.cfg ",
        " 805ec0d57d72.cfg",
        "805ec0d57d72.cfg\x00",
        "805ec0d57d72",
        "８０５ec0d57d72.cfg",
        "٨٠٥ec0d57d72.cfg",
        "805ec0d57d7g.cfg",
        "y0000000000096.cfg",
        "y00000000096.cfg",
        "Y000000000096.cfg",
        "y000000000096.boot",
        "y000000000０96.cfg",
        "y900000000108.cfg",
        "805ec0d57d72-app.log",
        "logo.png",
        "logo-0123456789abcdef.svg",
        "logo-0123456789ABCDEF.png",
        "logo-0123456789abcdef0.png",
        "../logo-0123456789abcdef.png",
        "logo-0123456789abcdef.png\n",
        "x" * 10_000,
    ],
    ids=lambda name: ascii(name)[:40],
)
def test_any_other_spelling_of_a_name_is_not_understood(name: str) -> None:
    assert YEALINK.parse_file_name(name) is None


@given(st.text(max_size=40))
def test_no_text_makes_the_reading_of_a_name_fail(name: str) -> None:
    request = YEALINK.parse_file_name(name)
    assert request is None or request.mac is None or re.fullmatch("[0-9a-f]{12}", request.mac, re.ASCII)


def test_a_name_opens_only_the_file_of_its_own_phone_and_model() -> None:
    t54w, t41u = find_model("yealink-t54w"), find_model("yealink-t41u")
    for name, mac, model, expected in (
        (f"{MAC}.cfg", MAC, t54w, True),
        (f"{MAC}.cfg", "805ec0d57d73", t54w, False),
        (f"{MAC}.boot", "805ec0d57d73", t54w, False),
        ("y000000000000.boot", MAC, t54w, True),
        ("y000000000096.cfg", MAC, t54w, True),
        ("y000000000097.cfg", MAC, t54w, False),
        ("y000000000096.cfg", MAC, t41u, False),
    ):
        request = YEALINK.parse_file_name(name)
        assert request is not None
        assert request.is_for(mac, model) is expected, (name, model.name)


def test_a_boot_file_names_the_common_file_only_where_its_number_is_known() -> None:
    with_number, without = (
        YEALINK.render(FileKind.BOOT, phone(f"yealink-{name}")).decode() for name in ("t54w", "t41u")
    )
    assert with_number.index("y000000000096.cfg") < with_number.index(f"{MAC}.cfg")
    assert "y0" not in without
    assert f'include:config "{MAC}.cfg"' in without
    assert with_number.endswith("overwrite_mode = 1\n")


def test_what_has_no_content_is_not_rendered() -> None:
    with pytest.raises(ValueError, match="no content"):
        YEALINK.render(FileKind.OTHER, phone())
    with pytest.raises(UnknownModelError):
        YEALINK.render(FileKind.DEVICE, phone("yealink-t99"))


# --- who asks, and what is said to it ---


@pytest.mark.parametrize(
    ("user_agent", "expected"),
    [
        ("Yealink SIP-T54W 96.86.0.45 80:5e:c0:d5:7d:72", ("T54W", "96.86.0.45", MAC, "yealink-t54w")),
        ("Yealink SIP-T56A 58.80.0.25 001565f429a4", ("T56A", "58.80.0.25", "001565f429a4", "yealink-t56a")),
        ("yealink SIP-T31G 124.85.25.5 80:5E:C0:D5:7D:72", ("T31G", "124.85.25.5", MAC, "yealink-t31g")),
        (
            "Yealink SIP-T33G 124.86.0.7 00:15:65:bd:ea:ef",
            ("T33G", "124.86.0.7", "001565bdeaef", "yealink-t33g"),
        ),
        ("Yealink SIP-T58 58.86.0.20 80:5e:c0:d5:7d:72", ("T58", "58.86.0.20", MAC, "yealink-t58a")),
        ("Yealink SIP VP-T49G 51.80.0.1 00:15:65:aa:bb:cc", ("T49G", "51.80.0.1", "001565aabbcc", None)),
        ("Yealink W70B 146.85.0.20 80:5e:c0:d5:7d:72", ("W70B", "146.85.0.20", MAC, None)),
        ("Yealink SIP-T46U 108.86.0.20", ("T46U", "108.86.0.20", None, "yealink-t46u")),
    ],
)
def test_a_phone_is_known_by_its_user_agent(user_agent: str, expected: tuple[str | None, ...]) -> None:
    found = identify(user_agent)
    assert found is not None
    assert (found.vendor, found.model, found.firmware, found.mac, found.slug) == ("yealink", *expected)


@pytest.mark.parametrize(
    "user_agent",
    [
        "",
        "Mozilla/5.0",
        "Fanvil X5U-V2 2.12.16.17 0c383e557eb1",
        "Yealink",
        "Yealink SIP-T54W 96.86.0.45 80:5e:c0:d5:7d:7g",
        "Yealink SIP-T54W 96.86.0.45 80:5e:c0:d5:7d:72\n",
        "Yealink SIP-T54W 96.86.0.45 80:5e:c0:d5:7d:72 more",
        "x Yealink SIP-T54W 96.86.0.45 80:5e:c0:d5:7d:72",
        "Yealink SIP-" + "T" * 100_000,
        "Yealink" + " " * 100_000 + "SIP",
    ],
    ids=lambda text: ascii(text)[:60],
)
def test_anybody_else_is_not(user_agent: str) -> None:
    assert identify(user_agent) is None


def test_a_resync_and_a_restart_are_named_by_their_effect() -> None:
    assert YEALINK.notify_event(Command.RESYNC) == "check-sync;reboot=false"
    assert YEALINK.notify_event("restart") == "check-sync;reboot=true"
    with pytest.raises(ValueError, match="reset"):
        YEALINK.notify_event("reset")


# --- secrets, and the register of vendors ---


def test_no_secret_shows_in_a_description_of_the_phone() -> None:
    text = repr(phone(logo_url=f"https://pbx.example.net/p/{TOKEN}/logo.png")) + str(ACCOUNT)
    assert not [secret for secret in (SIP_PASSWORD, WEB_PASSWORD, TOKEN, ACCOUNT.auth_id) if secret in text]


def test_no_secret_shows_in_a_masked_file_which_is_otherwise_the_same() -> None:
    context = phone(**FULL, logo_url=f"https://pbx.example.net/p/{TOKEN}/logo.png")
    written = YEALINK.render(FileKind.DEVICE, context)
    masked = YEALINK.mask(written)
    assert not [secret for secret in (SIP_PASSWORD, WEB_PASSWORD, TOKEN, ACCOUNT.auth_id) if secret in masked]
    differing = [
        new for old, new in zip(written.decode().split("\n"), masked.split("\n"), strict=True) if old != new
    ]
    assert all(line.endswith(f" = {MASK}") for line in differing)
    assert len(differing) == 7


def test_every_vendor_keeps_the_contract_and_every_model_has_its_own_name() -> None:
    for name, vendor in VENDORS.items():
        assert isinstance(vendor, Vendor)
        assert vendor.name == name
        assert {model.vendor for model in vendor.models} == {name}
    slugs = [model.slug for model in models()]
    assert len(set(slugs)) == len(slugs)
    assert vendor_of("yealink-t54w") is YEALINK
    assert find_model("yealink-t54w").display_name == "Yealink T54W"
    with pytest.raises(UnknownModelError):
        find_model("T54W")


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_every_model_can_be_configured_with_the_defaults_of_a_new_phone(model) -> None:
    content = YEALINK.render(FileKind.DEVICE, phone(model.slug))
    assert content.decode().startswith("#!version:1.0.0.1\n")
    assert YEALINK.render(FileKind.DEVICE, phone(model.slug)) == content
