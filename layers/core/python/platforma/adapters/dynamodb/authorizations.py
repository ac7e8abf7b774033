"""
Authorization requests that wait, codes, and the grants that they become, in the Credential table.

    REQUEST#{hash of its id} / REQUEST               a request that was pushed, or an interaction
    CODE#{hash of the code} / CODE                   a code, kept for a day to know a second use
    GRANT#{grant id} / GRANT                         a grant with the state of its family of refresh tokens
    {tenant_id} / GRANT#{user_id}#{grant_id}         that the user gave it, for lists
    {tenant_id} / CONSENT#{user_id}#{client_id}      what the user allowed the client

The requests, which hold hints of who is meant, are sealed under the tenant's key.
"""

import hashlib
import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from pynamodb.attributes import BinaryAttribute, BooleanAttribute, UnicodeAttribute
from pynamodb.exceptions import DoesNotExist

from platforma.adapters.dynamodb.grants import puts_grant
from platforma.adapters.dynamodb.logouts import puts_logout
from platforma.adapters.dynamodb.single import answering
from platforma.adapters.dynamodb.tables import Item, Tables
from platforma.adapters.dynamodb.transaction import Outbox, Transaction
from platforma.kernel.errors import AlreadyUsed
from platforma.kernel.events import Event
from platforma.keys.envelope import Envelope
from platforma.oauth.authorization.model import AuthorizationCode, AuthorizationRequest, KeptRequest
from platforma.oauth.backchannel.model import Logout
from platforma.oauth.grants.model import Grant

PURPOSE = "authorization"
_REQUEST, _CODE = "REQUEST", "CODE"
_SWEPT_AFTER = timedelta(days=1)


class RequestItem(Item):
    """A request that waits. *expires* lies a day behind its end: what is over is told from what never was by nobody."""

    table = "credential"

    class Meta:
        table_name = "unbound"

    tenant_id = UnicodeAttribute()
    request = BinaryAttribute(legacy_encoding=False)
    created_at = UnicodeAttribute()
    expires_at = UnicodeAttribute()
    browser = BinaryAttribute(legacy_encoding=False, null=True)
    pushed = UnicodeAttribute(null=True)
    consented = BooleanAttribute(default=False)
    chosen = BooleanAttribute(default=False)


class CodeItem(Item):
    """A code."""

    table = "credential"

    class Meta:
        table_name = "unbound"

    tenant_id = UnicodeAttribute()
    grant_id = UnicodeAttribute()
    user_id = UnicodeAttribute()
    session_id = UnicodeAttribute()
    amr = UnicodeAttribute()
    auth_time = UnicodeAttribute()
    request = BinaryAttribute(legacy_encoding=False)
    expires_at = UnicodeAttribute()
    spent = BooleanAttribute(default=False)


