"""Mailboxes and greetings, as tables; and the provider's standard greetings."""

import django.db.models.deletion
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
                        blank=True, max_length=80, verbose_name="name in English"
                    ),
                ),
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
            },
        ),
        migrations.AddConstraint(
            model_name="greeting",
            constraint=models.UniqueConstraint(
                condition=models.Q(("user__isnull", False)),
                fields=("user", "name"),
                name="greeting_name_once",
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
