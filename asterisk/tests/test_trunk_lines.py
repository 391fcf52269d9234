"""How numbers are written at trunks: dialled in each format, read back from any."""

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asterisk.models import Trunk
from asterisk.trunks.line import NumberFormat, TrunkLine


def line(number_format: str) -> TrunkLine:
    return TrunkLine(4, None, "sip.example.com", 5060, "udp", (), "", False, NumberFormat(number_format), 30)


EACH = pytest.mark.parametrize("number_format", list(NumberFormat))
EXAMPLES = [
    phonenumbers.format_number(found, phonenumbers.PhoneNumberFormat.E164)
    for region in sorted(phonenumbers.SUPPORTED_REGIONS)
    if (found := phonenumbers.example_number(region))
]


def is_valid(number: str) -> bool:
    return phonenumbers.is_valid_number(phonenumbers.parse(number))


def of_north_america(text: str) -> bool:
    return is_valid(f"+1{text}")


NUMBERS = st.sampled_from(EXAMPLES) | st.from_regex(r"[2-9][0-9]{2}[2-9][0-9]{6}", fullmatch=True).filter(
    of_north_america
).map("+1{}".format)


def test_the_formats_are_those_of_the_table():
    assert set(NumberFormat) == set(Trunk.Format.values)


@pytest.mark.parametrize(
    ("number", "e164", "plain", "national"),
    [
        ("+15145550123", "+15145550123", "15145550123", "5145550123"),
        ("+33123456789", "+33123456789", "33123456789", "01133123456789"),
        *((code, code, code, code) for code in ("211", "311", "411", "511", "811", "911", "988")),
    ],
)
def test_how_a_number_is_dialled(number, e164, plain, national):
    assert [line(each).dialled(number) for each in ("e164", "plain", "national")] == [e164, plain, national]


@EACH
@given(number=NUMBERS)
def test_what_is_dialled_is_read_back(number_format, number):
    trunk = line(number_format)
    assert trunk.read(trunk.dialled(number)) == number


@EACH
@given(
    number=NUMBERS,
    prefix=st.sampled_from(["+", "00", "011"]),
    host=st.sampled_from(["", "@sip.example.com", ";user=phone"]),
)
def test_every_way_of_writing_is_read_at_every_trunk(number_format, number, prefix, host):
    assert line(number_format).read(f"{prefix}{number[1:]}{host}") == number
    assert line(number_format).read(f"sip:{prefix}{number[1:]}{host}") == number


@EACH
@pytest.mark.parametrize(
    "number",
    [
        "5145550123",
        "15145550123",
        "+1 514 555-0123",
        "(514) 555-0123",
        "tel:+1-514-555-0123",
        "0115145550123",
    ],
)
def test_a_number_of_here_is_read_at_every_trunk(number_format, number):
    expected = "+5145550123" if number.startswith("011") else "+15145550123"
    assert line(number_format).read(number) == expected


@EACH
@pytest.mark.parametrize(
    "number",
    [
        "", "anonymous", "Anonymous", "unavailable", "restricted", "anonymous@anonymous.invalid", "sip:anonymous@anonymous.invalid", "101",
        "911", "+", "00", "011", "+0145550123", "000000000000", "+1514555012345678", "+12", "1", "0", "5145550123\r\nX: y", "٥١٤٥٥٥٠١٢٣",
        "514555012x", "*98", "++15145550123", "+1+5145550123", "1" * 5000, "\0", "0145550123", "1145550123",
    ],
)  # fmt: skip
def test_what_is_no_number_is_none(number_format, number):
    assert line(number_format).read(number) == ""


@EACH
@given(text=st.text(max_size=120) | st.text("0123456789+*#", max_size=25))
def test_whatever_comes_is_read_as_a_number_or_as_none(number_format, text):
    found = line(number_format).read(text)
    assert found == "" or (
        found[0] == "+" and found[1:].isdecimal() and found[1] != "0" and 8 <= len(found) <= 16
    )


def test_the_phone_system_calls_a_trunk_by_its_key():
    assert line("e164").name == "trunk-4"
