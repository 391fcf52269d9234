"""Somebody can't sign in: what is said of it, who takes a lost second factor away, unblocks them or gives them a link."""

import pytest
from django.contrib.auth.hashers import make_password
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from pbxadmin.common.proof import ProofNeededError
from signin import credentials, lockout
from signin.models import BackupCode, SignInAttempt, TotpDevice
from signin.second_factor import renew_backup_codes
from signin.tests.signing import enrol, sign_in_fully
from signin.tests.test_asking import NOT_PROVED
from users import road
from users.mail import letters
from users.models import Letter, Operation, User
from users.people import access
from users.tests.factories import FACTS, make_staff, make_user

pytestmark = pytest.mark.slow("opens page after page")

URL = reverse("user_sign_in", args=["boreale", "101"])


@pytest.fixture
def amelie(amelie):
    """With an address of her own."""
    amelie.email = "amelie@boreale.example"
    amelie.save(update_fields=["email"])
    return amelie


@pytest.fixture
def lost(boreale, amelie):
    """Amélie has an app, codes, and a session in a browser."""
    enrol(amelie)
    renew_backup_codes(amelie)
    return sign_in_fully(Client(), amelie)


def reasons() -> list[str]:
    return list(Operation.objects.filter(kind="sign_in").order_by("pk").values_list("reason", flat=True))


@pytest.mark.parametrize("who", ["owner", "technician"])
def test_a_lost_second_factor_is_taken_away_with_its_codes_and_sessions(boreale, amelie, felix, lost, who):
    actor = felix if who == "owner" else make_staff("t@tic.example")
    assert lost.get(reverse("own_page")).status_code == 200
    answer = sign_in_fully(Client(), actor).post(URL, {"do": "factor"})
    assert answer.status_code == 302
    assert not TotpDevice.objects.filter(user=amelie).exists()
    assert not BackupCode.objects.filter(user=amelie).exists()
    assert lost.get(reverse("own_page")).status_code == 302, "their session has ended"
    told = Operation.objects.get(reason="second_factor.taken")
    assert (told.actor_pk, told.customer, told.changes.get().subject_pk) == (actor.pk, boreale, amelie.pk)
    letters.send_due()
    [sent] = mail.outbox
    assert sent.to == [amelie.email]
    assert "second facteur" in sent.subject
    assert amelie.login in sent.body


def test_it_takes_a_fresh_proof_and_looking_takes_nothing_away(boreale, amelie, felix, lost):
    with pytest.raises(ProofNeededError):
        access.take_factor(felix, boreale, [amelie.pk], NOT_PROVED)
    client = sign_in_fully(Client(), felix)
    for _time in range(2):
        assert client.get(URL, {"do": "factor"}).status_code == 200
    assert TotpDevice.objects.filter(user=amelie).exists()
    session = client.session
    session[credentials.PASSWORD_AT] = 1
    session["second_factor_at"] = 1
    session.save()
    assert client.post(URL, {"do": "factor"}).status_code == 403
    assert TotpDevice.objects.filter(user=amelie).exists()
    assert "second_factor.taken" not in reasons()


def test_nobody_takes_their_own_a_superiors_or_a_strangers_away(boreale, laurier, amelie, felix, ines, lost):
    enrol(felix)
    admin = make_user(boreale, "150", role="system_admins")
    stranger = make_user(laurier, "201", role="system_owners")
    reader = make_staff("r@tic.example", staff_level="read_only")
    for actor, whom in (
        (felix, felix), (admin, felix), (ines, amelie), (amelie, amelie), (amelie, felix), (reader, amelie),
    ):  # fmt: skip
        with pytest.raises(road.RefusedError):
            access.take_factor(actor, boreale, [whom.pk], FACTS)
    assert access.take_factor(stranger, boreale, [amelie.pk], FACTS) is None
    assert access.take_factor(felix, laurier, [amelie.pk], FACTS) is None
    assert TotpDevice.objects.filter(user__in=[felix, amelie]).count() == 2


