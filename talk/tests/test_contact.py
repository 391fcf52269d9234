"""Talk and Meet: the public pages ask exactly what is set, and nothing gets past them."""

import re
from datetime import timedelta

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from signin.tests.signing import sign_in_fully
from talk import visits
from talk.models import Meeting, Visitor
from users import road
from users.mail import letters
from users.models import Customer, Letter, User
from users.people.sections import user_sheet
from users.tests.factories import FACTS, make_user

both_databases = pytest.mark.both_databases("visitors that are limited and forgotten")
pytestmark = [
    pytest.mark.slow("visits until it is refused"),
]

TALK, MEET = "/talk/boreale/amelie", "/meet/boreale/amelie"


@pytest.fixture
def talker(felix, amelie, boreale):
    """Amélie with Talk on."""
    return set_up(felix, amelie, talk_enabled=True, talk_name="amelie", email="amelie@boreale.example")


def set_up(actor, user, **values):
    plan = road.plan(actor, user.customer, user_sheet(), [road.Row(user.pk, values)])
    assert not plan.refused, plan.rows[0].errors
    road.apply(plan, FACTS)
    return User.objects.select_related("customer", "role", "primary_department").get(pk=user.pk)


@pytest.mark.parametrize(
    ("ask", "asked"),
    [
        ("name_email", {"name", "email"}),
        ("name", {"name"}),
        ("email", {"email"}),
        ("nothing", set()),
    ],
)
@pytest.mark.parametrize("path", [TALK, MEET])
def test_the_page_asks_exactly_what_is_set(client, felix, talker, path, ask, asked):
    set_up(felix, talker, talk_ask=ask)
    page = client.get(path).content.decode()
    # Whoever is to be called back is always asked where; whoever comes into a meeting isn't.
    number = {"number"} if path == TALK else set()
    assert {name for name in ("name", "email", "number") if f'name="{name}"' in page} == asked | number


def test_off_is_the_same_404_as_unknown(client, felix, talker, boreale):
    def answer(path):
        response = client.get(path)
        # The page repeats the address that was asked for and holds a fresh token; nothing else may differ.
        text = re.sub(r'value="[^"]*"', "", response.content.decode())
        return response.status_code, re.sub(r"X-CSRFToken[^}]*", "", text)

    unknown = answer("/talk/boreale/personne")
    assert unknown[0] == 404
    assert answer("/talk/nobody/amelie") == unknown
    assert answer("/talk/boreale/a%00b") == unknown
    set_up(felix, talker, talk_enabled=False)
    assert answer(TALK) == unknown
    set_up(felix, talker, talk_enabled=True, disabled=True)
    assert answer(TALK) == unknown
    set_up(felix, talker, disabled=False)
    assert client.get(TALK).status_code == 200
    Customer.objects.filter(pk=boreale.pk).update(suspended=True)
    assert answer(TALK) == unknown


@both_databases
def test_a_request_for_a_call_is_a_mail_to_the_person(client, talker):
    answer = client.post(
        TALK,
        {"name": "Jean Visiteur", "email": "jean@ailleurs.example", "number": "514 555-0199"},
        follow=True,
    )
    assert answer.status_code == 200
    assert letters.send_due() == 1
    (letter,) = mail.outbox
    assert letter.to == ["amelie@boreale.example"]
    assert "Jean Visiteur" in letter.body
    assert "jean@ailleurs.example" in letter.body
    assert "Jean" not in letter.subject
    assert letter.reply_to == []
    assert "Rappeler\u00a0: 514 555-0199" in letter.body
    assert 'href="tel:+15145550199"' in letter.alternatives[0][0]
    page = sign_in_fully(Client(), talker).get(reverse("own_visitors")).content.decode()
    assert '<a href="tel:+15145550199">514 555-0199</a>' in page


@pytest.mark.parametrize(
    "facts",
    [
        {"name": "", "email": "a@b.example", "number": "514 555-0199"},
        {"name": "A", "email": "no address", "number": "514 555-0199"},
        {"name": "A\nBcc: x@y.example", "email": "a@b.example", "number": "514 555-0199"},
        {"name": "A", "email": "a@b.example\nBcc: x@y.example", "number": "514 555-0199"},
        {"name": "x" * 81, "email": "a@b.example", "number": "514 555-0199"},
        {"name": "A", "email": "a@b.example"},
        {"name": "A", "email": "a@b.example", "number": "555-01"},
        {"name": "A", "email": "a@b.example", "number": "rappelez-moi"},
        {},
    ],
)
def test_what_is_not_an_answer_is_refused_and_nobody_is_bothered(client, talker, facts):
    assert client.post(TALK, facts).status_code == 422
    assert not Visitor.objects.exists()
    assert not Letter.objects.exists()


