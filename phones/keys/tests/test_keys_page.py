"""The tab BLF in the browser's hands: with and without scripts, refused, overtaken by somebody else, and on paper."""

import re
from html import unescape
from typing import Any

import pytest
from django.test import Client

from phones.keys.columns import LAST_POSITION, KeyValue
from phones.keys.tests.test_keys import keys_of, set_keys
from phones.models import Phone
from phones.tests.factories import make_phone, outbox
from signin.tests.signing import sign_in_fully
from users.models import Change, Customer, User
from users.tests.factories import details, make_user, make_users

pytestmark = pytest.mark.slow("pages with a hundred keys")

TAB = "/c/boreale/users/101/blf"
LABELS = "/c/boreale/users/101/keys/labels"


@pytest.fixture
def office(client: Client, felix: User) -> Client:
    """Félix, who administers the whole company, signed in and reading English."""
    client.cookies["django_language"] = "en"
    return sign_in_fully(client, felix)


def fields(page: Any) -> dict[str, str]:
    """What a browser would send of the tab's form as it stands."""
    html = page.content.decode()
    sent = dict(re.findall(r'<input[^>]* name="(keys-[^"]+|seen|drawn)" value="([^"]*)"', html))
    for name, options in re.findall(r'<select[^>]* name="(keys-[^"]+)"[^>]*>(.*?)</select>', html, re.DOTALL):
        values = re.findall(r'<option value="([^"]*)"( selected)?', options)
        sent[name] = next((value for value, selected in values if selected), values[0][0])
    return {name: unescape(value) for name, value in sent.items()}


def typed(number: int, kind: str, /, **values: str) -> dict[str, str]:
    """What a browser sends of one key whose form fields have the number of its position."""
    return {f"keys-{number}-{name}": value for name, value in {"kind": kind, **values}.items()}


def shown(page: Any) -> list[tuple[str, str]]:
    """The keys in use as the page shows them: position and words."""
    found = re.findall(
        r'data-item="([^"]*)">.*?data-position aria-hidden="true">(\d+)<', page.content.decode(), re.DOTALL
    )
    return [(position, unescape(words)) for words, position in found if words != "Blank"]


# --- what is shown ------------------------------------------------------------------------------------------------
def test_the_keys_stand_on_the_pages_of_the_phone_and_at_least_36_are_listed(
    office: Client, phone: Phone, amelie: User, felix: User
) -> None:
    set_keys(amelie, {"position": 3, "kind": "blf", "target": felix.pk}, {"position": 30, "kind": "line"})
    page = office.get(TAB)
    pages = page.context["pages"]
    assert [(one.title, len(one.cells), one.fits) for one in pages] == [
        ("Page 1", 9, True), ("Page 2", 9, True), ("Page 3", 9, True), ("Not on this model", 9, False),
    ]  # fmt: skip
    assert "T54W · <b>27 keys</b>" in " ".join(page.content.decode().split())
    assert shown(page) == [("3", "BLF 102 Félix Gagnon"), ("30", "Line 101 Amélie")]


def test_the_menu_draws_another_phone_and_its_sidecars_and_loses_nothing_typed(
    office: Client, boreale: Customer, phone: Phone, amelie: User
) -> None:
    big = make_phone(boreale, amelie, "805ec0d57d99", sidecars=2)
    form = fields(office.get(TAB))
    page = office.post(TAB, form | typed(5, "shared_parking", slot="SP7") | {"draw": big.mac})
    assert page.status_code == 200
    assert [one.title for one in page.context["pages"]] == [
        "Page 1", "Page 2", "Page 3", *(f"EXP50 {n} · Page {m}" for n in (1, 2) for m in (1, 2, 3)),
    ]  # fmt: skip
    assert len(page.context["cells"]) == 27 + 120
    assert shown(page) == [("5", "Shared parking SP7")]
    assert 'data-guard="changed"' in page.content.decode()
    assert keys_of(amelie) == ()
    assert office.get(f"{TAB}?phone={phone.mac}").context["device"].capacity == 27


def test_without_a_phone_the_keys_wait_for_one(office: Client, amelie: User) -> None:
    page = office.get(TAB)
    assert len(page.context["cells"]) == 36
    assert all(one.fits for one in page.context["pages"])


