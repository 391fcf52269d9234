"""One term per concept: the catalogue follows the glossary, and is written as French is in Québec."""

import re
from collections import Counter
from pathlib import Path

import django
import pytest
from babel.messages import pofile

from pbxadmin.tests.test_guide import LABELS, RIGHTS, TABS, words

pytestmark = pytest.mark.slow("reads all the texts")

ROOT = Path(__file__).resolve().parent.parent.parent
CATALOGUE = ROOT / "locale" / "fr" / "LC_MESSAGES" / "django.po"
GLOSSARY = ROOT / "docs" / "glossary.md"


def plain(text: str) -> str:
    """A text with one kind of apostrophe and of blank, without its placeholders and the « labels » that it quotes."""
    return re.sub(r"%\(\w+\)s|\{\w+\}", "…", text.replace("'", "’").replace("\u00a0", " "))


# Also of the guide, where it tells of the phone's own console.
CONSOLE = "Nom d'utilisateur de la console web"
GUIDE = {plain(label) for tab in (*LABELS.values(), RIGHTS, TABS, CONSOLE) for label in words(tab)}


def never(column: int) -> list[tuple[str, re.Pattern[str], list[str]]]:
    """The terms of a column of the glossary, how each is found, and the phrases within which it may stand."""
    found = []
    for line in GLOSSARY.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if not line.startswith("|") or cells[0] in ("Concept", "---"):
            continue
        for entry in re.split(r";\s*", cells[column]):
            term, _, but = entry.partition(" (but: ")
            if term:
                pattern = re.compile(rf"(?<![\w-]){re.escape(plain(term))}s?(?![\w-])", re.IGNORECASE)
                found.append(
                    (term, pattern, [plain(phrase) for phrase in but.removesuffix(")").split(", ") if phrase])
                )
    return found


def texts() -> tuple[list[str], list[str]]:
    """The English and the French of the catalogue, each form of a plural by itself."""
    english: list[str] = []
    french: list[str] = []
    with CATALOGUE.open("rb") as file:
        for message in pofile.read_po(file):
            if message.id:
                english += message.id if isinstance(message.id, tuple) else [message.id]
                french += message.string if isinstance(message.string, tuple) else [message.string]
    return english, french


def spoken(text: str) -> str:
    """What of a text is our own words: nothing of a label, whole or quoted."""
    text = plain(text)
    if text in GUIDE or re.sub(r" : .*", "", text) in GUIDE:
        return ""
    return re.sub(
        "[«“] (.*?) [»”]|“(.*?)”", lambda quoted: "" if (quoted[1] or quoted[2]) in GUIDE else quoted[0], text
    )


@pytest.mark.parametrize("language", ["French", "English"])
def test_no_text_uses_a_term_that_the_glossary_never_uses(language):
    terms = never(3 if language == "French" else 4)
    assert len(terms) > 40
    wrong = []
    for text in texts()[language == "French"]:
        read = spoken(text)
        for term, pattern, phrases in terms:
            rest = read
            for phrase in phrases:
                rest = re.sub(rf"{re.escape(phrase)}s?", "", rest, flags=re.IGNORECASE)
            if pattern.search(rest):
                wrong.append(f"{term}: {text}")
    assert wrong == []


def test_the_catalogue_names_its_language_its_plural_and_no_text_twice():
    source = CATALOGUE.read_text()
    with CATALOGUE.open("rb") as file:
        catalogue = pofile.read_po(file)
    assert str(catalogue.locale) == "fr_CA"
    assert (catalogue.num_plurals, catalogue.plural_expr) == (2, "(n > 1)")
    head = source.partition("\n\n")[0]
    assert [
        word for word in ("PACKAGE", "YEAR", "FULL NAME", "LANGUAGE", "TITLE", "EMAIL") if word in head
    ] == []
    # The reader of the format takes the last of two without a word; other tools refuse the file.
    keys = re.findall(r'^(?:(msgctxt ".*")\n)?(msgid (?:".*"\n)+)', source, re.MULTILINE)
    assert [key for key, count in Counter(keys).items() if count > 1] == []
    assert re.findall(r'^(msgstr(?:\[\d\])?) ".*"\n(?:".*"\n)*\1 ".*"', source, re.MULTILINE) == []


def test_no_text_of_ours_changes_what_the_support_desk_says_by_itself():
    """A text without a context is everybody's: ours must not put another word on a button of Django's."""
    ours = {}
    with CATALOGUE.open("rb") as file:
        for message in pofile.read_po(file):
            if isinstance(message.id, str) and not message.context:
                ours[message.id] = message.string
    theirs = {}
    for name in ("conf", "contrib/admin"):
        with (Path(django.__file__).parent / name / "locale/fr/LC_MESSAGES/django.po").open("rb") as file:
            theirs |= {
                message.id: message.string for message in pofile.read_po(file) if isinstance(message.id, str)
            }
    other = {
        text
        for text, words_of_ours in ours.items()
        if text in theirs
        and plain(theirs[text]) != plain(words_of_ours)
        # Days begin our lines; sentences of forms follow the glossary.
        and not text.endswith("day")
        and not text.endswith(".")
    }
    assert other == {"", "Remove"}, "Retirer, as everywhere in the portal"


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(r"(?<!\u00a0):(?=\s|$)", id="a colon without its no-break space"),
        pytest.param(r"«(?!\u00a0)|(?<!\u00a0)»", id="quotes without no-break spaces inside"),
        pytest.param(r"\s[;?!]", id="a space before a sign that has none in Québec"),
        pytest.param(r"[\d…](?!\u00a0)\s?%", id="a percent sign without its no-break space"),
        pytest.param(r"[\d…] (?:s|min|h|j|ms|px|[kMG]o|kHz)(?!\w)", id="a unit without its no-break space"),
        pytest.param(r"[\"“”]", id="quotes that aren't French"),
        pytest.param(r"(?<=\w)'", id="a straight apostrophe"),
        pytest.param(r"\.\.\.", id="three dots instead of their sign"),
    ],
)
def test_the_french_is_set_as_in_quebec(fault):
    # A label stays as the guide has it; placeholders and the attributes of markup are no text.
    ours = [text for text in texts()[1] if plain(text) not in GUIDE and spoken(text)]
    read = {
        text: re.sub(r"%\(\w+\)s|\{\w+\}", "…", re.sub(r"<[^>]*>", "", text)).replace("%%", "%")
        for text in ours
    }
    assert [text for text, plainly in read.items() if re.search(fault, plainly)] == []
