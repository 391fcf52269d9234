"""Phones and keys of many at once: options of one model, keys as a whole or of some positions, and which phones reload."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from phones.keys.columns import KEYS
from phones.models import Phone
from phones.settings.columns import TIME_FORMATS
from phones.tests.factories import fetched, make_people, make_phone, make_phones
from signin.tests.signing import sign_in_fully
from users.models import Department, Operation
from users.tests.test_editing import URL, carried, keys, saved, seen

pytestmark = [pytest.mark.django_db, pytest.mark.slow("pages and previews over many people")]


@pytest.fixture
def people(boreale):
    return make_people(boreale, 4)


@pytest.fixture
def phones(boreale, people):
    """A T54W for each of the first three, and a T46U for the fourth."""
    return [*make_phones(boreale, people[:3]), make_phone(boreale, people[3], model="yealink-t46u")]


def model(slug="yealink-t54w", **typed):
    return {"_phone_of": slug, "phone-_change": list(typed)} | {
        f"phone-{name}": value for name, value in typed.items()
    }


def key_rows(*kinds):
    found = {"keys-count": str(len(kinds))}
    for number, (kind, field, value) in enumerate(kinds, start=1):
        found |= {f"keys-{number}-position": str(number), f"keys-{number}-kind": kind}
        if field:
            found[f"keys-{number}-{field}"] = value
    return found


def held(person):
    return [(key.position, key.kind, key.value) for key in KEYS.load([person])[person.pk]["keys"]]


# --- Phones -------------------------------------------------------------------------------------------------------
def test_the_tab_offers_the_models_that_they_have_and_the_options_of_the_most_frequent(
    client, felix, people, phones
):
    page = sign_in_fully(client, felix).post(URL, {"chosen": keys(people)}).content.decode()
    assert 'name="_phone_of" value="yealink-t54w"' in page
    assert "3 téléphones" in page
    assert 'name="phone-time_format"' in page
    for name in ("mac", "user", "model", "logo"):
        assert f'name="phone-{name}"' not in page
    other = client.post(URL, {"chosen": keys(people), "edited": "1", "_phone_model": "yealink-t46u"})
    assert 'name="_phone_of" value="yealink-t46u"' in other.content.decode()


def test_an_option_changes_on_the_phones_of_that_model_alone_and_they_reload(client, felix, people, phones):
    sign_in_fully(client, felix)
    page = seen(client, people, **model(time_format=_other(phones[0])))
    text = " ".join(page.content.decode().split())
    assert "3 utilisateurs changent.</strong> 1 reste tel quel. 3 téléphones récupèrent" in text
    assert client.post(URL, carried(page)).status_code == 302
    found = dict(Phone.objects.values_list("pk", "time_format"))
    assert {found[phone.pk] for phone in phones[:3]} == {_other(phones[0])}
    assert found[phones[3].pk] == phones[3].time_format
    assert Operation.objects.latest("pk").changes.count() == 3


def _other(phone):
    return next(value.value for value in TIME_FORMATS if value != phone.time_format)


def test_people_and_phones_change_in_one_operation(client, felix, people, phones):
    sign_in_fully(client, felix)
    typed = model(time_format=_other(phones[0]))
    assert saved(client, people, "hidden", hidden="on", **typed).status_code == 302
    operation = Operation.objects.latest("pk")
    assert (
        sorted(operation.changes.values_list("model", flat=True)) == ["phones.phone"] * 3 + ["users.user"] * 4
    )


def test_a_value_that_the_model_doesnt_offer_changes_nobody(client, felix, people, phones):
    before = Operation.objects.count()
    answer = seen(sign_in_fully(client, felix), people, **model(time_format="x"))
    assert answer.status_code == 422
    assert Operation.objects.count() == before


def test_whoevers_phone_cant_be_changed_is_left_out_with_all_they_were_to_get(client, felix, people, phones):
    """Through an SBC that isn't chosen: the phone's rule refuses its person."""
    sign_in_fully(client, felix)
    page = seen(client, people, "hidden", hidden="on", **model(connection="sbc"))
    refused = page.content.decode().split('id="refused-title"')[1].split("</section>")[0]
    assert "3 utilisateurs" in refused
    assert client.post(URL, carried(page) | {"without": "1"}).status_code == 302
    assert [each.pk for each in people if type(each).objects.get(pk=each.pk).hidden] == [people[3].pk]


# --- Keys ---------------------------------------------------------------------------------------------------------
def test_all_keys_are_replaced(client, felix, people, phones):
    sign_in_fully(client, felix)
    first = key_rows(("line", "", ""), ("shared_parking", "slot", "SP1"), ("status", "status", "lunch"))
    saved(client, people[:1], keys_mode="all", **first)
    saved(client, people, keys_mode="all", **key_rows(("line", "", "")))
    assert [held(person) for person in people] == [[(1, "line", "")]] * 4


def test_keys_of_some_positions_are_replaced_and_all_others_stay(client, felix, people, phones):
    sign_in_fully(client, felix)
    first = key_rows(("line", "", ""), ("shared_parking", "slot", "SP1"), ("shared_parking", "slot", "SP2"))
    saved(client, people[:1], keys_mode="all", **first)
    new = key_rows(("blank", "", ""), ("status", "status", "lunch"), ("blank", "", ""))
    page = seen(client, people, keys_mode="some", keys_from="2", keys_to="3", **new)
    text = " ".join(page.content.decode().split())
    assert "<strong>Touche 2</strong>" in text
    client.post(URL, carried(page))
    assert held(people[0]) == [(1, "line", ""), (2, "status", "lunch")]
    assert held(people[1]) == [(2, "status", "lunch")]


def test_a_second_identical_change_of_keys_writes_nothing(client, felix, people, phones):
    sign_in_fully(client, felix)
    rows = key_rows(("line", "", ""), ("blf", "target", "102 Félix Gagnon"))
    saved(client, people, keys_mode="all", **rows)
    before = Operation.objects.count()
    Phone.objects.update(stale_since=None)
    assert "Rien ne change" in seen(client, people, keys_mode="all", **rows).content.decode()
    assert Operation.objects.count() == before
    assert not Phone.objects.exclude(stale_since=None).exists()


@pytest.mark.parametrize(
    ("first", "last"), [("0", "3"), ("4", "2"), ("1", "241"), ("", "2"), ("x", "y"), ("²", "3")]
)
def test_positions_that_there_arent_are_told(client, felix, people, phones, first, last):
    before = Operation.objects.count()
    sent = key_rows(("line", "", "")) | {"keys_from": first, "keys_to": last}
    answer = seen(sign_in_fully(client, felix), people, keys_mode="some", **sent)
    assert answer.status_code == 422
    assert "première et la dernière position" in answer.content.decode()
    assert Operation.objects.count() == before


def test_a_key_that_cant_be_read_is_named_with_its_position(client, felix, people, phones):
    answer = seen(
        sign_in_fully(client, felix),
        people,
        keys_mode="all",
        **key_rows(("line", "", ""), ("blf", "target", "999")),
    )
    assert answer.status_code == 422
    assert "Touche 2" in answer.content.decode()


def test_phones_that_have_the_same_file_afterwards_are_not_counted(client, felix, people, phones, boreale):
    for phone in phones:
        fetched(phone)
    sign_in_fully(client, felix)

    def told(department):
        page = seen(client, people, "primary_department", primary_department=str(department.pk))
        return page, " ".join(page.content.decode().split())

    # A file says the language and the time zone of the department, and these are the same there: not one byte changes.
    former, alike = (Department.objects.of(boreale).get(name=name) for name in ("Accueil", "Soins"))
    assert {person.primary_department_id for person in people} == {former.pk}
    files = {phone.pk: fetched(phone).fetched_digest for phone in phones}
    page, text = told(alike)
    assert "4 utilisateurs changent" in text
    assert "Aucun téléphone" in text
    assert client.post(URL, carried(page)).status_code == 302
    assert not Phone.objects.filter(stale_since__isnull=False).exists(), "none is told"
    assert {phone.pk: fetched(phone).fetched_digest for phone in phones} == files, (
        "and none would have had to be"
    )
    # Where the clock is another one, all of them reload.
    Department.objects.filter(pk=former.pk).update(time_zone="America/Vancouver")
    page, text = told(former)
    assert "4 téléphones récupèrent" in text
    assert client.post(URL, carried(page)).status_code == 302
    assert Phone.objects.filter(stale_since__isnull=False).count() == 4
    assert {phone.pk: fetched(phone).fetched_digest for phone in phones} != files


def test_a_second_identical_change_tells_no_phone(client, felix, people, phones):
    sign_in_fully(client, felix)
    typed = model(time_format=_other(phones[0])) | key_rows(("line", "", ""), ("speed_dial", "target", "102"))
    page = seen(client, people, "srtp", srtp="enabled", keys_mode="all", **typed)
    assert client.post(URL, carried(page)).status_code == 302
    assert Phone.objects.filter(stale_since__isnull=False).count() == 4
    for phone in phones:
        fetched(phone)
    before = dict(Phone.objects.values_list("pk", "revision"))
    operations = Operation.objects.count()
    again = seen(client, people, "srtp", srtp="enabled", keys_mode="all", **typed)
    assert "Rien ne change" in again.content.decode()
    # Confirmed all the same, by a form of before.
    client.post(URL, carried(page) | {"confirmed": "1"})
    client.post(URL, carried(again) | {"confirmed": "1"})
    assert Operation.objects.count() == operations
    assert dict(Phone.objects.values_list("pk", "revision")) == before
    assert not Phone.objects.filter(stale_since__isnull=False).exists()


def test_codecs_are_put_in_another_order_without_scripts(client, felix, people, phones):
    sign_in_fully(client, felix)
    order = phones[0].codecs.split(",")
    sent = {
        "chosen": keys(people), "edited": "1", "_phone_of": "yealink-t54w",
        "phone-codecs": order, "phone-codecs_order": order, "move": f"{order[1]}:up",
    }  # fmt: skip
    page = client.post(URL, sent)
    text = page.content.decode()
    shown = re.findall(r'name="phone-codecs" value="(\w+)"\s+checked', text)
    assert shown[:2] == [order[1], order[0]]
    ticked = re.search(r'name="phone-_change" value="codecs"[^>]*checked', text)
    assert ticked, "and is meant to be"
    # A button that moves nothing means nothing.
    still = client.post(URL, sent | {"move": f"{order[0]}:up"}).content.decode()
    assert not re.search(r'name="phone-_change" value="codecs"[^>]*checked', still)
    preview = {name: value for name, value in sent.items() if name != "move"}
    preview |= {
        "phone-codecs": shown,
        "phone-codecs_order": shown,
        "phone-_change": ["codecs"],
        "preview": "1",
    }
    assert client.post(URL, carried(client.post(URL, preview))).status_code == 302
    assert Phone.objects.get(pk=phones[0].pk).codecs.split(",")[:2] == [order[1], order[0]]


def test_keys_are_put_in_another_order_without_scripts(client, felix, people, phones):
    sign_in_fully(client, felix)
    typed = key_rows(("line", "", ""), ("speed_dial", "target", "101"))
    page = client.post(
        URL, {"chosen": keys(people), "edited": "1", "keys_mode": "all", "move": "2:up"} | typed
    )
    kinds = re.findall(
        r'name="keys-\d+-kind".*?<option value="(\w+)" selected', page.content.decode(), re.DOTALL
    )
    assert kinds[:2] == ["speed_dial", "line"]
    assert 'name="move" value="1:down"' in page.content.decode()


def test_the_page_with_phones_and_keys_costs_as_many_queries_for_many_as_for_few(
    client, felix, people, phones, boreale, django_assert_max_num_queries
):
    sign_in_fully(client, felix)
    typed = model(time_format=_other(phones[0])) | key_rows(("line", "", ""))
    client.post(URL, {"chosen": keys(people[:1])})
    with CaptureQueriesContext(connection) as few:
        client.post(URL, {"chosen": keys(people[:1])})
        seen(client, people[:1], keys_mode="all", **typed)
    with django_assert_max_num_queries(len(few)):
        client.post(URL, {"chosen": keys(people)})
        seen(client, people, keys_mode="all", **typed)
