"""Visitors and meetings, as tables."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import pbxadmin.common.fields


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
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
                ("place", pbxadmin.common.fields.OneLineField(blank=True, max_length=80)),
                ("name", pbxadmin.common.fields.OneLineField(blank=True, max_length=80)),
                ("email", models.EmailField(blank=True, max_length=254)),
                ("number", pbxadmin.common.fields.PhoneNumberField(blank=True, max_length=16)),
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
                "indexes": [models.Index(fields=["user", "-id"], name="visitor_latest")],
            },
        ),
    ]
