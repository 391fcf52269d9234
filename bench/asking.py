"""How a bench asks a web server over HTTP, and what the answers a second of several ways are to each other."""

import asyncio
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack

AT_ONCE = 8
TURNS = 5

Path = Callable[[], str]
Figures = Mapping[str, Sequence[float]]


async def ask(port: int, path_of: Path, seconds: float, header: str = "", shortest: int = 0) -> float:
    """How many answers a second, eight at a time, over kept connections; ends the bench at one that isn't 200 or has fewer bytes."""
    count = 0
    end = time.perf_counter() + seconds
    more = f"{header}\r\n" if header else ""

    async def one() -> None:
        nonlocal count
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while time.perf_counter() < end:
            writer.write(f"GET {path_of()} HTTP/1.1\r\nHost: 127.0.0.1\r\n{more}\r\n".encode())
            head = await reader.readuntil(b"\r\n\r\n")
            if not head.startswith(b"HTTP/1.1 200"):
                raise SystemExit(head.decode())
            lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
            body = await reader.readexactly(int(lengths[0].partition(b":")[2]))
            if len(body) < shortest:
                raise SystemExit(f"no answer: {body!r}")
            count += 1
        writer.close()

    begin = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(AT_ONCE)))
    return count / (time.perf_counter() - begin)


def serve(stack: ExitStack, port: int) -> None:
    """One worker of the web server with the portal, until the end of `stack`."""
    command = [
        sys.executable, "-m", "granian", "--interface", "wsgi", "--port", str(port), "--workers", "1",
        "--blocking-threads", "2", "--no-access-log", "bench.serve_site:application",
    ]  # fmt: skip
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    stack.callback(running.wait)
    stack.callback(running.terminate)
    wait_for(port)


def wait_for(port: int) -> None:
    """Until the server answers."""
    for _ in range(200):
        try:
            asyncio.run(ask(port, lambda: "/bare", 0.01))
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit("the server doesn't answer")


def by_turns(
    port: int, ways: Mapping[str, Path], seconds: float, header: str = "", shortest: int = 0
) -> Figures:
    """Answers a second of each way in each turn, `seconds` in all; each is printed as the median of its turns."""
    measured: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(TURNS):
        for name, way in ways.items():
            measured[name].append(asyncio.run(ask(port, way, seconds / TURNS / len(ways), header, shortest)))
    for name, figures in measured.items():
        print(f"{name:<10} {statistics.median(figures):>8.0f} answers/s")
    return measured


def tell_ratio(measured: Figures, name: str, other: str) -> None:
    """Print the median of the turns' ratios."""
    turns = zip(measured[name], measured[other], strict=True)
    print(f"{name} / {other:<9} {statistics.median(mine / theirs for mine, theirs in turns):.2f}")
