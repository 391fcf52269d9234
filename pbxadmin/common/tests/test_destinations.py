"""The Destination value: one canonical text, nothing invalid, and what each side of a rule accepts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbxadmin.common.values.destinations import (
    Code,
    Destination,
    DestinationError,
    Kind,
    Side,
    allowed,
    modifiers_allowed,
    refusal,
)
from pbxadmin.common.values.statuses import Status

TEXTS = {
    "voicemail": Destination(Kind.VOICEMAIL),
    "extension:105": Destination(Kind.EXTENSION, "105"),
    "extension:105?voicemail": Destination(Kind.EXTENSION, "105", voicemail=True),
    "mobile": Destination(Kind.MOBILE),
    "mobile?bounce": Destination(Kind.MOBILE, bounce=True),
    "mobile?bounce&deflect": Destination(Kind.MOBILE, bounce=True, deflect=True),
    "external:+15145550100": Destination(Kind.EXTERNAL, "+15145550100"),
    "external:+15145550100?bounce": Destination(Kind.EXTERNAL, "+15145550100", bounce=True),
    "external:+15145550100?deflect": Destination(Kind.EXTERNAL, "+15145550100", deflect=True),
    "system:801": Destination(Kind.SYSTEM, "801"),
    "busy": Destination(Kind.BUSY),
    "same": Destination(Kind.SAME),
}

extensions = st.text("0123456789", min_size=2, max_size=5)
numbers = st.from_regex(r"\+[1-9][0-9]{6,14}", fullmatch=True)
destinations = st.one_of(
    st.sampled_from([Destination(kind) for kind in (Kind.VOICEMAIL, Kind.BUSY, Kind.SAME)]),
    st.builds(Destination, st.just(Kind.EXTENSION), extensions, voicemail=st.booleans()),
    st.builds(Destination, st.just(Kind.SYSTEM), extensions),
    st.builds(Destination, st.just(Kind.MOBILE), bounce=st.booleans(), deflect=st.booleans()),
    st.builds(Destination, st.just(Kind.EXTERNAL), numbers, bounce=st.booleans(), deflect=st.booleans()),
)


@pytest.mark.parametrize(("text", "value"), TEXTS.items(), ids=TEXTS)
def test_a_text_and_its_value_are_the_same_thing(text, value):
    assert Destination.parse(text) == value
    assert str(value) == text


@given(destinations)
def test_every_destination_survives_the_way_through_its_text(destination):
    assert Destination.parse(str(destination)) == destination


def parsed(text: str) -> Destination | Code:
    try:
        return Destination.parse(text)
    except DestinationError as error:
        return error.code


@given(
    st.text() | destinations.map(str).flatmap(lambda text: st.sampled_from([text + "&", text[:-1], text * 2]))
)
def test_any_text_is_a_destination_or_a_named_error(text):
    found = parsed(text)
    assert isinstance(found, Code) or parsed(str(found)) == found


def test_modifiers_are_read_in_any_order_and_written_in_one():
    assert str(Destination.parse("mobile?deflect&bounce")) == "mobile?bounce&deflect"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", Code.BLANK),
        ("fax:105", Code.UNKNOWN_KIND),
        ("Voicemail", Code.UNKNOWN_KIND),
        (" voicemail", Code.UNKNOWN_KIND),
        ("?bounce", Code.UNKNOWN_KIND),
        ("extension", Code.VALUE_MISSING),
        ("extension:", Code.VALUE_MISSING),
        ("busy:", Code.VALUE_MISSING),
        ("external", Code.VALUE_MISSING),
        ("busy:105", Code.VALUE_NOT_TAKEN),
        ("mobile:+15145550100", Code.VALUE_NOT_TAKEN),
        ("extension:1", Code.BAD_EXTENSION),
        ("extension:123456", Code.BAD_EXTENSION),
        ("extension:10a", Code.BAD_EXTENSION),
        ("extension:١٠٥", Code.BAD_EXTENSION),
        ("system:105\n", Code.BAD_EXTENSION),
        ("external:5145550100", Code.BAD_NUMBER),
        ("external:0115145550100", Code.BAD_NUMBER),
        ("external:*72", Code.BAD_NUMBER),
        ("external:911", Code.BAD_NUMBER),
        ("external:+15145550100,,,225", Code.BAD_NUMBER),
        ("external:sip:eve@example.com", Code.BAD_NUMBER),
        ("external:+1234567890123456", Code.BAD_NUMBER),
        ("mobile?", Code.UNKNOWN_MODIFIER),
        ("mobile?kind", Code.UNKNOWN_MODIFIER),
        ("mobile?bounce&bounce", Code.REPEATED_MODIFIER),
        ("mobile?voicemail", Code.MODIFIER_NOT_TAKEN),
        ("extension:105?bounce", Code.MODIFIER_NOT_TAKEN),
        ("system:801?voicemail", Code.MODIFIER_NOT_TAKEN),
        ("voicemail?deflect", Code.MODIFIER_NOT_TAKEN),
    ],
)
def test_what_is_no_destination_says_why(text, code):
    with pytest.raises(DestinationError) as caught:
        Destination.parse(text)
    assert caught.value.code is code


def test_an_invalid_destination_cannot_be_made():
    with pytest.raises(DestinationError):
        Destination(Kind.BUSY, bounce=True)


FIELDS = [
    # text, external field, internal field
    ("voicemail", None, None),
    ("extension:105", None, None),
    ("extension:105?voicemail", None, None),
    ("mobile", None, Code.KIND_NOT_FOR_SIDE),
    ("mobile?bounce", None, Code.KIND_NOT_FOR_SIDE),
    ("external:+15145550100", None, None),
    ("external:+15145550100?bounce", None, Code.MODIFIER_NOT_FOR_SIDE),
    ("external:+15145550100?deflect", None, Code.MODIFIER_NOT_FOR_SIDE),
    ("system:801", None, None),
    ("busy", None, None),
    ("same", Code.KIND_NOT_FOR_SIDE, None),
]


@pytest.mark.parametrize(("text", "external", "internal"), FIELDS, ids=[row[0] for row in FIELDS])
def test_what_a_field_accepts_depends_on_where_the_caller_is(text, external, internal):
    assert refusal(Destination.parse(text), Side.EXTERNAL) is external
    assert refusal(Destination.parse(text), Side.INTERNAL) is internal


@given(destinations, st.sampled_from(Side))
def test_what_a_picker_offers_is_what_its_field_accepts(destination, side):
    boxes = modifiers_allowed(destination.kind, side)
    offered = destination.kind in allowed(side) and all(each in boxes for each in destination.modifiers)
    assert (refusal(destination, side) is None) is offered


def test_a_picker_offers_the_modifiers_of_its_kind():
    assert modifiers_allowed(Kind.MOBILE, Side.EXTERNAL) == ("bounce", "deflect")
    assert modifiers_allowed(Kind.EXTERNAL, Side.INTERNAL) == ()
    assert modifiers_allowed(Kind.EXTENSION, Side.INTERNAL) == ("voicemail",)
    assert modifiers_allowed(Kind.BUSY, Side.EXTERNAL) == ()


def test_the_five_statuses_have_their_codes_and_types():
    assert [status.dial_code for status in Status] == ["*30", "*31", "*32", "*33", "*34"]
    assert [status for status in Status if status.rings] == [Status.AVAILABLE, Status.LUNCH]
    assert [status for status in Status if status.rings] == [Status.AVAILABLE, Status.LUNCH]
