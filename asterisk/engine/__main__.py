"""`./engine`: the Asterisk of this folder, from the terminal."""

import argparse
import os
import sys
from pathlib import Path

from asterisk.engine.configuration import DEFAULTS, SECRETS
from asterisk.engine.engine import Engine, values_from
from asterisk.engine.fetching import EngineError, Installed, fetch, system_asterisk, unpacked
from pbxadmin.run.processes import ROOT

EPILOG = """\
Its values (see docs/calls.md) come from the environment: {names}.
PBXADMIN_ENGINE: where Asterisk is fetched to (var/engine). PBXADMIN_NODE: where this one keeps what is its own (var/node)."""


def store() -> Path:
    """Where Asterisk is fetched to."""
    return Path(os.environ.get("PBXADMIN_ENGINE") or ROOT / "var/engine").resolve()


def home() -> Path:
    """Where the Asterisk of `./engine` keeps what is its own."""
    return Path(os.environ.get("PBXADMIN_NODE") or ROOT / "var/node").resolve()


def there() -> Installed:
    """The Asterisk that there is already; raises `EngineError`."""
    if found := system_asterisk() or unpacked(store()):
        return found
    raise EngineError("there is no Asterisk yet: ./engine fetch")


def progress(text: str) -> None:
    """One line while it takes its time."""
    print(text, file=sys.stderr, flush=True)


def made(installed: Installed) -> Engine:
    """The Asterisk of this folder."""
    return Engine(home(), installed, **values_from(os.environ, DEFAULTS))


def foreground() -> None:
    """Become Asterisk: for a supervisor, which hears what it says and brings it back."""
    engine = made(fetch(store(), progress))
    engine.configure()
    if engine.running:
        raise EngineError(f"an Asterisk already runs in {engine.folders.home} as process {engine.pid}.")
    os.execve(engine.command[0], engine.command, engine.environment)  # noqa: S606 - it is what was asked for


def start() -> str:
    """Start it, and say where it is."""
    engine = made(fetch(store(), progress))
    if engine.running:
        return f"Asterisk already runs as process {engine.pid}."
    engine.detach()
    values = engine.values
    return f"Asterisk runs as process {engine.pid}: SIP on {values['SIP_ADDRESS']}:{values['SIP_PORT']}, log {engine.log}"


def status() -> str:
    """What runs here; raises `EngineError` where nothing does."""
    engine = made(there())
    if not engine.running:
        raise EngineError(f"no Asterisk runs in {engine.folders.home}.")
    engine.wait_until_booted()
    channels = engine.cli("core show channels count").strip().splitlines()
    up = engine.cli("core show uptime").strip().splitlines()
    return "\n".join([f"{engine.installed.release}, process {engine.pid}", *up[:1], *channels])


def read_arguments(given: list[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="./engine",
        description="Fetch, start and stop the Asterisk that asks the portal.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=EPILOG.format(names=", ".join(DEFAULTS)),
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, text in {
        "fetch": "make sure that there is an Asterisk; without root, and without changing the machine",
        "configure": "write the configuration; one that runs reloads all of it but the token, which it takes when it starts",
        "start": "start it in the background",
        "run": "start it in the foreground, for systemd",
        "stop": "end it, calls and all",
        "status": "what runs here",
        "console": "Asterisk's own console",
        "path": "where Asterisk is, and where this one keeps what is its own",
    }.items():
        commands.add_parser(name, help=text)
    cli = commands.add_parser("cli", help="one command of the console")
    cli.add_argument("words", nargs="+", metavar="WORD")
    return parser.parse_args(given)


def do(arguments: argparse.Namespace) -> str:
    """Carry out one command; gives what is to be printed."""
    match arguments.command:
        case "fetch":
            installed = fetch(store(), progress)
            return f"{installed.release} in {installed.root}"
        case "run":
            foreground()
        case "start":
            return start()
        case "status":
            return status()
        case "path":
            return f"{' '.join(there().program)}\n{home()}"
        case "configure":
            engine = made(fetch(store(), progress))
            engine.configure()
            if engine.running:
                engine.cli("core reload")
            return f"Written into {engine.folders.etc}"
    engine = made(there())
    if not engine.running:
        raise EngineError(f"no Asterisk runs in {engine.folders.home}.")
    if arguments.command == "console":
        command = [*engine.installed.program, "-C", str(engine.folders.etc / "asterisk.conf"), "-r"]
        os.execve(command[0], command, engine.environment)  # noqa: S606 - it is what was asked for
    if arguments.command == "cli":
        return engine.cli(" ".join(arguments.words)).rstrip()
    engine.stop()
    return "Stopped."


def main(given: list[str]) -> int:
    """Carry out one command; gives the exit code."""
    arguments = read_arguments(given)
    try:
        print(do(arguments))
    except EngineError as error:
        print(f"pbxadmin: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    finally:
        for name in SECRETS:
            os.environ.pop(name, None)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
