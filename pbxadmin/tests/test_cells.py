"""Cells of files: what a column writes reads back as the same value, whatever the language of whoever writes or reads."""

from datetime import UTC, date, datetime, time
from random import Random

import pytest
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import override

from forwarding.hours import Holiday, Period
from forwarding.tabs.columns import DestinationColumn
from forwarding.tabs.week_columns import HolidaysColumn, PeriodsColumn
from pbxadmin.common import cells
from pbxadmin.common.columns import Blank, Column, Scope
from pbxadmin.common.fields import YES, PhoneNumberField
from pbxadmin.common.references import LinkedColumn, ReferenceColumn
from pbxadmin.common.values.destinations import BUSY, SAME, VOICEMAIL, Destination, Kind
from phones.keys.columns import KeysColumn, KeyValue
from phones.models import Sbc
from phones.settings.columns import CodecsColumn, ModelColumn, OfferedColumn, UserColumn
from phones.vendors import models as phone_models
from users.models import Department, SystemExtension, User
from users.people.sections.visualiser import VisibilityColumn
from users.road import SHEETS
from users.tests.factories import make_customer, make_staff, make_user
from voicemail.models import Greeting

pytestmark = [pytest.mark.django_db, pytest.mark.slow("writes and reads every column of every sheet")]

EACH_SHEET = pytest.mark.parametrize("sheet", SHEETS.values(), ids=list(SHEETS))


def in_files(sheet):
    """The columns of a sheet that a file holds."""
    return [column for column in sheet.columns.values() if column.csv and not column.secret]


# Names that would fall apart: the separator, its escape, what visibility writes, a name that is another one's key.
NAMES = ["Comptabilité", "Accueil: jour", "A\\B", "a=b, c+", "7", "590590 | Benevento - Via X", "\\"]


@pytest.fixture
def world(db):
    """A customer with people, departments of hard names, system extensions, SBCs and greetings."""
    customer = make_customer(has_microsoft_365=True, has_google=True, edition="enterprise")
    for name in NAMES:
        Department.objects.create(customer=customer, name=name)
        Sbc.objects.create(customer=customer, name=name, address="192.168.1.20")
    for number, kind in (("801", "ring_group"), ("802", "queue"), ("803", "ivr")):
        SystemExtension.objects.create(customer=customer, number=number, name=f"Groupe : {number}", kind=kind)
    Greeting.objects.create(name="Fermé pour les Fêtes", name_en="Closed for the holidays")
    make_user(customer, "101")
    make_user(customer, "102", "Félix", "Gagnon")
    return Scope(make_staff(), customer)


def some(choose: Random, things, at_most: int = 3):
    """A few of them, sorted, as sets of references are kept."""
    things = list(things)
    return tuple(sorted(choose.sample(things, min(len(things), choose.randint(0, at_most)))))


def week(choose: Random):
    """Periods in order, two on some days."""
    return tuple(
        Period(day, time(start, choose.choice((0, 15, 45))), time(start + 3, 0))
        for day in range(7)
        for start in (8, 13)
        if choose.random() < 0.4
    )


def keys(choose: Random, people, systems):
    """A list of keys of every kind, with gaps."""
    kinds = [
        ("line",), ("blf", choose.choice(people)), ("speed_dial", choose.choice(people)),
        ("custom_speed_dial", None, "8663062224,,,225", "Labo <A&B>", 'dit "Le"'), ("custom_speed_dial", None, "*9104"),
        ("shared_parking", None, "SP1"), ("agent", None, "login"), ("agent", None, "logout"), ("status", None, "business_trip"),
        ("blf", None, "", "", "", choose.choice(systems)), ("unknown", None, '<BLF ID="-1" BLFType="Teleport" BLFTypeID="42">Mars&#10;!</BLF>'),
    ]  # fmt: skip
    return tuple(
        KeyValue(position, *choose.choice(kinds)) for position in sorted(choose.sample(range(1, 40), 6))
    )


