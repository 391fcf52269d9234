"""Yealink's name, offset and daylight-saving switch of each IANA time zone a phone may be set to.

A name is one of the firmware's own list and brings its rules for daylight saving, which the switch turns on.
A zone without daylight saving borrows a name of the same offset with the switch off. A zone that isn't here
is refused: a phone an hour wrong is found by its user, a refusal by us.
"""

from dataclasses import dataclass

SUMMER_TIME_OFF = 0
SUMMER_TIME_AUTOMATIC = 2


@dataclass(frozen=True, slots=True)
class Zone:
    """`offset` of standard time as Yealink writes it ("-3:30"), `name` in its list, whether clocks change,
    and the country whose dial and busy tones are heard there."""

    offset: str
    name: str
    summer_time: bool = True
    tones: str = "United States"  # North American tones; Canada has the same and isn't in the firmware's list

    @property
    def summer_time_code(self) -> int:
        """0 never, 2 by the rules of the name."""
        return SUMMER_TIME_AUTOMATIC if self.summer_time else SUMMER_TIME_OFF


NEWFOUNDLAND = Zone("-3:30", "Canada-New Foundland(St.Johns)")
ATLANTIC = Zone("-4", "Canada(Halifax,Saint John)")
EASTERN = Zone("-5", "Canada(Montreal,Ottawa,Quebec)")
CENTRAL = Zone("-6", "Canada-Manitoba(Winnipeg)")
MOUNTAIN = Zone("-7", "Canada(Edmonton,Calgary)")
PACIFIC = Zone("-8", "Canada(Vancouver,Whitehorse)")
ATLANTIC_STANDARD = Zone("-4", "Canada(Halifax,Saint John)", summer_time=False)
EASTERN_STANDARD = Zone("-5", "Canada(Montreal,Ottawa,Quebec)", summer_time=False)
CENTRAL_STANDARD = Zone("-6", "Canada-Manitoba(Winnipeg)", summer_time=False)
MOUNTAIN_STANDARD = Zone("-7", "United States-MST no DST", summer_time=False)
GREENWICH = Zone("0", "GMT", summer_time=False)

ZONES: dict[str, Zone] = {
    # Canada. Blanc-Sablon is the Lower North Shore east of Natashquan, which keeps Atlantic time all year.
    "America/St_Johns": NEWFOUNDLAND,
    "America/Halifax": ATLANTIC,
    "America/Glace_Bay": ATLANTIC,
    "America/Moncton": ATLANTIC,
    "America/Goose_Bay": ATLANTIC,
    "America/Blanc-Sablon": ATLANTIC_STANDARD,
    "America/Toronto": EASTERN,
    "America/Montreal": EASTERN,
    "America/Nipigon": EASTERN,
    "America/Thunder_Bay": EASTERN,
    "America/Iqaluit": EASTERN,
    "America/Pangnirtung": EASTERN,
    "America/Atikokan": EASTERN_STANDARD,
    "America/Coral_Harbour": EASTERN_STANDARD,
    "America/Winnipeg": CENTRAL,
    "America/Rainy_River": CENTRAL,
    "America/Resolute": CENTRAL,
    "America/Rankin_Inlet": CENTRAL,
    "America/Regina": CENTRAL_STANDARD,
    "America/Swift_Current": CENTRAL_STANDARD,
    "America/Edmonton": MOUNTAIN,
    "America/Cambridge_Bay": MOUNTAIN,
    "America/Inuvik": MOUNTAIN,
    "America/Yellowknife": MOUNTAIN,
    "America/Creston": MOUNTAIN_STANDARD,
    "America/Dawson_Creek": MOUNTAIN_STANDARD,
    "America/Fort_Nelson": MOUNTAIN_STANDARD,
    "America/Dawson": MOUNTAIN_STANDARD,
    "America/Whitehorse": MOUNTAIN_STANDARD,
    "America/Vancouver": PACIFIC,
    # United States.
    "America/New_York": Zone("-5", "United States-Eastern Time"),
    "America/Detroit": Zone("-5", "United States-Eastern Time"),
    "America/Chicago": Zone("-6", "United States-Central Time"),
    "America/Denver": Zone("-7", "United States-Mountain Time"),
    "America/Phoenix": MOUNTAIN_STANDARD,
    "America/Los_Angeles": Zone("-8", "United States-Pacific Time"),
    "America/Anchorage": Zone("-9", "United States-Alaska Time"),
    "Pacific/Honolulu": Zone("-10", "United States-Hawaii-Aleutian", summer_time=False),
    # Elsewhere.
    "Europe/Paris": Zone("+1", "France(Paris)", tones="France"),
    "Europe/London": Zone("0", "United Kingdom(London)", tones="Great Britain"),
    "UTC": GREENWICH,
    "Etc/UTC": GREENWICH,
}
