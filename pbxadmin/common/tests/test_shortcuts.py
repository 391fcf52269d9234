"""What is quick gives what the library gives: phone numbers and tolls."""

import re

import phonenumbers
import pytest
from django.core.exceptions import ValidationError
from hypothesis import given, settings
from hypothesis import strategies as st

from pbxadmin.common import fields
from pbxadmin.common.values import tolls

pytestmark = pytest.mark.slow("reads all the sources")

SEPARATORS = st.sampled_from(["", "", "", " ", "-", ".", "(", ")", "/", "\u00a0"])


@st.composite
def typed_numbers(draw) -> str:
    """Numbers as people type them, right ones and wrong ones."""
    digits = draw(st.text("0123456789", min_size=6, max_size=12))
    return draw(st.sampled_from(["", "+1", "1", "+", "+1 ", "+33"])) + "".join(
        digit + draw(SEPARATORS) for digit in digits
    )


def read(text: str) -> str:
    try:
        return fields.phone_number_e164(text)
    except ValidationError as error:
        return f"refused: {error.code}"


@settings(deadline=None)
@given(typed_numbers())
def test_a_north_american_number_is_read_as_the_library_reads_it(text: str) -> None:
    quick = read(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fields, "_NORTH_AMERICAN", re.compile(r"(?!)"))
        assert read(text) == quick


@settings(deadline=None)
@given(st.integers(200, 999), st.integers(200, 999), st.lists(st.integers(0, 9999), min_size=2, max_size=6))
def test_in_north_america_the_last_digits_decide_nothing_about_a_toll(
    area: int, exchange: int, lines: list[int]
) -> None:
    for line in lines:
        number = f"+1{area}{exchange}{line:04}"
        parsed = phonenumbers.parse(number)
        region = phonenumbers.region_code_for_number(parsed)
        paid = phonenumbers.number_type(parsed) in tolls._PAID
        alike, where = tolls._in_the_numbering_plan(f"{number[:9]}000")
        assert (alike, where) == (paid, frozenset([region] if region else ("CA", "US")))


@settings(deadline=None)
@given(st.from_regex(r"\+1?[0-9]{6,12}", fullmatch=True))
def test_a_stored_number_is_written_as_the_library_writes_it(number: str) -> None:
    quick = fields.phone_number_national(number)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fields, "_STORED_OF_HERE", re.compile(r"(?!)"))
        assert fields.phone_number_national(number) == quick
