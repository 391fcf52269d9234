"""Files built byte by byte, good and hostile: WAV, ISO files (M4A), Matroska (WebM), Ogg, FLAC, PNG, ID3."""

import os
import struct
import zlib
from collections.abc import Callable, Iterator, Sequence


def chunk(name: bytes, data: bytes) -> bytes:
    """A part of a WAV file."""
    return name + struct.pack("<I", len(data)) + data + (b"\0" if len(data) % 2 else b"")


def fmt(
    *,
    tag: int = 1,
    channels: int = 1,
    rate: int = 8000,
    bits: int = 16,
    byte_rate: int | None = None,
    align: int | None = None,
) -> bytes:
    """The description in a WAV file; what isn't said fits the rest."""
    align = channels * bits // 8 if align is None else align
    byte_rate = rate * align if byte_rate is None else byte_rate
    return struct.pack("<HHIIHH", tag, channels, rate, byte_rate & 0xFFFFFFFF, align & 0xFFFF, bits)


def riff(*chunks: bytes, size: int | None = None, magic: bytes = b"RIFF", tail: bytes = b"") -> bytes:
    """A WAV file of these parts; `size`: what it says of itself, `tail`: what stands behind its end."""
    body = b"WAVE" + b"".join(chunks)
    return magic + struct.pack("<I", len(body) if size is None else size) + body + tail


def wav8(samples: bytes, *more: bytes) -> bytes:
    """What the phone system plays: 44 bytes of header, then the samples, then more parts."""
    return riff(chunk(b"fmt ", fmt()), chunk(b"data", samples), *more)


# ISO files
_FULL = {b"moov", b"trak", b"mdia", b"minf", b"dinf", b"stbl", b"udta", b"edts"}


def boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The boxes of an ISO file: name and content."""
    at = 0
    while at + 8 <= len(data):
        size, kind = struct.unpack(">I4s", data[at : at + 8])
        size = size or len(data) - at
        yield kind, data[at + 8 : at + size]
        at += size


def box(kind: bytes, body: bytes) -> bytes:
    """A box of an ISO file."""
    return struct.pack(">I4s", len(body) + 8, kind) + body


def edit(data: bytes, change: Callable[[bytes, bytes], bytes]) -> bytes:
    """Every leaf of an ISO file through `change(kind, body)`; places of samples hold as long as these come before the description."""
    return b"".join(
        box(kind, edit(body, change) if kind in _FULL else change(kind, body)) for kind, body in boxes(data)
    )


def alis(path: str) -> bytes:
    """A data reference to another file, of the one kind that ffmpeg's reader would open."""
    name, full = os.path.basename(path).encode(), path.replace("/", ":").encode()
    full += b"\0" * (len(full) % 2)
    body = b"".join(
        [
            b"\0" * 10, b"\0".ljust(28, b"\0"), b"\0" * 12, bytes([len(name)]), name.ljust(63, b"\0"), b"\0" * 16,
            struct.pack(">HH", 1, 1), b"\0" * 16, struct.pack(">HH", 2, len(full)), full, struct.pack(">Hh", 0xFFFF, 0),
        ]
    )  # fmt: skip
    return struct.pack(">II", 0, 1) + box(b"alis", struct.pack(">I", 0) + body)


# Matroska
def ebml(ident: str, body: bytes, size: int | None = None) -> bytes:
    """An element; `size`: what it says of itself."""
    length = len(body) if size is None else size
    return bytes.fromhex(ident) + (0x01 << 56 | length).to_bytes(8, "big") + body


