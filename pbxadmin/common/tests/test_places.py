"""Countries and time zones are said as people name them, in the reader's language."""

import pytest
from django.utils import translation

from pbxadmin.common.places import city_said, countries_said, country_code, zone_said
from pbxadmin.common.values.clock import ZONES


@pytest.mark.parametrize(
    ("language", "zone", "said"),
    [
        ("fr-ca", "America/Toronto", "Montréal, Toronto"),
        ("fr-ca", "America/Halifax", "Halifax"),
        ("fr-ca", "America/New_York", "New York (États-Unis)"),
        ("en", "America/New_York", "New York (United States)"),
        ("fr-ca", "America/Argentina/Buenos_Aires", "Buenos Aires (Argentine)"),
        ("en", "America/St_Johns", "St. John’s"),
    ],
)
def test_a_time_zone_is_a_city_and_outside_canada_its_country(language, zone, said):
    with translation.override(language):
        assert zone_said(zone) == said


@pytest.mark.parametrize("language", ["fr-ca", "en"])
def test_no_two_time_zones_that_are_offered_read_the_same(language):
    with translation.override(language):
        said = [zone_said(zone) for zone in ZONES]
    assert sorted(said) == sorted(set(said))
    assert zone_said("UTC") == "UTC"


def test_where_times_are_told_a_zone_is_one_city():
    assert (city_said("America/Toronto"), city_said("America/Vancouver")) == ("Montréal", "Vancouver")


@pytest.mark.parametrize(
    ("language", "said"), [("fr-ca", "Canada, États-Unis"), ("en", "Canada, United States")]
)
def test_countries_are_said_by_name_in_order(language, said):
    with translation.override(language):
        assert countries_said("CA US") == said


@pytest.mark.parametrize("words", ["US", "us", "United States", "états-unis", " États-Unis "])
def test_a_country_is_known_by_letters_and_by_name(words):
    with translation.override("fr-ca"):
        assert country_code(words) == "US"
    assert country_code("Atlantide") == ""
