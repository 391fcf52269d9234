"""A holiday, or the statutory ones of a year, for departments of many customers: added to what each of them has."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from forwarding import hours
from forwarding.statutory import FIRST_YEAR, LAST_YEAR, statutory_holidays
from forwarding.tabs.schedule import HOLIDAYS, HOLIDAYS_COLUMN
from forwarding.tabs.week_columns import by_day
from pbxadmin.common.columns import Scope
from pbxadmin.common.fields import OneLineFormField
from support.many.values import departments_said, page_of
from users import road
from users.company.sheets import department_sheet
from users.models import Department
from users.rights import Verb
from users.road.actions import Settings
from users.road.wide import LINES, NAMES, Turn, Wide, register_wide, turn_of

YEARS_AHEAD = 3


class HolidayForm(forms.Form):
    """One holiday of one's own, or all statutory ones of a year."""

    first = forms.CharField(
        label=gettext_lazy("First day"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    last = forms.CharField(
        label=gettext_lazy("Last day"),
        required=False,
        help_text=gettext_lazy("Blank: a single day."),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    name = OneLineFormField(label=gettext_lazy("Name"), required=False, max_length=80)
    yearly = forms.BooleanField(label=gettext_lazy("Every year"), required=False)
    statutory = forms.ChoiceField(
        label=gettext_lazy("Or the statutory holidays of Québec"),
        required=False,
        help_text=gettext_lazy("Those that a department doesn't have yet, in its language."),
    )

    def __init__(self, data: Any = None) -> None:
        super().__init__(data)
        year = timezone.localdate().year
        years = [(str(each), str(each)) for each in range(year, year + YEARS_AHEAD)]
        self.fields["statutory"].choices = [("", "—"), *years]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """One of both, said so that a department's page would take it."""
        said: dict[str, Any] = super().clean() or self.cleaned_data
        typed = [said.get("first") or "", said.get("last") or "", said.get("name") or "", said.get("yearly")]
        if said.get("statutory"):
            if any(typed):
                raise ValidationError(_("Choose one: a holiday of your own, or the statutory ones."))
            self.wanted: dict[str, Any] = {"statutory": int(said["statutory"])}
            return said
        if not any(typed):
            raise ValidationError(_("Enter a date, or choose a year."))
        row = [*typed[:3], "1" if typed[3] else ""]
        self.wanted = {"holiday": row}
        try:
            HOLIDAYS_COLUMN.clean([row], Scope(None, None))
        except ValidationError as error:
            words = [message.split(":", 1)[-1].strip().capitalize() for message in error.messages]
            raise ValidationError(words) from None
        return said


def holidays_of(settings: Settings, language: str) -> tuple[hours.Holiday, ...]:
    """What is wanted, as holidays, in a department's language; none where it can't be read."""
    year = settings.get("statutory")
    if isinstance(year, int) and FIRST_YEAR <= year <= LAST_YEAR:
        return tuple(hours.Holiday(day, day, name) for day, name in statutory_holidays(year, language))
    if "holiday" not in settings:
        return ()
    found: tuple[hours.Holiday, ...] = HOLIDAYS_COLUMN.clean([settings["holiday"]], Scope(None, None))
    return found


def is_there(wanted: hours.Holiday, now: Iterable[hours.Holiday]) -> bool:
    """Whether the department is closed on all of these days already; what comes back every year, every year."""
    there = [each for each in now if each.yearly or not wanted.yearly]
    days = (wanted.last - wanted.first).days + 1
    return all(
        any(each.covers(wanted.first + timedelta(days=place)) for each in there) for place in range(days)
    )


def _plan(scope: Scope, keys: Sequence[int], settings: Settings) -> Turn:
    departments = list(Department.objects.visible_to(scope.actor).of(scope.customer).filter(pk__in=keys))
    now = HOLIDAYS.load(departments)
    rows = {key: road.Row(key, {}) for key in keys}
    added: dict[str, list[str]] = defaultdict(list)
    for department in departments:
        has = now[department.pk]["holidays"]
        new = [each for each in holidays_of(settings, department.language) if not is_there(each, has)]
        rows[department.pk] = road.Row(department.pk, {"holidays": by_day([*has, *new])})
        if new:
            added[HOLIDAYS_COLUMN.show(new)].append(department.name)
    turn = turn_of([road.plan(scope.actor, scope.customer, department_sheet(), list(rows.values()))])
    # What is added, instead of all that each of them has before and after.
    label = str(HOLIDAYS_COLUMN.label)
    lines = [(label, "", words, names[:NAMES], max(0, len(names) - NAMES)) for words, names in added.items()]
    return replace(turn, lines=lines[:LINES])


def _said(settings: Settings) -> str:
    if year := settings.get("statutory"):
        return _("Statutory holidays of %(year)s") % {"year": year}
    return _("Holiday: %(days)s") % {"days": HOLIDAYS_COLUMN.show(holidays_of(settings, ""))}


def _title(settings: Settings, count: int) -> str:
    return ngettext("%(what)s at %(count)s customer", "%(what)s at %(count)s customers", count) % {
        "what": _said(settings),
        "count": count,
    }


HOLIDAY = register_wide(
    Wide(
        slug="departments_holiday",
        title=_title,
        url=page_of,
        records=departments_said,
        verb=Verb.CUSTOMER,
        plan=_plan,
    )
)
