"""Every address as no browser asks it: raw bytes in its path, query, body and headers.

Nothing is answered by an error of ours, and what is refused has changed nothing. Each address meets another one of the values: together
they meet all of them, and `test_every_door.py` has what a browser can send.
"""

import io
import time
from itertools import cycle
from typing import Any

import pytest
from django.contrib import admin
from django.db import transaction
from django.test import Client
from django.urls import reverse

from pbxadmin.common.http import Utf8Request
from pbxadmin.tests.test_doors import DOORS, addresses_of, world
from pbxadmin.tests.test_every_door import parameters
from support.admins import DATE_LOOKUPS, LOOKUPS
from support.tests.test_admin import all_pages
from users.models import Operation, User

pytestmark = pytest.mark.slow("every address with what no browser sends")
BOTH = pytest.mark.both_databases(
    "what one of them takes, the other refuses: NUL, half a sign, a number too large"
)

__all__ = ["world"]  # a fixture: pytest finds it by its name

FORM = "application/x-www-form-urlencoded"
# As they stand in an address or a form: percent-encoded bytes.
VALUES = [
    "%00", "a%00b", "%ED%A0%80", "%FF%FE", "%C0%AF", "9" * 30, "-1", "9223372036854775808", "NaN", "Infinity", "1e400", "x" * 100_000,
    "%0D%0ASet-Cookie:%20x=y", "%5B%5D", "%5B%22%5Cud800%5Cu0000%22%5D", "%7B", "x", "//evil.example", "http://%5B", "0000-00-00",
    "0001-01-01T00:00", "9999-12-31T23:59", "2027-02-29", "%C2%B2", "%D9%A3", "%25", "%5C", "",
]  # fmt: skip
IN_A_PATH = [value for value in VALUES if value and "/" not in value and len(value) < 100]


def test_cookies_full_of_escapes_cost_no_time_and_those_beside_them_are_read() -> None:
    """Sixteen thousand bytes, as any proxy takes: a second of work in Python 3.11.7, a minute for eight times as many."""
    said = 'theme=dark; a="' + '\\"' * 64_000 + '"; density=dense'
    began = time.process_time()
    cookies = Utf8Request({"REQUEST_METHOD": "GET", "wsgi.input": io.BytesIO(), "HTTP_COOKIE": said}).COOKIES
    assert (cookies, time.process_time() - began < 0.5) == ({"theme": "dark", "density": "dense"}, True)


@pytest.fixture(autouse=True)
def _requests_as_the_server_makes_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("django.test.client.WSGIRequest", Utf8Request)


class Asked:
    """Asks, takes back what was done, and notes what was wrong with the answer."""

    def __init__(self, client: Client) -> None:
        self.client = client
        client.raise_request_exception = False
        self.cookies = client.cookies.copy()
        self.wrong: dict[tuple[str, ...], str] = {}

    def ask(
        self, method: str, path: str, query: str = "", body: bytes = b"", kind: str = FORM, **headers: str
    ) -> None:
        with transaction.atomic():
            before = Operation.objects.latest("pk").pk
            answer: Any = self.client.generic(method, path, body, kind, QUERY_STRING=query, **headers)
            b"".join(answer)
            problem = str(answer.status_code) if answer.status_code >= 500 else ""
            if not problem and answer.status_code >= 400 and Operation.objects.latest("pk").pk != before:
                problem = f"{answer.status_code}, and something was changed"
            transaction.set_rollback(True)
        if problem:
            self.wrong[
                method, path[:200], query[:200], body[:200].decode("latin-1"), kind[:80], str(headers)[:80]
            ] = problem
        self.client.cookies = self.cookies.copy()


@pytest.fixture
def everything(world: Any, boreale: Any) -> tuple[dict[str, Asked], list[tuple[str, str]]]:
    """Who asks, and every address with who asks there: the portal's, one's own, the phones', the support desk's."""
    clients, arguments, more = world
    found = [("owner", url) for name in DOORS for url in addresses_of(name, arguments, more)]
    found += [("support", url) for url in all_pages(boreale, User.objects.of(boreale).first())]
    return {name: Asked(client) for name, client in clients.items()}, found


@BOTH
def test_anything_in_a_path(everything: Any) -> None:
    people, addresses = everything
    values = cycle(IN_A_PATH)
    for who, url in addresses:
        parts = url.split("/")
        # The first parts say which room it is, and whose; what follows is a name, a number, a key.
        last = max((place for place in range(3, len(parts)) if parts[place]), default=0)
        if last:
            people[who].ask("GET", "/".join([*parts[:last], next(values), *parts[last + 1 :]]))
    assert all(person.wrong == {} for person in people.values()), [person.wrong for person in people.values()]


