"""Who, or what, calls are sent to goes only when they have been told another way, in the same breath."""

import pytest
from django.http import QueryDict
from django.test import Client

from forwarding.tests.road import change, values
from pbxadmin.common.columns import Scope
from signin.tests.signing import sign_in_fully
from users.models import Change, SystemExtension, User
from users.people import actions
from users.road import jobs, meant
from users.tests.factories import FACTS, make_user

pytestmark = pytest.mark.slow("pages of those who leave, with everything that leads to them")


@pytest.fixture
def maude(boreale):
    return make_user(boreale, "105", "Maude", "Côté", role="managers")


@pytest.fixture
def xavier(boreale):
    return make_user(boreale, "106", "Xavier", "Lévesque")


@pytest.fixture
def accueil(boreale):
    return SystemExtension.objects.create(customer=boreale, number="180", name="Accueil", kind="ring_group")


@pytest.fixture
def owner(felix):
    return sign_in_fully(Client(), felix)


def several(*people, **more):
    return {"chosen": [each.pk for each in people], "confirmed": "1", "expected": str(len(people)), "confirm": str(len(people))} | more  # fmt: skip


def test_deleting_asks_who_takes_the_calls_instead(owner, felix, amelie, maude):
    change(felix, amelie, away__divert_external="extension:105")
    url = f"/c/boreale/users/{maude.number}/delete"
    page = owner.get(url).content.decode()
    assert 'name="instead"' in page
    assert "101 Amélie Tremblay" in page
    assert owner.post(url, {"confirm": "105", "instead": "199"}).status_code == 422
    assert owner.post(url, {"confirm": "105", "instead": "102"}).status_code == 302
    assert str(values(amelie, "away.divert_external")[0]) == "extension:102"


def test_many_are_deleted_with_one_replacement(owner, felix, amelie, maude, xavier, accueil):
    change(felix, amelie, away__divert_external="extension:105", lunch__busy_external="extension:106")
    # One who goes points at another who goes: nobody is asked for that.
    change(felix, xavier, away__divert_external="extension:105")
    url = "/c/boreale/users/chosen/delete"
    page = owner.post(url, {"chosen": [maude.pk, xavier.pk]}).content.decode()
    assert page.count("101 Amélie Tremblay") == 2
    assert 'id="refused-title"' not in page
    gone = owner.post(url, several(maude, xavier, instead="106 Xavier Lévesque"))
    assert gone.status_code == 422
    assert User.objects.filter(pk__in=[maude.pk, xavier.pk]).count() == 2
    assert owner.post(url, several(maude, xavier, instead="180")).status_code == 302
    assert not User.objects.filter(pk__in=[maude.pk, xavier.pk]).exists()
    now = [str(value) for value in values(amelie, "away.divert_external", "lunch.busy_external")]
    assert now == ["system:180", "system:180"]


def test_who_takes_the_calls_is_found_by_name(owner, felix, amelie, maude, xavier, accueil):
    change(felix, amelie, away__divert_external="extension:105")
    one, several_ = f"/c/boreale/users/{maude.number}/delete", "/c/boreale/users/chosen/delete"
    for typed in ("Personne", "e"):  # nobody, several
        said = owner.post(one, {"confirm": "105", "instead": typed})
        assert (said.status_code, f"«\xa0{typed}\xa0»" in said.content.decode()) == (422, True)
        assert said.content.decode().count('aria-invalid="true"') == 1
        assert 'id="instead_error"' in said.content.decode(), "beside the field that it is about"
        said = owner.post(several_, several(maude, instead=typed))
        assert (said.status_code, f"«\xa0{typed}\xa0»" in said.content.decode()) == (422, True)
    assert User.objects.filter(pk=maude.pk).exists()
    assert owner.post(one, {"confirm": "105", "instead": "lévesque"}).status_code == 302
    assert str(values(amelie, "away.divert_external")[0]) == "extension:106"
    assert owner.post(several_, several(xavier, instead="accueil")).status_code == 302
    assert str(values(amelie, "away.divert_external")[0]) == "system:180"


