"""What an uploaded file is, by its first bytes and never by its name; and what is plainly wrong with it, before ffmpeg sees it.

What is told apart here is what ffmpeg may look at: it is told which reader to use, and never guesses. Playlists and their
like, which make it open other files, have no entry; nor has anything that a phone or a computer doesn't record.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, NoReturn

from voicemail.audio import wav
from voicemail.audio.faults import AudioError, Fault


@dataclass(frozen=True)
class Kind:
    """A kind of file: ffmpeg's reader for it, all names of that reader, and whether the length that a file states can be trusted."""

    reader: str
    names: str = ""
    states_length: bool = True

    @property
    def all_names(self) -> str:
        """The reader as ffmpeg's list of permitted readers knows it."""
        return self.names or self.reader


WAV = Kind("wav")
AIFF = Kind("aiff")
FLAC = Kind("flac")
OGG = Kind("ogg")
MATROSKA = Kind("matroska", "matroska,webm")
MOV = Kind("mov", "mov,mp4,m4a,3gp,3g2,mj2")
ASF = Kind("asf")
CAF = Kind("caf")
AU = Kind("au")
MP3 = Kind("mp3")
# Frames without anything around them: what their readers call the length is a guess.
AMR = Kind("amr", states_length=False)
AAC = Kind("aac", states_length=False)

_AMR, _AMR_WIDE = b"#!AMR\n", b"#!AMR-WB\n"
_SIGNATURES = (
    (b"fLaC", FLAC),
    (b"OggS", OGG),
    (bytes.fromhex("1A45DFA3"), MATROSKA),
    (_AMR, AMR),
    (_AMR_WIDE, AMR),
    (bytes.fromhex("3026B2758E66CF11"), ASF),
    (b"caff", CAF),
    (b".snd", AU),
)
# Sounds all the same, but of kinds that are read nowhere here: WavPack, Monkey's Audio, Musepack (two), True Audio, DSD (two),
# RealAudio, voices of the Nineties, TwinVQ.
_OTHER_SOUNDS = (
    b"wvpk", b"MAC ", b"MPCK", b"MP+", b"TTA1", b"DSD ", b"FRM8", b".ra\xfd", b".RMF", b"Creative Voice File", b"TWIN",
)  # fmt: skip
_PLAYLISTS = (b"#EXTM3U", b"ffconcat", b"[playlist]", b"<asx", b"<?wpl", b"<playlist")
# Content Encryption Object and Extended Content Encryption Object (Advanced Systems Format Specification, 10.1).
_ASF_LOCKS = (
    bytes.fromhex("FBB31122 23BDD211 B4B700A0C955FC6E"),
    bytes.fromhex("14E68A29 2226174C B935DAE07EE9289C"),
)
# File Properties Object, whose flags say whether it was recorded while it was sent (3.2).
_ASF_FACTS = bytes.fromhex("A1DCAB8C 47A9CF11 8EE400C00C205365")
# Bytes of a frame behind its first, by its kind (3GPP TS 26.101 and 26.201, RFC 4867, 5.3).
_AMR_SIZES = (12, 13, 15, 17, 19, 20, 26, 31, 5, 6, 5, 5, None, None, None, 0)
_AMR_WIDE_SIZES = (17, 23, 32, 36, 40, 46, 50, 58, 60, 5, None, None, None, None, 0, 0)
# Of raw AAC, whose frames are the shortest, at the highest rate: 1,024 samples, 96,000 a second.
_MOST_FRAMES = 62_000
_MOST_TAGS = 8
_MOST_BOXES = 2_000
_MOST_TRACKS = 32
# Entries of tracks that only their buyer's player can read (QuickTime's, and ISO/IEC 14496-12, 8.12).
_LOCKED = frozenset([b"drms", b"drmi", b"enca", b"encv"])


@dataclass(frozen=True)
class Container:
    """An uploaded file of which nothing is plainly wrong; `ready`: it is what the phone system plays, and nothing needs converting."""

    kind: Kind
    ready: bool = False


