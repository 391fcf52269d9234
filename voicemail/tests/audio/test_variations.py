"""Sounds that nobody has sent yet: cut anywhere, changed anywhere, at any level and rate, in any kind of file, by either ffmpeg."""

import random
import struct
import subprocess
from array import array
from itertools import pairwise
from math import pi, sin
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import pytest

from voicemail.audio import AudioError, Fault, Sound, convert, look
from voicemail.audio.wav import samples_of
from voicemail.tests.audio.formats import chunk, edit, fmt, id3, riff
from voicemail.tests.audio.make import HLS, Maker, call, ff

pytestmark = pytest.mark.slow("runs ffmpeg for each of a hundred sounds")

# Kinds of file that say how much there is of them, in one way or another.
WHOLE = (
    "wav_16k_mono.wav", "wav_rf64.wav", "aiff.aiff", "flac.flac", "vorbis.ogg", "opus.opus", "mp3_vbr.mp3", "mp3_cbr.mp3",
    "mediarecorder.webm", "mediarecorder.mp4", "aac_moov_first.m4a", "aac_moov_last.m4a", "alac.m4a", "aac.3gp", "caf.caf",
    "au.au", "wma.wma", "aac_adts.aac",
)  # fmt: skip


def answer(data: bytes, **options: Any) -> Sound | Fault:
    """What becomes of a file."""
    try:
        return convert(data, **options)
    except AudioError as error:
        return error.fault


def stereo(left: "array[int]", right: "array[int]", rate: int = 44100) -> bytes:
    """Two channels as WAV."""
    samples = array("h", (one for both in zip(left, right, strict=True) for one in both))
    return riff(chunk(b"fmt ", fmt(channels=2, rate=rate)), chunk(b"data", samples.tobytes()))


def tone(
    seconds: float, level: float = -20.0, rate: int = 44100, pitch: int = 440, pause: float = 0.3
) -> "array[int]":
    """A tone that comes and goes twice a second; `level`: of its loudest samples, in dBFS."""
    height = 32767 * 10 ** (level / 20)
    return array(
        "h",
        (
            round(height * sin(2 * pi * pitch * at / rate)) if at / rate % 0.5 > pause else 0
            for at in range(round(seconds * rate))
        ),
    )


def mono(samples: "array[int]", rate: int = 44100) -> bytes:
    """One channel as WAV."""
    return riff(chunk(b"fmt ", fmt(rate=rate)), chunk(b"data", samples.tobytes()))


def values(sound: Sound) -> "array[int]":
    """The samples of a greeting as numbers."""
    found = samples_of(sound.wav)
    assert found is not None
    return array("h", found)


def peak(sound: Sound) -> int:
    """The loudest sample."""
    return max(abs(one) for one in values(sound))


@pytest.mark.parametrize("name", WHOLE)
def test_a_file_that_is_cut_anywhere_is_refused(name: str, sounds: Path) -> None:
    data = (sounds / name).read_bytes()
    chance = random.Random(name)
    for _ in range(2):
        found = answer(data[: int(len(data) * chance.uniform(0.05, 0.85))])
        assert found in (Fault.CUT_SHORT, Fault.BROKEN, Fault.EMPTY)


@pytest.mark.parametrize("name", ["mp3_vbr.mp3", "aac_moov_last.m4a", "opus.opus", "mediarecorder.webm", "flac.flac",
                                  "wma.wma", "amr.amr", "caf.caf", "wav_float32.wav", "aac_adts.aac"])  # fmt: skip
def test_a_file_with_other_bytes_anywhere_has_an_answer(name: str, sounds: Path) -> None:
    data = (sounds / name).read_bytes()
    chance = random.Random(name)
    for _ in range(2):
        changed = bytearray(data)
        for _ in range(chance.choice([1, 5, 40])):
            changed[chance.randrange(len(data))] = chance.randrange(256)
        found = answer(bytes(changed))
        assert isinstance(found, Fault) or (look(found.wav).ready and peak(found) < 29_500)


@pytest.mark.parametrize("rate", [4_000, 8_000, 11_025, 22_050, 96_000, 384_000])
def test_any_rate_keeps_its_length_and_its_pitch(rate: int) -> None:
    found = convert(mono(tone(1.0, rate=rate), rate), trim=False)
    assert found.seconds == pytest.approx(1.0, abs=0.02)
    heard = values(found)
    # Of the second half: a tone of 440 a second crosses zero 880 times a second.
    crossings = sum(one < 0 <= other for one, other in pairwise(heard[2600:3800]))
    assert crossings == pytest.approx(440 * 1200 / 8000, abs=2)


