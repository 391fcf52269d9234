"""How a phone connects against what its user's options let in: told at the phone, and where the options change."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from phones import selectors
from phones.models import Phone
from users import road
from users.models import User

SHUT_OUT = gettext_lazy(
    "This phone will not register: it connects directly, and the user's option “Block remote non-tunnelled connections” "
    "is on. Turn that off on the tab Options, or choose another connection."
)


def is_shut_out(connection: str, user: User | None) -> bool:
    """Whether a phone that connects so isn't let in by its user's options."""
    return connection == Phone.Connection.DIRECT and user is not None and user.block_remote


def direct_phones_are_let_in(plan: road.Plan) -> None:
    """Tell where a phone will not register, because it connects directly and its user lets nobody in from outside.

    Told, not refused: the option stands on another tab, and either may be changed first.
    """
    columns = ("connection", "user")
    plan.need(*columns)
    rows = [
        row
        for row in plan.rows
        if row.outcome in ("new", "changed")
        and row.changes.keys() & set(columns)
        and row.value("connection") == Phone.Connection.DIRECT
    ]
    if not rows:
        return
    blocking = set(
        User.objects.of(plan.scope.customer)
        .filter(pk__in={key for row in rows if isinstance(key := row.value("user"), int)}, block_remote=True)
        .values_list("pk", flat=True)
    )
    for row in rows:
        if row.value("user") in blocking:
            row.warn("connection", SHUT_OUT)


def phones_that_are_shut_out(plan: road.Plan) -> None:
    """Tell which phones of a person will not register any more when they let nobody in from outside: one query."""
    rows = {
        row.key: row for row in plan.rows if not row.new and row.changes.get("block_remote", (None, False))[1]
    }
    if not rows:
        return
    direct = Phone.objects.filter(user__in=rows, connection=Phone.Connection.DIRECT)
    for phone in selectors.light(direct).order_by("pk"):
        rows[phone.user_id].warn(
            "block_remote",
            _(
                "The phone %(model)s (%(mac)s) connects directly: it will no longer register. Choose another connection for it."
            )
            % {"model": selectors.model_of(phone).display_name, "mac": phone.mac_with_colons},
        )
