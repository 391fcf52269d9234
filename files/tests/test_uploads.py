"""A file brought in by its pages: sent, previewed, confirmed, reported; what happens twice, too late, by somebody else, or not at all."""

import io
from typing import Any

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone, translation

from files import tasks, uploads
from files.models import ColumnMeaning, Upload
from files.reading import read
from files.tests.given import DATA
from files.tests.test_commands import run as at_a_terminal
from phones.models import Phone
from signin.tests.signing import sign_in_fully
from signin.tests.test_asking import let_the_proof_grow_old
from users.models import Change, Customer, Department, Job, Operation, Role, User
from users.road import jobs
from users.tests.factories import make_staff

pytestmark = pytest.mark.slow("pages of files, with their worker")

FIVE_FAULTS = "02-3cx20-five-faults.csv"
SHORT = "FirstName,LastName,EmailAddress,Number\r\nÉmile,Roy,emile.roy@pingris.example,170\r\nLéa,Côté,lea.cote@pingris.example,171\r\n"


class Hand:
    """An administrator at the pages, and the worker beside them."""

    def __init__(self, client: Client, customer: Customer) -> None:
        self.client = client
        self.customer = customer
        self.base = f"/c/{customer.slug}/files/"

    def send(self, content: bytes | str, name: str = "liste.csv", **more: str) -> Upload:
        """Send a file; nothing has looked at it yet."""
        content = content.encode() if isinstance(content, str) else content
        answer = self.client.post(
            f"{self.base}imports",
            {"file": SimpleUploadedFile(name, content), "subject": "users", "mode": "both"} | more,
        )
        assert answer.status_code == 302, answer.content.decode()
        return Upload.objects.get(pk=int(answer["Location"].rpartition("/")[2]))

    def work(self, upload: Upload) -> Upload:
        """A worker's turn, if there is anything to do; the file afterwards."""
        upload.refresh_from_db()
        if upload.job:
            jobs.run(upload.job.pk)
        return Upload.objects.select_related("job").get(pk=upload.pk)

    def looked(self, content: bytes | str, name: str = "liste.csv", **more: str) -> Upload:
        """Send a file and have it looked at."""
        return self.work(self.send(content, name, **more))

    def page(self, upload: Upload, query: str = "") -> str:
        """Its page."""
        answer = self.client.get(f"{self.base}imports/{upload.pk}{query}")
        assert answer.status_code == 200
        return answer.content.decode()

    def post(self, upload: Upload, what: str, **sent: str) -> Any:
        """A button of its page."""
        return self.client.post(f"{self.base}imports/{upload.pk}/{what}", sent)

    def take(self, upload: Upload, without: bool = False) -> Any:
        """Confirm what the preview shows."""
        seen = upload.seen_without if without else upload.seen
        return self.post(upload, "take", seen=seen, without="1" if without else "")


@pytest.fixture
def hand(client: Client, customer: Customer, actor: User) -> Hand:
    """Its system owner, signed in, reading English."""
    sign_in_fully(client, actor)
    client.cookies["django_language"] = "en"
    return Hand(client, customer)


def test_nothing_of_a_file_is_read_before_a_worker_does_and_its_page_waits(hand):
    upload = hand.send(SHORT)
    assert (upload.state, upload.size, upload.counts) == ("reading", len(SHORT.encode()), {})
    page = hand.page(upload)
    assert "progress-line" in page
    assert "You can leave this page" in page
    answer = hand.client.get(f"{hand.base}imports/{upload.pk}", headers={"HX-Request": "true"})
    assert b"progress-line" in answer.content
    assert hand.work(upload).state == "looked"
    answer = hand.client.get(f"{hand.base}imports/{upload.pk}", headers={"HX-Request": "true"})
    assert answer["HX-Refresh"] == "true"


