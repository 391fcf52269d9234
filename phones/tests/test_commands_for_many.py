"""A restart or a new configuration for the phones of the chosen: each told once for a press, whoever has none is named."""

import pytest
from django.urls import reverse
from django.utils import timezone

from phones.models import Phone
from phones.tests.factories import make_people, make_phones
from signin.tests.signing import sign_in_fully
from users.models import Operation

pytestmark = pytest.mark.django_db


@pytest.fixture
def people(boreale):
    return make_people(boreale, 4)


@pytest.fixture
def phones(boreale, people):
    """A phone that has fetched for each of the first three."""
    made = make_phones(boreale, people[:3])
    Phone.objects.update(
        fetched_at=timezone.now(), fetched_from="10.0.0.9", stale_since=None, command_at=None
    )
    return made


def sent(client, action, people, **more):
    keys = [each.pk for each in people]
    facts = {"chosen": keys, "confirmed": "1", "expected": str(len(people))} | more
    return client.post(reverse(f"chosen_{action}", args=["boreale"]), facts)


@pytest.mark.parametrize(("action", "command"), [("restart", "restart"), ("reprovision", "resync")])
def test_the_phones_of_many_are_told_and_the_history_names_each(
    client, felix, people, phones, action, command
):
    assert sent(sign_in_fully(client, felix), action, people[:3]).status_code == 302
    assert set(Phone.objects.values_list("command", flat=True)) == {command}
    assert not Phone.objects.filter(command_at=None).exists()
    operation = Operation.objects.latest("pk")
    assert (operation.kind, operation.changes.count()) == ("command", 3)


@pytest.mark.parametrize("action", ["restart", "reprovision"])
def test_a_second_press_tells_nobody_twice(client, felix, people, phones, action):
    sign_in_fully(client, felix)
    sent(client, action, people[:2])
    before = Operation.objects.count()
    sent(client, action, people[:2])
    assert Operation.objects.count() == before
    sent(client, action, people[:3])
    assert Operation.objects.latest("pk").changes.count() == 1


def test_a_restart_takes_the_place_of_a_new_configuration_and_not_the_other_way_round(
    client, felix, people, phones
):
    sign_in_fully(client, felix)
    for action in ("reprovision", "restart", "reprovision"):
        sent(client, action, people[:3])
    assert set(Phone.objects.values_list("command", flat=True)) == {"restart"}


def test_who_has_no_phone_that_can_be_told_is_named_with_the_reason(client, felix, people, phones):
    Phone.objects.filter(pk=phones[0].pk).update(fetched_from=None)
    sign_in_fully(client, felix)
    page = client.post(
        reverse("chosen_restart", args=["boreale"]), {"chosen": [each.pk for each in people]}
    ).content.decode()
    refused = page.split('id="refused-title"')[1].split("</section>")[0]
    assert "n’a pas de téléphone" in refused
    assert "jamais récupéré" in refused
    assert "2 téléphones redémarrent" in page
    assert sent(client, "restart", people, expected="2").status_code == 409
    assert sent(client, "restart", people, expected="2", without="1").status_code == 302


def test_whoever_has_another_department_commands_no_phone(client, ines, people, phones):
    assert (
        sent(sign_in_fully(client, ines), "restart", people[:3], expected="0", without="1").status_code == 409
    )
    assert not Phone.objects.exclude(command_at=None).exists()
