"""Guessing passwords: counted before they are looked at, and never a way to shut a chosen person out."""

import logging
from datetime import timedelta

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from signin import credentials as signin
from signin import lockout
from signin.models import KnownAddress, SignInAttempt
from users.models import Operation
from users.tests.factories import PASSWORD, make_user

both_databases = pytest.mark.both_databases("failures that are counted and forgotten")
pytestmark = [
    pytest.mark.slow("guesses hundreds of passwords"),
]

HERE, THERE = "203.0.113.7", "198.51.100.9"


def attempt(login="101@boreale.example.com", password="wrong-password", address=HERE, **headers):
    """One try from a fresh browser; whether it opened a session."""
    browser = Client()
    browser.post(
        reverse("sign_in"), {"login": login, "password": password}, REMOTE_ADDR=address, headers=headers
    )
    return "_auth_user_id" in browser.session


def let_time_pass(**span):
    """As if everything so far had happened so long ago."""
    for one in SignInAttempt.objects.all():
        SignInAttempt.objects.filter(pk=one.pk).update(at=one.at - timedelta(**span))


@both_databases
def test_five_failures_block_this_person_at_this_address_for_fifteen_minutes(amelie):
    for _ in range(5):
        assert not attempt()
    assert not attempt(password=PASSWORD)
    let_time_pass(minutes=14)
    assert not attempt(password=PASSWORD)
    let_time_pass(minutes=2)
    assert attempt(password=PASSWORD)


def test_four_failures_block_nobody_and_success_forgets_them(amelie):
    for _ in range(4):
        attempt()
    assert attempt(password=PASSWORD)
    assert not SignInAttempt.objects.exists()


def test_the_block_holds_at_one_address_and_the_person_signs_in_at_another(amelie):
    for _ in range(8):
        attempt(address=HERE)
    assert attempt(password=PASSWORD, address=THERE)


def test_knocking_while_blocked_does_not_prolong_the_block(amelie):
    for _ in range(5):
        attempt()
    let_time_pass(minutes=10)
    for _ in range(5):
        attempt()
    let_time_pass(minutes=6)
    assert attempt(password=PASSWORD)


@pytest.mark.parametrize(
    "variant",
    [
        "101@boreale.example.com ",
        " 101@BOREALE.example.com",
        "101@boreale.example.com",
        "Amelie@Boreale.example.com",
    ],
    ids=["blank", "capitals", "full-width", "e-mail"],
)
def test_spelling_the_login_otherwise_gives_no_new_tries(boreale, variant):
    make_user(boreale, "101", email="amelie@boreale.example.com", password=PASSWORD)
    for _ in range(5):
        attempt(variant)
    assert not attempt(password=PASSWORD)


def test_one_password_tried_on_many_people_is_stopped_at_thirty(boreale, amelie):
    for number in range(30):
        attempt(f"{200 + number}@boreale.example.com")
    assert not attempt(password=PASSWORD)
    assert attempt(password=PASSWORD, address=THERE)


def test_having_one_password_gives_no_new_tries_at_others(boreale, amelie, felix):
    for _ in range(29):
        attempt("999@boreale.example.com")
        SignInAttempt.objects.filter(address=HERE).exclude(login="").update(
            login="other"
        )  # not the pair's own limit
    assert attempt("102@boreale.example.com", PASSWORD)
    assert SignInAttempt.objects.filter(address=HERE).count() == 29


def test_a_botnet_is_stopped_at_fifty_guesses_an_hour(amelie):
    for number in range(50):
        attempt(address=f"192.0.2.{number}")
    assert not attempt(password=PASSWORD, address="192.0.2.200")


def test_a_botnet_cannot_shut_a_person_out_where_he_signs_in_usually(amelie):
    assert attempt(password=PASSWORD, address=HERE)
    for number in range(60):
        attempt(address=f"192.0.2.{number}")
    assert attempt(password=PASSWORD, address=HERE)
    assert not attempt(password=PASSWORD, address=THERE)


@both_databases
def test_an_address_is_known_for_thirty_days(amelie):
    assert attempt(password=PASSWORD, address=HERE)
    KnownAddress.objects.update(last_at=timezone.now() - timedelta(days=31))
    for number in range(50):
        attempt(address=f"192.0.2.{number}")
    assert not attempt(password=PASSWORD, address=HERE)


