"""The answer to a phone that asks who is calling: a 401 or 407 challenge becomes an Authorization value."""

import hashlib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

_LONGEST = 1024
"""Characters of a nonce, realm or opaque that are still answered: real ones are below 200."""

_HASHES: dict[str, tuple[int, Callable[[bytes], str]]] = {
    # MD5 is what most phones ask for (RFC 3261, 22.4); the request says nothing secret that it would protect.
    "MD5": (1, lambda text: hashlib.md5(text, usedforsecurity=False).hexdigest()),
    "SHA-256": (2, lambda text: hashlib.sha256(text).hexdigest()),
}
"""Algorithm → its strength and its hash, in hexadecimal (RFC 7616, 3.2; RFC 8760)."""

_WORD = r"[A-Za-z0-9\-.!%*_+`'~]+"
# One parameter and what follows it. No two branches can match the same text, so a hostile challenge costs its
# length and no more; sipmessage 0.7.1 doubles its time with each parameter of an unreadable one, and splits
# `qop="auth,auth-int"` at the comma.
_PARAMETER = re.compile(rf'\s*({_WORD})\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"\\]+))\s*(?:,|$)')
_SCHEME = re.compile(r"\s*digest\s+", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class ChallengeError(Exception):
    """A challenge that gets no answer; the text says why, for the log and the phone's page."""


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a phone wants proved: the realm, its nonce, the algorithm, whether only the nonce was stale."""

    algorithm: str
    realm: str
    nonce: str
    opaque: str | None
    qop: bool
    stale: bool

    @property
    def strength(self) -> int:
        """Rank of the algorithm; a later challenge must not rank lower than the first."""
        return _HASHES[self.algorithm][0]


def strongest(values: Iterable[str], *, at_least: int = 0) -> Challenge:
    """The challenge to answer among the WWW-Authenticate or Proxy-Authenticate `values` of one reply.

    The strongest algorithm wins, and the first of equals (RFC 8760, 2.4). Raises `ChallengeError` when none
    is readable, known, of sane length and of strength `at_least`.
    """
    readable: list[Challenge] = []
    refusal = "it asked for a password without a challenge"
    for value in values:
        try:
            readable.append(_read(value))
        except ChallengeError as reason:
            refusal = str(reason)
    if not readable:
        raise ChallengeError(refusal)
    best = max(readable, key=lambda challenge: challenge.strength)
    if best.strength < at_least:
        raise ChallengeError("it asked for a weaker digest than at first")
    return best


def credentials(
    challenge: Challenge, *, method: str, uri: str, username: str, password: str, cnonce: str
) -> str:
    """The Authorization or Proxy-Authorization value that proves `password` (RFC 7616, 3.4).

    `cnonce` must be fresh and random; it is sent, with a count of 1, only where the phone offered qop.
    """
    digest = _HASHES[challenge.algorithm][1]

    def hashed(*parts: str) -> str:
        return digest(":".join(parts).encode())

    secret = hashed(username, challenge.realm, password)
    request = hashed(method, uri)
    fields = [
        f"username={_quoted(username)}",
        f"realm={_quoted(challenge.realm)}",
        f"nonce={_quoted(challenge.nonce)}",
        f"uri={_quoted(uri)}",
    ]
    if challenge.qop:
        response = hashed(secret, challenge.nonce, "00000001", cnonce, "auth", request)
        # Unquoted, as the grammar has them; some phones compare the text.
        fields += [f'response="{response}"', "qop=auth", "nc=00000001", f"cnonce={_quoted(cnonce)}"]
    else:
        fields += [f'response="{hashed(secret, challenge.nonce, request)}"']
    fields.append(f"algorithm={challenge.algorithm}")
    if challenge.opaque is not None:
        fields.append(f"opaque={_quoted(challenge.opaque)}")
    return "Digest " + ", ".join(fields)


def _read(value: str) -> Challenge:
    scheme = _SCHEME.match(value)
    if scheme is None:
        raise ChallengeError("it asked for something other than a digest")
    parameters: dict[str, str] = {}
    position = scheme.end()
    while position < len(value):
        found = _PARAMETER.match(value, position)
        if found is None or found[1].lower() in parameters:
            raise ChallengeError("its challenge is not readable")
        quoted, plain = found[2], found[3]
        parameters[found[1].lower()] = plain if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
        position = found.end()

    realm, nonce, opaque = (parameters.get(name) for name in ("realm", "nonce", "opaque"))
    if realm is None or not nonce:
        raise ChallengeError("its challenge is not readable")
    for text in (realm, nonce, opaque or ""):
        if len(text) > _LONGEST:
            raise ChallengeError("its challenge is too long")
        # They are sent back: a bare line feed would become a header of ours.
        if _CONTROL.search(text):
            raise ChallengeError("its challenge is not readable")
    algorithm = parameters.get("algorithm", "MD5").upper()
    if algorithm not in _HASHES:
        raise ChallengeError("it asked for an unknown digest algorithm")
    qop = [choice.strip().lower() for choice in parameters.get("qop", "").split(",") if choice.strip()]
    if qop and "auth" not in qop:
        raise ChallengeError("it asked for an unknown protection (qop)")
    return Challenge(
        algorithm=algorithm,
        realm=realm,
        nonce=nonce,
        opaque=opaque,
        qop=bool(qop),
        stale=parameters.get("stale", "").lower() == "true",
    )


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
