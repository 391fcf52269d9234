"""How a week and a stretch of days read in French and English."""

from datetime import date, time

import pytest
from django.utils import translation

from forwarding import hours
from forwarding.tabs.week_columns import HolidaysColumn, week_in_words

WEEK = [hours.Period(day, time(8), time(17)) for day in range(5)]


@pytest.mark.parametrize(
    ("language", "said"),
    [("fr-ca", "du lundi au vendredi 8:00–17:00"), ("en", "Monday to Friday 8:00–17:00")],
)
def test_days_with_the_same_hours_are_said_together(language, said):
    with translation.override(language):
        assert week_in_words(WEEK) == said


@pytest.mark.parametrize(
    ("language", "said"),
    [("fr-ca", "du 24 décembre au 1er janvier Fêtes"), ("en", "December 24 to January 1 Fêtes")],
)
def test_holidays_of_several_days_are_said_from_and_to(language, said):
    column = HolidaysColumn("holidays", None, label="")
    with translation.override(language):
        assert column.show((hours.Holiday(date(2026, 12, 24), date(2027, 1, 1), "Fêtes", True),)) == said
