"""What the reset dialog does to phones: new web passwords and links, and which devices a new SIP password concerns."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from pbxadmin.common.columns import Scope
from pbxadmin.common.contributions import Renewed
from pbxadmin.common.crypto import random_secret
from phones.models import Phone
from phones.push import outbox, telling
from phones.selectors import model_of
from users.models import User


def _phones_of(people: Collection[User]) -> list[Phone]:
    return list(Phone.objects.filter(user__in=[user.pk for user in people]).order_by("user", "pk"))


def _said(phones: Collection[Phone]) -> dict[Any, Renewed]:
    """The devices of each person by model and MAC: what the page lists afterwards."""
    names: dict[Any, list[str]] = {}
    for phone in phones:
        names.setdefault(phone.user_id, []).append(f"{model_of(phone).display_name} {phone.mac_with_colons}")
    return {user: Renewed(devices=tuple(found)) for user, found in names.items()}


def _renew(
    people: Collection[User], columns: Collection[str], change: Callable[[Phone], None]
) -> Mapping[Any, Renewed]:
    """Change these columns of all phones of these people, and have the phones told after the commit."""
    phones = _phones_of(people)
    for phone in phones:
        change(phone)
    Phone.objects.bulk_update(phones, columns, batch_size=200)
    telling.after_commit(outbox.mark_stale(Phone.objects.filter(pk__in=[phone.pk for phone in phones])))
    return _said(phones)


def phones_concerned(people: Collection[User], scope: Scope) -> Mapping[Any, Renewed]:
    """Nothing to renew here: the phones that must take a person's new SIP password (the signal tells them)."""
    return _said(_phones_of(people))


def renew_web_passwords(people: Collection[User], scope: Scope) -> Mapping[Any, Renewed]:
    """A new password of each phone's web console; it travels with the phone's next configuration."""

    def change(phone: Phone) -> None:
        phone.web_password = random_secret(16)

    return _renew(people, ["web_password"], change)


def renew_links(people: Collection[User], scope: Scope) -> Mapping[Any, Renewed]:
    """A new secret address of each phone, the old one dead at once: the phone must be given the new one."""

    def change(phone: Phone) -> None:
        phone.new_token()
        phone.previous_token_hash = ""

    return _renew(people, ["token", "token_hash", "previous_token_hash"], change)


def make_new_for_the_stock(phones: Collection[Phone]) -> None:
    """A new secret address of phones whose user is deleted, the old one dead at once, and nothing kept of what that person's file said."""
    for phone in phones:
        phone.new_token()
        phone.previous_token_hash = phone.fetched_text = phone.fetched_digest = ""
    columns = ["token", "token_hash", "previous_token_hash", "fetched_text", "fetched_digest"]
    Phone.objects.bulk_update(phones, columns, batch_size=200)


RESETS = {"sip": phones_concerned, "phone_web_password": renew_web_passwords, "link": renew_links}
