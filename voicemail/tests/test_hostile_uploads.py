"""What strangers to good manners send to a library: names, sizes, bodies, keys, moments. Each has an answer in the reader's language."""

import tempfile
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from forwarding.models import ForwardingRule
from signin.tests.signing import sign_in_fully
from users.models import Job
from users.tests.factories import make_user
from voicemail.greetings import sounds
from voicemail.models import Greeting, Incoming, Mailbox, Sound
from voicemail.tests.sounds import make_greeting, ready_wav, tone

pytestmark = pytest.mark.slow("sends anything to every address of greetings")

MIB = 1024 * 1024
# Keys that name nothing, and texts that are no keys.
NO_KEYS = (
    "", "0", "-1", "999999", "9" * 18, "9" * 19, "9" * 4000, "²", "\u0663", "1e3", "1.0", "0x1", "null", "[]", "\x00", "a\nb",
    "1 OR 1=1", "../1",
)  # fmt: skip


@pytest.fixture(autouse=True)
def temporary(settings, tmp_path, monkeypatch):
    """Folders of their own for what is kept and for what is on its way."""
    settings.MEDIA_ROOT = tmp_path / "media"
    folder = tmp_path / "temporary"
    folder.mkdir()
    settings.FILE_UPLOAD_TEMP_DIR = str(folder)
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def address(person, page, *rest):
    return reverse(f"greetings_{page}", args=[person.customer.slug, person.number, *rest])


def named(name, content=None):
    """A file whose name stands in the form as it was sent: Django's class for tests would clean it."""
    file = SimpleUploadedFile("x", ready_wav() if content is None else content)
    file._name = name
    return file


def kept():
    """Everything that is there of greetings."""
    there = Greeting.objects.exclude(customer=None).count(), Sound.objects.count(), Incoming.objects.count()
    return (*there, Job.objects.count(), len(list(sounds._files("greetings"))))


def send(client, person, **data):
    """As the page's script sends it."""
    return client.post(address(person, "add"), data, headers={"hx-request": "true"})


def refused(response, *words):
    """Whether an answer says why not, in its place on the page."""
    page = response.content.decode()
    said = page.partition('role="alert"')[2].partition("</p>")[0]
    return response.status_code == 422 and all(word in said for word in words)


# --- Names ------------------------------------------------------------------------------------------------------
def test_a_greeting_takes_its_name_from_any_name_of_a_file_and_no_path_from_it(
    felix, amelie, temporary, settings
):
    client = sign_in_fully(Client(), felix)
    for sent, called in (
        ("../../x.wav", "x"), ("..\\..\\y.wav", "y"), ("/etc/passwd", "passwd"), ('\\"; rm.wav', '"; rm'), ("a\u202egpj.wav", "agpj"),
        ("z" * 300 + ".wav", "z" * 80), (".wav", "Message d'accueil"), ("   .mp3", "Message d'accueil"), ("$(id) `id`.wav", "$(id) `id`"),
        ("<script>alert(1)</script>.wav", "script>"), ("{{ 7*7 }}.wav", "{{ 7*7 }}"), ("été.tar.gz", "été.tar"), ("\u200b.wav", "Message d'accueil"),
    ):  # fmt: skip
        answer = send(client, amelie, sound=named(sent))
        assert answer.status_code == 200, (sent, answer.content.decode()[:2000])
        greeting = Greeting.objects.filter(user=amelie).latest("pk")
        assert greeting.name == called, sent
        assert "<script>alert" not in answer.content.decode()
        assert client.get(address(amelie, "sound", greeting.pk)).status_code == 200
        Greeting.objects.filter(pk=greeting.pk).delete()
    assert sounds.find_faults() == sounds.Faults([], [])
    assert [path.name for path in Path(settings.MEDIA_ROOT).iterdir()] == ["greetings"]
    assert list(temporary.iterdir()) == []


