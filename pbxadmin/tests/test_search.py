"""The one search in the header: it finds what the reader may see, of every kind, and nothing else."""

import re

import pytest
from django.urls import reverse

from phones.models import Sbc
from phones.tests.factories import make_phone
from signin.tests.signing import sign_in_fully
from users.models import Department, Did, SystemExtension
from users.tests.factories import make_user

pytestmark = pytest.mark.slow("searches everywhere by pages")

both_databases = pytest.mark.both_databases("conditions of several lists")


def found(client, text, box=False):
    """What a search finds: {title of a kind: labels}."""
    headers = {"hx-request": "true", "hx-target": "search-list"} if box else {}
    page = client.get(reverse("search", args=["boreale"]), {"q": text}, headers=headers)
    assert page.status_code == 200
    return {str(group.title): [hit.label for hit in group.hits] for group in page.context["groups"]}


@pytest.fixture
def company(boreale, felix, amelie, ines):
    make_phone(boreale, amelie, "805ec0001011")
    make_phone(boreale, None, "805ec00010ff", "yealink-t43u")
    SystemExtension.objects.create(customer=boreale, number="180", name="Ventes")
    Sbc.objects.create(customer=boreale, name="Atelier", address="10.0.3.5")
    return boreale


@pytest.fixture
def owner(client, felix, company):
    return sign_in_fully(client, felix)


@both_databases
@pytest.mark.parametrize(
    ("typed", "kind", "label"),
    [
        ("ines", "Utilisateurs", "103 Inès Roy"),
        ("101", "Utilisateurs", "101 Amélie Tremblay"),
        ("80:5E:C0:00:10:FF", "Téléphones", "80:5E:C0:00:10:FF"),
        ("805ec000-10ff", "Téléphones", "80:5E:C0:00:10:FF"),
        ("805E.C000.10FF", "Téléphones", "80:5E:C0:00:10:FF"),
        ("ventes", "Extensions système", "180 Ventes"),
        ("soins", "Départements", "Soins"),
        ("10.0.3", "SBC", "Atelier"),
        ("parametres", "Pages", "Paramètres"),
        ("roles", "Pages", "Rôles"),
    ],
)
def test_everything_is_found_by_what_people_type(owner, typed, kind, label):
    assert label in found(owner, typed)[kind]
    assert label in found(owner, typed, box=True)[kind]


@both_databases
def test_a_number_is_found_however_it_is_written(owner, company):
    number = Did.objects.of(company).first().number
    national = f"({number[2:5]}) {number[5:8]}-{number[8:]}"
    for typed in (number, national, number[2:], *spellings(number)):
        assert len(found(owner, typed)["Numéros SDA"]) == 1, typed


def spellings(number: str) -> list[str]:
    """A number of here as people, contacts and links write it."""
    area, exchange, last = number[2:5], number[5:8], number[8:]
    return [
        f"+1 {area} {exchange} {last}",
        f"1-{area}-{exchange}-{last}",
        f"011 1 {area} {exchange} {last}",
        f"9 {area} {exchange}-{last}",
        f"9-1-{area}-{exchange}-{last}",
        f"\u202d+1 ({area}) {exchange}\u2011{last}\u202c",
        f"tel:{number}",
    ]


def test_a_mobile_is_found_however_it_is_written(owner, company):
    make_user(company, "140", "Raphaël", "Dubé", mobile="581 555-0160")
    make_user(company, "141", "Paule", "Paris", mobile="+33 1 23 45 67 89")
    for typed in spellings("+15815550160"):
        assert found(owner, typed)["Utilisateurs"] == ["140 Raphaël Dubé"], typed
        assert "Raphaël" in owner.get("/c/boreale/users/", {"q": typed}).content.decode(), typed
    assert found(owner, "+1 581 555")["Utilisateurs"] == ["140 Raphaël Dubé"], "as far as it was typed"
    for typed in ("+33 1 23 45 67 89", "011 33 1 23 45 67 89"):
        assert found(owner, typed)["Utilisateurs"] == ["141 Paule Paris"], typed


