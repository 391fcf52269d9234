"""Uploaded pictures: what is refused and why, what is left of one that is taken, how it fits a screen."""

import io
import struct
import time
import zlib

import pytest
from PIL import Image, ImageFile

from phones.settings import pictures
from phones.settings.pictures import Fault, PictureError, check_name, cleaned, fitted
from phones.tests.factories import drawn
from phones.vendors import Picture, models
from phones.vendors.model import PictureFormat

pytestmark = pytest.mark.slow("draws and reads pictures")

SCREEN = (1024, 600)
KINDS = ("PNG", "JPEG", "GIF", "BMP", "WEBP")
PLACE = b"Exif secret: 45.5017 N 73.5673 W"


def fault(data: bytes) -> Fault:
    """Why these bytes are refused."""
    with pytest.raises(PictureError) as refused:
        cleaned(data, SCREEN)
    return refused.value.fault


def opened(data: bytes) -> Image.Image:
    """The picture in these bytes, decoded."""
    picture = Image.open(io.BytesIO(data))
    picture.load()
    return picture


def png_that_promises(width: int, height: int, rows: bytes = b"") -> bytes:
    """A small PNG whose head promises this many pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


# --- What is taken ---
@pytest.mark.parametrize("kind", KINDS)
def test_each_common_kind_becomes_a_png_of_ours(kind: str) -> None:
    picture = opened(cleaned(drawn(kind), SCREEN))
    assert (picture.format, picture.mode, picture.size) == ("PNG", "RGB", (200, 100))
    red, green, blue = picture.getpixel((100, 50))
    assert red > 240
    assert max(green, blue) < 15


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16"])
def test_every_way_of_writing_colours_is_read(mode: str) -> None:
    kind = "JPEG" if mode == "CMYK" else "PNG"
    white = {"1": 1, "L": 255, "LA": (255, 255), "P": 0, "CMYK": (0, 0, 0, 0), "I;16": 65535}.get(
        mode, "white"
    )
    picture = Image.new(mode, (40, 40), white)
    if mode == "P":
        picture.putpalette([255, 255, 255])
    written = io.BytesIO()
    picture.save(written, kind)
    assert min(opened(cleaned(written.getvalue(), SCREEN)).getpixel((20, 20))) > 250


def test_sixteen_bits_of_grey_stay_grey() -> None:
    assert opened(cleaned(drawn(mode="I;16", colour=32768), SCREEN)).getpixel((5, 5)) == (128, 128, 128)


def test_a_transparent_logo_stands_on_white() -> None:
    assert opened(cleaned(drawn(mode="RGBA", colour=(255, 0, 0, 0)), SCREEN)).getpixel((5, 5)) == (
        255,
        255,
        255,
    )


def test_a_large_picture_is_kept_as_large_as_the_largest_screen_and_a_small_one_as_it_is() -> None:
    assert opened(cleaned(drawn(size=(3000, 3000)), SCREEN)).size == (600, 600)
    assert opened(cleaned(drawn("JPEG", size=(4000, 3000)), SCREEN)).size == (800, 600)
    assert opened(cleaned(drawn(size=(32, 32)), SCREEN)).size == (32, 32)
    assert opened(cleaned(drawn(size=(5000, 1)), SCREEN)).size == (1024, 1)


def test_where_a_photo_was_taken_and_what_was_written_beside_it_are_gone() -> None:
    exif = Image.Exif()
    exif[0x010E] = PLACE.decode()
    exif.get_ifd(0x8825)[1] = "N"
    for kind, options in (("JPEG", {"comment": PLACE}), ("PNG", {}), ("WEBP", {"xmp": PLACE})):
        data = drawn(kind, exif=exif.tobytes(), icc_profile=PLACE, **options) + b"<script>" + PLACE
        assert PLACE in data
        kept = cleaned(data, SCREEN)
        assert PLACE not in kept
        assert b"script" not in kept
        assert not opened(kept).getexif()
        assert set(opened(kept).info) == set()
        for screen in (Picture(480, 272), Picture(480, 272, PictureFormat.JPEG)):
            shown = fitted(kept, screen)
            assert PLACE not in shown
            assert not opened(shown).getexif()


def test_a_photo_taken_upright_stands_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    assert opened(cleaned(drawn("JPEG", exif=exif.tobytes()), SCREEN)).size == (100, 200)


def test_a_photo_with_its_depths_is_a_photo() -> None:
    written = io.BytesIO()
    Image.new("RGB", (80, 40), "red").save(
        written, "MPO", save_all=True, append_images=[Image.new("RGB", (80, 40), "blue")]
    )
    assert opened(cleaned(written.getvalue(), SCREEN)).getpixel((5, 5))[0] > 240


# --- What is refused ---
def test_an_empty_file_and_one_that_is_too_big_are_told_apart() -> None:
    assert fault(b"") is Fault.EMPTY
    assert fault(b"\x89PNG" + bytes(pictures.BIGGEST_FILE)) is Fault.TOO_BIG


@pytest.mark.parametrize(
    "data",
    [
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"\xef\xbb\xbf<?xml version='1.0'?><!-- a --><SVG/>",
    ],
    ids=["plain", "with a prologue"],
)
def test_a_drawing_is_refused_as_what_it_is(data: bytes) -> None:
    assert fault(data) is Fault.SVG


@pytest.mark.parametrize(
    "data",
    [
        b"hello",
        b"%PDF-1.7\n",
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n",
        b"PK\x03\x04",
        b"<html><img src=x></html>",
        bytes(1000),
        b"\x89PNG\r\n\x1a\n",
    ],
    ids=["text", "pdf", "eps", "zip", "html", "zeros", "head alone"],
)
def test_what_isnt_a_picture_is_refused(data: bytes) -> None:
    assert fault(data) is Fault.NO_PICTURE


@pytest.mark.parametrize("kind", ["TIFF", "ICO", "PPM", "TGA", "PCX", "ICNS", "JPEG2000"])
def test_a_kind_that_nobody_needs_isnt_even_tried(kind: str) -> None:
    assert fault(drawn(kind, size=(64, 64))) in (Fault.NO_PICTURE, Fault.BROKEN)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("part", [0.5, 0.9])
def test_a_picture_that_is_cut_off_is_refused(kind: str, part: float) -> None:
    noise = Image.effect_noise((120, 120), 80).convert("RGB")
    written = io.BytesIO()
    noise.save(written, kind)
    data = written.getvalue()
    assert fault(data[: int(len(data) * part)]) in (Fault.BROKEN, Fault.NO_PICTURE)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_a_picture_that_moves_is_refused(kind: str) -> None:
    written = io.BytesIO()
    frames = [Image.new("RGB", (20, 20), colour) for colour in ("red", "blue", "green")]
    frames[0].save(written, kind, save_all=True, append_images=frames[1:], duration=100)
    assert fault(written.getvalue()) is Fault.ANIMATED


@pytest.mark.parametrize("size", [(50_000, 50_000), (16_000_001, 1), (4001, 4001), (2**31 - 1, 2**31 - 1)])
def test_a_flood_of_pixels_is_refused_before_any_is_decoded(
    size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def decode(picture: Image.Image) -> None:
        raise AssertionError(f"{picture.size} would be decoded")

    monkeypatch.setattr(ImageFile.ImageFile, "load", decode)
    data = png_that_promises(*size, rows=bytes(20_000_000))
    assert len(data) < 30_000
    assert fault(data) in (Fault.TOO_MANY_PIXELS, Fault.NO_PICTURE)


def test_a_jpeg_of_endless_passes_is_refused_at_once() -> None:
    whole = drawn("JPEG", size=(3000, 3000), progressive=True)
    start = whole.rindex(b"\xff\xda")
    again = whole[start:-2]
    data = whole[:start] + again * 400 + b"\xff\xd9"
    before = time.monotonic()
    assert fault(data) is Fault.BROKEN
    assert time.monotonic() - before < 1


@pytest.mark.parametrize("kind", KINDS)
def test_damaged_bytes_never_end_in_anything_but_a_picture_or_a_refusal(kind: str) -> None:
    whole = bytearray(drawn(kind, size=(60, 60)))
    for place in range(0, len(whole), max(1, len(whole) // 200)):
        damaged = bytes(whole[:place]) + bytes([whole[place] ^ 0xFF]) + bytes(whole[place + 1 :])
        try:
            assert opened(cleaned(damaged, SCREEN)).width <= SCREEN[0]
        except PictureError:
            continue


# --- Names ---
@pytest.mark.parametrize("name", ["logo.png", "Logo Été.JPG", "a.b.jpeg", "x.webp", "x.gif", "x.bmp"])
def test_a_name_may_be_any_picture_s(name: str) -> None:
    check_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "logo",
        "logo.png.exe",
        "logo.php",
        "logo.png\x00.php",
        "logo\r\n.png",
        "logo‮gnp.exe",
        "x.tiff",
        ".htaccess",
    ],
    ids=ascii,
)
def test_a_name_that_is_no_pictures_is_refused(name: str) -> None:
    with pytest.raises(PictureError) as refused:
        check_name(name)
    assert refused.value.fault is Fault.NAME


def test_the_name_of_a_drawing_is_told_as_such() -> None:
    with pytest.raises(PictureError) as refused:
        check_name("logo.SVG")
    assert refused.value.fault is Fault.SVG


# --- The screen ---
@pytest.mark.parametrize("screen", sorted({model.logo for model in models() if model.logo}, key=str), ids=str)
@pytest.mark.parametrize("size", [(800, 100), (100, 800), (10, 10), (1024, 600)])
def test_a_logo_fits_the_screen_exactly_and_whole(screen: Picture, size: tuple[int, int]) -> None:
    shown = opened(fitted(cleaned(drawn(size=size), SCREEN), screen))
    assert (shown.format, shown.mode, shown.size) == ("PNG", "RGB", (screen.width, screen.height))
    assert shown.getpixel((screen.width // 2, screen.height // 2)) == (255, 0, 0)
    if size[0] >= 8 * size[1]:
        assert shown.getpixel((screen.width // 2, 0)) == (255, 255, 255)


def test_a_vendor_that_wants_jpeg_gets_it() -> None:
    shown = opened(fitted(cleaned(drawn(), SCREEN), Picture(320, 240, PictureFormat.JPEG)))
    assert (shown.format, shown.size) == ("JPEG", (320, 240))


def test_the_same_picture_is_written_with_the_same_bytes() -> None:
    kept = cleaned(drawn(), SCREEN)
    assert cleaned(drawn(), SCREEN) == kept
    assert fitted(kept, Picture(480, 272)) == fitted(kept, Picture(480, 272))
