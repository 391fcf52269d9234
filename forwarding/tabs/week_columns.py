"""Columns of the Schedule tab: weeks of hours, and holidays."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext, pgettext_lazy

from forwarding import hours, periods
from forwarding.models import Holiday
from pbxadmin.common.clock import date_said
from pbxadmin.common.columns import Column, Scope
from pbxadmin.common.fields import OneLineFormField
from pbxadmin.common.references import Store
from pbxadmin.common.values.signs import plainly

WEEKDAYS = (
    gettext_lazy("Monday"), gettext_lazy("Tuesday"), gettext_lazy("Wednesday"), gettext_lazy("Thursday"), gettext_lazy("Friday"),
    gettext_lazy("Saturday"), gettext_lazy("Sunday"),
)  # fmt: skip
# French writes them small there.
DAYS_IN_A_SENTENCE = (
    pgettext_lazy("in a sentence", "Monday"), pgettext_lazy("in a sentence", "Tuesday"), pgettext_lazy("in a sentence", "Wednesday"),
    pgettext_lazy("in a sentence", "Thursday"), pgettext_lazy("in a sentence", "Friday"), pgettext_lazy("in a sentence", "Saturday"),
    pgettext_lazy("in a sentence", "Sunday"),
)  # fmt: skip


# --- Hours -------------------------------------------------------------------------------------------------------
def said(day: Sequence[hours.Period]) -> str:
    """A day's periods for the reader: "8:00–12:00, 13:00–17:00", or "closed"."""
    if not day:
        return _("closed")
    return ", ".join(f"{periods.clock(each.start)}–{periods.clock(each.end, end=True)}" for each in day)


def week_in_words(week: Sequence[hours.Period]) -> str:
    """A week for the reader, days with the same hours together: "Monday to Friday 8:00–17:00"."""
    lines = [periods.line_of(week, weekday) for weekday in range(7)]
    parts: list[str] = []
    first = 0
    for weekday in range(1, 8):
        if weekday < 7 and lines[weekday] == lines[first]:
            continue
        if lines[first]:
            days = (
                str(DAYS_IN_A_SENTENCE[first])
                if weekday - first == 1
                else pgettext("days", "%(first)s to %(last)s")
                % {"first": DAYS_IN_A_SENTENCE[first], "last": DAYS_IN_A_SENTENCE[weekday - 1]}
            )
            parts.append(f"{days} {said([each for each in week if each.weekday == first])}")
        first = weekday
    return "; ".join(parts) or _("closed all week")


class WeekWidget(forms.Widget):
    """Seven lines, Monday first. One name carries a whole week as text; `name.0` to `name.6` its days."""

    template_name = "widgets/week.html"
    use_fieldset = True

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        """The seven lines, or the text of the whole week."""
        if any(f"{name}.{day}" in data for day in range(7)):
            return [str(data.get(f"{name}.{day}") or "") for day in range(7)]
        return data.get(name)

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        """Whether neither form of it was sent."""
        return name not in data and not any(f"{name}.{day}" in data for day in range(7))

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        """A line for each day, from periods or from what was typed."""
        context = super().get_context(name, None, attrs)
        lines = lines_of(value)
        context["days"] = [{"number": day, "label": WEEKDAYS[day], "line": lines[day]} for day in range(7)]
        return context


def lines_of(value: Any) -> list[str]:
    """The seven lines of a week: of periods, of lines as typed, or of the week's text."""
    if isinstance(value, str):
        try:
            value = periods.week_of(value)
        except periods.PeriodError:
            return [value, *[""] * 6]
    value = list(value or ())
    if len(value) == 7 and all(isinstance(each, str) for each in value):
        return value
    return [periods.line_of(value, day) for day in range(7)]


class WeekField(forms.Field):
    """A week of periods."""

    widget = WeekWidget


class PeriodsColumn(Column):
    """The periods of a week (`hours.Period`, in order), typed a line a day or as one text ("mon 8:00-12:00; tue …")."""

    def __init__(self, name: str, store: Store, **settings: Any) -> None:
        self.store = store
        super().__init__(name, **settings)

    def form_field(self, scope: Scope) -> forms.Field:
        """Seven lines."""
        return WeekField(label=self.label, help_text=self.help, required=False)

    def clean(self, raw: Any, scope: Scope) -> tuple[hours.Period, ...]:
        """Periods in order; `ValidationError` names each line that isn't hours, by its day."""
        if isinstance(raw, (list, tuple)) and raw and all(isinstance(each, hours.Period) for each in raw):
            return periods.in_order(raw)
        found: list[hours.Period] = []
        problems = []
        if isinstance(raw, str):
            try:
                return periods.week_of(raw)
            except periods.PeriodError as error:
                raise ValidationError(_not_hours("", error.text)) from None
        for weekday, line in enumerate(list(raw or ())[:7]):
            try:
                found += periods.day_of(str(line), weekday)
            except periods.PeriodError as error:
                problems.append(_not_hours(str(WEEKDAYS[weekday]), error.text))
        if problems:
            raise ValidationError(problems)
        return periods.in_order(found)

    def to_json(self, value: Any) -> Any:
        """The text of the week."""
        return periods.text_of(value or ())

    def _as_text(self, value: Any, scope: Scope) -> str:
        return periods.text_of(value or ())

    def show(self, value: Any, scope: Scope | None = None) -> str:
        """In words."""
        if isinstance(value, str):
            try:
                value = periods.week_of(value)
            except periods.PeriodError:
                return value
        return week_in_words(value) if value else super().show(None)

    def put(self, data: Any, value: Any) -> None:
        """As the form sends it."""
        for day, line in enumerate(lines_of(value)):
            data[f"{self.name}.{day}"] = line


