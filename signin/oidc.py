"""OpenID Connect, the protocol alone: where Microsoft and Google are, what they are asked, and whether their answer holds.

Authorization code with PKCE (RFC 7636), state and nonce. Nothing here knows a person or a session: that is
`signin.single_sign_on`. What an ID token says is believed after its signature, issuer, audience, time and nonce were
found right, and never for its own sake: not the key it names an address of, not the algorithm it would like.

Requests go to the hosts that are listed with the provider, over HTTPS, to nowhere that an answer redirects to, and end
after `DEADLINE` seconds or `LIMIT` bytes, whatever the other side does. The one exception is
`settings.SSO_LOOPBACK_ISSUERS`, with which development and tests have a provider of their own on this machine.
Signatures are joserfc's. Authlib above it would bring an HTTP client of its own for the two requests that are made here.
"""

import base64
import hashlib
import http.client
import json
import logging
import re
import socket
import ssl
import threading
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field
from functools import lru_cache
from hmac import compare_digest
from time import time
from typing import Any
from urllib.parse import SplitResult, urlencode, urlsplit

from django.conf import settings
from django.core.cache import cache
from django.core.exceptions import ImproperlyConfigured
from django.urls import reverse
from django.views.decorators.debug import sensitive_variables
from joserfc import jwk, jws, jwt
from joserfc.errors import InvalidKeyIdError, JoseError

from pbxadmin.common.crypto import Reader, fingerprint, plain
from users.models import Customer

logger = logging.getLogger("signin.credentials")

TIMEOUT = 5  # seconds without a byte
DEADLINE = 10  # seconds in all
LIMIT = 256 * 1024  # bytes of an answer: the keys of Microsoft are about 20 kB
MOST_KEYS = 50
REMEMBERED = 3600  # seconds: discovery and keys
# How long a provider that didn't answer isn't asked again, and how often unknown keys may make us ask for new ones.
LEFT_ALONE = 20
KEYS_AGAIN = 60
LEEWAY = 60  # seconds that two clocks may differ
OLDEST = 600  # seconds since an ID token was issued: it is fetched at once
# What Microsoft and Google sign with. Neither "none" nor an algorithm with a shared key is ever looked at.
ALGORITHMS = ["RS256"]
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class OidcError(Exception):
    """A provider that doesn't answer, or an answer that doesn't hold; the words are for the log and hold no secret."""


@dataclass(frozen=True)
class Provider:
    """Whose accounts people sign in with: its issuer, and the hosts of its endpoints."""

    key: str
    name: str
    issuer: str
    hosts: frozenset[str]


PROVIDERS: Mapping[str, Provider] = {
    provider.key: provider
    for provider in (
        Provider(
            "microsoft",
            "Microsoft",
            "https://login.microsoftonline.com/{tenant}/v2.0",
            frozenset({"login.microsoftonline.com"}),
        ),
        Provider(
            "google",
            "Google",
            "https://accounts.google.com",
            # As Google's discovery document spreads them.
            frozenset({"accounts.google.com", "oauth2.googleapis.com", "www.googleapis.com"}),
        ),
    )
}


@dataclass(frozen=True)
class Client:
    """The portal as one customer has registered it at one provider."""

    provider: Provider
    issuer: str
    origins: frozenset[str]  # "https://host", where requests may go
    client_id: str
    secret: str = field(repr=False)
    tenant: str = ""
    hosted_domain: str = ""


@dataclass(frozen=True)
class Identity:
    """Whose account it is, as the provider has signed it.

    `subject` with `issuer` never changes and never becomes somebody else's; `emails` may do both.
    """

    provider: str
    issuer: str
    subject: str
    emails: tuple[str, ...]
    email_verified: bool
    hosted_domain: str


SECRETS = {"microsoft": Customer.microsoft_client_secret, "google": Customer.google_client_secret}


def client_of(customer: Customer, key: str) -> Client | None:
    """How `customer` has registered the portal at the provider `key`; None where it hasn't, or is suspended."""
    if customer.suspended or key not in customer.single_sign_on:
        return None
    provider = PROVIDERS[key]
    tenant = customer.microsoft_tenant_id.lower() if key == "microsoft" else ""
    issuer, origins = provider.issuer, frozenset(f"https://{host}" for host in provider.hosts)
    if own := settings.SSO_LOOPBACK_ISSUERS.get(key):
        parts = urlsplit(own)
        if parts.hostname not in LOOPBACK:
            raise ImproperlyConfigured("SSO_LOOPBACK_ISSUERS is for servers of this machine alone.")
        issuer, origins = own, frozenset({f"{parts.scheme}://{parts.netloc}"})
    return Client(
        provider=provider,
        issuer=issuer.replace("{tenant}", tenant),
        origins=origins,
        client_id=getattr(customer, f"{key}_client_id"),
        secret=plain(customer, SECRETS[key], Reader.PROVIDER),
        tenant=tenant,
        hosted_domain=customer.google_hosted_domain.lower() if key == "google" else "",
    )


