"""The list of users at 50,000 against 500, and opening and saving each of the nine tabs against constant pages.

`python -m bench.pages [many] [few]`. On PostgreSQL (`DATABASE_URL`, else an embedded one for the time of the run). The requests go
through the whole middleware by Django's test client, by turns, so that a slow moment of the machine hits both sides alike;
the figures are medians of the turns' ratios. A tab is compared with three constant pages of the same server: the portal's frame
without content (what a page of a signed-in person costs before it says anything), a signed-in answer without a template, and
/healthz, which asks the database for a 1 and nothing else. The goal: opening at most 5 times the frame, saving at most 3 times.
"""

import statistics
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any
from urllib.parse import urlencode

from bench.database import pages_of_its_own

TURNS = 15
CHUNK = 5_000


def fill(slug: str, count: int) -> object:
    """A customer with so many people, and an owner who signs in; gives the owner."""
    from users.models import Customer, Department, Membership, User
    from users.people.sections.general import derived

    customer = Customer.objects.create(
        name=slug, slug=slug, fqdn=f"{slug}.example.com", extension_digits=5, included_extensions=count + 10
    )
    department = Department.objects.create(customer=customer, name="Tous", outbound_caller_id="+15145550100")
    firsts = ["Amélie", "Félix", "Inès", "Olivier", "Maude", "Xavier", "Élodie", "Zoé", "Mathis", "Chloé"]
    people = []
    for number in range(count):
        person = User(
            customer=customer, number=str(10_000 + number), first_name=firsts[number % 10], last_name=f"Tremblay {number:05}",
            email=f"personne{number}@{slug}.example", primary_department=department, sip_auth_id="x", sip_password="x",
            role_id="system_owners" if number == 0 else "users", require_2fa=False,
        )  # fmt: skip
        for name, value in derived(person).items():
            setattr(person, name, value)
        people.append(person)
    User.objects.bulk_create(people, batch_size=CHUNK)
    Membership.objects.bulk_create(
        [Membership(user=person, department=department) for person in people], batch_size=CHUNK
    )
    equip(customer, people)
    return people[0]


def equip(customer: Any, people: list[Any]) -> None:
    """Eight in ten have a phone, half of them a number, all a mailbox: what lists are sorted by that isn't in people's own rows."""
    from phones.models import Phone
    from users.models import Did
    from voicemail.models import Mailbox

    phones, dids = [], []
    for place, person in enumerate(people):
        mark = customer.pk * 1_000_000 + place
        if place % 10 < 8:
            model = ("yealink-t43u", "yealink-t46u", "yealink-t54w")[place % 3]
            phones.append(
                Phone(customer=customer, user=person, mac=f"{mark:012x}", model=model, web_password="x", token="x", token_hash=f"{mark}")
            )  # fmt: skip
        if place % 2:
            dids.append(Did(customer=customer, user=person, number=f"+1{mark:010}"))
    Phone.objects.bulk_create(phones, batch_size=CHUNK)
    Did.objects.bulk_create(dids, batch_size=CHUNK)
    Mailbox.objects.bulk_create(
        [Mailbox(user=person, pin="x", enabled=bool(place % 3)) for place, person in enumerate(people)],
        batch_size=CHUNK,
    )


def place_after(owner: Any, number: int) -> str:
    """Where the page after that one goes on from, as an address says it."""
    from pbxadmin.common.listing import ListState
    from users.people.selectors import list_users, shape

    state = ListState.of(shape(owner, owner.customer), {"page": str(number)})
    return list_users(owner, owner.customer, state).page.after


