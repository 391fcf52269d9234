"""Secret addresses that belong to a person: the app's configuration, and the RPS key."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import pbxadmin.common.crypto


class Migration(migrations.Migration):
    dependencies = [("users", "0007_letters_and_visitors")]

    operations = [
        migrations.CreateModel(
            name="PersonalLink",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[("app", "Configuration link of the app"), ("rps", "RPS key")], max_length=4
                    ),
                ),
                ("token", pbxadmin.common.crypto.EncryptedTextField(editable=False)),
                ("token_hash", models.CharField(editable=False, max_length=64, unique=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("expires_at", models.DateTimeField(null=True)),
                ("uses_left", models.PositiveSmallIntegerField(null=True)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="links",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "personal link",
                "constraints": [models.UniqueConstraint(fields=("user", "kind"), name="personal_link_once")],
            },
        ),
    ]
