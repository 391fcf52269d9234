"""Emergency calls always show a number: a department without one is told loudly what will be shown, and the engine shows that."""

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation

from forwarding.asking import plan_call
from forwarding.calls import FromExtension
from forwarding.decisions import Verdict
from forwarding.models import ForwardingRule
from pbxadmin.common.fields import phone_number_national
from signin.tests.signing import sign_in_fully
from users import road
from users.company.sheets import department_sheet, did_sheet
from users.models import Department, Did, User
from users.people.line import lines_of


def planned(staff, boreale, key, **values) -> road.RowPlan:
    with translation.override("fr-ca"):
        return road.plan(staff, boreale, department_sheet(), [road.Row(key, values)]).rows[0]


def said(row: road.RowPlan) -> str:
    return " ".join(
        map(str, [*row.warnings.get("outbound_caller_id", []), *row.errors.get("outbound_caller_id", [])])
    )


def shown(boreale, number: str = "911") -> str:
    dialled = plan_call(boreale, FromExtension("101"), number, timezone.now()).dialled
    assert dialled is not None
    return dialled.caller_id


def test_a_department_that_loses_its_number_shows_the_next_one_and_is_told_so(staff, boreale, amelie):
    soins, accueil = boreale.departments.get(name="Soins"), boreale.departments.get(name="Accueil")
    Department.objects.filter(pk=soins.pk).update(outbound_caller_id="+15145550177")
    row = planned(staff, boreale, accueil.pk, outbound_caller_id="")
    assert row.outcome == "changed"
    assert "911" in said(row)
    assert "514 555-0177" in said(row)
    assert "Soins" in said(row)
    Department.objects.filter(pk=accueil.pk).update(outbound_caller_id="")
    for number in (
        "911",
        "9-911",
        "9911",
        "+911",
        "9 1 1",
        "9/1/1",
        "9'1'1",
        "９１１",
        "9\u00ad1\u200b1",
        "911#",
        "(911)",
        "9|911",
        "+1911",
        "+1 911",
        "1-911",
        "9-1-911",
        "911,,1",
        "9,911",
        "933",
    ):
        assert shown(boreale, number) == "+15145550177", number
    again = User.objects.select_related("customer", "role", "primary_department").get(pk=amelie.pk)
    assert lines_of([again])[amelie.pk].emergency_caller_id == "+15145550177"


def test_without_any_department_that_has_one_the_first_number_of_the_company_is_shown(staff, boreale, amelie):
    Department.objects.of(boreale).update(outbound_caller_id="")
    first = Did.objects.of(boreale).order_by("pk").first()
    assert first is not None
    assert shown(boreale) == first.number


def test_the_last_number_that_an_emergency_call_could_show_cannot_be_taken_away(staff, boreale):
    Did.objects.of(boreale).delete()
    soins, accueil = boreale.departments.get(name="Soins"), boreale.departments.get(name="Accueil")
    Department.objects.filter(pk=soins.pk).update(outbound_caller_id="")
    row = planned(staff, boreale, accueil.pk, outbound_caller_id="")
    assert row.outcome == "refused"
    assert "aucun numéro" in said(row)


@pytest.mark.parametrize("who", ["staff", "felix"])
def test_a_new_department_without_a_number_is_told_what_will_be_shown(boreale, who, request):
    row = planned(request.getfixturevalue(who), boreale, None, name="Pharmacie")
    assert row.outcome == "new"
    assert "514 555-0100" in said(row)
    assert (
        said(
            planned(
                request.getfixturevalue("staff"),
                boreale,
                None,
                name="Pharmacie",
                outbound_caller_id="514 555-0100",
            )
        ).count("911")
        == 0
    )


# --- On the pages, for as long as it is so ---------------------------------------------------------------------------
GAP = 'id="emergency-gap"'