def samples(column, scope, choose):
    """Values that a column may hold."""
    inner = getattr(column, "inner", column)
    people = list(User.objects.of(scope.customer).values_list("pk", flat=True))
    field = getattr(inner, "field", None)
    departments = sorted(Department.objects.of(scope.customer).values_list("pk", flat=True))
    match inner:
        case ReferenceColumn() | LinkedColumn():
            options = [option.key for option in inner.options(scope)]
            if isinstance(inner, LinkedColumn):
                return [some(choose, options, 5) for _number in range(20)] + [tuple(sorted(options))]
            return options + ([None] if field.null and field.blank else [])
        case UserColumn():
            return [None, *people]
        case PeriodsColumn():
            return [(), *(week(choose) for _number in range(10))]
        case HolidaysColumn():
            first = Holiday(date(2026, 12, 24), date(2027, 1, 2), 'Fêtes; "les", vraies', False)
            return [(), (first,), (Holiday(date(2026, 7, 1), date(2026, 7, 1), "", True), first)]
        case DestinationColumn():
            wanted = [VOICEMAIL, BUSY, Destination(Kind.EXTENSION, "101", voicemail=True), Destination(Kind.SYSTEM, "801"),
                      Destination(Kind.EXTERNAL, "+15145550142", bounce=True, deflect=True), SAME]  # fmt: skip
            return [each for each in wanted if not _refused(inner, each)]
        case KeysColumn():
            systems = list(SystemExtension.objects.of(scope.customer).values_list("pk", flat=True))
            return [(), *(keys(choose, people, systems) for _number in range(20))]
        case VisibilityColumn():
            rows = [
                (department, *(choose.choice((True, False, None)) for _name in range(4)))
                for department in departments
            ]
            return [(), tuple(row for row in rows if any(value is not None for value in row[1:]))]
        case ModelColumn():
            return [model.slug for model in phone_models()]
        case CodecsColumn():
            return ["G722,PCMU", "PCMA", "G729,PCMU,G722,PCMA"]
        case OfferedColumn():
            offered = [value for model in phone_models() for value in inner.offered(model)]
            return sorted(set(offered)) + ([""] if inner.blank_label else [])
    if field.choices:
        return [value for value, _label in field.flatchoices if value or value == 0] + (
            [""] if field.blank and not field.null else []
        )
    if isinstance(field, models.BooleanField):
        return [True, False]
    if isinstance(field, models.DateTimeField):
        return [None, datetime(2026, 11, 27, 14, 0, 30, 5, tzinfo=UTC)]
    if isinstance(field, PhoneNumberField):
        return ["+15145550142", "+33123456789", *([""] if field.blank else [])]
    if isinstance(field, models.IntegerField):
        small = {"level": 40, "extension_digits": 4, "sidecars": 2}
        named = small.get(field.name, 6 if "vlan" in field.name else 30)
        return [named, *([None] if field.null else [])]
    if isinstance(field, models.SlugField) and field.name == "name":
        return ["montreal-2"]  # of a node
    known = {
        "host": ["sip.example.com", "10.1.2.3"], "networks": ["203.0.113.0/28, 2001:db8::5"], "username": ["nord-1@sip.example.com"],
        "number": ["101", "0043"], "mac": ["805ec0123456"], "email": ["amelie@boreale.example"], "slug": ["boreale"], "address": ["10.1.2.3"],
        "fqdn": ["boreale.example.com"], "time_zone": ["America/St_Johns", "Europe/Paris"], "countries": ["CA FR US"],
        "talk_name": ["AmelieTremblay"], "sip_id": ["amelie101"], "google_hosted_domain": ["boreale.example"],
        "microsoft_tenant_id": ["8210986b-9412-497f-ad77-3a554f4a9bdb"], "microsoft_client_id": ["8210986b-9412-497f-ad77-3a554f4a9bdb"],
        "google_client_id": ["1234.apps.googleusercontent.com"],
    }  # fmt: skip
    texts = known.get(field.name) or ["Zoé", "=1+1", "  ".join("ab"), 'O\'Connor; « x », "y"', "0"]
    return texts + ([None if field.null else ""] if field.blank else [])


def _refused(column, value) -> bool:
    try:
        column.field.run_validators(value)
    except ValidationError:
        return True
    return False


@EACH_SHEET
def test_what_a_column_writes_it_reads_again_as_the_same_value_in_every_language(world, sheet):
    for column in in_files(sheet):
        values = samples(column, world, Random(column.name))
        assert values, column.name
        for value in values:
            texts = set()
            for language, _name in settings.LANGUAGES:
                with override(language):
                    texts.add(column.to_cell(value, Scope(world.actor, world.customer)))
            assert len(texts) == 1, (column.name, texts)
            (text,) = texts
            for language, _name in settings.LANGUAGES:
                with override(language):
                    read = column.from_cell(text, world)
                    assert read == value, (column.name, text)
                    assert type(read) is type(value) or isinstance(value, str), (column.name, text)
                    # What was read is what a row of a plan takes.
                    assert column.clean(read, world) == value, (column.name, text)


