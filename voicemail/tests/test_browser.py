"""Greetings in the browser's hands: recorded with a microphone that plays a file, heard, kept, cut, chosen and taken away."""

import subprocess
import wave
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from pbxadmin.tests.installation import CHROMIUM, Installation
from pbxadmin.tests.test_accessibility import wrong_with
from voicemail.tests.sounds import tone

pytestmark = pytest.mark.browser
TAB = "/c/boreale/users/105/voicemail"


@pytest.fixture(scope="module")
def voice(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is said into the microphone: three seconds of tone, which swells so that it isn't taken for silence."""
    path = tmp_path_factory.mktemp("voice") / "voice.wav"
    path.write_bytes(tone(3.0, rate=48_000))
    return path


@pytest.fixture
def speaking(browser: Browser, voice: Path, installation: Installation) -> Iterator[Page]:
    """A page of a browser whose microphone says `voice`, and lets itself be used."""
    flags = [
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-audio-capture={voice}",
    ]
    other = browser.browser_type.launch(executable_path="/usr/bin/chromium", args=[*CHROMIUM, *flags])
    page = other.new_page(locale="fr-CA", viewport={"width": 1366, "height": 900})
    yield page
    other.close()


def library_of(page: Page, installation: Installation) -> None:
    page.goto(f"{installation.url}{TAB}")
    expect(page.get_by_role("heading", name="Messages d’accueil")).to_be_visible()
    expect(page.get_by_label("Fichier audio")).to_be_visible()
    expect(page.locator(".greetings")).to_have_count(1)


def test_a_greeting_is_recorded_heard_kept_chosen_and_downloaded(
    installation: Installation, speaking: Page, tmp_path: Path
) -> None:
    page = speaking
    installation.sign_in(page, "102@boreale.example.com")
    library_of(page, installation)
    page.get_by_role("button", name="Enregistrer avec le micro").click()
    level = page.get_by_label("Niveau du microphone")
    page.wait_for_function("meter => meter.value > 40", arg=level.element_handle())
    page.get_by_role("button", name="Pause").click()
    page.get_by_role("button", name="Continuer").click()
    page.get_by_role("button", name="Arrêter").click()
    expect(page.get_by_label("Ce que vous avez enregistré")).to_be_focused()
    page.get_by_role("button", name="Recommencer").click()
    page.wait_for_function("() => document.querySelector('[data-record-time]').textContent >= '0:02'")
    page.get_by_role("button", name="Arrêter").click()
    heard = page.get_by_label("Ce que vous avez enregistré")
    assert heard.evaluate("async audio => { await audio.play(); return !audio.paused; }")
    box = page.locator("[data-recorder]")
    box.get_by_label("Nom").fill("Absent jusqu’à lundi")
    box.get_by_role("button", name="Garder").click()
    mine = page.locator(".greeting", has_text="Absent jusqu’à lundi").filter(has=page.locator("audio"))
    expect(mine).to_contain_text("Enregistré dans le navigateur", timeout=15_000)
    # Chosen for a status, where the menu offers it before everybody's.
    page.goto(f"{installation.url}/c/boreale/users/105/forwarding?shown=away")
    page.locator("select[name='away.greeting']").select_option(label="Absent jusqu’à lundi")
    page.get_by_role("button", name="Enregistrer").click()
    expect(page.locator(".save-bar")).to_contain_text("Enregistré")
    library_of(page, installation)
    expect(mine).to_contain_text("Utilisé par : Absent")
    mine.locator("summary").first.click()
    with page.expect_download() as coming:
        mine.get_by_role("link", name="Télécharger").click()
    kept = tmp_path / coming.value.suggested_filename
    coming.value.save_as(kept)
    said = subprocess.run(["soxi", kept], capture_output=True, text=True, check=True).stdout
    assert "Channels       : 1" in said
    assert "Sample Rate    : 8000" in said
    assert "16-bit Signed Integer PCM" in said
    with wave.open(str(kept)) as sound:
        assert 1.0 < sound.getnframes() / 8000 < 6.0
    mine.locator("audio").evaluate("async audio => { audio.muted = true; await audio.play(); }")
    page.wait_for_function("audio => audio.currentTime > 0.2", arg=mine.locator("audio").element_handle())


def test_a_microphone_that_is_refused_says_what_to_do(installation: Installation, page: Page) -> None:
    installation.sign_in(page, "102@boreale.example.com")
    library_of(page, installation)
    page.get_by_role("button", name="Enregistrer avec le micro").click()
    expect(page.locator("[data-record-error]")).to_contain_text("micro")
    expect(page.get_by_label("Fichier audio")).to_be_visible()


def test_only_pages_with_a_recorder_may_ask_for_the_microphone(
    installation: Installation, page: Page
) -> None:
    installation.sign_in(page, "102@boreale.example.com")
    may = {}
    for path in (
        TAB,
        f"{TAB}/greetings/",
        "/c/boreale/greetings/",
        "/c/boreale/users",
        "/c/boreale/users/105/general",
    ):
        answer = page.goto(f"{installation.url}{path}")
        assert answer is not None
        may[path] = "microphone=(self)" in (answer.header_value("permissions-policy") or "")
    assert list(may.values()) == [True, True, True, False, False]


def test_a_file_is_dropped_cut_by_ear_and_deleted_with_the_keyboard(
    installation: Installation, page: Page, voice: Path
) -> None:
    installation.sign_in(page, "102@boreale.example.com")
    library_of(page, installation)
    mail = page.get_by_label("Options d’e-mail", exact=True)
    kept = mail.evaluate("menu => { menu.selectedIndex = menu.options.length - 1; return menu.value; }")
    page.get_by_label("Fichier audio").set_input_files(voice)
    page.locator("#greeting-name").fill("Une tonalité")
    page.locator("#greeting-name").press("Enter")
    mine = page.locator(".greeting", has_text="Une tonalité").filter(has=page.locator("audio"))
    expect(mine).to_contain_text("0:03", timeout=15_000)
    # The tab's form above offers it at once, and loses nothing of what is chosen there and not yet saved.
    default = page.locator("[name='voicemail.default_greeting']")
    expect(default.locator("option", has_text="Une tonalité")).to_have_count(1)
    expect(mail).to_have_value(kept)
    expect(page.locator("#greeting-name")).to_have_value("")
    mine.get_by_text("Couper aux deux bouts").click()
    mine.get_by_label("Fin").fill("1.5")
    expect(mine.get_by_label("À la seconde")).to_have_value("1.5")
    mine.get_by_role("button", name="Couper", exact=True).click()
    expect(mine).to_contain_text("0:02")
    mine.locator("summary").first.press("Enter")
    assert wrong_with(page, "the menu of a greeting, and its cut") == []
    mail.evaluate("menu => menu.form.reset()")
    mine.get_by_role("link", name="Supprimer").press("Enter")
    page.wait_for_url("**/delete")
    assert wrong_with(page, "the page that deletes a greeting") == []
    page.get_by_role("button", name="Supprimer").press("Enter")
    expect(page.get_by_text("Il peut être remis pendant 30 jours")).to_be_visible()
    expect(mine).to_have_count(0)


def test_a_refused_upload_keeps_its_name_and_the_recording_that_goes_on(
    installation: Installation, speaking: Page, tmp_path: Path
) -> None:
    page = speaking
    installation.sign_in(page, "102@boreale.example.com")
    library_of(page, installation)
    page.get_by_role("button", name="Enregistrer avec le micro").click()
    stop = page.get_by_role("button", name="Arrêter")
    expect(stop).to_be_focused()
    nothing = tmp_path / "nothing.wav"
    nothing.write_text("no sound" * 100)
    page.get_by_label("Fichier audio").set_input_files(nothing)
    page.locator("#greeting-name").fill("Trop tôt")
    page.locator("#greeting-name").press("Enter")
    expect(page.locator(".greetings [role=alert]").filter(has_text="fichier audio")).to_be_visible()
    expect(page.locator("#greeting-name")).to_have_value("Trop tôt")
    stop.click()
    expect(page.get_by_label("Ce que vous avez enregistré")).to_be_visible()
    page.get_by_role("button", name="Jeter").click()
    expect(page.get_by_role("button", name="Enregistrer avec le micro")).to_be_focused()


def test_without_scripts_a_greeting_is_uploaded_renamed_and_deleted(
    installation: Installation, browser: Browser, tmp_path: Path
) -> None:
    ready = tmp_path / "Déjà prêt.wav"
    ready.write_bytes(tone(2.0, rate=8000))
    with browser.new_context(locale="fr-CA", java_script_enabled=False) as context:
        page = context.new_page()
        installation.sign_in(page, "102@boreale.example.com")
        library = f"{TAB}/greetings/"
        page.goto(f"{installation.url}{TAB}")
        page.locator(f"#greetings a[href='{library}']").click()
        page.get_by_label("Fichier audio").set_input_files(ready)
        expect(page.get_by_role("button", name="Enregistrer avec le micro")).to_be_hidden()
        page.get_by_role("button", name="Ajouter le message d’accueil").click()
        expect(page.get_by_text("« Déjà prêt »").first).to_be_visible()
        page.goto(f"{installation.url}{library}")
        mine = page.locator(".greeting", has_text="Déjà prêt")
        mine.locator("details.menu > summary").click()
        mine.get_by_label("Nom").fill("Autrement")
        mine.get_by_role("button", name="Renommer").click()
        page.goto(f"{installation.url}{library}")
        mine = page.locator(".greeting", has_text="Autrement")
        mine.locator("details.menu > summary").click()
        mine.get_by_role("link", name="Supprimer").click()
        page.get_by_role("button", name="Supprimer").click()
        expect(page.get_by_text("Il peut être remis pendant 30 jours")).to_be_visible()
        page.goto(f"{installation.url}{library}")
        expect(mine).to_have_count(0)
