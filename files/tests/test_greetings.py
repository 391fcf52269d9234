"""Greetings in files: by name, one's own before the company's before the provider's, and never somebody else's."""

import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.translation import override

from files.exporting.people import Layout
from files.exporting.writing import Kind
from files.importing.importing import look_at
from files.importing.imports import write
from files.tests.test_round_trips import FORMS, differing, exported
from forwarding.models import ForwardingRule
from pbxadmin.common.columns import Scope
from phones.tests.factories import provider
from users.models import User
from users.tests.factories import FACTS, details, make_user, make_users
from voicemail.models import Greeting, Mailbox

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.both_databases("names of greetings that a plan understands under its lock"),
]


def own(person, name, **facts):
    return Greeting.objects.create(customer=person.customer, user=person, name=name, **facts)


def imported(content, customer):
    """What importing this would do, and does where nothing is refused."""
    looked = look_at(content.encode(), Scope(provider(), customer))
    if not looked.refused:
        write(looked, FACTS)
    return looked


def chosen(person):
    return Mailbox.objects.get(user=person).default_greeting


HEADER = "Number,Voicemail.DefaultGreeting,Away.Greeting\r\n"


@pytest.fixture
def chosen_by_all(boreale, amelie, felix, ines):
    """Everybody with a greeting of their own, the company's or the provider's; some of the same name."""
    companys = Greeting.objects.create(customer=boreale, name="Accueil")
    providers = Greeting.objects.get(name="En vacances")
    for person, greeting in (
        (amelie, own(amelie, "Accueil")),
        (felix, companys),
        (ines, providers),
        (make_user(boreale, "150", "Zoé", "Lavoie"), own(ines, "Chez Inès")),
    ):
        Mailbox.objects.filter(user=person).update(default_greeting=greeting)
    zoe = User.objects.get(customer=boreale, number="150")
    Mailbox.objects.filter(user=zoe).update(default_greeting=own(zoe, 'ÉTÉ; "à moi", =1+1'))


def test_greetings_of_ones_own_come_back_unchanged_in_every_format_and_language(boreale, chosen_by_all):
    scope = Scope(provider(), boreale)
    for layout, kind in FORMS:
        for writer, reader in (("en", "fr-ca"), ("fr-ca", "en")):
            with override(writer):
                made = exported(scope, layout, kind)
            with override(reader):
                assert differing(made, scope) == [], (layout, kind, writer)
    assert "Accueil" in exported(scope, Layout.FULL, Kind.CSV).decode()


def test_a_name_means_ones_own_then_the_companys_then_the_providers(boreale, amelie, felix, ines):
    mine, companys = own(amelie, "Accueil"), Greeting.objects.create(customer=boreale, name="Accueil")
    over = Greeting.objects.create(customer=boreale, name="En vacances")
    rows = f"{HEADER}{amelie.number},accueil,En vacances\r\n{felix.number},ACCUEIL,\r\n"
    looked = imported(rows, boreale)
    assert {each.outcome for each in looked.outcomes} == {"changed"}
    assert (chosen(amelie), chosen(felix)) == (mine, companys)
    assert ForwardingRule.objects.get(user=amelie, status="away").greeting == over


def test_a_greeting_of_somebody_else_or_of_another_customer_is_refused_with_what_there_is(
    boreale, laurier, amelie, ines
):
    own(ines, "Chez Inès")
    own(amelie, "Chez moi")
    Greeting.objects.create(customer=laurier, name="À eux")
    own(amelie, "Partie", deleted_at="2026-01-01T00:00Z")
    for name in ("Chez Inès", "À eux", "Partie", "N’importe quoi"):
        looked = imported(f"{HEADER}{amelie.number},{name},\r\n", boreale)
        [row] = looked.outcomes
        assert (row.outcome, row.errors[0].column) == ("refused", "Voicemail.DefaultGreeting"), name
        said = str(row.errors[0].reason)
        assert "Chez moi" in said
        assert "En vacances" in said
        assert said.count("Chez Inès") + said.count("À eux") == (name in ("Chez Inès", "À eux"))
        json.dumps(row.as_json())
    assert chosen(amelie) is None


def test_somebody_new_has_none_of_their_own_yet(boreale, ines):
    own(ines, "Chez Inès")
    header = "Number,FirstName,LastName,Voicemail.DefaultGreeting\r\n"
    looked = imported(f"{header}161,Léo,Roy,Chez Inès\r\n162,Léa,Roy,En vacances\r\n", boreale)
    column = "Voicemail.DefaultGreeting"
    assert [column in {said.column for said in each.errors} for each in looked.outcomes] == [True, False]
    for each in looked.outcomes:
        json.dumps(each.as_json())


def test_many_personal_greetings_cost_no_query_each(boreale, django_assert_max_num_queries):
    people = make_users(boreale, *(details(f"{place + 420}", "De", f"Plus {place}") for place in range(12)))
    for person in people:
        own(person, "À moi")
    rows = [f"{each.number},À moi,À moi\r\n" for each in people]
    look_at((HEADER + rows[0]).encode(), Scope(provider(), boreale))
    with CaptureQueriesContext(connection) as few:
        look_at((HEADER + "".join(rows[:2])).encode(), Scope(provider(), boreale))
    with django_assert_max_num_queries(len(few)):
        looked = look_at((HEADER + "".join(rows)).encode(), Scope(provider(), boreale))
    assert {each.outcome for each in looked.outcomes} == {"changed"}
    assert [pair[1] for each in looked.outcomes for pair in each.changes.values()] == ["À moi"] * 24
