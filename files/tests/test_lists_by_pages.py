"""Departments, numbers, system extensions and phones in stock by the pages of files, as users are."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from files.models import Upload
from files.tests.test_uploads import Hand
from signin.tests.signing import sign_in_fully
from users.models import Customer, Did, Job, Operation, User
from users.tests.factories import make_staff

pytestmark = pytest.mark.slow("pages of files, with their worker")

# One new record, one that changes, and one that is refused, with what the page says of each.
FILES = {
    "departments": ("Name,Language\nAchats,en\nVentes,en\nQuai,klingon\n", "Achats", "klingon"),
    "numbers": ("Number,Name,Rings\n5145550177,Neuf,101\n5145550110,Direct,800\n5145550178,,999\n", "+15145550177", "999"),
    "system-extensions": (
        "Number,Name,Kind,Members\n877,Urgences,queue,101\n800,Réception,,102\n878,B,queue,999\n", "877", "999",
    ),
    "phones": (
        "MAC,Model,Ringtone\n805EC0AA2077,Yealink T43U,\nC4FC22AA1099,,Ring 3\n805EC0AA2078,Nokia 3310,\n", "805EC0AA2077", "Nokia 3310",
    ),
}  # fmt: skip


@pytest.fixture
def hand(client: Client, customer: Customer) -> Hand:
    """Support staff, who may add numbers, too; reading English."""
    sign_in_fully(client, make_staff())
    client.cookies["django_language"] = "en"
    return Hand(client, customer)


@pytest.mark.parametrize("subject", FILES)
def test_a_list_is_previewed_imported_without_its_bad_row_and_reported(hand: Hand, subject: str) -> None:
    text, new, wrong = FILES[subject]
    upload = hand.looked(text, subject=subject)
    assert upload.counts == {"new": 1, "changed": 1, "unchanged": 0, "refused": 1, "blank": 0}, upload.groups
    page = hand.page(upload)
    assert wrong in page
    assert new in hand.page(upload, "?rows=new")
    operations = Operation.objects.count()
    assert hand.take(upload, without=True).status_code == 302
    upload = hand.work(upload)
    assert (upload.state, Operation.objects.count()) == ("written", operations + 1)
    assert new in hand.page(upload, "?rows=new")
    # The refused rows come back as they are, with the reason beside them.
    answer = hand.client.get(f"{hand.base}imports/{upload.pk}/refused")
    back = b"".join(answer.streaming_content) if answer.streaming else answer.content
    again = hand.looked(back, subject=subject)
    assert again.counts["refused"] == sum(again.counts.values()) == 1
    # And the whole file a second time changes nothing.
    assert hand.looked(text, subject=subject).counts["unchanged"] == 2


def test_a_number_goes_from_one_person_to_another_and_the_file_is_imported_as_it_was_shown(
    hand: Hand,
) -> None:
    upload = hand.looked("Number,Rings\n5145550110,102\n5145550111,801\n5145550112,\n", subject="numbers")
    assert upload.counts["changed"] == 3
    hand.take(upload)
    assert hand.work(upload).state == "written"
    rings = {did.number[-3:]: did.answers and did.answers.number for did in Did.objects.of(hand.customer)}
    assert (rings["110"], rings["111"], rings["112"]) == ("102", "801", None)


def test_whoever_may_not_change_the_companys_things_neither_sees_nor_sends_their_files(
    client: Client, customer: Customer, actor: User
) -> None:
    chief = User.objects.get(customer=customer, number="106")  # of some departments
    for person, offered in ((actor, True), (chief, False)):
        sign_in_fully(client, person)
        page = client.get(f"/c/{customer.slug}/files/").content.decode()
        for subject, (text, _new, _wrong) in FILES.items():
            assert (f'value="{subject}"' in page) is offered, subject
            file = SimpleUploadedFile("a.csv", text.encode())
            answer = client.post(
                f"/c/{customer.slug}/files/imports", {"file": file, "subject": subject, "mode": "both"}
            )
            assert (answer.status_code == 302) is offered, subject
            # Workers are at two files of one person at once.
            Job.objects.filter(uploads__starter=actor).update(ended_at=timezone.now())
    assert not Upload.objects.filter(starter=chief).exists()
