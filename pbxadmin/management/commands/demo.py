"""Demo data: a provider with two customers, about thirty people and their phones, so that the portal can be seen in a minute."""

import json
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import transaction
from django.utils import timezone

from asterisk.models import Trunk
from asterisk.trunks.sheet import trunk_sheet
from forwarding.hours import Holiday
from forwarding.statutory import statutory_holidays
from pbxadmin.common.columns import Scope
from pbxadmin.common.crypto import random_secret
from pbxadmin.common.http import RequestFacts
from pbxadmin.common.values.signs import folded
from pbxadmin.management import demo_calls
from pbxadmin.run.calls import PROVIDER
from phones import services as phone_services
from phones.models import Phone
from signin import credentials as signin
from users import road
from users.company.sheets import department_sheet, system_extension_sheet
from users.models import Customer, Department, Did, StaffLevel, User
from users.people.sections import user_sheet
from users.rights import Verb, terminal_actor
from voicemail import standard_greetings
from voicemail.greetings import making, usage
from voicemail.greetings.making import Wanted
from voicemail.models import Greeting, Made

FACTS = RequestFacts(source="demo")

BOREALE = [
    # number, first name, last name, role, department, mobile, phone model
    ("101", "Amélie", "Tremblay", "receptionists", "Accueil", "514 555-0141", "yealink-t54w"),
    ("102", "Félix", "Gagnon", "system_owners", "Direction", "514 555-0142", "yealink-t57w"),
    ("103", "Inès", "Roy", "group_admins", "Soins", "514 555-0143", "yealink-t46u"),
    ("104", "Olivier", "Bélanger", "users", "Soins", "", "yealink-t43u"),
    ("105", "Maude", "Côté", "managers", "Facturation", "438 555-0145", "yealink-t53w"),
    ("106", "Xavier", "Lévesque", "users", "Facturation", "", ""),
    ("107", "Élodie", "Pelletier", "users", "Soins", "", "yealink-t33g"),
    ("108", "Jean-François", "Bouchard", "users", "Soins", "514 555-0148", "yealink-t31p"),
    ("109", "Geneviève", "Morin", "users", "Accueil", "", "yealink-t42u"),
    ("110", "Zoé", "Lavoie", "users", "Soins", "", "yealink-t54w"),
    ("112", "Mathis", "Fortin", "users", "Soins", "450 555-0152", ""),
    ("113", "Chloé", "Gauthier", "users", "Facturation", "", "yealink-t34w"),
    ("114", "Édouard", "Ouellet", "system_admins", "Direction", "514 555-0154", "yealink-t48u"),
    ("115", "Noémie", "Bergeron", "users", "Soins", "", "yealink-t53"),
    ("116", "Thomas", "D’Amours", "users", "Accueil", "", ""),
    ("117", "Béatrice", "Poirier", "users", "Soins", "", "yealink-t54w"),
    ("118", "Samuel", "Nadeau", "users", "Facturation", "", ""),
    ("119", "Léa", "Cloutier", "users", "Soins", "", "yealink-t46s"),
    ("120", "Raphaël", "Dubé", "users", "Soins", "581 555-0160", ""),
    ("121", "Florence", "Desjardins", "group_owners", "Accueil", "", "yealink-t54w"),
    ("122", "Antoine", "Hébert", "users", "Soins", "", ""),
    ("123", "Camille", "Lapointe", "users", "Soins", "", "yealink-t31g"),
]
LAURIER = [
    ("201", "Rosalie", "Beaulieu", "system_owners", "Librairie", "418 555-0171", "yealink-t54w"),
    ("202", "Étienne", "Caron", "users", "Librairie", "", "yealink-t33g"),
    ("203", "Juliette", "Girard", "users", "Commandes", "", "yealink-t31p"),
    ("204", "Nathan", "Simard", "users", "Commandes", "", ""),
    ("205", "Alice", "Boucher", "receptionists", "Librairie", "", "yealink-t42u"),
    ("206", "Émile", "Thibault", "users", "Librairie", "", ""),
    ("207", "Jade", "Leblanc", "users", "Commandes", "", ""),
    ("208", "Louis", "Martel", "users", "Librairie", "", ""),
]


