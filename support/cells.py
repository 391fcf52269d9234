"""What stands in a cell of the desk's lists, where Django's own says it in a picture."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from pbxadmin.common.columns import Text


def state(tone: str, words: str) -> SafeString:
    """How something is doing, drawn as the portal draws it (`partials/state.html`)."""
    return format_html('<span class="state {}"><span>{}</span></span>', tone, words)


def yes_no(model: type[Model], name: str, label: Text = "") -> Callable[[Any], str]:
    """A column of a list that says "Yes" in words where something is so, and else nothing: Django's picture says "False" to who listens."""
    column = model._meta.get_field(name)

    @admin.display(description=label or getattr(column, "verbose_name", name), ordering=name)
    def said(record: Any) -> str:
        return _("Yes") if getattr(record, name) else ""

    said.__name__ = name
    return said
