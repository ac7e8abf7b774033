"""The OAuth 2.0 authorization server: clients, their authentication, grants, access tokens, metadata."""

from platforma.oauth.access_token import AccessToken, issue_access_token, verify_access_token
from platforma.oauth.authorization.authorize import begin_authorization, resume_authorization
from platforma.oauth.authorization.interaction import allow, choose_account, decline, read_interaction
from platforma.oauth.authorization.pushed import push_authorization_request
from platforma.oauth.backchannel import deliver_logout, find_late_logouts
from platforma.oauth.client_authentication import UnverifiedClient, authenticate_client, presented_client
from platforma.oauth.client_certificate import certificate_thumbprint
from platforma.oauth.client_credentials import issue_client_credentials
from platforma.oauth.client_keys import ClientKeys
from platforma.oauth.client_secrets import add_secret, delete_secret
from platforma.oauth.clients import create_client, delete_client, get_client, list_clients, patch_client
from platforma.oauth.consents.life import get_consent, list_consents, revoke_consent
from platforma.oauth.denied_certificates import deny_certificate
from platforma.oauth.device.authorization import allow_device, authorize_device, decline_device, read_device
from platforma.oauth.dynamic_registration import (
    delete_registration,
    register_client,
    update_registration,
    verify_registration,
)
from platforma.oauth.errors import OAuthError
from platforma.oauth.form import parse_form
from platforma.oauth.initial_access_token import new_initial_access_token
from platforma.oauth.introspection import introspect
from platforma.oauth.logout import log_out
from platforma.oauth.metadata import authorization_server, openid_configuration, protected_resource
from platforma.oauth.model import Change, Client, ClientSecret
from platforma.oauth.ports import Clients
from platforma.oauth.revocation import revoke_token
from platforma.oauth.sessions import end_session, end_sessions, get_session, read_session, start_session
from platforma.oauth.sessions.view import close_session, list_sessions, view_session
from platforma.oauth.token import issue_token
from platforma.oauth.token_response import TokenResponse
from platforma.oauth.userinfo import userinfo

__all__ = [
    "AccessToken",
    "Change",
    "Client",
    "ClientKeys",
    "ClientSecret",
    "Clients",
    "OAuthError",
    "TokenResponse",
    "UnverifiedClient",
    "add_secret",
    "allow",
    "allow_device",
    "authenticate_client",
    "authorization_server",
    "authorize_device",
    "begin_authorization",
    "certificate_thumbprint",
    "choose_account",
    "close_session",
    "create_client",
    "decline",
    "decline_device",
    "delete_client",
    "delete_registration",
    "delete_secret",
    "deliver_logout",
    "deny_certificate",
    "end_session",
    "end_sessions",
    "find_late_logouts",
    "get_client",
    "get_consent",
    "get_session",
    "introspect",
    "issue_access_token",
    "issue_client_credentials",
    "issue_token",
    "list_clients",
    "list_consents",
    "list_sessions",
    "log_out",
    "new_initial_access_token",
    "openid_configuration",
    "parse_form",
    "patch_client",
    "presented_client",
    "protected_resource",
    "push_authorization_request",
    "read_device",
    "read_interaction",
    "read_session",
    "register_client",
    "resume_authorization",
    "revoke_consent",
    "revoke_token",
    "start_session",
    "update_registration",
    "userinfo",
    "verify_access_token",
    "verify_registration",
    "view_session",
]
