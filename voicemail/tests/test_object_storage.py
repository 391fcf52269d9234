"""Greetings in an S3-compatible object store: a server that isn't ours, over HTTP, its bucket a folder that the tests look into."""

import logging
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from pbxadmin.settings import addresses
from pbxadmin.settings.base import env
from pbxadmin.tests.installation import free_port, until
from signin.tests.signing import sign_in_fully
from voicemail.greetings import sounds
from voicemail.greetings.making import RefusedError
from voicemail.models import Greeting, Incoming, Sound
from voicemail.tests.sounds import ready_wav, tone
from voicemail.tests.test_library import give

pytestmark = pytest.mark.slow("talks to a store over HTTP")

SECRET = "s3/cret+of=the:store"


class Store:
    """The server, which can go away and come back."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.bucket = folder / "greetings-of-all"
        self.bucket.mkdir(parents=True)
        self.start()

    @property
    def url(self) -> str:
        secret = SECRET.replace("/", "%2F").replace("+", "%2B").replace(":", "%3A")
        return f"s3://OURKEY:{secret}@127.0.0.1:{self.port}/{self.bucket.name}?region=ca-central-1&tls=0"

    def start(self) -> None:
        command = [sys.executable, "-m", "localbucket", "--port", str(self.port), str(self.folder)]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until(self._listens)

    def _listens(self) -> bool:
        with socket.socket() as tried:
            return tried.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()

    def files(self) -> list[Path]:
        """Everybody's sounds, and what comes in."""
        return sorted(path for path in self.bucket.rglob("*") if path.is_file())


@pytest.fixture
def store(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """The portal with STORAGE_URL."""
    store = Store(tmp_path / "store")
    monkeypatch.setenv("STORAGE_URL", store.url)
    settings.STORAGES = settings.STORAGES | {"default": addresses.storage(env)}
    yield store
    store.stop()


def sound_page(felix: Any, greeting: Greeting, **headers: str) -> Any:
    url = reverse("greetings_sound", args=[greeting.customer.slug, greeting.user.number, greeting.pk])
    return sign_in_fully(Client(), felix).get(url, headers=headers)


def check(*options: str) -> str:
    """What `check_greetings` says where something is wrong; "" where nothing is."""
    try:
        call_command("check_greetings", *options)
    except CommandError as error:
        return str(error)
    return ""


def test_a_greeting_lies_in_the_store_is_heard_from_it_and_goes_from_it(store, felix, amelie, boreale):
    content = ready_wav()
    greeting = give(felix, boreale, amelie, content=content)
    assert [path.read_bytes() for path in store.files()] == [content]
    assert str(store.files()[0]).endswith(greeting.sound.path)
    assert sounds.read(greeting.sound) == content
    assert sound_page(felix, greeting).content == content
    part = sound_page(felix, greeting, range="bytes=100-199")
    assert (part.status_code, part.content) == (206, content[100:200])
    assert sound_page(felix, greeting, range="bytes=99999-").status_code == 416
    greeting.delete()
    default_storage.delete(greeting.sound.path)  # as if it had been killed before it deleted the row
    sounds.erase(greeting.sound)
    assert store.files() == []
    assert not Sound.objects.exists()


def test_nothing_is_ever_written_over_what_is_in_the_store(store, boreale):
    default_storage.save("greetings/1/one.wav", ContentFile(b"first"))
    with pytest.raises(FileExistsError):
        default_storage._save("greetings/1/one.wav", ContentFile(b"second"))
    assert default_storage.save("greetings/1/one.wav", ContentFile(b"third")) != "greetings/1/one.wav"
    assert (store.bucket / "greetings/1/one.wav").read_bytes() == b"first"


def test_what_is_wrong_in_the_store_is_found_and_mended(store, felix, amelie, boreale, capsys):
    lost, damaged, well = (give(felix, boreale, amelie, name=name) for name in ("Un", "Deux", "Trois"))
    default_storage.delete(lost.sound.path)
    (store.bucket / damaged.sound.path).write_bytes(b"RIFF")
    (store.bucket / "greetings" / "incoming").mkdir()
    orphan = store.bucket / "greetings" / "incoming" / "nobodys"
    orphan.write_bytes(b"x")
    assert check().startswith("3 found")
    assert check("--mend") == ""
    assert check() == ""
    assert not orphan.exists()
    assert list(Greeting.objects.in_library().filter(user=amelie)) == [well]


def test_a_store_that_is_away_is_said_and_nothing_is_lost(store, felix, amelie, boreale, caplog):
    caplog.set_level(logging.DEBUG)
    greeting = give(felix, boreale, amelie)
    store.stop()
    for content in (ready_wav(), tone(1, rate=44_100)):
        with pytest.raises(RefusedError, match="pas pu être"):
            give(felix, boreale, amelie, name="Absent", content=content)
    assert list(Greeting.objects.in_library().filter(user=amelie)) == [greeting]
    answer = sound_page(felix, greeting)
    assert (answer.status_code, "no-store" in answer["Cache-Control"]) == (503, True)
    for options in ((), ("--mend",)):
        assert "can't be read" in check(*options), "what can't be read isn't lost"
    later = timezone.now() + timedelta(days=2)
    sounds.sweep(later)
    assert (Sound.objects.count(), Incoming.objects.count()) == (2, 1), "what may have a file keeps its row"
    store.start()
    assert sounds.read(greeting.sound)
    assert check() == ""
    sounds.sweep(later)
    assert (Sound.objects.count(), Incoming.objects.count(), len(store.files())) == (1, 0, 1)
    assert SECRET not in caplog.text


def test_no_request_is_made_and_no_client_imported_without_the_setting():
    said = "import django; django.setup(); from django.core.files.storage import default_storage; default_storage.exists('x')"
    code = f"import sys; {said}; sys.exit(any(name.split('.')[0] in ('boto3', 'botocore', 'storages') for name in sys.modules))"
    environment = {"DJANGO_SETTINGS_MODULE": "pbxadmin.settings.test", "PATH": "/usr/bin:/bin"}
    assert subprocess.run([sys.executable, "-c", code], env=environment).returncode == 0
