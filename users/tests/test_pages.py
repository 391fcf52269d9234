"""The pages of the users: the list, the editor, creating, deleting, history; as a person at a browser meets them."""

import re

import pytest
from django.db import connection
from django.db.models import F
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.translation import override

from pbxadmin.common import prepared
from pbxadmin.common.listing import ListState
from phones.tests import factories as phone_factories
from signin.tests.signing import sign_in_fully
from users import road
from users.models import Operation, User
from users.people.sections import user_sheet
from users.road import applying
from users.tests.browser import posted, typed
from users.tests.factories import FACTS, make_user

both_databases = pytest.mark.both_databases("the list's search, order and pages")
pytestmark = [
    pytest.mark.slow("draws the list of users again and again"),
]

LIST = "/c/boreale/users/"


@pytest.fixture
def owner(felix) -> Client:
    """Félix at his browser, in French."""
    return sign_in_fully(Client(headers={"accept-language": "fr-CA"}), felix)


# --- The list ---------------------------------------------------------------------------------------------------
@both_databases
def test_the_list_finds_people_by_name_extension_email_mobile_and_did(owner, felix, amelie, ines, boreale):
    road.apply(
        road.plan(
            felix,
            boreale,
            user_sheet(),
            [
                road.Row(
                    ines.pk,
                    {"email": "i.roy@boreale.example", "mobile": "438 555-0177", "dids": ["+15145550110"]},
                )
            ],
        ),
        FACTS,
    )
    for text in ("ines", "INÈS roy", "103", "i.roy@", "555-0177", "4385550177", "5145550110"):
        page = owner.get(LIST, {"q": text}).content.decode()
        assert "Inès Roy" in page, text
        assert "Amélie Tremblay" not in page, text
    assert "Aucune personne trouvée" in owner.get(LIST, {"q": "zzz"}).content.decode()


@both_databases
def test_the_list_is_filtered_and_sorted_by_its_address(owner, amelie, ines, boreale):
    make_user(boreale, "104", "Olivier", "Bélanger", department="Soins")

    def names(**query):
        return re.findall(
            r'class="who">.*?<a href="[^"]*">([^<]*)<', owner.get(LIST, query).content.decode(), re.DOTALL
        )

    assert names() == ["Olivier Bélanger", "Félix Gagnon", "Inès Roy", "Amélie Tremblay"]
    assert names(sort="-name") == names()[::-1]
    assert names(sort="number") == ["Amélie Tremblay", "Félix Gagnon", "Inès Roy", "Olivier Bélanger"]
    assert names(role="receptionists") == ["Amélie Tremblay"]
    department = str(ines.primary_department_id)
    assert names(department=department) == ["Olivier Bélanger", "Inès Roy"]
    assert names(department=department, q="roy") == ["Inès Roy"]


@both_databases
def test_a_search_says_how_many_it_found_whether_they_fit_on_a_page_or_not(staff, boreale, amelie):
    from users.people.selectors import list_users, shape

    rows = [
        road.Row(
            None,
            {
                "number": str(420 + place), "first_name": "Zoé" if place % 20 else "Léo", "last_name": f"Gens {place:03}",
                "role": "users", "primary_department": "Accueil", "require_2fa": False, "mobile": "" if place else "514 555-0123",
            },
        )
        for place in range(60)
    ]  # fmt: skip
    road.apply(road.plan(staff, boreale, user_sheet(), rows), FACTS)

    def found(text, page=""):
        state = ListState.of(shape(staff, boreale), {"q": text, "page": page})
        listing = list_users(staff, boreale, state)
        assert listing.gauge.used == User.objects.of(boreale).count()
        return [user.first_name for user in listing.page], listing.page.paginator.count

    assert found("léo") == (["Léo"] * 3, 3)
    assert found("zoé") == (["Zoé"] * 50, 57)
    assert found("zoé", "2") == (["Zoé"] * 7, 57)
    assert found("nobody") == ([], 0)
    # Every word must be found, also one of digits; a number alone is found however it is written.
    assert found("gens 0001") == ([], 0)
    assert found("(514) 555-0123")[1] == 1


@both_databases
@pytest.mark.parametrize(
    "query",
    [
        {"sort": "password"},
        {"sort": "(select 1)"},
        {"sort": "-role__level"},
        {"department": "1 OR 1=1"},
        {"department": "²"},
        {"role": "x" * 500},
        {"page": "-1"},
        {"page": "9" * 30},
        {"page": "abc"},
        {"q": "\0'\"%_\\" * 30},
        {"q": "x" * 100_000},
        {"sip_password__startswith": "a"},
        {"status": "<script>"},
    ],
)
def test_odd_addresses_of_the_list_are_answered_calmly(owner, query):
    response = owner.get(LIST, query)
    assert response.status_code == 200
    assert b"<script>" not in response.content.replace(b"<script src", b"")