# The provider's support: one of each level, the manager first.
TEAM = [
    ("soutien@tic.example", "Solange", "Paquette", StaffLevel.MANAGER),
    ("technique@tic.example", "Théo", "Lemieux", StaffLevel.TECHNICIAN),
    ("lecture@tic.example", "Lise", "Côté", StaffLevel.READ_ONLY),
]


class Command(BaseCommand):
    """`manage.py demo`: makes the demo data once; later calls only say who can sign in."""

    help = "Load the demo data (once) and print the demo accounts."

    def handle(self, *args: Any, **options: Any) -> None:
        """Make what isn't there, keep the passwords in a file of this installation only, and print them."""
        path = settings.VAR_DIR / "demo.json"
        if not Customer.objects.exists():
            password = random_secret(14)
            with transaction.atomic():
                accounts = load(password)
            _greetings()
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.touch(mode=0o600)
            path.write_text(json.dumps(accounts, ensure_ascii=False, indent=1))
            move_virtual_phone()
        if not path.exists():
            self.stdout.write("This installation has customers of its own: no demo data was loaded.")
            return
        _trunk()
        accounts = json.loads(path.read_text())
        for account in accounts["accounts"]:
            self.stdout.write(f"  {account['login']:<34} {account['password']:<16} {account['who']}")


def load(password: str) -> dict[str, Any]:
    """Make everything through the same road as the portal's pages. Returns what the launcher prints and starts."""
    support, *colleagues = (signin.create_support_account(*each) for each in TEAM)
    for member in (support, *colleagues):
        signin.store_password(member, password)
    boreale = _customer(
        "Clinique Boréale",
        "boreale",
        "boreale.example.com",
        25,
        8,
        {
            "Accueil": "+15145550100",
            "Soins": "+15145550110",
            "Facturation": "+15145550100",
            "Direction": "+15145550100",
        },
        [
            ("+15145550100", "Ligne principale"),
            ("+15145550110", "Soins"),
            ("+15145550119", "Urgences"),
            ("+14505550120", "Rive-Sud"),
        ],
    )
    laurier = _customer(
        "Librairie Laurier",
        "laurier",
        "laurier.example.com",
        10,
        4,
        {"Librairie": "+14185550170", "Commandes": "+14185550170"},
        [("+14185550170", "Librairie"), ("+14185550179", "Commandes web")],
    )
    people = _people(support, boreale, BOREALE) | _people(support, laurier, LAURIER)
    for customer in (boreale, laurier):
        _hours(support, customer)
    _system_extensions(support, boreale, people)
    _calls(support, boreale, people)
    _keys(support, boreale, people)
    _numbers(support, boreale, people, {"+15145550100": "101", "+15145550110": "105"})
    _numbers(support, laurier, people, {"+14185550170": "201"})
    phones = _phones(support, boreale, BOREALE, people, 0x10) + _phones(
        support, laurier, LAURIER, people, 0x60
    )
    # A spare one on the shelf, for whoever is hired next.
    spare = phone_services.phone_plan(
        support, boreale, None, {"mac": "805ec0001020", "model": "yealink-t54w"}
    )
    road.apply(spare, FACTS, "demo")
    demo_calls.load(boreale)
    accounts = []
    for number, who in (
        ("102", "administrateur de démonstration (sans second facteur), Clinique Boréale"),
        ("103", "administratrice du département Soins, Clinique Boréale"),
        ("104", "utilisateur, Clinique Boréale"),
        ("201", "administratrice, Librairie Laurier"),
    ):
        signin.store_password(people[number], password)
        accounts.append({"login": people[number].login, "password": password, "who": who})
    accounts.append(
        {
            "login": support.email,
            "password": password,
            "who": "soutien du fournisseur, responsable (configure un second facteur)",
        }
    )
    for member, who in zip(colleagues, ("technicien", "lecture seule"), strict=True):
        accounts.append(
            {"login": member.email, "password": password, "who": f"soutien du fournisseur, {who} (de même)"}
        )
    return {"accounts": accounts, "phones": phones}


