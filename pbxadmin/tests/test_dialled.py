"""What a phone will dial is read in one way: a number that somebody earns on gets into no field, whatever hides it."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forwarding.tabs.columns import DestinationColumn
from pbxadmin.common.columns import FieldColumn
from pbxadmin.common.fields import PhoneNumberField
from pbxadmin.common.values.tolls import as_dialled, numbers_in, toll_of
from users import road
from users.company.sheets import department_sheet, did_sheet
from users.models import Department
from users.people.sections import user_sheet
from users.tests.factories import make_user

PREMIUM = "9005551234"
DISGUISES = [
    "1900,5551234", "9,1,900,5551234", "9,,1900,,,555,1234", "900,5551234", "1,9005551234", "1900#5551234", "1900*5551234", "*67,1900,5551234",
    "*7219005551234", "*729005551234", "*67*9005551234", "#31#19005551234", "9,011,881612345678", "011,881612345678", "00881612345678",
    "9011881612345678", "10102889005551234", "101028819005551234", "09005551234", "919005551234", "19005551234", "+19005551234", "+1 (900) 555-1234",
    "tel:+1-900-555-1234", "1.900.555.1234", "１９００５５５１２３４", "١٩٠٠٥٥٥١٢٣٤", "1900;5551234", "1900p5551234", "1900w5551234", "1900P555W1234",
    "sip:19005551234@pbx.example", "19005551234@pbx.example", "tel:1900;phone-context=+1", "1\u200b900\u00ad5551234",
]  # fmt: skip


def holding_numbers():
    """Every column of every sheet that holds a phone number or a destination."""
    for sheet in (user_sheet(), department_sheet(), did_sheet()):
        for name, column in sheet.columns.items():
            inner = getattr(column, "inner", column)
            if isinstance(inner, DestinationColumn):
                yield sheet, name, "external:"
            elif isinstance(inner, FieldColumn) and isinstance(inner.field, PhoneNumberField):
                yield sheet, name, ""


@pytest.mark.parametrize("disguise", DISGUISES)
def test_a_dear_number_is_recognised_whatever_hides_it(boreale, felix, staff, disguise):
    """A field that takes numbers refuses it; a key, which dials what it is given, tells it or refuses it as well."""
    person = make_user(boreale, "101")
    department = Department.objects.of(boreale).first()
    records = {"users.user": person.pk, "users.department": department.pk}
    taken = {}
    for sheet in (user_sheet(), department_sheet(), did_sheet()):
        record = records.get(sheet.label)
        fields = {name: kind for of, name, kind in holding_numbers() if of is sheet}
        values = {name: kind + disguise for name, kind in fields.items()}
        # All of them at once: each is refused for itself.
        row = road.plan(staff if record is None else felix, boreale, sheet, [road.Row(record, values)]).rows[
            0
        ]
        assert not row.refusal
        taken |= {name: row.after.get(name) for name in fields if name not in row.errors and name != "number"}
    assert taken == {}
    keys = json.dumps([{"position": 1, "kind": "custom_speed_dial", "value": disguise}])
    row = road.plan(felix, boreale, user_sheet(), [road.Row(person.pk, {"keys": keys})]).rows[0]
    assert row.errors.get("keys") or row.warnings.get("keys")


def test_there_is_a_field_for_each_way_out():
    names = {name for _sheet, name, _kind in holding_numbers()}
    assert {"mobile", "outbound_caller_id", "available.no_answer_external", "away.divert_external"} <= names
    assert len(names) > 15


@pytest.mark.parametrize("number", ["1900,5551234", "9,1,900,5551234", "*729005551234", "1900#5551234"])
def test_a_key_that_hides_a_dear_number_is_refused_with_a_sentence(boreale, felix, number):
    person = make_user(boreale, "101")
    keys = json.dumps([{"position": 3, "kind": "custom_speed_dial", "value": number}])
    row = road.plan(felix, boreale, user_sheet(), [road.Row(person.pk, {"keys": keys})]).rows[0]
    assert "900 555-1234" in row.errors["keys"][0]


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("8663062224,,,225", {"+18663062224": True}),
        ("5145550100,,,123456#", {"+15145550100": True}),
        ("18005551234,,1,2,5145550199", {"+18005551234": True, "+15145550199": True}),
        ("9,5145550123", {"+15145550123": True}),
        ("9,,,19005551234", {"+19005551234": True}),
        ("225", {}),
        ("*97", {}),
        ("911,,1", {}),
        ("", {}),
        ("*725145550123", {"+15145550123": False}),
        ("101,,,1234567890", {}),
    ],
)
def test_what_no_number_hides_in_is_left_alone(text, numbers):
    assert numbers_in(text) == numbers


@settings(max_examples=300, deadline=None)
@given(
    cuts=st.lists(st.integers(1, 10), max_size=4, unique=True),
    pauses=st.lists(st.sampled_from([",", ",,,", "#", "*"]), min_size=5, max_size=5),
    before=st.sampled_from(["", "1", "9", "91", "9,", "9,1,", "+1", "0", "1010288", "*67", "*72,", "9,,,1,"]),
)
def test_wherever_pauses_cut_it_a_dear_number_is_found(cuts, pauses, before):
    text, last = before, 0
    for place, cut in enumerate(sorted(cuts)):
        text += PREMIUM[last:cut] + pauses[place]
        last = cut
    text += PREMIUM[last:]
    assert any(toll_of(number) for number in numbers_in(text)), text


@given(st.text(alphabet="0123456789+*#,;pw ", max_size=60))
@settings(max_examples=200, deadline=None)
def test_whatever_is_dialled_is_read_without_a_fault(text):
    assert as_dialled(text) in ("", *numbers_in(text))