@pytest.mark.parametrize("level", [-59.0, -40.0, -20.0, -3.0, 0.0])
def test_quiet_and_loud_become_equally_loud(level: float) -> None:
    found = convert(mono(tone(2.0, level)))
    assert found.levelled
    assert found.loudness == pytest.approx(-23.0, abs=0.5)


def test_as_it_is_means_as_loud_as_it_is() -> None:
    quiet, loud = (convert(mono(tone(2.0, level)), level=False) for level in (-40.0, -10.0))
    assert not quiet.levelled
    assert quiet.loudness is not None
    assert loud.loudness is not None
    assert loud.loudness - quiet.loudness == pytest.approx(30.0, abs=0.5)
    assert peak(loud) == pytest.approx(32767 * 10 ** (-10 / 20), rel=0.05)


def test_both_channels_of_the_same_are_as_loud_as_one() -> None:
    one = tone(2.0, -10.0)
    assert peak(convert(stereo(one, one), level=False)) == pytest.approx(
        peak(convert(mono(one), level=False)), rel=0.02
    )


def test_channels_that_cancel_each_other_out_are_heard_all_the_same() -> None:
    left = tone(2.0)
    for part in (1.0, 0.98):
        found = convert(stereo(left, array("h", (-round(part * one) for one in left))))
        assert found.loudness == pytest.approx(-23.0, abs=0.5)
        # The tone, and not what is left of it.
        assert sum(abs(one) > 500 for one in values(found)) > found.samples / 4


def test_floats_beyond_full_scale_are_lowered_and_not_clipped() -> None:
    high = array("f", (one / 32767 * 8 for one in tone(2.0, 0.0)))
    found = convert(riff(chunk(b"fmt ", fmt(tag=3, bits=32, rate=44100)), chunk(b"data", high.tobytes())))
    plain = convert(mono(tone(2.0, 0.0)))
    assert max(abs(a - b) for a, b in zip(values(found), values(plain), strict=True)) < 40


@pytest.mark.parametrize("number", [float("nan"), float("inf"), 3e38])
def test_floats_that_are_no_sound_are_refused(number: float) -> None:
    data = array("f", [0.1, -0.1, number, 0.2] * 11025)
    found = answer(riff(chunk(b"fmt ", fmt(tag=3, bits=32, rate=44100)), chunk(b"data", data.tobytes())))
    assert found is Fault.BROKEN


def test_silence_at_either_end_is_taken_off_and_a_pause_within_isn_t() -> None:
    silence, said = array("h", bytes(2 * 44100)), tone(0.5, pause=-1.0)
    found = convert(mono(silence * 3 + said + silence + said + silence * 5))
    assert found.seconds == pytest.approx(0.1 + 0.5 + 1.0 + 0.5 + 0.15, abs=0.05)
    assert found.trimmed_ms == (pytest.approx(2900, abs=20), pytest.approx(4850, abs=20))
    whole = convert(mono(silence * 3 + said + silence), trim=False)
    assert whole.seconds == pytest.approx(4.5, abs=0.01)
    assert whole.trimmed_ms == (0, 0)


@pytest.mark.parametrize("seconds", [0.005, 0.02, 0.1, 0.39, 0.41])
def test_however_short_it_is_it_is_neither_silence_nor_blown_up(seconds: float) -> None:
    found = convert(mono(tone(seconds, -30.0, pause=-1.0)))
    assert found.seconds == pytest.approx(seconds, abs=0.002)
    assert peak(found) < 29_300


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("seconds", [0.1, 2.0])
def test_what_cannot_be_heard_is_silent(channels: int, seconds: float) -> None:
    faint = array("h", (at % 7 == 0 for at in range(round(seconds * 44100))))
    assert answer(stereo(faint, faint) if channels == 2 else mono(faint)) is Fault.SILENT


def test_clicks_that_can_never_be_loud_enough_are_as_loud_as_can_be_and_it_is_said() -> None:
    # Of one sample, at a rate that leaves it one.
    clicks = array("h", ((20_000 if at % 16_000 == 0 else 0) for at in range(5 * 8_000)))
    found = convert(stereo(clicks, clicks, 8_000))
    assert not found.levelled
    assert found.loudness is not None
    assert found.loudness < -24
    assert peak(found) < 29_500


@pytest.mark.parametrize("head", [b"ID3", b"\xff\xfb\x50\xc4", b"fLaC", b"OggS", b"#!AMR\n", b"caff", b".snd", b"\x1aE\xdf\xa3",
                                  b"\0\0\0\x10ftypM4A \0\0\0\0", b"FORM\0\0\0\0AIFF", b"RIFF\0\0\0\0WAVE",
                                  bytes.fromhex("3026B2758E66CF11")])  # fmt: skip
