"""What the PBX is told of a mailbox: every setting of the tab changes something in it."""

import pytest

from users import road
from users.models import User
from users.people.line import in_words, line_of
from users.people.sections import user_sheet
from users.tests.factories import FACTS, make_user
from voicemail.models import Greeting
from voicemail.sections import COLUMNS


@pytest.fixture
def person(boreale):
    return make_user(boreale, "104", "Olivier", "Bélanger", email="olivier@boreale.example")


def line(person):
    fresh = User.objects.select_related("customer", "role", "primary_department").get(pk=person.pk)
    found = line_of(fresh)
    return found.as_dict()["voicemail"], dict(in_words(found))


def change(felix, person, **values):
    plan = road.plan(felix, person.customer, user_sheet(), [road.Row(person.pk, values)])
    assert not plan.refused, plan.rows[0].errors
    road.apply(plan, FACTS)


# The PIN is a secret: that it changed is told by its history, and what it opens is asked of the database alone.
@pytest.mark.parametrize("name", [column.name for column in COLUMNS if not column.secret])
def test_every_setting_of_the_mailbox_changes_what_the_pbx_is_told(felix, person, name):
    column = user_sheet().columns[name]
    if column.attribute == "default_greeting_id":
        others = [Greeting.objects.filter(customer=None).first().pk]
    elif column.inner.field.choices:
        now = getattr(person.mailbox, column.attribute)
        # A department speaks French here: choosing French is what it says already.
        others = [key for key, _label in column.inner.field.flatchoices if key not in (now, "fr-CA")]
    else:
        others = [not getattr(person.mailbox, column.attribute)]
    seen = [line(person)]
    for value in others:
        change(felix, person, **{name: value})
        data, words = line(person)
        assert all(data != other[0] for other in seen), (name, value)
        assert all(words != other[1] for other in seen), (name, value)
        seen.append((data, words))


def test_no_mail_goes_where_there_is_no_address(felix, person):
    change(felix, person, **{"voicemail.email_option": "attach"})
    assert line(person)[0]["mail_to"] == "olivier@boreale.example"
    change(felix, person, email="")
    assert (line(person)[0]["mail"], line(person)[0]["mail_to"]) == ("none", "")


def test_the_line_says_nothing_of_the_pin_itself(felix, person):
    change(felix, person, **{"voicemail.pin": "482913"})
    assert "482913" not in str(line(person))
