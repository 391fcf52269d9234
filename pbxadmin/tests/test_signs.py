"""Signs that look like another one, or like nothing, are read as what they look like; and names are sought and sorted as people do."""

import time
import unicodedata

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given, settings
from hypothesis import strategies as st

from forwarding.periods import day_of, line_of, text_of, week_of
from pbxadmin.common import fields
from pbxadmin.common.searching import Folded, named
from pbxadmin.common.values.signs import _COMBINING, as_it_looks, folded, plainly, unshowable, words_of
from phones.settings.columns import mac_address
from users.models import Customer

INVISIBLE = {
    "soft hyphen": "\u00ad",
    "zero-width blank": "\u200b",
    "word joiner": "\u2060",
    "byte order mark": "\ufeff",
    "left-to-right mark": "\u200e",
    "right-to-left mark": "\u200f",
    "left-to-right embedding": "\u202a",
    "end of an embedding": "\u202c",
    "isolate": "\u2068",
    "joiner": "\u200d",
    "non-joiner": "\u200c",
    "variant": "\ufe0f",
    "language tag": "\U000e0001",
    "tags": "\U000e0052\U000e006f\U000e0079",
}
# Apple's contacts wrap a copied number in an override to the direction that it has anyhow; of a name it would make another one.
OVERRIDDEN = "\u202d{}\u202c"
BLANKS = ["\u00a0", "\u2007", "\u2009", "\u202f", "\u3000", "\u2800", "\u3164"]
HYPHENS = ["\u2010", "\u2011", "\u2012", "\u2013", "\u2014", "\u2212", "\ufe63", "\uff0d"]


@pytest.mark.parametrize("sign", INVISIBLE.values(), ids=INVISIBLE)
def test_what_is_drawn_as_nothing_is_nothing(sign: str) -> None:
    assert as_it_looks(f"{sign}Jean{sign}Luc{sign}") == "JeanLuc"
    assert fields.phone_number_e164(f"{sign}514{sign} 555-0123{sign}") == "+15145550123"
    assert mac_address(f"{sign}80:5e{sign}:c0:12:34:56") == "805ec0123456"
    assert line_of(day_of(f"8:00{sign}-12:00{sign}", 0), 0) == "8:00-12:00"
    assert words_of(f"trem{sign}blay") == ["tremblay"]


def test_what_wraps_a_copied_number_is_nothing_in_numbers_and_refused_in_names() -> None:
    assert fields.phone_number_e164(OVERRIDDEN.format("514 555-0123")) == "+15145550123"
    assert mac_address(OVERRIDDEN.format("80:5e:c0:12:34:56")) == "805ec0123456"
    with pytest.raises(ValidationError):
        fields.OneLineFormField().clean(OVERRIDDEN.format("Amélie"))
    with pytest.raises(ValidationError):
        fields.phone_number_e164("\u202e514 555-0123\u202c")


@pytest.mark.parametrize("blank", BLANKS)
def test_a_blank_of_any_width_is_a_blank(blank: str) -> None:
    assert as_it_looks(f"Le{blank}Blanc") == "Le Blanc"
    assert fields.OneLineFormField().clean(f"{blank}Amélie{blank}") == "Amélie"
    assert fields.phone_number_e164(f"514{blank}555{blank}0123") == "+15145550123"
    assert mac_address(f"{blank}80{blank}5e{blank}c0 12 34 56") == "805ec0123456"
    assert text_of(week_of(f"mon{blank}8:00{blank}-{blank}12:00")) == "mon 8:00-12:00"


@pytest.mark.parametrize("hyphen", HYPHENS)
def test_a_hyphen_of_any_length_is_a_hyphen(hyphen: str) -> None:
    assert as_it_looks(f"Jean{hyphen}Luc") == "Jean-Luc"
    assert fields.phone_number_e164(f"514{hyphen}555{hyphen}0123") == "+15145550123"
    assert mac_address(f"80{hyphen}5e{hyphen}c0{hyphen}12{hyphen}34{hyphen}56") == "805ec0123456"
    assert line_of(day_of(f"8:00 {hyphen} 12:00", 0), 0) == "8:00-12:00"


def test_a_dash_between_blanks_and_an_apostrophe_as_printed_were_meant() -> None:
    assert as_it_looks("Ventes – Laval, l’Assomption") == "Ventes – Laval, l’Assomption"
    assert as_it_looks("D´Amours, D\u02bcAmours") == "D'Amours, D'Amours"


@pytest.mark.parametrize("text", ["👩\u200d💻", "می\u200cخواهم", "क्\u200dष", "❤\ufe0f"])
def test_what_joins_letters_of_its_script_or_a_picture_stays(text: str) -> None:
    assert as_it_looks(text) == unicodedata.normalize("NFC", text)


def test_digits_are_read_whatever_keyboard_they_come_from() -> None:
    assert as_it_looks("Ａｍéｌｉｅ　１０１") == "Amélie 101"
    assert fields.phone_number_e164("５１４－５５５－０１２３") == "+15145550123"
    with pytest.raises(ValidationError):
        fields.phone_number_e164("٥١٤ ٥٥٥ ٠١٢٣")
    assert mac_address("８０：５ｅ：ｃ０：１２：３４：５６") == "805ec0123456"
    assert line_of(day_of("８：００－１２：００", 0), 0) == "8:00-12:00"


