"""A person's line: every switch of the tabs changes something in it, and licence and integration count."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import translation

from users import road
from users.models import Customer, Department, Planning, User
from users.people.line import LOADED, NOT_LOADED, OutsideCalls, Registration, in_words, line_of, lines_of
from users.people.sections import user_sheet
from users.people.sections.options import OPTIONS
from users.people.sections.talk import TALK
from users.tests.factories import FACTS, make_customer, make_user
from voicemail.models import Greeting

BASE = {
    "email": "amelie@boreale.example", "talk_enabled": True, "talk_name": "amelie", "pin_protected": True, "sip_id": "at",
    "mobile": "514 555-0141",
}  # fmt: skip
OTHER = {"talk_name": "autre", "sip_id": "autre", "pin_protect_seconds": 90}
# What 3CX alone offers is no option here.
COLUMNS = [column.name for column in (*TALK.columns, *OPTIONS.columns) if not column.own_form] + [
    field.name for field in Planning._meta.local_fields
]


@pytest.fixture
def person(db):
    """Somebody at a customer that has everything."""
    registered = {
        f"{provider}_client_{what}": "x" for provider in ("microsoft", "google") for what in ("id", "secret")
    }
    customer = make_customer(
        edition="enterprise", has_microsoft_365=True, has_google=True, microsoft_tenant_id="x", **registered
    )
    return make_user(customer, "101", **BASE)


def loaded(user):
    return User.objects.select_related("customer", "role", "primary_department").get(pk=user.pk)


def change(user, **values):
    """Through the road, as support staff would."""
    actor = User(is_staff=True, staff_level="technician", role_id="users", email="factory@tic.example")
    plan = road.plan(actor, user.customer, user_sheet(), [road.Row(user.pk, values)])
    assert not plan.refused, [row.errors or row.refusal for row in plan.refused]
    road.apply(plan, FACTS)
    return loaded(user)


def other_values(name, value):
    """Every other value of a choice, the other one of a switch, another text or number."""
    column = user_sheet().columns[name]
    if column.field.choices:
        return [key for key, _label in column.field.choices if key != value]
    return [not value] if isinstance(value, bool) else [OTHER[name]]


@pytest.mark.parametrize("name", COLUMNS)
def test_every_option_changes_the_line(person, name):
    before = line_of(person)
    assert before == line_of(loaded(person)), "the same facts, the same line"
    seen, told = [before], [in_words(before)]
    for value in other_values(name, getattr(person, name)):
        changed = line_of(change(person, **{name: value}))
        assert changed not in seen, ("what `_line` gives", name, value)
        assert in_words(changed) not in told, ("what `in_words` says", name, value)
        seen.append(changed)
        told.append(in_words(changed))


@pytest.mark.parametrize(("place", "forced"), [(1, False), (2, False), (3, True), (4, True)])
def test_every_column_of_the_view_changes_the_line(person, place, forced):
    accueil = Department.objects.of(person.customer).get(name="Accueil")
    row = [accueil.pk, None, None, None, None]
    row[place] = forced
    before = line_of(person)
    assert line_of(change(person, visibility=[row])) != before


@pytest.mark.parametrize("edition", ["standard", "pro"])
def test_recording_controls_stay_without_the_enterprise_licence(person, edition):
    person = change(person, recordings_controllable=False)
    assert not line_of(person).recording_controls
    person.customer.edition = edition
    assert line_of(person).recording_controls


def test_hot_desking_needs_pro(person):
    person = change(person, hot_desking=True)
    assert line_of(person).hot_desking
    person.customer.edition = "standard"
    assert not line_of(person).hot_desking


def test_an_integration_that_is_not_set_up_is_not_in_the_line(person):
    assert set(line_of(person).integrations) == {
        "teams", "microsoft_calendar", "microsoft_contacts", "google_contacts", "google_calendar",
    }  # fmt: skip
    person.customer.has_microsoft_365 = False
    assert set(line_of(person).integrations) == {"google_contacts", "google_calendar"}
    assert line_of(person).single_sign_on_offered == ("google",)
    person.customer.google_client_id = ""
    assert line_of(person).single_sign_on_offered == ()


def test_a_disabled_extension_does_nothing(person):
    line = line_of(change(person, disabled=True))
    assert line.registration is Registration.NOWHERE
    assert line.outside_calls is OutsideCalls.EMERGENCY_ONLY
    effects = (
        line.sign_in,
        line.in_directory,
        line.sees,
        line.talk_url,
        line.integrations,
        line.direct_sip_address,
    )
    assert not any(effects)


def test_a_suspended_customer_has_no_line_in_service(person):
    Customer.objects.filter(pk=person.customer_id).update(suspended=True)
    assert line_of(loaded(person)).registration is Registration.NOWHERE


def test_the_emergency_caller_id_is_always_the_departments(person):
    line = line_of(change(person, outbound_caller_id="514 555-0199"))
    assert (line.caller_id, line.emergency_caller_id) == ("+15145550199", "+15145550100")


def test_the_line_is_built_in_a_constant_number_of_queries(person, django_assert_max_num_queries):
    person = loaded(person)
    # Four for the person's own row and their accounts, one for each tab that keeps rows of its own: mailbox and statuses.
    with django_assert_max_num_queries(4 + 2):
        line_of(person)


@pytest.mark.parametrize("count", [1, 12])
def test_many_lines_cost_as_many_queries_as_one(person, count, django_assert_max_num_queries):
    for number in range(count - 1):
        make_user(
            person.customer, str(110 + number), "Gens", str(number), email=f"gens{number}@boreale.example"
        )
    people = list(User.objects.of(person.customer).select_related(*LOADED).defer(*NOT_LOADED))
    with django_assert_max_num_queries(4 + 2):
        found = lines_of(people)
    assert found == {each.pk: line_of(loaded(each)) for each in people}


def test_a_line_is_the_same_in_every_language(person):
    vacation = Greeting.objects.get(name="En vacances")
    person = change(
        person,
        **{"voicemail.default_greeting": vacation.pk, "lunch.custom_message": "À table", "status": "lunch"},
    )
    told = {}
    for language in ("fr-ca", "en"):
        with translation.override(language):
            line = line_of(loaded(person))
            told[language] = (json.dumps(line.as_dict(), ensure_ascii=False), dict(in_words(line)))
    assert told["fr-ca"][0] == told["en"][0]
    assert f'"greeting": "{vacation.pk}"' in told["en"][0]
    assert (told["fr-ca"][1]["Message d'accueil"], told["en"][1]["Greeting"]) == (
        "En vacances",
        "On vacation",
    )
    assert told["en"][1]["Status"] == "Lunch · “À table”"


def test_the_terminal_prints_the_line_as_json_and_in_words(person):
    out = StringIO()
    call_command("line", person.customer.slug, "101", "--json", stdout=out)
    printed = json.loads(out.getvalue())
    assert printed["sip_address"] == "sip:101@boreale.example.com"
    assert printed["registration"] == "lan_or_tunnel"
    out = StringIO()
    call_command("line", person.customer.slug, "101", stdout=out)
    assert "777" in out.getvalue()
    for unknown in ([person.customer.slug, "101", "999"], ["nobody"]):
        with pytest.raises(CommandError):
            call_command("line", *unknown)


def test_the_terminal_prints_everybody_where_nobody_is_named(person):
    make_user(person.customer, "102", "Félix", "Gagnon")
    out = StringIO()
    call_command("line", person.customer.slug, "--json", stdout=out)
    assert [json.loads(line)["extension"] for line in out.getvalue().splitlines()] == ["101", "102"]
    out = StringIO()
    call_command("line", person.customer.slug, stdout=out)
    assert out.getvalue().count("sip:10") >= 2


def test_no_secret_is_in_the_line(person):
    printed = json.dumps(line_of(person).as_dict()) + str(in_words(line_of(person)))
    assert person.sip_password not in printed
