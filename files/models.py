"""Files that were sent: what is in them, what they would do, what became of them; and what somebody said of their columns."""

import hashlib
import zlib
from collections.abc import Iterable, Iterator
from typing import Any, ClassVar

from django.contrib.auth import get_user_model
from django.db import models, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from files.importing.imports import Mode
from files.reading.workbook import is_workbook
from pbxadmin.common.crypto import EncryptedBytesField
from pbxadmin.common.scoping import ScopedManager

# Bytes of a file that are held, compressed and encrypted at a time, whatever the file's size.
PIECE = 1024 * 1024
# The language of a file that waits at the support desk: no sentence of it is kept, and it is no file of the portal's pages.
AT_THE_DESK = ""
# Files of one person that are kept, of all customers, and of them those that workers are at.
MOST_KEPT, MOST_AT_ONCE = 20, 2
MODES = {
    Mode.BOTH.value: _("Create and change"),
    Mode.CREATE.value: _("Only create"),
    Mode.UPDATE.value: _("Only change"),
}


class Upload(models.Model):
    """A file that somebody sent, of one kind of record of one customer; nobody but they and the worker read it.

    It holds passwords and addresses of people: its content is encrypted, and gone with the row a week after it came.
    """

    class State(models.TextChoices):
        """How far it is; whether a worker is at it says `job`."""

        READING = "reading", pgettext_lazy("file", "Being checked")
        UNREADABLE = "unreadable", pgettext_lazy("file", "Can't be read")
        LOOKED = "looked", pgettext_lazy("file", "Checked, not imported")
        WRITING = "writing", pgettext_lazy("file", "Being imported")
        WRITTEN = "written", pgettext_lazy("file", "Imported")

    customer = models.ForeignKey("users.Customer", models.CASCADE, related_name="uploads")
    starter = models.ForeignKey("users.User", models.CASCADE, related_name="uploads")
    subject = models.CharField(max_length=30)  # `files.subjects.SUBJECTS`
    name = models.CharField(max_length=120)
    size = models.PositiveIntegerField()  # bytes
    digest = models.CharField(max_length=64)  # SHA-256 of the content

    mode = models.CharField(max_length=10, default=Mode.BOTH.value, choices=list(MODES.items()))
    # What its sender said of its columns: {name in the file: our column, "" for none}.
    mapping = models.JSONField(default=dict)
    language = models.CharField(max_length=10)  # of the sentences below

    state = models.CharField(max_length=10, choices=State.choices, default=State.READING)
    job = models.ForeignKey("users.Job", models.SET_NULL, null=True, related_name="uploads")
    # How it was read, or why it can't be: encoding, separator, sheet, header, what each column is, the first cells of each.
    read = models.JSONField(default=dict)
    counts = models.JSONField(default=dict)  # rows by outcome
    groups = models.JSONField(default=list)  # equal refusals together
    warnings = models.JSONField(default=list)  # what is told beside: column, sentence, how many rows
    # The rows that are refused because they lean on a refused one, where the others are taken without those.
    leaning = models.JSONField(default=list)
    # What the preview showed, as a digest: of all rows, and without the refused ones. Only exactly that is imported.
    seen = models.CharField(max_length=64, blank=True)
    seen_without = models.CharField(max_length=64, blank=True)
    takes_over = models.CharField(max_length=20, blank=True)  # `Takeover`: what it would let somebody keep
    good_rows = models.BooleanField(default=False)  # whether it is imported without the refused rows
    changed_meanwhile = models.BooleanField(
        default=False
    )  # whether the preview isn't any more what was confirmed
    operation = models.ForeignKey("users.Operation", models.PROTECT, null=True, related_name="uploads")

    created_at = models.DateTimeField(auto_now_add=True)

    objects = ScopedManager()

    class Meta:
        ordering: ClassVar = ["-id"]
        indexes: ClassVar = [models.Index(fields=["customer", "starter", "-id"], name="upload_of_starter")]

    def __str__(self) -> str:
        return self.name

    def content(self) -> bytes:
        """The file as it came."""
        return b"".join(zlib.decompress(piece) for piece in self.pieces.values_list("content", flat=True))

    def keep(self, content: Iterable[bytes]) -> None:
        """Store what the file holds, a piece at a time, with its size and digest."""
        digest, size, level = hashlib.sha256(), 0, 1
        for place, piece in enumerate(_pieces(content)):
            digest.update(piece)
            size += len(piece)
            if not place and is_workbook(piece):
                level = 0  # it is compressed already: trying again takes a second, and gains nothing
            UploadPiece.objects.create(upload=self, place=place, content=zlib.compress(piece, level))
        self.digest, self.size = digest.hexdigest(), size
        self.save(update_fields=["digest", "size"])


