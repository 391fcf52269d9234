"""Makes the sounds that greetings are tested with, good and hostile: `python -m voicemail.tests.audio.make FOLDER`.

Needs Debian's ffmpeg, sox, libsox-fmt-all and espeak-ng. The same packages give the same bytes: every tool runs with its bit-exact
switches, and what is random comes from a seeded generator. (One file, x_hls_canary.mp3, names the folder it was made in.) What is
to become of each file stands in `expect.json`.
"""

import random
import shutil
import struct
import subprocess
import sys
import tempfile
import wave
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from voicemail.tests.audio.formats import (
    alis,
    apic,
    chunk,
    ebml,
    edit,
    endless_flac,
    endless_opus,
    fmt,
    id3,
    png,
    riff,
    simple_block,
    track,
    uint,
    wav8,
    webm,
)  # fmt: skip

LIMIT = 10 * 1024 * 1024
WORDS = {
    "fr": "Bonjour, vous êtes bien chez Boréale. Je suis absent aujourd'hui, laissez un message après le signal.",
    "fr2": "Nos bureaux sont fermés. Rappelez-nous demain à partir de neuf heures, merci.",
    "en": "Hello, you have reached the sales desk. Please leave a message after the tone.",
    "en2": "We are in a meeting until three o'clock. Your call matters, so please leave your number.",
}
VOICES = {"fr": "fr-fr", "en": "en-us"}


def call(*arguments: object) -> None:
    """Run a tool. Raises `RuntimeError` with its last words."""
    try:
        done = subprocess.run(
            [str(one) for one in arguments], stdin=subprocess.DEVNULL, capture_output=True, check=False
        )
    except FileNotFoundError:
        raise RuntimeError("apt-get install ffmpeg sox libsox-fmt-all espeak-ng") from None
    if done.returncode:
        raise RuntimeError(
            f"{arguments[0]}: {done.returncode}\n{done.stderr[-800:].decode(errors='replace')}"
        )


def ff(source: Path, to: Path, *options: str, before: Sequence[str] = ()) -> None:
    """The plain ffmpeg, for sounds of our own."""
    call(
        "ffmpeg", "-nostdin", "-v", "error", "-y", "-threads", "1", *before, "-i", source, "-map_metadata", "-1",
        "-threads", "1", *options, "-fflags", "+bitexact", "-flags:a", "+bitexact", to,
    )  # fmt: skip


def sox(*arguments: object) -> None:
    """sox, without what is random."""
    call("sox", "-D", "-R", *arguments)


def samples_in(path: Path) -> bytes:
    """The samples of a WAV file."""
    with wave.open(str(path)) as file:
        return file.readframes(file.getnframes())


class Maker:
    """Puts files into a folder; sounds that are only needed to make others go into another one."""

    def __init__(self, folder: Path, aside: Path) -> None:
        self.folder, self.aside = folder, aside
        self._spoken: dict[tuple[str, int], Path] = {}

    def path(self, name: str) -> Path:
        """Where a file goes."""
        return self.folder / name

    def write(self, name: str, data: bytes) -> None:
        """Put bytes into a file."""
        self.path(name).write_bytes(data)

    def read(self, name: str) -> bytes:
        """The bytes of a file that was made."""
        return self.path(name).read_bytes()

    def said(self, words: str, rate: int = 44100) -> Path:
        """A voice as WAV of 16 bits, mono, its peak at about -6 dBFS."""
        if (words, rate) not in self._spoken:
            raw, done = self.aside / f"raw_{words}_{rate}.wav", self.aside / f"{words}_{rate}.wav"
            call("espeak-ng", "-v", VOICES[words[:2]], "-s", "150", "-w", raw, WORDS[words])
            sox(raw, "-b", "16", "-c", "1", done, "gain", "-n", "-6", "rate", rate)
            self._spoken[words, rate] = done
        return self._spoken[words, rate]

    def aside_of(self, name: str, words: str, *options: str) -> Path:
        """A sound that only others are made of."""
        ff(self.said(words), self.aside / name, *options)
        return self.aside / name


# The good ones


