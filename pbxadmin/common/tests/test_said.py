"""How dates, counts and phone numbers are said in both languages."""

import re
from datetime import date

import pytest
from django.utils import translation

from pbxadmin.common.clock import date_said
from pbxadmin.common.counts import grouped
from pbxadmin.common.fields import phone_number_said
from pbxadmin.common.templatetags.portal import whole_numbers


@pytest.mark.parametrize(
    ("language", "day", "style", "said"),
    [
        ("fr-ca", date(2026, 12, 1), "MONTH_DAY_FORMAT", "1er décembre"),
        ("fr-ca", date(2026, 12, 1), "DATE_FORMAT", "1er décembre 2026"),
        ("fr-ca", date(2026, 12, 11), "DATE_FORMAT", "11 décembre 2026"),
        ("fr-ca", date(2026, 12, 21), "MONTH_DAY_FORMAT", "21 décembre"),
        ("fr-ca", date(2026, 12, 1), "SHORT_DATE_FORMAT", "2026-12-01"),
        ("en", date(2026, 12, 1), "MONTH_DAY_FORMAT", "December 1"),
    ],
)
def test_the_first_of_a_month_is_an_ordinal_in_french(language, day, style, said):
    with translation.override(language):
        assert date_said(day, style) == said


@pytest.mark.parametrize(
    ("language", "count", "read"),
    [
        ("fr-ca", 9_999, "9999"),
        ("fr-ca", 12_400, "12\u00a0400"),
        ("fr-ca", 1_234_567, "1\u00a0234\u00a0567"),
        ("en", 12_400, "12,400"),
        ("en", 0, "0"),
    ],
)
def test_large_counts_are_grouped(language, count, read):
    with translation.override(language):
        assert grouped(count) == read


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("to 514 555-0123, then +33 1 23 45 67 89.", ["514 555-0123", "+33 1 23 45 67 89"]),
        ("102 rings for 20 s: 514 555-0142", ["514 555-0142"]),
        ("101 Amélie, 2026-11-24, 10.0.0.5 and 911", []),
    ],
)
def test_a_phone_number_never_goes_on_in_another_line(text, whole):
    found = str(whole_numbers(text))
    assert re.findall('<span class="text-nowrap">(.*?)</span>', found) == whole
    assert whole_numbers("<b> 514 555-0123").startswith("&lt;b&gt; <span")


@pytest.mark.parametrize(
    ("dialled", "said"),
    [
        ("5145550188", "514 555-0188"), ("15145550188", "514 555-0188"), ("+15145550188", "514 555-0188"), ("95145550188", "514 555-0188"),
        ("01133123456789", "+33 1 23 45 67 89"), ("102", "102"), ("911", "911"), ("*31", "*31"), ("", ""), ("12345", "12345"),
    ],
)  # fmt: skip
def test_a_dialled_number_is_said_as_people_write_it(dialled, said):
    assert phone_number_said(dialled) == said
