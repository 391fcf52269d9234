"""Statuses for a limited time, hours of people and departments: their columns, and what is refused or told."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from forwarding import hours, periods, schedules
from forwarding.models import DepartmentPeriod, Period, UserPeriod
from forwarding.routing import status_of_hours
from forwarding.tabs.columns import StatusAfterColumn, StatusColumn, StatusUntilColumn
from forwarding.tabs.week_columns import (
    WEEKDAYS,
    HolidaysColumn,
    HolidayStore,
    PeriodsColumn,
    PeriodStore,
    said,
)
from pbxadmin.common.clock import moment_in_zone
from pbxadmin.common.columns import NOT_IN_FILES, Blank, Column, FieldColumn, Scope, columns_of
from pbxadmin.common.values.statuses import Status
from users import road
from users.models import Planning, User
from users.rights import Own, Verb

LONGEST_STATUS = timedelta(days=366)

OWN_HOURS = PeriodStore(
    UserPeriod, "user", {"office_hours": Period.Kind.OPEN, "break_hours": Period.Kind.BREAK}
)
DEPARTMENT_HOURS = PeriodStore(
    DepartmentPeriod, "department", {"office_hours": Period.Kind.OPEN, "break_hours": Period.Kind.BREAK}
)
HOLIDAYS = HolidayStore()

STATUS_COLUMNS: tuple[Column, ...] = (
    StatusColumn(
        User._meta.get_field("status"),
        identity=True,
        own=Own.STATUS,
        help=gettext_lazy("The current status, which decides where calls to this user go."),
        csv="Status",
        blank=Blank.LEAVE,  # nobody becomes available because a cell is blank
    ),
    StatusUntilColumn(
        User._meta.get_field("status_until"),
        identity=True,
        own=Own.STATUS,
        csv="StatusUntil",
        help=gettext_lazy(
            "Local time of the user's department; afterwards the former status returns. Blank: until it is changed."
        ),
    ),
    # Follows from the status.
    StatusAfterColumn(
        User._meta.get_field("status_after"), identity=True, own=Own.STATUS_AFTER, csv=NOT_IN_FILES
    ),
)


class HoursModeColumn(FieldColumn):
    """Whose hours count: two choices side by side."""

    def form_field(self, scope: Scope) -> forms.Field:
        """Two radio buttons."""
        return forms.ChoiceField(
            label=self.label, help_text=self.help, choices=self.field.flatchoices, widget=forms.RadioSelect
        )


def hours_columns(store: PeriodStore) -> tuple[Column, Column]:
    """Office hours and breaks, of a person or a department."""
    return (
        PeriodsColumn(
            "office_hours", store, label=gettext_lazy("Office hours"), csv="OfficeHours",
            help=gettext_lazy("One line per day, for example 8:00-12:00, 13:00-17:00. A day left blank is closed."),
            more=gettext_lazy("Set the office hours for each day of the week, or use “Add/Clear” for all days at once."),
        ),
        PeriodsColumn(
            "break_hours", store, label=gettext_lazy("Break hours"), csv="BreakHours", help=gettext_lazy("Within the office hours."),
            more=gettext_lazy("Set the break hours for each day of the week, or use “Add/Clear” for all days at once."),
        ),
    )  # fmt: skip


def schedule_columns() -> tuple[Column, ...]:
    """The tab "Planifier"."""
    mode, auto, block = columns_of(
        Planning,
        hours_mode=HoursModeColumn(
            Planning._meta.get_field("hours_mode"),
            more=gettext_lazy(
                "The default hours are those of the user's primary department; specific hours are this user's own, in the "
                "department's time zone and with its holidays."
            ),
        ),
        auto_switch_status={
            "help": gettext_lazy("In a break: Away. Outside office hours: Do not disturb."),
            "more": gettext_lazy(
                "The status switches by itself to “Available” in the user's office hours, to “Away” in break hours, and to “Do not "
                "disturb” outside of all of them. A status that is chosen by hand holds until the next of these changes."
            ),
        },
        block_outbound_out_of_hours={
            "help": gettext_lazy("Calls to 911 always remain possible."),
            "more": gettext_lazy("Prevents every outbound call outside the office hours: against needless calls and misuse."),
        },
    )  # fmt: skip
    return mode, *hours_columns(OWN_HOURS), auto, block


HOLIDAYS_COLUMN = HolidaysColumn(
    "holidays", HOLIDAYS, label=gettext_lazy("Holidays"), csv="Holidays",
    help=gettext_lazy("On these days the department is closed from midnight to midnight. Leave the last day blank for a single day."),
)  # fmt: skip


# --- Hours -------------------------------------------------------------------------------------------------------
def hours_make_sense(row: road.RowPlan, plan: road.Plan) -> None:
    """Periods of a day don't overlap, and breaks lie within office hours."""
    if row.after.keys().isdisjoint(("office_hours", "break_hours", "hours_mode")):
        return
    if row.errors.keys() & {"office_hours", "break_hours"}:
        return
    plan.need("office_hours", "break_hours")
    week = hours.Schedule("UTC", tuple(row.value("office_hours")), tuple(row.value("break_hours")))
    for problem in hours.problems(week):
        where = problem.where
        if isinstance(where, hours.Period):
            column = (
                "break_hours"
                if problem.code is hours.Code.BREAK_OUTSIDE_HOURS or where not in week.open
                else "office_hours"
            )
            sentence = _PROBLEMS[problem.code] % {
                "start": periods.clock(where.start),
                "end": periods.clock(where.end, end=True),
            }
            row.refuse(column, f"{WEEKDAYS[where.weekday % 7]}{pgettext('before a value', ':')} {sentence}")
    if "office_hours" in row.after:
        for sentence in long_days(week.open):
            row.warn("office_hours", sentence)
    if row.after.get("hours_mode") == User.Hours.OWN and not week.open:
        row.warn(
            "office_hours",
            _(
                "There are no specific office hours: this user's schedule is closed all week. Add hours, or use the default ones."
            ),
        )


