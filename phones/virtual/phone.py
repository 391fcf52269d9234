"""The phone as a whole: what it does when it is switched on, notified, restarted and switched off."""

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from phones.virtual.fetching import Answer, Fetcher, UnreachableError, file_address
from phones.virtual.firmware import ConfigFile, Identity, read_config, take_over
from phones.virtual.listening import Listener
from phones.virtual.sip import SipSide

PROVISIONING_ADDRESS = "static.auto_provision.server.url"
# What a check-sync means: 1 any of them restarts the phone, 0 only reboot=true does, 2 it is ignored.
NOTIFY_REBOOT = "sip.notify_reboot_enable"
# Statuses after which asking again makes sense; a 404 is an answer.
TRY_AGAIN = {408, 425, 429, 500, 502, 503, 504}


@dataclass(frozen=True)
class Fetched:
    """One GET that was answered: the file's name, the whole address, what was sent and what came back."""

    file: str
    url: str
    status: int
    if_none_match: str
    etag: str
    settings: int


@dataclass(frozen=True)
class Notified:
    """One check-sync that the phone accepted, and what it did about it: "fetch", "restart" or "nothing"."""

    reboot: bool
    transport: str
    action: str


def printable(text: str) -> str:
    """`text` without anything that could move a terminal's cursor."""
    return "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in text)


def veiled(url: str) -> str:
    """A provisioning address as it may stand in a log: the token's first letters only."""
    parts = urlsplit(url)
    pieces = [piece if len(piece) < 16 else f"{piece[:4]}…" for piece in parts.path.split("/")]
    return f"{parts.scheme}://{parts.netloc}{'/'.join(pieces)}"


