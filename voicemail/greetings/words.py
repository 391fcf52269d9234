"""What is said where a recording can't be taken: every fault with what to do about it."""

from collections.abc import Mapping

from django.utils.translation import gettext_lazy

from pbxadmin.common.columns import Text
from voicemail.audio import AudioError, Fault

NO_ROOM = gettext_lazy(
    "There is no room left for greetings: delete some that nobody uses, or ask your provider's support."
)
NO_STORAGE = gettext_lazy("The recording couldn't be saved: try again in a few minutes.")

FAULTS: Mapping[Fault, Text] = {
    Fault.EMPTY: gettext_lazy("There is no sound in this file."),
    Fault.TOO_BIG: gettext_lazy("The file is larger than 10 MB: save it shorter, or as MP3."),
    Fault.NOT_AUDIO: gettext_lazy("This isn't an audio file: choose one, for example MP3, M4A or WAV."),
    Fault.PLAYLIST: gettext_lazy(
        "This is a playlist, which only says where the sound is: choose the audio file itself."
    ),
    Fault.UNKNOWN_KIND: gettext_lazy("This audio format can't be read here: save it as MP3, M4A or WAV."),
    Fault.VIDEO: gettext_lazy("This is a video: save its sound alone, for example as MP3."),
    Fault.PROTECTED: gettext_lazy("This file is copy-protected, so it can't be read."),
    Fault.CUT_SHORT: gettext_lazy("The file is incomplete, its end is missing: copy or download it again."),
    Fault.BROKEN: gettext_lazy("The file is damaged or contradicts itself: export it again."),
    Fault.CHANNELS: gettext_lazy("The file has more than eight channels: save it as mono or stereo."),
    Fault.TOO_LONG: gettext_lazy("The recording is longer than 10 minutes 55 seconds: shorten it."),
    Fault.SILENT: gettext_lazy(
        "Nothing can be heard in this recording: check the microphone, then record it again."
    ),
    Fault.TOOK_TOO_LONG: gettext_lazy("Converting it took too long: try again, or send it as MP3 or WAV."),
    Fault.OVERLOADED: gettext_lazy(
        "The server can't convert anything right now: try again in a few minutes."
    ),
    Fault.NO_FFMPEG: gettext_lazy(
        "The server has no program to convert recordings: send it as WAV, 8 kHz, 16 bit, mono, or tell your provider's support."
    ),
}


def said_of(error: AudioError) -> str:
    """The sentence for a fault, in the reader's language."""
    return str(FAULTS[error.fault])
