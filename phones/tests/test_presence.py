"""Whether a phone is there: told apart from whether it has the latest configuration, and shown wherever that is."""

from copy import copy
from datetime import timedelta
from itertools import product
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from phones import presence, selectors
from phones.models import Phone
from phones.push import worker
from phones.push.tests.steps import closed_port, later, place
from phones.tests import factories
from phones.tests.desk import Desk
from phones.tests.factories import MAC, again, fetch, rename
from phones.vendors.yealink import NIGHT_WINDOW
from signin.tests.signing import sign_in_fully
from users.models import Customer, User

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.both_databases("the condition, and the write of many signs"),
    pytest.mark.slow("opens page after page"),
]


def shown(phone: Phone) -> presence.Presence:
    """What a page says of it, without a query and without a secret."""
    light = selectors.light(Phone.objects.filter(pk=phone.pk)).get()
    with CaptureQueriesContext(connection) as queries:
        found = presence.presence(light)
        presence.in_brief(light)
    assert not queries.captured_queries
    return found


def kind(phone: Phone) -> str:
    return shown(phone).kind


# --- What counts as a sign ----------------------------------------------------------------------------------------
def test_a_phone_that_fetches_every_night_is_never_missing_even_when_the_clocks_go_back(phone: Phone) -> None:
    later(phone, hours=25, minutes=NIGHT_WINDOW)
    assert kind(phone) == "seen"
    later(phone, minutes=31)
    assert (kind(phone), shown(phone).tone) == ("missing", "bad")
    assert selectors.state(again(phone)).kind == "up_to_date", "that is another fact"


@pytest.mark.parametrize(
    ("answer", "there"),
    [
        ("200 OK", "seen"),
        ("202 Accepted", "seen"),
        ("486 Busy Here", "seen"),
        ("489 Bad Event", "seen"),
        ("480 Temporarily Unavailable", "missing"),  # a proxy says it of a phone that it can't reach
        ("503 Service Unavailable", "missing"),
    ],
)
def test_any_answer_of_its_own_to_a_notify_is_a_sign(
    phone: Phone, amelie: User, answer: str, there: str
) -> None:
    later(phone, days=9)
    with Desk(status=answer) as desk:
        place(phone, desk)
        rename(amelie, "Anne")
        assert worker.sweep() == 1
    assert kind(phone) == there


def test_a_phone_that_was_told_and_says_nothing_is_away_at_once_until_its_next_sign(
    phone: Phone, amelie: User
) -> None:
    Phone.objects.filter(pk=phone.pk).update(sip_port=closed_port())
    later(phone, minutes=5)
    assert kind(phone) == "seen"
    rename(amelie, "Anne")
    worker.sweep()
    assert kind(phone) == "unanswered"
    assert fetch(phone).status_code == 200
    assert kind(phone) == "seen"


def test_a_phone_that_fetches_while_its_answer_is_awaited_isnt_away(phone: Phone) -> None:
    now = timezone.now()
    Phone.objects.filter(pk=phone.pk).update(
        fetched_at=now - timedelta(seconds=6), notified_at=now, outcome=Phone.Outcome.SILENT
    )
    assert kind(phone) == "seen"


def test_a_registration_is_a_sign_and_touches_nothing_else(
    phone: Phone, boreale: Customer, felix: User
) -> None:
    other = factories.make_phone(boreale, felix)
    later(phone, days=9)
    before, moment = again(phone), timezone.now()
    assert presence.heard_from({phone.mac: moment, other.mac: moment, "000000000000": moment}) == 2
    assert kind(phone) == "seen"
    assert kind(other) == "seen", "although it has never fetched"
    assert presence.heard_from({phone.mac: moment - timedelta(hours=1)}) == 0, "an older one is no news"
    now = again(phone)
    assert now.heard_at == moment
    same = ("version", "revision", "stale_since", "fetched_at", "attempts", "next_attempt_at")
    assert [getattr(now, name) for name in same] == [getattr(before, name) for name in same]
    if connection.vendor == "postgresql":
        with CaptureQueriesContext(connection) as queries:
            presence.heard_from({phone.mac: timezone.now(), other.mac: timezone.now()})
        assert len(queries) == 2


