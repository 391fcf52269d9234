"""What was changed, by whom, from where and why: rows that are only ever added."""

import re
from datetime import datetime

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from pbxadmin.common.scoping import ScopedManager
from pbxadmin.common.searching import FoldedField
from users.models.customer import Customer


class Operation(models.Model):
    """One decision of one person, whatever the number of rows it changed: it reads, and is taken back, as one."""

    class Kind(models.TextChoices):
        """What was done."""

        CREATE = "create", _("Creation")
        EDIT = "edit", pgettext_lazy("history", "Change")
        DELETE = "delete", _("Deletion")
        COMMAND = "command", _("Sent to the phone")
        REVEAL = "reveal", _("Secret shown")
        SIGN_IN = "sign_in", _("Sign-in")
        RESET = "reset", _("Reset")
        MAIL = "mail", _("Email sent")

    at = models.DateTimeField(auto_now_add=True)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    customer = models.ForeignKey(Customer, models.PROTECT, null=True, related_name="operations")
    # Not a foreign key: the history outlives the person, and its rows can't be updated when they are deleted.
    actor_pk = models.BigIntegerField(null=True)
    actor_name = models.CharField(max_length=160)
    source = models.CharField(max_length=12)
    address = models.CharField(max_length=45, blank=True)
    request_id = models.CharField(max_length=12, blank=True)
    reason = models.CharField(max_length=200, blank=True)
    # Why, in the words of whoever did it: a reason, or the number of a ticket. `reason` is what the portal itself notes.
    note = models.CharField(_("Reason or ticket number"), max_length=200, blank=True)
    undoes = models.ForeignKey("self", models.PROTECT, null=True, related_name="undone_by")
    # By which it is found among all there are.
    actor_text = FoldedField(max_length=170, texts=("actor_name",))
    search_text = FoldedField(max_length=570, texts=("actor_name", "reason", "note"))

    objects = ScopedManager()

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["customer", "-id"], name="operation_latest"),
            models.Index(fields=["at"], name="operation_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} by {self.actor_name}"


class Change(models.Model):
    """What an operation did to one row: old and new value by column, secrets as dots."""

    customer_path = "operation__customer"

    operation = models.ForeignKey(Operation, models.PROTECT, related_name="changes")
    model = models.CharField(max_length=40)  # "users.user"
    object_pk = models.BigIntegerField()
    object_name = models.CharField(max_length=160)
    # The person that the row is about (for a phone, its user): their history is everything about them.
    subject_pk = models.BigIntegerField(null=True)
    # Whose it was before, where it was given to somebody else: it stands in their history too.
    former_subject_pk = models.BigIntegerField(null=True)
    kind = models.CharField(max_length=10, choices=Operation.Kind.choices)
    version = models.PositiveIntegerField(default=0)  # of the row, after the change
    # [{"column", "old", "new", "old_label", "new_label", "old_ref", "new_ref"}]; labels only where the value is a key of another row,
    # references ([key, name]) where it names one by its number.
    cells = models.JSONField(default=list)
    # By which it is found: its name, and apart from that, because not everybody reads the values, the numbers in them.
    search_text = FoldedField(max_length=170, texts=("object_name",))
    numbers = models.TextField(default="", editable=False)

    objects = ScopedManager()

    class Meta:
        ordering = ["-id"]
        verbose_name = _("change")
        verbose_name_plural = _("history")
        indexes = [
            models.Index(fields=["model", "object_pk", "-id"], name="change_of_object"),
            models.Index(fields=["subject_pk", "-id"], name="change_about_person"),
            models.Index(
                fields=["former_subject_pk", "-id"],
                name="change_formerly_about",
                condition=models.Q(former_subject_pk__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.object_name


_NUMBER = re.compile(r"\d{10,}", re.ASCII)


def numbers_in(cells: str) -> str:
    """The phone numbers in a row's cells, which are JSON as text: their digits, each once, with spaces between."""
    return " ".join(dict.fromkeys(_NUMBER.findall(cells)))


def changes_since(moment: datetime) -> "models.QuerySet[Change]":
    """The rows of the history since that moment (aware), read off the end of it: what is older costs nothing, however much that is.

    Operations get their keys in the order of their time, so both ends are keys, each found in an index.
    """
    first = Operation.objects.filter(at__gte=moment).order_by("at").values("pk")[:1]
    last = Operation.objects.order_by("-pk").values("pk")[:1]
    return Change.objects.filter(
        operation__gte=models.Subquery(first),
        operation__lte=models.Subquery(last),
        operation__at__gte=moment,
    )


class Mention(models.Model):
    """That a change of one record says something of another one: a number that went to somebody stands in the number's history too.

    It names the change by its operation and record, because changes are written many at once and aren't read back for their keys.
    """

    customer_path = "operation__customer"

    operation = models.ForeignKey(Operation, models.PROTECT, related_name="mentions")
    # The record that is spoken of.
    model = models.CharField(max_length=40)
    object_pk = models.BigIntegerField()
    # The record that was changed.
    by_model = models.CharField(max_length=40)
    by_pk = models.BigIntegerField()

    objects = ScopedManager()

    class Meta:
        indexes = [models.Index(fields=["model", "object_pk", "-operation"], name="mention_of_object")]

    def __str__(self) -> str:
        return f"{self.model} {self.object_pk} by {self.by_model} {self.by_pk}"
