"""Mails: what is in them, in which language, and that none is lost or sent twice."""

import socket
from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from users.mail import letters
from users.models import Department, Letter, User
from users.tests.factories import PASSWORD, make_user

pytestmark = pytest.mark.both_databases("mails that are claimed")


@pytest.fixture
def olivier(boreale):
    """Somebody with an address and no password yet."""
    return make_user(boreale, "150", "Olivier", "Bélanger", email="olivier@boreale.example")


def welcome(person):
    letters.post(Letter.Kind.WELCOME, [User.objects.select_related("customer").get(pk=person.pk)])
    sent = len(mail.outbox)
    letters.send_due()
    return mail.outbox[sent:]


@pytest.mark.parametrize(("language", "words"), [("fr-CA", "Bonjour"), ("en", "Hello"), ("es", "Hello")])
def test_the_welcome_is_in_the_language_of_the_department(boreale, olivier, language, words):
    Department.objects.of(boreale).update(language=language)
    (letter,) = welcome(olivier)
    html = letter.alternatives[0][0]
    assert words in letter.body
    assert words in html
    assert f'lang="{"fr" if language == "fr-CA" else "en"}' in html


def test_the_welcome_holds_a_link_and_no_secret(settings, olivier):
    settings.PUBLIC_URL = "https://portail.example.com"
    (letter,) = welcome(olivier)
    text = letter.body + letter.alternatives[0][0]
    assert "https://portail.example.com/set-password/" in letter.body
    assert "150@boreale.example.com" in letter.body
    fresh = User.objects.get(pk=olivier.pk)
    assert fresh.sip_password not in text
    assert "127.0.0.1" not in text


def test_the_link_of_the_welcome_sets_a_password(client, settings, olivier):
    settings.PUBLIC_URL = "http://testserver"
    (letter,) = welcome(olivier)
    path = next(line for line in letter.body.splitlines() if "/set-password/" in line).removeprefix(
        "http://testserver"
    )
    page = client.get(path, follow=True)
    assert page.status_code == 200
    assert (
        client.post(page.redirect_chain[-1][0], {"new_password": PASSWORD, "repeated": PASSWORD}).status_code
        == 302
    )
    assert User.objects.get(pk=olivier.pk).check_password(PASSWORD)


def test_who_has_a_password_is_sent_no_link(boreale):
    person = make_user(boreale, "151", "Maude", "Côté", email="maude@boreale.example", password=PASSWORD)
    (letter,) = welcome(person)
    assert "/set-password/" not in letter.body


@pytest.mark.parametrize("name", ['Zoé"<b>', "{{ user.password }}", "Bcc: a@b.example", "'; --"])
def test_a_name_stays_text_and_never_becomes_a_header(boreale, olivier, name):
    User.objects.filter(pk=olivier.pk).update(first_name=name)
    (letter,) = welcome(olivier)
    assert name in letter.body
    assert "<b>" not in letter.alternatives[0][0]
    assert name not in str(letter.message()["Subject"])
    assert letter.recipients() == ["olivier@boreale.example"]


def test_who_has_no_address_or_is_disabled_gets_none(boreale, amelie, olivier):
    User.objects.filter(pk=olivier.pk).update(disabled=True)
    assert welcome(amelie) == []
    assert welcome(olivier) == []
    assert not Letter.objects.exists()


def test_who_is_disabled_after_it_was_posted_gets_none(olivier):
    letters.post(Letter.Kind.WELCOME, [User.objects.select_related("customer").get(pk=olivier.pk)])
    User.objects.filter(pk=olivier.pk).update(disabled=True)
    assert letters.send_due() == 0
    assert mail.outbox == []
    assert not Letter.objects.filter(next_at__isnull=False).exists()


def test_a_mail_server_that_is_down_costs_no_mail(olivier, settings, monkeypatch):
    class Refusing:
        def send(self):
            raise ConnectionRefusedError

    real = letters.write
    monkeypatch.setattr(letters, "write", lambda letter, user: Refusing())
    letters.post(Letter.Kind.WELCOME, [User.objects.select_related("customer").get(pk=olivier.pk)])
    assert letters.send_due() == 0
    letter = Letter.objects.get()
    assert letter.next_at > timezone.now()
    assert letter.sent_at is None
    monkeypatch.setattr(letters, "write", real)
    assert letters.send_due() == 0, "not before its time"
    Letter.objects.update(next_at=timezone.now() - timedelta(seconds=1))
    assert letters.send_due() == 1
    assert len(mail.outbox) == 1


def test_a_mail_server_that_says_nothing_holds_up_no_worker(olivier, settings):
    assert 0 < settings.EMAIL_TIMEOUT <= 30, "as every installation has it"
    with socket.socket() as hole:
        hole.bind(("127.0.0.1", 0))
        hole.listen()
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = hole.getsockname()
        settings.EMAIL_TIMEOUT = 0.2
        letters.post(Letter.Kind.WELCOME, [User.objects.select_related("customer").get(pk=olivier.pk)])
        assert letters.send_due() == 0
    letter = Letter.objects.get()
    assert letter.next_at > timezone.now(), "it is tried again"
    assert letter.sent_at is None


def test_a_letter_that_another_worker_holds_is_not_sent_twice(olivier):
    letters.post(Letter.Kind.WELCOME, [User.objects.select_related("customer").get(pk=olivier.pk)])
    key = Letter.objects.get().pk
    assert letters._send(key)
    assert not letters._send(key)
    assert len(mail.outbox) == 1


def test_after_the_last_try_it_is_given_up(olivier, monkeypatch):
    class Refusing:
        def send(self):
            raise ConnectionRefusedError

    monkeypatch.setattr(letters, "write", lambda letter, user: Refusing())
    letters.post(Letter.Kind.WELCOME, [User.objects.select_related("customer").get(pk=olivier.pk)])
    for _try in range(len(letters.RETRY_AFTER) + 1):
        Letter.objects.update(next_at=timezone.now() - timedelta(seconds=1))
        letters.send_due()
    assert Letter.objects.get().next_at is None


def test_mails_go_into_files_where_no_server_is_set(olivier, settings, tmp_path):
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    settings.EMAIL_FILE_PATH = str(tmp_path)
    letters.post(Letter.Kind.WELCOME, [User.objects.select_related("customer").get(pk=olivier.pk)])
    assert letters.send_due() == 1
    assert "olivier@boreale.example" in next(tmp_path.iterdir()).read_text()
