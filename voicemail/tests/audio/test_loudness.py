"""How loud a sound is by the standard, and how the gain is found that brings it to -23 LUFS."""

import math
from collections.abc import Callable

import pytest

from voicemail.audio import loudness


def test_what_is_quieter_than_the_rest_by_ten_counts_for_nothing() -> None:
    # Tech 3341, case 3 and 4: the quiet parts around the loud one don't lower it.
    assert loudness.mean([-36.0] * 100 + [-23.0] * 600 + [-36.0] * 100) == pytest.approx(-23.0)
    assert loudness.mean([-72.0] * 100 + [-36.0] * 100 + [-23.0] * 600) == pytest.approx(-23.0)
    # Case 5: -26, -20, -26 together.
    assert loudness.mean([-26.0] * 200 + [-20.0] * 201 + [-26.0] * 200) == pytest.approx(-23.0, abs=0.1)


@pytest.mark.parametrize("levels", [[], [-120.7] * 50, [-math.inf] * 3, [-70.1]])
def test_silence_has_no_loudness_and_no_gain(levels: list[float]) -> None:
    assert loudness.mean(levels) is None
    assert loudness.gain_for(levels) is None


@pytest.mark.parametrize("level", [-69.0, -40.0, -23.0, -3.0])
def test_a_gain_leads_to_the_target(level: float) -> None:
    levels = [level, level + 2, level - 3, -120.0] * 20
    gain = loudness.gain_for(levels)
    assert gain is not None
    assert loudness.mean([one + gain for one in levels]) == pytest.approx(loudness.TARGET, abs=0.05)


@pytest.mark.parametrize(
    ("becomes", "turns"),
    [
        pytest.param(lambda gain: -26.0 + gain, 2, id="nothing is held down"),
        pytest.param(lambda gain: -30.0 + 0.6 * gain, 4, id="much is held down"),
        pytest.param(lambda gain: max(-25.2, -54.0 + gain), 8, id="a click hides quiet words"),
    ],
)
def test_the_search_finds_the_gain(becomes: Callable[[float], float], turns: int) -> None:
    search = loudness.Search(2.0)
    for _ in range(turns):
        if search.found(becomes(search.gain)):
            break
    assert becomes(search.gain) == pytest.approx(loudness.TARGET, abs=loudness.NEAR)


def test_the_search_ends_where_no_gain_is_enough() -> None:
    search = loudness.Search(10.0)
    assert any(search.found(-27.0) for _ in range(8))
