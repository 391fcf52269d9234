"""The index of previous tokens holds the few that there are."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("phones", "0002_initial")]

    operations = [
        migrations.AlterField(
            model_name="phone",
            name="previous_token_hash",
            field=models.CharField(blank=True, default="", editable=False, max_length=64),
        ),
        migrations.AddIndex(
            model_name="phone",
            index=models.Index(
                fields=["previous_token_hash"],
                name="phone_previous_token",
                condition=~models.Q(previous_token_hash=""),
            ),
        ),
    ]