def test_the_preview_tells_what_would_happen_and_changes_nothing(hand):
    before = User.objects.of(hand.customer).count()
    upload = hand.looked((DATA / "04-excel-francais.csv").read_bytes(), "04-excel-francais.csv")
    assert upload.counts == {"new": 4, "changed": 2, "unchanged": 1, "refused": 4, "blank": 0}
    page = hand.page(upload)
    assert "windows-1252" in page
    assert "4 rows are refused, so nothing is imported" in page
    assert "Entretien ménager" in page
    changed = hand.page(upload, "?rows=changed")
    assert "+15145550156" in changed
    assert "Mobile" in changed
    assert User.objects.of(hand.customer).count() == before


def test_what_was_confirmed_is_imported_once_in_one_operation_and_reported(hand):
    upload = hand.looked(SHORT)
    assert "Import 2 rows" in hand.page(upload)
    assert hand.take(upload).status_code == 302
    assert hand.take(upload).status_code == 302  # a double click
    upload = hand.work(upload)
    assert upload.state == "written"
    assert sorted(
        User.objects.of(hand.customer).filter(number__in=["170", "171"]).values_list("last_name", flat=True)
    ) == ["Côté", "Roy"]
    assert Job.objects.filter(kind="file-import").count() == 1
    assert Operation.objects.filter(customer=hand.customer, source="csv").count() == 1
    page = hand.page(upload)
    assert "Imported" in page
    assert "Émile Roy" in page
    assert f"/history/{upload.operation_id}" in page


def test_the_same_file_a_second_time_changes_nothing_and_offers_nothing(hand):
    upload = hand.looked(SHORT)
    hand.take(upload)
    hand.work(upload)
    again = hand.looked(SHORT)
    assert again.counts["unchanged"] == 2
    page = hand.page(again)
    assert "Nothing would change" in page
    assert "/take" not in page
    operations = Operation.objects.count()
    assert hand.take(again).status_code == 302
    hand.work(again)
    assert Operation.objects.count() == operations


def test_faulty_rows_keep_everything_out_until_the_good_ones_are_taken_on_purpose(hand):
    upload = hand.looked((DATA / FIVE_FAULTS).read_bytes(), FIVE_FAULTS)
    page = hand.page(upload)
    assert "5 rows are refused" in page
    assert "Import the 15 good rows only" in page
    assert hand.take(upload).status_code == 409
    assert User.objects.of(hand.customer).count() == 10
    assert hand.take(upload, without=True).status_code == 302
    upload = hand.work(upload)
    assert User.objects.of(hand.customer).count() == 25
    assert upload.counts["refused"] == 5
    assert upload.counts["new"] == 15
    page = hand.page(upload)
    assert "15 done · 5 not possible" in page


def test_the_refused_rows_come_back_mended_without_their_reasons_being_taken_for_columns(hand):
    upload = hand.looked((DATA / FIVE_FAULTS).read_bytes(), FIVE_FAULTS)
    answer = hand.client.get(f"{hand.base}imports/{upload.pk}/refused")
    content = b"".join(answer.streaming_content)
    assert answer["Content-Disposition"].startswith("attachment")
    table = read(content)
    assert table.header[:2] == ["ImportRow", "ImportReason"]
    assert len(table.records) == 5
    assert all(record.cells[1] for record in table.records)
    again = hand.looked(content, "refuses.csv")
    assert again.counts["refused"] == 5
    assert again.read["not_read"] == []


def test_a_workbook_gives_its_refused_rows_as_a_workbook(hand):
    upload = hand.looked((DATA / "15-nombres.xlsx").read_bytes(), "15-nombres.xlsx")
    assert upload.counts["refused"]
    answer = hand.client.get(f"{hand.base}imports/{upload.pk}/refused")
    content = b"".join(answer.streaming_content)
    assert content[:2] == b"PK"
    assert hand.looked(content, "refuses.xlsx").counts["refused"] == upload.counts["refused"]


def test_rows_of_a_workbook_that_end_early_or_are_too_long_come_back_as_long_as_they_were(hand):
    book = openpyxl.Workbook()
    for row in (
        ["Number", "FirstName", "LastName"],
        ["17x"],
        ["173", "Léa", "Roy", "de trop"],
    ):
        book.active.append(row)
    file = io.BytesIO()
    book.save(file)
    upload = hand.looked(file.getvalue(), "liste.xlsx")
    assert upload.counts["refused"] == 2
    content = b"".join(hand.client.get(f"{hand.base}imports/{upload.pk}/refused").streaming_content)
    assert hand.looked(content, "refuses.xlsx").counts["refused"] == 2


