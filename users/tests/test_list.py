"""The list of people: the columns that somebody chooses, what it is sorted by, and pages that stay right while others write."""

import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from pbxadmin.common.columns import Scope
from pbxadmin.common.contributions import ListColumn
from pbxadmin.common.listing import ListState
from phones.tests.factories import make_phone
from signin.tests.signing import sign_in_fully
from users.models import Customer, Did, Membership, User
from users.people import list_columns, selectors
from users.people.sections import user_sheet
from users.tests.factories import details, make_user, make_users
from voicemail.models import Mailbox

both_databases = pytest.mark.both_databases("the list's order and its places")
pytestmark = [
    pytest.mark.slow("draws the list of users again and again"),
]

LIST = "/c/boreale/users/"
COLUMNS = "/c/boreale/users/columns"


@pytest.fixture
def owner(felix: User, amelie: User, ines: User) -> Client:
    return sign_in_fully(Client(headers={"accept-language": "fr-CA"}), felix)


@pytest.fixture
def company(boreale: Customer, felix: User, monkeypatch: pytest.MonkeyPatch) -> list[User]:
    """Forty-two people who have much in common, so that every column has ties and blanks; a page of the list has fifteen."""
    monkeypatch.setattr(selectors, "PAGE_SIZE", 15)
    Customer.objects.filter(pk=boreale.pk).update(included_extensions=500)
    boreale.refresh_from_db()
    people = make_users(
        boreale,
        *(
            details(
                str(320 + place),
                "Élise" if place % 3 else "élise",
                f"Roy {place % 14}",
                department=("Soins", "Accueil")[place % 2],
                email=f"e{place % 7}-{place}@boreale.example" if place % 4 else "",
            )
            for place in range(42)
        ),
    )
    for place, person in enumerate(people):
        User.objects.filter(pk=person.pk).update(
            status=("available", "away", "do_not_disturb")[place % 3],
            mobile=f"+1514555{place % 9:04}" if place % 2 else "",
            outbound_caller_id="+15145550100" if place % 5 == 0 else "",
            recording=("off", "all")[place % 2],
            disabled=place % 11 == 0,
            require_2fa=place % 2 == 0,
            talk_enabled=place % 6 == 0,
            talk_name=f"elise{place}" if place % 6 == 0 else "",
            last_login=timezone.now() if place % 8 == 0 else None,
        )
    departments = {each.name: each for each in boreale.departments.all()}
    Membership.objects.bulk_create(
        Membership(user=person, department=departments["Accueil"]) for person in people[:20:2]
    )
    Mailbox.objects.filter(user__in=[person.pk for person in people[::5]]).update(enabled=False)
    Did.objects.bulk_create(
        Did(customer=boreale, number=f"+1438555{place:04}", user=people[place // 2]) for place in range(30)
    )
    for place in range(12):
        make_phone(boreale, people[place * 3 // 2], f"805ec0dd00{place:02}")
    return people


def offered(actor: User, customer: Customer) -> list[ListColumn]:
    return list_columns.offered(Scope(actor, customer))


def headings(page: str) -> list[str]:
    head = page.split("<thead")[1].split("</thead>")[0]
    cells = re.findall(r'<th scope="col".*?</th>', head, re.DOTALL)
    return [re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", cell)).strip() for cell in cells]


def shown(client: Client, **query: str) -> str:
    return client.get(LIST, query).content.decode()


# --- The columns --------------------------------------------------------------------------------------------------
USUAL = ["Nom", "Extension", "Statut", "Département", "Email", "Rôle", "Téléphones", "2FA"]


def test_whoever_has_chosen_nothing_has_the_usual_columns(owner: Client) -> None:
    page = shown(owner)
    assert headings(page) == USUAL
    assert f'action="{COLUMNS}"' in page


def test_columns_are_chosen_by_a_form_and_remembered_with_the_person(
    owner: Client, felix: User, amelie: User
) -> None:
    User.objects.filter(pk=amelie.pk).update(mobile="+15145550188")
    back = owner.post(
        COLUMNS,
        {"column": ["mobile", "voicemail", "mac", "secret", ""], "next": f"{LIST}?q=tremblay&sort=-number"},
    )
    assert back["Location"] == f"{LIST}?q=tremblay&sort=-number"
    page = shown(owner)
    assert headings(page) == ["Nom", "Extension", "Mobile", "Adresses MAC", "Messagerie vocale"]
    assert "514 555-0188" in page
    # Another browser, another day.
    elsewhere = sign_in_fully(Client(headers={"accept-language": "en"}), User.objects.get(pk=felix.pk))
    assert headings(shown(elsewhere)) == ["Name", "Extension", "Mobile", "MAC addresses", "Voicemail"]
    # Whoever else reads the list hasn't chosen.
    stranger = sign_in_fully(
        Client(headers={"accept-language": "fr-CA"}),
        make_user(felix.customer, "110", "Zoé", "Lavoie", role="system_owners"),
    )
    assert headings(shown(stranger)) == USUAL
    owner.post(COLUMNS, {"usual": "1", "column": ["mobile"], "next": LIST})
    assert headings(shown(owner)) == USUAL


def test_no_column_at_all_is_a_choice_too(owner: Client) -> None:
    owner.post(COLUMNS, {"next": LIST})
    assert headings(shown(owner)) == ["Nom", "Extension"]


def test_support_staff_have_their_columns_in_the_lists_of_all_customers(
    staff: User, boreale: Customer, laurier: Customer
) -> None:
    client = sign_in_fully(Client(headers={"accept-language": "en"}), staff)
    client.post(COLUMNS, {"column": ["did", "recording"]})
    make_user(laurier, "201", "Rosalie", "Beaulieu")
    page = client.get("/c/laurier/users/").content.decode()
    assert headings(page) == ["Name", "Extension", "DID numbers", "Call recording"]


def test_choosing_columns_is_no_change_of_a_person(owner: Client, felix: User) -> None:
    before = User.objects.get(pk=felix.pk).version
    owner.post(COLUMNS, {"column": ["mobile"]})
    after = User.objects.get(pk=felix.pk)
    assert (after.version, after.list_columns) == (before, "mobile")
    assert not after.history_rows.exists() if hasattr(after, "history_rows") else True


def test_whoever_administers_nobody_has_no_list_to_choose_columns_of(amelie: User) -> None:
    client = sign_in_fully(Client(), amelie)
    assert client.post(COLUMNS, {"column": ["mobile"]}).status_code == 403
    assert User.objects.get(pk=amelie.pk).list_columns == ""


def test_the_choice_leads_to_no_other_site(owner: Client) -> None:
    assert owner.post(COLUMNS, {"next": "https://elsewhere.example/"})["Location"] == LIST


def test_a_column_that_a_reader_may_not_see_is_neither_offered_nor_shown_nor_sorted_by(
    owner: Client, felix: User, boreale: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    hidden = ListColumn(
        "hidden_one", "Secret-défense", lambda person: "vu", order=("email",), offered=lambda scope: False
    )
    real = list_columns.own
    monkeypatch.setattr(list_columns, "own", lambda scope: ([*real(scope)[0], hidden], real(scope)[1]))
    owner.post(COLUMNS, {"column": ["hidden_one", "mobile"]})
    page = shown(owner, sort="hidden_one")
    assert "Secret-défense" not in page
    assert 'value="hidden_one"' not in page
    assert headings(page) == ["Nom", "Extension", "Mobile"]
    assert "hidden_one" not in selectors.shape(felix, boreale).orders


def test_a_secret_is_no_column() -> None:
    columns = user_sheet().columns
    for name in ("voicemail.pin",):
        with pytest.raises(ValueError, match="secret"):
            ListColumn(name, of_tab=True).completed(columns[name])


def test_tabs_of_the_apps_above_bring_their_own_columns() -> None:
    brought = {section.slug: {each.name for each in section.adds.listed} for section in user_sheet().sections}
    assert {"phones", "mac"} <= brought["phone"]
    assert "voicemail" in brought["voicemail"]
    assert "recording" in brought["options"]


def test_names_and_labels_of_columns_are_each_ones_own(felix: User, boreale: Customer) -> None:
    columns = offered(felix, boreale)
    assert len({column.name for column in columns}) == len(columns)
    assert len({str(column.label) for column in columns}) == len(columns)
    assert all(column.order for column in columns), "the list is sorted by every column"
    text = ",".join(column.name for column in columns)
    assert len(text) < User._meta.get_field("list_columns").max_length - 50


def test_every_column_says_what_it_is_about(
    owner: Client, felix: User, boreale: Customer, company: list[User]
) -> None:
    person = company[0]
    User.objects.filter(pk=person.pk).update(
        outbound_caller_id="+15145550111", disabled=False, hot_desking=True
    )
    owner.post(COLUMNS, {"column": [column.name for column in offered(felix, boreale)]})
    page = shown(owner, q="320")
    row = page.split("<tbody>")[1].split("</tr>")[0]
    said = {
        label: re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", cell)).strip()
        for label, cell in re.findall(r'<td data-label="([^"]+)"[^>]*>(.*?)</td>', row, re.DOTALL)
    }
    assert said["Identifiant appelant sortant"] == "514 555-0111"
    assert said["Numéros SDA"] == "438 555-0000, 438 555-0001"
    assert said["Autres départements"] == "Accueil"
    assert said["Adresses MAC"] == "80:5E:C0:DD:00:00"
    assert said["Messagerie vocale"] == "Non"
    assert said["Talk"] == "elise0"
    assert len(said) == len(offered(felix, boreale))


@both_databases
def test_a_column_costs_at_most_one_query_and_more_rows_cost_none(
    owner: Client, felix: User, boreale: Customer, company: list[User]
) -> None:
    def cost(query: dict[str, str]) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert owner.get(LIST, query).status_code == 200
        return len(queries)

    owner.get(LIST)
    usual = cost({})
    assert usual <= 8
    assert cost({"page": "2"}) <= 8
    columns = offered(felix, boreale)
    for column in columns:
        owner.post(COLUMNS, {"column": [each.name for each in columns if each.usual or each is column]})
        assert cost({}) <= usual + bool(column.facts and not column.usual), column.name
    owner.post(COLUMNS, {"column": [column.name for column in columns]})
    facts = sum(bool(column.facts and not column.usual) for column in columns)
    assert facts <= 3
    assert cost({}) <= usual + facts
    assert cost({"q": "325"}) <= cost({})


# --- Sorting ------------------------------------------------------------------------------------------------------
NAMES = [
    "name", "number", "status", "department", "email", "role", "mobile", "did", "caller_id", "departments", "talk_enabled",
    "hours_mode", "auto_switch_status", "phones", "mac", "voicemail", "messages", "recording", "disabled", "outbound_disabled", "hidden",
    "block_remote", "missed_call_email", "hot_desking", "2fa", "last_login", "created",
]  # fmt: skip


def test_the_names_of_orders_are_those_that_are_tried_here(felix: User, boreale: Customer) -> None:
    assert list(selectors.shape(felix, boreale).orders) == NAMES


def walk(
    actor: User, customer: Customer, sort: str, between: Callable[[int], None] = lambda step: None
) -> list[int]:
    """Everybody whom one meets who goes on from page to page; `between` happens before each step."""
    met: list[int] = []
    query = {"sort": sort}
    for step in range(20):
        state = ListState.of(selectors.shape(actor, customer), query, LIST)
        page = selectors.list_users(actor, customer, state).page
        met += [person.pk for person in page.object_list]
        if not page.has_next():
            return met
        query = {"sort": sort, "after": page.after}
        between(step)
    raise AssertionError("it never ends")


@both_databases
def test_going_on_meets_everybody_once_in_the_order_of_numbered_pages(
    felix: User, boreale: Customer, company: list[User]
) -> None:
    everybody = set(User.objects.of(boreale).values_list("pk", flat=True))
    # One of each kind backwards too: texts, numbers, yes and no, moments, what may be blank, what other tables hold.
    backwards = ("name", "status", "email", "role", "did", "departments", "disabled", "last_login", "2fa")
    for sort in (*NAMES, *(f"-{name}" for name in backwards)):

        def listed(sort: str = sort, **query: str) -> Any:
            state = ListState.of(selectors.shape(felix, boreale), {"sort": sort, **query}, LIST)
            return selectors.list_users(felix, boreale, state).page

        numbered = [person.pk for number in ("1", "2", "3") for person in listed(page=number).object_list]
        assert set(numbered) == everybody, sort
        assert len(numbered) == len(everybody), sort
        assert walk(felix, boreale, sort) == numbered, sort
        # And back again: the page before is the one that was there.
        second = listed(before=listed(page="3").before)
        assert [person.pk for person in second.object_list] == numbered[15:30], sort
        assert (second.start_index(), second.end_index(), second.number) == (16, 30, 2), sort
        assert [person.pk for person in listed(before=second.before).object_list] == numbered[:15], sort


@both_databases
def test_whoever_has_nothing_there_comes_last_whichever_way(
    felix: User, boreale: Customer, company: list[User]
) -> None:
    people = {
        person.pk: person for person in User.objects.of(boreale).select_related("primary_department", "role")
    }
    columns = {column.name: column for column in offered(felix, boreale)}
    for sort in ("email", "-email", "mobile", "-did", "last_login", "-mac", "-phones", "departments"):
        column = columns[sort.removeprefix("-")]
        facts = column.facts(list(people.values())) if column.facts else {}
        blank = [
            not (facts.get(key) if column.facts else column.text and column.text(people[key]))
            for key in walk(felix, boreale, sort)
        ]
        assert any(blank), sort
        assert blank == sorted(blank), sort


@both_databases
def test_departments_are_sorted_alike_whether_their_names_are_said_or_folded(
    felix: User, boreale: Customer, company: list[User], monkeypatch: pytest.MonkeyPatch
) -> None:
    said = walk(felix, boreale, "department"), walk(felix, boreale, "-departments")
    monkeypatch.setattr(list_columns, "SAID_IN_FULL", 0)
    assert (walk(felix, boreale, "department"), walk(felix, boreale, "-departments")) == said


# --- Pages while others write -------------------------------------------------------------------------------------
@both_databases
@pytest.mark.parametrize("sort", ["", "-email", "status", "did"])
def test_nobody_is_met_twice_or_missed_while_others_are_added_and_deleted(
    felix: User, boreale: Customer, company: list[User], sort: str
) -> None:
    before = set(User.objects.of(boreale).values_list("pk", flat=True))
    gone: set[int] = set()

    def between(step: int) -> None:
        # Above where the reader is: somebody comes, and three go who were met already.
        make_user(boreale, str(700 + step), "Aaron", f"Aaa {step}", department="Soins")
        first = list(
            selectors.list_users(
                felix, boreale, ListState.of(selectors.shape(felix, boreale), {"sort": sort})
            ).page.object_list
        )
        going = [person.pk for person in first if person.pk != felix.pk and person.number < "700"][:3]
        Did.objects.filter(user__in=going).update(user=None)
        User.objects.filter(pk__in=going).delete()
        gone.update(going)

    met = walk(felix, boreale, sort, between)
    assert len(met) == len(set(met))
    assert before - set(met) <= gone
    assert gone


@both_databases
def test_the_page_says_where_in_the_list_it_is_however_it_was_reached(
    owner: Client, company: list[User]
) -> None:
    page = shown(owner, page="2")
    back, on = (re.search(rf'<a rel="{rel}"[^>]*href="([^"]+)"', page, re.DOTALL) for rel in ("prev", "next"))
    assert back
    assert on
    third = owner.get(on[1].replace("&amp;", "&")).content.decode()
    assert "31 à 45 sur 45" in third
    assert 'id="page-3" aria-current="page"' in third
    first = owner.get(back[1].replace("&amp;", "&")).content.decode()
    assert 'id="page-1" aria-current="page"' in first
    # A link to a page works as ever.
    assert re.findall(r'name="chosen" form="chosen" value="(\d+)"', shown(owner, page="3")) == re.findall(
        r'name="chosen" form="chosen" value="(\d+)"', third
    )


@both_databases
def test_a_place_stands_in_the_address_and_reloading_shows_the_same_rows(
    owner: Client, felix: User, boreale: Customer, company: list[User]
) -> None:
    state = ListState.of(selectors.shape(felix, boreale), {"sort": "email", "q": "elise"}, LIST)
    after = selectors.list_users(felix, boreale, state).page.after
    told = owner.get(LIST, {"sort": "email", "q": "elise", "after": after}, headers={"hx-request": "true"})
    assert told.headers["HX-Push-Url"] == f"{LIST}?q=elise&sort=email&after={after}"
    # Searching, filtering and sorting anew begin at the first page.
    assert "after=" not in "".join(
        re.findall(r'id="sort-[^"]*"|id="filter-[^"]*" href="[^"]*"', told.content.decode())
    )


NO_PLACES = [
    "x", "W10", "bnVsbA", "WyJhIl0", "WzEsMl0", "W251bGwsbnVsbF0", "WyJhXHUwMDAwIiwiMTAxIl0", "WyJcdWQ4MDAiLCIxMDEiXQ", "W1tdLFtdXQ",
    "A" * 5000, "é", "=====", "WzFlOTk5LCJ4Il0", "[" * 900,
]  # fmt: skip
# What a key can be, and the order that the list has by itself.
KINDS_OF_ORDER = ["", "status", "-last_login", "disabled", "did"]


@both_databases
@pytest.mark.parametrize("way", ["after", "before"])
@pytest.mark.parametrize("sort", KINDS_OF_ORDER)
def test_a_place_that_is_none_is_the_first_page(
    felix: User, amelie: User, boreale: Customer, sort: str, way: str
) -> None:
    shape = selectors.shape(felix, boreale)
    first = selectors.list_users(felix, boreale, ListState.of(shape, {"sort": sort}, LIST)).page
    for place in NO_PLACES:
        state = ListState.of(shape, {way: place, "sort": sort}, LIST)
        found = selectors.list_users(felix, boreale, state).page
        assert (found.number, found.object_list) == (1, first.object_list), place
        assert amelie in found.object_list, place


@pytest.mark.parametrize(("turn", "place"), list(enumerate(NO_PLACES)))
def test_the_page_of_a_place_that_is_none_opens(owner: Client, turn: int, place: str) -> None:
    query = {("after", "before")[turn % 2]: place, "sort": KINDS_OF_ORDER[turn % len(KINDS_OF_ORDER)]}
    answer = owner.get(LIST, query)
    assert answer.status_code == 200
    assert "Amélie Tremblay" in answer.content.decode()


# What JSON can say in the place of a key, and no column of a database holds or compares with.
HOSTILE = (
    "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+00:00", "9999-12-31T23:59:59+00:00",
    "2026-01-01T00:00:00+15:59:59", "2026-01-01T00:00:00+23:59", "2026-01-01", "infinity", "now", "",
    "\x00", "\ud800", "x" * 300, "[]", True, False, 0, -1, 2**31 - 1, 2**31, -(2**31), 2**63, 10**30, 1.5, float("inf"), float("nan"),
    None, [], {}, [1],
)  # fmt: skip


@both_databases
@pytest.mark.parametrize("way", ["after", "before"])
def test_no_place_breaks_a_list_whatever_stands_in_its_keys(
    felix: User, boreale: Customer, company: list[User], way: str
) -> None:
    for sort in NAMES:
        state = ListState.of(selectors.shape(felix, boreale), {"sort": sort}, LIST)
        rows, places = User.objects.of(boreale), state.places
        real = json.loads(urlsafe_b64decode(places.part(rows, 15).after + "=="))
        for hostile in HOSTILE:  # the keys after the first are the first ones of other orders
            place = json.dumps([hostile, *real[1:]])
            text = urlsafe_b64encode(place.encode()).decode()
            if places.read(text, places.sorted(rows, told=True)) is not None:
                assert len(places.part(rows, 15, **{way: text})), (sort, place)


@both_databases
@pytest.mark.parametrize("asked", [("created", "before"), ("-created", "after"), ("-last_login", "after")])
def test_a_zone_that_no_database_knows_is_no_place(owner: Client, asked: tuple[str, str]) -> None:
    sort, way = asked
    place = urlsafe_b64encode(b'["0001-01-01T00:00:00+23:59","x","101"]').decode().rstrip("=")
    answer = owner.get(LIST, {"sort": sort, way: place})
    assert answer.status_code == 200
    assert "Amélie Tremblay" in answer.content.decode()


@both_databases
def test_beyond_the_end_is_the_last_page_and_before_the_beginning_the_first(
    owner: Client, felix: User, boreale: Customer, company: list[User]
) -> None:
    state = ListState.of(selectors.shape(felix, boreale), {}, LIST)
    beyond, first = state.places.written(["zzzz", "999"]), state.places.written(["", "0"])
    assert 'id="page-3" aria-current="page"' in shown(owner, after=beyond)
    assert 'id="page-1" aria-current="page"' in shown(owner, before=first)


@both_databases
def test_the_index_is_read_from_the_place_on(felix: User, boreale: Customer, company: list[User]) -> None:
    if connection.vendor != "postgresql":
        call_command("check")
    state = ListState.of(selectors.shape(felix, boreale), {"page": "2"}, LIST)
    after = selectors.list_users(felix, boreale, state).page.after
    on = ListState.of(selectors.shape(felix, boreale), {"after": after}, LIST)
    with CaptureQueriesContext(connection) as queries:
        selectors.list_users(felix, boreale, on)
    assert not any("OFFSET" in query["sql"] for query in queries)
    assert any('"users_user"."sort_name" >= ' in query["sql"] for query in queries)
