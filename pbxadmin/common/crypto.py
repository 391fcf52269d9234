"""Secrets at rest: a text column that is encrypted in the database, and known to be a secret by its type."""

import base64
import hashlib
import os
import secrets
from collections.abc import Collection
from enum import StrEnum
from functools import lru_cache
from typing import Any, NoReturn

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.db import models

MASK = "••••••••"
NONCE_BYTES = 12
KEY_ID = 8  # signs
# Without the letters and digits that people mistake for one another when they type a secret on a phone.
UNAMBIGUOUS = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
# A random byte as a letter; those beyond the last whole round of the alphabet are thrown away, so that no letter is likelier.
_LETTERS = bytes(ord(UNAMBIGUOUS[byte % len(UNAMBIGUOUS)]) for byte in range(256))
_UNFAIR = bytes(range(256 - 256 % len(UNAMBIGUOUS), 256))


class SecretUnreadableError(Exception):
    """A stored secret that none of `settings.FIELD_KEYS` opens: a key was removed too early, or the row was tampered with."""


@lru_cache(maxsize=8)
def _ciphers(keys: tuple[str, ...]) -> dict[str, AESGCM]:
    """Each key's id (first in front: it writes) with its AES-256-GCM cipher."""
    ciphers = {}
    for key in keys:
        material = hashlib.sha256(b"pbxadmin field key\0" + key.encode()).digest()
        ciphers[hashlib.sha256(b"id\0" + material).hexdigest()[:KEY_ID]] = AESGCM(material)
    return ciphers


def encrypt(text: str, purpose: str) -> str:
    """`text` encrypted with the first key; it can only be read back for the same `purpose` (table and column).

    The row isn't part of the purpose: rows are inserted in bulk, before their primary keys are known.
    """
    key_id, cipher = next(iter(_ciphers(tuple(settings.FIELD_KEYS)).items()))
    nonce = os.urandom(NONCE_BYTES)
    return f"{key_id}:{base64.urlsafe_b64encode(nonce + cipher.encrypt(nonce, text.encode(), purpose.encode())).decode()}"


def decrypt(stored: str, purpose: str) -> str:
    """What `encrypt` was given; raises `SecretUnreadableError` when no key opens it."""
    key_id, _, body = stored.partition(":")
    cipher = _ciphers(tuple(settings.FIELD_KEYS)).get(key_id)
    if cipher is None:
        raise SecretUnreadableError(f"No key {key_id} among FIELD_KEYS for {purpose}.")
    try:
        sealed = base64.urlsafe_b64decode(body)
        return cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], purpose.encode()).decode()
    except (InvalidTag, ValueError) as error:
        raise SecretUnreadableError(
            f"A secret of {purpose} doesn't open with the key that wrote it."
        ) from error


def encrypt_bytes(content: bytes, purpose: str) -> bytes:
    """The same for bytes: the key's id, a nonce and what was encrypted, without a detour by text."""
    key_id, cipher = next(iter(_ciphers(tuple(settings.FIELD_KEYS)).items()))
    nonce = os.urandom(NONCE_BYTES)
    return key_id.encode() + nonce + cipher.encrypt(nonce, content, purpose.encode())


def decrypt_bytes(stored: bytes, purpose: str) -> bytes:
    """What `encrypt_bytes` was given; raises `SecretUnreadableError` when no key opens it."""
    key_id, sealed = stored[:KEY_ID].decode("ascii", "replace"), stored[KEY_ID:]
    cipher = _ciphers(tuple(settings.FIELD_KEYS)).get(key_id)
    if cipher is None:
        raise SecretUnreadableError(f"No key {key_id} among FIELD_KEYS for {purpose}.")
    try:
        return cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], purpose.encode())
    except (InvalidTag, ValueError) as error:
        raise SecretUnreadableError(
            f"What {purpose} holds doesn't open with the key that wrote it."
        ) from error


def written_by_first_key(stored: str) -> bool:
    """Whether a stored secret needs no rotation."""
    return stored.partition(":")[0] == next(iter(_ciphers(tuple(settings.FIELD_KEYS))))


