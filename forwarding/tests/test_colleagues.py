"""The directory of colleagues: whom one finds there, whose presence one sees, and who gives whom another status."""

import pytest
from django.test import Client

from forwarding.tests.road import change
from signin.tests.signing import sign_in_fully
from users.models import Change, User
from users.tests.factories import make_user

pytestmark = pytest.mark.slow("opens page after page")


@pytest.fixture
def olivier(boreale):
    """A plain user of Soins."""
    return make_user(boreale, "104", "Olivier", "Bélanger", department="Soins")


@pytest.fixture
def noemie(boreale):
    """A colleague of Amélie's, in Accueil."""
    return make_user(boreale, "115", "Noémie", "Bergeron", department="Accueil", mobile="514 555-0141")


def page(person, **query):
    return sign_in_fully(Client(), person).get("/me/colleagues", query).content.decode()


def test_everybody_finds_his_colleagues_with_their_mobile(olivier, noemie):
    text = page(olivier)
    assert "Noémie Bergeron" in text
    assert "514 555-0141" in text
    assert 'data-label="Mobile" class="text-nowrap">–</td>' in page(noemie), (
        "who has none isn't blank on a phone"
    )
    assert "Bergeron" in page(olivier, q="noemie")
    assert "Bergeron" not in page(olivier, q="zzz")


@pytest.mark.parametrize("flag", ["hidden", "disabled"])
def test_who_is_hidden_or_disabled_is_not_in_it(felix, olivier, noemie, flag):
    change(felix, noemie, **{flag: True})
    assert "Bergeron" not in page(olivier)


def test_presence_is_shown_as_the_view_says(boreale, felix, olivier, noemie, amelie):
    change(felix, noemie, status="lunch", lunch__custom_message="Retour à 13 h")
    accueil = boreale.departments.get(name="Accueil").pk
    assert "Retour à 13 h" not in page(olivier), "another department's"
    assert "Retour à 13 h" in page(amelie), "her own department's"
    change(felix, olivier, visibility=[[accueil, None, "yes", None, None]])
    assert "Retour à 13 h" in page(olivier)
    change(felix, amelie, visibility=[[accueil, None, "no", None, None]])
    assert "Retour à 13 h" not in page(amelie)


def test_a_receptionist_gives_a_colleague_another_status(boreale, amelie, noemie):
    client = sign_in_fully(Client(), amelie)
    url = f"/me/colleagues/{noemie.number}/status"
    assert url in client.get("/me/colleagues").content.decode()
    assert client.post(url, {"status": "away", "mobile": "514 555-0199"}).status_code == 302
    now = User.objects.get(pk=noemie.pk)
    assert (now.status, now.mobile) == ("away", "+15145550141")
    assert Change.objects.filter(object_pk=noemie.pk).first().operation.actor_pk == amelie.pk


def test_nobody_else_does(boreale, olivier, noemie, amelie, ines, laurier):
    assert sign_in_fully(Client(), olivier).post(f"/me/colleagues/{noemie.number}/status", {"status": "away"}).status_code == 403  # fmt: skip
    # A receptionist of another department doesn't see her, and so doesn't move her.
    assert sign_in_fully(Client(), ines).post(f"/me/colleagues/{noemie.number}/status", {"status": "away"}).status_code == 403  # fmt: skip
    stranger = make_user(laurier, "115", "Rosalie", "Beaulieu", role="receptionists")
    other = sign_in_fully(Client(), stranger)
    assert other.post(f"/me/colleagues/{amelie.number}/status", {"status": "away"}).status_code == 404
    assert set(User.objects.filter(pk__in=[noemie.pk, amelie.pk]).values_list("status", flat=True)) == {
        "available"
    }


def test_a_page_costs_the_same_for_many(olivier, boreale, django_assert_max_num_queries):
    for place in range(12):
        make_user(boreale, str(150 + place), "Personne", f"Numéro {place}")
    client = sign_in_fully(Client(), olivier)
    client.get("/me/colleagues")
    with django_assert_max_num_queries(11):
        client.get("/me/colleagues")
