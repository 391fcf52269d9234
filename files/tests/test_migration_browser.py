"""A customer of two hundred moves in from a 3CX in the browser: the file, its faults, mended, imported; then edited at once, and taken back."""

import csv
import io
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.conf import settings
from playwright.sync_api import Browser, Page, expect

from asterisk.engine import ports
from files.tests import generated
from pbxadmin.tests.installation import Installation, until, watched

pytestmark = pytest.mark.browser

PEOPLE, SALES = 200, 150
AT = generated.AT
# What five rows have instead of what was right: (column, damage, its sentence).
FAULTS = [
    ("EmailAddress", "sans-arobase", "adresse courriel valide"),
    ("MAC", "8,05E+11", "un tableur en a fait un nombre"),
    ("VMPIN", "1234", "NIP"),
    ("VMEmailOptions", "9", "n’est pas possible ici"),
    ("Model", "Téléphone à cadran", "Téléphone à cadran"),
]


def rows_of_3cx() -> list[list[str]]:
    """Two hundred people, a hundred and fifty of them in Ventes, the first of all with a phone."""
    rows, _faults = generated.make(PEOPLE, digits=4, phones=1.0)
    for place, row in enumerate(rows):
        row[AT["Department"]] = "Ventes" if place < SALES else "Soutien"
        row[AT["OutboundCallerID"]] = row[AT["Router"]] = ""
        row[AT["HideInPhonebook"]] = "0"
    return rows


def spoilt(rows: list[list[str]]) -> bytes:
    """The same with a fault in five rows."""
    damaged = [list(row) for row in rows]
    for place, (column, damage, _words) in enumerate(FAULTS):
        damaged[30 + place][AT[column]] = damage
    return generated.as_csv(damaged)


def customer_of(page: Page, installation: Installation) -> str:
    """A new customer with room for them; the beginning of its addresses."""
    page.goto(f"{installation.url}/customers/new")
    page.fill("#id_customer-name", "Atelier Migration")
    page.fill("#id_customer-slug", "migration")
    page.fill("#id_customer-fqdn", "migration.example")
    page.fill("#id_customer-included_extensions", "300")
    page.locator("details:has(#id_customer-extension_digits) > summary").click()
    page.fill("#id_customer-extension_digits", "4")
    page.fill("#id_department-0-name", "DEFAULT")
    page.fill("#id_owner-first_name", "Paule")
    page.fill("#id_owner-last_name", "Roy")
    page.fill("#id_owner-email", "paule@migration.example")
    page.fill("#id_owner-number", "1990")
    page.get_by_role("button", name="Créer le client").click()
    page.wait_for_url("**/created")
    return "migration"


@contextmanager
def phone(installation: Installation, mac: str, folder: Path) -> Iterator[Path]:
    """A phone on somebody's desk, switched on; what it says it does.

    It has a port of its own: the usual one may be a phone system's on this machine.
    """
    port = ports.free_port(ports.UDP_AND_TCP)
    installation.tell(
        f"from phones.models import Phone\nPhone.objects.filter(mac={mac.lower()!r}).update(sip_port={port})"
    )
    log = folder / "phone.log"
    environment = os.environ | {
        "PBXADMIN_VAR": str(installation.var),
        "DJANGO_SETTINGS_MODULE": "pbxadmin.settings.development",
        "PUBLIC_URL": installation.url,
    }
    for name in ("DATABASE_URL", "CELERY_BROKER_URL", "CACHE_URL"):
        environment.pop(name, None)
    with log.open("wb") as out:
        running = subprocess.Popen(
            [sys.executable, "manage.py", "virtual_phone", "--from-database", "--mac", mac],
            cwd=settings.BASE_DIR,
            env=environment,
            stdout=out,
            stderr=out,
        )
    try:
        yield log
    finally:
        running.terminate()
        running.wait(20)


def send(page: Page, address: str, content: bytes, name: str) -> None:
    """Send a file, and wait for its preview."""
    page.goto(address)
    page.set_input_files("#file", {"name": name, "mimeType": "text/csv", "buffer": content})
    page.get_by_role("button", name="Vérifier le fichier").click()
    expect(page.get_by_role("heading", name="Ce qui changerait")).to_be_visible(timeout=60_000)


