"""The tab "Téléphone IP" as people see it: what stands on the page, in which words."""

import re
from typing import Any

import pytest
from django.test import Client

from phones.models import Phone
from users.models import User
from users.tests.signing import sign_in_fully

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
