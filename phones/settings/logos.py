"""The logo of a phone: what people may choose, where it is kept, and what its screen is given.

What is kept is one picture of ours for each phone (`phones.settings.pictures.cleaned`), as large as the largest screen of the
catalogue: the phone may become another model, and its logo is then fitted anew. Nothing that was uploaded is kept. The
column holds the picture's digest; the file lies in Django's storage under the phone's key. What a screen takes is made
when it is asked for.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from pbxadmin.common.columns import FieldColumn, Scope, Text
from pbxadmin.common.references import Store
from phones.models import Phone
from phones.settings.pictures import BIGGEST_FILE, Fault, PictureError, check_name, cleaned, fitted
from phones.vendors import Picture, UnknownModelError, find_model, models
from phones.vendors.model import PICTURE_TYPES
from users.models import Customer

DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)

# The guide's own sentence.
NEEDS_ENTERPRISE = gettext_lazy("To use this option, you need the “Enterprise” licence.")
FAULTS: Mapping[Fault, Text] = {
    Fault.EMPTY: gettext_lazy("The file is empty."),
    Fault.TOO_BIG: gettext_lazy("The file is larger than 5 MB: choose a smaller one."),
    Fault.NAME: gettext_lazy("This file isn't named like a picture: its name must end in .png, .jpg, .gif, .bmp or .webp."),
    Fault.SVG: gettext_lazy("Phones can't show SVG: save the picture as PNG."),
    Fault.NO_PICTURE: gettext_lazy("This isn't a picture: choose a PNG, JPEG, GIF, BMP or WebP file."),
    Fault.TOO_MANY_PIXELS: gettext_lazy(
        "The picture has too many pixels: 16 million at most, for example 4000 × 4000."
    ),
    Fault.ANIMATED: gettext_lazy("The picture is animated: choose a still one."),
    Fault.BROKEN: gettext_lazy("The picture is damaged or cut off: save it again and choose that file."),
}  # fmt: skip


# --- What is kept ---
def path_of(phone: Any, digest: str) -> str:
    """Where the picture of the phone with this key lies in the storage. Nothing of the uploaded name is in it."""
    return f"phones/logos/{phone}-{digest}.png"


def forget_after_commit(pictures: Iterable[tuple[Any, str]]) -> None:
    """Once the transaction is committed, delete these pictures (key of the phone, digest); "" is none."""
    for path in [path_of(phone, digest) for phone, digest in pictures if digest]:
        # A storage that doesn't answer leaves a file behind, and undoes nothing.
        transaction.on_commit(lambda path=path: default_storage.delete(path), robust=True)  # type: ignore[misc]


def forget_unused(phone: Any, digest: str) -> None:
    """Delete a picture that was written for a change which then wasn't committed."""
    if digest and not Phone.objects.filter(pk=phone, logo=digest).exists():
        default_storage.delete(path_of(phone, digest))


class Pictures(Store):
    """Where chosen pictures go: written before the commit, so that no row ever names one that isn't there."""

    def load(self, records: Sequence[Any]) -> Mapping[Any, Mapping[str, Any]]:
        """The digests, which the rows themselves hold."""
        return {record.pk: {"logo": record.logo} for record in records}

    def save(self, rows: Sequence[Any], scope: Scope) -> None:
        """Write the new pictures now; the old ones go after the commit."""
        for row in rows:
            before, after = row.changes["logo"]
            chosen = scope.found.get(("logo", after))
            if chosen is not None and not default_storage.exists(path_of(row.key, after)):
                default_storage.save(path_of(row.key, after), ContentFile(chosen))
            forget_after_commit([(row.key, before or "")])


def is_kept(phone: Any, digest: str) -> bool:
    """Whether this picture of the phone with this key is in the storage."""
    return default_storage.exists(path_of(phone, digest))


# --- What people choose ---
def needs_enterprise(scope: Scope, value: Any) -> Text:
    """Choosing a logo takes the Enterprise licence; removing one never does."""
    return NEEDS_ENTERPRISE if not value and scope.customer.edition != Customer.Edition.ENTERPRISE else ""


def largest_screen() -> tuple[int, int]:
    """What the largest screen of the catalogue takes: width and height."""
    screens = [model.logo for model in models() if model.logo]
    return max(screen.width for screen in screens), max(screen.height for screen in screens)


class LogoColumn(FieldColumn):
    """The logo, as the digest of the kept picture; changed by a form of its own, because a file can't be shown again."""

    own_form = True

    def __init__(self, *args: Any, **overrides: Any) -> None:
        super().__init__(*args, **overrides)
        self.store = Pictures()

    def form_field(self, scope: Scope) -> forms.Field:
        """A file."""
        accept = forms.FileInput({"accept": "image/png,image/jpeg,image/gif,image/bmp,image/webp"})
        return forms.FileField(label=self.label, help_text=self.help, required=False, widget=accept)

    def clean(self, raw: Any, scope: Scope) -> str:
        """The digest of an uploaded picture, which waits in the scope to be kept; "" for none."""
        if raw in (None, ""):
            return ""
        if isinstance(raw, str) and DIGEST.fullmatch(raw):
            return raw  # an earlier one, taken back: a rule asks whether it is still there
        if not isinstance(raw, UploadedFile):
            raise ValidationError(FAULTS[Fault.NO_PICTURE], code=str(Fault.NO_PICTURE))
        try:
            check_name(raw.name or "")
            picture = cleaned(raw.read(BIGGEST_FILE + 1), largest_screen())
        except PictureError as error:
            raise ValidationError(FAULTS[error.fault], code=str(error.fault)) from None
        digest = hashlib.sha256(picture).hexdigest()
        scope.found["logo", digest] = picture
        return digest

    def show(self, value: Any, scope: Scope | None = None) -> str:
        """That there is one: the beginning of its digest tells one from another."""
        return _("picture %(name)s") % {"name": value[:8]} if value else super().show("")


# --- What the screen is given ---
@dataclass(frozen=True)
class Logo:
    """A phone's logo as its screen takes it. Phones with the same picture share the work of fitting it."""

    digest: str
    screen: Picture
    path: str = field(compare=False)

    @property
    def name(self) -> str:
        """The file that the phone asks for: another picture has another name."""
        return f"logo-{self.digest[:16]}.{self.screen.format.value}"

    @property
    def etag(self) -> str:
        """For whoever has it already."""
        return f'"{self.digest[:32]}-{self.screen.width}x{self.screen.height}"'

    @property
    def content_type(self) -> str:
        """Of the answer that carries it."""
        return PICTURE_TYPES[self.screen.format]

    def content(self) -> bytes:
        """Its bytes; raises OSError where the storage hasn't got it any more."""
        return _content(self)


@lru_cache(maxsize=32)
def _content(logo: Logo) -> bytes:
    with default_storage.open(logo.path) as kept:
        return fitted(kept.read(), logo.screen)


def logo_of(phone: Phone, customer: Customer) -> Logo | None:
    """What the phone's screen shows; None without a logo, on a model without a screen for one, and without the licence."""
    if not phone.logo or customer.edition != Customer.Edition.ENTERPRISE:
        return None
    try:
        screen = find_model(phone.model).logo
    except UnknownModelError:
        return None
    return Logo(phone.logo, screen, path_of(phone.pk, phone.logo)) if screen else None