def redirect_uri(key: str) -> str:
    """Where a provider sends people back to: the portal's public address, whatever a request says its host is."""
    return settings.PUBLIC_URL.rstrip("/") + reverse("sso_back", args=[key])


def _allowed(url: str, client: Client) -> SplitResult:
    """The parts of an address to which requests may go; raises `OidcError` for every other."""
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise OidcError("an endpoint that is no address") from error
    # As it is written: with a name before it ("accounts.google.com@evil"), or a port after it, it is another one.
    if f"{parts.scheme}://{parts.netloc}" not in client.origins:
        raise OidcError("an endpoint that is none of the provider's hosts")
    return parts


# --- Asking -------------------------------------------------------------------------------------------------------
@lru_cache(maxsize=1)
def _trust() -> ssl.SSLContext:
    return ssl.create_default_context()


def _fetch(url: str, client: Client, form: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The JSON object at `url` (posting `form`); raises `OidcError` for every other outcome."""
    parts = _allowed(url, client)
    connection: http.client.HTTPConnection
    try:
        if parts.scheme == "https":
            connection = http.client.HTTPSConnection(
                parts.hostname or "", parts.port, timeout=TIMEOUT, context=_trust()
            )
        else:
            connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=TIMEOUT)
        with closing(connection):
            connection.connect()
            # A byte every four seconds would never run into the time-out of the socket.
            end = threading.Timer(DEADLINE, _hang_up, [connection.sock])
            end.daemon = True
            end.start()
            try:
                body = _answer(
                    connection, (parts.path or "/") + (f"?{parts.query}" if parts.query else ""), form
                )
            finally:
                end.cancel()
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise OidcError(f"no answer from {parts.hostname}: {type(error).__name__}") from error
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise OidcError(f"no JSON from {parts.hostname}") from error
    if not isinstance(answer, dict):
        raise OidcError(f"no JSON object from {parts.hostname}")
    return answer


def _hang_up(line: socket.socket) -> None:
    with suppress(OSError):
        line.shutdown(socket.SHUT_RDWR)


def _answer(connection: http.client.HTTPConnection, path: str, form: Mapping[str, str] | None) -> bytes:
    """The body of a 200, at most `LIMIT` bytes of it."""
    headers = {"Accept": "application/json", "User-Agent": "pbxadmin"}
    if form is None:
        connection.request("GET", path, headers=headers)
    else:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        connection.request("POST", path, body=urlencode(form), headers=headers)
    response = connection.getresponse()
    if response.status != 200:
        # 302 as well: what was asked of Microsoft isn't asked of whom Microsoft points to.
        raise OidcError(f"{connection.host} answered {response.status}{_named_error(response)}")
    body = response.read(LIMIT + 1)
    if len(body) > LIMIT:
        raise OidcError(f"{connection.host} sends more than {LIMIT} bytes")
    return body


def _named_error(response: http.client.HTTPResponse) -> str:
    """The code (RFC 6749, 5.2) with which a provider says what is wrong: "invalid_client" helps who reads the log."""
    found = re.search(rb'"error"\s*:\s*"([a-z_]{1,40})"', response.read(4_000))
    return f" ({found[1].decode()})" if found else ""


def _remembered(name: str, url: str, client: Client, *, again: bool = False) -> dict[str, Any]:
    """A document of the provider, from memory where it is an hour young; one that fails isn't asked for at once again."""
    key = f"oidc:{name}:{fingerprint(url)}"
    known = cache.get(key)
    if known == "down":
        raise OidcError("the provider didn't answer a moment ago")
    if known is None or again:
        try:
            known = _fetch(url, client)
        except OidcError:
            if not again:
                cache.set(key, "down", LEFT_ALONE)
            raise
        cache.set(key, known, REMEMBERED)
    return known


def _endpoint(client: Client, name: str) -> str:
    """The address of one of the provider's endpoints, as its discovery document says and its hosts allow."""
    document = _remembered("discovery", f"{client.issuer}/.well-known/openid-configuration", client)
    # Another issuer's document, or that of all directories ("{tenantid}"), isn't this issuer's.
    if document.get("issuer") != client.issuer:
        raise OidcError("the discovery document is another issuer's")
    url = document.get(name)
    if not isinstance(url, str) or not url.isascii():
        raise OidcError(f"the discovery document has no {name}")
    _allowed(url, client)
    return url


def authorization_url(client: Client, *, state: str, nonce: str, verifier: str, choose: bool) -> str:
    """Where the person signs in at the provider. `choose`: they pick the account, even where they have only one."""
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    asked = {
        "response_type": "code",
        "client_id": client.client_id,
        "redirect_uri": redirect_uri(client.provider.key),
        "scope": "openid email profile",
        "state": state,
        "nonce": nonce,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    if choose:
        asked["prompt"] = "select_account"
    if client.hosted_domain:
        asked["hd"] = (
            client.hosted_domain
        )  # which accounts are offered; that it is one of them is checked below
    url = _endpoint(client, "authorization_endpoint")
    return f"{url}{'&' if '?' in url else '?'}{urlencode(asked)}"


@sensitive_variables()
def redeem(client: Client, code: str, verifier: str) -> str:
    """The ID token for a code; raises `OidcError`."""
    answer = _fetch(
        _endpoint(client, "token_endpoint"),
        client,
        {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri(client.provider.key),
            "client_id": client.client_id,
            "client_secret": client.secret,
            "code_verifier": verifier,
        },
    )
    token = answer.get("id_token")
    if not isinstance(token, str) or not token.isascii():
        raise OidcError("the provider gave no ID token")
    return token


# --- Believing ----------------------------------------------------------------------------------------------------
def _keys(client: Client, *, again: bool = False) -> jwk.KeySet:
    """The provider's public RSA keys for signatures. What else its document holds is left out."""
    document = _remembered("keys", _endpoint(client, "jwks_uri"), client, again=again)
    listed = document.get("keys")
    keys: list[Any] = []
    for data in listed[:MOST_KEYS] if isinstance(listed, list) else []:
        if not isinstance(data, dict) or data.get("kty") != "RSA" or data.get("use", "sig") != "sig":
            continue
        try:
            keys.append(
                jwk.RSAKey.import_key({name: data[name] for name in ("kty", "n", "e", "kid") if name in data})
            )
        except (JoseError, ValueError, TypeError, KeyError):
            continue
    if not keys:
        raise OidcError("the provider has no key to sign with")
    return jwk.KeySet(keys)


@sensitive_variables()
def _signed(client: Client, token: str) -> dict[str, Any]:
    """What an ID token says, if a key of the provider has signed it."""
    # Unknown names in the header are left alone, "crit" is not.
    registry = jws.JWSRegistry(algorithms=ALGORITHMS, strict_check_header=False)
    again = False
    while True:
        try:
            return jwt.decode(token, _keys(client, again=again), registry=registry).claims
        except InvalidKeyIdError as error:
            # Keys change every few weeks. A token may make us look once, tokens with invented keys not again and again.
            if again or not cache.add(f"oidc:again:{fingerprint(client.issuer)}", 1, KEYS_AGAIN):
                raise OidcError("the ID token is signed with an unknown key") from error
            again = True
        except (JoseError, ValueError, TypeError, KeyError) as error:
            raise OidcError(f"the ID token's signature doesn't hold: {type(error).__name__}") from error


@sensitive_variables()
def identity_of(client: Client, token: str, nonce: str) -> Identity:
    """Whose account an ID token is about; raises `OidcError` where anything of it isn't as it must be."""
    claims = _signed(client, token)
    now = int(time())
    expected = jwt.JWTClaimsRegistry(
        now=now,
        leeway=LEEWAY,
        iss={"essential": True, "value": client.issuer},
        aud={"essential": True, "value": client.client_id},
        sub={"essential": True},
        exp={"essential": True},
        iat={"essential": True},
        nonce={"essential": True},
    )
    try:
        expected.validate(claims)
    except (JoseError, ValueError, TypeError) as error:
        raise OidcError(f"the ID token isn't for us, or not for now: {error}") from error
    # For us alone: a token for several is one that each of them can use.
    if claims["aud"] not in (client.client_id, [client.client_id]):
        raise OidcError("the ID token is for others as well")
    if claims.get("azp", client.client_id) != client.client_id:
        raise OidcError("the ID token was issued to somebody else (azp)")
    if claims["iat"] < now - OLDEST:
        raise OidcError("the ID token is old")
    if not isinstance(claims["nonce"], str) or not compare_digest(claims["nonce"].encode(), nonce.encode()):
        raise OidcError("the ID token answers another question (nonce)")
    if client.provider.key == "microsoft":
        return _microsoft(client, claims)
    return _google(client, claims)


def _text(claims: Mapping[str, Any], name: str, longest: int = 254) -> str:
    """A claim that is a text of sensible length, else ''."""
    value = claims.get(name)
    return value if isinstance(value, str) and len(value) <= longest and value.isprintable() else ""


def _microsoft(client: Client, claims: Mapping[str, Any]) -> Identity:
    """The account is `oid` in the directory `tid`: `sub` would change with the registration, the addresses with whoever
    edits the directory. So none of them counts as verified."""
    tenant, subject = _text(claims, "tid").lower(), _text(claims, "oid")
    if tenant != client.tenant:
        raise OidcError("the account is in another directory (tid)")
    if not subject:
        raise OidcError("the ID token names no account (oid)")
    emails = tuple(filter(None, (_text(claims, "email"), _text(claims, "preferred_username"))))
    return Identity("microsoft", client.issuer, subject, emails, False, "")


def _google(client: Client, claims: Mapping[str, Any]) -> Identity:
    """The account is `sub`. `hd` says that it is one of a Workspace, and of which."""
    subject, hosted, email = _text(claims, "sub", 255), _text(claims, "hd").lower(), _text(claims, "email")
    if not subject:
        raise OidcError("the ID token names no account (sub)")
    if client.hosted_domain and hosted != client.hosted_domain:
        raise OidcError("the account is none of the company's Google Workspace (hd)")
    verified = claims.get("email_verified") is True
    return Identity("google", client.issuer, subject, (email,) if email else (), verified, hosted)
