"""Administrators as a bench plays them: over HTTP, with cookies, forms and what stands in them. They know nothing of the portal.

They work in a process of their own, one thread each, and write down every answer: what a save was acknowledged for must be there
afterwards, and once.
"""

import html
import http.client
import random
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing import Queue
from multiprocessing.synchronize import Event
from typing import Any
from urllib.parse import urlencode

FORM = re.compile(r"<form\b([^>]*)>(.*?)</form>", re.DOTALL)
INPUT = re.compile(r"<input\b([^>]*)>")
AREA = re.compile(r"<textarea\b([^>]*)>\r?\n?(.*?)</textarea>", re.DOTALL)
SELECT = re.compile(r"<select\b([^>]*)>(.*?)</select>", re.DOTALL)
OPTION = re.compile(r"<option\b([^>]*)>")
ATTRIBUTE = re.compile(r"""([\w-]+)(?:=(?:"([^"]*)"|'([^']*)'|([^\s"'>]+)))?""")
TOKEN_NAME = "csrfmiddlewaretoken"
TOKEN = re.compile(f'name="{TOKEN_NAME}" value="([^"]+)"')
# What one administrator waits before trying again what failed.
AGAIN = 1.0


def attributes(text: str) -> dict[str, str]:
    """The attributes of a tag."""
    return {
        name.lower(): html.unescape(double or single or bare)
        for name, double, single, bare in ATTRIBUTE.findall(text)
    }


def form_of(page: str, identity: str = "", action: str = "") -> list[tuple[str, str]]:
    """What a browser would send of the form with this id, or whose address ends so, as it stands; raises ValueError without one."""
    for tag, inside in FORM.findall(page):
        facts = attributes(tag)
        if (identity and facts.get("id") == identity) or (
            action and facts.get("action", "").endswith(action)
        ):
            return _fields(inside)
    raise ValueError(f"there is no form {identity or action}")


def _fields(inside: str) -> list[tuple[str, str]]:
    sent = []
    for tag in INPUT.findall(inside):
        facts = attributes(tag)
        kind = facts.get("type", "text")
        if "name" not in facts or "disabled" in facts or kind in ("submit", "button", "file", "image"):
            continue
        if kind not in ("checkbox", "radio") or "checked" in facts:
            sent.append((facts["name"], facts.get("value", "on" if kind in ("checkbox", "radio") else "")))
    for tag, text in AREA.findall(inside):
        facts = attributes(tag)
        if "name" in facts and "disabled" not in facts:
            sent.append((facts["name"], html.unescape(text)))
    for tag, text in SELECT.findall(inside):
        facts = attributes(tag)
        options = [attributes(option) for option in OPTION.findall(text)]
        if "name" not in facts or "disabled" in facts or not options:
            continue
        chosen = [option for option in options if "selected" in option]
        if "multiple" not in facts:
            chosen = chosen[-1:] or options[:1]
        sent += [(facts["name"], option.get("value", "")) for option in chosen]
    return sent


@dataclass
class Answer:
    """What came back."""

    status: int  # 0: no whole answer
    headers: http.client.HTTPMessage
    text: str
    seconds: float

    @property
    def graceful(self) -> bool:
        """Whether a refusal for now says when to come back, and nothing of the inside."""
        return self.status == 503 and "Retry-After" in self.headers and "Traceback" not in self.text