@EACH_SHEET
def test_choices_are_read_by_their_words_in_every_language(world, sheet):
    for column in in_files(sheet):
        inner = getattr(column, "inner", column)
        field = getattr(inner, "field", None)
        if not getattr(field, "choices", None) or isinstance(inner, ReferenceColumn):
            continue
        for language, _name in settings.LANGUAGES:
            with override(language):
                labels = [(value, str(label)) for value, label in field.flatchoices if value]
            for reader, _label in settings.LANGUAGES:
                with override(reader):
                    for value, label in labels:
                        assert column.from_cell(f" {label.upper()} ", world) == value, column.name
                        assert column.from_cell(str(value), world) == value, column.name


def everything(name: str = "users.user") -> dict[str, Column]:
    return SHEETS[name].columns


@pytest.mark.parametrize("word", [*sorted(YES), "OUI ", "Vrai"])
def test_yes_is_read_in_all_its_words_and_the_other_way_round_where_the_file_says_the_opposite(world, word):
    assert everything()["disabled"].from_cell(word, world) is True
    for name in ("voicemail.pin_disabled", "ms365_sso", "google_calendar"):
        assert everything()[name].from_cell(word, world) is False


def test_what_is_neither_yes_nor_no_is_refused(world):
    for name in ("disabled", "voicemail.pin_disabled"):
        with pytest.raises(ValidationError, match="ja"):
            everything()[name].from_cell("ja", world)


@pytest.mark.parametrize(
    ("name", "value", "cell"),
    [
        ("voicemail.pin_disabled", True, "0"),
        ("voicemail.pin_disabled", False, "1"),
        ("block_remote", True, "1"),
        ("ms365_teams", True, "0"),
        ("google_sso", False, "1"),
        ("talk_ask", "nothing", "3"),
        ("voicemail.play_date_time", "h24", "2"),
        ("voicemail.email_option", "attach_delete", "3"),
        ("srtp", "enforced", "2"),
        ("role", "users", '<role name="users" />'),
        ("voicemail.language", "fr-CA", "0D767FEA-10A3-4ba4-8A57-FE74BDABE4E5"),
        ("mobile", "+15145550142", "+15145550142"),
        ("available.ring_mobile", True, "1"),
    ],
)
def test_columns_of_3cx_say_what_3cx_says(world, name, value, cell):
    assert everything()[name].to_cell(value, world) == cell


@pytest.mark.parametrize(
    "text", ["users", "Utilisateur", "<Role  foo='1' name='users'/>", ' <role name="USERS"></role>']
)
def test_a_role_is_read_as_xml_in_any_spelling_or_as_its_bare_name(world, text):
    assert everything()["role"].from_cell(text, world) == "users"


def test_a_reference_is_never_read_as_somebody_elses_key(world):
    """The department called "7" isn't the one whose key is 7, and the key of one is no name of it."""
    column = everything()["primary_department"]
    seven = Department.objects.of(world.customer).get(name="7")
    assert column.from_cell("7", world) == seven.pk
    other = Department.objects.of(world.customer).exclude(name="7").first()
    if str(other.pk) != "7":
        with pytest.raises(ValidationError):
            column.from_cell(str(other.pk), world)


def test_departments_and_numbers_are_read_as_people_write_them(world):
    comptabilite = Department.objects.of(world.customer).get(name="Comptabilité")
    assert everything()["primary_department"].from_cell("  COMPTABILITE ", world) == comptabilite.pk
    did = world.customer.dids.first()
    national = f"({did.number[2:5]}) {did.number[5:8]}-{did.number[8:]}"
    assert everything()["dids"].from_cell(f"{national}:", world) == (did.pk,)


def test_a_star_stands_for_any_prefix_of_a_number_where_only_one_fits(world):
    first, second = world.customer.dids.order_by("number")
    column = everything()["dids"]
    assert column.from_cell(f"*{first.number[-7:]}:*{second.number[-4:]}", world) == (first.pk, second.pk)
    for text in ("*5550", "*", "*1+1", f"*9{first.number[2:]}", "*555"):
        with pytest.raises(ValidationError):
            column.from_cell(text, world)


def test_what_another_customer_has_is_unknown_in_a_file(world):
    other = make_customer("laurier", name="Librairie Laurier")
    with pytest.raises(ValidationError, match="existe pas ici"):
        everything()["dids"].from_cell(other.dids.first().number, world)
    make_user(other, "105")
    with pytest.raises(ValidationError):
        everything("phones.phone")["user"].from_cell("105", world)


