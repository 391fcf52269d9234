"""OpenID providers for tests: an independent one as it comes, and a hostile one that does as each test says."""

import base64
import hashlib
import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from time import sleep, time
from typing import Any
from urllib.error import HTTPError
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

import oidc_provider_mock
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from joserfc import jwk, jws, jwt

KEY = jwk.RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})
OTHER_KEY = jwk.RSAKey.generate_key(2048, {"kid": "two", "use": "sig"})


class _NoRedirect(HTTPRedirectHandler):
    def redirect_request(self, *args: Any) -> None:
        return None


def send(
    url: str, form: dict[str, str] | None = None, method: str | None = None, body: bytes | None = None
) -> str:
    """Send as a browser would, without following: the address in `Location`."""
    data = urlencode(form).encode() if form is not None else body
    headers = {"Content-Type": "application/json"} if body else {}
    try:
        with build_opener(_NoRedirect).open(Request(url, data, headers, method=method), timeout=10) as answer:
            return answer.headers.get("Location", "")
    except HTTPError as error:
        return error.headers.get("Location", "")


class Independent:
    """oidc-provider-mock behind real HTTP: somebody else's idea of the protocol."""

    def __init__(self, port: int) -> None:
        self.issuer = f"http://localhost:{port}"

    def has(self, account: str, **claims: Any) -> None:
        """An account with these claims from now on."""
        send(f"{self.issuer}/users/{account}", method="PUT", body=json.dumps(claims).encode())

    def sign_in(self, url: str, account: str) -> str:
        """Sign in there with an account; where the browser is sent to afterwards."""
        return send(url, {"sub": account})

    def deny(self, url: str) -> str:
        """Say no there."""
        return send(url, {"action": "deny"})


@contextmanager
def independent() -> Iterator[Independent]:
    """Start it, on a port of its own."""
    with oidc_provider_mock.run_server_in_thread() as server:
        yield Independent(server.server_port)


