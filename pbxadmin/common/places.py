"""Countries and time zones as people name them, from the names that Unicode's CLDR gives them in each language."""

from functools import cache, lru_cache

from babel import Locale
from babel.core import get_global
from django.utils.translation import get_language, to_locale
from django.utils.translation import gettext as _

from pbxadmin.common.values.signs import folded

# CLDR took these zones for others, and gives them the name of those: a menu would say it twice.
_OWN_CITIES = {"America/Coral_Harbour": "Coral Harbour"}


def country_said(code: str) -> str:
    """A country by its two letters (ISO 3166): "US" is « États-Unis »; what isn't one is itself."""
    return _names().territories.get(code, code)


def countries_said(codes: str) -> str:
    """Countries by their letters, with blanks between them: "CA US" is « Canada, États-Unis »."""
    return ", ".join(sorted((country_said(code) for code in codes.split()), key=folded))


def country_code(words: str) -> str:
    """The two letters of a country that is called so in the reader's language or in English, or by its letters; else ""."""
    return _codes(get_language() or "en").get(words.casefold().strip(), "")


def city_said(zone: str) -> str:
    """A time zone (IANA name) by its city: "America/New_York" is New York, Québec's own is Montréal."""
    if zone == "America/Toronto":
        return _("Montréal")
    if zone in _OWN_CITIES:
        return _OWN_CITIES[zone]
    known = _names().time_zones.get(zone, {}).get("city", "")
    return known or zone.rpartition("/")[2].replace("_", " ")


def zone_said(zone: str) -> str:
    """A time zone (IANA name) by its city and country: "Paris (France)"; in Canada, where this portal is at home, by its city.

    Montréal has no zone of its own since 2015: its time is the one of Toronto, which is named beside it.
    """
    return _zone_said(zone, get_language() or "en")


@lru_cache(maxsize=2_000)
def _zone_said(zone: str, language: str) -> str:
    # A phone's menu has a hundred of them, on every page that shows it and in every save of it.
    if zone == "America/Toronto":
        return f"{_('Montréal')}, Toronto"
    country = get_global("zone_territories").get(get_global("zone_aliases").get(zone, zone), "")
    city = city_said(zone)
    return city if country in ("", "001", "CA", "ZZ") else f"{city} ({country_said(country)})"


def _names() -> Locale:
    return _locale(get_language() or "en")


@cache
def _locale(language: str) -> Locale:
    return Locale.parse(to_locale(language))


@cache
def _codes(language: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for one in ("en", language):
        for code, name in _locale(one).territories.items():
            if len(code) == 2 and code.isalpha():
                found[name.casefold()] = found[code.casefold()] = code
    return found
