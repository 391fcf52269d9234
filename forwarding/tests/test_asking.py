"""Asking the simulator as people do: numbers as the portal shows them, names, another status, what isn't saved yet."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.test import Client
from django.utils import translation

from forwarding.models import ForwardingRule
from forwarding.simulator import Question, State, ask
from forwarding.tabs.rules import RULE_COLUMNS
from forwarding.tests.road import change, values
from forwarding.whom import SeveralMeantError, number_meant
from pbxadmin.common.fields import phone_number_national
from pbxadmin.common.values.statuses import Status
from phones.models import Phone
from phones.tests.factories import make_phone
from signin.tests.signing import sign_in_fully
from users.models import Did, SystemExtension, User
from users.tests.factories import make_user

pytestmark = pytest.mark.slow("opens page after page")

TUESDAY = datetime(2026, 11, 24, 9, 30, tzinfo=ZoneInfo("America/Toronto"))
CLIENT = "+14185550199"


def titles(customer, to, caller=CLIENT, **settings) -> list[str]:
    with translation.override("en"):
        return [step.title for step in ask(customer, Question(to, caller, TUESDAY, **settings)).steps]


def reasons(customer, to, caller=CLIENT, **settings) -> str:
    with translation.override("en"):
        return " | ".join(
            step.reason for step in ask(customer, Question(to, caller, TUESDAY, **settings)).steps
        )


def meant(customer, text) -> str:
    return number_meant(customer, text, User.objects.of(customer))


@pytest.fixture
def olivier(boreale):
    return make_user(boreale, "107", "Olivier", "Côté-D’Amours", mobile="438 555-0145")


# --- Who is meant ------------------------------------------------------------------------------------------------
SPELLINGS = (
    "{national}", "{national} ", "({area}) {rest}", "{area}-{rest}", "{area}.{rest}", "+1 {national}", "1 {national}", "+1{digits}",
    "{digits}", "{area}\N{NO-BREAK SPACE}{rest}", "{area} {first}\N{NON-BREAKING HYPHEN}{last}", "{area} {first}\N{EN DASH}{last}",
    "{national} Accueil",
)  # fmt: skip


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("caller", ["", "101"], ids=["from outside", "from a colleague"])
def test_a_number_is_read_however_the_portal_or_a_person_writes_it(
    boreale, felix, amelie, olivier, spelling, caller
):
    did = Did.objects.of(boreale).first()
    change(felix, olivier, dids=[did.pk])
    national = phone_number_national(did.number)
    area, rest = national[:3], national[4:]
    typed = spelling.format(
        national=national,
        area=area,
        rest=rest,
        first=rest[:3],
        last=rest[-4:],
        digits=did.number.removeprefix("+1"),
    )
    page = (
        sign_in_fully(Client(), felix)
        .get("/c/boreale/simulator", {"to": typed, "caller": caller})
        .content.decode()
    )
    assert "107 Olivier" in page
    assert "field-error" not in page


@pytest.mark.parametrize(
    "typed", ["107", " 107 ", "1 0 7", "107 Olivier Côté-D’Amours", "olivier", "OLIVIER", "d'amours", "cote damours", "Olivier Côté-D'Amours"]
)  # fmt: skip
def test_a_person_is_meant_by_extension_or_by_name(boreale, amelie, olivier, typed):
    assert meant(boreale, typed) == "107"


def test_a_ring_group_is_meant_by_its_name(boreale):
    SystemExtension.objects.create(customer=boreale, number="801", name="Réception", kind="ring_group")
    assert meant(boreale, "reception") == "801"


def test_where_several_are_called_so_each_is_offered_with_a_link(boreale, felix, amelie, olivier):
    make_user(boreale, "108", "Olivier", "Roy")
    with pytest.raises(SeveralMeantError) as several:
        meant(boreale, "olivier")
    assert [number for number, _words in several.value.offered] == ["107", "108"]
    assert meant(boreale, "Olivier Roy") == "108"
    client = sign_in_fully(Client(), felix)
    for name in ("to", "caller"):
        asked = {"to": "101", "caller": "", "status": "lunch"} | {name: "olivier"}
        page = client.get("/c/boreale/simulator", asked).content.decode()
        assert "108 Olivier Roy</a>" in page
        assert f"{name}=108" in page
        assert "status=lunch" in page


def test_a_name_that_nobody_has_says_what_may_be_typed(boreale):
    with translation.override("en"), pytest.raises(ValidationError, match="514 555-0123"):
        meant(boreale, "Rodrigue")


def test_nobody_is_found_by_name_who_is_not_to_be_seen(boreale, laurier, felix, amelie):
    make_user(laurier, "201", "Olivier", "Ailleurs")
    page = sign_in_fully(Client(), felix).get("/c/boreale/simulator", {"to": "olivier"}).content.decode()
    assert "Ailleurs" not in page
    assert "field-error" in page


def test_the_command_takes_names_and_spellings_too(boreale, olivier, capsys):
    call_command("simulate_call", "boreale", "olivier", "--from", "(418) 555-0199", "--language", "en")
    assert "107 Olivier" in capsys.readouterr().out


# --- What is true ------------------------------------------------------------------------------------------------
def test_a_phone_that_has_never_been_connected_does_not_ring_and_that_is_said(boreale, felix, olivier):
    phone = make_phone(boreale, olivier)
    Phone.objects.filter(pk=phone.pk).update(fetched_at=None)
    assert titles(boreale, "107")[-1] == "Voicemail of 107"
    assert "never connected" in reasons(boreale, "107")
    Phone.objects.filter(pk=phone.pk).update(fetched_at=TUESDAY)
    assert titles(boreale, "107")[1].startswith("107 rings")
    assert "never connected" not in reasons(boreale, "107")


def test_a_call_to_a_number_that_rings_nobody_says_what_the_caller_hears(boreale):
    did = Did.objects.of(boreale).first()
    assert titles(boreale, did.number)[1:] == ["The caller hears the busy tone"]


def test_a_ring_group_says_whom_it_rings_and_whom_it_leaves_out_and_why(boreale, felix, amelie, olivier):
    group = SystemExtension.objects.create(customer=boreale, number="801", name="Accueil", kind="ring_group")
    assert titles(boreale, "801")[-1] == "The group rings nobody"
    group.members.add(amelie, felix, olivier)
    change(felix, amelie, status="away")
    change(felix, felix, available__accept_ring_group_calls=False)
    said = titles(boreale, "801")
    assert said[1] == f"The group rings 107 {olivier.full_name}"
    assert [title.partition("ring ")[2][:3] for title in said[2:]] == ["101", "102"]
    assert "Status Away, calls from ring groups not accepted" in reasons(boreale, "801")
    change(felix, amelie, away__accept_ring_group_calls=True)
    assert "101 Amélie" in titles(boreale, "801")[1]


def test_of_members_whom_the_reader_may_not_see_nothing_is_told(boreale, felix, amelie, olivier):
    group = SystemExtension.objects.create(customer=boreale, number="801", name="Accueil", kind="ring_group")
    group.members.add(amelie, olivier)
    with translation.override("en"):
        steps = ask(boreale, Question("801", CLIENT, TUESDAY), lambda extension: extension == "107").steps
    assert [step.icon for step in steps] == ["users", "ring", "lock"]
    assert "Status" not in steps[-1].reason


# --- What is supposed --------------------------------------------------------------------------------------------
@pytest.mark.parametrize("status", Status)
def test_another_status_than_the_present_one_can_be_asked_about(boreale, felix, olivier, status):
    change(felix, olivier, auto_switch_status=True)
    for each in Status:
        column = "no_answer_external" if each.rings else "divert_external"
        change(
            felix, olivier, **{f"{each}__{column}": "extension:102?voicemail" if each is status else "busy"}
        )
    assert titles(boreale, "107", status=status)[-1] == "Voicemail of 102"


def typed(person, **changed) -> dict[str, str]:
    """The form of the tab as a browser sends it."""
    data = {"seen": str(person.version), "_shown": "lunch"}
    for column in RULE_COLUMNS:
        value = values(person, column.name)[0]
        if value is not False and value is not None:
            data[column.name] = "on" if value is True else str(value)
    return data | {name.replace("__", "."): value for name, value in changed.items()}


@pytest.mark.parametrize("htmx", [True, False], ids=["by htmx", "without scripts"])
def test_the_tab_answers_with_what_stands_in_the_form_and_saves_nothing(
    boreale, felix, amelie, olivier, htmx
):
    client = sign_in_fully(Client(), felix)
    url = "/c/boreale/users/107/forwarding"
    data = typed(
        olivier,
        lunch__no_answer_external="extension:102?voicemail",
        _ask_status="shown",
        _ask_caller="(418) 555-0199",
    )
    sent = client.post(f"{url}?ask=1", data, headers={"hx-request": "true"} if htmx else {})
    page = sent.content.decode()
    assert sent.status_code == 200
    assert "Lunch" in page
    assert "oîte vocale de 102" in page or "essagerie vocale de 102" in page
    assert ("<html" in page) is not htmx
    if not htmx:
        assert 'value="(418) 555-0199"' in page
    assert str(ForwardingRule.objects.get(user=olivier, status="lunch").no_answer_external) == "voicemail"
    assert User.objects.get(pk=olivier.pk).version == olivier.version


def test_a_destination_that_is_yet_to_be_typed_is_asked_for_and_not_called_an_error(boreale, felix, olivier):
    data = typed(olivier, _ask_status="shown") | {
        "lunch.no_answer_external": "external",
        "lunch.no_answer_external.external": "",
    }
    page = (
        sign_in_fully(Client(), felix)
        .post("/c/boreale/users/107/forwarding?ask=1", data, headers={"hx-request": "true"})
        .content.decode()
    )
    assert "Le trajet s’affichera une fois ceci réglé" in page
    assert "field-error" not in page


def test_what_would_be_refused_is_said_instead_of_a_path(boreale, felix, olivier):
    data = typed(olivier, lunch__no_answer_external="extension:199", _ask_status="shown")
    page = (
        sign_in_fully(Client(), felix)
        .post("/c/boreale/users/107/forwarding?ask=1", data, headers={"hx-request": "true"})
        .content.decode()
    )
    assert "199" in page
    assert "field-error" in page


def test_only_whoever_may_change_somebody_asks_with_what_is_typed(boreale, felix, amelie, olivier, laurier):
    data = typed(olivier)
    assert (
        sign_in_fully(Client(), amelie).post("/c/boreale/users/107/forwarding?ask=1", data).status_code == 403
    )
    stranger = make_user(laurier, "201", role="system_owners")
    assert (
        sign_in_fully(Client(), stranger).post("/c/boreale/users/107/forwarding?ask=1", data).status_code
        == 404
    )


def test_the_page_offers_every_status_and_the_tab_the_one_that_is_looked_at(boreale, felix, olivier):
    client = sign_in_fully(Client(), felix)
    page = client.get("/c/boreale/simulator?to=107&status=lunch").content.decode()
    assert '<option value="lunch" selected>' in page
    tab = client.get("/c/boreale/users/107/forwarding").content.decode()
    assert '<option value="shown" selected>' in tab
    assert 'name="_ask_status" form="tab"' in tab.replace("\n", " ").replace("    ", " ")
    assert State.NO_ANSWER in tab
