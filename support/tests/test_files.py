"""Files at the support desk: in by a preview that is the road's, all of it or nothing; out without secrets; nothing written beside the road."""

import io
import re
import zipfile
from collections.abc import Callable
from html import unescape
from typing import Any

import openpyxl
import pytest
from django.contrib.admin.models import LogEntry
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from files.models import Upload
from files.subjects import SUBJECTS
from phones.tests.factories import make_phone
from signin.tests.signing import sign_in_fully
from signin.tests.test_asking import code_of, form_of, let_the_proof_grow_old
from support.tests.test_admin import Filled
from users.history.timeline import reason_in_words, source_in_words
from users.models import Change, Customer, Department, Did, Operation, User
from users.tests.factories import make_customer, make_staff, make_user

pytestmark = pytest.mark.slow("pages of files, with what they import")

PAGES = {
    "users": "users_user", "departments": "users_department", "numbers": "users_did",
    "system-extensions": "users_systemextension", "phones": "phones_phone",
}  # fmt: skip
EACH = pytest.mark.parametrize("subject", PAGES)
# A new record, and the same with a fault.
ROWS = {
    "users": ("Number,FirstName,LastName,Department\n170,Inès,Roy,Soins\n", "170,Inès,Roy,Nulle part"),
    "departments": ("Name,Language\nAchats,en\n", "Achats,klingon"),
    "numbers": ("Number,Rings\n5145550177,101\n", "5145550177,999"),
    "system-extensions": ("Number,Name,Kind\n877,Urgences,queue\n", "877,Urgences,hotel"),
    "phones": ("MAC,Model\n805EC0AA2077,Yealink T43U\n", "805EC0AA2077,Nokia 3310"),
}


@pytest.fixture
def desk(client: Any, staff: User) -> Any:
    """A browser of support staff, signed in all the way."""
    return sign_in_fully(client, staff)


def page(subject: str, kind: str) -> str:
    return reverse(f"admin:{PAGES[subject]}_{kind}")


def sent(desk: Any, subject: str, customer: Customer, content: str | bytes, name: str = "liste.csv") -> Any:
    """The preview of a file."""
    data = content if isinstance(content, bytes) else content.encode()
    form = Filled(desk.get(f"{page(subject, 'import')}?customer={customer.slug}").content.decode()).values
    return desk.post(
        page(subject, "import"),
        {**form, "customer": customer.slug, "import_file": SimpleUploadedFile(name, data), "mode": "both"},
    )


def confirmed(desk: Any, subject: str, preview: Any) -> Any:
    """What follows when the form of a preview is sent as it stands."""
    return desk.post(page(subject, "process_import"), Filled(preview.content.decode()).values, follow=True)


def workbook(text: str) -> bytes:
    book = openpyxl.Workbook()
    for line in text.splitlines():
        book.worksheets[0].append(line.split(","))
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


@EACH
@pytest.mark.parametrize("make", [str.encode, workbook], ids=["csv", "xlsx"])
def test_a_file_is_shown_then_written_as_one_operation(
    desk: Any, boreale: Customer, amelie: User, subject: str, make: Callable[[str], bytes]
) -> None:
    good, _bad = ROWS[subject]
    model = SUBJECTS[subject].sheet().model
    before, operations = model._default_manager.count(), Operation.objects.count()
    preview = sent(desk, subject, boreale, make(good))
    assert preview.status_code == 200
    # Nothing is written by looking.
    assert (model._default_manager.count(), Operation.objects.count()) == (before, operations)
    done = confirmed(desk, subject, preview)
    assert "Créés : 1;" in done.content.decode().replace("\u00a0", " ")
    assert model._default_manager.count() == before + 1
    operation = Operation.objects.latest("pk")
    assert (Operation.objects.count(), operation.customer) == (operations + 1, boreale)
    assert source_in_words(operation.source) == source_in_words("admin")
    assert "liste.csv" in reason_in_words(operation)
    assert not LogEntry.objects.exists()
    assert not Upload.objects.exists()
    # The same file again changes nothing.
    again = sent(desk, subject, boreale, make(good))
    confirmed(desk, subject, again)
    assert (model._default_manager.count(), Operation.objects.count()) == (before + 1, operations + 1)


