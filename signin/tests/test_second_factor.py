"""The second factor: a code works once, nobody gets around it, and a lost phone isn't the end."""

import base64
import re
from time import time

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.urls import reverse

from pbxadmin.common.proof import ProofNeededError, Takeover
from signin import credentials as signin
from signin import second_factor
from signin.models import BackupCode, KnownAddress, TotpDevice
from signin.tests.signing import KEY, code_of, enrol, sign_in_fully
from users.models import Operation, User
from users.tests.factories import PASSWORD, make_user

both_databases = pytest.mark.both_databases("codes that work once")
pytestmark = [
    pytest.mark.slow("tries codes until it is refused"),
]


@pytest.fixture
def half(client, staff):
    """A browser in which support staff with an app has given the password only."""
    enrol(staff)
    client.post(reverse("sign_in"), {"login": staff.email, "password": PASSWORD})
    return client


def give(client, code, **facts):
    """Type a code."""
    return client.post(reverse("second_factor"), {"code": code, **facts})


def is_in(client):
    """Whether this browser may open a page that wants a full sign-in."""
    return client.get(reverse("own_page")).status_code == 200


@both_databases
def test_a_code_lets_the_person_in_to_where_he_wanted(half):
    answer = give(half, code_of(), next="/me")
    assert (answer.status_code, answer.url) == (302, "/me")
    assert is_in(half)
    assert Operation.objects.filter(reason="sign_in").count() == 1