@pytest.mark.parametrize(
    "name", ["<script>alert(1)</script>", "{{ settings.SECRET_KEY }}", '" onmouseover="x']
)
def test_a_visitors_name_is_only_text_to_whoever_reads_it(client, felix, talker, name):
    client.post(TALK, {"name": name, "email": "a@b.example", "number": "514 555-0199"})
    client.post(MEET, {"name": name, "email": "a@b.example", "number": "514 555-0199"})
    assert Visitor.objects.count() == 2
    page = sign_in_fully(Client(), talker).get(reverse("own_visitors")).content.decode()
    assert "<script>alert" not in page
    assert 'onmouseover="x' not in page
    letters.send_due()
    assert all("<script>" not in letter.alternatives[0][0] for letter in mail.outbox)


def test_the_persons_own_name_is_only_text_to_visitors(client, felix, talker):
    set_up(felix, talker, first_name="<img src=x>")
    assert "<img src=x>" not in client.get(TALK).content.decode()


def test_the_form_is_protected_from_other_sites(talker):
    assert (
        Client(enforce_csrf_checks=True)
        .post(TALK, {"name": "A", "email": "a@b.example", "number": "514 555-0199"})
        .status_code
        == 403
    )


def test_the_visitor_is_answered_in_his_language(client, talker):
    french, english = (
        client.get(TALK, headers={"Accept-Language": language}).content.decode() for language in ("fr", "en")
    )
    assert '<html lang="en"' in english
    assert "Call Amélie" in english
    assert '<html lang="fr' in french


@both_databases
def test_one_address_asks_only_so_often(client, talker):
    facts = {"name": "A", "email": "a@b.example", "number": "514 555-0199"}
    answers = [client.post(TALK, facts).status_code for _try in range(visits.BY_ADDRESS.tries + 2)]
    assert answers == [302] * visits.BY_ADDRESS.tries + [429] * 2
    assert Letter.objects.count() == visits.BY_ADDRESS.tries
    assert Client(REMOTE_ADDR="192.0.2.9").post(TALK, facts).status_code == 302


def test_a_forged_header_is_not_another_address(client, talker):
    facts = {"name": "A", "email": "a@b.example", "number": "514 555-0199"}
    answers = [
        client.post(TALK, facts, headers={"X-Forwarded-For": f"192.0.2.{place}"}).status_code
        for place in range(visits.BY_ADDRESS.tries + 1)
    ]
    assert answers[-1] == 429


ASKED = {"name": "A", "email": "a@b.example", "number": "514 555-0199"}


def flood(times=visits.BY_LINK.tries + 5):
    """Strangers everywhere use the link up; what each of them is answered."""
    return [Client(REMOTE_ADDR=f"192.0.2.{place}").post(TALK, ASKED).status_code for place in range(times)]


@both_databases
def test_a_link_that_strangers_flood_stays_open_to_everybody_else(talker):
    assert set(flood()) == {302}, "whoever comes for the first time is heard"
    before = Visitor.objects.count()
    newcomer = Client(REMOTE_ADDR="198.51.100.7")
    assert newcomer.get(TALK).status_code == 200
    assert newcomer.post(TALK, ASKED).status_code == 302
    assert Visitor.objects.count() == before + 1
    assert (
        sign_in_fully(Client(), talker).get(reverse("own_visitors")).content.decode().count("555-0199")
        > before
    )


@both_databases
def test_of_a_flood_each_address_is_heard_once(talker):
    flood()
    last = Client(REMOTE_ADDR="198.51.100.7")
    assert [last.post(TALK, ASKED).status_code for _try in range(3)] == [302, 429, 429]


@both_databases
def test_a_flood_of_requests_is_no_flood_of_mails_and_the_mail_says_so(talker):
    flood()
    letters = Letter.objects.filter(kind=Letter.Kind.VISITOR)
    assert letters.count() == visits.MAILS.tries + visits.MAILS_THEN.tries
    mail = visits.told(letters.order_by("pk").last(), talker)
    assert mail.facts["many"]
    Visitor.objects.exclude(pk=letters.order_by("pk").last().about).delete()
    assert not visits.told(letters.order_by("pk").last(), talker).facts["many"]