@both_databases
def test_the_list_costs_at_most_nine_queries_for_three_people_and_for_sixty(owner, boreale, amelie):
    def cost():
        with CaptureQueriesContext(connection) as queries:
            assert owner.get(LIST).status_code == 200
        return len(queries)

    few = cost()
    rows = [
        road.Row(None, {"first_name": f"Personne {place}", "primary_department": "Soins"})
        for place in range(20)
    ]
    road.apply(
        road.plan(
            User(is_staff=True, staff_level="technician", role_id="users"), boreale, user_sheet(), rows
        ),
        FACTS,
    )
    assert cost() <= few <= 9  # the ninth: whether the phone system is away


@both_databases
def test_the_last_page_is_read_from_the_far_end_and_is_the_same(owner, boreale):
    from users.models import Customer
    from users.people.selectors import list_users, shape

    Customer.objects.filter(pk=boreale.pk).update(included_extensions=500)
    boreale.refresh_from_db()
    staff = User(is_staff=True, staff_level="technician", role_id="users")
    rows = [
        road.Row(None, {"first_name": "P", "last_name": f"{place:03}", "primary_department": "Soins"})
        for place in range(120)
    ]
    road.apply(road.plan(staff, boreale, user_sheet(), rows), FACTS)

    def listing(number):
        return list_users(staff, boreale, ListState.of(shape(staff, boreale), {"page": number}))

    pages = [[user.pk for user in listing(number).page.object_list] for number in ("1", "2", "3")]
    whole = list(User.objects.of(boreale).order_by("sort_name", "number").values_list("pk", flat=True))
    assert [key for page in pages for key in page] == whole
    with CaptureQueriesContext(connection) as queries:
        listing("3")
    assert "DESC" in queries[-2]["sql"]
    assert "OFFSET" not in queries[-2]["sql"]


# --- The editor --------------------------------------------------------------------------------------------------
def test_the_editor_opens_within_nine_queries(owner, amelie):
    with CaptureQueriesContext(connection) as queries:
        assert owner.get("/c/boreale/users/101/general").status_code == 200
    assert len(queries) <= 9, [query["sql"][:90] for query in queries]


@pytest.mark.parametrize("tab", [section.slug for section in user_sheet().sections])
def test_every_tab_opens_within_eleven_queries(owner, amelie, boreale, tab):
    for place in range(3):
        phone_factories.make_phone(boreale, amelie, f"805ec0aabb0{place}")
    with CaptureQueriesContext(connection) as queries:
        assert owner.get(f"/c/boreale/users/101/{tab}").status_code == 200
    assert len(queries) <= 11, [query["sql"][:90] for query in queries]


def test_a_page_costs_the_same_on_a_connection_that_has_planned_nothing_yet(felix, amelie):
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("DEALLOCATE ALL")
        prepared.planned.clear()
    client = sign_in_fully(Client(), felix)
    with CaptureQueriesContext(connection) as first:
        client.get("/c/boreale/users/101/visualiser")
    with CaptureQueriesContext(connection) as second:
        client.get("/c/boreale/users/101/visualiser")
    assert len(first) == len(second)


# Statements of a save, with those two by which the test's own transaction stands for a real one's begin and end.
# A PIN that is typed is compared with the present one and with its person's numbers, besides. One of them each is the customer's stamp, by
# which the next call is planned anew; and one more where a line changes asks which nodes there are to tell.
SAVES_COST = {
    "general": 18, "talk": 17, "forwarding": 15, "schedule": 14, "phone": 15, "blf": 16, "voicemail": 18, "visualiser": 15, "options": 13,
}  # fmt: skip


@pytest.mark.parametrize("tab", [section.slug for section in user_sheet().sections])
def test_saving_a_tab_costs_few_queries(owner, amelie, boreale, tab):
    phone_factories.make_phone(boreale, amelie, "805ec0aabb00")
    url = f"/c/boreale/users/101/{tab}"
    sent = typed(tab, posted(owner.get(url).content.decode()), 0)
    with CaptureQueriesContext(connection) as queries:
        answer = owner.post(url, sent)
    assert (answer.status_code, "saved=1" in answer.url) == (302, True)
    assert len(queries) <= SAVES_COST[tab], [query["sql"][:90] for query in queries]


@both_databases
def test_who_is_written_between_the_reading_and_the_lock_is_a_conflict(owner, amelie, monkeypatch):
    sent = posted(owner.get("/c/boreale/users/101/general").content.decode()) | {"last_name": "Lavoie"}
    lock = applying.hold

    def forestalled(*args):
        User.objects.filter(pk=amelie.pk).update(mobile="+15145550199", version=F("version") + 1)
        lock(*args)

    monkeypatch.setattr(applying, "hold", forestalled)
    answer = owner.post("/c/boreale/users/101/general", sent)
    assert answer.status_code == 409
    amelie.refresh_from_db()
    assert amelie.last_name == "Tremblay"