def test_what_was_found_leads_to_its_page(owner):
    page = owner.get(reverse("search", args=["boreale"]), {"q": "e"}).content.decode()
    links = re.findall(r'<li><a href="(/c/[^"]+)"', page)
    assert len(links) > 5
    for link in links:
        assert owner.get(link.replace("&amp;", "&"), follow=True).status_code == 200, link


def test_nothing_of_another_customer_is_found(owner, laurier):
    make_user(laurier, "150", "Zacharie", "Unique")
    make_phone(laurier, None, "805ec0009999")
    Department.objects.create(customer=laurier, name="Zacharie")
    for typed in ("zacharie", "805ec0009999"):
        assert found(owner, typed) == {}


@both_databases
def test_whoever_administers_a_department_finds_no_more_than_there_is_to_see(client, ines, company):
    sign_in_fully(client, ines)
    assert "Utilisateurs" not in found(client, "Amélie"), "she belongs to another department"
    assert "Téléphones" not in found(client, "805ec0001011")
    assert "Téléphones" not in found(client, "805ec00010ff"), "the stock is the company's"
    assert found(client, "accueil").get("Départements") is None
    assert found(client, "soins")["Départements"] == ["Soins"]
    assert "Contrat" not in found(client, "contrat").get("Pages", [])
    page = client.get(reverse("search", args=["boreale"]), {"q": "e"}).content.decode()
    for link in re.findall(r'<li><a href="(/c/[^"]+)"', page):
        assert client.get(link.replace("&amp;", "&"), follow=True).status_code == 200, link


def test_a_plain_user_has_no_search(client, company):
    person = make_user(company, "110", "Zoé", "Lavoie")
    sign_in_fully(client, person)
    assert client.get(reverse("search", args=["boreale"]), {"q": "e"}).status_code == 403
    assert "search-box" not in client.get(reverse("own_page")).content.decode()


def test_the_box_stands_on_every_page_of_whoever_administers(owner):
    for name, arguments in (("users", ["boreale"]), ("customer_home", ["boreale"]), ("own_page", [])):
        page = owner.get(reverse(name, args=arguments)).content.decode()
        assert f'action="{reverse("search", args=["boreale"])}"' in page
        assert 'role="combobox"' in page


def test_support_staff_search_in_the_customer_they_look_at(client, staff, company):
    sign_in_fully(client, staff)
    assert found(client, "ines")["Utilisateurs"] == ["103 Inès Roy"]


def test_it_asks_as_many_queries_for_many_as_for_few(owner, company, django_assert_max_num_queries):
    with django_assert_max_num_queries(40) as few:
        found(owner, "roy")
    for number in range(12):
        person = make_user(company, str(320 + number), f"P{number}", "Roy")
        make_phone(company, person)
        SystemExtension.objects.create(customer=company, number=str(350 + number), name=f"Roy {number}")
    with django_assert_max_num_queries(len(few.captured_queries)):
        assert len(found(owner, "roy")["Utilisateurs"]) == 13


def test_the_list_below_the_box_is_short_and_leads_to_the_page_with_all(owner, company):
    for number in range(8):
        make_user(company, str(320 + number), f"P{number}", "Roy")
    assert len(found(owner, "roy", box=True)["Utilisateurs"]) == 5
    page = owner.get(
        reverse("search", args=["boreale"]),
        {"q": "roy"},
        headers={"hx-request": "true", "hx-target": "search-list"},
    ).content.decode()
    assert "<html" not in page
    assert 'href="/c/boreale/search?q=roy"' in page
    assert len(re.findall(r'role="option"[^>]*\bid="', re.sub(r"\s+", " ", page))) == page.count(
        'role="option"'
    )


@both_databases
@pytest.mark.parametrize("typed", ["\0", "%", "_", "'", "<i id=x>", "x" * 5000, "١٢٣", "  "])
def test_hostile_texts_find_nothing_and_break_nothing(owner, typed):
    page = owner.get(reverse("search", args=["boreale"]), {"q": typed})
    assert page.status_code == 200
    assert b"<i id=x>" not in page.content
