"""Mailboxes by phone, for tests: what is left there, and how it is listened to."""

from typing import Any

import pytest

from asterisk.models import Node
from asterisk.tests.engine import manage
from asterisk.tests.prompts import Prompts
from asterisk.tests.saving import save
from users.models import User


def mailbox(person: User, **values: Any) -> None:
    """Options of somebody's mailbox, as the tab saves them."""
    save(person, **{f"voicemail__{name}": value for name, value in values.items()})


@pytest.fixture
def link(portal, engine):
    """A worker of the link that has reached the node."""
    with portal.running(*manage("pbx_link"), name="link") as process:
        engine.wait_until(lambda: Node.objects.filter(connected_at__isnull=False).exists(), "linked", 20)
        yield process


@pytest.fixture
def prompts(engine):
    return Prompts(engine)


@pytest.fixture
def inbox(engine, felix):
    """The new messages of 102, by their names."""
    folder = engine.folders.spool / f"voicemail/u{felix.pk}/102/INBOX"
    return lambda: sorted(path.name for path in folder.glob("*.wav"))


@pytest.fixture
def leave(phones, prompts, inbox, engine, boreale, felix):
    """Somebody calls 102, whom nobody answers, speaks for two seconds after the tone and hangs up."""

    def left(caller: Any, number: str = "102", tone: int = 440, into: Any = inbox) -> Any:
        before, beeps, words = len(into()), prompts.names.count("beep"), prompts.names.count("vm-theperson")
        call = caller.call(number, tone=tone)
        prompts.count("vm-theperson", words + 1)
        call.dtmf("#")  # to the tone at once
        prompts.count("beep", beeps + 1)
        heard = call.heard_for("silence")
        engine.wait_until(lambda: call.heard_for("silence") > heard + 2, "two seconds", 10)
        call.hangup()
        engine.wait_until(lambda: len(into()) > before, "the message is in the inbox")
        return call

    return left


def listens(prompts: Prompts, phone: Any, *keys: str) -> Any:
    """*97, and keys that are pressed once the menu of the mailbox speaks."""
    call = phone.call("*97")
    assert call.answered_within(5)
    for key in keys:
        call.dtmf(key)
    return call