def test_who_guesses_names_does_not_learn_that_he_found_one(client, talker):
    for place in range(visits.UNKNOWN.tries):
        client.get(f"/talk/boreale/nom{place}")
    assert client.get(TALK).status_code == 404
    assert Client(REMOTE_ADDR="192.0.2.9").get(TALK).status_code == 200


@both_databases
def test_the_page_stays_up_without_its_cache(client, talker, monkeypatch):
    from pbxadmin.common import throttle

    def down(*_args, **_rest):
        raise ConnectionError

    monkeypatch.setattr(throttle, "_resting_until", 0.0)
    monkeypatch.setattr(throttle.cache, "get", down)
    monkeypatch.setattr(throttle.cache, "add", down)
    assert client.get(TALK).status_code == 200
    monkeypatch.setattr(throttle, "_resting_until", 0.0)


# --- Meetings -----------------------------------------------------------------------------------------------------
def join(client):
    answer = client.post(MEET, {"name": "Jean", "email": "jean@ailleurs.example", "number": "514 555-0199"})
    assert answer.status_code == 302
    return answer["Location"]


def state(client, room):
    client.get(room)
    return Visitor.objects.get().state


@both_databases
def test_participants_come_in_when_the_meeting_begins(client, talker):
    room = join(client)
    assert state(client, room) == "waiting"
    sign_in_fully(Client(), talker).post(reverse("own_meeting"), {"do": "open"})
    assert state(client, room) == "admitted"
    assert "Amélie" in client.get(room).content.decode()


def test_with_approval_each_participant_is_let_in_by_hand(client, felix, talker):
    set_up(felix, talker, meet_approve=True)
    room = join(client)
    host = sign_in_fully(Client(), talker)
    host.post(reverse("own_meeting"), {"do": "open"})
    assert state(client, room) == "waiting"
    host.post(reverse("own_visitor", args=[Visitor.objects.get().pk]), {"do": "admit"})
    assert state(client, room) == "admitted"


def test_who_comes_later_into_an_open_meeting_without_approval_is_in_at_once(client, felix, talker):
    visits.open_meeting(talker)
    join(client)
    assert Visitor.objects.get().state == "admitted"
    set_up(felix, talker, meet_approve=True)
    join(client)
    assert Visitor.objects.first().state == "waiting"


def test_who_is_not_let_in_stays_out(client, felix, talker):
    set_up(felix, talker, meet_approve=True)
    room = join(client)
    host = sign_in_fully(Client(), talker)
    key = Visitor.objects.get().pk
    host.post(reverse("own_visitor", args=[key]), {"do": "decline"})
    host.post(reverse("own_visitor", args=[key]), {"do": "admit"})
    assert state(client, room) == "declined"


def test_nobody_lets_in_somebody_elses_visitors(client, felix, talker):
    set_up(felix, talker, meet_approve=True)
    join(client)
    other = set_up(felix, felix, talk_enabled=True, talk_name="felix")
    sign_in_fully(Client(), other).post(
        reverse("own_visitor", args=[Visitor.objects.get().pk]), {"do": "admit"}
    )
    assert Visitor.objects.get().state == "waiting"


@both_databases
def test_a_meeting_ends_by_itself(talker):
    visits.open_meeting(talker)
    assert visits.meeting_is_open(talker)
    Meeting.objects.update(open_until=timezone.now())
    assert not visits.meeting_is_open(talker)


@both_databases
def test_a_waiting_room_is_found_by_its_secret_only_and_ends_with_the_link(client, felix, talker):
    room = join(client)
    assert client.get("/meet/waiting/" + "x" * 32).status_code == 404
    assert client.get(room).status_code == 200
    set_up(felix, talker, talk_enabled=False)
    assert client.get(room).status_code == 404


@both_databases
def test_what_visitors_told_is_forgotten_after_a_day(client, talker):
    join(client)
    assert visits.forget() == 0
    Visitor.objects.update(created_at=timezone.now() - timedelta(hours=25))
    visits.forget()
    assert not Visitor.objects.exists()
    assert not Letter.objects.exists()


def test_without_talk_there_is_no_page_of_visitors(client, ines):
    assert sign_in_fully(client, ines).get(reverse("own_visitors")).status_code == 404


# --- The customer's own host --------------------------------------------------------------------------------------
HOST = {"HTTP_HOST": "boreale.example.com"}


def test_the_customers_own_host_answers_for_its_links(client, talker):
    page = client.get("/amelie", **HOST)
    assert page.status_code == 200
    assert "Amélie" in page.content.decode()
    assert client.get("/meet/amelie", **HOST).status_code == 200
    answer = client.post(
        "/amelie", {"name": "Jean", "email": "j@a.example", "number": "514 555-0199"}, **HOST
    )
    assert answer.status_code == 302
    assert Visitor.objects.count() == 1


