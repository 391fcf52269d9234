"""The one road by which rows change: plan (validate everything), then apply (write once).

A plan takes any number of rows and says for each: new, changed, unchanged, or refused and why. Applying it writes all of
it, with its history, in one transaction, and tells the other apps once. Editor (one row), bulk edit, CSV, copy, undo,
Django admin and self-service are callers of this; nothing else writes these tables.
"""

from pbxadmin.common.columns import Pending
from users.road.applying import apply, apply_all, hold_the_provider
from users.road.identity import find, rows_of
from users.road.loading import records_of, with_related
from users.road.outcomes import Commit, Outcome, commit, commit_removal, ended
from users.road.planning import Plan, judge, plan
from users.road.recording import change_of, record_operation
from users.road.removal import Removal, plan_removal, remove
from users.road.revealing import reveal, reveal_many
from users.road.rows import ChangedMeanwhileError, RefusedError, Row, RowPlan, is_there_twice
from users.road.sheets import SHEETS, chunks, locks, register, rules_of, sheet_of, why_not

__all__ = [
    "SHEETS",
    "ChangedMeanwhileError",
    "Commit",
    "Outcome",
    "Pending",
    "Plan",
    "RefusedError",
    "Removal",
    "Row",
    "RowPlan",
    "apply",
    "apply_all",
    "change_of",
    "chunks",
    "commit",
    "commit_removal",
    "ended",
    "find",
    "hold_the_provider",
    "is_there_twice",
    "judge",
    "locks",
    "plan",
    "plan_removal",
    "record_operation",
    "records_of",
    "register",
    "remove",
    "reveal",
    "reveal_many",
    "rows_of",
    "rules_of",
    "sheet_of",
    "why_not",
    "with_related",
]
