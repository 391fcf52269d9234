"""The search of support staff over all customers: from every page, however it is typed, at the same cost for one customer and for hundreds."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from pbxadmin.common.searching import anywhere
from phones.models import Phone, Sbc
from phones.tests.factories import make_phone
from signin.tests.signing import sign_in_fully
from users.models import Customer, Department, Did, SystemExtension, User
from users.people.sections.general import derived
from users.tests.factories import make_user

pytestmark = pytest.mark.slow("searches everywhere by pages")

both_databases = pytest.mark.both_databases("a union of several tables, names folded by either database")


def groups_of(client, text, box=False, customer=None):
    """What a search finds: {title of a kind: hits}."""
    headers = {"hx-request": "true", "hx-target": "search-list"} if box else {}
    address = reverse("search", args=[customer]) if customer else reverse("search_everywhere")
    page = client.get(address, {"q": text}, headers=headers)
    assert page.status_code == 200
    return {str(group.title): list(group.hits) for group in page.context["groups"]}


def found(client, text, **where):
    return {
        kind: [(hit.label, hit.customer) for hit in hits]
        for kind, hits in groups_of(client, text, **where).items()
    }


@pytest.fixture
def support(client, staff):
    return sign_in_fully(client, staff)


@pytest.fixture
def world(boreale, laurier, amelie, felix, ines):
    """Two customers; both have a Roy."""
    roy = make_user(
        laurier, "103", "Œuvre", "L’Écuyer-Roy", mobile="514 555-0177", email="ecuyer@laurier.example"
    )
    phone = make_phone(laurier, roy, "805ec1001011")
    Phone.objects.filter(pk=phone.pk).update(fetched_from="198.51.100.7")
    make_phone(boreale, None, "805ec10010ff", "yealink-t43u")
    Did.objects.create(customer=laurier, number="+15145550012", name="Ligne d’été", user=roy)
    SystemExtension.objects.create(customer=laurier, number="180", name="Équipe d’été")
    Department.objects.create(customer=laurier, name="Réception des œuvres")
    Sbc.objects.create(customer=laurier, name="Chaîne", address="10.0.3.5", identifier="805EC1FFFFFF")
    return roy


L, B = "Librairie Laurier", "Clinique Boréale"
ROY = ("Utilisateurs", ("103 Œuvre L’Écuyer-Roy", L))
PHONE = ("Téléphones", ("80:5E:C1:00:10:11", L))
NUMBER = ("Numéros SDA", ("514 555-0012", L))
EXPECTED = {
    ROY: (
        "oeuvre", "ŒUVRE", "lecuyer", "L'Ecuyer", "l’écuyer", "roy laurier", "Librairie roy", "103 laurier", "514 555-0177", "(514) 555 0177",
        "+15145550177", "0177", "ecuyer@laurier", "103@laurier", "514-555-0012", "80:5E:C1:00:10:11",
    ),
    PHONE: ("80:5E:C1:00:10:11", "805e.c100.1011", "80-5e-c1-00-10-11", "805EC1001011", "10:11", "1011", "198.51.100.7", "198.51.100"),
    NUMBER: ("514 555-0012", "(514) 555 0012", "+1514 555-0012", "+15145550012", "tel:+15145550012", "5550012", "0012", "ligne dete", "ete laurier"),
    ("Extensions système", ("180 Équipe d’été", L)): ("180", "equipe", "équipe d'été", "ete librairie"),
    ("Départements", ("Réception des œuvres", L)): ("reception oeuvres", "RÉCEPTION laurier"),
    ("SBC", ("Chaîne", L)): ("chaine", "10.0.3.5", "chaîne laurier"),
    ("Clients", (L, "")): ("laurier", "LIBRAIRIE", "librairie laurier", "laurier."),
    ("Clients", (B, "")): ("boreale", "Boréale", "clinique BOREALE"),
}  # fmt: skip


@both_databases
@pytest.mark.parametrize(("expected", "spellings"), EXPECTED.items())
def test_everything_is_found_over_all_customers_by_what_people_type(support, world, expected, spellings):
    kind, hit = expected
    for typed in spellings:
        assert hit in found(support, typed).get(kind, []), typed
    assert hit in found(support, spellings[0], box=True)[kind]


@both_databases
def test_words_beside_the_customers_name_narrow_to_that_customer(support, world):
    assert [label for label, _customer in found(support, "roy")["Utilisateurs"]] == ["103 Œuvre L’Écuyer-Roy", "103 Inès Roy"]  # fmt: skip
    assert found(support, "roy laurier")["Utilisateurs"] == [("103 Œuvre L’Écuyer-Roy", L)]
    assert found(support, "roy boréale")["Utilisateurs"] == [("103 Inès Roy", B)]
    assert "Utilisateurs" not in found(support, "librairie"), "a customer's name alone is no person of theirs"


def test_a_hit_says_whose_it_is_how_to_reach_them_and_how_their_phone_is_doing(support, world):
    [hit] = groups_of(support, "ecuyer")["Utilisateurs"]
    assert hit.customer == L
    assert "514 555-0177" in hit.note
    assert hit.states == [("wait", "T54W : jamais connecté")]
    [number] = groups_of(support, "514 555-0012")["Numéros SDA"]
    assert "→ 103 Œuvre L’Écuyer-Roy" in number.note
    Customer.objects.filter(name=L).update(suspended=True)
    assert ("bad", "suspendu") in groups_of(support, "ecuyer")["Utilisateurs"][0].states
    assert groups_of(support, "laurier")["Clients"][0].states == [("bad", "suspendu")]
    page = support.get(reverse("search_everywhere"), {"q": "ecuyer"}).content.decode()
    assert 'class="state bad"><span>suspendu</span></span>' in page


def test_a_department_found_by_its_number_says_that_number(support, world):
    Department.objects.filter(name="Réception des œuvres").update(outbound_caller_id="+15145550166")
    [department] = groups_of(support, "514 555-0166")["Départements"]
    assert (department.label, department.note) == ("Réception des œuvres", "514 555-0166")


def test_the_desk_is_one_click_from_every_page_for_support_alone(support, world, felix):
    for name in ("/customers", "/c/boreale/", "/search?q=roy"):
        assert [each.label for each in support.get(name).context["nav"] if each.url == "/support/"] == [
            "Soutien technique"
        ]
    support.force_login(felix)
    assert all(each.url != "/support/" for each in support.get("/me").context["nav"])


@both_databases
def test_within_a_customer_its_own_come_first_and_the_others_after_them(support, world):
    in_boreale = found(support, "roy", customer="boreale")
    assert in_boreale["Utilisateurs"] == [("103 Inès Roy", B), ("103 Œuvre L’Écuyer-Roy", L)]
    in_laurier = found(support, "roy", customer="laurier", box=True)
    assert in_laurier["Utilisateurs"] == [("103 Œuvre L’Écuyer-Roy", L), ("103 Inès Roy", B)]
    page = support.get(reverse("search", args=["boreale"]), {"q": "roy"}).content.decode()
    assert f'href="{reverse("search_everywhere")}?q=roy"' in page


def test_what_was_found_leads_to_its_page(support, world):
    for typed in ("e", "roy", "805ec1", "514 555", "laurier"):
        page = support.get(reverse("search_everywhere"), {"q": typed}).content.decode()
        links = re.findall(r'<li><a href="(/[^"]+)"', page)
        assert links, typed
        for link in links:
            assert support.get(link.replace("&amp;", "&"), follow=True).status_code == 200, link


def test_where_there_are_more_the_list_of_the_desk_goes_on(support, world):
    for place in range(7):
        Department.objects.create(customer=world.customer, name=f"Bloc {place}")
    address = reverse("search_everywhere")
    text = support.get(address, {"q": "bloc"}, headers={"hx-request": "true", "hx-target": "search-list"})
    [group] = text.context["groups"]
    assert len(group.hits) == 5
    assert group.more_url == "/support/users/department/?q=bloc"
    assert "Plus de 5 résultats" in text.content.decode()
    assert "Bloc 6" in support.get(group.more_url).content.decode()


@pytest.mark.parametrize("name", ["customers", "own_page", "users"])
def test_the_box_stands_on_every_page_of_the_portal(support, world, name):
    page = support.get(reverse(name, args=["boreale"] if name == "users" else [])).content.decode()
    searched = reverse("search", args=["boreale"]) if name == "users" else reverse("search_everywhere")
    assert f'action="{searched}"' in page


def test_nobody_of_a_customer_searches_beyond_it(client, world, felix):
    sign_in_fully(client, felix)
    assert client.get(reverse("search_everywhere"), {"q": "roy"}).status_code == 403
    assert found(client, "roy", customer="boreale")["Utilisateurs"] == [("103 Inès Roy", "")]
    assert found(client, "lecuyer", customer="boreale") == {}
    page = client.get(reverse("search", args=["boreale"]), {"q": "roy"}).content.decode()
    assert f'"{reverse("search_everywhere")}' not in page


def many(count):
    """So many customers with five people each, who have phones and numbers."""
    customers = Customer.objects.bulk_create(
        Customer(name=f"Roy & fils {place}", slug=f"roy{place}", fqdn=f"roy{place}.example.com") for place in range(count)
    )  # fmt: skip
    assert customers[0].search_text.startswith("roy & fils 0 roy0")
    departments = Department.objects.bulk_create(Department(customer=each, name="Roy") for each in customers)
    people = []
    for place, department in enumerate(departments):
        for number in range(101, 106):
            person = User(customer=department.customer, number=str(number), first_name="Zoé", last_name="Roy", primary_department=department,
                          role_id="users", sip_auth_id="x", sip_password="x", mobile=f"+1514{place:03}{number:04}")  # fmt: skip
            for name, value in derived(person).items():
                setattr(person, name, value)
            people.append(person)
    User.objects.bulk_create(people)
    Phone.objects.bulk_create(
        Phone(customer=person.customer, user=person, mac=f"{place:012x}", model="yealink-t54w", token_hash=str(place), token="x", web_password="x")
        for place, person in enumerate(people)
    )  # fmt: skip
    Did.objects.bulk_create(
        Did(customer=person.customer, user=person, name="Roy", number=f"+1438{place:07}") for place, person in enumerate(people)
    )  # fmt: skip
    SystemExtension.objects.bulk_create(
        SystemExtension(customer=each, number="180", name="Roy") for each in customers
    )
    Sbc.objects.bulk_create(Sbc(customer=each, name="Roy", address="10.0.0.1") for each in customers)


def test_it_costs_the_same_for_hundreds_of_customers_as_for_two(support, world):
    def cost(address, text):
        with CaptureQueriesContext(connection) as queries:
            assert support.get(address, {"q": text}).status_code == 200
        return len(queries)

    asked = [(reverse("search_everywhere"), text) for text in ("roy", "514 555-0012", "80:5e:c1:00", "e", "")]
    asked.append((reverse("search", args=["boreale"]), "roy"))
    few = [cost(*each) for each in asked]
    many(60)
    assert [cost(*each) for each in asked] == few
    assert max(few) <= 8, few


def test_a_search_of_many_letters_folds_every_name_no_oftener_than_one_of_two():
    def asked(text):
        return str(Did.objects.filter(anywhere(Did, ["name", "customer__name"], text)).query).count("LIKE")

    assert asked("a b c d e f g h") == asked("a b") > 0
    assert asked("ligne d ete a b c") > asked("ligne d ete")
    assert asked("a b ligne ete") > asked("ligne ete"), "a letter beside a word still counts"


@both_databases
@pytest.mark.parametrize(
    "typed", ["\0", "%", "_", "'", "<i id=x>", "x" * 5000, "١٢٣", "  ", "@", "1@x", ":", "80:", "+1"]
)
def test_hostile_texts_find_nothing_and_break_nothing(support, world, typed):
    page = support.get(reverse("search_everywhere"), {"q": typed})
    assert page.status_code == 200
    assert b"<i id=x>" not in page.content
