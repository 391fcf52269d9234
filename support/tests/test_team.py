"""The support team: who invites, grades, disables and helps whom, on the page and at a terminal; the last manager stays."""

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from pbxadmin.common.proof import ProofNeededError
from pbxadmin.run import launcher
from signin import credentials
from signin.models import BackupCode, TotpDevice
from signin.second_factor import renew_backup_codes
from signin.tests.signing import enrol, sign_in_fully
from signin.tests.test_asking import NOT_PROVED
from users import rights, road
from users.mail import letters
from users.models import Change, Letter, Operation, User
from users.people import access, team
from users.tests.factories import FACTS, PASSWORD, make_staff, make_user
from users.tests.test_races import race

pytestmark = pytest.mark.slow("the pages of the support team")

LIST = "/support/team/"
NEW = {
    "first_name": "Marc",
    "last_name": "Roy",
    "email": "marc@tic.example",
    "level": "read_only",
    "language": "en",
}
FILES = "django.core.mail.backends.filebased.EmailBackend"


@pytest.fixture
def boss(db):
    return make_staff("chef@tic.example", first_name="Chloé", last_name="Chef", staff_level="manager")


@pytest.fixture
def tech(db):
    return make_staff("tech@tic.example", first_name="Théo", last_name="Tech")


@pytest.fixture
def desk(client, boss):
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    return sign_in_fully(client, boss)


def at(user: User) -> str:
    return reverse("admin:team_member", args=[user.pk])


def now(user: User) -> User:
    return User.objects.get(pk=user.pk)


def text_of(answer) -> str:
    return " ".join(answer.content.decode().split())


def operations() -> list[tuple[str, str]]:
    return list(Operation.objects.filter(customer=None).order_by("pk").values_list("kind", "reason"))


# --- Inviting -------------------------------------------------------------------------------------------------------
def test_an_invitation_takes_its_person_to_a_password_once_and_stands_in_the_history(desk, boss):
    answer = desk.post(LIST, NEW | {"why": "Billet 77"})
    assert answer.status_code == 302
    marc = User.objects.get(email="marc@tic.example")
    assert (marc.is_staff, marc.staff_level, marc.has_usable_password()) == (True, "read_only", False)
    letters.send_due()
    [sent] = mail.outbox
    assert sent.to == ["marc@tic.example"]
    assert sent.subject == "Your account at the support desk", "in the language that was chosen"
    path = next(line for line in sent.body.splitlines() if "/set-password/" in line).partition("8000")[2]
    visitor = Client()
    page = visitor.get(path).url
    words = {"new_password": PASSWORD, "repeated": PASSWORD}
    assert visitor.post(page, words).status_code == 302
    assert now(marc).has_usable_password()
    assert Client().get(path).status_code == 404, "it opens once"
    made = Operation.objects.get(kind="create", customer=None)
    assert (made.actor_pk, made.note) == (boss.pk, "Billet 77")
    told = text_of(desk.get("/history"))
    assert "Marc Roy" in told
    assert "Read-only" in told


def test_where_no_mail_server_is_the_link_is_shown_and_otherwise_not(desk, settings):
    assert "/set-password/" not in desk.post(LIST, NEW, follow=True).content.decode()
    settings.EMAIL_BACKEND = FILES
    answer = desk.post(LIST, NEW | {"email": "luc@tic.example"})
    assert "/set-password/" in answer.content.decode()
    assert "no-store" in answer.headers["Cache-Control"]


@pytest.mark.parametrize(
    "email",
    ["TECH@tic.example", " tech@TIC.example ", "Amelie@boreale.example", "no address", "a@b.example\nx"],
)
def test_an_address_that_somebody_has_or_that_is_none_is_refused_where_it_was_typed(
    desk, tech, amelie, email
):
    User.objects.filter(pk=amelie.pk).update(email="amelie@boreale.example")
    before = User.objects.count()
    answer = desk.post(LIST, NEW | {"email": email})
    assert answer.status_code == 422
    assert answer.context["form"].errors.keys() == {"email"}
    assert (User.objects.count(), Letter.objects.count(), operations()) == (before, 0, [])


