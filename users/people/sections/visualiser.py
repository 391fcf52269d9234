"""Tab "Visualiser": what a person sees of each department, forced on or off over what their role says."""

from collections.abc import Iterable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any, cast

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy

from pbxadmin.common import cells, many
from pbxadmin.common.columns import Column, Scope
from pbxadmin.common.contributions import Contribution
from pbxadmin.common.for_many import VARIOUS
from pbxadmin.common.forms import SectionForm
from pbxadmin.common.references import Store
from pbxadmin.common.sections import Section
from pbxadmin.common.values.signs import folded
from users import rights, road
from users.models import User, Visibility
from users.people.sections.general import departments_of
from users.rights import Forced

# One department's row of the matrix: its key, then yes, no or None for each of the four columns.
Row = tuple[int, bool | None, bool | None, bool | None, bool | None]
WORDS = {"yes": True, "no": False, "": None}
# How many names the answer "what this user sees" lists before it only counts.
NAMES = 4

COLUMNS = (
    (
        "show_my_calls",
        gettext_lazy("Show my calls"),
        gettext_lazy(
            "Makes the user's calls visible to the other members of the department: the other party and the number dialled. "
            "Otherwise they only see that a call is in progress."
        ),
    ),
    (
        "see_presence",
        gettext_lazy("Presence"),
        gettext_lazy(
            "The user sees the status of the other members of the department: in a call, available, away, do not disturb. "
            "Otherwise no presence of this department is shown."
        ),
    ),
    (
        "see_calls",
        gettext_lazy("Calls"),
        gettext_lazy("The user sees the calls of the other members of the department who show theirs."),
    ),
    (
        "perform_operations",
        gettext_lazy("Operations"),
        gettext_lazy(
            "The user can pick up parked calls, transfer and divert calls, and use the intercom. Barging in, listening and "
            "whispering require the role Manager or Owner."
        ),
    ),
)


class VisibilityStore(Store):
    """What is forced for each user, as a sorted tuple of rows; a department of which nothing is forced has none."""

    def load(self, records: Sequence[Any]) -> Mapping[Any, Mapping[str, Any]]:
        """{user: {"visibility": rows}}, in one query."""
        return {
            key: {"visibility": tuple((department, *forced) for department, forced in sorted(found.items()))}
            for key, found in rights.forcings_of(records).items()
        }

    def save(self, rows: Sequence[Any], scope: Scope) -> None:
        """Replace the rows of these users: one DELETE and one INSERT."""
        Visibility.objects.filter(user__in=[row.key for row in rows]).delete()
        forced = [(row.key, *entry) for row in rows for entry in row.changes["visibility"][1]]
        names = ("user_id", "department_id", *Forced._fields)
        many.insert(Visibility, dict(zip(names, zip(*forced, strict=True), strict=False)), len(forced))


VISIBILITY = VisibilityStore()


class MatrixWidget(forms.Widget):
    """A menu for each department and column, named "visibility-12-see_calls": as the role says, yes, or no."""

    use_fieldset = True

    def value_from_datadict(self, data: Mapping[str, Any], files: Any, name: str) -> Any:
        """The rows as typed: (department, "yes", "", …), unread; a list given as such (a copy, an undo) as it is."""
        whole = data.get(name)
        if isinstance(whole, (list, tuple)):
            return whole
        found: dict[str, list[str]] = {}
        for key in data:
            prefix, _dash, rest = key.partition("-")
            department, _dash, column = rest.partition("-")
            if prefix == name and column in Forced._fields and department.isascii() and department.isdigit():
                found.setdefault(department, [""] * 4)[Forced._fields.index(column)] = data[key]
        return [(department, *words) for department, words in found.items()]


