"""What a save writes for the phone system: another stamp for its customer, and an errand for each line that is another now."""

import ast
import threading
import time
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from asterisk import receivers
from asterisk.line_columns import LINE_COLUMNS
from asterisk.models import Errand, Node, Stamp
from phones.tests import factories as phone_factories
from users import road
from users.company.sheets import customer_sheet, department_sheet, did_sheet
from users.models import Customer, Department, Did, User
from users.people import reset
from users.people.sections import user_sheet
from users.road.removal import plan_removal, remove
from users.tests.factories import FACTS, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def node() -> Node:
    return Node.objects.create(name="montreal", token_hash="1" * 64, host="10.0.0.5")


def stamp(customer: Customer) -> int | None:
    return Stamp.objects.filter(customer=customer).values_list("number", flat=True).first()


def told(kind: str) -> list[str]:
    return list(Errand.objects.filter(kind=kind).order_by("subject").values_list("subject", flat=True))


def forgotten() -> list[str]:
    found = told("forget")
    assert Errand.objects.exclude(kind__in=("drop", "trunks")).count() == len(found)
    Errand.objects.all().delete()
    return found


def save(actor: User, sheet: object, record: object, **values: str) -> None:
    made = road.plan(
        actor,
        record if isinstance(record, Customer) else record.customer,
        sheet,
        [road.Row(record.pk, values)],
    )  # type: ignore[attr-defined,arg-type]
    assert not made.refused, [row.problems for row in made.rows]
    road.apply(made, FACTS)


def test_every_save_gives_its_customer_another_stamp_and_nobody_else(staff, boreale, laurier, amelie, node):
    receivers.stamp([boreale.pk, laurier.pk])
    before, others = stamp(boreale), stamp(laurier)
    save(staff, user_sheet(), amelie, talk_name="amelie")
    assert stamp(boreale) not in (None, before)
    assert stamp(laurier) == others
    assert forgotten() == []


def test_a_save_that_is_rolled_back_leaves_neither(staff, boreale, amelie, node):
    before = stamp(boreale)
    with transaction.atomic():
        save(staff, user_sheet(), amelie, first_name="Mélie")
        assert Errand.objects.count() == 1
        assert stamp(boreale) != before
        transaction.set_rollback(True)
    assert stamp(boreale) == before
    assert forgotten() == []


@pytest.mark.parametrize(
    ("column", "value"),
    [("first_name", "Mélie"), ("disabled", "1"), ("srtp", "enforced"), ("block_remote", "0"), ("pbx_delivers_audio", "1"),
     ("primary_department", "Soins"), ("voicemail.enabled", "0"), ("recording", "all")],
)  # fmt: skip
def test_a_line_that_is_another_now_is_forgotten(staff, boreale, amelie, felix, node, column, value):
    save(staff, user_sheet(), amelie, **{column: value})
    assert forgotten() == ["101@boreale.example.com"]


def test_each_node_is_told(staff, amelie, node):
    other = Node.objects.create(name="quebec", token_hash="2" * 64, host="10.0.0.6")
    save(staff, user_sheet(), amelie, disabled="1")
    assert set(Errand.objects.values_list("node", "subject")) == {
        (node.pk, "101@boreale.example.com"),
        (other.pk, "101@boreale.example.com"),
    }


def test_without_nodes_there_are_no_errands(staff, amelie):
    save(staff, user_sheet(), amelie, disabled="1")
    assert forgotten() == []


def test_new_sip_passwords_are_asked_for_at_once(staff, boreale, amelie, node):
    before = stamp(boreale)
    reset.reset(reset.plan_reset(staff, boreale, [amelie.pk]), ["sip"], FACTS)
    assert forgotten() == ["101@boreale.example.com"]
    assert stamp(boreale) != before


def test_who_is_deleted_is_forgotten_and_their_messages_go(staff, boreale, amelie, felix, node):
    key = amelie.pk
    remove(plan_removal(staff, boreale, user_sheet(), [key]), FACTS)
    errands = Errand.objects.filter(node=node).order_by("kind").values_list("kind", "subject")
    assert list(errands) == [
        ("drop", "101@boreale.example.com"), ("empty", f"101@u{key}"), ("forget", "101@boreale.example.com"),
    ]  # fmt: skip


def test_whoever_is_registered_on_a_line_is_so_no_more_once_it_has_another_secret_or_is_another_line(
    staff, boreale, amelie, felix, node
):
    save(staff, user_sheet(), amelie, first_name="Mélie", disabled="1", srtp="enforced")
    assert told("drop") == []
    reset.reset(reset.plan_reset(staff, boreale, [amelie.pk]), ["sip"], FACTS)
    assert list(Errand.objects.order_by("pk").values_list("kind", flat=True))[-2:] == ["forget", "drop"]
    assert told("drop") == ["101@boreale.example.com"]
    Errand.objects.all().delete()
    save(staff, customer_sheet(), boreale, fqdn="nordet.example.com")
    assert {"101@boreale.example.com", "102@boreale.example.com"} <= set(told("drop"))
    Errand.objects.all().delete()
    make_user(boreale, "107", "Zoé", "Lavoie")
    save(staff, customer_sheet(), boreale, suspended="1", suspended_reason="x")
    assert told("drop") == []


def test_somebody_new_is_nothing_to_forget(boreale, node):
    make_user(boreale, "107", "Zoé", "Lavoie")
    assert forgotten() == []


