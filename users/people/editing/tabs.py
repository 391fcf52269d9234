"""The tabs of a user, for several of them: each column behind a box "change this", unless the tab's app says otherwise."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.module_loading import import_string

from pbxadmin.common.columns import Column, Scope
from pbxadmin.common.contributions import ForMany
from pbxadmin.common.for_many import shared
from pbxadmin.common.forms import SectionForm
from pbxadmin.common.sections import Section
from users.models import User
from users.people.sections import user_sheet

# What a form sends for one column is never longer than this.
LONGEST, MOST = 2_000, 300


def plain(value: Any) -> bool:
    """Whether a value is what a form sends for a column: a text, yes or no, nothing, or a list of texts."""
    if isinstance(value, list):
        return len(value) <= MOST and all(isinstance(each, str) and len(each) <= LONGEST for each in value)
    return value is None or isinstance(value, bool) or (isinstance(value, str) and len(value) <= LONGEST)


def listed(raw: Mapping[str, Any]) -> dict[str, Any]:
    """What was typed, as JSON has it."""
    return {name: list(value) if isinstance(value, tuple) else value for name, value in raw.items()}


def wrong(columns: Mapping[str, Column], wanted: Mapping[str, Any], scope: Scope) -> dict[str, list[str]]:
    """The columns whose wanted value can't be read, with what is wrong."""
    found = {}
    for name, raw in wanted.items():
        try:
            columns[name].clean(columns[name].as_typed(raw), scope)
        except ValidationError as error:
            found[name] = list(error.messages)
    return found


class ColumnsForMany:
    """A tab that is described by its columns alone."""

    def __init__(
        self,
        slug: str,
        template: str = "users/editing/columns.html",
        also: Callable[[Scope, SectionForm], Mapping[str, Any]] = lambda scope, form: {},
    ) -> None:
        """`also`: what its template takes beside the form."""
        self.slug = slug
        self.template = template
        self.also = also

    @property
    def section(self) -> Section:
        """The tab."""
        found = user_sheet().section(self.slug)
        assert found is not None, self.slug
        return found

    def _form(self, scope: Scope, people: Sequence[Any], wanted: Mapping[str, Any], data: Any) -> SectionForm:
        common = shared(self.section.values(people, scope))
        return self.section.form(scope, data, initial=common | dict(wanted), many=True, ticked=wanted)

    def facts(
        self, scope: Scope, people: Sequence[Any], wanted: Mapping[str, Any], data: Any
    ) -> Mapping[str, Any]:
        """The form, with what the chosen have in common or what is wanted so far; refused fields say why."""
        form = self._form(scope, people, wanted, data)
        if data is not None:
            form.show_errors(wrong(form.columns, listed(form.raw()), scope))
        return {"form": form, **self.also(scope, form)}

    def read(self, scope: Scope, people: Sequence[Any], data: Any) -> Mapping[str, Any]:
        """What was typed in those columns whose box is ticked."""
        return listed(self._form(scope, people, {}, data).raw())

    def checked(self, scope: Scope, wanted: Any) -> Mapping[str, Any]:
        """Columns that may be changed of many, and that this customer has."""
        offered = {column.name for column in self.section.columns if column.bulk and column.is_offered(scope)}
        if not isinstance(wanted, dict):
            return {}
        return {name: raw for name, raw in wanted.items() if name in offered and plain(raw)}

    def problems(self, scope: Scope, wanted: Mapping[str, Any]) -> Mapping[str, list[str]]:
        """What can't be read."""
        return wrong(user_sheet().columns, wanted, scope)

    def values(
        self, scope: Scope, people: Sequence[Any], wanted: Mapping[str, Any]
    ) -> Mapping[type[models.Model], Mapping[Any, Mapping[str, Any]]]:
        """The same for everybody."""
        return {User: dict.fromkeys((person.pk for person in people), wanted)} if wanted else {}


def tabs() -> list[tuple[Section, ForMany]]:
    """Every tab that has something to change for many, in the order of the tabs."""
    found: list[tuple[Section, ForMany]] = []
    for section in user_sheet().sections:
        if section.adds.for_many:
            found.append((section, import_string(section.adds.for_many)))
        elif any(column.bulk for column in section.columns):
            found.append((section, ColumnsForMany(section.slug)))
    return found
