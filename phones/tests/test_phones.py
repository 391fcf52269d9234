"""Phones as people add, change, move and delete them; who may; and what the pages and the command show."""

from dataclasses import fields
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from pbxadmin.common.columns import Scope
from pbxadmin.common.fields import YesNoField
from phones import build, in_lists, selectors, services
from phones.context import PhoneSettings
from phones.models import Phone, Sbc, Settings
from phones.settings import sections
from phones.settings.columns import mac_address
from phones.settings.form import settings_form
from phones.settings.noted import SECRETS
from phones.settings.sections import phone_sheet
from phones.sites import overview
from phones.tests import factories
from phones.tests.factories import FACTS, MAC, again, fetch, fetched, make_phone, upload
from phones.vendors import Offers, models
from signin.tests.signing import sign_in_fully
from users import road
from users.models import Change, Customer, Operation, User
from users.people.sections import user_sheet
from users.road import outcomes
from users.tests.factories import make_staff, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.slow("opens page after page")]


def add(actor: User, customer: Customer, person: User | None, mac: str, **values: Any) -> road.RowPlan:
    """The planned row of a phone that somebody tries to add."""
    return services.phone_create(
        actor, customer, person, {"mac": mac, "model": "yealink-t54w", **values}, FACTS
    ).rows[0]


# --- The MAC ---
@pytest.mark.parametrize(
    "typed",
    [
        "805ec0d57d72",
        "80:5E:C0:D5:7D:72",
        "80-5e-c0-d5-7d-72",
        "805e.c0d5.7d72",
        " 80 5E C0 D5 7D 72 ",
        "805EC0D57D72",
    ],
)
def test_a_mac_is_read_however_it_is_written(typed: str) -> None:
    assert mac_address(typed) == MAC


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("8,05E+11", "tableur"),
        ("8.05E+11", "tableur"),
        ("8,05E11", "tableur"),
        ("805ec0d57d7", "11"),
        ("805ec0d57d721", "13"),
        ("٨05ec0d57d72", "0 à 9"),
        ("805ec0d57d7g", "0 à 9"),
        ("805ec0\nd57d72", "0 à 9"),
        ("805ec0d57d72\n", "0 à 9"),
        ("ffffffffffff", ""),
        ("000000000000", ""),
        ("015ec0d57d72", ""),
        ("805EC0%0a57d72", "0 à 9"),
    ],
)
def test_what_isnt_a_mac_is_refused_with_the_way_out(
    boreale: Customer, amelie: User, typed: str, told: str
) -> None:
    row = add(factories.provider(), boreale, amelie, typed)
    assert row.errors["mac"]
    assert not Phone.objects.exists()


def test_a_mac_is_there_once_in_the_whole_portal_and_whose_it_is_elsewhere_isnt_told(
    boreale: Customer, laurier: Customer, felix: User, amelie: User
) -> None:
    make_phone(laurier, make_user(laurier, "101", "Zoé", "Laurier"), MAC)
    row = add(felix, boreale, amelie, "80:5E:C0:D5:7D:72")
    assert len(row.errors["mac"]) == 1
    for told in ("Laurier", "Zoé", "101"):
        assert told not in str(row.errors)
    ours = make_phone(boreale, felix)
    (told,) = add(felix, boreale, amelie, ours.mac).errors["mac"]
    assert "102 Félix Gagnon" in told


