"""
What is known of actions beforehand: the domains, and the operations whose permission their verb does not tell.

A tenant's protected APIs add domains; an operation that stands nowhere here needs what its verb says.
"""

from collections.abc import Mapping

PLATFORM_DOMAIN = "platform"
CONTROL_DOMAINS = frozenset({"settings", "audit", "decisions", "crypto"})
BUILT_IN_DOMAINS = frozenset(
    {"infrastructure", "orders", "resources", "billing", "invoices", "objects", PLATFORM_DOMAIN, *CONTROL_DOMAINS}
)
READING_VERBS = frozenset({"get", "list", "read", "search", "describe", "head", "export", "download", "verify"})

PERMISSIONS: Mapping[str, str] = {
    "crypto.data.decrypt": "crypto:read",
    "crypto.data.encrypt": "crypto:manage",
}
"""Operation -> permission, where its level is another than the verb's; the domain is always the operation's own."""
