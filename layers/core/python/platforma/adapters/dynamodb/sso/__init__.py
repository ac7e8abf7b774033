"""Connections to identity providers, domains, and what directories provisioned, in DynamoDB."""

from platforma.adapters.dynamodb.sso.connections import DynamoConnections
from platforma.adapters.dynamodb.sso.domains import DynamoDomains

__all__ = ["DynamoConnections", "DynamoDomains"]
