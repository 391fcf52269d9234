"""A person at a browser: what it sends of a tab's form, and what somebody might type there."""

import re
from html import unescape

# What changes something on a tab, and what changes it back.
TYPED: dict[str, tuple[dict[str, object], dict[str, object]]] = {
    "general": ({"last_name": "Lavoie"}, {"last_name": "Gagnon"}),
    "talk": ({"talk_name": "zoelavoie"}, {"talk_name": ""}),
    "forwarding": ({"available.custom_message": "In the field"}, {"available.custom_message": ""}),
    "schedule": (
        {"hours_mode": "own", "office_hours.0": "8:00-17:00"},
        {"hours_mode": "department", "office_hours.0": ""},
    ),
    "phone": ({"time_format": "12"}, {"time_format": "24"}),
    "blf": (
        {"keys-2-kind": "shared_parking", "keys-2-slot": "SP1"},
        {"keys-2-kind": "blank", "keys-2-slot": ""},
    ),
    "voicemail": ({"voicemail.pin": "73019"}, {"voicemail.pin": "91037"}),
    "visualiser": ({"see_calls": "yes"}, {"see_calls": ""}),
    "options": ({"sip_id": "zoe"}, {"sip_id": ""}),
}


def typed(tab: str, form: dict[str, object], turn: int) -> dict[str, object]:
    """The form with a change of that tab: another one at each turn."""
    values = TYPED[tab][turn % 2]
    if tab == "visualiser":  # a column for each department
        return form | {
            name: value for name in form for end, value in values.items() if name.endswith(f"-{end}")
        }
    return form | values


def posted(page: str) -> dict[str, object]:
    """What a browser would send of the tab's form when nothing is changed."""
    form = re.search(r'<form method="post" id="tab".*?</form>', page, re.DOTALL)
    assert form, page[:2000]
    fields: dict[str, object] = {}
    for tag in re.findall(r"<input[^>]*>", form[0]):
        facts = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
        if re.search(r"\sdisabled\b", tag):
            continue
        if facts.get("type") in ("checkbox", "radio"):
            if re.search(r"\schecked\b", tag):
                chosen = fields.setdefault(facts["name"], [])
                assert isinstance(chosen, list)
                chosen.append(facts.get("value", "on"))
        elif "name" in facts:
            fields[facts["name"]] = unescape(facts.get("value", ""))
    for name, options in re.findall(
        r'<select\b[^>]*?\bname="([\w.-]+)".*?>(.*?)</select>', form[0], re.DOTALL
    ):
        chosen = re.search(r'value="([^"]*)"\s+selected', options) or re.search(r'value="([^"]*)"', options)
        fields[name] = unescape(chosen[1]) if chosen else ""
    return fields
