"""The provider's standard greetings: there, in both languages, as the phone system plays them, and heard in a library."""

import io
import re
import subprocess
import wave

import pytest
from django.test import Client
from django.urls import reverse

from signin.tests.signing import sign_in_fully
from voicemail import audio, standard_greetings
from voicemail.audio import ffmpeg
from voicemail.models import Greeting

SOUNDS = [(slug, language) for slug, *_names in standard_greetings.GREETINGS for language in ("fr", "en")]


@pytest.fixture(scope="module")
def contents():
    """What callers hear, by greeting and language."""
    return {
        (slug, language): standard_greetings.content_of(Greeting(standard=slug), language)
        for slug, language in SOUNDS
    }


def test_each_is_there_in_both_languages_as_the_phone_system_plays_it(contents):
    for name, content in contents.items():
        assert content is not None, name
        assert audio.look(content).ready, name
        assert len(content) < 100_000, name
        with wave.open(io.BytesIO(content)) as file:
            assert 2 <= file.getnframes() / file.getframerate() <= 12, name
            assert len(content) == 44 + 2 * file.getnframes(), name
    assert len(set(contents.values())) == len(SOUNDS) == 12
    files = {path.stem for path in standard_greetings.FOLDER.glob("*.wav")}
    assert files == {f"{slug}-{language}" for slug, language in SOUNDS}


def test_each_is_as_loud_as_every_other_greeting():
    files = [standard_greetings.FOLDER / f"{slug}-{language}.wav" for slug, language in SOUNDS]
    graph = ";".join(f"[{at}:a]ebur128@{at}=framelog=verbose[o{at}]" for at, _ in enumerate(files))
    inputs = [part for file in files for part in ("-i", str(file))]
    outputs = [part for at, _ in enumerate(files) for part in ("-map", f"[o{at}]", "-f", "null", "-")]
    command = [ffmpeg.program(), "-nostdin", "-hide_banner", "-nostats", *inputs, "-filter_complex", graph, *outputs]  # fmt: skip
    said = subprocess.run(command, capture_output=True, check=True, text=True).stderr
    found = dict(re.findall(r"^\[ebur128@(\d+) [^\n]*Summary:$.*?I: +(\S+) LUFS", said, re.M | re.S))
    assert len(found) == 12
    assert {name: loud for name, loud in found.items() if not -24 <= float(loud) <= -22} == {}


def test_a_library_plays_them_in_the_language_of_its_reader(amelie, contents):
    client = sign_in_fully(Client(), amelie)
    greetings = list(Greeting.objects.filter(customer=None))
    assert len(greetings) == 6
    page = client.get(reverse("own_greetings_page")).content.decode()
    for greeting in greetings:
        url = reverse("own_greetings_sound", args=[greeting.pk])
        assert url in page
        for language in ("fr", "en"):
            client.cookies["django_language"] = language
            assert client.get(url).content == contents[greeting.standard, language], greeting.standard