def test_the_tab_costs_few_queries_however_many_keys_and_colleagues(
    office: Client, phone: Phone, boreale: Customer, amelie: User, django_assert_max_num_queries: Any
) -> None:
    people = make_users(boreale, *(details(str(number), f"P{number}", "X") for number in range(150, 170)))
    set_keys(
        amelie,
        *({"position": n, "kind": "blf", "target": person.pk} for n, person in enumerate(people, start=1)),
    )
    with django_assert_max_num_queries(12):
        assert office.get(TAB).status_code == 200
    with django_assert_max_num_queries(12):
        assert office.get(LABELS).status_code == 200


def test_hidden_and_disabled_colleagues_are_marked_and_the_hidden_not_offered(
    office: Client, phone: Phone, amelie: User, felix: User, ines: User
) -> None:
    set_keys(
        amelie,
        {"position": 1, "kind": "blf", "target": felix.pk},
        {"position": 2, "kind": "blf", "target": ines.pk},
    )
    User.objects.filter(pk=felix.pk).update(hidden=True)
    User.objects.filter(pk=ines.pk).update(disabled=True)
    page = office.get(TAB)
    notes = [cell.notes for cell in page.context["cells"][:3]]
    assert notes[0] == ["hidden from the directory"]
    assert notes[1][0].startswith("disabled")
    assert notes[2] == []
    assert page.context["suggestions"] == ["101 Amélie Tremblay", "103 Inès Roy"]


# --- saving -------------------------------------------------------------------------------------------------------
def test_every_kind_is_saved_from_the_form_with_one_line_of_history_and_the_phone_is_pushed(
    office: Client, phone: Phone, amelie: User, felix: User
) -> None:
    form = fields(office.get(TAB))
    form |= (
        typed(1, "line") | typed(3, "blf", target="102 Félix Gagnon") | typed(4, "speed_dial", target="102")
    )
    form |= typed(5, "custom_speed_dial", number="866-306-2224,,,225", first_name="Labo", last_name="Médic")
    form |= (
        typed(6, "shared_parking", slot="sp2")
        | typed(7, "agent", agent="logout")
        | typed(36, "status", status="lunch")
    )
    answer = office.post(TAB, form)
    assert (answer.status_code, answer["Location"]) == (302, f"{TAB}?saved=1&phone={phone.mac}")
    assert keys_of(amelie) == (
        KeyValue(1, "line"),
        KeyValue(3, "blf", felix.pk),
        KeyValue(4, "speed_dial", felix.pk),
        KeyValue(5, "custom_speed_dial", None, "8663062224,,,225", "Labo", "Médic"),
        KeyValue(6, "shared_parking", None, "SP2"),
        KeyValue(7, "agent", None, "logout"),
        KeyValue(36, "status", None, "lunch"),
    )
    assert outbox(phone)
    assert [cell["column"] for cell in Change.objects.order_by("-id")[0].cells] == ["keys"]
    # What the page shows is what it would send: saved again, nothing changes.
    again = office.post(TAB, fields(office.get(TAB)))
    assert "saved" not in again["Location"]


def test_a_value_of_another_kind_left_in_the_form_does_not_count(
    office: Client, phone: Phone, amelie: User
) -> None:
    form = (
        fields(office.get(TAB))
        | typed(1, "shared_parking", slot="SP1", target="999", number="nonsense")
        | typed(2, "blank", slot="SP9")
    )
    assert office.post(TAB, form).status_code == 302
    assert keys_of(amelie) == (KeyValue(1, "shared_parking", None, "SP1"),)


def test_240_keys_are_saved_in_one_form(office: Client, phone: Phone, amelie: User) -> None:
    form = {"seen": str(amelie.version), "keys-count": str(LAST_POSITION)}
    for position in range(1, LAST_POSITION + 1):
        values = dict.fromkeys(("number", "first_name", "last_name", "slot", "agent", "status"), "")
        form |= typed(position, "blf", position=str(position), target="101", **values)
    assert office.post(TAB, form).status_code == 302
    assert len(keys_of(amelie)) == LAST_POSITION
    page = office.get(TAB)
    assert len(page.context["cells"]) == LAST_POSITION
    assert not page.context["may_add"]


