"""What stands many times on one page, rendered cheaply: rows of forms, widgets, menus, drawings.

Pages are Django templates. Their smallest parts, of which a page has dozens or hundreds, are Jinja2 templates beside them
(`*.html.j2`): compiled to Python, one costs a tenth of what it would cost in Django's language. `{% part %}` puts one into a page.
"""

import unicodedata
from collections.abc import Container, Iterable
from functools import cache, lru_cache
from typing import Any

from django.conf import settings
from django.forms.renderers import Jinja2, TemplatesSetting
from django.templatetags.static import static
from django.utils.html import conditional_escape, format_html, format_html_join, linebreaks
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext, ngettext, npgettext, pgettext
from jinja2 import Environment, FileSystemLoader, StrictUndefined


@lru_cache(maxsize=1_000)
def icon(name: str, label: str = "", css: str = "") -> SafeString:
    """The drawing `name` of icons.svg; without `label` it is decoration and hidden from screen readers.

    A page has up to two hundred of them, of a dozen kinds: each is put together once in a process.
    """
    href = f"{static('pbxadmin/icons.svg')}#{name}"
    classes = f"icon {css}".strip()
    if label:
        return format_html(
            '<svg class="{}" role="img" aria-label="{}"><use href="{}"></use></svg>', classes, label, href
        )
    return format_html(
        '<svg class="{}" aria-hidden="true" focusable="false"><use href="{}"></use></svg>', classes, href
    )


TINTS = 4


def initials(name: object) -> str:
    """The first letters of a name's first and last word, in capitals: "Élodie Le Pelletier" is ÉP."""
    words = [word for word in str(name).split() if any(character.isalnum() for character in word)]
    # "101 Amélie Tremblay": the extension isn't part of the name.
    words = [word for word in words if not any(character.isdigit() for character in word)] or words
    if not words:
        return "?"
    chosen = words if len(words) == 1 else [words[0], words[-1]]
    letters = (next(character for character in word if character.isalnum()) for word in chosen)
    return unicodedata.normalize("NFC", "".join(letters)).upper()


def tint(name: object) -> int:
    """Which of the four face colours a name gets; the same name always gets the same one."""
    return sum(ord(character) for character in str(name)) % TINTS


MINUTES_OF_A_DAY = 24 * 60


def of_day(minutes: int) -> str:
    """How far `minutes` after midnight (0..1440) is along a day's bar: a percentage, for SVG."""
    return f"{min(max(minutes, 0), MINUTES_OF_A_DAY) * 100 / MINUTES_OF_A_DAY:.4g}%"


def until(start: int, end: int) -> int:
    """Minutes from `start` to `end`; an end before the start lies after midnight and is cut there."""
    return (end if end > start else MINUTES_OF_A_DAY) - start


@cache
def _hour_lines() -> SafeString:
    """The lines of a day's bar at the full hours between two midnights."""
    return format_html_join(
        "",
        '<line class="hour" x1="{0}" x2="{0}" y1="0" y2="100%"></line>',
        ((of_day(hour * 60),) for hour in range(1, 24)),
    )


def _paragraphs(text: str) -> SafeString:
    """A text of several paragraphs as HTML."""
    return mark_safe(linebreaks(text, autoescape=True))  # noqa: S308 - `linebreaks` escapes  # nosec B308 B703


@cache
def environment() -> Environment:
    """The Jinja2 of the portal's parts: everything is escaped, nothing may be missing."""
    made = Environment(
        loader=FileSystemLoader(settings.BASE_DIR / "templates"),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=settings.DEBUG,
        extensions=["jinja2.ext.i18n"],
    )
    made.install_gettext_callables(  # type: ignore[attr-defined]
        gettext, ngettext, newstyle=True, pgettext=pgettext, npgettext=npgettext
    )
    made.globals["icon"] = icon
    made.globals["hour_lines"] = _hour_lines
    made.filters["linebreaks"] = _paragraphs
    made.filters["initials"] = initials
    made.filters["tint"] = tint
    made.filters["of_day"] = of_day
    made.filters["until"] = until
    return made


def part(name: str, **said: Any) -> SafeString:
    """One part of a page: the template `name` (`*.html.j2`) with what it takes."""
    return mark_safe(environment().get_template(name).render(said))  # noqa: S308 - the template escapes  # nosec B308 B703


class WidgetRenderer(TemplatesSetting):
    """Widgets in Jinja2, Django's own from the templates that it has for that; the support desk's are as Django has them."""

    def __init__(self) -> None:
        self._django = Jinja2()

    def get_template(self, template_name: str) -> Any:
        """The compiled template of this name."""
        if template_name.startswith("django/forms/"):
            return self._django.get_template(template_name)
        if template_name.endswith(".j2"):
            return environment().get_template(template_name)
        return super().get_template(template_name)


def options(choices: Iterable[tuple[str, Any]], chosen: str, disabled: Container[str] = ()) -> SafeString:
    """The options of a `<select>`: value and words of each, one of them chosen, some not to be had."""
    return mark_safe(  # noqa: S308 - value and words are escaped  # nosec B308 B703
        "".join(
            f'<option value="{conditional_escape(value)}"{" selected" if value == chosen else ""}'
            f"{' disabled' if value in disabled else ''}>{conditional_escape(words)}</option>"
            for value, words in choices
        )
    )


class Menu:
    """What a page offers in many menus alike: the options with one of them chosen are put together once for all."""

    def __init__(self, choices: Iterable[tuple[str, Any]]) -> None:
        """`choices`: value and words, in order."""
        self.choices = [(value, str(words)) for value, words in choices]
        self._options: dict[str, SafeString] = {}

    def __contains__(self, value: object) -> bool:
        """Whether this value is offered."""
        return any(value == each for each, _words in self.choices)

    def options(self, chosen: str) -> SafeString:
        """The options of one menu."""
        if chosen not in self._options:
            self._options[chosen] = options(self.choices, chosen)
        return self._options[chosen]
