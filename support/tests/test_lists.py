"""The desk's lists: what they show is what their search finds, in every spelling, and they cost the same however many customers there are."""

import re
from html.parser import HTMLParser

import pytest
from django.contrib import admin
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from asterisk.models import Node, Trunk
from pbxadmin.tests.test_search_everywhere import many
from phones.models import Sbc
from phones.tests.factories import make_phone
from signin.tests.signing import sign_in_fully
from support.tests.test_admin import page
from users.models import Customer, Department, Did, SystemExtension, User
from users.tests.factories import make_user

pytestmark = pytest.mark.slow("opens every list of the support desk many times")
both_databases = pytest.mark.both_databases("conditions of several lists")

# Cells that aren't words or numbers of a record: what is counted, when something was, how it is just now; yes and no are filtered.
NOT_SOUGHT = {
    "action_checkbox", "portal", "extensions_in_use", "doing", "fetched", "at", "created", "last_sign_in", "reason",
    "second_factor", "told", "seen", "since", "heard", "devices",
}  # fmt: skip


class Rows(HTMLParser):
    """The rows of a list: {key of a record: {column: text of its cell}}."""

    def __init__(self, text):
        super().__init__()
        self.rows, self.row, self.cell, self.inside = [], None, None, False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        said = dict(attrs)
        self.inside |= tag == "table" and said.get("id") == "result_list"
        if not self.inside:
            return
        if tag == "tr":
            self.row = {}
            self.rows.append(self.row)
        elif tag in ("td", "th") and self.row is not None:
            css = said.get("class") or ""
            self.cell = next(
                (each.removeprefix("field-") for each in css.split() if each.startswith("field-")), None
            )
            if self.cell:
                self.row.setdefault(self.cell, "")
        elif tag == "input" and said.get("name") == "_selected_action":
            self.row["key"] = said["value"]

    def handle_data(self, data):
        if self.inside and self.cell:
            self.row[self.cell] = f"{self.row[self.cell]} {data}"

    def handle_endtag(self, tag):
        if tag in ("td", "th"):
            self.cell = None
        if tag == "table":
            self.inside = False


def rows_of(desk, address, **query):
    answer = desk.get(address, query)
    assert answer.status_code == 200, (address, query)
    found = []
    for row in Rows(answer.content.decode()).rows:
        cells = {name: " ".join(text.split()) for name, text in row.items()}
        if cells:
            found.append(cells)
    return found


@pytest.fixture
def desk(client, staff):
    return sign_in_fully(client, staff)


@pytest.fixture
def company(boreale, laurier, amelie, felix):
    """Two customers with some of everything, spelled with accents, apostrophes and ligatures."""
    Customer.objects.filter(pk=laurier.pk).update(suspended=True)
    lecuyer = make_user(
        laurier, "131", "Œuvre", "L’Écuyer", mobile="514 555-0177", email="ecuyer@laurier.example"
    )
    make_phone(boreale, amelie, "805ec1001011")
    make_phone(laurier, None, "805ec10010ff", "yealink-t43u")
    group = SystemExtension.objects.create(customer=boreale, number="180", name="Équipe d’été")
    did = Did.objects.of(boreale).first()
    Did.objects.filter(pk=did.pk).update(name="Ligne d’Amélie", user=amelie)
    Did.objects.create(customer=laurier, number="+15145550012", name="Boîte à œufs", user=lecuyer)
    Did.objects.create(customer=boreale, number="+14185550013", system_extension=group)
    Department.objects.create(
        customer=laurier,
        name="Été",
        outbound_caller_id="+15145550012",
        time_zone="Europe/Paris",
        language="en",
    )
    Sbc.objects.create(
        customer=boreale, name="Chaîne d’été", address="10.0.3.5", identifier="AB12", port=5061
    )
    made = [(boreale, "Liaison d’été"), (None, "Liaison du fournisseur")]
    for n, (customer, name) in enumerate(made):
        values = {
            "networks": "203.0.113.0/28",
            "username": "eté".replace("é", "e"),
            "number_format": "national",
            "position": 7,
        }
        Trunk.objects.create(customer=customer, name=name, host=f"sip{n}.example.com", **values)
    Node.objects.create(
        name="montreal", host="10.0.0.5", token_hash="x", trouble="refused", release="22.10.1"
    )
    return boreale


LISTS = sorted(f"{model._meta.app_label}_{model._meta.model_name}" for model in admin.site._registry)


