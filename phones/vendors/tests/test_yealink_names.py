"""The names a Yealink asks for and calls itself by, what it is told, and what is hidden when a file is shown."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbxadmin.common.values.configtext import MASK
from phones.vendors import (
    VENDORS,
    Command,
    FileKind,
    FileRequest,
    UnknownModelError,
    Vendor,
    find_model,
    identify,
    models,
    vendor_of,
)
from phones.vendors.tests.yealink import (
    ACCOUNT,
    FULL,
    MAC,
    SIP_PASSWORD,
    TOKEN,
    WEB_PASSWORD,
    phone,
)
from phones.vendors.yealink import YEALINK
from phones.vendors.yealink.models import MODELS

# --- file names ---


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("y000000000000.boot", FileRequest(FileKind.BOOT)),
        (f"{MAC}.boot", FileRequest(FileKind.BOOT, mac=MAC)),
        (f"{MAC}.cfg", FileRequest(FileKind.DEVICE, mac=MAC)),
        ("y000000000096.cfg", FileRequest(FileKind.COMMON, models=("yealink-t54w",))),
        ("y000000000123.cfg", FileRequest(FileKind.COMMON, models=("yealink-t31g",))),
        ("y000000000095.cfg", FileRequest(FileKind.COMMON, models=("yealink-t53", "yealink-t53w"))),
        ("y000000000999.cfg", FileRequest(FileKind.COMMON, models=())),
        (f"{MAC}-local.cfg", FileRequest(FileKind.OTHER, mac=MAC)),
        (
            "logo-0123456789abcdef.png",
            FileRequest(FileKind.LOGO, picture="logo-0123456789abcdef.png"),
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
        ("y000000000999.cfg", MAC, t41u, False),
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
    lines = YEALINK.lines(written.decode())
    assert [line.text for line in lines] == written.decode().splitlines()
    masked = "\n".join(line.shown for line in lines)
    assert not [secret for secret in (SIP_PASSWORD, WEB_PASSWORD, TOKEN, ACCOUNT.auth_id) if secret in masked]
    differing = [line.shown for line in lines if line.secret]
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
