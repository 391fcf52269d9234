"""What goes from a leaver to whoever takes their place: the phones, the function keys, and the keys of colleagues about them."""

from collections.abc import Mapping
from typing import Any

from django.db.models import Model
from django.utils.translation import gettext_lazy, ngettext

from pbxadmin.common.columns import Scope, Text
from pbxadmin.common.contributions import Heir, Legacy
from phones.keys.sections import KEYS, KEYS_COLUMN
from phones.models import Phone
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
