"""What is there when a bench of whole production begins; run in a process of its own, because it is the portal's own code.

`python -m bench.seed PHONES [KEYS]` prints as JSON what the players are told: administrators with their passwords, people, and for
each phone its MAC, its secret folder and the address on which it lives. Two customers; every name of one of them holds a word that no
page of the other may show.
"""

import json
import secrets
import sys
from ipaddress import ip_address
from typing import Any

# Slug, name, the word in every name, the share of the phones, administrators, people who are there to be deleted.
CUSTOMERS = (
    ("boreale", "Clinique Zibeline", "Zibeline", 0.7, 4, 240),
    ("laurier", "Librairie Quetzal", "Quetzal", 0.3, 2, 0),
)
FIRST_ADDRESS = int(ip_address("127.16.0.1"))
FIRST_NUMBER = 10_000


def main() -> None:
    """Make everything, and print what the players are told."""
    import django

    django.setup()
    from django.db import connection, transaction

    count, keys = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 4
    told: dict[str, Any] = {"customers": []}
    first = 0
    with transaction.atomic():
        for slug, name, word, share, administrators, leaving in CUSTOMERS:
            phones = round(count * share)
            told["customers"].append(
                _customer(slug, name, word, first, phones, administrators, leaving, keys)
            )
            first += phones
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")  # as the server does by itself some time after
    json.dump(told, sys.stdout)


def _customer(
    slug: str, name: str, word: str, first: int, count: int, administrators: int, leaving: int, keys: int
) -> dict[str, Any]:
    from django.utils import timezone

    from phones import build
    from phones.models import Key, Phone
    from signin.credentials import store_password
    from users.models import Customer, Department

    customer = Customer.objects.create(
        name=name, slug=slug, fqdn=f"{slug}.example.com", extension_digits=5, included_extensions=count + leaving + 50
    )  # fmt: skip
    department = Department.objects.create(customer=customer, name=f"Soins {word}", outbound_caller_id="")
    people = _people(customer, department, word, FIRST_NUMBER, count, "users")
    phones = [
        Phone(customer=customer, user=person, mac=f"805ec0{first + number:06x}", model="yealink-t54w")
        for number, person in enumerate(people)
    ]
    for number, phone in enumerate(phones):
        phone.complete()
        # Where it lives is known from its last fetch.
        phone.fetched_from = str(ip_address(FIRST_ADDRESS + first + number))
    Phone.objects.bulk_create(phones, batch_size=2_000)
    Key.objects.bulk_create(
        (
            Key(user=person, position=position, kind="blf", target=people[(number + position) % count])
            for number, person in enumerate(people)
            for position in range(2, keys + 2)
        ),
        batch_size=5_000,
    )
    held = {phone.pk: phone for phone in build.loaded(Phone.objects.of(customer))}
    for pk, made in build.contexts_for(list(held.values())).items():
        content = build.device_file(made)
        phone = held[pk]
        phone.fetched_digest, phone.fetched_text = build.digest(content), content.decode()
        phone.stale_since, phone.fetched_at = None, timezone.now()
        phone.fetched_model, phone.firmware, phone.seen_model = phone.model, "96.86.0.45", phone.model
    Phone.objects.bulk_update(
        held.values(),
        ["fetched_digest", "fetched_text", "stale_since", "fetched_at", "fetched_model", "firmware", "seen_model"],
        batch_size=1_000,
    )  # fmt: skip
    going = _people(customer, department, f"{word} Partante", 50_000, leaving, "users")
    owners = _people(customer, department, f"{word} Direction", 90_000, administrators, "system_owners")
    password = secrets.token_urlsafe(16)
    for owner in owners:
        store_password(owner, password)
    return {
        "slug": slug,
        "word": word,
        "leaving": [person.pk for person in going],
        "administrators": [{"login": owner.login, "password": password} for owner in owners],
        "phones": [
            {
                "mac": phone.mac, "folder": f"/p/{phone.token}/", "address": str(phone.fetched_from),
                "number": person.number, "files": files_of(phone),
            }
            for phone, person in zip(phones, people, strict=True)
        ],
    }  # fmt: skip


def files_of(phone: Any) -> list[str]:
    """What it asks for when it starts, in this order."""
    from phones.vendors import find_model

    return [f"{phone.mac}.boot", find_model(phone.model).common_file, f"{phone.mac}.cfg"]


def _people(customer: Any, department: Any, word: str, first: int, count: int, role: str) -> list[Any]:
    """That many people with an extension from `first` on."""
    from pbxadmin.common.crypto import random_secret
    from users.models import User

    return User.objects.bulk_create(
        [
            User(
                customer=customer, number=str(first + number), first_name="Amélie", last_name=f"Tremblay {word}",
                primary_department=department, role_id=role, sip_auth_id=random_secret(10),
                sip_password=random_secret(24), require_2fa=False,
            )
            for number in range(count)
        ],
        batch_size=1_000,
    )  # fmt: skip


if __name__ == "__main__":
    main()
