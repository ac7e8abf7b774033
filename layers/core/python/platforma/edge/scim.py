"""
Requests of directories: who calls, what the body is, whether a version is meant, and what goes back (RFC 7644 section 3).

A directory's token is proven here and not by the edge's authentication: it stands for no principal that decisions know, and
is good for these endpoints alone.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from math import ceil
from typing import Any

from platforma.apikeys.model import Holder, RateLimit, SharedLimit
from platforma.apikeys.rate_limit import Leases
from platforma.edge import scim_bulk as bulk
from platforma.edge.answer import Answer
from platforma.edge.authentication import presented_credential, scheme_of
from platforma.edge.call import Call
from platforma.edge.endpoints.scim import MEDIA_TYPE
from platforma.edge.scim_bulk import Resources, Versions
from platforma.kernel.errors import (
    Forbidden,
    Malformed,
    NotFound,
    NotSupported,
    RateLimited,
    Unauthenticated,
    Unprocessable,
)
from platforma.kernel.strict_json import parse_json
from platforma.sso.scim.discovery import MAX_BULK_OPERATIONS
from platforma.sso.scim.errors import InvalidCursor, InvalidFilter, InvalidPath, InvalidSyntax
from platforma.sso.scim.model import Directory
from platforma.sso.scim.paths import listed
from platforma.sso.scim.query import LIST_RESPONSE, SEARCH_REQUEST, Query, query_of
from platforma.sso.scim.resources import projected
from platforma.sso.scim.schema import Kind, kind

LIMIT = RateLimit(3000, 60)
"""Requests of one directory; those of a bulk count one by one."""
PATIENCE = 20.0
"""Seconds from a request's arrival in which something further is begun; function and gateway have nine more."""
_TAG = re.compile(r'(?:W/)?"(?:([0-9]{1,15})|[\x21\x23-\x7e]*)"')


class Desk:
    """Serves directories: proves their tokens, counts their requests, and does what they ask for."""

    def __init__(
        self,
        *,
        directory_behind: Callable[[str], Directory],
        standing: Callable[[str], str],
        leases: Leases,
        resources: Iterable[Resources],
    ) -> None:
        self._directory_behind, self._standing, self._leases = directory_behind, standing, leases
        self._resources: Mapping[str, Resources] = {each.name: each for each in resources}

    def caller(self, call: Call) -> Directory:
        """
        The directory that calls; the call's event is its tenant's from here on.

        Raises:
            Unauthenticated: no token, or one that is not good.
            RateLimited: it asks for too much.
        """
        if "x-api-key" in call.headers or scheme_of(call.headers) != "bearer":
            raise Unauthenticated
        try:
            found = self._directory_behind(presented_credential(call.headers))
        except Unauthenticated as error:
            if "connection_id" in error.facts:
                call.identify_directory(str(error.facts["tenant_id"]), str(error.facts["connection_id"]))
            raise
        call.identify_directory(found.tenant_id, found.id)
        if self._standing(found.tenant_id) != "active":
            raise Unauthenticated
        self._charge(call, found)
        return replace(found, until=call.began + PATIENCE)

    def create(self, call: Call, name: Kind) -> Answer:
        """POST (RFC 7644 section 3.3)."""
        caller = self.caller(call)
        return shown(call, self._resources[name].create(caller, read_document(call), call.attempt), name, status=201)

    def list(self, call: Call, name: Kind) -> Answer:
        """GET of many (section 3.4.2), by index or by cursor (RFC 9865)."""
        return self._listed(call, self.caller(call), asked(call), name)

    def search(self, call: Call, name: Kind) -> Answer:
        """The same, asked for by a body (section 3.4.3)."""
        caller = self.caller(call)
        return self._listed(call, caller, _searched(call), name)

    def search_all(self, call: Call) -> Answer:
        """
        A search of users, then groups (section 3.4.3), by index: what one type does not have is asked of the other alone.

        Raises:
            SCIMRefused: it can be asked of neither.
        """
        caller, query = self.caller(call), replace(_searched(call), cursor=None)
        found: list[dict[str, Any]] = []
        total, refused = 0, []
        for resources in self._resources.values():
            left = replace(query, start=max(1, query.start - total), count=query.count - len(found))
            try:
                page = resources.list(caller, left)
            except (InvalidFilter, InvalidPath) as error:
                refused.append(error)
                continue
            total += page["totalResults"]
            found += page["Resources"]
        if len(refused) == len(self._resources):
            raise refused[0]
        page = {"totalResults": total, "startIndex": query.start, "itemsPerPage": len(found)}
        return answered({"schemas": [LIST_RESPONSE], **page, "Resources": found})

    def get(self, call: Call, name: Kind) -> Answer:
        """GET of one (section 3.4.1)."""
        return shown(call, self._resources[name].get(self.caller(call), call.path["id"], asked(call)), name)

    def replace(self, call: Call, name: Kind) -> Answer:
        """PUT (section 3.5.1)."""
        caller = self.caller(call)
        resource = self._resources[name].replace(caller, call.path["id"], read_document(call), if_match(call), call.attempt)
        return shown(call, resource, name)

    def update(self, call: Call, name: Kind) -> Answer:
        """PATCH (section 3.5.2); of a large group nothing is shown again, unless by name."""
        caller, query = self.caller(call), asked(call)
        resources, sent = self._resources[name], read_document(call)
        changed = resources.update(caller, call.path["id"], sent, if_match(call), call.attempt, query)
        if not changed.whole:
            return Answer(204, None, {"ETag": changed.resource["meta"]["version"]}, resource=changed.resource["id"])
        return shown(call, changed.resource, name)

    def delete(self, call: Call, name: Kind) -> Answer:
        """DELETE (section 3.6)."""
        self._resources[name].delete(self.caller(call), call.path["id"], if_match(call), call.attempt)
        return Answer(204)

    def bulk(self, call: Call) -> Answer:
        """POST of many operations (section 3.7)."""
        caller, sent = self.caller(call), read_document(call)
        operations = bulk.operations_of(sent, most=MAX_BULK_OPERATIONS)
        self._charge(call, caller, cost=len(operations) - 1)
        return answered(bulk.answer_to(operations, sent, caller, self._resources, call.attempt))

    def tell(self, call: Call, document: Callable[[], dict[str, Any]]) -> Answer:
        """
        A document that is the same for every directory (section 4). Pages and orders are not looked at.

        Raises:
            Forbidden: a filter is asked for, which would not be honoured.
        """
        self.caller(call)
        if any(name.lower() == "filter" for name in call.query):
            raise Forbidden("What describes this service is not filtered.")
        return answered(document())

    def refuse(self, call: Call) -> Answer:
        """
        Tell a directory that there is no such endpoint, or no user behind its token (section 3.11).

        Raises:
            NotSupported: it asks for what is its own.
            NotFound: it is nothing.
        """
        self.caller(call)
        if call.endpoint.status == 501:
            raise NotSupported("A directory's token stands for no user.")
        raise NotFound("There is no such endpoint.")

    def _listed(self, call: Call, caller: Directory, query: Query, name: Kind) -> Answer:
        """The page, its cursor bound to directory, type, filter and order; of its own it opens nothing that they do not."""
        question = json.dumps([caller.id, name, query.filter, query.sort_by, query.descending])
        try:
            after = call.cursors().open(caller.tenant_id, question, query.cursor or None)
        except Unprocessable:
            raise InvalidCursor from None
        page = self._resources[name].list(caller, replace(query, after=after))
        if (onward := page.pop("after", None)) is not None:
            page["nextCursor"] = call.cursors().seal(caller.tenant_id, question, onward)
        return answered(page)

    def _charge(self, call: Call, caller: Directory, cost: int = 1) -> None:
        if not cost:
            return
        limit = SharedLimit(Holder(caller.tenant_id, "directory", caller.id), LIMIT)
        charge = self._leases.take(limit, cost, call.now)
        if not charge.allowed:
            raise RateLimited(retry_after=max(1, ceil((charge.resets_at - call.now).total_seconds())))


