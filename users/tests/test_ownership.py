"""The owner hands over: who may, who can be the next one, what both become, who is told, and the way back."""

import pytest
from django.core import mail
from django.test import Client

from pbxadmin.common.proof import ProofNeededError, Takeover
from signin import credentials, lockout
from signin.models import SignInAttempt
from signin.tests.signing import sign_in_fully
from signin.tests.test_asking import NOT_PROVED
from users import rights, road
from users.company import ownership
from users.mail import letters
from users.models import Letter, Operation, StaffLevel, User
from users.people.sections import user_sheet
from users.road import Outcome, undo
from users.tests.factories import FACTS, make_staff, make_user

ADDRESS = "/c/boreale/ownership"


@pytest.fixture
def amelie(amelie, felix):
    """With an address and a password, as the owner has."""
    for person in (amelie, felix):
        person.email = f"{person.first_name.lower()}@boreale.example".replace("é", "e")
        person.set_password("pomme-rivière-9173")
        person.save(update_fields=["email", "password"])
    return amelie


def roles() -> dict[str, str]:
    return dict(User.objects.filter(customer__slug="boreale").values_list("number", "role"))


def press(client, heir="101", role="system_admins", **sent):
    """Ask what would happen, then do exactly that."""
    data = {"from": "102", "heir": heir, "role": role} | sent
    page = client.post(ADDRESS, data | {"preview": "1"})
    if page.status_code != 200:
        return page
    return client.post(ADDRESS, data | {"transfer": "1", "seen": page.context["preview"].seen})


@pytest.mark.parametrize("who", ["the owner", "a technician"])
def test_the_ownership_goes_over_as_one_operation_and_both_are_mailed(boreale, amelie, felix, who):
    actor = felix if who == "the owner" else make_staff("t@tic.example", staff_level=StaffLevel.TECHNICIAN)
    client = sign_in_fully(Client(), actor)
    said = client.post(
        ADDRESS, {"from": "102", "heir": "amélie", "role": "users", "preview": "1"}
    ).content.decode()
    assert "Qui devient quoi" in said
    assert roles() == {"101": "receptionists", "102": "system_owners"}, "a look changes nothing"
    answer = press(client, "amélie", "users")
    assert answer.status_code == 302
    assert roles() == {"101": "system_owners", "102": "users"}
    amelie.refresh_from_db()
    assert amelie.require_2fa, "the password alone doesn't open what is everybody's"
    operation = Operation.objects.get(reason__startswith="ownership")
    assert (operation.actor_pk, operation.changes.count()) == (actor.pk, 2)
    letters.send_due()
    assert {sent.to[0] for sent in mail.outbox} == {amelie.email, felix.email}
    assert all(
        "101 Amélie Tremblay: Propriétaire système" in sent.body.replace(" :", ":").replace("\xa0:", ":")
        for sent in mail.outbox
    )
    told = client.get(answer.url, follow=True).content.decode()
    assert "101 Amélie Tremblay est maintenant propriétaire système" in told
    history = sign_in_fully(Client(), make_staff("h@tic.example")).get("/c/boreale/history").content.decode()
    assert "Transfert de la propriété de 102 Félix Gagnon à 101 Amélie Tremblay" in history


def test_support_takes_it_back_from_the_history_and_who_handed_over_cannot(boreale, amelie, felix, staff):
    made = ownership.plan(felix, boreale, felix, amelie, "system_admins")
    assert ownership.transfer(made, FACTS) is Outcome.SAVED
    operation = Operation.objects.get(reason__startswith="ownership")
    before = User.objects.select_related("role", "customer").get(pk=felix.pk)
    with pytest.raises(undo.NotUndoableError):
        undo.undo(before, boreale, operation, FACTS)
    assert roles()["101"] == "system_owners"
    undo.undo(staff, boreale, operation, FACTS)
    assert roles() == {"101": "receptionists", "102": "system_owners"}


def test_it_takes_a_fresh_proof_and_nothing_is_written_without(boreale, amelie, felix):
    made = ownership.plan(felix, boreale, felix, amelie, "system_admins")
    with pytest.raises(ProofNeededError) as asked:
        ownership.transfer(made, NOT_PROVED)
    assert asked.value.what is Takeover.OWNERSHIP
    assert roles()["102"] == "system_owners"
    assert not Letter.objects.filter(kind=Letter.Kind.OWNER).exists()


def _disabled(person):
    person.disabled = True
    person.save(update_fields=["disabled"])


def _without_password(person):
    person.set_unusable_password()
    person.save(update_fields=["password"])


def _blocked(person):
    SignInAttempt.objects.bulk_create(
        SignInAttempt(login=credentials.account_key(person), address="203.0.113.9")
        for _each in range(lockout.SIGN_IN.account)
    )


