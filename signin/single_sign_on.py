"""Signing in with the company's Microsoft 365 or Google Workspace: whose account belongs to which person, and what follows.

What is believed, and why
-------------------------
A person is found by **issuer and subject** of a linked account, within the one customer at whose door the sign-in began.
Never by an e-mail address, except once:

* **Microsoft: linked by hand.** The `email` claim of Entra is whatever somebody who edits the directory (or a guest's own
  directory) has written there; whole portals were taken over by it. `xms_edov` would say that the *domain* is the
  directory's, not that the mailbox is this person's, and is there only where somebody has switched it on. So the first link
  is made by the person on their own page: signed in, the account's address the same as theirs in the portal, confirmed
  with their password and second factor. Afterwards the account is `oid` in the directory `tid`, which is part of the issuer.
* **Google: linked at the first sign-in**, where Google itself answers for the address: `email_verified` is true, `hd` is the
  Workspace domain that the customer has entered, and the address is one of that domain. Exactly one person of the customer
  must have it, be linked with no other account, and administer nobody: an administrator of the Workspace can rename an
  account, and must not become the owner of the telephones by it. Everybody else links on the own page, as with Microsoft.

A link holds as long as the person's address **in the portal** is the one it was made with. An extension that is given to a
successor by changing name and address is no way in for the predecessor. What the provider says of the address later doesn't
matter any more. Support staff belong to no customer, so nothing here finds them.

Afterwards everything is as after a password: the second factor where it is due (also its enrolment), a new session key, the
same session, the same count of tries per address, a line in the history that says which way. To the outside every refusal is
the same sentence (`signin.views.single_sign_on`); the reason is in the history, or in the log where no account was proven.
"""

import json
import logging
import secrets
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from hmac import compare_digest
from time import time
from typing import Any

from django.core.cache import cache
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.db.models.functions import Lower
from django.http import HttpRequest
from django.utils.crypto import salted_hmac

from pbxadmin.common.crypto import SecretUnreadableError, decrypt, encrypt, fingerprint
from pbxadmin.common.http import client_address
from signin import credentials as signin
from signin import devices, lockout, oidc
from signin import second_factor as factor
from signin.models import LinkedAccount
from signin.oidc import Client, Identity, OidcError
from users import rights
from users.models import Customer, User

logger = logging.getLogger("signin.credentials")

# Session keys: what was asked of a provider; an account that waits for its person's word.
ASKED = "single_sign_on"
PROVEN = "single_sign_on_account"
PURPOSE = "session.single_sign_on"
# Seconds to sign in at the provider, and to confirm a link.
PATIENCE = 600
# Which column switches it off for one person.
OPTION = {"microsoft": "ms365_sso", "google": "google_sso"}


@dataclass(frozen=True)
class Flow:
    """What this browser has asked of a provider: good for one answer, within ten minutes.

    `person`: who wants to link an account; 0 where somebody wants to sign in.
    """

    provider: str
    customer: int
    issuer: str
    client_id: str
    state: str
    nonce: str
    verifier: str
    next: str
    person: int
    at: int


@dataclass(frozen=True)
class Proven:
    """An account that its owner has just signed in with at the provider, and may link."""

    provider: str
    issuer: str
    subject: str
    account: str
    person: int
    at: int


# --- What is kept in the session ----------------------------------------------------------------------------------
def _keep(request: HttpRequest, key: str, what: Flow | Proven) -> None:
    if not request.session.keys():
        # A stranger's session holds this one thing.
        request.session.set_expiry(PATIENCE)
    request.session[key] = encrypt(json.dumps(asdict(what)), PURPOSE)


def _kept(request: HttpRequest, key: str) -> dict[str, Any] | None:
    """What is kept under `key`, unless it is too old."""
    try:
        found = json.loads(decrypt(request.session[key], PURPOSE))
    except (KeyError, ValueError, SecretUnreadableError):
        return None
    return found if 0 <= time() - found["at"] < PATIENCE else None


# --- Going to the provider ----------------------------------------------------------------------------------------
def start(
    request: HttpRequest, client: Client, customer: Customer, *, next: str = "", person: int = 0
) -> str:
    """The address at which the person signs in; remembers in the session what was asked. Raises `OidcError`."""
    state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    url = oidc.authorization_url(client, state=state, nonce=nonce, verifier=verifier, choose=bool(person))
    flow = Flow(
        client.provider.key, customer.pk, client.issuer, client.client_id, state, nonce, verifier, next, person, int(time())
    )  # fmt: skip
    _keep(request, ASKED, flow)
    return url


def take_flow(request: HttpRequest, provider: str, state: str) -> Flow | None:
    """What this browser had asked when `state` was made, once: afterwards nobody has asked anything.

    An answer to nobody's question leaves the question as it is, or every page of the Internet could spoil a sign-in.
    """
    found = _kept(request, ASKED)
    if found is None or found["provider"] != provider:
        return None
    if not compare_digest(found["state"].encode(), state.encode("utf-8", "surrogatepass")):
        return None
    del request.session[ASKED]
    # Now, not at the end of the request, which may take seconds; and not by whoever has read the session already.
    request.session.save()
    return Flow(**found) if cache.add(f"single_sign_on:{fingerprint(state)}", 1, PATIENCE) else None