def test_two_customers_adding_the_same_mac_in_the_same_moment_both_get_an_answer(
    boreale: Customer, laurier: Customer, amelie: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    apply = outcomes.apply

    def meanwhile(plan: Any, *rest: Any) -> Any:
        monkeypatch.undo()
        make_phone(laurier, None, MAC)
        # What the rules saw isn't so any more, and the other transaction's row can't be seen by them.
        plan.rows[0].put("mac", MAC)
        monkeypatch.setattr(sections.Phone.objects, "filter", Phone.objects.filter, raising=False)
        return apply(plan, *rest)

    monkeypatch.setattr(outcomes, "apply", meanwhile)
    assert add(factories.provider(), boreale, amelie, MAC).errors["mac"]
    assert Phone.objects.get().customer == laurier


# --- Who may ---
def test_a_new_phone_has_secrets_that_nobody_can_guess_and_is_waiting_for_its_first_fetch(
    boreale: Customer, felix: User
) -> None:
    phones = [make_phone(boreale, felix) for _ in range(3)]
    assert len({phone.token for phone in phones} | {phone.web_password for phone in phones}) == 6
    assert all(len(phone.token) >= 32 and len(phone.web_password) >= 16 for phone in phones)
    assert all(phone.stale_since and phone.revision == 1 for phone in phones)
    cells = str(list(Change.objects.filter(model="phones.phone").values_list("cells", flat=True)))
    assert not any(phone.token in cells or phone.web_password in cells for phone in phones)


def test_an_administrator_of_a_department_gives_phones_to_his_people_only(
    boreale: Customer, ines: User, amelie: User, felix: User
) -> None:
    nurse = make_user(boreale, "110", "Paul", "Soigneux", department="Soins")
    assert not add(ines, boreale, nurse, "805ec0000001").errors
    assert add(ines, boreale, amelie, "805ec0000002").errors["user"]
    assert add(ines, boreale, None, "805ec0000003").errors[""]
    mine = Phone.objects.get()
    assert services.phone_plan(ines, boreale, nurse, {}).refused
    for values in ({"user": felix.pk}, {"user": None}):
        with pytest.raises(road.RefusedError):
            services.phone_change(ines, boreale, mine, values, FACTS)
    stock = make_phone(boreale, None)
    with pytest.raises(road.RefusedError):
        services.phone_change(ines, boreale, stock, {"user": nurse.pk}, FACTS)
    with pytest.raises(road.RefusedError):
        services.phone_delete(ines, boreale, stock, FACTS)
    services.phone_delete(ines, boreale, mine, FACTS)
    assert list(Phone.objects.all()) == [stock]


def test_another_customers_phones_and_people_dont_exist(
    boreale: Customer, laurier: Customer, felix: User
) -> None:
    stranger = make_user(laurier, "101")
    theirs = make_phone(laurier, stranger)
    assert add(felix, boreale, stranger, "805ec0000001").errors["user"]
    assert services.phone_delete(felix, boreale, theirs, FACTS) is None
    with pytest.raises(road.RefusedError):
        services.phone_change(felix, boreale, theirs, {"lldp": False}, FACTS)
    assert services.phone_command(felix, theirs, Phone.Command.RESTART, FACTS)
    with pytest.raises(road.RefusedError):
        services.reveal_secret(felix, theirs, "sip", FACTS)
    with pytest.raises(road.RefusedError):
        services.token_rotate(felix, theirs, FACTS)
    sbc = Sbc.objects.create(customer=laurier, name="Laurier", address="10.0.0.5")
    ours = make_phone(boreale, felix)
    with pytest.raises(road.RefusedError):
        services.phone_change(felix, boreale, ours, {"connection": "sbc", "sbc": sbc.pk}, FACTS)


def test_everybody_deletes_his_own_phone_as_any_other(boreale: Customer, felix: User) -> None:
    phone = make_phone(boreale, felix)
    assert services.phone_delete(felix, boreale, phone, FACTS)
    assert not Phone.objects.exists()


def test_a_receptionist_gives_no_commands(phone: Phone, amelie: User) -> None:
    assert services.phone_command(amelie, phone, Phone.Command.RESTART, FACTS)
    assert not Operation.objects.filter(kind="command").exists()


def test_nothing_is_assigned_that_isnt_a_setting(phone: Phone, felix: User, boreale: Customer) -> None:
    for name in (
        "token",
        "web_password",
        "customer",
        "revision",
        "stale_since",
        "sip_port",
        "mac",
        "id",
        "fetched_from",
    ):
        plan = road.plan(felix, boreale, sections.phone_sheet(), [road.Row(phone.pk, {name: "1"})])
        assert plan.refused, name


# --- What a model can do ---
def test_every_setting_of_the_tab_changes_what_the_phone_is_served(
    boreale: Customer, amelie: User, settings: Any, tmp_path: Any
) -> None:
    settings.MEDIA_ROOT = tmp_path
    Customer.objects.filter(pk=boreale.pk).update(edition="enterprise")
    boreale.refresh_from_db()
    sbc = Sbc.objects.create(customer=boreale, name="Bureau", address="10.0.0.5", port=5080)
    other = Sbc.objects.create(customer=boreale, name="Rive-Sud", address="10.0.1.5")
    phone = fetched(make_phone(boreale, amelie, MAC))
    # What is chosen before, where the setting waits for another choice; and what is chosen then.
    vlans: dict[str, Any] = {"vlan_wan_enabled": True, "vlan_pc_enabled": True}
    behind = {"connection": "sbc", "sbc": sbc.pk}
    cases: list[tuple[str, dict[str, Any], Any]] = [
        ("model", {}, "yealink-t57w"),
        ("connection", {}, "direct"),
        ("connection", {"connection": "direct"}, "lan"),
        ("connection", {"sbc": sbc.pk}, "sbc"),
        ("connection", behind, "lan"),
        ("sbc", behind, other.pk),
        ("language", {}, "en"),
        ("time_zone", {}, "America/Vancouver"),
        ("date_format", {}, "DD/MM/YYYY"),
        ("time_format", {}, "12"),
        ("transfer_mode", {}, "blind"),
        ("power_led", {}, "voicemail_and_missed"),
        ("screensaver_seconds", {}, "60"),
        ("backlight_seconds", {}, "0"),
        ("logo", {}, upload()),
        ("logo", {"logo": upload()}, None),
        ("logo", {"logo": upload()}, upload(colour="blue")),
        ("ringtone", {}, "ring5"),
        ("queue_ringtone", {}, "ring6"),
        ("codecs", {}, ["PCMU", "G722"]),
        ("vlan_wan_id", vlans, "20"),
        ("vlan_wan_priority", vlans, "5"),
        ("vlan_pc_id", vlans, "30"),
        ("vlan_pc_priority", vlans, "6"),
        ("sidecars", {}, "1"),
    ]
    cases += [
        (field.name, {}, "" if field.default else "on")
        for field in Settings._meta.local_fields
        if isinstance(field, YesNoField)
    ]
    names = {column.name for column in (sections.MODEL, *sections.SETTINGS)}
    assert names == {name for name, _before, _value in cases}, "a setting that this test doesn't know"
    columns = [field.attname for field in Phone._meta.concrete_fields if field.name in names]
    as_new = Phone.objects.filter(pk=phone.pk).values(*columns).get()
    for name, before, value in cases:
        if before:
            services.phone_change(factories.provider(), boreale, again(phone), before, FACTS)
        served = fetch(phone).content
        assert again(phone).stale_since is None
        services.phone_change(factories.provider(), boreale, again(phone), {name: value}, FACTS)
        assert again(phone).stale_since, name
        assert fetch(phone).content != served, name
        Phone.objects.filter(pk=phone.pk).update(**as_new)


def test_a_value_that_the_model_doesnt_have_is_refused_by_name(boreale: Customer, amelie: User) -> None:
    grey = make_phone(boreale, amelie, model="yealink-t31g")
    for values in (
        {"sidecars": 1},
        {"backlight_seconds": 17},
        {"time_zone": "Asia/Tokyo"},
        {"language": "xx"},
        {"ringtone": "ring10"},
        {"vlan_wan_id": 5000},
        {"vlan_pc_priority": 8},
        {"codecs": []},
        {"codecs": "OPUS"},
        {"date_format": "x\ny"},
    ):
        plan = road.plan(factories.provider(), boreale, sections.phone_sheet(), [road.Row(grey.pk, values)])
        assert set(plan.rows[0].errors) == set(values), values


def test_a_new_model_takes_over_what_it_can_and_tells_what_it_cant(boreale: Customer, amelie: User) -> None:
    phone = make_phone(boreale, amelie, model="yealink-t54w", sidecars=2, backlight_seconds=60)
    plan = services.phone_change(factories.provider(), boreale, phone, {"model": "yealink-t31g"}, FACTS)
    now = again(phone)
    assert (now.model, now.sidecars, now.backlight_seconds) == ("yealink-t31g", 0, 60)
    assert list(plan.rows[0].warnings) == ["sidecars"]
    # The editor sends every column of its tab: what stands there as before isn't a wish.
    back = services.phone_change(
        factories.provider(), boreale, now, {"model": "yealink-t54w", "sidecars": "0"}, FACTS
    )
    assert not back.rows[0].warnings


def test_a_phone_behind_an_sbc_says_behind_which(boreale: Customer, amelie: User) -> None:
    assert add(factories.provider(), boreale, amelie, MAC, connection="sbc").errors["sbc"]
    sbc = Sbc.objects.create(customer=boreale, name="Bureau", address="10.0.0.5", port=5080)
    phone = make_phone(boreale, amelie, MAC, connection="sbc", sbc=sbc.pk)
    text = services.phone_file_text(phone)
    assert "account.1.outbound_proxy.1.address = 10.0.0.5" in text
    assert "account.1.sip_server.1.address = boreale.example.com" in text


def test_a_department_in_a_zone_that_the_phone_doesnt_know_asks_for_one(
    boreale: Customer, amelie: User
) -> None:
    type(amelie.primary_department).objects.update(time_zone="Asia/Tokyo")
    assert "Asia/Tokyo" in add(factories.provider(), boreale, amelie, MAC).errors["time_zone"][0]
    assert not add(factories.provider(), boreale, amelie, MAC, time_zone="America/Toronto").errors


@pytest.mark.parametrize("model", models(), ids=lambda model: model.slug)
def test_the_form_of_every_model_saves_as_it_opens(boreale: Customer, amelie: User, model: Any) -> None:
    phone = make_phone(boreale, amelie, model=model.slug)
    assert services.phone_file_text(phone)
    scope = Scope(factories.provider(), boreale)
    form = settings_form(scope, phone)
    assert len(form.fields) > 10
    drawn = [part for group in form.parts for part in (group, *group.parts)]
    assert sorted(bound.name for part in drawn for bound in part.fields) == sorted(form.fields)
    typed = {name: form.initial[name] for name in form.fields}
    plan = road.plan(factories.provider(), boreale, sections.phone_sheet(), [road.Row(phone.pk, typed)])
    assert plan.rows[0].outcome == "unchanged", plan.rows[0].errors


# --- The file for people ---
def test_the_shown_file_marks_what_is_new_and_shows_no_secret(phone: Phone, amelie: User) -> None:
    assert services.file_for_page(phone).same
    assert services.phone_file_diff(phone) == []
    factories.rename(amelie, "Anne")
    shown = services.file_for_page(phone)
    assert (shown.fetched, shown.same, shown.name) == (True, False, f"{MAC}.cfg")
    marked = {(line.sign, line.text) for line in shown.lines if line.sign != " "}
    assert ("+", "account.1.display_name = Anne Tremblay") in marked
    assert ("-", "account.1.display_name = Amélie Tremblay") in marked
    everything = "\n".join(line.text for line in shown.lines)
    for secret in (phone.token, phone.web_password, amelie.sip_password, amelie.sip_auth_id):
        assert secret not in everything
    assert "account.1.user_name = 101" in everything


def test_a_file_that_cant_be_written_says_why(boreale: Customer, phone: Phone) -> None:
    Phone.objects.filter(pk=phone.pk).update(time_zone="Asia/Tokyo")
    assert "time_zone" in services.file_for_page(phone).problem
    Phone.objects.filter(pk=phone.pk).update(model="yealink-t99")
    assert services.file_for_page(phone).problem
    assert services.file_for_page(make_phone(boreale, None)).problem


def test_the_technicians_command(phone: Phone, amelie: User) -> None:
    def run(*arguments: str) -> str:
        out = StringIO()
        call_command("phone_file", *arguments, stdout=out)
        return out.getvalue()

    masked = run("80:5E:C0:D5:7D:72")
    assert "account.1.display_name = Amélie Tremblay" in masked
    assert amelie.sip_password not in masked
    assert phone.token not in masked
    assert run(MAC, "--show-secrets") == fetch(phone).content.decode()
    assert run(MAC, "--diff") == ""
    factories.rename(amelie, "Anne")
    assert "+account.1.display_name = Anne Tremblay\n" in run(MAC, "--diff")
    for wrong in ("805ec0d57d73", "nonsense", "8,05E+11"):
        with pytest.raises(CommandError) as told:
            run(wrong)
        assert "\n" not in str(told.value)
        assert told.value.returncode == 1


def test_settings_can_be_kept_as_text_without_secrets(phone: Phone, amelie: User) -> None:
    text = services.settings_as_text(again(phone))
    assert "80:5E:C0:D5:7D:72" in text
    assert "G722, PCMU, PCMA, G729" in text
    assert phone.token not in text
    assert phone.web_password not in text


# --- Secrets ---
@pytest.mark.parametrize("which", list(SECRETS))
def test_a_shown_secret_is_in_the_history_without_its_value(
    phone: Phone, amelie: User, felix: User, which: str
) -> None:
    secret = services.reveal_secret(felix, phone, which, FACTS)
    expected = {
        "sip": amelie.sip_password,
        "web": phone.web_password,
        "link": f"http://127.0.0.1:8000/p/{phone.token}/",
    }
    assert secret == expected[which]
    operation = Operation.objects.get(kind="reveal")
    change = operation.changes.get()
    assert (operation.actor_pk, change.subject_pk) == (felix.pk, amelie.pk)
    assert secret not in str(change.cells)


# --- The list of users, and what a deleted user takes with them ---
@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("80:5E:C0", True),
        ("d57d72", True),
        ("D5-7D", True),
        ("57d", False),
        ("deadbeef", False),
        ("Zoé", False),
    ],
)
def test_people_are_found_by_a_part_of_their_phones_mac(
    phone: Phone, amelie: User, felix: User, typed: str, found: bool
) -> None:
    assert list(User.objects.filter(in_lists.search_by_mac(typed))) == ([amelie] if found else [])