def read_limited(file: IO[bytes], limit: int = wav.BIGGEST_FILE) -> bytes:
    """What there is to read, or the first `limit` + 1 bytes: as many as show that it is too much, however much it is."""
    pieces: list[bytes] = []
    left = limit + 1
    while left > 0 and (piece := file.read(left)):
        pieces.append(piece)
        left -= len(piece)
    return b"".join(pieces)


def look(data: bytes) -> Container:
    """What an uploaded file is, without converting it. Raises `AudioError` for what is plainly no sound, or not a whole one."""
    if not data:
        raise AudioError(Fault.EMPTY)
    if len(data) > wav.BIGGEST_FILE:
        raise AudioError(Fault.TOO_BIG)
    kind = _kind(data)
    if kind is WAV:
        if wav.samples_of(data) is not None:
            return Container(WAV, ready=True)
        wav.check(data)
    elif kind is OGG:
        _check_ogg(data)
    elif kind is MOV:
        _check_mov(data)
    elif kind is ASF:
        _check_asf(data)
    elif kind is AMR:
        _check_amr(data)
    elif kind is AAC:
        _check_aac(data, _behind_tags(data))
    return Container(kind)


def _kind(data: bytes) -> Kind:
    """The kind that the first bytes name."""
    head = data[:16]
    if head[:4] in (b"RIFF", b"RF64") and head[8:12] == b"WAVE":
        return WAV
    if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
        return AIFF
    if head[4:8] == b"ftyp":
        return MOV
    for signature, kind in _SIGNATURES:
        if head.startswith(signature):
            return kind
    at = _behind_tags(data)
    if data.startswith(b"fLaC", at):
        return FLAC
    # Behind tags its reader looks further for MP3, past padding that no tag counts.
    return _kind_of_frame(data, at) or (MP3 if at else _refused(data))


def _behind_tags(data: bytes) -> int:
    """Where the titles and covers end that programs put in front of MP3, and sometimes of others; 0 where there are none."""
    at = 0
    for _ in range(_MOST_TAGS):
        if data[at : at + 3] != b"ID3":
            break
        if at + 10 > len(data):
            raise AudioError(Fault.CUT_SHORT, "ends in a tag")
        size = 0
        for byte in data[at + 6 : at + 10]:
            size = size << 7 | byte & 0x7F
        at += 10 + size
        if at > len(data):
            raise AudioError(Fault.CUT_SHORT, "ends in a tag")
    if at == len(data):
        raise AudioError(Fault.EMPTY, "nothing but tags")
    return at


def _kind_of_frame(data: bytes, at: int) -> Kind | None:
    """MP3 or raw AAC, when a frame of either begins here."""
    head = data[at : at + 4]
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return None
    layer, version = head[1] >> 1 & 3, head[1] >> 3 & 3
    if head[1] & 0xF6 == 0xF0:
        return AAC if head[2] >> 2 & 0xF < 13 else None
    if version == 1 or head[2] >> 4 == 0xF or head[2] >> 2 & 3 == 3:
        return None
    if layer == 2:
        raise AudioError(Fault.UNKNOWN_KIND, "MPEG audio, layer II")
    return MP3 if layer == 1 else None


def _refused(data: bytes) -> NoReturn:
    """Say as well as can be what a file is that isn't taken."""
    head = data[:1024].removeprefix(b"\xef\xbb\xbf").lstrip()
    if head.startswith(_OTHER_SOUNDS):
        raise AudioError(Fault.UNKNOWN_KIND)
    if head.lower().startswith(tuple(playlist.lower() for playlist in _PLAYLISTS)):
        raise AudioError(Fault.PLAYLIST)
    raise AudioError(Fault.NOT_AUDIO)


def _check_ogg(data: bytes) -> None:
    """Refuse a file whose last page isn't whole: ffmpeg plays what there is, and says nothing."""
    at = data.rfind(b"OggS")
    count = data[at + 26] if at + 26 < len(data) else 0
    lengths = data[at + 27 : at + 27 + count]
    if not count or len(lengths) < count or at + 27 + count + sum(lengths) > len(data):
        # A page of nothing ends some streams.
        if not count and at + 27 == len(data):
            return
        raise AudioError(Fault.CUT_SHORT, "the last page isn't whole")