class VisibilityColumn(Column):
    """The whole matrix as one value: sorted rows (department, show_my_calls, see_presence, see_calls, perform_operations)."""

    store = VISIBILITY

    def form_field(self, scope: Scope) -> forms.Field:
        """The matrix; the tab's own template draws it."""
        return forms.Field(label=self.label, help_text=self.help, required=False, widget=MatrixWidget)

    def clean(self, raw: Any, scope: Scope) -> tuple[Row, ...]:
        """Rows of this customer's departments, without those of which nothing is forced."""
        known = {department.pk for department in departments_of(scope)}
        rows: dict[int, Row] = {}
        for item in raw or ():
            if not isinstance(item, (list, tuple)) or len(item) != 5:
                raise ValidationError(_("This value can't be read: reload the page and choose again."))
            key, *words = item
            department = int(key) if str(key).isascii() and str(key).isdigit() and len(str(key)) < 18 else 0
            if department not in known:
                raise ValidationError(
                    _("“%(value)s” is not one of the choices: choose one from the list.")
                    % {"value": str(key)[:20]}
                )
            values = [self._value(word) for word in words]
            if any(value is not None for value in values):
                rows[department] = (department, values[0], values[1], values[2], values[3])
        return tuple(rows[key] for key in sorted(rows))

    def put(self, data: Any, value: Any) -> None:
        """Write the rows into a form's data as a browser would send them."""
        for key in [key for key in data if key.startswith(f"{self.name}-")]:
            del data[key]
        for department, *forced in value or ():
            for name, own in zip(Forced._fields, forced, strict=True):
                data[f"{self.name}-{department}-{name}"] = {True: "yes", False: "no", None: ""}[own]

    @staticmethod
    def _value(word: Any) -> bool | None:
        if word is None or isinstance(word, bool):
            return word
        if word not in WORDS:
            raise ValidationError(_("Choose “as the role says”, yes or no."))
        return WORDS[word]

    def to_json(self, value: Any) -> Any:
        """Lists instead of tuples."""
        return [list(row) for row in value or ()]

    def _as_text(self, value: Any, scope: Scope) -> str:
        """ "Soins=see_presence+,see_calls-": a department with what is forced on (+) or off (-) there."""
        names = {department.pk: department.name for department in departments_of(scope)}
        return cells.joined(
            f"{names[department]}="
            + ",".join(
                f"{name}{'+' if own else '-'}"
                for name, own in zip(Forced._fields, forced, strict=True)
                if own is not None
            )
            for department, *forced in value or ()
        )

    def _from_text(self, text: str, scope: Scope) -> Any:
        """Rows, from departments by their names."""
        keys = {folded(department.name): department.pk for department in departments_of(scope)}
        rows = []
        for part in cells.parts(text):
            name, _equals, words = part.rpartition("=")
            if (key := keys.get(folded(name.strip()))) is None:
                raise ValidationError(
                    _("“%(value)s” is not one of the choices: choose one from the list.")
                    % {"value": (name or part)[:60]}
                )
            forced: dict[str, bool] = {}
            for word in filter(None, (each.strip().casefold() for each in words.split(","))):
                if word[:-1] not in Forced._fields or word[-1] not in "+-":
                    raise ValidationError(_("This value can't be read: reload the page and choose again."))
                forced[word[:-1]] = word[-1] == "+"
            rows.append((key, *(forced.get(field) for field in Forced._fields)))
        return self.clean(rows, scope)

    def pieces(self, old: Any, new: Any, scope: Scope) -> Iterable[tuple[str, str, str]]:
        """Department by department, and right by right."""
        words = {None: _("From the role"), True: _("Yes"), False: _("No")}
        names = {department.pk: department.name for department in departments_of(scope)}
        before, after = ({key: forced for key, *forced in rows or ()} for rows in (old, new))
        for department in sorted(before.keys() | after.keys()):
            pairs = zip(*(each.get(department, [None] * 4) for each in (before, after)), strict=True)
            for (_name, label, _help), (was, is_now) in zip(COLUMNS, pairs, strict=True):
                if was != is_now:
                    where = f"{names.get(department, department)} – {label}"
                    yield where, words[was], words[is_now]

    def show(self, value: Any, scope: Scope | None = None) -> str:
        """ "Soins : Appels Oui, Opérations Non · …"."""
        names = {department.pk: department.name for department in departments_of(scope)} if scope else {}
        words = []
        for department, *forced in value or ():
            said = ", ".join(
                f"{label} {_('Yes') if own else _('No')}"
                for (_name, label, _help), own in zip(COLUMNS, forced, strict=True)
                if own is not None
            )
            words.append(
                _("%(department)s: %(rights)s")
                % {"department": names.get(department, department), "rights": said}
            )
        return " · ".join(words) or super().show(None)