def test_a_playlist_behind_a_sounds_first_bytes_opens_nothing(head: bytes, sounds: Path) -> None:
    playlist = HLS.format(f"file://{sounds / 'canary.mp3'}").encode()
    front = id3(b"\0" * 9) if head == b"ID3" else head
    for data in (front + playlist, front + b"\n" * 400 + playlist):
        assert isinstance(answer(data), Fault)


def test_what_another_file_is_named_in_is_never_opened(sounds: Path) -> None:
    # The other file is there, and a careless reader opens it.
    m4a = (sounds / "aac_moov_last.m4a").read_bytes()
    place = f"file://{sounds / 'canary.mp3'}".encode() + b"\0"
    url = struct.pack(">II", 0, 1) + struct.pack(">I4sI", 12 + len(place), b"url ", 0) + place
    found = answer(edit(m4a, lambda kind, body: url if kind == b"dref" else body))
    # What it holds itself; the other has six seconds.
    assert isinstance(found, Fault) or found.seconds < 5


@pytest.mark.parametrize(
    ("options", "name", "fault"),
    [
        ("-c:a ac3", "x.mp4", Fault.UNKNOWN_KIND),
        ("-c:a ac3 -f matroska", "x.mka", Fault.UNKNOWN_KIND),
        ("-c:a mp2", "x.mp2", Fault.UNKNOWN_KIND),
        ("-c:a adpcm_swf -ar 22050", "x.wav", Fault.UNKNOWN_KIND),
        ("-f mp3 -c:a libmp3lame -ar 8000 -b:a 8k", "x", None),
        ("-c:a libopus -b:a 6k", "x.webm", None),
        ("-c:a flac", "x.oga", None),
        ("-c:a adpcm_ms", "x.wav", None),
        ("-c:a pcm_f64le", "x.wav", None),
        ("-c:a libmp3lame", "x.wav", None),
        ("-c:a wmav1", "x.wma", None),
        ("-ac 6 -c:a flac", "x.flac", None),
    ],
)
def test_other_coders_are_read_or_named(
    options: str, name: str, fault: Fault | None, sounds: Path, tmp_path: Path
) -> None:
    ff(sounds / "wav_16k_mono.wav", tmp_path / name, *options.split())
    found = answer((tmp_path / name).read_bytes())
    if fault is None:
        assert isinstance(found, Sound)
        assert found.levelled
        assert found.seconds == pytest.approx(6.22, abs=0.15)
    else:
        assert found is fault


def test_how_far_it_is_is_told_and_grows_to_the_whole(sounds: Path) -> None:
    for name in ("mp3_cbr.mp3", "quiet_with_click.wav"):
        told: list[float] = []
        convert((sounds / name).read_bytes(), progress=told.append)
        assert len(told) > 4
        assert told == sorted(told)
        assert told[-1] == 1.0


PACKAGED = ("aac_moov_last.m4a", "mediarecorder.webm", "opus.opus", "wma.wma", "amr.amr", "quiet_with_click.wav", "blip.wav",
            "mp3_cover.mp3", "x_cut.webm", "x_cut.flac", "x_video.mp4", "x_samples.m4a", "x_ebml_tracks.webm",
            "x_only_silence.wav")  # fmt: skip


@pytest.mark.parametrize("name", PACKAGED)
def test_the_ffmpeg_of_the_package_judges_as_the_systems_does(
    name: str, sounds: Path, verdicts: dict[str, Any]
) -> None:
    found, before = (
        answer((sounds / name).read_bytes(), program=imageio_ffmpeg.get_ffmpeg_exe()),
        verdicts["files"][name],
    )
    if isinstance(found, Fault):
        assert before.get("fault") == found
    else:
        assert found.seconds == pytest.approx(before["seconds"], abs=0.03)
        assert found.loudness == pytest.approx(before["loudness"], abs=0.2)


def test_a_voice_as_a_telephone_system_writes_it_keeps_its_length(sounds: Path, tmp_path: Path) -> None:
    # GSM in WAV, 65 bytes for 40 ms.
    voice = Maker(tmp_path, tmp_path).said("fr", 8000)
    call("sox", voice, "-e", "gsm-full-rate", tmp_path / "gsm.wav")
    found = convert((tmp_path / "gsm.wav").read_bytes())
    assert found.levelled
    done = subprocess.run(["sox", "--info", "-D", voice], capture_output=True, check=True, text=True)
    assert found.seconds + sum(found.trimmed_ms) / 1000 == pytest.approx(float(done.stdout), abs=0.05)
