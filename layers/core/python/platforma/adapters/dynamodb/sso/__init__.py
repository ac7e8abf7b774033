"""Connections, their keys, what became of their sign-ins, and domains, in DynamoDB."""

from platforma.adapters.dynamodb.sso.connections import DynamoConnections
from platforma.adapters.dynamodb.sso.domains import DynamoDomains
from platforma.adapters.dynamodb.sso.provider_keys import DynamoProviderKeys
from platforma.adapters.dynamodb.sso.provider_sessions import DynamoProviderSessions
from platforma.adapters.dynamodb.sso.setup_links import DynamoSetupLinks
from platforma.adapters.dynamodb.sso.traces import DynamoTraces

__all__ = [
    "DynamoConnections",
    "DynamoDomains",
    "DynamoProviderKeys",
    "DynamoProviderSessions",
    "DynamoSetupLinks",
    "DynamoTraces",
]