def test_a_third_file_waits_until_one_of_two_is_done_and_nothing_of_it_is_stored(hand):
    first, _second = hand.send(SHORT), hand.send(SHORT)
    file = {"file": SimpleUploadedFile("trois.csv", SHORT.encode()), "subject": "users", "mode": "both"}
    answer = hand.client.post(f"{hand.base}imports", file)
    assert answer.status_code == 429
    assert "wait until one is done" in answer.content.decode()
    assert Upload.objects.count() == 2
    hand.work(first)
    hand.send(SHORT, "trois.csv")


def test_twenty_files_are_kept_and_the_oldest_that_nobody_is_at_goes(hand, monkeypatch):
    monkeypatch.setattr("files.models.MOST_KEPT", 3)
    busy = hand.send(SHORT)
    kept = [hand.looked(SHORT).pk for _ in range(4)]
    assert sorted(Upload.objects.values_list("pk", flat=True)) == [busy.pk, *kept[2:]]


def test_refused_rows_come_back_with_a_separator_that_is_told_without_a_line_that_names_it(hand):
    upload = hand.looked(b"sep=|\r\nNumber|FirstName|Role\r\n170|In\xc3\xa8s|chief\r\n", "barres.csv")
    assert upload.counts["refused"] == 1
    content = b"".join(hand.client.get(f"{hand.base}imports/{upload.pk}/refused").streaming_content)
    assert hand.looked(content, "encore.csv").counts["refused"] == 1
    assert read(content).records[0].cells[2:] == ("170", "Inès", "chief")


def test_a_cell_that_a_spreadsheet_would_run_is_text_in_the_file_of_refused_rows(hand):
    upload = hand.looked("Number,FirstName,LastName,Department\r\n172,=cmd|'/c calc'!A1,Roy,Nulle part\r\n")
    content = b"".join(hand.client.get(f"{hand.base}imports/{upload.pk}/refused").streaming_content)
    assert b"'=cmd" in content
    assert b",=cmd" not in content


def test_users_that_change_between_the_preview_and_the_import_are_noticed(hand, customer):
    upload = hand.looked("Number,MobileNumber\r\n110,514 555-0177\r\n")
    hand.take(upload)
    person = User.objects.get(customer=customer, number="110")
    person.mobile = "+15145550188"
    person.save()
    upload = hand.work(upload)
    assert upload.state == "looked"
    assert upload.changed_meanwhile
    assert User.objects.get(pk=person.pk).mobile == "+15145550188"
    page = hand.page(upload)
    assert "Something has changed since the preview" in page
    assert "+15145550188" in page
    hand.take(upload)
    assert hand.work(upload).state == "written"
    assert User.objects.get(pk=person.pk).mobile == "+15145550177"


def test_a_confirmation_of_another_preview_than_the_one_shown_is_refused(hand):
    upload = hand.looked(SHORT)
    assert hand.post(upload, "take", seen="0" * 64).status_code == 409
    assert hand.post(upload, "take").status_code == 409
    assert Job.objects.filter(kind="file-import").count() == 0


def test_rights_that_are_taken_away_before_the_worker_begins_stop_the_import(hand, actor):
    upload = hand.looked(SHORT)
    hand.take(upload)
    User.objects.filter(pk=actor.pk).update(disabled=True)
    upload = hand.work(upload)
    assert upload.job.state == "stopped"
    assert "disabled" in upload.job.words
    assert not User.objects.of(hand.customer).filter(number="170").exists()


def test_rights_that_are_taken_away_while_it_is_planned_stop_it_too(hand, actor, monkeypatch):
    upload = hand.looked(SHORT)
    hand.take(upload)
    real = uploads._looked_at

    def then_lowered(*args: Any) -> Any:
        looked = real(*args)
        User.objects.filter(pk=actor.pk).update(role=Role.objects.get(slug="group_admins"))
        return looked

    monkeypatch.setattr(uploads, "_looked_at", then_lowered)
    upload = hand.work(upload)
    assert (upload.state, upload.job.state) == ("looked", "stopped")
    assert not User.objects.of(hand.customer).filter(number="170").exists()


