"""
OpenID AuthZEN Authorization API 1.0, section 8: who may, on what, and what, found by asking the engine about each candidate.

    subject    the tenant's users, keys or clients, by id; it takes `decisions:read`
    resource   those of the type of which something is known, as it is known
    action     the operations of the catalogue, of protected APIs, of roles and of policies, and the usual verbs of the
               domain `resources` on the resource's type, which are named by the bare word

Of what is searched for, id and properties are not looked at. A page looks at a bounded number of candidates, so it may be
short, or empty, while `next_token` is set; only an empty `next_token` says that this was all.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

from pydantic import BaseModel

from platforma.edge.authzen import context_of, operation_of, subject_of
from platforma.edge.call import Call
from platforma.edge.decisions import Desk
from platforma.edge.endpoints import BY_OPERATION
from platforma.edge.principals import Principals
from platforma.edge.resources import filled
from platforma.edge.schemas.authzen import ActionSearch, PageAsked, ResourceSearch, SubjectSearch
from platforma.kernel.errors import FieldError, Forbidden, Unprocessable
from platforma.policy.effective import named_operations
from platforma.policy.ports import ResourceStore

MAX_RESULTS = 200
MAX_LOOKED_AT = 1000
_VERBS = ("create", "delete", "get", "list", "read", "update", "write")


class Candidate(NamedTuple):
    """What may be found: its *place* among the others, what it is *told* as, and whether it is *permitted*."""

    place: str
    told: dict[str, str]
    permitted: Callable[[], bool]


Candidates = Callable[[int, str | None], tuple[Sequence[Candidate], str | None]]
"""At most so many of them, from behind a place, and where to go on; None at the end."""


def search_subjects(call: Call, desk: Desk, principals: Principals) -> dict[str, Any]:
    """
    Who may do this (section 8.4).

    Raises:
        Forbidden: the caller may not ask about others.
        Unprocessable: a page token that does not belong to this question.
    """
    asked: SubjectSearch = call.body
    if not desk.holds("decisions:read"):
        raise Forbidden("You lack decisions:read, which searching for subjects needs.")
    request = desk.request(
        action=operation_of(asked.action.name, asked.resource.type),
        action_attributes=asked.action.properties or {},
        resource_type=asked.resource.type,
        resource_id=asked.resource.id,
        resource_attributes=asked.resource.properties or {},
        context=context_of(desk, asked.context),
    )
    call.note_resource(asked.resource.type, asked.resource.id)

    def candidates(limit: int, after: str | None) -> tuple[list[Candidate], str | None]:
        some, onward = principals.page(call.tenant_id, asked.subject.type, limit=limit, after=after)
        found = [
            Candidate(one.id, {"type": one.type, "id": one.id}, partial(desk.allows, desk.as_asked(one), request))
            for one in some
        ]
        return found, onward

    return _page(call, asked, candidates)


def search_resources(call: Call, desk: Desk, store: ResourceStore) -> dict[str, Any]:
    """
    On what of this type the subject may do this (section 8.5), of all that something is known of.

    Raises:
        Forbidden: the caller may not ask about this subject, or may not vouch for its properties or the time.
        Unprocessable: a page token that does not belong to this question.
    """
    asked: ResourceSearch = call.body
    subject = subject_of(desk, asked.subject)
    request = desk.request(
        action=operation_of(asked.action.name, asked.resource.type),
        action_attributes=asked.action.properties or {},
        resource_type=asked.resource.type,
        context=context_of(desk, asked.context),
    )
    if subject.standing != "unknown":
        call.note_resource(subject.type, subject.id)

    def candidates(limit: int, after: str | None) -> tuple[list[Candidate], str | None]:
        page = store.resources(call.tenant_id, asked.resource.type, limit=limit, after=after)
        found = [
            Candidate(
                one.id,
                {"type": one.type, "id": one.id},
                partial(desk.allows, subject, filled(replace(request, resource_id=one.id), one)),
            )
            for one in page.items
        ]
        return found, page.next

    return _page(call, asked, candidates)


def search_actions(call: Call, desk: Desk) -> dict[str, Any]:
    """
    What the subject may do with this (section 8.6).

    Raises:
        Forbidden: the caller may not ask about this subject, or may not vouch for its properties or the time.
        Unprocessable: a page token that does not belong to this question.
    """
    asked: ActionSearch = call.body
    subject = subject_of(desk, asked.subject)
    request = desk.request(
        action="",
        resource_type=asked.resource.type,
        resource_id=asked.resource.id,
        resource_attributes=asked.resource.properties or {},
        context=context_of(desk, asked.context),
    )
    call.note_resource(asked.resource.type, asked.resource.id)
    own = f"resources.{asked.resource.type}."
    operations = {*BY_OPERATION, *named_operations(desk.policy_set), *(own + verb for verb in _VERBS)}
    named = sorted((operation.removeprefix(own), operation) for operation in operations)

    def following(after: str | None) -> Iterator[Candidate]:
        for name, operation in named:
            if after is None or name > after:
                meant = replace(request, action=operation, own_api=operation in BY_OPERATION)
                yield Candidate(name, {"name": name}, partial(desk.allows, subject, meant))

    return _page(call, asked, lambda _, after: (list(following(after)), None))


def _page(call: Call, asked: SubjectSearch | ResourceSearch | ActionSearch, candidates: Candidates) -> dict[str, Any]:
    """The results that follow those of the page before, and where the next page goes on (sections 8.2 and 8.3)."""
    question = json.dumps([call.endpoint.operation, _entities(asked)], sort_keys=True)
    stated, place = _opened(call, asked.page, question)
    limit = MAX_RESULTS if stated is None else min(stated, MAX_RESULTS)
    results: list[dict[str, str]] = []
    onward: str | None = place or ""
    looked_at = 0
    while onward is not None and len(results) < limit and looked_at < MAX_LOOKED_AT:
        some, following = candidates(MAX_RESULTS, onward or None)
        for count, (at, told, permitted) in enumerate(some, 1):
            if permitted():
                results.append(told)
            if len(results) == limit and count < len(some):
                following = at
                break
        looked_at += len(some)
        onward = following
    token = call.cursors().seal(call.tenant_id, question, None if onward is None else f"{_text(stated)}:{onward}")
    return {"page": {"next_token": token or "", "count": len(results)}, "results": results}


def _opened(call: Call, page: PageAsked | None, question: str) -> tuple[int | None, str | None]:
    """The limit that was stated at first, and the place to go on from; a token may be sent without the limit."""
    if page is None or page.token is None:
        return None if page is None else page.limit, None
    try:
        position = call.cursors().open(call.tenant_id, question, page.token) or ":"
    except Unprocessable:
        fault = FieldError("/page/token", "Not a token of this question.")
        raise Unprocessable("The page token does not belong to this question.", errors=[fault]) from None
    first, _, place = position.partition(":")
    if page.limit is not None and _text(page.limit) != first:
        fault = FieldError("/page/limit", "The limit that the first page was asked with.")
        raise Unprocessable("The limit is another than that of the first page.", errors=[fault])
    return int(first) if first else None, place


def _entities(asked: BaseModel) -> dict[str, Any]:
    return asked.model_dump(exclude={"page"})


def _text(limit: int | None) -> str:
    return "" if limit is None else str(limit)
