"""Undo: exactly what was changed comes back, through the same checks, or nothing does and the reason is told."""

import json

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse

from phones.models import Key, Phone
from phones.services import phone_change, phone_plan
from signin.tests.signing import sign_in_fully
from users import road
from users.company.sheets import system_extension_sheet
from users.models import Change, Department, Did, Operation, SystemExtension, User
from users.people.sections import user_sheet
from users.road import undo
from users.tests.factories import FACTS, details, make_user, make_users

pytestmark = pytest.mark.both_databases("the history read back from JSON")


def edit(actor, customer, person, **values):
    plan = road.plan(actor, customer, user_sheet(), [road.Row(person.pk, values)])
    assert not plan.refused, [row.errors or row.refusal for row in plan.refused]
    return road.apply(plan, FACTS)


def again(user):
    return User.objects.select_related("customer", "role", "primary_department").get(pk=user.pk)


def url(operation, slug="boreale"):
    return reverse("undo", args=[slug, operation.pk])


def test_exactly_what_was_changed_comes_back(felix, amelie, boreale):
    did = Did.objects.of(boreale).first()
    operation = edit(
        felix, boreale, amelie, first_name="Amelia", mobile="514 555-0142", departments=["Accueil", "Soins"], dids=[did.pk],
        recording="all", talk_enabled=True, visibility=[[Department.objects.of(boreale).get(name="Soins").pk, None, True, None, None]],
    )  # fmt: skip
    edit(felix, boreale, amelie, last_name="Roy")
    undone = undo.undo(felix, boreale, operation, FACTS)
    after = again(amelie)
    assert (after.first_name, after.mobile, after.recording, after.talk_enabled, after.talk_name) == (
        "Amélie",
        "",
        "off",
        False,
        "",
    )
    assert after.last_name == "Roy", "what was changed since stays"
    assert Did.objects.get(pk=did.pk).user is None
    assert list(after.memberships.values_list("department__name", flat=True)) == ["Accueil"]
    assert not after.visibilities.exists()
    assert undone.undoes == operation


def test_an_undo_can_itself_be_undone_and_the_first_only_once(felix, amelie, boreale):
    operation = edit(felix, boreale, amelie, first_name="Amelia")
    back = undo.undo(felix, boreale, operation, FACTS)
    with pytest.raises(undo.NotUndoableError):
        undo.undo(felix, boreale, operation, FACTS)
    undo.undo(felix, boreale, back, FACTS)
    assert again(amelie).first_name == "Amelia"


def test_where_the_world_has_moved_on_nothing_is_undone(felix, amelie, ines, boreale):
    plan = road.plan(
        felix,
        boreale,
        user_sheet(),
        [road.Row(person.pk, {"mobile": "514 555-0142"}) for person in (amelie, ines)],
    )
    operation = road.apply(plan, FACTS)
    edit(felix, boreale, ines, mobile="514 555-0143")
    with pytest.raises(undo.NotUndoableError, match="514 555-0143"):
        undo.undo(felix, boreale, operation, FACTS)
    assert again(amelie).mobile == "+15145550142", "all of it or nothing"


def test_an_undo_passes_the_same_checks_as_any_edit(felix, amelie, ines, boreale):
    did = Did.objects.of(boreale).first()
    edit(felix, boreale, amelie, dids=[did.pk])
    operation = edit(felix, boreale, amelie, dids=[])
    edit(felix, boreale, ines, dids=[did.pk])
    with pytest.raises(undo.NotUndoableError, match="Inès Roy"):
        undo.undo(felix, boreale, operation, FACTS)


def test_the_last_owner_does_not_go_by_an_undo(staff, felix, boreale):
    second = make_user(boreale, "110", "Zoé", "Lavoie")
    operation = edit(staff, boreale, second, role="system_owners")
    edit(staff, boreale, felix, role="users")
    with pytest.raises(undo.NotUndoableError):
        undo.undo(staff, boreale, operation, FACTS)