def test_the_preview_after_rights_were_taken_away_is_the_one_of_whoever_they_are_now(
    hand, actor, monkeypatch
):
    mine = actor.primary_department
    other = User.objects.of(hand.customer).exclude(primary_department=mine).exclude(mobile="")[0]
    upload = hand.looked(f"Number,MobileNumber\r\n{other.number},514 555-0177\r\n")
    assert other.mobile in str([page.rows for page in upload.pages.all()])
    hand.take(upload)
    real = uploads._looked_at

    def then_lowered(*args: Any) -> Any:
        looked = real(*args)
        User.objects.filter(pk=actor.pk).update(role=Role.objects.get(slug="group_admins"))
        return looked

    monkeypatch.setattr(uploads, "_looked_at", then_lowered)
    upload = hand.work(upload)
    assert (upload.state, upload.counts["refused"]) == ("looked", 1)
    assert other.mobile not in str([page.rows for page in upload.pages.all()])


def test_a_new_address_of_somebody_takes_a_fresh_proof_before_the_worker_is_asked(hand, customer, client):
    upload = hand.looked("Number,EmailAddress\r\n101,autre@pingris.example\r\n")
    assert upload.takes_over == "address"
    let_the_proof_grow_old(client)
    answer = hand.take(upload)
    assert answer.status_code == 403
    assert b"You are changing an email address" in answer.content
    assert Job.objects.filter(kind="file-import").count() == 0
    assert Upload.objects.get(pk=upload.pk).state == "looked"


def test_a_cancellation_leaves_everything_as_it_was_and_the_file_to_be_confirmed_again(hand):
    upload = hand.looked(SHORT)
    hand.take(upload)
    hand.post(upload, "cancel")
    upload = hand.work(upload)
    assert upload.job.state == "cancelled"
    page = hand.page(upload)
    assert "Import 2 rows" in page
    assert "This was cancelled: nothing was imported." in page
    assert not User.objects.of(hand.customer).filter(number="170").exists()


def test_columns_that_nobody_knows_are_asked_for_and_remembered_for_this_customer(hand):
    list_of_hr = "Poste,Nom complet,Prénom,Nom\r\n173,Roy Zoé,Zoé,Roy\r\n"
    upload = hand.looked(list_of_hr, "rh.csv")
    page = hand.page(upload)
    assert "What “Poste” is" in page
    assert "not read: Poste, Nom complet" in page
    hand.post(upload, "again", columns="1", **{"column-0": "Number", "column-1": ""})
    upload = hand.work(upload)
    assert upload.read["not_read"] == ["Nom complet"]
    hand.take(upload)
    hand.work(upload)
    assert User.objects.of(hand.customer).filter(number="173").exists()
    assert dict(ColumnMeaning.objects.values_list("name", "column")) == {"poste": "Number"}
    again = hand.looked("Poste,Prénom,Nom,Courriel\r\n174,Max,Roy,max@pingris.example\r\n", "rh2.csv")
    assert again.read["remembered"] == ["Poste"]
    assert "as the last time" in hand.page(again)
    hand.take(again)
    hand.work(again)
    assert User.objects.of(hand.customer).get(number="174").email == "max@pingris.example"


def test_what_was_remembered_gives_way_where_it_would_make_two_columns_the_same(hand, customer):
    ColumnMeaning.objects.create(customer=customer, subject="users", name="poste", column="Number")
    upload = hand.looked("Number,Poste,FirstName,LastName\r\n175,Réception,Zoé,Roy\r\n")
    assert upload.counts["new"] == 1
    assert upload.read["not_read"] == ["Poste"]