def test_the_buttons_of_a_page_without_scripts_move_a_key_and_add_more_and_save_nothing(
    office: Client, phone: Phone, amelie: User, felix: User
) -> None:
    set_keys(amelie, {"position": 9, "kind": "blf", "target": felix.pk})
    amelie.refresh_from_db()
    form = fields(office.get(TAB))
    page = office.post(TAB, form | {"move": "9:down"})
    assert shown(page) == [("10", "BLF 102 Félix Gagnon")]
    page = office.post(TAB, fields(page) | {"move": "10:up"})
    page = office.post(TAB, fields(page) | {"add": "1"})
    assert len(page.context["cells"]) == 48
    assert [key.position for key in keys_of(amelie)] == [9]
    for nonsense in ("1:up", "48:down", "0:up", "999:up", "x", ""):
        page = office.post(TAB, fields(page) | {"move": nonsense})
        assert shown(page) == [("9", "BLF 102 Félix Gagnon")]
    page = office.post(TAB, fields(page) | {"move": "9:up"})
    assert office.post(TAB, fields(page)).status_code == 302
    assert [key.position for key in keys_of(amelie)] == [8]


def test_positions_that_scripts_have_exchanged_are_saved(office: Client, phone: Phone, amelie: User) -> None:
    form = (
        fields(office.get(TAB))
        | typed(1, "line", position="12")
        | typed(12, "shared_parking", slot="SP1", position="1")
    )
    office.post(TAB, form)
    assert [(key.position, key.kind) for key in keys_of(amelie)] == [(1, "shared_parking"), (12, "line")]


# --- refusals -----------------------------------------------------------------------------------------------------
def test_every_wrong_key_is_named_with_a_link_and_nothing_typed_is_lost(
    office: Client, phone: Phone, amelie: User
) -> None:
    set_keys(amelie, {"position": 1, "kind": "line"})
    form = fields(office.get(TAB))
    form |= typed(2, "blf", target="999 Nobody") | typed(
        4, "custom_speed_dial", number="call <me>", first_name="Zoé"
    )
    form |= typed(5, "shared_parking", slot="SP4")
    page = office.post(TAB, form)
    html = page.content.decode()
    assert page.status_code == 422
    summary = html[html.index('class="error-summary"') : html.index('<form method="post" id="tab"')]
    assert re.findall(r'href="#(keys-[^"]+)">(Key \d+)<', summary) == [
        ("keys-2-target", "Key 2"),
        ("keys-4-number", "Key 4"),
    ]
    assert html.count('id="keys-2-target"') == html.count('id="keys-4-number"') == 1
    assert html.count(" open>") == 2
    assert html.count('aria-invalid="true"') == 2
    assert fields(page) == form
    assert [key.kind for key in keys_of(amelie)] == ["line"]


def test_a_hidden_colleague_put_on_a_key_anew_is_refused_at_that_key(
    office: Client, phone: Phone, ines: User
) -> None:
    User.objects.filter(pk=ines.pk).update(hidden=True)
    page = office.post(TAB, fields(office.get(TAB)) | typed(2, "blf", target="103"))
    assert page.status_code == 422
    assert [cell.position for cell in page.context["wrong"]] == [2]
    assert "103 is hidden from the directory." in page.content.decode()


def test_a_form_that_lost_its_keys_on_the_way_is_refused(office: Client, phone: Phone, amelie: User) -> None:
    set_keys(amelie, {"position": 1, "kind": "line"})
    amelie.refresh_from_db()
    page = office.post(TAB, {"seen": str(amelie.version)})
    assert page.status_code == 422
    assert "can&#x27;t be read" in page.content.decode()
    assert len(keys_of(amelie)) == 1


def test_somebody_elses_save_in_between_keeps_both_and_says_what_changed(
    office: Client, phone: Phone, amelie: User, felix: User, ines: User
) -> None:
    set_keys(
        amelie,
        {"position": 1, "kind": "line"},
        {"position": 2, "kind": "line"},
        {"position": 3, "kind": "line"},
    )
    form = fields(office.get(TAB))
    set_keys(
        amelie,
        {"position": 1, "kind": "blf", "target": ines.pk},
        {"position": 2, "kind": "shared_parking", "value": "SP9"},
        {"position": 8, "kind": "status", "value": "away"},
    )
    page = office.post(
        TAB, form | typed(2, "blf", target="102 Félix Gagnon") | typed(4, "shared_parking", slot="wrong")
    )
    assert page.status_code == 409
    # Mine at 2 and 4, which I had typed; theirs at 1, 3 and 8, which I hadn't touched.
    assert shown(page) == [
        ("1", "BLF 103 Inès Roy"), ("2", "BLF 102 Félix Gagnon"), ("4", "Shared parking wrong"),
        ("8", "Change status Away"),
    ]  # fmt: skip
    html = " ".join(unescape(page.content.decode()).split())
    assert "Key 2 is now “Shared parking SP9” (you entered another value)" in html
    assert "Key 3 is now “Blank”" in html
    assert "Key 8 is now “Change status Away”" in html
    assert [key.kind for key in keys_of(amelie)] == ["blf", "shared_parking", "status"]
    answer = office.post(TAB, fields(page) | typed(4, "blank"))
    assert answer.status_code == 302
    assert [(key.position, key.kind, key.target) for key in keys_of(amelie)] == [
        (1, "blf", ines.pk), (2, "blf", felix.pk), (8, "status", None),
    ]  # fmt: skip


