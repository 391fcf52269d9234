"""The function keys of a Yealink, kind by kind and position by position."""

import re

import pytest

from phones.context import (
    AgentAction,
    Key,
    KeyKind,
    PhoneContext,
)
from phones.vendors import (
    ContextError,
    FileKind,
    find_model,
)
from phones.vendors.tests.yealink import (
    ALL_KINDS,
    device,
    phone,
    value,
)
from phones.vendors.yealink import YEALINK
from phones.vendors.yealink.keys import dial_macro
from phones.vendors.yealink.models import MODELS

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
