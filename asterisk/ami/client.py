"""One connection to the manager interface of a node: log in, ask, be told. asyncio; safe to cancel at every point."""

import asyncio
import hashlib
import itertools
import socket
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field

from asterisk.ami.protocol import Decoder, Message, ProtocolError, encode

CONNECT = 3.0  # seconds to a connection that greets
ANSWER = 5.0  # seconds for an answer, unless who asks says otherwise
PING_EVERY = 2.0  # seconds of silence after which the node is asked whether it is there
PING_WITHIN = 2.5  # seconds in which it must say anything at all
SILENT_AT_WORK = 16.0  # seconds that an action may take without a word
MOST_LISTED = 200_000  # messages of one list
# Events that nobody has taken yet. A node that tells faster than we can note is cut off: what it told is found by asking it again.
MOST_WAITING = 20_000
# Bytes of all events that wait, and of one list: 50,000 registered devices are half of it.
MOST_BYTES, MOST_LIST_BYTES = 64_000_000, 512_000_000


class LinkError(Exception):
    """Why there is no connection, or not any more. `kind`: "refused", "silent", "password", "protocol", "closed"."""

    def __init__(self, kind: str, words: str = "") -> None:
        """`words`: for the log."""
        super().__init__(words or kind)
        self.kind = kind


class ActionError(Exception):
    """The node answered that it can't; the connection is as good as before."""


def _notice_death(writer: asyncio.StreamWriter) -> None:
    """Have the kernel give up a machine that is gone, within five seconds, also while an action takes long."""
    if (line := writer.get_extra_info("socket")) is None:
        return
    line.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (("KEEPIDLE", 2), ("KEEPINTVL", 1), ("KEEPCNT", 3), ("USER_TIMEOUT", 5_000)):
        if (option := getattr(socket, f"TCP_{name}", None)) is not None:
            line.setsockopt(socket.IPPROTO_TCP, option, value)


@dataclass
class _Asked:
    """An action that waits for its answer."""

    answer: "asyncio.Future[Message]"
    listed: list[Message] | None = None  # of an action that answers with a list
    first: Message | None = field(default=None)
    size: int = 0


