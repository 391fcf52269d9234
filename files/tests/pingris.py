"""The invented customer into which the given files are imported."""

import json
from typing import Any

from files.importing import people as importing
from files.tests.given import DATA
from pbxadmin.common.columns import Scope
from phones.models import Phone, Sbc
from phones.settings.sections import phone_sheet
from phones.tests.factories import make_phone, provider
from users import road
from users.models import Customer, Department, Did, SystemExtension, User
from users.people.sections import user_sheet
from users.tests.factories import FACTS
from voicemail.models import Mailbox

WORLD: dict[str, Any] = json.loads((DATA / "world.json").read_text())
KINDS = {"ring group": "ring_group", "queue": "queue", "IVR": "ivr"}
OF_PHONES = ("MAC", "Template", "Model", "Router", "Language", "Ringtone", "QRingtone")


def make() -> Customer:
    """Everything of `world.json`, through the road; answers with the customer."""
    facts = dict(WORLD["customer"])
    facts["edition"] = facts["edition"].lower()
    language, zone = facts["language"], facts["time_zone"]
    customer = Customer.objects.create(**facts)
    for place in WORLD["departments"]:
        Department.objects.create(customer=customer, language=language, time_zone=zone, **place)
    for number in WORLD["dids"]:
        Did.objects.create(customer=customer, number=number["number"])
    for extension in WORLD["system_extensions"]:
        SystemExtension.objects.create(customer=customer, **{**extension, "kind": KINDS[extension["kind"]]})
    for sbc in WORLD["sbcs"]:
        Sbc.objects.create(customer=customer, name=sbc["name"], identifier=sbc["id"], address="192.168.10.2")
    _people(customer, WORLD["users"])
    for number, places in WORLD["member_of"].items():
        change(User.objects.get(customer=customer, number=number), departments=":".join(places))
    for row in WORLD["users"]:
        # As they came with an earlier migration, those that would be refused today among them.
        mailbox = Mailbox.objects.get(user__customer=customer, user__number=row["Number"])
        mailbox.pin = row["VMPIN"]
        mailbox.save(update_fields=["pin"])
        change(User.objects.get(customer=customer, number=row["Number"]), keys=row["BLF"])
        if row["MAC"]:
            _phone(customer, row)
    for number, phones in WORLD["further_phones"].items():
        for phone in phones:
            make_phone(
                customer,
                User.objects.get(customer=customer, number=number),
                phone["mac"].lower(),
                phone["model"],
            )
    for phone in WORLD["stock_phones"]:
        make_phone(customer, None, phone["mac"].lower(), phone["model"])
    _other(WORLD["other_customer"])
    return customer


def _phone(customer: Customer, row: dict[str, str]) -> None:
    scope = Scope(provider(), customer)
    columns = phone_sheet().columns
    settings = {
        name: columns[name].from_cell(row[columns[name].csv], scope)
        for name in ("language", "ringtone", "queue_ringtone")
    }
    if row["Router"]:
        sbc, _new = Sbc.objects.get_or_create(
            customer=customer,
            identifier=row["Router"],
            defaults={"name": row["Router"], "kind": Sbc.Kind.ROUTER_PHONE},
        )
        settings |= {"connection": Phone.Connection.SBC, "sbc": sbc.pk}
    person = User.objects.get(customer=customer, number=row["Number"])
    make_phone(customer, person, row["MAC"].lower(), row["Model"], **settings)


def change(person: User, **cells: str) -> None:
    """Change somebody by cells of a file."""
    scope = Scope(provider(), person.customer)
    columns = user_sheet().columns
    values = {
        name: value
        for name, text in cells.items()
        for name, value in columns[name].said(text, scope, False).items()
    }
    plan = road.plan(scope.actor, person.customer, user_sheet(), [road.Row(person.pk, values)])
    assert not plan.refused, plan.sentences
    road.apply(plan, FACTS)


def _people(customer: Customer, rows: list[dict[str, str]]) -> None:
    scope = Scope(provider(), customer)
    columns = importing.by_file_name()
    made = []
    for row in rows:
        values: dict[str, Any] = {"talk_enabled": bool(row["WebMeetingFriendlyName"])}
        for name, text in row.items():
            if name in columns and name not in ("BLF", "VMPIN"):
                values |= columns[name].said(text, scope, True)
        made.append(
            road.Row(
                None,
                values
                | {
                    "recording": {"00": "off", "10": "all", "11": "external", "01": "off"}[
                        row["RecordCalls"] + row["RecordExternal"]
                    ]
                },
            )
        )
    plan = road.plan(scope.actor, customer, user_sheet(), made, scope=scope, leave_limited=True)
    assert not plan.refused, plan.sentences
    road.apply(plan, FACTS)


def _other(facts: dict[str, Any]) -> None:
    other = Customer.objects.create(
        name="Autre", slug=facts["slug"], fqdn="autre.example", included_extensions=10
    )
    for name in ("DEFAULT", *facts["departments"]):
        Department.objects.create(customer=other, name=name)
    for number in facts["dids"]:
        Did.objects.create(customer=other, number=number)
    _people(
        other,
        [
            dict(
                WORLD["users"][6],
                Number=number,
                DID="",
                Department="DEFAULT",
                OutboundCallerID="",
                SIPID="",
                MAC="",
            )
            for number in facts["users"]
        ],
    )
    for mac in facts["phones"]:
        make_phone(other, User.objects.get(customer=other, number=facts["users"][0]), mac.lower())
