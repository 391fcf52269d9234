"""Refusals on the tab of a phone say which field they mean and what it takes."""

import re
from html import unescape

import pytest
from django.test import Client

from phones.tests.factories import make_phone
from signin.tests.signing import sign_in_fully
from users.tests.browser import posted


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"vlan_wan_id": "5000"}, "ID VLAN (WAN) : Entrez un nombre de 1 à 4094."),
        ({"vlan_pc_id": "0"}, "ID VLAN (PC) : Entrez un nombre de 1 à 4094."),
        ({"vlan_pc_priority": "8"}, "Priorité VLAN (PC) : Entrez un nombre de 0 à 7."),
        ({"vlan_wan_priority": "x"}, "Priorité VLAN (WAN) : Entrez un nombre entier."),
    ],
)
def test_a_refused_number_says_which_vlan_it_is_and_what_it_takes(boreale, amelie, felix, values, said):
    make_phone(boreale, amelie, model="yealink-t54w")
    client = sign_in_fully(Client(), felix)
    page = client.get("/c/boreale/users/101/phone")
    answer = client.post("/c/boreale/users/101/phone", posted(page.content.decode()) | values)
    assert answer.status_code == 422
    text = " ".join(unescape(re.sub(r"<[^>]+>", " ", answer.content.decode())).split())
    assert text.count(said) == 2, "above the form, and at the field, whose label is the same for both ports"
