"""Codes that people dial: spelled once, and what each of them is."""

import ast
import re
from pathlib import Path

import pytest
from django.conf import settings

from pbxadmin.common.values import dial_codes
from pbxadmin.common.values.short_codes import RESERVED, as_dialled, emergency_number
from pbxadmin.common.values.signalling import Srtp, Transport
from pbxadmin.common.values.statuses import Status

pytestmark = pytest.mark.slow("reads all the sources")


def test_star_codes_are_spelled_in_one_place() -> None:
    found = set()
    for path in Path(settings.BASE_DIR).glob("*/**/*.py"):
        name = path.relative_to(settings.BASE_DIR).as_posix()
        if "/tests/" in name or name.startswith((".venv", "bench", "var")):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if (
                isinstance(node, ast.Constant)
                and isinstance(node.value, str)
                and re.fullmatch(r"\*\d+\*?", node.value)
            ):
                found.add(name)
    assert found == {"pbxadmin/common/values/dial_codes.py", "pbxadmin/common/values/statuses.py"}


@pytest.mark.parametrize("code", [*dial_codes.STATUSES, "*97", "*62", "*63", "*20*", "*20*102"])
def test_the_pbx_answers_its_codes(code: str) -> None:
    assert dial_codes.is_dial_code(code)


@pytest.mark.parametrize(
    "code", ["", "*", "*72", "*300", "30", "*20", "*20*1234567", "*20*x", "*97#", "**30"]
)
def test_no_other_star_code_is_one(code: str) -> None:
    assert not dial_codes.is_dial_code(code)


def test_each_status_has_a_code_of_its_own() -> None:
    assert sorted(dial_codes.STATUSES.values()) == sorted(Status)


@pytest.mark.parametrize(("digits", "code"), [(2, "77"), (3, "777"), (4, "7777"), (5, "77777")])
def test_the_access_code_is_as_long_as_an_extension(digits: int, code: str) -> None:
    assert dial_codes.pin_code(digits) == code


def test_no_extension_is_what_somebody_dials_for_help() -> None:
    assert {"911", "933", "9911", "9933"} <= RESERVED
    assert all(emergency_number(number) for number in ("911", "933", "9911", "9933"))
    assert not emergency_number("411")


@pytest.mark.parametrize(
    ("typed", "dialled"),
    [("514 555-0100", "5145550100"), ("(514) 555.0100", "5145550100"), ("５１４", "514"), ("+1 514", "+1514"), ("5,,1", "5,,1"), ("*30#", "*30#")],
)  # fmt: skip
def test_separators_are_left_out_and_pauses_stay(typed: str, dialled: str) -> None:
    assert as_dialled(typed) == dialled


@pytest.mark.parametrize("plain", [Transport.UDP, Transport.TCP])
def test_keys_of_the_voice_never_travel_in_clear(plain: Transport) -> None:
    assert Srtp.DISABLED.transport(plain) is plain
    assert {Srtp.ENABLED.transport(plain), Srtp.ENFORCED.transport(plain)} == {Transport.TLS}
    assert (plain.port, Transport.TLS.port) == (5060, 5061)
