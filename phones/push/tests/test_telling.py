"""The broker that is told after the commit, may fail, and learns no secret."""

import json
import logging
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest
from celery import Task

from pbxadmin.celery import app
from phones import services
from phones.models import Phone
from phones.push import telling, worker
from phones.push.tests.steps import closed_port, command
from phones.tests import factories
from phones.tests.desk import Desk
from phones.tests.factories import again, outbox, rename
from phones.tests.processes import publish_to
from users.models import Change, Operation, User
from users.tests.factories import FACTS

pytestmark = pytest.mark.django_db


@pytest.fixture
def broker() -> Iterator[Any]:
    """Says where the broker is."""
    before = app.conf.broker_url
    yield publish_to
    publish_to(before)


@pytest.mark.slow("waits for a broker that never answers")
def test_a_broker_that_refuses_or_never_answers_costs_a_page_little_and_loses_nothing(
    phone: Phone, amelie: User, desk: Desk, broker: Any, django_capture_on_commit_callbacks: Any, caplog: Any
) -> None:
    with socket.socket() as hole:
        hole.bind(("127.0.0.1", 0))
        hole.listen()
        refused = closed_port()
        for number, (url, most) in enumerate(
            [(f"redis://127.0.0.1:{refused}/0", 0.5), (f"redis://127.0.0.1:{hole.getsockname()[1]}/0", 2.5)]
        ):
            broker(url)
            telling.rest(0)
            begin = time.monotonic()
            with django_capture_on_commit_callbacks(execute=True):
                rename(amelie, f"Anne {number}")
            assert time.monotonic() - begin < most + 0.5, url
            assert outbox(phone)
            # Whoever saves next doesn't wait at all.
            begin = time.monotonic()
            assert not telling.publish([phone.pk])
            assert time.monotonic() - begin < 0.1
    assert worker.sweep() == 1
    assert desk.events


def test_tasks_carry_keys_only_and_no_log_or_history_holds_a_secret(
    phone: Phone,
    amelie: User,
    desk: Desk,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
    caplog: Any,
) -> None:
    sent: list[Any] = []
    monkeypatch.setattr(
        Task,
        "apply_async",
        lambda self, args=(), kwargs=None, **options: sent.append([self.name, args, kwargs]),
    )
    with caplog.at_level(logging.INFO), django_capture_on_commit_callbacks(execute=True):
        rename(amelie, "Anne")
        command(phone)
        services.token_rotate(factories.provider(), again(phone), FACTS)
        services.reveal_secret(factories.provider(), again(phone), "sip", FACTS)
        services.reveal_secret(factories.provider(), again(phone), "link", FACTS)
    worker.sweep()
    assert sent
    assert {name for name, _, _ in sent} == {"phones.push.tasks.push_phones"}
    assert app.amqp.router.route({}, "phones.push.tasks.push_phones")["queue"].name == "push"
    assert all(args == ([phone.pk],) for _, args, _ in sent)
    told = json.dumps(
        [
            list(Change.objects.values_list("cells", flat=True)),
            list(Operation.objects.values_list("reason", flat=True)),
        ]
    )
    for secret in (amelie.sip_password, phone.web_password, phone.token, again(phone).token):
        assert secret not in told + caplog.text + json.dumps(sent)
