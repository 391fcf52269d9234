"""The tables of the customers and their people."""

from users.models.customer import (
    AskedOfVisitors,
    Customer,
    Department,
    Did,
    Role,
    SingleSignOn,
    SystemExtension,
)
from users.models.history import Change, Mention, Operation
from users.models.job import Job, JobStep
from users.models.letter import Letter
from users.models.links import PersonalLink
from users.models.person import (
    STATUS_CHOICES,
    Identity,
    Kept,
    Membership,
    Options,
    Planning,
    Presence,
    StaffLevel,
    Talk,
    User,
    Visibility,
)

__all__ = [
    "STATUS_CHOICES",
    "AskedOfVisitors",
    "Change",
    "Customer",
    "Department",
    "Did",
    "Identity",
    "Job",
    "JobStep",
    "Kept",
    "Letter",
    "Membership",
    "Mention",
    "Operation",
    "Options",
    "PersonalLink",
    "Planning",
    "Presence",
    "Role",
    "SingleSignOn",
    "StaffLevel",
    "SystemExtension",
    "Talk",
    "User",
    "Visibility",
]
