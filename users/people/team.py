"""The provider's own support staff: who is in the team, at which level, and who may sign in.

They are rows of the table of people, and that table's sheet, by which the history names what changed, is that of people with an
extension: nine tabs of which staff have none. So they don't go the road of `users.road`, whose lock is a customer's row, but a small
one of their own: the whole team is locked, whoever acts is judged as they are then, and what changes is noted in the history.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.db.models import F, OuterRef, QuerySet, Subquery
from django.db.models.functions import Lower
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from pbxadmin.common.columns import Text
from pbxadmin.common.http import RequestFacts
from pbxadmin.common.proof import Takeover
from signin import credentials
from signin.models import TotpDevice
from signin.tasks import days_of_a_link
from users import rights, road
from users.mail import letters
from users.mail.letters import Mail
from users.models import Change, Letter, Operation, Role, StaffLevel, User
from users.people.sections import user_sheet
from users.people.sections.noted import ACCOUNT, ACTIVE, DISABLED, LEVEL, NOTED
from users.rights import Verb
from users.road.undo import NotUndoableError

LAST_MANAGER = gettext_lazy(
    "This is the last active manager of the support team: make somebody else a manager first."
)
GONE = gettext_lazy("There is no such account in the support team.")


class TeamError(road.RefusedError):
    """What was asked of the team may not be; `why` says so to a reader."""

    def __init__(self, why: Text) -> None:
        super().__init__(str(why))
        self.why = why


# A row that is always there, held before the team's: a team of nobody has none that could be held, and who is its first manager is
# decided under the lock as well. It is the role that all accounts of the team have.
GATE = "users"


# --- Who is in it -------------------------------------------------------------------------------------------------
def members(actor: User) -> QuerySet[User]:
    """The team as `actor` sees it, by name, each with `enrolled_at`: since when their second factor is set up."""
    since = TotpDevice.objects.filter(user=OuterRef("pk"), confirmed=True).values("created_at")[:1]
    found = User.objects.visible_to(actor).filter(is_staff=True).order_by("sort_name", "email")
    return found.annotate(enrolled_at=Subquery(since))


def named(email: str) -> User | None:
    """Who of them signs in with this address, however it is written."""
    address = credentials.canonical(email)
    return User.objects.annotate(lower=Lower("email")).filter(is_staff=True, lower=address).first()


def held(actor: User) -> tuple[User, Mapping[int, User]]:
    """The whole team under its lock, by key, and whoever acts as they are now. Raises `TeamError` where they aren't one any more.

    All of it, because who the last manager is, is only certain while nobody else changes anybody; and who was themselves
    disabled a moment ago changes nobody.
    """
    Role.objects.select_for_update(no_key=True).only("pk").get(pk=GATE)
    team = {user.pk: user for user in User.objects.filter(is_staff=True).select_for_update().order_by("pk")}
    now = team.get(actor.pk) if actor.pk else actor
    if now is None:
        raise TeamError(GONE)
    if why := rights.why_not(now, Verb.TEAM):
        raise TeamError(why)
    return now, team


def _held_one(actor: User, key: int) -> tuple[User, Mapping[int, User]]:
    """One of them whom the actor may change, and the team."""
    now, team = held(actor)
    if key not in team:
        raise TeamError(GONE)
    if why := rights.why_not(now, Verb.TEAM, team[key]):
        raise TeamError(why)
    return team[key], team


# --- Changing it --------------------------------------------------------------------------------------------------
def invite(
    actor: User,
    facts: RequestFacts,
    email: str,
    names: tuple[str, str] = ("", ""),
    level: str = "",
    language: str = "",
    *,
    mailed: bool = True,
) -> User:
    """A new account without a password; a mail takes its person to the page where they set one, unless it isn't `mailed`.

    Raises `TeamError`, `signin.credentials.EmailTakenError`, and `ProofNeededError` where who asks hasn't proved lately who they are.
    """
    with transaction.atomic():
        held(actor)
        facts.demand_proof(Takeover.TEAM)
        user = credentials.create_support_account(email, *names, level, language)
        values = {"first_name": user.first_name, "last_name": user.last_name, "email": user.email}
        _remember(actor, user, Operation.Kind.CREATE, facts, [
            *(_cell(name, "", value) for name, value in values.items() if value), _cell(LEVEL, "", user.staff_level),
        ])  # fmt: skip
        if mailed:
            letters.post(Letter.Kind.INVITED, [user])
    return user


def change(
    actor: User,
    key: int,
    facts: RequestFacts,
    *,
    level: str | None = None,
    disabled: bool | None = None,
    undoes: Operation | None = None,
) -> Operation | None:
    """Give somebody another level, disable their account or enable it again; None where that is so already.

    Who is disabled is signed out everywhere at once; no browser of theirs is known any more, no link opens. A mail tells them.
    Raises as `invite`.
    """
    with transaction.atomic():
        user, team = _held_one(actor, key)
        if undoes is not None and undoes.undone_by.exists():
            raise TeamError(_("This change was already undone."))
        values: dict[str, Any] = {}
        cells = []
        if level is not None and level != user.staff_level:
            values["staff_level"] = StaffLevel(level)
            cells.append(_cell(LEVEL, user.staff_level, level))
        if disabled is not None and disabled != user.disabled:
            values["disabled"] = disabled
            cells.append(_cell(ACCOUNT, *((ACTIVE, DISABLED) if disabled else (DISABLED, ACTIVE))))
            if disabled:
                values["sessions_epoch"] = F("sessions_epoch") + 1
        if not cells:
            return None
        goes = values.get("disabled") or values.get("staff_level", StaffLevel.MANAGER) != StaffLevel.MANAGER
        others = [other for other in team.values() if other.pk != key and _is_managing(other)]
        if _is_managing(user) and goes and not others:
            raise TeamError(LAST_MANAGER)
        facts.demand_proof(Takeover.TEAM)
        User.objects.filter(pk=key).update(version=F("version") + 1, **values)
        user.version += 1
        operation, done = _remember(actor, user, Operation.Kind.EDIT, facts, cells, undoes)
        letters.post_about(Letter.Kind.TEAM, {key: done.pk})
    return operation


def _is_managing(user: User) -> bool:
    return user.is_active and user.staff_level == StaffLevel.MANAGER


def _cell(name: str, old: str, new: str) -> dict[str, str]:
    return {"column": name, "old": str(old), "new": str(new)}


def _remember(
    actor: User,
    user: User,
    kind: str,
    facts: RequestFacts,
    cells: Sequence[dict[str, str]],
    undoes: Operation | None = None,
) -> tuple[Operation, Change]:
    done = road.change_of(user_sheet(), user, kind, list(cells))
    return road.record_operation(actor, None, kind, facts, "", [done], undoes), done


# --- Taking it back -----------------------------------------------------------------------------------------------
def what_undoing_does(operation: Operation) -> tuple[Change, Mapping[str, Any]]:
    """Whose account a change was made of, and what `change` is to be told in order to take it back.

    Raises `NotUndoableError` where it was no change of an account, was taken back already, or isn't any more how it left it.
    """
    done = operation.changes.filter(model=user_sheet().label, kind=Operation.Kind.EDIT).first()
    cells = {cell["column"]: cell for cell in done.cells} if done else {}
    user = User.objects.filter(is_staff=True, pk=done.object_pk).first() if done else None
    if done is None or user is None or not cells or not cells.keys() <= NOTED.keys():
        raise NotUndoableError(_("Only edits can be undone, not creations or deletions."))
    if operation.undone_by.exists():
        raise NotUndoableError(_("This change was already undone."))
    now = {LEVEL: user.staff_level, ACCOUNT: DISABLED if user.disabled else ACTIVE}
    for name, cell in cells.items():
        if now[name] != cell["new"]:
            raise NotUndoableError(
                _("It was changed again since: it is now “%(now)s”.") % {"now": NOTED[name].said(now[name])}
            )
    wanted: dict[str, Any] = {}
    if LEVEL in cells:
        wanted["level"] = cells[LEVEL]["old"]
    if ACCOUNT in cells:
        wanted["disabled"] = cells[ACCOUNT]["old"] == DISABLED
    return done, wanted


# --- What they are told -------------------------------------------------------------------------------------------
def invitation(letter: Letter, user: User) -> Mail:
    """The mail to whoever was invited, with the link for setting a password, made here and nowhere else."""
    link = "" if user.has_usable_password() else credentials.set_password_link(user)
    facts = {"link": link, "days": days_of_a_link(), "level": user.get_staff_level_display()}
    return Mail(_("Your account at the support desk"), "users/mail/invited", facts)


def changed_account(letter: Letter, user: User) -> Mail | None:
    """The mail to whoever has another level, or was disabled or enabled again."""
    done = Change.objects.filter(pk=letter.about or 0).select_related("operation").first()
    if done is None:
        return None
    told = [
        (
            NOTED[cell["column"]].label,
            NOTED[cell["column"]].said(cell["old"]),
            NOTED[cell["column"]].said(cell["new"]),
        )
        for cell in done.cells
    ]
    facts = {"told": told, "at": done.operation.at, "who": done.operation.actor_name, "login": user.login}
    return Mail(_("Your account at the support desk was changed"), "users/mail/team_changed", facts)


def register() -> None:
    """Say what writes these mails."""
    letters.register(Letter.Kind.INVITED, invitation)
    letters.register(Letter.Kind.TEAM, changed_account)
