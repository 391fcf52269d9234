"""`./run --calls`: an Asterisk beside the portal, which asks it how calls go."""

import contextlib
import importlib.util
import ipaddress
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from asterisk.engine.ports import UDP_AND_TCP, free_port, is_free
from pbxadmin.run.processes import ROOT, Child, Supervisor

NODE = "run"
# Where each is looked for first; a second portal on this machine takes the next that are free.
SIP, AMI, ARI, ASKED = 5060, 5038, 8088, 8188
# Where the demo's SIP trunk leads.
PROVIDER = ("127.0.0.2", 5080)


@dataclass(frozen=True)
class Ports:
    """Where Asterisk listens, and where what it asks is answered."""

    host: str  # of SIP
    sip: int
    tls: int
    ami: int
    ari: int
    asked: int


def choose_ports(host: str) -> Ports:
    """Free ones, SIP on the address of the web server where Asterisk can listen there."""
    try:
        address = str(ipaddress.IPv4Address(host))
    except ValueError:
        address = "127.0.0.1"
    sip = free_port(UDP_AND_TCP, address, wanted=int(os.environ.get("SIP_PORT") or SIP))
    tls = free_port(host=address, wanted=int(os.environ.get("SIP_TLS_PORT") or sip + 1), taken=(sip,))
    ami, ari, asked = (free_port(wanted=number, taken=(sip, tls)) for number in (AMI, ARI, ASKED))
    return Ports(address, sip, tls, ami, ari, asked)


def set_environment(ports: Ports) -> None:
    """Tell the portal where phones send SIP: QR codes and the files of phones name it."""
    os.environ.setdefault("SIP_SERVER", urlsplit(os.environ["PUBLIC_URL"]).hostname or "127.0.0.1")
    os.environ["SIP_PORT"], os.environ["SIP_TLS_PORT"] = str(ports.sip), str(ports.tls)


def where() -> dict[str, str]:
    """The same, for commands at another terminal."""
    return {name: os.environ[name] for name in ("SIP_SERVER", "SIP_PORT", "SIP_TLS_PORT")}


def fetch(supervisor: Supervisor) -> str:
    """Make sure that there is an Asterisk; gives why there is none, or ""."""
    return _step(supervisor, "fetch", "everything")


def booted(supervisor: Supervisor, var: Path) -> str:
    """Wait until Asterisk, which listens already, answers, too; gives why it doesn't, or ""."""
    return _step(supervisor, "status", "nothing", {"PBXADMIN_NODE": str(var / "node")})


def _step(
    supervisor: Supervisor, command: str, prints: str, environment: dict[str, str] | None = None
) -> str:
    """A command of `./engine`; gives the last that it said where it failed, else ""."""
    step = Child(
        command, [sys.executable, "-m", "asterisk.engine", command],
        prints=prints, once=True, environment=environment or {},
    )  # fmt: skip
    supervisor.start(step)
    while step.process is not None and not supervisor.stopping:
        supervisor.turn(1)
    if not step.code or supervisor.stopping:
        return ""
    log = supervisor.logs / f"{command}.log"
    said = log.read_text(errors="replace").strip().splitlines() if log.exists() else []
    return (said or ["no reason given"])[-1].removeprefix("pbxadmin: ")


def node_secrets(ports: Ports) -> dict[str, str]:
    """Make or change the node of this Asterisk, and give what its environment needs: NODE_NAME, NODE_TOKEN, NODE_PASSWORD.

    They come through a pipe, and are in no log and no command line. Raises `OSError` with the reason.
    """
    command = [
        sys.executable, "manage.py", "pbx_node", NODE, "--host", "127.0.0.1",
        "--ami-port", str(ports.ami), "--ari-port", str(ports.ari),
    ]  # fmt: skip
    made = _said(command)
    if "NODE_TOKEN" not in made:
        # It was there already, and of its token only the fingerprint.
        made = _said([*command[:4], "--new-token"])
    return made


