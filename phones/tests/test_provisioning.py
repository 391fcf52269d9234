"""What a phone gets at /p/<token>/, what everybody else gets there, and what is remembered of it."""

import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.core.cache import cache
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from pbxadmin.common.crypto import fingerprint
from pbxadmin.common.logs import OneLineFilter
from pbxadmin.common.values import configtext
from phones import build, selectors, services
from phones.models import Phone
from phones.serving import fetches, provisioning
from phones.tests import factories
from phones.tests.factories import MAC, again, fetch, fetched
from users import road
from users.models import Customer, User

pytestmark = pytest.mark.django_db


def settings_of(response: Any) -> dict[str, str]:
    """What a phone would read in an answer; the last of equal keys wins."""
    return dict(configtext.pairs(response.content))


# --- The phone's own files ---
def test_a_phone_gets_its_own_file_and_it_is_remembered(boreale: Customer, amelie: User) -> None:
    phone = factories.make_phone(boreale, amelie, MAC)
    assert phone.stale_since
    response = fetch(phone, REMOTE_ADDR="198.51.100.7")
    read = settings_of(response)
    assert read["account.1.display_name"] == "Amélie Tremblay"
    assert read["account.1.password"] == amelie.sip_password
    assert read["static.auto_provision.server.url"] == f"http://127.0.0.1:8000/p/{phone.token}/"
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert response.headers["Cache-Control"] == "private, no-cache"
    now = again(phone)
    assert (now.firmware, now.seen_model, now.fetched_from) == ("96.86.0.45", "yealink-t54w", "198.51.100.7")
    assert now.stale_since is None
    assert now.fetched_text == response.content.decode()
    assert selectors.state(now).kind == "up_to_date"


def test_a_fetch_costs_one_read_and_one_write_however_many_keys(
    phone: Phone, amelie: User, felix: User
) -> None:
    from phones.models import Key

    Key.objects.bulk_create(
        Key(user=amelie, position=position, kind="blf", target=felix) for position in range(2, 28)
    )
    fetch(phone)
    asked = ["EXECUTE" if connection.vendor == "postgresql" else "SELECT", "UPDATE"]
    for _ in range(2):
        with CaptureQueriesContext(connection) as queries:
            assert fetch(phone).status_code == 200
        assert [query["sql"].split()[0] for query in queries] == asked


def test_boot_and_common_files_are_given_but_acknowledge_nothing(boreale: Customer, amelie: User) -> None:
    phone = factories.make_phone(boreale, amelie, MAC)
    for name in ("y000000000000.boot", f"{MAC}.boot", "y000000000096.cfg"):
        assert fetch(phone, name).status_code == 200
    assert again(phone).stale_since
    assert again(phone).fetched_at is None


def test_a_boot_file_isnt_given_when_the_phones_own_file_cant_be(
    phone: Phone, amelie: User, caplog: Any
) -> None:
    type(amelie.primary_department).objects.update(time_zone="Asia/Tokyo")
    assert {fetch(phone, name).status_code for name in (f"{MAC}.boot", f"{MAC}.cfg")} == {404}
    assert "time_zone" in caplog.text
    assert phone.token not in caplog.text


def test_head_says_how_long_the_file_is_and_acknowledges_nothing(boreale: Customer, amelie: User) -> None:
    phone = factories.make_phone(boreale, amelie, MAC)
    response = Client().head(f"/p/{phone.token}/{MAC}.cfg")
    assert response.status_code == 200
    assert response.content == b""
    assert int(response.headers["Content-Length"]) > 1000
    assert again(phone).stale_since
    assert again(phone).fetched_at is None


@pytest.mark.parametrize("tag", ["{}", "W/{}", '"x", {}'])
def test_who_has_exactly_this_file_gets_304_and_that_is_an_acknowledgement(
    phone: Phone, amelie: User, tag: str
) -> None:
    etag = fetch(phone).headers["ETag"]
    before = again(phone).fetched_at
    # A change that doesn't reach the file: the phone is asked, and holds it already.
    Phone.objects.filter(pk=phone.pk).update(stale_since=before)
    response = fetch(phone, **{"If-None-Match": tag.format(etag)})
    assert (response.status_code, response.content) == (304, b"")
    assert again(phone).stale_since is None
    assert again(phone).fetched_at > before
    factories.rename(amelie, "Amélie-Anne")
    changed = fetch(phone, **{"If-None-Match": etag})
    assert changed.status_code == 200
    assert changed.headers["ETag"] != etag


def test_parts_of_a_file_arent_given(phone: Phone) -> None:
    response = fetch(phone, Range="bytes=0-10")
    assert response.status_code == 200
    assert len(response.content) > 1000