@both_databases
@pytest.mark.parametrize(
    ("name", "language"),
    [*((name, "fr") for name in LISTS), *((name, "en") for name in ("users_department", "users_user"))],
)
def test_what_a_list_shows_its_search_finds(desk, company, name, language):
    desk.defaults["HTTP_ACCEPT_LANGUAGE"] = language
    rows = rows_of(desk, page(name))
    assert rows
    lost = []
    asked = {}
    for row in rows:
        for column, text in row.items():
            if column in NOT_SOUGHT or column == "key" or text in ("", "—", "-", "Oui", "Yes"):
                continue
            if text not in asked:
                asked[text] = rows_of(desk, page(name), q=text)
            if row not in asked[text]:
                lost.append((column, text))
    assert lost == []


NUMBER = ("514 555-0012", "(514) 555 0012", "+1514 5550012", "5145550012", "555-0012", "0012")
MAC = ("80:5E:C1:00:10:11", "805e.c100.1011", "80-5e-c1-00-10-11", "805ec1001011", "amelie 80:5e:c1")
ECUYER = ("514 555-0012", "+15145550012", "514-555-0177", "lecuyer", "L'Ecuyer", "œuvre", "OEUVRE", "L’Écuyer librairie", "ecuyer@laurier")  # fmt: skip
SPELLINGS = {
    ("users_did", "514 555-0012"): NUMBER,
    ("users_did", "Boîte à œufs"): ("oeufs", "Œufs"),
    ("users_did", "Équipe"): ("180", "equipe", "418-555-0013"),
    ("users_department", "514 555-0012"): NUMBER,
    ("users_department", "Été"): ("ete", "ÉTÉ", "paris", "librairie ete"),
    ("users_user", "L’Écuyer"): ECUYER,
    ("users_user", "Amélie Tremblay"): (*MAC, "Amélie", "amelie", "AMELIE Tremblay", "boreale 101"),
    ("phones_phone", "80:5E:C1:00:10:11"): (*MAC, "Amélie", "tremblay boreale"),
    ("phones_phone", "80:5E:C1:00:10:FF"): ("t43u laurier", "10:ff"),
    ("users_systemextension", "Équipe"): ("equipe dete", "180", "groupe d'appel"),
    ("users_customer", "Boréale"): ("clinique BOREALE", "boréale", "boreale."),
    ("phones_sbc", "Chaîne"): ("chaine dete", "10.0.3", "ab12"),
}


@both_databases
@pytest.mark.parametrize(("name", "shown"), SPELLINGS)
def test_lists_are_searched_in_every_spelling(desk, company, name, shown):
    for typed in SPELLINGS[name, shown]:
        rows = rows_of(desk, page(name), q=typed)
        assert any(shown in " ".join(row.values()) for row in rows), typed
        assert len(rows) < 4, typed


@both_databases
def test_customers_are_sorted_without_regard_to_accents_and_capitals(desk, company):
    for place, name in enumerate(
        ["Zébulon", "eau vive", "Écho", "Église", "ébène", "Œuvre", "Odéon", "Pâques"]
    ):
        Customer.objects.create(name=name, slug=f"c{place}", fqdn=f"c{place}.example.com")
    sorted_so = ["Clinique Boréale", "eau vive", "ébène", "Écho", "Église", "Librairie Laurier", "Odéon", "Œuvre", "Pâques", "Zébulon"]  # fmt: skip
    assert [row["name"] for row in rows_of(desk, page("users_customer"))] == sorted_so
    assert [row["name"] for row in rows_of(desk, page("users_customer"), o="1")] == sorted_so
    assert [row["name"] for row in rows_of(desk, page("users_customer"), o="-1")] == sorted_so[::-1]
    assert list(Customer.objects.values_list("name", flat=True)) == sorted_so
    assert [each.name for each in desk.get("/customers").context["page"]] == sorted_so


def test_a_customers_new_name_is_found_and_sorted_at_once(desk, company):
    from support.tests.test_admin import filled

    address = page("users_customer", "change", company.pk)
    assert desk.post(address, filled(desk, address, name="Étoile du Nord")).status_code == 302
    company.refresh_from_db()
    assert company.sort_name == "etoile du nord"
    assert [row["name"] for row in rows_of(desk, page("users_customer"), q="etoile")] == ["Étoile du Nord"]


# --- Customers picked by typing, columns, and what a list costs ------------------------------------------------------
def named(rows):
    return {row["full_name"] for row in rows}


