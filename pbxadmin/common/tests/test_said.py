"""How dates and counts are said in both languages."""

from datetime import date

import pytest
from django.utils import translation

from pbxadmin.common.clock import date_said
from pbxadmin.common.counts import grouped


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