def test_a_customer_of_two_hundred_moves_in_is_edited_at_once_and_the_edit_taken_back(
    installation: Installation, browser: Browser, tmp_path: Path
) -> None:
    rows = rows_of_3cx()
    first = rows[0]
    with watched(browser, storage_state=installation.support_session(browser)) as page:
        slug = customer_of(page, installation)
        base = f"{installation.url}/c/{slug}"

        # A file that is too large is said before a byte of it is sent.
        page.goto(f"{base}/files/")
        page.evaluate("document.getElementById('file').dataset.largest = '10'")
        page.set_input_files("#file", {"name": "a.csv", "mimeType": "text/csv", "buffer": b"x" * 11})
        assert "50\u00a0Mo" in page.evaluate("document.getElementById('file').validationMessage")
        page.get_by_role("button", name="Vérifier le fichier").click()
        assert page.url == f"{base}/files/"

        # Departments that aren't there, and five faults.
        send(page, f"{base}/files/", spoilt(rows), "3cx.csv")
        expect(page.locator("main")).to_contain_text("3CX 20")
        page.get_by_role("button", name="Les créer et vérifier à nouveau").click()
        expect(page.locator("main")).to_contain_text("5 lignes sont refusées", timeout=60_000)
        for _column, _damage, words in FAULTS:
            expect(page.locator("main")).to_contain_text(words)
        expect(page.get_by_role("button", name="Importer 2")).to_have_count(0)

        # The refused rows come as a file, are mended, and go in with the others.
        with page.expect_download() as download:
            page.get_by_role("link", name="Télécharger les lignes refusées").click()
        refused = list(csv.reader(io.StringIO(download.value.path().read_text("utf-8-sig"))))
        assert [row[0] for row in refused[1:]] == ["32", "33", "34", "35", "36"]
        assert all(row[1] for row in refused[1:])
        send(page, f"{base}/files/", generated.as_csv(rows), "3cx corrigé.csv")
        page.get_by_role("button", name="Importer 200 lignes").click()
        expect(page.get_by_role("heading", name="Résultat")).to_be_visible(timeout=120_000)
        expect(page.locator("main")).to_contain_text("200 faits")
        expect(page.get_by_role("link", name="Nouvelles 200")).to_be_visible()

        with phone(installation, first[AT["MAC"]], tmp_path) as log:
            file = f"{first[AT['MAC']].lower()}.cfg 200"
            until(lambda: file in log.read_text(), 60)
            # A hundred and fifty of them, by their department, at once.
            page.goto(f"{base}/users/")
            page.locator("summary", has_text="Département").first.click()
            page.locator(".filters a", has_text="Ventes").first.click()
            expect(page.locator("h1")).to_contain_text("150")
            page.locator("[data-select-all]").check()
            page.locator("[data-select-add]").click()
            page.get_by_role("button", name="Modifier", exact=True).click()
            page.locator("[data-chip=options]").click()
            page.locator("#id_hidden").click()
            page.locator("[data-chip=phone]").click()
            page.locator("button[name=_phone_model][value=yealink-t54w]").click()
            page.select_option("#id_phone-time_format", label="02:05 PM")
            page.get_by_role("button", name="Voir ce qui changerait").first.click()
            fetches = log.read_text().count(file)
            page.get_by_role("button", name="Enregistrer pour 150").click()
            until(lambda: log.read_text().count(file) > fetches, 60)

            # Taken back as one, and the phone follows again.
            page.goto(f"{base}/history")
            page.locator("a[href*='/undo']").first.click()
            fetches = log.read_text().count(file)
            page.locator("main form button[type=submit]").first.click()
            until(lambda: log.read_text().count(file) > fetches, 60)

        # The import itself stands there as one, with the name of its file.
        page.goto(f"{base}/history")
        expect(page.locator("main")).to_contain_text("Fichier « 3cx corrigé.csv »")