def _trunk() -> None:
    """The provider's SIP trunk, behind which `./run --calls` plays the public network; nothing where there is one already."""
    if Trunk.objects.exists():
        return
    values = {"name": "Liaison de démonstration", "host": PROVIDER[0], "port": PROVIDER[1]}
    made = road.plan(terminal_actor(), None, trunk_sheet(), [road.Row(None, values)])
    if not made.refused:  # an installation that lets nobody be on its own machine has no demo to call
        road.apply(made, FACTS, "demo")


def _customer(
    name: str,
    slug: str,
    fqdn: str,
    included: int,
    channels: int,
    departments: dict[str, str],
    dids: list[tuple[str, str]],
) -> Customer:
    customer = Customer.objects.create(
        name=name, slug=slug, fqdn=fqdn, included_extensions=included, sip_trunk_channels=channels
    )
    Department.objects.bulk_create(
        Department(customer=customer, name=department, outbound_caller_id=number)
        for department, number in departments.items()
    )
    Did.objects.bulk_create(Did(customer=customer, number=number, name=label) for number, label in dids)
    return customer


def _people(support: User, customer: Customer, rows: Sequence[tuple[str, ...]]) -> dict[str, User]:
    domain = customer.fqdn.replace(".com", "")
    planned = road.plan(
        support,
        customer,
        user_sheet(),
        [
            road.Row(
                None,
                {
                    "number": number,
                    "first_name": first,
                    "last_name": last,
                    "role": role,
                    "primary_department": department,
                    "departments": [department]
                    if department == "Direction" or customer.slug != "boreale"
                    else [department, "Accueil"],
                    "mobile": mobile,
                    "email": _email(first, last, domain),
                    "require_2fa": number not in ("102", "103", "104", "201"),
                },
            )
            for number, first, last, role, department, mobile, _model in rows
        ],
    )
    road.apply(planned, FACTS, "demo")
    return {
        row.record.number: User.objects.select_related("customer").get(pk=row.key) for row in planned.rows
    }


def _email(first: str, last: str, domain: str) -> str:
    name = f"{first}.{last}".replace("’", "").replace(" ", "-")
    return f"{folded(name)}@{domain}"


def _hours(support: User, customer: Customer) -> None:
    """Office hours from Monday to Friday with a break at noon, and Québec's statutory holidays of this year and the next."""
    year = timezone.localdate().year
    holidays = [
        Holiday(day, day, name)
        for each in (year, year + 1)
        for day, name in statutory_holidays(each, customer.language)
    ]
    week = {
        "office_hours": ["8:00-17:00"] * 5 + ["", ""],
        "break_hours": ["12:00-13:00"] * 5 + ["", ""],
        "holidays": holidays,
    }
    rows = [road.Row(department.pk, week) for department in Department.objects.of(customer)]
    road.apply(road.plan(support, customer, department_sheet(), rows), FACTS, "demo")


def _system_extensions(support: User, customer: Customer, people: dict[str, User]) -> None:
    """A ring group, a queue with a Talk link, and an IVR; a department's Talk link that asks for a name."""
    rows = [
        road.Row(
            None,
            {
                "number": "180",
                "name": "Accueil",
                "kind": "ring_group",
                "members": [people["101"].pk, people["109"].pk],
            },
        ),
        road.Row(
            None,
            {
                "number": "181",
                "name": "File Soins",
                "kind": "queue",
                "talk_name": "filesoins",
                "members": [people["104"].pk, people["107"].pk],
            },
        ),
        road.Row(None, {"number": "190", "name": "Répondeur numérique", "kind": "ivr", "members": []}),
    ]
    road.apply(road.plan(support, customer, system_extension_sheet(), rows), FACTS, "demo")
    desk = Department.objects.get(customer=customer, name="Accueil")
    link = road.Row(desk.pk, {"talk_name": "accueil", "talk_ask": "name"})
    road.apply(road.plan(support, customer, department_sheet(), [link]), FACTS, "demo")