MULTIPART = "multipart/form-data; boundary=x"
BODIES = [
    (b"%00=x&a%00b=%00&status=away&status=%00&next=x", FORM),
    (b"\xff\xfe\x00=\xed\xa0\x80", FORM),
    (b"status=away&next=x", FORM),
    (b"a=%5Cud800", f"{FORM}; charset=unicode_escape"),
    (b"a=%FF", f"{FORM}; charset=hex"),
    (b"a=b", f"{FORM}; charset=utf-16"),
    (b"[" * 2_000, "application/json"),
    (b'{"status": "away"}', "application/json"),
    (b"", "multipart/form-data"),
    (b"garbage", MULTIPART),
    (b'--x\r\nContent-Disposition: form-data; name="status"\r\n\r\naw\x00\xff\r\n--x--\r\n', MULTIPART),
    (b"--x\r\nContent-Disposition: form-data; name*=hex''a\r\n\r\nb\r\n--x--\r\n", MULTIPART),
    (b'--x\r\nContent-Disposition: form-data; name="a"; filename*=unicode_escape\'\'%5Cud800\r\n\r\nb\r\n--x--\r\n', MULTIPART),
    (b'--x\r\nContent-Disposition: form-data; name="file"; filename="a\x00\xff/../b.wav"\r\n\r\n\x00RIFF\r\n--x--\r\n', MULTIPART),
    (b'--x\r\nContent-Disposition: form-data; name="a"\r\nContent-Transfer-Encoding: base64\r\n\r\n%%%\r\n--x--\r\n', MULTIPART),
    (b"x", "multipart/form-data; boundary*=hex''x"),
    (b"x", "\x00/\xff;" + ";" * 12_000),
    (b"&".join(b"a%d=1" % number for number in range(5_001)), FORM),
]  # fmt: skip
FIELDS = [
    "next",
    "seen",
    "status",
    "keys",
    "chosen",
    "file",
    "talk_photo",
    "available.divert_external",
    "voicemail.pin",
]


