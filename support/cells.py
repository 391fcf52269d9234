"""What stands in a cell of the desk's lists, where Django's own says it in a picture."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.utils.translation import gettext as _


def yes_no(model: type[Model], name: str) -> Callable[[Any], str]:
    """A column of a list that says "Yes" in words where something is so, and else nothing: Django's picture says "False" to who listens."""
    column = model._meta.get_field(name)

    @admin.display(description=getattr(column, "verbose_name", name), ordering=name)
    def said(record: Any) -> str:
        return _("Yes") if getattr(record, name) else ""

    said.__name__ = name
    return said