class Hostile:
    """A provider that is right in everything that a test doesn't change; strict where a provider must be.

    `claims`, `token` and `documents` are the test's: what the ID token says, how it is written, what an address answers.
    """

    def __init__(self) -> None:
        self.codes: dict[str, dict[str, str]] = {}
        self.claims: dict[str, Any] = {}
        self.token: Callable[[dict[str, Any]], str] = signed
        # path -> (status, headers, body) instead of what is right
        self.documents: dict[str, tuple[int, dict[str, str], bytes]] = {}
        self.keys = [KEY]
        self.asked: list[str] = []
        self.wait = 0.0
        self.secret = "shh-shh-shh"
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *args: Any) -> None:
                """Quiet."""

            def do_GET(self) -> None:
                provider._answer(self, {})

            def do_POST(self) -> None:
                length = int(self.headers.get("Content-Length", 0))
                provider._answer(self, dict(parse_qsl(self.rfile.read(length).decode())))

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.origin = f"http://127.0.0.1:{self.server.server_port}"
        self.base = ""

    @property
    def issuer(self) -> str:
        """Its issuer; with a path where `base` has one, as Microsoft's."""
        return self.origin + self.base

    def sign_in(self, url: str, **changed: Any) -> str:
        """Somebody signs in there: where their browser is sent to. `changed`: claims of the ID token."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        code = f"code-{len(self.codes)}"
        self.codes[code] = asked | {"changed": json.dumps(changed)}
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

    def _answer(self, handler: BaseHTTPRequestHandler, form: dict[str, str]) -> None:
        path = urlsplit(handler.path).path
        self.asked.append(path)
        status, headers, body = self.documents.get(path) or self._right(path, form)
        handler.send_response(status)
        for name, value in ({"Content-Length": str(len(body))} | headers).items():
            handler.send_header(name, value)
        handler.end_headers()
        for start in range(0, len(body), 4096):
            handler.wfile.write(body[start : start + 4096])
            if self.wait:
                handler.wfile.flush()
                sleep(self.wait)

    def _right(self, path: str, form: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        if path == f"{self.base}/.well-known/openid-configuration":
            return 200, {}, json.dumps(self.discovery()).encode()
        if path == "/keys":
            return 200, {}, json.dumps({"keys": [key.as_dict(private=False) for key in self.keys]}).encode()
        if path == "/token":
            asked = self.codes.pop(form.get("code", ""), None)
            wrong = asked is None or self._wrong(asked, form)
            if wrong:
                return 400, {}, b'{"error": "invalid_grant"}'
            assert asked is not None
            claims = {
                "iss": self.issuer, "aud": asked["client_id"], "nonce": asked["nonce"], "iat": int(time()), "exp": int(time()) + 300,
                "sub": "account-1",
            } | self.claims | json.loads(asked["changed"])  # fmt: skip
            claims = {name: value for name, value in claims.items() if value is not None}
            return 200, {}, json.dumps({"id_token": self.token(claims), "token_type": "Bearer"}).encode()
        return 404, {}, b"{}"

    def _wrong(self, asked: dict[str, str], form: dict[str, str]) -> bool:
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        return (
            asked["code_challenge_method"] != "S256"
            or asked["code_challenge"] != challenge
            or asked["redirect_uri"] != form.get("redirect_uri")
            or asked["client_id"] != form.get("client_id")
            or form.get("client_secret") != self.secret
        )

    def discovery(self, **changed: Any) -> dict[str, Any]:
        """Its discovery document, or one that is changed."""
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.origin}/authorize",
            "token_endpoint": f"{self.origin}/token",
            "jwks_uri": f"{self.origin}/keys",
        } | changed

    def speak_tls(self, folder: Path) -> None:
        """HTTPS from now on, with a certificate that it has made itself."""
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
        now = datetime.now(UTC)
        certificate = (
            x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(
                x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
            )
            .sign(key, hashes.SHA256())
        )
        file = folder / "provider.pem"
        file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            + certificate.public_bytes(serialization.Encoding.PEM)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        self.server.socket = context.wrap_socket(
            self.server.socket, server_side=True, do_handshake_on_connect=False
        )
        self.origin = self.origin.replace("http:", "https:")

    def answers(self, path: str, body: Any = b"", status: int = 200, **headers: str) -> None:
        """From now on `path` answers this."""
        text = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.documents[path] = (status, headers, text)


@contextmanager
def hostile() -> Iterator[Hostile]:
    """Start it, on a port of its own."""
    provider = Hostile()
    thread = threading.Thread(
        target=provider.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
    )
    thread.start()
    try:
        yield provider
    finally:
        provider.server.shutdown()
        provider.server.server_close()


# --- ID tokens ----------------------------------------------------------------------------------------------------
def signed(claims: dict[str, Any], key: Any = KEY, **header: Any) -> str:
    """As it should be."""
    registry = jws.JWSRegistry(algorithms=["RS256"], strict_check_header=False)
    return jwt.encode({"alg": "RS256", "kid": key.kid} | header, claims, key, registry=registry)


def _part(value: Any) -> str:
    text = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def unsigned(claims: dict[str, Any], alg: str = "none") -> str:
    """With no signature at all."""
    return f"{_part({'alg': alg, 'kid': 'one'})}.{_part(claims)}."


def with_the_public_key(claims: dict[str, Any]) -> str:
    """Signed with what everybody knows: the public key as the shared key of HS256."""
    import hmac

    head = f"{_part({'alg': 'HS256', 'kid': 'one'})}.{_part(claims)}"
    secret = KEY.as_pem(private=False)
    return f"{head}.{_part(hmac.new(secret, head.encode(), 'sha256').digest())}"


def with_its_own_key(claims: dict[str, Any]) -> str:
    """Signed by a stranger who puts their key into the header."""
    return signed(claims, OTHER_KEY, kid="one", jwk=OTHER_KEY.as_dict(private=False))


def with_an_unknown_key(claims: dict[str, Any]) -> str:
    """Signed by a stranger with a key of their own."""
    return signed(claims, OTHER_KEY)


def with_anothers_signature(claims: dict[str, Any]) -> str:
    """The right signature of another token."""
    head, _body, signature = signed({"sub": "harmless"}).split(".")
    return f"{head}.{_part(claims)}.{signature}"


def with_demands(claims: dict[str, Any]) -> str:
    """With an extension that must be understood, and isn't."""
    head = f"{_part({'alg': 'RS256', 'kid': 'one', 'crit': ['b64x'], 'b64x': True})}.{_part(claims)}"
    registry = jws.JWSRegistry(algorithms=["RS256"])
    signature = registry.get_alg("RS256").sign(head.encode(), KEY)
    return f"{head}.{_part(signature)}"
