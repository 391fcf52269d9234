"""The softphone at a terminal: it registers as somebody, prints who calls and what it hears, and does what is typed."""

import os
import pty
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.core.management import CommandError, call_command

from asterisk.engine.ports import UDP_AND_TCP, free_port, is_free
from asterisk.management.commands.softphone import account_of, person_of
from asterisk.softphone.hearing import Heard
from asterisk.softphone.phone import Account
from asterisk.softphone.terminal import RefusedError, Terminal, in_words, printable
from asterisk.tests.engine import Portal, manage
from asterisk.tests.fixed import DOMAIN, FixedAsterisk
from asterisk.tests.phones import Phone, Phones
from pbxadmin.run.calls import PROVIDER
from phones.tests.processes import wait_until
from users.models import Customer, User
from users.tests.factories import make_user

OPTIONS = {"transport": "", "server": "", "tone": 440, "behaviour": None}


def test_it_registers_with_the_credentials_of_whom_it_is(amelie):
    account = account_of(person_of("101", "boreale"), OPTIONS)
    assert (account.number, account.domain) == ("101", amelie.customer.fqdn)
    assert (account.auth_id, account.password) == (amelie.sip_auth_id, amelie.sip_password)
    assert (account.server, account.transport) == (("127.0.0.1", 5060), "udp")
    assert amelie.sip_password not in repr(account)


def test_it_encrypts_where_its_person_has_to(amelie):
    User.objects.filter(pk=amelie.pk).update(srtp="enforced")
    account = account_of(person_of("101", "boreale"), OPTIONS)
    assert (account.transport, account.srtp, account.server) == ("tls", "mandatory", ("127.0.0.1", 5061))


@pytest.mark.parametrize(
    ("server", "expected"),
    [("pbx.example", ("pbx.example", 5060)), ("127.0.0.1:5080", ("127.0.0.1", 5080))],
    ids=["name", "port"],
)
def test_it_registers_where_it_is_told(amelie, server, expected):
    account = account_of(person_of("101", "boreale"), OPTIONS | {"server": server})
    assert account.server == expected
    assert account.address == ("127.0.0.1" if ":" in server else "")


def test_an_extension_of_several_customers_needs_the_customer(amelie, laurier):
    make_user(laurier, "101", "Rose", "Laurier")
    with pytest.raises(CommandError, match="--customer: boreale, laurier"):
        person_of("101", "")
    assert person_of("101", "laurier").customer == laurier
    with pytest.raises(CommandError, match="no extension 999 at boreale"):
        person_of("999", "boreale")


def test_nobody_behind_the_address_is_one_line(amelie):
    with pytest.raises(
        CommandError, match=r"Nobody answers at 127.0.0.1:\d+ \(tcp\): does the phone system run"
    ) as told:
        call_command(
            "softphone",
            "101",
            "--transport",
            "tcp",
            "--server",
            f"127.0.0.1:{free_port()}",
            stdout=StringIO(),
        )
    assert "\n" not in str(told.value)


def test_without_pjsua_it_says_how_to_install_it(amelie, monkeypatch):
    monkeypatch.setattr("asterisk.management.commands.softphone.installed", lambda: False)
    with pytest.raises(CommandError, match="pip install 'pjsua2-python==") as told:
        call_command("softphone", "101")
    assert "\n" not in str(told.value)
    wanted = Path(__file__).parents[2].joinpath("requirements-calls.txt").read_text()
    assert str(told.value).partition("'")[2].partition("'")[0] in wanted


def test_what_was_heard_in_words():
    heard = [Heard("ringback", 2.0), Heard("silence", 0.1), Heard(700, 1.2), Heard("speech", 0.8)]
    assert in_words(heard) == "heard ringback for 2.0 s, 700 Hz for 1.2 s, speech for 0.8 s"
    assert in_words([]) == "heard nothing"


def test_a_phone_that_is_let_in_again_says_so_once():
    lines: list[str] = []
    seen = SimpleNamespace(phone=SimpleNamespace(registrations=[]), say=lines.append)
    for code in (200, 200, 408, 408, 200, 200):
        seen.phone.registrations.append((code, "Timeout"))
        Terminal._on_registration(seen, {"code": code, "reason": "Timeout"}, None)
    tried = "registration: 408 Timeout; tried again"
    assert lines == [tried, tried, "registered again"]


def test_a_callers_name_moves_no_cursor():
    assert printable("A\x1b[2Jé") == "A\\x1b[2Jé"


@pytest.fixture
def felix_calls(phone_store: Phones, fixed: FixedAsterisk) -> Iterator[Phone]:
    """A phone of another person."""
    phone_store.server = fixed.sip
    yield phone_store.phone("102", DOMAIN, "auth102", "secret", tone=700, answer="after 0.3")
    phone_store.release()


class Lines(list[str]):
    """What it printed."""

    def wait_for(self, text: str) -> str:
        wait_until(lambda: any(text in line for line in list(self)), 6, f"{text} in {list(self)}")
        return next(line for line in self if text in line)


@contextmanager
def sitting(fixed: FixedAsterisk, folder: Path, **facts: object) -> Iterator[tuple[Terminal, Lines]]:
    """Somebody sits before the phone of 101."""
    account = {
        "number": "101",
        "domain": DOMAIN,
        "auth_id": "auth101",
        "password": "secret",
        "answer": "ring",
    } | facts
    lines = Lines()
    terminal = Terminal(Account(server=fixed.sip, **account), folder, lines.append)
    try:
        terminal.begin()
        yield terminal, lines
    finally:
        terminal.end()


