"""The statutory holidays that a department may take over with one click: those of Québec, by their French names."""

from datetime import date

import holidays

# The law of Québec on labour standards has these; National Patriots' Day has its Québec name in the library already.
COUNTRY, PROVINCE = "CA", "QC"
FIRST_YEAR, LAST_YEAR = 2000, 2100


def statutory_holidays(year: int, language: str = "fr") -> list[tuple[date, str]]:
    """The year's statutory holidays in Québec, in order; raises `ValueError` for a year that isn't between 2000 and 2100."""
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise ValueError(f"no statutory holidays are known for {year}")
    found = holidays.country_holidays(
        COUNTRY, subdiv=PROVINCE, years=year, language="fr" if language.startswith("fr") else "en_CA"
    )
    return sorted((day, name) for day, name in found.items())
