"""The logo of a phone: who may choose it, where it is kept, what the phone is served, when it goes."""

import logging
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.db import DatabaseError
from django.test import Client

from pbxadmin.common.values import configtext
from phones import services
from phones.models import Phone
from phones.settings import logos
from phones.settings.sections import phone_sheet
from phones.settings.tests.test_pictures import opened
from phones.tests import factories
from phones.tests.factories import FACTS, MAC, again, drawn, fetch, fetched, upload
from signin.tests.signing import sign_in_fully
from users import road
from users.company.sheets import customer_sheet
from users.models import Change, Customer, Operation, User
from users.people.sections import user_sheet
from users.road import undo
from users.tests.factories import make_user

pytestmark = [pytest.mark.django_db, pytest.mark.slow("draws and reads pictures")]
TAB = f"/c/boreale/users/101/phone?phone={MAC}"
LOGO = f"/c/boreale/users/101/phones/{MAC}/logo"


@pytest.fixture
def owner(felix: User) -> Client:
    """Félix, signed in."""
    return sign_in_fully(Client(), felix)


def choose(phone: Phone, picture: Any = None) -> road.RowPlan:
    """Give a phone a logo by the road; the planned row."""
    plan = services.logo_change(factories.provider(), phone.customer, phone, picture or upload(), FACTS).plan
    return plan.rows[0]


def remove(phone: Phone) -> None:
    """Take it away."""
    assert services.logo_change(factories.provider(), phone.customer, phone, None, FACTS).operation


def read(phone: Phone) -> dict[str, str]:
    """What the phone reads in its file."""
    return dict(configtext.pairs(fetch(phone).content))


def kept(shelf: Path) -> list[str]:
    """The names of the files that are kept."""
    return sorted(path.name for path in shelf.iterdir()) if shelf.exists() else []


def own_name(phone: Phone) -> str:
    """The file name under which the phone is told to fetch its logo."""
    return read(phone)["wallpaper_upload.url"].rpartition("/")[2]


# --- Choosing ---
def test_a_chosen_picture_reaches_the_phone_in_the_size_of_its_screen(
    phone: Phone, enterprise: Path, owner: Client
) -> None:
    response: Any = owner.post(
        LOGO, {"logo": upload("Été.JPG", drawn("JPEG", size=(2000, 500)))}, follow=True
    )
    assert response.status_code == 200
    assert f'src="{LOGO}?' in response.content.decode()
    assert again(phone).stale_since
    told = read(phone)
    address = told["wallpaper_upload.url"]
    name = address.rpartition("/")[2]
    assert address == f"http://127.0.0.1:8000/p/{phone.token}/{name}"
    assert told["phone_setting.backgrounds"] == f"Config:{name}"
    served = fetch(phone, name)
    assert served.status_code == 200
    assert served.headers["Content-Type"] == "image/png"
    assert served.headers["X-Content-Type-Options"] == "nosniff"
    assert served.headers["Cache-Control"] == "private, no-cache"
    picture = opened(served.content)
    assert (picture.format, picture.size) == ("PNG", (480, 272))
    # What people see is what the phone shows.
    assert owner.get(LOGO).content == served.content
    assert owner.get(LOGO).headers["Content-Type"] == "image/png"


