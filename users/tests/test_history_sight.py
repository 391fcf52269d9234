"""What the history tells to whom: no value of somebody whose tabs one can't open, and from where somebody came only who may know."""

from html import unescape

import pytest
from django.test import Client
from django.urls import reverse

from pbxadmin.common.http import RequestFacts
from signin.credentials import record
from signin.tests.signing import sign_in_fully
from users import road
from users.people.sections import user_sheet
from users.tests.factories import make_user

pytestmark = pytest.mark.slow("opens page after page")

PLACE = "203.0.113.77"
ADDRESS, MOBILE = "felix.gagnon@maison.example", "514 555-0142"


@pytest.fixture
def admin(boreale):
    """A system administrator: acts on the whole company, one level below its owner."""
    return make_user(boreale, "140", "Adèle", "Roy", role="system_admins", department="Accueil")


def change(actor, customer, person, address=PLACE, **values):
    plan = road.plan(actor, customer, user_sheet(), [road.Row(person.pk, values)])
    return road.apply(plan, RequestFacts("portal", address))


def page(reader, url, **query):
    answer = sign_in_fully(Client(), reader).get(url, query)
    assert answer.status_code == 200
    return unescape(answer.content.decode())


def pages_of(reader, operation, slug="boreale"):
    """Every page on which a company's history is read."""
    return [
        page(reader, reverse("history", args=[slug])),
        page(reader, reverse("operation", args=[slug, operation.pk])),
        page(reader, reverse("customer_home", args=[slug])),
    ]


def test_whoever_cannot_open_somebodys_tabs_reads_no_value_of_theirs_in_the_history(felix, admin, boreale):
    operation = change(felix, boreale, felix, email=ADDRESS, mobile=MOBILE)
    for text in pages_of(admin, operation):
        assert ADDRESS not in text
        assert MOBILE not in text
        assert PLACE not in text
    log, whole, _home = pages_of(admin, operation)
    assert "Félix" in log, "that it changed is theirs to read"
    assert "Mobile" in whole
    assert whole.count("•") >= 2
    url = reverse("undo", args=["boreale", operation.pk])
    assert url not in log
    assert sign_in_fully(Client(), admin).get(url).status_code == 403
    own = pages_of(felix, operation)[1]
    assert ADDRESS in own
    assert MOBILE in own


def test_whoever_may_open_the_tabs_reads_the_values(felix, admin, amelie, boreale, staff):
    operation = change(felix, boreale, amelie, mobile=MOBILE)
    for reader in (felix, admin, staff):
        assert MOBILE in pages_of(reader, operation)[1]
        assert MOBILE in page(reader, reverse("user_history", args=["boreale", "101"]))


def test_a_search_finds_no_value_that_its_reader_may_not_see(felix, admin, boreale):
    change(felix, boreale, felix, email=ADDRESS, mobile=MOBILE)
    url = reverse("history", args=["boreale"])
    for sought in (ADDRESS, MOBILE, PLACE, "maison"):
        assert "<time" not in page(admin, url, q=sought)


@pytest.mark.parametrize("role", ["group_admins", "managers"])
def test_without_the_event_log_nobody_reads_from_where_a_colleague_acts(role, felix, amelie, boreale):
    reader = make_user(boreale, "141", "Luc", "Roy", role=role, department="Accueil")
    change(felix, boreale, amelie, mobile=MOBILE)
    change(reader, boreale, amelie, address="198.51.100.5", mobile="514 555-0143")
    text = page(reader, reverse("user_history", args=["boreale", "101"]))
    assert MOBILE in text
    assert PLACE not in text
    assert "198.51.100.5" in text, "one's own is no secret from oneself"


def test_the_event_log_of_departments_tells_addresses_of_their_own_people_alone(felix, amelie, boreale, rf):
    reader = make_user(boreale, "142", "Zoé", "Roy", role="group_owners", department="Accueil")
    change(felix, boreale, amelie, mobile=MOBILE)
    request = rf.get("/", REMOTE_ADDR="198.51.100.9")
    record(request, amelie, "sign_in")
    for url in (reverse("user_history", args=["boreale", "101"]), reverse("history", args=["boreale"])):
        text = page(reader, url)
        assert PLACE not in text, "the owner's"
        assert "198.51.100.9" in text, "of a sign-in of whom they administer"


def test_the_whole_companys_event_log_tells_where_equals_and_others_acted(felix, admin, amelie, boreale):
    operation = change(admin, boreale, amelie, mobile=MOBILE)
    assert all(PLACE in text for text in pages_of(felix, operation)[:2])
    above = change(felix, boreale, amelie, address="198.51.100.6", mobile="514 555-0143")
    assert not any("198.51.100.6" in text for text in pages_of(admin, above))


def test_no_customer_reads_from_where_the_providers_staff_work(felix, staff, amelie, boreale):
    operation = change(staff, boreale, amelie, mobile=MOBILE)
    for text in [*pages_of(felix, operation), page(felix, reverse("user_history", args=["boreale", "101"]))]:
        assert PLACE not in text
    file = sign_in_fully(Client(), felix).get(reverse("history_file", args=["boreale", "csv"]))
    text = b"".join(file.streaming_content).decode()
    assert str(staff) in text, "that it was they is no secret"
    assert PLACE not in text
    assert PLACE in pages_of(staff, operation)[1]
