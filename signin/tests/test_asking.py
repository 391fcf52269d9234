"""What a found session could make lasting takes a fresh proof, and nothing that was typed is lost by it."""

import re
from html import unescape

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse

from pbxadmin.common.crypto import Reader, plain
from pbxadmin.common.http import RequestFacts
from pbxadmin.common.proof import ProofNeededError
from signin import credentials as signin
from signin import second_factor
from signin.models import SignInAttempt
from signin.tests.signing import code_of, enrol, sign_in_fully
from users import road
from users.company.sheets import customer_sheet
from users.mail import letters
from users.models import Department, Job, Letter, User
from users.people import changing
from users.people.sections import user_sheet
from users.tests.factories import FACTS, PASSWORD, make_user

NOT_PROVED = RequestFacts("portal", proved=lambda: False)


def let_the_proof_grow_old(client):
    """As if the last proof of this session were eleven minutes old."""
    session = client.session
    for name in (signin.PASSWORD_AT, second_factor.VERIFIED_AT):
        if name in session:
            session[name] -= 660
    session.save()


def again(user):
    return User.objects.get(pk=user.pk)


def form_of(page, **typed):
    """The fields of the form that asks, with what is typed; as a browser sends them."""
    before, _name, after = page.content.decode().partition('name="proof"')
    form = before[before.rindex("<form") :] + 'name="proof"' + after.partition("</form>")[0]
    sent = {}
    for tag in re.findall(r"<input[^>]*>", form):
        found = dict(re.findall(r'([a-z-]+)="([^"]*)"', tag))
        if "name" in found and found["name"] != "csrfmiddlewaretoken":
            sent.setdefault(found["name"], []).append(unescape(found.get("value", "")))
    return sent | {name: [value] for name, value in typed.items()}


@pytest.fixture
def owner(client, felix):
    """Félix's session, found open: signed in all the way, eleven minutes ago."""
    User.objects.filter(pk=felix.pk).update(email="felix@boreale.example")
    felix.set_password(PASSWORD)
    felix.save(update_fields=["password"])
    enrol(felix)
    sign_in_fully(client, felix)
    let_the_proof_grow_old(client)
    return again(felix)


def general_tab(user, **values):
    url = reverse("user_tab", args=["boreale", user.number, "general"])
    sent = {
        "seen": str(user.version), "first_name": user.first_name, "last_name": user.last_name, "email": user.email,
        "role": user.role_id, "primary_department": str(user.primary_department_id),
        "departments": [str(key) for key in user.department_ids], **({"require_2fa": "on"} if user.require_2fa else {}),
    }  # fmt: skip
    return url, sent | values


# --- Nothing lasting without a proof, whichever way -------------------------------------------------------------
@pytest.mark.parametrize(
    "values",
    [{"email": "thief@evil.example"}, {"email": ""}, {"role": "owners"}, {"role": "department_admins"}],
    ids=["another address", "no address", "an owner", "an administrator"],
)
def test_a_change_that_lets_a_thief_stay_is_not_written_without_a_fresh_proof(boreale, felix, amelie, values):
    User.objects.filter(pk=amelie.pk).update(email="amelie@boreale.example")
    values = {name: _role(value) if name == "role" else value for name, value in values.items()}
    plan = road.plan(felix, boreale, user_sheet(), [road.Row(amelie.pk, values)])
    assert not plan.refused
    with pytest.raises(ProofNeededError):
        road.apply(plan, NOT_PROVED)
    assert again(amelie).version == amelie.version
    road.apply(plan, FACTS)


def _role(wanted):
    from users.models import Role

    roles = Role.objects.filter(administer_users=True).order_by("level")
    return roles.last().pk if wanted == "owners" else roles.first().pk


def test_a_new_owner_takes_a_fresh_proof_and_a_new_user_does_not(boreale, felix):
    details = {
        "first_name": "Zoé",
        "last_name": "Lavoie",
        "primary_department": "Accueil",
        "require_2fa": True,
    }
    plain, chief = (
        road.plan(felix, boreale, user_sheet(), [road.Row(None, details | {"number": number, "role": role})])
        for number, role in (("150", "users"), ("151", _role("owners")))
    )
    assert road.apply(plain, NOT_PROVED)
    with pytest.raises(ProofNeededError):
        road.apply(chief, NOT_PROVED)


