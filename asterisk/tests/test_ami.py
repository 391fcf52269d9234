"""The manager interface: one action is one message whatever is in it, what arrives is bounded, and a connection that is dead ends."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asterisk.ami import client as connection
from asterisk.ami.client import ActionError, Client, LinkError
from asterisk.ami.protocol import Decoder, Message, ProtocolError, UnsafeActionError, encode
from asterisk.tests.manager import Manager, answer, listing

Result = TypeVar("Result")
GREETING = b"Asterisk Call Manager/11.0.0\r\n"


@pytest.fixture
def manager() -> Iterator[Manager]:
    playing = Manager()
    yield playing
    playing.stop()


def with_client(
    playing: Manager, do: Callable[[Client], Awaitable[Result]], secret: str = "geheim"
) -> Result:
    async def run() -> Result:
        async with await Client.connect("127.0.0.1", playing.port, "pbxadmin", secret) as client:
            return await do(client)

    return asyncio.run(run())


def as_asterisk_reads(data: bytes) -> list[dict[str, list[str]]]:
    """As `manager.c` does it: lines end at LF, a message at an empty one, a key at its first colon."""
    messages: list[dict[str, list[str]]] = []
    now: dict[str, list[str]] = {}
    for line in data.split(b"\n"):
        text = line.rstrip(b"\r")
        if text:
            key, _, value = text.partition(b":")
            now.setdefault(key.decode(), []).append(value.strip(b" ").decode())
        elif now:
            messages.append(now)
            now = {}
    assert not now, "the last message has no end"
    return messages


# --- Sending ------------------------------------------------------------------------------------------------------
@given(st.text(max_size=30), st.lists(st.tuples(st.text(max_size=12), st.text(max_size=1_200)), max_size=140))
def test_whatever_goes_in_exactly_one_action_comes_out_or_it_is_refused(
    name: str, pairs: list[tuple[str, str]]
) -> None:
    try:
        data = encode(name, pairs, "p1")
    except UnsafeActionError:
        return
    [read] = as_asterisk_reads(data)
    said: dict[str, list[str]] = {}
    for key, value in [("Action", name), ("ActionID", "p1"), *pairs]:
        said.setdefault(key, []).append(value.strip(" "))
    assert read == said
    assert all(len(line) <= 1_022 for line in data.split(b"\r\n"))


@pytest.mark.parametrize("sign", ["\r", "\n", "\0", "\r\n\r\nAction: Originate"])
def test_no_value_begins_another_line(sign: str) -> None:
    for name, pairs in ((f"Ping{sign}", []), ("Ping", [("A", f"x{sign}")]), ("Ping", [(f"A{sign}", "x")])):
        with pytest.raises(UnsafeActionError):
            encode(name, pairs)


@pytest.mark.parametrize("key", ["", "A b", "A:", "Clé", "A\N{NO-BREAK SPACE}"])
def test_a_key_is_a_word(key: str) -> None:
    with pytest.raises(UnsafeActionError):
        encode("Ping", [(key, "x")])


def test_what_asterisk_would_cut_or_forget_is_refused() -> None:
    assert len(encode("Ping", [("A", "x" * 1_019)])) > 1_000
    with pytest.raises(UnsafeActionError):
        encode("Ping", [("A", "x" * 1_020)])
    with pytest.raises(UnsafeActionError):
        encode("Ping", [("A", "é" * 510)])
    with pytest.raises(UnsafeActionError):
        encode("Ping", [("A", "x")] * 128)
    with pytest.raises(UnsafeActionError):
        encode("Ping", [("A", "\ud800")])


# --- Receiving ----------------------------------------------------------------------------------------------------
TALK = GREETING + (
    b"Response: Success\r\nActionID: p1\r\nMessage: Command output follows\r\nOutput: one: 1\r\nOutput: \r\nOutput: two\r\n\r\n"
    b"Response: Error\r\nActionID: p2\r\nMessage: No Contacts found\r\n\r\n\r\n"
    b"Event: UserEvent\r\nUserEvent: PbxCall\r\nName: Am\xc3\xa9lie \xff\r\n\r\n"
)


@given(st.lists(st.integers(0, len(TALK)), max_size=20))
def test_the_pieces_in_which_it_arrives_make_no_difference(cuts: list[int]) -> None:
    decoder, read = Decoder(), []
    for start, end in zip([0, *sorted(cuts)], [*sorted(cuts), len(TALK)], strict=True):
        read += decoder.feed(TALK[start:end])
    command, refused, told = read
    assert command.succeeded
    assert command.all("output") == ["one: 1", "", "two"]
    assert (refused.succeeded, refused.get("Message")) == (False, "No Contacts found")
    assert (told.event, told.response, told.get("Name")) == ("UserEvent", "", "Amélie \ufffd")


@given(st.binary(max_size=400))
def test_no_bytes_break_it(data: bytes) -> None:
    decoder = Decoder()
    with contextlib.suppress(ProtocolError):
        for message in decoder.feed(GREETING + data):
            assert isinstance(message, Message)


@pytest.mark.parametrize(
    "flood",
    [b"x" * 70_000, b"A: " + b"x" * 70_000 + b"\r\n", b"A: x\r\n" * 60_000, (b"A: " + b"x" * 60_000 + b"\r\n") * 80],
    ids=["a line without an end", "a long line", "a message without an end", "a large message"],
)  # fmt: skip
def test_a_node_that_lies_eats_no_memory(flood: bytes) -> None:
    decoder = Decoder()

    def swallow() -> None:
        for start in range(0, len(flood) + 1, 4_096):
            list(decoder.feed((GREETING if start == 0 else b"") + flood[start : start + 4_096]))

    with pytest.raises(ProtocolError):
        swallow()


# --- A connection -------------------------------------------------------------------------------------------------
def test_the_password_never_crosses_the_network(manager: Manager) -> None:
    with_client(manager, lambda client: client.ask("Ping"))
    assert [action["Action"] for action in manager.asked] == ["Challenge", "Login", "Ping"]
    assert "geheim" not in str(manager.asked)


def test_a_wrong_password_is_said(manager: Manager) -> None:
    with pytest.raises(LinkError) as raised:
        with_client(manager, lambda client: client.ask("Ping"), secret="falsch")
    assert raised.value.kind == "password"


def test_what_is_not_asterisk_is_said(manager: Manager) -> None:
    manager.greeting = b"SSH-2.0-OpenSSH_9.2\r\n"
    with pytest.raises(LinkError) as raised:
        with_client(manager, lambda client: client.ask("Ping"))
    assert raised.value.kind == "protocol"


def test_nobody_there_is_said(manager: Manager) -> None:
    manager.stop()
    with pytest.raises(LinkError) as raised:
        with_client(manager, lambda client: client.ask("Ping"))
    assert raised.value.kind == "refused"


def test_who_never_greets_is_left(manager: Manager) -> None:
    manager.greeting = b""

    async def run() -> None:
        await Client.connect("127.0.0.1", manager.port, "pbxadmin", "geheim", within=0.2)

    with pytest.raises(LinkError) as raised:
        asyncio.run(run())
    assert raised.value.kind == "silent"


def test_each_answer_finds_its_question(manager: Manager) -> None:
    manager.answers["Getvar"] = lambda asked: answer(asked, f"Value: {asked['Variable']}")

    async def ask_many(client: Client) -> list[str]:
        answers = await asyncio.gather(*(client.ask("Getvar", ("Variable", f"v{n}")) for n in range(50)))
        return [each.get("Value") for each in answers]

    assert with_client(manager, ask_many) == [f"v{n}" for n in range(50)]


def test_a_list_is_whole_and_an_empty_one_is_no_error(manager: Manager) -> None:
    manager.answers["PJSIPShowContacts"] = lambda asked: listing(asked, "ContactList", ["Uri: a"], ["Uri: b"])
    assert [
        each.get("Uri") for each in with_client(manager, lambda client: client.listing("PJSIPShowContacts"))
    ] == ["a", "b"]
    manager.answers["PJSIPShowContacts"] = lambda asked: answer(
        asked, "Message: No Contacts found", response="Error"
    )
    assert with_client(manager, lambda client: client.listing("PJSIPShowContacts")) == []
    manager.answers["PJSIPShowContacts"] = lambda asked: answer(
        asked, "Message: Permission denied", response="Error"
    )
    with pytest.raises(ActionError, match="Permission denied"):
        with_client(manager, lambda client: client.listing("PJSIPShowContacts"))


def test_events_are_told_in_their_order_and_the_end_too(manager: Manager) -> None:
    async def listen(client: Client) -> list[str]:
        manager.say("".join(f"Event: UserEvent\nN: {n}\n\n" for n in range(3)))
        told: list[str] = []

        async def take() -> None:
            async for event in client.events():
                told.append(event.get("N") or event.event)
                if len(told) == 4:
                    manager.cut()

        with pytest.raises(LinkError):
            await take()
        return told

    assert with_client(manager, listen) == ["FullyBooted", "0", "1", "2"]


@pytest.mark.parametrize(
    "lines", [["A: " + "x" * 60_000] * 4, ["A: "] * 5_000], ids=["long lines", "short lines"]
)
def test_events_that_nobody_takes_are_bounded_by_what_they_cost(
    manager: Manager, monkeypatch: pytest.MonkeyPatch, lines: list[str]
) -> None:
    monkeypatch.setattr(connection, "MOST_BYTES", 4_000_000)

    async def wait_for_the_end(client: Client) -> str:
        flood = "".join(f"{line}\n" for line in ["Event: UserEvent", *lines, ""])
        await asyncio.to_thread(manager.say, flood * 40)
        while client.ended is None:
            await asyncio.sleep(0.01)
        return client.ended.kind

    assert with_client(manager, wait_for_the_end) == "protocol"


def test_events_that_are_taken_cost_nothing_any_more(
    manager: Manager, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "MOST_BYTES", 100_000)

    async def take(client: Client) -> int:
        events, count = client.events(), 0
        for number in range(30):
            manager.say(f"Event: UserEvent\nN: {number}\nA: {'x' * 20_000}\n\n")
            while (await anext(events)).get("N") != str(number):
                pass
            count += 1
        return count

    assert with_client(manager, take) == 30


def test_a_connection_that_is_cut_ends_every_question(manager: Manager) -> None:
    manager.delay = 1.0

    async def ask_and_cut(client: Client) -> list[object]:
        asked = [asyncio.create_task(client.ask("Ping")) for _ in range(3)]
        await asyncio.sleep(0)
        manager.cut()
        return list(await asyncio.gather(*asked, return_exceptions=True))

    assert all(isinstance(each, LinkError) for each in with_client(manager, ask_and_cut))


@pytest.mark.slow("waits for as long as a node may be silent")
def test_a_dead_node_is_noticed_within_five_seconds(manager: Manager) -> None:
    manager.delay = 60.0

    async def wait(client: Client) -> float:
        began = time.monotonic()
        with pytest.raises(LinkError) as raised:
            [event async for event in client.events()]
        assert raised.value.kind == "silent"
        return time.monotonic() - began

    assert with_client(manager, wait) < 5.0


def test_an_action_that_takes_long_is_no_death(manager: Manager, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "PING_EVERY", 0.1)
    monkeypatch.setattr(connection, "PING_WITHIN", 0.2)
    manager.delay = 0.6
    assert with_client(manager, lambda client: client.ask("Command", ("Command", "x"))).succeeded


def test_a_question_that_is_given_up_disturbs_no_other(manager: Manager) -> None:
    manager.answers["Getvar"] = lambda asked: answer(asked, f"Value: {asked['Variable']}")

    async def give_up(client: Client) -> str:
        first = asyncio.create_task(client.ask("Getvar", ("Variable", "first")))
        await asyncio.sleep(0)
        first.cancel()
        return (await client.ask("Getvar", ("Variable", "second"))).get("Value")

    assert with_client(manager, give_up) == "second"


def test_an_action_that_is_refused_here_leaves_the_connection_as_it_was(manager: Manager) -> None:
    async def refused(client: Client) -> bool:
        with pytest.raises(UnsafeActionError):
            await client.ask("Getvar", ("Variable", "a\r\n\r\nAction: Logoff"))
        return (await client.ask("Ping")).succeeded

    assert with_client(manager, refused)
    assert "Logoff" not in {action["Action"] for action in manager.asked}