def test_a_name_that_no_library_takes_is_refused_in_the_readers_language_and_nothing_is_kept(
    felix, amelie, temporary
):
    client = sign_in_fully(Client(), felix)
    before = kept()
    for language, word in (("fr", "Erreur"), ("en", "Error")):
        client.cookies["django_language"] = language
        for name in ("x" * 81, "x" * 300, "a\nb", "a\u202eb", "a\x07b"):
            for data in (ready_wav(), tone(1, rate=16000)):
                assert refused(send(client, amelie, sound=named("x.wav", data), name=name), word), repr(name)
    assert kept() == before
    greeting = make_greeting(amelie.customer, amelie)
    for name in ("", "  ", "x" * 81, "a\nb", "a\u202eb"):
        answer = client.post(
            address(amelie, "rename", greeting.pk), {"name": name}, headers={"hx-request": "true"}
        )
        assert refused(answer), repr(name)
    greeting.refresh_from_db()
    assert greeting.name == "Vacances"
    assert list(temporary.iterdir()) == []


# --- Sizes and bodies -------------------------------------------------------------------------------------------
def test_what_is_no_sound_or_too_much_of_it_is_refused_and_leaves_nothing(felix, amelie, temporary):
    client = sign_in_fully(Client(), felix)
    before = kept()
    head = ready_wav()[:44]
    for language, words in (
        ("fr", ("dépasse 10", "aucun son", "fichier audio", "Choisissez")),
        ("en", ("larger than 10", "no sound", "audio file", "Choose")),
    ):
        client.cookies["django_language"] = language
        for content, word in (
            (head + bytes(11 * MIB), words[0]), (head + bytes(10 * MIB + 1 - 44), words[0]), (b"", words[1]),
            (b"<svg xmlns='http://www.w3.org/2000/svg'/>", words[2]), (b"MZ" * 90, words[2]),
        ):  # fmt: skip
            answer = send(client, amelie, sound=named("a.wav", content))
            assert refused(answer, word), (language, len(content))
        assert refused(send(client, amelie), words[3])
        assert refused(send(client, amelie, sound="RIFF"), words[3])
        assert refused(send(client, amelie, other=named("a.wav")), words[3])
    assert kept() == before
    assert list(temporary.iterdir()) == []


def test_a_body_of_another_kind_is_answered_and_keeps_nothing(felix, amelie, temporary):
    client = sign_in_fully(Client(), felix)
    before = kept()
    boundary = "multipart/form-data; boundary=x"
    for kind, body in (
        ("application/json", b'{"sound": "x"}'), ("audio/wav", ready_wav()), ("text/plain", b"sound=1"), ("", b"\xff\xfe"),
        ("multipart/form-data", b"sound"), ("multipart/form-data; boundary=", b"--\r\n"), (boundary, b""), (boundary, b"--x"),
        (boundary, b'--x\r\nContent-Disposition: form-data; name="sound"; filename="a.wav"\r\n\r\n' + ready_wav()[:99]),
        (boundary, b'--x\r\nContent-Disposition: form-data; name="sound"; filename=""\r\n\r\n\r\n--x--'),
        (boundary, b'--x\r\nContent-Disposition: form-data; name="sound"; filename=".."\r\n\r\nRIFF\r\n--x--'),
        (boundary, b'--x\r\nContent-Disposition: form-data; name="sound"; filename="a.wav"\r\nContent-Transfer-Encoding: base64\r\n\r\n@@@\r\n--x--'),
        (boundary, b"".join(b'--x\r\nContent-Disposition: form-data; name="f%d"; filename="a"\r\n\r\n1\r\n' % at for at in range(120)) + b"--x--"),
        ("multipart/form-data; boundary=x; charset=utf-7", b"--x--"), ("application/x-www-form-urlencoded; charset=hex", b"sound=%ff%00"),
    ):  # fmt: skip
        answer = client.generic("POST", address(amelie, "add"), body, kind, headers={"hx-request": "true"})
        assert answer.status_code in (400, 413, 422), (kind, body[:60], answer.status_code)
        assert answer.content
    assert kept() == before
    assert list(temporary.iterdir()) == []


