"""Everybody who gets no file: the same 404 after the same work, counted, and no secret in any log."""

import logging
from typing import Any

import pytest
from django.core.cache import cache
from django.db import OperationalError, connection
from django.test import Client

from pbxadmin.common.crypto import fingerprint
from pbxadmin.common.logs import OneLineFilter
from pbxadmin.common.throttle import Limit
from phones import selectors, services
from phones.models import Phone
from phones.serving import provisioning
from phones.tests import factories
from phones.tests.factories import MAC, again, fetch, fetched, settings_of
from signin import lockout
from users.models import Customer, User

pytestmark = [pytest.mark.django_db, pytest.mark.slow("asks for files hundreds of times")]


# --- Everybody else ---
BAD_NAMES = [
    "",
    "805EC0D57D72.cfg",
    "80:5e:c0:d5:7d:72.cfg",
    "80-5e-c0-d5-7d-72.cfg",
    "805ec0d57d7.cfg",
    "805ec0d57d721.cfg",
    "８05ec0d57d72.cfg",
    "٨05ec0d57d72.cfg",
    "805ec0d57d72%0a.cfg",
    "805ec0d57d72.cfg%0a",
    "805ec0d57d72.cfg%00",
    "805ec0d57d72.cfg.",
    "805ec0d57d72.cfg/",
    "/805ec0d57d72.cfg",
    "../805ec0d57d72.cfg",
    "..%2f805ec0d57d72.cfg",
    "%252e%252e/805ec0d57d72.cfg",
    "..%5c805ec0d57d72.cfg",
    "%c0%ae%c0%ae/805ec0d57d72.cfg",
    "x/805ec0d57d72.cfg",
    "/etc/passwd",
    "805ec0d57d72.cfg%20",
    "805ec0d57d72.xml",
    "805ec0d57d72-local.cfg",
    "y000000000108.cfg",
    "y0.cfg",
    "805ec0d57d73.cfg",
    "805ec0d57d73.boot",
    "{{7*7}}.cfg",
    "%24PSN.xml",
    "a" * 5000,
]


def seen(response: Any) -> tuple[Any, ...]:
    """Everything that a stranger sees of an answer."""
    return response.status_code, response.content, sorted(response.items()), response.cookies.output()


def strangers(phone: Phone, other: Phone) -> list[str]:
    """Paths that must not be served."""
    return [
        f"/p/{other.token}/{MAC}.cfg",
        f"/p/{phone.token}x/{MAC}.cfg",
        f"/p/{phone.token[:-1]}/{MAC}.cfg",
        f"/p//{MAC}.cfg",
        f"/p/{MAC}.cfg",
        f"/p/x/{MAC}.cfg",
        "/p/",
        "/p",
        f"/p/%00{phone.token}/{MAC}.cfg",
        f"/p/{phone.token}%0a/{MAC}.cfg",
        f"/p/..%2f{phone.token}/{MAC}.cfg",
        f"/p/{phone.token.swapcase()}/{MAC}.cfg",
        f"/p/{phone.token_hash}/{MAC}.cfg",
        f"/p/{phone.token}",
        *(f"/p/{phone.token}/{name}" for name in BAD_NAMES),
    ]


def test_every_failure_is_the_same_404_after_the_same_one_look_up(
    phone: Phone, laurier: Customer, django_assert_num_queries: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provisioning, "FAILURES", Limit("provisioning", tries=10_000, window=600))
    from users.tests.factories import make_user

    other = factories.make_phone(laurier, make_user(laurier, "101"))
    expected = seen(Client().get("/p/nothing/at.all"))
    assert expected[0] == 404
    for path in strangers(phone, other):
        with django_assert_num_queries(1):
            response = Client(headers={"user-agent": factories.USER_AGENT}).get(path)
        assert seen(response) == expected, path
    for method in ("POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"):
        with django_assert_num_queries(1):
            response = Client(enforce_csrf_checks=True).generic(method, f"/p/{phone.token}/{MAC}.cfg")
        assert seen(response) == expected, method
    assert fetched(phone).fetched_at


def test_a_phone_without_a_served_user_gets_the_404(phone: Phone, boreale: Customer, amelie: User) -> None:
    expected = seen(Client().get("/p/nothing/at.all"))
    stock = factories.make_phone(boreale, None)
    assert seen(fetch(stock)) == expected
    User.objects.filter(pk=amelie.pk).update(disabled=True)
    assert seen(fetch(phone)) == expected
    User.objects.filter(pk=amelie.pk).update(disabled=False)
    Customer.objects.filter(pk=boreale.pk).update(suspended=True)
    assert seen(fetch(phone)) == expected
    Customer.objects.filter(pk=boreale.pk).update(suspended=False)
    assert fetch(phone).status_code == 200


