"""The provider's standard greetings, and a mailbox for people who were there before mailboxes."""

from typing import Any

from django.db import migrations

GREETINGS = [
    ("Accueil standard", "Standard greeting"),
    ("Absent du bureau", "Away from the office"),
    ("En réunion", "In a meeting"),
    ("En vacances", "On vacation"),
    ("Fermé pour la journée", "Closed for the day"),
    ("Fermé pour un jour férié", "Closed for a holiday"),
]


def add(apps: Any, schema_editor: Any) -> None:
    """The greetings that aren't there, and the mailboxes that are missing, a thousand at a time."""
    greeting, mailbox, user = (
        apps.get_model(*path.split(".")) for path in ("voicemail.Greeting", "voicemail.Mailbox", "users.User")
    )
    for name, name_en in GREETINGS:
        greeting.objects.get_or_create(customer=None, user=None, name=name, defaults={"name_en": name_en})
    without = (
        user.objects.filter(customer__isnull=False, mailbox=None).values_list("pk", flat=True).iterator(1000)
    )
    batch = []
    for key in without:
        batch.append(mailbox(user_id=key))
        if len(batch) == 1000:
            mailbox.objects.bulk_create(batch)
            batch = []
    mailbox.objects.bulk_create(batch)


class Migration(migrations.Migration):
    dependencies = [("voicemail", "0001_mailboxes")]

    operations = [migrations.RunPython(add, migrations.RunPython.noop, elidable=False)]
