"""What the phone system plays as it is, byte for byte, and everything that is nearly that."""

import io
import struct
import wave

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voicemail.audio import AudioError, Fault, clean, convert, cut, look, peaks
from voicemail.audio.wav import BIGGEST_FILE, MOST_SAMPLES, samples_of, written
from voicemail.tests.audio.formats import chunk, fmt, riff, wav8

# A second that rises to nine tenths of what can be, and falls again.
RAMP = struct.pack("<8000h", *(round(0.9 * 32767 * (1 - abs(at - 4000) / 4000)) for at in range(8000)))
DESCRIBED, SOUND = chunk(b"fmt ", fmt()), chunk(b"data", RAMP)
TITLE = chunk(b"LIST", b"INFO" + chunk(b"INAM", b"Accueil\0"))


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(wav8(RAMP), id="44 bytes and the samples"),
        pytest.param(wav8(RAMP, TITLE), id="a title behind"),
        pytest.param(riff(TITLE, DESCRIBED, SOUND), id="a title before"),
        pytest.param(
            riff(DESCRIBED, chunk(b"fact", b"\0\0\0\0"), SOUND, chunk(b"id3 ", b"x")), id="odd notes"
        ),
        pytest.param(wav8(b"\1\0"), id="a single sample"),
    ],
)
def test_what_is_right_already_is_kept_byte_for_byte(data: bytes) -> None:
    assert look(data).ready
    sound = convert(data, program="/nowhere")
    assert sound.kept
    assert sound.wav == data


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(riff(DESCRIBED, SOUND, size=4), id="says it is shorter"),
        pytest.param(riff(DESCRIBED, SOUND, size=len(RAMP) * 2), id="says it is longer"),
        pytest.param(wav8(RAMP) + b"\0", id="a byte behind the end"),
        pytest.param(wav8(RAMP + b"\0"), id="half a sample"),
        pytest.param(riff(DESCRIBED, chunk(b"JUNK", b"\0" * 28), SOUND), id="a part that isn't known"),
        pytest.param(riff(chunk(b"fmt ", fmt(rate=8001)), SOUND), id="8,001 a second"),
        pytest.param(riff(chunk(b"fmt ", fmt(byte_rate=8000)), SOUND), id="wrong bytes a second"),
        pytest.param(riff(chunk(b"fmt ", fmt(align=4)), SOUND), id="wrong bytes a moment"),
        pytest.param(riff(chunk(b"fmt ", fmt(channels=2)), SOUND), id="stereo"),
        pytest.param(riff(chunk(b"fmt ", fmt() + b"\0\0"), SOUND), id="a longer description"),
        pytest.param(riff(DESCRIBED, SOUND, magic=b"RF64"), id="RF64"),
        pytest.param(riff(chunk(b"fmt ", fmt(bits=12, align=2)), SOUND), id="twelve bits of sixteen"),
    ],
)
def test_what_is_nearly_right_is_converted(data: bytes) -> None:
    assert not look(data).ready


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        pytest.param(riff(DESCRIBED, SOUND, SOUND), Fault.BROKEN, id="two sounds"),
        pytest.param(wav8(b""), Fault.EMPTY, id="no samples"),
        pytest.param(riff(DESCRIBED, b"data\xff\xff\xff\xff"), Fault.EMPTY, id="no samples, of many"),
        pytest.param(riff(DESCRIBED, b"data\0\0\0\0", TITLE), Fault.EMPTY, id="a title instead of samples"),
        pytest.param(riff(DESCRIBED), Fault.EMPTY, id="a description alone"),
        pytest.param(riff(SOUND), Fault.NOT_AUDIO, id="no description"),
        pytest.param(riff(chunk(b"fmt ", fmt(rate=3999)), SOUND), Fault.BROKEN, id="too few a second"),
        pytest.param(riff(chunk(b"fmt ", fmt(rate=384001)), SOUND), Fault.BROKEN, id="too many a second"),
        pytest.param(riff(chunk(b"fmt ", fmt(channels=9)), SOUND), Fault.CHANNELS, id="nine channels"),
        pytest.param(riff(chunk(b"fmt ", fmt(bits=7, align=1)), SOUND), Fault.BROKEN, id="seven bits"),
        pytest.param(riff(b"fmt ", size=4), Fault.NOT_AUDIO, id="ends in a name"),
        pytest.param(riff(*[chunk(b"LIST", b"")] * 600, DESCRIBED, SOUND), Fault.BROKEN, id="600 parts"),
        pytest.param(
            riff(chunk(b"ds64", struct.pack("<QQQ", 0, 99999, 0)), DESCRIBED, SOUND, magic=b"RF64"),
            Fault.CUT_SHORT,
            id="RF64 that says more",
        ),
        pytest.param(wav8(RAMP)[:-1], Fault.CUT_SHORT, id="a byte is missing"),
        pytest.param(b"", Fault.EMPTY, id="nothing"),
        pytest.param(wav8(b"\0" * BIGGEST_FILE), Fault.TOO_BIG, id="too big"),
    ],
)
def test_what_contradicts_itself_is_refused_before_anything_reads_it(data: bytes, fault: Fault) -> None:
    with pytest.raises(AudioError) as refused:
        look(data)
    assert refused.value.fault is fault