def test_a_deleted_phones_token_is_dead_at_once_also_for_a_304(
    phone: Phone, boreale: Customer, amelie: User
) -> None:
    etag = fetch(phone).headers["ETag"]
    services.phone_delete(factories.provider(), boreale, phone, factories.FACTS)
    assert fetch(phone, **{"If-None-Match": etag}).status_code == 404
    # The same MAC, added again, has another token.
    anew = factories.make_phone(boreale, amelie, MAC)
    assert anew.token != phone.token
    assert fetch(phone).status_code == 404
    assert fetch(anew).status_code == 200


def test_a_phone_that_is_given_to_somebody_else_gets_his_file(
    phone: Phone, boreale: Customer, felix: User
) -> None:
    services.phone_change(factories.provider(), boreale, phone, {"user": felix.pk}, factories.FACTS)
    assert settings_of(fetch(phone))["account.1.user_name"] == "102"


def test_a_new_token_leaves_the_old_one_until_it_is_used_itself(phone: Phone) -> None:
    services.token_rotate(factories.provider(), phone, factories.FACTS)
    new = again(phone)
    assert new.stale_since
    assert new.token != phone.token
    # The phone still asks as it knows, and learns the new address by that.
    assert settings_of(fetch(phone))["static.auto_provision.server.url"].endswith(f"/p/{new.token}/")
    assert fetch(phone).status_code == 200
    assert fetch(new, "y000000000000.boot").status_code == 200
    assert fetch(phone).status_code == 404
    assert fetch(new).status_code == 200


def test_two_new_tokens_before_a_fetch_dont_lock_the_phone_out(phone: Phone) -> None:
    services.token_rotate(factories.provider(), phone, factories.FACTS)
    between = again(phone)
    services.token_rotate(factories.provider(), between, factories.FACTS)
    assert fetch(between).status_code == 404
    assert fetch(phone).status_code == 200


def test_a_token_may_be_ended_at_once(phone: Phone) -> None:
    etag = fetch(phone).headers["ETag"]
    services.token_rotate(factories.provider(), phone, factories.FACTS, at_once=True)
    assert fetch(phone).status_code == 404
    assert fetch(phone, **{"If-None-Match": etag}).status_code == 404
    assert fetch(again(phone)).status_code == 200


# --- Enumeration ---
def test_a_thousand_addresses_in_a_row_are_blocked_told_once_and_reveal_nothing(
    phone: Phone, caplog: Any
) -> None:
    stranger = Client(REMOTE_ADDR="203.0.113.9")
    expected = seen(stranger.get("/p/nothing/at.all"))
    with caplog.at_level(logging.INFO):
        for number in range(1000):
            assert seen(stranger.get(f"/p/{MAC}/{0x805EC0D57A00 + number:012x}.cfg")) == expected
    assert [record.getMessage() for record in caplog.records] == [
        "limit provisioning reached key=203.0.113.9 seconds=600"
    ]
    # Even with the right token, from there: it has never fetched from that address.
    assert seen(fetch(phone, client=stranger)) == expected
    # The phone itself is elsewhere.
    assert fetch(phone).status_code == 200


def test_phones_that_live_at_a_blocked_address_go_on(phone: Phone) -> None:
    office = Client(REMOTE_ADDR="203.0.113.9")
    assert fetch(phone, client=office).status_code == 200
    for number in range(100):
        office.get(f"/p/{number}/{MAC}.cfg")
    assert fetch(phone, client=office).status_code == 200
    assert provisioning.is_blocked("203.0.113.9")


def test_a_new_phone_starts_where_its_person_works_whatever_strangers_try_there(
    phone: Phone, amelie: User
) -> None:
    office = Client(REMOTE_ADDR="203.0.113.9")
    for number in range(100):
        office.get(f"/p/{number}/{MAC}.cfg")
    assert fetch(phone, client=office).status_code == 404
    lockout.remember(amelie, "203.0.113.9")
    assert fetch(phone, client=office).status_code == 200


