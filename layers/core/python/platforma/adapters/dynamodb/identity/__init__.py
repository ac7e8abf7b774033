"""Tenants, users and groups in the Identity table; personal fields and password hashes sealed under the tenant's key."""

from platforma.adapters.dynamodb.identity.attempts import DynamoAttemptCounts
from platforma.adapters.dynamodb.identity.directory import DynamoDirectory
from platforma.adapters.dynamodb.identity.groups import DynamoGroups
from platforma.adapters.dynamodb.identity.tenants import DynamoTenants

__all__ = ["DynamoAttemptCounts", "DynamoDirectory", "DynamoGroups", "DynamoTenants"]
