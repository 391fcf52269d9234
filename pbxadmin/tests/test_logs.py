"""What the logs say of what strangers send: no secret of any address, a line and no trace, and not more lines for a flood."""

import io
import logging
import logging.config
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.core.exceptions import SuspiciousOperation, TooManyFieldsSent
from django.http import HttpRequest
from django.http.multipartparser import MultiPartParserError
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.converters import IntConverter

from pbxadmin.common.crypto import random_token
from pbxadmin.common.logs import OneLineFilter, RefusalsFilter
from pbxadmin.common.values.unsaid import SECRET_ADDRESSES, without_secrets
from users.tests import one_chain

pytestmark = pytest.mark.slow("sends hundreds of requests")

# Parts of addresses that everybody may read: keys, names, extensions. Whatever else an address holds is taken for a secret.
NO_SECRETS = {
    "slug", "number", "mac", "tab", "pk", "operation", "provider", "name", "which", "status", "model", "object_id", "app_label",
    "content_type_id", "url", "address", "side", "day", "subject", "format", "table", "kind",
    "fqdn", "extension", "dialled", "call", "trunk", "did", "sip_id", "how",
}  # fmt: skip
# A word that looks like no token at all: what keeps it out of the log is where it stands.
SECRET = "geheim"


def patterns(of: Any, before: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    for one in of.url_patterns:
        path = before + str(one.pattern).removeprefix("^")
        if isinstance(one, URLResolver):
            yield from patterns(one, path)
        elif isinstance(one, URLPattern):
            yield path, one.pattern.converters


def secret_addresses() -> set[str]:
    """Every address of the portal, and of a customer's own host name, that holds a secret, with the word in its place."""
    found = set()
    for urlconf in (settings.ROOT_URLCONF, "talk.urls_host"):
        for path, converters in patterns(get_resolver(urlconf)):
            secret = {
                name for name, one in converters.items() if not isinstance(one, IntConverter)
            } - NO_SECRETS
            if secret:
                for name, converter in converters.items():
                    given = SECRET if name in secret else "x"
                    kind = type(converter).__name__.removesuffix("Converter").lower()
                    path = path.replace(f"<{kind}:{name}>", given)
                found.add("/" + path)
    return found


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What the portal writes, by the handler that its settings name."""
    written = io.StringIO()
    logging.config.dictConfig(settings.LOGGING)
    [handler] = [one for one in logging.getLogger().handlers if type(one) is logging.StreamHandler]
    handler.setStream(written)
    yield written
    logging.getLogger().removeHandler(handler)


def test_each_address_that_holds_a_secret_is_one_that_the_log_keeps_to_itself() -> None:
    addresses = secret_addresses()
    assert len(addresses) >= 5
    for address in addresses:
        assert SECRET not in without_secrets(address), f"{address}: name it in SECRET_ADDRESSES"
    for name in SECRET_ADDRESSES:
        assert any(address.startswith(f"/{name}/") for address in addresses), f"{name} is no address any more"


@pytest.mark.parametrize(
    "address",
    ["/{0}//geheim", "//{0}/geheim", "/{1}/geheim/x", "/{0}/ geheim 'geheim'", "https://h/{0}/geheim is no origin: /x", "{0}/geheim",
     "/{2}%2Fgeheim", "/{2}%252fgeheim", "/x?next=%2F{2}%2Fgeheim"],
)  # fmt: skip
def test_no_way_to_write_an_address_shows_its_secret(address: str) -> None:
    for name in SECRET_ADDRESSES:
        if len(name) > 1 or not address.startswith("{0}"):
            text = address.format(name, name.upper(), name.replace("/", "%2F"))
            assert SECRET not in without_secrets(text), text


def failing(middleware: Any, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> Any:
    raise LookupError(f"nothing at {request.path} with {kwargs}")


@pytest.mark.django_db
def test_no_line_of_the_log_holds_a_secret_of_an_address_whatever_is_asked(
    log: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RefusalsFilter, "_is_refusal", staticmethod(lambda record: False))
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    secure = {"secure": True, "headers": {"referer": f"https://evil.example/set-password/x/{SECRET}"}}
    for address in sorted(secret_addresses()):
        for method in ("get", "head", "post", "options", "put", "delete", "trace"):
            getattr(client, method)(address)
        client.post(address, **secure)  # type: ignore[arg-type]
        client.get(address, headers={"host": "foreign.example"})
        client.get(f"{address}/nothing?code={SECRET}&state={SECRET}")
        client.post(address, "--x\r\nrubbish", content_type="multipart/form-data; boundary=é")
    monkeypatch.setattr("signin.middleware.SignedInMiddleware.process_view", failing)
    client = Client(raise_request_exception=False)
    with one_chain.anew():
        for address in sorted(secret_addresses()):
            client.get(address)
    said = log.getvalue()
    assert "LookupError: nothing at /" in said
    for word in (
        "Not Found: ",
        "Forbidden (CSRF ",
        "Method Not Allowed (OPTIONS): ",
        "Internal Server Error: ",
    ):
        assert word in said
    assert SECRET not in said


def test_a_secret_is_in_no_argument_no_trace_and_no_row_that_a_database_cites() -> None:
    token, session = random_token(), "k3j5h2k3j45h2kj3h45kj2h345kjh2k3"
    written = io.StringIO()
    logger = logging.Logger("any")
    handler = logging.StreamHandler(written)
    handler.addFilter(OneLineFilter())
    logger.addHandler(handler)
    proof = "c9x1ab-0123456789abcdef0123456789abcdef"
    try:
        raise ValueError(
            f"no {token}\nDETAIL:  Failing row contains (4, Amélie, hunter2).\n2026-01-01 INFO forged"
        )
    except ValueError:
        logger.exception(
            "Task %s[%s] with %r and %r",
            "users.mail.send",
            "c0ffee00-1111-2222-3333-444455556666",
            (proof,),
            session,
        )
    logger.warning("doesn't %d fit", "x")
    said = written.getvalue()
    for secret in (token, session, proof, "hunter2"):
        assert secret not in said
    assert "c0ffee00-1111-2222-3333-444455556666" in said, "a task keeps its name"
    assert f'File "{__file__}"' in said, "a trace says where"
    assert [line[:2] for line in said.splitlines()[1:-1]] == ["  "] * (len(said.splitlines()) - 2)


def test_a_file_of_the_program_stays_readable_wherever_it_lies() -> None:
    line = '  File "/app/users/road/jobs.py", line 154, in step'
    assert without_secrets(line) == line


@pytest.mark.parametrize(
    "line",
    [
        "limit provisioning reached key=203.0.113.9 seconds=600",
        "sign-in failed from 2001:db8:1:2::7",
        "job 42: step at 200 of 400 records failed",
        "push mac=805ec0d57d72 can't be written: /srv/pbxadmin/var/media/logo.png",
    ],
)
def test_what_those_who_watch_the_logs_need_stays_in_them(line: str) -> None:
    assert without_secrets(line) == line


def test_the_servers_own_loggers_say_no_secret_either() -> None:
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    logger = logging.getLogger("granian.access")
    logger.addHandler(handler)
    try:
        logger.warning('%(addr)s "GET %(path)s"', {"addr": "192.0.2.1", "path": f"/app/{SECRET}"})
    finally:
        logger.removeHandler(handler)
    assert written.getvalue() == '192.0.2.1 "GET /app/…\n'


def test_the_front_says_no_secret() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import logging, pbxadmin.front.application; logging.warning('POST /set-password/x/geheim')"],
        env={"PAGES_SOCKET": "/x", "PHONES_SOCKET": "/x"}, capture_output=True, text=True, cwd=settings.BASE_DIR,
    )  # fmt: skip
    assert "POST /set-password/…" in done.stderr
    assert SECRET not in done.stderr


# --- What strangers send and is refused ---------------------------------------------------------------------------
@pytest.mark.django_db
def test_a_foreign_host_is_one_line_without_a_trace_and_a_flood_of_them_a_few(log: io.StringIO) -> None:
    client = Client(headers={"host": "foreign.example"})
    assert client.get("/sign-in").status_code == 400
    [line] = log.getvalue().splitlines()
    assert "WARNING django.security.DisallowedHost Invalid HTTP_HOST header: 'foreign.example'." in line
    for _ in range(60):
        client.get("/sign-in")
    assert len(log.getvalue().splitlines()) == 20


@pytest.mark.django_db
def test_a_flood_of_sign_ins_past_the_limit_and_of_answers_to_nobodys_question_is_a_few_lines(
    log: io.StringIO,
) -> None:
    def lines(said: str) -> int:
        return sum(said in line for line in log.getvalue().splitlines())

    for _ in range(60):
        Client().post("/sign-in", {"login": "101@nowhere.example", "password": "x"})
    assert lines("sign-in failed from 127.0.0.1") == 5
    assert lines("sign-in refused from 127.0.0.1") == 20
    for _ in range(60):
        Client().get("/sign-in/back/google?state=x&code=y")
    assert lines("signin.refused") == 20
    assert lines("sign-in failed") == 5


def broken(error: Exception) -> Any:
    def view(request: HttpRequest, *args: Any) -> Any:
        raise error

    return view


@pytest.mark.django_db
@pytest.mark.parametrize(
    "error",
    [SuspiciousOperation("x"), TooManyFieldsSent("x"), MultiPartParserError("x")],
    ids=lambda error: type(error).__name__,
)
def test_every_other_suspicious_request_is_a_line_without_a_trace_too(
    error: Exception, log: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("signin.middleware.access_of", broken(error))
    assert Client().get("/sign-in").status_code == 400
    assert len(log.getvalue().splitlines()) == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    "sent",
    [
        {"data": "&".join(f"a{place}=1" for place in range(5_001)), "content_type": "application/x-www-form-urlencoded"},
        {"data": "--x\r\nrubbish", "content_type": "multipart/form-data; boundary=é"},
        {"data": "x", "content_type": "multipart/form-data"},
        {"data": "a=1", "content_type": "application/x-www-form-urlencoded; charset=nothing"},
        {"data": "a" * 2_700_000, "content_type": "application/x-www-form-urlencoded"},
    ],
    ids=["fields", "boundary", "no boundary", "charset", "size"],
)  # fmt: skip
def test_a_form_that_is_none_is_refused_without_a_trace_and_without_a_page_of_ours_breaking(
    sent: dict[str, str], log: io.StringIO
) -> None:
    client = Client(raise_request_exception=False, enforce_csrf_checks=True)
    assert client.generic("POST", "/sign-in", sent["data"].encode(), sent["content_type"]).status_code in (
        400,
        403,
    )
    assert len(log.getvalue().splitlines()) <= 2
    assert "  File" not in log.getvalue()


@pytest.mark.django_db
@pytest.mark.parametrize(
    "cookie", ["sessionid=" + "é" * 50, "sessionid=' OR 1=1", "csrftoken=x", "sessionid=" + "a" * 4_000, "=;;=", "theme=\x00"]
)  # fmt: skip
def test_a_cookie_that_is_none_of_ours_says_nothing_in_the_log(cookie: str, log: io.StringIO) -> None:
    assert Client().get("/sign-in", HTTP_COOKIE=cookie).status_code == 200
    assert log.getvalue() == ""


def test_after_a_minute_the_log_says_how_many_lines_it_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("pbxadmin.common.logs.time.monotonic", lambda: now[0])
    held = RefusalsFilter(lines=2, seconds=60)

    def line(name: str, level: int = logging.WARNING) -> logging.LogRecord | None:
        record = logging.LogRecord(name, level, "", 0, "Not Found: %s", ("/x",), None)
        return record if held.filter(record) else None

    assert [bool(line("django.request")) for _ in range(5)] == [True, True, False, False, False]
    assert line("django.security.csrf"), "each kind has its own room"
    assert line("django.request", logging.ERROR), "a mistake of ours is always told"
    assert line("signin.credentials"), "so is a failed sign-in, which something else may read"
    now[0] += 60
    record = line("django.request")
    assert record is not None
    assert record.getMessage() == "Not Found: /x (and 3 more before)"
