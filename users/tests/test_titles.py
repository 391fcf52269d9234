"""What the history calls an operation: what changed of whom, in both languages, never a name of the code."""

import re

import pytest
from django.http import QueryDict
from django.utils import translation

from pbxadmin.common.listing import ListState
from users import road
from users.company.sheets import department_sheet
from users.history import asked, timeline
from users.history.titles import title
from users.models import Department, Operation
from users.people.sections import user_sheet
from users.tests.factories import FACTS, make_user

AMELIE = "101 Amélie Tremblay"
CALLER_ID, LANGUAGE, MOBILE = "Identifiant appelant sortant", "Langue", "Mobile"


@pytest.mark.parametrize(
    ("kind", "record", "count", "labels", "values", "said"),
    [
        ("edit", AMELIE, 1, [CALLER_ID], [], "Identifiant appelant sortant de 101 Amélie Tremblay"),
        ("edit", AMELIE, 1, [CALLER_ID, MOBILE], [], "Identifiant appelant sortant et Mobile de 101 Amélie Tremblay"),
        (
            "edit", AMELIE, 1, [CALLER_ID, MOBILE, LANGUAGE], [],
            "Identifiant appelant sortant et 2 autres champs de 101 Amélie Tremblay",
        ),
        ("edit", AMELIE, 12, [MOBILE], [], "Mobile de 101 Amélie Tremblay et 11 autres"),
        ("edit", "Accueil", 1, [LANGUAGE], [], "Langue d’Accueil"),
        ("edit", "Ventes", 1, [LANGUAGE], [], "Langue de Ventes"),
        ("edit", AMELIE, 1, [MOBILE, "Membre de"], [], "Mobile et «\u00a0Membre de\u00a0» de 101 Amélie Tremblay"),
        ("edit", "Accueil", 1, ["Membre de"], [], "«\u00a0Membre de\u00a0» d’Accueil"),
        ("edit", "", 1, [LANGUAGE], [], "Modification\u00a0: Langue"),
        ("create", AMELIE, 1, [CALLER_ID], [], "Création · 101 Amélie Tremblay"),
        ("delete", AMELIE, 1, [], [], "Suppression · 101 Amélie Tremblay"),
        ("command", "Yealink T54W", 1, ["Commande"], ["Redémarrer"], "Envoi au téléphone\u00a0: Redémarrer · Yealink T54W"),
        ("reveal", AMELIE, 1, ["NIP"], [], "Affichage d’un secret\u00a0: NIP · 101 Amélie Tremblay"),
        ("sign_in", "", 0, [], [], "Connexion"),
    ],
)  # fmt: skip
def test_a_title_says_what_changed_of_whom(kind, record, count, labels, values, said):
    with translation.override("fr-ca"):
        assert title(kind, record, count, labels, values) == said


def newest(actor, customer, everything=False):
    """The last entry, with `everything` also of who signed in."""
    if everything:
        state = ListState.of(asked.shape(timeline.within_reach(actor, customer)), QueryDict(""), "/")
        return timeline.of_customer(actor, customer, state).object_list[0]
    return timeline.latest(actor, customer, 1)[0]


def test_the_history_calls_a_change_by_its_columns(felix, boreale, amelie):
    road.apply(
        road.plan(felix, boreale, user_sheet(), [road.Row(amelie.pk, {"mobile": "514 555-0142"})]), FACTS
    )
    assert newest(felix, boreale).what == "Mobile de 101 Amélie Tremblay"
    with translation.override("en"):
        assert newest(felix, boreale).what == "Mobile of 101 Amélie Tremblay"


def test_the_history_calls_many_changes_by_the_first_and_their_number(felix, boreale):
    people = [make_user(boreale, f"15{at}", "Personne", f"Numéro {at}") for at in range(3)]
    rows = [road.Row(person.pk, {"mobile": "514 555-0142"}) for person in people]
    road.apply(road.plan(felix, boreale, user_sheet(), rows), FACTS)
    assert newest(felix, boreale).what == "Mobile de 150 Personne Numéro 0 et 2 autres"


def test_time_zones_stand_in_the_history_by_their_city(staff, boreale, amelie):
    department = Department.objects.get(pk=amelie.primary_department_id)
    road.apply(
        road.plan(
            staff, boreale, department_sheet(), [road.Row(department.pk, {"time_zone": "America/Halifax"})]
        ),
        FACTS,
    )
    assert newest(staff, boreale).rows[0].changes == [
        {"label": "Fuseau horaire", "old": "Montréal, Toronto", "new": "Halifax"}
    ]


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("sign_in", "Connexion"),
        ("sign_in.locked", "Connexion bloquée après des échecs répétés"),
        ("second_factor.enrolled", "Second facteur configuré"),
    ],
)
def test_signing_in_is_called_by_what_happened_and_says_it_once(felix, boreale, reason, said):
    about = road.change_of(user_sheet(), felix, Operation.Kind.SIGN_IN, [])
    road.record_operation(felix, boreale, Operation.Kind.SIGN_IN, FACTS, reason, [about])
    told = newest(felix, boreale, everything=True)
    assert (told.what, told.reason) == (f"{said} · 102 Félix Gagnon", "")


@pytest.mark.django_db
def test_what_an_operation_did_is_a_noun_so_that_nobody_is_given_a_gender():
    with translation.override("fr-ca"):
        assert [str(Operation.Kind(kind).label) for kind in ("create", "edit", "delete", "reset")] == [
            "Création", "Modification", "Suppression", "Réinitialisation",
        ]  # fmt: skip


@pytest.mark.parametrize("language", ["fr-ca", "en"])
def test_no_name_of_a_column_runs_into_whose_it_is(language):
    with translation.override(language):
        labels = {str(column.label) for sheet in road.SHEETS.values() for column in sheet.columns.values()}
        titles = [
            title("edit", "Ventes", 1, labels_of)
            for label in labels
            for labels_of in ([label], [label, "x"], ["x", label])
        ]
    twice = re.compile(r"\b(de|du|des|à|par|of|to|by|from|with) (de|of|et|and)\b")
    assert [text for text in titles if twice.search(text)] == []