def test_saving_an_untouched_tab_changes_nothing(owner, amelie):
    page = owner.get("/c/boreale/users/101/general").content.decode()
    before = Operation.objects.count()
    response = owner.post("/c/boreale/users/101/general", posted(page), follow=True)
    assert response.status_code == 200
    assert "Rien à enregistrer" in response.content.decode()
    assert Operation.objects.count() == before


def test_a_changed_name_is_saved_and_stands_in_the_history(owner, amelie):
    fields = posted(owner.get("/c/boreale/users/101/general").content.decode()) | {
        "last_name": "Tremblay-Roy"
    }
    response = owner.post("/c/boreale/users/101/general", fields)
    assert (response.status_code, response["location"]) == (302, "/c/boreale/users/101/general?saved=1")
    page = owner.get("/c/boreale/users/101/history").content.decode()
    assert "Tremblay-Roy" in page
    assert "Félix Gagnon" in page


def test_what_is_refused_is_said_beside_its_field_and_keeps_what_was_typed(owner, amelie):
    fields = posted(owner.get("/c/boreale/users/101/general").content.decode())
    response = owner.post(
        "/c/boreale/users/101/general", fields | {"email": "pas une adresse", "first_name": "Amé"}
    )
    page = response.content.decode()
    assert response.status_code == 422
    assert 'value="pas une adresse"' in page
    assert 'value="Amé"' in page
    assert 'aria-invalid="true"' in page
    amelie.refresh_from_db()
    assert amelie.first_name == "Amélie"


@both_databases
def test_the_second_of_two_administrators_is_shown_what_the_first_changed_and_loses_nothing(
    owner, felix, amelie, boreale
):
    opened = posted(owner.get("/c/boreale/users/101/general").content.decode())
    other = make_user(boreale, "110", "Zoé", "Lavoie", role="system_admins")
    road.apply(
        road.plan(
            other,
            boreale,
            user_sheet(),
            [road.Row(amelie.pk, {"first_name": "Amelia", "mobile": "514 555-0199"})],
        ),
        FACTS,
    )
    response = owner.post(
        "/c/boreale/users/101/general", opened | {"first_name": "Mélie", "last_name": "Tremblay-Roy"}
    )
    page = response.content.decode()
    assert response.status_code == 409
    assert "Zoé Lavoie" in page
    assert "Amelia" in page
    merged = posted(page)
    assert merged["first_name"] == "Mélie", "what was typed stays"
    assert merged["last_name"] == "Tremblay-Roy"
    assert merged["mobile"] == "514 555-0199", "what wasn't touched is the other's"
    amelie.refresh_from_db()
    assert amelie.first_name == "Amelia"
    assert owner.post("/c/boreale/users/101/general", merged).status_code == 302
    amelie.refresh_from_db()
    assert (amelie.first_name, amelie.mobile) == ("Mélie", "+15145550199")


@both_databases
@pytest.mark.parametrize("seen", ["", "abc", "-1", "999999999999999999999", "²"])
def test_a_forged_version_is_a_conflict_and_no_error(owner, amelie, seen):
    fields = posted(owner.get("/c/boreale/users/101/general").content.decode()) | {
        "seen": seen,
        "first_name": "X",
    }
    assert owner.post("/c/boreale/users/101/general", fields).status_code == 409


@pytest.mark.parametrize(
    "name", ['"><script>alert(1)</script>', "{{ 7*7 }}", "<img src=x onerror=1>", "' OR 1=1 --"]
)
def test_an_odd_name_is_shown_inert_everywhere(owner, felix, amelie, boreale, name):
    road.apply(road.plan(felix, boreale, user_sheet(), [road.Row(amelie.pk, {"first_name": name})]), FACTS)
    for url in (
        LIST,
        "/c/boreale/users/101/general",
        "/c/boreale/users/101/history",
        "/c/boreale/users/101/delete",
        "/c/boreale/",
        "/c/boreale/history",
    ):
        page = owner.get(url).content.decode()
        if "<" in name:
            assert name not in page, url
        assert ">49<" not in page


def test_pollution_of_the_role_parameter_takes_one_value_through_the_same_check(boreale, ines):
    admin = sign_in_fully(Client(), ines)
    olivier = make_user(boreale, "104", "Olivier", "Bélanger", department="Soins")
    fields = posted(admin.get("/c/boreale/users/104/general").content.decode())
    response = admin.post("/c/boreale/users/104/general", fields | {"role": ["users", "system_owners"]})
    assert response.status_code == 422
    olivier.refresh_from_db()
    assert olivier.role_id == "users"