@pytest.mark.parametrize(
    ("values", "now", "asks"),
    [
        ({"role_id": "department_admins"}, {"departments": ["Accueil", "Soins"]}, True),
        ({"role_id": "department_admins"}, {"primary_department": "Soins"}, True),
        ({"role_id": "department_admins", "disabled": True}, {"disabled": False}, True),
        ({"role_id": "owners", "disabled": True}, {"disabled": False}, True),
        ({"role_id": "owners"}, {"departments": ["Accueil", "Soins"]}, False),  # they have all of them
        ({"role_id": "department_admins"}, {"disabled": True}, False),
        ({"role_id": "users"}, {"departments": ["Accueil", "Soins"]}, False),
        ({"role_id": "users", "disabled": True}, {"disabled": False}, False),
    ],
)
def test_who_administers_gets_neither_more_departments_nor_access_back_without_a_fresh_proof(
    boreale, felix, amelie, values, now, asks
):
    """A former administrator who still knows their password, or one of a single department, at somebody else's open session."""
    role = values["role_id"] if values["role_id"] == "users" else _role(values["role_id"])
    User.objects.filter(pk=amelie.pk).update(**values | {"role_id": role})
    plan = road.plan(felix, boreale, user_sheet(), [road.Row(amelie.pk, now)])
    assert not plan.refused, plan.sentences
    if not asks:
        assert road.apply(plan, NOT_PROVED)
        return
    with pytest.raises(ProofNeededError):
        road.apply(plan, NOT_PROVED)
    assert road.apply(plan, FACTS)


def test_what_lets_nobody_stay_asks_nobody(boreale, felix, amelie):
    plan = road.plan(felix, boreale, user_sheet(), [road.Row(amelie.pk, {"first_name": "Aimée"})])
    assert road.apply(plan, NOT_PROVED)


def test_single_sign_on_and_the_second_factor_of_all_take_a_fresh_proof(boreale, felix):
    boreale.has_google, boreale.require_2fa = True, True
    boreale.save()
    for values in (
        {
            "google_client_id": "1-x.apps.googleusercontent.com",
            "google_client_secret": "GOCSPX-0123456789012345678901234567",
        },
        {"require_2fa": False},
    ):
        plan = road.plan(felix, boreale, customer_sheet(), [road.Row(boreale.pk, values)])
        assert not plan.refused, plan.sentences
        with pytest.raises(ProofNeededError):
            road.apply(plan, NOT_PROVED)


# --- The page that asks -----------------------------------------------------------------------------------------
def test_it_asks_says_why_and_goes_on_with_what_was_typed(client, owner, amelie):
    url, sent = general_tab(amelie, email="new@boreale.example", last_name='Côté "Roy" <b>')
    asked = client.post(url, sent)
    assert asked.status_code == 403
    assert "adresse courriel qui sert à se connecter" in asked.content.decode()
    assert again(amelie).email == amelie.email
    wrong = client.post(url, form_of(asked, **{"proof-code": "000000"}))
    assert wrong.status_code == 422
    assert again(amelie).email == amelie.email
    right = client.post(url, form_of(wrong, **{"proof-code": code_of()}))
    assert right.status_code == 302
    assert (again(amelie).email, again(amelie).last_name) == ("new@boreale.example", 'Côté "Roy" <b>')
    url, sent = general_tab(again(amelie), email="newer@boreale.example")
    assert client.post(url, sent).status_code == 302  # for ten minutes


def test_who_has_no_second_factor_is_asked_for_the_password_and_may_guess_five_times(client, felix):
    """Their own address."""
    User.objects.filter(pk=felix.pk).update(email="felix@boreale.example")
    felix.set_password(PASSWORD)
    felix.save(update_fields=["password"])
    sign_in_fully(client, felix)
    let_the_proof_grow_old(client)
    url, sent = general_tab(again(felix), email="mine@evil.example")
    asked = client.post(url, sent)
    for _ in range(5):
        assert client.post(url, form_of(asked, **{"proof-password": "wrong"})).status_code == 422
    late = client.post(url, form_of(asked, **{"proof-password": PASSWORD}))
    assert (late.status_code, late.headers["Retry-After"]) == (429, "900")
    assert again(felix).email == "felix@boreale.example"
    SignInAttempt.objects.all().delete()
    assert client.post(url, form_of(asked, **{"proof-password": PASSWORD})).status_code == 302
    assert again(felix).email == "mine@evil.example"


def test_one_who_asks_by_htmx_sees_the_question_instead_of_the_page(client, owner, amelie):
    url, sent = general_tab(amelie, email="new@boreale.example")
    asked = client.post(url, sent, headers={"HX-Request": "true"})
    assert (asked.status_code, asked.headers["HX-Retarget"]) == (200, "body")
    assert client.post(url, form_of(asked, **{"proof-code": code_of()})).status_code == 302
    assert again(amelie).email == "new@boreale.example"


def test_a_secret_that_is_asked_for_is_shown_after_the_proof_and_the_press_is_not_lost(client, owner, amelie):
    url = reverse("voicemail_pin", args=["boreale", amelie.number])
    asked = client.post(url, headers={"HX-Request": "true"})
    assert (asked.status_code, asked.headers["HX-Retarget"]) == (200, "body")
    assert "Vous affichez un secret" in asked.content.decode()
    pin = plain(amelie.mailbox, type(amelie.mailbox).pin, Reader.PERSON)
    assert pin not in asked.content.decode()
    shown = client.post(url, form_of(asked, **{"proof-code": code_of()}))
    assert shown.status_code == 200
    assert pin in shown.content.decode()


