"""Fifty recordings of a minute at once before whole production, and what an ordinary page takes meanwhile.

`python -m bench.uploads [recordings]`: all of production runs as `deploy/Procfile` has it. Six administrators send recordings, half of
them WebM and half MP3, all at the same moment through the front; another reads the list and tabs all the time, before it (the
reference) and until the last recording is converted. The goal: a page takes at most twice as long (median); every child takes at most 400 MB
and 10 s, two at a time; every recording ends as a greeting, or was refused in a sentence to whoever sent it. Ends with 1 where not.
"""

import http.client
import os
import re
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path

from bench.administrators import TOKEN, TOKEN_NAME, Browser
from bench.production import HOST, Production, until
from voicemail.audio import ffmpeg
from voicemail.tests.audio.make import ff, recording

RECORDINGS, QUIET_SECONDS = 50, 15.0
TIMES, MEGABYTES, SECONDS, AT_ONCE = 2.0, 400, 10.0, 2
PEOPLE = 100
BOUNDARY = "bench-of-uploads"
REFUSALS = re.compile(r'<[^>]*class="[^"]*alert[^"]*"[^>]*>(.*?)</', re.DOTALL)


class Children:
    """Every ffmpeg that runs: how many at once, what each took of memory and of time. It looks every 10 ms."""

    def __init__(self) -> None:
        self.most, self.memory = 0, 0
        self.seen: dict[int, tuple[float, float]] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def _watch(self) -> None:
        name = os.path.basename(ffmpeg.program())[:15]
        while not self._over.wait(0.01):
            running = 0
            for folder in Path("/proc").iterdir():
                with suppress(OSError):
                    if not folder.name.isdecimal() or (folder / "comm").read_text().strip() != name:
                        continue
                    running += 1
                    now = time.monotonic()
                    self.seen[int(folder.name)] = (self.seen.get(int(folder.name), (now, now))[0], now)
                    if found := re.search(r"VmHWM:\s+(\d+) kB", (folder / "status").read_text()):
                        self.memory = max(self.memory, int(found[1]) // 1024)
            self.most = max(self.most, running)

    def stop(self) -> None:
        """Look no more."""
        self._over.set()
        self._thread.join()

    @property
    def longest(self) -> float:
        """Seconds that the slowest was there."""
        return max((last - first for first, last in self.seen.values()), default=0.0)


def send(browser: Browser, library: str, name: str, sound: Path) -> str:
    """Send one recording as the form of the library does without scripts; the sentence of a refusal, "" where it was taken."""
    page = browser.ask("GET", library)
    token = TOKEN.search(page.text)
    assert token, page.status
    fields = {TOKEN_NAME: token[1], "name": name}
    body = b"".join(
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'.encode()
        for key, value in fields.items()
    )
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="sound"; filename="{sound.name}"\r\nContent-Type: audio/x\r\n\r\n'
    body += head.encode() + sound.read_bytes() + f"\r\n--{BOUNDARY}--\r\n".encode()
    headers = {
        "Host": HOST, "Content-Type": f"multipart/form-data; boundary={BOUNDARY}", "HX-Request": "true",
        "Cookie": "; ".join(f"{key}={value}" for key, value in browser.cookies.items()),
    }  # fmt: skip
    while True:
        asked = http.client.HTTPConnection(
            "127.0.0.1", browser.port, timeout=130, source_address=(browser.address, 0)
        )
        asked.request("POST", f"{library}new", body, headers)
        answer = asked.getresponse()
        text = answer.read().decode()
        asked.close()
        if answer.status == 503 and answer.headers["Retry-After"]:
            time.sleep(1)
            continue
        if answer.status == 200:
            return ""
        said = REFUSALS.search(text)
        return " ".join(re.sub(r"<[^>]+>", "", said[1] if said else text[:300]).split()) or str(answer.status)


def read(browser: Browser, paths: list[str], stop: threading.Event) -> list[float]:
    """Read these pages by turns until the end; what each took."""
    times: list[float] = []
    while not stop.is_set():
        answer = browser.ask("GET", paths[len(times) % len(paths)])
        assert answer.status == 200, answer.status
        times.append(answer.seconds)
        time.sleep(0.05)
    return times


def main() -> None:
    """Print a line for each figure."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else RECORDINGS
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pbxadmin-bench-")))
        sounds = [folder / "minute.webm", folder / "minute.mp3"]
        recording(60, sounds[0])
        ff(sounds[0], sounds[1], "-c:a", "libmp3lame", "-b:a", "128k")
        production = Production(stack)
        seeded = production.seed(PEOPLE)
        production.start()
        readers: list[Browser] = []
        senders: list[tuple[Browser, str, list[str]]] = []
        for customer in seeded["customers"]:
            slug, numbers = customer["slug"], [phone["number"] for phone in customer["phones"]]
            for account in customer["administrators"]:
                address = f"127.9.1.{len(senders) + 1}"
                browser = Browser(production.port, HOST, address, lambda told: None)
                browser.sign_in(account["login"], account["password"])
                senders.append((browser, slug, numbers))
        browser, slug, numbers = senders[0]
        reader = Browser(production.port, HOST, "127.9.2.1", lambda told: None, cookies=dict(browser.cookies))
        readers.append(reader)
        person = f"/c/{slug}/users/{numbers[5]}"
        paths = [f"/c/{slug}/users/", f"{person}/general", f"{person}/voicemail", f"{person}/forwarding"]
        for path in paths * 4:
            reader.ask("GET", path)
        quiet = _read_for(reader, paths, QUIET_SECONDS)
        children, stop, begin = Children(), threading.Event(), time.monotonic()
        with ThreadPoolExecutor(count + 1) as pool:
            reading = pool.submit(read, reader, paths, stop)
            sending = []
            for turn in range(count):
                sender, slug, numbers = senders[turn % len(senders)]
                library = f"/c/{slug}/users/{numbers[turn % len(numbers)]}/voicemail/greetings/"
                own = Browser(
                    production.port, HOST, sender.address, lambda told: None, cookies=dict(sender.cookies)
                )
                sending.append(pool.submit(send, own, library, f"Minute {turn}", sounds[turn % 2]))
            refused = Counter(said for done in sending if (said := done.result()))
            taken = count - refused.total()
            sent = time.monotonic() - begin
            rows = production.database.rows
            ended = "SELECT count(*) FROM users_job WHERE kind = 'greeting' AND ended_at IS NOT NULL"
            until(lambda: rows(ended)[0][0] == taken, "all are converted", 300)
            took = time.monotonic() - begin
            stop.set()
            busy = reading.result()
        children.stop()
        greetings = rows("SELECT count(*) FROM voicemail_greeting WHERE name LIKE %s", "Minute %")[0][0]
        states = dict(rows("SELECT state, count(*) FROM users_job WHERE kind = 'greeting' GROUP BY state"))
        files = [
            path
            for path in (Path(production.environment["PBXADMIN_VAR"]) / "media").rglob("*")
            if path.is_file()
        ]
    ratio = statistics.median(busy) / statistics.median(quiet)
    print(
        f"a page: {statistics.median(quiet) * 1000:.0f} ms quiet, {statistics.median(busy) * 1000:.0f} ms beside it ({len(busy)} read)"
    )
    print(f"ratio {ratio:.2f} (goal {TIMES}); load {os.getloadavg()[0]:.1f}")
    print(
        f"{count} recordings: {taken} taken in {sent:.1f} s, all converted after {took:.1f} s; jobs {states}"
    )
    print(f"{greetings} greetings, {len(files)} files; refused: {dict(refused)}")
    print(
        f"children: {len(children.seen)}, {children.most} at once, {children.memory} MB, {children.longest:.1f} s at most"
    )
    well = (
        ratio <= TIMES and children.most <= AT_ONCE and children.memory <= MEGABYTES and children.longest <= SECONDS
        and greetings == len(files) == taken
    )  # fmt: skip
    sys.exit(0 if well else 1)


def _read_for(reader: Browser, paths: list[str], seconds: float) -> list[float]:
    stop = threading.Event()
    threading.Timer(seconds, stop.set).start()
    return read(reader, paths, stop)


if __name__ == "__main__":
    main()
