"""The tab "Téléphone IP": a person's phones, their settings, their buttons, and how far each of them is."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from pbxadmin.common.columns import Scope
from pbxadmin.common.forms import moved
from pbxadmin.common.http import PortalRequest, RequestFacts
from pbxadmin.common.proof import Takeover
from phones import registered, selectors, services
from phones.models import Phone
from phones.presence import in_brief, presence
from phones.settings import logos
from phones.settings.form import settings_form
from phones.settings.noted import SECRETS
from phones.settings.sections import ADDING, LOGO, PHONE_SETTINGS, PHONES, phone_sheet
from signin.second_factor import step_up
from users import rights, road
from users.models import Customer, User
from users.people.views.editor import frame_of
from users.road.pages import saving
from users.road.pages.deleting import Words, delete_page
from users.road.pages.doors import of_person, require
from users.road.replacements import Departure


def of_phone(verb: rights.Verb) -> Callable[[Callable[..., HttpResponse]], Callable[..., HttpResponse]]:
    """A page of one phone of a person: the view gets customer, person and phone; 404 where it isn't theirs."""

    def decorate(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        @wraps(view)
        @of_person(verb)
        def inside(
            request: PortalRequest, customer: Customer, person: User, mac: str, **rest: Any
        ) -> HttpResponse:
            return view(request, customer, person, phone_or_404(request.user, customer, person, mac), **rest)

        return inside

    return decorate


def phone_or_404(actor: User, customer: Customer, person: User, mac: str) -> Phone:
    """A phone of a person by its MAC."""
    phone = (
        Phone.objects.visible_to(actor)
        .of(customer)
        .filter(user=person, mac=mac)
        .select_related("user", "customer", "sbc")
        .first()
    )
    if phone is None:
        raise Http404
    phone.user = person
    return phone


def tab_url(customer: Customer, person: User, phone: Phone | None = None) -> str:
    """The tab, opened at one phone."""
    url = reverse("user_tab", args=[customer.slug, person.number, PHONES.slug])
    return f"{url}?phone={phone.mac}" if phone else url


@require_http_methods(["GET", "HEAD", "POST"])
def phone_tab(request: PortalRequest, customer: Customer, person: User) -> HttpResponse:
    """The tab of one person (called by the editor, which has asked for the rights to see them)."""
    phones = list(selectors.phones_of(request.user, customer, person))
    wanted = request.GET.get("phone", "")
    phone = next((one for one in phones if one.mac == wanted), phones[0] if phones else None)
    if phone is None:
        return render(
            request,
            "phones/none.html",
            {
                **frame_of(request.user, customer, person, PHONES.slug),
                "section": PHONES,
                "may_command": rights.can(request.user, rights.Verb.COMMAND, person, customer),
                "may_delete": rights.can(request.user, rights.Verb.DELETE, person, customer),
            },
        )
    phone.user = person
    if request.method == "POST":
        return save(request, customer, person, phones, phone)
    form = settings_form(Scope(request.user, customer), phone)
    return show(request, customer, person, phones, phone, form)


def show(
    request: PortalRequest,
    customer: Customer,
    person: User,
    phones: list[Phone],
    phone: Phone,
    form: Any,
    status: int = 200,
    **facts: Any,
) -> HttpResponse:
    """The tab's page for one of the phones."""
    now = timezone.now()
    model = selectors.model_of(phone)
    states = {one.pk: in_brief(one, now) for one in phones}
    command = selectors.command_in_words(phone, now)
    return render(
        request,
        "phones/tab.html",
        {
            **frame_of(request.user, customer, person, PHONES.slug, refused=bool(form.errors)),
            "section": PHONES,
            "form": form,
            "phone": phone,
            "seen": facts.pop("seen", phone.version),
            "model": model,
            "phones": [
                {
                    "phone": one,
                    "model": selectors.model_of(one),
                    "state": states[one.pk],
                    "url": tab_url(customer, person, one),
                    "current": one.pk == phone.pk,
                }
                for one in phones
            ],
            "state": selectors.state(phone, now),
            "presence": presence(phone, now),
            "devices": registered.panel(request.user, customer, person, phone.mac),
            "saved": request.GET.get("saved") == "1",
            "command": command,
            "settled": command.settled and all(each.settled for each in states.values()),
            "may_command": rights.can(request.user, rights.Verb.COMMAND, person, customer),
            "knows_restart": selectors.knows(phone, Phone.Command.RESTART),
            "web_user": vendor.web_user if (vendor := selectors.maker_of(phone)) else "",
            "may_delete": rights.can(request.user, rights.Verb.DELETE, person, customer),
            "may_stock": rights.can(request.user, rights.Verb.CUSTOMER, customer=customer),
            "logo": logos.logo_of(phone, customer),
            "logo_column": LOGO,
            "logo_locked": LOGO.locked(Scope(request.user, customer), ""),
            **facts,
        },
        status=status,
    )


def save(
    request: PortalRequest, customer: Customer, person: User, phones: list[Phone], phone: Phone
) -> HttpResponse:
    """Save the phone's settings: all of them, or none."""
    require(request.user, rights.Verb.EDIT, person, customer)
    scope = Scope(request.user, customer)
    data = request.POST.copy()
    if move := data.get("move"):
        # A button of the list of codecs, without scripts: reorder, save nothing yet.
        chosen = set(data.getlist("codecs"))
        order = moved(data.getlist("codecs_order"), move)
        data.setlist("codecs", [codec for codec in order if codec in chosen])
        form = settings_form(scope, phone, data)
        form.show_errors({})
        return show(request, customer, person, phones, phone, form)
    page = saving.Page(
        phone_sheet(),
        PHONE_SETTINGS,
        lambda form, status, record=phone, **facts: show(
            request, customer, person, phones, record, form, status, **facts
        ),
        tab_url(customer, person, phone),
        reload=lambda: phone_or_404(request.user, customer, person, phone.mac),
        form=lambda record, data, initial: settings_form(scope, record, data),
    )
    return saving.save(request, scope, page, phone)


def _where_it_is(actor: User, customer: Customer, row: road.RowPlan) -> str:
    """The page of the phone of another customer that has this MAC, for whoever sees that customer too; "" where there is none."""
    if not any(reason.code == "mac_taken" for reason in row.errors.get("mac", ())):
        return ""
    found = Phone.objects.visible_to(actor).filter(mac=row.after.get("mac", ""))
    phone = found.exclude(customer=customer).select_related("customer", "user").first()
    if phone is None:
        return ""
    if phone.user:
        return tab_url(phone.customer, phone.user, phone)
    return f"{reverse('phones', args=[phone.customer.slug])}?{urlencode({'q': phone.mac})}"


@require_http_methods(["GET", "HEAD", "POST"])
@of_person(rights.Verb.COMMAND)
def phone_add(request: PortalRequest, customer: Customer, person: User) -> HttpResponse:
    """A new phone by its MAC and model, and the address that makes it ours."""
    scope = Scope(request.user, customer)
    status, elsewhere = 200, ""
    if request.method == "POST":
        form = ADDING.form(scope, request.POST, creating=True)
        plan = services.phone_create(request.user, customer, person, form.raw(), RequestFacts.of(request))
        row = plan.rows[0]
        if not plan.refused:
            messages.success(
                request,
                _(
                    "The phone was added. Point it at its provisioning link, or enter the link in its web console."
                )
                if row.new
                else _("The phone was taken from the stock. It keeps its provisioning link."),
            )
            saving.tell_warnings(request, row)
            return redirect(tab_url(customer, person, row.record))
        form.show_errors(row.errors | ({"": [row.refusal]} if row.refusal else {}))
        status, elsewhere = 422, _where_it_is(request.user, customer, row)
    else:
        form = ADDING.form(scope, creating=True)
    return render(
        request,
        "phones/add.html",
        {
            **frame_of(request.user, customer, person, PHONES.slug, refused=bool(form.errors)),
            "section": PHONES,
            "form": form,
            "elsewhere": elsewhere,
            "cancel_url": tab_url(customer, person),
        },
        status=status,
    )


@require_POST
@of_phone(rights.Verb.COMMAND)
def phone_command(request: PortalRequest, customer: Customer, person: User, phone: Phone) -> HttpResponse:
    """Restart or reprovision: remembered first, then sent; its outcome is shown beside the buttons."""
    command = request.POST.get("command", "")
    if command not in Phone.Command.values:
        raise Http404
    refusal = services.phone_command(request.user, phone, Phone.Command(command), RequestFacts.of(request))
    if refusal:
        messages.warning(request, refusal)
    return redirect(tab_url(customer, person, phone))


@require_safe
@of_phone(rights.Verb.SEE)
def phone_status(request: PortalRequest, customer: Customer, person: User, phone: Phone) -> HttpResponse:
    """The box that tells how far the phone is, asked again by htmx until nothing is under way.

    The chips of all phones, that of the head and the console's address come with it: one page says one thing.
    """
    now = timezone.now()
    found = selectors.phones_of(request.user, customer, person)
    states = {one: in_brief(one, now) for one in found}
    command = selectors.command_in_words(phone, now)
    return render(
        request,
        "phones/told.html",
        {
            "phone": phone,
            "person": person,
            "phones": [{"phone": one, "state": each} for one, each in states.items()],
            "summary": _summed_up(list(states.values())),
            "state": selectors.state(phone, now),
            "presence": presence(phone, now),
            "command": command,
            "settled": command.settled and all(each.settled for each in states.values()),
            "customer": customer,
            "model": selectors.model_of(phone),
        },
    )


@require_safe
@of_person()
def phones_state(request: PortalRequest, customer: Customer, person: User) -> HttpResponse:
    """All phones of a person in one chip, for the head of their tabs."""
    return render(
        request,
        "phones/chip.html",
        {**_summary(request, customer, person), "person": person, "customer": customer},
    )


@require_safe
@of_person()
def push_status(request: PortalRequest, customer: Customer, person: User) -> HttpResponse:
    """What a save has done to the person's phones, for the save bar: asked again until it is settled."""
    return render(
        request,
        "phones/push.html",
        {**_summary(request, customer, person), "person": person, "customer": customer},
    )


def _summary(request: PortalRequest, customer: Customer, person: User) -> dict[str, Any]:
    now = timezone.now()
    found = selectors.light(Phone.objects.visible_to(request.user).of(customer).filter(user=person))
    states = [in_brief(phone, now) for phone in found]
    return _summed_up(states) if states else _without_phone(person)


def _without_phone(person: User) -> dict[str, Any]:
    """Of whoever has no phone in the portal: whether an app, or a device of their own, is registered."""
    brief = registered.in_brief([person]).get(person.pk)
    text = brief.sentence if brief else _("no phone")
    return {"tone": brief.tone if brief else "off", "text": text, "aloud": text, "settled": True, "count": 0}


def _summed_up(states: list[selectors.PhoneState]) -> dict[str, Any]:
    """All phones of a person as one: the worst of them, and how many are up to date."""
    worst = next(
        (state for tone in ("bad", "wait", "ok", "off") for state in states if state.tone == tone), None
    )
    settled = all(state.settled for state in states)
    aloud = ""
    current = sum(state.kind == "up_to_date" for state in states)
    if not states:
        text = _("no phone")
    elif current == len(states):
        text = ngettext("%(count)s phone up to date", "%(count)s phones up to date", current) % {
            "count": current
        }
    elif len(states) == 1 and states[0].kind == "never":
        # Beside a person's name the phone must be named, else it is she who was never seen.
        text = ngettext("phone never connected", "phones never connected", 1)
    elif len(states) == 1:
        text, aloud = str(states[0].sentence), states[0].aloud
    else:
        counted = _("%(current)s of %(all)s up to date") % {"current": current, "all": len(states)}
        text = f"{worst.sentence} · {counted}" if worst else ""
        aloud = f"{worst.aloud} · {counted}" if worst else ""
    return {
        "tone": worst.tone if worst else "off",
        "text": text,
        "aloud": aloud or text,  # without what changes every second
        "settled": settled,
        "count": len(states),
    }


@require_http_methods(["GET", "HEAD", "POST"])
@of_phone(rights.Verb.COMMAND)
def phone_delete(request: PortalRequest, customer: Customer, person: User, phone: Phone) -> HttpResponse:
    """Asks to type the MAC, offers the settings for download first, then takes the phone away."""
    return delete_page(
        request,
        phone,
        lambda: Departure(services.phone_removal(request.user, customer, phone), ()),
        Words(
            title=_("Delete the phone %(mac)s?") % {"mac": phone.mac_with_colons},
            typed=phone.mac_with_colons,
            mistyped=_("Type the MAC address to confirm."),
            deleted=_("The phone %(mac)s was deleted.") % {"mac": phone.mac_with_colons},
            meanwhile=_("Somebody else changed this phone in the meantime. Check it before you delete it."),
        ),
        done_url=tab_url(customer, person),
        cancel_url=tab_url(customer, person, phone),
        template="phones/delete.html",
        losses=[
            _("Its settings. Note them first: they can't be recovered."),
            _("Its provisioning link: the phone no longer gets a configuration."),
        ],
        spelled=lambda text: "".join(sign for sign in text.lower() if sign.isalnum()),
        button=_("Delete the phone"),
        phone=phone,
        section=PHONES,
        **frame_of(request.user, customer, person, PHONES.slug),
    )


@require_safe
@of_phone(rights.Verb.SEE)
def phone_file(request: PortalRequest, customer: Customer, person: User, phone: Phone) -> HttpResponse:
    """The file that the phone would be given now, with what differs from the one that it fetched last. Secrets as dots."""
    return render(
        request,
        "phones/file.html",
        {
            **frame_of(request.user, customer, person, PHONES.slug),
            "section": PHONES,
            "phone": phone,
            "file": services.file_for_page(phone),
            "back_url": tab_url(customer, person, phone),
        },
    )


@require_safe
@of_phone(rights.Verb.SEE)
def phone_settings_download(
    request: PortalRequest, customer: Customer, person: User, phone: Phone
) -> HttpResponse:
    """The phone's settings as text, to keep before it is deleted. No secrets."""
    response = HttpResponse(services.settings_as_text(phone), content_type="text/plain; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{phone.mac}.txt"'
    return response


@require_POST
@of_phone(rights.Verb.REVEAL)
@step_up(Takeover.SECRET)
def phone_secret(
    request: PortalRequest, customer: Customer, person: User, phone: Phone, which: str
) -> HttpResponse:
    """A secret in plain text: after a recent second factor, and written into the history."""
    if which not in SECRETS:
        raise Http404
    value = services.reveal_secret(request.user, phone, which, RequestFacts.of(request))
    facts = {
        "id": f"secret-{which}",
        "what": SECRETS[which],
        "value": value,
        "in_form": False,
        "reveal_url": reverse("phone_secret", args=[customer.slug, person.number, phone.mac, which]),
    }
    if request.htmx:
        return render(request, "partials/secret.html", facts)
    return render(
        request,
        "phones/secret.html",
        {
            **frame_of(request.user, customer, person, PHONES.slug),
            "section": PHONES,
            "phone": phone,
            **facts,
            "back_url": tab_url(customer, person, phone),
        },
    )
