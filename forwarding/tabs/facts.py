"""What the pages of forwarding and schedules show around their forms."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import QueryDict
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from forwarding import hours, latest, periods, schedules
from forwarding.calls import StatusRule
from forwarding.models import ForwardingRule
from forwarding.simulator import STATE_LABELS, Question, State, local_moment
from forwarding.snapshot import status_rule
from forwarding.tabs.columns import names_of
from forwarding.tabs.rules import RULE_COLUMNS, RULES
from forwarding.tabs.schedule import long_days, next_change_in_words, week_to_look_at, with_grips
from forwarding.tabs.week_columns import WEEKDAYS, lines_of, week_in_words
from forwarding.whom import SeveralMeantError, number_meant
from pbxadmin.common.columns import Scope
from pbxadmin.common.destination_field import DestinationWidget
from pbxadmin.common.fields import phone_number_national
from pbxadmin.common.forms import SectionForm
from pbxadmin.common.parts import DrawnPart
from pbxadmin.common.personal import offer_own
from pbxadmin.common.values.destinations import Destination, Kind
from pbxadmin.common.values.statuses import Status
from users import rights, road
from users.models import Customer, Department, Did, User
from users.people.editing.tabs import ColumnsForMany

# So many colleagues stand in the picker's list from the beginning; typing asks for others.
OFFERED_AT_ONCE = 50
STEP_MINUTES = 15


# --- Forwarding --------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class ShownRule:
    """The rule of one status on the page."""

    status: Status
    label: str
    current: bool
    shown: bool
    refused: bool
    theirs: bool  # somebody else changed something of it in the meantime
    drawn: DrawnPart


def forwarding_facts(scope: Scope, person: User, form: SectionForm) -> dict[str, Any]:
    """The five statuses with their fields, and what the simulator beside them starts with."""
    _fill_pickers(scope, form, person.national_mobile)
    offer_own(form, person.pk, scope)
    refused = [name.partition(".")[0] for name in form.errors if name in form.fields]
    theirs = [name.partition(".")[0] for name in form.theirs if name in form.fields]
    wanted = refused[:1] or [form.data.get("_shown", ""), getattr(form, "shown_status", ""), person.status]
    shown = next(status for status in (*wanted, person.status) if status in set(Status))
    if theirs and not refused and shown not in theirs:
        shown = theirs[0]
    shown_rules = [
        ShownRule(
            status,
            str(drawn.part.title),
            status == person.status,
            status == shown,
            str(status) in refused,
            str(status) in theirs,
            drawn,
        )
        for status, drawn in zip(Status, form.parts, strict=True)
    ]
    return {
        "rules": shown_rules,
        "offered": offered_at_once(scope.customer),
        "asked": getattr(form, "asked", None) or _asked_first(person),
        "states": state_choices(),
        "supposed": status_choices(beside=True),
        "calls_url": latest.of_user(scope.customer.slug, person.number)
        if rights.administers(scope.actor)
        else latest.own(),
        "ask_url": f"{reverse('user_tab', args=[scope.customer.slug, person.number, 'forwarding'])}?ask=1"
        if rights.administers(scope.actor)
        else "",
    }


def rules_for_many(scope: Scope, form: SectionForm) -> dict[str, Any]:
    """The five statuses with their fields, each behind a box, for the page on which many are changed."""
    _fill_pickers(scope, form, None)
    refused = [name.partition(".")[0] for name in form.errors if name in form.fields]
    wanted = [*refused[:1], form.data.get("_shown", ""), *(name.partition(".")[0] for name in form.ticked)]
    return {
        "rules": list(zip(map(str, Status), form.parts, strict=True)),
        "shown": next((status for status in wanted if status in set(Status)), str(next(iter(Status)))),
        "offered": offered_at_once(scope.customer),
    }


RULES_FOR_MANY = ColumnsForMany("forwarding", "forwarding/rules_for_many.html", rules_for_many)


def _fill_pickers(scope: Scope, form: SectionForm, mobile: str | None) -> None:
    """Tell the pickers the names of the people whom they show, and the mobile of whoever it is about (None: of several)."""
    pickers = {
        name: field.widget
        for name, field in form.fields.items()
        if isinstance(field.widget, DestinationWidget)
    }
    values = [form[name].value() for name in pickers]
    numbers = [
        value.value if isinstance(value, Destination) else str(value).partition(":")[2].partition("?")[0].strip()
        for value in values if value and str(value).startswith(f"{Kind.EXTENSION}:")
    ]  # fmt: skip
    names = names_of(scope, [number for number in numbers if number.isdecimal()])
    for widget in pickers.values():
        widget.names = names
        widget.mobile = mobile


def kept_in_address(data: QueryDict) -> str:
    """Which status was looked at, so that it is shown again after saving."""
    shown = data.get("_shown", "")
    return f"shown={shown}" if shown in set(Status) else ""


def offered_at_once(customer: Customer) -> list[User]:
    """The first colleagues, for the picker's list."""
    found = (
        User.objects.of(customer)
        .filter(hidden=False, disabled=False)
        .only("number", "first_name", "last_name")
    )
    return list(found.order_by("number")[:OFFERED_AT_ONCE])


