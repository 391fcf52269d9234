"""Converts a folder of files in a process of its own and says what became of each: `python -m voicemail.tests.audio.judge FROM TO`.

A process of its own, so that what is measured is what conversions take: the memory of this one's children, what they leave in the
folder for temporary files, which descriptors stay open. TO gets a file for each greeting, and `verdicts.json`.
"""

import json
import os
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from voicemail.audio import AudioError, convert


def open_descriptors() -> int:
    """How many files, pipes and sockets this process holds."""
    return len(os.listdir("/proc/self/fd"))


def verdict(data: bytes, kept_at: Path) -> dict[str, Any]:
    """What becomes of a file, and what that took."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    descriptors = open_descriptors()
    found: dict[str, Any] = {}
    try:
        sound = convert(data)
    except AudioError as error:
        found["fault"] = str(error.fault)
    else:
        kept_at.write_bytes(sound.wav)
        found |= {
            "kept": sound.kept,
            "same": sound.wav == data,
            "samples": sound.samples,
            "seconds": sound.seconds,
            "loudness": sound.loudness,
            "levelled": sound.levelled,
        }
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    left = open_descriptors() - descriptors
    return found | {"cpu": cpu, "took": time.monotonic() - started, "left_open": left}


def main(source: Path, to: Path) -> None:
    """Judge all files of a folder."""
    # Which ffmpeg there is, is looked for once; that isn't a conversion.
    convert_one = source / "blip.wav"
    if convert_one.exists():
        convert(convert_one.read_bytes())
    files = {
        path.name: verdict(path.read_bytes(), to / f"{path.name}.wav") for path in sorted(source.iterdir())
    }
    said = {
        "files": files,
        "memory": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024,
        "left_behind": os.listdir(tempfile.gettempdir()),
    }
    (to / "verdicts.json").write_text(json.dumps(said))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
