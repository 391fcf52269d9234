"""Every file of the collection, good and hostile, gets the outcome that is written down for it."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

EXPECTED = json.loads((Path(__file__).parent / "expect.json").read_text())
ACCEPTED = [name for name, facts in EXPECTED.items() if facts["outcome"] != "refused"]

pytestmark = pytest.mark.slow("makes and converts a hundred sounds")


@pytest.fixture(scope="module")
def measured(judged: Path, verdicts: dict[str, Any]) -> dict[str, tuple[float, float]]:
    """Loudness (LUFS) and peak (dBFS) of every greeting, as ffmpeg's own filter measures the file; all of them in one run."""
    names = [name for name in ACCEPTED if "fault" not in verdicts["files"][name]]
    inputs = [part for name in names for part in ("-i", str(judged / f"{name}.wav"))]
    graph = ";".join(
        f"[{at}:a]ebur128@{at}=peak=sample:framelog=verbose[o{at}]" for at, _ in enumerate(names)
    )
    outputs = [part for at, _ in enumerate(names) for part in ("-map", f"[o{at}]", "-f", "null", "-")]
    done = subprocess.run(
        ["ffmpeg", "-nostdin", "-hide_banner", "-nostats", *inputs, "-filter_complex", graph, *outputs],
        capture_output=True, check=True, text=True, errors="replace",
    )  # fmt: skip
    found = re.findall(
        r"^\[ebur128@(\d+) [^\n]*Summary:$.*?I: +(\S+) LUFS.*?Peak: +(\S+) dBFS", done.stderr, re.M | re.S
    )
    # Each is said twice: before there is anything to measure, and at the end.
    said = {names[int(at)]: (float(loudness), float(peak)) for at, loudness, peak in found}
    assert sorted(said) == sorted(names)
    return said


def test_every_file_that_is_made_has_an_outcome_and_the_other_way_round(sounds: Path) -> None:
    assert sorted(path.name for path in sounds.iterdir()) == sorted(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_a_file_becomes_what_is_written_down_for_it(
    name: str, judged: Path, verdicts: dict[str, Any], measured: dict[str, tuple[float, float]]
) -> None:
    expected, found = EXPECTED[name], verdicts["files"][name]
    if expected["outcome"] == "refused":
        assert found.get("fault") == expected["fault"]
        return
    if "fault" in found:
        assert expected["outcome"] == "either"
        return
    stored = (judged / f"{name}.wav").read_bytes()
    loudness, peak = measured[name]
    assert found["kept"] is found["same"]
    assert expected.get("kept", found["kept"]) is found["kept"]
    assert 44 < len(stored) <= 10 * 1024 * 1024
    least, most = expected.get("duration", (0, 656))
    assert least <= found["seconds"] <= most
    if "loudness" in expected and not found["kept"]:
        least, most = expected["loudness"]
        assert least <= loudness <= most
        assert found["levelled"]
        assert found["loudness"] == pytest.approx(loudness, abs=0.35)
    assert found["kept"] or peak <= expected.get("peak_max_dbfs", -0.8)
    for forbidden in expected.get("must_not_contain", ()):
        assert forbidden.encode() not in stored


def test_sox_finds_eight_thousand_samples_of_sixteen_bits_in_one_channel_in_each(
    judged: Path, verdicts: dict[str, Any]
) -> None:
    names = [name for name in ACCEPTED if "fault" not in verdicts["files"][name]]
    paths = [judged / f"{name}.wav" for name in names]

    def said(option: str) -> list[str]:
        done = subprocess.run(["sox", "--info", option, *paths], capture_output=True, check=True, text=True)
        assert not done.stderr
        return done.stdout.split()

    assert len(names) > 50
    assert set(said("-r")) == {"8000"}
    assert set(said("-b")) == {"16"}
    assert set(said("-c")) == {"1"}
    assert said("-s") == [str(verdicts["files"][name]["samples"]) for name in names]


def test_no_conversion_takes_ten_seconds_of_work_or_four_hundred_megabytes(verdicts: dict[str, Any]) -> None:
    assert {name: found["cpu"] for name, found in verdicts["files"].items() if found["cpu"] > 10} == {}
    assert 0 < verdicts["memory"] < 400_000_000


def test_nothing_is_left_in_the_folder_for_temporary_files_and_nothing_stays_open(
    verdicts: dict[str, Any],
) -> None:
    assert verdicts["left_behind"] == []
    assert {name for name, found in verdicts["files"].items() if found["left_open"]} == set()
