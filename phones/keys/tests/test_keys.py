"""A person's keys as a value: what is read, refused, written into the phone's file, and pushed to who watches."""

import json
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.utils import translation
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pbxadmin.common.columns import Scope
from pbxadmin.common.fields import phone_number_national
from pbxadmin.common.values.configtext import pairs
from pbxadmin.common.values.statuses import Status
from phones.keys.columns import (
    KEYS,
    KEYS_COLUMN,
    LAST_POSITION,
    KeyValue,
    Kind,
    as_text,
    typed_rows,
)
from phones.keys.targets import DIRECTORY, Callee, Directory
from phones.models import Key, Phone
from phones.tests.factories import again, change, fetch, fetched, make_phone, outbox, provider
from users import road
from users.models import Customer, Did, User
from users.people.sections import user_sheet
from users.tests.factories import FACTS, make_user

pytestmark = pytest.mark.django_db


def plan_keys(person: User, keys: Any, actor: User | None = None) -> road.Plan:
    """What would become of a person's keys."""
    return road.plan(
        actor or provider(), person.customer, user_sheet(), [road.Row(person.pk, {"keys": keys})]
    )


def set_keys(person: User, *keys: dict[str, Any]) -> None:
    """Give a person these keys, through the road."""
    plan = plan_keys(person, json.dumps(keys))
    assert not plan.refused, plan.rows[0].errors
    road.apply(plan, FACTS)


def keys_of(person: User) -> tuple[KeyValue, ...]:
    """The keys that are saved."""
    return KEYS.load([person])[person.pk]["keys"]


def settings_of(phone: Phone) -> dict[str, str]:
    """What a reader of the phone's file finds there."""
    return dict(pairs(fetch(phone).content))


def key_settings(phone: Phone, prefix: str) -> tuple[str, ...]:
    """Type, line, value, label and pickup code of one key in the phone's file."""
    found = settings_of(phone)
    return tuple(found[f"{prefix}.{name}"] for name in ("type", "line", "value", "label", "extension"))


@pytest.fixture
def scope(boreale: Customer) -> Scope:
    return Scope(provider(), boreale)


# --- the file -----------------------------------------------------------------------------------------------------
def test_all_eight_kinds_reach_the_file_of_the_phone(
    phone: Phone, amelie: User, felix: User, ines: User
) -> None:
    set_keys(
        amelie,
        {"position": 1, "kind": "line"},
        {"position": 2, "kind": "blank"},
        {"position": 3, "kind": "blf", "target": felix.pk},
        {"position": 4, "kind": "speed_dial", "target": ines.pk},
        {
            "position": 5,
            "kind": "custom_speed_dial",
            "value": "8663062224,,,225",
            "first_name": "Labo",
            "last_name": "Médic",
        },
        {"position": 6, "kind": "shared_parking", "value": "sp2"},
        {"position": 7, "kind": "agent", "value": "login"},
        {"position": 8, "kind": "agent", "value": "logout"},
        *({"position": 9 + n, "kind": "status", "value": value} for n, value in enumerate(Status)),
    )
    nothing = "%NULL%"
    assert key_settings(phone, "linekey.1") == ("15", "1", nothing, "101 Amélie", nothing)
    assert key_settings(phone, "linekey.2") == ("0", nothing, nothing, nothing, nothing)
    assert key_settings(phone, "linekey.3") == ("16", "1", "102", "Félix Gagnon", "*20*")
    assert key_settings(phone, "linekey.4") == ("13", "1", "103", "Inès Roy", nothing)
    assert key_settings(phone, "linekey.5") == (
        "73",
        "1",
        "8663062224$Tinvite$$Cwc$$Cp3$225$Tdtmf$",
        "Labo Médic",
        nothing,
    )
    assert settings_of(phone)["features.enhanced_dss_keys.enable"] == "1"
    assert key_settings(phone, "linekey.6") == ("16", "1", "SP2", "SP2", nothing)
    assert [key_settings(phone, f"linekey.{n}")[2] for n in (7, 8)] == ["*62", "*63"]
    assert [key_settings(phone, f"linekey.{n}")[2] for n in range(9, 14)] == [
        "*30",
        "*31",
        "*32",
        "*33",
        "*34",
    ]
    assert all(key_settings(phone, f"linekey.{n}")[3] != nothing for n in range(7, 14))
    assert {key_settings(phone, f"linekey.{n}")[0] for n in range(14, 28)} == {"0"}


