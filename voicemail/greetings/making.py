"""From what somebody sends to a greeting of a library: judged at once, converted by a worker, named in one operation.

What plainly is no sound is refused where it is sent, and nothing of it is kept. What is in the right format already becomes a greeting
at once, byte for byte. Anything else is one `Incoming` and a job, so a worker that is killed, or a broker that is away, loses nothing.
"""

from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from django.core.files.storage import default_storage
from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from pbxadmin.common.columns import Scope
from pbxadmin.common.http import RequestFacts
from users import rights, road
from users.models import Customer, Job, Operation, User
from users.rights import Verb
from users.road import jobs
from users.road.works import Beat, StoppedError, Work, register_work
from voicemail import audio
from voicemail.greetings import sounds, usage
from voicemail.greetings.library import url_of_incoming
from voicemail.greetings.sheet import greeting_sheet
from voicemail.greetings.words import NO_ROOM, NO_STORAGE, said_of
from voicemail.models import Greeting, Incoming, Made, Sound

# Recordings that one person may have waiting at a time: each takes a worker for a second.
MOST_WAITING = 10


@dataclass(frozen=True)
class Wanted:
    """What somebody wants a recording to be."""

    name: str
    made: Made
    # Whose library; None: the company's.
    person: User | None
    # The greeting that gets it instead of its present one.
    greeting: Greeting | None = None
    # Bring it to the usual loudness, and cut silence off at both ends; else it is taken as it is.
    level: bool = True
    trim: bool = True
    # The column of its person that is to name it at once; "": none. Only where a worker makes it.
    use: str = ""


class RefusedError(Exception):
    """Why nothing came of it, in sentences; nothing is kept."""

    def __init__(self, *sentences: Any) -> None:
        super().__init__(*map(str, sentences))
        self.sentences = list(map(str, sentences))


class NotNowError(RefusedError):
    """The same where it may well be taken a little later."""


def receive(
    scope: Scope, content: Any, wanted: Wanted, facts: RequestFacts, verb: Verb = Verb.EDIT
) -> Greeting | Incoming:
    """Take a recording (an open file): a greeting where it has the right format already, else one that a worker makes of it.

    Raises `RefusedError`; then nothing is kept.
    """
    check(scope, wanted, verb)
    try:
        data = audio.read_limited(content)
        # What was said into a phone is quieter or louder than others, and has silence at its ends, whatever its format is.
        ready = audio.look(data).ready and wanted.made is not Made.PHONE
        sounds.check_room(scope.customer, len(data) if ready else 0)
        if ready:
            sound = sounds.keep(scope.customer, audio.convert(data, level=False, trim=False))
            return _named(scope, sound, wanted, facts, verb)[0]
        return _hand_over(scope, data, wanted, facts, verb)
    except audio.AudioError as error:
        raise RefusedError(said_of(error)) from None
    except sounds.NoRoomError:
        raise RefusedError(NO_ROOM) from None
    except sounds.StorageError:
        raise NotNowError(NO_STORAGE) from None


def check(scope: Scope, wanted: Wanted, verb: Verb) -> None:
    """Raises `RefusedError` where it can't become a greeting, whatever the recording is: rights, its name, a full library."""
    plan = _plan(scope, None, wanted, verb)
    sentences = [sentence for row in plan.rows for sentence in row.sentences]
    if plan.refused:
        raise RefusedError(*sentences)


def _plan(scope: Scope, sound: Sound | None, wanted: Wanted, verb: Verb) -> road.Plan:
    values: dict[str, Any] = {"name": wanted.name, "made": wanted.made}
    if sound is not None:
        values["sound"] = sound.pk
    if wanted.greeting is not None:
        rows = [road.Row(wanted.greeting.pk, values)]
    else:
        rows = [road.Row(None, values | {"user": wanted.person.pk if wanted.person else None})]
        if sound is None:
            # A rule wants a recording of everything that is new; this one comes.
            scope.found["recording comes"] = True
    plan = road.plan(scope.actor, scope.customer, greeting_sheet(), rows, verb, scope)
    scope.found.pop("recording comes", None)
    return plan


def _named(
    scope: Scope,
    sound: Sound,
    wanted: Wanted,
    facts: RequestFacts,
    verb: Verb,
) -> tuple[Greeting, Operation]:
    """Make the greeting that names a sound; a sound that comes to nothing goes again. Raises `RefusedError`."""
    plan = _plan(scope, sound, wanted, verb)
    done = road.commit(plan, facts)
    if done.operation is None:
        if not transaction.get_connection().in_atomic_block:
            sounds.erase(sound)
        raise RefusedError(
            *(done.row.sentences or [_("Somebody else changed this in the meantime. Try again.")])
        )
    return Greeting.objects.get(pk=done.row.key), done.operation


