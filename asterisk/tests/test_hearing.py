"""What is heard in a recording, and what a SIP message says."""

import math
import wave
from pathlib import Path

import pytest

from asterisk.softphone.hearing import Ear, Heard
from asterisk.softphone.message import Message, name_of, number_of, waiting
from asterisk.softphone.phone import rule


def sounds(*pieces: tuple[tuple[int, ...], float]) -> bytes:
    """Frequencies and seconds, one after another, as 16 bits at 8 kHz."""
    samples = [
        int(sum(6000 * math.sin(2 * math.pi * hertz * at / 8000) for hertz in tones))
        for tones, seconds in pieces
        for at in range(round(seconds * 8000))
    ]
    return b"".join(sample.to_bytes(2, "little", signed=True) for sample in samples)


def recording(path: Path, content: bytes) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(content)
    return path


def test_tones_silence_and_progress_are_heard_with_their_seconds(tmp_path):
    content = sounds(
        ((700,), 1), ((), 0.3), ((440, 480), 2), ((480, 620), 0.5), ((350, 440), 0.5), ((1004,), 0.2)
    )
    assert Ear(recording(tmp_path / "it.wav", content)).heard() == [
        Heard(700, 1.0),
        Heard("silence", 0.3),
        Heard("ringback", 2.0),
        Heard("busy tone", 0.5),
        Heard("dial tone", 0.5),
        Heard(1004, 0.2),
    ]


@pytest.mark.parametrize("hertz", [300, 330, 440, 850, 1000, 1500])
def test_a_tone_is_known_to_the_hertz(tmp_path, hertz):
    assert Ear(recording(tmp_path / "it.wav", sounds(((hertz,), 0.5)))).heard() == [Heard(hertz, 0.5)]


def test_many_tones_at_once_are_speech(tmp_path):
    ear = Ear(recording(tmp_path / "it.wav", sounds(((310, 530, 910, 1270, 1910), 0.4))))
    assert ear.heard() == [Heard("speech", 0.4)]


def test_a_recording_that_grows_is_listened_to_from_where_one_was(tmp_path):
    path = recording(tmp_path / "it.wav", sounds(((700,), 0.45)))
    ear = Ear(path)
    assert ear.seconds(700) == 0.4
    with path.open("ab") as file:
        file.write(sounds(((700,), 0.55)))
    assert ear.seconds(700) >= 0.9
    assert Ear(tmp_path / "none.wav").heard() == []


INVITE = (
    "INVITE sip:102@127.0.0.1:5070;ob SIP/2.0\r\n"
    'f: "Amélie \\"Mimi\\" Tremblay" <sip:101@boreale.example>;tag=1\r\n'
    "Diversion: <sip:+15145550100@x>;reason=busy\r\n"
    "Diversion: <sip:103@x>\r\n\r\n"
    "v=0\r\nc=IN IP4 10.0.0.7\r\nm=audio 4000 RTP/SAVP 9 8 101 96\r\na=rtpmap:101 telephone-event/8000\r\na=rtpmap:96 opus/48000/2\r\n"
)


def test_an_invite_says_who_whom_and_how():
    invite = Message(INVITE)
    assert (invite.method, invite.code, invite.dialled) == ("INVITE", 0, "102")
    assert (number_of(invite.header("From")), name_of(invite.header("from"))) == (
        "101",
        'Amélie "Mimi" Tremblay',
    )
    assert [number_of(value) for value in invite.headers["diversion"]] == ["+15145550100", "103"]
    assert (invite.codecs, invite.media, invite.encrypted) == (
        ["g722", "alaw", "opus"],
        ("10.0.0.7", 4000),
        True,
    )


def test_an_answer_has_a_code_and_no_method():
    answer = Message("SIP/2.0 302 Moved\r\nContact: <sip:5@x>\r\n\r\n")
    assert (answer.code, answer.method, answer.header("Contact"), answer.media) == (
        302,
        "",
        "<sip:5@x>",
        ("", 0),
    )


@pytest.mark.parametrize(
    ("address", "number"),
    [
        ("<sip:127.0.0.1>", ""),
        ("sip:7@x", "7"),
        ("<tel:+1514>", "+1514"),
        ("Anonymous <sip:anonymous@x>", "anonymous"),
    ],
)
def test_the_number_of_an_address(address, number):
    assert number_of(address) == number


def test_a_message_summary_is_new_and_old():
    assert waiting("NOTIFY x\r\n\r\nMessages-Waiting: yes\r\nVoice-Message: 2/5 (0/0)\r\n") == (2, 5)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("ring", {"ring": 180}),
        ("silent", {"ring": 0}),
        ("at once", {"ring": 180, "code": 200, "after": 0.0, "headers": {}}),
        ("after 2.5", {"ring": 180, "code": 200, "after": 2.5, "headers": {}}),
        ("busy", {"ring": 0, "code": 486, "after": 0.0, "headers": {}}),
        ("603 after 1", {"ring": 180, "code": 603, "after": 1.0, "headers": {}}),
        ("302 to sip:5@x", {"ring": 0, "code": 302, "after": 0.0, "headers": {"Contact": "<sip:5@x>"}}),
    ],
)
def test_what_a_phone_does_with_a_call_is_said_in_words(words, expected):
    assert rule(words) == expected


def test_other_words_are_refused():
    with pytest.raises(ValueError, match="dance"):
        rule("dance")
