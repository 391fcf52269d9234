"""Every option reaches the phone, and only what its model offers."""

from dataclasses import fields, replace
from datetime import time, timedelta

import pytest

from pbxadmin.common.values.clock import Clock
from phones.context import (
    Account,
    Codec,
    DateFormat,
    DialCodes,
    Key,
    KeyKind,
    Language,
    PhoneContext,
    PhoneSettings,
    PowerLed,
    Proxy,
    Ringtone,
    Srtp,
    TimeFormat,
    TransferMode,
    Transport,
    Vlan,
    nightly_time,
)
from phones.vendors import (
    ContextError,
    FileKind,
    Offers,
    find_model,
)
from phones.vendors.tests.yealink import ACCOUNT, ALL_KINDS, CLASSES, WEB_PASSWORD, device, phone, value
from phones.vendors.yealink import YEALINK

# --- every option reaches the phone, and only what the model offers ---

OTHER_VALUES: dict[str, object] = {
    "mac": "805ec0d57d73",
    "model": "yealink-t46u",
    "account": replace(ACCOUNT, display_name="Félix Gagnon"),
    "provisioning_url": "https://pbx.example.net/p/other/",
    "web_password": "another",
    "keys": (Key(1, KeyKind.BLF, "102"),),
    "sidecars": 1,
    "settings": replace(PhoneSettings(), lldp=False),
    "logo_url": "https://pbx.example.net/p/t/logo.png",
    "queue_alert_info": "file",
    "nightly_at": time(4, 5),
    "ntp_servers": ("ntp.example.net",),
    "trusted_certificate_url": "https://pbx.example.net/root.pem",
    "codes": DialCodes(pickup="**"),
    "clock": Clock(timedelta(hours=-6)),
}
OTHER_SETTINGS: dict[str, object] = {
    **{each.name: not each.default for each in fields(PhoneSettings) if isinstance(each.default, bool)},
    "language": Language.ES,
    "time_zone": "America/Regina",
    "date_format": DateFormat.MONTH_DAY_YEAR,
    "time_format": TimeFormat.H12,
    "transfer_mode": TransferMode.BLIND,
    "power_led": PowerLed.VOICEMAIL_AND_MISSED,
    "screensaver_seconds": 60,
    "backlight_seconds": 0,
    "ringtone": Ringtone.RING_4,
    "queue_ringtone": Ringtone.RING_6,
    "codecs": (Codec.PCMU,),
    "vlan_wan": Vlan(True, 20, 5),
    "vlan_pc": Vlan(True, 30, 1),
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


@pytest.mark.parametrize("field", names(PhoneSettings))
def test_every_setting_of_a_phone_changes_some_byte(field: str) -> None:
    assert device(phone()) != device(phone(**{field: OTHER_SETTINGS[field]}))


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


# Settings of which a model offers its own values.
OFFERED = [
    field.name for field in fields(Offers) if isinstance(field.default, tuple) and field.name != "codecs"
]
# Fields whose choices may mean the same to the phone: it has one French, and zones share rules.
MAY_SHARE = {"language", "time_zone"}


@pytest.mark.parametrize("field", OFFERED)
@pytest.mark.parametrize("model", CLASSES)
def test_every_choice_a_model_offers_is_written_and_differs_from_the_others(model: str, field: str) -> None:
    choices = getattr(find_model(model).offers, field)
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
