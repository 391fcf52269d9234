"""What the tabs say is what happens to a call: colleagues, their numbers, and codes that they dial."""

import pytest

from asterisk.tests.phones import heard_first
from asterisk.tests.saving import save
from users.models import User

pytestmark = pytest.mark.calls


def test_a_colleague_is_called_by_their_extension_and_sees_who_calls(phones, boreale, amelie, felix):
    one, other = phones.of(amelie, tone=440), phones.of(felix, tone=700, answer="after 1")
    call = one.call("102")
    heard = other.incoming(within=3)
    assert (heard.from_number, heard.from_name) == ("101", "Amélie Tremblay")
    assert call.answered_within(5)
    assert call.hears(700, seconds=1)
    assert heard.hears(440, seconds=1)
    call.hangup()
    assert heard.ended_within(2)


def test_the_voicemail_answers_with_its_own_words(phones, boreale, amelie, felix):
    call = phones.of(amelie).call("102")
    assert call.answered_within(3)
    assert call.hears("speech", seconds=1)


def test_a_status_is_changed_by_its_code_and_other_codes_change_nothing(phones, boreale, amelie):
    one = phones.of(amelie)
    codes = {
        "*31": "away",
        "*32": "do_not_disturb",
        "*33": "lunch",
        "*34": "business_trip",
        "*30": "available",
        "*35": "available",
    }
    for code, status in codes.items():
        call = one.call(code)
        assert call.hears("speech", seconds=0.3), code
        call.hangup()
        assert User.objects.get(pk=amelie.pk).status == status
    save(amelie, disabled="1")
    assert heard_first(one.call("*31"), "speech") == "speech"
    assert User.objects.get(pk=amelie.pk).status == "available"


def test_who_is_disabled_is_busy_for_all_and_calls_nobody(phones, boreale, amelie, felix, ines):
    one, other = phones.of(felix), phones.of(ines, answer="at once", tone=900)
    save(ines, hidden="1")
    # Who isn't in the directories is called like anybody.
    call = one.call("103")
    assert call.hears(900, seconds=0.3)
    call.hangup()
    save(ines, disabled="1")
    call = one.call("103")
    assert call.ended_within(3)
    assert (call.code, other.rang) == (486, 1)
    assert heard_first(other.call("102"), "speech") == "speech"
    assert one.rang == 0
