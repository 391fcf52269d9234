"""The desk speaks like the portal: what Django's admin says by itself is said in our words, in both languages, on every page."""

import re
from html.parser import HTMLParser
from pathlib import Path

import django
import pytest
from babel.messages import pofile
from django.urls import reverse

from pbxadmin.tests.test_words import CATALOGUE, never, plain
from phones.tests.factories import make_phone
from signin.tests.signing import sign_in_fully
from support.tests.test_admin import all_pages, filled, page
from users.models import SystemExtension

pytestmark = pytest.mark.slow("opens every page of the support desk")

HERE = Path(__file__).resolve().parent.parent / "locale"
# Words of programmers and of Django, which nobody of the support says.
FOREIGN = {
    "fr": r"\bobjets?\b|modèles? de l.application|nom du modèle|^Ajouter (?!un téléphone)\w|administration de|avec succès|\bexécuter\b|^False$|^True$",
    "en": r"\bobjects?\b|\bmodels? (?:in|name)\b|^Add (?!a phone|any)\w|administration$|successfully|\bRun the\b|^False$|^True$",
}


def messages_of(path: Path) -> dict[str, list[str]]:
    """Each text of a catalogue with its translations; a plural's forms are two texts."""
    found: dict[str, list[str]] = {}
    with path.open("rb") as file:
        for message in pofile.read_po(file):
            ids = message.id if isinstance(message.id, tuple) else (message.id,)
            strings = message.string if isinstance(message.string, tuple) else (message.string,)
            for text in ids:
                found.setdefault(text, []).extend(filter(None, strings))
    found.pop("", None)
    return found


def as_said(text: str) -> re.Pattern[str] | None:
    """How a text reads on a page; None where it has no words of its own."""
    parts = re.split(r"%\(\w+\)[sd]|%[sd]|\{\w*\}", " ".join(text.split()))
    if len("".join(parts).strip(" :.,-")) < 3:
        return None
    return re.compile(".+".join(map(re.escape, parts)))


class Said(HTMLParser):
    """What a page of the desk says: its text, the labels of its elements, its buttons."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.texts: set[str] = set()
        self.silent = 0
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.silent += tag in ("script", "style")
        facts = dict(attrs)
        names = ["title", "aria-label", "placeholder", "alt"]
        if facts.get("type") in ("submit", "button"):
            names.append("value")
        self.texts |= {" ".join((facts.get(name) or "").split()) for name in names} - {""}

    def handle_endtag(self, tag: str) -> None:
        self.silent -= tag in ("script", "style")

    def handle_data(self, data: str) -> None:
        if not self.silent and data.strip():
            self.texts.add(" ".join(data.split()))


@pytest.fixture
def told(client, staff, boreale, amelie):
    """What the desk says on all its pages and after what is done there, for a language: {text: address}."""
    sign_in_fully(client, staff)
    make_phone(boreale, amelie)
    SystemExtension.objects.create(customer=boreale, number="180", name="Accueil", kind="ring_group")

    def walked(language: str) -> dict[str, str]:
        found: dict[str, str] = {}
        client.defaults["HTTP_ACCEPT_LANGUAGE"] = language

        def heard(answer, where: str) -> None:
            if answer.request["PATH_INFO"].startswith("/support/"):
                found.update((text, where) for text in Said(answer.content.decode()).texts - found.keys())

        asked = [
            each for each in all_pages(boreale, amelie) if "autocomplete" not in each and "jsi18n" not in each
        ]
        asked += [f"{each}?customer=boreale" for each in asked if each.endswith("/add/")]
        people = page("users_user")
        asked += [
            f"{people}?q=tremblay",
            f"{people}?q=zzzz",
            f"{people}?role__id__exact=users",
            f"{people}?o=1.-2",
            f"{people}?_facets=True",
        ]
        for address in asked:
            heard(client.get(address, follow=True), address)
        heard(client.post(people, {"action": "", "_selected_action": [amelie.pk]}, follow=True), "no action")
        heard(client.post(people, {"action": "delete_chosen"}, follow=True), "nobody selected")
        heard(client.post(people, {"action": "delete_chosen", "_selected_action": [amelie.pk]}), "deletion")
        department = page("users_department", "change", amelie.primary_department_id)
        for name, button in (
            (f"Accueil {language}", "_save"),
            (f"Réception {language}", "_continue"),
            ("", "_save"),
        ):
            heard(
                client.post(department, filled(client, department, name=name) | {button: "1"}, follow=True),
                "saving",
            )
        new = f"{page('users_department', 'add')}?customer=boreale"
        heard(
            client.post(new, filled(client, new, name=f"Nouveau {language}") | {"_save": "1"}, follow=True),
            "creating",
        )
        client.post(reverse("sign_out"))
        return found

    return walked


@pytest.mark.parametrize("language", ["fr", "en"])
def test_no_page_of_the_desk_speaks_in_djangos_words(told, language):
    theirs = messages_of(Path(django.__file__).parent / "contrib/admin/locale/fr/LC_MESSAGES/django.po")
    ours = messages_of(HERE / language / "LC_MESSAGES" / "django.po")
    portals = {plain(text) for pair in messages_of(CATALOGUE).items() for text in (pair[0], *pair[1])}
    # What is said on purpose: in our words, or in those that the portal itself uses.
    said = portals | {plain(text) for texts in ours.values() for text in texts}
    patterns = [
        pattern
        for text, strings in theirs.items()
        if text not in ours
        for each in (strings if language == "fr" else [text])
        if plain(each) not in said and (pattern := as_said(each))
    ]
    heard = told(language)
    assert len(heard) > 200
    assert "---------" not in heard
    for done in {"fr": (": enregistré.", "Créé"), "en": (": saved.", "was created.")}[language]:
        assert any(done in plain(text) for text in heard), [
            t for t, w in heard.items() if w in ("saving", "creating")
        ]
    known = [pattern for texts in ours.values() for text in texts if (pattern := as_said(text))]
    wrong = {
        text: where
        for text, where in heard.items()
        if plain(text) not in said
        and not any(pattern.fullmatch(text) for pattern in known)
        and any(pattern.fullmatch(text) for pattern in patterns)
    }
    assert wrong == {}
    assert {
        text: where for text, where in heard.items() if re.search(FOREIGN[language], text, re.IGNORECASE)
    } == {}


def test_the_desks_words_are_those_of_django_and_follow_the_glossary():
    theirs = messages_of(Path(django.__file__).parent / "contrib/admin/locale/en/LC_MESSAGES/django.po")
    french, english = (messages_of(HERE / each / "LC_MESSAGES" / "django.po") for each in ("fr", "en"))
    assert french.keys() == english.keys()
    assert french.keys() <= theirs.keys(), "Django has another text by now"
    portals = messages_of(CATALOGUE).keys()
    assert not french.keys() & portals, "a text that the portal says means the same everywhere"
    for ours, column in ((french, 3), (english, 4)):
        terms = never(column)
        texts = [plain(text) for strings in ours.values() for text in strings]
        assert [
            (term, text) for text in texts for term, pattern, _phrases in terms if pattern.search(text)
        ] == []
