"""What may stand on one line of a device's file, how two files differ, and what is hidden of a shown one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbxadmin.common.values.configtext import (
    MASK,
    DiffLine,
    FileLine,
    UnsafeTextError,
    Verbatim,
    diff,
    guard_line_values,
    is_one_line,
    line_value,
    masked_lines,
    pairs,
    refuse_control_characters,
)

SECRETS = ("account.*.password", "static.auto_provision.server.url")
OLD = "#!version:1.0.0.1\naccount.1.label = 101\naccount.1.password = before\n"
NEW = "#!version:1.0.0.1\naccount.1.label = 101\naccount.1.password = after\nlang.gui = French\n"


def lines_of(text: str) -> list[FileLine]:
    """The lines of a file, its secrets hidden."""
    return masked_lines(text, SECRETS)


@pytest.mark.parametrize("text", ["", "Amélie", "a\u00a0b", "œ « » ’", "张", "👩\u200d💻", "a b", "\u00ad"])
def test_a_plain_line_passes_unchanged(text: str) -> None:
    assert refuse_control_characters(text) == text
    assert is_one_line(text)


@pytest.mark.parametrize(
    ("text", "code", "where"),
    [
        ("a\nb", "control", "U+000A"),
        ("a\rb", "control", "U+000D"),
        ("a\tb", "control", "U+0009"),
        ("\x00", "control", "U+0000"),
        ("a\x85b", "control", "U+0085"),
        ("\x1b[2J", "control", "U+001B"),
        ("a\u2028b", "control", "U+2028"),
        ("a\u2029b", "control", "U+2029"),
        ("\ud800", "control", "U+D800"),
        ("\ufeffa", "control", "U+FEFF"),
        ("\u202egpj", "direction", "U+202E"),
        ("\u2067a", "direction", "U+2067"),
    ],
    ids=ascii,
)
def test_a_control_is_refused_by_its_number_and_without_the_text(text: str, code: str, where: str) -> None:
    with pytest.raises(UnsafeTextError) as refused:
        refuse_control_characters(f"secret{text}")
    assert (refused.value.code, refused.value.where) == (code, where)
    assert "secret" not in str(refused.value)
    assert not is_one_line(text)


@given(st.text())
def test_what_passes_is_one_line_for_every_reader(text: str) -> None:
    if is_one_line(text):
        assert len(text.splitlines()) <= 1
        text.encode()


@pytest.mark.parametrize("value", [0, 5061, "101", "= # $PSN {{7*7}}", Verbatim("%NULL%"), "50 %"])
def test_a_value_a_reader_gets_back_is_written(value: object) -> None:
    assert line_value(value) == value
    guard_line_values([value, "other"])


@pytest.mark.parametrize(
    "value",
    ["", " ", " a", "a ", "a\u00a0", "%NULL%", "%null%", "a\nb", None, True, False, 1.5, b"x", ["x"]],
    ids=repr,
)
def test_a_value_a_reader_would_not_get_back_is_refused_alone_and_among_others(value: object) -> None:
    with pytest.raises(UnsafeTextError):
        line_value(value)
    with pytest.raises(UnsafeTextError):
        guard_line_values(["before", value, 7, "after"])


@given(
    st.lists(
        st.text(max_size=8) | st.integers() | st.sampled_from(["%NULL%", "a\nb", " ", "a b"]), max_size=6
    )
)
def test_many_values_are_judged_as_each_alone_would_be(values: list[object]) -> None:
    def refused(judge: object, what: object) -> bool:
        try:
            judge(what)
        except UnsafeTextError:
            return True
        return False

    assert refused(guard_line_values, values) == any(refused(line_value, value) for value in values)


def test_two_equal_files_do_not_differ() -> None:
    assert diff(lines_of(OLD), lines_of(OLD)) == []


def test_a_changed_secret_shows_as_changed_and_is_not_shown() -> None:
    lines = diff(lines_of(OLD), lines_of(NEW))
    assert lines == [
        DiffLine("@", "@@ -1,3 +1,4 @@"),
        DiffLine(" ", "#!version:1.0.0.1"),
        DiffLine(" ", "account.1.label = 101"),
        DiffLine("-", f"account.1.password = {MASK}", secret=True),
        DiffLine("+", f"account.1.password = {MASK}", secret=True),
        DiffLine("+", "lang.gui = French"),
    ]


def test_without_a_list_of_secrets_nothing_is_masked() -> None:
    assert DiffLine("+", "account.1.password = after") in diff(masked_lines(OLD, ()), masked_lines(NEW, ()))


def test_a_line_of_a_file_that_looks_like_a_heading_is_still_compared() -> None:
    assert diff(lines_of("a\n"), lines_of("a\n++ b\n-- c\n"))[-2:] == [
        DiffLine("+", "++ b"),
        DiffLine("+", "-- c"),
    ]


def test_a_masked_file_keeps_its_lines_and_what_was_not_secret() -> None:
    text = (
        "account.1.password = x=y \naccount.12.password=z\n"
        "account.1.a.password = no\naccount.1.password = %NULL%\n"
    )
    lines = masked_lines(text, SECRETS)
    assert [line.text for line in lines] == text.splitlines()
    assert [line.shown for line in lines] == [
        f"account.1.password = {MASK} ",
        f"account.12.password={MASK}",
        "account.1.a.password = no",
        "account.1.password = %NULL%",
    ]
    assert [line.secret for line in lines] == [True, True, False, False]


def test_pairs_are_read_in_their_order_with_repeated_keys() -> None:
    text = "#!version:1.0.0.1\n\n# note\nk = user:a\nk = admin:b=c\n x=1 \noverwrite_mode = 1\nnothing\n"
    assert list(pairs(text)) == [("k", "user:a"), ("k", "admin:b=c"), ("x", "1"), ("overwrite_mode", "1")]
