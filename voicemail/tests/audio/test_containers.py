"""What a file is, by its first bytes; what is no sound, or not a whole one, is refused before anything converts it."""

import io
import random
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voicemail.audio import AudioError, Fault, look, read_limited
from voicemail.audio.containers import AAC, AMR, ASF, AU, CAF, FLAC, MATROSKA, MOV, MP3, OGG, Kind
from voicemail.tests.audio.formats import EBML_HEAD, box, id3, ogg_page, webm

MP3_FRAME = b"\xff\xfb\x50\xc4" + b"\0" * 400
AAC_FRAME = b"\xff\xf1\x50\x80\x0d\x40\0" + b"\0" * 99
FILE_TYPE = box(b"ftyp", b"M4A \0\0\0\0")
FACTS, LIVE = (
    bytes.fromhex("A1DCAB8C47A9CF118EE400C00C205365") + b"\0" * 72 + struct.pack("<I", flags) + b"\0" * 12
    for flags in (2, 3)
)
STREAM_PROPERTIES = b"\x91\x07\xdc\xb7\xb7\xa9\xcf\x11\x8e\xe6\x00\xc0\x0c\x20\x53\x65"
LOCK = bytes.fromhex("FBB31122 23BDD211 B4B700A0C955FC6E")


def described(entry: bytes) -> bytes:
    """The description of an ISO file with one track that is coded so."""
    body = box(b"stsd", b"\0" * 8 + box(entry, b"\0" * 28))
    for name in (b"stbl", b"minf", b"mdia", b"trak", b"moov"):
        body = box(name, body)
    return body


def windows_media(objects: bytes) -> bytes:
    """The head of a WMA file."""
    head = bytes.fromhex("3026B2758E66CF11A6D900AA0062CE6C")
    packets = bytes.fromhex("3626B2758E66CF11A6D900AA0062CE6C") + struct.pack("<Q", 50) + b"\0" * 26
    return head + struct.pack("<QIH", 30 + len(objects), 1, 0x0201) + objects + packets


def answer(data: bytes) -> Fault | None:
    """Why a file is refused; None: it isn't."""
    try:
        look(data)
    except AudioError as error:
        return error.fault
    return None


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (MP3_FRAME, MP3),
        (id3(b"\0" * 20) + MP3_FRAME, MP3),
        (id3(b"") + id3(b"\0" * 20) + MP3_FRAME, MP3),
        (AAC_FRAME, AAC),
        (id3(b"\0" * 20) + AAC_FRAME, AAC),
        (id3(b"\0" * 20) + b"fLaC\0", FLAC),
        (b"fLaC\0", FLAC),
        (ogg_page([b"x"], 0, 0), OGG),
        (ogg_page([b"x"], 0, 0) + ogg_page([b"y" * 600], 0, 1, 4), OGG),
        (EBML_HEAD, MATROSKA),
        (b"#!AMR-WB\n" + b"\x4c" + b"\0" * 5, AMR),
        (FILE_TYPE + described(b"mp4a"), MOV),
        (FILE_TYPE + box(b"mdat", b"drms" * 9) + described(b"mp4a"), MOV),
        (windows_media(STREAM_PROPERTIES), ASF),
        (windows_media(LIVE)[:-1], ASF),
        (b"#!AMR\n" + (b"\x3c" + b"\0" * 31) * 2 + b"\x7c", AMR),
        (AAC_FRAME + AAC_FRAME + b"TAG", AAC),
        (b"caff\0\1\0\0", CAF),
        (b".snd\0\0\0\x18", AU),
    ],
)
def test_a_file_is_what_its_first_bytes_say(data: bytes, kind: Kind) -> None:
    found = look(data)
    assert found.kind is kind
    assert not found.ready


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        pytest.param(b"#EXTM3U\nfile:///etc/passwd", Fault.PLAYLIST, id="HLS"),
        pytest.param(b"\xef\xbb\xbf\n #EXTM3U\nx.mp3", Fault.PLAYLIST, id="HLS behind a mark"),
        pytest.param(b"ffconcat version 1.0\nfile x.mp3", Fault.PLAYLIST, id="ffconcat"),
        pytest.param(b"[Playlist]\nFile1=http://x/", Fault.PLAYLIST, id="PLS"),
        pytest.param(b"<ASX version='3.0'>", Fault.PLAYLIST, id="ASX"),
        pytest.param(b"file 'x.mp3'\n", Fault.NOT_AUDIO, id="a list without a head"),
        pytest.param(b"<!doctype html><p>", Fault.NOT_AUDIO, id="a page"),
        pytest.param(b"<svg xmlns='http://www.w3.org/2000/svg'/>", Fault.NOT_AUDIO, id="a drawing"),
        pytest.param(b"PK\3\4" + b"\0" * 60, Fault.NOT_AUDIO, id="an archive"),
        pytest.param(b"MThd\0\0\0\6", Fault.NOT_AUDIO, id="notes (MIDI)"),
        pytest.param(b"\x89PNG\r\n\x1a\n", Fault.NOT_AUDIO, id="a picture"),
        pytest.param("Bonjour".encode("utf-16"), Fault.NOT_AUDIO, id="text of 16 bits"),
        pytest.param(b"RIFF\x10\0\0\0AVI LIST", Fault.NOT_AUDIO, id="AVI"),
        pytest.param(b"FORM\0\0\0\x10ILBM", Fault.NOT_AUDIO, id="a picture of the Amiga"),
        pytest.param(b"\xff", Fault.NOT_AUDIO, id="one byte"),
        pytest.param(b"\xff\xf1\xfc\x80", Fault.NOT_AUDIO, id="AAC at a rate that isn't"),
        pytest.param(b"\xff\xfb\xf0\xc4", Fault.NOT_AUDIO, id="MP3 at a rate that isn't"),
        pytest.param(b"\xff\xfd\x50\xc4", Fault.UNKNOWN_KIND, id="MP2"),
        pytest.param(b"wvpk\0\0\0\0", Fault.UNKNOWN_KIND, id="WavPack"),
        pytest.param(b".ra\xfd\0\4", Fault.UNKNOWN_KIND, id="RealAudio"),
        pytest.param(id3(b"\0" * 20), Fault.EMPTY, id="titles without a sound"),
        pytest.param(id3(b"", size=1 << 20) + MP3_FRAME, Fault.CUT_SHORT, id="titles beyond the end"),
        pytest.param(b"ID3\3\0", Fault.CUT_SHORT, id="ends in a tag"),
        pytest.param(ogg_page([b"x" * 90], 0, 0)[:-1], Fault.CUT_SHORT, id="half a page of Ogg"),
        pytest.param(
            ogg_page([b"x" * 90], 0, 0) + b"OggS\0", Fault.CUT_SHORT, id="the head of a page of Ogg"
        ),
        pytest.param(FILE_TYPE, Fault.CUT_SHORT, id="M4A without a description"),
        pytest.param(FILE_TYPE + described(b"mp4a")[:-9], Fault.CUT_SHORT, id="half a description"),
        pytest.param(FILE_TYPE + described(b"drms"), Fault.PROTECTED, id="as a shop sold it"),
        pytest.param(FILE_TYPE + described(b"enca"), Fault.PROTECTED, id="encrypted"),
        pytest.param(FILE_TYPE + b"\0\0\0\3moov", Fault.BROKEN, id="a box smaller than its head"),
        pytest.param(FILE_TYPE + box(b"free", b"") * 3000, Fault.BROKEN, id="3,000 boxes"),
        pytest.param(windows_media(LOCK), Fault.PROTECTED, id="WMA for one player"),
        pytest.param(windows_media(b"")[:20], Fault.CUT_SHORT, id="half a head of WMA"),
        pytest.param(windows_media(FACTS)[:-1], Fault.CUT_SHORT, id="WMA without its last byte"),
        pytest.param(b"#!AMR\n" + b"\x3c" + b"\0" * 30, Fault.CUT_SHORT, id="half a frame of AMR"),
        pytest.param(b"#!AMR\n" + b"\x6c" + b"\0" * 31, Fault.BROKEN, id="a frame of AMR of no kind"),
        pytest.param(b"#!AMR\n" + b"\x7c" * 10_000_000, Fault.TOO_LONG, id="ten million frames of AMR"),
        pytest.param(b"\xff\xf1\x50\x80\0\xe0\0" * 1_400_000, Fault.TOO_LONG, id="a million frames of AAC"),
        pytest.param(AAC_FRAME + AAC_FRAME[:-1], Fault.CUT_SHORT, id="half a frame of AAC"),
    ],
)
def test_what_is_plainly_no_sound_or_not_a_whole_one_is_refused_and_says_why(
    data: bytes, fault: Fault
) -> None:
    with pytest.raises(AudioError) as refused:
        look(data)
    assert refused.value.fault is fault


