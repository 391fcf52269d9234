"""What visitors of a department's or group's Talk link are asked, and whose link a visitor came through."""

import django.core.validators
from django.db import migrations, models

import pbxadmin.common.fields


class Migration(migrations.Migration):
    dependencies = [
        ("users", "0013_former_subject"),
    ]

    operations = [
        migrations.AddField(
            model_name="department",
            name="talk_ask",
            field=models.CharField(
                choices=[
                    ("name_email", "Name and email"),
                    ("name", "Name"),
                    ("email", "Email"),
                    ("nothing", "Nothing"),
                ],
                default="name_email",
                max_length=12,
                verbose_name="Ask the customer",
            ),
        ),
        migrations.AddField(
            model_name="systemextension",
            name="talk_ask",
            field=models.CharField(
                choices=[
                    ("name_email", "Name and email"),
                    ("name", "Name"),
                    ("email", "Email"),
                    ("nothing", "Nothing"),
                ],
                default="name_email",
                max_length=12,
                verbose_name="Ask the customer",
            ),
        ),
        migrations.AddField(
            model_name="visitor",
            name="place",
            field=pbxadmin.common.fields.OneLineField(blank=True, max_length=80),
        ),
        migrations.AlterField(
            model_name="systemextension",
            name="talk_name",
            field=models.CharField(
                blank=True,
                help_text="Of a queue or a ring group. Letters and digits; requests from the link reach its members by mail.",
                max_length=50,
                validators=[
                    django.core.validators.RegexValidator(
                        "^[A-Za-z0-9]*\\Z",
                        "Letters and digits only, without accents or spaces.",
                        code="alnum",
                    )
                ],
                verbose_name="Talk link",
            ),
        ),
    ]
