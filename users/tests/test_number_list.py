"""Numbers as people list them: ranges, single ones, names; and what can't be read."""

from time import process_time

import pytest
from django.core.exceptions import ValidationError

from users.company.number_list import MOST, numbers_in

TEN = [f"+1514555{number:04}" for number in range(130, 140)]


@pytest.mark.parametrize(
    "text",
    [
        "514 555-0130 à 0139",
        "514 555-0130 à 514 555-0139",
        "514 555-0130 to 514 555-0139",
        "514-555-0130..39",
        "514.555.0130 … 139",
        "5145550130–0139",
        "(514) 555-0130 - 0139",
        "514-555-0130-0139",
        "+1 514 555-0130 → +1 514 555-0139",
        "1 514 555 0130 jusqu’à 39",
        "514\u00a0555\u20110130 au 0139",
        "５１４ ５５５-０１３０ à ０１３９",
        "514 555-0130 a 0134, 514 555-0135 to 0139",
        "514 555-0130 à 0134\r\n\r\n514 555-0135\r\n514 555-0136 à 0139\r\n",
        "514 555-0130 à 0139\n514 555-0135",
    ],
)
def test_a_range_is_read_however_it_is_written(text):
    assert [each.number for each in numbers_in(text)] == TEN


def test_a_name_follows_and_a_heading_is_passed_over():
    text = 'Numéro;Nom\n514 555-0130;Ligne principale\n"514 555-0131","Télécopieur"\n514 555-0132 à 0133\tVentes\n514 555-0134, 514 555-0135, Soins'
    assert [(each.number[-4:], each.name) for each in numbers_in(text)] == [
        ("0130", "Ligne principale"),
        ("0131", "Télécopieur"),
        ("0132", "Ventes"),
        ("0133", "Ventes"),
        ("0134", "Soins"),
        ("0135", "Soins"),
    ]


@pytest.mark.parametrize("text", ["", "  \n\t\n", "Numéro;Nom"])
def test_nothing_is_no_number(text):
    assert numbers_in(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "514 555-0139 à 0130",
        "514 555-0130 à 438 555-01",
        "514 555-0130 à",
        "à 0139",
        "12",
        "911",
        "514 555-0130 à 0139 à 0145",
        "514 555-0130 à zéro",
        "5,14555E+09",
        "514 555-0130 à 999 555-0000",
        f"514 555-0000\n{'x' * 100_000}",
        "514 555-0000 à 514 565-0000",
        "١٢٣",
        "\0",
        "–\tLigne 2",
        "514 555-0130\n…;5",
    ],
)
def test_what_cannot_be_read_is_refused_and_nothing_is_guessed(text):
    with pytest.raises(ValidationError):
        numbers_in(text if text != "\0" else "514 555\0-0130")


def test_each_line_that_is_wrong_is_named():
    with pytest.raises(ValidationError) as refused:
        numbers_in("514 555-0130\n12\n514 555-0131\n13")
    assert [message.split(":")[0].strip()[-1] for message in refused.value.messages] == ["2", "4"]


def test_ranges_together_are_not_endless():
    text = "\n".join(f"514 {first:03}-0000 à 0999" for first in range(550, 552 + MOST // 1000))
    with pytest.raises(ValidationError):
        numbers_in(text)


@pytest.mark.parametrize(
    "text",
    [
        f"5{' ' * 90_000}5", "5 - " * 20_000, "1" * 90_000, f"0000 -{' ' * 90_000}x", "5,\n" * 30_000,
        "\n".join(["514 555-0000 à 1998"] * 4_000), "514 555-0000 à 9\n" * 5_000,
    ],
    ids=["spaces", "hyphens", "digits", "glued", "problems", "one range in many lines", "short ranges"],
)  # fmt: skip
def test_a_list_that_is_made_to_cost_time_is_refused_at_once(text):
    began = process_time()
    with pytest.raises(ValidationError):
        numbers_in(text)
    assert process_time() - began < 1