def test_boxes_within_boxes_cost_no_more_than_their_number() -> None:
    deep = b"\0" * 8
    for _ in range(4000):
        deep = box(b"trak", deep)
    look(FILE_TYPE + box(b"moov", deep))
    look(FILE_TYPE + box(b"moov", box(b"trak", box(b"mdia", b"") * 1100) * 1100))


HEADS = [
    b"",
    b"fLaC",
    b"OggS",
    EBML_HEAD,
    b"#!AMR\n",
    FILE_TYPE,
    windows_media(b""),
    b"caff",
    b"ID3",
    b"\xff",
    b"FORM",
]


@settings(deadline=None)
@given(st.sampled_from(HEADS), st.binary(max_size=300))
def test_whatever_stands_behind_a_signature_is_looked_at_or_refused(head: bytes, more: bytes) -> None:
    assert answer(head + more) in (None, *Fault)


def test_a_box_that_holds_itself_or_nothing_ends_the_search() -> None:
    chance = random.Random(1)
    for _ in range(300):
        size = chance.choice([0, 1, 7, 8, 16, 2**31, 2**32 - 1])
        inner = struct.pack(
            ">I4sQ", size, chance.choice([b"moov", b"trak", b"stsd"]), chance.choice([0, 9, 2**63])
        )
        found = answer(FILE_TYPE + box(b"moov", inner * 3) + inner)
        assert found in (None, Fault.BROKEN, Fault.CUT_SHORT, Fault.PROTECTED)


def test_what_a_file_says_is_put_into_the_log_as_one_short_line() -> None:
    error = AudioError(Fault.BROKEN, "title\nERROR forged\x1b[2J é" + "x" * 500)
    assert "\n" not in str(error)
    assert "\x1b" not in error.detail
    assert len(error.detail) == 200


class Endless(io.RawIOBase):
    """A body that never ends and comes in small pieces."""

    def __init__(self) -> None:
        self.given = 0

    def read(self, size: int = -1) -> bytes:
        self.given += 7
        return b"x" * min(7, size)


def test_no_more_is_read_than_shows_that_it_is_too_much() -> None:
    body = Endless()
    assert len(read_limited(body, 1000)) == 1001
    assert body.given < 1010
    assert read_limited(io.BytesIO(b"whole"), 1000) == b"whole"
    assert len(read_limited(io.BytesIO(b"x" * 1001), 1000)) == 1001


def test_a_webm_without_a_sound_looks_whole_until_it_is_read() -> None:
    assert look(webm(b"")).kind is MATROSKA