def test_a_blank_keeps_its_place_and_a_key_past_the_model_is_kept_for_another_phone(
    boreale: Customer, amelie: User, felix: User
) -> None:
    small, big = make_phone(boreale, amelie, model="yealink-t31g"), make_phone(boreale, amelie, sidecars=1)
    set_keys(
        amelie,
        {"position": 2, "kind": "line"},
        {"position": 4, "kind": "line"},
        {"position": 28, "kind": "blf", "target": felix.pk},
    )
    assert [key.position for key in keys_of(amelie)] == [2, 4, 28]
    assert "linekey.4.type" not in settings_of(small)
    assert [key_settings(big, f"linekey.{n}")[0] for n in (1, 2, 3, 4)] == ["0", "15", "0", "15"]
    assert key_settings(big, "expansion_module.1.key.1")[2] == "102"


def test_the_guides_words_for_the_kinds(db: None) -> None:
    with translation.override("fr-ca"):
        assert [str(kind.label) for kind in Kind] == [
            "Blanc", "Ligne", "BLF", "Raccourcis d'appel", "Raccourcis d'appel personnalisés", "Parking partagé",
            "Connexion/déconnexion de l'agent", "Changer de statut", "Type inconnu",
        ]  # fmt: skip


# --- who watches whom ---------------------------------------------------------------------------------------------
def test_a_renamed_extension_is_renamed_on_the_keys_of_whoever_watches_it_and_their_phones_are_pushed(
    boreale: Customer, phone: Phone, amelie: User, felix: User, ines: User
) -> None:
    set_keys(amelie, {"position": 3, "kind": "blf", "target": felix.pk})
    phone, other = fetched(phone), fetched(make_phone(boreale, ines))
    assert (outbox(phone), outbox(other)) == (False, False)
    change(felix, last_name="Gagnon-Roy")
    assert (outbox(phone), outbox(other)) == (True, False)
    assert key_settings(phone, "linekey.3")[3] == "Félix Gagnon-Roy"


def test_who_is_deleted_is_told_before_and_leaves_a_blank_key_on_phones_that_are_pushed(
    phone: Phone, amelie: User, felix: User, ines: User
) -> None:
    set_keys(
        amelie,
        {"position": 3, "kind": "blf", "target": ines.pk},
        {"position": 5, "kind": "speed_dial", "target": ines.pk},
        {"position": 6, "kind": "line"},
    )
    set_keys(felix, {"position": 1, "kind": "blf", "target": ines.pk})
    phone = fetched(phone)
    with translation.override("en"):
        removal = road.plan_removal(provider(), amelie.customer, user_sheet(), [ines.pk])
    assert "The keys 3, 5 of 101 Amélie Tremblay." in removal.losses[ines.pk]
    assert "The key 1 of 102 Félix Gagnon." in removal.losses[ines.pk]
    road.remove(removal, FACTS)
    assert [key.position for key in keys_of(amelie)] == [6]
    assert outbox(phone)
    assert key_settings(phone, "linekey.3")[0] == "0"
    assert key_settings(phone, "linekey.6")[0] == "15"


def test_who_goes_together_with_his_watcher_is_no_loss_to_him(amelie: User, ines: User) -> None:
    set_keys(amelie, {"position": 3, "kind": "blf", "target": ines.pk})
    removal = road.plan_removal(provider(), amelie.customer, user_sheet(), [ines.pk, amelie.pk])
    assert not any("101 Amélie" in sentence for sentence in removal.losses.get(ines.pk, []))


def test_a_disabled_or_hidden_colleague_stays_on_the_keys(
    phone: Phone, amelie: User, felix: User, ines: User
) -> None:
    set_keys(
        amelie,
        {"position": 3, "kind": "blf", "target": felix.pk},
        {"position": 4, "kind": "blf", "target": ines.pk},
    )
    User.objects.filter(pk=felix.pk).update(hidden=True)
    User.objects.filter(pk=ines.pk).update(disabled=True)
    assert [key.target for key in keys_of(amelie)] == [felix.pk, ines.pk]
    assert key_settings(phone, "linekey.3")[2] == "102"
    assert key_settings(phone, "linekey.4")[0] == "0"
    User.objects.filter(pk=ines.pk).update(disabled=False)
    assert key_settings(phone, "linekey.4")[2] == "103"


