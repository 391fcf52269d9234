"""Write every stored secret anew with the first key of FIELD_KEYS, so that an older key can be taken out."""

from typing import Any

from django.apps import apps
from django.core.management.base import BaseCommand
from django.db import connection, transaction

from pbxadmin.common.crypto import (
    KEY_ID,
    EncryptedBytesField,
    EncryptedTextField,
    decrypt,
    decrypt_bytes,
    encrypt,
    encrypt_bytes,
    written_by_first_key,
)

BATCH = 500


class Command(BaseCommand):
    """`manage.py rotate_secrets`: safe to interrupt and to run again; the portal stays up meanwhile."""

    help = "Encrypt every stored secret anew with the first key of FIELD_KEYS."

    def handle(self, *args: Any, **options: Any) -> None:
        """Table by table, a batch at a time, each row only if nobody else has written it meanwhile."""
        rotated = 0
        for model in apps.get_models():
            for field in model._meta.local_concrete_fields:
                if isinstance(field, EncryptedTextField | EncryptedBytesField) and model._meta.pk.column:
                    rotated += self._rotate(model._meta.db_table, model._meta.pk.column, field)
        self.stdout.write(f"{rotated} secrets were written anew with the first key.")

    def _rotate(self, table: str, key_column: str, field: EncryptedTextField | EncryptedBytesField) -> int:
        quote = connection.ops.quote_name
        table, key_column, column = quote(table), quote(key_column), quote(str(field.column))
        last, rotated = 0, 0
        while True:
            with transaction.atomic(), connection.cursor() as cursor:
                # The names are the models' own, quoted; the values are parameters.
                cursor.execute(
                    f"SELECT {key_column}, {column} FROM {table} WHERE {key_column} > %s AND length({column}) > 0 "  # noqa: S608  # nosec B608
                    f"ORDER BY {key_column} LIMIT {BATCH}",
                    [last],
                )
                rows = cursor.fetchall()
                if not rows:
                    return rotated
                for key, stored in rows:
                    last = key
                    if (anew := _anew(stored, field)) is not None:
                        cursor.execute(
                            f"UPDATE {table} SET {column} = %s WHERE {key_column} = %s AND {column} = %s",  # noqa: S608  # nosec B608
                            [anew, key, stored],
                        )
                        rotated += cursor.rowcount


def _anew(stored: Any, field: EncryptedTextField | EncryptedBytesField) -> str | bytes | None:
    """What is stored, written by the first key; None where it is already."""
    if isinstance(field, EncryptedTextField):
        return (
            None if written_by_first_key(stored) else encrypt(decrypt(stored, field.purpose), field.purpose)
        )
    stored = bytes(stored)
    known = written_by_first_key(f"{stored[:KEY_ID].decode('ascii', 'replace')}:")
    return None if known else encrypt_bytes(decrypt_bytes(stored, field.purpose), field.purpose)