def page_for(who, address: str) -> str:
    answer = sign_in_fully(Client(headers={"accept-language": "fr-CA"}), who).get(address)
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.parametrize("tab", ["general", "members", "hours", "holidays"])
def test_a_department_without_a_number_says_so_on_its_pages_until_it_has_one(boreale, staff, felix, tab):
    soins = boreale.departments.get(name="Soins")
    address = reverse("department_tab", args=["boreale", soins.pk, tab])
    assert GAP not in page_for(felix, address)
    Department.objects.filter(pk=soins.pk).update(outbound_caller_id="")
    said = page_for(felix, address)
    assert "affichent le 514 555-0100 (Accueil)" in said
    assert "soutien technique de votre fournisseur" in said
    # Support alone may enter it, and is led there.
    there = reverse("department_tab", args=["boreale", soins.pk, "general"]) + "#id_outbound_caller_id"
    assert there not in said
    assert there in page_for(staff, address)
    Did.objects.of(boreale).delete()
    Department.objects.of(boreale).update(outbound_caller_id="")
    assert "n’en affichent aucun" in page_for(felix, address)


@pytest.mark.parametrize("tab", ["general", "phone", "forwarding"])
def test_whose_emergency_calls_show_nothing_has_it_on_their_pages(boreale, staff, felix, amelie, tab):
    address = reverse("user_tab", args=["boreale", amelie.number, tab])
    Department.objects.of(boreale).update(outbound_caller_id="")
    # Another number stands in: the department's page tells it.
    assert GAP not in page_for(felix, address)
    Did.objects.of(boreale).delete()
    said = page_for(felix, address)
    assert "Les appels d’urgence (911) de ce poste n’affichent aucun numéro" in said
    accueil = amelie.primary_department
    there = reverse("department_tab", args=["boreale", accueil.pk, "general"]) + "#id_outbound_caller_id"
    assert there not in said
    assert there in page_for(staff, address)


def test_the_caller_id_of_a_department_is_chosen_from_the_companys_numbers(boreale, staff, felix):
    soins = boreale.departments.get(name="Soins")
    did = Did.objects.of(boreale).order_by("pk").first()
    for address in (
        reverse("department_tab", args=["boreale", soins.pk, "general"]),
        reverse("department_new", args=["boreale"]),
        reverse("admin:users_department_change", args=[soins.pk]),
    ):
        offered = page_for(staff, address)
        assert 'list="id_outbound_caller_id_offered"' in offered
        assert f'<option value="{phone_number_national(did.number)}">{did.name}</option>' in offered, address
    # Nothing is offered to whoever can't enter it.
    assert did.name not in page_for(felix, reverse("department_tab", args=["boreale", soins.pk, "general"]))


def test_whatever_else_of_the_department_is_changed_says_nothing_again(staff, boreale):
    soins = boreale.departments.get(name="Soins")
    Department.objects.filter(pk=soins.pk).update(outbound_caller_id="")
    assert not said(planned(staff, boreale, soins.pk, name="Soins infirmiers", outbound_caller_id=""))


def test_an_extension_that_looks_like_911_after_a_one_is_the_extension(boreale, amelie):
    boreale.extension_digits = 4
    boreale.save()
    User.objects.filter(pk=amelie.pk).update(number="1911")
    dialled = plan_call(boreale, FromExtension("1911"), "1911", timezone.now()).dialled
    assert dialled is not None
    assert dialled.verdict is Verdict.INTERNAL
    emergency = plan_call(boreale, FromExtension("1911"), "+1911", timezone.now()).dialled
    assert emergency is not None
    assert emergency.verdict is Verdict.EMERGENCY


def test_a_number_that_becomes_another_one_tells_whose_emergency_calls_go_on_showing_it(
    staff, boreale, amelie
):
    did = Did.objects.of(boreale).first()
    Department.objects.filter(customer=boreale, name="Soins").update(outbound_caller_id=did.number)
    ForwardingRule.objects.filter(user=amelie, status="away").update(divert_external=f"external:{did.number}")
    with translation.override("fr-ca"):
        row = road.plan(staff, boreale, did_sheet(), [road.Row(did.pk, {"number": "438 555-0166"})]).rows[0]
    told = " ".join(map(str, row.warnings["number"]))
    assert "Soins" in told
    assert "urgence" in told
    assert str(amelie) in told
    # Exchanged with another one, it stays the company's.
    other = Did.objects.of(boreale).last()
    assert other.pk != did.pk
    rows = [road.Row(did.pk, {"number": other.number}), road.Row(other.pk, {"number": did.number})]
    exchanged = road.plan(staff, boreale, did_sheet(), rows).rows[0]
    assert "Soins" not in " ".join(map(str, exchanged.warnings.get("number", [])))