# --- Rules ------------------------------------------------------------------------------------------------------
def leaving_a_department_forgets_its_view(row: road.RowPlan, plan: road.Plan) -> None:
    """Whoever leaves a department loses what was forced for it: what they were given there must not stay with them unseen."""
    if row.new or "departments" not in row.changes:
        return
    plan.need("visibility")
    left = set(row.changes["departments"][0] or ()) - set(row.changes["departments"][1])
    rows = row.value("visibility")
    kept = tuple(entry for entry in rows if entry[0] not in left)
    if kept != rows and "visibility" not in row.raw:
        row.put("visibility", kept)


def nobody_grants_a_view_beyond_his_own(row: road.RowPlan, plan: road.Plan) -> None:
    """Whoever acts on some departments opens the view of those alone: what they don't administer isn't theirs to show."""
    actor = plan.scope.actor
    if "visibility" not in row.changes or rights.acts_on_whole_customer(actor):
        return
    before, after = ({entry[0]: entry for entry in entries or ()} for entries in row.changes["visibility"])
    changed = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
    left = (
        set(row.before.get("departments", ())) - set(row.value("departments"))
        if "departments" in row.changes
        else set()
    )
    if changed - actor.department_ids - left:
        row.refuse(
            "visibility", _("You can only change the rights of the tab “View” for your own departments.")
        )


# --- The page ---------------------------------------------------------------------------------------------------
def matrix(scope: Scope, person: User, form: SectionForm) -> dict[str, Any]:
    """The rows of the matrix with what is inherited, and the answer "what this user sees", for what stands in the form."""
    actor = scope.actor
    try:
        rows = (
            form.columns["visibility"].clean(form.raw()["visibility"], scope)
            if form.is_bound
            else form.initial["visibility"]
        )
    except ValidationError:
        rows = form.initial["visibility"]
    forced = {department: Forced(*rest) for department, *rest in rows}
    lines = []
    for department in departments_of(scope):
        own = forced.get(department.pk, Forced())
        base = rights.inherited(person.role, rights.acts_in(person, department.pk))
        may = rights.acts_on_whole_customer(actor) or department.pk in actor.department_ids
        lines.append(
            {
                "department": department,
                "member": department.pk in person.department_ids,
                "cells": [
                    {
                        "id": f"visibility-{department.pk}-{name}",
                        "label": label,
                        "value": {True: "yes", False: "no", None: ""}[value],
                        "inherited": given,
                        "locked": not may,
                    }
                    for (name, label, _help), value, given in zip(COLUMNS, own, base, strict=True)
                ],
            }
        )
    return {"matrix": lines, "headings": COLUMNS, "answers": answers(scope, person, forced)}


class Colleague(SimpleNamespace):
    """What was read of a colleague, under the names of `User`: of hundreds, records would cost more than all the rest."""

    COLUMNS = ("pk", "number", "email", "first_name", "last_name", "hidden", "disabled")
    full_name = User.full_name
    is_active = User.is_active


def answers(scope: Scope, person: User, forced: Mapping[int, Forced] | None = None) -> list[dict[str, Any]]:
    """ "What this user sees": for each kind of sight whom it covers, in words. It is `rights.sights` that decides."""
    rows = User.objects.of(scope.customer).exclude(pk=person.pk).values(*Colleague.COLUMNS)
    known = {"customer": scope.customer, "customer_id": scope.customer.pk}
    colleagues = cast(list[User], [Colleague(**known, **row) for row in rows])
    seen = rights.sights(person, colleagues, forced)
    kinds = (
        ("presence", _("Presence"), _("sees whether they are available")),
        ("calls", _("Calls"), _("sees whom they speak with")),
        ("pick_up", _("Pickup and diverting"), _("takes and diverts their calls")),
        ("control_ivr", _("IVR control"), _("controls the digital receptionist of their department")),
        ("intercom", _("Intercom"), _("speaks to them over the intercom")),
        ("barge_in", _("Barge in, whisper, listen"), _("listens to their calls, whispers or barges in")),
    )
    said = []
    for name, label, meaning in kinds:
        whom = [colleague.full_name for colleague in colleagues if getattr(seen[colleague.pk], name)]
        if not whom:
            text = _("nobody")
        elif len(whom) == len(colleagues):
            text = _("everybody")
        else:
            text = ngettext("%(count)s person", "%(count)s people", len(whom)) % {"count": len(whom)}
        names = ", ".join(whom[:NAMES]) + ("…" if len(whom) > NAMES else "")
        said.append(
            {
                "label": label,
                "meaning": meaning,
                "text": text,
                "names": names,
                "tone": "ok" if whom else "off",
            }
        )
    return said