def test_a_secret_has_no_cell_unless_it_is_asked_for(world):
    secret = [column for sheet in SHEETS.values() for column in sheet.columns.values() if column.secret]
    assert secret
    for column in secret:
        assert column.to_cell("204731", world) == ""
        assert column.to_cell("204731", world, secrets=True) == "204731"


# --- File names ---------------------------------------------------------------------------------------------------
@EACH_SHEET
def test_every_column_has_a_file_name_of_its_own_however_names_are_compared(sheet):
    names = [column.csv for column in sheet.columns.values() if column.csv]
    compared = ["".join(sign for sign in name.casefold() if sign.isalnum()) for name in names]
    assert sorted(compared) == sorted(set(compared))
    assert all(name.isascii() for name in names)


def test_those_without_a_file_name_say_so():
    without = {
        f"{sheet.label}.{column.name}"
        for sheet in SHEETS.values()
        for column in sheet.columns.values()
        if not column.csv
    }
    assert without == {
        "users.user.status_after",
        "users.customer.microsoft_client_secret",
        "users.customer.google_client_secret",
        "asterisk.trunk.trunk_password",
        "phones.phone.logo",
        # A library isn't in a file: people's choices are, by the greeting's name.
        *(f"voicemail.greeting.{name}" for name in ("name", "user", "sound", "made", "deleted_at")),
    }


V20 = [
    "Number",
    "FirstName",
    "LastName",
    "EmailAddress",
    "MobileNumber",
    "OutboundCallerID",
    "DID",
    "Role",
    "Department",
    "ClickToCallAuth",
    "WMApprove",
    "WebMeetingFriendlyName",
    "VMEnable",
    "VMLanguage",
    "VMPlayMsgDateTime",
    "VMPIN",
    "VMEmailOptions",
    "VMNoPin",
    "VMPlayCallerID",
    "RecordCanSee",
    "RecordCanDelete",
    "RecordStartStop",
    "RecordNotify",
    "Transcription",
    "Disabled",
    "HideFWrules",
    "DisableExternalCalls",
    "HideInPhonebook",
    "CallScreening",
    "PinProtected",
    "PinTimeout",
    "AllowLanOnly",
    "SIPID",
    "DeliverAudio",
    "HotDesk",
    "SRTPMode",
    "EmailMissedCalls",
    "MS365SignInDisabled",
    "MS365CalendarDisabled",
    "MS365ContactsDisabled",
    "MS365TeamsDisabled",
    "GoogleSignInDisabled",
    "GoogleContactsDisabled",
    "GoogleCalendarDisabled",
    "BLF",
]


def test_the_columns_of_3cx_carry_its_names():
    assert set(V20) <= {column.csv for column in everything().values()}
    assert {"MAC", "Model", "Router", "Language", "Ringtone", "QRingtone"} <= {
        column.csv for column in everything("phones.phone").values()
    }


# --- Blank cells --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("sheet", "name", "new", "existing"),
    [
        ("users.user", "number", Blank.EMPTY, Blank.LEAVE),
        ("users.user", "mobile", Blank.EMPTY, Blank.EMPTY),
        ("users.user", "role", Blank.DEFAULT, Blank.LEAVE),
        ("users.user", "primary_department", Blank.LEAVE, Blank.LEAVE),
        ("users.user", "voicemail.pin", Blank.LEAVE, Blank.LEAVE),
        ("users.user", "talk_name", Blank.LEAVE, Blank.LEAVE),
        ("users.user", "status", Blank.LEAVE, Blank.LEAVE),
        ("users.user", "disabled", Blank.DEFAULT, Blank.DEFAULT),
        ("users.user", "do_not_disturb.accept_push", Blank.DEFAULT, Blank.DEFAULT),
        ("users.user", "voicemail.language", Blank.DEFAULT, Blank.DEFAULT),
        ("users.user", "away.greeting", Blank.EMPTY, Blank.EMPTY),
        ("users.user", "dids", Blank.EMPTY, Blank.EMPTY),
        ("users.department", "name", Blank.REFUSE, Blank.REFUSE),
        ("phones.phone", "mac", Blank.REFUSE, Blank.LEAVE),
        ("phones.phone", "user", Blank.EMPTY, Blank.LEAVE),
        ("phones.phone", "sbc", Blank.EMPTY, Blank.EMPTY),
        ("phones.phone", "ringtone", Blank.DEFAULT, Blank.DEFAULT),
    ],
)
def test_a_blank_cell_means(sheet, name, new, existing):
    column = everything(sheet)[name]
    assert (column.blank(record_is_new=True), column.blank(record_is_new=False)) == (new, existing)