def test_a_job_holds_who_takes_the_calls_and_not_their_extension(
    boreale, owner, felix, amelie, maude, xavier, monkeypatch
):
    monkeypatch.setattr(jobs, "FIRST", 1)
    leaving = make_user(boreale, "107", "Zoé", "Lavoie")
    change(felix, amelie, away__divert_external="extension:105", lunch__busy_external="extension:107")
    monkeypatch.setattr(jobs.run_job, "apply_async", lambda *args, **options: None)
    scope = Scope(felix, boreale)
    asked = actions.DELETE.ask(scope, [maude, leaving], QueryDict("confirm=2&instead=106"))
    job = jobs.start(actions.DELETE, scope, [maude.pk, leaving.pk], asked.settings, FACTS)
    # Xavier goes, and 106 is another one's before the job is at it.
    xavier.delete()
    stranger = make_user(boreale, "106", "Marc", "Aubin")
    while jobs.run(job.pk):
        pass
    job.refresh_from_db()
    assert (job.done, job.refused) == (0, 2)
    assert User.objects.filter(pk__in=[maude.pk, leaving.pk]).count() == 2
    assert str(stranger.number) not in str(values(amelie, "away.divert_external", "lunch.busy_external"))
    assert "n’existe plus" in str(job.steps.first().refused)


def test_the_key_of_another_customers_person_is_nobody(laurier, boreale, felix, amelie):
    stranger = make_user(laurier, "101", "Luc", "Morin")
    assert meant.callee_of(boreale, meant.key_of(amelie)) == amelie
    assert meant.callee_of(boreale, meant.key_of(stranger)) is None
    assert [
        meant.callee_of(boreale, key) for key in ("", "extension:", "extension:x", "mobile:1", "105")
    ] == [None] * 5


def test_whoever_deletes_somebody_is_offered_to_replace_them(owner, felix, amelie, maude):
    url = f"/c/boreale/users/{maude.number}/delete"
    there = f'href="/c/boreale/users/{maude.number}/replace"'
    assert there in owner.get(url).content.decode()
    change(felix, amelie, away__divert_external="extension:105")
    assert there in owner.get(url).content.decode()


def test_blank_is_each_persons_own_voicemail(owner, felix, amelie, maude, xavier):
    change(felix, amelie, away__divert_external="extension:105")
    assert owner.post("/c/boreale/users/chosen/delete", several(maude, xavier)).status_code == 302
    assert str(values(amelie, "away.divert_external")[0]) == "voicemail"


def test_who_stays_because_he_may_not_go_keeps_his_rules_in_mind(owner, felix, maude):
    # Félix can't delete himself: he is left out, and his own rule that leads to Maude is asked about.
    change(felix, felix, away__divert_external="extension:105")
    url = "/c/boreale/users/chosen/delete"
    page = owner.post(url, {"chosen": [felix.pk, maude.pk]}).content.decode()
    assert 'name="instead"' in page
    without = several(maude, without="1") | {"chosen": [felix.pk, maude.pk]}
    assert owner.post(url, without | {"instead": "105"}).status_code == 422
    assert owner.post(url, without).status_code == 302
    assert str(values(felix, "away.divert_external")[0]) == "voicemail"


def test_a_system_extension_goes_with_a_replacement(owner, felix, amelie, maude, accueil):
    change(
        felix, amelie, available__no_answer_external="system:180", available__no_answer_internal="system:180"
    )
    url = f"/c/boreale/system-extensions/{accueil.pk}/delete"
    page = owner.get(url).content.decode()
    assert 'name="instead"' in page
    assert "101 Amélie Tremblay" in page
    assert owner.post(url, {"confirm": "180 Accueil", "instead": "180"}).status_code == 422
    assert owner.post(url, {"confirm": "180 Accueil", "instead": "199"}).status_code == 422
    assert SystemExtension.objects.filter(pk=accueil.pk).exists()
    assert owner.post(url, {"confirm": "180 Accueil", "instead": "105"}).status_code == 302
    assert not SystemExtension.objects.filter(pk=accueil.pk).exists()
    now = values(amelie, "available.no_answer_external", "available.no_answer_internal")
    assert [str(value) for value in now] == ["extension:105", "extension:105"]
    assert "extension:105" in str(Change.objects.filter(object_pk=amelie.pk, kind="edit").first().cells)


def test_a_replacement_among_people_out_of_reach_is_refused_with_the_reason(boreale, ines, felix, amelie):
    # Inès administers Soins; Amélie, whose rule would have to change, belongs to Accueil.
    zoe = make_user(boreale, "110", "Zoé", "Lavoie", department="Soins")
    change(felix, amelie, away__divert_external="extension:110")
    client = sign_in_fully(Client(), ines)
    answer = client.post("/c/boreale/users/chosen/delete", several(zoe))
    assert answer.status_code == 422
    assert "101 Amélie Tremblay" in answer.content.decode()
    assert User.objects.filter(pk=zoe.pk).exists()
