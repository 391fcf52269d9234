"""Who, or what, calls are sent to goes only when they have been told another way, in the same breath."""

import pytest
from django.test import Client

from forwarding.tests.road import change, values
from signin.tests.signing import sign_in_fully
from users.models import Change, SystemExtension, User
from users.tests.factories import make_user


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