def test_the_list_shows_everybodys_phones_with_one_query_and_without_a_secret(
    boreale: Customer, felix: User, amelie: User
) -> None:
    for person in (felix, felix, amelie):
        make_phone(boreale, person)
    people = list(User.objects.of(boreale).defer("password", "sip_password"))
    with CaptureQueriesContext(connection) as queries:
        facts = in_lists.phones_in_list(people)
    assert len(queries) == 1
    for secret in ('token"', "web_password", "fetched_text", "sip_password"):
        assert f'"{secret}' not in queries[0]["sql"]
    assert {key: len(phones) for key, phones in facts.items()} == {felix.pk: 2, amelie.pk: 1}
    assert facts[amelie.pk][0].state.kind == "never"
    assert list(User.objects.of(boreale).filter(sections.PHONES.adds.filters["no_phone"][1])) == []


def test_the_first_page_counts_phones_as_the_tab_tells_them(
    phone: Phone, boreale: Customer, felix: User, ines: User
) -> None:
    make_phone(boreale, felix)
    Phone.objects.filter(pk=fetched(make_phone(boreale, ines)).pk).update(stale_since=phone.fetched_at)
    make_phone(boreale, None)
    with CaptureQueriesContext(connection) as queries:
        tiles = overview.tiles(felix, boreale)
    assert len(queries) == 1
    assert [(tile.kind, tile.count) for tile in tiles] == [
        ("ok", 1),
        ("wait", 1),
        ("bad", 0),
        ("wait", 1),
        ("bad", 0),
    ]


