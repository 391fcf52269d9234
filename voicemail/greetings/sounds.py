"""The files behind greetings: written before anything names them, kept while a change may be undone, then erased.

A row of `Sound` is there before its file and goes after it, each in a transaction of its own. So no file lies in the storage that no
row names, whatever is killed when; a sound that no greeting came to name is erased an hour later, and one that no library has any
more after thirty days, by `sweep`. `find_faults` looks for what should not be there at all (a storage or a database that was put back from
a copy), for `manage.py check_greetings`.
"""

import hashlib
import logging
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet, Sum
from django.utils import timezone

from users.models import Customer
from voicemail import audio
from voicemail.models import Greeting, Incoming, Sound

logger = logging.getLogger(__name__)

# How long a change of a greeting can be undone.
KEPT = timedelta(days=30)
# How long a sound may wait to be named by a greeting: a conversion's worker has named it within seconds, or was killed.
UNNAMED = timedelta(hours=1)
# Points of a waveform.
POINTS = 200
FOLDER = "greetings"


class NoRoomError(Exception):
    """The customer's greetings would take more room than they have."""


class StorageError(Exception):
    """The storage can't be written, or read."""


class LostError(StorageError):
    """The storage answers, and what was written isn't there any more."""


@dataclass(frozen=True)
class Quota:
    """How much room a customer's sounds take, and may take, in bytes."""

    used: int
    allowed: int

    @property
    def share(self) -> int:
        """In hundredths."""
        return min(100, round(100 * self.used / self.allowed)) if self.allowed else 100


def quota_of(customer: Any) -> Quota:
    """What this customer's sounds take: those of libraries, and those kept for undoing."""
    used = Sound.objects.of(customer).aggregate(used=Sum("size"))["used"] or 0
    return Quota(used, settings.GREETINGS_QUOTA)


def check_room(customer: Any, size: int) -> None:
    """Raises `NoRoomError` where `size` more bytes are too many."""
    quota = quota_of(customer)
    if quota.used + size > quota.allowed:
        raise NoRoomError


def keep(customer: Customer, made: audio.Sound) -> Sound:
    """Store a sound, for a greeting that is to name it. Raises `NoRoomError` and `StorageError`; then nothing is stored.

    Outside of the transaction that will name it.
    """
    check_room(customer, len(made.wav))
    sound = Sound.objects.create(
        customer=customer,
        size=len(made.wav),
        samples=made.samples,
        digest=hashlib.sha256(made.wav).hexdigest(),
        peaks=bytes(audio.peaks(made.wav, POINTS)).hex(),
        loudness=made.loudness,
        as_it_came=made.kept,
    )
    write(sound, made.wav)
    return sound


def write(row: Any, content: bytes) -> None:
    """Write the file of a row (`Sound` or `Incoming`). Raises `StorageError`; then neither is there, or the sweep erases both."""
    try:
        written = default_storage.save(row.path, ContentFile(content))
    except FileExistsError as error:  # an object store's way to say the same as below
        row.delete()
        raise StorageError from error
    except Exception as error:
        logger.warning("the storage takes no greeting: %s", type(error).__name__)
        erase(row)
        raise StorageError from error
    if written != row.path:  # a file that no row named: it is for `find_faults`, and nothing writes over it
        default_storage.delete(written)
        row.delete()
        raise StorageError


def read(sound: Sound) -> bytes:
    """The file. Raises `StorageError` where it can't be read; `LostError` where it isn't there, or isn't what was written."""
    try:
        with default_storage.open(sound.path) as file:
            content: bytes = file.read()
    except Exception as error:
        logger.warning("a greeting can't be read (%s): sound %s", type(error).__name__, sound.pk)
        raise (LostError if isinstance(error, FileNotFoundError) else StorageError) from error
    if hashlib.sha256(content).hexdigest() != sound.digest:
        logger.warning("a greeting isn't what was written: sound %s", sound.pk)
        raise LostError
    return content


def let_file_go(incoming: Incoming) -> None:
    """Delete the file of what was refused; the row says why until somebody has read it, or a day has passed."""
    try:
        default_storage.delete(incoming.path)
    except Exception as error:
        logger.warning("the storage deletes nothing (%s): the sweep tries again", type(error).__name__)


