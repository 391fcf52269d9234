"""A greeting of a minute as a browser records it (WebM), made into what the phone system plays.

`python -m bench.greetings [turns]`. The reference is one plain ffmpeg command that decodes, resamples, raises by a gain that is
known before, and writes the file; nothing is measured, judged, limited or trimmed there. The goal is 1.5 times of it. The two run
by turns, and the best turn counts, so that a neighbour on the machine doesn't: ours gives way to it (nice 10). The same for ten minutes.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from voicemail.audio import convert, ffmpeg
from voicemail.tests.audio.make import recording

TURNS = 15
GOAL = 1.5


def bare(source: Path, to: Path) -> None:
    """The same work, and nothing else."""
    subprocess.run(
        [
            ffmpeg.program(), "-nostdin", "-v", "error", "-y", "-i", str(source), "-af", "volume=3dB",
            "-ar", "8000", "-ac", "1", "-c:a", "pcm_s16le", str(to),
        ],
        check=True,
    )  # fmt: skip


def fastest(runs: list[Callable[[], object]], turns: int) -> list[float]:
    """The best time of each, in seconds; they take turns."""
    best = [float("inf")] * len(runs)
    for _ in range(turns):
        for number, run in enumerate(runs):
            start = time.perf_counter()
            run()
            best[number] = min(best[number], time.perf_counter() - start)
    return best


def main() -> None:
    """Print a line for each sound."""
    turns = int(sys.argv[1]) if len(sys.argv) > 1 else TURNS
    with tempfile.TemporaryDirectory(prefix="pbxadmin-bench-") as folder:
        minute, ten = Path(folder) / "minute.webm", Path(folder) / "ten.webm"
        recording(60, minute)
        recording(600, ten)
        print("sound          ours ms  bare ms  ratio")
        for name, path, times in (("a minute", minute, turns), ("ten minutes", ten, max(3, turns // 5))):
            data = path.read_bytes()
            ours, theirs = fastest(
                [
                    lambda data=data: convert(data),
                    lambda path=path: bare(path, Path(folder) / "out.wav"),
                ],
                times,
            )
            print(f"{name:<13} {ours * 1000:>8.0f} {theirs * 1000:>8.0f} {ours / theirs:>6.2f}")
    print(f"goal for a minute: at most {GOAL}")


if __name__ == "__main__":
    main()
