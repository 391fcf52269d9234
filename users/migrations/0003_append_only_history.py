"""From here on the database refuses to change or delete history."""

from django.db import migrations

from users import append_only


class Migration(migrations.Migration):
    dependencies = [("users", "0002_roles")]
    operations = [
        migrations.RunPython(
            lambda apps, schema_editor: append_only.install(schema_editor),
            lambda apps, schema_editor: append_only.remove(schema_editor),
        )
    ]