def test_a_blank_cell_gives_what_it_means(world):
    columns = everything()
    assert columns["voicemail.pin"].said(" ", world, record_is_new=False) == {}
    assert columns["role"].said("", world, record_is_new=True) == {"role": "users"}
    assert columns["mobile"].said("", world, record_is_new=False) == {"mobile": ""}
    assert columns["block_remote"].said("", world, record_is_new=False) == {"block_remote": True}
    assert columns["voicemail.pin_disabled"].said("", world, False) == {"voicemail.pin_disabled": False}
    # What a new record has isn't the model field's default in every status.
    assert columns["do_not_disturb.accept_push"].said("", world, False) == {
        "do_not_disturb.accept_push": False
    }
    assert columns["available.accept_push"].said("", world, False) == {"available.accept_push": True}
    with pytest.raises(ValidationError):
        everything("users.department")["name"].said("", world, record_is_new=False)


@EACH_SHEET
def test_what_a_blank_cell_gives_is_a_value_of_the_column(world, sheet):
    for column in in_files(sheet):
        for new in (True, False):
            if column.blank(new) is not Blank.REFUSE:
                for value in column.said("", world, new).values():
                    assert column.clean(value, world) == value, column.name


# --- Keys as XML --------------------------------------------------------------------------------------------------
LIVE = (
    '<PhoneDevice><BLFS><BLF BLFTypeID="0" BLFNo="2" ID="31" BLFType="BLF">101</BLF><BLF ID="-1" BLFNo="4" BLFType="CustomSpeedDial" '
    'BLFTypeID="2">*9104\r\nLabo\r\nB &amp; C</BLF><BLF ID="LOGGEDOUTQUEUE" BLFNo="5" BLFType="QueueLogin" BLFTypeID="4">DEFINED BY ID'
    '</BLF><BLF ID="-1" BLFNo="7" BLFType="ProfileStatus" BLFTypeID="5">3</BLF><BLF ID="-1" BLFNo="9" BLFType="Line" BLFTypeID="6" />'
    "</BLFS></PhoneDevice>"
)  # fmt: skip


def test_keys_are_read_from_what_a_live_system_writes(world):
    amelie = User.objects.get(customer=world.customer, number="101")
    assert everything()["keys"].from_cell(LIVE, world) == (
        KeyValue(2, "blf", amelie.pk),
        KeyValue(4, "custom_speed_dial", None, "*9104", "Labo", "B & C"),
        KeyValue(5, "agent", None, "logout"),
        KeyValue(7, "status", None, "lunch"),
        KeyValue(9, "line"),
    )
    assert everything()["keys"].from_cell("<PhoneDevice><BLFS /></PhoneDevice>", world) == ()


@pytest.mark.parametrize(
    "text",
    [
        '<!DOCTYPE a [<!ENTITY b "c">]><PhoneDevice><BLFS /></PhoneDevice>',
        "<PhoneDevice><BLFS>",
        "<BLF>10100@ext</BLF>",
        '<PhoneDevice><BLFS><BLF BLFNo="1" BLFTypeID="0">999</BLF></BLFS></PhoneDevice>',
        '<PhoneDevice><BLFS><BLF BLFNo="x" BLFTypeID="6"/></BLFS></PhoneDevice>',
        '<PhoneDevice><BLFS><BLF BLFNo="1" BLFTypeID="5">7</BLF></BLFS></PhoneDevice>',
        f"<PhoneDevice>{' ' * 20_480}</PhoneDevice>",
    ],
)
def test_what_is_no_list_of_keys_is_refused(world, text):
    with pytest.raises(ValidationError):
        everything()["keys"].from_cell(text, world)


# --- Several names in one cell ------------------------------------------------------------------------------------
def test_any_names_in_one_cell_come_apart_again():
    choose = Random(1)
    for _number in range(500):
        names = ["".join(choose.choices("ab:\\ \n=", k=choose.randint(1, 6))) for _place in range(4)]
        names = [name for name in names if name.strip()]
        assert list(cells.parts(cells.joined(names))) == names


def test_a_cell_costs_no_query_of_its_own(world, django_assert_num_queries):
    phone = everything("phones.phone")["user"]
    with django_assert_num_queries(1):
        for number in ("101", "102", "101"):
            assert phone.to_cell(phone.from_cell(number, world), world) == number
