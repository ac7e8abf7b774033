"""Policies as they stand and stood."""

from platforma.kernel.errors import NotFound
from platforma.kernel.ids import is_id
from platforma.policy.model import Attachment, Policy
from platforma.policy.ports import Page, PolicyStore


def get_policy(tenant_id: str, policy_id: str, *, store: PolicyStore) -> Policy:
    """
    The policy as it stands.

    Raises:
        NotFound: the tenant has no such policy.
    """
    policy = store.get(tenant_id, policy_id) if is_id(policy_id, "pol") else None
    if policy is None:
        raise NotFound
    return policy


def get_policy_version(tenant_id: str, policy_id: str, version: int, *, store: PolicyStore) -> Policy:
    """
    The policy as its *version* had it; a deleted policy's too.

    Raises:
        NotFound: the tenant never had such a policy, or it no such version.
    """
    page = (
        store.revisions(tenant_id, policy_id, after=str(version + 1).zfill(10), limit=1) if is_id(policy_id, "pol") else None
    )
    if page is None or not page.items or page.items[0].version != version:
        raise NotFound
    return page.items[0]


def list_policies(
    tenant_id: str,
    *,
    attached_to: Attachment | None = None,
    store: PolicyStore,
    limit: int = 50,
    after: str | None = None,
) -> Page[Policy]:
    """A page of the tenant's policies, oldest first; with *attached_to* those of it that are, so that it may be short."""
    page = store.page(tenant_id, after=after, limit=limit)
    if attached_to is None:
        return page
    return Page(tuple(policy for policy in page.items if attached_to in policy.attachments), page.next)


def list_policy_versions(
    tenant_id: str, policy_id: str, *, store: PolicyStore, limit: int = 50, after: str | None = None
) -> Page[Policy]:
    """
    A page of a policy's versions, newest first; a deleted policy's too.

    Raises:
        NotFound: the tenant never had such a policy.
    """
    page = store.revisions(tenant_id, policy_id, after=after, limit=limit) if is_id(policy_id, "pol") else Page((), None)
    if not page.items and after is None:
        raise NotFound
    return page