@EACH
def test_a_bad_row_refuses_the_whole_file_in_our_words(
    desk: Any, boreale: Customer, amelie: User, subject: str
) -> None:
    good, bad = ROWS[subject]
    before = SUBJECTS[subject].sheet().model._default_manager.count()
    preview = sent(
        desk,
        subject,
        boreale,
        good + bad.replace("77", "78").replace("Achats", "Ventes").replace("170", "171") + "\n",
    )
    text = preview.content.decode()
    assert preview.status_code == 422
    assert "Rien n’est importé" in text
    assert bad.split(",")[-1] in text
    assert 'name="seen"' not in text
    assert SUBJECTS[subject].sheet().model._default_manager.count() == before
    assert not Upload.objects.exists()  # what can't be confirmed isn't kept


def test_what_changed_between_preview_and_confirmation_is_noticed(
    desk: Any, boreale: Customer, amelie: User
) -> None:
    preview = sent(desk, "departments", boreale, "Name,Language\nSoins,en\n")
    Department.objects.filter(customer=boreale, name="Soins").update(language="en")
    done = confirmed(desk, "departments", preview)
    assert "rien n’a été importé" in done.content.decode()
    assert not Change.objects.filter(operation__source="admin").exists()


def test_nobody_confirms_somebody_elses_file(client: Any, desk: Any, boreale: Customer, amelie: User) -> None:
    preview = sent(desk, "departments", boreale, ROWS["departments"][0])
    other = sign_in_fully(client, make_staff("autre@tic.example"))
    assert not Upload.objects.filter(starter__email="autre@tic.example").exists()
    done = confirmed(other, "departments", preview)
    assert "envoyez-le de nouveau" in done.content.decode()
    assert not Department.objects.filter(name="Achats").exists()


def test_a_double_click_imports_once(desk: Any, boreale: Customer, amelie: User) -> None:
    preview = sent(desk, "departments", boreale, ROWS["departments"][0])
    confirmed(desk, "departments", preview)
    confirmed(desk, "departments", preview)
    assert Department.objects.filter(customer=boreale, name="Achats").count() == 1
    assert Operation.objects.filter(source="admin").count() == 1


