"""As what the portal is registered at a customer's Microsoft 365 and Google Workspace, and the accounts linked with people."""

import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import pbxadmin.common.crypto
import users.models.customer


class Migration(migrations.Migration):
    dependencies = [
        ("users", "0011_confirmed_addresses"),
    ]

    operations = [
        migrations.AddField(
            model_name="customer",
            name="google_client_id",
            field=models.CharField(
                blank=True,
                max_length=200,
                validators=[
                    django.core.validators.RegexValidator(
                        "\\A[A-Za-z0-9._-]+\\Z",
                        "Letters, digits, dots and dashes only: copy the client ID as it is shown there.",
                    )
                ],
                verbose_name="Client ID of Google",
            ),
        ),
        migrations.AddField(
            model_name="customer",
            name="google_client_secret",
            field=pbxadmin.common.crypto.EncryptedTextField(
                blank=True,
                default="",
                max_length=500,
                validators=[
                    django.core.validators.RegexValidator(
                        "\\A[!-~]+\\Z",
                        "A client secret has no blanks and no accents: copy its value as it is shown there.",
                    )
                ],
                verbose_name="Client secret of Google",
            ),
        ),
        migrations.AddField(
            model_name="customer",
            name="google_hosted_domain",
            field=models.CharField(
                blank=True,
                max_length=253,
                validators=[
                    django.core.validators.RegexValidator(
                        "^(?=.{1,253}\\Z)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]\\Z",
                        "Enter a host name, for example clinique.example.com.",
                        code="host",
                    )
                ],
                verbose_name="Google Workspace domain",
            ),
        ),
        migrations.AddField(
            model_name="customer",
            name="microsoft_client_id",
            field=models.CharField(
                blank=True,
                max_length=200,
                validators=[
                    django.core.validators.RegexValidator(
                        "\\A[A-Za-z0-9._-]+\\Z",
                        "Letters, digits, dots and dashes only: copy the client ID as it is shown there.",
                    )
                ],
                verbose_name="Application (client) ID of Microsoft",
            ),
        ),
        migrations.AddField(
            model_name="customer",
            name="microsoft_client_secret",
            field=pbxadmin.common.crypto.EncryptedTextField(
                blank=True,
                default="",
                max_length=500,
                validators=[
                    django.core.validators.RegexValidator(
                        "\\A[!-~]+\\Z",
                        "A client secret has no blanks and no accents: copy its value as it is shown there.",
                    )
                ],
                verbose_name="Client secret of Microsoft",
            ),
        ),
        migrations.AddField(
            model_name="customer",
            name="microsoft_tenant_id",
            field=models.CharField(
                blank=True,
                max_length=36,
                validators=[
                    django.core.validators.RegexValidator(
                        "\\A[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\\Z",
                        "Enter the directory (tenant) ID as Microsoft Entra shows it, for example 3f2504e0-4f89-41d3-9a0c-0305e82c3301.",
                    ),
                    users.models.customer.no_personal_accounts,
                ],
                verbose_name="Directory (tenant) ID",
            ),
        ),
        migrations.CreateModel(
            name="LinkedAccount",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "provider",
                    models.CharField(
                        choices=[("microsoft", "Microsoft"), ("google", "Google")], max_length=10
                    ),
                ),
                ("issuer", models.CharField(max_length=200)),
                ("subject", models.CharField(max_length=255)),
                ("email", models.CharField(max_length=254)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="users.customer"
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="linked_accounts",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "linked account",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("customer", "issuer", "subject"), name="account_of_one_person"
                    ),
                    models.UniqueConstraint(fields=("user", "provider"), name="one_account_per_provider"),
                ],
            },
        ),
    ]
