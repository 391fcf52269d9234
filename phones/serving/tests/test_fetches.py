"""What a phone fetches: its files, what is remembered of it, and what people typed as it arrives there."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from pbxadmin.common.values import configtext
from phones import build, selectors, services
from phones.models import VERSION, Phone
from phones.serving import fetches
from phones.tests import factories
from phones.tests.factories import MAC, again, fetch, settings_of
from phones.vendors import identify
from users import road
from users.models import Customer, User

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.both_databases("the statement of a fetch, and the one that writes times"),
    pytest.mark.slow("asks for files hundreds of times"),
]


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
    fetches.gathered.note((phone.pk, before))
    fetches.gathered.note((phone.pk + 1000, before))
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


@pytest.mark.parametrize("rest", ["", " 80:5e:c0:12:34:56", "é", "’", "-beta%", "<b>"])
def test_whatever_a_phone_says_its_firmware_is_a_version(rest: str) -> None:
    said = identify(f"Yealink SIP-T54W 96.86.0.45{rest}")
    assert said is None or VERSION(said.firmware) is None
