"""Two makes of phone side by side: whose names mean what, what each is told, and what a page shows of it."""

from typing import Any

import pytest
from django.test import Client

from pbxadmin.common.columns import Scope
from pbxadmin.common.values.configtext import MASK
from phones import services, vendors
from phones.models import Phone
from phones.push import worker
from phones.push.tests.steps import place
from phones.serving import provisioning
from phones.settings.form import settings_form
from phones.tests import factories
from phones.tests.desk import Desk
from phones.tests.factories import FACTS, again, fetch, fetched, make_phone, rename
from phones.tests.nordet import NORDET
from signin.tests.signing import sign_in_fully
from users.mail import links
from users.models import Customer, User

pytestmark = pytest.mark.django_db

MAC = "0c1122334455"
AGENT = f"FileTransport Nordet-N20-UA/6.4.3 (SN:{MAC})"
OWN = f"{MAC}-own.xml"
PAGES = f"/c/boreale/users/103/phones/{MAC}"


@pytest.fixture(autouse=True)
def _second_make(monkeypatch: pytest.MonkeyPatch) -> None:
    """The register with one more vendor."""
    monkeypatch.setattr(vendors, "VENDORS", dict(vendors.VENDORS))
    monkeypatch.setattr(vendors, "_MODELS", dict(vendors._MODELS))
    vendors.register(NORDET)


@pytest.fixture
def nordet(boreale: Customer, ines: User) -> Phone:
    """Inès's N20, which hasn't fetched yet."""
    return make_phone(boreale, ines, MAC, "nordet-n20")


@pytest.fixture
def owner(felix: User) -> Client:
    """Félix, signed in."""
    return sign_in_fully(Client(), felix)


def ask(phone: Phone, name: str) -> Any:
    return fetch(phone, name, **{"User-Agent": AGENT})


def test_it_keeps_the_contract() -> None:
    assert isinstance(NORDET, vendors.Vendor)


# --- What it fetches ---
def test_a_name_means_what_the_make_of_the_asking_phone_means_by_it(phone: Phone, nordet: Phone) -> None:
    answer = ask(nordet, f"{MAC}.cfg")
    assert (answer.status_code, answer.content.decode()) == (200, f'<files own="{OWN}"/>\n')
    assert answer.headers["Content-Type"] == "text/xml; charset=utf-8"
    assert ask(nordet, "000000000000.cfg").content == answer.content
    assert again(nordet).fetched_at is None, "a list of files acknowledges nothing"
    assert fetch(phone).content.startswith(b"#!version:1.0.0.1\n")
    for name in ("000000000000.cfg", f"{phone.mac}-own.xml"):
        assert fetch(phone, name).status_code == 404
    for name in ("y000000000000.boot", f"{MAC}.boot", "y000000000096.cfg", f"{phone.mac}.cfg"):
        assert ask(nordet, name).status_code == 404


