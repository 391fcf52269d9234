"""The proof that a phone may ask for, and those who must not get it."""

import hashlib
import re
from collections.abc import Callable
from typing import Any

import pytest

from phones.push.notify.digest import credentials, strongest
from phones.push.notify.sip import Outcome
from phones.push.tests.loopback import DIGEST, PASSWORD, answer, header, meet, meet_over_tcp, says

# --- the digest ---------------------------------------------------------------------------------------------


def fields_of(authorization: str) -> dict[str, str]:
    scheme, _, rest = authorization.partition(" ")
    assert scheme == "Digest"
    found = re.findall(r'(\w+)=(?:"((?:[^"\\]|\\.)*)"|([^,"]+))', rest)
    return {name: quoted.replace('\\"', '"').replace("\\\\", "\\") or plain for name, quoted, plain in found}


def proves(authorization: str, digest: Callable[[bytes], Any], realm: str = "Bureau") -> bool:
    """Whether `authorization` proves the password, computed as RFC 7616 (3.4.1) has it."""

    def h(text: str) -> str:
        return digest(text.encode()).hexdigest()

    said = fields_of(authorization)
    a1, a2 = h(f"u7Qx2:{realm}:{PASSWORD}"), h(f"NOTIFY:{said['uri']}")
    middle = f"{said['nonce']}:"
    if "qop" in said:
        middle += f"{said['nc']}:{said['cnonce']}:{said['qop']}:"
    return (
        said["username"] == "u7Qx2" and said["realm"] == realm and said["response"] == h(f"{a1}:{middle}{a2}")
    )


def test_the_examples_of_rfc_7616_come_out() -> None:
    for algorithm, response in (
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ):
        challenge = strongest(
            [
                'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm='
                f'{algorithm}, nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", '
                'opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'
            ]
        )
        said = credentials(
            challenge,
            method="GET",
            uri="/dir/index.html",
            username="Mufasa",
            password="Circle of Life",
            cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
        )
        assert f'response="{response}"' in said
        assert f"algorithm={algorithm}, opaque=" in said
        assert "qop=auth, nc=00000001" in said


@pytest.mark.parametrize(
    ("status", "asks", "says_it_in"),
    [
        ("401 Unauthorized", "WWW-Authenticate", "Authorization"),
        ("407 Proxy Authentication Required", "Proxy-Authenticate", "Proxy-Authorization"),
    ],
)
@pytest.mark.parametrize(("algorithm", "digest"), [("MD5", hashlib.md5), ("SHA-256", hashlib.sha256)])
@pytest.mark.parametrize("qop", ['qop="auth,auth-int", ', ""], ids=["qop", "no qop"])
def test_a_challenge_is_answered_once_in_a_new_transaction_of_the_same_call(
    status: str, asks: str, says_it_in: str, algorithm: str, digest: Any, qop: str
) -> None:
    challenge = f'{asks}: Digest realm="Bureau", nonce="7f1c", {qop}opaque="o\\"p", algorithm={algorithm}'
    result, phone = meet(says((status, challenge), ("200 OK",)))
    assert result.outcome is Outcome.ACCEPTED
    first, second = phone.heard
    proof = header(second, says_it_in)
    assert proves(proof, digest)
    assert fields_of(proof)["opaque"] == 'o"p'
    assert header(second, "CSeq") == "2 NOTIFY"
    assert header(first, "Via") != header(second, "Via")
    for same in ("Call-ID", "From", "To", "Event"):
        assert header(first, same) == header(second, same)


def test_the_strongest_known_algorithm_is_answered() -> None:
    offers = [f"WWW-Authenticate: {DIGEST}{name}" for name in ("SHA-512-256", "MD5", "SHA-256")]
    result, phone = meet(says(("401 Unauthorized", *offers), ("200 OK",)))
    assert result.outcome is Outcome.ACCEPTED
    assert proves(header(phone.heard[1], "Authorization"), hashlib.sha256)


