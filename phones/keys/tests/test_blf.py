"""Keys as 3CX's file has them: kinds that the portal doesn't know, and what is told of cells that say no keys."""

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import translation

from pbxadmin.common.columns import Scope
from pbxadmin.common.reasons import reasons_of
from phones.keys import blf
from phones.keys.columns import KEYS_COLUMN, KeyValue
from phones.keys.tests.test_keys import key_settings, keys_of, plan_keys, set_keys
from phones.keys.tests.test_keys_page import LABELS, TAB, fields, shown, typed
from phones.models import Phone
from phones.tests.factories import change, provider
from signin.tests.signing import sign_in_fully
from users.models import Change, Customer, User

pytestmark = [pytest.mark.django_db, pytest.mark.slow("opens page after page")]

TELEPORT = '<BLF ID="-1" BLFNo="1" BLFType="Teleport" BLFTypeID="42">Mars</BLF>'
KEPT = '<BLF ID="-1" BLFType="Teleport" BLFTypeID="42">Mars</BLF>'


def cell(*keys: str) -> str:
    """A cell with these keys."""
    return f"<PhoneDevice><BLFS>{''.join(keys)}</BLFS></PhoneDevice>"


@pytest.fixture
def scope(boreale: Customer, amelie: User) -> Scope:
    return Scope(provider(), boreale)


@pytest.fixture
def office(client: Client, felix: User) -> Client:
    """Félix, who administers the whole company, signed in and reading English."""
    client.cookies["django_language"] = "en"
    return sign_in_fully(client, felix)


# --- A kind that only 3CX knows -----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "key",
    [
        TELEPORT,
        '<BLF ID="LOGGEDIN" BLFNo="7" BLFType="Teleport" BLFTypeID="42">Une ligne\nÉtage &lt;2&gt; &amp; 3\t.</BLF>',
        '<BLF ID="-1" BLFNo="240" BLFType="None" BLFTypeID="-1" />',
        '<BLF BLFNo="3" BLFTypeID="99" Colour="&quot;red&quot;" Note="a&#10;b">x</BLF>',
    ],
    ids=range(4),
)
def test_a_key_of_an_unknown_kind_is_kept_and_comes_out_unchanged(
    scope: Scope, amelie: User, key: str
) -> None:
    change(amelie, **KEYS_COLUMN.said(cell(key), scope, False))
    (saved,) = keys_of(amelie)
    assert (saved.kind, "\n" in saved.value) == ("unknown", False)
    assert KEYS_COLUMN.to_cell(keys_of(amelie), scope) == cell(key).replace("'", '"')
    assert KEYS_COLUMN.from_cell(KEYS_COLUMN.to_cell(keys_of(amelie), scope), scope) == keys_of(amelie)


def test_the_same_key_in_another_spelling_is_no_change(scope: Scope, amelie: User) -> None:
    change(amelie, **KEYS_COLUMN.said(cell(TELEPORT), scope, False))
    again = "<BLF BLFNo='1'  ID='-1' BLFType='Teleport' BLFTypeID='42'>Mars</BLF>"
    assert plan_keys(amelie, KEYS_COLUMN.from_cell(cell(again), scope)).rows[0].outcome == "unchanged"


def test_it_is_blank_on_the_phone_and_named_in_the_history(phone: Phone, scope: Scope, amelie: User) -> None:
    change(amelie, **KEYS_COLUMN.said(cell(TELEPORT), scope, False))
    assert key_settings(phone, "linekey.1")[0] == "0"
    (kept,) = Change.objects.latest("pk").cells
    with translation.override("en"):
        assert KEYS_COLUMN.show(kept["new"], scope) == "1 Unknown type Teleport · Mars"