def good(m: Maker) -> None:
    """What people send and record."""
    fr8, en8 = samples_in(m.said("fr", 8000)), samples_in(m.said("en", 8000))
    m.write("ok_8k_mono.wav", wav8(fr8))
    info = b"INFO" + chunk(b"INAM", b"Accueil\0") + chunk(b"ISFT", b"Enregistreur 2\0")
    m.write("ok_8k_mono_list.wav", wav8(en8, chunk(b"LIST", info)))
    bext = b"Accueil".ljust(256, b"\0") + b"Boreale".ljust(32, b"\0") + b"REF1".ljust(32, b"\0")
    bext += b"2026-01-0509:00:00" + struct.pack("<QH", 0, 1) + b"\0" * 254
    m.write("ok_8k_mono_bext.wav", riff(chunk(b"bext", bext), chunk(b"fmt ", fmt()), chunk(b"data", fr8)))
    whole = (LIMIT - 44) // 2 * 2
    m.write("ok_limit_exact.wav", wav8((fr8 * (whole // len(fr8) + 1))[:whole]))
    wavs(m)
    others(m)
    levels(m)


def wavs(m: Maker) -> None:
    """WAV of every kind but the right one."""
    for name, words, options in (
        ("wav_16k_mono.wav", "fr", "-ar 16000 -c:a pcm_s16le"),
        ("wav_44k1_stereo.wav", "en", "-ac 2 -c:a pcm_s16le"),
        ("wav_48k_24bit.wav", "fr", "-ar 48000 -ac 2 -c:a pcm_s24le"),
        ("wav_float32.wav", "en", "-c:a pcm_f32le"),
        ("wav_alaw.wav", "fr", "-ar 8000 -c:a pcm_alaw"),
        ("wav_mulaw.wav", "en", "-ar 8000 -c:a pcm_mulaw"),
        ("wav_8bit.wav", "fr2", "-ar 8000 -c:a pcm_u8"),
        ("wav_rf64.wav", "fr2", "-ar 16000 -c:a pcm_s16le -rf64 always"),
    ):
        ff(m.said(words), m.path(name), *options.split())
    streamed = b"data\xff\xff\xff\xff" + samples_in(m.said("en2", 16000))
    m.write("wav_streamed.wav", riff(chunk(b"fmt ", fmt(rate=16000)), streamed, size=0xFFFFFFFF))
    sox(m.said("en2"), m.path("wav_left_only.wav"), "remix", 1, 0)


def others(m: Maker) -> None:
    """What isn't WAV."""
    for name, words, options in (
        ("mp3_cbr.mp3", "fr", "-c:a libmp3lame -b:a 64k"),
        ("mp3_vbr.mp3", "en", "-c:a libmp3lame -q:a 4"),
        ("aac_moov_last.m4a", "fr2", "-c:a aac -b:a 64k"),
        ("aac_moov_first.m4a", "en2", "-c:a aac -b:a 64k -movflags +faststart"),
        ("aac_adts.aac", "en", "-c:a aac -b:a 64k"),
        ("alac.m4a", "fr2", "-c:a alac"),
        ("vorbis.ogg", "fr", "-ac 2 -c:a libvorbis -q:a 3"),
        ("opus.opus", "en", "-c:a libopus -b:a 24k"),
        # As Chromium records: neither a length, nor the size of a cluster.
        ("mediarecorder.webm", "fr", "-c:a libopus -b:a 48k -f webm -live 1 -cluster_time_limit 900"),
        # As Safari, and Chromium when it is asked to, record.
        (
            "mediarecorder.mp4",
            "fr",
            "-c:a aac -b:a 64k -movflags +frag_keyframe+empty_moov+default_base_moof",
        ),
        ("flac.flac", "en", "-c:a flac"),
        ("aiff.aiff", "fr", "-c:a pcm_s16be"),
        ("caf.caf", "en", "-c:a alac"),
        ("au.au", "fr2", "-ar 8000 -c:a pcm_mulaw"),
        ("wma.wma", "fr2", "-c:a wmav2 -b:a 64k"),
        ("aac.3gp", "fr2", "-ar 16000 -c:a aac -b:a 32k"),
    ):
        ff(m.said(words), m.path(name), *options.split())
    sox(m.said("en", 8000), "-t", "amr-nb", m.path("amr.amr"))
    ff(m.path("amr.amr"), m.path("amr.3gp"), "-c:a", "copy")
    titles = b"TIT2\0\0\0\x08\0\0\0Accueil" + apic(png(64, 64))
    m.write("mp3_cover.mp3", id3(titles) + m.read("mp3_cbr.mp3"))
    m.write("flac_behind_tag.flac", id3(titles) + m.read("flac.flac"))
    m.write("wrong_ending.mp3", m.read("aac_moov_last.m4a"))


def levels(m: Maker) -> None:
    """Too quiet, too loud, too short, too long."""
    sox(m.said("fr"), m.path("quiet.wav"), "gain", -36)
    sox(m.said("en"), m.path("clipping.wav"), "gain", 24)
    sox(m.said("fr2"), m.path("silence_both_ends.wav"), "pad", 4, 6)
    low, click = m.aside / "low.wav", m.aside / "click.wav"
    sox(m.said("en"), low, "gain", -30)
    tone = ["synth", 0.003, "sine", 1000, "gain", -1, "pad", 2]
    sox("-n", "-r", 44100, "-b", 16, "-c", 1, click, *tone)
    sox("-m", "-v", 1, low, "-v", 1, click, m.path("quiet_with_click.wav"))
    sox(m.said("en"), m.path("blip.wav"), "trim", 0.6, 0.2)
    spoken = m.aside_of("loop.mp3", "fr", "-ar", "16000", "-c:a", "libmp3lame", "-b:a", "32k")
    ff(spoken, m.path("ten_minutes.mp3"), "-t", "600", "-c:a", "copy", before=("-stream_loop", "-1"))


# The hostile ones

HLS = "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:5\n#EXT-X-MEDIA-SEQUENCE:0\n#EXTINF:5.0,\n{}\n#EXT-X-ENDLIST\n"
JS = b"<!doctype html><html><body><script>document.title='PWNED-4711'</script></body></html>"


def hostile(m: Maker) -> None:
    """What people send by mistake, and what others send on purpose."""
    fr8 = samples_in(m.said("fr", 8000))
    # Somebody else's greeting: a careless ffmpeg hands its sound over.
    m.write("canary.mp3", m.read("mp3_cbr.mp3"))
    too_long(m, fr8)
    no_sounds(m, fr8)
    lies(m, fr8[:48000])
    cut_short(m)
    elsewhere(m)
    bombs(m)
    m.write("name_sound.wav", wav8(fr8))
    changed_bytes(m)


def too_long(m: Maker, fr8: bytes) -> None:
    """More than is kept."""
    whole = (LIMIT - 44) // 2 * 2
    long = fr8 * (LIMIT // len(fr8) + 1)
    m.write("x_limit_plus_1.wav", wav8(long[:whole]) + b"\0")
    m.write("x_limit_plus_2.wav", wav8(long[: whole + 2]))
    spoken = m.aside_of("loop.opus", "en", "-ar", "16000", "-c:a", "libopus", "-b:a", "8k")
    ff(spoken, m.path("x_twelve_minutes.opus"), "-t", "720", "-c:a", "copy", before=("-stream_loop", "-1"))
    m.write("x_24h.flac", endless_flac(24))
    m.write("x_24h.opus", endless_opus(24))


def no_sounds(m: Maker, fr8: bytes) -> None:
    """No sound, or none to be heard."""
    m.write("x_zero.wav", b"")
    m.write("x_header_only.wav", wav8(b""))
    m.write("x_text.wav", ("Ceci n'est pas un fichier audio.\n" * 40).encode())
    m.write("x_random.mp3", random.Random(4711).randbytes(60000))
    m.write("x_polyglot_html.wav", b"RIFF" + struct.pack("<I", len(JS) + 4) + b"WAVE" + JS)
    polyglot = riff(chunk(b"JUNK", JS), chunk(b"fmt ", fmt()), chunk(b"data", fr8), tail=JS)
    m.write("x_polyglot_valid.wav", polyglot)
    svg = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">'
    svg += b'<image xlink:href="file:///etc/passwd" width="9" height="9"/><script>alert(1)</script></svg>'
    m.write("x_svg.mp3", svg)
    stored = struct.pack("<IIIHH", zlib.crc32(b"hello"), 5, 5, 5, 0)
    archive = b"PK\x03\x04\x14\0\0\0\0\0\0\0!\0" + stored + b"a.txthello"
    archive += (
        b"PK\x01\x02\x14\0\x14\0\0\0\0\0\0\0!\0" + stored + struct.pack("<HHHII", 0, 0, 0, 0, 0) + b"a.txt"
    )
    archive += b"PK\x05\x06\0\0\0\0\1\0\1\0" + struct.pack("<IIH", 51, 40, 0)
    m.write("x_zip.m4a", archive)
    midi = b"MThd\0\0\0\x06\0\0\0\1\0\x60MTrk\0\0\0\x0c\0\x90\x3c\x40\x60\x80\x3c\x40\0\xff\x2f\0"
    m.write("x_midi.mp3", midi)
    module = b"endless".ljust(20, b"\0") + (b"\0" * 22 + struct.pack(">HBBHH", 16, 0, 64, 0, 8)) * 31
    module += bytes([1, 0]) + b"\0" * 128 + b"M.K." + b"\x01\xac\x10\0" * 256 + b"\x40" * 32 * 31
    m.write("x_tracker.wav", module)
    sox("-n", "-r", 44100, "-b", 16, "-c", 1, m.path("x_only_silence.wav"), "trim", 0, 3)
    call(
        "ffmpeg", "-nostdin", "-v", "error", "-y", "-threads", "1", "-f", "lavfi", "-i", "testsrc=s=160x120:r=10:d=4",
        "-i", m.said("fr2"), "-shortest", "-c:v", "mpeg4", "-threads", "1", "-c:a", "aac", "-b:a", "32k",
        "-map_metadata", "-1", "-fflags", "+bitexact", "-flags:v", "+bitexact", "-flags:a", "+bitexact",
        m.path("x_video.mp4"),
    )  # fmt: skip


def lies(m: Maker, three: bytes) -> None:
    """Headers that lie, around three seconds of sound."""
    lying: dict[str, dict[str, Any]] = {
        "rate_0": {"rate": 0},
        "rate_1": {"rate": 1, "bits": 8},
        "rate_4g": {"rate": 4_000_000_000},
        "channels_0": {"channels": 0, "align": 2, "byte_rate": 16000},
        "channels_65535": {"channels": 65535, "align": 2},
        "bits_0": {"bits": 0, "align": 2, "byte_rate": 16000},
        "bits_65535": {"bits": 65535, "align": 2, "byte_rate": 16000},
        "byte_rate": {"byte_rate": 1},
        "align": {"align": 7, "byte_rate": 16000},
    }
    for name, facts in lying.items():
        # At a sample a second, these 200 kB would be 3 GB.
        data = b"\x80\x90" * 100000 if name == "rate_1" else three
        m.write(f"x_lie_{name}.wav", riff(chunk(b"fmt ", fmt(**facts)), chunk(b"data", data)))
    described, sound = chunk(b"fmt ", fmt()), chunk(b"data", three)
    m.write("x_lie_riff_small.wav", riff(described, sound, size=4))
    m.write("x_lie_riff_huge.wav", riff(described, sound, size=0xFFFFFFF0))
    m.write("x_lie_data_long.wav", riff(described, b"data" + struct.pack("<I", 960000) + three))
    m.write("x_lie_fmt_huge.wav", riff(b"fmt " + struct.pack("<I", 0x7FFFFFF0) + fmt(), sound))
    many = b"".join(three[at : at + 2] * 64 for at in range(0, 16000, 2))
    m.write("x_64_channels.wav", riff(chunk(b"fmt ", fmt(channels=64)), chunk(b"data", many)))


def cut_short(m: Maker) -> None:
    """Files whose end is missing."""
    m.aside_of("vbr.mp3", "fr", "-c:a", "libmp3lame", "-q:a", "4")
    m.aside_of("whole.webm", "fr", "-c:a", "libopus", "-b:a", "48k")
    for source, name, share in (
        (m.aside / "vbr.mp3", "x_cut.mp3", 0.4),
        (m.path("aac_moov_last.m4a"), "x_cut_no_moov.m4a", 0.5),
        (m.path("aac_moov_first.m4a"), "x_cut_mdat.m4a", 0.5),
        (m.aside / "whole.webm", "x_cut.webm", 0.5),
        (m.path("mediarecorder.webm"), "x_cut_mediarecorder.webm", 0.5),
        (m.path("flac.flac"), "x_cut.flac", 0.5),
        (m.path("vorbis.ogg"), "x_cut.ogg", 0.5),
        (m.path("amr.amr"), "x_cut.amr", 0.503),
    ):
        data = source.read_bytes()
        m.write(name, data[: int(len(data) * share)])


def elsewhere(m: Maker) -> None:
    """What makes a careless ffmpeg open something else."""
    for name, where in (
        ("x_hls_file.mp3", "file:///etc/passwd"),
        ("x_hls_http.wav", "http://127.0.0.1:1/seg.ts"),
        ("x_hls_concat.webm", "concat:http://127.0.0.1:1/h.txt|file:///etc/passwd"),
        ("x_hls_subfile.m4a", "subfile,,start,0,end,64,,:/etc/passwd"),
        ("x_hls_data.mp3", "data:audio/x-wav;base64,UklGRg=="),
        ("x_hls_canary.mp3", f"file://{m.path('canary.mp3').resolve()}"),
        ("x_hls_beside.mp3", "canary.mp3"),
    ):
        m.write(name, HLS.format(where).encode())
    m.write("x_ffconcat_beside.wav", b"ffconcat version 1.0\nfile 'canary.mp3'\n")
    m.write("x_ffconcat.wav", b"ffconcat version 1.0\nfile '/etc/passwd'\nfile 'http://127.0.0.1:1/a.wav'\n")
    dash = b'<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"><Period><AdaptationSet '
    dash += b'mimeType="audio/mp4"><Representation id="1" bandwidth="1000"><BaseURL>http://127.0.0.1:1/a.m4a</BaseURL>'
    m.write("x_dash.m4a", dash + b"</Representation></AdaptationSet></Period></MPD>")
    sdp = b"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0\r\n"
    m.write("x_sdp.wav", sdp + b"a=rtpmap:0 PCMU/8000\r\n")
    m4a = m.read("aac_moov_last.m4a")
    m.write("x_dref.m4a", edit(m4a, lambda kind, body: alis("/etc/passwd") if kind == b"dref" else body))
    noise = random.Random(99)
    scrambled = edit(m4a, lambda kind, body: noise.randbytes(len(body)) if kind == b"mdat" else body)
    locked = scrambled.replace(b"mp4a\0\0\0\0\0\0\0\1", b"drms\0\0\0\0\0\0\0\1")
    m.write("x_m4p.m4a", locked.replace(b"ftypM4A ", b"ftypM4P "))


def bombs(m: Maker) -> None:
    """Small files, giant work."""
    whole = (m.aside / "whole.webm").read_bytes()
    at = whole.index(b"\x44\x89\x88") + 3
    m.write("x_huge_duration.webm", whole[:at] + struct.pack(">d", 3.6e12) + whole[at + 8 :])
    m.write("x_ebml_tracks.webm", webm(b"".join(track(number) for number in range(1, 30001))))
    small = b"\0" * 16
    private = webm(track(private=small)).replace(ebml("63A2", small), ebml("63A2", small, size=1 << 30))
    m.write("x_ebml_private.webm", private)
    packed = zlib.compress(b"\0" * 200_000_000, 9)
    squeezed = ebml("6D80", ebml("6240", uint("5033", 0) + ebml("5034", uint("4254", 0))))
    cluster = ebml("1F43B675", uint("E7", 0) + b"".join(simple_block(20 * n, packed) for n in range(8)))
    m.write("x_ebml_zlib.webm", webm(track(more=squeezed), cluster))
    one = struct.pack(">II", 0, 1)
    tables = {
        b"stsz": struct.pack(">III", 0, 1, 200_000_000),
        b"stts": one + struct.pack(">II", 200_000_000, 1),
        b"stsc": one + struct.pack(">III", 1, 200_000_000, 1),
        b"stco": struct.pack(">III", 0, 1, 48),
    }
    m4a = m.read("aac_moov_last.m4a")
    m.write("x_samples.m4a", edit(m4a, lambda kind, body: tables.get(kind, body)))
    mp3 = m.read("mp3_cbr.mp3")
    m.write("x_id3_huge.mp3", id3(b"TIT2\0\0\0\x02\0\0\0A", size=(1 << 28) - 1) + mp3)
    m.write("x_cover_bomb.mp3", id3(apic(png(30000, 30000))) + mp3)


def changed_bytes(m: Maker) -> None:
    """Bytes changed at random in good files; the first stay, so that a reader is reached."""
    chance = random.Random(8000)
    sources = (
        "wav_48k_24bit.wav", "mp3_vbr.mp3", "aac_moov_last.m4a", "vorbis.ogg", "opus.opus", "mediarecorder.webm",
        "flac.flac", "aiff.aiff", "amr.amr", "wma.wma", "amr.3gp", "aac_adts.aac",
    )  # fmt: skip
    for number, source in enumerate(sources):
        data = bytearray(m.read(source))
        for _ in range(max(8, min(60, len(data) // 400))):
            value = chance.randrange(256)
            data[chance.randrange(64, len(data) if chance.random() < 0.8 else 400)] = value
        m.write(f"fuzz_{number:02}_{source}", bytes(data))


def make(folder: Path) -> None:
    """Make all files in a folder that is there."""
    with tempfile.TemporaryDirectory(prefix="pbxadmin-test-") as aside:
        maker = Maker(folder, Path(aside))
        good(maker)
        hostile(maker)


def recording(seconds: int, path: Path) -> None:
    """A voice that speaks for so long, as Chromium records it (WebM)."""
    with tempfile.TemporaryDirectory(prefix="pbxadmin-test-") as aside:
        maker = Maker(Path(aside), Path(aside))
        shape = ["-c:a", "libopus", "-b:a", "48k", "-f", "webm", "-live", "1", "-cluster_time_limit", "900"]
        ff(maker.said("fr"), path, "-t", str(seconds), *shape, before=("-stream_loop", "-1"))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    if shutil.which("sox") is None:
        sys.exit("apt-get install ffmpeg sox libsox-fmt-all espeak-ng")
    make(Path(sys.argv[1]))
