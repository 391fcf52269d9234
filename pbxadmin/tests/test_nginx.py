"""`deploy/nginx.conf` in the real nginx, before two servers that share no code with it."""

import http.client
import os
import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from pbxadmin.run import launcher, processes
from pbxadmin.tests.installation import free_port, until
from pbxadmin.tests.test_front import Running, both_servers, slow

pytestmark = pytest.mark.slow("starts nginx, which Debian's package brings")

CONF = processes.ROOT / "deploy" / "nginx.conf"
# What an installation changes in the file, and the ports, which only root may take.
CHANGED = {
    "listen 80 ": "listen 127.0.0.1:{http} ",
    "listen 443 ": "listen 127.0.0.1:{https} ",
    "/etc/ssl/pbxadmin/": "{folder}/",
    "/run/pbxadmin/": "{folder}/",
    "/srv/pbxadmin/": "{root}/",
    "/var/log/nginx/": "{folder}/",
    "max_conns=1000": "max_conns=200",
}
AROUND = """
daemon off; {user} pid {folder}/nginx.pid; error_log {folder}/start.log; worker_processes 1;
events {{ worker_connections 2000; }}
http {{
    {places}
    include {folder}/pbxadmin.conf;
}}
"""


def certificate(folder: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "portal.example")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    (folder / "fullchain.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "privkey.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )


class Nginx(Running):
    """nginx with its two ports; `ask` goes over TLS."""

    folder: Path
    http: int

    def connection(self) -> http.client.HTTPConnection:
        context = ssl._create_unverified_context()
        return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=10, context=context)

    def begin(self, said: bytes) -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", self.http), 10)
        connection.sendall(said)
        return connection


