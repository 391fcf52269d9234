"""Yealink's files against files that a person read, and against the names and values that the vendor knows.

After a wanted change write the expected files again, and read the difference before committing it:
`UPDATE_GOLDEN=1 pytest phones/vendors/tests/test_yealink_files.py`. What no test here can tell stands in the docstring of
`phones.vendors.yealink`.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from phones.context import (
    Key,
    KeyKind,
    PhoneContext,
    Proxy,
    Transport,
    Vlan,
)
from phones.vendors import (
    FileKind,
)
from phones.vendors.tests.yealink import (
    ACCOUNT,
    ALL_KINDS,
    CLASSES,
    FULL,
    TOKEN,
    device,
    phone,
)
from phones.vendors.yealink import YEALINK
from phones.vendors.yealink.models import MODELS

GOLDEN = Path(__file__).parent / "golden" / "yealink"


# --- files read by a person ---

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
            if name != "full" or model.offers.screensaver_seconds:
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