# --- Level and account ----------------------------------------------------------------------------------------------
def test_a_level_counts_at_once_is_told_and_is_taken_back(desk, tech):
    theirs = sign_in_fully(Client(), tech)
    assert theirs.post(LIST, NEW).status_code == 403
    assert (
        desk.post(at(tech), {"do": "level", "level": "manager", "why": "remplace Chloé"}).status_code == 302
    )
    assert theirs.post(LIST, NEW).status_code == 302
    letters.send_due()
    told = next(sent for sent in mail.outbox if sent.to == [tech.email])
    assert "Technicien → Responsable" in told.body
    done = Operation.objects.get(changes__object_pk=tech.pk, kind="edit")
    line = text_of(desk.get("/history"))
    assert "Level of Théo Tech" in line
    assert "remplace Chloé" in line
    undo = reverse("admin:team_undo", args=[done.pk])
    assert undo in line
    page = desk.get(undo)
    assert "Manager → <strong>Technician</strong>" in text_of(page)
    assert now(tech).staff_level == "manager", "looking changes nothing"
    assert desk.post(undo).status_code == 302
    assert now(tech).staff_level == "technician"
    assert Operation.objects.get(undoes=done).kind == "edit"
    assert desk.post(undo).status_code == 409, "taken back once"
    assert undo not in text_of(desk.get("/history"))


def test_whoever_is_disabled_is_out_at_once_and_comes_back_with_nothing_open(desk, tech):
    theirs = sign_in_fully(Client(), tech)
    assert theirs.get("/support/").status_code == 200
    link = credentials.set_password_link(now(tech))
    assert desk.post(at(tech), {"do": "disable"}).status_code == 302
    assert theirs.get("/support/").url.startswith("/sign-in?")
    assert now(tech).sessions_epoch == tech.sessions_epoch + 1, (
        "with which every browser that is known ends, too"
    )
    letters.send_due()
    assert [sent.to for sent in mail.outbox] == [[tech.email]], "also to whoever is disabled"
    assert desk.post(at(tech), {"do": "show"}).status_code == 403
    assert desk.post(at(tech), {"do": "enable"}).status_code == 302
    assert theirs.get("/support/").url.startswith("/sign-in?"), "no session comes back to life"
    assert Client().get(link.partition("8000")[2]).status_code == 404
    assert [kind for kind, _reason in operations()] == ["edit", "edit"]
    assert desk.post(at(tech), {"do": "enable"}).status_code == 302
    assert len(operations()) == 2, "what is so already is no change"


def test_the_last_manager_stays_whichever_way_they_would_go(boss, tech):
    terminal = rights.terminal_actor()
    other = make_staff("deux@tic.example", staff_level="manager", disabled=True)
    for wanted in ({"level": "technician"}, {"level": "read_only"}, {"disabled": True}):
        with pytest.raises(team.TeamError) as refused:
            team.change(terminal, boss.pk, FACTS, **wanted)
        assert refused.value.why is team.LAST_MANAGER
    team.change(terminal, other.pk, FACTS, level="technician")
    team.change(terminal, tech.pk, FACTS, level="manager")
    assert team.change(terminal, boss.pk, FACTS, disabled=True)
    assert operations() == [("edit", "")] * 3


def test_nobody_changes_themselves_nor_takes_their_own_second_factor(desk, boss, tech):
    make_staff("deux@tic.example", staff_level="manager")
    page = desk.get(at(boss))
    assert page.status_code == 200
    assert 'name="do"' not in page.content.decode()
    for do in (
        {"do": "level", "level": "technician"},
        {"do": "disable"},
        {"do": "factor"},
        {"do": "show"},
        {"do": "mail"},
    ):
        assert desk.post(at(boss), do).status_code == 403, do
    with pytest.raises(road.RefusedError):
        access.take_factor(boss, None, [boss.pk], FACTS)
    assert operations() == []


@pytest.mark.parametrize("level", ["technician", "read_only"])
def test_the_others_read_the_team_and_change_nothing(tech, boss, level):
    reader = make_staff("autre@tic.example", staff_level=level)
    enrol(boss)
    theirs = sign_in_fully(Client(), reader)
    for url in (LIST, at(tech), at(boss)):
        assert theirs.get(url).status_code == 200
        assert 'name="do"' not in theirs.get(url).content.decode()
    assert theirs.post(LIST, NEW).status_code == 403
    for do in ("level", "disable", "enable", "factor", "show", "mail", "unblock", "nothing"):
        assert theirs.post(at(boss), {"do": do, "level": "read_only"}).status_code == 403
    for do in (
        lambda: team.invite(reader, FACTS, "x@tic.example"), lambda: team.change(reader, tech.pk, FACTS, level="manager"),
        lambda: access.take_factor(reader, None, [boss.pk], FACTS), lambda: access.show_link(reader, None, tech, FACTS),
        lambda: access.send_link(reader, None, tech, FACTS), lambda: access.unblock(reader, None, tech, FACTS),
    ):  # fmt: skip
        with pytest.raises(road.RefusedError):
            do()
    assert (operations(), Letter.objects.count()) == ([], 0)