def _pieces(content: Iterable[bytes]) -> Iterator[bytes]:
    held = b""
    for part in content:
        held += part
        while len(held) >= PIECE:
            yield held[:PIECE]
            held = held[PIECE:]
    if held:
        yield held


class UploadPiece(models.Model):
    """A part of a file's content, compressed."""

    customer_path = "upload__customer"

    upload = models.ForeignKey(Upload, models.CASCADE, related_name="pieces")
    place = models.PositiveIntegerField()
    content = EncryptedBytesField()

    objects = ScopedManager()

    class Meta:
        ordering: ClassVar = ["place"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["upload", "place"], name="upload_piece_once")
        ]

    def __str__(self) -> str:
        return f"{self.upload_id} {self.place}"


class UploadPage(models.Model):
    """Fifty rows of a file that have the same outcome, as a page of the preview or of the report shows them."""

    SIZE: ClassVar = 50
    customer_path = "upload__customer"

    upload = models.ForeignKey(Upload, models.CASCADE, related_name="pages")
    outcome = models.CharField(max_length=10)
    number = models.PositiveIntegerField()  # from 1
    rows = models.JSONField()

    objects = ScopedManager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["upload", "outcome", "number"], name="upload_page_once")
        ]

    def __str__(self) -> str:
        return f"{self.upload_id} {self.outcome} {self.number}"


class ColumnMeaning(models.Model):
    """What a column of other people's lists is in this customer's files, as somebody said once: proposed the next time."""

    customer = models.ForeignKey("users.Customer", models.CASCADE, related_name="column_meanings")
    subject = models.CharField(max_length=30)
    name = models.CharField(max_length=200)  # of the column, as names are compared
    column = models.CharField(max_length=60, blank=True)  # ours; "" for one that isn't read

    objects = ScopedManager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["customer", "subject", "name"], name="column_meaning_once")
        ]

    def __str__(self) -> str:
        return f"{self.name}: {self.column}"


class TooManyError(Exception):
    """As many of somebody's files are being checked or imported as may be at once."""


def wait_for_ones_turn(upload: Upload) -> QuerySet[Upload]:
    """Raise `TooManyError` where workers are at as many others of somebody's files as may be at once; those others. In a transaction."""
    get_user_model().objects.select_for_update(no_key=True).only("pk").get(pk=upload.starter_id)
    busy = Upload.objects.filter(starter=upload.starter_id, job__isnull=False, job__ended_at=None)
    busy = busy.exclude(pk=upload.pk)
    if upload.language != AT_THE_DESK and busy.count() >= MOST_AT_ONCE:
        raise TooManyError
    return busy


def make_room(upload: Upload) -> None:
    """Let the oldest files of whoever sent this one go, where they have too many: none that a worker is at. In a transaction.

    Raises `TooManyError`.
    """
    # After the upload was created, which waits for whoever writes to its customer: nobody waits for both crosswise.
    busy = wait_for_ones_turn(upload)
    others = Upload.objects.filter(starter=upload.starter_id).exclude(pk=upload.pk)
    if (more := others.count() + 1 - MOST_KEPT) > 0:
        idle = others.exclude(pk__in=busy.values("pk")).exclude(state=Upload.State.WRITING)
        Upload.objects.filter(pk__in=list(idle.order_by("pk").values_list("pk", flat=True)[:more])).delete()


def hold(content: Iterable[bytes], **facts: Any) -> Upload:
    """A file that was looked at while its sender waited, and waits for what they say; `facts` are columns of `Upload`."""
    with transaction.atomic():
        upload = Upload.objects.create(size=0, state=Upload.State.LOOKED, language=AT_THE_DESK, **facts)
        make_room(upload)
        upload.keep(content)
    return upload


def forget(key: int) -> None:
    """Keep a file no more."""
    Upload.objects.filter(pk=key).delete()


def remembered(customer: Any, subject: str) -> dict[str, str]:
    """What the columns of a customer's files were said to be: {name as it is compared: our column}."""
    return dict(ColumnMeaning.objects.of(customer).filter(subject=subject).values_list("name", "column"))


def remember(customer: Any, subject: str, meanings: Iterable[tuple[str, str]]) -> None:
    """Keep what somebody said of columns: (name as it is compared, our column)."""
    ColumnMeaning.objects.bulk_create(
        [
            ColumnMeaning(customer=customer, subject=subject, name=name[:200], column=column)
            for name, column in meanings
        ],
        update_conflicts=True,
        unique_fields=["customer", "subject", "name"],
        update_fields=["column"],
    )
