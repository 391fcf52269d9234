"""Long work that is carried out in steps, and what became of it."""

from datetime import timedelta
from typing import Any, ClassVar, Self

from django.db import models
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import pgettext_lazy

from pbxadmin.common.scoping import ScopedManager, ScopedQuerySet
from users.models.customer import Customer
from users.models.history import Operation


class JobQuerySet(ScopedQuerySet):
    """Jobs: one's own, and for support staff everybody's."""

    def visible_to(self, actor: Any) -> Self:
        """What tenancy lets through, of that one's own; a colleague's report names people whom one may not administer."""
        found = super().visible_to(actor)
        if getattr(actor, "is_staff", False):
            return found
        return found.filter(starter=actor.pk).exclude(customer=None)

    def open(self) -> Self:
        """Those that aren't over."""
        return self.filter(ended_at=None)

    def to_be_told_to(self, actor: Any) -> Self:
        """What the bell tells: what runs, and what ended within a day."""
        since = Now() - Job.TOLD_FOR
        return self.filter(models.Q(ended_at=None) | models.Q(ended_at__gt=since), starter=actor)


class Job(models.Model):
    """Long work, asked for once and done by workers. The row is the truth, whatever the broker says.

    An action on many records is done bit by bit: `keys` are the records in the order of their turn, `position` how many of them had it.
    What is done as a whole (a file) has no keys: `position` says how far it is in thousandths, `phase` what it is at. What is done at
    many customers (`users.road.wide`) belongs to none of them, and only support staff see it: each of its `keys` is one customer's turn.
    Nothing secret is in a job.
    """

    class State(models.TextChoices):
        """Where it stands."""

        WAITING = "waiting", pgettext_lazy("job", "Waiting")
        RUNNING = "running", pgettext_lazy("job", "Under way")
        DONE = "done", pgettext_lazy("job", "Done")
        CANCELLED = "cancelled", pgettext_lazy("job", "Cancelled")
        STOPPED = (
            "stopped",
            pgettext_lazy("job", "Stopped"),
        )  # whoever started it may not any more: `words` say why

    TOLD_FOR: ClassVar = timedelta(days=1)

    # None: it is done at many customers.
    customer = models.ForeignKey(Customer, models.CASCADE, null=True, related_name="jobs")
    # `users.road.actions.ACTIONS`, `users.road.works.WORKS`, or `users.road.wide.WIDES`.
    kind = models.CharField(max_length=40)
    # The preview that this job carries out. One preview is carried out once, however often its button is pressed.
    preview = models.OneToOneField("self", models.SET_NULL, null=True, related_name="carried_out")
    starter = models.ForeignKey("users.User", models.SET_NULL, null=True, related_name="jobs")
    starter_name = models.CharField(max_length=160)
    language = models.CharField(max_length=10)  # in which the report is written: that of whoever started it
    # Where it was asked for, for the history.
    source = models.CharField(max_length=12)
    address = models.CharField(max_length=45, blank=True)
    request_id = models.CharField(max_length=12, blank=True)
    note = models.CharField(max_length=200, blank=True)

    keys = models.JSONField(default=list)
    settings = models.JSONField(default=dict)
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    total = models.PositiveIntegerField()
    position = models.PositiveIntegerField(default=0)
    phase = models.CharField(max_length=20, blank=True)
    # How often a worker began it, for what is done as a whole.
    attempts = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    refused = models.PositiveIntegerField(default=0)
    words = models.CharField(max_length=300, blank=True)
    # All that the job does stands in the history as this one operation.
    operation = models.ForeignKey(Operation, models.PROTECT, null=True, related_name="jobs")

    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    cancel_asked_at = models.DateTimeField(null=True)
    # Which worker has it, and until when it is believed to be alive.
    worker = models.CharField(max_length=12, blank=True)
    lease_until = models.DateTimeField(null=True)

    objects = models.Manager.from_queryset(JobQuerySet)()

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["starter", "ended_at"], name="job_of_starter"),
            models.Index(fields=["customer", "-id"], name="job_latest"),
            models.Index(fields=["id"], name="job_open", condition=models.Q(ended_at=None)),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"

    @property
    def is_over(self) -> bool:
        """Whether nothing of it will be done any more."""
        return self.ended_at is not None

    @property
    def left(self) -> int:
        """How many records haven't had their turn."""
        return self.total - self.position

    @property
    def seconds_left(self) -> int | None:
        """How long it will go on at the rate so far; None where that isn't known yet."""
        if self.started_at is None or self.is_over or not self.position:
            return None
        passed = (timezone.now() - self.started_at).total_seconds()
        return round(passed / self.position * self.left)


class JobStep(models.Model):
    """What one step did, written in the same transaction: [key, name] of whom it was done to, [key, name, why] of whom not.

    At many customers a step is one of them, `done` also says what changed there, and `operation` is that of its history.
    """

    customer_path = "job__customer"

    job = models.ForeignKey(Job, models.CASCADE, related_name="steps")
    position = models.PositiveIntegerField()  # where it began
    done = models.JSONField(default=list)
    refused = models.JSONField(default=list)
    operation = models.ForeignKey(Operation, models.PROTECT, null=True, related_name="job_steps")

    objects = ScopedManager()

    class Meta:
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["job", "position"], name="job_step_once")]

    def __str__(self) -> str:
        return f"job {self.job_id} from {self.position}"
