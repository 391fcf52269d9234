"""Read-only support staff see everything and change nothing by any way in: every form of the portal and of the desk, sent by them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qsl, urljoin, urlsplit

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import Resolver404, resolve

from pbxadmin.tests.test_doors import DOORS, url_of, world, written
from users.models import User

__all__ = ["world"]
pytestmark = pytest.mark.slow("every page of the portal and of the desk")

STARTS = ("/customers", "/c/boreale/", "/c/boreale/users/101/phone", "/c/boreale/history", "/support/")
# One's own account, and how the portal looks to oneself: nobody else's, so everybody's to change.
OWN = frozenset({
    "set_language", "set_theme", "set_density", "sign_in", "sign_in_company", "sign_in_at", "sso_start", "sso_back", "forgot_password",
    "second_factor", "second_factor_enrol", "second_factor_prove", "second_factor_remove", "step_up", "sign_out", "own_password",
    "backup_codes", "own_sessions", "admin:list_columns", "sso_link", "sso_confirm", "sso_unlink", "users_columns", "own_visitor",
})  # fmt: skip
# What a form has to say besides its own fields before it does anything.
YES = {"confirmed": "1", "confirm": "1", "without": "1", "do": "add", "numbers": "101", "command": "resync"}

ENOUGH = 12


@dataclass
class Sent:
    """What a form would send to where."""

    url: str
    values: list[tuple[str, str]] = field(default_factory=list)


class PageParser(HTMLParser):
    """The links of a page, and each of its forms that post, once for every button that sends it."""

    def __init__(self, url: str, page: str) -> None:
        super().__init__()
        self.url, self.links, self.forms = url, list[str](), dict[str, Sent]()
        self.buttons: list[tuple[str, Sent]] = []
        self._form = self._menu = ""
        self._groups: list[bool] = []  # whether the groups of fields around are disabled
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """One element."""
        facts: dict[str, Any] = {name: value or "" for name, value in attrs}
        if tag == "a" and "href" in facts:
            self.links.append(urljoin(self.url, facts["href"]))
        elif tag == "fieldset":
            self._groups.append("disabled" in facts)
        elif tag == "form":
            self._form = facts.get("id") or f"?{len(self.forms)}"
            if facts.get("method", "").lower() == "post":
                self.forms[self._form] = Sent(urljoin(self.url, facts.get("action") or self.url))
        else:
            self._control(tag, facts)

    def _control(self, tag: str, facts: dict[str, Any]) -> None:
        form = self.forms.get(facts.get("form") or self._form)
        if form is None or any(self._groups):
            return
        if tag == "button" and facts.get("type", "submit") == "submit":
            said = [(facts["name"], facts.get("value", ""))] if facts.get("name") else []
            self.buttons.append(
                (
                    facts.get("form") or self._form,
                    Sent(urljoin(self.url, facts.get("formaction") or form.url), said),
                )
            )
        elif tag == "select":
            self._menu = facts.get("name", "")
        elif tag == "option" and self._menu:
            form.values.append((self._menu, facts.get("value", "")))  # the last one: another than was chosen
        elif tag == "textarea" and facts.get("name"):
            form.values.append((facts["name"], "x"))
        elif tag == "input" and facts.get("name"):
            text = facts.get("type", "text") in ("text", "search", "email", "tel", "number", "url")
            form.values.append(
                (facts["name"], "7" if text and not facts.get("value") else facts.get("value") or "on")
            )

    def handle_endtag(self, tag: str) -> None:
        """The end of a form, a menu, a group."""
        if tag == "form":
            self._form = ""
        elif tag == "select":
            self._menu = ""
        elif tag == "fieldset":
            self._groups.pop()

    def sent(self) -> Iterator[Sent]:
        """Everything that one could send from here."""
        for name, form in self.forms.items():
            for of, button in self.buttons:
                if of == name:
                    yield Sent(button.url, [*form.values, *button.values])


def kind_of(url: str) -> tuple[str, str] | None:
    """Which page an address is, whoever's it is about; None where it leads out, or is one's own."""
    parts = urlsplit(url)
    if parts.netloc not in ("", "testserver") or parts.scheme not in ("", "http", "https"):
        return None
    try:
        found = resolve(parts.path)
    except Resolver404:
        return None
    name = f"{found.app_name}:{found.url_name}" if found.app_name else found.url_name or ""
    return (
        (name, str(found.kwargs.get("tab", found.kwargs.get("app_label", "")))) if name not in OWN else None
    )


def walk(client: Client) -> tuple[dict[str, int], list[Sent]]:
    """Every kind of page that is linked from where one begins: how each answered, and what one could send from there."""
    queue = [f"http://testserver{start}" for start in STARTS]
    seen: set[tuple[str, str]] = set()
    answers: dict[str, int] = {}
    forms: dict[tuple[Any, ...], Sent] = {}
    while queue:
        url = queue.pop(0)
        kind = kind_of(url)
        if kind is None or kind in seen:
            continue
        seen.add(kind)
        parts = urlsplit(url)
        answer = client.get(parts.path, dict(parse_qsl(parts.query)))
        answers[parts.path] = answer.status_code
        if answer.status_code in (301, 302):
            queue.append(urljoin(url, answer.headers["Location"]))
        elif not answer.streaming and "html" in answer.headers.get("Content-Type", ""):
            page = PageParser(url, answer.content.decode())
            queue += page.links
            for sent in page.sent():
                if to := kind_of(sent.url):
                    forms.setdefault((to, *sorted({name for name, _value in sent.values})), sent)
    return answers, list(forms.values())


def sends(client: Client, sent: Sent) -> tuple[int, list[str]]:
    """How a form was answered, and what was written; all of it is taken back."""
    data: dict[str, list[str]] = {name: [value] for name, value in YES.items()}
    for name, value in sent.values:
        if name != "csrfmiddlewaretoken":
            data[name] = [value]
    person = User.objects.filter(number="101", customer__slug="boreale").values_list("pk", flat=True)
    data.setdefault("chosen", [str(key) for key in person])
    with transaction.atomic(), CaptureQueriesContext(connection) as queries:
        answer = client.post(urlsplit(sent.url)._replace(scheme="", netloc="").geturl(), data)
        transaction.set_rollback(True)
    return answer.status_code, written(queries)


def test_read_only_staff_change_nothing_by_any_way_in(world):
    clients, arguments, more = world
    _answers, forms = walk(clients["manager"])
    wrote = {}
    for sent in forms:
        status, statements = sends(clients["read_only"], sent)
        assert (sent.url, statements) == (sent.url, [])
        assert status != 500, sent.url
        kind = kind_of(sent.url)
        if len(wrote) < ENOUGH and kind not in wrote and sends(clients["manager"], sent)[1]:
            wrote[kind] = sent.url
    # The same forms do change something when a manager sends them.
    assert len(wrote) == ENOUGH, wrote
    for name in DOORS.keys() - OWN:
        url = url_of(name, arguments, more)
        status, statements = sends(clients["read_only"], Sent(f"http://testserver{url}"))
        assert (url, status == 500, statements) == (url, False, [])


def test_read_only_staff_are_shown_nothing_that_they_may_not_press(world):
    clients, _arguments, _more = world
    answers, forms = walk(clients["read_only"])
    assert {url: status for url, status in answers.items() if status not in (200, 301, 302)} == {}
    assert len(answers) > 60
    assert [sent.url for sent in forms if sends(clients["read_only"], sent)[0] == 403] == []