def test_a_phone_that_has_the_picture_is_told_so_without_its_being_made_again(
    phone: Phone, enterprise: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose(phone)
    name = own_name(phone)
    etag = fetch(phone, name).headers["ETag"]
    assert fetch(phone, name, **{"If-None-Match": etag}).status_code == 304
    assert Client().head(f"/p/{phone.token}/{name}").content == b""
    # Another phone with the same picture shares the work.
    other = fetched(factories.make_phone(phone.customer, again(phone).user))
    choose(other)
    monkeypatch.setattr(logos, "fitted", None)
    assert fetch(other, name).content == fetch(phone, name).content


def test_fetching_the_picture_acknowledges_nothing(phone: Phone, enterprise: Path) -> None:
    choose(phone)
    name = logos.logo_of(again(phone), phone.customer).name
    assert fetch(phone, name).status_code == 200
    assert again(phone).stale_since


def test_the_history_says_that_the_logo_changed_and_holds_nothing_of_the_file(
    phone: Phone, enterprise: Path, owner: Client
) -> None:
    owner.post(LOGO, {"logo": upload("photo-de-famille.png")})
    owner.post(LOGO, {"remove": "1"})
    rows = list(Change.objects.filter(model="phones.phone", kind="edit").order_by("id"))
    assert [[cell["column"] for cell in row.cells] for row in rows] == [["logo"], ["logo"]]
    assert rows[0].cells[0]["new"] == rows[1].cells[0]["old"]
    assert "famille" not in str([row.cells for row in rows])
    assert "Logo du téléphone" in owner.get("/c/boreale/users/101/history").content.decode()


def test_the_same_picture_again_changes_nothing(phone: Phone, enterprise: Path) -> None:
    choose(phone)
    fetch(phone)
    assert choose(phone).outcome == "unchanged"
    assert again(phone).stale_since is None


@pytest.mark.parametrize(
    ("picture", "told"),
    [
        (upload("logo.svg", b"<svg/>"), "SVG"),
        (upload("logo.png", b"<svg onload='alert(1)'/>"), "SVG"),
        (upload("logo.png", b"no picture"), "pas une image"),
        (upload("logo.png", drawn()[:-40]), "endommagée"),
        (upload("logo.gif", drawn("GIF") + bytes(5 * 1024 * 1024)), "5\u00a0Mo"),
        (upload("logo.png", drawn(mode="1", size=(4001, 4000), colour=0)), "16\u00a0millions"),
        (upload("logo.exe"), ".webp"),
        (upload("logo.png", b""), "vide"),
    ],
    ids=["svg", "svg by another name", "text", "cut off", "too big", "too many pixels", "name", "empty"],
)
def test_what_is_refused_is_told_beside_the_file_and_leaves_nothing_behind(
    phone: Phone, enterprise: Path, owner: Client, picture: Any, told: str
) -> None:
    picture.seek(0)
    response: Any = owner.post(LOGO, {"logo": picture})
    page = response.content.decode()
    assert response.status_code == 422
    assert told in page.partition('id="logo-error"')[2][:600]
    assert kept(enterprise) == []
    assert again(phone).stale_since is None
    assert not Change.objects.filter(model="phones.phone", kind="edit").exists()


def test_nothing_chosen_is_told_and_a_name_with_folders_stays_a_name(
    phone: Phone, enterprise: Path, owner: Client
) -> None:
    assert owner.post(LOGO, {}).status_code == 422
    assert owner.post(LOGO, {"logo": "../../etc/passwd"}).status_code == 422
    owner.post(LOGO, {"logo": upload("../../../evil.png")})
    assert kept(enterprise) == [f"{phone.pk}-{again(phone).logo}.png"]


# --- Licence and model ---
@pytest.mark.parametrize("edition", ["standard", "pro"])
def test_without_the_enterprise_licence_the_choice_is_locked_and_says_which_licence_it_takes(
    phone: Phone, boreale: Customer, enterprise: Path, owner: Client, edition: str
) -> None:
    Customer.objects.filter(pk=boreale.pk).update(edition=edition)
    page = owner.get(TAB).content.decode()
    assert "Sélectionnez le logo pour ce téléphone" in page
    assert "Pour utiliser cette option, vous devez avoir la licence «\u00a0Entreprise\u00a0»." in page
    assert 'form="logo-form"' not in page
    response: Any = owner.post(LOGO, {"logo": upload()})
    assert response.status_code == 422
    assert kept(enterprise) == []


def test_a_logo_isnt_shown_without_the_licence_comes_back_with_it_and_can_always_be_removed(
    phone: Phone, boreale: Customer, enterprise: Path, owner: Client
) -> None:
    def licence(edition: str) -> None:
        plan = road.plan(
            factories.provider(), boreale, customer_sheet(), [road.Row(boreale.pk, {"edition": edition})]
        )
        assert not plan.refused, plan.rows[0].errors
        road.apply(plan, FACTS)
        boreale.refresh_from_db()

    other = fetched(factories.make_phone(boreale, again(phone).user))
    choose(phone)
    name = own_name(phone)
    licence("pro")
    assert again(phone).stale_since
    assert again(other).stale_since is None
    assert read(phone)["wallpaper_upload.url"] == "%NULL%"
    assert fetch(phone, name).status_code == 404
    assert owner.get(LOGO).status_code == 404
    licence("enterprise")
    assert own_name(phone) == name
    assert fetch(phone, name).status_code == 200
    licence("pro")
    assert 'name="remove"' in owner.get(TAB).content.decode()
    owner.post(LOGO, {"remove": "1"})
    assert again(phone).logo == ""


def test_a_model_without_a_screen_for_it_doesnt_offer_it(
    boreale: Customer, amelie: User, enterprise: Path, owner: Client
) -> None:
    phone = factories.make_phone(boreale, amelie, MAC, model="yealink-t31g")
    assert "Sélectionnez le logo" not in owner.get(TAB).content.decode()
    assert choose(phone).errors["logo"]
    assert kept(enterprise) == []


def test_another_model_gets_the_same_logo_in_its_own_size_and_a_grey_one_keeps_it_unseen(
    phone: Phone, boreale: Customer, enterprise: Path, owner: Client
) -> None:
    choose(phone, upload(size=(1600, 900)))
    first = own_name(phone)

    def becomes(model: str) -> road.Plan:
        return services.phone_change(factories.provider(), boreale, again(phone), {"model": model}, FACTS)

    becomes("yealink-t57w")
    assert own_name(phone) == first
    assert opened(fetch(phone, first).content).size == (800, 480)
    assert "T31G" in becomes("yealink-t31g").rows[0].warnings["model"][0]
    assert "wallpaper_upload.url" not in read(phone)
    assert fetch(phone, first).status_code == 404
    becomes("yealink-t33g")
    assert opened(fetch(phone, first).content).size == (320, 240)


# --- Who gets it ---
def test_the_picture_is_for_the_phone_alone(
    phone: Phone, boreale: Customer, laurier: Customer, amelie: User, enterprise: Path
) -> None:
    other = factories.make_phone(boreale, amelie)
    choose(phone)
    name = own_name(phone)
    for path in (
        f"/p/{other.token}/{name}",
        f"/p/{phone.token[:-1]}/{name}",
        f"/p/{phone.token}/logo-{'0' * 16}.png",
        f"/p/{phone.token}/x/{name}",
        f"/p/{phone.token}/{name}.png",
        f"/p/{phone.token}/{phone.pk}-{again(phone).logo}.png",
        f"/media/phones/logos/{phone.pk}-{again(phone).logo}.png",
        f"/phones/logos/{phone.pk}-{again(phone).logo}.png",
    ):
        assert Client().get(path).status_code == 404, path
    wrong = Client().get(f"/p/{other.token}/{name}")
    nothing = Client().get("/p/x/y")
    assert (wrong.content, sorted(wrong.items())) == (nothing.content, sorted(nothing.items()))
    assert Client().post(f"/p/{phone.token}/{name}").status_code == 404
    factories.change(amelie, disabled=True)
    assert fetch(phone, name).status_code == 404


def test_another_customers_people_and_lesser_roles_neither_see_nor_change_it(
    phone: Phone, laurier: Customer, enterprise: Path, ines: User
) -> None:
    choose(phone)
    stranger = make_user(laurier, "201", role="system_owners")
    for person, expected in ((stranger, 404), (ines, 403), (again(phone).user, 403)):
        client = sign_in_fully(Client(), person)
        assert client.get(LOGO).status_code == expected
        assert client.post(LOGO, {"remove": "1"}).status_code == expected
        assert services.logo_change(person, phone.customer, phone, None, FACTS).plan.refused
    assert again(phone).logo


# --- What goes ---
def test_a_new_picture_replaces_the_old_one_after_the_commit(
    phone: Phone, enterprise: Path, django_capture_on_commit_callbacks: Any
) -> None:
    choose(phone)
    first = again(phone).logo
    old_name = own_name(phone)
    with django_capture_on_commit_callbacks(execute=True):
        choose(phone, upload(colour="blue"))
        assert len(kept(enterprise)) == 2
    second = again(phone).logo
    assert kept(enterprise) == [f"{phone.pk}-{second}.png"]
    assert first != second
    assert own_name(phone) != old_name
    assert fetch(phone, old_name).status_code == 404
    with django_capture_on_commit_callbacks(execute=True):
        remove(phone)
    assert kept(enterprise) == []


def test_the_picture_goes_with_its_phone_and_stays_when_the_phones_user_goes(
    phone: Phone, boreale: Customer, enterprise: Path, django_capture_on_commit_callbacks: Any
) -> None:
    choose(phone)
    with django_capture_on_commit_callbacks(execute=True):
        removal = road.plan_removal(factories.provider(), boreale, user_sheet(), [phone.user_id])
        road.remove(removal, FACTS)
    # The phone lies in the stock, as the company has set it up.
    assert again(phone).user is None
    assert len(kept(enterprise)) == 1
    with django_capture_on_commit_callbacks(execute=True):
        services.phone_delete(factories.provider(), boreale, again(phone), FACTS)
        assert len(kept(enterprise)) == 1
    assert not Phone.objects.exists()
    assert kept(enterprise) == []


def test_a_change_that_fails_leaves_no_picture_and_the_old_one_stays(
    phone: Phone, enterprise: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose(phone)
    before = kept(enterprise)

    def fails(*arguments: Any, **named: Any) -> None:
        raise DatabaseError

    monkeypatch.setattr("users.road.applying.record_operation", fails)
    with pytest.raises(DatabaseError):
        choose(phone, upload(colour="blue"))
    assert kept(enterprise) == before


def test_undoing_the_first_logo_removes_it_and_undoing_its_removal_says_that_it_isnt_kept(
    phone: Phone, boreale: Customer, felix: User, enterprise: Path, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        choose(phone)
        undo.undo(felix, boreale, Operation.objects.filter(kind="edit").latest("pk"), FACTS)
    assert again(phone).logo == ""
    assert kept(enterprise) == []
    with pytest.raises(undo.NotUndoableError, match="conservée"):
        undo.undo(felix, boreale, Operation.objects.filter(kind="edit").latest("pk"), FACTS)


def test_a_digest_alone_makes_no_logo(phone: Phone, boreale: Customer, enterprise: Path) -> None:
    for raw in ("0" * 64, "../../x", ["a"], 7):
        plan = road.plan(factories.provider(), boreale, phone_sheet(), [road.Row(phone.pk, {"logo": raw})])
        assert plan.rows[0].errors["logo"], raw


def test_a_picture_that_the_storage_lost_is_a_404_and_the_file_is_served_all_the_same(
    phone: Phone, enterprise: Path, owner: Client, caplog: Any
) -> None:
    choose(phone, upload(colour="green"))
    default_storage.delete(logos.path_of(phone.pk, again(phone).logo))
    name = own_name(phone)
    with caplog.at_level(logging.ERROR):
        assert fetch(phone, name).status_code == 404
    assert MAC in caplog.text
    assert phone.token not in caplog.text
    assert owner.get(LOGO).status_code == 404


def test_a_failing_storage_undoes_nothing(
    phone: Phone, enterprise: Path, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    choose(phone)

    def fails(name: str) -> None:
        raise OSError

    monkeypatch.setattr(default_storage, "delete", fails)
    with django_capture_on_commit_callbacks(execute=True):
        remove(phone)
    assert again(phone).logo == ""