@pytest.mark.parametrize(("steps", "right"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_the_clock_may_be_one_step_off(half, steps, right, monkeypatch):
    moment = 1_800_000_015.0
    monkeypatch.setattr("signin.models.time", lambda: moment)
    monkeypatch.setattr("django_otp.oath.time", lambda: moment)
    give(half, code_of(steps=steps))
    assert is_in(half) is right


@pytest.mark.parametrize(
    "typed",
    ["", "12345", "1234567", "١٢٣٤٥٦", "12345x", "0x1234", "-12345", "1e5555", "\0" * 6, "9" * 5000],
    ids=["blank", "five", "seven", "arabic", "letter", "hex", "minus", "float", "nul", "long"],
)
def test_what_is_no_code_is_refused(half, typed):
    assert give(half, typed).status_code == 422
    assert not is_in(half)


def test_a_code_may_be_pasted_with_a_blank_in_it(half):
    code = code_of()
    give(half, f" {code[:3]} {code[3:]} ")
    assert is_in(half)


@both_databases
def test_a_code_works_once(half, staff):
    code = code_of()
    give(half, code)
    other = Client()
    other.post(reverse("sign_in"), {"login": staff.email, "password": PASSWORD})
    assert give(other, code).status_code == 422
    assert not is_in(other)


@both_databases
def test_after_a_later_code_the_one_before_it_is_dead(staff):
    device = enrol(staff)
    assert device.verify_token(code_of(steps=1))
    assert not device.verify_token(code_of())


@both_databases
def test_the_same_code_in_two_requests_at_once_is_taken_once(staff):
    """Both have read the row before the first one writes."""
    enrol(staff)
    first, second = TotpDevice.objects.get(), TotpDevice.objects.get()
    code = code_of()
    assert [first.verify_token(code), second.verify_token(code)] == [True, False]


@both_databases
def test_the_row_is_locked_while_a_code_is_looked_at(half, django_assert_max_num_queries):
    with django_assert_max_num_queries(40) as asked:
        give(half, code_of())
    if connection.features.has_select_for_update:
        assert any("FOR UPDATE" in query["sql"] and "totp" in query["sql"] for query in asked)


@both_databases
def test_guessing_codes_is_slowed_down_over_all_sessions_but_never_for_long(staff):
    enrol(staff)
    for _ in range(5):
        browser = Client()
        browser.force_login(staff)
        give(browser, "000000")
    fresh = Client()
    fresh.force_login(staff)
    answer = give(fresh, code_of())
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "10")
    device = TotpDevice.objects.get()
    assert device.throttling_failure_count == 5
    for _ in range(60):
        device.count_failure()
    device.refresh_from_db()
    assert device.waits_until().timestamp() - time() <= TotpDevice.LONGEST_WAIT
    TotpDevice.objects.update(throttling_failure_timestamp="2020-01-01T00:00:00Z")
    give(fresh, code_of())
    assert is_in(fresh)
    assert TotpDevice.objects.get().throttling_failure_count == 0


@both_databases
def test_codes_tried_during_the_wait_do_not_prolong_it(staff):
    device = enrol(staff)
    for _ in range(5):
        device.verify_token("000000")
        device.refresh_from_db()
    before = device.waits_until()
    device.verify_token("000000")
    device.refresh_from_db()
    assert device.waits_until() == before


def test_the_session_key_changes_with_password_and_again_with_the_code(client, staff):
    enrol(staff)
    session = client.session
    session["planted"] = "by somebody else"
    session.save()
    planted = client.cookies["sessionid"].value
    client.post(reverse("sign_in"), {"login": staff.email, "password": PASSWORD})
    after_password = client.cookies["sessionid"].value
    assert "planted" not in client.session
    give(client, code_of())
    after_code = client.cookies["sessionid"].value
    assert len({planted, after_password, after_code}) == 3
    assert set(Session.objects.values_list("session_key", flat=True)) == {after_code}


@pytest.mark.parametrize("wanted", [{}, {"next": "//evil.example"}, {"next": "https://evil.example"}])
def test_no_way_out_of_the_portal_after_the_code(half, wanted):
    assert give(half, code_of(), **wanted).url == "/"


# --- Who is asked -------------------------------------------------------------------------------------------
@pytest.mark.parametrize("whose", ["staff", "own", "customer"])
def test_who_must_have_one_sets_it_up_before_anything_else(client, request, boreale, whose):
    if whose == "staff":
        user = request.getfixturevalue("staff")
    else:
        user = make_user(boreale, "104", password=PASSWORD, require_2fa=whose == "own")
        boreale.require_2fa = whose == "customer"
        boreale.save()
    answer = client.post(
        reverse("sign_in"), {"login": user.login, "password": PASSWORD, "next": "/me"}, follow=True
    )
    assert answer.redirect_chain[-1][0] == reverse("second_factor_enrol") + "?next=%2Fme"
    assert client.get(reverse("own_password")).url.startswith(reverse("second_factor_enrol"))
    assert not KnownAddress.objects.exists()


def test_who_need_not_have_one_and_has_one_is_asked_too(client, amelie):
    enrol(amelie)
    client.post(reverse("sign_in"), {"login": amelie.login, "password": PASSWORD})
    assert client.get(reverse("own_page")).url == reverse("second_factor") + "?next=%2Fme"
    assert client.get(reverse("second_factor_enrol")).url == reverse("second_factor")
    assert client.get(reverse("second_factor_prove")).url == reverse("second_factor")


def test_who_need_not_have_one_is_in_with_the_password(client, amelie):
    client.post(reverse("sign_in"), {"login": amelie.login, "password": PASSWORD})
    assert is_in(client)


def test_required_later_it_is_asked_at_the_next_request(client, amelie, boreale):
    sign_in_fully(client, amelie)
    assert is_in(client)
    boreale.require_2fa = True
    boreale.save()
    assert client.get(reverse("own_page")).url.startswith(reverse("second_factor_enrol"))


def test_another_persons_app_verifies_nobody(client, staff, amelie):
    sign_in_fully(client, staff)
    foreign = client.session["otp_device_id"]
    enrol(amelie)
    browser = Client()
    browser.force_login(amelie)
    session = browser.session
    session["otp_device_id"] = foreign
    session.save()
    assert not is_in(browser)


# --- Setting up ---------------------------------------------------------------------------------------------
def start(client, user):
    """Sign in with the password and open the page with the QR code; the key that it shows (hex)."""
    client.post(reverse("sign_in"), {"login": user.login, "password": PASSWORD})
    page = client.get(reverse("second_factor_enrol")).content.decode()
    shown = re.search(r'id="second-factor-key">([A-Z2-7 ]+)<', page)[1]
    assert all(len(group) == 4 for group in shown.split())
    return base64.b32decode(shown.replace(" ", "")).hex()


def test_setting_up_shows_a_picture_and_the_key_and_ends_with_ten_codes(client, staff):
    key = start(client, staff)
    page = client.get(reverse("second_factor_enrol")).content.decode()
    picture = base64.b64decode(re.search(r'src="data:image/svg\+xml;base64,([^"]+)"', page)[1])
    assert picture.startswith(b"<?xml")
    assert b"<script" not in picture
    answer = client.post(reverse("second_factor_enrol"), {"code": code_of(key)})
    codes = re.findall(r"<li class=\"col\">([a-z2-9]{4}-[a-z2-9]{4})</li>", answer.content.decode())
    assert len(set(codes)) == 10
    assert BackupCode.objects.filter(user=staff).count() == 10
    assert is_in(client)
    assert Operation.objects.filter(reason="second_factor.enrolled").count() == 1
    assert Operation.objects.filter(reason="sign_in").count() == 1
    kept = re.search(
        r'href="data:text/plain;charset=utf-8;base64,([^"]+)"\s+download', answer.content.decode()
    )[1]
    assert codes[0] in base64.b64decode(kept).decode()


def test_the_address_in_the_picture_names_portal_and_login(staff):
    address = second_factor.key_address(staff, KEY)
    assert address.startswith("otpauth://totp/pbxadmin:soutien%40tic.example?secret=")
    assert "issuer=pbxadmin" in address


def test_the_key_is_encrypted_and_the_codes_are_hashed_wherever_they_are_kept(client, staff):
    key = start(client, staff)
    with connection.cursor() as cursor:
        base32 = base64.b32encode(bytes.fromhex(key)).decode()
        for data in Session.objects.values_list("session_data", flat=True):
            assert key not in str(Session.objects.model.get_session_store_class()().decode(data))
            assert base32 not in str(Session.objects.model.get_session_store_class()().decode(data))
        answer = client.post(reverse("second_factor_enrol"), {"code": code_of(key)})
        cursor.execute("SELECT key FROM signin_totpdevice")
        assert key not in cursor.fetchone()[0]
    plain = re.findall(r"<li class=\"col\">([a-z2-9-]{9})</li>", answer.content.decode())
    stored = " ".join(BackupCode.objects.values_list("code_hash", flat=True))
    assert not any(code.replace("-", "") in stored for code in plain)


def test_the_first_code_confirms_the_app_and_opens_no_session_elsewhere(client, staff):
    key = start(client, staff)
    code = code_of(key)
    client.post(reverse("second_factor_enrol"), {"code": code})
    other = Client()
    other.post(reverse("sign_in"), {"login": staff.email, "password": PASSWORD})
    assert give(other, code).status_code == 422


def test_a_wrong_code_sets_nothing_up_and_keeps_the_key(client, staff):
    key = start(client, staff)
    wrong = "000000" if code_of(key) != "000000" else "111111"
    answer = client.post(reverse("second_factor_enrol"), {"code": wrong})
    assert answer.status_code == 422
    assert not TotpDevice.objects.exists()
    assert start_again(client) == key


def start_again(client):
    """The key that the page shows on a second look."""
    page = client.get(reverse("second_factor_enrol")).content.decode()
    return base64.b32decode(
        re.search(r'id="second-factor-key">([A-Z2-7 ]+)<', page)[1].replace(" ", "")
    ).hex()


def test_codes_are_shown_once_only(client, staff):
    key = start(client, staff)
    code = code_of(key)
    shown = client.post(reverse("second_factor_enrol"), {"code": code}).content.decode()
    first = re.search(r"<li class=\"col\">([a-z2-9-]{9})</li>", shown)[1]
    again = client.post(reverse("second_factor_enrol"), {"code": code}, follow=True).content.decode()
    assert first not in again
    assert first not in client.get(reverse("own_page")).content.decode()


def test_another_app_asks_for_password_and_code_first(client, amelie):
    enrol(amelie)
    sign_in_fully(client, amelie)
    assert client.get(reverse("second_factor_enrol")).url == reverse("second_factor_prove")
    assert client.post(reverse("second_factor_enrol"), {"code": code_of()}).url == reverse(
        "second_factor_prove"
    )
    for proof in (
        {"password": PASSWORD},
        {"code": code_of()},
        {"password": "wrong", "code": code_of()},
        {"password": PASSWORD, "code": "000000"},
    ):
        assert client.post(reverse("second_factor_prove"), proof).status_code == 422
        assert client.get(reverse("second_factor_enrol")).status_code == 302
    answer = client.post(reverse("second_factor_prove"), {"password": PASSWORD, "code": code_of()})
    assert answer.url == reverse("second_factor_enrol")
    key = start_again(client)
    assert key != KEY
    client.post(reverse("second_factor_enrol"), {"code": code_of(key)})
    assert TotpDevice.objects.get(user=amelie).key == key
    assert is_in(client)
    assert Operation.objects.filter(reason="second_factor.replaced").count() == 1
    assert client.get(reverse("second_factor_enrol")).status_code == 302, "the proof is used up"


@both_databases
def test_a_wrong_password_uses_up_no_code(client, amelie):
    enrol(amelie)
    sign_in_fully(client, amelie)
    code = code_of()
    client.post(reverse("second_factor_prove"), {"password": "wrong", "code": code})
    assert (
        client.post(reverse("second_factor_prove"), {"password": PASSWORD, "code": code}).status_code == 302
    )


def test_a_late_first_app_asks_for_the_password_first(client, amelie):
    client.force_login(amelie)
    session_time(client, signin.PASSWORD_AT, 5_000)
    assert client.get(reverse("second_factor_enrol")).url == reverse("second_factor_prove")
    client.post(reverse("second_factor_prove"), {"password": PASSWORD})
    key = start_again(client)
    client.post(reverse("second_factor_enrol"), {"code": code_of(key)})
    assert is_in(client)
    other = Client()
    other.post(reverse("sign_in"), {"login": amelie.login, "password": PASSWORD})
    assert other.get(reverse("own_page")).url.startswith(reverse("second_factor"))


def test_an_app_set_up_in_one_session_is_asked_in_the_others(client, amelie):
    other = sign_in_fully(Client(), amelie)
    key = start(client, amelie)
    client.post(reverse("second_factor_enrol"), {"code": code_of(key)})
    assert other.get(reverse("own_page")).url.startswith(reverse("second_factor"))


# --- Removing, backup codes ---------------------------------------------------------------------------------
def test_removing_asks_for_password_and_code(client, amelie):
    enrol(amelie)
    codes = second_factor.renew_backup_codes(amelie)
    sign_in_fully(client, amelie)
    assert client.get(reverse("second_factor_remove")).status_code == 200
    for proof in ({}, {"password": PASSWORD}, {"password": PASSWORD, "code": "000000"}, {"code": code_of()}):
        assert client.post(reverse("second_factor_remove"), proof).status_code == 422
        assert TotpDevice.objects.exists()
    client.post(reverse("second_factor_remove"), {"password": PASSWORD, "code": codes[0]})
    assert not TotpDevice.objects.exists()
    assert not BackupCode.objects.exists()
    assert is_in(client)
    assert Operation.objects.filter(reason="second_factor.removed").count() == 1


def test_who_must_have_one_cannot_remove_it(client, staff):
    sign_in_fully(client, staff)
    client.post(reverse("second_factor_remove"), {"password": PASSWORD, "code": code_of()})
    assert TotpDevice.objects.exists()


def test_removed_in_one_session_it_verifies_no_other(client, amelie):
    device = enrol(amelie)
    sign_in_fully(client, amelie)
    device.delete()
    new = enrol(amelie, "4" * 40)
    assert new.pk
    assert not is_in(client)


@both_databases
def test_a_backup_code_works_once_and_warns_when_few_are_left(half, staff):
    codes = second_factor.renew_backup_codes(staff)
    BackupCode.objects.exclude(code_hash=second_factor._hash(staff, codes[0].replace("-", ""))).delete()
    answer = half.post(
        reverse("second_factor"),
        {"code": codes[0].upper().replace("-", " "), "backup": "1", "next": "/me"},
        follow=True,
    )
    assert answer.status_code == 200
    assert answer.context["messages"]
    assert Operation.objects.filter(reason="backup_code.used").count() == 1
    other = Client()
    other.post(reverse("sign_in"), {"login": staff.email, "password": PASSWORD})
    assert other.post(reverse("second_factor"), {"code": codes[0], "backup": "1"}).status_code == 422


@both_databases
def test_a_backup_code_of_somebody_else_is_wrong(half, staff, felix):
    codes = second_factor.renew_backup_codes(felix)
    assert give(half, codes[0]).status_code == 422
    assert BackupCode.objects.filter(user=felix).count() == 10


@both_databases
def test_guessed_backup_codes_are_slowed_down_like_the_others(half):
    for _ in range(5):
        give(half, "aaaa-bbbb", backup="1")
    assert give(half, code_of()).status_code == 429


@both_databases
def test_new_backup_codes_ask_for_proof_and_replace_the_old(client, staff):
    old = second_factor.renew_backup_codes(staff)
    sign_in_fully(client, staff)
    assert client.post(reverse("backup_codes"), {"password": PASSWORD}).status_code == 422
    answer = client.post(reverse("backup_codes"), {"password": PASSWORD, "code": code_of()})
    new = re.findall(r"<li class=\"col\">([a-z2-9-]{9})</li>", answer.content.decode())
    assert len(new) == 10
    assert not set(new) & set(old)
    assert BackupCode.objects.count() == 10
    assert Operation.objects.filter(reason="backup_codes.renewed").count() == 1


# --- Asking again -------------------------------------------------------------------------------------------
def session_time(client, key, ago):
    """As if the proof had been given so many seconds ago."""
    session = client.session
    session[key] = int(time()) - ago
    session.save()


def test_proof_is_fresh_for_ten_minutes(client, staff, rf):
    sign_in_fully(client, staff)
    request = rf.get("/")
    for ago, fresh in ((0, True), (590, True), (610, False), (-60, False)):
        session_time(client, second_factor.VERIFIED_AT, ago)
        request.session, request.user = client.session, User.objects.get(pk=staff.pk)
        request.user.otp_device = TotpDevice.objects.get()
        assert second_factor.recently_verified(request) is fresh
        assert second_factor.recently_verified(request, minutes=30) is (ago >= 0)


def test_the_password_is_no_proof_for_who_has_an_app(client, amelie, rf):
    enrol(amelie)
    sign_in_fully(client, amelie)
    session_time(client, second_factor.VERIFIED_AT, 5_000)
    request = rf.get("/")
    request.session, request.user = client.session, amelie
    amelie.otp_device = TotpDevice.objects.get()
    assert not second_factor.recently_verified(request)


def test_a_page_that_takes_a_proof_asks_again_and_leads_back(client, staff, rf):
    sign_in_fully(client, staff)
    session_time(client, second_factor.VERIFIED_AT, 5_000)

    @second_factor.step_up(Takeover.SECRET)
    def secret(request):
        raise AssertionError("must not be reached")

    def ask(request):
        request.session, request.user = client.session, staff
        return secret(request)

    staff.otp_device = TotpDevice.objects.get()
    assert ask(rf.get("/me?x=1")).url == reverse("step_up") + "?next=%2Fme%3Fx%3D1"
    with pytest.raises(ProofNeededError):  # which the middleware answers with the question
        ask(rf.post("/me/secret"))

    answer = client.post(reverse("step_up"), {"code": code_of(), "next": "/me"})
    assert answer.url == "/me"
    assert int(time()) - client.session[second_factor.VERIFIED_AT] < 60


def test_asking_again_takes_the_password_of_who_has_no_app(client, amelie):
    client.force_login(amelie)
    assert client.post(reverse("step_up"), {"password": "wrong"}).status_code == 422
    assert client.post(reverse("step_up"), {"password": PASSWORD}).status_code == 302
    assert client.session["password_at"]


def test_whoever_has_set_up_their_app_goes_on_to_where_they_work(client, staff):
    key = start(client, staff)
    codes = client.post(reverse("second_factor_enrol"), {"code": code_of(key)})
    onward = re.search(r'class="btn btn-primary[^"]*" href="([^"]+)"', codes.content.decode())[1]
    assert onward == reverse("home")
    assert client.get(onward).url == reverse("customers")