def test_deleting_a_user_returns_the_phones_to_stock_with_another_link(
    phone: Phone, amelie: User, boreale: Customer, felix: User
) -> None:
    removal = road.plan_removal(factories.provider(), boreale, user_sheet(), [amelie.pk])
    assert any("80:5E:C0:D5:7D:72" in sentence for sentence in removal.staying)
    assert not any("80:5E:C0:D5:7D:72" in sentence for sentence in removal.lost_with(amelie.pk))
    operation = road.remove(removal, FACTS)
    assert fetch(phone).status_code == 404, "nobody's phone is served nothing"
    kept = Phone.objects.get(pk=phone.pk)
    assert (kept.user, kept.customer, kept.fetched_at, kept.fetched_text) == (
        None,
        boreale,
        phone.fetched_at,
        "",
    )
    assert Change.objects.filter(operation=operation, object_pk=kept.pk, model="phones.phone").count() == 2
    assert str(amelie) in str(
        Change.objects.filter(object_pk=kept.pk, model="phones.phone").values_list("cells")
    )
    services.phone_change(factories.provider(), boreale, kept, {"user": felix.pk}, FACTS)
    assert fetch(phone).status_code == 404, "whoever still has the phone isn't Félix"
    assert fetch(Phone.objects.get(pk=phone.pk)).status_code == 200


