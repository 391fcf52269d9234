"""The cheap parts of a page: menus, and Django's widgets from its Jinja2 templates."""

import re
from typing import Any

import pytest
from django import forms
from django.forms.renderers import DjangoTemplates
from django.utils import translation

from pbxadmin.common.rendering import Menu, WidgetRenderer, options, part


def test_the_options_of_a_menu_are_escaped_and_one_is_chosen() -> None:
    html = options([("a", "A & B"), ('"', "<b>")], "a", disabled={'"'})
    assert html == (
        '<option value="a" selected>A &amp; B</option><option value="&quot;" disabled>&lt;b&gt;</option>'
    )


def test_a_menu_shows_what_is_chosen_in_each_of_its_places() -> None:
    menu = Menu([("a", "One"), ("b", "Two")])
    assert 'value="a" selected' in menu.options("a")
    assert 'value="b" selected' in menu.options("b")
    assert "selected" not in menu.options("")
    assert "b" in menu
    assert "c" not in menu


def test_a_part_escapes_what_it_is_given_and_speaks_the_readers_language() -> None:
    with translation.override("fr-ca"):
        html = part("partials/move.html.j2", item='"><script>', value=3)
    assert "<script>" not in html
    assert "Monter" in html


@pytest.mark.parametrize(
    ("widget", "value"),
    [
        (forms.TextInput({"maxlength": 10_000, "required": True}), '"<é'),
        (forms.NumberInput({"min": 0, "step": 0.5}), 1_234),
        (forms.CheckboxInput(), True),
        (forms.Textarea({"rows": 3}), "a\nb"),
        (forms.Select(choices=[("", "—"), ("Group", [("1", "<One>"), ("2", "Two")])]), "2"),
        (forms.RadioSelect(choices=[("1", "One"), ("2", "Two")]), "1"),
        (forms.CheckboxSelectMultiple({"id": "x"}, choices=[("1", "One"), ("2", "Two")]), ["2"]),
    ],
    ids=lambda each: type(each).__name__,
)
def test_a_widget_of_django_is_the_same_in_either_of_its_template_languages(
    widget: forms.Widget, value: Any
) -> None:
    rendered = [widget.render("n", value, renderer=made()) for made in (WidgetRenderer, DjangoTemplates)]
    ours, theirs = (re.findall(r"<[^>]*>|[^<>\s]+", html.replace("&#34;", "&quot;")) for html in rendered)
    assert ours == theirs
