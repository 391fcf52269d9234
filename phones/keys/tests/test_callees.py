"""Keys about a ring group, a queue or a digital receptionist: held by key, as those about people are."""

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.utils import translation

from pbxadmin.common.columns import Pending, Scope
from phones.keys.columns import KEYS_COLUMN, KeyValue
from phones.keys.targets import directory, expect_colleagues
from phones.keys.tests.test_keys import key_settings, keys_of, plan_keys, set_keys
from phones.models import Key, Phone
from phones.tests.factories import fetched, make_phone, outbox, provider
from users import road
from users.company.sheets import system_extension_sheet
from users.models import Change, Customer, SystemExtension, User
from users.people.copying import settings_of
from users.people.sections import user_sheet
from users.road.undo import NotUndoableError, plan_undo, undo
from users.tests.factories import FACTS, details

pytestmark = pytest.mark.django_db


@pytest.fixture
def reception(boreale: Customer) -> SystemExtension:
    """The ring group at which callers arrive."""
    return SystemExtension.objects.create(customer=boreale, number="800", name="Accueil", kind="ring_group")


@pytest.fixture
def scope(boreale: Customer) -> Scope:
    return Scope(provider(), boreale)


def meant(text: Any, scope: Scope, kind: str = "blf") -> KeyValue:
    """The key that a list of one key about `text` is."""
    (key,) = KEYS_COLUMN.clean([{"position": 1, "kind": kind, "target": text}], scope)
    return key


def rename(record: SystemExtension, name: str) -> road.Plan:
    """Call a system extension otherwise, through the road."""
    plan = road.plan(
        provider(), record.customer, system_extension_sheet(), [road.Row(record.pk, {"name": name})]
    )
    road.apply(plan, FACTS)
    return plan


def test_a_key_about_a_ring_group_watches_and_dials_it(
    phone: Phone, amelie: User, reception: SystemExtension
) -> None:
    set_keys(
        amelie,
        {"position": 3, "kind": "blf", "target": "800 Accueil"},
        {"position": 4, "kind": "speed_dial", "target": "accueil"},
    )
    assert [(key.target, key.system) for key in keys_of(amelie)] == [(None, reception.pk)] * 2
    assert key_settings(phone, "linekey.3") == ("16", "1", "800", "Accueil", "*20*")
    assert key_settings(phone, "linekey.4") == ("13", "1", "800", "Accueil", "%NULL%")


@pytest.mark.parametrize("kind", ["ring_group", "queue", "ivr"])
def test_every_kind_of_system_extension_may_be_on_a_key(boreale: Customer, scope: Scope, kind: str) -> None:
    made = SystemExtension.objects.create(customer=boreale, number="801", name="File", kind=kind)
    assert meant("801", scope).system == made.pk


def test_a_name_that_a_person_has_as_well_means_neither(
    scope: Scope, amelie: User, reception: SystemExtension
) -> None:
    SystemExtension.objects.filter(pk=reception.pk).update(name="Amélie Tremblay")
    with pytest.raises(ValidationError):
        meant("Amélie Tremblay", scope)
    assert (meant("800", scope).system, meant("101", scope).target) == (reception.pk, amelie.pk)


def test_a_renamed_ring_group_is_renamed_on_the_keys_about_it_and_their_phones_are_pushed(
    boreale: Customer, phone: Phone, amelie: User, ines: User, reception: SystemExtension
) -> None:
    set_keys(amelie, {"position": 3, "kind": "blf", "target": "800"})
    phone, other = fetched(phone), fetched(make_phone(boreale, ines))
    with translation.override("en"):
        plan = rename(reception, "Réception")
    assert plan.rows[0].warnings[""] == ["1 phone will reload its configuration."]
    assert (outbox(phone), outbox(other)) == (True, False)
    assert key_settings(phone, "linekey.3")[3] == "Réception"


def test_a_deleted_ring_group_is_told_before_and_leaves_a_blank_key_on_phones_that_are_pushed(
    boreale: Customer, phone: Phone, amelie: User, felix: User, reception: SystemExtension
) -> None:
    set_keys(amelie, {"position": 3, "kind": "blf", "target": "800"}, {"position": 6, "kind": "line"})
    set_keys(felix, {"position": 1, "kind": "speed_dial", "target": "800"})
    phone = fetched(phone)
    with translation.override("en"):
        removal = road.plan_removal(provider(), boreale, system_extension_sheet(), [reception.pk])
    assert {"The key 3 of 101 Amélie Tremblay.", "The key 1 of 102 Félix Gagnon."} <= set(
        removal.losses[reception.pk]
    )
    road.remove(removal, FACTS)
    assert [key.position for key in keys_of(amelie)] == [6]
    assert outbox(phone)
    assert key_settings(phone, "linekey.3")[0] == "0"


def test_what_is_deleted_between_plan_and_apply_refuses_the_save(
    boreale: Customer, amelie: User, reception: SystemExtension
) -> None:
    plan = plan_keys(amelie, [{"position": 3, "kind": "blf", "target": "800"}])
    assert not plan.refused
    road.remove(road.plan_removal(provider(), boreale, system_extension_sheet(), [reception.pk]), FACTS)
    with pytest.raises(road.RefusedError):
        road.apply(plan, FACTS)