class Reader(StrEnum):
    """For whom a secret is read in plain text. Each column says which of them it has; nobody else reads it."""

    PERSON = (
        "person"  # somebody who may see it, remembered in the history before it is shown: `users.road.reveal`
    )
    PHONE = (
        "phone"  # the phone's own file and the way to it, behind the phone's token or the key of its person
    )
    APP = "app"  # the document that configures an app, behind the personal link
    CHALLENGE = "challenge"  # the answer to a phone that asks who tells it to reload; never sent itself
    PROVIDER = "provider"  # Microsoft or Google, for the code of a sign-in
    CHECK = "check"  # compared with what was typed; never leaves the process
    COMPARISON = "comparison"  # the file that a phone holds beside today's, its secrets masked
    PHONE_SYSTEM = (
        "phone_system"  # the node that asks for it with its own token, or to which it opens our way
    )
    TECHNICIAN = "technician"  # who sits at the server's terminal, or a phone in software beside it


class SecretReaderError(TypeError):
    """A secret is read for somebody who isn't named with its column."""


def plain(record: Any, column: Any, reader: Reader) -> str:
    """A secret of `record` in plain text, for one of the readers that its column names: `plain(user, User.sip_password, Reader.APP)`.

    The one way to a secret, so that who reads them is one list: the columns, and the callers of this. `record` may be anything
    that has what was read of the row under the column's name.
    """
    field = column.field
    if reader not in field.readers:
        raise SecretReaderError(f"{field.purpose} is nothing for {reader}")
    return str(getattr(record, field.attname) or "")


def is_set(record: Any, column: Any) -> bool:
    """Whether there is a secret at all."""
    return bool(getattr(record, column.field.attname))


class EncryptedTextField(models.TextField):
    """A secret. From being one follows: masked in history, never filled into a form, never filtered or sorted by.

    `readers`: for whom it may be read in plain text (`plain`).
    """

    is_secret = True
    description = "Encrypted text"

    def __init__(self, *args: Any, readers: Collection[Reader] = (), **kwargs: Any) -> None:
        self.readers = frozenset(readers)
        super().__init__(*args, **kwargs)

    @property
    def purpose(self) -> str:
        """What the cipher text is bound to: `table.column`."""
        return f"{self.model._meta.db_table}.{self.column}"

    def get_prep_value(self, value: Any) -> str | None:
        """Plain text on its way into the database; empty stays empty."""
        if value is None or value == "":
            return value
        return encrypt(str(value), self.purpose)

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> str | None:
        """Stored text on its way out."""
        return decrypt(value, self.purpose) if value else value

    def get_lookup(self, lookup_name: str) -> Any:
        """Only `isnull`: to filter by a secret would be to guess it."""
        if lookup_name == "isnull":
            return super().get_lookup(lookup_name)
        return self._refuse()

    def get_transform(self, lookup_name: str) -> Any:
        """None at all."""
        return self._refuse()

    def _refuse(self) -> NoReturn:
        raise TypeError(f"{self.purpose} is encrypted: it can't be searched.")


class EncryptedBytesField(models.BinaryField):
    """Bytes that may hold secrets of other people, such as a file that was sent: encrypted, read whole, and by nothing but the code
    that was written for them."""

    description = "Encrypted bytes"

    @property
    def purpose(self) -> str:
        """What the cipher text is bound to: `table.column`."""
        return f"{self.model._meta.db_table}.{self.column}"

    def get_prep_value(self, value: bytes | None) -> bytes | None:
        """Plain bytes on their way into the database."""
        return None if value is None else encrypt_bytes(bytes(value), self.purpose)

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> bytes | None:
        """Stored bytes on their way out."""
        return None if value is None else decrypt_bytes(bytes(value), self.purpose)

    def get_lookup(self, lookup_name: str) -> Any:
        """None at all: nobody looks for what is encrypted."""
        raise TypeError(f"{self.purpose} is encrypted: it can't be searched.")


def is_secret(field: Any) -> bool:
    """Whether a model field holds a secret (by its type)."""
    return getattr(field, "is_secret", False)


def random_secret(length: int = 20) -> str:
    """A password that a person can read aloud: about 5.8 bits a character."""
    letters = b""
    while len(letters) < length:
        letters += os.urandom(2 * length).translate(_LETTERS, _UNFAIR)
    return letters[:length].decode()


def random_token() -> str:
    """An unguessable part of a URL: 192 bits."""
    return secrets.token_urlsafe(24)


def fingerprint(token: str) -> str:
    """What is stored and looked up instead of a token (random enough to need no salt): SHA-256, hex."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
