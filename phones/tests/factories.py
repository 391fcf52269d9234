"""Known phones for the tests, made through the real road of changes, and a phone's requests as a phone makes
them."""

from collections.abc import Sequence
from io import BytesIO
from itertools import count as counting
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from pbxadmin.common.values import configtext
from phones import services
from phones.models import Phone
from phones.settings.sections import phone_sheet
from users import road
from users.models import Customer, User
from users.tests.factories import FACTS

MAC = "805ec0d57d72"
USER_AGENT = "Yealink SIP-T54W 96.86.0.45 80:5e:c0:d5:7d:72"

_numbers = counting(1)


def provider() -> User:
    """Somebody of the support who isn't in the database: may do everything."""
    return User(is_staff=True, staff_level="technician", role_id="users", email="factory@tic.example")


def make_phone(
    customer: Customer, person: User | None, mac: str = "", model: str = "yealink-t54w", **settings: Any
) -> Phone:
    """A phone of a person, with all its secrets."""
    mac = mac or f"805ec1{next(_numbers):06x}"
    plan = services.phone_create(
        provider(), customer, person, {"mac": mac, "model": model, **settings}, FACTS
    )
    assert not plan.refused, [row.errors or row.refusal for row in plan.refused]
    return Phone.objects.get(mac=mac)


def make_people(customer: Customer, count: int) -> list[User]:
    """That many people from extension 320 on, made at once."""
    from users.people.sections import user_sheet

    rows = [
        road.Row(
            None,
            {
                "number": str(320 + number),
                "first_name": f"Personne {number}",
                "last_name": "Tremblay",
                "role": "users",
                "primary_department": "Accueil",
                "require_2fa": False,
            },
        )
        for number in range(count)
    ]
    plan = road.plan(provider(), customer, user_sheet(), rows)
    road.apply(plan, FACTS)
    return [row.record for row in plan.rows]


def make_phones(customer: Customer, people: Sequence[User]) -> list[Phone]:
    """A phone for each of these people, made at once."""
    rows = [
        road.Row(None, {"mac": f"805ec1{next(_numbers):06x}", "model": "yealink-t54w", "user": person.pk})
        for person in people
    ]
    plan = road.plan(provider(), customer, phone_sheet(), rows)
    road.apply(plan, FACTS)
    return list(Phone.objects.filter(pk__in=[row.key for row in plan.rows]).order_by("pk"))


def upload(name: str = "logo.png", content: bytes | None = None, **picture: Any) -> SimpleUploadedFile:
    """A file as a form sends it; without `content` a picture (see `drawn`)."""
    return SimpleUploadedFile(name, drawn(**picture) if content is None else content)


def drawn(
    kind: str = "PNG",
    size: tuple[int, int] = (200, 100),
    mode: str = "RGB",
    colour: Any = "red",
    **options: Any,
) -> bytes:
    """A picture of one colour, as this kind of file."""
    written = BytesIO()
    Image.new(mode, size, colour).save(written, kind, **options)
    return written.getvalue()


def fetch(phone: Phone, name: str = "", client: Client | None = None, **headers: str) -> Any:
    """What the portal answers to a phone that asks for its own file, or for another one, and reads it to the end."""
    meta = {name: headers.pop(name) for name in list(headers) if name.isupper()}
    headers = {"User-Agent": USER_AGENT.replace("80:5e:c0:d5:7d:72", phone.mac), **headers}
    address = f"/p/{phone.token}/{name or f'{phone.mac}.cfg'}"
    response = (client or Client()).get(address, headers=headers, **meta)
    for _part in response:  # as a web server hands it over
        pass
    return response


def settings_of(response: Any) -> dict[str, str]:
    """What a phone would read in an answer; the last of equal keys wins."""
    return dict(configtext.pairs(response.content))


def fetched(phone: Phone) -> Phone:
    """The phone after it has fetched its file: up to date, at 127.0.0.1."""
    assert fetch(phone).status_code == 200
    return again(phone)


def again(phone: Phone) -> Phone:
    """The phone as the database has it now."""
    return Phone.objects.select_related("user__customer").get(pk=phone.pk)


def outbox(phone: Phone) -> bool:
    """Whether the phone waits to be told something."""
    now = again(phone)
    return now.stale_since is not None or now.command_at is not None


def rename(person: User, first_name: str) -> None:
    """Change a person's name through the road."""
    change(person, first_name=first_name)


def change(person: User, **values: Any) -> None:
    """Change a person through the road."""
    from users.people.sections import user_sheet

    plan = road.plan(provider(), person.customer, user_sheet(), [road.Row(person.pk, values)])
    assert not plan.refused, [row.errors or row.refusal for row in plan.refused]
    road.apply(plan, FACTS)
