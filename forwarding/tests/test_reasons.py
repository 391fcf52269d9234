"""Call plans as they are told: sentences in both languages, and the list for JSON."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from django.utils import translation

from forwarding.calls import Mailbox, StatusRule, TemporaryStatus
from forwarding.decisions import Outcome, Reason, Why
from forwarding.reasons import phrase, sentence
from forwarding.routing import dial
from forwarding.tests.people import (
    APP,
    DESK,
    MOBILE,
    SATURDAY,
    TUESDAY_NOON,
    People,
    away,
    caller,
    everywhere,
    ines,
    last,
)
from pbxadmin.common.values.statuses import Status


def test_a_plan_is_a_flat_list_for_json():
    steps = People(ines()).call("103").as_data()
    assert [step["step"] for step in steps] == [
        "reach",
        "ring",
        "voicemail",
        "voicemail",
        "voicemail",
        "voicemail",
    ]
    assert steps[0]["next"] == 1
    assert steps[1]["on"] == {"no_answer": 2, "busy": 3, "declined": 4, "not_registered": 5}
    assert steps[1]["devices"] == [{"key": "phone:805ec0123456", "label": "T54W", "push": False}]
    assert steps[2]["reason"]["cause"]["data"]["seconds"] == 20


LUNCH = ines(status=Status.LUNCH, mailbox=Mailbox(default_greeting="7"))
UNTIL = TemporaryStatus(Status.AWAY, datetime(2026, 11, 24, 19, 0, tzinfo=UTC))
TOMORROW = TemporaryStatus(Status.AWAY, datetime(2026, 11, 25, 14, 40, tzinfo=UTC))
TOLD = [
    (
        last(People(LUNCH).call("103")),
        "Status Lunch, no answer after 20 s → voicemail of 103, greeting “Dîner”",
        "Statut Lunch, sans réponse après 20\xa0s → messagerie vocale de 103, accueil «\xa0Dîner\xa0»",
    ),
    (
        People(ines(temporary=UNTIL)).call("103").first,
        "103 Inès Roy: status Away until 14:00",
        "103 Inès Roy\xa0: statut Absent jusqu’à 14\xa0h",
    ),
    (
        People(ines(temporary=TOMORROW)).call("103").first,
        "103 Inès Roy: status Away until 9:40 on November 25",
        "103 Inès Roy\xa0: statut Absent jusqu’à 9\xa0h\xa040 le 25 novembre",
    ),
    (
        last(People(ines(rule=StatusRule(ring_mobile=True))).call("103"), Outcome.ANSWERED),
        "103 rings for 20 s: T54W, 514 555-0142",
        "103 sonne 20\xa0s\xa0: T54W, 514 555-0142",
    ),
    (
        last(People(away(everywhere("system:801"))).call("103")),
        "Status Away, outside calls forwarded at once → ring group 801 Accueil",
        "Statut Absent, appels externes transférés immédiatement → groupe d’appels 801 Accueil",
    ),
    (
        last(People(replace(away(everywhere("voicemail")), mailbox=Mailbox(enabled=False))).call("103")),
        "Status Away, outside calls forwarded at once → the voicemail of 103 Inès Roy is disabled → busy tone",
        "Statut Absent, appels externes transférés immédiatement → la messagerie vocale de 103 Inès Roy est"
        " désactivée → tonalité d’occupation",
    ),
    (
        dial("911", caller(), SATURDAY, People()),
        "Emergency call to 911, always allowed, shown as 514 555-0000",
        "Appel d’urgence au 911, toujours permis, identifiant appelant\xa0: 514 555-0000",
    ),
    (
        dial("5145550188", caller(), TUESDAY_NOON, People()),
        "Outside call to 514 555-0188, shown as 514 555-0000",
        "Appel externe au 514 555-0188, identifiant appelant\xa0: 514 555-0000",
    ),
    (
        dial("5145550188", caller(extension="1030", pin_protected=True), TUESDAY_NOON, People()),
        "Refused: outside calls need the PIN first. Dial 7777, enter the voicemail PIN and #, hang up, then call the number again.",
        "Refusé\xa0: les appels externes demandent d’abord le NIP. Composez le 7777, entrez le NIP de la messagerie vocale et #, raccrochez,"
        " puis rappelez le numéro.",
    ),
    (
        dial("*31", caller(), TUESDAY_NOON, People()),
        "Code *31: sets the status Away",
        "Code *31\xa0: met le statut à Absent",
    ),
    (
        dial("777", caller(), TUESDAY_NOON, People()),
        "Refused: there is no extension 777; it opens outside calls for users with PIN protection alone",
        "Refusé\xa0: il n’y a pas de poste 777; ce code ouvre les appels externes aux seuls utilisateurs protégés par un NIP",
    ),
    (
        dial("*62", caller(), TUESDAY_NOON, People()),
        "Code *62: the phone system itself answers",
        "Code *62\xa0: le système téléphonique répond lui-même",
    ),
]


@pytest.mark.parametrize(("step", "english", "french"), TOLD, ids=[row[1] for row in TOLD])
def test_a_reason_is_told_in_the_language_of_the_reader(step, english, french):
    with translation.override("en"):
        assert sentence(step.reason, {"7": "Dîner"}) == english
    with translation.override("fr-ca"):
        assert sentence(step.reason, {"7": "Dîner"}) == french


@pytest.mark.parametrize("why", Why)
def test_every_reason_has_a_phrase_in_both_languages(why):
    data = {
        "extension": "103", "name": "Inès Roy", "status": Status.LUNCH, "seconds": 20, "targets": (APP, DESK),
        "greeting": "", "number": MOBILE, "caller_id": "", "kind": "queue", "hops": 10,
        "until": TUESDAY_NOON, "today": True, "code": "777",
    }  # fmt: skip
    with translation.override("en"):
        english = phrase(Reason(why, data))
    with translation.override("fr-ca"):
        french = phrase(Reason(why, data))
    assert "%" not in english + french
    assert english != french