@dataclass
class Browser:
    """One browser: cookies and a kept connection."""

    port: int
    host: str
    address: str
    tell: Callable[[dict[str, Any]], None]
    stranger: str = ""  # a word that no page may hold
    cookies: dict[str, str] = field(default_factory=dict)
    _connection: http.client.HTTPConnection | None = None

    def ask(self, method: str, path: str, form: list[tuple[str, str]] | None = None) -> Answer:
        """One request, told to whoever counts."""
        begin = time.monotonic()
        headers = {"Host": self.host, "Accept": "text/html", "Accept-Language": "fr-CA"}
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        body = None
        if form is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            body = urlencode(form)
        fresh = self._connection is None
        try:
            answer = self._answer(method, path, body, headers, begin)
        except (OSError, http.client.HTTPException) as error:
            self.leave()
            # As browsers do: what was only looked at is asked again, where a kept connection had ended.
            if not fresh and method == "GET" and not isinstance(error, TimeoutError):
                return self.ask(method, path)
            answer = Answer(0, http.client.HTTPMessage(), type(error).__name__, time.monotonic() - begin)
        self.tell({
            "kind": "page", "at": begin, "seconds": answer.seconds, "status": answer.status, "method": method, "path": path,
            "graceful": answer.graceful, "said": answer.text[:300] if answer.status >= 500 else "",
            "stranger": bool(self.stranger) and self.stranger in answer.text,
        })  # fmt: skip
        return answer

    def _answer(
        self, method: str, path: str, body: str | None, headers: dict[str, str], begin: float
    ) -> Answer:
        if self._connection is None:
            self._connection = http.client.HTTPConnection(
                "127.0.0.1", self.port, timeout=130, source_address=(self.address, 0)
            )
        self._connection.request(method, path, body, headers)
        response = self._connection.getresponse()
        text = response.read().decode()
        for cookie in response.headers.get_all("Set-Cookie") or ():
            name, _equals, value = cookie.partition(";")[0].partition("=")
            self.cookies[name.strip()] = value
        if response.will_close:
            self.leave()
        return Answer(response.status, response.headers, text, time.monotonic() - begin)

    def leave(self) -> None:
        """End the connection."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def sign_in(self, login: str, password: str) -> None:
        """Until it is done; raises ValueError where it is refused."""
        while True:
            page = self.ask("GET", "/sign-in")
            if page.status == 200:
                form = [
                    pair
                    for pair in form_of(page.text, action="/sign-in")
                    if pair[0] not in ("login", "password")
                ]
                done = self.ask("POST", "/sign-in", [*form, ("login", login), ("password", password)])
                if done.status == 302:
                    return
                if done.status not in (0, 429, 503):
                    raise ValueError(f"the sign-in answers {done.status}")
            time.sleep(AGAIN)


@dataclass
class Administrator:
    """Somebody who opens tabs and saves them all day."""

    number: int
    browser: Browser
    slug: str
    mine: list[dict[str, str]]  # people whom nobody else changes
    contested: list[dict[str, str]]  # and those whom all change
    strangers: list[str]  # addresses of another customer's pages
    tell: Callable[[dict[str, Any]], None]
    count: int = 0
    leaving: list[int] = field(default_factory=list)  # keys of people to be deleted, many at once

    def save(self) -> None:
        """Open somebody's first tab, give them a name that nobody ever had, and save it."""
        phone = random.choice(self.contested if self.count % 10 == 9 else self.mine)
        tab = f"/c/{self.slug}/users/{phone['number']}/general"
        page = self.browser.ask("GET", tab)
        if page.status != 200:
            return
        self.count += 1
        name = f"N{self.number}x{self.count:05}"
        form = [pair for pair in form_of(page.text, "tab") if pair[0] != "first_name"]
        begin = time.monotonic()
        answer = self.browser.ask("POST", tab, [*form, ("first_name", name)])
        target = answer.headers.get("Location", "")
        saved = answer.status == 302 and "saved=1" in target
        # 4xx: nothing was saved, and the page says so. Anything else may have been.
        outcome = "saved" if saved else "refused" if 400 <= answer.status < 500 else "unknown"
        self.tell({
            "kind": "save", "at": begin, "end": time.monotonic(), "mac": phone["mac"], "number": phone["number"],
            "slug": self.slug, "name": name, "outcome": outcome, "status": answer.status,
        })  # fmt: skip
        if saved:
            self.browser.ask("GET", target)

    def look(self) -> None:
        """At a list, a history, a tab, or a page of another customer that isn't there for them."""
        phone = random.choice(self.mine)
        person = f"/c/{self.slug}/users/{phone['number']}"
        paths = [
            f"/c/{self.slug}/users/?q={phone['number']}", f"/c/{self.slug}/users/", f"{person}/phone", f"{person}/forwarding",
            f"/c/{self.slug}/history", f"/c/{self.slug}/", f"{person}/history", random.choice(self.strangers),
        ]  # fmt: skip
        self.browser.ask("GET", random.choice(paths))

    def restart(self) -> None:
        """Press "restart" for somebody's phone."""
        phone = random.choice(self.mine)
        person = f"/c/{self.slug}/users/{phone['number']}"
        page = self.browser.ask("GET", f"{person}/phone")
        if page.status != 200:
            return
        command = f"{person}/phones/{phone['mac']}/command"
        form = form_of(page.text, action=command)
        begin = time.monotonic()
        answer = self.browser.ask("POST", command, [*form, ("command", "restart")])
        self.tell({"kind": "restart", "at": begin, "mac": phone["mac"], "status": answer.status})

    def delete_many(self) -> None:
        """Delete sixty people: more than are done while one waits, so it becomes a job."""
        going, self.leaving = self.leaving[:60], self.leaving[60:]
        path = f"/c/{self.slug}/users/chosen/delete"
        page = self.browser.ask("GET", f"/c/{self.slug}/users/")
        token = TOKEN.search(page.text)
        chosen = [(TOKEN_NAME, token[1] if token else ""), *(("chosen", str(key)) for key in going)]
        asked = self.browser.ask("POST", path, chosen) if token else page
        if asked.status != 200:
            self.leaving = going + self.leaving
            return
        form = [pair for pair in form_of(asked.text, action=path) if pair[0] != "confirm"]
        answer = self.browser.ask("POST", path, [*form, ("confirm", str(len(going)))])
        started = answer.status == 302 and "/jobs/" in answer.headers.get("Location", "")
        self.tell({"kind": "job", "keys": going, "started": started, "status": answer.status})

    def work(self, pace: float, stop: threading.Event) -> None:
        """A save every so many seconds until the end, and something else between two of them now and then."""
        due = time.monotonic() + random.uniform(0, pace)
        while not stop.wait(max(0.0, due - time.monotonic())):
            due = max(due + pace, time.monotonic() - pace)
            self.save()
            if random.random() < 0.3:
                self.look()
            if random.random() < 0.02:
                self.restart()
            if self.leaving and random.random() < 0.02:
                self.delete_many()


def office(
    port: int, host: str, customers: list[dict[str, Any]], pace: float, said: "Queue[Any]", stop: "Event"
) -> None:
    """All administrators of all customers in this process, until `stop`; what happens to them is `said`, first "ready"."""
    people = []
    for customer in customers:
        other = next(one for one in customers if one is not customer)
        phones, count = customer["phones"], len(customer["administrators"])
        for turn, account in enumerate(customer["administrators"]):
            number = len(people)
            browser = Browser(port, host, f"127.9.0.{number + 1}", said.put, other["word"])
            people.append(
                Administrator(
                    number, browser, customer["slug"], phones[4 + turn :: count], phones[:4],
                    [f"/c/{other['slug']}/users/{other['phones'][0]['number']}/general", f"/c/{other['slug']}/"],
                    said.put, leaving=list(customer["leaving"]) if turn == 0 else [],
                )
            )  # fmt: skip
            browser.sign_in(account["login"], account["password"])
    said.put("ready")
    threads = [threading.Thread(target=person.work, args=(pace, stop)) for person in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    said.put("gone")