# --- Creating and deleting --------------------------------------------------------------------------------------
def test_a_new_user_gets_the_first_free_extension_and_his_tab_opens(owner, amelie, boreale):
    fields = posted(owner.get("/c/boreale/users/new").content.decode())
    fields |= {
        "first_name": "Olivier",
        "last_name": "Bélanger",
        "number": "",
        "primary_department": str(amelie.primary_department_id),
    }
    response = owner.post("/c/boreale/users/new", fields, follow=True)
    assert response.redirect_chain == [("/c/boreale/users/100/general?created=1", 302)]
    assert "a été créé" in response.content.decode()


def test_beyond_the_contract_only_support_staff_create_and_it_is_said_first(owner, amelie, boreale, staff):
    from users.models import Customer

    Customer.objects.filter(pk=boreale.pk).update(included_extensions=2)
    page = owner.get("/c/boreale/users/new").content.decode()
    assert "Postes utilisés\u00a0: 2 sur 2 inclus" in page
    fields = posted(page) | {"first_name": "Olivier", "primary_department": str(amelie.primary_department_id)}
    assert owner.post("/c/boreale/users/new", fields).status_code == 422
    support = sign_in_fully(Client(), staff)
    assert support.post("/c/boreale/users/new", fields).status_code == 302


def test_deleting_asks_to_type_the_extension_and_the_server_checks_it(owner, amelie):
    url = "/c/boreale/users/101/delete"
    assert "101" in owner.get(url).content.decode()
    assert owner.post(url, {"confirm": "102"}).status_code == 422
    assert User.objects.filter(pk=amelie.pk).exists()
    assert owner.post(url, {"confirm": " 101 "}).status_code == 302
    assert not User.objects.filter(pk=amelie.pk).exists()


def test_nobody_deletes_himself(owner, felix):
    assert owner.post("/c/boreale/users/102/delete", {"confirm": "102"}).status_code == 403


# --- Doors -------------------------------------------------------------------------------------------------------
def test_another_customers_address_does_not_exist(owner, laurier):
    make_user(laurier, "201")
    for url in (
        "/c/laurier/",
        "/c/laurier/users/",
        "/c/laurier/users/201/general",
        "/c/laurier/users/201/delete",
        "/c/boreale/users/201/general",
        "/c/nowhere/",
    ):
        assert owner.get(url).status_code == 404, url


def test_what_a_role_may_not_is_refused_with_a_sentence(ines, amelie, felix, boreale):
    admin = sign_in_fully(Client(headers={"accept-language": "fr-CA"}), ines)
    response = admin.get("/c/boreale/users/101/general")
    assert response.status_code == 403
    assert "département principal" in response.content.decode()
    make_user(boreale, "104", "Olivier", "Bélanger", department="Soins", role="system_owners")
    response = admin.get("/c/boreale/users/104/general")
    assert response.status_code == 403
    assert "au-dessus du vôtre" in response.content.decode()


def test_a_person_without_administration_is_led_to_his_own_page(boreale, amelie):
    client = sign_in_fully(Client(), amelie)
    assert client.get("/", follow=True).redirect_chain[-1][0] == "/me"
    assert client.get(LIST).status_code == 403


def test_rights_taken_away_hold_at_the_next_request(owner, felix, amelie):
    assert owner.get(LIST).status_code == 200
    User.objects.filter(pk=felix.pk).update(role="users")
    assert owner.get(LIST).status_code == 403
    User.objects.filter(pk=felix.pk).update(disabled=True)
    assert owner.get(LIST).status_code == 302


def test_every_form_wants_its_token(felix, amelie):
    client = sign_in_fully(Client(enforce_csrf_checks=True), felix)
    for url in (
        "/c/boreale/users/101/general",
        "/c/boreale/users/101/delete",
        "/c/boreale/users/new",
        "/sign-out",
        "/language",
        "/theme",
        "/sign-in",
    ):
        assert client.post(url, {"confirm": "101"}).status_code == 403, url
    assert User.objects.filter(pk=amelie.pk).exists()


def test_pages_are_complete_in_english_too(felix, amelie):
    client = sign_in_fully(Client(headers={"accept-language": "en"}), felix)
    page = client.get("/c/boreale/users/101/general").content.decode()
    assert "Outbound caller ID" in page
    assert "Enregistrer" not in page


def test_a_link_of_another_site_is_not_followed_after_the_theme(owner):
    for target in (
        "https://evil.example",
        "//evil.example",
        "https:evil.example",
        "\\\\evil.example",
        "javascript:alert(1)",
    ):
        assert owner.post("/theme", {"theme": "dark", "next": target})["location"] == "/"


def test_the_columns_are_named_in_both_languages():
    for column in user_sheet().columns.values():
        with override("fr-ca"):
            french = str(column.label)
        assert french, column.name
