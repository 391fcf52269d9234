"""Greetings and bad luck: workers that are killed, a broker that is away, a full disk, two people at once, files that are lost."""

import os
import resource
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.utils import timezone

from forwarding.models import ForwardingRule
from pbxadmin.common.columns import Scope
from phones.tests.processes import publish_to, shared_database, valkey, wait_until, worker
from users import road
from users.models import Customer, Job, Operation, User
from users.rights import Verb
from users.road import Outcome, jobs
from users.road.undo import NotUndoableError, undo
from users.tests.factories import FACTS, make_customer, make_user
from users.tests.test_jobs_with_workers import nobody_heard_of_the_worker, waits_with
from users.tests.test_races import Writer, race
from voicemail.audio import convert, ffmpeg
from voicemail.greetings import sounds, usage
from voicemail.greetings.making import MOST_WAITING, RefusedError
from voicemail.greetings.sheet import greeting_sheet
from voicemail.models import Greeting, Incoming, Mailbox, Sound
from voicemail.tests.audio.make import recording
from voicemail.tests.sounds import ready_wav, tone
from voicemail.tests.test_library import choose, files_of, give

real = [
    pytest.mark.django_db(transaction=True), pytest.mark.postgresql, pytest.mark.slow("starts workers, or waits for locks"),
]  # fmt: skip


def really(test: Callable[..., None]) -> Callable[..., None]:
    """A test with several connections to PostgreSQL."""
    for mark in real:
        test = mark(test)
    return test