def test_of_several_files_and_keys_one_greeting_comes_at_most(felix, amelie):
    client = sign_in_fully(Client(), felix)
    own = make_greeting(amelie.customer, amelie)
    answer = send(client, amelie, sound=[named("a.wav"), named("b.wav")], made=["browser", "<b>", "phone"])
    assert answer.status_code == 200
    assert Greeting.objects.filter(user=amelie).count() == 2
    assert Greeting.objects.filter(user=amelie).latest("pk").made == "upload"
    answer = send(client, amelie, sound=named("a.wav", ready_wav(2)), greeting=["999999", str(own.pk)])
    assert answer.status_code == 200
    assert Greeting.objects.filter(user=amelie).count() == 2


# --- Keys -------------------------------------------------------------------------------------------------------
def test_no_key_of_somebody_else_leads_anywhere_at_any_address(felix, amelie, ines, laurier, temporary):
    foreign = make_user(laurier, "150", "Zoé", "Ailleurs")
    others = [make_greeting(laurier, foreign), make_greeting(laurier), make_greeting(amelie.customer, ines)]
    gone = make_greeting(amelie.customer, amelie, name="Partie")
    Greeting.objects.filter(pk=gone.pk).update(deleted_at="2026-01-01T00:00Z")
    keys = [*(each.pk for each in (*others, gone)), 0, 2**31, 2**63 - 1, 2**63, 10**30]
    client = sign_in_fully(Client(), felix)
    before = kept(), list(Greeting.objects.order_by("pk").values())
    data = {"confirmed": "1", "name": "À moi", "start": "0", "end": "0.5", "where": "voicemail.default_greeting", "seen": "1"}  # fmt: skip
    for key in keys:
        for page in ("rename", "trim", "use", "share", "delete"):
            assert client.post(address(amelie, page, key), data).status_code == 404, (page, key)
        for page in ("sound", "delete"):
            assert client.get(address(amelie, page, key)).status_code == 404, (page, key)
        assert send(client, amelie, sound=named("a.wav"), greeting=str(key)).status_code == 404, key
    for key in set(NO_KEYS) - {"", "\x00"}:
        assert send(client, amelie, sound=named("a.wav"), greeting=key).status_code == 404, repr(key)
    assert (kept(), list(Greeting.objects.order_by("pk").values())) == before
    assert not Mailbox.objects.filter(user=amelie).exclude(default_greeting=None).exists()
    assert list(temporary.iterdir()) == []


def test_neither_the_companys_door_nor_ones_own_opens_another_library(felix, amelie, ines, laurier):
    foreign, companys = make_greeting(laurier), make_greeting(amelie.customer, name="Fermé")
    theirs, own = make_greeting(amelie.customer, ines), make_greeting(amelie.customer, amelie)
    waiting = Incoming.objects.create(customer=laurier, starter=felix, name="x")
    data = {"confirmed": "1", "name": "À moi", "start": "0", "end": "0.5", "where": "voicemail.default_greeting"}  # fmt: skip
    before = list(Greeting.objects.order_by("pk").values())
    for actor, door, parts, keys in (
        (felix, "company_greetings", [felix.customer.slug], (foreign.pk, theirs.pk, own.pk, 2**63)),
        (amelie, "own_greetings", [], (foreign.pk, theirs.pk, 2**63)),
    ):
        client = sign_in_fully(Client(), actor)
        for key in keys:
            for page in ("rename", "trim", "delete"):
                assert client.post(reverse(f"{door}_{page}", args=[*parts, key]), data).status_code == 404
            assert client.get(reverse(f"{door}_sound", args=[*parts, key])).status_code == 404
            new = {"sound": named("a.wav"), "greeting": str(key)}
            assert client.post(reverse(f"{door}_add", args=parts), new).status_code == 404
        assert client.post(reverse(f"{door}_put_away", args=[*parts, waiting.pk])).status_code == 302
        assert client.post(reverse(f"{door}_put_away", args=[*parts, 2**70])).status_code == 302
    for page in ("rename", "trim", "delete"):
        assert client.post(reverse(f"own_greetings_{page}", args=[companys.pk]), data).status_code == 404
    assert client.post(reverse("own_greetings_use", args=[theirs.pk]), data).status_code == 404
    assert list(Greeting.objects.order_by("pk").values()) == before
    assert Incoming.objects.filter(pk=waiting.pk).exists()


