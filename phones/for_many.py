"""The tab "Téléphone IP" for several people: the options of their phones of one model."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import models

from pbxadmin.common.columns import Column, Scope
from pbxadmin.common.for_many import CHANGE, shared
from pbxadmin.common.forms import SectionForm, moved
from phones import selectors
from phones.models import Phone
from phones.settings.form import narrow
from phones.settings.sections import LOGO, MAC, MODEL, PHONE_SETTINGS, USER, offers
from phones.vendors import Model, UnknownModelError, find_model
from users.people.editing.tabs import listed, plain, wrong

PREFIX = "phone"
# Which phone it is, whose, of which model, and its picture: of one phone each.
OF_ONE = (MAC, USER, MODEL, LOGO)
COLUMNS: Mapping[str, Column] = {
    column.name: column for column in PHONE_SETTINGS.columns if column not in OF_ONE and column.bulk
}


class PhonesForMany:
    """What is wanted is {"model": slug, "values": {column: what was typed}}."""

    template = "phones/for_many.html"

    def facts(
        self, scope: Scope, people: Sequence[Any], wanted: Mapping[str, Any], data: Any
    ) -> Mapping[str, Any]:
        """The models that the people have, and the form of one of them."""
        phones = _phones(scope, people)
        counts = Counter(phone.model for phone in phones)
        found = [(find_model(slug), count) for slug, count in counts.most_common() if _is_known(slug)]
        slug = _model_asked(data) or wanted.get("model", "")
        model = next((each for each, _count in found if each.slug == slug), found[0][0] if found else None)
        facts: dict[str, Any] = {"models": found, "model": model, "form": None}
        if model is not None:
            # What was typed for one model isn't said of another.
            typed = _in_order(data) if data is not None and data.get(f"_{PREFIX}_of") == model.slug else None
            values = wanted.get("values", {}) if wanted.get("model") == model.slug else {}
            form = _form(scope, model, phones, values, typed)
            if typed is not None:
                form.show_errors(wrong(COLUMNS, listed(form.raw()), scope))
            facts["form"] = form
        return facts

    def read(self, scope: Scope, people: Sequence[Any], data: Any) -> Mapping[str, Any]:
        """What was typed for the model that the form was made for."""
        slug = data.get(f"_{PREFIX}_of", "")
        if not _is_known(slug):
            return {}
        raw = listed(_form(scope, find_model(slug), _phones(scope, people), {}, data).raw())
        return {"model": slug, "values": raw} if raw else {}

    def checked(self, scope: Scope, wanted: Any) -> Mapping[str, Any]:
        """Options of a model that has them."""
        if not isinstance(wanted, dict) or not isinstance(wanted.get("values"), dict):
            return {}
        slug = wanted.get("model")
        if not isinstance(slug, str) or not _is_known(slug):
            return {}
        values = {
            name: raw
            for name, raw in wanted["values"].items()
            if name in COLUMNS and plain(raw) and offers(find_model(slug), COLUMNS[name])
        }
        return {"model": slug, "values": values} if values else {}

    def problems(self, scope: Scope, wanted: Mapping[str, Any]) -> Mapping[str, list[str]]:
        """What can't be read."""
        return wrong(COLUMNS, wanted["values"], scope)

    def values(
        self, scope: Scope, people: Sequence[Any], wanted: Mapping[str, Any]
    ) -> Mapping[type[models.Model], Mapping[Any, Mapping[str, Any]]]:
        """The same for each phone of that model."""
        if not wanted:
            return {}
        keys = _of(scope, people).filter(model=wanted["model"]).values_list("pk", flat=True)
        return {Phone: dict.fromkeys(keys, wanted["values"])}


PHONES = PhonesForMany()


def _of(scope: Scope, people: Sequence[Any]) -> "models.QuerySet[Phone]":
    return (
        Phone.objects.visible_to(scope.actor)
        .of(scope.customer)
        .filter(user__in=[person.pk for person in people])
        .order_by("pk")
    )


def _phones(scope: Scope, people: Sequence[Any]) -> list[Phone]:
    return scope.once(
        ("phones of many", tuple(person.pk for person in people)),
        lambda: list(_of(scope, people).defer(*selectors.SECRETS)),
    )


def _is_known(slug: str) -> bool:
    try:
        find_model(slug)
    except UnknownModelError:
        return False
    return True


def _model_asked(data: Any) -> str:
    return (data.get("_phone_model") or data.get(f"_{PREFIX}_of", "")) if data is not None else ""


def _in_order(data: Any) -> Any:
    """What was sent, after a button of the list of codecs that is pressed without scripts: in another order, which is a change."""
    name = f"{PREFIX}-codecs"
    order = data.getlist(f"{name}_order")
    if (now := moved(order, data.get("move", ""))) == order:
        return data
    data = data.copy()
    chosen = set(data.getlist(name))
    data.setlist(name, [codec for codec in now if codec in chosen])
    data.setlist(f"{PREFIX}-{CHANGE}", [*data.getlist(f"{PREFIX}-{CHANGE}"), "codecs"])
    return data


def _form(
    scope: Scope, model: Model, phones: Sequence[Phone], wanted: Mapping[str, Any], data: Any
) -> SectionForm:
    def shown(column: Column) -> bool:
        return column.name in COLUMNS and offers(model, column)

    columns = [column for column in PHONE_SETTINGS.columns if shown(column)]
    values = {
        phone.pk: {column.name: column.read(phone) for column in columns}
        for phone in phones
        if phone.model == model.slug
    }
    initial = shared(values) | dict(wanted)
    form = PHONE_SETTINGS.form(scope, data, initial, only=shown, many=True, ticked=wanted, prefix=PREFIX)
    narrow(form, model, {name: form.initial.get(name) for name in form.fields})
    return form
