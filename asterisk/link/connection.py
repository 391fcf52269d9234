"""The link to one node: connect, ask what was missed, do errands, write down what it tells; and again, whatever happens."""

import asyncio
import logging
import random
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress

from django.utils import timezone

from asterisk.ami.client import ActionError, Client, LinkError
from asterisk.ami.protocol import Message, UnsafeActionError
from asterisk.link import (
    boxes,
    channels,
    contacts,
    database,
    dropping,
    errands,
    events,
    leases,
    reconciling,
    recordings,
    trunks,
)
from asterisk.link.devices import Devices
from asterisk.link.leases import Held
from asterisk.link.told import LINE, Registered, of_message, remote
from asterisk.mailboxes import arriving, recording

logger = logging.getLogger("pbxadmin.link")

USER = "pbxadmin"
# Seconds between attempts: the first, the longest.
FIRST, LONGEST = 0.5, 10.0
# A connection that stood for so long was a good one: the next attempt begins anew.
GOOD = 20.0
# Seconds within which events of one moment are written together.
GATHERED = 0.5
# Seconds after which the whole list of devices is asked again, whatever was told.
LOOKED_AT = 600.0
# Seconds between two times that a node is made to forget whom it follows.
HEAL_EVERY = 300.0
# What we want to be told; the rest of a busy node's many events stays there. By name: a pattern would be sought in the text of each event.
WANTED = ("UserEvent", "ContactStatus", "FullyBooted", "Reload", "SuccessfulAuth", "MessageWaiting")
FILTERS = tuple(f"name({name})" for name in WANTED)
# Events that wait for a database that is away. Then nothing is read any more, and the node's own memory is the next to fill.
MOST_TOLD, MOST_BYTES = 20_000, 64_000_000
# Devices that come or go at once; a node that tells of more lies.
MOST_DEVICES = 200_000
# Seconds after which a node hears again that somebody listens; the dialplan believes it for fifteen.
LISTENS = 4.0
# Seconds after which sounds that couldn't be fetched are tried again.
BROUGHT_AGAIN = 20.0
# Seconds after which calls are looked at by which greetings are recorded: while one goes on.
RECORDINGS_SEEN = 0.4
# Lines of which the devices are asked at the same time.
ASKED_TOGETHER = 50


