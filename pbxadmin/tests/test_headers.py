"""Where somebody comes from, asked of the real servers by raw sockets: no header that a stranger writes decides it."""

import os
import re
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing
from urllib.parse import urlencode, urlsplit

import pytest

from pbxadmin.tests.installation import ROOT, Installation, until

pytestmark = pytest.mark.browser

REAL, UNDERSCORE = "X-Forwarded-For: 198.51.100.9", "X_Forwarded_For: 198.51.100.9"
# Each of them as somebody outside may send it: alone, beside the other in either order, twice, in pieces, mixed.
LIES = {
    "the header": [REAL],
    "underscores": [UNDERSCORE],
    "underscores last": [REAL, UNDERSCORE],
    "underscores first": [UNDERSCORE, REAL],
    "twice": [REAL, REAL],
    "underscores twice": [UNDERSCORE, UNDERSCORE],
    "in pieces": ["X-Forwarded-For: 198.51", "X-Forwarded-For: .100.9"],
    "a list": ["X-Forwarded-For: 198.51.100.9, 198.51.100.9, 198.51.100.9"],
    "mixed": ["X-Forwarded_For: 198.51.100.9", "x_FORWARDED-for: 198.51.100.9"],
    "others": ["X-Real-IP: 198.51.100.9", "Forwarded: for=198.51.100.9", "Remote-Addr: 198.51.100.9"],
    "a connection's own": [REAL, "Connection: close, X-Forwarded-For"],
}


def said(url: str, *head: str, body: bytes = b"") -> str:
    """The answer to a request that is written here, sign by sign."""
    place = urlsplit(url)
    lines = [*head, f"Host: {place.netloc}", f"Content-Length: {len(body)}"]
    if not any(line.startswith("Connection") for line in head):
        lines.append("Connection: close")
    with socket.create_connection((place.hostname or "", place.port or 80), 20) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode() + body)
        return b"".join(iter(lambda: connection.recv(65_536), b"")).decode()


def addresses(installation: Installation, statement: str) -> set[str]:
    """What a table of the running installation says of addresses."""
    with closing(sqlite3.connect(installation.var / "pbxadmin.sqlite3", timeout=20)) as base:
        found = {str(row[0]) for row in base.execute(statement)}
        base.execute("DELETE FROM signin_signinattempt")
        base.commit()
    return found


@pytest.mark.parametrize("lies", LIES.values(), ids=LIES.keys())
def test_a_failed_sign_in_counts_where_it_came_from(installation: Installation, lies: list[str]) -> None:
    page = said(installation.url, "GET /sign-in HTTP/1.1")
    [cookie] = re.findall(r"(?i)set-cookie: (csrftoken=[^;]+)", page)
    token = re.findall(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)[0]
    body = urlencode({"csrfmiddlewaretoken": token, "login": "998@nowhere.example", "password": "x"}).encode()
    kind = "Content-Type: application/x-www-form-urlencoded"
    answer = said(installation.url, "POST /sign-in HTTP/1.1", f"Cookie: {cookie}", kind, *lies, body=body)
    assert answer.split()[1] == "422"
    assert addresses(installation, "SELECT address FROM signin_signinattempt") == {"127.0.0.1"}


def token_of(installation: Installation, mac: str) -> str:
    """The token of a phone, as a technician of the installation reads it."""
    asked = (
        "from phones.models import Phone; from pbxadmin.common.crypto import Reader, plain; "
        f"print(plain(Phone.objects.get(mac='{mac}'), Phone.token, Reader.TECHNICIAN))"
    )
    environment = os.environ | {
        "PBXADMIN_VAR": str(installation.var),
        "DJANGO_SETTINGS_MODULE": "pbxadmin.settings.development",
    }
    environment.pop("DATABASE_URL", None)
    told = subprocess.run(
        [sys.executable, "manage.py", "shell", "-v", "0", "-c", asked],
        cwd=ROOT, env=environment, check=True, capture_output=True, text=True,
    )  # fmt: skip
    return told.stdout.split()[-1]


def test_a_phone_is_told_where_it_asked_from(installation: Installation) -> None:
    mac = "805ec0006003"
    token = token_of(installation, mac)
    fetched = f"FROM phones_phone WHERE mac = '{mac}'"
    for lies in LIES.values():
        before = addresses(installation, f"SELECT fetched_at {fetched}")
        answer = said(installation.url, f"GET /p/{token}/{mac}.cfg HTTP/1.1", *lies)
        assert answer.split()[1] == "200"
        # A fetch is noted once its last byte was handed over, and so after the answer is here.
        until(lambda before=before: addresses(installation, f"SELECT fetched_at {fetched}") != before)
        assert addresses(installation, f"SELECT fetched_from {fetched}") == {"127.0.0.1"}