# --- The simulator -----------------------------------------------------------------------------------------------
# What stands before each name of the simulator's form beside a tab: it is part of the tab's form, which doesn't save it.
BESIDE = "_ask_"
# The status that is supposed: the one whose rule is looked at.
SHOWN = "shown"


@dataclass(frozen=True)
class Asked:
    """The simulator's form, as it was sent."""

    to: str = ""
    caller: str = ""
    at: str = ""
    state: State = State.NO_ANSWER
    zone: str = "America/Toronto"
    status: str = ""
    # The numbers that are meant by what was typed, or what is wrong with it.
    meant: tuple[str, str] = ("", "")
    problem: ValidationError | None = None

    @classmethod
    def of(cls, data: QueryDict, actor: User, customer: Customer, prefix: str = "") -> "Asked":
        """Read what was sent; what can't be read is left at its default."""
        said = {
            name: data.get(prefix + name, "").replace("\0", "").strip()[:60]
            for name in ("to", "caller", "at", "state", "status")
        }
        people = _found_by_name(actor, customer)
        problem, meant = None, ("", "")
        try:
            meant = tuple(number_meant(customer, said[name], people) for name in ("to", "caller"))  # type: ignore[assignment]
        except ValidationError as error:
            problem = error
        called = (
            User.objects.of(customer).filter(number=meant[0]) if meant[0].isdecimal() else User.objects.none()
        )
        person = called.select_related("primary_department").first()
        zone = person.time_zone if person else customer.time_zone
        return cls(
            said["to"], said["caller"], said["at"][:20] or _clock_now(zone),
            State(said["state"]) if said["state"] in set(State) else State.NO_ANSWER, zone,
            said["status"] if said["status"] in {*Status, SHOWN} else "", meant, problem,
        )  # fmt: skip

    def question(
        self, status: Status | None = None, rules: Mapping[Status, StatusRule] | None = None
    ) -> Question:
        """What the simulator is asked, with what is supposed; raises `ValidationError` for what can't be asked."""
        if not self.to:
            raise ValidationError(_("Enter the extension or the number to call."))
        if self.problem is not None:
            raise self.problem
        supposed = status or (Status(self.status) if self.status in set(Status) else None)
        return Question(*self.meant, local_moment(self.at, self.zone), self.state, supposed, rules or {})

    def offered(self, address: str) -> list[tuple[str, str]]:
        """Where several are called as was typed: each of them, with the address that asks about them."""
        if not isinstance(self.problem, SeveralMeantError):
            return []
        name = "to" if self.problem.text == self.to else "caller"
        asked = {
            "to": self.to,
            "caller": self.caller,
            "at": self.at,
            "state": str(self.state),
            "status": self.status,
        }
        return [
            (words, f"{address}?{urlencode(asked | {name: number})}")
            for number, words in self.problem.offered
        ]


def _asked_first(person: User) -> Asked:
    """The question with which a tab opens: from outside, now, in the status whose rule is looked at."""
    zone = person.time_zone
    return Asked(to=person.number, at=_clock_now(zone), zone=zone, status=SHOWN)


def typed_rules(row: road.RowPlan) -> dict[Status, StatusRule]:
    """The rules of a person as a planned row leaves them, for routing."""
    values: dict[Status, dict[str, Any]] = {status: {} for status in Status}
    for column in RULE_COLUMNS:
        value = row.value(column.name)
        for attribute in (column.attribute, *RULES.together.get(column.attribute, ())):
            values[Status(column.prefix)][attribute] = value
    return {status: status_rule(ForwardingRule(**said)) for status, said in values.items()}