@pytest.mark.calls
def test_who_calls_and_what_is_heard_is_printed(fixed, felix_calls, tmp_path):
    with sitting(fixed, tmp_path) as (terminal, lines):
        lines.wait_for(f"101@{DOMAIN} is registered")
        call = felix_calls.call("101")
        lines.wait_for("102 calls")
        assert terminal.typed("a\n")
        assert call.hears(440)
        call.dtmf("5")
        lines.wait_for("key 5 from 102")
        call.hangup()
        lines.wait_for("the call with 102 has ended after")
        assert "700 Hz for" in lines.wait_for("heard")
    assert lines[-1].endswith("unregistered")


@pytest.mark.calls
def test_somebody_calls_presses_keys_holds_and_hangs_up(fixed, felix_calls, tmp_path):
    with sitting(fixed, tmp_path) as (terminal, lines):
        terminal.typed("h")
        lines.wait_for("there is no call")
        terminal.typed("1 0-2")
        lines.wait_for("calls 102")
        lines.wait_for("it rings there")
        lines.wait_for("answered (102)")
        heard = felix_calls.incoming()
        assert heard.hears(440)
        terminal.typed("42#")
        assert heard.digits_within("42#", 5)
        terminal.typed("o")
        lines.wait_for("on hold")
        terminal.typed("o")
        lines.wait_for("taken back")
        terminal.typed("h")
        assert heard.ended_within(3)
        terminal.typed("dance")
        lines.wait_for("a number calls it")
        assert not terminal.typed("q")


@pytest.mark.calls
def test_a_call_that_fails_says_why(fixed, felix_calls, tmp_path):
    felix_calls.answers("busy")
    with sitting(fixed, tmp_path) as (terminal, lines):
        terminal.typed("102")
        lines.wait_for("the call with 102 has ended without an answer: 486 Busy Here")


@pytest.mark.calls
def test_whoever_is_not_let_in_is_told(fixed, tmp_path):
    with (
        pytest.raises(RefusedError, match=r"doesn't let 101@\S+ in: 401"),
        sitting(fixed, tmp_path, password="wrong"),
    ):
        pass


@pytest.mark.calls
@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_the_command_answers_calls_and_leaves_nothing_behind(
    fixed, felix_calls, portal, boreale, amelie, end, transactional_db
):
    Customer.objects.filter(pk=boreale.pk).update(fqdn=DOMAIN)
    amelie.sip_auth_id, amelie.sip_password = "auth101", "secret"
    amelie.save()
    server = f"127.0.0.1:{fixed.values['SIP_PORT']}"
    process = softphone(
        portal, "101", "--customer", "boreale", "--answer", "0", "--tone", "900", "--server", server
    )
    with portal_log(portal) as said:
        wait_until(lambda: "is registered with" in said(), 15, "it registers")
        assert felix_calls.call("101").hears(900)
        assert b"secret" not in Path(f"/proc/{process.pid}/cmdline").read_bytes()
        process.send_signal(end)
        assert process.wait(10) == 0
        assert said().rstrip().endswith("unregistered")
    assert f"101@{DOMAIN}" not in fixed.cli("pjsip show contacts")


def softphone(portal: Portal, *arguments: str) -> subprocess.Popen[bytes]:
    return portal.start(*manage("softphone", *arguments), name="softphone")


@contextmanager
def portal_log(portal: Portal) -> Iterator[object]:
    path = portal.folder / "softphone.log"
    begin = 0
    yield lambda: path.read_text()[begin:] if path.exists() else ""
    path.unlink()


@pytest.mark.calls
def test_at_a_terminal_it_takes_what_is_typed(fixed, felix_calls, portal, boreale, amelie, transactional_db):
    Customer.objects.filter(pk=boreale.pk).update(fqdn=DOMAIN)
    amelie.sip_auth_id, amelie.sip_password = "auth101", "secret"
    amelie.save()
    ours, theirs = pty.openpty()
    command = manage(
        "softphone",
        "101",
        "--customer",
        "boreale",
        "--server",
        f"127.0.0.1:{fixed.values['SIP_PORT']}",
        "--call",
        "102",
    )
    process = subprocess.Popen(
        command, env=portal.environment, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    try:
        assert felix_calls.incoming(within=15).hears(440)
        os.write(ours, b"h\nq\n")
        said, _nothing = process.communicate(timeout=10)
    finally:
        process.kill()
        os.close(ours)
        os.close(theirs)
    assert process.returncode == 0
    assert b"700 Hz" in said
    assert said.rstrip().endswith(b"unregistered")


@pytest.mark.calls
def test_somebody_outside_calls_everybody_outside(portal, transactional_db):
    """Without any phone system: one speaks to the other where the demo's SIP trunk leads."""
    address, port = PROVIDER
    if not is_free(port, UDP_AND_TCP, address):
        pytest.skip("a ./run --calls of this machine has it")
    softphone(portal, "--provider", "--tone", "900")
    with portal_log(portal) as said:
        wait_until(lambda: "any number" in said(), 15, "it is there")
        softphone(
            portal, "--outside", "514 555-0177", "--call", "514 555-0110", "--server", f"{address}:{port}"
        )
        wait_until(
            lambda: "5145550177 calls 5145550110" in said() and said().count("answered") == 2,
            15,
            "both have answered",
        )


def test_it_is_told_whose_phone_it_is(db):
    for arguments in ([], ["101", "--provider"], ["101", "--outside", "5145550177"]):
        with pytest.raises(CommandError, match="Whose phone"):
            call_command("softphone", *arguments)