def test_the_boxes_of_a_reset_come_back_with_the_proof(client, owner, amelie):
    url = reverse("user_reset", args=["boreale", amelie.number])
    before = amelie.sip_password
    sent = {"confirmed": "1", "expected": "1", "box": ["sip"]}
    asked = client.post(url, sent)
    assert (asked.status_code, again(amelie).sip_password) == (403, before)
    done = client.post(url, form_of(asked, **{"proof-code": code_of()}))
    assert done.status_code == 302
    assert again(amelie).sip_password != before


@pytest.mark.parametrize(
    "extra", [{}, {"proof": "address"}, {"proof": "x"}, {"proof": "address", "proof-code": ""}]
)
def test_saying_that_one_has_proved_it_proves_nothing(client, owner, amelie, extra):
    url, sent = general_tab(amelie, email="new@boreale.example")
    assert client.post(url, sent | extra).status_code in (403, 422)
    assert again(amelie).email == amelie.email


def test_the_welcome_mail_of_many_takes_a_proof_and_keeps_the_choice(client, owner, boreale):
    person = make_user(boreale, "150", "Olivier", "Bélanger", email="olivier@boreale.example")
    url = reverse("chosen_welcome", args=["boreale"])
    sent = {"chosen": [str(person.pk)], "confirmed": "1", "expected": "1"}
    asked = client.post(url, sent)
    assert asked.status_code == 403
    assert not Letter.objects.exists()
    client.post(url, form_of(asked, **{"proof-code": code_of()}))
    assert Letter.objects.filter(user=person, kind=Letter.Kind.WELCOME).count() == 1


@pytest.mark.parametrize("at_once", [0, 100], ids=["a job", "at once"])
def test_other_departments_for_many_ask_where_one_of_them_administers_a_department(
    client, owner, boreale, ines, amelie, monkeypatch, at_once
):
    monkeypatch.setitem(changing.MOVE.__dict__, "at_once", at_once)
    where = Department.objects.of(boreale).get(name="Accueil").pk
    for chosen, status in (([ines, amelie], 403), ([amelie], 302)):
        sent = {
            "chosen": [str(person.pk) for person in chosen], "confirmed": "1", "expected": str(len(chosen)),
            "department": str(where),
        }  # fmt: skip
        asked = client.post(reverse("chosen_move", args=["boreale"]), sent)
        assert asked.status_code == status
        assert (b'name="proof"' in asked.content) == (status == 403)
    assert again(ines).primary_department_id != where
    assert all(ines.pk not in job.keys for job in Job.objects.all())


@pytest.mark.parametrize("slug", ["reset", "welcome"])
def test_the_page_of_an_action_on_many_asks_before_it_shows_what_would_happen(client, owner, amelie, slug):
    asked = client.post(reverse(f"chosen_{slug}", args=["boreale"]), {"chosen": [str(amelie.pk)]})
    assert asked.status_code == 403
    assert 'name="proof"' in asked.content.decode()


def test_a_page_of_strangers_asks_nobody_to_prove_anything(db):
    assert (
        Client().post(reverse("sign_in"), {"proof": "address", "login": "x", "password": "y"}).status_code
        == 422
    )


# --- The old address learns of it -------------------------------------------------------------------------------
@pytest.mark.parametrize("new", ["thief@evil.example", ""])
def test_the_old_address_is_told_and_not_told_the_new_one(boreale, felix, amelie, new):
    User.objects.filter(pk=amelie.pk).update(email="amelie@boreale.example")
    road.apply(road.plan(felix, boreale, user_sheet(), [road.Row(amelie.pk, {"email": new})]), FACTS)
    assert letters.send_due() == 1
    [told] = mail.outbox
    assert told.to == ["amelie@boreale.example"]
    assert amelie.login in told.body
    assert "thief" not in told.body + told.alternatives[0][0]
    assert "link" not in told.body


def test_who_is_disabled_in_the_same_save_is_told_too_and_a_first_address_tells_nobody(
    boreale, felix, amelie, ines
):
    User.objects.filter(pk=amelie.pk).update(email="amelie@boreale.example")
    User.objects.filter(pk=ines.pk).update(email="")
    rows = [
        road.Row(amelie.pk, {"email": "x@evil.example", "disabled": True}),
        road.Row(ines.pk, {"email": "ines@boreale.example"}),
    ]
    plan = road.plan(felix, boreale, user_sheet(), rows)
    assert not plan.refused, plan.sentences
    road.apply(plan, FACTS)
    assert [letter.kind for letter in Letter.objects.all()] == ["address"]
    letters.send_due()
    assert [told.to for told in mail.outbox] == [["amelie@boreale.example"]]


def test_many_addresses_are_told_with_as_many_statements_as_one(boreale, felix, django_assert_num_queries):
    people = [make_user(boreale, str(150 + n), email=f"p{n}@boreale.example") for n in range(12)]
    rows = [road.Row(person.pk, {"email": f"q{n}@boreale.example"}) for n, person in enumerate(people)]
    road.apply(road.plan(felix, boreale, user_sheet(), rows), FACTS)
    assert Letter.objects.filter(kind="address").count() == 12