@dataclass(frozen=True)
class Answer:
    """What an answer of a provider means: the customer at whose door it began, and the account that it proves."""

    customer: Customer
    client: Client
    identity: Identity


def answer_of(request: HttpRequest, flow: Flow) -> Answer:
    """The account that the provider's answer proves; raises `OidcError`.

    Counted like a sign-in, per address: too many failures there and nothing is asked of anybody any more.
    """
    customer = Customer.objects.filter(pk=flow.customer).first()
    client = oidc.client_of(customer, flow.provider) if customer is not None else None
    if customer is None or client is None:
        raise OidcError("the customer has no single sign-on, or is suspended")
    if (client.issuer, client.client_id) != (flow.issuer, flow.client_id):
        raise OidcError("the customer has changed its registration meanwhile")
    parameters = request.GET
    # RFC 9207: where a provider says who answers, it must be whom we asked.
    if parameters.get("iss", client.issuer) != client.issuer:
        raise OidcError("another issuer answers")
    if "error" in parameters or not parameters.get("code"):
        raise OidcError(f"the provider let nobody in ({parameters.get('error', '')[:40]!r})")
    token = oidc.redeem(client, parameters["code"][:4_000], flow.verifier)
    return Answer(customer, client, oidc.identity_of(client, token, flow.nonce))


def count(request: HttpRequest, flow: Flow) -> lockout.Tally:
    """Count an answer as a try at its address. The account isn't known yet, so it counts for the customer.

    Where people of that customer sign in usually, strangers behind the same address don't shut its door.
    """
    address = client_address(request)
    key = salted_hmac("signin.lockout", f"single sign-on:{flow.customer}", algorithm="sha256").hexdigest()
    known = User.objects.filter(lockout.known_at(address), customer=flow.customer).exists()
    device = devices.of_somebody_in(request, flow.customer)
    return lockout.register(key, address, lockout.SINGLE_SIGN_ON, known=known, device=device)


# --- Whose account it is ------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Match:
    """Whom an account signs in; `refusal` (a key of `signin.REASONS`) where it is nobody. `new`: it must still be linked."""

    person: User | None = None
    refusal: str = ""
    new: bool = False


def match(answer: Answer) -> Match:
    """The one person of the customer whose account this is, by the rules at the top of this file."""
    identity = answer.identity
    link = LinkedAccount.objects.filter(
        customer=answer.customer, issuer=identity.issuer, subject=identity.subject
    ).first()
    person = signin.people().get(pk=link.user_id) if link is not None else None
    if link is not None and person is not None and holds(link, person):
        return _unless_refused(Match(person), identity.provider)
    if identity.provider == "google":
        return _first_match(answer)
    return Match(person, "single_sign_on.unknown" if person is None else "single_sign_on.moved")


def _first_match(answer: Answer) -> Match:
    """Whom a Google account that is linked with nobody belongs to, where Google answers for its address."""
    identity, client = answer.identity, answer.client
    email = signin.canonical(identity.emails[0]) if identity.emails else signin.NOBODY
    if not identity.email_verified:
        return Match(None, "single_sign_on.unverified")
    if not client.hosted_domain or identity.hosted_domain != client.hosted_domain:
        return Match(None, "single_sign_on.unknown")
    if email.rpartition("@")[2] != client.hosted_domain:
        return Match(None, "single_sign_on.unknown")
    people = signin.people().filter(customer=answer.customer, is_staff=False)
    # Disabled people count: their address isn't anybody else's by that.
    found = list(people.annotate(lower_email=Lower("email")).filter(lower_email=email).order_by()[:2])
    if len(found) != 1 or signin.canonical(found[0].email) != email:
        return Match(None, "single_sign_on.shared" if found else "single_sign_on.unknown")
    person = found[0]
    if rights.administers(person):
        return Match(person, "single_sign_on.by_hand")
    if LinkedAccount.objects.filter(user=person, provider=identity.provider, email=email).exists():
        return Match(person, "single_sign_on.another")
    return _unless_refused(Match(person, new=True), identity.provider)


def _unless_refused(found: Match, provider: str) -> Match:
    person = found.person
    assert person is not None
    if person.is_staff or not person.is_active:
        return Match(person, "single_sign_on.disabled")
    if not getattr(person, OPTION[provider]):
        return Match(person, "single_sign_on.switched_off")
    return found


