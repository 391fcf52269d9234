"""What the Visualiser tab says, in a table of its own: also for departments to which a person doesn't belong."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("users", "0005_system_extensions")]

    operations = [
        migrations.RemoveField(
            model_name="membership",
            name="perform_operations",
        ),
        migrations.RemoveField(
            model_name="membership",
            name="see_calls",
        ),
        migrations.RemoveField(
            model_name="membership",
            name="see_presence",
        ),
        migrations.RemoveField(
            model_name="membership",
            name="show_my_calls",
        ),
        migrations.CreateModel(
            name="Visibility",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("show_my_calls", models.BooleanField(null=True, verbose_name="Show my calls")),
                ("see_presence", models.BooleanField(null=True, verbose_name="Presence")),
                ("see_calls", models.BooleanField(null=True, verbose_name="Calls")),
                ("perform_operations", models.BooleanField(null=True, verbose_name="Operations")),
                (
                    "department",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="visibilities",
                        to="users.department",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="visibilities",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "what a person sees of a department",
                "constraints": [
                    models.UniqueConstraint(fields=("user", "department"), name="visibility_once")
                ],
            },
        ),
    ]