def test_a_departments_language_is_that_of_its_peoples_lines(staff, boreale, amelie, felix, ines, node):
    soins = Department.objects.get(customer=boreale, name="Soins")
    save(staff, department_sheet(), soins, language="en")
    assert forgotten() == ["103@boreale.example.com"]
    save(staff, department_sheet(), soins, name="Soins infirmiers")
    assert forgotten() == []


def test_a_number_that_rescuers_see_is_also_that_of_departments_without_one(
    staff, boreale, amelie, ines, node
):
    Department.objects.filter(customer=boreale, name="Soins").update(outbound_caller_id="")
    accueil = Department.objects.get(customer=boreale, name="Accueil")
    save(staff, department_sheet(), accueil, outbound_caller_id="+15145550111")
    assert forgotten() == ["101@boreale.example.com", "103@boreale.example.com"]
    remove(
        plan_removal(staff, boreale, did_sheet(), [Did.objects.filter(customer=boreale, user=None)[0].pk]),
        FACTS,
    )
    assert forgotten() == ["103@boreale.example.com"]


def test_a_customer_under_another_host_name_is_forgotten_under_both(staff, boreale, amelie, felix, node):
    save(staff, customer_sheet(), boreale, fqdn="nordet.example.com")
    # By host names nodes know the ways to 911.
    assert told("trunks") == [""]
    assert forgotten() == [
        "101@boreale.example.com", "101@nordet.example.com", "102@boreale.example.com", "102@nordet.example.com",
    ]  # fmt: skip
    boreale.refresh_from_db()
    save(staff, customer_sheet(), boreale, suspended="1", suspended_reason="x")
    assert forgotten() == ["101@nordet.example.com", "102@nordet.example.com"]


def test_a_phones_codecs_are_its_persons(staff, boreale, amelie, felix, node):
    phone = phone_factories.make_phone(boreale, amelie, "805ec0aabb00")
    assert forgotten() == ["101@boreale.example.com"]
    sheet = road.sheet_of(type(phone))
    save(staff, sheet, phone, codecs="PCMA,PCMU")
    assert forgotten() == ["101@boreale.example.com"]
    phone.refresh_from_db()
    save(staff, sheet, phone, lldp="0")
    assert forgotten() == []


def test_a_save_of_many_is_as_many_statements_as_one_of_few(staff, boreale, node):
    people = phone_factories.make_people(boreale, 63)

    def statements(count: int) -> int:
        rows = [road.Row(each.pk, {"srtp": "enforced"}) for each in people[:count]]
        made = road.plan(staff, boreale, user_sheet(), rows)
        with CaptureQueriesContext(connection) as queries:
            receivers.lines_are_forgotten(User, made.rows, _operation(boreale))
        return len(queries)

    assert statements(3) == statements(63) == 2
    assert len(forgotten()) == 3 + 63


def _operation(customer: Customer) -> object:
    return type("Operation", (), {"customer": customer, "customer_id": customer.pk})()


def test_every_customers_stamp_is_another_after_the_providers_trunk(boreale, laurier):
    receivers.stamp([boreale.pk, laurier.pk])
    before = {stamp(boreale), stamp(laurier)}
    receivers.stamp_all()
    after = {stamp(boreale), stamp(laurier)}
    assert len(before | after) == 4


@pytest.mark.django_db(transaction=True)
def test_two_who_stamp_the_same_customers_wait_for_each_other(boreale, laurier):
    """In whatever order they name them; more than a hundred times each."""
    if connection.vendor != "postgresql":
        return  # one writer at a time
    failed: list[Exception] = []

    def again_and_again(keys: list[int]) -> None:
        try:
            until = time.monotonic() + 1.0
            while time.monotonic() < until:
                receivers.stamp(keys)
        except Exception as error:
            failed.append(error)
        finally:
            connection.close()

    keys = [boreale.pk, laurier.pk]
    threads = [threading.Thread(target=again_and_again, args=(order,)) for order in (keys, keys[::-1], keys)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []


# --- No column is missed ------------------------------------------------------------------------------------------
# What the module reads that isn't a column, by the columns that it is made of.
MADE_OF = {
    "full_name": {"first_name", "last_name"},
    "is_active": {"disabled", "suspended"},
    "enabled": {"voicemail.enabled"},
    "emergency_caller_id": {"outbound_caller_id"},
}
# Columns that say whose row it is: nobody changes them, or whoever does makes another row.
IDENTITY = {"pk", "id", "customer", "mailbox", "version"}


def test_no_column_of_a_line_is_missing_from_what_is_watched():
    watched = set().union(*LINE_COLUMNS.values())
    columns = {field.name for model in LINE_COLUMNS for field in model._meta.concrete_fields}
    for path in (Path(settings.BASE_DIR) / "asterisk" / "asked").glob("lines.py"):
        tree = ast.parse(path.read_text())
        read = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        read |= {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} & MADE_OF.keys()
        named = {
            word
            for node in ast.walk(tree)
            if isinstance(node, ast.Call)
            and getattr(node.func, "attr", "") in ("values", "values_list", "only")
            for argument in node.args
            if isinstance(argument, ast.Constant)
            for word in str(argument.value).split("__")
        }
        needed = (((read | named) & columns) - IDENTITY).union(
            *(MADE_OF[name] for name in MADE_OF.keys() & read)
        )
        assert needed - watched - MADE_OF.keys() == set(), "add it to asterisk/line_columns.py"