def _not_hours(day: str, text: str) -> str:
    """What is wrong with a line, and how hours are written."""
    words = _("“%(text)s” is not hours, for example 8:00-12:00, 13:00-17:00.") % {"text": text[:40]}
    return f"{day}{pgettext('before a value', ':')} {words}" if day else words


class PeriodStore(Store):
    """Periods are rows of their own; a week is replaced as a whole."""

    def __init__(self, model: type[models.Model], owner: str, columns: Mapping[str, str]) -> None:
        self.model = model
        self.owner = owner
        self.columns = columns  # column → kind of its periods

    def load(self, records: Sequence[Any]) -> Mapping[Any, Mapping[str, Any]]:
        """{record: {column: periods}}, in one query."""
        found: dict[Any, dict[str, list[hours.Period]]] = {
            record.pk: {name: [] for name in self.columns} for record in records
        }
        names = {kind: name for name, kind in self.columns.items()}
        rows = self.model._default_manager.filter(**{f"{self.owner}__in": list(found)}).order_by(
            "weekday", "start", "end"
        )
        for owner, kind, weekday, start, end in rows.values_list(
            self.owner, "kind", "weekday", "start", "end"
        ):
            found[owner][names[kind]].append(hours.Period(weekday, start, end))
        return {owner: {name: tuple(each) for name, each in kinds.items()} for owner, kinds in found.items()}

    def save(self, rows: Sequence[Any], scope: Scope) -> None:
        """One DELETE for each kind, and one INSERT."""
        made = []
        for name, kind in self.columns.items():
            touched = [row for row in rows if name in row.changes]
            self.model._default_manager.filter(
                kind=kind, **{f"{self.owner}__in": [row.key for row in touched]}
            ).delete()
            made += [
                self.model(kind=kind, weekday=each.weekday, start=each.start, end=each.end, **{f"{self.owner}_id": row.key})
                for row in touched for each in row.changes[name][1]
            ]  # fmt: skip
        self.model._default_manager.bulk_create(made, batch_size=2_000)


# --- Holidays ----------------------------------------------------------------------------------------------------
MOST_HOLIDAYS = 200
BLANK_ROWS = 3


class HolidaysWidget(forms.Widget):
    """A row for each holiday and some blank ones; lists of one length: `name.first`, `.last`, `.name`; positions: `.yearly`, `.gone`.

    A row whose `.gone` is ticked is a holiday to be deleted: it isn't part of the value.
    """

    template_name = "widgets/holidays.html"
    use_fieldset = True

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        """Rows as lists of texts, or the text of all of them."""
        if f"{name}.first" not in data:
            return data.get(name)
        taken = [data.getlist(f"{name}.{part}") for part in ("first", "last", "name")]
        yearly, gone = (set(data.getlist(f"{name}.{part}")) for part in ("yearly", "gone"))
        return tuple(
            (first, last, called, "1" if str(place) in yearly else "")
            for place, (first, last, called) in enumerate(zip(*taken, strict=False))
            if str(place) not in gone and (first.strip() or last.strip() or called.strip())
        )

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        """The rows, from holidays or from what was typed, and blank ones after them."""
        context = super().get_context(name, None, attrs)
        rows = []
        for each in value if isinstance(value, (list, tuple)) else ():
            if isinstance(each, hours.Holiday):
                rows.append((each.first.isoformat(), each.last.isoformat(), each.name, each.yearly))
            else:
                first, last, called, yearly = each
                rows.append((first, last, called, bool(yearly)))
        rows += [("", "", "", False)] * BLANK_ROWS
        context["rows"] = [
            {"place": place, "first": a, "last": b, "name": c, "yearly": d}
            for place, (a, b, c, d) in enumerate(rows)
        ]
        return context


class HolidaysField(forms.Field):
    """A list of holidays."""

    widget = HolidaysWidget


