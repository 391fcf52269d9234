"""Bad luck, measured: phones, administrators and faults before whole production, and what is left of it afterwards.

`python -m bench.misfortune [minutes] [phones]`: ten minutes with twenty kills of workers, five restarts of the broker and three of
the database, fewer in a shorter time; before them a minute of quiet, and one beside phones that are silent or restarting. All of
production runs as `deploy/Procfile` has it, on a PostgreSQL and a Valkey of its own. Six administrators save five times a second
altogether. What an answer acknowledged must be there afterwards, once; every phone that is well holds what it would be given; none
was restarted twice for one press; no page showed another customer's. Ends with 1 where that isn't so.
"""

import asyncio
import multiprocessing
import random
import sys
import threading
import time
from collections import Counter, defaultdict
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

from bench.administrators import Browser, office
from bench.production import HOST, Production, until
from bench.telephones import RESTART_SECONDS, Desks, Telephone, get

SAVES_A_SECOND = 5.0
SILENT, RESTARTING = 0.10, 0.02
# What happens in ten minutes.
KILLS, BROKER, DATABASE = 20, 5, 3
KILLED = ("push", "worker", "pages", "phones", "push", "worker-main", "pages", "phones", "front", "beat")


@dataclass
class Phase:
    """A stretch of time, and what went wrong in it (from, until, what)."""

    name: str
    begin: float = 0.0
    end: float = 0.0
    faults: list[tuple[float, float, str]] = field(default_factory=list)

    def holds(self, moment: float) -> bool:
        """Whether that was in it."""
        return self.begin <= moment < self.end


def of(times: list[float], share: float) -> float:
    """The time within which this share of them was."""
    return sorted(times)[min(len(times) - 1, int(len(times) * share))] if times else float("nan")


# --- What goes wrong ---
def faults_of(minutes: float) -> list[str]:
    """What goes wrong in so many minutes, in an order that mixes them; each kind at least once."""

    def share(count: int, least: int) -> int:
        return max(least, round(count * minutes / 10))

    kills = [KILLED[number % len(KILLED)] for number in range(share(KILLS, 3))]
    database = [
        "database-restart" if number % 2 == 0 else "database-crash" for number in range(share(DATABASE, 1))
    ]
    found = kills + ["broker"] * share(BROKER, 1) + database
    random.shuffle(found)
    return found


def misfortune(production: Production, phase: Phase) -> None:
    """One fault after the other, evenly over the phase; each is over when what was killed stands again."""
    faults = faults_of((phase.end - phase.begin) / 60)
    pause = (phase.end - phase.begin) / (len(faults) + 0.5)
    for number, what in enumerate(faults):
        time.sleep(max(0.0, phase.begin + (number + 0.5) * pause - time.monotonic()))
        begin = time.monotonic()
        name, _dash, how = what.partition("-")
        if name == "database":
            production.database.crash() if how == "crash" else production.database.restart()
        elif name == "broker":
            production.broker.restart()
        else:
            process = production.processes[name]
            process.kill(main=how == "main")
            time.sleep(0.1)
            until(process.stands, f"{name} stands again")
        phase.faults.append((begin, time.monotonic(), what))
        print(f"  {begin - phase.begin:5.0f} s  {what}, {phase.faults[-1][1] - begin:.1f} s")


def restarts(desks: Desks, stop: threading.Event) -> None:
    """Now and then some phones start anew."""
    while not stop.wait(2.0):
        for phone in random.sample(desks.phones, max(1, int(len(desks.phones) * RESTARTING))):
            if not phone.is_off:
                desks.tell(phone.restart)


# --- What came of it ---
def told_after(phone: Telephone, save: dict[str, Any], phase: Phase) -> float | None:
    """Seconds from the begin of a save until its phone was told, or asked by itself; from the end of the last fault in between.

    None for a phone that wasn't well then.
    """
    at = save["at"]
    if phone.silent or any(at - RESTART_SECONDS - 2 < start < at + 4 for start in phone.starts):
        return None
    told = min((moment for moment in phone.told + phone.fetches if moment > at), default=float("inf"))
    back = max((up for down, up, _what in phase.faults if up > at and down < told), default=at)
    return max(0.0, told - back)


