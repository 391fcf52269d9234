"""The five forwarding rules of people who were there before rules."""

from typing import Any

from django.db import migrations

STATUSES = ("available", "away", "do_not_disturb", "lunch", "business_trip")


def add(apps: Any, schema_editor: Any) -> None:
    """Five rules for each person of a customer who has none, five hundred people at a time."""
    rule, user = apps.get_model("forwarding", "ForwardingRule"), apps.get_model("users", "User")
    batch = []
    for key in (
        user.objects.filter(customer__isnull=False, forwarding_rules=None)
        .values_list("pk", flat=True)
        .iterator(500)
    ):
        batch += [
            rule(user_id=key, status=status, accept_push=status != "do_not_disturb") for status in STATUSES
        ]
        if len(batch) >= 2500:
            rule.objects.bulk_create(batch)
            batch = []
    rule.objects.bulk_create(batch)


class Migration(migrations.Migration):
    dependencies = [("forwarding", "0001_rules_and_hours")]

    operations = [migrations.RunPython(add, migrations.RunPython.noop, elidable=False)]
