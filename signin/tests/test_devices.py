"""A browser in which somebody has signed in: nobody who only knows their login, or their password, shuts them out there."""

from datetime import timedelta

import pytest
from django.core import signing
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from signin import credentials, devices, lockout, single_sign_on
from signin.models import KnownAddress, SignInAttempt
from signin.tests.signing import code_of, enrol
from users.models import Letter, User
from users.tests.factories import PASSWORD

pytestmark = pytest.mark.slow("guesses hundreds of passwords")

HERE, AWAY = "203.0.113.7", "198.51.100.20"
LOGIN = "101@boreale.example.com"


def post(browser, address=HERE, login=LOGIN, password=PASSWORD, page="sign_in", **fields):
    fields = fields or {"login": login, "password": password}
    return browser.post(reverse(page), fields, REMOTE_ADDR=address)


def signed_in(browser):
    return "_auth_user_id" in browser.session


def known_browser(address=HERE):
    """A browser in which Amélie has signed in, and out again."""
    browser = Client()
    assert post(browser, address).status_code == 302
    browser.post(reverse("sign_out"), REMOTE_ADDR=address)
    assert not signed_in(browser)
    return browser


def flood(address, times=60, login=LOGIN):
    """As if so many passwords had been guessed there."""
    key = credentials.account_key(credentials.find_user(login), login)
    SignInAttempt.objects.bulk_create(
        SignInAttempt(login=key, address=address.format(place)) for place in range(times)
    )


@pytest.mark.parametrize(
    "address", ["192.0.2.{}", HERE, AWAY], ids=["a botnet", "the same office", "where they travel"]
)
def test_whoever_floods_a_login_does_not_shut_its_person_out_of_their_own_browser(amelie, address):
    browser = known_browser()
    KnownAddress.objects.all().delete()  # a new address each morning
    flood(address)
    place = address.format(0)
    assert post(Client(), place).status_code == 429, "the limit holds"
    post(browser, place)
    assert signed_in(browser)


def test_a_known_browser_has_five_tries_of_its_own_and_no_more(amelie):
    browser = known_browser()
    answers = [post(browser, password="wrong").status_code for _try in range(6)]
    assert answers == [422] * 5 + [429]
    post(browser, "192.0.2.1")
    assert not signed_in(browser), "wherever it is carried"
    post(other := Client(), AWAY)
    assert signed_in(other), "and nobody else is shut out by it"


def test_it_opens_nothing_and_counts_for_nobody_else(amelie, felix):
    browser = known_browser()
    flood(HERE, 31, "102@boreale.example.com")
    assert post(browser, login="102@boreale.example.com").status_code == 429
    assert browser.get(reverse("own_page")).status_code == 302


def test_the_cookie_is_sealed_and_names_nobody(amelie):
    browser = Client()
    answer = post(browser)
    [(name, cookie)] = [
        (name, one) for name, one in answer.cookies.items() if name.startswith(devices.PREFIX)
    ]
    assert (cookie["httponly"], cookie["samesite"], cookie["max-age"]) == (True, "Lax", devices.KEPT)
    assert len(name) == len(devices.PREFIX) + 16, "a digest"
    forged = [
        cookie.value[:-1] + ("A" if cookie.value[-1] != "A" else "B"),
        signing.dumps([amelie.pk, 0, "x"], salt="another"),
        signing.dumps([amelie.pk + 1, amelie.sessions_epoch, "x"], salt=devices.SALT),
        signing.dumps([amelie.pk, amelie.sessions_epoch + 1, "x"], salt=devices.SALT),
        signing.dumps("rubbish", salt=devices.SALT),
        "",
        "é" * 500,
    ]
    flood("192.0.2.{}")
    KnownAddress.objects.all().delete()
    for value in forged:
        stranger = Client()
        stranger.cookies[name] = value
        assert post(stranger, AWAY).status_code == 429, value


def test_without_the_second_factor_no_browser_is_known(staff):
    browser = Client()
    answer = post(browser, login=staff.email)
    assert not [name for name in answer.cookies if name.startswith(devices.PREFIX)]


def test_signing_out_everywhere_forgets_the_others_and_keeps_this_browser(amelie):
    other, here = known_browser(), Client()
    post(here)
    here.post(reverse("own_sessions"), REMOTE_ADDR=HERE)
    KnownAddress.objects.all().delete()
    flood("192.0.2.{}")
    assert post(other, AWAY).status_code == 429
    here.post(reverse("sign_out"))
    post(here, AWAY)
    assert signed_in(here)