def test_its_own_file_is_the_acknowledgement_and_costs_one_read_and_one_write(
    nordet: Phone, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(2):
        answer = ask(nordet, OWN)
    assert answer.status_code == 200
    assert 'number="103"' in answer.content.decode()
    held = again(nordet)
    assert held.fetched_at
    assert held.stale_since is None
    assert (held.firmware, held.seen_model, held.fetched_model) == ("6.4.3", "nordet-n20", "nordet-n20")


def test_what_it_asks_at_every_start_blocks_no_site(nordet: Phone) -> None:
    for _start in range(40):
        assert ask(nordet, f"{MAC}.cfg").status_code == 200
        assert ask(nordet, f"{MAC}-phone.cfg").status_code == 404
        assert ask(nordet, f"{MAC}-license.cfg").status_code == 404
    assert not provisioning.is_blocked("127.0.0.1")


def test_another_phones_name_is_the_same_404_as_an_unknown_one_and_counts(
    nordet: Phone, django_assert_num_queries: Any
) -> None:
    answers = []
    for name in ("0c1122334456-own.xml", "no-such-name"):
        with django_assert_num_queries(1):
            answer = ask(nordet, name)
        answers.append((answer.status_code, answer.content, sorted(answer.items())))
    with django_assert_num_queries(1):
        unknown = Client(headers={"User-Agent": AGENT}).get(f"/p/{'x' * 32}/{OWN}")
    assert answers == [(unknown.status_code, unknown.content, sorted(unknown.items()))] * 2
    for _try in range(60):
        ask(nordet, "0c1122334456-own.xml")
    assert provisioning.is_blocked("127.0.0.1")


def test_a_redirection_sends_each_make_on_by_its_own_names(
    boreale: Customer, felix: User, ines: User, nordet: Phone
) -> None:
    yealink = make_phone(boreale, ines)
    key = links.reveal(felix, boreale, ines, links.Kind.RPS, FACTS)
    for phone, name, status in (
        (nordet, f"{MAC}.cfg", 302),
        (nordet, OWN, 302),
        (nordet, f"{MAC}-phone.cfg", 404),
        (yealink, f"{yealink.mac}.cfg", 302),
        (yealink, f"{yealink.mac}.boot", 404),
    ):
        answer = Client().get(f"/r/{key.token}/{name}")
        assert answer.status_code == status, name
        if status == 302:
            assert answer.headers["Location"].endswith(f"/p/{phone.token}/{name}")


# --- What it is told ---
def test_a_change_is_told_in_its_own_words(nordet: Phone, ines: User) -> None:
    assert ask(nordet, OWN).status_code == 200
    with Desk() as desk:
        place(nordet, desk)
        rename(ines, "Agnès")
        assert worker.push([nordet.pk]) == 1
        assert desk.events == ["resync"]
    assert 'label="103 Agnès"' in ask(nordet, OWN).content.decode()


def test_a_restart_that_its_make_doesnt_know_is_refused_in_words_and_not_offered(
    nordet: Phone, phone: Phone, owner: Client
) -> None:
    ask(nordet, OWN)
    refusal = services.phone_command(factories.provider(), again(nordet), Phone.Command.RESTART, FACTS)
    assert "Nordet N20" in refusal
    assert again(nordet).command_at is None
    assert services.phone_command(factories.provider(), again(nordet), Phone.Command.RESYNC, FACTS) == ""
    page = owner.get("/c/boreale/users/103/phone").content.decode()
    assert 'value="resync"' in page
    assert 'value="restart"' not in page
    assert 'value="restart"' in owner.get("/c/boreale/users/101/phone").content.decode()


# --- What a page shows ---
def test_the_tab_offers_what_its_model_has_in_the_neutral_words(
    nordet: Phone, owner: Client, boreale: Customer
) -> None:
    page = owner.get("/c/boreale/users/103/phone").content.decode()
    assert "Nordet N20" in page
    assert "<code>Nordet</code>" in page
    form = settings_form(Scope(nordet.user, boreale), nordet)
    assert not {"transfer_mode", "screensaver_seconds", "logo", "sidecars"} & form.fields.keys()
    assert ("ring10", "Ring 10") in form.fields["ringtone"].choices
    services.phone_change(factories.provider(), boreale, nordet, {"ringtone": "ring10"}, FACTS)
    assert 'ring="10"' in ask(nordet, OWN).content.decode()


def test_its_file_is_shown_under_its_own_name_line_by_line_without_a_secret(
    nordet: Phone, owner: Client
) -> None:
    ask(nordet, OWN)
    rename(nordet.user, "Agnès")
    shown = services.file_for_page(again(nordet))
    assert shown.name == OWN
    assert [(line.sign, line.text) for line in shown.lines if line.sign != " "] == [
        ("-", 'label="103 Inès"'),
        ("+", 'label="103 Agnès"'),
    ]
    text = owner.get(f"{PAGES}/file").content.decode()
    assert OWN in text
    assert text.count(MASK) == 4
    for secret in (nordet.token, nordet.web_password, nordet.user.sip_password):
        assert secret not in text


def test_its_link_is_what_people_type_into_it(nordet: Phone, phone: Phone) -> None:
    typed = services.reveal_secret(factories.provider(), nordet, "link", FACTS)
    assert "://" not in typed
    assert typed.endswith(f"/p/{nordet.token}/")
    assert "://" in services.reveal_secret(factories.provider(), phone, "link", FACTS)


# --- From one make to the other ---
def test_a_phone_that_becomes_another_make_shows_no_secret_of_its_old_file(
    boreale: Customer, amelie: User, phone: Phone
) -> None:
    services.phone_change(factories.provider(), boreale, phone, {"ringtone": "splash"}, FACTS)
    fetched(phone)
    plan = services.phone_change(factories.provider(), boreale, phone, {"model": "nordet-n20"}, FACTS)
    assert again(phone).ringtone == "ring1"
    assert any("Splash" in str(warning) for warning in plan.rows[0].warnings["ringtone"])
    shown = services.file_for_page(again(phone))
    told = "\n".join(line.text for line in shown.lines)
    assert "account.1.user_name = 101" in told
    assert 'number="101"' in told
    for secret in (phone.token, phone.web_password, amelie.sip_password):
        assert secret not in told