@pytest.mark.parametrize(
    ("make", "said"),
    [(_disabled, "désactivé"), (_without_password, "jamais défini de mot de passe"), (_blocked, "bloquée")],
    ids=["disabled", "no password", "blocked"],
)
def test_whoever_cannot_sign_in_becomes_no_owner_and_the_way_out_is_named(boreale, amelie, felix, make, said):
    make(amelie)
    answer = press(sign_in_fully(Client(), felix))
    assert answer.status_code == 422
    page = answer.content.decode()
    assert said in page
    assert "/c/boreale/users/101/sign-in" in page
    assert roles()["102"] == "system_owners"


@pytest.mark.parametrize("heir", ["102", "201", "nobody"], ids=["themself", "another company's", "nobody"])
def test_the_next_owner_is_somebody_else_of_the_same_company(boreale, laurier, amelie, felix, heir):
    make_user(laurier, number="201", first_name="Rosalie")
    assert press(sign_in_fully(Client(), felix), heir).status_code == 422
    assert roles()["102"] == "system_owners"


def test_nobody_else_transfers_it_not_even_for_an_owner(boreale, amelie, felix):
    ines = make_user(boreale, number="103", first_name="Inès", role="system_admins")
    reader = make_staff("r@tic.example", staff_level=StaffLevel.READ_ONLY)
    other = make_user(boreale, number="104", first_name="Maude", role="system_owners")
    for actor in (ines, reader, amelie):
        assert press(sign_in_fully(Client(), actor)).status_code == 403
        assert ownership.plan(actor, boreale, felix, amelie, "users").refusals
    # An owner hands over what is theirs: the other owner isn't offered, whatever is sent.
    assert [each.number for each in ownership.may_hand_over(other, boreale)] == ["104"]
    assert ownership.plan(other, boreale, felix, amelie, "users").refusals
    assert roles()["102"] == "system_owners"


def test_stepping_down_is_no_way_up_nor_out_of_having_an_owner(boreale, amelie, felix):
    # The flag by itself lets nobody raise their own role, nor leave the company without an owner.
    ines = make_user(boreale, number="103", first_name="Inès", role="system_admins")
    for actor, role in ((ines, "system_owners"), (felix, "users")):
        row = road.Row(actor.pk, {"role": role}, steps_down=True)
        assert road.plan(actor, boreale, user_sheet(), [row]).refused
    plain = road.Row(felix.pk, {"role": "users"})
    heir = road.Row(amelie.pk, {"role": rights.OWNERS})
    assert road.plan(felix, boreale, user_sheet(), [plain, heir]).refused, (
        "another page changes nobody's own role"
    )


def test_what_was_shown_is_what_is_done(boreale, amelie, felix):
    client = sign_in_fully(Client(), felix)
    data = {"from": "102", "heir": "101", "role": "system_admins"}
    seen = client.post(ADDRESS, data | {"preview": "1"}).context["preview"].seen
    answer = client.post(ADDRESS, data | {"role": "users", "transfer": "1", "seen": seen})
    assert answer.status_code == 409
    assert roles()["102"] == "system_owners"
    stale = ownership.plan(felix, boreale, felix, amelie, "users")
    User.objects.filter(pk=amelie.pk).update(version=amelie.version + 1)
    assert ownership.transfer(stale, FACTS) is Outcome.CONFLICT
    assert roles()["102"] == "system_owners"


def test_an_owner_who_was_disabled_is_replaced_by_support(boreale, amelie, felix, staff):
    make_user(boreale, number="104", first_name="Maude", role="system_owners")
    _disabled(felix)
    made = ownership.plan(staff, boreale, User.objects.get(pk=felix.pk), amelie, "users")
    assert ownership.transfer(made, FACTS) is Outcome.SAVED
    assert roles()["101"] == "system_owners"


def test_the_way_there_is_on_the_owners_page_and_at_the_desk(boreale, amelie, felix, staff):
    own = sign_in_fully(Client(), felix).get("/c/boreale/users/102/general").content.decode()
    assert "/c/boreale/ownership?from=102" in own
    assert (
        "/c/boreale/ownership"
        not in sign_in_fully(Client(), felix).get("/c/boreale/users/101/general").content.decode()
    )
    desk = (
        sign_in_fully(Client(), staff).get(f"/support/users/customer/{boreale.pk}/change/").content.decode()
    )
    assert "102 Félix Gagnon" in desk
    assert "/c/boreale/ownership" in desk
    reader = make_staff("r@tic.example", staff_level=StaffLevel.READ_ONLY)
    page = (
        sign_in_fully(Client(), reader).get(f"/support/users/customer/{boreale.pk}/change/").content.decode()
    )
    assert "102 Félix Gagnon" in page
    assert "/c/boreale/ownership" not in page
