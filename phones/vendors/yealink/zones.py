"""A clock in Yealink's words: offset, daylight saving by week, and a name of the firmware's own list.

The firmware's own rules (`summer_time` 2) are those of the day on which it was made, an hour wrong wherever a law has changed since:
the rule is written out. The name is then a label alone; one of the firmware's list that stands at the offset is taken.
"""

from datetime import timedelta

from pbxadmin.common.values.clock import Clock, Turn

# North American tones; Canada has the same and isn't in the firmware's list.
TONES = "United States"
TONES_OF = {"Europe/Paris": "France", "Europe/London": "Great Britain"}

# The name of a zone as the firmware has it, with the offset at which it stands there.
NAMES_OF = {
    **dict.fromkeys(
        ("America/Halifax", "America/Glace_Bay", "America/Moncton", "America/Goose_Bay", "America/Blanc-Sablon"),
        ("-4", "Canada(Halifax,Saint John)"),
    ),
    **dict.fromkeys(
        ("America/New_York", "America/Detroit"),
        ("-5", "United States-Eastern Time"),
    ),
    "America/Winnipeg": ("-6", "Canada-Manitoba(Winnipeg)"),
    "America/Edmonton": ("-7", "Canada(Edmonton,Calgary)"),
    "America/Cambridge_Bay": ("-7", "Canada(Edmonton,Calgary)"),
    "America/Denver": ("-7", "United States-Mountain Time"),
    "America/Los_Angeles": ("-8", "United States-Pacific Time"),
    "Europe/London": ("0", "United Kingdom(London)"),
    "Europe/Paris": ("+1", "France(Paris)"),
}  # fmt: skip
# What stands at an offset where the zone's own name stands at another one, or isn't in the list.
NAME_AT = {
    "-3:30": "Canada-New Foundland(St.Johns)", "-4": "Canada(Halifax,Saint John)", "-5": "Canada(Montreal,Ottawa,Quebec)",
    "-6": "United States-Central Time", "-7": "United States-MST no DST", "-8": "Canada(Vancouver,Whitehorse)",
    "-9": "United States-Alaska Time", "-10": "United States-Hawaii-Aleutian", "0": "GMT", "+1": "France(Paris)",
}  # fmt: skip


def zone_values(zone: str, clock: Clock) -> dict[str, str | int]:
    """What the file says of the clocks of a zone, daylight saving as "month/week/weekday/hour" (5: the last week; 7: Sunday)."""
    offset = offset_of(clock.offset)
    stands_at, name = NAMES_OF.get(zone, ("", ""))
    found: dict[str, str | int] = {
        "zone_offset": offset,
        "zone_name": name if stands_at == offset else NAME_AT[offset],
        "tones": TONES_OF.get(zone, TONES),
        "saves_daylight": 0,
    }
    if clock.starts is not None and clock.ends is not None:
        found |= {
            "saves_daylight": 1,
            "daylight_from": _turn(clock.starts),
            "daylight_to": _turn(clock.ends),
            "daylight_minutes": int(clock.saving.total_seconds() // 60),
        }
    return found


def offset_of(offset: timedelta) -> str:
    """An offset as the firmware writes it: "-3:30", "0", "+1"."""
    minutes = int(offset.total_seconds() // 60)
    sign = "-" if minutes < 0 else "+" if minutes else ""
    whole, rest = divmod(abs(minutes), 60)
    return f"{sign}{whole}:{rest:02d}" if rest else f"{sign}{whole}"


def _turn(turn: Turn) -> str:
    return f"{turn.month}/{turn.week}/{turn.weekday}/{turn.hour}"
