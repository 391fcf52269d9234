"""How phones and keys go with people: from a leaver to whoever takes their place, and from the stock to somebody new."""

from collections.abc import Mapping
from typing import Any

from django.db.models import Model
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from pbxadmin.common.columns import Scope, Text
from pbxadmin.common.contributions import Heir, Legacy, Offer
from phones import selectors
from phones.keys.columns import KEYS, KEYS_COLUMN
from phones.models import Key, Phone
from users import rights
from users.models import User


def phones_of_the_leaver(
    leaver: User, heir: Heir, scope: Scope
) -> Mapping[type[Model], Mapping[Any, Mapping[str, Any]]]:
    """Every phone changes hands as it is, with its settings and its address."""
    phones = Phone.objects.visible_to(scope.actor).of(scope.customer).filter(user=leaver).order_by("pk")
    return {Phone: {key: {"user": heir.key} for key in phones.values_list("pk", flat=True)}}


def keys_for_the_heir(column: str, value: Any, theirs: Any, leaver: User, heir: Heir) -> tuple[Any, Text]:
    """The leaver's keys; one about whoever has them now would watch itself and is left blank."""
    kept = tuple(key for key in value if key.target != heir.key)
    if not (blank := len(value) - len(kept)):
        return kept, ""
    return kept, ngettext(
        "%(count)s key that was about %(number)s is left blank.",
        "%(count)s keys that were about %(number)s are left blank.",
        blank,
    ) % {"count": blank, "number": heir.number}


def keys_about_the_leaver(leaver: User, heir: Heir, scope: Scope) -> dict[Any, dict[str, Any]]:
    """The keys of colleagues that are about the leaver are about the heir from then on; the heir's own would watch itself."""
    watchers = list(
        User.objects.of(scope.customer)
        .filter(keys__target=leaver)
        .exclude(pk=leaver.pk)
        .order_by("pk")
        .distinct()
        .only("pk")
    )
    return {
        user: {
            KEYS_COLUMN.name: tuple(
                key._replace(target=heir.key) if key.target == leaver.pk else key
                for key in values[KEYS_COLUMN.name]
                if user != heir.key or key.target != leaver.pk
            )
        }
        for user, values in KEYS.load(watchers).items()
    }


LEGACIES = (
    Legacy(
        "phones",
        gettext_lazy("Phones"),
        gettext_lazy(
            "They keep their settings and their provisioning link, and load their new configuration."
        ),
        beside=phones_of_the_leaver,
    ),
    Legacy("keys", gettext_lazy("Function keys"), columns=(KEYS_COLUMN.name,), fit=keys_for_the_heir),
    Legacy(
        "watchers",
        gettext_lazy("Function keys of colleagues about this user"),
        of_colleagues=keys_about_the_leaver,
    ),
)


# --- Somebody new -------------------------------------------------------------------------------------------------
# As many phones in stock are offered as one looks through; any other is given on the tab "IP phone".
MOST_OFFERED = 100


def phones_in_stock(scope: Scope) -> list[tuple[str, str]]:
    """The phones that nobody uses, for whoever may give them."""
    if rights.why_not(scope.actor, rights.Verb.CUSTOMER, None, scope.customer):
        return []
    return [
        (str(phone.pk), f"{phone.mac_with_colons} · {selectors.model_of(phone).display_name}")
        for phone in selectors.phones_in_stock(scope.actor, scope.customer)[:MOST_OFFERED]
    ]


def give_to(value: str, person: Any, scope: Scope) -> Mapping[type[Model], Mapping[Any, Mapping[str, Any]]]:
    """The phone becomes the new person's, as it is."""
    return {Phone: {int(value): {"user": person}}}


def what_a_new_user_lacks(person: User, scope: Scope) -> list[tuple[Text, str]]:
    """A phone, and keys on it."""
    found: list[tuple[Text, str]] = []
    here = [scope.customer.slug, person.number]
    if not Phone.objects.filter(user=person).exists():
        found.append((_("Add a phone."), reverse("user_tab", args=[*here, "phone"])))
    if not Key.objects.filter(user=person).exists():
        found.append((_("Set the function keys."), reverse("user_tab", args=[*here, "blf"])))
    return found


OFFERS = (
    Offer(
        "phone",
        gettext_lazy("Phone from stock"),
        gettext_lazy(
            "It keeps its settings and its provisioning link. Another phone can be added afterwards."
        ),
        choices=phones_in_stock,
        beside=give_to,
    ),
)
