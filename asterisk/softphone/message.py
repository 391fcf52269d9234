"""PURE: SIP messages as the phones read them, apart from whatever else in this project reads SIP."""

import re
from dataclasses import dataclass
from functools import cached_property

COMPACT = {
    "f": "from",
    "t": "to",
    "m": "contact",
    "v": "via",
    "i": "call-id",
    "c": "content-type",
    "l": "content-length",
}


def number_of(address: str) -> str:
    """The user part of a name-addr: `"Amélie" <sip:101@x;y=z>` is 101; nothing for an address without one."""
    found = re.search(r"(?:sips?|tel):(?:([^@;>\s]+)@)?([^;>\s]*)", address)
    if not found:
        return ""
    return found[1] or (found[2] if "tel:" in address else "")


def name_of(address: str) -> str:
    """The display name of a name-addr, or nothing."""
    name = address.partition("<")[0].strip() if "<" in address else ""
    return re.sub(r"\\(.)", r"\1", name[1:-1]) if name.startswith('"') else name


@dataclass(frozen=True)
class Message:
    """One SIP message as it came."""

    text: str

    @property
    def start(self) -> str:
        """The request line or status line."""
        return self.text.partition("\r\n")[0]

    @property
    def code(self) -> int:
        """The status code; 0 for a request."""
        return int(self.start.split(" ")[1]) if self.start.startswith("SIP/2.0 ") else 0

    @property
    def method(self) -> str:
        """The method; nothing for a response."""
        return "" if self.code else self.start.split(" ")[0]

    @cached_property
    def headers(self) -> dict[str, list[str]]:
        """Headers by their long names in small letters, each with its values in the order in which they came."""
        found: dict[str, list[str]] = {}
        for line in self.text.partition("\r\n\r\n")[0].split("\r\n")[1:]:
            name, _, value = line.partition(":")
            key = name.strip().lower()
            found.setdefault(COMPACT.get(key, key), []).append(value.strip())
        return found

    def header(self, name: str) -> str:
        """The first value of a header, or nothing."""
        return self.headers.get(name.lower(), [""])[0]

    @property
    def body(self) -> str:
        """What stands behind the headers."""
        return self.text.partition("\r\n\r\n")[2]

    @property
    def dialled(self) -> str:
        """The number in a request line."""
        return number_of(self.start.split(" ")[1])

    @property
    def codecs(self) -> list[str]:
        """Codecs of the SDP's first audio line in its order, as Asterisk calls them, without those for digits and noise."""
        line = re.search(r"^m=audio \d+ \S+ ([\d ]+)", self.body, re.MULTILINE)
        names = dict(re.findall(r"^a=rtpmap:(\d+) ([^/\s]+)", self.body, re.MULTILINE))
        known = {"0": "PCMU", "3": "GSM", "8": "PCMA", "9": "G722"} | names
        ours = {"PCMU": "ulaw", "PCMA": "alaw"}
        offered = [known.get(number, number) for number in (line[1].split() if line else [])]
        return [
            ours.get(name, name.lower()) for name in offered if name.lower() not in ("telephone-event", "cn")
        ]

    @property
    def media(self) -> tuple[str, int]:
        """Where the SDP wants its sound: address and port; ("", 0) without SDP."""
        address = re.search(r"^c=IN IP\d (\S+)", self.body, re.MULTILINE)
        port = re.search(r"^m=audio (\d+)", self.body, re.MULTILINE)
        return (address[1], int(port[1])) if address and port else ("", 0)

    @property
    def encrypted(self) -> bool:
        """Whether the SDP offers keys for SRTP."""
        return "a=crypto:" in self.body or "RTP/SAVP" in self.body


def waiting(text: str) -> tuple[int, int]:
    """New and old voice messages, as a message summary (RFC 3842) says them."""
    found = re.search(r"^Voice-Message:\s*(\d+)/(\d+)", text, re.MULTILINE | re.IGNORECASE)
    return (int(found[1]), int(found[2])) if found else (0, 0)