def test_the_tab_draws_it_as_what_it_is_and_a_save_of_another_key_keeps_it(
    office: Client, phone: Phone, scope: Scope, amelie: User
) -> None:
    change(amelie, **KEYS_COLUMN.said(cell(TELEPORT), scope, False))
    page = office.get(TAB)
    assert shown(page) == [("1", "Unknown type Teleport · Mars")]
    assert "kept for the phone system; blank on the phone" in page.content.decode()
    assert office.post(TAB, fields(page) | typed(2, "line")).status_code == 302
    assert keys_of(amelie) == (KeyValue(1, "unknown", None, KEPT), KeyValue(2, "line"))
    page = office.post(TAB, fields(office.get(TAB)) | {"move": "1:down"})
    assert shown(page)[1] == ("2", "Unknown type Teleport · Mars")
    assert office.get(LABELS).context["sheets"][0][1][0] == (1, "", "")


@pytest.mark.parametrize("kind", ["blank", "line"])
def test_it_can_be_replaced_and_removed(
    office: Client, phone: Phone, scope: Scope, amelie: User, kind: str
) -> None:
    change(amelie, **KEYS_COLUMN.said(cell(TELEPORT), scope, False))
    assert office.post(TAB, fields(office.get(TAB)) | typed(1, kind)).status_code == 302
    assert [key.kind for key in keys_of(amelie)] == ([kind] if kind == "line" else [])


@pytest.mark.parametrize(
    "forged",
    ["", "x", "<BLF/>", TELEPORT.replace("42", "0"), "<b>x</b>", '<!DOCTYPE a><BLF BLFTypeID="42"/>', '<BLF BLFTypeID="42"><i/></BLF>',
     '<BLF BLFTypeID="42">\u202eabc</BLF>', '<BLF xml:lang="fr" BLFTypeID="42"/>', "<a>" * 5_000, f'<BLF BLFTypeID="42">{"x" * 20_480}</BLF>'],
    ids=range(11),
)  # fmt: skip
def test_a_form_that_makes_one_up_is_refused_and_shown_again(
    office: Client, phone: Phone, amelie: User, forged: str
) -> None:
    page = office.post(TAB, fields(office.get(TAB)) | typed(1, "unknown", kept=forged))
    assert page.status_code == 422
    assert keys_of(amelie) == ()


def test_a_list_of_many_kept_keys_is_no_longer_than_the_phone_system_takes(scope: Scope) -> None:
    long = [
        KeyValue(position, "unknown", None, KEPT.replace("Mars", "x" * 5_000)) for position in range(1, 6)
    ]
    with pytest.raises(ValidationError) as refused:
        KEYS_COLUMN.clean(long, scope)
    assert [reason.code for reason in reasons_of(refused.value)] == ["too_long"]


# --- What is told of a cell ---------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "code"),
    [
        (cell('<BLF ID="73" BLFNo="1" BLFType="BLF" BLFTypeID="0">398</BLF>'), "blf_target"),
        (cell('<BLF BLFNo="1" BLFTypeID="1"/>'), "blf_target"),
        (cell('<BLF BLFNo="1" BLFTypeID="5">7</BLF>'), "blf_value"),
        (cell('<BLF BLFNo="1" BLFTypeID="3">SP1000</BLF>'), "blf_value"),
        (cell('<BLF BLFNo="1" BLFTypeID="4" ID="-1">DEFINED BY ID</BLF>'), "blf_value"),
        (cell('<BLF BLFNo="1" BLFTypeID="2">javascript:alert(1)\na\nb</BLF>'), "blf_value"),
        (cell('<BLF BLFNo="2" BLFTypeID="6"/><BLF BLFNo="2" BLFTypeID="0">101</BLF>'), "blf_value"),
        (cell('<BLF BLFNo="0" BLFTypeID="6"/>'), "blf_value"),
        (cell('<BLF BLFNo="241" BLFTypeID="6"/>'), "blf_value"),
        (cell('<BLF BLFTypeID="6"/>'), "blf_value"),
        (cell("<BLF>101@ext</BLF>"), "blf_value"),
        (cell(f'<BLF BLFNo="1" BLFTypeID="2">5145550149\n{"x" * 60}\n</BLF>'), "too_long"),
        (cell(f'<BLF BLFNo="1" BLFTypeID="2">5145550149\n{"x" * 20_480}\n</BLF>'), "too_long"),
        ('<PhoneDevice><BLFS><BLF ID="9"', "blf_xml"),
        ('<!DOCTYPE x [<!ENTITY a "aaaa">]>' + cell('<BLF BLFNo="1" BLFTypeID="2">1\n&a;\nx</BLF>'), "blf_xml"),
        (cell('<blf BLFNo="1" BLFTypeID="6"/>'), "blf_xml"),
        ('<PhoneDevice><Keys><BLF BLFNo="1" BLFTypeID="6"/></Keys></PhoneDevice>', "blf_xml"),
        (cell("101, 102"), "blf_xml"),
        ("<Phone/>", "blf_xml"),
        ("101, 102", "blf_xml"),
    ],
    ids=range(20),
)  # fmt: skip
def test_a_cell_without_a_meaning_says_which_mistake_it_is_and_names_no_page(
    scope: Scope, text: str, code: str
) -> None:
    with translation.override("en"), pytest.raises(ValidationError) as refused:
        KEYS_COLUMN.said(text, scope, record_is_new=False)
    (reason,) = reasons_of(refused.value)
    assert reason.code == code
    assert "eload" not in reason