def test_who_was_deleted_does_not_come_back(felix, amelie, boreale):
    operation = edit(felix, boreale, amelie, first_name="Amelia")
    removal = road.plan_removal(felix, boreale, user_sheet(), [amelie.pk])
    road.remove(removal, FACTS)
    with pytest.raises(undo.NotUndoableError):
        undo.undo(felix, boreale, operation, FACTS)
    with pytest.raises(undo.NotUndoableError):
        undo.plan_undo(felix, boreale, Operation.objects.filter(kind="delete").latest("pk"))
    with pytest.raises(undo.NotUndoableError):
        undo.plan_undo(felix, boreale, Operation.objects.filter(kind="create").latest("pk"))


def test_keys_come_back_as_they_were(felix, amelie, ines, boreale):
    first = [{"position": 1, "kind": "line"}, {"position": 3, "kind": "blf", "target": ines.pk}]
    edit(felix, boreale, amelie, keys=json.dumps(first))
    operation = edit(
        felix,
        boreale,
        amelie,
        keys=json.dumps([{"position": 2, "kind": "custom_speed_dial", "value": "8663062224,,,225"}]),
    )
    undo.undo(felix, boreale, operation, FACTS)
    assert list(Key.objects.filter(user=amelie).values_list("position", "kind", "target")) == [
        (1, "line", None),
        (3, "blf", ines.pk),
    ]


def test_a_phones_settings_come_back_and_it_is_told(felix, amelie, boreale):
    road.apply(phone_plan(felix, boreale, amelie, {"mac": "805ec0001001", "model": "yealink-t54w"}), FACTS)
    phone = Phone.objects.get(mac="805ec0001001")
    phone_change(felix, boreale, phone, {"lldp": False}, FACTS)
    operation = Operation.objects.latest("pk")
    Phone.objects.update(stale_since=None)
    undo.undo(felix, boreale, operation, FACTS)
    fresh = Phone.objects.get(pk=phone.pk)
    assert fresh.lldp
    assert fresh.stale_since is not None


def test_two_who_undo_at_once_undo_once(felix, amelie, boreale):
    operation = edit(felix, boreale, amelie, first_name="Amelia")
    with transaction.atomic():
        plans = undo.plan_undo(felix, boreale, operation)
    undo.undo(felix, boreale, operation, FACTS)
    with pytest.raises((road.ChangedMeanwhileError, road.RefusedError)):
        road.apply(plans[0], FACTS, undoes=operation)
    assert Operation.objects.filter(undoes=operation).count() == 1


# --- Pages --------------------------------------------------------------------------------------------------------
def test_the_page_shows_old_and_new_and_a_post_does_it(client, felix, amelie, boreale):
    operation = edit(felix, boreale, amelie, first_name="Amelia")
    sign_in_fully(client, felix)
    history = client.get(reverse("user_history", args=["boreale", "101"])).content.decode()
    assert f'href="{url(operation)}?next=' in history
    page = client.get(url(operation)).content.decode()
    assert page.index("Amelia</del>") < page.index("Amélie</ins>")
    assert "Annuler cette modification</button>" in page
    assert again(amelie).first_name == "Amelia", "only looked"
    answer = client.post(url(operation))
    assert answer["Location"] == reverse("user_history", args=["boreale", "101"])
    assert again(amelie).first_name == "Amélie"
    assert f'href="{url(operation)}"' not in client.get(answer["Location"]).content.decode(), (
        "it was taken back already"
    )


def test_what_can_not_be_undone_says_why_and_offers_no_button(client, felix, amelie, boreale):
    operation = edit(felix, boreale, amelie, first_name="Amelia")
    edit(felix, boreale, amelie, first_name="Amy")
    sign_in_fully(client, felix)
    page = client.get(url(operation)).content.decode()
    assert "Amy" in page
    assert "Annuler cette modification</button>" not in page
    assert client.post(url(operation)).status_code == 409
    assert again(amelie).first_name == "Amy"
    created = Operation.objects.filter(kind="create").latest("pk")
    assert client.get(url(created)).status_code == 200
    assert client.post(url(created)).status_code == 409


def test_of_an_operation_on_many_the_page_shows_thirty_and_first_what_stands_against_it(
    client, felix, boreale
):
    boreale.included_extensions = 100
    boreale.save()
    people = make_users(boreale, *(details(str(120 + place), "Personne", str(place)) for place in range(45)))
    rows = [road.Row(person.pk, {"mobile": "514 555-0142"}) for person in people]
    operation = road.apply(road.plan(felix, boreale, user_sheet(), rows), FACTS)
    sign_in_fully(client, felix)
    page = client.get(url(operation)).content.decode()
    assert page.count('aria-labelledby="row-') == 30
    assert "Et 15 autres." in page
    assert "Annuler cette modification</button>" in page
    edit(felix, boreale, people[-1], mobile="514 555-0143")
    page = client.get(url(operation)).content.decode()
    assert page.index("164 Personne 44") < page.index("120 Personne 0")
    assert "Annuler cette modification</button>" not in page


