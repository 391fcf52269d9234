"""Write every stored secret anew with the first key of FIELD_KEYS, so that an older key can be taken out."""

from typing import Any

from django.apps import apps
from django.core.management.base import BaseCommand
from django.db import connection, transaction

from pbxadmin.common.crypto import EncryptedTextField, decrypt, encrypt, written_by_first_key

BATCH = 500


class Command(BaseCommand):
    """`manage.py rotate_secrets`: safe to interrupt and to run again; the portal stays up meanwhile."""

    help = "Encrypt every stored secret anew with the first key of FIELD_KEYS."

    def handle(self, *args: Any, **options: Any) -> None:
        """Table by table, a batch at a time, each row only if nobody else has written it meanwhile."""
        rotated = 0
        for model in apps.get_models():
            for field in model._meta.local_concrete_fields:
                if isinstance(field, EncryptedTextField) and model._meta.pk.column:
                    rotated += self._rotate(model._meta.db_table, model._meta.pk.column, field)
        self.stdout.write(f"{rotated} secrets were written anew with the first key.")

    def _rotate(self, table: str, key_column: str, field: EncryptedTextField) -> int:
        quote = connection.ops.quote_name
        table, key_column, column = quote(table), quote(key_column), quote(str(field.column))
        last, rotated = 0, 0
        while True:
            with transaction.atomic(), connection.cursor() as cursor:
                # The names are the models' own, quoted; the values are parameters.
                cursor.execute(
                    f"SELECT {key_column}, {column} FROM {table} WHERE {key_column} > %s AND {column} <> '' "  # noqa: S608  # nosec B608
                    f"ORDER BY {key_column} LIMIT {BATCH}",
                    [last],
                )
                rows = cursor.fetchall()
                if not rows:
                    return rotated
                for key, stored in rows:
                    last = key
                    if not written_by_first_key(stored):
                        anew = encrypt(decrypt(stored, field.purpose), field.purpose)
                        cursor.execute(
                            f"UPDATE {table} SET {column} = %s WHERE {key_column} = %s AND {column} = %s",  # noqa: S608  # nosec B608
                            [anew, key, stored],
                        )
                        rotated += cursor.rowcount
