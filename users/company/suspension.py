"""A customer is suspended, and comes back: by the road, with a reason; and what either means, said before it is done."""

from dataclasses import dataclass, replace

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from pbxadmin.common.columns import Text
from pbxadmin.common.http import RequestFacts
from users import road
from users.company.sheets import customer_sheet
from users.models import Customer, User


@dataclass(frozen=True)
class Meaning:
    """What suspending a customer, or lifting it, does at once, what it doesn't do, and what stays: sentences each."""

    happens: list[Text]
    not_done: list[Text]
    stays: list[Text]


def plan(actor: User, customer: Customer, suspended: bool, reason: str, seen: int) -> road.Plan:
    """What suspending (or letting back) would do; refused without a reason, and for whoever may not change the contract."""
    values = {"suspended": suspended, "suspended_reason": reason if suspended else ""}
    return road.plan(actor, customer, customer_sheet(), [road.Row(customer.pk, values, seen=seen)])


def commit(made: road.Plan, facts: RequestFacts) -> road.Commit:
    """Write it, and how it ended. The reason is that of the operation, too, so that a search of the history finds it."""
    row = made.rows[0]
    reason = row.after.get("suspended_reason") or facts.note
    return road.commit(made, replace(facts, note=str(reason)))


def meaning(customer: Customer) -> Meaning:
    """What the next step means: suspending it, or lifting the suspension. Two queries."""
    people = User.objects.of(customer).filter(disabled=False).count()
    phones = customer.phones.filter(user__disabled=False).count()  # of a room above
    return _of_lifting(people, phones) if customer.suspended else _of_suspending(people, phones)


def _of_suspending(people: int, phones: int) -> Meaning:
    happens: list[Text] = [
        ngettext(
            "%(count)s person can no longer sign in, and is signed out at once. Links that were sent to set a password stop working.",
            "%(count)s people can no longer sign in, and whoever is signed in is signed out at once. Links that were sent to set a "
            "password stop working.",
            people,
        )
        % {"count": people},
        ngettext(
            "%(count)s phone gets no configuration any more.",
            "%(count)s phones get no configuration any more.",
            phones,
        )
        % {"count": phones},
        _(
            "The phone system is told that callers hear the busy tone, and that only emergency numbers can be dialled from the company."
        ),
        _(
            "The Talk and Meet links of the company show nothing, and statuses no longer change by themselves."
        ),
        _("Work that its people have begun in the background ends."),
    ]
    not_done: list[Text] = [
        _("Calls that are going on aren't cut off."),
        _("Phones aren't emptied: they keep the configuration that they have."),
        _(
            "The company isn't told: at the sign-in its people read what everybody reads whose password is wrong."
        ),
    ]
    stays: list[Text] = [
        _("Users, numbers, phones, settings, voicemail messages and the history: nothing is deleted."),
        _("Support staff go on opening and changing everything. The suspension can be lifted at any time."),
    ]
    return Meaning(happens, not_done, stays)


def _of_lifting(people: int, phones: int) -> Meaning:
    happens: list[Text] = [
        ngettext(
            "%(count)s person can sign in again, with the password that they had.",
            "%(count)s people can sign in again, with the passwords that they had.",
            people,
        )
        % {"count": people},
        ngettext(
            "%(count)s phone loads its configuration again.",
            "%(count)s phones load their configuration again.",
            phones,
        )
        % {"count": phones},
        _(
            "The phone system is told to put calls through again; Talk and Meet links and scheduled statuses work again."
        ),
    ]
    not_done: list[Text] = [
        _("Sessions and links that ended don't come back: whoever has no password yet needs a new link."),
        _("The company isn't told."),
    ]
    return Meaning(happens, not_done, [])
