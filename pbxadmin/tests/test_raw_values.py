"""No page shows a value as the code or the table has it: `yealink-t54w`, `America/Toronto`, `ring_group`, `CA US`."""

import re
from html import unescape

import pytest
from django.test import Client

from phones import services
from phones.models import Phone
from phones.tests.factories import make_phone
from signin.tests.signing import sign_in_fully
from users import road
from users.company.sheets import department_sheet, system_extension_sheet
from users.models import Department
from users.people.sections import user_sheet
from users.tests.factories import FACTS

pytestmark = pytest.mark.slow("opens page after page")

PERSON = (
    "general",
    "talk",
    "forwarding",
    "schedule",
    "phone",
    "blf",
    "voicemail",
    "visualiser",
    "options",
    "history",
)
COMPANY = (
    "", "users/", "departments/", "phones", "sbcs/", "numbers/", "system-extensions/", "simulator", "history", "jobs/",
    "settings/security", "settings/contract", "settings/roles", "settings/single-sign-on",
)  # fmt: skip
OWN = ("/me", "/me/forwarding", "/me/voicemail", "/me/colleagues")
# Two words of code, a model's slug, a zone's or a country's code, a truth of Python.
RAW = re.compile(
    r"\b[a-z]+_[a-z_]+\b|\byealink-\w+|\b(?:America|Europe)/\w+|\bCA US\b|\b(?:True|False|None)\b"
)


@pytest.fixture
def lived_in(staff, felix, boreale, amelie):
    """A customer with a bit of everything in its history."""
    phone = make_phone(boreale, amelie, "805ec0aabb01")
    Phone.objects.filter(pk=phone.pk).update(fetched_from="198.51.100.7", seen_model="yealink-t46u")
    services.phone_command(felix, Phone.objects.get(pk=phone.pk), Phone.Command.RESTART, FACTS)
    department = Department.objects.get(pk=amelie.primary_department_id)
    for sheet, row in (
        (department_sheet(), road.Row(department.pk, {"time_zone": "America/St_Johns", "language": "en"})),
        (
            system_extension_sheet(),
            road.Row(None, {"number": "801", "name": "Accueil", "kind": "ring_group"}),
        ),
        (
            user_sheet(),
            road.Row(amelie.pk, {"status": "do_not_disturb", "available.no_answer_external": "system:801"}),
        ),
        (
            user_sheet(),
            road.Row(amelie.pk, {"srtp": "enforced", "recording": "external", "talk_ask": "name_email"}),
        ),
    ):
        plan = road.plan(staff, boreale, sheet, [row])
        assert not plan.refused, plan.rows[0].errors or plan.rows[0].refusal
        road.apply(plan, FACTS)
    return sign_in_fully(Client(), felix)


@pytest.mark.parametrize("language", ["fr-ca", "en"])
def test_no_page_shows_a_value_as_the_code_has_it(lived_in, boreale, language):
    lived_in.cookies["language"] = language
    shown = {}
    for address in (
        *(f"/c/boreale/{page}" for page in COMPANY),
        *(f"/c/boreale/users/101/{page}" for page in PERSON),
        *OWN,
    ):
        answer = lived_in.get(address, headers={"accept-language": language})
        assert answer.status_code == 200, address
        html = re.sub(r"<(script|style|template)\b.*?</\1>", " ", answer.content.decode(), flags=re.DOTALL)
        text = unescape(re.sub(r"<[^>]*>", " ", html))
        if found := set(RAW.findall(text)):
            shown[address] = found
    assert shown == {}
