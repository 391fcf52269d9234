"""Numbers of the public network: a person, or a ring group, queue or IVR, or nobody directly; never two."""

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from pbxadmin.common.fields import phone_number_national
from signin.tests.signing import sign_in_fully
from users import road
from users.company.sheets import did_sheet
from users.company.views.numbers import NUMBERS
from users.models import Change, Did, Operation, SystemExtension
from users.people.sections import user_sheet
from users.road import undo
from users.tests.factories import FACTS, make_user

pytestmark = pytest.mark.both_databases("constraints over two columns")


def write(actor, customer, sheet, key, **values):
    """Plan and apply one row; the planned row, refused or written."""
    plan = road.plan(actor, customer, sheet, [road.Row(key, values)])
    if not plan.refused:
        road.apply(plan, FACTS)
    return plan.rows[0]


def test_a_number_leads_to_a_ring_group_and_back_in_one_place(client, boreale, felix, amelie):
    sign_in_fully(client, felix)
    group = SystemExtension.objects.create(customer=boreale, number="180", name="Accueil", kind="ring_group")
    did = Did.objects.of(boreale).first()
    address, page = reverse("did_assign", args=["boreale", did.pk]), NUMBERS.url(boreale, did)
    for typed, answers in (
        ("101", amelie),
        ("180", group),
        ("180", group),
        ("101", amelie),
        ("180", group),
        ("", None),
    ):
        client.post(address, {"extension": typed})
        did = Did.objects.select_related("user", "system_extension").get(pk=did.pk)
        assert did.answers == answers, typed
        shown = client.get(page).content.decode()
        assert (str(group) in shown) is (answers == group)
    changes = Change.objects.filter(model="users.did").order_by("id")
    assert [change.cells[0]["new_label"] for change in changes] == [
        "180 Accueil",
        "(vide)",
        "180 Accueil",
        "(vide)",
    ]
    client.post(address, {"extension": "180"})
    assert str(group) in client.get(NUMBERS.list_url(boreale)).content.decode()
    assert not amelie.dids.count()


def test_whom_a_number_rings_is_picked_by_name_or_extension(client, boreale, felix, amelie, ines):
    sign_in_fully(client, felix)
    group = SystemExtension.objects.create(
        customer=boreale, number="180", name="Réception", kind="ring_group"
    )
    queue = SystemExtension.objects.create(
        customer=boreale, number="181", name="Réception du soir", kind="queue"
    )
    did = Did.objects.of(boreale).first()
    address, page = reverse("did_assign", args=["boreale", did.pk]), NUMBERS.url(boreale, did)
    for typed, answers in (
        ("amelie tremblay", amelie),
        ("Roy", ines),
        ("reception", group),
        ("181 Réception du soir", queue),
        ("101 Amélie Tremblay", amelie),
        ("soir", queue),
    ):
        client.post(address, {"extension": typed})
        did = Did.objects.select_related("user", "system_extension").get(pk=did.pk)
        assert did.answers == answers, typed
        assert f'value="{answers}"' in client.get(page).content.decode()
    # Nobody, or several, are meant: it stays, and the sentence names what was typed.
    for typed in ("récep", "Zacharie", "199"):
        said = client.post(address, {"extension": typed}, follow=True).content.decode()
        assert f"«\xa0{typed}\xa0»" in said
        assert Did.objects.get(pk=did.pk).answers == queue


def test_what_takes_calls_is_offered_where_a_ring_group_may_be_meant(client, boreale, laurier, felix, amelie):
    sign_in_fully(client, felix)
    SystemExtension.objects.create(customer=boreale, number="180", name="Réception", kind="ring_group")
    SystemExtension.objects.create(customer=laurier, number="180", name="Récents arrivages", kind="queue")
    search = reverse("destination_search", args=["boreale"])
    offered = client.get(search, {"typed": "extension", "extension": "réc", "systems": "1"}).content.decode()
    assert "180 Réception" in offered
    assert "arrivages" not in offered
    assert "180" not in client.get(search, {"typed": "numbers", "numbers": "réc"}).content.decode()


def test_a_number_never_rings_a_person_and_a_ring_group(boreale, staff, amelie):
    group = SystemExtension.objects.create(customer=boreale, number="180", name="Accueil", kind="queue")
    did, other = Did.objects.of(boreale)
    write(staff, boreale, user_sheet(), amelie.pk, dids=[did.pk])
    refused = write(staff, boreale, did_sheet(), did.pk, system_extension=group.pk)
    assert "101 Amélie Tremblay" in refused.errors["system_extension"][0]
    write(staff, boreale, did_sheet(), other.pk, system_extension=group.pk)
    refused = write(staff, boreale, user_sheet(), amelie.pk, dids=[did.pk, other.pk])
    assert "180 Accueil" in refused.errors["dids"][0]
    with pytest.raises(IntegrityError), transaction.atomic():
        Did.objects.filter(pk=did.pk).update(system_extension=group)


def test_another_customers_ring_group_is_none(boreale, laurier, staff):
    theirs = SystemExtension.objects.create(customer=laurier, number="180", name="Accueil", kind="queue")
    did = Did.objects.of(boreale).first()
    assert write(staff, boreale, did_sheet(), did.pk, system_extension=theirs.pk).errors["system_extension"]


