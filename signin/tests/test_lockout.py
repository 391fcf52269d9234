"""Guessing passwords: counted before they are looked at, and never a way to shut a chosen person out."""

import re
from datetime import timedelta
from queue import Queue
from threading import Event, Semaphore, Thread

import pytest
from django.conf import settings
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from signin import credentials as signin
from signin import hashing, lockout
from signin.models import KnownAddress, SignInAttempt
from users.models import Letter, Operation
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
    for _ in range(9):
        attempt(password="Secret typed by mistake")
    operation = Operation.objects.get(reason="sign_in.locked")
    assert operation.customer == amelie.customer
    assert operation.address == HERE
    assert operation.actor_pk is None
    assert operation.changes.get().object_pk == amelie.pk
    assert caplog.text.count(f"sign-in failed from {HERE}") == 5
    assert caplog.text.count(f"sign-in refused from {HERE}") == 4, "past the limit no password was looked at"
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
    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == "900"


# --- An office behind one address -----------------------------------------------------------------------------
def test_made_up_logins_do_not_shut_out_those_who_sign_in_at_the_address_usually(boreale, amelie, felix):
    assert attempt(password=PASSWORD)
    for number in range(40):
        attempt(f"{200 + number}@nowhere.example.com")
    assert attempt(password=PASSWORD)
    assert not attempt("102@boreale.example.com", PASSWORD)  # never seen here
    assert attempt("102@boreale.example.com", PASSWORD, address=THERE)


def test_whoever_is_known_here_still_has_five_tries_only(amelie):
    assert attempt(password=PASSWORD)
    for number in range(40):
        attempt(f"{200 + number}@nowhere.example.com")
    for _ in range(5):
        assert not attempt()
    assert not attempt(password=PASSWORD)


def test_very_many_failures_of_a_whole_office_are_stopped(boreale, amelie):
    key = signin.account_key(amelie)
    SignInAttempt.objects.bulk_create(
        SignInAttempt(login=f"colleague {n}", address=HERE) for n in range(lockout.SIGN_IN.office)
    )
    assert not lockout.register(key, HERE, lockout.SIGN_IN, known=True).allowed


def test_a_stranger_behind_the_office_reads_no_colleague_off_the_answers(amelie, felix):
    assert attempt("102@boreale.example.com", PASSWORD)
    for number in range(30):
        attempt(f"{200 + number}@nowhere.example.com")
    colleague, nobody = (answer_to(login) for login in ("102@boreale.example.com", "998@boreale.example.com"))
    assert colleague[:3] == nobody[:3]
    assert colleague[0] == 429


# --- Past a limit nothing is hashed ---------------------------------------------------------------------------
TOKEN = re.compile(r"[A-Za-z0-9]{64}")


def answer_to(login, password="wrong-password", address=HERE):
    """Status, page and headers of a try; how often the hasher ran, and which statements were asked."""
    runs = []
    with pytest.MonkeyPatch.context() as patch, CaptureQueriesContext(connection) as asked:
        for name in ("encode", "verify"):
            real = getattr(Argon2PasswordHasher, name)
            patch.setattr(Argon2PasswordHasher, name, lambda *args, r=real: (runs.append(1), r(*args))[1])
        answer = Client().post(
            reverse("sign_in"), {"login": login, "password": password}, REMOTE_ADDR=address
        )
    page = TOKEN.sub("", answer.content.decode()).replace(login, "")
    headers = {
        name: value for name, value in answer.headers.items() if name not in ("Content-Length", "Expires")
    }
    return (
        answer.status_code,
        page,
        headers,
        len(runs),
        [word for query in asked if (word := query["sql"].split(" ", 1)[0]) not in ("RELEASE", "ROLLBACK")],
    )


@both_databases
@pytest.mark.parametrize("tries", [4, 5, 6], ids=["the fifth", "the sixth", "the seventh"])
def test_a_flood_at_one_login_is_answered_the_same_whether_somebody_has_it(amelie, tries, monkeypatch):
    monkeypatch.setattr(
        lockout, "SWEEP_EVERY", 10**9
    )  # which comes by the number of a row, whoever is asked for
    for login in ("101@boreale.example.com", "998@boreale.example.com"):
        for _ in range(tries):
            attempt(login)
    somebody, nobody = (answer_to(login) for login in ("101@boreale.example.com", "998@boreale.example.com"))
    assert somebody == nobody
    assert somebody[0] == (422 if tries == 4 else 429)