def sign_in(request: HttpRequest, answer: Answer) -> User | None:
    """Open the session of the person whose account it is; None, and a line in the history, where it is nobody's.

    The second factor is still to be asked, as after a password.
    """
    found = match(answer)
    person = found.person
    if not found.refusal and found.new and person is not None:
        identity = answer.identity
        if not _link(request, person, identity.provider, identity.issuer, identity.subject, by_himself=False):
            found = Match(person, "single_sign_on.another")
    if found.refusal or person is None:
        logger.warning("sign-in failed from %s (%s)", client_address(request), found.refusal)
        if person is not None:
            signin.record(request, person, found.refusal, by_himself=False)
        else:
            signin.record_stranger(request, answer.customer, found.refusal)
        return None
    signin.begin_session(request, person, answer.identity.provider)
    if not factor.is_due(person):
        signin.complete_session(request)
    return person


# --- Linking ------------------------------------------------------------------------------------------------------
def providers_for(person: User) -> list[str]:
    """With whose accounts this person may sign in: what their customer has set up and their options leave on."""
    if person.customer is None or person.customer.suspended:
        return []
    return [key for key in person.customer.single_sign_on if getattr(person, OPTION[key])]


def linked(person: User) -> dict[str, LinkedAccount]:
    """The accounts of a person, by provider; those that hold no more (the address has changed) as well."""
    return linked_accounts([person])[person.pk]


def linked_accounts(people: Sequence[User]) -> dict[int, dict[str, LinkedAccount]]:
    """The accounts of these people, by provider, in one query."""
    found: dict[int, dict[str, LinkedAccount]] = {person.pk: {} for person in people}
    for link in LinkedAccount.objects.filter(user__in=found):
        found[link.user_id][link.provider] = link
    return found


def holds(link: LinkedAccount, person: User) -> bool:
    """Whether the person still has the address with which the account was linked."""
    return link.email == signin.canonical(person.email)


def addresses_match(person: User, identity: Identity) -> bool:
    """Whether an account has the person's address in the portal, so that nobody links a private account by mistake."""
    email = signin.canonical(person.email)
    if identity.provider == "google" and not identity.email_verified:
        return False
    return email != signin.NOBODY and email in {signin.canonical(text) for text in identity.emails}


def propose(request: HttpRequest, person: User, identity: Identity) -> None:
    """Remember an account that waits for its person's password."""
    proven = Proven(
        identity.provider, identity.issuer, identity.subject, identity.emails[0], person.pk, int(time())
    )
    _keep(request, PROVEN, proven)


def proposed(request: HttpRequest, person: User, provider: str) -> Proven | None:
    """The account that waits for this person's password."""
    found = _kept(request, PROVEN)
    if found is None or (found["person"], found["provider"]) != (person.pk, provider):
        return None
    client = oidc.client_of(person.customer, provider) if person.customer else None
    if client is None or client.issuer != found["issuer"] or provider not in providers_for(person):
        return None
    return Proven(**found)


def confirm(request: HttpRequest, person: User, proven: Proven) -> bool:
    """Link the account; False where it is, or the person is, linked already. The caller has asked for password and code."""
    request.session.pop(PROVEN, None)
    return _link(request, person, proven.provider, proven.issuer, proven.subject, by_himself=True)


def _link(
    request: HttpRequest, person: User, provider: str, issuer: str, subject: str, *, by_himself: bool
) -> bool:
    assert person.customer is not None
    links = LinkedAccount.objects.filter(customer=person.customer).select_related("user__customer")
    account = Q(issuer=issuer, subject=subject) | Q(user=person, provider=provider)
    try:
        with transaction.atomic():
            # What holds no more makes room.
            gone = [link for link in links.filter(account) if not holds(link, link.user)]
            LinkedAccount.objects.filter(pk__in=[link.pk for link in gone]).delete()
            for link in gone:
                signin.record(request, link.user, "single_sign_on.unlinked", by_himself=False)
            # One row for a person and provider, one for an account: two at once, and the second one is refused.
            LinkedAccount.objects.create(
                customer=person.customer,
                user=person,
                provider=provider,
                issuer=issuer,
                subject=subject,
                email=signin.canonical(person.email),
            )
            signin.record(request, person, "single_sign_on.linked", by_himself=by_himself)
    except IntegrityError:
        return False
    return True


def unlink(request: HttpRequest, person: User, provider: str) -> bool:
    """Take a person's account away; False where there is none. Whoever is signed in stays so."""
    with transaction.atomic():
        gone, _rows = LinkedAccount.objects.filter(user=person, provider=provider).delete()
        if gone:
            signin.record(request, person, "single_sign_on.unlinked")
    return bool(gone)


def unlink_all(people: Collection[User]) -> None:
    """Take the accounts of these people away: their old ways in are to end. The caller writes the history."""
    LinkedAccount.objects.filter(user__in=people).delete()


# --- The doors ----------------------------------------------------------------------------------------------------
def customer_at(word: str) -> Customer | None:
    """The customer with single sign-on that a visitor means: by its host name (also behind an extension and @), or its
    address in the portal. Nothing here looks at people."""
    name = signin.canonical(word).rpartition("@")[2]
    found = Customer.objects.filter(Q(fqdn=name) | Q(slug=name)).exclude(suspended=True)
    return next((customer for customer in found if customer.single_sign_on), None)
