"""The portal's look holds: contrast in both themes, nothing inline, every drawing there, rows that speak."""

import re
from pathlib import Path

import pytest
from django import forms
from django.conf import settings
from django.core.paginator import Paginator
from django.http import QueryDict
from django.template import Context, Template
from django.template.loader import get_template, render_to_string
from django.utils import translation

from pbxadmin.common.templatetags import portal

pytestmark = pytest.mark.slow("reads all the templates and styles")

ROOT = Path(settings.BASE_DIR)
STYLE = (ROOT / "static/pbxadmin/portal.css").read_text(encoding="utf-8")
SPRITE = (ROOT / "static/pbxadmin/icons.svg").read_text(encoding="utf-8")
TEMPLATES = sorted(path for kind in ("*.html", "*.html.j2") for path in (ROOT / "templates").rglob(kind))

TEXT, SHAPE = 4.5, 3.0  # WCAG 2.2: 1.4.3 for text, 1.4.11 for the shapes one must make out
PAIRS = [
    *[
        (ink, ground, TEXT)
        for ink in ("ink", "ink-2", "accent")
        for ground in ("page", "card", "raised", "sunken", "rail")
    ],
    *[(ink, f"{ink}-soft", TEXT) for ink in ("accent", "ok", "wait", "bad", "info")],
    *[("ink", f"{kind}-soft", TEXT) for kind in ("accent", "ok", "wait", "bad", "info")],
    *[("ink-2", f"{kind}-soft", TEXT) for kind in ("accent", "ok", "wait", "bad", "info")],
    *[(ink, ground, TEXT) for ink in ("ok", "wait", "bad", "info") for ground in ("page", "card", "raised")],
    ("on-accent", "accent", TEXT),
    ("on-accent", "accent-strong", TEXT),
    ("on-bad", "bad", TEXT),
    ("on-bad", "bad-strong", TEXT),
    ("on-night", "night", TEXT),
    ("night-bad", "night", TEXT),
    *[("edge", ground, SHAPE) for ground in ("card", "page", "raised")],
    *[("focus", ground, SHAPE) for ground in ("page", "card", "raised", "rail", "sunken")],
]


def tokens(selector: str) -> dict[str, str]:
    block = STYLE.split(selector + " {", 1)[1].split("}", 1)[0]
    return dict(re.findall(r"--([\w-]+):\s*([^;]+);", block))


LIGHT = tokens(":root")
DARK = tokens(':root[data-theme="dark"]')


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(("ink", "ground", "least"), PAIRS, ids=[f"{a} on {b}" for a, b, _ in PAIRS])
def test_every_ink_stands_out_from_every_ground_it_is_used_on(theme, ink, ground, least):
    assert contrast(theme[ink], theme[ground]) >= least


def test_dark_by_choice_and_dark_by_the_system_are_the_same_table():
    assert tokens(':root:not([data-theme="light"], [data-theme="dark"])') == DARK
    assert set(DARK) == set(LIGHT)


def test_no_colour_is_written_outside_the_tokens():
    rest = STYLE.split("/* 2. Ground", 1)[1].split("/* 11. Paper", 1)[0]
    assert re.findall(r"#[0-9a-fA-F]{3,8}\b(?![\w-]*\s*[{,>:.~+])", rest) == []


@pytest.mark.parametrize(
    "path", TEMPLATES, ids=[str(path.relative_to(ROOT / "templates")) for path in TEMPLATES]
)
def test_no_template_has_inline_script_or_style(path):
    if "mail" in path.parts:
        return  # a mail client loads no style sheet: mails carry their style in the tags
    text = re.sub(r"{% comment.*?endcomment %}|{#.*?#}", "", path.read_text(encoding="utf-8"), flags=re.S)
    assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:|hx-on|<script(?![^>]*\ssrc=)", text)


def test_every_drawing_that_a_template_names_exists():
    drawn = set(re.findall(r'<symbol id="([\w-]+)"', SPRITE))
    named: dict[str, str] = {}
    for path in TEMPLATES:
        for name in re.findall(
            r'(?:{% icon (?:[\w.]+\|default:)?|\bicon\()"([\w-]+)"|icon="([\w-]+)"',
            path.read_text(encoding="utf-8"),
        ):
            named["".join(name)] = path.name
    assert {name: path for name, path in named.items() if name not in drawn} == {}


def test_every_component_says_what_it_takes():
    partials = [path for path in TEMPLATES if path.parent == ROOT / "templates/partials"]
    silent = [
        p.name for p in partials if not p.read_text(encoding="utf-8").startswith(("{% comment %}", "{#"))
    ]
    assert silent == []


def test_a_server_error_page_needs_no_context():
    page = get_template("500.html").render()
    assert "<h1>" in page
    assert "csrfmiddlewaretoken" not in page


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("Amélie Tremblay", "AT"),
        ("Élodie Le Pelletier", "ÉP"),
        ("Support", "S"),
        ("  ", "?"),
        ("(Jean) d’Arc", "JD"),
        ("\u202e💥", "?"),
    ],
)
def test_initials_are_the_first_letters_of_first_and_last_name(name, letters):
    assert portal.initials(name) == letters