def test_nothing_is_expected_of_a_phone_that_gets_no_configuration(phone: Phone, amelie: User) -> None:
    later(phone, days=9)
    User.objects.filter(pk=amelie.pk).update(disabled=True)
    assert kind(phone) == "unasked"
    Phone.objects.filter(pk=phone.pk).update(user=None)
    assert kind(phone) == "unasked"
    Phone.objects.filter(pk=phone.pk).update(fetched_at=None, heard_at=None)
    assert kind(phone) == "never"


def test_the_list_is_narrowed_to_the_phones_that_say_of_themselves_that_they_are_away(
    phone: Phone, felix: User
) -> None:
    now, made = timezone.now(), []
    ages = (None, timedelta(seconds=5), timedelta(hours=3), timedelta(days=3))
    sample = again(phone)
    for fetched, heard, told, outcome in product(ages, ages, ages, ("", *Phone.Outcome.values)):
        one = copy(sample)
        one.pk, one.mac, one.token_hash = None, f"{len(made):012x}", f"{len(made):064x}"
        one.fetched_at, one.heard_at, one.notified_at = (age and now - age for age in (fetched, heard, told))
        one.outcome = outcome
        made.append(one)
    Phone.objects.bulk_create(made)
    said = {one.mac for one in selectors.light(Phone.objects.all()) if presence.presence(one, now).away}
    assert set(Phone.objects.filter(presence.away(now)).values_list("mac", flat=True)) == said
    assert 50 < len(said) < len(made)
    seen = Phone.objects.annotate(seen=presence.last_seen_column())
    assert [one.mac for one in seen if one.seen != presence.last_seen(one)] == []


# --- Where it is shown --------------------------------------------------------------------------------------------
def test_a_phone_that_has_the_latest_configuration_and_is_unplugged_shows_as_such_everywhere(
    phone: Phone, felix: User, staff: User, boreale: Customer
) -> None:
    later(phone, days=9)
    client = sign_in_fully(Client(), felix)
    tab = client.get(f"/c/boreale/users/101/phone?phone={MAC}").content.decode()
    assert tab.count("pas vu depuis 9\xa0j") >= 2, "in the box of its state, and on its chip"
    for address in (
        "/c/boreale/users/",
        reverse("phones_state", args=["boreale", "101"]),
        f"/c/boreale/users/101/phones/{MAC}/status",
    ):
        page = client.get(address).content.decode()
        assert "pas vu depuis 9\xa0j" in page, address
        assert "1 téléphone à jour" not in page, address
    listed = client.get("/c/boreale/phones?presence=away").content.decode()
    assert "80:5E:C0:D5:7D:72" in listed
    assert "Pas vu (1)" in listed
    home = client.get(reverse("customer_home", args=["boreale"]))
    assert [tile.count for tile in home.context["tiles"] if tile.url.endswith("presence=away")] == [1]
    desk = sign_in_fully(Client(), staff).get(reverse("admin:phones_phone_changelist"), {"presence": "away"})
    assert "pas vu depuis 9\xa0j" in desk.content.decode()


def test_the_counts_of_one_filter_follow_the_other(phone: Phone, boreale: Customer, felix: User) -> None:
    factories.make_phone(boreale, felix)
    later(phone, days=9)
    client = sign_in_fully(Client(), felix)
    page = client.get("/c/boreale/phones?presence=away").content.decode()
    assert "À jour (1)" in page
    assert "Jamais connectés (0)" in page or "Jamais connecté (0)" in page
    assert "Pas vu (0)" in client.get("/c/boreale/phones?state=never").content.decode()
    assert client.get("/c/boreale/phones?presence=nowhere").context["count"] == 0


def test_what_is_announced_of_a_phone_that_is_away_doesnt_count_the_days(phone: Phone) -> None:
    later(phone, days=9)
    said = presence.in_brief(selectors.light(Phone.objects.filter(pk=phone.pk)).get())
    assert said.kind == "away"
    assert not any(sign.isdigit() for sign in said.aloud)


def test_silence_is_told_rather_than_absence_where_a_change_waits(phone: Phone, amelie: User) -> None:
    rename(amelie, "Anne")
    later(phone, days=3)
    light: Any = selectors.light(Phone.objects.filter(pk=phone.pk)).get()
    assert presence.in_brief(light).sentence.startswith(shown(phone).sentence)
    Phone.objects.filter(pk=phone.pk).update(
        attempts=1, notified_at=timezone.now(), outcome=Phone.Outcome.SILENT
    )
    light = selectors.light(Phone.objects.filter(pk=phone.pk)).get()
    assert presence.in_brief(light).kind == "silent"