def _hand_over(scope: Scope, data: bytes, wanted: Wanted, facts: RequestFacts, verb: Verb) -> Incoming:
    """Keep what came in and have a worker convert it: the row first, then its file, then the job."""
    waiting = Incoming.objects.filter(starter=scope.actor, job__ended_at=None)
    if waiting.count() >= MOST_WAITING:
        raise RefusedError(_("Your last recordings are still being converted: wait until they are done."))
    incoming = Incoming.objects.create(
        customer=scope.customer,
        user=wanted.person,
        starter=scope.actor,
        greeting=wanted.greeting,
        name=wanted.name,
        made=wanted.made,
        level=wanted.level,
        trim=wanted.trim,
    )
    sounds.write(incoming, data)
    with transaction.atomic():
        incoming.job = jobs.start_work(
            CONVERT, scope, {"name": wanted.name, "verb": str(verb), "use": wanted.use}, facts
        )
        incoming.save(update_fields=["job"])
    return incoming


def cancel(incoming: Incoming) -> None:
    """Whoever sent a recording doesn't want it any more."""
    if incoming.job is not None and not incoming.job.is_over:
        jobs.cancel(incoming.job)


# --- In a worker --------------------------------------------------------------------------------------------------
def _convert(scope: Scope, beat: Beat) -> None:
    incoming = Incoming.objects.select_related("user", "greeting").filter(job=beat.job).first()
    if incoming is None:
        raise StoppedError(_("This recording is no longer there: send it again."))
    try:
        with default_storage.open(incoming.path) as file:
            data = audio.read_limited(file)
        beat.at("converting")
        made = audio.convert(
            data,
            level=incoming.level,
            trim=incoming.trim,
            anew=incoming.made == Made.PHONE,
            progress=lambda share: beat.at("converting", share),
        )
        beat.at("keeping")
        sound = sounds.keep(scope.customer, made)
    except audio.AudioError as error:
        sounds.let_file_go(incoming)
        raise StoppedError(said_of(error)) from None
    except sounds.NoRoomError:
        sounds.let_file_go(incoming)
        raise StoppedError(str(NO_ROOM)) from None
    except (sounds.StorageError, OSError):
        # A full disk needs the room, and whoever sent it is asked to send it again.
        sounds.let_file_go(incoming)
        raise StoppedError(str(NO_STORAGE)) from None
    wanted = Wanted(incoming.name, Made(incoming.made), incoming.user, incoming.greeting)
    job = beat.job
    facts = RequestFacts(job.source, job.address, job.request_id, job.note)
    try:
        with transaction.atomic():
            Customer.objects.select_for_update().only("pk").get(pk=scope.customer.pk)
            verb = Verb(job.settings["verb"])
            greeting, operation = _named(scope, sound, wanted, facts, verb)
            if wanted.person and (column := job.settings.get("use")):
                # Where that isn't theirs to choose, it is in their library all the same.
                usage.use(scope, wanted.person, greeting, column, facts, verb)
            beat.finish(1, 0, operation)
    except RefusedError as refused:
        sounds.erase(sound)
        sounds.let_file_go(incoming)
        raise StoppedError(" ".join(refused.sentences)) from None
    sounds.erase(incoming)


def _page(job: Job) -> str:
    try:
        return url_of_incoming(Incoming.objects.select_related("customer", "user").get(job=job))
    except ObjectDoesNotExist:
        # What became of one's own is in one's own library.
        own = _verb(job) is Verb.SELF and job.starter and not rights.administers(job.starter)
        return reverse("own_greetings_page") if own else ""


def _verb(job: Job) -> Verb:
    return Verb.SELF if job.settings["verb"] == Verb.SELF else Verb.WORK


CONVERT = Work(
    slug="greeting",
    title=lambda job: _("Greeting “%(name)s”") % {"name": job.settings.get("name", "")},
    url=_page,
    phases={
        "converting": (gettext_lazy("Converting"), 0),
        "keeping": (gettext_lazy("Saving"), 950),
    },
    do=_convert,
    queue="sounds",
    verb=_verb,
)


def register() -> None:
    """Make the conversion known to workers."""
    register_work(CONVERT)
