"""Mailboxes, greetings and their recordings, as tables; and the provider's standard greetings."""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import pbxadmin.common.crypto
import pbxadmin.common.fields
import pbxadmin.common.searching
import voicemail.models
from voicemail import standard_greetings


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("users", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Greeting",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", pbxadmin.common.fields.OneLineField(max_length=80, verbose_name="name")),
                (
                    "name_en",
                    pbxadmin.common.fields.OneLineField(
                        blank=True, editable=False, max_length=80, verbose_name="name in English"
                    ),
                ),
                ("standard", models.CharField(blank=True, editable=False, max_length=20)),
                (
                    "made",
                    models.CharField(
                        choices=[
                            ("upload", "Uploaded"),
                            ("browser", "Recorded in the browser"),
                            ("phone", "Recorded by phone"),
                            ("standard", "By the provider"),
                        ],
                        default="upload",
                        max_length=8,
                        verbose_name="made",
                    ),
                ),
                ("deleted_at", models.DateTimeField(blank=True, null=True, verbose_name="deleted")),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
                (
                    "customer",
                    models.ForeignKey(
                        blank=True,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="greetings",
                        to="users.customer",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        blank=True,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="greetings",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "greeting",
                "verbose_name_plural": "greetings",
                "ordering": [pbxadmin.common.searching.Folded("name")],
            },
        ),
        migrations.CreateModel(
            name="Incoming",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "key",
                    models.CharField(
                        default=voicemail.models.new_sound_key, editable=False, max_length=32, unique=True
                    ),
                ),
                ("name", pbxadmin.common.fields.OneLineField(max_length=80)),
                (
                    "made",
                    models.CharField(
                        choices=[
                            ("upload", "Uploaded"),
                            ("browser", "Recorded in the browser"),
                            ("phone", "Recorded by phone"),
                            ("standard", "By the provider"),
                        ],
                        max_length=8,
                    ),
                ),
                ("level", models.BooleanField(default=True)),
                ("trim", models.BooleanField(default=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "customer",
                    models.ForeignKey(
                        editable=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="users.customer",
                    ),
                ),
                (
                    "greeting",
                    models.ForeignKey(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="voicemail.greeting",
                    ),
                ),
                (
                    "job",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="users.job",
                    ),
                ),
                (
                    "starter",
                    models.ForeignKey(
                        editable=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["-pk"],
            },
        ),
        migrations.CreateModel(
            name="Sound",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "key",
                    models.CharField(
                        default=voicemail.models.new_sound_key, editable=False, max_length=32, unique=True
                    ),
                ),
                ("size", models.PositiveIntegerField()),
                ("samples", models.PositiveIntegerField()),
                ("digest", models.CharField(max_length=64)),
                ("peaks", models.CharField(blank=True, max_length=400)),
                ("loudness", models.FloatField(null=True)),
                ("as_it_came", models.BooleanField(default=False)),
                ("made_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("released_at", models.DateTimeField(null=True)),
                (
                    "customer",
                    models.ForeignKey(
                        editable=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="sounds",
                        to="users.customer",
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="greeting",
            name="sound",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.RESTRICT,
                related_name="greetings",
                to="voicemail.sound",
                verbose_name="Recording",
            ),
        ),
        migrations.CreateModel(
            name="Mailbox",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "enabled",
                    pbxadmin.common.fields.YesNoField(
                        default=True,
                        help_text="Off: callers who would reach this voicemail hear the busy tone.",
                        verbose_name="Enable voicemail",
                    ),
                ),
                (
                    "language",
                    models.CharField(
                        blank=True,
                        choices=[("fr-CA", "French (Canada)"), ("en", "English"), ("es", "Spanish")],
                        help_text="Language of the prompts that callers and the user hear.",
                        max_length=5,
                        verbose_name="Voicemail language",
                    ),
                ),
                (
                    "pin",
                    pbxadmin.common.crypto.EncryptedTextField(
                        default=voicemail.models.new_pin, verbose_name="PIN number"
                    ),
                ),
                (
                    "play_date_time",
                    models.CharField(
                        choices=[("no", "Don't read"), ("h12", "AM/PM"), ("h24", "24 hours")],
                        default="no",
                        max_length=4,
                        verbose_name="Play date/time",
                    ),
                ),
                (
                    "email_option",
                    models.CharField(
                        choices=[
                            ("none", "No email"),
                            ("notify", "Send a notification only"),
                            ("attach", "Send the message as an attachment"),
                            (
                                "attach_delete",
                                "Send the message as an attachment and delete it from the mailbox",
                            ),
                        ],
                        default="notify",
                        max_length=13,
                        verbose_name="Email options",
                    ),
                ),
                (
                    "pin_disabled",
                    pbxadmin.common.fields.YesNoField(
                        default=False, verbose_name="Disable PIN authentication for access to the mailbox"
                    ),
                ),
                (
                    "play_caller_id",
                    pbxadmin.common.fields.YesNoField(
                        default=False, verbose_name="Play the caller ID (say the number)"
                    ),
                ),
                ("pin_weakness", models.CharField(blank=True, editable=False, max_length=12)),
                ("unread", models.PositiveSmallIntegerField(editable=False, null=True)),
                ("unread_told_at", models.DateTimeField(editable=False, null=True)),
                (
                    "default_greeting",
                    models.ForeignKey(
                        blank=True,
                        help_text="Callers hear it unless the status has a greeting of its own.",
                        null=True,
                        on_delete=django.db.models.deletion.RESTRICT,
                        related_name="default_of",
                        to="voicemail.greeting",
                        verbose_name="Choose the default greeting",
                    ),
                ),
                (
                    "user",
                    models.OneToOneField(
                        editable=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="mailbox",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "mailbox",
                "verbose_name_plural": "mailboxes",
                "indexes": [
                    models.Index(
                        condition=models.Q(("pin_weakness", ""), _negated=True),
                        fields=["user"],
                        name="mailbox_weak_pin",
                    )
                ],
            },
        ),
        migrations.AddIndex(
            model_name="sound",
            index=models.Index(fields=["released_at"], name="sound_released"),
        ),
        migrations.AddConstraint(
            model_name="greeting",
            constraint=models.UniqueConstraint(
                condition=models.Q(("deleted_at", None), ("user__isnull", False)),
                fields=("user", "name"),
                name="greeting_name_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="greeting",
            constraint=models.UniqueConstraint(
                condition=models.Q(("deleted_at", None), ("user", None)),
                fields=("customer", "name"),
                name="company_greeting_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="greeting",
            constraint=models.UniqueConstraint(
                condition=models.Q(("customer", None)), fields=("name",), name="standard_greeting_once"
            ),
        ),
        migrations.RunPython(standard_greetings.add_greetings, migrations.RunPython.noop),
    ]
