"""Calls of real phones are on the list of calls as they went, whoever was away when they ended."""

from typing import Any

import pytest

from asterisk.calls import settling
from asterisk.models import CallRecord, Node, Trunk
from asterisk.tests.engine import manage
from asterisk.tests.saving import save, trunk
from forwarding.decisions import Ring, Verdict
from phones.tests.processes import wait_until
from users.models import Did, SystemExtension, User

pytestmark = pytest.mark.calls


@pytest.fixture
def link(portal: Any, engine: Any) -> Any:
    with portal.running(*manage("pbx_link"), name="link"):
        wait_until(lambda: Node.objects.filter(connected_at__isnull=False).exists(), 20, "linked")
        yield


def the_call(outcome: str) -> CallRecord:
    """The only call, once its plan and its end are written."""

    def there() -> bool:
        return CallRecord.objects.filter(outcome=outcome).exclude(planned={}).exists()

    wait_until(there, 8, f"{outcome}, not {list(CallRecord.objects.values('outcome', 'taken', 'dialled'))}")
    return CallRecord.objects.get()


def missed(call: CallRecord) -> set[str]:
    return set(call.parties.filter(missed=True).values_list("user__number", flat=True))


def test_an_answered_call_says_who_answered_and_for_how_long(
    phones: Any, link: Any, boreale: Any, amelie: User, felix: User
) -> None:
    phones.of(felix, tone=700, answer="at once")
    call = phones.of(amelie).call("102")
    assert call.hears(700, seconds=1.5)
    call.hangup()
    record = the_call("answered")
    assert (record.from_extension, record.dialled, record.answered_by, record.taken) == (
        "101", "102", "102", ["answered"],
    )  # fmt: skip
    assert record.seconds in (1, 2, 3)
    assert missed(record) == set()


def test_a_call_for_help_which_asks_nobody_is_there_too(
    phones: Any, link: Any, boreale: Any, amelie: User
) -> None:
    provider = phones.trunk(tone=1200, answer="at once")
    Trunk.objects.all().delete()
    trunk(provider)
    call = phones.of(amelie).call("911")
    assert call.hears(1200, 1)
    call.hangup()
    record = the_call("answered")
    dialled = settling.way_of(record).dialled
    assert dialled
    assert (record.from_extension, record.dialled, dialled.verdict) == ("101", "911", Verdict.EMERGENCY)
    assert record.seconds in (1, 2, 3)


def test_a_caller_who_gives_up_is_missed(
    phones: Any, link: Any, boreale: Any, amelie: User, felix: User
) -> None:
    other = phones.of(felix, answer="ring")
    call = phones.of(amelie).call("102")
    assert other.incoming(within=5)
    call.hangup()
    record = the_call("given_up")
    assert missed(record) == {"102"}
    assert [each.how for each in settling.way_of(record).steps if isinstance(each.step, Ring)] == ["given_up"]


def test_a_call_that_ended_while_nobody_listened_is_found_again(
    phones: Any, portal: Any, boreale: Any, amelie: User, felix: User
) -> None:
    with portal.running(*manage("pbx_link"), name="link"):
        wait_until(lambda: Node.objects.filter(connected_at__isnull=False).exists(), 20, "linked")
    phones.of(felix, answer="decline")
    call = phones.of(amelie).call("102")
    assert call.answered_within(5)
    call.hangup()
    with portal.running(*manage("pbx_link"), name="link"):
        record = the_call("voicemail")
    assert (record.taken, missed(record)) == (["declined"], set())


def test_a_ring_group_says_whom_it_rang(
    phones: Any, link: Any, boreale: Any, amelie: User, felix: User, ines: User
) -> None:
    group = SystemExtension.objects.create(customer=boreale, number="800", name="Accueil", kind="ring_group")
    group.members.set([felix, ines, amelie])
    Did.objects.create(customer=boreale, number="+15145550123", system_extension=group)
    trunk = phones.trunk()
    Trunk.objects.create(
        name="Fournisseur", host="127.0.0.2", port=trunk.port, networks="127.0.0.2/32", channels=10
    )
    other = phones.of(felix, answer="ring")
    third = phones.of(ines, answer="ring")
    call = trunk.call("5145550123", "4185550100")
    assert other.incoming(within=5)
    assert third.incoming(within=5)
    call.hangup()
    record = the_call("given_up")
    assert (record.from_number, record.rang) == ("+14185550100", ["102", "103"])
    assert missed(record) == {"102", "103"}


@pytest.fixture
def mobile(phones: Any, boreale: Any, felix: User) -> Any:
    """Félix's mobile, where a call of a colleague is to be accepted once his phone has rung."""
    trunk = phones.trunk(answer="at once", tone=1000)
    Trunk.objects.create(
        name="Fournisseur", host="127.0.0.2", port=trunk.port, networks="127.0.0.2/32", channels=10
    )
    save(
        felix, mobile="+14185550177", available__no_answer_seconds="5", available__no_answer_external="mobile?bounce",
        available__no_answer_internal="same",
    )  # fmt: skip
    phones.of(felix, answer="ring")
    return trunk


def test_a_call_that_is_accepted_on_the_mobile_was_answered_and_not_missed(
    phones: Any, link: Any, mobile: Any, amelie: User
) -> None:
    call = phones.of(amelie).call("102")
    asked = mobile.incoming(within=10)
    assert asked.hears("speech", seconds=0.5)
    asked.dtmf("1")
    assert call.hears(1000, seconds=1.5)
    call.hangup()
    record = the_call("answered")
    assert (record.taken, missed(record)) == (["no_answer", "answered"], set())
    assert record.seconds in (1, 2, 3, 4)


def test_a_caller_who_hangs_up_while_somebody_is_asked_to_accept_was_answered_by_nobody(
    phones: Any, link: Any, mobile: Any, amelie: User
) -> None:
    call = phones.of(amelie).call("102")
    asked = mobile.incoming(within=10)
    assert asked.hears("speech", seconds=0.5)
    call.hangup()
    record = the_call("given_up")
    assert (record.taken, missed(record), record.seconds) == (["no_answer", "given_up"], {"102"}, 0)