def sendings(names: list[str], number: int) -> list[tuple[str, bytes, str]]:
    """A query, a form or another body, each with its type: others for each number."""
    value = VALUES[number % len(VALUES)]
    if number % 2:
        return [("&".join(f"{name}={value if len(value) < 100 else 'x' * 400}" for name in names), b"", FORM)]
    body, kind = BODIES[number // 2 % len(BODIES)]
    fields = "&".join(f"{name}={value}" for name in FIELDS)
    return [("", fields.encode(), FORM), ("", body, kind)]


def test_anything_in_a_query_and_in_a_body(everything: Any) -> None:
    people, addresses = everything
    names = [*parameters(), *FIELDS]
    for number, (who, url) in enumerate(addresses):
        person = "user" if url.startswith("/me") else who
        for query, body, kind in sendings(names, number):
            people[person].ask("GET" if query else "POST", url, query, body, kind)
    assert all(person.wrong == {} for person in people.values()), [person.wrong for person in people.values()]


HEADERS = {
    "HTTP_REFERER": ["http://[", "//[::1", "\xff", "x" * 5_000],
    "HTTP_HX_CURRENT_URL": ["http://[", "http://a:x/", "\xff"],
    "HTTP_COOKIE": ["sessionid=\x00; csrftoken=\xff; language=../../x", "theme=%00; company=%5Cud800"],
    "HTTP_ACCEPT_LANGUAGE": ["x-" * 2_500, "\x00", "fr-ca;q=1e400"],
    "HTTP_IF_NONE_MATCH": ['W/"', "\xff"],
    "HTTP_IF_MODIFIED_SINCE": ["Mon, 99 Foo 99999 99:99:99 GMT", "Thu, 01 Jan 0000 00:00:00 GMT"],
    "HTTP_RANGE": ["bytes=99999999999999999999-", "bytes=-1", "x"],
    "HTTP_X_FORWARDED_FOR": ["\x00", "9" * 400],
    "HTTP_USER_AGENT": ["\x00", "Yealink SIP-T54W " + "9" * 4_000, "\xed\xa0\x80"],
    "HTTP_ORIGIN": ["http://[", "null", "\xff"],
    "HTTP_AUTHORIZATION": ["Basic \xff", "Digest " + "x" * 5_000],
    "CONTENT_LENGTH": ["-1", "x", "9" * 30],
    "CONTENT_TYPE": ["text/plain; charset=hex", "text/plain; charset=\x00", "a; b*=hex''x"],
    "REMOTE_ADDR": ["", "x", "fe80::1%eth0"],
}  # fmt: skip


def test_anything_in_a_header(everything: Any) -> None:
    people, addresses = everything
    pairs = cycle([(name, value) for name, values in HEADERS.items() for value in values])
    for who, url in addresses[::3]:
        name, value = next(pairs)
        asked = people[who]
        if name == "HTTP_COOKIE":
            value = "; ".join([*(f"{key}={each.value}" for key, each in asked.cookies.items()), value])
        if name == "CONTENT_TYPE":
            asked.ask("POST", url, "q=%5Cud800", kind=value)
        else:
            asked.ask("GET", url, **{name: value})
    assert all(person.wrong == {} for person in people.values()), [person.wrong for person in people.values()]


@BOTH
def test_anything_that_a_list_of_the_support_desk_can_be_asked(world: Any) -> None:
    """Each filter with each of its lookups, search, order, page, what opens a record, and the days of the history."""
    asked = Asked(world[0]["support"])
    values, lookups = cycle([value for value in VALUES if len(value) < 100]), cycle(sorted(LOOKUPS))
    for model, page in admin.site._registry.items():
        url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        names = {
            "q",
            "o",
            "p",
            "all",
            "e",
            "_popup",
            "_to_field",
            "_facets",
            "_changelist_filters",
            *page.asked_by_links,
        }
        for offered in page.list_filter:
            name = (
                offered
                if isinstance(offered, str)
                else offered[0]
                if isinstance(offered, tuple)
                else offered.parameter_name
            )
            names |= {name, f"{name}__{next(lookups)}"}
        if days := page.date_hierarchy:
            names |= {f"{days}__{lookup}" for lookup in DATE_LOOKUPS}
            for year, month, day in (
                ("9" * 30, "1", "1"),
                ("2027", "2", "29"),
                ("0", "13", "-1"),
                ("9999", "12", "31"),
            ):
                asked.ask("GET", url, f"{days}__year={year}&{days}__month={month}")
                asked.ask("GET", url, f"{days}__year={year}&{days}__month={month}&{days}__day={day}")
        for name in sorted(names):
            asked.ask("GET", url, f"{name}={next(values)}")
        # Words, in whatever a column keeps: a name, an address, a number.
        asked.ask("GET", url, "q=rive%20sud")
        first = model._default_manager.first()
        if first is not None:
            for kind in ("change", "delete", "history"):
                asked.ask(
                    "GET",
                    reverse(
                        f"admin:{model._meta.app_label}_{model._meta.model_name}_{kind}", args=[first.pk]
                    ),
                    "_to_field=",
                )
        for action in ("delete_chosen", "x"):
            asked.ask(
                "POST",
                url,
                "",
                f"action={action}&_selected_action={next(values)}&index={next(values)}&select_across=1".encode(),
            )
    assert asked.wrong == {}


def test_where_a_status_leads_back_to_is_a_page_and_no_name_of_one(world: Any) -> None:
    clients, _arguments, _more = world
    for address in ("/me/status", "/c/boreale/users/101/status"):
        for target in (
            "x",
            "own_page",
            "users",
            "//evil.example",
            "/\\evil.example",
            "https:evil",
            "javascript:alert(1)",
            "a/../b",
        ):
            answer = clients["owner"].post(address, {"status": "away", "next": target})
            assert answer.status_code == 302
            assert answer["Location"].startswith(("/me", "/c/boreale/users/101/")), target
        assert (
            clients["owner"].post(address, {"status": "away", "next": "/c/boreale/?a=b"})["Location"]
            == "/c/boreale/?a=b"
        )


@BOTH
def test_a_nul_sign_in_a_field_is_nothing_as_it_looks(world: Any) -> None:
    """On both databases alike; in the name of a field too."""
    client, person = world[0]["user"], User.objects.get(number="101", customer__slug="boreale")
    number = {"available.no_answer_external": "external:+1514\0", "available.no_answer_\0internal": "\0busy"}
    assert client.post("/me/forwarding", {"seen": person.version, **number}).status_code == 422
    assert client.post("/me/status", {"sta\0tus": "aw\0ay"}).status_code == 302
    assert User.objects.get(pk=person.pk).status == "away"
