"""Whatever a text holds, it stays the value of one setting in a Yealink's file."""

import re
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pbxadmin.common.values.configtext import UnsafeTextError, guard_line_values
from phones.context import (
    Key,
    KeyKind,
)
from phones.vendors import (
    ContextError,
    FileKind,
    find_model,
)
from phones.vendors.tests.yealink import ACCOUNT, SIP_PASSWORD, device, phone, value
from phones.vendors.yealink import YEALINK, device_values
from phones.vendors.yealink.keys import dial_macro, label_text

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


def test_a_web_password_that_would_end_the_login_is_refused() -> None:
    for changes in ({"web_password": "a:b"}, {"web_password": ":"}):
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