def test_a_list_is_narrowed_to_a_customer_by_typing_a_part_of_its_name(desk, company):
    everybody = rows_of(desk, page("users_user"))
    laurier = {"Œuvre L’Écuyer"}
    assert laurier < named(everybody)
    for asked in ({"customer": "laurier"}, {"customer": "LIBRAIRIE"}, {"customer": "lau lib"}):
        assert named(rows_of(desk, page("users_user"), **asked)) == laurier, asked
    key = Customer.objects.get(slug="laurier").pk
    assert named(rows_of(desk, page("users_user"), customer__id__exact=key)) == laurier
    Customer.objects.create(name="Librairie du Québec", slug="quebec", fqdn="quebec.example.com")
    answer = desk.get(page("users_user"), {"customer": "librairie", "status": "available"})
    text = answer.content.decode()
    assert named(rows_of(desk, page("users_user"), customer="librairie")) == laurier, (
        "of all who are called so"
    )
    assert 'href="?customer=quebec&amp;status=available"' in text, "and one of them is chosen by a press"
    assert 'name="status" value="available"' in text, "the box keeps what else was asked for"
    assert rows_of(desk, page("users_user"), customer="nobody here") == []
    for hostile in ("\0", "%", "'", "x" * 500, "<i id=x>"):
        assert "<i id=x>" not in desk.get(page("users_user"), {"customer": hostile}).content.decode()


@pytest.mark.parametrize("key", ["abc", "-1", "9" * 30, "٣", "\0", "1,2", '"onmouseover=x'])
def test_a_key_that_is_none_narrows_nothing_and_breaks_nothing(desk, company, key):
    assert named(rows_of(desk, page("users_user"), customer__id__exact=key)) == named(
        rows_of(desk, page("users_user"))
    )


@both_databases
def test_a_new_records_customer_is_picked_by_typing(desk, company):
    address = page("users_did", "add")
    Customer.objects.create(name="Librairie du Québec", slug="quebec", fqdn="quebec.example.com")
    several = desk.get(address, {"customer": "librairie"}).content.decode()
    assert 'href="?customer=laurier"' in several
    assert 'href="?customer=quebec"' in several
    assert "boreale" not in several.partition('id="content-main"')[2]
    only = desk.get(address, {"customer": "Boréale"})
    assert 'name="number"' in only.content.decode(), "the only one that is called so needs no choosing"


@both_databases
def test_customers_are_offered_while_one_types(desk, company):
    def offered(**asked):
        text = desk.get("/customers/pick", asked).content.decode()
        return re.findall(r'role="option"[^>]*href="([^"]*)"', " ".join(text.split()))

    assert offered(q="boreale") == ["/c/boreale/users/"]
    assert offered(q="") == ["/c/boreale/users/", "/c/laurier/users/"]
    assert offered(**{"as": "customer", "customer": "LAU", "status": "available", "p": "3"}) == [
        "?status=available&amp;customer=laurier"
    ]
    for place in range(30):
        Customer.objects.create(name=f"Zone {place:02}", slug=f"z{place}", fqdn=f"z{place}.example.com")
    assert len(offered(q="zone")) == 9, "the first few, and the way to all"


def test_the_portal_lists_no_customers_on_its_pages(desk, company):
    text = desk.get("/c/boreale/users/").content.decode()
    assert "Librairie Laurier" not in text
    assert 'hx-get="/customers/pick"' in text
    assert 'action="/customers"' in text, "without scripts the list of customers answers"


def columns_of(desk, name):
    return list(rows_of(desk, page(name))[0])


def test_columns_are_chosen_and_remembered_for_the_account(desk, staff, company):
    usual = columns_of(desk, "users_user")
    assert "email" not in usual
    address = reverse("admin:list_columns", args=["users.user"])
    back = f"{page('users_user')}?q=amelie"
    assert desk.post(address, {"column": ["email", "owner", "nothing"], "next": back}).url == back
    assert columns_of(desk, "users_user") == [
        "key",
        "number",
        "full_name",
        "owner",
        "email",
        "portal",
    ]
    staff.refresh_from_db()
    assert staff.desk_columns == {"users.user": ["owner", "email"]}
    assert "email" not in columns_of(desk, "users_customer")
    text = desk.get(page("users_user")).content.decode()
    assert re.search(r'value="email" checked', " ".join(text.split()))
    desk.post(address, {"usual": "1"})
    assert columns_of(desk, "users_user") == usual
    for wrong in ("users.role", "users.nothing", "x", "auth.group"):
        assert desk.post(reverse("admin:list_columns", args=[wrong])).status_code == 404
    assert desk.get(address).status_code == 405
    assert desk.post(address, {"next": "https://evil.example/"}).url == page("users_user")