def _boxes(data: bytes, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """The boxes of an ISO file between two places: name, where the content begins, where it ends as it says."""
    at = start
    for _ in range(_MOST_BOXES):
        if at + 8 > end:
            return
        size, name = struct.unpack_from(">I4s", data, at)
        inner = at + 8
        if size == 1:
            if at + 16 > end:
                return
            size = struct.unpack_from(">Q", data, inner)[0]
            inner += 8
        elif size == 0:
            size = end - at
        if at + size < inner:
            raise AudioError(Fault.BROKEN, "a box smaller than its own head")
        yield name, inner, at + size
        at += size
    raise AudioError(Fault.BROKEN, "more boxes than a sound needs")


def _check_mov(data: bytes) -> None:
    """Refuse an ISO file (M4A, 3GP, MP4) that is incomplete or protected."""
    described = False
    for name, start, end in _boxes(data, 0, len(data)):
        if end > len(data) and (name in (b"moov", b"mdat", b"moof") or not described):
            raise AudioError(Fault.CUT_SHORT, "a box that goes beyond the file")
        if name == b"moov" and not described:
            described = True
            if not _LOCKED.isdisjoint(_entries(data, start, end)):
                raise AudioError(Fault.PROTECTED)
    if not described:
        raise AudioError(Fault.CUT_SHORT, "no description of the sound")


def _entries(data: bytes, start: int, end: int) -> set[bytes]:
    """How the samples of the tracks are coded, as the description of the file says."""
    level = [(start, end)]
    for wanted in (b"trak", b"mdia", b"minf", b"stbl", b"stsd"):
        level = [
            (inner, min(until, outer))
            for begin, outer in level
            for name, inner, until in _boxes(data, begin, outer)
            if name == wanted
        ][:_MOST_TRACKS]
    # A version, flags and a count come before the entries.
    return {name for inner, until in level for name, _, _ in _boxes(data, inner + 8, until)}


def _check_asf(data: bytes) -> None:
    """Refuse WMA that only its buyer's player can read, or whose packets aren't all there: ffmpeg then only guesses how long it was."""
    if len(data) < 30:
        raise AudioError(Fault.CUT_SHORT, "ends in the head")
    size = struct.unpack_from("<Q", data, 16)[0]
    head = data[:size]
    if any(lock in head for lock in _ASF_LOCKS):
        raise AudioError(Fault.PROTECTED)
    if size + 24 > len(data):
        raise AudioError(Fault.CUT_SHORT, "ends in the head")
    facts = head.find(_ASF_FACTS)
    live = 0 <= facts <= len(head) - 92 and head[facts + 88] & 1
    # What was recorded while it was sent couldn't say how much there would be.
    if not live and size + struct.unpack_from("<Q", data, size + 16)[0] > len(data):
        raise AudioError(Fault.CUT_SHORT, "packets are missing")


def _check_amr(data: bytes) -> None:
    """Refuse frames that aren't whole, or can't be: nothing else says where such a file ends."""
    wide = data.startswith(_AMR_WIDE)
    sizes = _AMR_WIDE_SIZES if wide else _AMR_SIZES
    at = len(_AMR_WIDE if wide else _AMR)
    for _ in range(_MOST_FRAMES):
        if at >= len(data):
            break
        size = sizes[data[at] >> 3 & 0xF]
        if size is None:
            raise AudioError(Fault.BROKEN, "a frame of no known kind")
        at += 1 + size
    else:
        raise AudioError(Fault.TOO_LONG, "more frames than ten minutes have")
    if at > len(data):
        raise AudioError(Fault.CUT_SHORT, "the last frame isn't whole")


def _check_aac(data: bytes, at: int) -> None:
    """Refuse raw AAC whose last frame isn't whole; where what follows a frame is none, ffmpeg looks for the next one."""
    for _ in range(_MOST_FRAMES):
        if data[at : at + 1] != b"\xff" or len(data) - at < 6:
            return
        size = (data[at + 3] & 3) << 11 | data[at + 4] << 3 | data[at + 5] >> 5
        if at + size > len(data):
            raise AudioError(Fault.CUT_SHORT, "the last frame isn't whole")
        at += max(7, size)
    raise AudioError(Fault.TOO_LONG, "more frames than ten minutes have")