def test_whoever_deletes_may_have_the_phones_deleted_as_well(
    phone: Phone, amelie: User, boreale: Customer
) -> None:
    removal = road.plan_removal(factories.provider(), boreale, user_sheet(), [amelie.pk])
    assert [(keep.name, goes) for keep, goes in removal.boxes] == [("phones", False)]
    removal.along = frozenset({"phones"})
    assert any("80:5E:C0:D5:7D:72" in sentence for sentence in removal.lost_with(amelie.pk))
    assert removal.staying == []
    road.remove(removal, FACTS)
    assert not Phone.objects.filter(pk=phone.pk).exists()


def test_an_administrator_of_a_department_loses_no_phone_of_whom_they_delete(
    boreale: Customer, ines: User
) -> None:
    colleague = make_user(boreale, "110", "Léa", "Roy", department="Soins")
    phone = fetched(make_phone(boreale, colleague))
    road.remove(road.plan_removal(ines, boreale, user_sheet(), [colleague.pk]), FACTS)
    assert Phone.objects.get(pk=phone.pk).user is None
    other = fetched(make_phone(boreale, make_user(boreale, "111", "Zoé", "Roy", department="Soins")))
    assert services.phone_move_plan(ines, boreale, other, None).refused, (
        "by hand it takes whoever acts on the whole company"
    )