def timed(work: Callable[[], object]) -> float:
    """Seconds that `work` takes."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def ratio(one: Callable[[], object], other: Callable[[], object]) -> tuple[float, float]:
    """The median of one/other over the turns, after a warm-up of both; and the median seconds of `one`."""
    one(), other()
    ratios, seconds = [], []
    for _turn in range(TURNS):
        first, second = timed(one), timed(other)
        ratios.append(first / second)
        seconds.append(first)
    return statistics.median(ratios), statistics.median(seconds)


def main() -> None:
    """Fill, measure, print."""
    many = int(sys.argv[1]) if len(sys.argv) > 1 else 50_000
    few = int(sys.argv[2]) if len(sys.argv) > 2 else 500
    with ExitStack() as stack:
        pages_of_its_own(stack)
        measure(many, few)


def measure(many: int, few: int) -> None:
    """Everything, on an empty database."""
    from django.core.management import call_command
    from django.db import connection
    from django.test import Client

    from signin.tests.signing import sign_in_fully
    from users.models import User

    call_command("migrate", verbosity=0)
    owners = {"grand": fill("grand", many), "petit": fill("petit", few)}
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")  # as the server does by itself some time after
    clients = {slug: sign_in_fully(Client(), User.objects.get(pk=owner.pk)) for slug, owner in owners.items()}  # type: ignore[attr-defined]

    def page(slug: str, query: str) -> Callable[[], None]:
        def ask() -> None:
            response = clients[slug].get(f"/c/{slug}/users/{query}")
            assert response.status_code == 200, response.status_code

        return ask

    last = {"grand": -(-many // 50), "petit": -(-few // 50)}
    middle = {slug: number // 2 for slug, number in last.items()}
    after = {slug: place_after(User.objects.get(pk=owner.pk), middle[slug]) for slug, owner in owners.items()}  # type: ignore[attr-defined]
    sorts = (
        "number",
        "status",
        "email",
        "department",
        "role",
        "mobile",
        "did",
        "phones",
        "mac",
        "2fa",
        "voicemail",
        "last_login",
    )
    for title, goal, large, small in (
        ("first page", 2, "", ""),
        ("last page", 2, f"?page={last['grand']}", f"?page={last['petit']}"),
        ("page in the middle, by number", 2, f"?page={middle['grand']}", f"?page={middle['petit']}"),
        ("page in the middle, gone on to", 2, f"?after={after['grand']}", f"?after={after['petit']}"),
        ("search by name", 3, "?q=zo%C3%A9+0012", "?q=zo%C3%A9+0012"),
        *((f"sorted by {sort}", 3, f"?sort={sort}", f"?sort={sort}") for sort in sorts),
    ):
        found, seconds = ratio(page("grand", large), page("petit", small))
        print(f"{title}: {many} against {few}: {found:.2f} x (goal {goal} x), {seconds * 1000:.0f} ms")

    tabs(clients["petit"])


REFERENCES = {"frame": "/frame", "signed in": "/signed-in", "/healthz": "/healthz"}


def tabs(client: Any) -> None:
    """Opening and saving each tab of one person of "petit", who has a phone; every save changes something."""
    from phones.tests.factories import make_phone
    from users.models import Customer, User
    from users.people.sections import user_sheet
    from users.tests.browser import posted, typed
    from users.tests.factories import make_user

    customer = Customer.objects.get(slug="petit")
    person = make_user(customer, "99000", department="Tous")
    phone = make_phone(customer, person, "805ec0d57d72")
    print(f"{'tab':<12} {'':<5} {'ms':>6} " + " ".join(f"{'x ' + title:>12}" for title in REFERENCES))
    for section in user_sheet().sections:
        url = f"/c/petit/users/{person.number}/{section.slug}"
        form = posted(client.get(url).content.decode())
        turn = 0

        def save(url: str = url, form: dict[str, object] = form, slug: str = section.slug) -> None:
            nonlocal turn
            # As a browser sends a form without files; the test client's own way costs the server several times as much.
            sent = urlencode(typed(slug, form, turn), doseq=True)
            response = client.post(url, sent, content_type="application/x-www-form-urlencoded")
            assert response.status_code == 302, (slug, response.status_code)
            assert "saved=1" in response.url, slug
            turn += 1
            form["seen"] = int(str(form["seen"])) + 1

        def show(url: str = url) -> None:
            assert client.get(url).status_code == 200

        for title, work in (("open", show), ("save", save)):
            found = [ratio(work, lambda other=other: client.get(other)) for other in REFERENCES.values()]
            figures = " ".join(f"{times:>12.1f}" for times, _seconds in found)
            print(f"{section.slug:<12} {title:<5} {found[0][1] * 1000:>6.1f} {figures}")
    assert User.objects.get(pk=person.pk).version > TURNS
    phone.refresh_from_db()
    assert phone.version > TURNS


if __name__ == "__main__":
    main()
