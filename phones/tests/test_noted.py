"""What the history says of a phone: its model and its commands by their names, never a word of the code."""

import pytest
from django.utils import translation

from phones import services
from phones.models import Phone
from phones.settings.noted import SECRETS
from phones.tests.factories import make_phone
from users.history import timeline
from users.models import Change
from users.tests.factories import FACTS

MAC = "805ec0aabb01"
NAME = "Yealink T46U 80:5E:C0:AA:BB:01"


@pytest.fixture
def phone(boreale, amelie):
    made = make_phone(boreale, amelie, MAC, model="yealink-t46u")
    Phone.objects.filter(pk=made.pk).update(fetched_from="198.51.100.7")
    return Phone.objects.get(pk=made.pk)


def newest(actor, customer, language="fr-ca"):
    with translation.override(language):
        return timeline.latest(actor, customer, 1)[0]


def test_a_command_stands_in_the_history_by_its_name(felix, boreale, phone):
    with translation.override("fr-ca"):
        assert services.phone_command(felix, phone, Phone.Command.RESTART, FACTS) == ""
    assert newest(felix, boreale).what == f"Envoi au téléphone\u00a0: Redémarrer · {NAME}"
    assert newest(felix, boreale).rows == [], "the title says everything"
    cells = timeline.cells_in_words(Change.objects.filter(kind="command").get(), None)
    assert cells == [{"label": "Commande", "old": "", "new": "Redémarrer"}]
    assert newest(felix, boreale, "en").what == f"Sent to the phone: Restart · {NAME}"


@pytest.mark.parametrize("which", list(SECRETS))
def test_a_secret_that_was_shown_is_named_and_not_told(felix, boreale, phone, which):
    services.reveal_secret(felix, phone, which, FACTS)
    told = newest(felix, boreale)
    with translation.override("fr-ca"):
        assert told.what == f"Affichage d’un secret\u00a0: {SECRETS[which]} · {NAME}"
    [cell] = timeline.cells_in_words(Change.objects.filter(kind="reveal").get(), None)
    assert cell["new"] == "••••••••"


def test_a_phone_is_called_by_its_model_as_people_know_it(phone):
    assert str(phone) == NAME
    phone.model = "yealink-t19p"
    assert str(phone) == "yealink-t19p 80:5E:C0:AA:BB:01", (
        "of a model that left the catalogue, what was stored"
    )