def test_support_staff_are_told_whose_phone_it_is_and_nobody_else(
    phone: Phone, laurier: Customer, boreale: Customer
) -> None:
    staff = services.phone_plan(
        factories.provider(), laurier, None, {"mac": factories.MAC, "model": "yealink-t54w"}
    )
    assert "Clinique Boréale" in str(staff.rows[0].errors["mac"])
    assert "101 Amélie Tremblay" in str(staff.rows[0].errors["mac"])
    owner = make_user(laurier, "101", "Luc", "Roy", role="system_owners", department="Accueil")
    told = services.phone_plan(owner, laurier, None, {"mac": factories.MAC, "model": "yealink-t54w"})
    assert "Boréale" not in str(told.rows[0].errors["mac"])
    assert "Amélie" not in str(told.rows[0].errors["mac"])
    sent = {"mac": factories.MAC, "model": "yealink-t54w"}
    for somebody, sees in ((make_staff(), True), (owner, False)):
        page = sign_in_fully(Client(), somebody).post("/c/laurier/users/101/phones/add", sent)
        assert page.status_code == 422
        assert (f"/c/boreale/users/101/phone?phone={factories.MAC}" in page.content.decode()) is sees


# --- Where a virtual phone looks ---
def test_the_address_of_a_phone_by_its_mac(phone: Phone) -> None:
    assert selectors.provisioning_address("80:5E:C0:D5:7D:72") == (
        f"http://127.0.0.1:8000/p/{phone.token}/",
        5060,
    )
    assert selectors.provisioning_address("805ec0d57d73") is None


# --- The settings, one fact each ---
def test_every_setting_has_its_column_and_what_models_offer_of_it_under_the_same_name() -> None:
    settings = [setting.name for setting in fields(PhoneSettings)]
    assert [offer.name for offer in fields(Offers)] == settings
    columns = {column.name for column in Settings._meta.local_fields}
    # How it connects, which picture, how many modules: not settings of a file that many phones share.
    assert columns - build.SETTING_COLUMNS.keys() == {"connection", "sbc", "logo", "sidecars"}
    assert set(build.SETTING_COLUMNS.values()) == set(settings)


def test_a_ringtone_is_read_as_3cx_writes_it(boreale: Customer) -> None:
    column, scope = phone_sheet().columns["ringtone"], Scope(factories.provider(), boreale)
    assert column.from_cell("Ring 1", scope) == "ring1"
    assert column.from_cell(column.to_cell("splash", scope), scope) == "splash"


def test_a_person_without_a_first_name_is_called_by_the_last_one_on_phones(boreale):
    nameless = make_user(boreale, "205", "", "Tremblay")
    phone = make_phone(boreale, nameless)
    assert build.contexts_for([phone])[phone.pk].account.label == "205 Tremblay"
    assert "account.1.label = 205 Tremblay" in services.phone_file_text(phone)
