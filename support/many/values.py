"""A value for a column of many customers or departments: asked for with "as it is" as the first answer, and planned by the road."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django import forms
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from pbxadmin.common.columns import Column, Scope
from pbxadmin.common.sections import Sheet
from support.road import stands_alone
from users import road
from users.company.sheets import customer_sheet, department_sheet
from users.models import Customer, Job
from users.people.editing.tabs import listed, plain, wrong
from users.rights import Verb
from users.road.actions import Settings
from users.road.wide import Turn, Wide, register_wide, turn_of

PREFIX = "to"
# What one record has of its own although others could have the same: a number, a registration; what has a page that says more of it.
OF_ONE = {
    "users.department": {"outbound_caller_id", "holidays"},
    "users.customer": {"extension_digits"},
}
OF_ONE_TAB = "single-sign-on"
SUSPENSION = "suspended"


def columns_for_many(sheet: Sheet) -> dict[str, Column]:
    """The columns that make sense for many records of different customers, in the order of their tabs."""
    return {
        column.name: column
        for section in sheet.sections
        if section.slug != OF_ONE_TAB
        for column in section.columns
        if column.bulk and not column.name.startswith(SUSPENSION) and column.name not in OF_ONE[sheet.label]
    }


class ValuesForm(forms.Form):
    """A field for each column; what is left blank stays as it is at each of them."""

    def __init__(self, scope: Scope, columns: Mapping[str, Column], data: Any = None) -> None:
        super().__init__(data, prefix=PREFIX)
        self.scope, self.columns = scope, columns
        for name, column in columns.items():
            if stands_alone(column, scope):
                self.fields[name] = _with_as_it_is(column.form_field(scope))

    def wanted(self) -> dict[str, Any]:
        """What was said, as JSON has it: {column: what was typed}."""
        typed = {
            name: field.widget.value_from_datadict(self.data, self.files, self.add_prefix(name))
            for name, field in self.fields.items()
        }
        said = {name: raw for name, raw in listed(typed).items() if raw not in (None, "", []) and _says(raw)}
        return {name: raw for name, raw in said.items() if plain(raw)}

    def problems(self) -> dict[str, list[str]]:
        """What can't be read, by column."""
        return wrong(self.columns, self.wanted(), self.scope)


def _says(raw: Any) -> bool:
    """Whether a list (the seven lines of a week) says anything."""
    return not isinstance(raw, list) or any(str(each).strip() for each in raw)


def _with_as_it_is(made: forms.Field) -> forms.Field:
    """The field with "as it is" for an answer: a menu says so, anything else is left blank."""
    as_it_is = ("", _("As it is"))
    if isinstance(made, forms.ChoiceField):
        offered: Any = made.choices
        choices = [choice for choice in offered if choice[0] not in ("", None)]
        found: forms.Field = forms.ChoiceField(choices=[as_it_is, *choices], widget=forms.Select)
    elif isinstance(made, forms.BooleanField):
        found = forms.ChoiceField(choices=[as_it_is, ("1", _("Yes")), ("0", _("No"))])
    else:
        found = made
    found.label, found.help_text = made.label, made.help_text
    found.required, found.initial = False, None
    return found


def checked(sheet: Sheet, wanted: Any) -> dict[str, Any]:
    """What a job's settings want, without all that nobody may want of many."""
    known = columns_for_many(sheet)
    if not isinstance(wanted, dict):
        return {}
    return {name: raw for name, raw in wanted.items() if name in known and plain(raw)}


def _planned(sheet: Callable[[], Sheet]) -> Callable[[Scope, Sequence[int], Settings], Turn]:
    def plan(scope: Scope, keys: Sequence[int], settings: Settings) -> Turn:
        wanted = checked(sheet(), settings.get("wanted"))
        return turn_of(
            [
                road.plan(
                    scope.actor, scope.customer, sheet(), [road.Row(key, wanted) for key in keys], scope=scope
                )
            ]
        )

    return plan


def _title(sheet: Callable[[], Sheet]) -> Callable[[Settings, int], str]:
    def title(settings: Settings, count: int) -> str:
        columns = columns_for_many(sheet())
        labels = ", ".join(str(columns[name].label) for name in settings.get("wanted", {}) if name in columns)
        return ngettext("%(what)s at %(count)s customer", "%(what)s at %(count)s customers", count) % {
            "what": labels,
            "count": count,
        }

    return title


def page_of(job: Job) -> str:
    """Where the desk tells of a job over customers."""
    return reverse("admin:many_job", args=[job.pk])


def departments_said(count: int) -> str:
    """So many departments."""
    return ngettext("%(count)s department", "%(count)s departments", count) % {"count": count}


def customers_said(count: int) -> str:
    """So many customers."""
    return ngettext("%(count)s customer", "%(count)s customers", count) % {"count": count}


OF_CUSTOMERS = register_wide(
    Wide(
        slug="customers_values",
        title=_title(customer_sheet),
        url=page_of,
        records=customers_said,
        verb=Verb.SUPPORT,
        plan=_planned(customer_sheet),
    )
)
OF_DEPARTMENTS = register_wide(
    Wide(
        slug="departments_values",
        title=_title(department_sheet),
        url=page_of,
        records=departments_said,
        verb=Verb.CUSTOMER,
        plan=_planned(department_sheet),
    )
)
NOTHING_WANTED = gettext_lazy("Say what is to be changed: everything is as it is.")
EMPTY = Customer()
