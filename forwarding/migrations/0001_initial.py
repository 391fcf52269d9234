"""Forwarding rules, hours and holidays, as tables."""

import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import pbxadmin.common.destination_field
import pbxadmin.common.fields


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("users", "0001_initial"),
        ("voicemail", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="DepartmentPeriod",
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
                        choices=[("open", "Office hours"), ("break", "Break hours")],
                        max_length=5,
                        verbose_name="type",
                    ),
                ),
                (
                    "weekday",
                    models.PositiveSmallIntegerField(
                        validators=[django.core.validators.MaxValueValidator(6)], verbose_name="weekday"
                    ),
                ),
                ("start", models.TimeField(verbose_name="from")),
                ("end", models.TimeField(verbose_name="to")),
                (
                    "department",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="periods",
                        to="users.department",
                    ),
                ),
            ],
            options={
                "ordering": ["weekday", "start"],
                "abstract": False,
                "constraints": [
                    models.UniqueConstraint(
                        fields=("department", "kind", "weekday", "start"), name="department_period_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ForwardingRule",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("available", "Available"),
                            ("away", "Away"),
                            ("do_not_disturb", "Do not disturb"),
                            ("lunch", "Lunch"),
                            ("business_trip", "Business Trip"),
                        ],
                        editable=False,
                        max_length=16,
                        verbose_name="Status",
                    ),
                ),
                (
                    "custom_message",
                    pbxadmin.common.fields.OneLineField(
                        blank=True,
                        help_text="Adds a message to the status, to clarify a situation or personalise the profile.",
                        max_length=128,
                        verbose_name="Custom status message",
                    ),
                ),
                (
                    "no_answer_seconds",
                    models.PositiveSmallIntegerField(
                        default=20,
                        help_text="How long it rings before the caller is sent to the destination, 5 to 300 seconds.",
                        validators=[
                            django.core.validators.MinValueValidator(5),
                            django.core.validators.MaxValueValidator(300),
                        ],
                        verbose_name="No answer delay",
                    ),
                ),
                (
                    "no_answer_external",
                    pbxadmin.common.destination_field.DestinationField(
                        default="voicemail",
                        max_length=48,
                        side="external",
                        verbose_name="Unanswered calls: external",
                    ),
                ),
                (
                    "no_answer_internal",
                    pbxadmin.common.destination_field.DestinationField(
                        default="same",
                        max_length=48,
                        side="internal",
                        verbose_name="Unanswered calls: internal",
                    ),
                ),
                (
                    "busy_external",
                    pbxadmin.common.destination_field.DestinationField(
                        default="voicemail",
                        max_length=48,
                        side="external",
                        verbose_name="Busy or not registered: external",
                    ),
                ),
                (
                    "busy_internal",
                    pbxadmin.common.destination_field.DestinationField(
                        default="same",
                        max_length=48,
                        side="internal",
                        verbose_name="Busy or not registered: internal",
                    ),
                ),
                (
                    "not_registered_external",
                    pbxadmin.common.destination_field.DestinationField(
                        default="voicemail",
                        max_length=48,
                        side="external",
                        verbose_name="Not registered: external",
                    ),
                ),
                (
                    "not_registered_internal",
                    pbxadmin.common.destination_field.DestinationField(
                        default="same",
                        max_length=48,
                        side="internal",
                        verbose_name="Not registered: internal",
                    ),
                ),
                (
                    "divert_external",
                    pbxadmin.common.destination_field.DestinationField(
                        default="voicemail",
                        max_length=48,
                        side="external",
                        verbose_name="Forward external calls to",
                    ),
                ),
                (
                    "voicemail_out_of_hours_external",
                    pbxadmin.common.fields.YesNoField(
                        default=False, verbose_name="Voicemail outside office hours"
                    ),
                ),
                (
                    "divert_internal",
                    pbxadmin.common.destination_field.DestinationField(
                        default="same",
                        max_length=48,
                        side="internal",
                        verbose_name="Forward internal calls to",
                    ),
                ),
                (
                    "voicemail_out_of_hours_internal",
                    pbxadmin.common.fields.YesNoField(
                        default=False, verbose_name="Voicemail outside office hours"
                    ),
                ),
                (
                    "ring_mobile",
                    pbxadmin.common.fields.YesNoField(
                        default=False, verbose_name="Ring my mobile simultaneously"
                    ),
                ),
                (
                    "accept_multiple_calls",
                    pbxadmin.common.fields.YesNoField(default=True, verbose_name="Accept multiple calls"),
                ),
                (
                    "log_out_of_queues",
                    pbxadmin.common.fields.YesNoField(default=False, verbose_name="Log out from queues"),
                ),
                (
                    "accept_ring_group_calls",
                    pbxadmin.common.fields.YesNoField(default=True, verbose_name="Accept ring group calls"),
                ),
                (
                    "accept_push",
                    pbxadmin.common.fields.YesNoField(default=True, verbose_name="Accept PUSH notifications"),
                ),
                (
                    "greeting",
                    models.ForeignKey(
                        blank=True,
                        help_text="What callers hear when this person's voicemail answers.",
                        null=True,
                        on_delete=django.db.models.deletion.RESTRICT,
                        related_name="used_by_statuses",
                        to="voicemail.greeting",
                        verbose_name="Greeting",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        editable=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="forwarding_rules",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "forwarding rule",
                "verbose_name_plural": "forwarding rules",
                "constraints": [
                    models.UniqueConstraint(fields=("user", "status"), name="rule_once_per_status")
                ],
                "indexes": [
                    models.Index(
                        condition=models.Q(
                            ("no_answer_external__startswith", "external:"),
                            ("busy_external__startswith", "external:"),
                            ("not_registered_external__startswith", "external:"),
                            ("divert_external__startswith", "external:"),
                            ("no_answer_internal__startswith", "external:"),
                            ("busy_internal__startswith", "external:"),
                            ("not_registered_internal__startswith", "external:"),
                            ("divert_internal__startswith", "external:"),
                            ("ring_mobile", True),
                            ("no_answer_external__startswith", "mobile"),
                            ("busy_external__startswith", "mobile"),
                            ("not_registered_external__startswith", "mobile"),
                            ("divert_external__startswith", "mobile"),
                            _connector="OR",
                        ),
                        fields=["user"],
                        name="rule_outside",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Holiday",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("first", models.DateField(verbose_name="first day")),
                ("last", models.DateField(verbose_name="last day")),
                ("name", pbxadmin.common.fields.OneLineField(blank=True, max_length=80, verbose_name="name")),
                ("yearly", pbxadmin.common.fields.YesNoField(default=False, verbose_name="every year")),
                (
                    "department",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="holidays",
                        to="users.department",
                    ),
                ),
            ],
            options={
                "verbose_name": "holiday",
                "verbose_name_plural": "holidays",
                "ordering": ["first", "name"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("last__gte", models.F("first"))), name="holiday_forward"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="UserPeriod",
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
                        choices=[("open", "Office hours"), ("break", "Break hours")],
                        max_length=5,
                        verbose_name="type",
                    ),
                ),
                (
                    "weekday",
                    models.PositiveSmallIntegerField(
                        validators=[django.core.validators.MaxValueValidator(6)], verbose_name="weekday"
                    ),
                ),
                ("start", models.TimeField(verbose_name="from")),
                ("end", models.TimeField(verbose_name="to")),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="periods",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["weekday", "start"],
                "abstract": False,
                "constraints": [
                    models.UniqueConstraint(
                        fields=("user", "kind", "weekday", "start"), name="user_period_once"
                    )
                ],
            },
        ),
    ]