def test_a_number_that_moves_to_a_ring_group_stays_where_it_is_when_its_person_is_above(
    client, boreale, felix
):
    group = SystemExtension.objects.create(customer=boreale, number="180", name="Accueil", kind="queue")
    did = Did.objects.of(boreale).first()
    write(felix, boreale, user_sheet(), felix.pk, dids=[did.pk])
    admin = make_user(boreale, "105", "Ada", role="system_admins")
    sign_in_fully(client, admin)
    client.post(reverse("did_assign", args=["boreale", did.pk]), {"extension": "180"})
    did.refresh_from_db()
    assert (did.user, did.system_extension) == (felix, None)
    assert group.dids.count() == 0


def test_a_ring_group_stays_while_a_number_leads_to_it(client, boreale, felix, staff):
    group = SystemExtension.objects.create(customer=boreale, number="180", name="Accueil", kind="queue")
    did = Did.objects.of(boreale).first()
    write(staff, boreale, did_sheet(), did.pk, system_extension=group.pk)
    sign_in_fully(client, felix)
    address = reverse("system_extension_delete", args=["boreale", group.pk])
    assert phone_number_national(did.number) in client.get(address).content.decode()
    assert client.post(address, {"confirm": "180 Accueil"}).status_code == 422
    assert SystemExtension.objects.filter(pk=group.pk).exists()
    losses = " ".join(road.plan_removal(staff, boreale, did_sheet(), [did.pk]).losses[did.pk])
    assert "180 Accueil" in losses
    write(staff, boreale, did_sheet(), did.pk, system_extension=None)
    assert client.post(address, {"confirm": "180 Accueil"}).status_code == 302


def test_where_a_number_leads_can_be_taken_back(boreale, felix, staff):
    group = SystemExtension.objects.create(customer=boreale, number="180", name="Accueil", kind="queue")
    did = Did.objects.of(boreale).first()
    write(staff, boreale, did_sheet(), did.pk, system_extension=group.pk)
    operation = Operation.objects.latest("pk")
    undo.undo(staff, boreale, operation, FACTS)
    did.refresh_from_db()
    assert did.system_extension is None


# --- A free number is the whole company's -----------------------------------------------------------------------
@pytest.fixture
def olivier(boreale):
    """Somebody whom Inès administers."""
    return make_user(boreale, "150", "Olivier", "Bélanger", department="Soins")


def test_who_administers_a_department_takes_no_free_number_on_the_tab(client, boreale, ines, olivier):
    main = Did.objects.of(boreale).first()
    sign_in_fully(client, ines)
    url = reverse("user_tab", args=["boreale", "150", "general"])
    sent = {
        "seen": olivier.version, "first_name": "Olivier", "last_name": "Bélanger", "role": "users", "dids": [main.pk],
        "primary_department": olivier.primary_department_id, "departments": [olivier.primary_department_id],
    }  # fmt: skip
    answer = client.post(url, sent)
    assert answer.status_code == 422
    assert "toute l’entreprise" in answer.content.decode()
    main.refresh_from_db()
    assert main.user is None


def test_nor_on_the_numbers_own_page_which_offers_it_to_nobody(client, boreale, ines, olivier, felix):
    main = Did.objects.of(boreale).first()
    sign_in_fully(client, ines)
    address = reverse("did_assign", args=["boreale", main.pk])
    client.post(address, {"extension": "150"})
    main.refresh_from_db()
    assert main.user is None
    page = client.get(NUMBERS.url(boreale, main))
    assert page.status_code != 200 or address not in page.content.decode()
    sign_in_fully(client, felix)
    assert address in client.get(NUMBERS.url(boreale, main)).content.decode()
    client.post(address, {"extension": "150"})
    main.refresh_from_db()
    assert main.user == olivier


def test_nor_for_somebody_new_nor_from_a_ring_group(boreale, ines):
    main, other = Did.objects.of(boreale)
    group = SystemExtension.objects.create(customer=boreale, number="180", name="Accueil", kind="ring_group")
    Did.objects.filter(pk=other.pk).update(system_extension=group)
    department = ines.primary_department_id
    details = {"first_name": "Zoé", "role": "users", "primary_department": department, "require_2fa": True}
    for did in (main, other):
        refused = write(ines, boreale, user_sheet(), None, number="151", dids=[did.pk], **details)
        assert refused.errors["dids"]


def test_a_number_of_their_people_goes_to_another_of_them_and_once_free_stays_free(
    boreale, ines, felix, olivier
):
    main = Did.objects.of(boreale).first()
    zoe = make_user(boreale, "151", "Zoé", "Lavoie", department="Soins")
    write(felix, boreale, user_sheet(), olivier.pk, dids=[main.pk])
    rows = [road.Row(olivier.pk, {"dids": []}), road.Row(zoe.pk, {"dids": [main.pk]})]
    plan = road.plan(ines, boreale, user_sheet(), rows)
    assert not plan.refused
    road.apply(plan, FACTS)
    main.refresh_from_db()
    assert main.user == zoe
    assert not write(ines, boreale, user_sheet(), zoe.pk, dids=[]).errors
    assert write(ines, boreale, user_sheet(), olivier.pk, dids=[main.pk]).errors["dids"]


def test_nor_by_taking_back_that_it_was_given_up(boreale, ines, felix, olivier):
    main = Did.objects.of(boreale).first()
    write(felix, boreale, user_sheet(), olivier.pk, dids=[main.pk])
    write(felix, boreale, user_sheet(), olivier.pk, dids=[])
    operation = Operation.objects.latest("pk")
    with pytest.raises(undo.NotUndoableError):
        undo.undo(ines, boreale, operation, FACTS)
    main.refresh_from_db()
    assert main.user is None
