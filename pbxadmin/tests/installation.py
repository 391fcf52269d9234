"""A whole installation as `./run` makes it, for the browser tests: web server, worker, beat, Valkey, virtual phone, browser."""

import base64
import hashlib
import hmac
import json
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from asterisk.engine import ports

ROOT = Path(__file__).resolve().parent.parent.parent
CHROMIUM = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def free_port(kind: int = socket.SOCK_STREAM) -> int:
    """A port of loopback that nobody listens on, and that no other test is given."""
    return ports.free_port((kind,))


def until(true: Callable[[], Any], seconds: float = 20) -> Any:
    """Wait until something is true and give it; fail with what it last was."""
    deadline = time.monotonic() + seconds
    last = None
    while time.monotonic() < deadline:
        if last := true():
            return last
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds} s: {last!r}")


def code_of(secret: str, at: float | None = None) -> str:
    """What an authenticator app shows (RFC 6238), computed here from its base32 key and nothing of the portal's."""
    key = base64.b32decode(secret.replace(" ", "") + "=" * (-len(secret.replace(" ", "")) % 8))
    digest = hmac.new(key, struct.pack(">Q", int((at or time.time()) // 30)), hashlib.sha1).digest()
    offset = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[offset : offset + 4])[0] & 0x7FFFFFFF) % 10**6:06}"


# Does each script that it is told, a line of JSON, and answers each with an empty line.
DOES_AS_TOLD = """
import json, sys
import django
django.setup()
for line in sys.stdin:
    exec(json.loads(line), {})
    print(flush=True)
"""


@dataclass
class Installation:
    """A running portal with its demo data."""

    url: str
    var: Path
    told: subprocess.Popen[str] | None = None
    support: dict[str, Any] = field(default_factory=dict)  # the session of support staff, once it has begun

    def account(self, login: str) -> dict[str, str]:
        """The demo account whose login begins so."""
        accounts = json.loads((self.var / "demo.json").read_text())["accounts"]
        return next(account for account in accounts if account["login"].startswith(login))

    def tell(self, script: str) -> None:
        """Do this beside the portal, in one process for all that is told: to start one costs two seconds of processor."""
        if self.told is None:
            pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
            command = [sys.executable, "-c", DOES_AS_TOLD]
            self.told = subprocess.Popen(command, cwd=ROOT, env=environment_of(self.var), text=True, **pipes)
        assert self.told.stdin is not None
        assert self.told.stdout is not None
        print(json.dumps(script), file=self.told.stdin, flush=True)
        assert self.told.stdout.readline() == "\n", f"it ended with {self.told.wait(10)}"

    def end(self) -> None:
        """Let go of what was started beside the portal."""
        if self.told is not None:
            self.told.communicate(timeout=20)

    def phone_log(self) -> str:
        """What the virtual phone says it did."""
        return (self.var / "log" / "phone.log").read_text()

    def sign_in(self, page: Page, login: str) -> None:
        """Begin a session of a demo account as the form does, with nothing drawn: a page costs twenty times as much."""
        account, address = self.account(login), f"{self.url}/sign-in"
        [token] = re.findall(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.request.get(address).text())[
            :1
        ]
        given = {name: account[name] for name in ("login", "password")} | {"csrfmiddlewaretoken": token}
        answer = page.request.post(address, form=given, max_redirects=0)
        assert answer.status == 302, answer.text()

    def type_in(self, page: Page, login: str) -> None:
        """Type login and password of a demo account into the page."""
        account = self.account(login)
        page.goto(f"{self.url}/sign-in")
        page.fill("input[name=login]", account["login"])
        page.fill("input[name=password]", account["password"])
        page.click("form:has(input[name=password]) button.btn-primary")
        page.wait_for_load_state()

    def sign_in_as_support(self, page: Page) -> None:
        """Sign in as support staff: an app is set up before anything else, and its code works once only."""
        if self.support:
            page.context.add_cookies(self.support["cookies"])
            return
        self.type_in(page, "soutien")
        assert "/sign-in/app" in page.url
        page.get_by_text("Tapez la clé").click()
        secret = page.locator("main code").first.inner_text()
        page.fill("input[name=code]", code_of(secret))
        page.get_by_role("button", name="Confirmer").click()
        expect(page.get_by_role("heading", name="Vos codes de secours")).to_be_visible()
        self.support = dict(page.context.storage_state())

    def support_session(self, browser: Browser) -> Any:
        """The session of support staff, to begin a page with."""
        if not self.support:
            with watched(browser) as page:
                self.sign_in_as_support(page)
        return self.support


def environment_of(var: Path) -> dict[str, str]:
    """The environment of an installation's processes, with its data in `var`."""
    others = ("DATABASE_URL", "CELERY_BROKER_URL", "CACHE_URL")
    return {name: value for name, value in os.environ.items() if name not in others} | {
        "PBXADMIN_VAR": str(var),
        "DJANGO_SETTINGS_MODULE": "pbxadmin.settings.development",
    }


@contextmanager
def running(var: Path) -> Iterator[Installation]:
    """Start everything with data in `var`, wait until it answers, stop it again."""
    port = free_port()
    environment = environment_of(var) | {
        "DEMO_SIP_PORT": str(free_port(socket.SOCK_DGRAM)),
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
    }
    with (var.parent / "launcher.log").open("wb") as log:
        launcher = subprocess.Popen(
            [sys.executable, "-P", "pbxadmin/run/launcher.py", "--port", str(port)],
            cwd=ROOT,
            env=environment,
            stdout=log,
            stderr=log,
        )
    try:
        url = f"http://127.0.0.1:{port}"

        def answers() -> bool:
            assert launcher.poll() is None, (var.parent / "launcher.log").read_text()[-2000:]
            try:
                with urllib.request.urlopen(f"{url}/healthz", timeout=2) as response:
                    return response.status == 200 and (var / "demo.json").exists()
            except OSError:
                return False

        until(answers, 90)
        found = Installation(url, var)
        try:
            yield found
        finally:
            found.end()
    finally:
        launcher.send_signal(signal.SIGTERM)
        launcher.wait(30)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, without a screen."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=CHROMIUM)
        try:
            yield browser
        finally:
            browser.close()


USUAL: dict[str, Any] = {"locale": "fr-CA", "viewport": {"width": 1280, "height": 900}}


@contextmanager
def watched(browser: Browser, refused: bool = False, **options: Any) -> Iterator[Page]:
    """A page of a French reader who was never here; any complaint of the console or of the content policy fails the test.

    `refused`: answers like 403 and 404 are what one is here to see.
    """
    context = browser.new_context(**USUAL | options)
    with watched_page(context, refused) as page:
        yield page
        context.close()


@contextmanager
def watched_page(context: BrowserContext, refused: bool = False) -> Iterator[Page]:
    """A page in this context, as in `watched`."""
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.set_default_timeout(15_000)
    expect.set_options(timeout=15_000)
    yield page
    if refused:
        complaints = [words for words in complaints if "the server responded with a status of 4" not in words]
    assert complaints == []


def forget(context: BrowserContext, url: str) -> None:
    """Close what is open, and forget everything but style sheets and scripts: who was signed in, what pages kept for themselves.

    The first page of the context is empty and stays: a new one would cost as much as a test that is short.
    """
    empty, *others = context.pages
    for each in others:
        each.close()
    chromium = context.new_cdp_session(empty)
    chromium.send("Storage.clearDataForOrigin", {"origin": url, "storageTypes": "all"})
    chromium.detach()
    context.clear_cookies()
    context.clear_permissions()
    context.unroute_all()
