"""Asterisk ends in the middle of calls, told to or killed: what is known of lines, messages and calls is true again when it is back."""

import pytest

from asterisk.calls.taken import Ending
from asterisk.models import CallRecord, Contact, Node
from voicemail.models import Mailbox

pytestmark = pytest.mark.calls


def a_message(engine, person):
    """Somebody left a message before."""
    box = engine.folders.spool / f"voicemail/u{person.pk}/{person.number}/INBOX"
    box.mkdir(parents=True)
    (box / "msg0000.wav").write_bytes(b"RIFF" + bytes(400))
    (box / "msg0000.txt").write_text(
        "[message]\nmsg_id=1795840220-00000000\norigmailbox=102\ncallerid=101\norigtime=1795840220\nduration=3\n"
    )


@pytest.mark.parametrize("how", ["told", "killed"])
def test_calls_of_a_node_that_ends_are_over_and_what_was_registered_is_again(
    phones, engine, link, boreale, amelie, felix, how
):
    a_message(engine, felix)
    one, other = phones.of(amelie, tone=440), phones.of(felix, answer="at once", tone=700)
    assert other.messages_become(1, 0)
    call = one.call("102")
    assert call.hears(700, 0.2)
    engine.wait_until(lambda: CallRecord.objects.filter(ended_at=None).exists(), "the call is known")
    engine.wait_until(lambda: Contact.objects.count() == 2, "so are the devices")
    if how == "killed":
        engine.process.kill()
    engine.stop()
    engine.wait_until(lambda: not linked(), "the link is cut")
    # Who is told to end hangs up, and keeps what there is to tell.
    assert call.ended == (how == "told")
    engine.start()
    engine.wait_until(linked, "linked again", 20)
    engine.wait_until(lambda: not CallRecord.objects.filter(ended_at=None).exists(), "the call is over")
    record = CallRecord.objects.get()
    assert (record.outcome, record.seconds is None) == {
        "told": (Ending.ANSWERED, False),
        "killed": (Ending.ENDED, True),
    }[how]
    assert Contact.objects.count() == 2
    for person in (amelie, felix):
        state = f"dialplan eval function DEVICE_STATE(PJSIP/{person.number}@{boreale.fqdn})"
        engine.wait_until(lambda state=state: "NOT_INUSE" in engine.cli(state), "its state is known")
    # Nobody had told of it.
    engine.wait_until(lambda: Mailbox.objects.get(user=felix).unread == 1, "the message is counted")
    again = one.call("102")
    assert again.hears(700, 0.2)
    again.hangup()
    engine.wait_until(
        lambda: CallRecord.objects.count() == 2 and not CallRecord.objects.filter(ended_at=None),
        "it is told as ever",
    )
    assert set(CallRecord.objects.order_by("-at").values_list("outcome", flat=True)[:1]) == {Ending.ANSWERED}


def linked():
    """Whether the link stands."""
    return Node.objects.filter(connected_at__isnull=False).exists()