def test_strangers_and_lesser_roles_see_nothing_of_it(felix, ines, amelie, boreale, laurier):
    operation = edit(felix, boreale, amelie, mobile="514 555-0142")
    mine = edit(
        felix,
        boreale,
        make_user(boreale, "150", "Olivier", "Bélanger", department="Soins"),
        mobile="514 555-0143",
    )
    stranger = make_user(laurier, "201", "Rosalie", "Beaulieu", role="system_owners")
    outside, inside, plain = (sign_in_fully(Client(), person) for person in (stranger, ines, amelie))
    for method in ("get", "post"):
        assert getattr(outside, method)(url(operation)).status_code == 404
        assert getattr(outside, method)(url(operation, "laurier")).status_code == 404
        refused = getattr(inside, method)(url(operation))
        assert refused.status_code == 403
        assert "555-0142" not in refused.content.decode()
        assert getattr(plain, method)(url(operation)).status_code == 403
    assert inside.post(url(mine)).status_code == 302
    assert again(amelie).mobile == "+15145550142"


def test_an_operation_on_many_is_not_undone_by_who_may_touch_only_some(felix, ines, amelie, boreale):
    mine = make_user(boreale, "150", "Olivier", "Bélanger", department="Soins")
    plan = road.plan(
        felix,
        boreale,
        user_sheet(),
        [road.Row(person.pk, {"mobile": "514 555-0142"}) for person in (amelie, mine)],
    )
    operation = road.apply(plan, FACTS)
    assert sign_in_fully(Client(), ines).post(url(operation)).status_code == 403
    assert again(mine).mobile == "+15145550142"


def test_an_undo_is_protected_from_other_sites(felix, amelie, boreale):
    operation = edit(felix, boreale, amelie, first_name="Amelia")
    client = sign_in_fully(Client(enforce_csrf_checks=True), felix)
    assert client.post(url(operation)).status_code == 403
    assert client.head(url(operation)).status_code == 200
    assert again(amelie).first_name == "Amelia"


def test_the_history_costs_the_same_for_many_rows(
    client, felix, amelie, boreale, django_assert_max_num_queries
):
    for place in range(12):
        edit(felix, boreale, amelie, last_name=f"Roy {place}")
    sign_in_fully(client, felix).get(reverse("history", args=["boreale"]))
    with django_assert_max_num_queries(6):
        client.get(reverse("history", args=["boreale"]))
    assert Change.objects.filter(subject_pk=amelie.pk).count() >= 12


def test_what_is_gone_is_called_by_its_name_never_by_its_key(client, staff, felix, amelie, boreale):
    maude = make_user(boreale, "105", "Maude", "Côté")
    group = SystemExtension.objects.create(customer=boreale, number="180", name="Accueil", kind="ring_group")
    taken = []
    for sheet, record, with_them, without in (
        (user_sheet(), amelie, {"keys": [{"position": 5, "kind": "blf", "target": maude.pk}]}, {"keys": []}),
        (system_extension_sheet(), group, {"members": [maude.pk]}, {"members": []}),
    ):
        for values in (with_them, without):
            plan = road.plan(staff, boreale, sheet, [road.Row(record.pk, values)])
            taken.append(road.apply(plan, FACTS))
    removal = road.plan_removal(staff, boreale, user_sheet(), [maude.pk])
    road.remove(removal, FACTS)
    sign_in_fully(client, staff)
    for operation in (taken[1], taken[3]):
        assert operation is not None
        assert (
            "105 Maude Côté"
            in client.get(reverse("operation", args=["boreale", operation.pk])).content.decode()
        )
        page = client.get(reverse("undo", args=["boreale", operation.pk])).content.decode()
        assert "105 Maude Côté" in page
        assert "refaites le choix" in page
        assert f"« {maude.pk} »" not in page