def test_of_several_all_lose_it_or_nobody_and_doing_it_twice_is_written_once(boreale, amelie, felix, lost):
    admin = make_user(boreale, "150", role="system_admins")
    enrol(felix)
    with pytest.raises(road.RefusedError):
        access.take_factor(admin, boreale, [amelie.pk, felix.pk], FACTS)
    assert TotpDevice.objects.filter(user=amelie).exists()
    assert access.take_factor(felix, boreale, [amelie.pk], FACTS)
    assert access.take_factor(felix, boreale, [amelie.pk], FACTS) is None
    assert reasons().count("second_factor.taken") == 1
    assert Letter.objects.filter(kind="factor").count() == 1


def test_the_list_takes_it_from_several_and_says_who_has_none(boreale, amelie, felix, ines, lost):
    client = sign_in_fully(Client(), felix)
    url = reverse("chosen_take_factor", args=["boreale"])
    keys = {"chosen": [amelie.pk, ines.pk]}
    TotpDevice.objects.filter(user=ines).delete()
    page = client.post(url, keys)
    assert [person.pk for person, _words in page.context["refused"]] == [ines.pk]
    done = client.post(url, dict(page.context["hidden"]) | keys | {"confirmed": "1", "without": "1"})
    assert done.status_code == 302, done.context["error"]
    assert not TotpDevice.objects.filter(user=amelie).exists()


def failed(person: User, origin: str, times: int) -> None:
    account = credentials.account_key(person)
    SignInAttempt.objects.bulk_create(
        SignInAttempt(login=account, address=origin) for _number in range(times)
    )


def test_a_block_is_shown_with_its_end_and_unblocking_lets_them_try_at_once(boreale, amelie, felix, client):
    failed(amelie, "203.0.113.9", lockout.SIGN_IN.pair)
    other = make_user(boreale, "150")
    failed(other, "203.0.113.9", 2)
    browser = sign_in_fully(Client(), felix)
    page = browser.get(URL).content.decode()
    assert "203.0.113.9" in page
    standing = access.standing_of(amelie)
    assert standing.is_blocked
    assert timezone.now() < standing.places[0].until <= timezone.now() + lockout.SHORT
    with pytest.raises(ProofNeededError):
        access.unblock(felix, boreale, amelie, NOT_PROVED)
    assert access.standing_of(amelie).is_blocked, "without a proof nothing is forgotten"
    assert browser.post(URL, {"do": "unblock"}).status_code == 302
    assert not access.standing_of(amelie).is_blocked
    assert len(access.standing_of(other).places) == 1, "another one's tries stay"
    assert "sign_in.unblocked" in reasons()
    tally = lockout.register(credentials.account_key(amelie), "203.0.113.9", lockout.SIGN_IN, known=False)
    assert tally.allowed


def test_who_acts_on_a_department_alone_is_told_no_address_of_others(boreale, ines):
    marc = make_user(boreale, "110", "Marc", "Roy", department="Soins")
    failed(marc, "203.0.113.9", 3)
    page = sign_in_fully(Client(), ines).get(reverse("user_sign_in", args=["boreale", "110"]))
    assert page.status_code == 200
    assert "203.0.113.9" not in page.content.decode()
    assert "factor" not in [
        control for control in page.content.decode().split('value="') if control[:6] == "factor"
    ]


def test_a_link_is_mailed_or_shown_with_a_proof_and_a_line_in_the_history(boreale, amelie, felix):
    client = sign_in_fully(Client(), felix)
    assert client.post(URL, {"do": "mail"}).status_code == 302
    assert Letter.objects.get(user=amelie).kind == Letter.Kind.PASSWORD
    shown = client.post(URL, {"do": "show"})
    link = shown.context["link"]
    assert link in shown.content.decode()
    assert Client().get(link[link.index("/set-password") :], follow=True).status_code == 200
    assert "no-store" in shown.headers["Cache-Control"]
    assert {"link.sent", "link.shown"} <= set(reasons())
    for what in (access.send_link, access.show_link):
        with pytest.raises(ProofNeededError):
            what(felix, boreale, amelie, NOT_PROVED)


