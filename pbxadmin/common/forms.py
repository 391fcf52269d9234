"""The form of a tab, and widgets that Django doesn't have: a choice of several in an order that counts."""

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Any

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS
from django.forms.utils import ErrorDict, ErrorList

from pbxadmin.common.columns import Column, Scope, Text
from pbxadmin.common.for_many import CHANGE, VARIOUS
from pbxadmin.common.parts import DrawnPart, Part


class OrderedBoxes(forms.SelectMultiple):
    """Boxes in the order of preference: ticked ones count, from top to bottom; moved by drag, keys, or buttons."""

    template_name = "widgets/ordered_boxes.html"
    use_fieldset = True

    def get_context(self, name: str, value: Any, attrs: Mapping[str, Any] | None) -> dict[str, Any]:
        """The chosen ones first, in their order; then the others as the model lists them."""
        context = super().get_context(name, value, dict(attrs or {}))
        chosen = value.split(",") if isinstance(value, str) else [str(item) for item in value or ()]
        labels = {str(key): label for key, label in self.choices}
        context["items"] = [
            {"value": key, "label": labels[key], "chosen": True} for key in chosen if key in labels
        ] + [
            {"value": key, "label": label, "chosen": False}
            for key, label in labels.items()
            if key not in chosen
        ]
        return context


def moved(order: list[str], move: str) -> list[str]:
    """`order` with one item moved as a button without scripts asks: "G722:up" or "G722:down"."""
    value, _, direction = move.rpartition(":")
    if value not in order:
        return order
    order = list(order)
    place = order.index(value)
    other = place + (-1 if direction == "up" else 1)
    if 0 <= other < len(order):
        order[place], order[other] = order[other], order[place]
    return order


def with_stored(choices: Any, stored: Any, said: Callable[[], str]) -> Callable[[], list[Any]]:
    """The choices of a menu, and what is stored where it isn't one of them any more, as `said`.

    A browser takes the first of a menu that knows no chosen one: whoever saves another field would change this one unseen.
    """

    def offered() -> list[Any]:
        found = list(choices)
        groups = (
            [key for key, _label in each] if isinstance(each, (list, tuple)) else [name]
            for name, each in found
        )
        if str(stored) not in {str(key) for keys in groups for key in keys}:
            found.append((stored, said()))
        return found

    return offered


class SectionForm(forms.Form):
    """A tab's form: it collects what was typed and shows what the plan said; it decides nothing by itself."""

    def __init__(
        self,
        columns: Sequence[Column],
        scope: Scope,
        data: Any = None,
        initial: Any = None,
        locked: Mapping[str, Text] | None = None,
        draw: Callable[["SectionForm"], list[DrawnPart]] | None = None,
        many: bool = False,
        ticked: Collection[str] = (),
        **kwargs: Any,
    ) -> None:
        """`locked`: why columns can't be changed here, by name; they are shown, and what is sent for them is left out.

        `draw` says how its page is parted; without it all fields stand together. `many`: the form is for several records, each
        field has a box "change this" (`CHANGE`), and `initial` may say `VARIOUS`; `ticked` are those that are ticked before anything
        was sent.
        """
        known = dict(initial or {})
        self.various = frozenset(name for name, value in known.items() if value is VARIOUS)
        super().__init__(data, initial={name: known[name] for name in known.keys() - self.various}, **kwargs)
        self.many = many
        self._ticked = ticked
        self.locked = locked or {}
        self.columns = {column.name: column for column in columns}
        for column in columns:
            made = column.form_field(scope)
            # What the row of the form says besides label and help.
            for name, words in (
                ("short", column.short),
                ("more_help", column.more),
                ("warning", column.warning),
                ("unit", column.unit),
            ):
                setattr(made, name, words)
            stored = self.initial.get(column.name)
            if isinstance(made, forms.ChoiceField) and isinstance(stored, (str, int)) and stored != "":
                made.choices = with_stored(made.choices, stored, partial(column.show, stored, scope))
            if column.name in self.locked:
                made.disabled = True
                made.locked = self.locked[column.name]  # type: ignore[attr-defined]
            self.fields[column.name] = made
        for name in self.fields if many else ():
            for word, said in (("is_various", name in self.various), ("is_ticked", name in self.ticked)):
                setattr(self.fields[name], word, said)
        self._draw = draw
        # What somebody else saved while this form was open: field name → value in words.
        self.theirs: dict[str, str] = {}
        self.theirs_by: dict[str, str] = {}

    @property
    def parts(self) -> list[DrawnPart]:
        """The fields under the headings of the page, for `partials/parts.html`."""
        if self._draw:
            return self._draw(self)
        return [DrawnPart(Part(), "1", list(self))]

    @property
    def ticked(self) -> frozenset[str]:
        """The columns that a form for many is to change: those whose box is ticked."""
        name = self.add_prefix(CHANGE)
        if not self.is_bound:
            return frozenset(self._ticked) & self.fields.keys() - self.locked.keys()
        sent = self.data.getlist(name) if hasattr(self.data, "getlist") else self.data.get(name, ())
        return frozenset(sent) & self.fields.keys() - self.locked.keys()

    def raw(self, only: Collection[str] | None = None) -> dict[str, Any]:
        """What was typed, by column. Every column of the tab is there: an unticked box is an answer too.

        Of a form for many only what is to be changed; `only` names the columns otherwise.
        """
        if only is None:
            only = self.ticked if self.many else self.fields.keys()
        return {
            name: made.widget.value_from_datadict(self.data, self.files, self.add_prefix(name))
            for name, made in self.fields.items()
            if name in only and name not in self.locked
        }

    def show_errors(self, errors: Mapping[str, Sequence[Any]]) -> None:
        """Put the plan's messages beside their fields; those of fields that aren't on this tab go on top."""
        self._errors = ErrorDict()
        for name, messages in errors.items():
            known = name if name in self.fields else NON_FIELD_ERRORS
            self._errors.setdefault(known, ErrorList(renderer=self.renderer)).extend(messages)

    def full_clean(self) -> None:
        """Nothing: `users.road.plan` has cleaned, once for every way in."""
        if self._errors is None:
            self._errors = ErrorDict()
