"""The form of a phone's settings: what its model offers, under the guide's headings."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from pbxadmin.common.columns import Column, Scope
from pbxadmin.common.forms import SectionForm
from phones import selectors
from phones.models import Phone
from phones.settings.columns import CODECS, CodecsColumn, OfferedColumn
from phones.settings.connection import SHUT_OUT, is_shut_out
from phones.settings.sections import MAC, PHONE_SETTINGS, USER, offers
from phones.vendors import Model


def settings_form(scope: Scope, phone: Phone, data: Any = None) -> SectionForm:
    """The form of a phone's settings: only the options, and of each only the values, that its model offers."""
    model = selectors.model_of(phone)

    def shown(column: Column) -> bool:
        # Who uses the phone is changed on a page of its own; which phone it is stands above.
        return column not in (MAC, USER) and offers(model, column)

    values = {column.name: column.read(phone) for column in PHONE_SETTINGS.columns if shown(column)}
    form = PHONE_SETTINGS.form(scope, data, values, only=shown)
    narrow(form, model, values)
    for name, warning in (
        ("connection", SHUT_OUT if is_shut_out(phone.connection, phone.user) else ""),
        ("sbc", selectors.what_its_router_lacks(phone)),
    ):
        if warning:
            form.fields[name].warning = warning  # type: ignore[attr-defined]
    return form


def narrow(form: SectionForm, model: Model, values: Mapping[str, Any]) -> None:
    """Offer in each menu what the model has, and the present value."""
    for name, column in form.columns.items():
        made: Any = form.fields[name]
        if isinstance(column, OfferedColumn):
            made.choices = _with_present(column, model, values[name])
        elif isinstance(column, CodecsColumn):
            made.choices = [(codec.value, CODECS[codec]) for codec in model.offers.codecs]
        elif name == "sidecars" and model.sidecar:
            made.help_text = _("%(name)s, up to %(count)s.") % {
                "name": model.sidecar.name,
                "count": model.sidecar.up_to,
            }


def _with_present(column: OfferedColumn, model: Model, present: Any) -> list[tuple[Any, Any]]:
    """The menu; with the present value, should it not be offered any more, so that saving doesn't change it
    unseen."""
    offered = list(column.offered(model))
    return column.choices(
        offered if present in offered or (column.blank_label and not present) else [*offered, present]
    )
