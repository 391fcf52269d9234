"""Every address again, as an attacker uses it: without the token of its form, and with anything in every field."""

import re
from collections.abc import Iterable, Iterator, Sequence
from html.parser import HTMLParser
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from pbxadmin.tests.test_doors import DOORS, addresses_of, url_of, world
from pbxadmin.tests.test_house import sources
from users.people.sections import user_sheet

pytestmark = pytest.mark.slow("every address with anything in every field")

__all__ = ["world"]  # a fixture: pytest finds it by its name

# What an app, a phone or a node of the phone system asks for, without a form of ours.
WITHOUT_FORM = {
    *(name for name in DOORS if name.startswith("node_")),
    "app_config",
    "app_config_nothing",
    "redirection",
    "redirection_nothing",
    "provisioning",
    "provisioning_nothing",
}
CALM = {200, 204, 302, 400, 403, 404, 405, 409, 422, 429}
MARK = "\"'><img src=x onerror=alert(7)>"
# Values that broke something somewhere once: in a database, a parser of numbers, dates or JSON, a header, a page.
HOSTILE = [
    MARK,
    "-1",
    "1" * 400,
    "2147483648",
    "9223372036854775807",
    "1e400",
    "NaN",
    "²",
    "٣٣٣",
    "a\r\nBcc: x@evil.example",
    "\x1b[31m",
    "\u202egnp.exe",
    "\ufeff",
    "😀" * 60,
    "x" * 20_000,
    "' OR 1=1 --",
    "(select sqlite_version())",
    "password__startswith",
    "{{ settings.SECRET_KEY }}",
    "%(x)s ${7*7} {0.__class__}",
    "../../../etc/passwd",
    "0001-01-01T00:00",
    "9999-12-31T23:59",
    "2027-02-29",
    "2027-03-14T02:30",
    "25:99-24:01",
    "[" * 3_000,
    '[{"position": 1e999, "kind": ["blf"]}]',
    "null",
    "external:+1",
    "extension:102?voicemail&deflect",
    "//evil.example",
    "/\t/evil.example",
]
# Those of them that a browser, or a log, may carry in an address.
IN_AN_ADDRESS = [value for value in HOSTILE if len(value) < 100]


# What is read from an address, where the source doesn't say it plainly.
QUERY = {"at", "caller", "draw", "no_2fa", "lang", "order", "per_page", "tab", "to", "backup"}
READ = re.compile(r"""(?:(?:GET|parameters)(?:\.get|\.getlist)?[(\[]|one_of\()\s*["'](\w+)["']""")


def parameters() -> list[str]:
    """What our views read from an address."""
    return sorted(QUERY.union(*(READ.findall(path.read_text()) for path in sources())))


class Fields(HTMLParser):
    """The names and first values of everything that a page can send."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: dict[str, str] = {}
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        """One element."""
        facts = dict(attrs)
        if tag in ("input", "select", "textarea", "button") and facts.get("name"):
            self.found.setdefault(facts["name"], facts.get("value") or "")


def fields_of(client: Client, url: str) -> dict[str, str]:
    response = client.get(url)
    html = response.status_code == 200 and "html" in response.headers.get("Content-Type", "")
    return Fields(response.content.decode()).found if html else {}


def what_is_wrong(response: Any) -> str:
    """Why an answer isn't a calm one; "" where it is."""
    if response.status_code not in CALM:
        return str(response.status_code)
    target = response.headers.get("Location", "") + response.headers.get("HX-Redirect", "")
    if re.match(r"[a-z]+:|[\\/][\\/\s]", target):
        return f"leads to {target[:60]}"
    if "html" in response.headers.get("Content-Type", "") and b"<img src=x onerror" in response.content:
        return "unescaped"
    return ""


