"""What callers hear at a mailbox: GET /n/sound/<name>. A sound never changes, so a node fetches each only once."""

import re

from django.core.files.storage import default_storage
from django.http import HttpRequest, HttpResponse

from asterisk.asked.door import for_nodes, text
from asterisk.models import Node
from asterisk.nodes import serves
from voicemail.models import Sound
from voicemail.standard_greetings import FOLDER

NAME = re.compile(r"(?P<kind>[gs])-(?P<key>[0-9a-z-]{1,60})\Z")


@for_nodes("GET")
def sound(request: HttpRequest, node: Node, name: str) -> HttpResponse:
    """The file, or an empty 404: Asterisk then speaks by itself."""
    found = NAME.match(name)
    content = None
    if found:
        content = _recorded(found["key"], node) if found["kind"] == "g" else _standard(found["key"])
    if content is None:
        return text(b"", 404)
    return HttpResponse(content, content_type="audio/wav")


def _recorded(key: str, node: Node) -> bytes | None:
    known = Sound.objects.filter(key=key).first()
    if known is None or not serves(node, known.customer_id):
        return None
    try:
        with default_storage.open(known.path) as file:
            return bytes(file.read())
    except OSError:
        return None


def _standard(stem: str) -> bytes | None:
    path = FOLDER / f"{stem}.wav"
    return path.read_bytes() if path.is_file() else None
