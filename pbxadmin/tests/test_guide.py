"""What people look for in French stands on its tab as the guide calls it, letter for letter, and every field says what it does."""

import re
from html import unescape

import pytest
from django.test import Client
from django.utils import translation

from phones.settings.sections import phone_sheet
from phones.tests.factories import make_phone
from signin.tests.signing import sign_in_fully
from users.company.sheets import department_sheet
from users.models import Customer
from users.people.sections import user_sheet

# Straight and curly apostrophes are the guide's own, which mixes them.
LABELS = {
    "general": """Extension|Email|Mobile|Identifiant appelant sortant|Rôle|Appartenance au département principal|Numéro(s) SDA assigné(s)|
        Réinit. mot de passe|Code QR|Activer le 2FA""",
    "talk": """Activez 3CX Talk et Meet|Nom de votre lien|URL Talk|Demander au client|URL Meet|
        Approuver les participants avant qu'ils ne puissent se connecter""",
    "forwarding": """Disponible|Absent|Ne pas déranger|Lunch|Business Trip|Message de statut personnalisé|Appels non répondus|
        Délai de non réponse|Transférer les appels externes à|Transférer les appels internes à|Occupé ou non enregistré|Messagerie vocale|
        Numéro d'extension|Mobile|Numéro externe|Rebond|Utiliser la déviation d'appel (302)|Messagerie vocale hors des heures de bureau|
        Extension système|Envoyer occupé|Pareil que tout les appels|Options générales|Faire sonner mon mobile simultanément|
        Accepter plusieurs appels|Se déconnecter des files d'attente|Acceptez les appels des groupes d'appels|
        Accepter les notifications PUSH|Message d'accueil""",
    "schedule": """Heures ouvrables|Utiliser les heures de bureau par défaut|Utiliser des heures de bureau spécifiques|Heures de bureau|
        Heures de pause|Automatiquement passer en statut 'Disponible' pendant les heures de bureau|
        Désactiver les appels sortants en dehors des heures de bureau""",
    "blf": """BLF (Touches de raccourci)|Blanc|Ligne|BLF|Raccourcis d'appel|Raccourcis d'appel personnalisés|Parking partagé|
        Connexion/déconnexion de l'agent|Changer de statut""",
    "phone": """Modèle de téléphone|Numéro d'extension|Firmware|ID d'authentification|Mot de passe|Adresse MAC|Lien de provisioning|
        URL de la console web|Appareil routeur (SBC)|Langue|Fuseau horaire|Format de la date et de l'heure|Méthode de transfert|
        Notifications du voyant LED d’alimentation|Délai d'inactivité de l’économiseur d’écran|Délai d'extinction du rétroéclairage|LLDP|
        Sélectionnez le logo pour ce téléphone|Personnalisez les sonneries d'appel et de file d'attente|Codecs|PCMU|PCMA|G.722|G.729|
        Avancé|Activer le VLAN pour le port WAN / PC|ID VLAN|Priorité VLAN|Redémarrer|Reprovisionner""",
    "voicemail": """Activer la messagerie vocale|Langue de la messagerie vocale|Numéro PIN (NIP)|Choisir l’accueil par défaut|
        Lire date/heure|Ne pas lire|Options d’e-mail|Options supplémentaires|
        Désactiver l'authentification par code PIN de la messagerie vocale|Afficher l'identifiant appelant (Énoncé le numéro)""",
    "visualiser": "Afficher mes appels|Présence|Appels|Opérations",
    "options": """Enregistrement d'appels|Afficher l'enregistrement des appels|Permettre la suppression des enregistrements|
        Peut démarrer et arrêter les enregistrements|Restrictions|Désactiver l'extension|Cacher les règles de transfert des appels|
        Activer la protection par code PIN|Désactiver les appels externes|Masquer les contacts|
        Filtrer les appels en demandant le nom de l'appelant via un SVI|Bloquer les connexions non tunnellisées à distance|
        Le PBX délivre l'audio|Mode SRTP|Envoyer une notification par email en cas d'appel manqué|Activer le Hot Desking|ID SIP|
        Activer l'intégration MS Teams|Synchroniser les calendriers et la présence de Teams|Activer le SSO (Single Sign-On)|
        Synchroniser les contacts personnels""",
}  # fmt: skip
TABS = "Général|Talk|Transfert d'appels|Planifier|Téléphone IP|BLF|Messagerie vocale|Visualiser|Options"
RIGHTS = """Peut voir les membres du groupe|Peut voir les appels du groupe|Prise et renvoi d’appel|Contrôle du SVI (Répondeur numérique)|
    Interphone|Gestion des contacts d'entreprise/société|Intervention, chuchotement, écoute|Gestion des modèles de chat|
    Opérations réceptionniste (définir les statuts, créer des rappels)|Administration & configuration des utilisateurs|
    Peut administrer les heures de bureau|Gestion des appels (groupes d’appels, files d’attente & répondeur numérique)|
    Voix & Chat (Trunks, WhatsApp, Facebook, Live Chat & SBC)|Rapports & enregistrements|Règles sortantes|Journal des événements"""


def words(text: str) -> list[str]:
    return [" ".join(label.split()) for label in text.split("|")]


def read(client: Client, url: str) -> str:
    """A page as it is read: without tags, one blank between words."""
    answer = client.get(url)
    assert answer.status_code == 200
    text = re.sub(r"<(script|template|title)\b.*?</\1>", " ", answer.content.decode(), flags=re.S)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", text)).split())


@pytest.fixture
def owner(boreale, felix, amelie):
    """An owner of a customer that has everything set up, with a colleague who has a phone."""
    Customer.objects.filter(pk=boreale.pk).update(
        edition="enterprise", has_microsoft_365=True, has_google=True
    )
    make_phone(boreale, amelie, "805ec0aabb01")
    return sign_in_fully(Client(), felix)


@pytest.mark.parametrize("tab", LABELS)
def test_every_label_of_the_guide_is_on_its_tab_letter_for_letter(owner, tab):
    page = read(owner, f"/c/boreale/users/101/{tab}")
    assert [label for label in words(LABELS[tab]) if label not in page] == []


def test_the_tabs_are_called_as_in_the_guide(owner):
    page = read(owner, "/c/boreale/users/101/general")
    assert " ".join(words(TABS)) in page


def test_the_rights_are_called_as_in_the_guide(owner):
    page = read(owner, "/c/boreale/settings/roles")
    assert [label for label in words(RIGHTS) if label not in page] == []


@pytest.mark.parametrize("language", ["fr-ca", "en"])
@pytest.mark.parametrize(
    "sheet", [user_sheet, phone_sheet, department_sheet], ids=["users", "phones", "departments"]
)
def test_every_field_says_what_it_does(sheet, language):
    with translation.override(language):
        silent = [
            column.name
            for column in sheet().columns.values()
            # What stands beside its own control, which explains itself, in the head of every page.
            if not column.own_form and not str(column.help or column.more or column.warning).strip()
        ]
    assert silent == []