class Judge:
    """What must be so afterwards, asked over HTTP and counted by plain SQL."""

    def __init__(
        self,
        production: Production,
        desks: Desks,
        said: list[dict[str, Any]],
        customers: list[dict[str, Any]],
    ) -> None:
        self.production, self.desks, self.customers = production, desks, customers
        self.pages = [one for one in said if one["kind"] == "page"]
        self.saves = [one for one in said if one["kind"] == "save"]
        self.presses = [one for one in said if one["kind"] == "restart"]
        self.jobs = [one for one in said if one["kind"] == "job"]
        self.wrong: list[str] = []

    def check(self) -> None:
        """All of it."""
        self.saved_once()
        self.shown()
        self.held_by_phones()
        self.restarted_once()
        self.deleted_once()
        strangers = [page["path"] for page in self.pages if page["stranger"]]
        self.wrong += [f"{path} showed another customer's" for path in strangers]
        for page in self.pages:
            if page["status"] >= 500 and not page["graceful"]:
                self.wrong.append(
                    f"{page['method']} {page['path']} answered {page['status']}: {page['said'][:100]!r}"
                )
        if self.desks.unreadable:
            self.wrong.append(f"{self.desks.unreadable} datagrams that no phone understands")

    def saved_once(self) -> None:
        """Each acknowledged name is in the history once; none twice, acknowledged or not."""
        rows = self.production.database.rows(
            "SELECT cell->>'new' FROM users_change, jsonb_array_elements(cells::jsonb) AS cell "
            "WHERE model = 'users.user' AND cell->>'column' = 'first_name'"
        )
        times = Counter(new for (new,) in rows)
        for save in self.saves:
            count = times[save["name"]]
            if save["outcome"] == "saved" and not count:
                self.wrong.append(f"{save['name']} was acknowledged and is lost")
            if save["outcome"] == "refused" and count:
                self.wrong.append(f"{save['name']} was refused and is there")
            if count > 1:
                self.wrong.append(f"{save['name']} is {count} times in the history")

    def shown(self) -> None:
        """The pages say the same: each person has the last name that was acknowledged, and their history has all of them."""
        for customer in self.customers:
            browser = Browser(self.production.port, HOST, "127.9.1.1", lambda told: None)
            browser.sign_in(**customer["administrators"][0])
            by_person = defaultdict(list)
            for save in self.saves:
                if save["slug"] == customer["slug"]:
                    by_person[save["number"]].append(save)
            for number, saves in by_person.items():
                person = f"/c/{customer['slug']}/users/{number}"
                tab = browser.ask("GET", f"{person}/general").text
                # Which of two at the same time came last nobody knows.
                last = max((save["end"] for save in saves if save["outcome"] == "saved"), default=0.0)
                begun = max(
                    (save["at"] for save in saves if save["outcome"] == "saved" and save["end"] == last),
                    default=0.0,
                )
                possible = [
                    save["name"] for save in saves if save["outcome"] != "refused" and save["end"] >= begun
                ]
                if last and not any(f'value="{name}"' in tab for name in possible):
                    self.wrong.append(f"{person} has none of {possible}")
                history, at = "", 1
                while (
                    page := browser.ask("GET", f"{person}/history?page={at}")
                ).status == 200 and page.text not in history:
                    history += page.text
                    at += 1
                    if f"page={at}" not in page.text:
                        break
                self.wrong += [
                    f"the history of {number} lacks {save['name']}"
                    for save in saves if save["outcome"] == "saved" and save["name"] not in history
                ]  # fmt: skip

    def held_by_phones(self) -> None:
        """Each phone that is well holds what it would be given now."""
        for phone in self.desks.phones:
            if (
                not phone.silent
                and phone.fetches
                and phone.file != asyncio.run(file_of(self.production.port, phone))
            ):
                self.wrong.append(f"{phone.mac} holds an older file")

    def restarted_once(self) -> None:
        """At most one restart for each press."""
        pressed = Counter(press["mac"] for press in self.presses)
        for phone in self.desks.phones:
            if len(phone.told_to_restart) > pressed[phone.mac]:
                self.wrong.append(
                    f"{phone.mac} was restarted {len(phone.told_to_restart)} times for {pressed[phone.mac]} presses"
                )

    def deleted_once(self) -> None:
        """A job that was begun is done, each of its people gone, and said so once."""
        for job in self.jobs:
            if not job["started"]:
                continue
            keys = job["keys"]
            left = self.production.database.rows("SELECT count(*) FROM users_user WHERE id = ANY(%s)", keys)[
                0
            ][0]
            rows = self.production.database.rows(
                "SELECT object_pk, count(*) FROM users_change WHERE model = 'users.user' AND kind = 'delete' "
                "AND object_pk = ANY(%s) GROUP BY object_pk", keys,
            )  # fmt: skip
            if left or len(rows) != len(keys) or any(count != 1 for _key, count in rows):
                self.wrong.append(f"a deletion of {len(keys)}: {left} left, {len(rows)} in the history")


async def file_of(port: int, phone: Telephone) -> str:
    """What this phone would be given."""
    status, _headers, body = await get(port, f"{phone.folder}{phone.mac}.cfg", HOST, phone.address)
    return body.decode() if status == 200 else str(status)


def caught_up(production: Production, desks: Desks) -> bool:
    """Whether nothing waits: no job, and no phone that is well."""
    well = [phone.mac for phone in desks.phones if not phone.silent]
    sql = "SELECT (SELECT count(*) FROM phones_phone WHERE stale_since IS NOT NULL AND mac = ANY(%s)), (SELECT count(*) FROM users_job WHERE ended_at IS NULL)"
    return production.database.rows(sql, well)[0] == (0, 0) and not any(
        phone.is_off and not phone.silent for phone in desks.phones
    )