def test_a_page_that_sends_what_no_page_sends_is_told_to_be_reloaded(scope: Scope) -> None:
    with translation.override("en"):
        for raw in ("{", [{"position": 0, "kind": "line"}], [{"position": 1, "kind": "bomb"}]):
            with pytest.raises(ValidationError) as refused:
                KEYS_COLUMN.clean(raw, scope)
            assert refused.value.messages[0].endswith("Reload the page and make your changes again.")


@pytest.mark.parametrize("text", [cell(), "<PhoneDevice><BLFS /></PhoneDevice>", "<PhoneDevice/>", "", "  "])
def test_a_list_without_keys_empties_them_and_is_no_change_where_there_are_none(
    scope: Scope, amelie: User, text: str
) -> None:
    assert KEYS_COLUMN.said(text, scope, record_is_new=False) == {"keys": ()}
    assert plan_keys(amelie, ()).rows[0].outcome == "unchanged"
    assert KEYS_COLUMN.to_cell((), scope) == ""


def test_the_keys_of_the_given_files_read_as_they_say(scope: Scope, amelie: User, felix: User) -> None:
    text = cell(
        "<BLF ID='-1' BLFType='Line' BLFNo='1' BLFTypeID='6'></BLF>",
        '<BLF ID="4711" BLFNo="2" BLFType="BLF" BLFTypeID="0">102</BLF>',
        '<BLF ID="-1" BLFNo="3" BLFType="CustomSpeedDial" BLFTypeID="2">15145550148,,,225#\r\nÉpicerie\r\n'
        "Chez &quot;Lou&quot; &lt;quai&gt;</BLF>",
        '<BLF ID="-1" BLFNo="4" BLFType="CustomSpeedDial" BLFTypeID="2">*9104\nPage\n</BLF>',
        '<BLF ID="6" BLFNo="12" BLFType="SharedParking" BLFTypeID="3">SP999</BLF>',
    )
    keys = KEYS_COLUMN.from_cell(text, scope)
    assert keys == (
        KeyValue(1, "line"),
        KeyValue(2, "blf", felix.pk),
        KeyValue(3, "custom_speed_dial", None, "15145550148,,,225#", "Épicerie", 'Chez "Lou" <quai>'),
        KeyValue(4, "custom_speed_dial", None, "*9104", "Page"),
        KeyValue(12, "shared_parking", None, "SP999"),
    )
    set_keys(amelie, *(key._asdict() for key in keys))
    assert KEYS_COLUMN.from_cell(KEYS_COLUMN.to_cell(keys_of(amelie), scope), scope) == keys
    assert blf.read(KEYS_COLUMN.to_cell(keys, scope))[0] == blf.Entry(1, "line")
