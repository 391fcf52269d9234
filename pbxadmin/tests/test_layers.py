"""What no import shows: a lower room names no address and no template of an upper one.

The rooms are those of import-linter (`pyproject.toml`). An address belongs to the room of its view, a template to the app of
its folder. Where a lower room shows something of an upper one, the upper one hands it in: a field of `Contribution`, a register
that it fills in `ready()`, a value of the context.
"""

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.urls import URLPattern, get_resolver

from pbxadmin.tests.packages import PACKAGES
from talk import urls_host

pytestmark = pytest.mark.slow("reads all the sources")

ROOT = Path(settings.BASE_DIR)
# Lowest first; rooms side by side don't name each other.
LAYERS = (
    ("pbxadmin.common",),
    ("users.models",),
    ("users.rights",),
    ("users.road",),
    ("users.mail",),
    ("signin",),
    ("users.people",),
    ("users.company",),
    ("users.history",),
    ("users",),  # its addresses, and templates, which all of its rooms share
    ("phones", "forwarding", "voicemail"),
    ("talk", "files", "asterisk"),
    ("pbxadmin.pages",),
    ("support",),
    ("pbxadmin",),
)
LEVELS = {room: level for level, rooms in enumerate(LAYERS) for room in rooms}

# Where everybody comes in, goes back to and goes out again: the frame of every page leads there, and so does whoever is done.
ENTRANCES = {
    "home", "own_page", "own_security", "roles", "sign_out", "customer_home", "admin:index",
    "set_language", "set_theme", "set_density",
    "bell", "job_list", "own_jobs", "record_history", "history_file", "audit_file",
    "customer_settings",  # where whoever may switches on what a page misses
}  # fmt: skip

QUOTED = r"""["']([\w/.:-]+)["']"""
SHORTCUTS = {"reverse", "reverse_lazy", "redirect", "resolve_url"}
TEMPLATE = re.compile(r"[\w/]+\.(html|txt|html\.j2)")


def room_of(module: str) -> str:
    """The room where a module stands; what isn't ours is nobody's but the wiring's, which gave it an address."""
    while module and module not in LEVELS:
        module = module.rpartition(".")[0]
    return module or "pbxadmin"


def room_of_template(name: str) -> str:
    """The room of a template: its folder's app; what stands at the top, partials and widgets are the kit's."""
    folder, slash, _rest = name.partition("/")
    if not slash or folder in ("partials", "widgets"):
        return "pbxadmin.common"
    return {"pages": "pbxadmin.pages", "admin": "support"}.get(folder, folder)


def addresses() -> dict[str, str]:
    """Every name of an address with the room of its view."""

    def named(patterns: list[object], space: str = "") -> Iterator[tuple[str, str]]:
        for each in patterns:
            if not isinstance(each, URLPattern):
                inner = each.namespace  # type: ignore[attr-defined]
                yield from named(each.url_patterns, f"{inner}:" if inner else space)  # type: ignore[attr-defined]
            elif each.name:
                module = inspect.unwrap(each.callback).__module__
                yield space + each.name, "support" if space == "admin:" else room_of(module)

    return {
        name: room
        for patterns in (urls_host.urlpatterns, get_resolver().url_patterns)
        for name, room in named(patterns)
    }


def in_templates() -> Iterator[tuple[str, str, str, str]]:
    """Who names what: file, its room, "address" or "template", name."""
    folder = ROOT / "templates"
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            name, text = str(path.relative_to(folder)), path.read_text(encoding="utf-8")
            room = room_of_template(name)
            for address in re.findall(rf"{{% url {QUOTED}", text):
                yield name, room, "address", address
            for template in re.findall(rf"{{% (?:include|extends|part) {QUOTED}", text):
                yield name, room, "template", template


def in_modules() -> Iterator[tuple[str, str, str, str]]:
    """The same of the modules that aren't tests."""
    for path in (path for app in PACKAGES for path in sorted((ROOT / app).rglob("*.py"))):
        if {"tests", "migrations"} & set(path.parts):
            continue
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
                name = node.args[0].value
                if getattr(node.func, "id", getattr(node.func, "attr", "")) in SHORTCUTS and name[:1] != "/":
                    yield module, room_of(module), "address", name
            elif (
                isinstance(node, ast.Constant)
                and isinstance(node.value, str)
                and TEMPLATE.fullmatch(node.value)
            ):
                yield module, room_of(module), "template", node.value


def is_above(room: str, other: str) -> bool:
    """Whether the other room is above this one, or beside it; an app's templates are those of all its rooms."""
    if room == other or (other == "users" and room.startswith("users.")):
        return False
    return LEVELS[room] <= LEVELS[other]


@pytest.mark.parametrize("references", [in_templates, in_modules], ids=["templates", "modules"])
def test_no_room_names_what_is_above_it(references: object) -> None:
    rooms = addresses()
    wrong = []
    seen = 0
    for where, room, kind, name in references():  # type: ignore[operator]
        seen += 1
        if kind == "address" and name in ENTRANCES:
            continue
        other = rooms[name] if kind == "address" else room_of_template(name)
        if is_above(room, other):
            wrong.append(f"{where} ({room}) names the {kind} {name} of {other}")
    assert wrong == []
    assert seen > 100


def test_every_entrance_is_an_address() -> None:
    assert addresses().keys() >= ENTRANCES


@pytest.mark.parametrize(
    ("room", "other", "above"),
    [
        ("users.people", "forwarding", True), ("phones", "forwarding", True), ("pbxadmin.common", "users", True),
        ("users.people", "users.road", False), ("users.road", "users", False), ("talk", "phones", False),
    ],
)  # fmt: skip
def test_siblings_and_upper_rooms_are_above(room: str, other: str, above: bool) -> None:
    assert is_above(room, other) is above