def test_nobody_of_a_customer_reaches_the_team_and_no_customers_person_is_in_it(desk, felix, tech, amelie):
    theirs = sign_in_fully(Client(), felix)
    for url in (LIST, at(tech)):
        assert theirs.get(url).status_code == 403
    assert desk.get(at(amelie)).status_code == 404
    assert desk.post(at(amelie), {"do": "disable"}).status_code == 404
    with pytest.raises(road.RefusedError):
        team.change(felix, tech.pk, FACTS, disabled=True)
    assert (
        access.take_factor(now(User.objects.get(email="chef@tic.example")), None, [amelie.pk], FACTS) is None
    )
    with pytest.raises(team.TeamError):
        team.change(User.objects.get(email="chef@tic.example"), amelie.pk, FACTS, level="manager")


def test_all_of_it_takes_a_fresh_proof_and_looking_never_writes(desk, boss, tech):
    enrol(tech)
    for do in (
        lambda: team.invite(boss, NOT_PROVED, "x@tic.example"), lambda: team.change(boss, tech.pk, NOT_PROVED, level="manager"),
        lambda: team.change(boss, tech.pk, NOT_PROVED, disabled=True), lambda: access.take_factor(boss, None, [tech.pk], NOT_PROVED),
        lambda: access.send_link(boss, None, tech, NOT_PROVED), lambda: access.show_link(boss, None, tech, NOT_PROVED),
    ):  # fmt: skip
        with pytest.raises(ProofNeededError):
            do()
    for do in ("level", "disable", "factor", "show", "mail"):
        assert desk.get(at(tech), {"do": do, "level": "manager"}).status_code == 200
    session = desk.session
    session[credentials.PASSWORD_AT] = session["second_factor_at"] = 1
    session.save()
    asked = desk.post(at(tech), {"do": "disable"})
    assert asked.status_code == 403
    assert "who is in the support team" in text_of(asked)
    assert desk.post(LIST, NEW).status_code == 403
    assert (operations(), Letter.objects.count(), now(tech).is_active) == ([], 0, True)


# --- Helping in -----------------------------------------------------------------------------------------------------
def test_a_lost_second_factor_of_a_colleague_is_taken_away_with_its_codes_and_sessions(desk, tech):
    theirs = sign_in_fully(Client(), tech)
    renew_backup_codes(tech)
    assert "required, not set up" not in text_of(desk.get(at(tech)))
    assert desk.post(at(tech), {"do": "factor"}).status_code == 302
    assert not TotpDevice.objects.filter(user=tech).exists()
    assert not BackupCode.objects.filter(user=tech).exists()
    assert theirs.get("/support/").url.startswith("/sign-in?")
    page = text_of(desk.get(at(tech)))
    assert "required, not set up" in page
    assert "required, not set up" in text_of(desk.get(LIST))
    assert operations() == [("sign_in", "second_factor.taken")]
    assert Change.objects.get().subject_pk == tech.pk
    letters.send_due()
    assert "second facteur" in mail.outbox[0].subject


def test_a_new_link_is_shown_or_sent(desk, tech):
    shown = desk.post(at(tech), {"do": "show"})
    link = shown.context["link"]
    assert link in shown.content.decode()
    assert "no-store" in shown.headers["Cache-Control"]
    assert Client().get(link.partition("8000")[2], follow=True).status_code == 200
    assert desk.post(at(tech), {"do": "mail"}).status_code == 302
    assert Letter.objects.get().kind == Letter.Kind.PASSWORD
    assert [reason for _kind, reason in operations()] == ["link.shown", "link.sent"]


def test_the_pages_ask_as_many_questions_of_forty_as_of_two(desk, tech):
    def queries(url):
        with CaptureQueriesContext(connection) as found:
            assert desk.get(url).status_code == 200
        return len(found)

    few = [queries(LIST), queries(at(tech))]
    User.objects.bulk_create(
        User(email=f"s{n}@tic.example", is_staff=True, staff_level="technician", role_id="users")
        for n in range(40)
    )
    assert [queries(LIST), queries(at(tech))] == few
    assert max(few) <= 8