def test_a_file_that_cannot_be_read_or_is_too_long_says_so(
    desk: Any, boreale: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "nécessaire" in sent(desk, "departments", boreale, "Couleur\nbleu\n").content.decode()
    monkeypatch.setattr("support.files.MOST_ROWS", 2)
    assert "2 lignes" in sent(desk, "departments", boreale, "Name\nA\nB\nC\n").content.decode()
    assert not Upload.objects.exists()


def damaged(text: str) -> bytes:
    """A workbook of which a disk changed bytes in the middle of a compressed part."""
    content = bytearray(workbook(text))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        begin = archive.getinfo("xl/workbook.xml").header_offset + 60
    content[begin : begin + 20] = b"\xff" * 20
    return bytes(content)


def test_a_damaged_workbook_is_refused_in_our_words_and_not_kept(desk: Any, boreale: Customer) -> None:
    answer = sent(desk, "departments", boreale, damaged(ROWS["departments"][0]), "liste.xlsx")
    assert answer.status_code == 422
    assert "ni un fichier CSV" in answer.content.decode()
    assert not Upload.objects.exists()


def test_a_file_is_not_kept_where_looking_at_it_fails(
    desk: Any, boreale: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("support.files.secrets_of", lambda subject: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        sent(desk, "departments", boreale, ROWS["departments"][0])
    assert not Upload.objects.exists()


def test_a_file_at_the_desk_is_none_of_the_portals(desk: Any, boreale: Customer) -> None:
    sent(desk, "departments", boreale, ROWS["departments"][0])
    upload = Upload.objects.get()
    assert "liste.csv" not in desk.get(f"/c/{boreale.slug}/files/").content.decode()
    assert desk.get(f"/c/{boreale.slug}/files/imports/{upload.pk}").status_code == 404


def test_a_secret_of_a_refused_row_is_shown_as_dots(desk: Any, boreale: Customer, amelie: User) -> None:
    text = sent(desk, "users", boreale, "Number,VMPIN\n101,2222\n").content.decode()
    assert "VMPIN" in text
    assert "2222" not in text


@EACH
@pytest.mark.parametrize("kind", ["0", "1"], ids=["csv", "xlsx"])
def test_an_export_comes_back_and_changes_nothing_and_holds_no_secret(
    desk: Any, boreale: Customer, amelie: User, subject: str, kind: str
) -> None:
    make_phone(boreale, None, "805ec0aa2001")
    amelie.sip_password = "sentinelle"
    amelie.save(update_fields=["sip_password"])
    amelie.mailbox.pin = "864213"
    amelie.mailbox.save(update_fields=["pin"])
    Did.objects.create(customer=boreale, number="+15145550178", name="=1+1")
    other = make_customer(slug="autre", name="Autre", fqdn="autre.example")
    Department.objects.create(customer=other, name="Ailleurs")
    make_user(other, "199", "Étrangère", "Autre", department="Accueil")
    out = desk.post(page(subject, "export"), {"customer": "boreale", "format": kind, "resource": "0"})
    assert out["Content-Disposition"].endswith(('.csv"', '.xlsx"'))
    content = b"".join(out.streaming_content)
    if kind == "0":
        text = content.decode()
        assert "Étrangère" not in text
        assert "Ailleurs" not in text
        assert "sentinelle" not in text
        assert "864213" not in text
    if subject != "system-extensions":  # there is none yet
        preview = sent(desk, subject, boreale, content)
        assert preview.status_code == 200, preview.content.decode()[-3000:]
        assert "Nouveaux : 0" in preview.content.decode().replace("\u00a0", " ")
        confirmed(desk, subject, preview)
    assert not Operation.objects.filter(source="admin").exists()


def test_an_export_holds_what_the_list_shows(desk: Any, boreale: Customer, amelie: User) -> None:
    make_user(boreale, "102", "Félix", "Gagnon", department="Soins")
    address = f"{page('users', 'export')}?q=tremblay"
    out = desk.post(address, {"customer": "boreale", "format": "0", "resource": "0"})
    rows = b"".join(out.streaming_content).decode().splitlines()
    assert [row.split(",")[0] for row in rows[1:]] == ["101"]


@EACH
def test_the_second_factor_and_being_of_the_support_are_asked_on_each_page(
    client: Any, staff: User, boreale: Customer, amelie: User, subject: str
) -> None:
    owner = make_user(boreale, "190", "Ana", "Roy", role="system_owners")
    sign_in_fully(client, owner)
    for kind in ("import", "process_import", "export"):
        assert client.get(page(subject, kind)).status_code == 403
        assert client.post(page(subject, kind)).status_code == 403
    client.logout()
    client.force_login(staff)
    for kind in ("import", "process_import", "export"):
        answer = client.get(page(subject, kind))
        assert answer.status_code == 302, (kind, answer.status_code)
        assert "/support/" not in answer["Location"].split("?")[0]


@EACH
def test_nothing_is_written_but_by_the_road(
    desk: Any, boreale: Customer, amelie: User, subject: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the road writes nothing, nothing is written: the library has no way of its own to the tables."""
    asked: list[Any] = []
    preview = sent(desk, subject, boreale, ROWS[subject][0])
    monkeypatch.setattr("users.road.apply_all", lambda plans, *rest: asked.append(plans))
    before = SUBJECTS[subject].sheet().model._default_manager.count()
    confirmed(desk, subject, preview)
    assert len(asked) == 1
    assert SUBJECTS[subject].sheet().model._default_manager.count() == before


def test_a_file_that_lets_a_thief_stay_takes_a_fresh_proof_and_is_not_lost_by_it(
    client: Any, desk: Any, boreale: Customer, amelie: User
) -> None:
    amelie.role_id = "system_owners"
    amelie.email = "amelie@boreale.example"
    amelie.save(update_fields=["role", "email"])
    preview = sent(desk, "users", boreale, "Number,EmailAddress\n101,voleur@evil.example\n")
    let_the_proof_grow_old(client)
    asked = desk.post(page("users", "process_import"), Filled(preview.content.decode()).values)
    assert asked.status_code == 403
    assert User.objects.get(pk=amelie.pk).email == "amelie@boreale.example"
    done = desk.post(page("users", "process_import"), form_of(asked, **{"proof-code": code_of()}))
    assert done.status_code == 302
    assert User.objects.get(pk=amelie.pk).email == "voleur@evil.example"


@pytest.mark.parametrize("name", ["0", "999999", "x", "../../etc/passwd", "1" * 40, "²"])
def test_the_name_of_a_kept_file_opens_nothing_else(desk: Any, boreale: Customer, name: str) -> None:
    sent_by_hand = {
        "import_file_name": name,
        "original_file_name": "a",
        "format": "0",
        "resource": "0",
        "seen": "x",
    }
    answer = desk.post(page("departments", "process_import"), sent_by_hand)
    assert answer.status_code == 422
    assert "envoyez-le de nouveau" in answer.content.decode()


def test_the_customer_of_a_file_is_chosen_by_typing_and_handed_over_by_the_list(
    desk: Any, boreale: Customer, laurier: Customer
) -> None:
    for kind in ("import", "export"):
        address = page("departments", kind)
        asked = desk.get(address).content.decode()
        assert 'name="customer" value=""' in asked
        assert "<select" not in asked.partition('id="content"')[2], "nothing lists all customers"
        by_typing = desk.get(f"{address}?customer=bor").content.decode()
        by_key = desk.get(f"{address}?customer__id__exact={boreale.pk}").content.decode()
        for shown in (by_typing, by_key):
            assert '<input type="hidden" name="customer" value="boreale"' in shown
            assert "<strong>Clinique Boréale</strong>" in shown
        assert (
            "boreale"
            not in desk.get(f"{address}?customer=nobody").content.decode().partition('id="content"')[2]
        )
    narrowed = desk.get(f"{page('departments', 'changelist')}?customer=boreale").content.decode()
    for kind in ("import", "export"):
        assert f"{page('departments', kind)}?customer=boreale" in narrowed
    # What else the list is narrowed to stays, whoever is chosen.
    two = desk.get(f"{page('departments', 'export')}?q=soins&customer=e").content.decode()
    assert "?q=soins&amp;customer=laurier" in two


def test_a_list_that_is_narrowed_to_a_customer_hands_it_to_what_is_new(
    desk: Any, boreale: Customer, laurier: Customer
) -> None:
    for narrowed in ("customer=boreale", f"customer__id__exact={boreale.pk}"):
        listed = desk.get(f"{page('departments', 'changelist')}?{narrowed}").content.decode()
        [link] = re.findall(r'href="([^"]+_changelist_filters[^"]+)" class="addlink"', listed)
        shown = desk.get(unescape(link)).content.decode()
        assert 'name="seen"' in shown, "the form itself, not the question whose it is to be"
        assert "Clinique Boréale" in shown
    # What is typed in the address itself wins over the list that one comes from.
    other = desk.get(f"{page('departments', 'add')}?customer=laurier&_changelist_filters=customer%3Dboreale")
    assert "Laurier" in other.content.decode()
    nobody = desk.get(f"{page('departments', 'add')}?_changelist_filters=customer__id__exact%3D999999")
    assert 'name="seen"' not in nobody.content.decode()