@pytest.mark.parametrize(
    "text",
    [
        "a\nb",
        "a\x00",
        "a\u2028b",
        "a\u202eb",
        "a\u202bb",
        "a\u2067b",
        "a\ud800",
        "a\ue000",
        "a\ufffe",
        "Leb\ufffduf",
    ],
    ids=ascii,
)
def test_what_cannot_be_shown_or_turns_the_text_around_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        fields.OneLineFormField().clean(text)
    with pytest.raises(ValidationError):
        fields.refuse_control_characters(text)


@settings(deadline=None)
@given(st.text())
def test_reading_twice_reads_the_same(text: str) -> None:
    assert as_it_looks(as_it_looks(text)) == as_it_looks(text)
    assert plainly(plainly(text)) == plainly(text)
    assert folded(as_it_looks(text)) == folded(text)


@settings(deadline=None)
@given(st.text("aàâäbcçdeéèêëfiîïoôöuùûüyÿ xyz-", max_size=30))
def test_accents_go_as_they_go_for_the_whole_text(text: str) -> None:
    whole = unicodedata.normalize("NFKD", text.casefold())
    assert folded(text) == "".join(sign for sign in whole if not unicodedata.combining(sign))


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("D’Amours", "damours"), ("D'Amours", "damours"), ("L`Écuyer", "lecuyer"), ("Lebœuf", "leboeuf"), ("LEBŒUF", "leboeuf"),
        ("Læticia", "laeticia"), ("Strauß", "strauss"), ("Øystein Łukasz", "oystein lukasz"), ("Jean‑Luc", "jean-luc"), ("Noe\u0308l", "noel"),
    ],
)  # fmt: skip
def test_a_name_is_folded_to_what_is_typed_for_it(name: str, plain: str) -> None:
    assert folded(name) == plain


@settings(deadline=None)
@given(st.text(max_size=30))
def test_what_is_printable_can_be_shown(text: str) -> None:
    if text.isprintable():
        assert unshowable(text) == ("\ufffd" in text)


# --- In the database ---------------------------------------------------------------------------------------------
LETTERS = "".join(chr(code) for code in (*range(0x20, 0x180), *range(0x1E00, 0x1F00)) if chr(code).isalpha())
NAMES = ["Éclair", "eau vive", "Œuvre", "Oeuf", "D’Amours", "Damour", "Zoé", "abricot", "Ça va", "Léa-Anne"]


@pytest.mark.django_db
@pytest.mark.both_databases("names are folded by functions of each database")
def test_both_databases_fold_every_letter_as_python_does() -> None:
    one = Customer.objects.create(name="x", slug="x", fqdn="x.example.com")
    for letter in (*LETTERS, *"'’`‘ʼ´-–‑"):
        Customer.objects.filter(pk=one.pk).update(name=f"a{letter}b")
        found = Customer.objects.filter(pk=one.pk).values_list(Folded("name"), flat=True).get()
        assert found == folded(f"a{letter}b"), letter
    # Signs of one name may be known by different tables.
    for name in (
        "O'Brien-Roy 012",
        "L`Écuyer, D’Amours",
        "Ẅœuvre Łukasz fin",
        "Đặng Thị ẞtraße",
        "Œ" * 40,
        "Ẁ Ñandú",
    ):
        Customer.objects.filter(pk=one.pk).update(name=name)
        assert Customer.objects.values_list(Folded("name"), flat=True).get(pk=one.pk) == folded(name), name


@pytest.mark.django_db
@pytest.mark.both_databases("names are folded by functions of each database")
def test_both_databases_sort_and_search_names_as_people_do() -> None:
    for place, name in enumerate(NAMES):
        Customer.objects.create(name=name, slug=f"c{place}", fqdn=f"c{place}.example.com")
    assert list(Customer.objects.values_list("name", flat=True)) == sorted(NAMES, key=folded)
    for sought, name in [
        ("damours", "D’Amours"),
        ("d'amours", "D’Amours"),
        ("oeuvre", "Œuvre"),
        ("ŒUF", "Oeuf"),
        ("lea anne", "Léa-Anne"),
    ]:
        assert list(Customer.objects.filter(named("name", sought)).values_list("name", flat=True)) == [name]


@pytest.mark.parametrize("signs", ["\u0316\u0301", "\u0316\u034f\u0301", "\u0f73", "\u0344\u0316"])
def test_an_endless_run_of_signs_that_combine_takes_no_time(signs: str) -> None:
    begun = time.process_time()
    for read in (as_it_looks, plainly, folded):
        assert len(read("e" + signs * 40_000 + "z")) < 100
    assert time.process_time() - begun < 0.5


def test_letters_with_many_accents_keep_them() -> None:
    assert as_it_looks("e\u0301" + "\u0316" * 20 + "x") == unicodedata.normalize(
        "NFC", "e\u0301" + "\u0316" * 20 + "x"
    )


def test_no_sign_begins_with_one_that_combines_and_is_not_known_to() -> None:
    begin = (chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000)
    unknown = [sign for sign in begin if unicodedata.combining(unicodedata.normalize("NFD", sign)[0])]
    assert set(unknown) <= set(_COMBINING)
