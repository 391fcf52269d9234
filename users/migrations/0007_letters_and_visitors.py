"""Mails that are due, visitors of Talk and Meet links, and the two kinds of operation that go with them."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import pbxadmin.common.fields


class Migration(migrations.Migration):
    dependencies = [("users", "0006_visibility")]

    operations = [
        migrations.AlterField(
            model_name="change",
            name="kind",
            field=models.CharField(
                choices=[
                    ("create", "Created"),
                    ("edit", "Changed"),
                    ("delete", "Deleted"),
                    ("command", "Sent to the phone"),
                    ("reveal", "Secret shown"),
                    ("sign_in", "Sign-in"),
                    ("reset", "Reset"),
                    ("mail", "Mail sent"),
                ],
                max_length=10,
            ),
        ),
        migrations.AlterField(
            model_name="operation",
            name="kind",
            field=models.CharField(
                choices=[
                    ("create", "Created"),
                    ("edit", "Changed"),
                    ("delete", "Deleted"),
                    ("command", "Sent to the phone"),
                    ("reveal", "Secret shown"),
                    ("sign_in", "Sign-in"),
                    ("reset", "Reset"),
                    ("mail", "Mail sent"),
                ],
                max_length=10,
            ),
        ),
        migrations.CreateModel(
            name="Meeting",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("open_until", models.DateTimeField()),
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="meeting",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "meeting",
            },
        ),
        migrations.CreateModel(
            name="Visitor",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("kind", models.CharField(choices=[("talk", "Talk"), ("meet", "Meet")], max_length=4)),
                ("name", pbxadmin.common.fields.OneLineField(blank=True, max_length=80)),
                ("email", models.EmailField(blank=True, max_length=254)),
                (
                    "state",
                    models.CharField(
                        choices=[("waiting", "Waiting"), ("admitted", "Let in"), ("declined", "Declined")],
                        default="waiting",
                        max_length=8,
                    ),
                ),
                ("token_hash", models.CharField(max_length=64, unique=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="visitors",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "visitor",
                "verbose_name_plural": "visitors",
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="Letter",
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
                        choices=[("welcome", "Welcome"), ("visitor", "Somebody asked for you")], max_length=8
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("next_at", models.DateTimeField(null=True)),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("sent_at", models.DateTimeField(null=True)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="letters",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "visitor",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="letters",
                        to="users.visitor",
                    ),
                ),
            ],
            options={
                "verbose_name": "letter",
            },
        ),
        migrations.AddIndex(
            model_name="visitor",
            index=models.Index(fields=["user", "-id"], name="visitor_latest"),
        ),
        migrations.AddIndex(
            model_name="letter",
            index=models.Index(
                condition=models.Q(("next_at__isnull", False)), fields=["next_at"], name="letter_due"
            ),
        ),
    ]
