"""A form as a browser has it: every control of it by name, and what it would send as it stands."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any


@dataclass
class Control:
    """One element that sends a value: `values` are those that it would send now (a select may send several, a box none)."""

    name: str
    kind: str
    value: str
    values: list[str]


@dataclass
class TabForm(HTMLParser):
    """The controls of the form `id` of a page, wherever on the page they stand; buttons and what is disabled send nothing."""

    page: str
    id: str = "tab"
    controls: list[Control] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self._form = ""
        self._menu: Control | None = None
        self._menu_first: str | None = None
        self._several = self._disabled = False
        self._text: Control | None = None
        self.feed(self.page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """One element."""
        facts: dict[str, Any] = dict(attrs)
        if facts.get("id"):
            self.ids.append(facts["id"])
        if tag == "form":
            self._form = facts.get("id") or "?"
        elif tag == "option" and self._menu is not None:
            value = facts.get("value") or ""
            if self._menu_first is None:
                self._menu_first = value
            if "selected" in facts:
                self._menu.values.append(value)
        elif tag in ("input", "select", "textarea") and self._sends(facts):
            self._add(tag, facts)

    def _sends(self, facts: dict[str, Any]) -> bool:
        return bool(facts.get("name")) and (facts.get("form") or self._form) == self.id

    def _add(self, tag: str, facts: dict[str, Any]) -> None:
        kind = tag if tag != "input" else facts.get("type") or "text"
        value = facts.get("value") or ("on" if kind in ("checkbox", "radio") else "")
        sends = "disabled" not in facts and kind not in ("submit", "button", "file")
        ticked = kind not in ("checkbox", "radio") or "checked" in facts
        plain = kind not in ("select", "textarea")
        control = Control(facts["name"], kind, value, [value] if sends and ticked and plain else [])
        self.controls.append(control)
        if tag == "select":
            self._menu, self._menu_first = control, None
            self._several, self._disabled = "multiple" in facts, not sends
        elif tag == "textarea" and sends:
            self._text = control

    def handle_data(self, data: str) -> None:
        """What stands in a text area."""
        if self._text is not None:
            self._text.values = ["".join([*self._text.values, data])]

    def handle_endtag(self, tag: str) -> None:
        """The end of a form, a menu or a text area."""
        if tag == "form":
            self._form = ""
        elif tag == "textarea":
            self._text = None
        elif tag == "select" and self._menu is not None:
            if not self._menu.values and not self._several and self._menu_first is not None:
                self._menu.values = [self._menu_first]
            if self._disabled:
                self._menu.values = []
            self._menu = None

    @property
    def sent(self) -> dict[str, list[str]]:
        """What the browser would send when nothing was touched."""
        found: dict[str, list[str]] = {}
        for control in self.controls:
            if control.values:
                found.setdefault(control.name, []).extend(control.values)
        return found

    def of(self, name: str) -> list[Control]:
        """The controls of a field: of its name, or of the parts of a widget that has several ("name.0", "name-2-kind")."""
        return [
            control
            for control in self.controls
            if control.name == name or control.name.startswith((f"{name}.", f"{name}-"))
        ]