# --- Moments, places, versions, parts -----------------------------------------------------------------------------
def test_no_moment_cuts_a_greeting_into_something_else(felix, amelie):
    client = sign_in_fully(Client(), felix)
    greeting = make_greeting(amelie.customer, amelie)
    before = kept(), greeting.sound_id
    for start, end in (
        ("nan", "1"), ("0", "nan"), ("inf", "inf"), ("-inf", "inf"), ("0", "1e999"), ("-1", "0.5"), ("0", "-0.5"), ("0.5", "0"), ("0.5", "0.5"),
        ("1e300", "1e301"), ("5", "9"), ("", ""), ("0", ""), ("a", "b"), ("0,1,2", "3"), ("9" * 5000, "1"), ("0x0", "0x1"), ("0", "0.00001"), ("\x00", "1"),
        ("0", "1e18"), ("1_0", "2_0"),
    ):  # fmt: skip
        answer = client.post(address(amelie, "trim", greeting.pk), {"start": start, "end": end}, headers={"hx-request": "true"})  # fmt: skip
        assert refused(answer), (start[:9], end[:9], answer.status_code)
    greeting.refresh_from_db()
    stale = {"start": "0", "end": "0.5", "seen": "99"}
    answer = client.post(address(amelie, "trim", greeting.pk), stale, headers={"hx-request": "true"})
    assert refused(answer, "entre-temps")
    assert (kept(), greeting.sound_id) == before
    answer = client.post(address(amelie, "trim", greeting.pk), {"start": "0,25", "end": " 0.75 "}, headers={"hx-request": "true"})  # fmt: skip
    assert answer.status_code == 200
    greeting.refresh_from_db()
    assert greeting.sound.samples == 4000


def test_a_place_or_a_version_that_nobody_offered_changes_nothing(felix, amelie):
    client = sign_in_fully(Client(), felix)
    greeting = make_greeting(amelie.customer, amelie)
    for where in ("", "user.role", "voicemail.pin", "away.action", "__class__", "x" * 9999, "\x00", "voicemail.default_greeting\n", "é"):  # fmt: skip
        answer = client.post(address(amelie, "use", greeting.pk), {"where": where}, follow=True)
        assert answer.status_code == 200, where
        assert "Rechargez la page" in " ".join(map(str, answer.context["messages"])), where
    assert client.post(address(amelie, "use", greeting.pk)).status_code == 302
    assert not Mailbox.objects.filter(user=amelie, default_greeting=greeting).exists()
    assert not ForwardingRule.objects.filter(greeting=greeting).exists()
    for at, seen in enumerate(NO_KEYS[::2]):
        data = {"name": f"Autre {at}", "seen": seen}
        answer = client.post(address(amelie, "rename", greeting.pk), data, headers={"hx-request": "true"})
        assert answer.status_code in (200, 422), repr(seen)


def test_no_wish_for_a_part_breaks_a_sound(felix, amelie):
    client = sign_in_fully(Client(), felix)
    greeting = make_greeting(amelie.customer, amelie)
    whole = client.get(address(amelie, "sound", greeting.pk)).content
    for asked in (
        "bytes=" + "0-1," * 500, "bytes=" + "9" * 5000 + "-", "bytes=\u0663-\u0664", "bytes=0-\u0664", "bits=0-1", "bytes", "bytes=--1",
        "bytes=-0", "bytes=1-0", "BYTES=0-1", "\x00", "bytes=0 - 1", "bytes=-1-",
    ):  # fmt: skip
        answer = client.get(address(amelie, "sound", greeting.pk), headers={"range": asked})
        assert (answer.status_code, answer.content) in ((200, whole), (416, b"")), asked[:30]