def mixed(fields: Iterable[str], values: Sequence[str], first: int, turn: int) -> dict[str, str]:
    """Another value in each field, another one at each turn, and others again where `first` is another."""
    return {
        name: values[(first + place + turn * (len(values) // 3 + 1)) % len(values)]
        for place, name in enumerate(fields)
    }


# How a form can be sent by somebody else's page: each has another way through what reads it.
FROM_ELSEWHERE = [
    ("stranger", "application/x-www-form-urlencoded", {}),
    ("owner", "application/x-www-form-urlencoded", {"hx-request": "true"}),
    ("support", "application/json", {}),
]


def test_no_address_takes_a_post_from_elsewhere(world):
    clients, arguments, more = world
    taken = {}
    for person, content_type, headers in FROM_ELSEWHERE:
        client = clients[person]
        client.handler.enforce_csrf_checks = True
        headers = headers | {"origin": "https://evil.example"}
        for name in DOORS.keys() - WITHOUT_FORM:
            answer = client.post(url_of(name, arguments, more), "{}", content_type, headers=headers)
            if answer.status_code != 403:
                taken[person, name] = answer.status_code
    assert taken == {}


@pytest.mark.parametrize("part", range(2))
def test_anything_in_a_query_is_answered_calmly(world, part):
    clients, arguments, more = world
    client = clients["owner"]
    client.raise_request_exception = False
    names = parameters()
    wrong = {}
    for place, name in list(enumerate(DOORS))[part::2]:
        for url in addresses_of(name, arguments, more):
            for turn in range(2 if client.get(url).status_code == 200 else 1):
                query = mixed(names, IN_AN_ADDRESS, place, turn)
                if problem := what_is_wrong(client.get(url, query)):
                    wrong[url, turn] = problem, query
    assert wrong == {}


@pytest.mark.parametrize("person", ["owner", "support"])
@pytest.mark.parametrize("part", range(2))
def test_anything_in_every_field_is_answered_calmly(world, person, part):
    """Also what is accepted: the page that shows it again is as calm."""
    clients, arguments, more = world
    client = clients[person]
    client.raise_request_exception = False
    cookies = client.cookies.copy()
    wrong = {}
    for place, name in list(enumerate(DOORS))[part::2]:
        for url in addresses_of(name, arguments, more):
            fields = fields_of(client, url)
            if person == "support" and fields.keys() == fields_of(clients["owner"], url).keys():
                continue  # the owner's form, and so the owner's fields
            for data in sendings(fields, place):
                with transaction.atomic():
                    answer = client.post(url, data)
                    problem = what_is_wrong(answer)
                    if not problem and answer.status_code == 302:
                        problem = what_is_wrong(client.get(url))
                    transaction.set_rollback(True)
                client.cookies = cookies.copy()
                if problem:
                    wrong[url, str(set(data.values()) - set(fields.values()))[:60]] = problem
                if answer.status_code == 405:
                    break
    assert wrong == {}


def sendings(fields: dict[str, str], first: int) -> Iterator[dict[str, str]]:
    """What is sent to one address: other values in all fields at once, and in one field of each kind alone.

    What is refused first hides the rest, so each is tried alone as well. Rows, weeks and statuses repeat the same fields.
    """
    everything = fields | {"chosen": "1", "all_matching": "", "do": "add", "keys": ""}
    yield dict.fromkeys(everything, MARK)
    for turn in range(2):
        yield mixed(everything, HOSTILE, first, turn)
    kinds = {re.sub(r"\d+", "#", name.rpartition(".")[2] or name): name for name in fields}
    for place, name in enumerate(list(kinds.values())[:14]):
        yield everything | {name: HOSTILE[(first + place) % len(HOSTILE)]}


@settings(
    max_examples=30,
    derandomize=True,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_whatever_text_is_typed_into_a_tab_comes_back_as_text(world, data):
    clients, _arguments, _more = world
    client = clients["owner"]
    client.raise_request_exception = False
    text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=80)
    section = data.draw(st.sampled_from([section.slug for section in user_sheet().sections]))
    url = reverse("user_tab", args=["boreale", "101", section])
    fields = fields_of(client, url)
    for name in data.draw(st.lists(st.sampled_from(sorted(fields)), max_size=4, unique=True)):
        fields[name] = data.draw(text) + data.draw(st.sampled_from(["", MARK]))
    with transaction.atomic():
        assert what_is_wrong(client.post(url, fields)) == ""
        transaction.set_rollback(True)