def _said(command: list[str]) -> dict[str, str]:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 - our own command
    if done.returncode:
        raise OSError((done.stderr.strip().splitlines() or ["no reason given"])[-1])
    pairs = (line.partition("=") for line in done.stdout.splitlines())
    return {name: text for name, _sign, text in pairs if name.startswith("NODE_")}


def server(ports: Ports, granian: Callable[..., list[str]]) -> Child:
    """The web server for what Asterisk asks: of its own, so that no page keeps a caller waiting, and reachable from here alone."""
    command = granian(
        "wsgi", "pbxadmin.wsgi:application", "--host", "127.0.0.1", "--port", str(ports.asked),
        "--blocking-threads", "4",
    )  # fmt: skip
    # Nothing stands before it that would say who asks.
    hosts = ",".join([os.environ["ALLOWED_HOSTS"], "127.0.0.1"])
    return Child("calls", command, environment={"TRUSTED_PROXY_COUNT": "0", "ALLOWED_HOSTS": hosts})


def programs(ports: Ports, var: Path, secrets: dict[str, str], *, demo: bool) -> list[Child]:
    """Asterisk, the worker that holds the link to it, and the provider of the demo's SIP trunk."""
    environment = secrets | {
        "PORTAL_URL": f"http://127.0.0.1:{ports.asked}",
        "PBXADMIN_NODE": str(var / "node"),
        "NODE_ADDRESS": "127.0.0.1",
        "SIP_ADDRESS": ports.host,
        "SIP_PORT": str(ports.sip),
        "SIP_TLS_PORT": str(ports.tls),
        "AMI_PORT": str(ports.ami),
        "HTTP_PORT": str(ports.ari),
    }
    # What Asterisk warns of is for whoever looks for it, in its log.
    command = [sys.executable, "-m", "asterisk.engine", "run"]
    children = [
        Child("engine", command, prints="nothing", environment=environment),
        # It says that there is no link, and that there is one again.
        Child("link", [sys.executable, "manage.py", "pbx_link"], prints="everything"),
    ]
    # Of another portal on this machine there is one already, which takes this one's calls, too.
    if demo and has_softphone() and is_free(PROVIDER[1], UDP_AND_TCP, PROVIDER[0]):
        command = [sys.executable, "manage.py", "softphone", "--provider"]
        children.append(Child("outside", command, prints="everything"))
    return children


def has_softphone() -> bool:
    """Whether what softphones stand on is installed."""
    return importlib.util.find_spec("pjsua2") is not None


def listens(ports: Ports) -> bool:
    """Whether Asterisk has begun to listen for phones."""
    with contextlib.suppress(OSError):
        return not is_free(ports.sip, host=ports.host)
    return False


def greeting(ports: Ports, prefix: str, *, provider: bool = True) -> str:
    """What is printed of it once it listens; `prefix` stands before commands for another terminal. `provider`: whether one was started."""
    lines = [f"  Calls: SIP at {ports.host}:{ports.sip} (UDP, TCP) and {ports.tls} (TLS)"]
    if has_softphone() and not provider:
        host, port = PROVIDER
        lines.append(
            f"  Another program has {host}:{port} already, and takes what goes out through the demo's SIP trunk; once it has ended, have"
        )
        lines.append(f"    {prefix}./.venv/bin/python manage.py softphone --provider")
    command = f"{prefix}./.venv/bin/python manage.py softphone"
    if has_softphone():
        lines += [
            "  Hear them, each in a terminal of its own (docs/calls.md):",
            f"    {command} 105 --answer",
            f"    {command} 101 --call 105",
            f"    {command} --outside 5145550177 --call 5145550110",
        ]
    else:
        lines.append(
            f"  No softphone: pjsua2 has no wheel for Python {sys.version_info[0]}.{sys.version_info[1]}; any SIP app does, by the QR code of a user"
        )
    return "\n".join(lines)