def test_a_hidden_colleague_is_kept_when_his_key_moves_but_not_put_on_anew(
    amelie: User, felix: User, ines: User
) -> None:
    set_keys(amelie, {"position": 3, "kind": "blf", "target": felix.pk})
    User.objects.filter(pk__in=[felix.pk, ines.pk]).update(hidden=True)
    assert not plan_keys(amelie, [{"position": 9, "kind": "speed_dial", "target": "102"}]).refused
    with translation.override("en"):
        plan = plan_keys(amelie, [{"position": 4, "kind": "blf", "target": "103"}])
    assert plan.rows[0].errors["keys"] == ["Key 4: 103 is hidden from the directory."]


def test_a_colleague_who_is_deleted_between_plan_and_apply_refuses_the_save(amelie: User, ines: User) -> None:
    plan = plan_keys(amelie, [{"position": 3, "kind": "blf", "target": ines.pk}])
    assert not plan.refused
    road.remove(road.plan_removal(provider(), amelie.customer, user_sheet(), [ines.pk]), FACTS)
    with pytest.raises(road.RefusedError):
        road.apply(plan, FACTS)
    assert keys_of(amelie) == ()


def test_people_of_another_company_cannot_be_watched(amelie: User, laurier: Customer) -> None:
    stranger = make_user(laurier, "201", "Zoé", "Roy")
    for target in (stranger.pk, "201", "Zoé Roy", str(stranger.pk)):
        assert plan_keys(amelie, [{"position": 1, "kind": "blf", "target": target}]).refused, target
    assert not Key.objects.filter(target=stranger).exists()


# --- what is typed ------------------------------------------------------------------------------------------------
def test_a_colleague_is_meant_by_key_as_a_number_and_by_extension_as_text(scope: Scope) -> None:
    # Extensions and primary keys run into each other: what is typed is always an extension.
    people: dict[int, Callee | str] = {
        105: Callee("150", "Ève Roy"),
        7: Callee("105", "Luc Roy"),
        8: Callee("106", "Luc Roy"),
    }
    scope.found[DIRECTORY] = Directory(people, {})

    def meant(target: Any) -> int | None:
        return KEYS_COLUMN.clean([{"position": 1, "kind": "blf", "target": target}], scope)[0].target

    assert meant(105) == 105
    assert meant("105") == meant("105 Somebody who was renamed") == 7
    assert meant("150") == meant(" 150 Ève Roy ") == meant("ève roy") == 105
    for nobody in ("Luc Roy", 150, 106):
        with pytest.raises(ValidationError):
            meant(nobody)


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ({"kind": "blf", "target": "999"}, "choose an extension"),
        ({"kind": "blf", "target": True}, "choose an extension"),
        ({"kind": "speed_dial"}, "choose an extension"),
        ({"kind": "custom_speed_dial", "value": "call me"}, "enter digits"),
        ({"kind": "custom_speed_dial", "value": ",5"}, "enter digits"),
        ({"kind": "custom_speed_dial", "value": "5" * 51}, "50 characters"),
        ({"kind": "custom_speed_dial", "value": "514", "first_name": "a\nb"}, ""),
        ({"kind": "shared_parking", "value": "SP1000"}, "SP0 to SP999"),
        ({"kind": "shared_parking", "value": "SP٣"}, "SP0 to SP999"),
        ({"kind": "agent", "value": "dance"}, "log in or log out"),
        ({"kind": "status", "value": "asleep"}, "choose a status"),
        ({"kind": "bomb"}, "not a key"),
    ],
)
def test_a_key_without_a_meaning_is_refused_by_its_position(
    scope: Scope, amelie: User, key: dict[str, Any], words: str
) -> None:
    with translation.override("en"), pytest.raises(ValidationError) as refused:
        KEYS_COLUMN.clean([{"position": 7, **key}], scope)
    (message,) = refused.value.messages
    assert message.startswith("Key 7: ")
    assert words in message


def test_every_wrong_key_is_named_and_the_good_ones_are_known(scope: Scope, amelie: User) -> None:
    checked = KEYS_COLUMN.check(
        [
            {"position": 1, "kind": "line"},
            {"position": 2, "kind": "blf"},
            {"position": 3, "kind": "agent"},
            {"position": 1, "kind": "line"},
        ],
        scope,
    )
    assert set(checked.keys) == {1}
    assert set(checked.problems) == {1, 2, 3}


@pytest.mark.parametrize(
    "number",
    [
        "866-306-2224,,,225",
        "(866) 306.2224,,,225",
        "tel:866/306-2224,,,225",
        "\u202d(866) 306\u20112224\u202c,,,225",
    ],
)
def test_a_number_is_kept_without_its_signs_and_with_its_pauses(
    scope: Scope, amelie: User, number: str
) -> None:
    (key,) = KEYS_COLUMN.clean([{"position": 1, "kind": "custom_speed_dial", "value": number}], scope)
    assert key.value == "8663062224,,,225"