def uint(ident: str, number: int) -> bytes:
    """An element that is a number."""
    return ebml(ident, number.to_bytes(max(1, (number.bit_length() + 7) // 8), "big"))


EBML_HEAD = ebml(
    "1A45DFA3",
    uint("4286", 1) + uint("42F7", 1) + uint("42F2", 4) + uint("42F3", 8)
    + ebml("4282", b"webm") + uint("4287", 4) + uint("4285", 2),
)  # fmt: skip
OPUS_HEAD = b"OpusHead" + struct.pack("<BBHIhB", 1, 1, 312, 48000, 0, 0)


def track(number: int = 1, more: bytes = b"", private: bytes = OPUS_HEAD) -> bytes:
    """A track of Opus."""
    sampling = ebml("E1", ebml("B5", struct.pack(">d", 48000.0)) + uint("9F", 1))
    head = uint("D7", number) + uint("73C5", number) + uint("83", 2) + ebml("86", b"A_OPUS")
    return ebml("AE", head + ebml("63A2", private) + sampling + more)


def webm(tracks: bytes, clusters: bytes = b"") -> bytes:
    """A WebM file."""
    info = ebml("1549A966", uint("2AD7B1", 1_000_000))
    return EBML_HEAD + ebml("18538067", info + ebml("1654AE6B", tracks) + clusters)


def simple_block(time: int, packet: bytes) -> bytes:
    """A packet of the first track."""
    return ebml("A3", bytes([0x81]) + struct.pack(">hB", time, 0x80) + packet)


# Ogg and FLAC
def _table(polynomial: int, width: int) -> list[int]:
    mask, top, out = (1 << width) - 1, 1 << (width - 1), []
    for byte in range(256):
        value = byte << (width - 8)
        for _ in range(8):
            value = (value << 1 ^ polynomial if value & top else value << 1) & mask
        out.append(value)
    return out


_CRC32, _CRC8, _CRC16 = _table(0x04C11DB7, 32), _table(0x07, 8), _table(0x8005, 16)


def _crc(data: bytes, table: list[int], width: int) -> int:
    value, mask, shift = 0, (1 << width) - 1, width - 8
    for byte in data:
        value = (value << 8 & mask) ^ table[(value >> shift) ^ byte]
    return value


def ogg_page(packets: Sequence[bytes], granule: int, sequence: int, flags: int = 0) -> bytes:
    """A page of an Ogg stream."""
    lacing = b"".join(b"\xff" * (len(packet) // 255) + bytes([len(packet) % 255]) for packet in packets)
    head = b"OggS" + struct.pack("<BBqIII", 0, flags, granule, 7, sequence, 0) + bytes([len(lacing)])
    page = head + lacing + b"".join(packets)
    return page[:22] + struct.pack("<I", _crc(page, _CRC32, 32)) + page[26:]


def endless_opus(hours: int) -> bytes:
    """Silence at one byte a packet: two empty frames of 60 ms."""
    out = [
        ogg_page([OPUS_HEAD], 0, 0, 2),
        ogg_page([b"OpusTags" + struct.pack("<II", 0, 0)], 0, 1),
    ]
    packets, done, number = hours * 3600 * 1000 // 120, 0, 2
    while done < packets:
        count = min(255, packets - done)
        done += count
        out.append(ogg_page([b"\x19"] * count, done * 5760, number, 4 if done == packets else 0))
        number += 1
    return b"".join(out)


def endless_flac(hours: int) -> bytes:
    """Silence at 20 bytes for 65,535 samples."""
    block, rate, channels = 65535, 48000, 2
    frames = hours * 3600 * rate // block
    info = struct.pack(">HH", block, block) + b"\0" * 6
    info += (rate << 44 | (channels - 1) << 41 | 15 << 36 | frames * block).to_bytes(8, "big") + b"\0" * 16
    out = [b"fLaC", b"\x80" + len(info).to_bytes(3, "big"), info]
    for number in range(frames):
        head = b"\xff\xf8" + bytes([0x7 << 4 | 0xA, (channels - 1) << 4 | 4 << 1])
        head += chr(number).encode("utf-8", "surrogatepass") + struct.pack(">H", block - 1)
        head += bytes([_crc(head, _CRC8, 8)])
        # Of each channel, one value that holds for the whole block.
        frame = head + b"\0\0\0" * channels
        out.append(frame + struct.pack(">H", _crc(frame, _CRC16, 16)))
    return b"".join(out)


# Covers
def png(width: int, height: int) -> bytes:
    """A picture of one colour, at a bit a pixel, that is small until it is decoded."""

    def part(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    packer, line = zlib.compressobj(9), b"\0" * (1 + (width + 7) // 8)
    rows = b"".join(packer.compress(line) for _ in range(height)) + packer.flush()
    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + part(b"IHDR", head) + part(b"IDAT", rows) + part(b"IEND", b"")


def id3(frames: bytes, size: int | None = None) -> bytes:
    """Titles and covers as they stand in front of MP3; `size`: what they say of themselves."""
    length = len(frames) if size is None else size
    return b"ID3\x03\x00\x00" + bytes(length >> shift & 0x7F for shift in (21, 14, 7, 0)) + frames


def apic(picture: bytes) -> bytes:
    """A cover."""
    body = b"\0image/png\0\x03\0" + picture
    return b"APIC" + struct.pack(">I", len(body)) + b"\0\0" + body
