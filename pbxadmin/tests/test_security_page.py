"""docs/security.md promises nothing that no test holds."""

import re

from pbxadmin.tests.installation import ROOT

ATTACKS = 50
PAGE = (ROOT / "docs/security.md").read_text()


def parts() -> dict[int, str]:
    """The text of each attack by its number."""
    found = re.split(r"(?m)^\*\*(\d+)\. ", PAGE)
    return {int(number): text for number, text in zip(found[1::2], found[2::2], strict=True)}


def test_every_attack_is_there_and_has_a_test_or_says_what_it_waits_for() -> None:
    assert list(parts()) == list(range(1, ATTACKS + 1))
    bare = [number for number, text in parts().items() if "::test_" not in text]
    assert all(re.search(r"Waits for|There are none", parts()[number]) for number in bare)


def test_every_test_that_it_names_exists() -> None:
    named = re.findall(r"`([\w./]+\.py)::(test_\w+)`", PAGE)
    assert len(named) > 2 * ATTACKS
    sources = {path: (ROOT / path).read_text() for path, _name in named}
    assert [(path, name) for path, name in named if f"def {name}(" not in sources[path]] == []