class Client:
    """A connection that is logged in: made by `connect`, ended by `close` (or by leaving `async with`)."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Over a connection that greeted nobody yet: use `connect`."""
        self._reader, self._writer = reader, writer
        self._decoder = Decoder()
        self._asked: dict[str, _Asked] = {}
        self._ids = itertools.count(1)
        self._events: asyncio.Queue[Message | None] = asyncio.Queue()
        self._waiting = 0  # bytes of them
        self._tasks: list[asyncio.Task[None]] = []
        self._heard = asyncio.get_running_loop().time()
        self._greeted = asyncio.Event()
        self.ended: LinkError | None = None

    # --- Beginning and end ----------------------------------------------------------------------------------------
    @classmethod
    async def connect(cls, host: str, port: int, user: str, secret: str, within: float = CONNECT) -> "Client":
        """Connect and log in by challenge. Raises `LinkError`; whatever happens, nothing stays open."""
        try:
            async with asyncio.timeout(within):
                reader, writer = await asyncio.open_connection(host, port, limit=262_144)
        except TimeoutError as error:
            raise LinkError("silent") from error
        except OSError as error:
            raise LinkError("refused", type(error).__name__) from error
        _notice_death(writer)
        client = cls(reader, writer)
        try:
            async with asyncio.timeout(within):
                await client._begin(user, secret)
        except TimeoutError as error:
            await client.close()
            raise LinkError("silent") from error
        except BaseException:
            await client.close()
            raise
        return client

    async def _begin(self, user: str, secret: str) -> None:
        self._tasks = [asyncio.create_task(self._read())]
        await self._greeted.wait()
        if self.ended:
            raise self.ended
        asked = await self._asking("Challenge", [("AuthType", "MD5")], CONNECT)
        if not (challenge := asked.get("Challenge")):
            raise LinkError("password", "no challenge")
        key = hashlib.md5(f"{challenge}{secret}".encode(), usedforsecurity=False).hexdigest()
        pairs = [("AuthType", "MD5"), ("Username", user), ("Key", key), ("Events", "off")]
        if not (await self._asking("Login", pairs, CONNECT)).succeeded:
            raise LinkError("password")
        self._tasks.append(asyncio.create_task(self._keep_alive()))

    async def __aenter__(self) -> "Client":
        """Nothing: it is connected already."""
        return self

    async def __aexit__(self, *_error: object) -> None:
        """Close it."""
        await self.close()

    async def close(self) -> None:
        """End the connection; whoever waits for an answer learns it."""
        self._end(LinkError("closed"))
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(0.5):
                await self._writer.wait_closed()

    def _end(self, why: LinkError) -> None:
        """Once: everybody who waits is told, and the socket is closed."""
        if self.ended is not None:
            return
        self.ended = why
        self._greeted.set()
        for asked in self._asked.values():
            if not asked.answer.done():
                asked.answer.set_exception(why)
                asked.answer.exception()  # whoever was cancelled while they waited is no news
        self._asked.clear()
        self._events.put_nowait(None)
        self._writer.close()

    # --- Asking ---------------------------------------------------------------------------------------------------
    async def ask(self, action: str, *pairs: tuple[str, str], within: float = ANSWER) -> Message:
        """The node's answer, whether it says yes or no. Raises `LinkError` (also when it doesn't answer: then the connection is
        over, because nobody knows what the next answer belongs to) and `protocol.UnsafeActionError`."""
        return await self._asking(action, pairs, within)

    async def demand(self, action: str, *pairs: tuple[str, str], within: float = ANSWER) -> Message:
        """As `ask`; raises `ActionError` when the answer is no."""
        answer = await self.ask(action, *pairs, within=within)
        if not answer.succeeded:
            raise ActionError(answer.get("Message")[:200])
        return answer

    async def listing(self, action: str, *pairs: tuple[str, str], within: float = 60.0) -> list[Message]:
        """The events of an action that answers with a list; none where it says that there is nothing ("No Contacts found").

        Raises `ActionError` where it says no for another reason.
        """
        listed: list[Message] = []
        answer = await self._asking(action, pairs, within, listed)
        if not answer.succeeded and not answer.get("Message").lower().startswith(
            ("no ", "unable to retrieve")
        ):
            raise ActionError(answer.get("Message")[:200])
        return listed

    async def command(self, line: str, within: float = ANSWER) -> list[str]:
        """What a command of Asterisk's own terminal prints. Raises `ActionError` where there is no such command."""
        return (await self.demand("Command", ("Command", line), within=within)).all("Output")

    async def _asking(
        self,
        action: str,
        pairs: Iterable[tuple[str, str]],
        within: float,
        listed: list[Message] | None = None,
    ) -> Message:
        if self.ended:
            raise self.ended
        key = f"p{next(self._ids)}"
        data = encode(action, pairs, key)
        asked = _Asked(asyncio.get_running_loop().create_future(), listed)
        self._asked[key] = asked
        try:
            async with asyncio.timeout(within):
                self._writer.write(data)
                await self._writer.drain()
                return await asked.answer
        except TimeoutError as error:
            self._end(LinkError("silent", f"no answer to {action}"))
            raise LinkError("silent", f"no answer to {action}") from error
        except OSError as error:
            self._end(LinkError("closed"))
            raise LinkError("closed") from error
        finally:
            # An answer that comes later belongs to nobody, and is no event either.
            self._asked.pop(key, None)

    # --- Being told -----------------------------------------------------------------------------------------------
    async def events(self) -> AsyncIterator[Message]:
        """Events that belong to no action, in their order, until the connection ends; then raises `LinkError`."""
        while (message := await self._events.get()) is not None:
            self._waiting -= message.size
            yield message
        raise self.ended or LinkError("closed")

    async def _read(self) -> None:
        try:
            while data := await self._reader.read(65_536):
                self._heard = asyncio.get_running_loop().time()
                for message in self._decoder.feed(data):
                    self._sort(message)
                if self._decoder.banner:
                    self._greeted.set()
                # The greeting is a line, not a message: let others have their turn in a flood.
                await asyncio.sleep(0)
            self._end(LinkError("closed"))
        except ProtocolError as error:
            self._end(LinkError("protocol", str(error)))
        except OSError:
            self._end(LinkError("closed"))

    def _sort(self, message: Message) -> None:
        asked = self._asked.get(message.action_id) if message.action_id else None
        if asked is not None:
            self._answer(asked, message)
        elif message.event:
            self._waiting += message.size
            if self._events.qsize() >= MOST_WAITING or self._waiting > MOST_BYTES:
                raise ProtocolError("more events than anybody can take")
            self._events.put_nowait(message)

    def _answer(self, asked: _Asked, message: Message) -> None:
        if asked.answer.done():
            return
        if asked.listed is None:
            if not message.event:
                asked.answer.set_result(message)
        elif not message.event:
            asked.first = message
            if not message.succeeded or not message.get("EventList"):
                asked.answer.set_result(message)
        elif message.get("EventList").lower() == "complete":
            asked.answer.set_result(asked.first or message)
        else:
            asked.size += message.size
            if len(asked.listed) >= MOST_LISTED or asked.size > MOST_LIST_BYTES:
                raise ProtocolError("a list has no end")
            asked.listed.append(message)

    async def _keep_alive(self) -> None:
        """Silence is broken by a question; who doesn't answer it is gone, however open the connection looks."""
        loop = asyncio.get_running_loop()
        while True:
            quiet = loop.time() - self._heard
            # A node does one action of a connection after the other, and some ask the portal: their own time bounds them.
            if self._asked and quiet > SILENT_AT_WORK:
                self._end(LinkError("silent", "nothing came of an action"))
                return
            if quiet < PING_EVERY or self._asked:
                await asyncio.sleep(max(PING_EVERY - quiet, 0.1))
                continue
            with suppress(LinkError):
                await self._asking("Ping", (), PING_WITHIN)
            if self.ended:
                return

    @property
    def heard(self) -> float:
        """When (the loop's clock) the node last said anything."""
        return self._heard

    def when_ended(self, tell: Callable[[], None]) -> None:
        """Have `tell` called once the connection has ended."""
        self._tasks[0].add_done_callback(lambda _task: tell())
