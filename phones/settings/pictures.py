"""Pictures that people upload, made safe and made to fit a phone's screen.

Pure: bytes in, bytes out. Nothing of what was uploaded is handed on: the pixels are decoded, and written anew by us. So
neither a place in the EXIF data, nor a comment, nor bytes behind the picture reach the disk or a phone. What could make
the decoding dear is looked for before anything is decoded: the size of the file, the number of pixels that its head
promises, the passes of a JPEG.
"""

import io
from enum import StrEnum

from PIL import Image, ImageOps

from phones.vendors.model import Picture, PictureFormat

# Of the file as it is uploaded.
BIGGEST_FILE = 5 * 1024 * 1024
# A photo of a telephone has 12 million. Decoded with transparency they take 64 MB of memory.
MOST_PIXELS = 16_000_000
# A progressive JPEG comes in about ten passes. Each costs a walk over the whole picture, and can be written in a few bytes.
MOST_PASSES = 64
START_OF_SCAN = b"\xff\xda"
# The decoders that may look at a stranger's bytes; a JPEG of several pictures (a photo and its depths) calls itself MPO.
FORMATS = ("PNG", "JPEG", "GIF", "BMP", "WEBP")
ENDINGS = (".png", ".jpg", ".jpeg", ".gif", ".bmp", ".webp")
# A logo with transparency is drawn for white paper.
GROUND = (255, 255, 255)


class Fault(StrEnum):
    """Why a picture is refused."""

    EMPTY = "empty"
    TOO_BIG = "too_big"
    NAME = "name"
    SVG = "svg"
    NO_PICTURE = "no_picture"
    TOO_MANY_PIXELS = "too_many_pixels"
    ANIMATED = "animated"
    BROKEN = "broken"


class PictureError(ValueError):
    """A picture that isn't taken, and why."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(str(fault))
        self.fault = fault


def check_name(name: str) -> None:
    """Refuse a file by its name: only what is called a picture is looked at. The name itself is kept nowhere."""
    if name.lower().endswith((".svg", ".svgz")):
        raise PictureError(Fault.SVG)
    if not name.isprintable() or not name.lower().endswith(ENDINGS):
        raise PictureError(Fault.NAME)


def cleaned(data: bytes, within: tuple[int, int]) -> bytes:
    """An uploaded picture as a PNG of ours: upright, on white, no larger than `within`, without anything but its pixels.

    Raises `PictureError`.
    """
    if not data:
        raise PictureError(Fault.EMPTY)
    if len(data) > BIGGEST_FILE:
        raise PictureError(Fault.TOO_BIG)
    if _is_svg(data):
        raise PictureError(Fault.SVG)
    try:
        picture = Image.open(io.BytesIO(data), formats=FORMATS)
    except Image.DecompressionBombError:
        raise PictureError(Fault.TOO_MANY_PIXELS) from None
    except Exception:  # each decoder has its own exceptions for bytes that aren't its own
        raise PictureError(Fault.NO_PICTURE) from None
    with picture:
        if picture.width * picture.height > MOST_PIXELS:
            raise PictureError(Fault.TOO_MANY_PIXELS)
        if picture.format in ("JPEG", "MPO") and data.count(START_OF_SCAN) > MOST_PASSES:
            raise PictureError(Fault.BROKEN)
        try:
            if picture.format != "MPO" and getattr(picture, "is_animated", False):
                raise PictureError(Fault.ANIMATED)
            return _png(_on_white(_upright(picture, within), within))
        except PictureError:
            raise
        except Exception:  # truncated, or nonsense where pixels should be: a dozen exceptions say so
            raise PictureError(Fault.BROKEN) from None


def fitted(data: bytes, screen: Picture) -> bytes:
    """One of our own pictures (from `cleaned`) as a screen takes it: its size and its format, whole, white beside it."""
    with Image.open(io.BytesIO(data), formats=("PNG",)) as picture:
        size = (screen.width, screen.height)
        whole = ImageOps.pad(picture.convert("RGB"), size, Image.Resampling.LANCZOS, color=GROUND)
    return _jpeg(whole) if screen.format is PictureFormat.JPEG else _png(whole)


def _is_svg(data: bytes) -> bool:
    """Whether it is a drawing in XML, to say so: no decoder here would read it."""
    head = data[:4096].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return head.startswith(b"<") and b"<svg" in head


def _upright(picture: Image.Image, within: tuple[int, int]) -> Image.Image:
    """The decoded picture with the turn that a camera notes beside it; a JPEG is decoded no larger than it is needed."""
    side = max(within)
    picture.draft("RGB", (side, side))
    return ImageOps.exif_transpose(picture)


def _on_white(picture: Image.Image, within: tuple[int, int]) -> Image.Image:
    """Colours of eight bits on white, no larger than `within`."""
    if picture.mode.startswith("I;16") or picture.mode == "I":
        # Sixteen bits of grey: converted without this, all but the darkest would be white.
        picture = picture.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    picture = picture.convert("RGBA" if picture.has_transparency_data else "RGB")
    picture.thumbnail(within, Image.Resampling.LANCZOS)
    if picture.mode == "RGBA":
        white = Image.new("RGB", picture.size, GROUND)
        white.paste(picture, mask=picture.getchannel("A"))
        picture = white
    # A new picture: what came with the old one (a profile, a comment) isn't written.
    bare = Image.new("RGB", picture.size)
    bare.paste(picture)
    return bare


def _png(picture: Image.Image) -> bytes:
    written = io.BytesIO()
    picture.save(written, "PNG", optimize=True)
    return written.getvalue()


def _jpeg(picture: Image.Image) -> bytes:
    written = io.BytesIO()
    picture.save(written, "JPEG", quality=90)
    return written.getvalue()
