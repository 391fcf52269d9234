"""Template tags of the portal's components: icons, faces, rows of a form, page links, bars of a day."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache, cached_property
from typing import Any
from urllib.parse import urlencode

from django import forms, template
from django.core.paginator import Page
from django.forms.boundfield import BoundField
from django.http import QueryDict
from django.template.context import Context
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.timezone import localtime
from django.utils.translation import gettext, pgettext

from pbxadmin.common.clock import date_said
from pbxadmin.common.counts import grouped
from pbxadmin.common.for_many import CHANGE
from pbxadmin.common.places import city_said
from pbxadmin.common.rendering import icon, initials, of_day, part, tint, until

register = template.Library()

register.filter(grouped)
register.filter("place_of", city_said)
register.filter(of_day)
register.filter(until)
register.filter(initials)
register.filter(tint)
register.simple_tag(icon)
register.simple_tag(part)


@register.filter
def address_parts(email: object) -> SafeString:
    """An email address that may go on in another line after its "@", and nowhere else while there is room for both parts."""
    name, at, host = str(email).partition("@")
    return format_html("{}{}<wbr>{}", name, at, host) if at else format_html("{}", name)


# "514 555-0123", and "+33 1 23 45 67 89", as people write them.
_NUMBER = re.compile(r"(?<![\w+])(?:\+[0-9]{1,3}(?: [0-9]{1,5}){1,5}|[0-9]{3} [0-9]{3}-[0-9]{4})(?![\w-])")


@register.filter
def whole_numbers(text: str) -> SafeString:
    """A text whose phone numbers don't go on in another line."""
    return mark_safe(_NUMBER.sub(r'<span class="text-nowrap">\g<0></span>', conditional_escape(text)))  # noqa: S308 - escaped  # nosec B308 B703


@register.filter
def moment(when: datetime | None) -> str:
    """A point in time for the reader, to the minute: "22 novembre 2026, 16 h 57"; nothing for None."""
    if when is None:
        return ""
    return date_said(localtime(when), pgettext("date and time format", "M j, Y, P"))


@register.simple_tag(takes_context=True)
def menu_of_status(context: Context, template: str, status: Mapping[str, str]) -> SafeString:
    """The status of the context's `person` as a menu, sent to its `status_url`; `template` is what `Contribution.status_menu` names."""
    return part(
        template,
        person=context["person"],
        status=status,
        status_url=context["status_url"],
        csrf=context["csrf_token"],
        here=context["request"].get_full_path(),
    )


@register.simple_tag
@cache
def list_swap(turn: bool = False) -> SafeString:
    """How htmx follows the links of a list: rows, chips and count are put in, and a newer question drops an older one's answer.

    `turn`: the reader begins at the top of the rows again.
    """
    swap = "outerHTML show:#results:top" if turn else "outerHTML"
    return format_html(
        'hx-boost="true" hx-target="#results" hx-select="#results" hx-select-oob="#list-count,#list-chips,#list-clear,#list-export" '
        'hx-swap="{}" hx-sync="#content:replace"',
        swap,
    )


@register.simple_tag(takes_context=True)
def reader_is_staff(context: Context) -> bool:
    """Whether the page is read by support staff: for words alone, also where a fragment is included with nothing but its own facts."""
    return bool(getattr(getattr(getattr(context, "request", None), "user", None), "is_staff", False))


@register.simple_tag(takes_context=True)
def with_way_back(context: Context, url: str) -> str:
    """An address with the page that is shown, to which what is done there comes back."""
    request = getattr(context, "request", None)
    return f"{url}?{urlencode({'next': request.get_full_path()})}" if request is not None else url


@register.simple_tag(takes_context=True)
def page_url(context: Context, number: int, query: QueryDict | str | None = None) -> str:
    """The query string of page `number`, keeping the search and filters of `query` (else of the request)."""
    if not query and "request" in context:
        query = context["request"].GET
    parameters = query.copy() if isinstance(query, QueryDict) else QueryDict(query or "", mutable=True)
    parameters["page"] = str(number)
    return f"?{parameters.urlencode()}"


@register.simple_tag
def page_numbers(page: Page[Any]) -> list[int | str]:
    """The page numbers worth a link around `page`, with an ellipsis where some are left out."""
    return list(page.paginator.get_elided_page_range(page.number, on_each_side=1, on_ends=1))


@dataclass(frozen=True)
class Choice:
    """One radio button or box of a group."""

    id: str
    tag: SafeString
    label: str


