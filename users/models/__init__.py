"""The tables of the customers and their people."""

from users.models.contact import Letter, Meeting, Visitor
from users.models.customer import (
    AskedOfVisitors,
    Customer,
    Department,
    Did,
    Role,
    SingleSignOn,
    SystemExtension,
)
from users.models.history import Change, Operation
from users.models.job import Job, JobStep
from users.models.links import PersonalLink
from users.models.person import Identity, Membership, Options, Planning, Presence, Talk, User, Visibility
from users.models.signin import BackupCode, KnownAddress, LinkedAccount, SignInAttempt, TotpDevice

__all__ = [
    "AskedOfVisitors",
    "BackupCode",
    "Change",
    "Customer",
    "Department",
    "Did",
    "Identity",
    "Job",
    "JobStep",
    "KnownAddress",
    "Letter",
    "LinkedAccount",
    "Meeting",
    "Membership",
    "Operation",
    "Options",
    "PersonalLink",
    "Planning",
    "Presence",
    "Role",
    "SignInAttempt",
    "SingleSignOn",
    "SystemExtension",
    "Talk",
    "TotpDevice",
    "User",
    "Visibility",
    "Visitor",
]