class DynamoDBAuthorizations:
    """`platforma.oauth.authorization.ports.Authorizations`."""

    def __init__(self, tables: Tables, outbox: Outbox, envelope: Envelope) -> None:
        self._tables, self._outbox, self._envelope = tables, outbox, envelope

    def keep(self, kept: KeptRequest) -> None:
        """Keep a request."""
        transaction = Transaction(self._tables)
        transaction.put(self._item(kept), RequestItem.pk.does_not_exist(), refused=AlreadyUsed())
        transaction.commit()

    def kept(self, request_id: str) -> KeptRequest | None:
        """The request of this id."""
        with answering():
            try:
                item = RequestItem.get(_pk(_REQUEST, request_id), _REQUEST, consistent_read=True)
            except DoesNotExist:
                return None
        return KeptRequest(
            id=request_id,
            tenant_id=item.tenant_id,
            request=self._opened(item.tenant_id, item.pk, item.request),
            created_at=datetime.fromisoformat(item.created_at),
            expires_at=datetime.fromisoformat(item.expires_at),
            browser=bytes(item.browser) if item.browser else None,
            pushed=item.pushed,
            consented=bool(item.consented),
            chosen=bool(item.chosen),
        )

    def mark(self, kept: KeptRequest) -> None:
        """Keep what the person did in it."""
        done = [RequestItem.consented.set(kept.consented), RequestItem.chosen.set(kept.chosen)]
        transaction = Transaction(self._tables)
        place = RequestItem(_pk(_REQUEST, kept.id), _REQUEST)
        transaction.update(place, done, RequestItem.pk.exists(), refused=AlreadyUsed())
        transaction.commit()

    def finish(self, kept: KeptRequest, code: AuthorizationCode | None, event: Event) -> None:
        """Let the request be over."""
        transaction = Transaction(self._tables, self._outbox)
        for request_id in (kept.id, kept.pushed):
            if request_id is not None:
                over = RequestItem(_pk(_REQUEST, request_id), _REQUEST)
                transaction.delete(over, RequestItem.pk.exists(), refused=AlreadyUsed())
        if code is not None:
            transaction.put(self._code_item(code), CodeItem.pk.does_not_exist(), refused=AlreadyUsed())
        transaction.commit(event)

    def code(self, code_hash: str) -> AuthorizationCode | None:
        """The code of this hash."""
        with answering():
            try:
                item = CodeItem.get(f"{_CODE}#{code_hash}", _CODE, consistent_read=True)
            except DoesNotExist:
                return None
        return AuthorizationCode(
            hash=code_hash,
            grant_id=item.grant_id,
            tenant_id=item.tenant_id,
            user_id=item.user_id,
            session_id=item.session_id,
            amr=tuple(item.amr.split()),
            auth_time=datetime.fromisoformat(item.auth_time),
            request=self._opened(item.tenant_id, item.pk, item.request),
            expires_at=datetime.fromisoformat(item.expires_at),
            spent=bool(item.spent),
        )

    def redeem(self, code: AuthorizationCode, grant: Grant, event: Event, logout: Logout | None = None) -> None:
        """Spend the code and keep the grant that it becomes."""
        transaction = Transaction(self._tables, self._outbox)
        transaction.put(
            self._code_item(replace(code, spent=True)),
            CodeItem.spent == False,  # noqa: E712  an expression
            refused=AlreadyUsed(),
        )
        puts_grant(transaction, grant)
        puts_logout(transaction, logout, grant.created_at)
        transaction.commit(event)

    def _item(self, kept: KeptRequest) -> RequestItem:
        pk = _pk(_REQUEST, kept.id)
        return RequestItem(
            pk,
            _REQUEST,
            tenant_id=kept.tenant_id,
            request=self._sealed(kept.tenant_id, pk, kept.request),
            created_at=kept.created_at.isoformat(),
            expires_at=kept.expires_at.isoformat(),
            browser=kept.browser,
            pushed=kept.pushed,
            consented=kept.consented,
            chosen=kept.chosen,
            expires=_swept(kept.expires_at),
        )

    def _code_item(self, code: AuthorizationCode) -> CodeItem:
        pk = f"{_CODE}#{code.hash}"
        return CodeItem(
            pk,
            _CODE,
            tenant_id=code.tenant_id,
            grant_id=code.grant_id,
            user_id=code.user_id,
            session_id=code.session_id,
            amr=" ".join(code.amr),
            auth_time=code.auth_time.isoformat(),
            request=self._sealed(code.tenant_id, pk, code.request),
            expires_at=code.expires_at.isoformat(),
            spent=code.spent,
            expires=_swept(code.expires_at),
        )

    def _sealed(self, tenant_id: str, pk: str, request: AuthorizationRequest) -> bytes:
        return self._envelope.seal(tenant_id, PURPOSE, pk, json.dumps(request.as_json()).encode())

    def _opened(self, tenant_id: str, pk: str, sealed: Any) -> AuthorizationRequest:
        return AuthorizationRequest.of_json(json.loads(self._envelope.open(tenant_id, PURPOSE, pk, bytes(sealed))))


def _pk(kind: str, request_id: str) -> str:
    """A request's id opens it, and so only its hash is kept."""
    return f"{kind}#{hashlib.sha256(request_id.encode()).hexdigest()}"


def _swept(expires_at: datetime) -> int:
    return int((expires_at + _SWEPT_AFTER).timestamp())