# More than anybody works: "9-5" was meant for the afternoon and lasts until the next morning.
LONGEST_DAY = 16 * 60 * 60


def long_days(week: Sequence[hours.Period]) -> list[str]:
    """A sentence for each set of hours that makes a day longer than 16 hours, with its days and what may have been meant.

    From midnight to midnight is no slip: nobody types that for anything else.
    """
    days: dict[str, list[int]] = defaultdict(list)
    for weekday in range(7):
        opened = [each for each in week if each.weekday == weekday]
        around_the_clock = [each for each in opened if each.start == each.end == time(0)]
        if not around_the_clock and sum(each.seconds for each in opened) > LONGEST_DAY:
            days[periods.line_of(opened, weekday)].append(weekday)
    return [_long_day([each for each in week if each.weekday == same[0]], same) for same in days.values()]


def _long_day(opened: Sequence[hours.Period], days: Sequence[int]) -> str:
    total = sum(each.seconds for each in opened)
    values = {
        "days": ", ".join(str(WEEKDAYS[day]) for day in days),
        "hours": said(opened),
        "count": f"{total // 3600}:{total // 60 % 60:02d}" if total % 3600 else str(total // 3600),
    }
    last = opened[-1]
    if last.end.hour >= 12 or last.end > last.start:
        return _("%(days)s: %(hours)s makes a day of %(count)s hours.") % values
    afternoon = hours.Period(last.weekday, last.start, last.end.replace(hour=last.end.hour + 12))
    values["meant"] = periods.line_of([*opened[:-1], afternoon], last.weekday)
    return (
        _(
            "%(days)s: %(hours)s makes a day of %(count)s hours, which ends the next morning. If the afternoon is meant: %(meant)s."
        )
        % values
    )


_PROBLEMS = {
    hours.Code.BAD_WEEKDAY: gettext_lazy(
        "%(start)s–%(end)s isn't assigned to a day: enter it on a day's line."
    ),
    hours.Code.ZERO_LENGTH: gettext_lazy("%(start)s–%(end)s ends when it starts: enter another end time."),
    hours.Code.OVERLAP: gettext_lazy("%(start)s–%(end)s overlaps another period: change one of them."),
    hours.Code.BREAK_OUTSIDE_HOURS: gettext_lazy(
        "the break %(start)s–%(end)s lies outside the office hours."
    ),
}


# --- The status --------------------------------------------------------------------------------------------------
def statuses_last_as_said(plan: road.Plan) -> None:
    """Turn "until 14:00" into an instant, remember the status that comes back, and give way to the schedule.

    Where the schedule switches the status by itself, one that is chosen by hand holds until the schedule's next change.
    What the history or the schedule itself says whole (`status_after` with it) is taken as it is.
    """
    rows = [
        row for row in plan.rows
        if row.record is not None and not row.new and not row.refusal
        and not row.after.keys().isdisjoint(("status", "status_until")) and "status_after" not in row.raw
    ]  # fmt: skip
    if not rows:
        return
    plan.need("status", "status_until", "status_after", "auto_switch_status")
    now = timezone.now()
    weeks = schedules.of_people([row.record for row in rows if row.value("auto_switch_status")])
    for row in rows:
        _settle(row, now, weeks.get(row.key), plan.verb)


def _settle(row: road.RowPlan, now: datetime, week: hours.Schedule | None, verb: Verb) -> None:
    zone = (
        row.record.primary_department.time_zone
        if row.record.primary_department_id
        else timezone.get_default_timezone_name()
    )
    until = row.after.get("status_until")
    if "status" in row.after and "status_until" not in row.after:
        until = None
        row.put("status_until", until)
    if isinstance(until, time):
        until = hours.until_local(now, zone, until)
        row.put("status_until", until)
    if until is not None and until != row.before["status_until"] and not now < until <= now + LONGEST_STATUS:
        row.refuse("status_until", _("Choose a time in the next twelve months."))
        return
    wanted = row.value("status")
    if (
        until is None
        and week is not None
        and "status" in row.after
        and wanted != status_of_hours(hours.state_at(week, now))
    ):
        until = hours.next_change(week, now)
        row.put("status_until", until)
        if until is None:
            row.refuse("status", _never_changes(verb))
            return
        row.warn("status", _follows(verb) % {"status": _(Status(wanted).record.label)})
    running = row.before["status_until"] is not None and row.before["status_until"] > now
    former = row.before["status_after"] if running and row.before["status_after"] else row.before["status"]
    row.put("status_after", "" if until is None else former)


def _never_changes(verb: Verb) -> str:
    """Why a status can't be chosen; whoever chooses their own, or a colleague's, has no tab to switch anything off."""
    if verb is Verb.SELF:
        return _(
            "Your schedule never changes, so it would undo this status at once: an administrator of your company can switch the automatic "
            "status off."
        )
    if verb is Verb.STATUS:
        return _(
            "The schedule of this user never changes, so it would undo this status at once: an administrator of your company can switch "
            "the automatic status off."
        )
    return _(
        "The schedule of this user never changes, so it would undo this status at once: switch the automatic status off first."
    )


def _follows(verb: Verb) -> str:
    if verb is Verb.SELF:
        return _("Your status follows the schedule: “%(status)s” lasts until its next change.")
    return _("This user's status follows the schedule: “%(status)s” lasts until its next change.")


def next_change_in_words(person: User, week: hours.Schedule, now: datetime) -> str:
    """When the schedule says something else, and the status that it then gives; "" where it never changes."""
    change = hours.next_change(week, now)
    if change is None:
        return ""
    status = status_of_hours(hours.state_at(week, change))
    return _("%(when)s, %(status)s") % {
        "when": moment_in_zone(change, week.zone, now),
        "status": _(status.record.label),
    }


def _day_in_words(open_periods: Sequence[hours.Period], breaks: Sequence[hours.Period], day: int) -> str:
    """What the bar of a day shows, for whoever doesn't see it: "8:00–17:00, break 12:00–13:00"."""
    opened = said([each for each in open_periods if each.weekday == day])
    paused = [each for each in breaks if each.weekday == day]
    return _("%(hours)s, break %(breaks)s") % {"hours": opened, "breaks": said(paused)} if paused else opened


def week_to_look_at(
    open_periods: Sequence[hours.Period],
    breaks: Sequence[hours.Period],
    now: datetime | None,
    edit: Iterable[Any] = (),
) -> list[dict[str, Any]]:
    """The seven days for `partials/week.html.j2`; `now` is local."""
    edits = list(edit) or [""] * 7
    return [
        {
            "label": WEEKDAYS[day], "said": "" if edits[day] else _day_in_words(open_periods, breaks, day),
            "periods": periods.moments_of_day(open_periods, day), "breaks": periods.moments_of_day(breaks, day),
            "today": now is not None and now.weekday() == day, "now": now.hour * 60 + now.minute if now else None, "edit": edits[day], "bar": None,
        }
        for day in range(7)
    ]  # fmt: skip


@dataclass(frozen=True)
class Grip:
    """One end of a period of a bar, to be dragged: which, where (minutes after midnight), and what it is called."""

    id: str
    minute: int
    label: str
    said: str  # its time: "8:00"
    first: bool = False  # the one that Tab reaches; arrows lead to the others


def with_grips(
    days: list[dict[str, Any]],
    open_periods: Sequence[hours.Period],
    breaks: Sequence[hours.Period],
    drawn_of: Sequence[tuple[str, str]],
) -> list[dict[str, Any]]:
    """The days of `week_to_look_at` as bars that `week.js` moves.

    `drawn_of` are the lines (hours, breaks) that each day was drawn of: what was typed since is older than nothing, so a bar that
    lags behind its line isn't moved.
    """
    first = True
    for day, shown in enumerate(days):
        grips: list[Grip] = []
        bar: dict[str, Any] = {"day": day, "grips": grips}
        for kind, week, line in zip(("open", "break"), (open_periods, breaks), drawn_of[day], strict=True):
            own = [each for each in week if each.weekday == day]
            bar[kind] = " ".join(f"{_minutes(each.start)}-{_minutes(each.end) or MIDNIGHT}" for each in own)
            bar[f"{kind}_line"] = line
            for number, each in enumerate(own):
                # What ends the next morning has its end on the next day's bar: that is typed.
                ends = (
                    [("start", each.start)]
                    if 0 < _minutes(each.end) <= _minutes(each.start)
                    else [("start", each.start), ("end", each.end)]
                )
                for side, at in ends:
                    last = side == "end"
                    minute = _minutes(at) or (MIDNIGHT if last else 0)
                    label = _GRIPS[kind, side] % {"day": WEEKDAYS[day], "hours": said([each])}
                    grips.append(
                        Grip(
                            f"grip-{day}-{kind}-{number}-{side}",
                            minute,
                            label,
                            periods.clock(at, end=last),
                            first,
                        )
                    )
                    first = False
        shown["bar"] = bar
    return days


MIDNIGHT = 24 * 60
_GRIPS = {
    ("open", "start"): gettext_lazy("%(day)s %(hours)s, start"),
    ("open", "end"): gettext_lazy("%(day)s %(hours)s, end"),
    ("break", "start"): gettext_lazy("%(day)s, break %(hours)s, start"),
    ("break", "end"): gettext_lazy("%(day)s, break %(hours)s, end"),
}


def _minutes(at: time) -> int:
    return at.hour * 60 + at.minute
