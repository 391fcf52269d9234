"""REGISTERs and calls through an Asterisk that asks the portal, against one with the same lines in a file and a static dialplan.

`python -m bench.calls [parts] [lines] [registers] [calls] [turns] [people] [devices] [soak]`: parts of the letters below, else all. On PostgreSQL
(`DATABASE_URL`, else an embedded one for the time of the run), with the web server for what nodes ask as production has it and a worker of the
link; telephones are played by sipp, of which nothing is counted. By turns within one run; the figure is the median of the turns' ratios.

r  REGISTERs: processor of Asterisk for each, and as many a second as are possible       goal 0.6
c  calls: processor of Asterisk for each, of everything; the highest rate without a fault  goal 0.8
s  starting with nobody and with many people in the tables                                goal: the same
d  devices that register all at once; again, at rest
m  memory over many calls                                                                goal: flat after the first tenth
f  calls at half of the highest rate                                                     goal: none fails
A short run of a minute: `python -m bench.calls rc 100 500 100 2`.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from bench.database import embedded
from bench.exchange import Line, Portal, cpu, engines, linked, memory, seed
from bench.production import until

SIZES = {"lines": 300, "registers": 3_000, "calls": 400, "turns": 3, "people": 50_000, "devices": 10_000, "soak": 20_000}  # fmt: skip
# Calls a second at which the processor of each is measured; of the highest rate, where to begin, and the steps.
STEADY, FIRST, STEP = 20, 20, 20
# Seconds at each rate that is tried, and milliseconds that a call lasts.
TRIED, LASTING = 5, 200
CALLED = 15  # seconds after which a call that isn't over has failed


class Bench:
    """What the parts share."""

    def __init__(self, stack: ExitStack, folder: Path, sizes: dict[str, int]) -> None:
        self.sizes, self.folder, self.stack = sizes, folder, stack
        self.lines = seed(sizes["lines"])
        self.portal = Portal(stack, folder)
        self.portal.start()
        self.asks, self.files = engines(stack, folder, self.portal, self.lines)
        linked()
        self.highest = 0
        # Where telephones are, by Asterisk: who calls does so from where they registered, as telephones do.
        self.ports: dict[tuple[int, str], int] = {}

    @property
    def both(self) -> dict[str, Any]:
        """The two Asterisks by name."""
        return {"asks": self.asks, "files": self.files}

    def register(
        self, engine: Any, lines: Sequence[Line], count: int, rate: int, at_once: int, port: int = 0
    ) -> Any:
        """So many REGISTERs, each asked for the password."""
        from asterisk.tests import sipp

        users = [sipp.User(each.number, each.fqdn, each.auth_id, each.password) for each in lines]
        keys = {"expires": "3600"}
        done = sipp.run(
            "register",
            where(engine),
            users,
            count=count,
            rate=rate,
            at_once=at_once,
            port=port,
            keys=keys,
            within=500,
        )
        if done.failed:
            print(f"  {done.failed} of {count} REGISTERs failed")
        return done

    def phones(self, engine: Any) -> None:
        """All register; the second half of each company's people waits for calls from now on."""
        from asterisk.engine.ports import UDP_AND_TCP, free_port
        from asterisk.tests import sipp

        for people, name in ((self.callees, "callees"), (self.callers, "callers")):
            port = self.ports[engine.pid, name] = free_port(UDP_AND_TCP)
            self.register(engine, people, len(people), 100, 20, port)
        self.stack.enter_context(sipp.playing("answer", self.ports[engine.pid, "callees"]))

    @property
    def pairs(self) -> list[tuple[Line, Line]]:
        """Who calls whom: colleagues."""
        size = len(self.lines) // 10
        groups = [self.lines[start : start + size] for start in range(0, len(self.lines), size)]
        return [
            pair for group in groups for pair in zip(group[: size // 2], group[size // 2 :], strict=False)
        ]

    @property
    def callees(self) -> list[Line]:
        """Who is called."""
        return [callee for _caller, callee in self.pairs]

    @property
    def callers(self) -> list[Line]:
        """Who calls."""
        return [caller for caller, _callee in self.pairs]

    def call(self, engine: Any, count: int, rate: int, within: float = 0) -> Any:
        """So many calls: INVITE, password, INVITE, plan, ringing, answer, BYE."""
        from asterisk.tests import sipp

        users = [
            sipp.User(one.number, one.fqdn, one.auth_id, one.password, other.number)
            for one, other in self.pairs
        ]
        within = within or count / rate * 2 + CALLED
        return sipp.run(
            "call",
            where(engine),
            users,
            count=count,
            rate=rate,
            lasting_ms=LASTING,
            at_once=1_000,
            port=self.ports[engine.pid, "callers"],
            within=within,
        )


def where(engine: Any) -> tuple[str, int]:
    """Its address for SIP."""
    return engine.values["SIP_ADDRESS"], int(engine.values["SIP_PORT"])


def ratio(name: str, files: Sequence[float], asks: Sequence[float], goal: float) -> None:
    """Print the median of the turns' ratios: more is better."""
    turns = [one / other for one, other in zip(files, asks, strict=True)]
    print(
        f"  {name:<44} {statistics.median(turns):.2f} (goal {goal}; turns {' '.join(f'{each:.2f}' for each in turns)})"
    )


def registers(bench: Bench) -> None:
    """Part r."""
    count, turns = bench.sizes["registers"], bench.sizes["turns"]
    took: dict[str, list[float]] = {name: [] for name in bench.both}
    reached: dict[str, list[float]] = {name: [] for name in bench.both}
    for engine in bench.both.values():
        bench.register(engine, bench.lines, len(bench.lines), 100, 20, 0)
    linked()
    before = bench.portal.requests()
    for turn in range(turns):
        for name in sorted(bench.both, reverse=turn % 2 == 1):
            engine = bench.both[name]
            began = cpu(engine.pid)
            bench.register(engine, bench.lines, count, 250, 100)
            took[name].append((cpu(engine.pid) - began) / count * 1000)
            reached[name].append(bench.register(engine, bench.lines, count, 5_000, 20).rate)
    # Else calls would also go to where nobody is any more.
    for engine in bench.both.values():
        engine.cli("database deltree registrar")
    print(f"REGISTER ({count} a turn)")
    for name in bench.both:
        print(
            f"  {name:<6} {statistics.median(took[name]):.2f} ms of Asterisk, up to {statistics.median(reached[name]):.0f} a second"
        )
    ratio("processor of Asterisk, files / asks", took["files"], took["asks"], 0.6)
    ratio("rate, asks / files", reached["asks"], reached["files"], 0.6)
    print("  asked meanwhile:", asked(bench, before))


def asked(bench: Bench, before: dict[str, int]) -> str:
    """What the portal was asked since then."""
    now = bench.portal.requests()
    return (
        ", ".join(f"{name} {more}" for name in now if (more := now[name] - before.get(name, 0))) or "nothing"
    )


def calls(bench: Bench) -> None:
    """Part c."""
    count, turns = bench.sizes["calls"], bench.sizes["turns"]
    ready(bench)
    own: dict[str, list[float]] = {name: [] for name in bench.both}
    whole: dict[str, list[float]] = {name: [] for name in bench.both}
    parts: dict[str, list[float]] = {}
    failed = 0
    before = bench.portal.requests()
    for turn in range(turns):
        for name in sorted(bench.both, reverse=turn % 2 == 1):
            engine = bench.both[name]
            began = cpu(engine.pid)
            others = {part: cpu(pid) for part, pid in bench.portal.parts().items()}
            failed += bench.call(engine, count, STEADY).failed
            own[name].append((cpu(engine.pid) - began) / count * 1000)
            more = {
                part: (cpu(pid) - others[part]) / count * 1000 for part, pid in bench.portal.parts().items()
            }
            whole[name].append(own[name][-1] + (sum(more.values()) if name == "asks" else 0))
            if name == "asks":
                for part, value in more.items():
                    parts.setdefault(part, []).append(value)
    print(f"Calls ({count} a turn, {STEADY} a second; {failed} failed)")
    for name in bench.both:
        print(
            f"  {name:<6} {statistics.median(own[name]):.2f} ms of Asterisk, {statistics.median(whole[name]):.2f} ms in all"
        )
    print("  " + ", ".join(f"{part} {statistics.median(values):.2f} ms" for part, values in parts.items()))
    ratio("processor of Asterisk, files / asks", own["files"], own["asks"], 0.8)
    ratio("processor of everything, files / asks", whole["files"], whole["asks"], 0.8)
    print(f"  asked for {count * turns} calls: {asked(bench, before)}")
    rates: dict[str, list[float]] = {name: [] for name in bench.both}
    for turn in range(max(1, turns // 2)):
        for name in sorted(bench.both, reverse=turn % 2 == 1):
            rates[name].append(highest(bench, bench.both[name]))
    bench.highest = round(statistics.median(rates["asks"]))
    print(
        "  highest rate without a fault: " + ", ".join(f"{name} {values}" for name, values in rates.items())
    )
    ratio("highest rate, asks / files", rates["asks"], rates["files"], 0.8)


def ready(bench: Bench) -> None:
    """Everybody who is called waits, and Asterisk knows all of them."""
    if not getattr(bench, "are_ready", False):
        for engine in bench.both.values():
            bench.phones(engine)
            bench.register(engine, bench.lines[:1], 1, 1, 1)
        linked()
        for engine in bench.both.values():
            bench.call(engine, len(bench.pairs), STEADY)
    bench.are_ready = True  # type: ignore[attr-defined]


def highest(bench: Bench, engine: Any) -> int:
    """Calls a second, at which for some seconds none fails, none is said twice (beyond one in a hundred), and none has to wait."""
    rate = FIRST
    while True:
        try:
            done = bench.call(engine, rate * TRIED, rate)
        except RuntimeError:  # it never came to an end
            return rate - STEP
        lasted = rate * TRIED / done.seconds if done.seconds else 0
        if done.failed or done.retransmissions > rate * TRIED / 100 or lasted < 0.85 * rate or rate > 300:
            time.sleep(1)
            return rate - STEP
        rate += STEP


def half(bench: Bench) -> int:
    """Calls a second: half of the highest rate, which is sought where part c hasn't found it."""
    bench.highest = bench.highest or highest(bench, bench.asks)
    return max(STEP // 2, bench.highest // 2)


def starting(bench: Bench) -> None:
    """Part s."""

    def start() -> tuple[float, float]:
        bench.asks.stop()
        began = time.perf_counter()
        bench.asks.start()
        return time.perf_counter() - began, memory(bench.asks.pid)

    few = [start() for _ in range(3)]
    began = time.perf_counter()
    seed(bench.sizes["people"], 50, 1_000)
    print(f"Starting (people were made in {time.perf_counter() - began:.0f} s)")
    many = [start() for _ in range(3)]
    for size, turns in ((bench.sizes["lines"], few), (bench.sizes["people"], many)):
        seconds, size_mb = (statistics.median(column) for column in zip(*turns, strict=True))
        print(f"  {size:>7} people: {seconds:.2f} s, {size_mb:.0f} MB")
    ratio("seconds, many / few", [each[0] for each in many], [each[0] for each in few], 1)
    linked()


def devices(bench: Bench) -> None:
    """Part d."""
    from asterisk.models import Contact, Errand

    count = bench.sizes["devices"]
    lines = seed(count, 10, 2_000)
    linked()
    before, began, size = bench.portal.requests(), cpu(bench.asks.pid), memory(bench.asks.pid)
    start = time.perf_counter()
    done = bench.register(bench.asks, lines, len(lines), 5_000, 200)
    print(f"Devices ({len(lines)} at once)")
    print(
        f"  registered in {done.seconds:.1f} s ({done.rate:.0f} a second), {done.failed} failed, {done.retransmissions} said twice;"
        f" Asterisk {(cpu(bench.asks.pid) - began) / len(lines) * 1000:.2f} ms each, {size:.0f} → {memory(bench.asks.pid):.0f} MB"
    )
    until(lambda: Contact.objects.count() >= len(lines), "devices known", 300)
    until(lambda: not Errand.objects.exists(), "lines learned", 400)
    print(f"  all learned after {time.perf_counter() - start:.1f} s; asked: {asked(bench, before)}")
    before, began = bench.portal.requests(), cpu(bench.asks.pid)
    others = {part: cpu(pid) for part, pid in bench.portal.parts().items()}
    done = bench.register(bench.asks, lines, len(lines), 300, 200)
    time.sleep(2)
    more = ", ".join(
        f"{part} {(cpu(pid) - others[part]) / len(lines) * 1000:.2f}"
        for part, pid in bench.portal.parts().items()
    )
    print(
        f"  again at {done.rate:.0f} a second: {(cpu(bench.asks.pid) - began) / len(lines) * 1000:.2f} ms each ({more}), {done.failed} failed;"
        f" asked: {asked(bench, before)}; {memory(bench.asks.pid):.0f} MB"
    )


def soak(bench: Bench) -> None:
    """Part m."""
    ready(bench)
    pids = {
        "Asterisk": bench.asks.pid,
        **{name: process.pid for name, process in bench.portal.processes.items()},
    }
    total, failed, rate = bench.sizes["soak"], 0, half(bench)
    tenth = total // 10
    seen: list[dict[str, float]] = []
    print(f"Memory over {total} calls, {rate} a second (MB)")
    for turn in range(11):
        seen.append({name: memory(pid) for name, pid in pids.items()})
        print(
            f"  {turn * tenth:>6} " + ", ".join(f"{name} {size:.1f}" for name, size in seen[-1].items()),
            flush=True,
        )
        if turn < 10:
            failed += bench.call(bench.asks, tenth, rate).failed
    for name in pids:
        growth = (seen[-1][name] - seen[1][name]) / (total - tenth) * 1000
        print(f"  {name}: {growth:+.2f} MB for 1,000 calls after the first {tenth}")
    print(f"  {failed} failed; {bench.asks.cli('core show channels count').splitlines()[:1]}")


def faults(bench: Bench) -> None:
    """Part f."""
    ready(bench)
    rate = half(bench)
    count = min(5_000, bench.sizes["soak"])
    done = bench.call(bench.asks, count, rate)
    print(
        f"Faults: {done.failed} of {count} calls failed at {rate} a second, {done.retransmissions} messages were said twice"
    )


PARTS = {"r": registers, "c": calls, "f": faults, "m": soak, "s": starting, "d": devices}


def main() -> None:
    """Print the figures."""
    wanted = sys.argv[1] if len(sys.argv) > 1 else "".join(PARTS)
    sizes = SIZES | dict(zip(SIZES, map(int, sys.argv[2:]), strict=False))
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        os.environ |= {
            "DJANGO_SETTINGS_MODULE": "bench.serve_settings",
            "PBXADMIN_VAR": str(folder),
            "DEBUG": "0",
        }
        embedded(stack, folder)
        subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], check=True)
        import django

        django.setup()
        bench = Bench(stack, folder, sizes)
        for part in wanted:
            print(f"[load {os.getloadavg()[0]:.1f}]", end=" ")
            PARTS[part](bench)
            sys.stdout.flush()


if __name__ == "__main__":
    main()
