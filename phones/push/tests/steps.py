"""What the tests of the push do and ask again and again."""

import socket
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from phones import selectors, services
from phones.models import Phone
from phones.push import worker
from phones.tests import factories
from phones.tests.desk import Desk
from phones.tests.factories import again
from users.tests.factories import FACTS


def place(phone: Phone, desk: Desk) -> None:
    Phone.objects.filter(pk=phone.pk).update(sip_port=desk.port)


def later(phone: Phone, **time: float) -> None:
    """Let time pass for one phone: every moment of its row moves back."""
    for name in ("stale_since", "next_attempt_at", "command_at", "notified_at", "fetched_at", "heard_at"):
        moment = getattr(again(phone), name)
        if moment is not None:
            Phone.objects.filter(pk=phone.pk).update(**{name: moment - timedelta(**time)})


def state(phone: Phone) -> selectors.PhoneState:
    """How the phone is doing, as a page reads it: without a single secret loaded."""
    shown = selectors.light(Phone.objects.filter(pk=phone.pk)).get()
    with CaptureQueriesContext(connection) as queries:
        found = selectors.state(shown)
        selectors.command_in_words(shown)
    assert not queries.captured_queries
    return found


def queries(work: Any) -> int:
    with CaptureQueriesContext(connection) as captured:
        work()
    return len(captured)


def closed_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def command(phone: Phone, which: Phone.Command = Phone.Command.RESTART) -> str:
    return services.phone_command(factories.provider(), again(phone), which, FACTS)


def while_sending(monkeypatch: pytest.MonkeyPatch, work: Any) -> None:
    """Do something between the claim and the answers, as another process could."""
    send = worker._send

    def sending(phones: Any) -> Any:
        monkeypatch.setattr(worker, "_send", send)
        work()
        return send(phones)

    monkeypatch.setattr(worker, "_send", sending)


class KilledError(BaseException):
    """The worker is gone: nothing after this runs."""