def test_another_companys_ring_group_does_not_exist(amelie: User, laurier: Customer) -> None:
    theirs = SystemExtension.objects.create(customer=laurier, number="800", name="Accueil")
    for about in ({"target": "800"}, {"target": "Accueil"}, {"system": theirs.pk}, {"system": True}):
        plan = plan_keys(amelie, [{"position": 1, "kind": "blf", **about}])
        assert [reason.code for reason in plan.rows[0].reasons["keys"]] == ["blf_target"], about
    assert not Key.objects.filter(system=theirs).exists()


def test_the_history_names_it_also_when_it_is_gone_and_an_undo_brings_the_key_back(
    boreale: Customer, amelie: User, reception: SystemExtension
) -> None:
    set_keys(amelie, {"position": 3, "kind": "blf", "target": "800"})
    set_keys(amelie, {"position": 1, "kind": "line"})
    (cell,) = Change.objects.filter(object_pk=amelie.pk).latest("pk").cells
    with translation.override("en"):
        assert KEYS_COLUMN.show(cell["old"], Scope(provider(), boreale)) == "3 BLF 800 Accueil"
    operation = Change.objects.latest("pk").operation
    undo(provider(), boreale, operation, FACTS)
    assert [key.system for key in keys_of(amelie)] == [reception.pk]
    road.remove(road.plan_removal(provider(), boreale, system_extension_sheet(), [reception.pk]), FACTS)
    with translation.override("en"):
        assert KEYS_COLUMN.show(cell["old"], Scope(provider(), boreale)) == "3 BLF 800 Accueil"
    operation = Change.objects.filter(model="users.user").latest("pk").operation
    with pytest.raises(NotUndoableError):
        undo(provider(), boreale, operation, FACTS)


def test_an_undo_brings_back_no_key_about_what_is_gone(
    boreale: Customer, amelie: User, reception: SystemExtension
) -> None:
    set_keys(amelie, {"position": 3, "kind": "blf", "target": "800"})
    set_keys(amelie)
    operation = Change.objects.latest("pk").operation
    road.remove(road.plan_removal(provider(), boreale, system_extension_sheet(), [reception.pk]), FACTS)
    SystemExtension.objects.create(customer=boreale, number="800", name="Somewhere else")
    with translation.override("en"):
        (plan,) = plan_undo(provider(), boreale, operation)
        assert "It was “3 BLF 800 Accueil”" in plan.sentences[0]


def test_a_copy_takes_it_over(boreale: Customer, amelie: User, reception: SystemExtension) -> None:
    set_keys(amelie, {"position": 3, "kind": "blf", "target": "800"})
    copied = settings_of(amelie, Scope(provider(), boreale)).values["keys"]
    assert KEYS_COLUMN.clean(copied, Scope(provider(), boreale)) == keys_of(amelie)


def test_a_file_names_it_by_its_extension(scope: Scope, reception: SystemExtension) -> None:
    text = (
        '<PhoneDevice><BLFS><BLF ID="74" BLFNo="1" BLFType="BLF" BLFTypeID="0">800</BLF></BLFS></PhoneDevice>'
    )
    keys = KEYS_COLUMN.from_cell(text, scope)
    assert keys == (KeyValue(1, "blf", system=reception.pk),)
    assert KEYS_COLUMN.to_cell(keys, scope) == text.replace('"74"', '"-1"')


def test_whom_and_what_keys_may_be_about_is_one_query(
    scope: Scope, amelie: User, reception: SystemExtension, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(1):
        here = directory(scope)
    assert here.systems.keys() == {reception.pk}
    assert amelie.pk in here.people


# --- People who come with the same file ---------------------------------------------------------------------------
def rows_about_each_other(scope: Scope, *people: dict[str, Any]) -> road.Plan:
    """A plan of new people whose `keys` are cells of one file, read before there is any plan."""
    coming = {person["number"]: Pending() for person in people}
    expect_colleagues(scope, coming)
    rows = [
        road.Row(
            None,
            {**person, **KEYS_COLUMN.said(person.pop("keys", ""), scope, True)},
            pending=coming[person["number"]],
        )
        for person in people
    ]
    return road.plan(scope.actor, scope.customer, user_sheet(), rows, scope=scope)


def about(number: str) -> str:
    """A cell with one key."""
    return f'<PhoneDevice><BLFS><BLF BLFNo="1" BLFTypeID="0">{number}</BLF></BLFS></PhoneDevice>'


def test_keys_are_about_people_who_come_with_the_same_file_in_any_order(
    scope: Scope, boreale: Customer
) -> None:
    plan = rows_about_each_other(
        scope, details("445", keys=about("446 Somebody")), details("446", "Luc", keys=about("445"))
    )
    assert not plan.refused, plan.sentences
    road.apply(plan, FACTS)
    made = {user.number: user for user in User.objects.of(boreale).filter(number__in=["445", "446"])}
    assert keys_of(made["445"])[0].target == made["446"].pk
    assert keys_of(made["446"])[0].target == made["445"].pk


def test_a_key_about_somebody_who_cannot_be_created_is_refused_with_them(scope: Scope, amelie: User) -> None:
    plan = rows_about_each_other(scope, details("446", "", "", keys=""), details("445", keys=about("446")))
    left = plan.without(plan.refused)
    assert [row.outcome for row in left.rows] == ["refused"]
    assert left.rows[0].reasons["keys"][0].code == "leans_on_refused"


def test_whoever_is_there_goes_before_whoever_is_expected(scope: Scope, amelie: User) -> None:
    expect_colleagues(scope, {"101": Pending()})
    assert meant("101", scope).target == amelie.pk
    with pytest.raises(ValidationError):
        meant("447", scope)