def test_a_file_that_says_nobody_names_its_columns_and_can_be_told_what_they_are(hand):
    upload = hand.looked("Poste;Qui\r\n176;Zoé\r\n")
    assert upload.state == "unreadable"
    page = hand.page(upload)
    assert "No column says who is meant" in page
    assert "What “Poste” is" in page
    hand.post(upload, "again", columns="1", **{"column-0": "Number", "column-1": "FirstName"})
    assert hand.work(upload).state == "looked"


def test_two_columns_that_are_said_to_be_the_same_are_refused_with_the_choice_kept(hand):
    upload = hand.looked("Poste,Prénom,Nom\r\n176,Zoé,Roy\r\n")
    answer = hand.post(upload, "again", columns="1", **{"column-0": "FirstName"})
    assert answer.status_code == 422
    assert "Two columns can&#x27;t be the same: First name" in answer.content.decode()
    assert Upload.objects.get(pk=upload.pk).mapping == {}


def test_departments_that_are_missing_are_created_from_the_preview_and_the_file_is_checked_again(hand):
    upload = hand.looked(
        "Number,FirstName,LastName,Department\r\n172,Zoé,Roy,Laboratoire\r\n173,Ana,Roy,laboratoire\r\n174,Max,Roy,Quai Nord\r\n"
    )
    assert "No departments are called Laboratoire, Quai Nord." in hand.page(upload)
    assert hand.post(upload, "departments").status_code == 302
    upload = hand.work(upload)
    assert (upload.counts["new"], upload.counts["refused"]) == (3, 0)
    names = Department.objects.of(hand.customer).values_list("name", flat=True)
    assert {"Laboratoire", "Quai Nord"} <= set(names)
    assert "laboratoire" not in names


def test_a_mode_that_only_creates_refuses_those_who_are_there(hand):
    upload = hand.looked("Number,FirstName,LastName\r\n110,A,B\r\n177,Zoé,Roy\r\n", mode="create")
    assert (upload.counts["refused"], upload.counts["new"]) == (1, 1)
    hand.post(upload, "again", mode="both")
    assert hand.work(upload).counts["refused"] == 0


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"", "The file is empty."), (None, "Choose a file first.")],
    ids=["empty", "none"],
)
def test_no_file_and_an_empty_one_are_said_at_once(hand, content, said):
    sent: dict[str, Any] = {"subject": "users", "mode": "both"}
    if content is not None:
        sent["file"] = SimpleUploadedFile("a.csv", content)
    answer = hand.client.post(f"{hand.base}imports", sent)
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert Upload.objects.count() == 0


def test_a_file_beyond_the_limit_is_said_at_once_and_not_kept(hand, monkeypatch):
    monkeypatch.setattr("files.pages.imports.LARGEST", 10)
    answer = hand.client.post(
        f"{hand.base}imports", {"file": SimpleUploadedFile("a.csv", b"x" * 11), "subject": "users"}
    )
    assert answer.status_code == 422
    assert Upload.objects.count() == 0


@pytest.mark.parametrize(
    "name", ["r1-entete-double.csv", "r2-guillemet-ouvert.csv", "r3-nul.csv", "10-freepbx-bulk.csv"]
)
def test_a_file_that_cannot_be_read_says_why(hand, name):
    upload = hand.looked((DATA / name).read_bytes(), name)
    assert upload.state == "unreadable"
    assert upload.read["message"]
    page = hand.page(upload)
    assert "This file can't be read" in page
    assert hand.post(upload, "take", seen="").status_code == 409


def test_a_file_is_seen_by_whoever_sent_it_and_nobody_else(hand, customer, client):
    upload = hand.looked(SHORT)
    other = Client()
    sign_in_fully(other, make_staff())
    for way in ("", "/refused"):
        assert other.get(f"{hand.base}imports/{upload.pk}{way}").status_code == 404
    for way in ("again", "take", "cancel", "discard"):
        assert other.post(f"{hand.base}imports/{upload.pk}/{way}").status_code == 404
    assert Upload.objects.filter(pk=upload.pk, state="looked").exists()


