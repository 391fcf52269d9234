"""Names and numbers that hurt: they are seen as they are written, and become nothing else."""

from urllib.parse import quote

import pytest

from asterisk.tests.saving import did, people, save, trunk

pytestmark = pytest.mark.calls

DID, CLIENT = "+15145550123", "4185550177"
# First and last name, and what a colleague sees. Asterisk keeps 79 bytes.
NAMES = (
    ("Zoé “🦊”", "O’Neil-Łukasz", "Zoé “🦊” O’Neil-Łukasz"),
    (
        "${EXTEN}a;b|c&d=e%0A",
        "$[1+1],${SYSTEM(touch x)}^~",
        "${EXTEN}a;b|c&d=e%0A $[1+1],${SYSTEM(touch x)}^~",
    ),
    ('Jean "le', 'grand" <911>\\', "Jean le grand 911"),
    ("Æ" * 50, "é" * 50, "Æ" * 39),
)
STRANGERS = ("${SYSTEM(touch x)} a;b|c&d=e,f^g", "🦊 Event: UserEvent%0D%0A")
NUMBERS = ("418;x=1", "${EXTEN}", f"{CLIENT}&102", "9" * 60, "101", "911")


def test_names_and_numbers_come_to_the_phone_as_they_are_written_or_not_at_all(
    phones, engine, boreale, amelie
):
    provider = phones.trunk()
    trunk(provider)
    did(boreale, DID, amelie)
    callers = people(boreale, *(str(120 + at) for at in range(len(NAMES))))
    for person, (first, last, _seen) in zip(callers, NAMES, strict=True):
        save(person, first_name=first, last_name=last)
    one = phones.of(amelie)

    def came(call):
        """The name and the number that she sees."""
        seen = one.incoming()
        assert call.hangup()
        return seen.from_name, seen.from_number

    for person, (_first, _last, name) in zip(callers, NAMES, strict=True):
        assert came(phones.of(person, register=False).call("101")) == (name, person.number)
    for name in STRANGERS:
        assert came(provider.call(DID, CLIENT, name=name)) == (name, "+14185550177")
    # What isn't a number of the public network is none: nobody seems to be a colleague, or the rescuers.
    for number in NUMBERS:
        assert came(provider.call(DID, quote(number))) == ("", ""), number
    assert "ERROR" not in engine.said
