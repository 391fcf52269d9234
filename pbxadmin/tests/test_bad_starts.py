"""What can't start says in one line why and what to do; what loses its place to write goes on."""

import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pbxadmin.run import launcher
from pbxadmin.run.processes import ROOT
from pbxadmin.tests.test_launcher import Running, eventually, start

__all__ = ["start"]  # the fixture

pytestmark = pytest.mark.slow("starts the launcher")


def launch(
    tmp_path: Path, before: Callable[[], None] | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    given = {
        name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "CELERY_BROKER_URL")
    }
    given |= {"DJANGO_SETTINGS_MODULE": "pbxadmin.settings.development", "PBXADMIN_VAR": str(tmp_path)}
    return subprocess.run(
        [sys.executable, "-P", launcher.__file__, "--port", str(launcher.free_port_after("127.0.0.1", 20_000))],
        env=given | environment, preexec_fn=before, capture_output=True, text=True, timeout=60,
    )  # fmt: skip


def smallest_files() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))


def one_line(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 2, done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert "Traceback" not in done.stdout
    return done.stderr


def test_a_data_folder_that_cannot_be_made_ends_in_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    line = one_line(launch(tmp_path / "file" / "var"))
    assert line.startswith(
        f"pbxadmin: nothing can be written into the data folder {tmp_path / 'file' / 'var'} ("
    )
    assert f"PBXADMIN_VAR={Path.home()}/pbxadmin ./run" in line


def test_a_read_only_data_folder_ends_in_one_clear_line() -> None:
    assert "nothing can be written into the data folder /sys/kernel" in one_line(launch(Path("/sys/kernel")))


def test_a_full_data_folder_ends_in_one_clear_line(tmp_path: Path) -> None:
    line = one_line(launch(tmp_path, smallest_files))
    assert f"the data folder {tmp_path} is full (File too large); make room there, or" in line


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("DATABASE_URL", "rubbish", "DATABASE_URL is no address that can be used: write it like postgres://"),
        ("CELERY_BROKER_URL", "nonsense://?", "CELERY_BROKER_URL is no address that can be used: write it like redis://"),
        ("DATABASE_URL", "postgres://nobody@127.0.0.1:1/none", "the database can't be used (connection to server at"),
    ],
    ids=["database", "broker", "database away"],
)  # fmt: skip
def test_an_address_that_leads_nowhere_ends_in_one_clear_line(
    tmp_path: Path, name: str, value: str, sentence: str
) -> None:
    line = one_line(launch(tmp_path, **{name: value}))
    assert line.startswith(f"pbxadmin: {sentence}")
    assert "set DATABASE_URL to another one" in line or "write it like" in line


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("DATABASE_URL", text) for text in ("postgres:name", "postgres://me:s3cret@host", "postgres://h:port/n", "mysql://h/n", "sqlite://")),
        *(("CELERY_BROKER_URL", text) for text in ("redis:", "redis+socket://", "http://host/", "redis://:s3cret@[/0")),
        *(("CACHE_URL", text) for text in ("rubbish", "nothing://host")),
        *(("EMAIL_URL", text) for text in ("rubbish", "pigeon://host")),
        *(("PUBLIC_URL", text) for text in ("portal.example", "https://", "ftp://portal.example")),
        *(("STORAGE_URL", text) for text in (
            "rubbish", "https://k:s3cret@h/bucket", "s3://host/bucket", "s3://k:s3cret@host", "s3://k:s3cret@host/b",
            "s3://k:s3cret@host/two/parts", "s3://k:s3cret@host/bucket?tls=no", "s3://k:s3cret@host/bucket?other=1",
            "s3://k:s3cret@host:port/bucket", "s3://k:s3cret@host/bucket?tls=0&region=a&region=b", "s3://k:s3/cret@host/bucket",
        )),
        *((name, "many") for name in ("SIP_PORT", "TRUSTED_PROXY_COUNT", "NOTIFY_RATE")),
    ],
)  # fmt: skip
def test_each_variable_that_is_nonsense_is_named_without_its_value(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    from django.core.exceptions import ImproperlyConfigured

    from pbxadmin.settings import addresses
    from pbxadmin.settings.base import env

    read = {
        "DATABASE_URL": addresses.database, "CELERY_BROKER_URL": addresses.broker, "CACHE_URL": addresses.cache,
        "EMAIL_URL": addresses.mail, "STORAGE_URL": addresses.storage, "PUBLIC_URL": lambda env: addresses.of_web(env, "PUBLIC_URL", ""),
    }.get(name, lambda env: addresses.number(env, name, 1))  # fmt: skip
    monkeypatch.setenv(name, value)
    with pytest.raises(ImproperlyConfigured) as refused:
        read(env)
    assert str(refused.value).startswith(f"{name} is ")
    assert "s3cret" not in str(refused.value)


def test_a_command_names_the_variable_that_is_nonsense_in_one_line() -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "check"], cwd=ROOT, env=os.environ | {"DATABASE_URL": "rubbish"},
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.startswith("pbxadmin: DATABASE_URL is no address that can be used")
    assert len(done.stderr.splitlines()) == 1


def test_a_disk_that_is_full_stops_no_launcher_and_it_says_when_there_is_room(
    start: Callable[..., Running], tmp_path: Path
) -> None:
    chatter = "import time\nwhile True: print('x' * 99, flush=True); time.sleep(0.01)"
    running = start(chatter)
    log = tmp_path / "child0.log"
    eventually(lambda: "up" in running.said())
    unlimited = resource.prlimit(running.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(running.process.pid, resource.RLIMIT_FSIZE, (3000, unlimited[1]))
    eventually(lambda: "can't be written (File too large)" in running.said())
    assert log.stat().st_size == 3000
    assert running.process.poll() is None
    resource.prlimit(running.process.pid, resource.RLIMIT_FSIZE, unlimited)
    eventually(lambda: f"{tmp_path} can be written again." in running.said())
    eventually(lambda: log.stat().st_size > 3000)
    assert running.said().count("can't be written") == 1
    assert "Traceback" not in running.said()