def test_past_the_limit_nothing_is_hashed_and_the_answer_says_when_to_come_back(amelie):
    for number in range(30):
        attempt(f"{200 + number}@boreale.example.com")
    for login in ("101@boreale.example.com", "998@boreale.example.com"):
        status, page, headers, runs, _statements = answer_to(login, PASSWORD)
        assert (status, runs, headers["Retry-After"]) == (429, 0, "900")
        assert "15 minutes" in page


# --- As many at once as leave room for pages ------------------------------------------------------------------
def test_only_so_many_passwords_are_looked_at_at_once_and_the_others_are_told_at_once(monkeypatch):
    turns = hashing.Turns(running=2, waiting=1, patience=30)
    monkeypatch.setattr(hashing, "TURNS", turns)
    begun, end, ended = Semaphore(0), Event(), Queue()
    now = []

    def slow(password, encoded):
        now.append(1)
        begun.release()
        end.wait(30)
        return True, False

    monkeypatch.setattr(hashing.hashers, "verify_password", slow)

    def look():
        try:
            ended.put(hashing.matches("x", "y"))
        except hashing.BusyError as error:
            ended.put(error)

    threads = [Thread(target=look, daemon=True) for _ in range(20)]
    for thread in threads:
        thread.start()
    refused = [ended.get(timeout=30) for _ in range(17)]  # while nobody has finished
    assert all(isinstance(one, hashing.BusyError) and one.seconds == 1 for one in refused)
    assert begun.acquire(timeout=30)
    assert begun.acquire(timeout=30)
    assert len(now) == 2
    end.set()
    assert [ended.get(timeout=30) for _ in range(3)] == [True] * 3
    for thread in threads:
        thread.join(30)
    assert hashing.matches("x", "y")


@pytest.fixture
def busy(monkeypatch):
    """A process that looks at as many passwords as it may."""
    turns = hashing.Turns(running=1, waiting=0)
    monkeypatch.setattr(hashing, "TURNS", turns)
    with turns.taken():
        yield


def test_a_sign_in_that_finds_no_room_is_told_so_and_not_counted(amelie, busy):
    somebody, nobody = (
        answer_to(login, PASSWORD) for login in ("101@boreale.example.com", "998@boreale.example.com")
    )
    assert somebody == nobody
    assert (somebody[0], somebody[2]["Retry-After"], somebody[3]) == (503, "1", 0)
    assert not SignInAttempt.objects.exists()


@pytest.mark.parametrize(
    ("page", "typed"),
    [
        ("second_factor_prove", {"password": PASSWORD}),
        ("step_up", {"password": PASSWORD}),
        (
            "own_password",
            {
                "old_password": PASSWORD,
                "new_password": "Snow-on-the-river-7",
                "repeated": "Snow-on-the-river-7",
            },
        ),
    ],
)
def test_every_door_that_looks_at_a_password_waits_for_room(client, amelie, busy, page, typed):
    client.force_login(amelie)
    answer = client.post(reverse(page), typed)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")


def test_a_new_password_by_link_waits_for_room_and_the_link_stays_alive(client, amelie, busy):
    page = client.get(signin.set_password_link(amelie).replace("http://127.0.0.1:8000", ""), follow=True)
    new = {"new_password": "Snow-on-the-river-7", "repeated": "Snow-on-the-river-7"}
    assert client.post(page.request["PATH_INFO"], new).status_code == 503
    assert client.get(page.request["PATH_INFO"]).status_code == 200


def test_nothing_else_runs_the_hasher():
    """A door that hashes on its own would be one without a limit."""
    found = re.compile(r"\b(check_password|make_password|verify_password|set_password|acheck_password)\(")
    calling = {
        str(file.relative_to(settings.BASE_DIR))
        for app in ("pbxadmin", "users", "signin", "talk", "support", "phones", "forwarding", "voicemail")
        for file in (settings.BASE_DIR / app).rglob("*.py")
        if "tests" not in file.parts and found.search(file.read_text(encoding="utf-8"))
    }
    assert calling == {"signin/hashing.py", "signin/views/signin.py"}  # the second one is the name of a page


def test_what_strangers_use_up_at_an_address_takes_no_forgotten_password_from_who_is_known_there(amelie):
    amelie.email = "amelie@boreale.example"
    amelie.save(update_fields=["email"])
    lockout.remember(amelie, HERE)
    for place in range(lockout.LINK.address + 1):
        attempt(login=f"{place}@nowhere.example")

    def asked():
        Client().post(reverse("forgot_password"), {"login": amelie.email}, REMOTE_ADDR=HERE)
        return Letter.objects.filter(user=amelie).count()

    assert [asked() for _try in range(5)][-1] == lockout.LINK.pair, "and no flood of mails"