def test_a_password_without_the_second_factor_makes_no_address_known(staff):
    Client().post(reverse("sign_in"), {"login": staff.email, "password": PASSWORD}, REMOTE_ADDR=HERE)
    assert not KnownAddress.objects.exists()


def test_an_ipv6_subscriber_is_one_place_however_many_addresses_he_has(amelie):
    for number in range(5):
        attempt(address=f"2001:db8:1:2::{number + 1:x}")
    assert not attempt(password=PASSWORD, address="2001:db8:1:2:ffff::1")
    assert attempt(password=PASSWORD, address="2001:db8:1:3::1")
    assert lockout.origin_of("::ffff:203.0.113.7") == HERE


def test_forged_headers_change_no_count(amelie):
    for number in range(5):
        attempt(
            **{
                "X-Forwarded-For": f"192.0.2.{number}",
                "X-Real-IP": f"192.0.2.{number}",
                "User-Agent": f"agent {number}",
            }
        )
    assert not attempt(password=PASSWORD, **{"X-Forwarded-For": THERE})


def test_behind_our_own_proxy_only_its_entry_counts(amelie, settings):
    settings.TRUSTED_PROXY_COUNT = 1
    for number in range(5):
        attempt(address="127.0.0.1", **{"X-Forwarded-For": f"192.0.2.{number}, {HERE}"})
    assert not attempt(password=PASSWORD, address="127.0.0.1", **{"X-Forwarded-For": f"192.0.2.77, {HERE}"})
    assert attempt(password=PASSWORD, address="127.0.0.1", **{"X-Forwarded-For": THERE})


@both_databases
def test_a_try_is_counted_before_its_password_is_looked_at(amelie, monkeypatch):
    seen = []
    verify = Argon2PasswordHasher.verify

    def looks_first(self, password, encoded):
        seen.append(SignInAttempt.objects.count())
        return verify(self, password, encoded)

    monkeypatch.setattr(Argon2PasswordHasher, "verify", looks_first)
    attempt()
    assert seen == [1]


@both_databases
def test_a_hundred_parallel_guesses_are_not_checked_before_the_first_is_counted(amelie, rf):
    """Every one of them is a row already when the first asks whether it may go on."""
    key = signin.account_key(amelie)
    SignInAttempt.objects.bulk_create(SignInAttempt(login=key, address=HERE) for _ in range(99))
    assert not lockout.register(key, HERE, lockout.SIGN_IN, known=False).allowed


def test_asking_costs_at_most_three_queries(amelie, django_assert_max_num_queries):
    key = signin.account_key(amelie)
    for _ in range(7):
        with django_assert_max_num_queries(3):
            lockout.register(key, HERE, lockout.SIGN_IN, known=False)


@both_databases
def test_the_table_stays_small(amelie):
    for _ in range(200):
        lockout.register("one account", HERE, lockout.SIGN_IN, known=False)
    assert SignInAttempt.objects.count() <= 5
    SignInAttempt.objects.bulk_create(SignInAttempt(login=str(n), address=THERE) for n in range(500))
    let_time_pass(hours=2)
    for number in range(lockout.SWEEP_EVERY):
        lockout.register(str(number), "192.0.2.1", lockout.SIGN_IN, known=False)
    assert SignInAttempt.objects.filter(address=THERE).count() == 0


def test_a_block_is_in_the_history_once_and_a_line_per_failure_in_the_log(amelie, caplog):
    caplog.set_level(logging.WARNING, "signin.credentials")
    for _ in range(9):
        attempt(password="Secret typed by mistake")
    operation = Operation.objects.get(reason="sign_in.locked")
    assert operation.customer == amelie.customer
    assert operation.address == HERE
    assert operation.actor_pk is None
    assert operation.changes.get().object_pk == amelie.pk
    assert caplog.text.count(f"sign-in failed from {HERE}") == 9
    assert "Secret typed" not in caplog.text
    assert "101@" not in caplog.text


def test_passwords_typed_into_the_login_box_are_not_kept_readable(db):
    attempt("MySecretPassword")
    assert SignInAttempt.objects.get().login == signin.account_key(None, "MySecretPassword")
    assert len(SignInAttempt.objects.get().login) == 64


def test_own_password_asked_again_is_counted_too(client, amelie):
    client.force_login(amelie)
    for _ in range(5):
        client.post(reverse("second_factor_prove"), {"password": "wrong"})
    answer = client.post(reverse("second_factor_prove"), {"password": PASSWORD})
    assert answer.status_code == 422