def test_set_up_and_required_are_told_apart_on_every_page_that_says_so(boreale, amelie, felix):
    owner, desk = (
        sign_in_fully(Client(HTTP_ACCEPT_LANGUAGE="en"), each)
        for each in (felix, make_staff("t@tic.example"))
    )
    pages = [
        (owner, URL), (owner, reverse("user_tab", args=["boreale", "101", "general"])),
        (desk, reverse("admin:users_user_change", args=[amelie.pk])),
    ]  # fmt: skip
    for enrolled, required, words in (
        (False, False, "<span>not required</span>"), (False, True, "<span>required, not set up</span>"), (True, False, "<span>Set up on"),
    ):  # fmt: skip
        User.objects.filter(pk=amelie.pk).update(require_2fa=required)
        if enrolled:
            enrol(amelie)
        for browser, url in pages:
            assert words in " ".join(browser.get(url).content.decode().split()), (url, words)


def test_what_keeps_somebody_out_takes_as_many_questions_whatever_has_happened(boreale, amelie, felix):
    owner, desk = (sign_in_fully(Client(), each) for each in (felix, make_staff("t@tic.example")))

    def queries(browser):
        with CaptureQueriesContext(connection) as found:
            assert browser.get(URL).status_code == 200
        return len(found)

    few = [queries(owner), queries(desk)]
    enrol(amelie)
    renew_backup_codes(amelie)
    sign_in_fully(Client(), amelie)
    for number in range(10):
        failed(amelie, f"203.0.113.{number}", 3)
    assert [queries(owner), queries(desk)] == few
    assert max(few) <= 8


def test_the_page_says_what_keeps_somebody_out(boreale, amelie, felix):
    client = sign_in_fully(Client(HTTP_ACCEPT_LANGUAGE="en"), felix)
    page = client.get(URL).content.decode()
    assert amelie.login in page
    assert "Active" in page
    User.objects.filter(pk=amelie.pk).update(disabled=True)
    assert "The extension is disabled" in client.get(URL).content.decode()
    assert client.post(URL, {"do": "show"}).status_code == 403


def _head(client, number="101", tab="general"):
    page = client.get(reverse("user_tab", args=["boreale", number, tab])).content.decode()
    return page.partition('<div class="person">')[2].partition("</h1>")[2].partition('id="phones-state"')[0]


def test_the_head_of_a_person_says_that_they_are_disabled_and_nothing_of_a_password_that_most_never_set(
    boreale, amelie, felix
):
    client = sign_in_fully(Client(), felix)
    link = f'<a class="chip" href="{URL}">'
    User.objects.filter(pk=amelie.pk).update(password="!nothing")
    assert link not in _head(client)
    User.objects.filter(pk=amelie.pk).update(disabled=True)
    head = _head(client)
    assert link in head
    assert "Désactivé" in head


@pytest.mark.parametrize(
    ("tries", "places", "shut"),
    [
        (lockout.SIGN_IN.pair - 1, 1, False),
        (lockout.SIGN_IN.pair, 1, True),
        (lockout.SIGN_IN.account - 1, 20, False),
        (lockout.SIGN_IN.account, 20, True),
    ],
    ids=["few", "too many at one place", "many here and there", "too many over all places"],
)
def test_a_block_stands_in_the_head_exactly_while_it_holds(boreale, amelie, felix, tries, places, shut):
    User.objects.filter(pk=amelie.pk).update(password=make_password("pomme-rivière-9173"))
    key = credentials.account_key(amelie)
    SignInAttempt.objects.bulk_create(
        SignInAttempt(login=key, address=f"203.0.113.{number % places}") for number in range(tries)
    )
    client = sign_in_fully(Client(), felix)
    assert access.standing_of(amelie).is_blocked is shut
    assert ("Connexion bloquée" in _head(client)) is shut
    assert "Connexion bloquée" not in _head(client, "102"), "nobody else is"
    SignInAttempt.objects.update(at=timezone.now() - lockout.LONG)
    assert "Connexion bloquée" not in _head(client)