def erase(row: Any) -> None:
    """Delete the file, then the row (`Sound` or `Incoming`): killed in between, the row has it done again."""
    try:
        default_storage.delete(row.path)
    except Exception as error:
        logger.warning("the storage deletes nothing (%s): the sweep tries again", type(error).__name__)
        return
    row.delete()


# --- What no greeting has any more -------------------------------------------------------------------------------
def settle(keys: Collection[Any]) -> None:
    """Note of these sounds whether a library has them, in the transaction that changed that: two UPDATEs for any number."""
    there = Greeting.objects.in_library().filter(sound=OuterRef("pk"))
    found = Sound.objects.filter(pk__in=keys)
    found.filter(~Exists(there), released_at=None).update(released_at=timezone.now())
    found.filter(Exists(there)).exclude(released_at=None).update(released_at=None)


def let_go(people: Collection[Any]) -> None:
    """Note of the sounds that these people alone have that nothing will lead back to them: they are being deleted. The next sweep erases them.

    A sound that was put into the company's library as well is the company's, and can be put back there like any other.
    """
    others = Greeting.objects.filter(sound=OuterRef("pk")).exclude(user__in=people)
    theirs = Sound.objects.filter(greetings__user__in=people).values("pk")
    Sound.objects.filter(~Exists(others), pk__in=theirs).update(
        released_at=timezone.now() - KEPT - timedelta(seconds=1)
    )


def unneeded(now: datetime) -> QuerySet[Sound]:
    """The sounds that nothing leads back to: released long ago, or named by no greeting at all."""
    there = Greeting.objects.in_library().filter(sound=OuterRef("pk"))
    named = Greeting.objects.filter(sound=OuterRef("pk"))
    never = Q(~Exists(named), released_at=None, made_at__lt=now - UNNAMED)
    return Sound.objects.filter(~Exists(there)).filter(Q(released_at__lt=now - KEPT) | never)


def sweep(now: datetime | None = None) -> int:
    """Erase what is unneeded, greetings that were deleted long ago with it; how many sounds. Again and again, it does the same."""
    now = now or timezone.now()
    for incoming in Incoming.objects.filter(created_at__lt=now - timedelta(days=1)):
        erase(incoming)
    long_gone = Greeting.objects.filter(deleted_at__lt=now - KEPT, customer__isnull=False)
    for customer in list(long_gone.order_by().values_list("customer", flat=True).distinct()):
        with _alone(customer):
            long_gone.filter(customer=customer).delete()
    count = 0
    for key, customer in list(unneeded(now).values_list("pk", "customer")):
        with _alone(customer):
            if sound := unneeded(now).filter(pk=key).first():
                Greeting.objects.filter(sound=sound, deleted_at__isnull=False).delete()
                erase(sound)
                count += 1
    return count


@contextmanager
def _alone(customer: Any) -> Iterator[None]:
    """A transaction as everybody has it who writes greetings of a customer: whoever undoes a change at this moment waits, or was first."""
    with transaction.atomic():
        # One that goes at this moment takes its rows along; their files are found by nobody but `find_faults`.
        Customer.objects.select_for_update().only("pk").filter(pk=customer).first()
        yield


@dataclass(frozen=True)
class Faults:
    """What should not be: files that no row names, and sounds of libraries whose file is gone or isn't what was written."""

    orphans: list[str]
    missing: list[Sound]


def find_faults() -> Faults:
    """Look at every file and every row. Raises `StorageError` where the storage doesn't answer: then nobody knows what is lost."""
    known = _paths()
    try:
        orphans = sorted(path for path in _files(FOLDER) if path not in known)
    except Exception as error:
        raise StorageError from error
    missing = []
    # Whoever puts the files back from a copy can still undo what no library has any more; the sweep erases it in time.
    there = Greeting.objects.in_library().filter(sound=OuterRef("pk"))
    for sound in Sound.objects.filter(Exists(there)).select_related("customer").order_by("pk"):
        try:
            read(sound)
        except LostError:
            missing.append(sound)
    # What was written while we looked has its row by now.
    known |= _paths()
    return Faults([path for path in orphans if path not in known], missing)


def _paths() -> set[str]:
    return {row.path for model in (Sound, Incoming) for row in model.objects.all()}


def _files(folder: str) -> Iterator[str]:
    try:
        folders, files = default_storage.listdir(folder)
    except FileNotFoundError:
        return
    yield from (f"{folder}/{name}" for name in files)
    for name in folders:
        yield from _files(f"{folder}/{name}")