def test_a_day_is_drawn_in_percent_whatever_the_language_writes_for_a_decimal_point():
    with translation.override("fr-ca"):
        drawn = Template("{% load portal %}{{ 500|of_day }} {{ 500|until:1020|of_day }}").render(Context())
    assert drawn == "34.72% 36.11%"


def test_a_period_past_midnight_is_drawn_to_the_end_of_its_day():
    assert portal.until(1320, 360) == 120


def test_page_links_keep_the_search_and_the_filters():
    link = portal.page_url(Context(), 4, QueryDict("q=roy&role=user&role=owner&page=3"))
    assert QueryDict(link[1:]) == QueryDict("q=roy&role=user&role=owner&page=4")


def test_a_page_list_leaves_out_what_is_far_away():
    page = Paginator(range(500), 25).page(10)
    assert portal.page_numbers(page) == [1, page.paginator.ELLIPSIS, 9, 10, 11, page.paginator.ELLIPSIS, 20]


class Form(forms.Form):
    email = forms.EmailField(label="Email", help_text="Where voicemail goes.")
    seconds = forms.IntegerField(label="Delay", required=False)
    away = forms.BooleanField(label="Switch", required=False)
    hours = forms.ChoiceField(
        label="Hours", widget=forms.RadioSelect, choices=[("d", "Default"), ("s", "Specific")]
    )
    dids = forms.MultipleChoiceField(
        label="DIDs", widget=forms.CheckboxSelectMultiple, choices=[("1", "514 555-0101")], required=False
    )
    logo = forms.ChoiceField(label="Logo", choices=[("", "None")], required=False)


def row(form: forms.Form, name: str, **said: object) -> str:
    return portal.field(form[name], **said)


def described(html: str) -> list[str]:
    ids = re.search(r'aria-describedby="([^"]*)"', html)
    return ids.group(1).split() if ids else []


def test_a_refused_field_names_its_error_and_help_to_a_screen_reader():
    html = row(Form({"email": "ines@"}), "email", warning="Take care.")
    assert 'aria-invalid="true"' in html
    assert described(html) == ["id_email_error", "id_email_warning", "id_email_helptext"]
    assert all(f'id="{name}"' in html for name in described(html))


def test_what_somebody_else_saved_is_shown_beside_what_was_typed_and_escaped():
    form = Form({"email": "ines@boreale.example"})
    form.theirs = {"email": '"><script>alert(1)</script>'}
    form.theirs_by = {"email": "Félix Gagnon"}
    html = row(form, "email")
    assert 'value="ines@boreale.example"' in html
    assert "Félix Gagnon" in html
    assert "<script>" not in html
    assert "id_email_theirs" in described(html)


def test_a_yes_or_no_is_a_switch_and_a_group_has_a_legend():
    form = Form({"hours": "nonsense"})
    assert 'role="switch"' in row(form, "away")
    group = row(form, "hours")
    assert "<fieldset" in group
    assert "<legend" in group
    assert described(group) == ["id_hours_error"]
    radio = re.search(r'<input type="radio"[^>]*>', group)
    assert radio is not None
    assert "aria-invalid" not in radio.group()
    assert "form-check-input" in row(form, "dids")


def test_a_locked_field_is_disabled_and_says_why():
    html = row(Form(), "logo", locked="Enterprise edition only.")
    assert re.search(r"<select[^>]*disabled", html)
    assert "Enterprise edition only." in html


def test_what_a_page_calls_its_own_things_does_not_leak_into_a_row():
    page = Template(
        "{% load portal %}{% with warning='of the page' %}{% field form.email unit='s' %}{% endwith %}"
    )
    html = page.render(Context({"form": Form()}))
    assert "of the page" not in html
    assert '<span class="unit" id="id_email_unit">s</span>' in html


def test_the_error_summary_leads_to_each_refused_field():
    html = render_to_string("partials/errors.html", {"form": Form({"email": "ines@", "hours": "d"})})
    assert re.findall(r'href="#([^"]+)"', html) == ["id_email"]
    assert render_to_string("partials/errors.html", {"form": Form()}).strip() == ""


def test_a_secret_that_was_not_asked_for_is_not_in_the_page():
    shut = render_to_string("partials/secret.html", {"id": "sip", "what": "SIP password", "reveal_url": "/r"})
    assert "•" in shut
    assert "<code" not in shut
    opened = render_to_string("partials/secret.html", {"id": "sip", "what": "SIP password", "value": "zk<4"})
    assert "zk&lt;4" in opened


def test_a_full_contract_is_said_in_words_and_never_drawn_beyond_its_bar():
    class Gauge:
        used, included, percent, over = 27, 25, 108, True

    with translation.override("en"):
        html = render_to_string("partials/gauge.html", {"gauge": Gauge})
    assert "27 of 25" in html
    assert "More than the contract includes." in html
    assert 'width="100%" height="100%"></rect></svg>' in " ".join(html.split())