def _found_by_name(actor: User, customer: Customer) -> "QuerySet[User]":
    """Whom `actor` finds by name: those in the directory, and those whom they administer."""
    people = User.objects.visible_to(actor).of(customer)
    return people.filter(rights.in_directory() | rights.administered_by(actor))


def status_choices(*, beside: bool = False) -> list[tuple[str, Any]]:
    """The statuses that may be supposed, for a menu; beside a tab the one whose rule is looked at comes first."""
    looked_at = [(SHOWN, _("The status shown here"))] if beside else []
    return [
        *looked_at,
        ("", _("As it will be then")),
        *((str(each), _(each.record.label)) for each in Status),
    ]


def state_choices() -> list[tuple[str, Any]]:
    """The states, for a menu."""
    return [(str(state), label) for state, label in STATE_LABELS.items()]


def sees(actor: User, customer: Customer) -> Callable[[str], bool]:
    """Whether `actor` may see the settings of the person with an extension: asked once for each that a call comes to."""
    mine = User.objects.visible_to(actor).of(customer).filter(rights.administered_by(actor))
    known: dict[str, bool] = {}

    def may(extension: str) -> bool:
        if extension not in known:
            known[extension] = mine.filter(number=extension).exists()
        return known[extension]

    return may


def colleagues(actor: User, customer: Customer) -> list[User]:
    """The first people, for the simulator's lists."""
    found = _found_by_name(actor, customer)
    return list(found.only("number", "first_name", "last_name").order_by("number")[:200])


def dids(customer: Customer) -> list[str]:
    """The customer's numbers as people write them."""
    return [
        phone_number_national(number)
        for number in Did.objects.of(customer).values_list("number", flat=True)[:100]
    ]


def _clock_now(zone: str) -> str:
    return timezone.now().astimezone(hours.Schedule(zone).clock).strftime("%Y-%m-%dT%H:%M")


WEEKDAYS_ONLY = "weekdays"


# --- Hours -------------------------------------------------------------------------------------------------------
def quarter_hours(last: bool = False) -> list[str]:
    """The times of a day in steps of 15 minutes."""
    times = [f"{minute // 60}:{minute % 60:02d}" for minute in range(0, 24 * 60, STEP_MINUTES)]
    return [*times[1:], "24:00"] if last else times


def _typed_week(form: SectionForm, name: str) -> tuple[list[str], tuple[hours.Period, ...]]:
    """The lines of a week as they stand in the form, and the periods that can be read in them."""
    lines = lines_of(form[name].value())
    found: list[hours.Period] = []
    for weekday, line in enumerate(lines):
        try:
            found += periods.day_of(line, weekday)
        except periods.PeriodError:
            continue
    return lines, periods.in_order(found)


# What the tools of the week begin with; what was chosen in them stays, as the week does.
_TOOLS = {"copied": "0", "onto": WEEKDAYS_ONLY, "from": "8:00", "to": "17:00", "days": "all"}


def _week(form: SectionForm, zone: str) -> dict[str, Any]:
    """The week to look at, with the two lines of each day to type in."""
    opened, open_periods = _typed_week(form, "office_hours")
    paused, break_periods = _typed_week(form, "break_hours")
    locked = "office_hours" in form.locked
    edits: Iterable[Any] = [
        render_to_string("forwarding/day_lines.html", {
            "day": day, "label": WEEKDAYS[day], "open": opened[day], "pause": paused[day], "locked": locked,
            "bad_open": bool(form["office_hours"].errors), "bad_break": bool(form["break_hours"].errors),
        })
        for day in range(7)
    ]  # fmt: skip
    local = timezone.now().astimezone(hours.Schedule(zone).clock)
    days = week_to_look_at(open_periods, break_periods, local, edits)
    if not locked:
        with_grips(days, open_periods, break_periods, list(zip(opened, paused, strict=True)))
    return {
        "days": days, "zone": zone, "now": local, "weekdays": list(zip(_SEVEN, WEEKDAYS, strict=True)),
        "closed_all_week": not any(line.strip() for line in opened), "long_days": long_days(open_periods),
        "week_errors": [(name, form[name].errors) for name in ("office_hours", "break_hours") if form[name].errors],
        "tools": {name: form.data.get(f"_{name}", first) for name, first in _TOOLS.items()},
        "from_times": quarter_hours(), "to_times": quarter_hours(last=True), "locked": locked,
    }  # fmt: skip