@dataclass(frozen=True)
class FieldRow:
    """One row of a form as the reader meets it: the question, the place to answer, what is said about it."""

    bound: BoundField
    id: str
    kind: str  # "text", "select", "switch", "check", "radio", "checks", "group", "hidden"
    label: str
    unit: str
    help: str
    more: str
    warning: str
    locked: str
    theirs: str | None  # what somebody else saved here in the meantime; None when nobody did
    theirs_by: str
    layout: str
    errors: Sequence[str]
    # In a form for many: the name of the box "change this" ("" for none), whether it is ticked, and whether the records differ.
    change: str = ""
    ticked: bool = False
    various: bool = False

    @property
    def label_for(self) -> str:
        """The id of what the label belongs to."""
        return str(self.bound.id_for_label)

    @cached_property
    def is_group(self) -> bool:
        """Whether several widgets answer together: a fieldset with a legend."""
        return self.kind in ("radio", "checks", "group")

    @property
    def required(self) -> bool:
        """Whether an answer is missing and must be given."""
        if not self.bound.field.required or self.kind not in ("text", "checks"):
            return False
        # What has a value already, or always has one (a menu), needn't be told to be filled in.
        # Nought is a value too: a priority of 0 isn't missing.
        value = self.bound.value()
        return not value and value != 0

    @cached_property
    def described_by(self) -> str:
        """The ids of what a screen reader reads after the label: the error first, then warning and help."""
        texts = {
            "error": self.errors,
            "theirs": self.theirs is not None,
            "locked": self.locked,
            "warning": self.warning,
            "helptext": self.help,
            "unit": self.unit,
        }
        return " ".join(f"{self.id}_{name}" for name, present in texts.items() if present)

    @property
    def takes_theirs(self) -> bool:
        """Whether a button can put the other's value into the widget: only where the value is plain text."""
        return self.kind == "text" and isinstance(self.theirs, str)

    @property
    def widget(self) -> SafeString:
        attrs: dict[str, str | bool] = {"class": f"{self._own_class} {_CLASSES.get(self.kind, '')}".strip()}
        if not attrs["class"]:
            del attrs["class"]
        if self.described_by and not self.is_group:
            attrs["aria-describedby"] = self.described_by
        if self.kind == "switch":
            attrs["role"] = "switch"
        if self.locked:
            attrs["disabled"] = "disabled"
        return self.bound.as_widget(attrs=attrs)

    @property
    def choices(self) -> Iterator[Choice]:
        for box in self.bound:
            attrs = box.data["attrs"]
            attrs["class"] = f"{attrs.get('class', '')} form-check-input".strip()
            if self.kind == "radio":
                # aria-invalid belongs to the group: the role radio doesn't know it.
                attrs.pop("aria-invalid", None)
            if self.locked:
                attrs["disabled"] = "disabled"
            yield Choice(box.id_for_label, box.tag(), str(box.choice_label))

    @property
    def _own_class(self) -> str:
        return str(self.bound.field.widget.attrs.get("class", ""))


_CLASSES = {
    "text": "form-control",
    "select": "form-select",
    "switch": "form-check-input",
    "check": "form-check-input",
}


def _kind_of(bound: BoundField, layout: str) -> str:
    widget = bound.field.widget
    if bound.is_hidden:
        return "hidden"
    # Both groups derive from Select or CheckboxInput's relatives: the narrow kinds are asked first.
    if isinstance(widget, forms.CheckboxSelectMultiple):
        return "checks"
    if isinstance(widget, forms.RadioSelect):
        return "radio"
    if isinstance(widget, forms.CheckboxInput):
        return "check" if layout == "check" else "switch"
    if isinstance(widget, forms.Select):
        return "select"
    if widget.use_fieldset or isinstance(widget, forms.MultiWidget):
        return "group"
    return "text"


@register.simple_tag
def field_row(field: BoundField, **said: Any) -> FieldRow:
    """Everything that a row of a form shows of `field`.

    What the caller doesn't say (`label`, `unit`, `help`, `more`, `warning`, `locked`) is looked up on the form field (`unit`,
    `more_help`, `warning`, `locked`) and, for what somebody else saved meanwhile, on the form: `theirs` (field name → value) and
    `theirs_by` (field name → who). `layout`: "check" is a box before its label instead of a switch; "columns" has the boxes of a list side by side.
    """

    def word(name: str, attribute: str = "") -> str:
        return str(said.get(name) or getattr(field.field, attribute or name, "") or "")

    layout = word("layout")
    label = str(said.get("label") or field.label or "")
    # Below a heading that says the rest a label is short; its error says which one it is.
    which = "" if label == str(field.label or label) else f"{field.label}{pgettext('before a value', ':')} "
    theirs = said.get("theirs")
    if theirs in (None, ""):
        saved_by_others = getattr(field.form, "theirs", None)
        theirs = saved_by_others.get(field.name) if isinstance(saved_by_others, Mapping) else None
    return FieldRow(
        bound=field,
        id=str(field.auto_id),
        kind=_kind_of(field, layout),
        label=label,
        unit=word("unit"),
        help=str(said.get("help") or field.help_text or ""),
        more=word("more", "more_help"),
        warning=word("warning"),
        locked=word("locked"),
        theirs=None if theirs is None else str(theirs),
        theirs_by=str(
            said.get("theirs_by")
            or getattr(field.form, "theirs_by", {}).get(field.name)
            or gettext("Somebody else")
        )
        if theirs is not None
        else "",
        layout=layout,
        errors=[f"{which}{error}" for error in field.errors],
        change=field.form.add_prefix(CHANGE)
        if getattr(field.form, "many", False) and not word("locked")
        else "",
        ticked=getattr(field.field, "is_ticked", False),
        various=getattr(field.field, "is_various", False),
    )


@register.simple_tag
def field(field: BoundField, **said: Any) -> SafeString:
    """One row of a form: question, answer, and what is said about it; `said` as in `field_row`."""
    return part("partials/field.html.j2", row=field_row(field, **said))


@register.simple_tag
def fields_refused(form: forms.BaseForm) -> list[BoundField]:
    """The visible fields of `form` that were refused, in the order of the page."""
    return [bound for bound in form.visible_fields() if bound.errors]
