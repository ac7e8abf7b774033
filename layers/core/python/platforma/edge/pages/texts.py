"""The words of the pages, in English and German, and which of them a person reads."""

from collections.abc import Iterable

from platforma.edge.pages.setup_texts import SETUP_TEXTS

LANGUAGES = ("en", "de")

TEXTS: dict[str, tuple[str, str]] = {
    "sign_in": ("Sign in", "Anmelden"),
    "to": ("to continue to", "um fortzufahren zu"),
    "organisation": ("Organisation id", "Kennung der Organisation"),
    "organisation_hint": (
        "It begins with “ten_”. Your administrator knows it.",
        "Sie beginnt mit „ten_“. Ihre Verwaltung kennt sie.",
    ),
    "email": ("E-mail address", "E-Mail-Adresse"),
    "password": ("Password", "Passwort"),
    "go_on": ("Continue", "Weiter"),
    "continue_as": ("Continue as", "Weiter als"),
    "use_sso": ("Continue with single sign-on", "Weiter mit Single Sign-on"),
    "no_sso": (
        "There is no single sign-on for this address.",
        "Für diese Adresse gibt es kein Single Sign-on.",
    ),
    "sso_required": (
        "People of your organisation sign in through its identity provider.",
        "In Ihrer Organisation meldet man sich über den Identitätsanbieter an.",
    ),
    "trial": ("The sign-in works", "Die Anmeldung funktioniert"),
    "trial_nothing": (
        "This was a test: nobody was signed in and nothing was changed.",
        "Dies war ein Test: Niemand wurde angemeldet und nichts geändert.",
    ),
    "trial_found": ("This person is a user already.", "Diese Person ist bereits ein Benutzer."),
    "trial_linked": ("An invited user would be linked.", "Ein eingeladener Benutzer würde verknüpft."),
    "trial_made": ("A user would be made.", "Ein Benutzer würde angelegt."),
    "trial_claims": ("What the provider says", "Was der Anbieter sagt"),
    "trial_groups": ("Groups", "Gruppen"),
    "trial_roles": ("Roles by the mapping", "Rollen nach der Zuordnung"),
    "trial_default": ("by default", "als Voreinstellung"),
    "trial_gained": ("Gained", "Hinzu kämen"),
    "trial_lost": ("Lost", "Es entfielen"),
    "name": ("Full name", "Vor- und Nachname"),
    "use_passkey": ("Sign in with a passkey", "Mit einem Passkey anmelden"),
    "or": ("or", "oder"),
    "code": ("Code of your authenticator app", "Code Ihrer Authenticator-App"),
    "code_hint": ("Or one of your recovery codes.", "Oder einer Ihrer Wiederherstellungscodes."),
    "verify": ("One more step", "Noch ein Schritt"),
    "wrong_password": ("The e-mail address or the password is wrong.", "E-Mail-Adresse oder Passwort ist falsch."),
    "wrong_code": (
        "The code is not valid. Wait for the next one, or use a recovery code.",
        "Der Code ist nicht gültig. Warten Sie auf den nächsten oder nehmen Sie einen Wiederherstellungscode.",
    ),
    "wrong_passkey": ("This passkey could not be used here.", "Dieser Passkey ließ sich hier nicht verwenden."),
    "rate_limited": (
        "Too many attempts. Wait a little before the next one.",
        "Zu viele Versuche. Warten Sie etwas bis zum nächsten.",
    ),
    "failed": ("That did not work. Please try again.", "Das hat nicht geklappt. Bitte versuchen Sie es noch einmal."),
    "consent": ("Allow access?", "Zugriff erlauben?"),
    "asks": ("asks to act for you, with:", "möchte in Ihrem Namen handeln, mit:"),
    "allow": ("Allow", "Erlauben"),
    "deny": ("Do not allow", "Nicht erlauben"),
    "signed_in_as": ("Signed in as", "Angemeldet als"),
    "openid": ("Know who you are", "Wissen, wer Sie sind"),
    "profile": ("See your name", "Ihren Namen sehen"),
    "email_scope": ("See your e-mail address", "Ihre E-Mail-Adresse sehen"),
    "offline_access": ("Keep this access while you are away", "Den Zugriff behalten, wenn Sie nicht da sind"),
    "device": ("Connect a device", "Gerät verbinden"),
    "user_code": ("Code that your device shows", "Code, den Ihr Gerät zeigt"),
    "user_code_hint": ("Eight letters, as in WDJB-MJHT.", "Acht Buchstaben, wie WDJB-MJHT."),
    "unknown_user_code": (
        "No device waits for this code. Codes are good for ten minutes; your device may show a new one.",
        "Auf diesen Code wartet kein Gerät. Codes gelten zehn Minuten; vielleicht zeigt Ihr Gerät einen neuen.",
    ),
    "same_code": (
        "Go on only if you have just started this yourself, and the device before you shows this code:",
        "Fahren Sie nur fort, wenn Sie das gerade selbst begonnen haben und das Gerät vor Ihnen diesen Code zeigt:",
    ),
    "device_allowed": (
        "The device is connected. You may close this page and go back to it.",
        "Das Gerät ist verbunden. Sie können diese Seite schließen und zu ihm zurückkehren.",
    ),
    "device_denied": ("The device was given nothing.", "Das Gerät hat nichts bekommen."),
    "sign_out": ("Sign out", "Abmelden"),
    "signed_out": ("You are signed out.", "Sie sind abgemeldet."),
    "sign_out_question": ("Do you want to sign out?", "Möchten Sie sich abmelden?"),
    "factors": ("Your ways to sign in", "Ihre Wege zur Anmeldung"),
    "none_yet": ("A password only.", "Nur ein Passwort."),
    "add_passkey": ("Add a passkey", "Passkey hinzufügen"),
    "passkey_name": ("Name of the passkey", "Name des Passkeys"),
    "needs_script": ("Passkeys need JavaScript.", "Passkeys brauchen JavaScript."),
    "add_app": ("Add an authenticator app", "Authenticator-App hinzufügen"),
    "app": ("Authenticator app", "Authenticator-App"),
    "app_how": (
        "Enter this key into your app, then the code that it shows.",
        "Geben Sie diesen Schlüssel in Ihre App ein, dann den Code, den sie zeigt.",
    ),
    "open_app": ("Open in an app on this device", "In einer App auf diesem Gerät öffnen"),
    "key": ("Key", "Schlüssel"),
    "recovery_codes": ("Recovery codes", "Wiederherstellungscodes"),
    "recovery_how": (
        "Keep these codes in a safe place. Each signs you in once if you lose your app. They are shown only now.",
        "Bewahren Sie diese Codes sicher auf. Jeder meldet Sie einmal an, falls die App fehlt. Sie stehen nur jetzt hier.",
    ),
    "remaining": ("unused", "unbenutzt"),
    "done": ("Done", "Fertig"),
    "remove": ("Remove", "Entfernen"),
    "error": ("Error", "Fehler"),
    "forgot": ("Forgot your password?", "Passwort vergessen?"),
    "forgot_how": (
        "Enter your e-mail address. If there is an account for it, a link to set a new password is mailed there.",
        "Geben Sie Ihre E-Mail-Adresse ein. Gibt es ein Konto dazu, kommt dorthin ein Link für ein neues Passwort.",
    ),
    "send_link": ("Send the link", "Link senden"),
    "link_sent": (
        "If there is an account for this address, a link is on its way. It is good once, for an hour.",
        "Gibt es zu dieser Adresse ein Konto, ist ein Link unterwegs. Er gilt einmal und eine Stunde lang.",
    ),
    "link_spent": (
        "This link is not valid any more. A link is good once, for an hour, and until another password is set.",
        "Dieser Link gilt nicht mehr. Ein Link gilt einmal, eine Stunde lang und nur bis zum nächsten neuen Passwort.",
    ),
    "another_link": ("Have another link mailed", "Einen neuen Link anfordern"),
    "set_password": ("Set your password", "Passwort festlegen"),
    "new_password": ("New password", "Neues Passwort"),
    "password_hint": (
        "At least 12 characters. A few words that only you put together are good.",
        "Mindestens 12 Zeichen. Gut sind ein paar Wörter, die nur Sie so zusammenstellen.",
    ),
    "password_characters": (
        "This password has characters that cannot be used, such as a line break.",
        "Dieses Passwort enthält unzulässige Zeichen, etwa einen Zeilenumbruch.",
    ),
    "password_short": (
        "This password is too short. It needs at least 12 characters.",
        "Dieses Passwort ist zu kurz. Es braucht mindestens 12 Zeichen.",
    ),
    "password_long": ("This password is too long.", "Dieses Passwort ist zu lang."),
    "password_common": (
        "This password is easily guessed: many people use it, or it is made of your name or address.",
        "Dieses Passwort ist leicht zu erraten: Viele benutzen es, oder es besteht aus Ihrem Namen oder Ihrer Adresse.",
    ),
    "password_set": (
        "Your password is set. Wherever you were signed in before, you are signed out now.",
        "Ihr Passwort ist festgelegt. Wo Sie vorher angemeldet waren, sind Sie jetzt abgemeldet.",
    ),
    "reference": ("Reference", "Referenz"),
    "link_not_good": (
        "This link is not a good one: the application that sent you here is not known by it.",
        "Dieser Link stimmt nicht: Die Anwendung, die Sie hierher geschickt hat, ist so nicht bekannt.",
    ),
    "link_over": ("The request_uri is unknown, over or expired.", "Dieser Link ist unbekannt, verbraucht oder abgelaufen."),
    "over": (
        "This sign-in is over. Start again from the application.",
        "Diese Anmeldung ist vorbei. Beginnen Sie noch einmal in der Anwendung.",
    ),
    "application_gone": ("The application is not in use any more.", "Die Anwendung ist nicht mehr in Gebrauch."),
    "not_taken": ("This does not take that method.", "Diese Methode gibt es hier nicht."),
    "no_organisation": ("There is no such organisation.", "Diese Organisation gibt es nicht."),
    "bad_hint": (
        "id_token_hint is not one of this client's.",
        "Die Anwendung hat sich nicht so ausgewiesen, wie es zum Abmelden nötig ist.",
    ),
    "bad_way_back": (
        "post_logout_redirect_uri is not one that the client has registered.",
        "Die Anwendung will nach dem Abmelden an eine Adresse zurück, die sie nicht hinterlegt hat.",
    ),
    "unavailable": (
        "The service is temporarily unavailable.",
        "Das ist gerade gestört. Bitte versuchen Sie es später noch einmal.",
    ),
    "stale_form": (
        "This form is not valid any more. Go back, reload the page and try again.",
        "Dieses Formular gilt nicht mehr. Gehen Sie zurück, laden Sie die Seite neu und versuchen Sie es noch einmal.",
    ),
    **SETUP_TEXTS,
}
_REFUSALS = frozenset(
    {
        *("wrong_password", "wrong_code", "wrong_passkey", "rate_limited", "link_spent", "unknown_user_code"),
        *("password_characters", "password_short", "password_long", "password_common", "sso_required"),
    }
)