def report(judge: Judge, desks: Desks, phases: list[Phase]) -> None:
    """The figures."""
    phones = {phone.mac: phone for phone in desks.phones}
    first: dict[str, float] = {}
    for phase in phases:
        saves = [save for save in judge.saves if phase.holds(save["at"])]
        times = [
            after for save in saves if save["outcome"] == "saved"
            and (after := told_after(phones[save["mac"]], save, phase)) is not None
        ]  # fmt: skip
        pages = [page for page in judge.pages if phase.holds(page["at"])]
        good = [page["seconds"] for page in pages if 200 <= page["status"] < 400]
        outcomes = Counter(save["outcome"] for save in saves)
        away = sum(page["status"] >= 500 for page in pages)
        print(f"{phase.name}: {phase.end - phase.begin:.0f} s, {len(phase.faults)} faults")
        print(
            f"  save to NOTIFY  {len(times)} told  p50 {of(times, 0.5):.3f} s  p99 {of(times, 0.99):.3f} s  last {max(times, default=0):.3f} s"
            f"  ({of(times, 0.99) / first.setdefault('told', of(times, 0.99)):.2f} × the first p99)"
        )
        print(
            f"  pages           {len(good)} answered  p50 {of(good, 0.5) * 1000:.0f} ms  p95 {of(good, 0.95) * 1000:.0f} ms"
            f"  ({of(good, 0.95) / first.setdefault('pages', of(good, 0.95)):.2f} × the first p95);"
            f" {away} × 503, {sum(page['status'] == 0 for page in pages)} broken off"
        )
        print(
            f"  saves           {outcomes['saved']} acknowledged, {outcomes['refused']} refused, {outcomes['unknown']} unknown"
        )
    answers = sum((Counter(phone.answers) for phone in desks.phones), Counter())
    print(
        f"phones: {sum(len(phone.told) for phone in desks.phones)} NOTIFYs, answers to their fetches {dict(answers)}"
    )
    print(
        f"restarts: {len(judge.presses)} presses, {sum(len(phone.told_to_restart) for phone in desks.phones)} sent; "
        f"jobs: {sum(job['started'] for job in judge.jobs)} begun"
    )


def main() -> None:
    """Play all of it, and judge."""
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else 10.0
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 320
    calm = min(60.0, max(15.0, minutes * 15))
    with ExitStack() as stack:
        production = Production(stack)
        customers = production.seed(count, 2)["customers"]
        desks = Desks(
            production.port, HOST, [phone for customer in customers for phone in customer["phones"]]
        )
        production.start()
        spawn = multiprocessing.get_context("spawn")
        said: Any = spawn.Queue()
        stop = spawn.Event()
        pace = sum(len(customer["administrators"]) for customer in customers) / SAVES_A_SECOND
        working = spawn.Process(target=office, args=(production.port, HOST, customers, pace, said, stop))
        working.start()
        stack.callback(working.kill)
        heard: list[Any] = []
        gone = threading.Event()

        def listen() -> None:
            while (one := said.get()) != "gone":
                heard.append(one)
            gone.set()

        threading.Thread(target=listen, daemon=True).start()
        until(lambda: "ready" in heard, "administrators have signed in")
        time.sleep(5)  # until everything is warm
        phases = [Phase("quiet"), Phase("beside silent and restarting phones"), Phase("and faults")]
        still = threading.Event()
        for phase, seconds in zip(phases, (calm, calm, minutes * 60), strict=True):
            phase.begin = time.monotonic()
            phase.end = phase.begin + seconds
            if phase is phases[1]:
                for phone in random.sample(desks.phones, int(count * SILENT)):
                    phone.silent = True
                threading.Thread(target=restarts, args=(desks, still), daemon=True).start()
            if phase is phases[2]:
                misfortune(production, phase)
            time.sleep(max(0.0, phase.end - time.monotonic()))
        still.set()
        stop.set()
        gone.wait(60)
        begin = time.monotonic()
        try:
            until(lambda: caught_up(production, desks), "everything caught up", 150)
        except SystemExit as late:
            print(late)
        print(f"caught up {time.monotonic() - begin:.0f} s after the last save")
        judge = Judge(production, desks, [one for one in heard if one != "ready"], customers)
        judge.check()
        report(judge, desks, phases)
        for process in production.processes.values():
            for last, times in Counter(found.splitlines()[-1] for found in process.tracebacks()).items():
                print(f"traceback of {process.name}, {times} times: {last[:150]}")
        for sentence in judge.wrong[:50]:
            print(f"WRONG: {sentence}")
        print(
            f"{len(judge.wrong)} wrong"
            if judge.wrong
            else "nothing lost, nothing twice, nothing of another customer"
        )
    sys.exit(1 if judge.wrong else 0)


if __name__ == "__main__":
    main()
