"""One greeting given to many people at once: what is offered, what is said before, and that it is taken back as one."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from forwarding.models import ForwardingRule
from pbxadmin.common.columns import Scope
from signin.tests.signing import sign_in_fully
from users.models import Change, Department, Operation
from users.road import jobs
from users.road.undo import undo
from users.tests.factories import FACTS, details, make_users
from voicemail.greetings import usage
from voicemail.greetings.for_many import GIVE
from voicemail.models import Greeting, Mailbox

pytestmark = [pytest.mark.django_db, pytest.mark.slow("pages and previews over many people")]


@pytest.fixture
def people(boreale):
    return make_users(boreale, *(details(f"15{place}", "Personne", f"Numéro {place}") for place in range(3)))


@pytest.fixture
def fermé(boreale):
    return Greeting.objects.create(customer=boreale, name="Fermé aujourd’hui")


def give(client, people, **sent):
    keys = {"chosen": [each.pk for each in people]} if people else {}
    return client.post(reverse("chosen_give_greeting", args=["boreale"]), keys | sent)


def settings(greeting, *where, **more):
    return {
        "greeting": greeting.pk,
        "where": where,
        "confirmed": "1",
        "seen": f"{greeting.pk}:{','.join(where)}",
    } | more


WHERE = ("voicemail.default_greeting", "away.greeting")


def test_a_greeting_is_given_to_many_in_one_operation_that_is_taken_back_as_one(
    client, felix, people, boreale, fermé
):
    former = Greeting.objects.create(customer=boreale, user=people[0], name="À moi")
    Mailbox.objects.filter(user=people[0]).update(default_greeting=former)
    sign_in_fully(client, felix)
    answer = give(client, people, expected="3", **settings(fermé, *WHERE))
    assert answer.status_code == 302, answer.content.decode()
    mailboxes = Mailbox.objects.filter(user__in=people)
    assert set(mailboxes.values_list("default_greeting", flat=True)) == {fermé.pk}
    assert ForwardingRule.objects.filter(user__in=people, status="away", greeting=fermé).count() == 3
    operation = Operation.objects.latest("pk")
    assert Change.objects.filter(operation=operation).count() == 3
    assert undo(felix, boreale, operation, FACTS)
    assert sorted(mailboxes.values_list("default_greeting", flat=True), key=str) == [former.pk, None, None]
    assert not ForwardingRule.objects.filter(greeting=fermé).exists()


def test_for_many_it_is_a_job_and_one_operation(felix, people, boreale, fermé, monkeypatch):
    monkeypatch.setattr(jobs, "FIRST", 2)
    wanted = {"greeting": fermé.pk, "where": list(WHERE)}
    job = jobs.start(GIVE, Scope(felix, boreale), [each.pk for each in people], wanted, FACTS)
    while jobs.run(job.pk):
        pass
    job.refresh_from_db()
    assert (job.state, job.done, job.refused) == ("done", 3, 0)
    assert Mailbox.objects.filter(user__in=people, default_greeting=fermé).count() == 3
    assert undo(felix, boreale, Operation.objects.get(pk=job.operation_id), FACTS)
    assert not Mailbox.objects.filter(user__in=people, default_greeting=fermé).exists()


def test_a_greeting_that_is_deleted_while_a_job_gives_it_is_given_to_nobody_else(
    felix, people, boreale, fermé
):
    wanted = {"greeting": fermé.pk, "where": list(WHERE)}
    job = jobs.start(GIVE, Scope(felix, boreale), [each.pk for each in people], wanted, FACTS)
    usage.take_out(Scope(felix, boreale), [fermé], FACTS)
    while jobs.run(job.pk):
        pass
    job.refresh_from_db()
    assert (job.done, job.refused) == (0, 3)
    assert not Mailbox.objects.filter(user__in=people, default_greeting__isnull=False).exists()


def test_what_would_change_is_said_before_and_nothing_is_done_unseen(client, felix, people, boreale, fermé):
    former = Greeting.objects.create(customer=boreale, user=people[0], name="À moi")
    Mailbox.objects.filter(user=people[0]).update(default_greeting=former)
    Mailbox.objects.filter(user=people[1]).update(default_greeting=fermé)
    sign_in_fully(client, felix)
    page = give(client, people, expected="3", **settings(fermé, WHERE[0], seen=""))
    assert page.status_code == 422
    said = page.content.decode().split('id="touched"')[1].split("</p>")[0]
    assert "2 utilisateurs" in said
    assert "1 d’entre eux y a choisi un autre message" in said
    assert "Fermé aujourd’hui" in said
    # Another choice than the one that was looked at.
    assert give(client, people, expected="3", **settings(fermé, *WHERE, seen=f"{fermé.pk}:{WHERE[0]}")).status_code == 422  # fmt: skip
    assert Mailbox.objects.get(user=people[0]).default_greeting == former


def test_nothing_personal_nothing_deleted_and_nothing_of_another_customer_is_given(
    client, felix, amelie, people, boreale, laurier, fermé
):
    own = Greeting.objects.create(customer=boreale, user=amelie, name="À Amélie seule")
    gone = Greeting.objects.create(customer=boreale, name="Parti", deleted_at="2026-01-01T00:00Z")
    theirs = Greeting.objects.create(customer=laurier, name="À eux")
    sign_in_fully(client, felix)
    page = give(client, people).content.decode()
    assert fermé.name in page
    for other in (own, gone, theirs):
        assert other.name not in page
        refused = give(client, people, expected="3", **settings(other, *WHERE))
        assert refused.status_code == 422, other
        assert "Choisissez le message" in refused.content.decode()
    for where in ((), ("voicemail.pin",), ("status",)):
        assert give(client, people, expected="3", **settings(fermé, *where)).status_code == 422, where
    assert not Mailbox.objects.filter(user__in=people, default_greeting__isnull=False).exists()


def test_the_library_of_the_company_leads_to_all_people_or_those_of_one_department(
    client, felix, people, boreale, fermé
):
    sign_in_fully(client, felix)
    library = client.get(reverse("company_greetings_page", args=[boreale.slug])).content.decode()
    assert "Donner à plusieurs utilisateurs…" in library
    assert 'name="all_matching" value="1"' in library
    everybody = give(client, [], all_matching="1", greeting=fermé.pk, department="").content.decode()
    assert re.search(rf'<option value="{fermé.pk}"\s+selected>', everybody)
    assert "Personne Numéro 2" in everybody
    assert felix.full_name in everybody
    empty = Department.objects.create(customer=boreale, name="Vide")
    nobody = give(client, [], all_matching="1", greeting=fermé.pk, department=empty.pk)
    assert nobody.status_code == 302


def test_the_preview_costs_as_many_queries_for_many_as_for_few(
    client, felix, people, boreale, fermé, django_assert_max_num_queries
):
    more = make_users(boreale, *(details(f"{place + 420}", "De", f"Plus {place}") for place in range(20)))
    sign_in_fully(client, felix)
    sent = {"greeting": fermé.pk, "where": WHERE}
    give(client, people, **sent)
    with CaptureQueriesContext(connection) as few:
        give(client, people, **sent)
    with django_assert_max_num_queries(len(few)):
        give(client, more, **sent)