def _numbers(support: User, customer: Customer, people: dict[str, User], leads: dict[str, str]) -> None:
    """DID numbers that ring somebody; the others lead to nobody yet."""
    keys = dict(Did.objects.of(customer).values_list("number", "pk"))
    rows = [road.Row(people[extension].pk, {"dids": [keys[number]]}) for number, extension in leads.items()]
    road.apply(road.plan(support, customer, user_sheet(), rows), FACTS, "demo")


def _calls(support: User, customer: Customer, people: dict[str, User]) -> None:
    """Some statuses and forwardings, so that the simulator has something to tell."""
    wanted: dict[str, dict[str, Any]] = {
        "101": {"available.no_answer_external": "system:180", "available.busy_external": "extension:109"},
        "102": {
            "available.ring_mobile": True,
            "away.divert_external": "mobile?bounce",
            "status": "do_not_disturb",
        },
        "103": {"away.divert_external": "extension:105", "away.divert_internal": "same", "status": "away"},
        "104": {"lunch.no_answer_external": "extension:107?voicemail", "status": "lunch"},
        "107": {"auto_switch_status": True},
        "120": {"block_outbound_out_of_hours": True},
    }
    rows = [road.Row(people[number].pk, values) for number, values in wanted.items()]
    road.apply(road.plan(support, customer, user_sheet(), rows), FACTS, "demo")


def _keys(support: User, customer: Customer, people: dict[str, User]) -> None:
    """Two lines, some colleagues and the ring group of the reception on everybody's keys."""
    rows = []
    for number, watched in (
        ("101", ("102", "103", "104", "105", "107")),
        ("102", ("101", "114")),
        ("103", ("101", "104", "107", "110")),
    ):
        keys = [{"position": 1, "kind": "line"}, {"position": 2, "kind": "line"}]
        keys += [
            {"position": place, "kind": "blf", "target": people[other].pk}
            for place, other in enumerate(watched, start=3)
        ]
        keys.append({"position": 9, "kind": "blf", "target": "180"})
        rows.append(road.Row(people[number].pk, {"keys": json.dumps(keys)}))
    road.apply(road.plan(support, customer, user_sheet(), rows), FACTS, "demo")


def _phones(
    support: User, customer: Customer, rows: Sequence[tuple[str, ...]], people: dict[str, User], first: int
) -> list[dict[str, Any]]:
    made = []
    for place, (number, *_names, model) in enumerate(row for row in rows if row[-1]):
        mac = f"805ec000{first:02x}{place:02x}"
        planned = phone_services.phone_plan(support, customer, people[number], {"mac": mac, "model": model})
        road.apply(planned, FACTS, "demo")
        made.append({"mac": mac, "model": model, "number": number})
    return made


def _greetings() -> None:
    """A greeting of the company's, and one of Amélie's own, which her callers hear while she is away. Sounds are kept outside of the
    transaction that made everybody."""
    customer = Customer.objects.get(slug="boreale")
    support, amelie = (
        User.objects.get(email="soutien@tic.example"),
        User.objects.of(customer).get(number="101"),
    )
    for name, person, standard in (
        ("Fermé pour l’inventaire", None, "closed"),
        ("De retour lundi", amelie, "vacation"),
    ):
        with (standard_greetings.FOLDER / f"{standard}-fr.wav").open("rb") as sound:
            wanted = Wanted(name, Made.UPLOAD, person)
            made = making.receive(Scope(support, customer), sound, wanted, FACTS)
        if person is not None and isinstance(made, Greeting):
            usage.use(Scope(support, customer), person, made, "away.greeting", FACTS, Verb.EDIT)


def move_virtual_phone() -> None:
    """Know the demo's virtual phone at the port of this start: the first phone, which is on the desk; the others wait for theirs."""
    facts = json.loads((settings.VAR_DIR / "demo.json").read_text())
    for known in facts.get("phones", [])[:1]:
        Phone.objects.filter(mac=known["mac"]).exclude(sip_port=settings.DEMO_SIP_PORT).update(
            sip_port=settings.DEMO_SIP_PORT
        )
