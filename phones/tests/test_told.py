"""Whatever says on a page how the phones are says the same, and goes on saying it."""

import re
from datetime import timedelta
from html.parser import HTMLParser

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from phones.models import Phone
from phones.tests.factories import make_phone
from signin.tests.signing import sign_in_fully

pytestmark = pytest.mark.slow("opens page after page")


@pytest.fixture
def two(boreale, amelie):
    """Two phones of Amélie's: the first is up to date, the second has never been connected."""
    first, second = make_phone(boreale, amelie), make_phone(boreale, amelie)
    now = timezone.now()
    Phone.objects.filter(pk=first.pk).update(
        fetched_at=now, fetched_from="192.0.2.7", stale_since=None, command_at=None
    )
    return Phone.objects.get(pk=first.pk), second


def test_one_answer_tells_every_chip_the_head_and_the_consoles_address(felix, amelie, two):
    first, second = two
    client = sign_in_fully(Client(), felix)
    status = f"/c/boreale/users/101/phones/{second.mac}/status"
    answer = client.get(status, headers={"hx-request": "true"}).content.decode()
    for name in (f"phone-chip-{first.mac}", f"phone-chip-{second.mac}", "phones-state", "console-address"):
        assert re.search(rf'id="{name}" hx-swap-oob="true"', answer), name
    assert 'hx-trigger="every' in answer, "it was added just now: somebody looks at it"
    assert "192.0.2.7" not in answer
    Phone.objects.filter(pk=second.pk).update(
        fetched_at=timezone.now(), fetched_from="192.0.2.8", stale_since=None, command_at=None
    )
    answer = client.get(status, headers={"hx-request": "true"}).content.decode()
    assert "https://192.0.2.8" in answer
    assert "2 téléphones à jour" in answer
    assert "jamais connecté" not in answer
    assert 'hx-trigger="every' not in answer, "there is nothing more to wait for"


def test_the_box_goes_on_asking_while_another_phone_is_under_way(felix, amelie, two):
    first, second = two
    client = sign_in_fully(Client(), felix)
    page = client.get(f"/c/boreale/users/101/phone?phone={first.mac}").content.decode()
    box = page.split('id="phone-status"')[1].split(">")[0]
    assert "every 1s" in box, "the second phone's chip stands on the same page"
    Phone.objects.filter(pk=second.pk).update(created_at=timezone.now() - timedelta(hours=1))
    page = client.get(f"/c/boreale/users/101/phone?phone={first.mac}").content.decode()
    assert "every 1s" not in page.split('id="phone-status"')[1].split(">")[0]


def test_the_box_costs_the_same_for_any_number_of_phones(
    felix, amelie, boreale, two, django_assert_max_num_queries
):
    client = sign_in_fully(Client(), felix)
    status = f"/c/boreale/users/101/phones/{two[0].mac}/status"
    client.get(status)
    with CaptureQueriesContext(connection) as few:
        client.get(status)
    for _phone in range(4):
        make_phone(boreale, amelie)
    with django_assert_max_num_queries(len(few)):
        client.get(status)


def test_a_ports_vlan_number_and_priority_stand_right_below_its_switch(felix, amelie, two):
    page = (
        sign_in_fully(Client(), felix).get(f"/c/boreale/users/101/phone?phone={two[0].mac}").content.decode()
    )
    order = [name for name in re.findall(r'name="(vlan_\w+)"', page) if "_csrf" not in name]
    assert list(dict.fromkeys(order)) == [
        f"vlan_{port}_{what}" for port in ("wan", "pc") for what in ("enabled", "id", "priority")
    ]


def test_the_provisioning_link_is_beside_the_state_until_the_phone_has_used_it(felix, amelie, two):
    fetched, never = two
    client = sign_in_fully(Client(), felix)
    page = client.get(f"/c/boreale/users/101/phone?phone={never.mac}").content.decode()
    assert page.count('id="secret-link"') == 1
    assert page.index('id="secret-link"') < page.index('id="facts-title"')
    page = client.get(f"/c/boreale/users/101/phone?phone={fetched.mac}").content.decode()
    assert page.count('id="secret-link"') == 1
    assert page.index('id="secret-link"') > page.index('id="facts-title"')


class LiveRegions(HTMLParser):
    """The text of every element whose changes a screen reader announces."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.depth = 0
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        facts = dict(attrs)
        begins = facts.get("role") in ("status", "alert", "log") or facts.get("aria-live", "off") != "off"
        if begins and not self.depth:
            self.texts.append("")
        if begins or self.depth:
            self.depth += 1

    def handle_endtag(self, tag: str) -> None:
        self.depth = max(0, self.depth - 1)

    def handle_data(self, data: str) -> None:
        if self.depth:
            self.texts[-1] += data


def announced(html: str) -> list[str]:
    return [" ".join(text.split()) for text in LiveRegions(html).texts]


@pytest.mark.parametrize(
    ("facts", "lasting"),
    [
        ({"stale_since": 5, "attempts": 0}, "attend"),
        ({"command_at": 5, "command": "restart"}, "attend"),
        ({"stale_since": 5, "attempts": 1, "notified_at": 5, "outcome": "accepted"}, "avisé"),
        ({"stale_since": 600, "attempts": 1, "notified_at": 600, "outcome": "accepted"}, "n’a rien récupéré"),
        (
            {"notified_at": 5, "fetched_at": 60, "notified_command": "restart", "outcome": "accepted"},
            "redémarre",
        ),
    ],
    ids=["stale", "command", "notified", "silent", "restarting"],
)
def test_a_screen_reader_hears_a_new_state_and_no_seconds(felix, boreale, amelie, facts, lasting):
    phone = make_phone(boreale, amelie)
    client = sign_in_fully(Client(headers={"accept-language": "fr-CA"}), felix)
    box = f"/c/boreale/users/101/phones/{phone.mac}/status"
    push = reverse("push_status", args=["boreale", "101"])
    chip = reverse("phones_state", args=["boreale", "101"])

    def heard(seconds: int) -> list[str]:
        now = timezone.now() - timedelta(seconds=seconds)
        moments = {
            name: now - timedelta(seconds=value)
            for name, value in facts.items()
            if isinstance(value, int) and name != "attempts"
        }
        words = {name: value for name, value in facts.items() if name not in moments}
        fetched = {
            "fetched_at": now - timedelta(minutes=3),
            "fetched_from": "192.0.2.7",
            "stale_since": None,
            "command_at": None,
        }
        Phone.objects.filter(pk=phone.pk).update(**fetched | moments | words)
        pages = [client.get(address).content.decode() for address in (box, chip, push)]
        assert all(re.search(r"[0-9]\s(s|min)\b", page) for page in pages), "what one sees goes on counting"
        return [text for page in pages for text in announced(page)]

    first = heard(0)
    assert len(first) == 3
    assert lasting in first[0]
    assert lasting in first[1]
    assert heard(2) == first
    Phone.objects.filter(pk=phone.pk).update(
        fetched_at=timezone.now(), stale_since=None, command_at=None, notified_command=""
    )
    assert announced(client.get(box).content.decode()) != first[:1]
    assert "à jour" in announced(client.get(chip).content.decode())[0]