def test_what_a_file_holds_is_not_readable_in_the_database(hand):
    upload = hand.send("Number,FirstName,LastName,VMPIN\r\n178,Zoé,Roy,739164\r\n")
    piece = upload.pieces.get()
    assert b"739164" in upload.content()
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT content FROM files_uploadpiece")
        stored = bytes(cursor.fetchone()[0])
    assert b"739164" not in stored
    assert len(piece.content) < len(stored)


def test_a_pin_is_shown_neither_in_the_preview_nor_in_its_tables(hand):
    upload = hand.looked("Number,FirstName,LastName,VMPIN\r\n178,Zoé,Roy,5555\r\n112,Ana,Roy,739164\r\n")
    assert upload.counts["refused"] == 1
    assert "5555" not in str(list(upload.pages.values_list("rows", flat=True)))
    assert "5555" not in str(upload.groups)
    assert "739164" not in hand.page(upload) + hand.page(upload, "?rows=changed")


def test_files_are_forgotten_after_a_week_and_what_they_did_stays(hand):
    upload = hand.looked(SHORT)
    hand.take(upload)
    hand.work(upload)
    tasks.forget_uploads()
    assert Upload.objects.count() == 1
    Upload.objects.update(created_at=timezone.now() - tasks.KEPT)
    tasks.forget_uploads()
    assert Upload.objects.count() == 0
    assert Change.objects.filter(operation__source="csv").exists()
    job = Job.objects.get(kind="file-import")
    answer = hand.client.get(f"/c/{hand.customer.slug}/jobs/{job.pk}")
    assert b"2 done" in answer.content


def test_a_file_that_is_thrown_away_is_gone_at_once(hand):
    upload = hand.looked(SHORT)
    assert hand.post(upload, "discard").status_code == 302
    assert Upload.objects.count() == 0


def test_the_pages_and_the_terminal_say_the_same_of_a_file(hand, customer):
    file = DATA / "12-doublons.csv"
    _code, said = at_a_terminal("pingris", file, "--preview", "--actor", "110")
    upload = hand.looked(file.read_bytes(), file.name)
    assert upload.counts == said["counts"]
    shown = [row["row"] for page in upload.pages.order_by("pk") for row in page.rows]
    assert sorted(shown) == [row["row"] for row in said["rows"]]


def test_a_large_file_is_kept_in_pieces_and_comes_back_byte_for_byte(hand, customer, actor):
    content = b"".join(b"%d,x\r\n" % number for number in range(400_000))
    with translation.override("en"):
        upload = Upload.objects.create(customer=customer, starter=actor, subject="users", name="a", size=0)
        source = io.BytesIO(content)
        upload.keep(iter(lambda: source.read(70_001), b""))
    assert upload.size == len(content)
    assert upload.pieces.count() == 4
    assert upload.content() == content


def test_a_page_of_a_file_costs_the_same_whatever_the_number_of_its_rows(hand, django_assert_max_num_queries):
    Customer.objects.filter(pk=hand.customer.pk).update(included_extensions=1_000)
    rows = "".join(f"{number},Prénom,Nom {number}\r\n" for number in range(200, 400))
    upload = hand.looked(f"Number,FirstName,LastName\r\n{rows}")
    assert upload.counts["new"] > 150, upload.groups
    with django_assert_max_num_queries(14):
        page = hand.page(upload, "?rows=new&page=4")
    assert f"151 to {upload.counts['new']} of" in page


# --- What somebody else's file could do -----------------------------------------------------------------------------
def administrator_of(customer: Customer, number: str) -> Client:
    """Somebody who administers their own department alone, signed in."""
    User.objects.filter(customer=customer, number=number).update(role=Role.objects.get(slug="group_admins"))
    client = Client()
    people = User.objects.select_related("role", "customer", "primary_department")
    sign_in_fully(client, people.get(customer=customer, number=number))
    client.cookies["django_language"] = "en"
    return client