class VirtualPhone:
    """A Yealink T3x, T4x or T5x on the network.

    `async with VirtualPhone(...)` runs it in the caller's loop; plain `with` runs it in a thread of its own,
    and `wait_for` then waits until something is true of it. `requests`, `notifies`, `restarts`, `config` and
    `lines` only grow or are replaced, so any thread may read them.
    """

    def __init__(
        self,
        mac: str,
        url: str = "",
        *,
        model: str = "T54W",
        firmware: str = "96.86.0.45",
        sip_host: str = "127.0.0.1",
        sip_port: int = 0,
        challenge: str | None = None,
        silent: bool = False,
        restart_seconds: float = 1.0,
        first_wait: float = 0.5,
        longest_wait: float = 30.0,
        find_address: Callable[[], str | None] | None = None,
        on_line: Callable[[str], None] | None = None,
    ) -> None:
        """`url`: the provisioning address, a folder; without one `find_address` is asked (None: not yet).

        `challenge`: "md5" or "sha-256", to demand a digest of who notifies. `silent`: never answers SIP.
        `restart_seconds`: how long a restart takes. `first_wait`, `longest_wait`: seconds between two tries
        at a server that doesn't answer. `on_line`: gets every line that the phone has to say.
        """
        self.identity = Identity(mac, model, firmware)
        self.url = url
        self.find_address = find_address
        self.restart_seconds = restart_seconds
        self.first_wait = first_wait
        self.longest_wait = longest_wait
        self.requests: list[Fetched] = []
        self.notifies: list[Notified] = []
        self.lines: list[str] = []
        self.config: dict[str, str] = {}
        self.restarts = 0
        self.rounds = 0  # how many times the phone has fetched everything it is given
        self._on_line = on_line
        self._fetcher = Fetcher(self.identity.user_agent)
        side = SipSide(
            sip_name=self.identity.sip_name,
            account=lambda: (
                self.config.get("account.1.auth_name", ""),
                self.config.get("account.1.password", ""),
            ),
            on_check_sync=self._check_sync,
            on_line=self.say,
            challenge=challenge,
            silent=silent,
        )
        self._listener = Listener(side, sip_host, sip_port)
        self._changed = threading.Condition()
        self._due = asyncio.Event()
        self._restart_due = False
        self._task: asyncio.Task[None] | None = None
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._off: asyncio.Event | None = None

    # --- What others ask of it ---

    @property
    def sip_port(self) -> int:
        """The UDP and TCP port it listens on."""
        return self._listener.port

    def wait_for(self, predicate: Callable[["VirtualPhone"], object], timeout: float = 10.0) -> None:
        """Block until `predicate(phone)` is true; raises `TimeoutError` with the phone's last lines."""
        with self._changed:
            if not self._changed.wait_for(lambda: predicate(self), timeout):
                raise TimeoutError(f"not within {timeout} s; the phone said:\n" + "\n".join(self.lines[-20:]))

    def say(self, text: str) -> None:
        """Say one line of what the phone does, with the time of day."""
        line = f"{datetime.now().astimezone():%H:%M:%S} {printable(text)}"
        with self._changed:
            self.lines.append(line)
            self._changed.notify_all()
        if self._on_line is not None:
            self._on_line(line)

    async def run(self, stop: asyncio.Event) -> None:
        """Be switched on until `stop` is set; raises `OSError` when the SIP port is taken."""
        async with self:
            await stop.wait()

    async def __aenter__(self) -> Self:
        """Switch on: listen, then fetch everything."""
        self._due = asyncio.Event()
        await self._listener.open()
        self.say(f"{self.identity.user_agent}: on, SIP on {self._listener.host}:{self.sip_port}")
        self._due.set()
        self._task = asyncio.create_task(self._live())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Switch off."""
        self._fetcher.break_off()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._listener.close()
        self.say("off")

    def __enter__(self) -> Self:
        """Switch on in a thread of its own; raises `OSError` when the SIP port is taken."""
        ready = threading.Event()
        failures: list[BaseException] = []

        async def life() -> None:
            self._loop, self._off = asyncio.get_running_loop(), asyncio.Event()
            async with self:
                ready.set()
                await self._off.wait()

        def thread() -> None:
            try:
                asyncio.run(life())
            except OSError as error:
                failures.append(error)
                ready.set()

        self._thread = threading.Thread(target=thread, name=f"phone-{self.identity.mac}", daemon=True)
        self._thread.start()
        ready.wait()
        if failures:
            raise failures[0]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Switch off and wait for the thread to end."""
        if self._loop is not None and self._off is not None:
            self._loop.call_soon_threadsafe(self._off.set)
        if self._thread is not None:
            self._thread.join()

    # --- What it does by itself ---

    async def _live(self) -> None:
        """One thing after the other: what arrives while it fetches makes it fetch once more afterwards."""
        while True:
            await self._due.wait()
            self._due.clear()
            if self._restart_due:
                self._restart_due = False
                self.say("restarting")
                self._fetcher.forget()
                await asyncio.sleep(self.restart_seconds)
                with self._changed:
                    self.restarts += 1
                    self._changed.notify_all()
                self.say("started again")
            await self._provision()

    def _check_sync(self, reboot: bool, transport: str) -> None:
        """Do what a check-sync means under the configuration that the phone holds."""
        rule = self.config.get(NOTIFY_REBOOT, "1")
        action = "nothing" if rule == "2" else "restart" if reboot or rule != "0" else "fetch"
        if action == "nothing":
            self.say(f"check-sync: ignored ({NOTIFY_REBOOT} = 2)")
        elif action == "restart" and not reboot:
            self.say(f"check-sync: restarts although it need not ({NOTIFY_REBOOT} = {rule})")
        with self._changed:
            self.notifies.append(Notified(reboot, transport, action))
            self._changed.notify_all()
        if action != "nothing":
            self._restart_due = self._restart_due or action == "restart"
            self._due.set()

    async def _provision(self) -> None:
        """Fetch everything, trying again with growing pauses until the server has answered."""
        wait = self.first_wait
        complained = ""
        while True:
            try:
                if await self._round():
                    return
                problem = "not known there yet"
            except UnreachableError as error:
                problem = f"no answer from {veiled(self.url)}: {error}"
            if problem != complained:
                self.say(f"{problem}; trying again")
                complained = problem
            try:
                await asyncio.wait_for(self._due.wait(), wait)
            except TimeoutError:
                wait = min(wait * 2, self.longest_wait)
                continue
            if self._restart_due:
                return  # the restart comes first, and fetches
            self._due.clear()
            wait = self.first_wait

    async def _round(self) -> bool:
        """Fetch everything once; False when there is no address, or when a looked-up one turned out wrong."""
        if self.find_address is not None and not self.url:
            found = await asyncio.to_thread(self.find_address)
            self.url = found or ""
            if not self.url:
                return False
            self.say(f"provisioning address: {veiled(self.url)}")
        base = self.url
        boots = [await self._get(base, name) for name in self.identity.boot_files]
        boot = next((file for file in reversed(boots) if file is not None and not file.refused), None)
        names = boot.includes if boot is not None else list(self.identity.config_files)
        files = [await self._get(base, name) for name in names]
        if all(file is None for file in files):
            if self.find_address is not None:
                self.url = ""  # the token may have changed: have the address typed in again
                return False
            self._finish()
            return True
        # A boot file with overwrite_mode sends what the files don't name back to the factory's value.
        fresh = boot is not None and ("overwrite_mode", "1") in boot.settings
        config = {} if fresh else dict(self.config)
        for file in files:
            if file is not None:
                take_over(config, file.settings)
        self.config = config
        address = config.get(PROVISIONING_ADDRESS, "")
        if address and file_address(address, "") != file_address(base, ""):
            self.url = address
            self.say(f"new provisioning address, from the next fetch on: {veiled(address)}")
        self._finish()
        return True

    def _finish(self) -> None:
        with self._changed:
            self.rounds += 1
            self._changed.notify_all()

    async def _get(self, base: str, name: str) -> ConfigFile | None:
        """Fetch one file and read it (after a 304, the copy in memory); None when there is none."""
        url = file_address(base, name)
        sent = self._fetcher.etag(url)
        answer: Answer = await asyncio.to_thread(self._fetcher.get, url)
        fetched = Fetched(name, url, answer.status, sent, answer.etag, 0)
        file: ConfigFile | None = None
        said = f"GET {name} {answer.status}"
        if answer.status in {200, 304}:
            file = read_config(self._fetcher.body(url))
            fetched = replace(fetched, settings=len(file.settings))
            said += self._summary(file) if answer.status == 200 else " (not modified)"
        with self._changed:
            self.requests.append(fetched)
            self._changed.notify_all()
        self.say(said)
        if answer.status in TRY_AGAIN:
            raise UnreachableError(f"status {answer.status}")
        return file

    def _summary(self, file: ConfigFile) -> str:
        """What a line says of a file that was read."""
        if file.refused:
            return f" (refused: {file.refused})"
        text = f" ({len(file.settings)} settings)"
        if file.includes:
            text += f" includes: {', '.join(file.includes)}"
        if file.not_understood:
            text += f" ({len(file.not_understood)} lines not understood)"
        names = [value for key, value in file.settings if key == "account.1.display_name"]
        return f"{text} display name: {names[-1]}" if names else text