# --- Two at once ----------------------------------------------------------------------------------------------------
@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("wanted", [{"level": "technician"}, {"disabled": True}])
def test_two_managers_who_take_each_other_out_at_once_leave_one(wanted):
    one, two = (make_staff(f"{name}@tic.example", staff_level="manager") for name in ("un", "deux"))

    def against(actor, whom):
        def write():
            try:
                return bool(team.change(actor, whom.pk, FACTS, **wanted))
            except team.TeamError:
                return False

        return lambda: write

    assert sorted(race(against(one, two), against(two, one))) == [False, True]
    assert User.objects.filter(staff_level="manager", disabled=False).count() == 1
    assert Operation.objects.count() == 1


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_one_address_is_invited_once_however_many_do_it_at_once():
    one, two = (make_staff(f"{name}@tic.example", staff_level="manager") for name in ("un", "deux"))

    def inviting(actor, email):
        def write():
            try:
                return bool(team.invite(actor, FACTS, email))
            except credentials.EmailTakenError:
                return False

        return lambda: write

    assert sorted(race(inviting(one, "marc@tic.example"), inviting(two, "Marc@TIC.example"))) == [False, True]
    assert User.objects.filter(email__iexact="marc@tic.example").count() == 1


# --- At a terminal --------------------------------------------------------------------------------------------------
def told(capsys, *arguments) -> str:
    call_command("support_account", *arguments)
    return capsys.readouterr().out


def test_the_terminal_does_what_the_page_does(boss, tech, capsys):
    enrol(tech)
    lines = told(capsys, "list").splitlines()
    assert len(lines) == 2
    assert "tech@tic.example" in told(capsys, "list")
    told(capsys, "TECH@tic.example", "--level", "manager")
    assert now(tech).staff_level == "manager"
    told(capsys, "tech@tic.example", "--disable")
    assert (now(tech).is_active, now(tech).sessions_epoch) == (False, 1)
    told(capsys, "tech@tic.example", "--enable")
    told(capsys, "tech@tic.example", "--take-second-factor")
    assert not TotpDevice.objects.filter(user=tech).exists()
    link = told(capsys, "tech@tic.example", "--link").split()[-1]
    assert Client().get(link.partition("8000")[2], follow=True).status_code == 200
    assert [(each.actor_name, each.source) for each in Operation.objects.all()] == [
        ("terminal", "terminal")
    ] * 5
    assert set(Letter.objects.values_list("kind", flat=True)) == {"team", "factor"}


def test_the_link_at_a_terminal_is_at_the_address_where_run_has_the_portal(
    db, capsys, settings, tmp_path, monkeypatch
):
    settings.VAR_DIR = tmp_path
    (tmp_path / "run").mkdir()
    monkeypatch.delenv("PUBLIC_URL", raising=False)
    with launcher.only_one(tmp_path / "run", "http://127.0.0.1:8123"):
        assert told(capsys, "un@tic.example").split()[-1].startswith("http://127.0.0.1:8123/set-password/")
        assert (
            told(capsys, "un@tic.example", "--link")
            .split()[-1]
            .startswith("http://127.0.0.1:8123/set-password/")
        )
    settings.PUBLIC_URL = "https://portal.example"
    assert (
        told(capsys, "un@tic.example", "--link")
        .split()[-1]
        .startswith("https://portal.example/set-password/")
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ["chef@tic.example", "--disable"], ["chef@tic.example", "--level", "technician"], ["tech@tic.example"],
        ["tech@tic.example", "--take-second-factor"], ["nobody@tic.example", "--disable"], ["nobody@tic.example", "--link"],
        ["101@boreale.example.com", "--disable"], ["list", "--disable"], ["gone@tic.example", "--link"],
    ],
)  # fmt: skip
def test_the_terminal_refuses_in_one_line_and_writes_nothing(boss, tech, boreale, arguments):
    make_user(boreale, "101")
    make_staff("gone@tic.example", disabled=True)
    before = Operation.objects.count()
    with pytest.raises(CommandError) as refused:
        call_command("support_account", *arguments)
    assert len(str(refused.value).splitlines()) == 1
    assert Operation.objects.count() == before
    assert User.objects.filter(is_staff=True, disabled=False).count() == 2