def schedule_facts(scope: Scope, person: User, form: SectionForm) -> dict[str, Any]:
    """The week of a person, their department's beside it, and what the schedule does next."""
    key = person.primary_department_id or 0
    departments = schedules.of_departments({key})
    department = departments.get(key) or hours.Schedule(person.time_zone)
    now = timezone.now()
    own = schedules.of_people([person])[person.pk]
    local = now.astimezone(department.clock)
    return {
        **_week(form, department.zone),
        "department": person.primary_department,
        "department_hours": week_in_words(department.open),
        "department_days": week_to_look_at(department.open, department.breaks, local),
        # Without the automatic status nothing switches.
        "next_change": next_change_in_words(person, own, now) if person.auto_switch_status else "",
        "unsaved": getattr(form, "unsaved", False),
        "begun": _begun(form, person),
    }


def hours_of_department(scope: Scope, department: Department, form: SectionForm) -> dict[str, Any]:
    """The week of a department."""
    return {**_week(form, department.time_zone), "unsaved": False, "begun": ""}


def holidays_of_department(scope: Scope, department: Department, form: SectionForm) -> dict[str, Any]:
    """The years whose statutory holidays can be added with a click."""
    this = timezone.now().astimezone(hours.Schedule(department.time_zone).clock).year
    return {
        "years": [this, this + 1] if "holidays" not in form.locked else [],
        "add_url": reverse("add_statutory_holidays", args=[scope.customer.slug, department.pk]),
    }  # fmt: skip


# What the form carries once specific hours have been begun: with those of the department, or with what was there.
FROM_DEPARTMENT = "department"
BEGUN = "yes"


def _begun(form: SectionForm, person: User) -> str:
    """Whether specific hours have been begun, and with what."""
    if form["hours_mode"].value() != User.Hours.OWN:
        return ""
    return FROM_DEPARTMENT if form.data.get("_begun") == FROM_DEPARTMENT else BEGUN


def begun_with_department(data: QueryDict, person: User) -> QueryDict:
    """What was typed; where specific hours have just been chosen and none are there, with the department's hours to start from.

    Else a click on "specific hours" would close this person for the whole week. Gives `data` itself where nothing is to be filled.
    """
    begins = data.get("hours_mode") == User.Hours.OWN and person.hours_mode != User.Hours.OWN
    names = ("office_hours", "break_hours")
    if not begins or data.get("_begun") or data.get("_week"):
        return data
    if any(data.get(name, "").strip() for name in data if name.startswith(names)):
        return data
    key = person.primary_department_id or 0
    week = schedules.of_departments({key}).get(key)
    if week is None or not week.open:
        return data
    changed = data.copy()
    changed["_begun"] = FROM_DEPARTMENT
    for name, found in zip(names, (week.open, week.breaks), strict=True):
        for day in range(7):
            changed[f"{name}.{day}"] = periods.line_of(found, day)
    return changed


def with_week_tool(data: QueryDict) -> QueryDict:
    """What was typed, after a tool of the week: "add-open" and "add-break" add a period to all days (or Monday to Friday),
    "clear-open" and "clear-break" empty them, "copy" makes days like one of them, anything else leaves them."""
    changed = data.copy()
    tool, _dash, which = data.get("_week", "").partition("-")
    name = {"open": "office_hours", "break": "break_hours"}.get(which)
    if tool == "copy":
        source = data.get("_copied", "")
        for day in _days(data.get("_onto", "")) if source in _SEVEN else ():
            for name in ("office_hours", "break_hours"):
                changed[f"{name}.{day}"] = data.get(f"{name}.{source}", "")
        return changed
    days = _days(data.get("_days", ""))
    if name and tool == "clear":
        for day in days:
            changed[f"{name}.{day}"] = ""
    elif name and tool == "add":
        new = f"{data.get('_from', '')}-{data.get('_to', '')}"
        for day in days:
            line = data.get(f"{name}.{day}", "")
            try:
                both = periods.in_order({*periods.day_of(line, day), *periods.day_of(new, day)})
            except periods.PeriodError:
                continue
            changed[f"{name}.{day}"] = periods.line_of(both, day)
        if "hours_mode" in changed:
            changed["hours_mode"] = User.Hours.OWN
    return changed


_SEVEN = tuple(str(day) for day in range(7))


def _days(chosen: str) -> Iterable[int]:
    """The days that a tool's menu means: one by its number, Monday to Friday, else all."""
    if chosen in _SEVEN:
        return (int(chosen),)
    return range(5) if chosen == WEEKDAYS_ONLY else range(7)
