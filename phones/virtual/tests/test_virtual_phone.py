"""The virtual phone against a loopback web server and SIP written by hand, without the portal."""

import hashlib
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phones.virtual import VirtualPhone
from phones.virtual.firmware import Identity, read_config
from phones.virtual.sip import SipSide

pytestmark = pytest.mark.slow("starts phones and waits for them")

MAC = "805ec0d57d72"
OWN, COMMON = f"{MAC}.cfg", "y000000000096.cfg"
BOOTS = ["y000000000000.boot", f"{MAC}.boot"]


class Portal:
    """A web server that gives the files it holds, with an ETag each, and remembers what it was asked."""

    def __init__(self) -> None:
        self.files: dict[str, str] = {}
        self.asked: list[tuple[str, str, str]] = []
        self.refuse_with = 0
        portal = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                seen = self.headers.get("If-None-Match", "")
                portal.asked.append((self.path, self.headers["User-Agent"], seen))
                body = portal.files.get(self.path, "").encode()
                tag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
                status = portal.refuse_with or (404 if not body else 304 if seen == tag else 200)
                self.send_response(status)
                if status == 200:
                    self.send_header("ETag", tag)
                    self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if status == 200:
                    self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/p/token-of-this-device/"

    def put(self, name: str, *lines: str, folder: str = "/p/token-of-this-device/") -> None:
        self.files[folder + name] = "\n".join(["#!version:1.0.0.1", *lines, ""])

    def paths(self) -> list[str]:
        return [path.rpartition("/")[2] for path, _, _ in self.asked]


@pytest.fixture
def portal() -> Iterator[Portal]:
    portal = Portal()
    thread = threading.Thread(target=portal.server.serve_forever, args=(0.05,))
    thread.start()
    yield portal
    portal.server.shutdown()
    portal.server.server_close()
    thread.join()


@contextmanager
def switched_on(url: str, **options: object) -> Iterator[VirtualPhone]:
    options = {"restart_seconds": 0.05, "first_wait": 0.05, **options}
    with VirtualPhone(MAC, url, **options) as phone:
        yield phone


@pytest.fixture
def phone(portal: Portal) -> Iterator[VirtualPhone]:
    """A phone that has fetched a first configuration with which only reboot=true restarts it."""
    portal.put(OWN, "account.1.display_name = Amélie Tremblay", "sip.notify_reboot_enable = 0")
    with switched_on(portal.url) as phone:
        phone.wait_for(lambda it: it.rounds == 1)
        yield phone


