"""Why a greeting that somebody sent isn't taken."""

from enum import StrEnum


class Fault(StrEnum):
    """One for each thing that its sender can do something about; the sentence is made where the reader's language is known.

    EMPTY: There is no sound in this file.
    TOO_BIG: The file is larger than 10 MB.
    NOT_AUDIO: This is no sound file.
    PLAYLIST: This is a playlist: it says where a sound is, but doesn't hold it. Send the sound itself.
    UNKNOWN_KIND: This kind of sound can't be read here. Save it as MP3, M4A or WAV.
    VIDEO: This is a video. Save its sound alone, for instance as MP3.
    PROTECTED: This file is copy-protected and can't be read.
    CUT_SHORT: The file is incomplete: its end is missing. Copy or download it again.
    BROKEN: The file is damaged or contradicts itself. Export it again.
    CHANNELS: The sound has more than eight channels. Save it as mono or stereo.
    TOO_LONG: The sound is longer than 10 minutes and 55 seconds.
    SILENT: Nothing can be heard in this file.
    TOOK_TOO_LONG: The conversion took too long and was stopped. Try again, or send the sound as MP3 or WAV.
    OVERLOADED: The server can't convert anything at this moment. Try again in a few minutes.
    NO_FFMPEG: The server has no program that converts sounds. The file can still be sent as WAV, 8 kHz, 16 bits, mono.
    """

    EMPTY = "empty"
    TOO_BIG = "too_big"
    NOT_AUDIO = "not_audio"
    PLAYLIST = "playlist"
    UNKNOWN_KIND = "unknown_kind"
    VIDEO = "video"
    PROTECTED = "protected"
    CUT_SHORT = "cut_short"
    BROKEN = "broken"
    CHANNELS = "channels"
    TOO_LONG = "too_long"
    SILENT = "silent"
    TOOK_TOO_LONG = "took_too_long"
    OVERLOADED = "overloaded"
    NO_FFMPEG = "no_ffmpeg"


class AudioError(ValueError):
    """A sound that isn't taken, and why.

    `detail`: for the log of whoever runs the portal, never for a page: a line that the file may have had a say in, printable
    ASCII of at most 200 signs.
    """

    def __init__(self, fault: Fault, detail: str = "") -> None:
        self.fault = fault
        self.detail = "".join(sign for sign in detail if " " <= sign <= "~")[:200]
        super().__init__(f"{fault}: {self.detail}" if self.detail else str(fault))