def test_a_change_that_is_saved_while_the_file_is_on_its_way_stays_in_the_outbox(
    phone: Phone, amelie: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = build.device_file

    def meanwhile(made: Any) -> bytes:
        content = written(made)
        factories.rename(amelie, "Anne")  # committed between our reading and our writing
        return content

    monkeypatch.setattr(build, "device_file", meanwhile)
    assert settings_of(fetch(phone))["account.1.display_name"] == "Amélie Tremblay"
    monkeypatch.undo()
    assert again(phone).stale_since is not None
    assert selectors.state(again(phone)).kind == "waiting"
    assert settings_of(fetch(phone))["account.1.display_name"] == "Anne Tremblay"
    assert again(phone).stale_since is None


def elsewhere(work: Callable[[], Any]) -> None:
    """Do something in another thread, on a connection of its own, and see it committed."""

    def on_its_own_connection() -> None:
        try:
            work()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        pool.submit(on_its_own_connection).result()


@pytest.mark.django_db(transaction=True)
def test_what_another_connection_commits_is_in_the_very_next_file(
    phone: Phone, amelie: User, felix: User
) -> None:
    from phones.models import Key

    Key.objects.create(user=amelie, position=2, kind="blf", target=felix)
    for _ in range(10):  # until PostgreSQL has settled for one plan
        etag = fetch(phone).headers["ETag"]
    for change, setting, value in (
        (lambda: factories.rename(amelie, "Anne"), "account.1.display_name", "Anne Tremblay"),
        (lambda: factories.rename(felix, "Lucie"), "linekey.2.label", "Lucie Gagnon"),
        # Also what nobody told the outbox.
        (lambda: Customer.objects.update(fqdn="autre.example.net"), "account.1.sip_server.1.address", "autre.example.net"),
        (lambda: Key.objects.all().delete(), "linekey.2.type", "0"),
    ):  # fmt: skip
        elsewhere(change)
        answer = fetch(phone, **{"If-None-Match": etag})
        assert (answer.status_code, settings_of(answer)[setting]) == (200, value)
        etag = answer.headers["ETag"]
        assert fetch(phone, **{"If-None-Match": etag}).status_code == 304
    elsewhere(
        lambda: services.token_rotate(factories.provider(), again(phone), factories.FACTS, at_once=True)
    )
    assert fetch(phone, **{"If-None-Match": etag}).status_code == 404
    renewed = again(phone)
    assert fetch(renewed).status_code == 200
    elsewhere(lambda: Customer.objects.update(suspended=True))
    assert fetch(renewed, **{"If-None-Match": fetch(renewed).headers.get("ETag", etag)}).status_code == 404


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_a_connection_that_the_server_closed_costs_no_phone_its_file(phone: Phone) -> None:
    fetch(phone)
    lost = connection.connection.info.backend_pid

    def end_it() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [lost])

    elsewhere(end_it)
    assert fetch(phone).status_code == 200
    assert connection.connection.info.backend_pid != lost
    with connection.cursor() as cursor:
        cursor.execute("DEALLOCATE ALL")  # as a pooler does, or a server that forgot
    assert fetch(phone).status_code == 200


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_the_time_of_a_fetch_without_news_is_written_within_a_second_and_news_at_once(
    phone: Phone, amelie: User, django_assert_num_queries: Any
) -> None:
    before = again(phone).fetched_at
    with django_assert_num_queries(1):
        fetch(phone)
    assert again(phone).fetched_at == before
    until = time.monotonic() + 10
    while again(phone).fetched_at == before and time.monotonic() < until:
        time.sleep(0.05)
    written = again(phone).fetched_at
    assert written > before
    # A restart that somebody waits for, another address, another file: nothing of that waits.
    Phone.objects.filter(pk=phone.pk).update(notified_at=timezone.now(), notified_command="restart")
    fetch(phone)
    assert again(phone).fetched_at > again(phone).notified_at
    written = again(phone).fetched_at
    assert fetch(phone, REMOTE_ADDR="198.51.100.7").status_code == 200
    assert (again(phone).fetched_from, again(phone).fetched_at > written) == ("198.51.100.7", True)
    factories.rename(amelie, "Anne")
    fetch(phone, REMOTE_ADDR="198.51.100.7")
    now = again(phone)
    assert (now.stale_since, "Anne" in now.fetched_text) == (None, True)
    # What was gathered for a phone never turns back its time, nor brings back one that is gone.
    fetches.gathered.note(phone.pk, before)
    fetches.gathered.note(phone.pk + 1000, before)
    fetches.gathered.write()
    assert again(phone).fetched_at == now.fetched_at


def test_what_is_read_for_a_fetch_is_what_the_records_say(
    phone: Phone, boreale: Customer, amelie: User, felix: User
) -> None:
    from phones.models import Key, Sbc

    sbc = Sbc.objects.create(customer=boreale, name="Bureau", address="2001:db8::5", port=5080)
    Phone.objects.filter(pk=phone.pk).update(
        connection="sbc",
        sbc=sbc,
        lldp=False,
        vlan_wan_enabled=True,
        vlan_wan_id=12,
        sidecars=1,
        language="en",
    )
    for position, kind, target, value in (
        (27, "line", None, ""),
        (3, "blf", felix, ""),
        (2, "status", None, "lunch"),
    ):
        Key.objects.create(user=amelie, position=position, kind=kind, target=target, value=value)
    read = selectors.phone_by_token(phone.token)
    assert read is not None
    (record,) = build.loaded(Phone.objects.filter(pk=phone.pk))
    made = build.context_for(read)
    assert made == build.contexts_for([record])[phone.pk] == build.context_for(record)
    assert [key.position for key in made.keys] == [2, 3, 27]
    for name in (
        "fetched_at",
        "notified_at",
        "stale_since",
        "command_at",
        "fetched_from",
        "revision",
        "token_hash",
    ):
        assert getattr(read, name) == getattr(record, name), name


