"""How phones and keys go with people: from a leaver to whoever takes their place, or back to the stock, and from there to somebody new."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.db.models import Model
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from pbxadmin.common.columns import Scope, Text
from pbxadmin.common.contributions import Heir, Keep, Legacy, Offer
from pbxadmin.common.crypto import MASK
from pbxadmin.common.http import RequestFacts
from phones import selectors
from phones.keys.columns import KEYS, KEYS_COLUMN
from phones.models import Key, Phone
from phones.settings import resets
from users import rights, road
from users.models import Operation, User
from users.road.removal import GOING


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


# --- Somebody who is deleted ---------------------------------------------------------------------------------------
def _said(records: Sequence[Any], sentence: Callable[[Phone], str]) -> dict[Any, list[str]]:
    found: dict[Any, list[str]] = {}
    for phone in selectors.light(Phone.objects.filter(user__in=[record.pk for record in records])):
        found.setdefault(phone.user_id, []).append(sentence(phone))
    return found


def phones_that_return(records: Sequence[Any], scope: Scope) -> dict[Any, list[str]]:
    """Which phones of these people go back to the stock."""
    return _said(
        records,
        lambda phone: (
            _(
                "The phone %(phone)s goes back to the stock with its settings, and gets a new provisioning link."
            )
            % {"phone": phone}
        ),
    )


def phones_that_go(records: Sequence[Any], scope: Scope) -> dict[Any, list[str]]:
    """The same, where the phones are deleted as well."""
    return _said(
        records,
        lambda phone: (
            _("The phone %(model)s (%(mac)s), with its settings and its provisioning link.")
            % {"model": selectors.model_of(phone).display_name, "mac": phone.mac_with_colons}
        ),
    )


def return_to_stock(
    records: Sequence[Any], scope: Scope, facts: RequestFacts, operation: Operation
) -> Sequence[Text]:
    """The phones of people who are deleted go into the stock: by the road, and whoever may delete the people may do that, too.

    Whoever still has one at home gets nothing of the person to whom it is given next: its link is a new one, and what it held of
    its user is forgotten. The password of its web console stays: with it, the phone is given its new link.
    """
    people = [record.pk for record in records]
    phones = list(Phone.objects.of(scope.customer).filter(user__in=people).order_by("pk"))
    if not phones:
        return ()
    within = Scope(scope.actor, scope.customer, {GOING: frozenset(people)})
    rows = [road.Row(phone.pk, {"user": None}, label=phone.mac_with_colons) for phone in phones]
    plan = road.plan(scope.actor, scope.customer, road.sheet_of(Phone), rows, scope=within)
    if plan.refused:
        return plan.sentences
    road.apply(plan, facts, into=operation)
    resets.make_new_for_the_stock([row.record for row in plan.rows])
    sheet = road.sheet_of(Phone)
    cell = {"column": "link", "old": MASK, "new": MASK}
    changes = [road.change_of(sheet, row.record, Operation.Kind.EDIT, [cell]) for row in plan.rows]
    road.record_operation(
        scope.actor, scope.customer, Operation.Kind.EDIT, facts, "", changes, into=operation
    )
    return ()


KEEPS = (
    Keep(
        "phones",
        gettext_lazy("Delete the phones as well"),
        phones_that_return,
        phones_that_go,
        return_to_stock,
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
