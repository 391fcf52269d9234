"""Every address again, as an attacker uses it: without the token of its form, only looking, and with anything in every field."""

import re
from html.parser import HTMLParser
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from pbxadmin.tests.test_doors import DOORS, url_of, world
from users.company.sheets import customer_sheet, department_sheet
from users.people.sections import user_sheet

__all__ = ["world"]  # a fixture: pytest finds it by its name

# What an app or a phone asks for, without a form of ours.
WITHOUT_FORM = {
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
QUERY = (
    "q", "page", "sort", "role", "status", "no_2fa", "to", "caller", "at", "state", "phone", "saved", "shown", "next", "typed", "draw",
    "backup", "lang", "per_page", "order", "tab", "sent",
)  # fmt: skip


# Those of them that a browser, or a log, may carry in an address.
IN_AN_ADDRESS = [value for value in HOSTILE if len(value) < 100][::2]


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


def addresses_of(name: str, arguments: dict, more: dict) -> list[str]:
    """An address with each of its tabs."""
    url = url_of(name, arguments, more)
    if name == "user_tab":
        return [reverse(name, args=["boreale", "101", section.slug]) for section in user_sheet().sections]
    for tabs, sheet in (("department_tab", department_sheet), ("customer_settings", customer_sheet)):
        if name == tabs:
            return [url.rpartition("/")[0] + f"/{section.slug}" for section in sheet().sections]
    return [url]


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


@pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded", "application/json"])
@pytest.mark.parametrize("htmx", [False, True])
def test_no_address_takes_a_post_from_elsewhere(world, content_type, htmx):
    clients, arguments, more = world
    headers = {"origin": "https://evil.example"} | ({"hx-request": "true"} if htmx else {})
    taken = {}
    for person in ("stranger", "owner", "support"):
        client = clients[person]
        client.handler.enforce_csrf_checks = True
        for name in DOORS.keys() - WITHOUT_FORM:
            answer = client.post(url_of(name, arguments, more), "{}", content_type, headers=headers)
            if answer.status_code != 403:
                taken[person, name] = answer.status_code
    assert taken == {}


@pytest.mark.parametrize("person", ["user", "soins_admin", "owner", "support"])
def test_looking_at_any_address_writes_nothing(world, person):
    clients, arguments, more = world
    client = clients[person]
    written = {}
    for name in DOORS:
        for url in addresses_of(name, arguments, more):
            with CaptureQueriesContext(connection) as queries:
                client.get(url)
                client.head(url)
            found = [
                query["sql"][:60]
                for query in queries
                if query["sql"].lstrip().upper().startswith(("INSERT", "UPDATE", "DELETE"))
                and "django_session" not in query["sql"]
            ]
            if found:
                written[url] = found
    assert written == {}


@pytest.mark.parametrize("part", range(3))
def test_anything_in_a_query_is_answered_calmly(world, part):
    clients, arguments, more = world
    client = clients["owner"]
    client.raise_request_exception = False
    wrong = {}
    for name in list(DOORS)[part::3]:
        for url in addresses_of(name, arguments, more):
            for value in IN_AN_ADDRESS:
                if problem := what_is_wrong(client.get(url, dict.fromkeys(QUERY, value[:4_000]))):
                    wrong[url, value[:40]] = problem
    assert wrong == {}


@pytest.mark.parametrize("person", ["owner", "support"])
@pytest.mark.parametrize("part", range(4))
def test_anything_in_every_field_is_answered_calmly(world, person, part):
    clients, arguments, more = world
    client = clients[person]
    client.raise_request_exception = False
    cookies = client.cookies.copy()
    wrong = {}
    for name in list(DOORS)[part::4]:
        if person == "support" and DOORS[name] == DOORS["user_tab"]:
            continue  # the same pages as the owner's
        for url in addresses_of(name, arguments, more):
            fields = fields_of(client, url) | {"chosen": "1", "all_matching": "", "do": "add", "keys": ""}
            # All at once, and each alone: what is refused first hides the rest. Of many fields of a kind the first ones stand for all.
            alone = [name for name in fields if not re.search(r"-([2-9]|\d\d+)-", name)][:20]
            sent = [dict.fromkeys(fields, value) for value in HOSTILE[::2]]
            sent += [fields | {name: value} for name in alone for value in HOSTILE[:1]]
            for data in sent:
                with transaction.atomic():
                    problem = what_is_wrong(client.post(url, data))
                    transaction.set_rollback(True)
                client.cookies = cookies.copy()
                if problem:
                    wrong[url, str(set(data.values()) - set(fields.values()))[:60]] = problem
    assert wrong == {}


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
