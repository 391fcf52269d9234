"""How somebody begins: what comes with them when they are created, and what the page says is left to do."""

import pytest
from django.urls import reverse

from phones.models import Phone
from phones.tests.factories import make_phone
from signin.tests.signing import sign_in_fully
from users.history import timeline
from users.models import Customer, Letter, Operation, SystemExtension, User
from users.tests.factories import make_user

pytestmark = pytest.mark.slow("opens page after page")

CREATE = "/c/boreale/users/new"


def form(**values):
    return {
        "first_name": "Zoé",
        "last_name": "Lavoie",
        "email": "zoe@boreale.example",
        "role": "users",
        "primary_department": "Accueil",
    } | values


def todo(client, number):
    page = client.get(reverse("user_tab", args=["boreale", number, "general"]), {"created": "1"})
    return [url for _sentence, url in page.context["left_to_do"]]


@pytest.fixture
def owner(client, felix):
    return sign_in_fully(client, felix)


def test_the_welcome_mail_and_a_phone_from_stock_come_with_a_new_user(owner, boreale):
    phone = make_phone(boreale, None, "805ec0002001")
    token = phone.token_hash
    page = owner.get(CREATE).content.decode()
    assert "80:5E:C0:00:20:01" in page
    before = Operation.objects.latest("pk").pk
    answer = owner.post(CREATE, form(welcome="1", **{"with-phone": str(phone.pk)}))
    zoe = User.objects.get(first_name="Zoé")
    assert answer["Location"] == reverse("user_tab", args=["boreale", zoe.number, "general"]) + "?created=1"
    assert zoe.phones.get().token_hash == token, "it keeps its address"
    assert Letter.objects.filter(user=zoe, kind=Letter.Kind.WELCOME).count() == 1
    operations = Operation.objects.filter(pk__gt=before, changes__model__in=("users.user", "phones.phone"))
    assert operations.exclude(kind=Operation.Kind.MAIL).distinct().count() == 1, (
        "person and phone are one operation"
    )


def test_the_history_calls_it_a_creation_and_undoing_it_puts_the_phone_back(owner, felix, boreale):
    phone = make_phone(boreale, None, "805ec0002001")
    owner.post(CREATE, form(**{"with-phone": str(phone.pk)}))
    (told,) = timeline.latest(felix, boreale, 1)
    assert told.what.startswith("Création · ")
    assert "Zoé Lavoie" in told.what
    assert owner.post(told.undo_url).status_code == 302
    assert not User.objects.filter(first_name="Zoé").exists()
    assert Phone.objects.get(pk=phone.pk).user is None


def test_whoever_creates_a_user_is_told_at_the_extension_what_leaving_it_blank_does(owner, amelie):
    told = "Vide\u00a0: le premier numéro de poste libre est attribué."
    for path in (CREATE, reverse("user_replace", args=["boreale", amelie.number])):
        page = owner.get(path)
        assert page.context["form"].fields["number"].help_text.startswith(told), path
        assert "supprimez l’utilisateur, puis recréez-le" not in page.content.decode(), path
    # Where it stands fast, the way out is told instead.
    there = owner.get(reverse("user_tab", args=["boreale", amelie.number, "general"])).content.decode()
    assert "supprimez l’utilisateur, puis recréez-le" in there
    assert told not in there


def test_whoever_creates_a_user_is_told_where_the_welcome_mail_goes(owner, boreale):
    told = "Le courriel de bienvenue est envoyé à zoe@boreale.example."
    assert told in owner.post(CREATE, form(welcome="1"), follow=True).content.decode()
    assert (
        "Le courriel de bienvenue est envoyé" not in owner.post(CREATE, form(), follow=True).content.decode()
    )


def test_nothing_comes_with_a_user_where_nothing_was_chosen(owner, boreale):
    make_phone(boreale, None, "805ec0002001")
    owner.post(CREATE, form())
    zoe = User.objects.get(first_name="Zoé")
    assert not zoe.phones.exists()
    assert not Letter.objects.filter(user=zoe).exists()


def test_who_is_refused_gets_nothing_and_the_choice_stands(owner, boreale):
    phone = make_phone(boreale, None, "805ec0002001")
    page = owner.post(CREATE, form(first_name="", last_name="", welcome="1", **{"with-phone": str(phone.pk)}))
    assert page.status_code == 422
    assert f'value="{phone.pk}" selected' in page.content.decode()
    assert Phone.objects.get(pk=phone.pk).user is None
    assert not Letter.objects.exists()


def test_a_phone_that_somebody_else_has_is_no_choice(owner, boreale, amelie, laurier):
    taken, foreign = make_phone(boreale, amelie), make_phone(laurier, None)
    for phone in (taken, foreign):
        owner.post(CREATE, form(email="", **{"with-phone": str(phone.pk)}))
        assert Phone.objects.get(pk=phone.pk).user_id == phone.user_id


def test_the_stock_is_offered_to_whoever_may_give_from_it(client, ines, boreale):
    make_phone(boreale, None, "805ec0002001")
    sign_in_fully(client, ines)
    assert "80:5E:C0:00:20:01" not in client.get(CREATE).content.decode()


def test_what_is_left_to_do_is_what_the_user_does_not_have(owner, boreale):
    bare = make_user(boreale, "110", "Zoé", "Lavoie")
    assert todo(owner, "110") == [
        reverse("user_tab", args=["boreale", "110", "general"]),
        reverse("user_tab", args=["boreale", "110", "phone"]),
        reverse("user_tab", args=["boreale", "110", "blf"]),
        reverse("system_extension_list", args=["boreale"]),
        reverse("app_link", args=["boreale", "110"]),
    ]
    make_phone(boreale, bare)
    SystemExtension.objects.create(customer=boreale, number="180", name="Ventes").members.add(bare)
    User.objects.filter(pk=bare.pk).update(email="zoe@boreale.example")
    assert todo(owner, "110") == [
        reverse("user_reset", args=["boreale", "110"]),
        reverse("user_tab", args=["boreale", "110", "blf"]),
        reverse("app_link", args=["boreale", "110"]),
    ]
    plain = owner.get(reverse("user_tab", args=["boreale", "110", "general"]))
    assert not plain.context["left_to_do"], "said once, after creating"


@pytest.mark.parametrize(
    ("microsoft", "google", "said"), [(False, False, 2), (True, False, 1), (False, True, 1), (True, True, 0)]
)
def test_the_options_say_why_an_integration_is_not_there(owner, amelie, boreale, microsoft, google, said):
    Customer.objects.filter(pk=boreale.pk).update(has_microsoft_365=microsoft, has_google=google)
    page = owner.get(reverse("user_tab", args=["boreale", "101", "options"])).content.decode()
    assert page.count("pas configuré pour Clinique Boréale") == said
    assert ("Microsoft 365 : pas" in page.replace("\xa0", " ")) is not microsoft
    assert page.count("Intégration avec M365") >= 1
    assert reverse("customer_settings", args=["boreale", "contract"]) not in page, "support's to switch on"


def test_support_staff_are_led_to_where_integrations_are_switched_on(client, staff, amelie, boreale):
    sign_in_fully(client, staff)
    page = client.get(reverse("user_tab", args=["boreale", "101", "options"])).content.decode()
    assert reverse("customer_settings", args=["boreale", "contract"]) in page