class NodeLink:
    """The link to one node, for as long as this worker holds it: `run` until it is cancelled."""

    def __init__(self, held: Held, worker: str) -> None:
        """Nothing happens yet."""
        self.held, self.worker = held, worker
        self.client: Client | None = None
        self.busy = False  # with errands
        self._devices = Devices()
        self._told: list[tuple[str, Mapping[str, str]]] = []
        self._told_bytes = 0
        self._messages: list[tuple[str, int]] = []
        self._trunks: dict[int, tuple[bool, str]] = {}
        self._todo: asyncio.Queue[list[errands.Todo]] = asyncio.Queue()
        self._again = asyncio.Event()
        self._left = asyncio.Event()  # devices may be registered that shouldn't
        self._sounds = asyncio.Event()  # there may be some to be fetched
        self._recordings = asyncio.Event()  # greetings may be being recorded
        self._learned: set[str] = set()  # since the last gap
        self._healed = float("-inf")
        self._trouble = ""

    @property
    def alive(self) -> bool:
        """Whether the node said something within the last seconds."""
        client = self.client
        return client is not None and client.ended is None and self._clock() - client.heard < 8.0

    @property
    def takes_errands(self) -> bool:
        """Whether it is connected and has nothing to do."""
        return self.client is not None and self.client.ended is None and not self.busy

    def give(self, todo: list[errands.Todo]) -> None:
        """Have these errands done."""
        self.busy = True
        self._todo.put_nowait(todo)

    async def run(self) -> None:
        """Until it is cancelled."""
        wait = FIRST
        while True:
            began = self._clock()
            try:
                await self._once()
            except* LinkError as group:
                await self._part(next(each.kind for each in _leaves(group) if isinstance(each, LinkError)))
            except* (ActionError, UnsafeActionError, database.AwayError) as group:
                logger.warning("%r: %s", self.held, next(iter(_leaves(group))))
                await self._part("closed")
            except* Exception as group:
                logger.exception("the link to %r: %s", self.held, type(next(iter(_leaves(group)))).__name__)
                await self._part("closed")
            wait = FIRST if self._clock() - began > GOOD else wait
            # Not all in the same second where many nodes come back.
            await asyncio.sleep(wait * random.uniform(0.8, 1.0))  # noqa: S311 - not a secret
            wait = min(LONGEST, wait * 2)

    async def _part(self, trouble: str) -> None:
        if trouble != self._trouble:
            logger.warning("%r: no link (%s)", self.held, trouble)
        self._trouble = trouble
        with suppress(database.AwayError):
            await database.ask(leases.parted, self.held.pk, self.worker, trouble)

    async def _once(self) -> None:
        """One connection, from its beginning to its end."""
        client = await Client.connect(self.held.host, self.held.port, USER, self.held.secret)
        async with client:
            release = (await client.ask("CoreSettings")).get("AsteriskVersion")
            # Nothing is heard before it is sifted: in other events stands what strangers say of themselves, line breaks and all.
            for each in FILTERS:
                await client.ask("Filter", ("Operation", "Add"), ("MatchCriteria", each))
            await client.ask("Events", ("EventMask", "on"))
            self.client, self.busy, self._todo = client, False, asyncio.Queue()
            await database.insist(trunks.forget, self.held.pk)
            # Before any errand of ours: what is begun from now on is what the node may ask for.
            await database.insist(errands.nothing_is_being_done, self.held.pk)
            await database.insist(leases.connected, self.held.pk, release)
            logger.info("%r: linked (Asterisk %.40s)", self.held, release)
            self._trouble = ""
            self._again.set()
            try:
                async with asyncio.TaskGroup() as group:
                    for part in (
                        self._listen, self._say_that_we_listen, self._do_errands, self._write, self._reconcile,
                        self._bring, self._see_to_recordings, self._count_channels, self._drop_those_left,
                    ):  # fmt: skip
                        group.create_task(part(client))
            finally:
                self.client = None

    @staticmethod
    def _clock() -> float:
        return asyncio.get_running_loop().time()

    # --- What the node tells ------------------------------------------------------------------------------------------
    async def _listen(self, client: Client) -> None:
        async for message in client.events():
            self._take(message)
            while self._is_full:
                await asyncio.sleep(GATHERED)

    @property
    def _is_full(self) -> bool:
        """Whether as much waits to be written as may."""
        if len(self._devices.wanted) + len(self._devices.gone) > MOST_DEVICES:
            self._devices.wanted.clear()
            self._devices.gone.clear()
            raise LinkError("protocol", "more devices than anybody has")
        waiting = len(self._told) + len(self._messages) + len(self._trunks)
        return waiting >= MOST_TOLD or self._told_bytes > MOST_BYTES

    def _take(self, message: Message) -> None:
        line = message.get("AOR")
        match message.event:
            case "UserEvent":
                self._told.append(events.user_event(message))
                if recordings.may_be_there(message):
                    self._recordings.set()
                self._told_bytes += message.size
            case "SuccessfulAuth" if LINE.match(message.get("AccountID")):
                address = remote(message.get("RemoteAddress"))
                self._devices.proved(message.get("AccountID"), address, timezone.now(), self._clock())
            case "ContactStatus" if LINE.match(line):
                if message.get("ContactStatus") == "Removed":
                    self._devices.ended(line, message.get("URI")[:400])
                else:
                    self._devices.changed(line, message.get("URI")[:400], self._clock())
            case "ContactStatus":
                self._trunks |= trunks.of_message(message)
            case "MessageWaiting":
                with suppress(ValueError):
                    self._messages.append((message.get("Mailbox")[:100], int(message.get("New") or "0")))
            case "FullyBooted":
                self._again.set()
            case "Reload" if message.get("Module") in ("", "All", "res_pjsip.so"):
                self._again.set()

    async def _write(self, client: Client) -> None:
        """What was told, by batches: what can't be written waits."""
        while True:
            await asyncio.sleep(GATHERED)
            # Only what is written is forgotten, also where the connection ends meanwhile.
            if told := list(self._told):
                size = self._told_bytes
                await database.insist(events.tell, self.held.pk, told)
                del self._told[: len(told)]
                self._told_bytes -= size
                calls = [values.get("Call", "") for name, values in told if name == reconciling.KEPT_AS]
                await reconciling.forget_kept(client, [call for call in calls if call])
            if said := list(self._messages):
                await database.insist(events.messages_waiting, self.held.pk, said)
                del self._messages[: len(said)]
            if changed := self._trunks:
                self._trunks = {}
                await database.insist(trunks.tell, self.held.pk, changed)
            renewed, gone = self._devices.take()
            if gone:
                await database.insist(contacts.removed, self.held.pk, gone)
            if renewed:
                await database.insist(contacts.renewed, self.held.pk, renewed)
            await self._ask_devices(client)

    async def _ask_devices(self, client: Client) -> None:
        """The devices of lines where somebody came or went."""
        if not (lines := sorted(self._devices.due(self._clock()))[:ASKED_TOGETHER]):
            return
        listed = await asyncio.gather(
            *(client.listing("PJSIPShowEndpoint", ("Endpoint", line)) for line in lines)
        )
        now, clock = timezone.now(), self._clock()
        everything: list[Registered] = []
        fresh: list[Registered] = []
        for line, messages in zip(lines, listed, strict=True):
            told = [
                found
                for each in messages
                if each.event == "ContactStatusDetail" and (found := of_message(each))
            ]
            here, new = self._devices.answered(line, [each for each in told if each.line == line], now, clock)
            everything += here
            fresh += new
        await database.insist(contacts.replace_lines, self.held.pk, lines, everything, fresh)
        if unknown := {each.line for each in fresh} - self._learned:
            await database.insist(self._to_learn, unknown)
            self._learned |= unknown

    def _to_learn(self, lines: Collection[str]) -> None:
        errands.to_learn(self.held.pk, contacts.people_of(self.held.pk, lines))

    async def _say_that_we_listen(self, client: Client) -> None:
        """Until then calls keep what they have to tell."""
        while True:
            now = (await client.ask("Ping")).get("Timestamp").partition(".")[0]
            if now.isdecimal():
                await client.ask("Setvar", ("Variable", "LISTENING"), ("Value", now))
            await asyncio.sleep(LISTENS)

    # --- What it missed, and what we did ------------------------------------------------------------------------------
    async def _reconcile(self, client: Client) -> None:
        """After each gap, and from time to time whatever was told."""
        while True:
            whole = self._again.is_set()
            self._again.clear()
            told = await reconciling.devices(client)
            self._devices.everything(told)
            if whole:
                self._learned = {each.line for each in told}
                await reconciling.reconcile(client, self.held.pk, told)
            else:
                await database.insist(contacts.replace_all, self.held.pk, told)
            await reconciling.what_is_over(client, self.held.pk)
            await database.insist(contacts.forget_expired)
            told_trunks = await trunks.ask(client, await database.insist(trunks.in_use))
            await database.insist(trunks.tell, self.held.pk, told_trunks)
            await database.insist(arriving.forget_old)
            await database.insist(recording.forget_old)
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOKED_AT):
                    await self._again.wait()
            # A restart says so more than once.
            await asyncio.sleep(GATHERED)

    # --- What it is told ----------------------------------------------------------------------------------------------
    async def _do_errands(self, client: Client) -> None:
        while True:
            todo = await self._todo.get()
            learned = await errands.do(client, self.held, todo)
            self.busy = False
            if any(each.kind == errands.Kind.DROP for each in todo):
                self._left.set()
            if any(each.kind == errands.Kind.MESSAGES for each in todo):
                self._sounds.set()
            if any(each.kind == errands.Kind.RECORD for each in todo):
                self._recordings.set()
            await self._heal(client, learned)

    async def _bring(self, client: Client) -> None:
        """Sounds of messages, beside everything else: they are long."""
        while True:
            self._sounds.clear()
            await boxes.bring(client, self.held)
            with suppress(TimeoutError):
                async with asyncio.timeout(BROUGHT_AGAIN):
                    await self._sounds.wait()

    async def _see_to_recordings(self, client: Client) -> None:
        """Greetings that are recorded by phone."""
        while True:
            self._recordings.clear()
            goes_on = await recordings.look(client, self.held)
            with suppress(TimeoutError):
                async with asyncio.timeout(RECORDINGS_SEEN if goes_on else BROUGHT_AGAIN):
                    await self._recordings.wait()

    async def _drop_those_left(self, client: Client) -> None:
        """Devices that are to be registered no more, where the node couldn't be told: beside everything else, since that may take long."""
        while True:
            self._left.clear()
            remain = await dropping.drop_those_left(client, self.held)
            with suppress(TimeoutError):
                async with asyncio.timeout(dropping.AGAIN if remain else None):
                    await self._left.wait()

    async def _count_channels(self, client: Client) -> None:
        """Channels of contracts in use here, for calls at other nodes, whenever they are others."""
        written: Mapping[str, int] | None = None
        while True:
            if not await database.insist(channels.several):
                written = None
                await asyncio.sleep(channels.ALONE)
                continue
            if (counted := await channels.count(client)) != written:
                await database.insist(channels.write, self.held.pk, counted)
                written = counted
            await asyncio.sleep(channels.COUNTED)

    async def _heal(self, client: Client, learned: Sequence[str]) -> None:
        """Where the node follows a line without its state (its question failed at that moment), only forgetting all of them helps."""
        for line in learned:
            if not self._devices.known.get(line) or self._clock() - self._healed < HEAL_EVERY:
                continue
            answer = await client.ask("Getvar", ("Variable", f"DEVICE_STATE(PJSIP/{line})"))
            if answer.get("Value") == "UNAVAILABLE":
                self._healed = self._clock()
                logger.warning("%r: a registered line has no state: everything is learned anew", self.held)
                await client.command("module reload res_pjsip.so", within=errands.LEARNS_WITHIN)
                self._again.set()
                return


def _leaves(group: BaseExceptionGroup[BaseException]) -> list[BaseException]:
    found: list[BaseException] = []
    for each in group.exceptions:
        found += _leaves(each) if isinstance(each, BaseExceptionGroup) else [each]
    return found