@pytest.fixture(autouse=True)
def _a_folder_of_its_own(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"
    monkeypatch.setenv("PBXADMIN_VAR", str(tmp_path))  # of workers, which are processes of their own


@pytest.fixture
def owner(transactional_db: None) -> User:
    """Félix, of a customer that no other test knows."""
    return make_user(make_customer(slug="quai"), "102", "Félix", "Gagnon", role="system_owners")


def sent(owner: User) -> Job:
    """A recording that a worker is to convert."""
    incoming = give(owner, owner.customer, owner, content=tone(2, rate=44_100))
    assert isinstance(incoming, Incoming)
    assert incoming.job is not None
    return incoming.job


def now(job: Job) -> Job:
    return Job.objects.get(pk=job.pk)


def nothing_is_left_but(owner: User, count: int) -> None:
    """So many greetings, each with a file that can be read, and after the sweep no other file and no row beside them."""
    sounds.sweep(timezone.now() + timedelta(days=2))
    greetings = list(Greeting.objects.in_library().filter(customer=owner.customer))
    assert len(greetings) == count
    assert files_of() == sorted(greeting.sound.path for greeting in greetings)
    assert all(sounds.read(greeting.sound) for greeting in greetings)
    assert (Incoming.objects.count(), Sound.objects.count()) == (0, count)


# --- Killed, and away -----------------------------------------------------------------------------------------
@contextmanager
def an_ffmpeg_that_waits(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The real one, which begins when somebody writes into a pipe; the path is there as soon as it was started."""
    folder.mkdir()
    program, started, pipe = folder / "ffmpeg", folder / "started", folder / "pipe"
    os.mkfifo(pipe)
    program.write_text(
        f'#!/bin/sh\ncase "$*" in *-version*) ;; *) : >"{started}"; read _ <"{pipe}" ;; esac\nexec "{ffmpeg.program()}" "$@"\n'
    )
    program.chmod(0o755)
    with monkeypatch.context() as patched:
        patched.setenv("PATH", f"{folder}:{os.environ['PATH']}")
        yield started
    writing = os.open(pipe, os.O_WRONLY)
    os.write(writing, b"\n")
    os.close(writing)


@contextmanager
def the_lock_of(customer: Customer) -> Iterator[None]:
    """What everybody takes who writes greetings of a customer; rows that name the customer are written beside it."""
    holder = connection.copy()
    holder.set_autocommit(False)
    with holder.cursor() as cursor:
        cursor.execute("SELECT 1 FROM users_customer WHERE id = %s FOR NO KEY UPDATE", [customer.pk])
    try:
        yield
    finally:
        holder.rollback()
        holder.close()


@really
def test_a_worker_that_is_killed_while_it_converts_or_saves_leaves_one_greeting_of_the_next_one(
    tmp_path: Path, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = set(Path("/tmp").iterdir())
    with shared_database(tmp_path) as database, valkey(tmp_path) as broker:
        job = sent(owner)
        # In the middle of a conversion.
        with (
            an_ffmpeg_that_waits(tmp_path / "bin", monkeypatch) as started,
            worker(tmp_path, database, broker, name="first") as first,
        ):
            wait_until(started.exists, 30, "ffmpeg is started")
            first.kill()
        assert not Sound.objects.exists()
        nobody_heard_of_the_worker(job)
        # Between the file and the greeting that is to name it.
        with ExitStack() as stack:
            stack.enter_context(the_lock_of(owner.customer))
            second = stack.enter_context(worker(tmp_path, database, broker, name="second"))
            jobs.sweep_jobs()
            wait_until(lambda: Sound.objects.exists() and waits_with("SELECT"), 30, "the worker has saved")
            second.kill()
        assert not Greeting.objects.filter(customer=owner.customer).exists()
        assert len(files_of()) == 2
        nobody_heard_of_the_worker(job)
        with worker(tmp_path, database, broker, name="third"):
            jobs.sweep_jobs()
            wait_until(lambda: now(job).is_over, 60, "the conversion is over")
    assert (now(job).state, now(job).attempts) == (Job.State.DONE, 3)
    assert Operation.objects.filter(customer=owner.customer, actor_pk=owner.pk).count() == 1
    nothing_is_left_but(owner, 1)
    left = {path.name for path in set(Path("/tmp").iterdir()) - before}
    assert not {name for name in left if "greeting" in name or "ffmpeg" in name}


@really
def test_a_recording_that_came_while_the_broker_was_away_is_found_by_the_sweep(owner: User) -> None:
    before = os.environ.get("CELERY_BROKER_URL", "")
    publish_to("redis+socket:///nowhere/valkey.sock")
    try:
        job = sent(owner)
    finally:
        publish_to(before)
    assert (job.pk, "greeting") in jobs.due()
    assert jobs.run(job.pk) is False
    assert now(job).state == Job.State.DONE
    nothing_is_left_but(owner, 1)


def test_whoever_is_killed_between_a_row_and_its_file_leaves_nothing_for_long(felix, boreale):
    Sound.objects.create(customer=boreale, size=1, samples=1, digest="0" * 64)
    incoming = Incoming.objects.create(customer=boreale, starter=felix, name="Vacances", made="upload")
    default_storage.save(incoming.path, ContentFile(b"RIFF"))
    assert sounds.find_faults() == sounds.Faults([], [])
    nothing_is_left_but(felix, 0)


def test_what_is_rolled_back_leaves_no_greeting_and_its_file_goes_with_the_sweep(felix, amelie, boreale):
    with transaction.atomic():
        give(felix, boreale, amelie)
        transaction.set_rollback(True)
    assert len(files_of()) == 1
    assert sounds.find_faults().orphans == files_of(), (
        "its row went with the transaction that it should not have been in"
    )
    sound = sounds.keep(boreale, convert(ready_wav(), level=False, trim=False))
    with transaction.atomic():
        Greeting.objects.create(customer=boreale, user=amelie, name="Vacances", sound=sound)
        transaction.set_rollback(True)
    default_storage.delete(sounds.find_faults().orphans[0])
    nothing_is_left_but(felix, 0)


def test_whoever_sends_more_than_may_wait_is_told_so_and_what_waits_stays(felix, amelie, boreale):
    for place in range(MOST_WAITING):
        give(felix, boreale, amelie, name=f"Message {place}", content=tone(0.5, rate=44_100))
    with pytest.raises(RefusedError, match="derniers enregistrements"):
        give(felix, boreale, amelie, name="Un de trop", content=tone(0.5, rate=44_100))
    assert Incoming.objects.count() == len(files_of()) == MOST_WAITING


# --- A full disk ----------------------------------------------------------------------------------------------
@contextmanager
def no_file_longer_than(size: int) -> Iterator[None]:
    """The system's own refusal in the middle of a file, for this process."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("content", [ready_wav(20), tone(4, rate=44_100)], ids=["sound", "incoming"])
def test_a_disk_that_is_full_when_a_recording_comes_is_said_and_half_a_file_goes(
    felix, amelie, boreale, content
):
    with no_file_longer_than(200_000), pytest.raises(RefusedError, match="pas pu être"):
        give(felix, boreale, amelie, content=content)
    assert files_of() == []
    assert not Sound.objects.exists()
    assert not Incoming.objects.exists()


@really
def test_a_disk_that_is_full_when_a_recording_is_converted_is_said_and_leaves_no_file(
    owner: User, tmp_path: Path
) -> None:
    webm = tmp_path / "minute.webm"
    recording(60, webm)
    with no_file_longer_than(webm.stat().st_size + 100_000):
        incoming = give(owner, owner.customer, owner, content=webm.read_bytes())
        assert isinstance(incoming, Incoming)
        jobs.run(incoming.job_id)
    incoming.refresh_from_db()
    assert incoming.job.state == Job.State.STOPPED
    assert "pas pu être" in incoming.job.words
    assert files_of() == []
    nothing_is_left_but(owner, 0)


# --- Two at once ----------------------------------------------------------------------------------------------
@pytest.fixture
def zoe(owner: User) -> User:
    """A second system owner."""
    return make_user(owner.customer, "104", "Zoé", "Lavoie", role="system_owners")


def deleting(actor: User, greeting: Greeting) -> Callable[[], Writer]:
    def planned() -> Writer:
        scope = Scope(actor, greeting.customer)
        found = usage.uses(greeting.customer_id, [greeting])
        plans = usage.plan_taking_out(scope, [greeting], found, Verb.EDIT)
        return lambda: road.ended(lambda: road.apply_all(plans, FACTS))[0]

    return planned


def trimming(actor: User, greeting: Greeting) -> Callable[[], Writer]:
    def planned() -> Writer:
        part = sounds.keep(greeting.customer, convert(ready_wav(0.5), level=False, trim=False))
        row = road.Row(greeting.pk, {"sound": part.pk}, seen=greeting.version)
        plan = road.plan(actor, greeting.customer, greeting_sheet(), [row])
        return lambda: road.commit(plan, FACTS).outcome

    return planned


def undoing(actor: User, operation: Operation) -> Callable[[], Writer]:
    def undone() -> bool:
        try:
            return bool(undo(actor, operation.customer, operation, FACTS))
        except NotUndoableError:
            return False

    return lambda: undone


@really
@pytest.mark.parametrize(
    ("first", "second"),
    [(deleting, deleting), (trimming, trimming), (deleting, trimming)],
    ids=["both delete", "both trim", "one deletes, one trims"],
)
def test_of_two_who_change_a_greeting_at_once_one_is_told_and_no_file_is_left(
    owner: User, zoe: User, first: Any, second: Any
) -> None:
    greeting = give(owner, owner.customer, owner)
    choose(owner, owner, voicemail__default_greeting=greeting.pk, away__greeting=greeting.pk)
    done = race(first(owner, greeting), second(zoe, greeting))
    assert done.count(Outcome.SAVED) == 1, done
    assert set(done) <= {Outcome.SAVED, Outcome.CONFLICT, Outcome.REFUSED, Outcome.UNCHANGED}
    greeting.refresh_from_db()
    kept = Mailbox.objects.get(user=owner).default_greeting_id
    assert kept == (None if greeting.deleted_at else greeting.pk)
    sounds.sweep(timezone.now() + timedelta(days=31))
    nothing_is_left_but(owner, 0 if greeting.deleted_at else 1)


@really
def test_of_two_who_undo_a_deletion_at_once_one_does_and_the_greeting_is_there_once(
    owner: User, zoe: User
) -> None:
    greeting = give(owner, owner.customer, owner)
    usage.take_out(Scope(owner, owner.customer), [greeting], FACTS)
    operation = Operation.objects.latest("pk")
    assert sorted(race(undoing(owner, operation), undoing(zoe, operation))) == [False, True]
    nothing_is_left_but(owner, 1)


@really
def test_a_greeting_that_is_put_back_while_the_sweep_comes_for_it_stays_with_its_file(owner: User) -> None:
    greeting = give(owner, owner.customer, owner)
    usage.take_out(Scope(owner, owner.customer), [greeting], FACTS)
    operation = Operation.objects.latest("pk")

    undone, go_on = Event(), Event()

    def put_back() -> None:
        try:
            with transaction.atomic():
                assert undo(owner, owner.customer, operation, FACTS)
                undone.set()
                assert go_on.wait(20)
        finally:
            connection.close()

    def swept() -> int:
        try:
            return sounds.sweep(timezone.now() + timedelta(days=31))
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        putting = pool.submit(put_back)
        assert undone.wait(20)
        sweeping = pool.submit(swept)
        wait_until(lambda: sweeping.done() or waits_with(""), 10, "the sweep waits")
        go_on.set()
        putting.result(20)
        assert sweeping.result(20) == 0
    nothing_is_left_but(owner, 1)


@really
def test_a_greeting_that_the_sweep_erased_first_is_not_put_back(owner: User) -> None:
    greeting = give(owner, owner.customer, owner)
    usage.take_out(Scope(owner, owner.customer), [greeting], FACTS)
    operation = Operation.objects.latest("pk")
    assert sounds.sweep(timezone.now() + timedelta(days=31)) == 1
    assert undoing(owner, operation)()() is False
    nothing_is_left_but(owner, 0)


# --- Lost -----------------------------------------------------------------------------------------------------
def test_files_of_nobody_and_greetings_without_a_file_are_found_and_mended(
    felix, amelie, boreale, settings, capsys
):
    lost, damaged, well = (give(felix, boreale, amelie, name=name) for name in ("Un", "Deux", "Trois"))
    chosen = {
        "voicemail__default_greeting": lost.pk,
        "away__greeting": damaged.pk,
        "available__greeting": well.pk,
    }
    assert choose(felix, amelie, **chosen).operation
    default_storage.delete(lost.sound.path)
    (settings.MEDIA_ROOT / damaged.sound.path).write_bytes(ready_wav(0.3))
    default_storage.save("greetings/incoming/nobodys", ContentFile(b"x"))
    with pytest.raises(CommandError, match="3 found"):
        call_command("check_greetings")
    said = capsys.readouterr().out
    assert [name in said for name in ("(Un)", "(Deux)", "Trois", "nobodys")] == [True, True, False, True]
    call_command("check_greetings", "--mend")
    call_command("check_greetings")
    assert list(Greeting.objects.in_library().filter(user=amelie)) == [well]
    assert Mailbox.objects.get(user=amelie).default_greeting is None
    assert [rule.greeting for rule in ForwardingRule.objects.filter(user=amelie, greeting__isnull=False)] == [
        well
    ]
    assert files_of() == sorted([damaged.sound.path, well.sound.path])
    shutil.copy(settings.MEDIA_ROOT / well.sound.path, settings.MEDIA_ROOT / lost.sound.path)
    shutil.copy(settings.MEDIA_ROOT / well.sound.path, settings.MEDIA_ROOT / damaged.sound.path)
    assert undo(felix, boreale, Operation.objects.latest("pk"), FACTS), "put back from a copy, they come back"
    assert Mailbox.objects.get(user=amelie).default_greeting == lost
    call_command("check_greetings")
