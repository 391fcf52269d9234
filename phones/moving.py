"""Who uses a phone: from the customer's stock to a person, from one person to another, and back to the stock."""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils.translation import gettext as _

from pbxadmin.common.columns import Scope
from pbxadmin.common.fields import without_accents
from phones import selectors
from phones.models import Phone
from phones.settings.columns import mac_address
from phones.settings.sections import MODEL, phone_sheet
from users import rights, road
from users.models import Customer, User


def person_meant(actor: User, customer: Customer, typed: str) -> User:
    """The person of the customer that a text means: "103 Inès Roy", an extension, or a name that only one has.

    Raises `ValidationError` in the reader's language. Whether `actor` may act on him is for the plan to say.
    """
    text = typed.replace("\0", "").strip()[:100]
    words = without_accents(text).split()
    people = User.objects.visible_to(actor).of(customer).order_by("number")
    if not words:
        raise ValidationError(_("Enter an extension or a name."), code="required")
    if by_number := people.filter(number=words[0]).first():
        return by_number
    condition = Q()
    for word in words[:6]:
        condition &= Q(search_text__contains=word)
    found = list(people.filter(condition)[:2])
    if not found:
        raise ValidationError(
            _("Nobody has the extension or the name “%(typed)s”."), params={"typed": text[:60]}
        )
    if len(found) > 1:
        raise ValidationError(
            _("Several people fit “%(typed)s”: enter the extension."), params={"typed": text[:60]}
        )
    return found[0]


def in_stock(actor: User, customer: Customer, mac: Any) -> Phone | None:
    """The phone with this MAC, however it is written, if it is in this customer's own stock."""
    try:
        digits = mac_address(str(mac or ""))
    except ValidationError:
        return None
    return selectors.phones_in_stock(actor, customer).filter(mac=digits).first()


def plan_from_stock(
    actor: User, customer: Customer, phone: Phone, person: User, values: Mapping[str, Any]
) -> road.Plan:
    """What giving a phone of the stock to `person` would do: it keeps its address and its secrets.

    `values` are those of a new phone: the model must be the one that is in stock, so that nobody plugs in another phone
    than he thinks; any setting may come with it.
    """
    kept = {name: value for name, value in values.items() if name not in ("mac", "model", "user")}
    wanted = road.Row(phone.pk, {**kept, "user": person.pk}, label=phone.mac_with_colons)
    plan = road.plan(actor, customer, phone_sheet(), [wanted])
    row = plan.rows[0]
    if rights.why_not(actor, rights.Verb.CUSTOMER, None, customer):
        row.refusal = ""
        row.refuse(
            "mac",
            _(
                "This phone is in your company's stock: an administrator of the whole company can give it to somebody."
            ),
        )
    try:
        model = MODEL.clean(values.get("model"), Scope(actor, customer))
    except ValidationError as error:
        row.errors["model"] = [str(message) for message in error.messages]
        return plan
    if model != phone.model:
        row.refuse(
            "model",
            _("This phone is in stock as a %(model)s: choose that model. It can be changed afterwards.")
            % {"model": selectors.model_of(phone).display_name},
        )
    return plan