def test_a_preview_shows_nothing_of_people_whom_its_reader_may_not_open(hand, customer):
    theirs = Hand(administrator_of(customer, "102"), customer)
    mine = User.objects.get(customer=customer, number="102")
    others = User.objects.of(customer).exclude(primary_department=mine.primary_department).exclude(pk=mine.pk)
    rows = "".join(
        f"{each.number},X,Y,zz{each.number}@a.example,5145550199,users,fr,1,739164\r\n" for each in others
    )
    upload = theirs.looked(
        f"Number,FirstName,LastName,EmailAddress,MobileNumber,Role,Language,Disabled,VMPIN\r\n{rows}"
    )
    assert upload.counts["refused"] == others.count()
    shown = theirs.page(upload) + str(list(upload.pages.values_list("rows", flat=True))) + str(upload.groups)
    for each in others:
        for value in (each.first_name, each.last_name, each.email, each.mobile, each.outbound_caller_id):
            assert not value or value not in shown, (each.number, value)
    # By name and address alone, the extension isn't told either.
    one = others.exclude(email="")[0]
    found = theirs.looked(
        f"FirstName,LastName,EmailAddress\r\n{one.first_name},{one.last_name},{one.email}\r\n"
    )
    [row] = [row for page in found.pages.all() for row in page.rows]
    assert row["number"] == ""


def test_a_phone_of_somebody_elses_person_shows_nothing_of_itself(hand, customer):
    theirs = Hand(administrator_of(customer, "102"), customer)
    mine = User.objects.select_related("primary_department").get(customer=customer, number="102")
    phone = (
        Phone.objects.of(customer)
        .exclude(user=None)
        .exclude(user__primary_department=mine.primary_department)[0]
    )
    upload = theirs.looked(f"Number,MAC,Model\r\n102,{phone.mac},Yealink T43U\r\n")
    [row] = [row for page in upload.pages.all() for row in page.rows]
    assert upload.counts["refused"] == 1
    assert [change for change in row["changes"] if change[1]] == []


def test_what_somebody_else_says_of_a_column_changes_no_file_that_was_previewed(hand, customer):
    upload = hand.looked("Number,FirstName,LastName,Courriel personnel\r\n180,Ana,Roy,evil@evil.example\r\n")
    assert upload.read["not_read"] == ["Courriel personnel"]
    ColumnMeaning.objects.create(
        customer=customer, subject="users", name="courrielpersonnel", column="EmailAddress"
    )
    hand.take(upload)
    upload = hand.work(upload)
    assert upload.state == "written", (upload.job.words, upload.read, upload.groups)
    assert User.objects.get(customer=customer, number="180").email == ""
    later = hand.looked("Number,FirstName,LastName,Courriel personnel\r\n181,Ana,Roy,ana@pingris.example\r\n")
    assert later.read["remembered"] == ["Courriel personnel"]


def test_columns_are_remembered_for_everybody_by_whoever_acts_for_everybody(hand, customer):
    theirs = Hand(administrator_of(customer, "102"), customer)
    upload = theirs.looked("Poste,Prénom,Nom\r\n182,Ana,Roy\r\n")
    theirs.post(upload, "again", columns="1", **{"column-0": "Number"})
    upload = theirs.work(upload)
    theirs.take(upload)
    assert theirs.work(upload).state == "written"
    assert ColumnMeaning.objects.count() == 0


def test_a_department_that_is_another_one_since_the_preview_is_noticed_for_somebody_new(hand, customer):
    upload = hand.looked("Number,FirstName,LastName,Department\r\n183,Ana,Roy,Ventes\r\n")
    sales = Department.objects.get(customer=customer, name="Ventes")
    Department.objects.filter(pk=sales.pk).update(name="Autre")
    Department.objects.create(customer=customer, name="Ventes")
    hand.take(upload)
    upload = hand.work(upload)
    assert (upload.state, upload.changed_meanwhile) == ("looked", True)
    assert not User.objects.filter(customer=customer, number="183").exists()


def test_one_files_confirmation_is_none_of_another(hand):
    first = hand.looked(SHORT)
    second = hand.looked(SHORT.replace("Roy", "Rex"))
    assert first.seen != second.seen
    assert hand.post(second, "take", seen=first.seen).status_code == 409


