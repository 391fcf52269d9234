"""What the pages of a library need to say addresses and how far a recording is."""

from typing import Any

from django import template

from voicemail.greetings.library import Library, Phase, phase_of
from voicemail.models import Incoming

register = template.Library()


@register.simple_tag
def greeting_url(library: Library, page: str, *rest: Any) -> str:
    """The address of one of a library's pages."""
    return library.address(page, *rest)


@register.simple_tag
def incoming_phase(incoming: Incoming) -> Phase:
    """How far a recording on its way is."""
    return phase_of(incoming)