@pytest.mark.parametrize("name", LISTS)
def test_a_list_costs_the_same_for_hundreds_of_customers_as_for_two(desk, company, name):
    def cost(**asked):
        with CaptureQueriesContext(connection) as queries:
            rows_of(desk, page(name), **asked)
        return len(queries)

    # Found among few as among many: where nothing is, no rows are read.
    asked = [{}, {"q": "e"}] + (
        [{"customer": "boreale"}] if name in ("users_user", "phones_phone", "users_did") else []
    )
    few = [cost(**each) for each in asked]
    many(60)
    assert [cost(**each) for each in asked] == few
    assert max(few) <= 8, few


@pytest.fixture
def short_pages(monkeypatch):
    """Lists of people of which a page holds two."""
    monkeypatch.setattr(admin.site.get_model_admin(User), "list_per_page", 2)


@both_databases
@pytest.mark.parametrize("asked", [{}, {"p": 2}, {"q": "tremblay"}])
def test_a_list_seeks_its_page_by_little_and_reads_only_its_rows(desk, company, short_pages, asked):
    with CaptureQueriesContext(connection) as queries:
        assert desk.get(reverse("admin:users_user_changelist"), asked).status_code == 200
    read = [
        each["sql"]
        for each in queries
        if '"users_user"."first_name"' in each["sql"] and '"users_user"."id" IN (' in each["sql"]
    ]
    assert len(read) == 1
    sought = read[0].partition('"users_user"."id" IN (')[2]
    assert re.match(r'SELECT U0\."id" AS "pk" FROM |\d+(, \d+)?\)', sought), sought


@both_databases
def test_the_first_page_of_a_search_is_sought_and_counted_in_one_go(desk, company, ines, short_pages):
    def shown(**asked):
        changes = desk.get(reverse("admin:users_user_changelist"), {"q": "boréale"} | asked).context["cl"]
        return [person.pk for person in changes.result_list], changes

    with CaptureQueriesContext(connection) as queries:
        first, changes = shown()
    assert len([each for each in queries if "%boreale%" in each["sql"]]) == 1
    everybody = list(
        User.objects.filter(customer__slug="boreale").order_by("number").values_list("pk", flat=True)
    )
    assert changes.result_count == changes.paginator.count == len(everybody) > 2
    assert (first, shown(p=2)[0], shown(all="")[0]) == (everybody[:2], everybody[2:4], everybody)
    nobody, changes = shown(q="nobody of this name")
    assert (nobody, changes.result_count, changes.multi_page) == ([], 0, False)


def test_a_record_leads_back_to_the_list_as_it_was_asked_for(desk, company):
    page_of = desk.get(reverse("admin:users_user_changelist"), {"q": "amélie tremblay"}).content.decode()
    links = re.findall(r'href="(/support/users/user/\d+/change/[^"]*)"', page_of)
    assert links
    assert all("_changelist_filters=q%3Dam%25C3%25A9lie%2Btremblay" in link for link in links)
    assert desk.get(links[0]).status_code == 200


# --- On a phone -------------------------------------------------------------------------------------------------------
def test_every_value_has_the_name_of_its_column_beside_it_for_pages_that_are_narrow(desk, company):
    text = desk.get(reverse("admin:users_user_changelist")).content.decode().partition('id="result_list"')[2]
    row = text.partition("<tbody>")[2].partition("</tr>")[0]
    cells = re.findall(r"<td[^>]*>", row)
    assert [cell for cell in cells if "data-label" not in cell and "action-checkbox" not in cell] == []
    labels = re.findall('data-label="(.*?)"', row)
    heads = re.findall(r'<div class="text"><\w+[^>]*>(.*?)</', text.partition("</thead>")[0], re.DOTALL)
    assert labels == heads[-len(labels) :]
    assert {"Nom", "Client"} <= set(labels)


def test_a_name_that_looks_like_markup_stays_text_beside_its_label(desk, company):
    User.objects.filter(customer=company).update(first_name="<td class=x>")
    text = desk.get(reverse("admin:users_user_changelist")).content.decode()
    assert "<td class=x>" not in text
    assert "&lt;td class=x&gt;" in text


def test_scripts_count_the_selection_in_the_words_of_the_page(desk):
    said = desk.get(reverse("admin:jsi18n"), headers={"accept-language": "fr-CA"}).content.decode()
    assert said.count(r"S\u00e9lection\u00a0: %(sel)s sur %(cnt)s") == 2
    assert "Choisir" in said, "Django's own words are there still"