class Words:
    """The texts of one language, by name; a template asks for them as attributes."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._column = LANGUAGES.index(language)

    def __getattr__(self, name: str) -> str:
        return TEXTS[name][self._column]

    def scope(self, scope: str) -> str:
        """What a scope lets its holder do; an action pattern stands for itself."""
        name = "email_scope" if scope == "email" else scope
        return TEXTS[name][self._column] if name in ("openid", "profile", "email_scope", "offline_access") else scope

    def of(self, english: str) -> str | None:
        """A sentence of ours in this language; None for one that has no translation."""
        return next((text[self._column] for text in TEXTS.values() if text[0] == english), None)

    def refusal(self, code: str) -> str:
        """What to say of an error of this code."""
        known = {"unauthenticated": "wrong_password"}.get(code, code)
        return TEXTS[known if known in _REFUSALS else "failed"][self._column]


def language_of(accept_language: str, ui_locales: Iterable[str] = ()) -> str:
    """The first of ours that is wanted: by `ui_locales` (Core section 3.1.2.1), then as RFC 9110 section 12.5.4 has it."""
    ranked = []
    for place, part in enumerate(accept_language[:256].split(",")):
        tag, _, quality = part.strip().partition(";q=")
        try:
            weight = float(quality or "1")
        except ValueError:
            continue
        ranked.append((-weight, place, tag))
    wanted = [*ui_locales, *(tag for weight, _, tag in sorted(ranked) if weight < 0)]
    spoken = (tag.partition("-")[0].lower() for tag in wanted)
    return next((language for language in spoken if language in LANGUAGES), "en")