def test_one_fetch_never_waits_for_the_text_that_it_stored_before(phone: Phone) -> None:
    with CaptureQueriesContext(connection) as queries:
        fetch(phone)
    assert not any("fetched_text" in query["sql"] for query in queries)


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
    monkeypatch.setattr(provisioning, "FAILURES", 10_000)
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
        "provisioning blocked address=203.0.113.9 failures=61 seconds=600"
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
    assert provisioning.throttle.is_blocked("203.0.113.9")


@pytest.mark.parametrize("header", ["X-Forwarded-For", "X-Real-IP", "Forwarded", "True-Client-IP"])
def test_a_forged_header_opens_no_other_account(phone: Phone, header: str) -> None:
    stranger = Client(REMOTE_ADDR="203.0.113.9")
    for number in range(70):
        stranger.get(f"/p/{number}/{MAC}.cfg", headers={header: f"198.51.100.{number}"})
    assert provisioning.throttle.is_blocked("203.0.113.9")
    assert not provisioning.throttle.is_blocked("198.51.100.3")
    assert fetch(phone, client=stranger, **{header: "127.0.0.1"}).status_code == 404


def test_a_subscribers_ipv6_network_counts_as_one_address(phone: Phone) -> None:
    for number in range(70):
        Client(REMOTE_ADDR=f"2001:db8:1:2::{number:x}").get(f"/p/{number}/{MAC}.cfg")
    assert provisioning.throttle.is_blocked("2001:db8:1:2:ffff::1")
    assert not provisioning.throttle.is_blocked("2001:db8:1:3::1")


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
    assert "without throttle" in caplog.text


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
    assert (response.status_code, response.headers["Retry-After"]) == (503, "60")


# --- What a phone says of itself ---
@pytest.mark.parametrize(
    "agent",
    [
        "",
        "Mozilla/5.0",
        "Yealink SIP-T54W 96.86.0.45 x\r\nX: y",
        "Yealink " + "9" * 10_000,
        "\x00\x1b[31m",
        "é",
    ],
)
def test_a_user_agent_that_isnt_a_phones_changes_nothing(phone: Phone, agent: str) -> None:
    assert fetch(phone, **{"User-Agent": agent}).status_code == 200
    assert (again(phone).firmware, again(phone).seen_model) == ("96.86.0.45", "yealink-t54w")


def test_a_phone_that_says_it_is_another_one_is_told_in_the_log_and_served(phone: Phone, caplog: Any) -> None:
    other = "Yealink SIP-T46U 108.86.0.90 80:5e:c0:00:00:01"
    for _ in range(2):
        assert fetch(phone, **{"User-Agent": other}).status_code == 200
    assert again(phone).seen_model == "yealink-t46u"
    assert len([record for record in caplog.records if "mismatch" in record.getMessage()]) == 1


# --- What people type ---
HOSTILE_NAMES = [
    '"><script>alert(1)</script>',
    "<!ENTITY x SYSTEM 'file:///etc/passwd'>",
    "]]>",
    "$PSN",
    "%NULL%x",
    "a = b # c",
    "{{ settings.SECRET_KEY }}",
    "{% load x %}",
    "${7*7}",
    "%(x)s",
    "{0.__class__}",
    "account.2.enable = 1",
    "é" * 50,
    "a;b\\n",
    "include:config <http://evil>",
]


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_whatever_a_name_holds_it_stays_the_value_of_one_setting(
    phone: Phone, amelie: User, name: str
) -> None:
    before = list(configtext.pairs(fetch(phone).content))
    factories.change(amelie, first_name=name, last_name="")
    after = list(configtext.pairs(fetch(phone).content))
    assert [key for key, _ in after] == [key for key, _ in before]
    assert dict(after)["account.1.display_name"] == name
    assert {key for (key, old), (_, new) in zip(before, after, strict=True) if old != new} == {
        "account.1.display_name",
        "account.1.label",
    }


@pytest.mark.parametrize(
    "name",
    ["a\naccount.2.enable = 1", "a\r", "a\x00", "a\u2028b", "\u202egnp", "a\x85b", "\ud800", "x" * 300],
)
def test_a_name_that_could_become_a_line_is_refused(phone: Phone, amelie: User, name: str) -> None:
    from users.people.sections import user_sheet

    plan = road.plan(
        factories.provider(), amelie.customer, user_sheet(), [road.Row(amelie.pk, {"first_name": name})]
    )
    assert plan.refused[0].errors["first_name"]
    assert settings_of(fetch(phone))["account.1.display_name"] == "Amélie Tremblay"


def test_a_name_of_nothing_that_a_phone_can_show_falls_to_the_extension(phone: Phone, amelie: User) -> None:
    factories.change(amelie, first_name="🎉", last_name="%NULL%")
    assert fetch(phone).status_code == 200


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
