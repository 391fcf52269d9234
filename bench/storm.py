"""The morning after a power cut: every phone asks all its files at once, while administrators work.

`python -m bench.storm [phones] [seconds before] [runs]`: whole production as `deploy/Procfile` has it, on a PostgreSQL and a Valkey of
its own. 10,000 phones open a connection in the same moment and ask the three files of their make, one after the other; one that is
told to wait (503 with `Retry-After`) comes back then. Beside them five administrators open pages and save. The goal: no phone without its
files, and pages at most three times as slow (95 of 100) as in the half minute before. What the front costs is measured by turns
before that: files through it against files straight from the server behind it, and against the shortest answer that the front gives.
"""

import asyncio
import itertools
import multiprocessing
import os
import random
import resource
import statistics
import sys
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import ExitStack, suppress
from typing import Any

from bench.administrators import office
from bench.misfortune import of
from bench.production import HOST, Production, until
from bench.telephones import ASK_AGAIN, read_answer, request

ADMINISTRATORS = 5
SAVES_A_SECOND = 2.0
PATIENCE = 600.0
AT_ONCE, TURNS, TURN_SECONDS = 8, 5, 2.0

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


# --- The phones ---
class Storm:
    """What becomes of the phones."""

    def __init__(self, port: int, phones: list[dict[str, Any]]) -> None:
        self.port, self.phones = port, phones
        self.answers: Counter[int] = Counter()  # by status; 0: none
        self.files = 0
        self.waits: list[float] = []  # until a phone had all of them
        self.left = 0

    async def run(self) -> None:
        """All of them, until each has its files or none gets any more."""
        self.begin = time.monotonic()
        await asyncio.gather(*(self._phone(phone) for phone in self.phones))

    async def _phone(self, phone: dict[str, Any]) -> None:
        wanted = list(phone["files"])
        while wanted and time.monotonic() < self.begin + PATIENCE:
            pause = ASK_AGAIN
            with suppress(OSError, EOFError, asyncio.LimitOverrunError):
                reader, writer = await asyncio.open_connection(
                    "127.0.0.1", self.port, local_addr=(phone["address"], 0)
                )
                try:
                    while wanted:
                        writer.write(request(phone["folder"] + wanted[0], HOST))
                        status, headers, _body = await read_answer(reader)
                        self.answers[status] += 1
                        if status != 200:
                            pause = float(headers.get("retry-after", ASK_AGAIN))
                            break
                        self.files += 1
                        del wanted[0]
                    else:
                        self.waits.append(time.monotonic() - self.begin)
                        return
                finally:
                    writer.close()
                await asyncio.sleep(pause)
                continue
            self.answers[0] += 1
            await asyncio.sleep(pause)
        self.left += 1


def storm(port: int, phones: list[dict[str, Any]], said: Any) -> None:
    """In a process of its own."""
    _many_connections()
    played = Storm(port, phones)
    asyncio.run(played.run())
    said.put((played.answers, played.files, played.waits, played.left))


def _many_connections() -> None:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


# --- The front ---
async def ask(open_one: Callable[[], Awaitable[Streams]], said: Callable[[], bytes], seconds: float) -> float:
    """How many answers a second, over connections that are kept where the other side keeps them."""
    count, end = 0, time.perf_counter() + seconds

    async def one() -> None:
        nonlocal count
        while time.perf_counter() < end:
            reader, writer = await open_one()
            with suppress(EOFError, OSError):
                while time.perf_counter() < end:
                    writer.write(said())
                    status, headers, _body = await read_answer(reader)
                    if status not in (200, 405):
                        raise SystemExit(f"{status} before the storm")
                    count += 1
                    if headers.get("connection") == "close":
                        break
            writer.close()

    begin = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(AT_ONCE)))
    return count / (time.perf_counter() - begin)