def test_a_stale_nonce_is_renewed_once_and_no_more() -> None:
    fresh = ("401 Unauthorized", f"WWW-Authenticate: {DIGEST}MD5")
    stale = ("401 Unauthorized", f"WWW-Authenticate: {DIGEST}MD5, stale=true")
    result, phone = meet(says(fresh, stale, ("200 OK",)))
    assert result.outcome is Outcome.ACCEPTED
    assert [header(request, "CSeq")[0] for request in phone.heard] == ["1", "2", "3"]
    result, phone = meet(says(fresh, stale))
    assert (result.outcome, result.code) == (Outcome.UNAUTHORIZED, 401)
    assert len(phone.heard) == 3


def test_a_phone_that_asks_for_ever_is_left_after_one_proof() -> None:
    result, phone = meet(says(("401 Unauthorized", f"WWW-Authenticate: {DIGEST}MD5")))
    assert (result.outcome, result.code, result.reason) == (Outcome.UNAUTHORIZED, 401, "Unauthorized")
    assert len(phone.heard) == 2


def test_a_later_weaker_challenge_gets_no_proof() -> None:
    strong = ("401 Unauthorized", f"WWW-Authenticate: {DIGEST}SHA-256")
    weak = ("401 Unauthorized", f"WWW-Authenticate: {DIGEST}MD5, stale=true")
    result, phone = meet(says(strong, weak))
    assert result.outcome is Outcome.UNAUTHORIZED
    assert "weaker" in result.reason
    assert len(phone.heard) == 2


UNANSWERABLE = {
    "unknown algorithm": f"{DIGEST}SHA-512-256",
    "no challenge": None,
    "basic": 'Basic realm="Bureau"',
    "no nonce": 'Digest realm="Bureau"',
    "empty nonce": 'Digest realm="Bureau", nonce=""',
    "no realm": 'Digest nonce="1"',
    "nonce of 2 kB": f'Digest realm="Bureau", nonce="{"n" * 2048}"',
    "realm of 2 kB": f'Digest realm="{"r" * 2048}", nonce="n"',
    "opaque of 2 kB": f'Digest realm="r", nonce="n", opaque="{"o" * 2048}"',
    "only auth-int": 'Digest realm="Bureau", nonce="n", qop="auth-int"',
    "nonce twice": 'Digest realm="Bureau", nonce="n", nonce="m"',
    "line feed in the nonce": 'Digest realm="Bureau", nonce="n\nRoute: <sip:127.0.0.2>"',
    "unclosed quote": 'Digest realm="Bureau, nonce=n',
    "hundreds of parameters": "Digest " + ",".join(f'p{n}=""' for n in range(700)) + "!",
}


@pytest.mark.parametrize("challenge", UNANSWERABLE.values(), ids=UNANSWERABLE.keys())
def test_a_challenge_that_cannot_be_trusted_gets_no_proof(challenge: str | None) -> None:
    extra = [] if challenge is None else [f"WWW-Authenticate: {challenge}"]
    result, phone = meet(says(("401 Unauthorized", *extra)))
    assert (result.outcome, result.code) == (Outcome.UNAUTHORIZED, 401)
    assert result.seconds < 0.5
    assert len(phone.heard) == 1


def test_a_nonce_of_64_kb_over_tcp_is_given_up_at_16_kb() -> None:
    challenge = f'WWW-Authenticate: Digest realm="Bureau", nonce="{"n" * 65_536}"'
    result, heard = meet_over_tcp(lambda request: iter([answer(request, "401 Unauthorized", challenge)]))
    assert result.outcome is Outcome.SILENT
    assert result.seconds < 0.5
    assert len(heard) == 1


def test_quotes_in_what_is_sent_back_stay_inside_their_quotes() -> None:
    realm = 'Bureau "du\\ nord", uri="x'
    written = realm.replace("\\", "\\\\").replace('"', '\\"')
    challenge = f'WWW-Authenticate: Digest realm="{written}", nonce="7f1c", qop="auth"'
    result, phone = meet(says(("401 Unauthorized", challenge), ("200 OK",)))
    assert result.outcome is Outcome.ACCEPTED
    assert proves(header(phone.heard[1], "Authorization"), hashlib.md5, realm)
