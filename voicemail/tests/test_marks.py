"""What the list tells of a mailbox: a PIN that anybody would guess, and the messages that wait."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from signin.tests.signing import sign_in_fully
from users import road
from users.models import Did, Operation
from users.people.sections import user_sheet
from users.road.undo import undo
from users.tests.factories import FACTS, make_user
from voicemail import messages, weak_pins
from voicemail.models import Mailbox
from voicemail.pins import Weakness

pytestmark = pytest.mark.django_db


def change(actor, person, **values):
    row = road.Row(person.pk, {name.replace("__", "."): value for name, value in values.items()})
    done = road.commit(road.plan(actor, person.customer, user_sheet(), [row]), FACTS)
    assert done.operation, done.row.sentences
    return done.operation


def mark_of(person):
    return Mailbox.objects.get(user=person).pin_weakness


def listed(client, **asked):
    return client.get(reverse("users", args=["boreale"]), asked).content.decode()


# --- PINs that anybody would guess ------------------------------------------------------------------------------
@pytest.mark.parametrize("column", ["mobile", "outbound_caller_id", "dids"])
def test_a_number_that_comes_later_marks_the_pin_that_it_says_and_going_unmarks_it(
    felix, amelie, boreale, column
):
    number = "+15145550173"
    did = Did(customer=boreale, number=number)
    if column != "mobile":
        did.save()
    change(felix, amelie, voicemail__pin="550173")
    assert mark_of(amelie) == ""
    operation = change(felix, amelie, **{column: [did.pk] if column == "dids" else number})
    assert mark_of(amelie) == Weakness.PHONE_NUMBER
    assert undo(felix, boreale, operation, FACTS)
    assert mark_of(amelie) == ""


def test_another_pin_takes_the_mark_away(felix, amelie):
    change(felix, amelie, voicemail__pin="550173")
    change(felix, amelie, mobile="+15145550173")
    change(felix, amelie, voicemail__pin="902746")
    assert mark_of(amelie) == ""


def test_what_is_taken_back_leaves_no_mark(felix, amelie, monkeypatch):
    """The mark is in the change's own transaction."""
    change(felix, amelie, voicemail__pin="550173")
    marked = weak_pins.mark

    def and_then_away(people):
        marked(people)
        assert mark_of(amelie)
        raise OSError("killed")

    monkeypatch.setattr(weak_pins, "mark", and_then_away)
    with pytest.raises(OSError, match="killed"):
        change(felix, amelie, mobile="+15145550173")
    amelie.refresh_from_db()
    assert (mark_of(amelie), amelie.mobile == "+15145550173") == ("", False)


def test_the_night_marks_what_came_before_the_rules_and_nobody_else(amelie, ines):
    mailbox = Mailbox.objects.get(user=amelie)
    mailbox.pin = "1234"
    mailbox.save()
    Mailbox.objects.filter(user=ines).update(pin_weakness=Weakness.YEAR)
    weak_pins.mark_all()
    assert (mark_of(amelie), mark_of(ines)) == (Weakness.RUN, "")


def test_nobody_new_is_marked(boreale):
    people = [make_user(boreale, f"48{place}", "Zoé", f"Neuve {place}") for place in range(10)]
    weak_pins.mark_all()
    assert not Mailbox.objects.filter(user__in=people).exclude(pin_weakness="").exists()


def test_the_night_reads_a_thousand_people_in_three_queries(
    boreale, amelie, ines, django_assert_max_num_queries
):
    with CaptureQueriesContext(connection) as few:
        weak_pins.mark_all()
    for place in range(8):
        make_user(boreale, f"48{place}", "Zoé", f"Neuve {place}")
    with django_assert_max_num_queries(len(few)):
        weak_pins.mark_all()


def test_a_weak_pin_is_told_in_the_list_and_on_the_tab_and_is_itself_on_neither(client, felix, amelie, ines):
    change(felix, amelie, voicemail__pin="550173")
    change(felix, amelie, mobile="+15145550173")
    sign_in_fully(client, felix)
    found = listed(client, voicemail="weak_pin")
    assert amelie.full_name in found
    assert ines.full_name not in found
    tab = client.get(reverse("user_tab", args=["boreale", amelie.number, "voicemail"])).content.decode()
    assert "numéro" in tab.split('class="warn')[1].split("</p>")[0]
    other = client.get(reverse("user_tab", args=["boreale", ines.number, "voicemail"])).content.decode()
    assert "facile à deviner" not in other
    # A PIN that nothing else on the page says.
    Mailbox.objects.filter(user=ines).update(pin_weakness=Weakness.YEAR)
    mailbox = Mailbox.objects.get(user=ines)
    mailbox.pin = "1987"
    mailbox.save()
    tab = client.get(reverse("user_tab", args=["boreale", ines.number, "voicemail"])).content.decode()
    for page in (listed(client, voicemail="weak_pin"), tab):
        assert ">1987<" not in page
        assert 'value="1987"' not in page


# --- Messages that wait -----------------------------------------------------------------------------------------
def test_what_the_phone_system_tells_is_kept_and_the_same_again_writes_nothing(
    amelie, boreale, django_assert_num_queries
):
    assert messages.told(boreale, amelie.number, 3)
    mailbox = Mailbox.objects.get(user=amelie)
    assert mailbox.unread == 3
    first = mailbox.unread_told_at
    assert messages.told(boreale, amelie.number, 3)
    mailbox.refresh_from_db()
    assert mailbox.unread_told_at == first
    assert messages.told(boreale, amelie.number, 0)
    mailbox.refresh_from_db()
    assert mailbox.unread == 0
    with django_assert_num_queries(1):
        messages.told(boreale, amelie.number, 1)


@pytest.mark.parametrize(("count", "kept"), [(-1, 0), (10**9, 32_767)])
def test_a_count_that_no_mailbox_has_is_brought_to_one_that_it_can_have(amelie, boreale, count, kept):
    assert messages.told(boreale, amelie.number, count)
    assert Mailbox.objects.get(user=amelie).unread == kept


def test_no_mailbox_of_this_customer_is_nobodys(amelie, boreale, laurier):
    assert not messages.told(laurier, amelie.number, 5)
    assert not messages.told(boreale, "99999", 5)
    assert Mailbox.objects.get(user=amelie).unread is None


def test_counting_is_no_change_that_the_history_keeps_or_a_form_stumbles_over(amelie, boreale, felix):
    before, version = Operation.objects.count(), amelie.version
    messages.told(boreale, amelie.number, 3)
    amelie.refresh_from_db()
    assert (Operation.objects.count(), amelie.version) == (before, version)


def test_the_list_is_narrowed_to_whom_messages_wait_for(client, felix, amelie, ines, boreale):
    messages.told(boreale, amelie.number, 3)
    messages.told(boreale, ines.number, 0)
    sign_in_fully(client, felix)
    found = listed(client, voicemail="messages")
    assert amelie.full_name in found
    assert ines.full_name not in found