def cost_of_the_front(production: Production, phones: list[dict[str, Any]]) -> None:
    """Print how many files a second come straight and through the front, and how many of its shortest lines."""
    order = itertools.cycle(random.sample(phones, len(phones)))

    def file() -> bytes:
        phone = next(order)
        return request(phone["folder"] + phone["files"][-1], HOST)

    def line() -> bytes:
        return f"TRACE / HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode()

    def through() -> Awaitable[Streams]:
        return asyncio.open_connection("127.0.0.1", production.port)

    def straight() -> Awaitable[Streams]:
        return asyncio.open_unix_connection(production.environment["PHONES_SOCKET"])

    ways = {
        "straight": (straight, file),
        "through the front": (through, file),
        "the front's line": (through, line),
    }
    figures: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(TURNS):
        for name, (open_one, said) in ways.items():
            figures[name].append(asyncio.run(ask(open_one, said, TURN_SECONDS)))
    for name, found in figures.items():
        print(f"{name:<18} {statistics.median(found):>6.0f} answers/s")
    for one, other in (("through the front", "straight"), ("through the front", "the front's line")):
        ratio = statistics.median(a / b for a, b in zip(figures[one], figures[other], strict=True))
        print(f"{one} / {other}: {ratio:.2f}")


# --- Both ---
def main() -> None:
    """Print the figures."""
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    before = float(sys.argv[2]) if len(sys.argv) > 2 else 30.0
    runs = int(sys.argv[3]) if len(sys.argv) > 3 else 3
    _many_connections()
    with ExitStack() as stack:
        production = Production(stack)
        customers = production.seed(count, 8)["customers"]
        phones = [phone for customer in customers for phone in customer["phones"]]
        production.start()
        cost_of_the_front(production, phones)
        spawn = multiprocessing.get_context("spawn")
        said: Any = spawn.Queue()
        stop = spawn.Event()
        customers[0]["administrators"] = customers[0]["administrators"][
            : ADMINISTRATORS - len(customers[1]["administrators"])
        ]
        customers[0]["leaving"] = []
        office_ = spawn.Process(
            target=office,
            args=(production.port, HOST, customers, ADMINISTRATORS / SAVES_A_SECOND, said, stop),
        )
        office_.start()
        stack.callback(office_.kill)
        heard: list[Any] = []
        gone = threading.Event()

        def listen() -> None:
            while (one := said.get()) != "gone":
                heard.append(one)
            gone.set()

        threading.Thread(target=listen, daemon=True).start()
        until(lambda: "ready" in heard, "administrators have signed in")
        time.sleep(5)
        ratios = []
        for run in range(runs):
            quiet = time.monotonic()
            time.sleep(before)
            told = spawn.Queue()
            begin = time.monotonic()
            raging = spawn.Process(target=storm, args=(production.port, phones, told))
            raging.start()
            answers, files, waits, left = told.get()
            raging.join()
            end = time.monotonic()
            ratios.append(report(run, heard, quiet, begin, end, answers, files, waits, left))
            time.sleep(10)
        print(f"pages in the storm / before it, 95 of 100: {statistics.median(ratios):.2f} × (goal 3 ×)")
        stop.set()
        gone.wait(60)


def report(
    run: int,
    heard: list[Any],
    quiet: float,
    begin: float,
    end: float,
    answers: Counter[int],
    files: int,
    waits: list[float],
    left: int,
) -> float:
    """Print one storm; gives by how much pages were slower."""
    pages = [one for one in heard if isinstance(one, dict) and one["kind"] == "page"]
    calm = [page["seconds"] for page in pages if quiet <= page["at"] < begin and page["status"] < 400]
    busy = [page["seconds"] for page in pages if begin <= page["at"] < end and page["status"] < 400]
    refused = sum(page["status"] == 0 or page["status"] >= 500 for page in pages if quiet <= page["at"] < end)
    ratio = of(busy, 0.95) / of(calm, 0.95)
    lasted = max(waits, default=0.0)
    print(
        f"storm {run + 1}: {files} files in {lasted:.1f} s, {files / max(lasted, 0.1):.0f}/s; half of the phones had theirs after "
        f"{of(waits, 0.5):.1f} s; answers {dict(answers)}; {left} phones without"
    )
    print(
        f"  pages p50 {of(calm, 0.5) * 1000:.0f} → {of(busy, 0.5) * 1000:.0f} ms, p95 {of(calm, 0.95) * 1000:.0f} → "
        f"{of(busy, 0.95) * 1000:.0f} ms ({len(calm)}, {len(busy)} pages): {ratio:.2f} ×; {refused} refused; "
        f"load of the machine {os.getloadavg()[0]:.0f}"
    )
    return ratio


if __name__ == "__main__":
    main()
