"""That the phone system is away: told to whoever administers its customers, on home and lists, until it is back."""

from datetime import timedelta
from html import unescape

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from asterisk.link import away
from asterisk.models import Node
from asterisk.tests.told import a_node
from signin.tests.signing import sign_in_fully

pytestmark = pytest.mark.django_db
PAGES = ("", "users/", "phones")
SAID = "The phone system hasn't been connected to the portal since"
PART = "A part of the phone system hasn't been connected to the portal since"
NEVER = "The phone system isn't connected to the portal yet."
BACK = "The phone system is connected to the portal again."


@pytest.fixture
def owner(known, felix):
    cache.clear()
    return sign_in_fully(Client(), felix)


def node(name="montreal", silent=None, serves=()):
    """A node of these customers (none: of all), heard so long ago; None: connected."""
    made, now = a_node(name), timezone.now()
    Node.objects.filter(pk=made.pk).update(
        connected_at=now if silent is None else None, heard_at=now - (silent or timedelta())
    )
    made.customers.set(serves)
    return made


def shown(client, page, slug="boreale", **headers):
    answer = client.get(f"/c/{slug}/{page}", headers={"accept-language": "en", **headers})
    assert answer.status_code == 200
    return " ".join(unescape(answer.content.decode()).split())


@pytest.mark.parametrize("page", PAGES)
def test_home_and_lists_say_that_the_phone_system_is_away_and_nothing_once_it_is_back(owner, page):
    montreal = node(silent=timedelta(hours=2))
    assert SAID in shown(owner, page)
    Node.objects.filter(pk=montreal.pk).update(connected_at=timezone.now(), heard_at=timezone.now())
    assert 'id="phone-system"' not in shown(owner, page)


def test_an_open_page_asks_until_it_is_back_and_says_so(owner):
    montreal = node(silent=timedelta(hours=2))
    asked = "/c/boreale/phone-system"
    assert f'hx-get="{asked}"' in shown(owner, "")
    assert f'hx-get="{asked}"' in shown(owner, "phone-system", **{"hx-request": "true"})
    Node.objects.filter(pk=montreal.pk).update(connected_at=timezone.now(), heard_at=timezone.now())
    answer = shown(owner, "phone-system", **{"hx-request": "true"})
    assert BACK in answer
    assert "hx-get" not in answer
    assert owner.get(asked).url == "/c/boreale/"


def test_nodes_of_other_customers_are_no_news(owner, boreale, laurier):
    other = node(silent=timedelta(hours=2), serves=[laurier])
    assert 'id="phone-system"' not in shown(owner, "")
    other.customers.add(boreale)
    assert SAID in shown(owner, "")


def test_of_several_nodes_one_that_is_away_is_a_part(owner):
    node()
    node("quebec", silent=timedelta(hours=2))
    assert PART in shown(owner, "")


def test_a_node_that_was_never_there_is_told_where_there_is_no_other(owner):
    new = a_node("new")
    assert NEVER in shown(owner, "")
    node("quebec")
    assert 'id="phone-system"' not in shown(owner, "")
    new.delete()
    assert 'id="phone-system"' not in shown(owner, "")


def test_without_any_node_nothing_is_said(owner):
    assert 'id="phone-system"' not in shown(owner, "")


def test_whoever_administers_nobody_is_told_nothing(known, amelie):
    node(silent=timedelta(hours=2))
    page = sign_in_fully(Client(), amelie).get("/me")
    assert page.status_code == 200
    assert 'id="phone-system"' not in page.content.decode()


def test_it_is_one_question_however_many_nodes_there_are(known, boreale):
    for name in ("montreal", "quebec", "laval"):
        node(name, silent=timedelta(hours=2), serves=[boreale])
    with CaptureQueriesContext(connection) as queries:
        found = away.of(boreale)
    assert len(queries) == 1
    assert found
    assert found.everything