@pytest.mark.parametrize(
    ("number", "told"), [("9,911", True), ("911,,1", True), ("911", False), ("9911", False)]
)
def test_911_with_a_pause_is_told(amelie: User, number: str, told: bool) -> None:
    plan = plan_keys(amelie, [{"position": 1, "kind": "custom_speed_dial", "value": number}])
    assert not plan.refused
    assert bool(plan.rows[0].warnings) is told


@pytest.mark.parametrize(
    "raw",
    ["{", "3", "null", "{}", '["x"]', "[" * 100_000, json.dumps([{}] * (LAST_POSITION + 1)), '[{"position": 1e999}]',
     json.dumps([{"position": 0, "kind": "line"}]), json.dumps([[1, "line", None, "", "", "", None, "more"]])],
    ids=range(10),
)  # fmt: skip
def test_what_is_no_list_of_keys_is_refused_and_empties_nothing(amelie: User, raw: str) -> None:
    set_keys(amelie, {"position": 1, "kind": "line"})
    assert plan_keys(amelie, raw).refused
    assert len(keys_of(amelie)) == 1


def test_a_form_that_lost_its_keys_is_refused_and_empties_nothing(amelie: User) -> None:
    set_keys(amelie, {"position": 1, "kind": "line"})
    widget = KEYS_COLUMN.form_field(Scope(provider(), amelie.customer)).widget
    for data in ({}, {"keys-count": "x"}, {"keys-count": "-1"}, {"keys-1-kind": "blank"}):
        assert plan_keys(amelie, widget.value_from_datadict(data, {}, "keys")).refused, data


def test_the_history_of_keys_can_be_read_back(scope: Scope, amelie: User, felix: User) -> None:
    keys = KEYS_COLUMN.clean(
        [
            {"position": 3, "kind": "blf", "target": felix.pk},
            {"position": 4, "kind": "custom_speed_dial", "value": "514", "first_name": "L"},
        ],
        scope,
    )
    assert KEYS_COLUMN.clean(json.loads(json.dumps(KEYS_COLUMN.to_json(keys))), scope) == keys
    with translation.override("en"):
        assert (
            KEYS_COLUMN.show(KEYS_COLUMN.to_json(keys), scope)
            == "3 BLF 102 Félix Gagnon, 4 Custom speed dial L · 514"
        )


@given(
    data=st.dictionaries(
        st.builds(
            "keys-{}-{}".format,
            st.integers(0, 300),
            st.sampled_from(["position", "kind", "target", "number", "slot", "agent", "status"]),
        ),
        st.one_of(st.text(max_size=60), st.sampled_from([kind.value for kind in Kind])),
        max_size=40,
    ),
    count=st.integers(0, 999),
)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_nothing_that_a_form_may_send_breaks_the_reading(
    scope: Scope, data: dict[str, str], count: int
) -> None:
    rows = typed_rows(data | {"keys-count": str(count)})
    assert rows is not None
    assert len(rows) == min(count, LAST_POSITION)
    checked = KEYS_COLUMN.check(as_text(rows), scope)
    assert all(1 <= position <= LAST_POSITION for position in (*checked.keys, *checked.problems))


def test_one_save_of_keys_writes_the_history_and_one_list(
    phone: Phone, amelie: User, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(30):
        set_keys(amelie, *({"position": n, "kind": "line"} for n in range(1, LAST_POSITION + 1)))
    assert len(keys_of(amelie)) == LAST_POSITION
    assert again(phone).stale_since is not None


def test_a_key_that_dials_the_persons_own_number_is_told_and_a_colleagues_is_not(
    staff, boreale, amelie, felix
):
    own, other = Did.objects.of(boreale).order_by("pk")
    Did.objects.filter(pk=own.pk).update(user=amelie)
    Did.objects.filter(pk=other.pk).update(user=felix)
    keys = [
        {"position": place, "kind": "custom_speed_dial", "value": did.number.removeprefix("+1")}
        for place, did in enumerate((own, other), 1)
    ]
    (row,) = road.plan(staff, boreale, user_sheet(), [road.Row(amelie.pk, {"keys": keys})]).rows
    assert len(row.warnings["keys"]) == 1
    assert phone_number_national(own.number) in row.warnings["keys"][0]