# --- For many -----------------------------------------------------------------------------------------------------
WANTED = {"role": None, "yes": True, "no": False}


class ViewsOfMany:
    """The matrix for several people: what is chosen in a cell becomes theirs there, all other cells stay as each has them.

    What is wanted is {"12-see_calls": "yes"}: the department, the column, and one of `WANTED`.
    """

    template = "users/editing/visualiser.html"

    def facts(
        self, scope: Scope, people: Sequence[Any], wanted: Mapping[str, Any], data: Any
    ) -> Mapping[str, Any]:
        """A menu for each cell, which says what they have in common now."""
        chosen = self.read(scope, people, data) if data is not None else wanted
        of_each = [
            {department: forced for department, *forced in values["visibility"]}
            for values in VISIBILITY.values(people, scope).values()
        ]
        choices = (("role", _("From the role")), ("yes", _("Yes")), ("no", _("No")))
        lines = []
        for department in departments_of(scope):
            cells = []
            for place, (name, label, _help) in enumerate(COLUMNS):
                now = {each.get(department.pk, [None] * 4)[place] for each in of_each}
                common = {None: choices[0][1], True: choices[1][1], False: choices[2][1]}
                key = f"{department.pk}-{name}"
                cells.append(
                    {
                        "name": f"view-{key}",
                        "label": label,
                        "wanted": chosen.get(key, ""),
                        "now": common[now.pop()] if len(now) == 1 else str(VARIOUS),
                    }
                )
            lines.append((department, cells))
        return {"form": None, "headings": COLUMNS, "lines": lines, "choices": choices}

    def read(self, scope: Scope, people: Sequence[Any], data: Any) -> Mapping[str, Any]:
        """What was chosen in the menus."""
        found = {name.removeprefix("view-"): data[name] for name in data if name.startswith("view-")}
        return self.checked(scope, found)

    def checked(self, scope: Scope, wanted: Any) -> Mapping[str, Any]:
        """Cells of departments of this customer."""
        if not isinstance(wanted, dict):
            return {}
        there = {f"{each.pk}-{name}" for each in departments_of(scope) for name, _label, _help in COLUMNS}
        return {
            key: value
            for key, value in wanted.items()
            if key in there and isinstance(value, str) and value in WANTED
        }

    def problems(self, scope: Scope, wanted: Mapping[str, Any]) -> Mapping[str, list[str]]:
        """Nothing that could be chosen is wrong."""
        return {}

    def values(
        self, scope: Scope, people: Sequence[Any], wanted: Mapping[str, Any]
    ) -> Mapping[type[models.Model], Mapping[Any, Mapping[str, Any]]]:
        """The matrix of each with these cells."""
        if not wanted:
            return {}
        found = {}
        for user, values in VISIBILITY.values(people, scope).items():
            rows = {department: list(forced) for department, *forced in values["visibility"]}
            for key, word in wanted.items():
                department, _dash, name = key.partition("-")
                rows.setdefault(int(department), [None] * 4)[Forced._fields.index(name)] = WANTED[word]
            found[user] = {"visibility": [[department, *forced] for department, forced in rows.items()]}
        return {User: found}


FOR_MANY = ViewsOfMany()


VISUALISER = Section(
    slug="visualiser",
    title=pgettext_lazy("tab", "View"),
    intro=gettext_lazy("What this user sees of colleagues' presence and calls, and may do with calls."),
    template="users/visualiser.html",
    columns=(
        VisibilityColumn(
            "visibility",
            label=gettext_lazy("What the user sees"),
            help=gettext_lazy("For each department: from the role, or always on, or always off."),
        ),
    ),
    row_rules=(leaving_a_department_forgets_its_view, nobody_grants_a_view_beyond_his_own),
    page_facts=matrix,
    adds=Contribution(for_many="users.people.sections.visualiser.FOR_MANY"),
)