def test_after_ninety_days_a_browser_is_a_stranger_again(amelie, monkeypatch):
    browser = known_browser()
    KnownAddress.objects.all().delete()
    flood("192.0.2.{}")
    monkeypatch.setattr(devices, "KEPT", -1)
    assert post(browser, AWAY).status_code == 429


def test_on_a_shared_computer_the_cookies_stay_few(amelie):
    browser = Client()
    for place in range(30):
        browser.cookies[f"{devices.PREFIX}{place:016}"] = "x"
    post(browser)
    left = [name for name, one in browser.cookies.items() if name.startswith(devices.PREFIX) and one.value]
    assert len(left) == devices.PEOPLE


def test_whoever_has_only_the_password_does_not_keep_its_person_waiting_for_the_code(amelie):
    enrol(amelie)
    browser = Client()
    post(browser)
    assert post(browser, page="second_factor", code=code_of(steps=-1)).status_code == 302
    browser.post(reverse("sign_out"))
    thief = Client()
    post(thief, AWAY)
    codes = [post(thief, AWAY, page="second_factor", code="000000") for _try in range(7)]
    assert [answer.status_code for answer in codes] == [422] * 5 + [429] * 2
    assert 0 < int(codes[-1].headers["Retry-After"]) <= 10
    post(browser)
    assert post(browser, page="second_factor", code=code_of()).status_code == 302, "in their own browser"


def test_a_known_browser_has_five_codes_of_its_own(amelie):
    enrol(amelie)
    browser = Client()
    post(browser)
    post(browser, page="second_factor", code=code_of(steps=-1))
    browser.post(reverse("sign_out"))
    post(browser)
    answers = [post(browser, page="second_factor", code="000000") for _try in range(6)]
    assert [answer.status_code for answer in answers] == [422] * 5 + [429]
    assert answers[-1].headers["Retry-After"] == "900"
    assert post(browser, page="second_factor", code=code_of()).status_code == 429
    SignInAttempt.objects.update(at=timezone.now() - timedelta(minutes=16))
    assert post(browser, page="second_factor", code=code_of()).status_code == 302


def test_the_same_code_works_once_in_a_known_browser_too(amelie):
    enrol(amelie)
    browser = Client()
    for expected in (302, 422):
        post(browser)
        assert post(browser, page="second_factor", code=code_of()).status_code == expected
        browser.post(reverse("sign_out"))


def test_links_that_strangers_ask_for_use_up_none_of_a_known_browsers(amelie):
    User.objects.filter(pk=amelie.pk).update(email="amelie@boreale.example")
    browser = known_browser()
    KnownAddress.objects.all().delete()
    for place in range(8):
        post(Client(), f"192.0.2.{place}", page="forgot_password", login="amelie@boreale.example")
    before = Letter.objects.filter(user=amelie).count()
    assert before == lockout.LINK.account
    post(browser, AWAY, page="forgot_password", login="amelie@boreale.example")
    assert Letter.objects.filter(user=amelie).count() == before + 1


def test_single_sign_on_counts_a_known_browser_by_itself(amelie, boreale, laurier, rf):
    browser = known_browser()
    KnownAddress.objects.all().delete()

    def count(cookies, customer):
        request = rf.get("/", REMOTE_ADDR=AWAY)
        request.COOKIES = {name: one.value for name, one in cookies.items()}
        flow = single_sign_on.Flow.__new__(single_sign_on.Flow)
        object.__setattr__(flow, "customer", customer.pk)
        return single_sign_on.count(request, flow).allowed

    for customer in (boreale, laurier):
        assert [count({}, customer) for _try in range(31)][-1] is False
    assert count(browser.cookies, boreale)
    assert not count(browser.cookies, laurier), "of another company nobody is known here"


def test_a_session_that_goes_on_counts_its_own_password_by_itself(amelie):
    browser = Client()
    post(browser)
    KnownAddress.objects.all().delete()
    flood(AWAY, 35)
    answer = browser.post(reverse("second_factor_prove"), {"password": PASSWORD}, REMOTE_ADDR=AWAY)
    assert answer.status_code == 302