@pytest.mark.parametrize(
    "path",
    ["/sign-in", "/me", "/c/boreale/", "/customers", "/p/x/y.cfg", "/app/x", "/admin/", "/felix", "/healthz"],
)
def test_nothing_of_the_portal_is_on_a_customers_host(client, felix, talker, path):
    sign_in_fully(client, felix)
    assert client.get(path, **HOST).status_code == 404


def test_the_bare_host_leads_to_the_portal(client, talker, settings):
    assert client.get("/", **HOST)["Location"] == settings.PUBLIC_URL


def test_a_host_that_nobody_has_is_refused_as_ever(client, talker):
    for host in (
        "evil.example",
        "laurier.example.com",
        "boreale.example.com.evil.example",
        "boreale.example.com:99999999",
        "127.0.0.2",
        "boreale_.example.com",
    ):
        assert client.get("/amelie", HTTP_HOST=host).status_code == 400, host


def test_foreign_names_leave_nothing_in_the_cache_which_counts_what_strangers_try(
    client, talker, monkeypatch
):
    kept = []
    monkeypatch.setattr("talk.hosts.cache.set", lambda key, *rest: kept.append(key))
    for place in range(5):
        client.get("/amelie", HTTP_HOST=f"foreign{place}.example")
    client.get("/amelie", **HOST)
    assert kept == ["host:boreale.example.com"]


def test_a_customers_host_is_bound_to_https_for_a_day_and_no_name_below_it(talker, settings):
    settings.SECURE_HSTS_SECONDS = 365 * 24 * 3600
    settings.SECURE_HSTS_INCLUDE_SUBDOMAINS = settings.SECURE_HSTS_PRELOAD = True
    settings.SECURE_SSL_REDIRECT = True
    client = Client()
    for path in ("/amelie", "/meet/amelie", "/", "/nobody"):
        assert client.get(path, secure=True, **HOST)["Strict-Transport-Security"] == "max-age=86400"
        assert "Strict-Transport-Security" not in client.get(path, **HOST).headers, (
            "which over HTTP nobody believes"
        )
    own = client.get("/sign-in", secure=True)["Strict-Transport-Security"]
    assert "includeSubDomains" in own, "for the portal's own name the provider decides"


def test_another_customers_host_does_not_answer_for_this_one(client, talker, laurier):
    assert client.get("/amelie", HTTP_HOST="laurier.example.com").status_code == 404


def test_the_portals_own_host_can_not_be_taken_by_a_customer(client, boreale, talker):
    Customer.objects.filter(pk=boreale.pk).update(fqdn="testserver")
    assert client.get("/sign-in").status_code == 200


def test_a_form_on_a_customers_host_is_protected_too(talker):
    client = Client(enforce_csrf_checks=True)
    assert (
        client.post(
            "/amelie", {"name": "A", "email": "a@b.example", "number": "514 555-0199"}, **HOST
        ).status_code
        == 403
    )
    client.get("/amelie", **HOST)
    token = client.cookies["csrftoken"].value
    facts = {"name": "A", "email": "a@b.example", "number": "514 555-0199", "csrfmiddlewaretoken": token}
    assert (
        client.post("/amelie", facts, headers={"Origin": "http://boreale.example.com"}, **HOST).status_code
        == 302
    )
    assert client.post("/amelie", facts, headers={"Origin": "http://evil.example"}, **HOST).status_code == 403


def test_somebody_is_called_even_if_two_customers_have_the_same_name(client, felix, talker, laurier):
    stranger = make_user(laurier, "201", "Rosalie", "Beaulieu")
    set_up(
        User(is_staff=True, staff_level="technician", role_id="users"),
        stranger,
        talk_enabled=True,
        talk_name="amelie",
    )
    assert "Rosalie" in client.get("/talk/laurier/amelie").content.decode()
    assert "Amélie" in client.get(TALK).content.decode()


@both_databases
def test_whoever_waits_isnt_shut_out_by_others_behind_the_same_address(client, talker, monkeypatch):
    monkeypatch.setattr(visits, "ASKING", visits.Limit("talk-asking", 2, 600))
    room = join(client)
    for _stranger in range(5):
        assert client.get("/meet/waiting/" + "x" * 32).status_code == 404
    other = join(client)
    assert [client.get(other).status_code for _ask in range(3)] == [200, 200, 429]
    assert client.get(room).status_code == 200
