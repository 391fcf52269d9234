"""Rules of the roles: what the highest keeps, and that no customer is left without anybody who administers it."""

from django.utils.translation import gettext as _

from users import road
from users.models import Customer, Role, User
from users.rights import OWNERS

# Without these a customer couldn't help itself any more.
KEPT_BY_OWNERS = ("whole_customer", "administer_users")


def owners_keep_what_they_need(row: road.RowPlan, plan: road.Plan) -> None:
    """The highest role goes on administering the whole customer."""
    if row.key != OWNERS:
        return
    for name in KEPT_BY_OWNERS:
        if row.after.get(name) is False:
            row.refuse(
                name,
                _(
                    "System owners keep this right: without it, a customer could no longer manage its own phone system."
                ),
            )


def owners_stay_on_top(plan: road.Plan) -> None:
    """No other role is as high as the system owners', whichever of them is moved."""
    levels = dict(Role.objects.values_list("pk", "level"))
    levels |= {row.key: row.after["level"] for row in plan.rows if "level" in row.after}
    highest = max((level for key, level in levels.items() if key != OWNERS), default=0)
    for row in plan.rows:
        if "level" not in row.after:
            continue
        other = highest if row.key == OWNERS else levels[row.key]
        if other >= levels[OWNERS]:
            row.refuse("level", _("System owners stay above every other role."))


# So many customers are named in a refusal.
NAMED = 5


def customers_keep_somebody_who_administers(plan: road.Plan) -> None:
    """No customer loses the last of its people who administer all of it: whoever may not sign in doesn't count."""
    for row in plan.rows:
        lost = [name for name in KEPT_BY_OWNERS if row.changes.get(name, (False, True)) == (True, False)]
        if not lost or not all(getattr(row.record, name) for name in KEPT_BY_OWNERS):
            continue
        active = User.objects.filter(disabled=False).exclude(customer=None)
        others = Role.objects.filter(**dict.fromkeys(KEPT_BY_OWNERS, True)).exclude(pk=row.key)
        kept = active.filter(role__in=others).values("customer")
        left = Customer.objects.filter(pk__in=active.filter(role=row.key).values("customer")).exclude(
            pk__in=kept
        )
        if names := list(left.values_list("name", flat=True)[: NAMED + 1]):
            said = ", ".join(names[:NAMED]) + (" …" if len(names) > NAMED else "")
            row.refuse(
                lost[0],
                _(
                    "Nobody else administers the whole of these customers: %(names)s. Give somebody there another role first."
                )
                % {"names": said},
            )