# --- a colleague's keys -------------------------------------------------------------------------------------------
def test_a_colleagues_keys_are_a_starting_point_until_they_are_saved(
    office: Client, phone: Phone, amelie: User, felix: User, ines: User
) -> None:
    set_keys(amelie, {"position": 1, "kind": "shared_parking", "value": "SP1"})
    set_keys(
        ines,
        {"position": 2, "kind": "line"},
        {"position": 3, "kind": "blf", "target": felix.pk},
        {"position": 4, "kind": "blf", "target": ines.pk},
    )
    User.objects.filter(pk=ines.pk).update(hidden=True)
    # Also by the Enter key, which presses Save: what is named there isn't lost, and nothing is saved.
    page = office.post(TAB, fields(office.get(TAB)) | {"take_from": "103 Inès Roy"})
    assert page.status_code == 200
    assert shown(page) == [("2", "Line 101 Amélie"), ("3", "BLF 102 Félix Gagnon")]
    assert "Key 4: 103 is hidden from the directory." in page.content.decode()
    assert [key.kind for key in keys_of(amelie)] == ["shared_parking"]
    assert office.post(TAB, fields(page)).status_code == 302
    assert [key.position for key in keys_of(amelie)] == [2, 3]


def test_keys_are_not_taken_from_who_is_out_of_reach(
    client: Client, phone: Phone, amelie: User, felix: User, ines: User, laurier: Customer
) -> None:
    make_user(laurier, "201", "Zoé", "Roy")
    soins = make_user(ines.customer, "120", "Noé", "Roy", department="Soins")
    set_keys(felix, {"position": 2, "kind": "line"})
    sign_in_fully(client, ines)
    tab = TAB.replace("101", soins.number)
    form = fields(client.get(tab)) | typed(1, "line")
    for source in ("102", "201", "999", "☎"):
        page = client.post(tab, form | {"take_from": source, "take": "1"})
        assert page.status_code == 200
        assert [position for position, _words in shown(page)][:1] == ["1"], source
        assert len([cell for cell in page.context["cells"] if not cell.blank]) == 1


# --- rights -------------------------------------------------------------------------------------------------------
def test_who_may_not_see_the_person_sees_neither_keys_nor_labels(
    client: Client, phone: Phone, amelie: User, ines: User, laurier: Customer
) -> None:
    stranger = make_user(laurier, "201", "Zoé", "Roy", role="system_owners")
    for actor, status in ((stranger, 404), (ines, 403), (amelie, 403)):
        sign_in_fully(client, actor)
        assert [
            client.get(TAB).status_code,
            client.get(LABELS).status_code,
            client.post(TAB, {"keys-count": "0"}).status_code,
        ] == [status] * 3


# --- paper --------------------------------------------------------------------------------------------------------
def test_the_labels_are_a_sheet_for_each_page_of_the_model(
    office: Client, boreale: Customer, phone: Phone, amelie: User, felix: User
) -> None:
    set_keys(
        amelie,
        {"position": 1, "kind": "line"},
        {"position": 3, "kind": "blf", "target": felix.pk},
        {"position": 10, "kind": "custom_speed_dial", "value": "8663062224,,,225", "first_name": "Labo"},
        {"position": 30, "kind": "line"},
    )
    page = office.get(LABELS)
    sheets = page.context["sheets"]
    assert [(one.title, len(labels)) for one, labels in sheets] == [
        ("Page 1", 9),
        ("Page 2", 9),
        ("Page 3", 9),
    ]
    assert sheets[0][1][0] == (1, "101 Amélie", "")
    assert sheets[0][1][2] == (3, "Félix Gagnon", "102")
    assert sheets[1][1][0] == (10, "Labo", "8663062224,,,225")
    assert sheets[0][1][1] == (2, "", "")
    assert "1 key doesn't exist on this model" in unescape(page.content.decode())
    small = make_phone(boreale, amelie, "805ec0d57d99", model="yealink-t31g")
    assert [len(labels) for _page, labels in office.get(f"{LABELS}?phone={small.mac}").context["sheets"]] == [
        2
    ]