def read_document(call: Call) -> Mapping[str, Any]:
    """
    The JSON object that the body is.

    Raises:
        UnsupportedMediaType: neither `application/scim+json` nor `application/json`.
        InvalidSyntax: no JSON object, or one that a second parser could read otherwise.
    """
    call.media_type(MEDIA_TYPE, "application/json")
    try:
        document = parse_json(call.raw)
    except Malformed as error:
        raise InvalidSyntax(error.detail) from None
    if not isinstance(document, dict):
        raise InvalidSyntax("The body must be a JSON object.")
    return document


def _searched(call: Call) -> Query:
    sent = read_document(call)
    if SEARCH_REQUEST not in listed(sent.get("schemas")):
        raise InvalidSyntax(f"The schema of a search is {SEARCH_REQUEST}.")
    return query_of(dict(sent))


def asked(call: Call) -> Query:
    """
    The query that the request's parameters ask for; of a repeated one the last counts.

    Raises:
        InvalidValue: one is not valid.
    """
    return query_of({name: values[-1] for name, values in call.query.items()})


def if_match(call: Call) -> Versions:
    """
    The versions that a change is meant for; None where it is for any (RFC 7644 section 3.14). Tags are compared weakly.

    Raises:
        InvalidSyntax: it names no tags.
    """
    value = call.headers.get("if-match", "*").strip()
    if value == "*":
        return None
    tags = [_TAG.fullmatch(each.strip()) for each in value.split(",")]
    if not all(tags):
        raise InvalidSyntax("If-Match takes `*` or entity tags.")
    return frozenset(int(tag[1]) for tag in tags if tag is not None and tag[1] is not None)  # others are of no version


def shown(call: Call, resource: dict[str, Any], name: Kind, *, status: int = 200) -> Answer:
    """A resource as the request wants to see it, with its tag and place; a 304 where a read names the version it has."""
    meta, query = resource["meta"], asked(call)
    headers = {"ETag": meta["version"], "Location": meta["location"]}
    if call.endpoint.method == "GET" and meta["version"] in re.split(r"\s*,\s*", call.headers.get("if-none-match", "")):
        return Answer(304, None, headers)
    body = projected(resource, kind(name), only=query.only, but=query.but)
    return Answer(status, body, headers, media_type=MEDIA_TYPE, resource=resource["id"])


def answered(body: dict[str, Any]) -> Answer:
    """A document that is no single resource."""
    return Answer(200, body, media_type=MEDIA_TYPE)
