"""Addresses of servers out of the environment: one that is none stops the start with a sentence and an example."""

import re
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

# Whoever waits for a database that is away is told so instead.
CONNECT_WITHIN = 5  # seconds
DATABASES = {"postgres": True, "postgresql": True, "sqlite": False}
BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
BROKERS = ("redis", "rediss", "redis+socket", "valkey", "valkeys", "memory")


def parts(name: str, text: str, example: str) -> tuple[str, str, str]:
    """Scheme, host and path of an address; raises `ImproperlyConfigured` where it is none. The value itself may be a secret."""
    try:
        address = urlsplit(text)
        address.port  # noqa: B018 - asking for it is what tells that it is no number
    except ValueError:
        raise refused(name, example) from None
    return address.scheme, address.hostname or "", address.path


def refused(name: str, example: str) -> ImproperlyConfigured:
    """The sentence for an address that is none."""
    return ImproperlyConfigured(f"{name} is no address that can be used: write it like {example}.")


def database(env: environ.Env, default: str = "") -> dict[str, Any]:
    """What `DATABASE_URL` says, as Django wants it."""
    name, example = "DATABASE_URL", "postgres://user:password@host:5432/name (or sqlite:////folder/file)"
    text = env.str(name, default=default)
    scheme, _, path = parts(name, text, example)
    named = path.strip("/") or (not DATABASES.get(scheme) and ":memory:" in text)
    if scheme not in DATABASES or not text.startswith(f"{scheme}://") or not named:
        raise refused(name, example)
    made: dict[str, Any] = env.db_url_config(text)
    if DATABASES[scheme]:
        made.setdefault("OPTIONS", {}).setdefault("connect_timeout", CONNECT_WITHIN)
    return made


def broker(env: environ.Env) -> str:
    """What `CELERY_BROKER_URL` says; "" where it says nothing."""
    name, example = "CELERY_BROKER_URL", "redis://host:6379/0"
    text: str = env.str(name, default="")
    if not text:
        return ""
    scheme, host, path = parts(name, text, example)
    if scheme not in BROKERS or (scheme == "redis+socket" and not path.strip("/")):
        raise refused(name, example)
    if scheme not in ("redis+socket", "memory") and not host:
        raise refused(name, example)
    return text


def cache(env: environ.Env) -> dict[str, Any]:
    """What `CACHE_URL` says, as Django wants it: the memory of each process where it says nothing."""
    name, example = "CACHE_URL", "redis://host:6379/1"
    try:
        made: dict[str, Any] = env.cache_url(name, default="locmemcache://")
    except (ImproperlyConfigured, ValueError, KeyError):
        raise refused(name, example) from None
    return made


def mail(env: environ.Env) -> dict[str, Any] | None:
    """What `EMAIL_URL` says, as Django wants it; None where it says nothing."""
    name, example = "EMAIL_URL", "smtp+tls://user:password@host:587"
    if not env.str(name, default=""):
        return None
    try:
        made: dict[str, Any] = env.email_url(name)
    except (ImproperlyConfigured, ValueError, KeyError):
        raise refused(name, example) from None
    return made


def storage(env: environ.Env) -> dict[str, Any]:
    """What `STORAGE_URL` says, as Django's `STORAGES` wants it: a folder where it says nothing, else an S3-compatible object store."""
    name, example = (
        "STORAGE_URL",
        "s3://KEY:SECRET@host/bucket?region=ca-central-1 (and &tls=0 where it speaks plain HTTP)",
    )
    text: str = env.str(name, default="")
    if not text:
        return {"BACKEND": "django.core.files.storage.FileSystemStorage"}
    scheme, host, path = parts(name, text, example)
    address = urlsplit(text)
    key, secret = (unquote(part or "") for part in (address.username, address.password))
    try:
        asked = parse_qs(address.query, strict_parsing=True, max_num_fields=2) if address.query else {}
    except ValueError:
        raise refused(name, example) from None
    region, tls = (asked.pop(word, [default]) for word, default in (("region", "us-east-1"), ("tls", "1")))
    # Without a key the client would ask the machine's surroundings for one.
    named = scheme == "s3" and host and key and secret and BUCKET.fullmatch(path.strip("/"))
    if not named or asked or address.fragment or len(region) != 1 or tls not in (["0"], ["1"]):
        raise refused(name, example)
    where = address.netloc.rpartition("@")[2]
    return {
        "BACKEND": "pbxadmin.common.objects.ObjectStorage",
        "OPTIONS": {
            "access_key": key,
            "secret_key": secret,
            "bucket_name": path.strip("/"),
            "region_name": region[0],
            "endpoint_url": f"{'https' if tls == ['1'] else 'http'}://{where}",
        },
    }


def number(env: environ.Env, name: str, default: int) -> int:
    """The whole number that the variable `name` is."""
    text = env.str(name, default=str(default))
    if not (text.isascii() and text.isdecimal()):
        raise ImproperlyConfigured(f"{name} is a whole number, like {default}.")
    return int(text)


def of_web(env: environ.Env, name: str, default: str) -> str:
    """The address in the variable `name`, as a browser would take it."""
    text: str = env.str(name, default=default)
    scheme, host, _ = parts(name, text, "https://portal.example.com")
    if scheme not in ("http", "https") or not host:
        raise refused(name, "https://portal.example.com")
    return text
