import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import pbxadmin.common.crypto


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("users", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Upload",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("subject", models.CharField(max_length=30)),
                ("name", models.CharField(max_length=120)),
                ("size", models.PositiveIntegerField()),
                ("digest", models.CharField(max_length=64)),
                (
                    "mode",
                    models.CharField(
                        choices=[
                            ("both", "Create and change"),
                            ("create", "Only create"),
                            ("update", "Only change"),
                        ],
                        default="both",
                        max_length=10,
                    ),
                ),
                ("mapping", models.JSONField(default=dict)),
                ("language", models.CharField(max_length=10)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("reading", "Being checked"),
                            ("unreadable", "Can't be read"),
                            ("looked", "Checked, not imported"),
                            ("writing", "Being imported"),
                            ("written", "Imported"),
                        ],
                        default="reading",
                        max_length=10,
                    ),
                ),
                ("read", models.JSONField(default=dict)),
                ("counts", models.JSONField(default=dict)),
                ("groups", models.JSONField(default=list)),
                ("warnings", models.JSONField(default=list)),
                ("leaning", models.JSONField(default=list)),
                ("seen", models.CharField(blank=True, max_length=64)),
                ("seen_without", models.CharField(blank=True, max_length=64)),
                ("takes_over", models.CharField(blank=True, max_length=20)),
                ("good_rows", models.BooleanField(default=False)),
                ("changed_meanwhile", models.BooleanField(default=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="uploads",
                        to="users.customer",
                    ),
                ),
                (
                    "job",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="uploads",
                        to="users.job",
                    ),
                ),
                (
                    "operation",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="uploads",
                        to="users.operation",
                    ),
                ),
                (
                    "starter",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="uploads",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="UploadPage",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("outcome", models.CharField(max_length=10)),
                ("number", models.PositiveIntegerField()),
                ("rows", models.JSONField()),
                (
                    "upload",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="pages", to="files.upload"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="UploadPiece",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("place", models.PositiveIntegerField()),
                ("content", pbxadmin.common.crypto.EncryptedBytesField()),
                (
                    "upload",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="pieces", to="files.upload"
                    ),
                ),
            ],
            options={
                "ordering": ["place"],
            },
        ),
        migrations.CreateModel(
            name="ColumnMeaning",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("subject", models.CharField(max_length=30)),
                ("name", models.CharField(max_length=200)),
                ("column", models.CharField(blank=True, max_length=60)),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="column_meanings",
                        to="users.customer",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("customer", "subject", "name"), name="column_meaning_once"
                    )
                ],
            },
        ),
        migrations.AddIndex(
            model_name="upload",
            index=models.Index(fields=["customer", "starter", "-id"], name="upload_of_starter"),
        ),
        migrations.AddConstraint(
            model_name="uploadpage",
            constraint=models.UniqueConstraint(
                fields=("upload", "outcome", "number"), name="upload_page_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="uploadpiece",
            constraint=models.UniqueConstraint(fields=("upload", "place"), name="upload_piece_once"),
        ),
    ]