def test_a_sound_written_into_a_pipe_may_begin_with_silence() -> None:
    look(riff(DESCRIBED, b"data\0\0\0\0" + b"\0" * 80000 + RAMP))


def test_a_file_as_large_as_can_be_is_kept_and_no_larger_one() -> None:
    data = written(b"\1\0" * MOST_SAMPLES)
    assert len(data) == BIGGEST_FILE
    assert convert(data).samples == MOST_SAMPLES
    with pytest.raises(AudioError, match="too_big"):
        convert(written(b"\1\0" * (MOST_SAMPLES + 1)))


def test_silence_in_the_right_format_is_kept_and_said_to_be_silence() -> None:
    assert convert(wav8(b"\0\0" * 800)).silent
    assert not convert(wav8(RAMP)).silent


def test_the_phone_system_is_given_the_samples_and_nothing_else() -> None:
    data = riff(TITLE, DESCRIBED, SOUND, chunk(b"LIST", b"<script>"))
    assert clean(data) == wav8(RAMP)
    with wave.open(io.BytesIO(clean(data))) as file:
        assert file.getparams()[:4] == (1, 2, 8000, 8000)
        assert file.readframes(8000) == RAMP
    with pytest.raises(ValueError, match="no greeting"):
        clean(wav8(RAMP) + b"x")


def test_a_part_between_two_moments_is_cut_out_and_fades_where_it_is_cut() -> None:
    found = samples_of(cut(wav8(RAMP, TITLE), 250, 750))
    assert found is not None
    assert len(found) == len(RAMP) // 2
    # But for the fades, what was there.
    assert found[100:-100] == RAMP[4100:-4100]
    assert abs(struct.unpack("<h", found[:2])[0]) < 100
    assert abs(struct.unpack("<h", found[-2:])[0]) < 1500


def test_a_cut_at_an_end_that_was_there_before_changes_nothing() -> None:
    assert cut(wav8(RAMP), 0, 1000) == wav8(RAMP)
    assert cut(wav8(RAMP), -5, 90_000) == wav8(RAMP)


@pytest.mark.parametrize(("start", "end"), [(500, 500), (700, 300), (1000, 2000), (-9, 0)])
def test_a_cut_that_leaves_nothing_is_refused(start: int, end: int) -> None:
    with pytest.raises(AudioError, match="empty"):
        cut(wav8(RAMP), start, end)


def test_a_waveform_has_as_many_points_as_are_asked_for_and_rises_with_the_sound() -> None:
    drawn = peaks(wav8(RAMP), 80)
    assert len(drawn) == 80
    assert drawn[:40] == sorted(drawn[:40])
    assert drawn[0] < 5
    assert max(drawn) == 90
    assert peaks(wav8(struct.pack("<3h", -32768, 0, 16384)), 6) == [100, 100, 0, 0, 50, 50]


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_whatever_stands_behind_a_head_is_looked_at_or_refused(more: bytes) -> None:
    for data in (
        riff(more),
        riff(DESCRIBED, more),
        riff(DESCRIBED, b"data" + more),
        b"RF64" + more,
        wav8(RAMP) + more,
    ):
        try:
            found = look(data)
        except AudioError:
            continue
        assert found.ready == (samples_of(data) is not None)