def notify(
    event: str = "check-sync;reboot=false", *extra: str, method: str = "NOTIFY", cseq: int = 1, **over: str
) -> bytes:
    """One SIP request, written by hand."""
    lines = [
        f"{method} sip:101@127.0.0.1 SIP/2.0",
        f"Via: SIP/2.0/{over.get('transport', 'UDP')} 127.0.0.1:5099;rport;branch=z9hG4bK-{cseq}",
        "Max-Forwards: 70",
        "From: <sip:portal@127.0.0.1>;tag=abc",
        f"To: {over.get('to', '<sip:101@127.0.0.1>')}",
        "Call-ID: one-call@127.0.0.1",
        f"CSeq: {cseq} {method}",
        *([f"Event: {event}"] if event else []),
        "Subscription-State: terminated",
        *extra,
        "Content-Length: 0",
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


@contextmanager
def datagrams(phone: VirtualPhone) -> Iterator[Callable[..., str]]:
    """Sends a datagram to the phone and gives the answer as text ("" for none within `seconds`)."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        line.connect(("127.0.0.1", phone.sip_port))

        def ask(data: bytes, seconds: float = 5.0) -> str:
            line.settimeout(seconds)
            line.send(data)
            try:
                return line.recv(65_000).decode()
            except TimeoutError:
                return ""

        yield ask


def header(answer: str, name: str) -> str:
    found = re.search(rf"^{name}: (.*?)\r$", answer, re.MULTILINE)
    return found[1] if found else ""


# --- Fetching ---


def test_without_a_boot_file_it_asks_for_boot_files_then_the_common_then_its_own(portal: Portal) -> None:
    portal.put(COMMON, "lang.gui = French")
    portal.put(OWN, "account.1.display_name = Amélie Tremblay", "lang.gui = English")
    with switched_on(portal.url) as phone:
        phone.wait_for(lambda it: it.rounds == 1)
        assert portal.paths() == [*BOOTS, COMMON, OWN]
        assert [request.status for request in phone.requests] == [404, 404, 200, 200]
        assert {agent for _, agent, _ in portal.asked} == {"Yealink SIP-T54W 96.86.0.45 80:5e:c0:d5:7d:72"}
        assert phone.config == {"account.1.display_name": "Amélie Tremblay", "lang.gui": "English"}
        assert phone.lines[-1].endswith(f"GET {OWN} 200 (2 settings) display name: Amélie Tremblay")


def test_a_boot_file_says_which_files_are_fetched_and_in_which_order(portal: Portal) -> None:
    portal.put(BOOTS[1], f'include:config "{OWN}"', "include:config <extra.cfg>")
    portal.put(OWN, "a = 1", "b = 1")
    portal.put("extra.cfg", "b = 2")
    with switched_on(portal.url) as phone:
        phone.wait_for(lambda it: it.rounds == 1)
        assert portal.paths() == [*BOOTS, OWN, "extra.cfg"]
        assert phone.config == {"a": "1", "b": "2"}


def test_what_is_absent_stays_unless_a_boot_file_says_overwrite_mode(portal: Portal) -> None:
    portal.put(OWN, "old = 1", "sip.notify_reboot_enable = 0")
    with switched_on(portal.url) as phone, datagrams(phone) as ask:
        phone.wait_for(lambda it: it.rounds == 1)
        portal.put(OWN, "new = 1", "sip.notify_reboot_enable = 0")
        ask(notify(cseq=1))
        phone.wait_for(lambda it: it.rounds == 2)
        assert phone.config == {"old": "1", "new": "1", "sip.notify_reboot_enable": "0"}
        portal.put(BOOTS[1], f'include:config "{OWN}"', "overwrite_mode = 1")
        ask(notify(cseq=2))
        phone.wait_for(lambda it: it.rounds == 3)
        assert phone.config == {"new": "1", "sip.notify_reboot_enable": "0"}


def test_it_sends_the_etag_it_was_given_and_keeps_its_settings_after_a_304(
    phone: VirtualPhone, portal: Portal
) -> None:
    given_etag = phone.requests[-1].etag
    with datagrams(phone) as ask:
        ask(notify())
        phone.wait_for(lambda it: it.rounds == 2)
    assert phone.requests[-1].status == 304
    assert portal.asked[-1][2] == phone.requests[-1].if_none_match == given_etag != ""
    assert phone.config["account.1.display_name"] == "Amélie Tremblay"
    assert phone.lines[-1].endswith("304 (not modified)")


def test_a_new_provisioning_address_serves_from_the_next_fetch_on(
    phone: VirtualPhone, portal: Portal
) -> None:
    fresh = portal.url.replace("token-of-this-device", "another-token-entirely")
    portal.put(OWN, f"static.auto_provision.server.url = {fresh}", "sip.notify_reboot_enable = 0")
    portal.put(OWN, "moved = 1", "sip.notify_reboot_enable = 0", folder="/p/another-token-entirely/")
    with datagrams(phone) as ask:
        ask(notify(cseq=1))
        phone.wait_for(lambda it: it.rounds == 2)
        ask(notify(cseq=2))
        phone.wait_for(lambda it: it.config.get("moved") == "1")
    assert portal.asked[-1][0] == f"/p/another-token-entirely/{OWN}"
    assert "another-token-entirely" not in "\n".join(phone.lines)


def test_an_empty_value_changes_nothing_and_null_clears(phone: VirtualPhone, portal: Portal) -> None:
    portal.put(OWN, "account.1.display_name =", "sip.notify_reboot_enable = %NULL%")
    with datagrams(phone) as ask:
        ask(notify())
        phone.wait_for(lambda it: it.rounds == 2)
    assert phone.config == {"account.1.display_name": "Amélie Tremblay"}


def test_a_key_may_come_twice_in_a_file_and_a_file_without_its_first_line_is_refused() -> None:
    twice = read_config(b"#!version:1.0.0.1\r\npw = user:a\r\npw = admin:b\r\n# no = comment\r\nnonsense\r\n")
    assert twice.settings == [("pw", "user:a"), ("pw", "admin:b")]
    assert twice.not_understood == ["nonsense"]
    assert read_config(b"<html>404</html>").refused


@pytest.mark.parametrize("status", [429, 500, 503])
def test_it_tries_again_until_the_server_is_up(portal: Portal, status: int) -> None:
    portal.put(OWN, "a = 1")
    portal.refuse_with = status
    with switched_on(portal.url) as phone:
        phone.wait_for(lambda it: len(it.requests) >= 2)
        assert phone.rounds == 0
        portal.refuse_with = 0
        phone.wait_for(lambda it: it.config == {"a": "1"})


def test_it_waits_for_a_server_that_is_not_there_and_stops_at_once() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        with switched_on(f"http://127.0.0.1:{nobody.getsockname()[1]}/p/x/") as phone:
            phone.wait_for(lambda it: any("trying again" in line for line in it.lines))
            assert sum("trying again" in line for line in phone.lines) == 1


def test_it_can_be_switched_off_while_a_server_keeps_it_waiting() -> None:
    with socket.socket() as slow:
        slow.bind(("127.0.0.1", 0))
        slow.listen()
        with switched_on(f"http://127.0.0.1:{slow.getsockname()[1]}/p/x/") as phone:
            connection, _ = slow.accept()
            assert connection.recv(100).startswith(b"GET /p/x/y000000000000.boot")
        assert phone.lines[-1].endswith(" off")
        connection.close()


def test_only_http_is_followed(portal: Portal, tmp_path: Path) -> None:
    with switched_on(f"file://{tmp_path}/") as phone:
        phone.wait_for(lambda it: any("file is not HTTP" in line for line in it.lines))


def test_an_address_that_is_looked_up_is_looked_up_again_when_it_leads_nowhere(portal: Portal) -> None:
    portal.put(OWN, "a = 1", folder="/p/second/")
    base = portal.url.partition("/p/")[0]
    answers = [None, f"{base}/p/first/", f"{base}/p/second/"]
    with switched_on("", find_address=lambda: answers.pop(0)) as phone:
        phone.wait_for(lambda it: it.config == {"a": "1"})
    assert answers == []


def test_a_name_with_terminal_sequences_is_printed_inert(portal: Portal) -> None:
    portal.put(OWN, "account.1.display_name = \x1b[2Jgone")
    with switched_on(portal.url) as phone:
        phone.wait_for(lambda it: it.rounds == 1)
        assert phone.lines[-1].endswith("display name: \\x1b[2Jgone")


@pytest.mark.parametrize("mac", ["", "805ec0d57d7", "805ec0d57d722", "805ec0d57dzz", "８05ec0d57d72"])
def test_what_is_no_mac_is_refused(mac: str) -> None:
    with pytest.raises(ValueError, match="not a MAC"):
        Identity(mac)


def test_a_model_has_its_own_common_file_and_an_unknown_one_is_refused() -> None:
    assert Identity("80:5E:C0:D5:7D:72", "T46U").config_files == ("y000000000108.cfg", OWN)
    with pytest.raises(ValueError, match="T99"):
        Identity(MAC, "T99")


# --- Check-sync ---


def test_check_sync_is_answered_200_with_the_requests_own_headers_and_fetches(
    phone: VirtualPhone, portal: Portal
) -> None:
    portal.put(OWN, "account.1.display_name = Amélie Gagnon", "sip.notify_reboot_enable = 0")
    with datagrams(phone) as ask:
        answer = ask(notify())
    assert answer.startswith("SIP/2.0 200 OK\r\n")
    assert re.fullmatch(
        r"SIP/2.0/UDP 127.0.0.1:5099;rport=\d+;branch=z9hG4bK-1;received=127.0.0.1", header(answer, "Via")
    )
    assert header(answer, "From") == "<sip:portal@127.0.0.1>;tag=abc"
    assert re.fullmatch(r"<sip:101@127.0.0.1>;tag=\w+", header(answer, "To"))
    assert header(answer, "Call-ID") == "one-call@127.0.0.1"
    assert header(answer, "CSeq") == "1 NOTIFY"
    phone.wait_for(lambda it: it.config["account.1.display_name"] == "Amélie Gagnon")
    assert phone.restarts == 0


def test_reboot_true_restarts_and_everything_is_fetched_anew(phone: VirtualPhone, portal: Portal) -> None:
    with datagrams(phone) as ask:
        assert ask(notify("check-sync;reboot=true")).startswith("SIP/2.0 200")
        phone.wait_for(lambda it: it.restarts == 1 and it.rounds == 2)
    assert phone.requests[-1].status == 200
    assert phone.requests[-1].if_none_match == ""
    assert any(line.endswith("restarting") for line in phone.lines)


@pytest.mark.parametrize(
    ("rule", "event", "action"),
    [
        (None, "check-sync;reboot=false", "restart"),
        (None, "check-sync", "restart"),
        ("1", "check-sync;reboot=false", "restart"),
        ("0", "check-sync", "fetch"),
        ("0", "check-sync;reboot=false", "fetch"),
        ("0", "Check-Sync ; Reboot=TRUE", "restart"),
        ("2", "check-sync;reboot=true", "nothing"),
    ],
)
def test_the_configuration_decides_what_a_check_sync_means(
    portal: Portal, rule: str | None, event: str, action: str
) -> None:
    portal.put(OWN, "a = 1", *([f"sip.notify_reboot_enable = {rule}"] if rule else []))
    with switched_on(portal.url) as phone, datagrams(phone) as ask:
        phone.wait_for(lambda it: it.rounds == 1)
        assert ask(notify(event)).startswith("SIP/2.0 200")
        phone.wait_for(lambda it: len(it.notifies) == 1)
        assert phone.notifies[0].action == action
        if action != "nothing":
            phone.wait_for(lambda it: it.rounds == 2)
        assert phone.restarts == (1 if action == "restart" else 0)


def test_a_retransmission_gets_the_same_answer_and_nothing_is_done_twice(phone: VirtualPhone) -> None:
    with datagrams(phone) as ask:
        assert ask(notify()) == ask(notify()) != ""
    assert len(phone.notifies) == 1


def test_without_rport_the_answer_goes_to_the_port_in_the_via(phone: VirtualPhone) -> None:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as named,
    ):
        named.bind(("127.0.0.1", 0))
        named.settimeout(5)
        request = notify().replace(b"127.0.0.1:5099;rport", f"127.0.0.1:{named.getsockname()[1]}".encode())
        sender.sendto(request, ("127.0.0.1", phone.sip_port))
        assert named.recv(65_000).startswith(b"SIP/2.0 200")


def test_tcp_carries_several_requests_in_one_connection_in_pieces(phone: VirtualPhone) -> None:
    requests = (
        notify(cseq=1, transport="TCP") + b"\r\n\r\n" + notify("", method="OPTIONS", cseq=2, transport="TCP")
    )
    with socket.create_connection(("127.0.0.1", phone.sip_port), 5) as line:
        line.sendall(requests[:37])
        line.sendall(requests[37:])
        answers = b""
        while answers.count(b"\r\n\r\n") < 2:
            answers += line.recv(65_000)
    assert re.findall(rb"SIP/2.0 (\d+)|CSeq: (\d \w+)", answers) == [
        (b"200", b""), (b"", b"1 NOTIFY"), (b"200", b""), (b"", b"2 OPTIONS"),
    ]  # fmt: skip
    assert phone.notifies[0].transport == "TCP"


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (notify("", method="INVITE"), "405 Method Not Allowed"),
        (notify("", method="REGISTER"), "405 Method Not Allowed"),
        (notify("", method="BYE"), "481 Call/Transaction Does Not Exist"),
        (notify("message-summary"), "481 Call/Transaction Does Not Exist"),
        (notify(to="<sip:101@127.0.0.1>;tag=unknown"), "481 Call/Transaction Does Not Exist"),
        (notify(""), "489 Bad Event"),
        (notify().replace(b"CSeq: 1 NOTIFY", b"CSeq: 1 INVITE"), "400 Bad Request"),
        (notify("", method="OPTIONS"), "200 OK"),
    ],
    ids=["invite", "register", "bye", "other-event", "in-a-dialog", "no-event", "wrong-cseq", "options"],
)
def test_everything_else_is_answered_and_does_nothing(
    phone: VirtualPhone, request_bytes: bytes, status: str
) -> None:
    with datagrams(phone) as ask:
        assert ask(request_bytes).startswith(f"SIP/2.0 {status}\r\n")
    assert phone.notifies == []


def test_garbage_is_ignored_and_the_phone_lives_on(phone: VirtualPhone) -> None:
    garbage = [
        b"\x00\xff" * 500, b"GET / HTTP/1.1\r\n\r\n", b"SIP/2.0 200 OK\r\n\r\n", b"NOTIFY", b"\r\n",
        notify()[:60], notify().replace(b"Via", b"Nix"), b"NOTIFY sip:a SIP/2.0\r\nno colon\r\n\r\n",
        notify("", method="ACK"),
    ]  # fmt: skip
    with datagrams(phone) as ask:
        for data in garbage[:-1]:
            assert ask(data, seconds=0.05) == ""
        assert ask(garbage[-1], seconds=0.05) == ""
        assert ask(notify()).startswith("SIP/2.0 200")
    for data in (b"Content-Length: 999999\r\n\r\n", b"x" * 70_000, b"NOTIFY\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", phone.sip_port), 5) as line:
            line.sendall(data)
    with datagrams(phone) as ask:
        assert ask(notify("", method="OPTIONS", cseq=9)).startswith("SIP/2.0 200")


@given(
    data=st.one_of(
        st.binary(), st.text().map(lambda text: notify(text)), st.text().map(lambda to: notify(to=to))
    )
)
def test_no_bytes_whatever_make_the_sip_side_fail(data: bytes) -> None:
    side = SipSide(
        sip_name="Yealink",
        account=lambda: ("101", "secret"),
        on_check_sync=lambda reboot, transport: None,
        on_line=lambda line: None,
        challenge="md5",
    )
    side.receive(data.replace(b"\xed", b"?"), ("127.0.0.1", 5060), "UDP")


def test_a_silent_phone_hears_and_never_answers(portal: Portal) -> None:
    portal.put(OWN, "a = 1")
    with switched_on(portal.url, silent=True) as phone, datagrams(phone) as ask:
        assert ask(notify(), seconds=0.2) == ""
        phone.wait_for(lambda it: any("silent" in line for line in it.lines))
        assert phone.notifies == []


# --- The digest that it may ask for ---


def proof(
    demand: str, hash_name: str, *, name: str = "101", password: str = "s3cret", qop: bool = True
) -> str:
    """The Authorization that answers `demand`, computed as RFC 7616 says."""
    fields = dict(re.findall(r'(\w+)="?([^",]+)"?', demand))

    def digest(text: str) -> str:
        return hashlib.new(hash_name, text.encode()).hexdigest()

    a1 = digest(f"{name}:{fields['realm']}:{password}")
    a2 = digest("NOTIFY:sip:101@127.0.0.1")
    middle = f"{fields['nonce']}:00000001:c0ffee:auth" if qop else fields["nonce"]
    tail = ', qop=auth, nc=00000001, cnonce="c0ffee"' if qop else ""
    return (
        f'Authorization: Digest username="{name}", realm="{fields["realm"]}", nonce="{fields["nonce"]}", '
        f'uri="sip:101@127.0.0.1", algorithm={fields["algorithm"]}, '
        f'response="{digest(f"{a1}:{middle}:{a2}")}"{tail}'
    )


@pytest.fixture(params=["md5", "sha-256"])
def asking(request: pytest.FixtureRequest, portal: Portal) -> Iterator[VirtualPhone]:
    portal.put(
        OWN, "account.1.auth_name = 101", "account.1.password = s3cret", "sip.notify_reboot_enable = 0"
    )
    with switched_on(portal.url, challenge=request.param) as phone:
        phone.wait_for(lambda it: it.rounds == 1)
        yield phone


@pytest.mark.parametrize("qop", [True, False], ids=["qop", "no-qop"])
def test_a_challenge_is_met_with_the_account_of_the_configuration(asking: VirtualPhone, qop: bool) -> None:
    with datagrams(asking) as ask:
        first = ask(notify(cseq=1))
        demand = header(first, "WWW-Authenticate")
        assert first.startswith("SIP/2.0 401 Unauthorized")
        hash_name = "sha256" if "algorithm=SHA-256" in demand else "md5"
        assert asking.notifies == []
        assert ask(notify("check-sync", proof(demand, hash_name, qop=qop), cseq=2)).startswith("SIP/2.0 200")
        asking.wait_for(lambda it: len(it.notifies) == 1)


@pytest.mark.parametrize("wrong", [{"password": "guess"}, {"name": "102"}], ids=["password", "name"])
def test_a_wrong_proof_and_a_used_one_are_refused(asking: VirtualPhone, wrong: dict[str, str]) -> None:
    with datagrams(asking) as ask:
        demand = header(ask(notify(cseq=1)), "WWW-Authenticate")
        hash_name = "sha256" if "SHA-256" in demand else "md5"
        assert ask(notify("check-sync", proof(demand, hash_name, **wrong), cseq=2)).startswith("SIP/2.0 401")
        assert ask(notify("check-sync", proof(demand, hash_name), cseq=3)).startswith("SIP/2.0 401")
    assert asking.notifies == []


# --- As a command ---


def command(*arguments: str) -> subprocess.Popen[str]:
    manage = Path(__file__).resolve().parents[3] / "manage.py"
    return subprocess.Popen(
        [sys.executable, str(manage), "virtual_phone", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_the_command_prints_what_two_phones_do_and_ends_cleanly_on_sigterm(portal: Portal) -> None:
    second = "805ec0d57d73"
    portal.put(OWN, "account.1.display_name = Amélie Tremblay")
    portal.put(f"{second}.cfg", "account.1.display_name = Félix Gagnon")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    phones = command("--mac", MAC, "--mac", f"{second}=T46U", "--url", portal.url, "--sip-port", str(port))
    assert phones.stdout is not None
    seen: list[str] = []
    while not all(any(name in line for line in seen) for name in ("Amélie Tremblay", "Félix Gagnon")):
        line = phones.stdout.readline()
        assert line, phones.stderr and phones.stderr.read()
        seen.append(line.rstrip())
    phones.send_signal(signal.SIGTERM)
    rest, errors = phones.communicate(timeout=10)
    assert phones.returncode == 0
    assert errors == ""
    assert rest.count(" off") == 2
    assert re.match(rf"\d\d:\d\d:\d\d {MAC} Yealink SIP-T54W 96.86.0.45", seen[0])
    assert any(agent.startswith("Yealink SIP-T46U") for _, agent, _ in portal.asked)


def test_the_command_names_a_taken_sip_port_and_a_wrong_mac_in_one_line(portal: Portal) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        busy = command("--mac", MAC, "--url", portal.url, "--sip-port", str(taken.getsockname()[1]))
        wrong = command("--mac", "not-a-mac", "--url", portal.url)
        _, said = busy.communicate(timeout=20)
        _, also_said = wrong.communicate(timeout=20)
    assert (busy.returncode, wrong.returncode) == (1, 1)
    assert said.count("\n") == 1
    assert "in use" in said
    assert also_said.count("\n") == 1
    assert "not a MAC" in also_said
