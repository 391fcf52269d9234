"""Where calls of a customer may be forwarded to: North America, until support opens more."""

from django.db import migrations, models

import users.models.customer


class Migration(migrations.Migration):
    dependencies = [("users", "0009_words_of_the_history")]

    operations = [
        migrations.AddField(
            "customer",
            "countries",
            models.CharField(
                "countries that calls may be forwarded to",
                default="CA US",
                max_length=200,
                validators=[users.models.customer.known_countries],
            ),
        ),
    ]