@pytest.mark.parametrize("header", ["X-Forwarded-For", "X-Real-IP", "Forwarded", "True-Client-IP"])
def test_a_forged_header_opens_no_other_account(phone: Phone, header: str) -> None:
    stranger = Client(REMOTE_ADDR="203.0.113.9")
    for number in range(70):
        stranger.get(f"/p/{number}/{MAC}.cfg", headers={header: f"198.51.100.{number}"})
    assert provisioning.is_blocked("203.0.113.9")
    assert not provisioning.is_blocked("198.51.100.3")
    assert fetch(phone, client=stranger, **{header: "127.0.0.1"}).status_code == 404


def test_a_subscribers_ipv6_network_counts_as_one_address(phone: Phone) -> None:
    for number in range(70):
        Client(REMOTE_ADDR=f"2001:db8:1:2::{number:x}").get(f"/p/{number}/{MAC}.cfg")
    assert provisioning.is_blocked("2001:db8:1:2:ffff::1")
    assert not provisioning.is_blocked("2001:db8:1:3::1")


def test_ipv4_visitors_of_a_server_that_listens_for_both_are_not_one_network(phone: Phone) -> None:
    for number in range(70):
        Client(REMOTE_ADDR="::ffff:198.51.100.7").get(f"/p/{number}/{MAC}.cfg")
    assert provisioning.is_blocked("198.51.100.7")
    fetch(phone, REMOTE_ADDR="::ffff:203.0.113.9")
    assert again(phone).fetched_from == "203.0.113.9", "where it is written to, as any other IPv4 address"


def test_a_cache_that_fails_keeps_no_phone_from_its_file(
    phone: Phone, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    asked = []

    def broken(*_: Any, **__: Any) -> Any:
        asked.append(1)
        raise ConnectionError("redis is away")

    for name in ("get", "add", "incr"):
        monkeypatch.setattr(type(cache._connections[cache._alias]), name, broken)
    assert fetch(phone).status_code == 200
    assert Client().get("/p/x/y").status_code == 404
    assert len(asked) == 1, "a cache that fails isn't asked again at once"
    assert "no limits" in caplog.text


# --- Logs ---
def test_no_log_line_holds_a_token_or_a_password(
    phone: Phone, amelie: User, caplog: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    filter_ = OneLineFilter()
    with caplog.at_level(logging.DEBUG):
        fetch(phone)
        fetch(phone, "805ec0d57d73.cfg")
        Client().post(f"/p/{phone.token}/{MAC}.cfg")
        Client(headers={"host": "evil.example"}).get(f"/p/{phone.token}/{MAC}.cfg")
        fetch(phone, **{"User-Agent": "Yealink SIP-T54W 96.86.0.45 80:5e:c0:00:00:01"})
        monkeypatch.setattr(
            selectors,
            "phone_by_token",
            lambda token: (_ for _ in ()).throw(OperationalError("the database is down")),
        )
        assert fetch(phone).status_code == 503
    assert caplog.records
    for record in caplog.records:
        if record.name.startswith("django.db"):
            continue  # only with DEBUG, which logs every statement
        filter_.filter(record)
        text = logging.Formatter("%(message)s").format(record)
        for secret in (phone.token, phone.token_hash, amelie.sip_password, phone.web_password):
            assert secret not in text


def test_a_database_that_is_down_asks_the_phone_to_come_back(
    phone: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        selectors, "phone_by_token", lambda token: (_ for _ in ()).throw(OperationalError("down"))
    )
    response = fetch(phone)
    assert response.status_code == 503
    soonest, latest = provisioning.COME_BACK
    assert soonest <= int(response.headers["Retry-After"]) <= latest


# --- How it is reached ---
def test_phones_arent_sent_to_https_nor_given_a_cookie(phone: Phone, settings: Any) -> None:
    settings.SECURE_SSL_REDIRECT = True
    settings.SECURE_REDIRECT_EXEMPT = [r"^p/", r"^healthz$"]
    response = fetch(phone, client=Client(headers={"accept-language": "en"}))
    assert response.status_code == 200
    assert not response.cookies
    assert "Cookie" not in response.headers.get("Vary", "")


def test_the_token_is_kept_encrypted_and_found_by_its_hash(phone: Phone) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT token, token_hash, web_password, fetched_text FROM phones_phone WHERE mac = %s", [MAC]
        )
        row = cursor.fetchone()
    assert row[1] == fingerprint(phone.token)
    stored = " ".join(row)
    assert phone.token not in stored
    assert phone.web_password not in stored
    assert "account.1" not in stored
