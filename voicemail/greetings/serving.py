"""A sound as an answer: as a file to keep, of which a player may ask for a part."""

import re

from django.http import HttpRequest, HttpResponse
from django.utils.http import content_disposition_header

RANGE = re.compile(r"bytes=(\d{0,12})-(\d{0,12})", re.ASCII)


def sound_response(request: HttpRequest, content: bytes, name: str) -> HttpResponse:
    """The bytes of a WAV file, or the one part that is asked for; more than one part is answered with all.

    Nobody keeps it between us and the reader, and no browser takes it for anything but a sound.
    """
    response = HttpResponse(content, content_type="audio/wav")
    first, last = 0, len(content) - 1
    if found := RANGE.fullmatch(request.headers.get("Range", "").strip()):
        begins, ends = found.groups()
        if begins:
            first, last = int(begins), min(int(ends), last) if ends else last
        elif ends:
            first = max(0, len(content) - int(ends))
        if (begins or ends) and first > last:
            response = HttpResponse(status=416, headers={"Content-Range": f"bytes */{len(content)}"})
        elif begins or ends:
            response = HttpResponse(content[first : last + 1], status=206, content_type="audio/wav")
            response["Content-Range"] = f"bytes {first}-{last}/{len(content)}"
    response["Accept-Ranges"] = "bytes"
    response["Content-Disposition"] = content_disposition_header(True, name) or "attachment"
    response["Cache-Control"] = "private, no-store"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    return response


def file_name(name: str) -> str:
    """What a greeting is called as a file: its name without what a path or a shell could read."""
    kept = re.sub(r"[^\w .()-]+", " ", name).strip(" .")
    return f"{' '.join(kept.split())[:60] or 'greeting'}.wav"