def test_secrets_are_masked_where_nobody_knows_the_columns_yet_and_where_a_cell_is_out_of_place(hand):
    for content in (
        "Poste,VMPIN,Qui\r\n178,739164,x\r\n",
        "Number,VMPIN,VMPIN\r\n178,739164,739164\r\n",
        "Number,FirstName,NIP\r\n178,Ana,739164\r\n",
        "Number,FirstName,VMPIN\r\n178,Ana,1,739164\r\n",
        "Number,FirstName,VMPIN\r\n178,Ana,7E+39164\r\n",
    ):
        upload = hand.looked(content)
        kept = str(upload.read) + str(upload.groups) + str(list(upload.pages.values_list("rows", flat=True)))
        assert "39164" not in kept, content
        assert "39164" not in hand.page(upload), content


def test_a_file_whose_import_stopped_is_forgotten_like_any_other(hand, actor):
    upload = hand.looked(SHORT)
    hand.take(upload)
    User.objects.filter(pk=actor.pk).update(disabled=True)
    jobs.run(Upload.objects.get(pk=upload.pk).job.pk)
    Upload.objects.update(created_at=timezone.now() - tasks.KEPT)
    assert Upload.objects.get(pk=upload.pk).state == "writing"
    tasks.forget_uploads()
    assert Upload.objects.count() == 0


def test_a_file_that_is_being_imported_is_not_forgotten(hand):
    upload = hand.looked(SHORT)
    hand.take(upload)
    Upload.objects.update(created_at=timezone.now() - tasks.KEPT)
    tasks.forget_uploads()
    assert Upload.objects.count() == 1


def test_an_import_that_failed_says_so_above_the_preview_that_is_still_there(hand, monkeypatch):
    upload = hand.looked(SHORT)
    hand.take(upload)
    monkeypatch.setattr(uploads, "_tell_what_became", lambda *args: 1 / 0)
    upload = hand.work(upload)
    page = hand.page(upload)
    assert "It failed unexpectedly. Support can see why." in page
    assert "Import 2 rows" in page
    assert not User.objects.of(hand.customer).filter(number="170").exists()


def test_what_is_told_once_for_the_file_stands_above_all_its_rows(hand):
    upload = hand.looked(
        "Number,FirstName,LastName,VMLanguage\r\n170,Zoé,Roy,00000000-0000-0000-0000-000000000000\r\n"
        "171,Ana,Roy,00000000-0000-0000-0000-000000000000\r\n1700000,A,B,\r\n"
    )
    assert upload.counts["refused"] == 1
    [(column, words, count)] = [each for each in upload.warnings if each[0] == "VMLanguage"]
    page = hand.page(upload)  # of the refused rows, among which the warned one isn't
    assert "to know" in page
    assert words in page.replace("&#x27;", "'")
    assert (column, count) == ("VMLanguage", 1)


def test_every_state_of_a_file_leads_to_throwing_it_away(hand):
    looked, unreadable = hand.looked(SHORT), hand.looked("Poste;Qui\r\n176;Zoé\r\n")
    written = hand.looked("Number,FirstName,LastName\r\n190,Max,Roy\r\n")
    hand.take(written)
    hand.work(written)
    for upload in (looked, unreadable, written):
        assert f"/imports/{upload.pk}/discard" in hand.page(upload)


def test_kept_files_wait_for_their_turn_like_new_ones(hand):
    kept = hand.looked(SHORT)
    for number in (191, 192):
        hand.send(f"Number,FirstName,LastName\r\n{number},Max,Roy\r\n")
    for answer in (hand.take(kept), hand.post(kept, "again", mode="create")):
        assert answer.status_code == 429
        assert b"Two of your files" in answer.content
    assert Upload.objects.get(pk=kept.pk).state == "looked"
    assert not Job.objects.filter(kind="file-import").exists()


def test_a_damaged_pin_is_cited_in_no_sentence(customer, actor):
    made = uploads.SUBJECTS["users"].look_at(
        b"Number,FirstName,VMPIN\n178,Ana,7E+39164\n", uploads.Scope(actor, customer)
    )
    [error] = made.outcomes[0].errors
    assert error.reason.code == "excel_number"
    assert "39164" not in str(error.reason)