@pytest.fixture(scope="module")
def nginx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    assert program, "nginx is missing: apt-get install nginx"
    folder = launcher.socket_folder(tmp_path_factory.mktemp("nginx"))
    facts = {"http": free_port(), "https": free_port(), "folder": folder, "root": processes.ROOT}
    written = CONF.read_text()
    for there, here in CHANGED.items():
        assert there in written
        written = written.replace(there, here.format(**facts))
    (folder / "pbxadmin.conf").write_text(written)
    places = "".join(
        f"{name}_temp_path {folder}/{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    user = "user root;" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(AROUND.format(places=places, user=user, **facts))
    certificate(folder)
    with ExitStack() as stack:
        servers = both_servers(stack, folder)
        process = subprocess.Popen(
            [program, "-p", folder, "-c", folder / "nginx.conf", "-e", folder / "start.log"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        stack.callback(process.wait)
        stack.callback(process.terminate)
        found = Nginx(facts["https"], *servers)
        found.folder, found.http = folder, facts["http"]

        def answers() -> bool:
            assert process.poll() is None, (folder / "start.log").read_text()
            try:
                return found.ask("GET", "/healthz")[0] == 200
            except OSError:
                return False

        until(answers)
        yield found
        for server in servers:
            server.held.set()


def test_nginx_hands_over_no_body_that_has_not_come(nginx: Nginx) -> None:
    with ExitStack() as stack:
        for number in range(80):
            stack.enter_context(nginx.begin(slow("/p/token/file" if number % 2 else "/sign-in", 900)))
        assert nginx.ask("GET", "/sign-in")[2] == b"pages 0"
        assert nginx.ask("GET", "/p/token/file.cfg")[2] == b"phones 0"
        assert nginx.ask("POST", "/sign-in", b"login=102")[2] == b"pages 9"
        assert not [path for path, _, body in nginx.pages.asked + nginx.phones.asked if body == b"1234567"]


def test_nginx_refuses_what_is_too_long_before_it_has_come(nginx: Nginx) -> None:
    before = len(nginx.pages.asked)
    signed_in = slow(length=12 * 1024 * 1024 + 1).replace(b"Host:", b"Cookie: sessionid=made-up\r\nHost:")
    for said in (slow(length=300_000_000), slow(length=66_000), signed_in, slow("/p/token/file", 2_000)):
        with nginx.begin(said) as connection:
            assert connection.recv(100).split()[1] == b"413"
    assert len(nginx.pages.asked) == before
    cookie = {"Cookie": "theme=dark; sessionid=made-up"}
    assert nginx.ask("POST", "/upload", b"x" * 70_000, cookie)[2] == b"pages 70000"
    recording = b"x" * (10 * 1024 * 1024 + 4096)  # the largest, in its form
    assert nginx.ask("POST", "/me/voicemail/greetings/new", recording, cookie)[2] == b"pages %d" % len(
        recording
    )
    assert nginx.ask("POST", "/sign-in", b"x" * 65_000)[2] == b"pages 65000"


def test_nginx_takes_files_of_fifty_megabytes_where_they_are_sent_and_from_a_session_alone(
    nginx: Nginx,
) -> None:
    path, cookie = "/c/boreale/files/imports", {"Cookie": "sessionid=made-up"}
    file = b"x" * (20 * 1024 * 1024)
    assert nginx.ask("POST", path, file, cookie)[2] == b"pages %d" % len(file)
    assert nginx.ask("POST", path, headers=cookie | {"Content-Length": str(52 * 1024 * 1024)})[0] == 413
    assert nginx.ask("POST", path, headers={"Content-Length": "66000"})[0] == 413
    assert nginx.ask("POST", f"{path}/1", headers=cookie | {"Content-Length": str(len(file))})[0] == 413


def test_nginx_says_in_both_languages_what_it_refuses(nginx: Nginx) -> None:
    before = len(nginx.pages.asked)
    cookie = {"Cookie": "sessionid=made-up", "Content-Length": str(12 * 1024 * 1024 + 1)}
    for headers in ({"Content-Length": "66000"}, cookie):
        status, said, body = nginx.ask("POST", "/upload", headers=headers)
        assert (status, said["Content-Type"], said["Cache-Control"]) == (413, "text/html", "no-store")
        assert "Rien n’a été enregistré" in body.decode()
        assert 'lang="en"' in body.decode()
    assert len(nginx.pages.asked) == before
    assert nginx.ask("GET", "/refused.html")[0] == 404  # no page of its own


def test_nginx_says_itself_where_a_request_comes_from(nginx: Nginx) -> None:
    names = ["X-Forwarded-For", "X_Forwarded_For", "X-Forwarded-Proto", "X-Real-IP", "Forwarded"]
    nginx.ask("GET", "/who?a=%00&b", headers=dict.fromkeys(names, "203.0.113.9"))
    path, headers, _ = nginx.pages.asked[-1]
    told = {name.lower(): value for name, value in headers}
    assert path == "/who?a=%00&b"
    assert "203.0.113.9" not in told.values()
    assert (told["x-forwarded-for"], told["x-forwarded-proto"], told["host"]) == (
        "127.0.0.1", "https", "portal.example",
    )  # fmt: skip


def test_nginx_lets_phones_fetch_without_tls_and_says_so(nginx: Nginx) -> None:
    with nginx.begin(b"GET /p/token/a%2fb HTTP/1.1\r\nHost: portal.example\r\n\r\n") as connection:
        assert connection.recv(100).split()[1] == b"200"
    path, headers, _ = nginx.phones.asked[-1]
    assert path == "/p/token/a%2fb"
    assert {name.lower(): value for name, value in headers}["x-forwarded-proto"] == "http"


def test_nginx_hands_what_nodes_ask_to_the_server_of_calls_over_tls_alone(nginx: Nginx) -> None:
    assert nginx.ask("GET", "/n/call/boreale.example/101/102/1")[2] == b"calls 0"
    assert nginx.ask("POST", "/n/code", b"x" * 60_000)[2] == b"calls 60000"
    assert nginx.ask("POST", "/n/code", b"x" * 70_000)[0] == 503
    before = len(nginx.calls.asked)
    with nginx.begin(
        b"GET /n/call/boreale.example/101/102/1 HTTP/1.1\r\nHost: portal.example\r\n\r\n"
    ) as said:
        assert said.recv(100).split()[1] == b"404"
    assert len(nginx.calls.asked) == before
    nginx.calls.path.rename(nginx.calls.path.with_suffix(".away"))
    status, _, body = nginx.ask("GET", "/n/call/boreale.example/101/102/1")
    assert (status, body) == (503, b"Try again later\n")
    nginx.calls.path.with_suffix(".away").rename(nginx.calls.path)


def raw(nginx: Nginx, said: bytes, address: str = "127.0.0.1", tls: bool = True) -> bytes:
    """What comes back until the connection ends."""
    port = nginx.port if tls else nginx.http
    with socket.create_connection(("127.0.0.1", port), 10, source_address=(address, 0)) as line:
        context = ssl._create_unverified_context()
        with context.wrap_socket(line) if tls else line as connection:
            connection.sendall(said)
            return b"".join(iter(lambda: connection.recv(65536), b""))


def node_asks(path: str, more: str = "", body: str = "", method: str = "GET", end: str = "close") -> bytes:
    head = f"{method} {path} HTTP/1.1\r\nHost: portal.example\r\nAuthorization: Bearer secret-token\r\nConnection: {end}\r\n"
    return f"{head}{more}\r\n{body}".encode()


PLAN = "/n/call/boreale.example/101/102/1"


def test_nginx_lets_nodes_alone_ask_and_believes_no_header_about_it(nginx: Nginx) -> None:
    assert raw(nginx, node_asks(PLAN)).startswith(b"HTTP/1.1 200")
    before = len(nginx.calls.asked)
    forged = (
        "".join(
            f"{name}: {value}\r\n"
            for name in ("X-Forwarded-For", "X-Real-IP", "Client-IP", "X_Forwarded_For")
            for value in ("127.0.0.1", "::1")
        )
        + "Forwarded: for=127.0.0.1\r\n"
    )
    for path in (PLAN, "/n", "/n/", "/%6e/call/a/1/2/3", "/n/rt/ps_auths/single"):
        answer = raw(nginx, node_asks(path, forged), "127.0.0.2")
        assert answer.startswith(b"HTTP/1.1 404"), path
    assert len(nginx.calls.asked) == before


@pytest.mark.parametrize("tls", [True, False])
@pytest.mark.parametrize(
    "path",
    [
        "/n/call/boreale.example/101/102/../../../../../x", "/n/call/a/1/%2e%2e/%2e%2e/%2e%2e/../../x", "/%6e/call/a/1/2/../../../../../sign-in",
        "/%6E%2Fcall/a/1/..%2f..%2f..%2f..%2f../p/token/x", "/n/in/1/-/1/../../../../../..", "/n%2fsip%2fa%2f..%2f..%2f..%2fx?y",
    ],
)  # fmt: skip
def test_what_only_the_portal_reads_as_a_question_of_a_node_passes_beside_no_lock(
    nginx: Nginx, path: str, tls: bool
) -> None:
    servers = (nginx.pages, nginx.phones, nginx.calls)
    before = [len(server.asked) for server in servers]
    answer = raw(nginx, node_asks(path), "127.0.0.2", tls)
    assert answer.split()[1] in (b"404", b"400")
    assert [len(server.asked) for server in servers] == before


def test_nginx_hands_over_what_a_node_asks_as_exactly_one_request(nginx: Nginx) -> None:
    """Whoever shares the connection with somebody slips nothing in: two requests are two, and what could be read as two is refused."""
    hidden = node_asks("/n/code", method="POST").decode()
    length = f"Content-Length: {len(hidden)}\r\n"
    before = len(nginx.calls.asked)
    for more in (
        f"{length}Transfer-Encoding: chunked\r\n", "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
        "Transfer-Encoding: xchunked\r\n", f"{length}Content-Length: 0\r\n", "Content-Length: -1\r\n", "Content-Length: +5\r\n",
        f"Content-Length : {len(hidden)}\r\n", "Host: other.example\r\n",
    ):  # fmt: skip
        answer = raw(nginx, node_asks("/n/pin", more, "0\r\n\r\n" + hidden, "POST"))
        assert answer.split()[1] in (b"400", b"501", b"200", b"411"), more
        assert answer.count(b"HTTP/1.1 ") == 1, more
    assert "/n/code" not in [path for path, *_ in nginx.calls.asked[before:]]
    before = len(nginx.calls.asked)
    answer = raw(
        nginx, node_asks(PLAN, end="keep-alive") + node_asks("/n/pin", "Content-Length: 3\r\n", "a=1", "POST")
    )
    assert answer.count(b"HTTP/1.1 200") == 2
    assert [(path, body) for path, _, body in nginx.calls.asked[before:]] == [(PLAN, b""), ("/n/pin", b"a=1")]


def test_slow_bodies_of_whoever_asks_like_a_node_reach_nobody(nginx: Nginx) -> None:
    before = len(nginx.calls.asked)
    with ExitStack() as stack:
        context = ssl._create_unverified_context()
        for _ in range(60):
            line = stack.enter_context(socket.create_connection(("127.0.0.1", nginx.port), 10))
            held = stack.enter_context(context.wrap_socket(line))
            held.sendall(node_asks("/n/pin", "Content-Length: 900\r\n", "line=", "POST"))
        assert nginx.ask("GET", PLAN)[2] == b"calls 0"
        assert [path for path, *_ in nginx.calls.asked[before:]] == [PLAN]


def test_nginx_tells_the_server_of_the_phones_that_a_phone_went_away(nginx: Nginx) -> None:
    with nginx.begin(b"GET /p/token/leave HTTP/1.1\r\nHost: portal.example\r\n\r\n"):
        until(lambda: any(path == "/p/token/leave" for path, *_ in nginx.phones.asked))
        assert not nginx.phones.left.is_set()
    assert nginx.phones.left.wait(5)


def test_nginx_answers_503_with_a_time_while_a_server_is_away(nginx: Nginx) -> None:
    for server in (nginx.pages, nginx.phones):
        server.path.rename(server.path.with_suffix(".away"))
    status, headers, body = nginx.ask("GET", "/p/token/file.cfg")
    assert (status, body) == (503, b"Try again later\n")
    assert 15 <= int(headers["Retry-After"]) <= 45
    status, headers, body = nginx.ask("GET", "/sign-in")
    assert (status, headers["Retry-After"], headers["Content-Type"]) == (503, "5", "text/html")
    assert body == (processes.ROOT / "deploy" / "unavailable.html").read_bytes()
    for server in (nginx.pages, nginx.phones):
        server.path.with_suffix(".away").rename(server.path)
    assert nginx.ask("GET", "/p/token/file.cfg")[0] == nginx.ask("GET", "/sign-in")[0] == 200


def test_nginx_tells_phones_to_ask_again_when_too_many_wait(nginx: Nginx) -> None:
    with ExitStack() as stack:
        for _ in range(200):
            stack.enter_context(nginx.begin(b"GET /p/token/hold HTTP/1.1\r\nHost: portal.example\r\n\r\n"))
        until(lambda: sum(path == "/p/token/hold" for path, *_ in nginx.phones.asked) == 200)
        refused = [nginx.ask("GET", "/p/token/file.cfg") for _ in range(30)]
        assert {status for status, *_ in refused} == {503}
        assert len({headers["Retry-After"] for _, headers, _ in refused}) > 1
        assert nginx.ask("GET", "/sign-in")[2] == b"pages 0"
        nginx.phones.held.set()
    until(lambda: nginx.ask("GET", "/p/token/file.cfg")[0] == 200)


def test_nginx_writes_no_secret_address_into_its_logs(nginx: Nginx) -> None:
    nginx.ask("GET", "/p/secret-token/file.cfg")
    nginx.ask("GET", "/invitation/secret-link/?next=secret-link")
    nginx.phones.path.rename(nginx.phones.path.with_suffix(".away"))
    nginx.ask("GET", "/p/secret-token/away")
    nginx.phones.path.with_suffix(".away").rename(nginx.phones.path)
    access = nginx.folder / "pbxadmin.log"
    until(lambda: "GET /invitation 200" in access.read_text())
    for log in nginx.folder.glob("*.log"):
        assert "secret" not in log.read_text()
