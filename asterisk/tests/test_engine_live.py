"""An Asterisk that runs: how it is started and stopped, what of it others can see, and that it asks the portal with its token."""

import os
import stat
from pathlib import Path

import pytest

from asterisk.engine.engine import Engine
from asterisk.engine.fetching import EngineError, Installed
from asterisk.engine.ports import free_ports
from asterisk.tests.engine import LiveEngine, Portal
from phones.tests.processes import wait_until

pytestmark = pytest.mark.calls


def test_it_boots_and_listens_for_phones(engine: LiveEngine) -> None:
    assert engine.running
    transports = engine.cli("pjsip show transports")
    for port in (engine.values["SIP_PORT"], engine.values["SIP_TLS_PORT"]):
        assert f"127.0.0.1:{port}" in transports
    assert "declined to load" not in engine.said
    assert "Error loading" not in engine.said


def test_nothing_secret_is_seen_of_its_process_or_by_other_users(engine: LiveEngine) -> None:
    secrets = [engine.values["NODE_TOKEN"].encode(), engine.values["NODE_PASSWORD"].encode()]
    process = Path(f"/proc/{engine.pid}")
    for name in ("cmdline", "environ"):
        assert not any(secret in (process / name).read_bytes() for secret in secrets)
    assert not any(secret.decode() in engine.said for secret in secrets)
    for path in engine.folders.etc.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path


def test_a_second_one_in_the_same_folder_is_refused(engine: LiveEngine, asterisk: Installed) -> None:
    with pytest.raises(EngineError, match=f"already runs in {engine.folders.home} as process {engine.pid}"):
        Engine(engine.folders.home, asterisk, **free_ports()).start()
    assert engine.running


def test_two_run_side_by_side(engine: LiveEngine, asterisk: Installed, tmp_path: Path) -> None:
    other = Engine(tmp_path / "other", asterisk, **free_ports(), PORTAL_URL=engine.values["PORTAL_URL"])
    other.start()
    try:
        assert "System uptime" in other.cli("core show uptime")
        assert other.pid != engine.pid
    finally:
        other.stop()
    assert not other.running
    assert engine.running


def test_one_that_can_not_start_says_why(asterisk: Installed, tmp_path: Path) -> None:
    broken = Engine(tmp_path / "broken", asterisk, **free_ports(), SIP_ADDRESS="127.0.0.1;")
    with pytest.raises(EngineError, match="SIP_ADDRESS"):
        broken.start()
    assert not broken.running


@pytest.mark.parametrize("how", ["start", "detach"])
@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError])
def test_nothing_stays_behind_of_a_start_that_was_broken_off(
    asterisk: Installed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str, error: type[BaseException]
) -> None:
    engine, children = Engine(tmp_path / "node", asterisk, **free_ports()), Path(f"/proc/{os.getpid()}/task")
    before = {number for each in children.glob("*/children") for number in each.read_text().split()}
    began: list[int] = []

    def broken_off(engine: Engine) -> None:
        began.append(engine.pid)
        raise error

    monkeypatch.setattr(Engine, "wait_until_booted", broken_off)
    with pytest.raises(error):
        getattr(engine, how)()
    assert began[0]
    assert not Path(f"/proc/{began[0]}").exists()
    assert {number for each in children.glob("*/children") for number in each.read_text().split()} <= before


def test_it_ends_with_the_process_that_started_it(
    asterisk: Installed, portal: Portal, tmp_path: Path
) -> None:
    engine = Engine(tmp_path / "node", asterisk, **free_ports(), PORTAL_URL=portal.url)
    read_end, write_end = os.pipe()
    maker = os.fork()
    if maker == 0:
        try:
            engine.start()
            os.write(write_end, b"%d" % engine.pid)
        finally:
            os._exit(0)
    os.close(write_end)
    with os.fdopen(read_end) as said:
        number = int(said.read())
    os.waitpid(maker, 0)
    wait_until(lambda: not engine.running, 8, f"process {number} ends with its maker")
