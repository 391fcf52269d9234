"""The tab "Téléphone IP" as people see it: what stands on the page, in which words."""

import html
import re
from typing import Any

import pytest
from django.test import Client
from django.utils import translation

from phones.models import Phone
from phones.settings.sections import MODEL, SETTINGS
from signin.tests.signing import sign_in_fully
from users.models import User

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner(felix: User) -> Client:
    """Félix, signed in."""
    return sign_in_fully(Client(), felix)


def page_of(client: Client, phone: Phone) -> str:
    """The tab, opened at this phone."""
    response: Any = client.get(f"/c/boreale/users/101/phone?phone={phone.mac}")
    assert response.status_code == 200
    return response.content.decode()


def test_no_state_on_the_tab_is_without_words_and_the_head_asks_for_the_phones_once(
    phone: Phone, owner: Client
) -> None:
    page = page_of(owner, phone)
    states = re.findall(r'class="state [^"]*"><span>(.*?)</span>', page)
    assert states
    assert all(states)
    assert page.count('id="phones-state"') == 1


HEADINGS = [
    "Modèle de téléphone",
    "Appareil routeur (SBC)",
    "Options",
    "Format de la date et de l'heure",
    "Sélectionnez le logo pour ce téléphone",
    "Personnalisez les sonneries d'appel et de file d'attente",
    "Codecs",
    "Avancé",
    "Activer le VLAN pour le port WAN / PC",
]
FIELDS = [
    "Langue",
    "Fuseau horaire",
    "Méthode de transfert",
    "Notifications du voyant LED d’alimentation",
    "Délai d'inactivité de l’économiseur d’écran",
    "Délai d'extinction du rétroéclairage",
    "LLDP",
    "ID VLAN",
    "Priorité VLAN",
    "PCMU",
    "PCMA",
    "G.722",
    "G.729",
]


def words_of(page: str, *tags: str) -> list[str]:
    """The texts of these elements, without what stands inside them."""
    found = re.findall(rf"<({'|'.join(tags)})\b[^>]*>(.*?)</\1>", page, re.DOTALL)
    return [html.unescape(re.sub(r"<[^>]+>", "", text)).strip() for _tag, text in found]


def test_headings_and_fields_are_called_letter_for_letter_as_in_the_guide(
    phone: Phone, owner: Client
) -> None:
    page = page_of(owner, phone)
    headings = words_of(page, "h2", "h3")
    assert [heading for heading in headings if heading in HEADINGS] == HEADINGS
    fields = words_of(page, "label", "legend", "span")
    assert [name for name in FIELDS if name not in fields] == []


@pytest.mark.parametrize("language", ["fr-ca", "en"])
def test_every_field_of_the_tab_says_what_it_is_for(phone: Phone, language: str) -> None:
    with translation.override(language):
        texts = {column.name: str(column.help) for column in (MODEL, *SETTINGS)}
    assert [name for name, text in texts.items() if not text and name != "sidecars"] == []


def test_in_french_no_help_is_left_in_english(phone: Phone) -> None:
    for column in (MODEL, *SETTINGS):
        with translation.override("en"):
            english = str(column.help)
        with translation.override("fr-ca"):
            assert not english or str(column.help) != english, column.name
