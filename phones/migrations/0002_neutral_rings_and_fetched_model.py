"""Rings in no vendor's words ("ring1" for Yealink's "Ring1.wav"), and the model whose file a phone fetched last."""

from django.db import migrations, models
from django.db.models import Value
from django.db.models.functions import Concat, Left, Length, Lower, Substr, Upper

RINGS = ("ringtone", "queue_ringtone")


def to_neutral(apps, schema_editor):
    """What was "Ring1.wav" becomes "ring1"."""
    phones = apps.get_model("phones", "Phone").objects
    for name in RINGS:
        phones.filter(**{f"{name}__endswith": ".wav"}).update(**{name: Lower(Left(name, Length(name) - 4))})


def to_yealink(apps, schema_editor):
    """What is "ring1" becomes "Ring1.wav"."""
    phones = apps.get_model("phones", "Phone").objects
    for name in RINGS:
        phones.exclude(**{f"{name}__endswith": ".wav"}).update(
            **{name: Concat(Upper(Left(name, 1)), Substr(name, 2), Value(".wav"))}
        )


class Migration(migrations.Migration):
    dependencies = [
        ("phones", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="phone",
            name="fetched_model",
            field=models.CharField(blank=True, default="", editable=False, max_length=40),
        ),
        migrations.AlterField(
            model_name="phone",
            name="queue_ringtone",
            field=models.CharField(
                default="ring2",
                help_text="What rings for calls of a queue, to tell them from the others.",
                max_length=40,
                verbose_name="Queue ringtone",
            ),
        ),
        migrations.AlterField(
            model_name="phone",
            name="ringtone",
            field=models.CharField(
                default="ring1",
                help_text="What rings for every call that doesn't come from a queue.",
                max_length=40,
                verbose_name="Call ringtone",
            ),
        ),
        migrations.RunPython(to_neutral, to_yealink),
    ]