class HolidaysColumn(Column):
    """A department's holidays (`hours.Holiday`, by first day), typed as rows, or as JSON: [["2026-12-24", "2027-01-02", "Fêtes", false]]."""

    def __init__(self, name: str, store: Store, **settings: Any) -> None:
        self.store = store
        super().__init__(name, **settings)

    def form_field(self, scope: Scope) -> forms.Field:
        """Rows."""
        return HolidaysField(label=self.label, help_text=self.help, required=False)

    def clean(self, raw: Any, scope: Scope) -> tuple[hours.Holiday, ...]:
        """Holidays by their first day, each once; `ValidationError` names every row that is wrong."""
        if isinstance(raw, str):
            try:
                raw = json.loads(raw) if raw.strip() else ()
            except ValueError:
                raise ValidationError(
                    _("The list of holidays can't be read. Reload the page and make your changes again.")
                ) from None
        if not isinstance(raw, (list, tuple)) or len(raw) > MOST_HOLIDAYS:
            raise ValidationError(
                _("The list of holidays can't be read. Reload the page and make your changes again.")
            )
        found, problems = set(), []
        for place, each in enumerate(raw, start=1):
            try:
                found.add(each if isinstance(each, hours.Holiday) else _holiday(each))
            except ValidationError as error:
                problems += [
                    _("Holiday %(place)s: %(problem)s") % {"place": place, "problem": message}
                    for message in error.messages
                ]
        if problems:
            raise ValidationError(problems)
        return by_day(found)

    def to_json(self, value: Any) -> Any:
        """[[first, last, name, yearly], …]."""
        return [
            [each.first.isoformat(), each.last.isoformat(), each.name, each.yearly] for each in value or ()
        ]

    def _as_text(self, value: Any, scope: Scope) -> str:
        return json.dumps(self.to_json(value), ensure_ascii=False) if value else ""

    def show(self, value: Any, scope: Scope | None = None) -> str:
        """ "1 January Jour de l'an; 24 December to 2 January Fêtes"."""
        shown = []
        for each in value or ():
            if not isinstance(each, hours.Holiday):
                each = hours.Holiday(
                    date.fromisoformat(each[0]), date.fromisoformat(each[1]), each[2], bool(each[3])
                )
            style = "MONTH_DAY_FORMAT" if each.yearly else "SHORT_DATE_FORMAT"
            days = date_said(each.first, style)
            if each.last != each.first:
                days = pgettext("days", "%(first)s to %(last)s") % {
                    "first": days,
                    "last": date_said(each.last, style),
                }
            shown.append(f"{days} {each.name}".strip())
        return super().show(tuple(shown))

    def pieces(self, old: Any, new: Any, scope: Scope) -> Iterable[tuple[str, str, str]]:
        """What goes and what comes: the rest of a long list stays, and says nothing."""
        gone, come = (
            tuple(each for each in one if each not in other) for one, other in ((old, new), (new, old))
        )
        yield str(self.label), self.show(gone, scope), self.show(come, scope)

    def put(self, data: Any, value: Any) -> None:
        """As the form sends it."""
        data.setlist(f"{self.name}.first", [each.first.isoformat() for each in value])
        data.setlist(f"{self.name}.last", [each.last.isoformat() for each in value])
        data.setlist(f"{self.name}.name", [each.name for each in value])
        data.setlist(f"{self.name}.yearly", [str(place) for place, each in enumerate(value) if each.yearly])


def by_day(found: Any) -> tuple[hours.Holiday, ...]:
    """In the one order in which holidays are kept and compared."""
    return tuple(sorted(found, key=lambda each: (each.first, each.last, each.name, each.yearly)))


def _holiday(row: Any) -> hours.Holiday:
    """One row: first day, last day (blank: the same), name, every year."""
    if not isinstance(row, (list, tuple)) or len(row) != 4:
        raise ValidationError(
            _("The list of holidays can't be read. Reload the page and make your changes again.")
        )
    first = _day(row[0])
    last = _day(row[1]) if str(row[1] or "").strip() else first
    if last < first:
        raise ValidationError(_("the last day comes before the first: correct one of them."))
    yearly = str(row[3]) in ("1", "True", "on", "true")
    if (last - first).days >= 365:
        raise ValidationError(_("a holiday lasts less than a year: change the last day."))
    name = OneLineFormField(required=False, max_length=80).clean(str(row[2] or ""))
    return hours.Holiday(first, last, name, yearly)


def _day(text: Any) -> date:
    try:
        day = parse_date(plainly(str(text or "")).strip())
    except ValueError:
        day = None
    if day is None or not 2000 <= day.year <= 2100:
        raise ValidationError(_("enter a date, for example 2026-12-25."))
    return day


class HolidayStore(Store):
    """Holidays are rows of a department; the list is replaced as a whole."""

    def load(self, records: Sequence[Any]) -> Mapping[Any, Mapping[str, Any]]:
        """{department: {"holidays": holidays}}, in one query."""
        found: dict[Any, list[hours.Holiday]] = defaultdict(list)
        rows = Holiday.objects.filter(department__in=[record.pk for record in records])
        for owner, first, last, name, yearly in rows.values_list(
            "department", "first", "last", "name", "yearly"
        ):
            found[owner].append(hours.Holiday(first, last, name, yearly))
        return {record.pk: {"holidays": by_day(found[record.pk])} for record in records}

    def save(self, rows: Sequence[Any], scope: Scope) -> None:
        """One DELETE, one INSERT."""
        Holiday.objects.filter(department__in=[row.key for row in rows]).delete()
        Holiday.objects.bulk_create(
            [
                Holiday(department_id=row.key, first=each.first, last=each.last, name=each.name, yearly=each.yearly)
                for row in rows for each in row.changes["holidays"][1]
            ],
            batch_size=2_000,
        )  # fmt: skip
