"""The address at which a person has used a one-time link."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("users", "0010_open_countries")]

    operations = [
        migrations.AddField(
            "user",
            "confirmed_email",
            models.EmailField(blank=True, editable=False, max_length=254, default=""),
        ),
    ]
