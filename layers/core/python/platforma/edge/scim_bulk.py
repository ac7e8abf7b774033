"""
Bulk (RFC 7644 section 3.7): many operations in one request, each as if it were sent alone, with its own event.

An operation may name what another one makes as `bulkId:...`, in its path or anywhere in its data, whichever stands first:
it waits until that is made. One that names what is not made is refused, and so is a circle.
"""

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from platforma.edge.problems import scim_problem
from platforma.kernel.errors import NotFound, PlatformaError, TooLarge, Unavailable
from platforma.kernel.events import Attempt
from platforma.kernel.ids import new_id
from platforma.sso.scim.errors import InvalidSyntax, InvalidValue
from platforma.sso.scim.model import Directory
from platforma.sso.scim.paths import listed
from platforma.sso.scim.query import Query
from platforma.sso.scim.schema import Kind

BULK_REQUEST = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
BULK_RESPONSE = "urn:ietf:params:scim:api:messages:2.0:BulkResponse"
Versions = frozenset[int] | None
_PATH = re.compile(r"/(Users|Groups)(?:/([^/?#]{1,256}))?")
_REFERENCE = re.compile(r"bulkId:(.{1,256})", re.DOTALL)
_TAG = re.compile(r'(?:W/)?"([0-9]{1,15})"')
_BRIEF = Query(but=("members",))
_VERBS = {"POST": "create", "PUT": "replace", "PATCH": "update", "DELETE": "delete"}


class Resources(Protocol):
    """One type of resource, as requests of all kinds change and read it; what comes back is the whole resource as shown."""

    name: Kind

    def create(self, caller: Directory, sent: Mapping[str, Any], attempt: Attempt) -> dict[str, Any]:
        """POST."""

    def replace(
        self, caller: Directory, resource_id: str, sent: Mapping[str, Any], versions: Versions, attempt: Attempt
    ) -> dict[str, Any]:
        """PUT."""

    def update(
        self,
        caller: Directory,
        resource_id: str,
        sent: Mapping[str, Any],
        versions: Versions,
        attempt: Attempt,
        query: Query,
    ) -> "Changed":
        """PATCH; of what *query* does not show some may be left out."""

    def delete(self, caller: Directory, resource_id: str, versions: Versions, attempt: Attempt) -> None:
        """DELETE."""

    def get(self, caller: Directory, resource_id: str, query: Query) -> dict[str, Any]:
        """GET of one; of what *query* does not show some may be left out."""

    def list(self, caller: Directory, query: Query) -> dict[str, Any]:
        """GET of many."""


@dataclass(frozen=True, slots=True)
class Changed:
    """A resource as it is after a change; not *whole*: it is too large to be shown again."""

    resource: dict[str, Any]
    whole: bool = True


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation, as it was sent; nothing of its *data* is looked at."""

    method: str
    name: Kind
    resource_id: str | None
    data: Mapping[str, Any]
    bulk_id: str | None
    versions: Versions

    def needs(self) -> set[str]:
        """The `bulkId`s of what it names."""
        return set(_references(self.resource_id)) | set(_references(self.data))


@dataclass(slots=True)
class _Run:
    """What is done: *made* has ids by `bulkId`, *lost* the `bulkId`s that come to nothing, *told* what is answered."""

    made: dict[str, str] = field(default_factory=dict)
    lost: set[str] = field(default_factory=set)
    told: dict[int, dict[str, Any]] = field(default_factory=dict)


def operations_of(sent: Mapping[str, Any], *, most: int) -> list[Operation]:
    """
    The operations of a request's body.

    Raises:
        InvalidSyntax: it is no BulkRequest.
        TooLarge: it has more than *most*.
    """
    operations = sent.get("Operations")
    if BULK_REQUEST not in listed(sent.get("schemas")):
        raise InvalidSyntax(f"The schema of a bulk request is {BULK_REQUEST}.")
    if not isinstance(operations, list) or not operations:
        raise InvalidSyntax("Operations is a list of objects.")
    if len(operations) > most:
        raise TooLarge(f"A bulk request has at most {most} operations.")
    found = [_operation(each) for each in operations]
    ids = [each.bulk_id for each in found if each.bulk_id is not None]
    if len(set(ids)) != len(ids):
        raise InvalidSyntax("A bulkId is given once.")
    return found


def answer_to(
    operations: Sequence[Operation],
    sent: Mapping[str, Any],
    caller: Directory,
    resources: Mapping[str, Resources],
    attempt: Attempt,
) -> dict[str, Any]:
    """
    The BulkResponse: what became of each operation, in their order, until `failOnErrors` of them failed.

    Raises:
        InvalidSyntax: `failOnErrors` is no number.
    """
    most = sent.get("failOnErrors")
    if most is not None and (isinstance(most, bool) or not isinstance(most, int) or most < 1):
        raise InvalidSyntax("failOnErrors is a number from 1.")
    run, known = _Run(), {each.bulk_id for each in operations if each.bulk_id is not None}
    waiting, failed, moved = list(enumerate(operations)), 0, True
    while waiting and (most is None or failed < most):
        if not moved:  # a circle: every operation that is left waits for another one
            run.lost |= known
        moved, left = False, []
        for place, operation in waiting:
            if most is not None and failed >= most:
                break
            if operation.needs() & known - run.made.keys() - run.lost:
                left.append((place, operation))
                continue
            moved = True
            run.told[place] = _told(operation, caller, resources, attempt, run)
            failed += int(run.told[place]["status"]) >= 400
        waiting = left
    return {"schemas": [BULK_RESPONSE], "Operations": [run.told[place] for place in sorted(run.told)]}


def _operation(sent: Any) -> Operation:
    if not isinstance(sent, Mapping):
        raise InvalidSyntax("An operation is an object.")
    method, path, data, bulk_id = (sent.get(name) for name in ("method", "path", "data", "bulkId"))
    named = _PATH.fullmatch(path) if isinstance(path, str) else None
    if not isinstance(method, str) or method.upper() not in _VERBS:
        raise InvalidSyntax("The method of an operation is POST, PUT, PATCH or DELETE.")
    method = method.upper()
    if named is None or (named[2] is None) != (method == "POST"):
        raise InvalidSyntax("The path of an operation is of a resource, or to create one of its type.")
    if (method == "POST") and not isinstance(bulk_id, str):
        raise InvalidSyntax("An operation that creates has a bulkId.")
    if bulk_id is not None and not isinstance(bulk_id, str):
        raise InvalidSyntax("A bulkId is a text.")
    if method != "DELETE" and not isinstance(data, Mapping):
        raise InvalidSyntax("The data of an operation is an object.")
    version = sent.get("version")
    tag = _TAG.fullmatch(version) if isinstance(version, str) else None
    if version is not None and tag is None:
        raise InvalidSyntax("The version of an operation is an entity tag.")
    versions = None if tag is None else frozenset({int(tag[1])})
    kind: Kind = "User" if named[1] == "Users" else "Group"
    return Operation(method, kind, named[2], data if isinstance(data, Mapping) else {}, bulk_id, versions)


def _told(
    operation: Operation, caller: Directory, resources: Mapping[str, Resources], attempt: Attempt, run: _Run
) -> dict[str, Any]:
    """Do one operation; what became of it."""
    told: dict[str, Any] = {"method": operation.method}
    if operation.bulk_id is not None:
        told["bulkId"] = operation.bulk_id
    action = f"scim.{operation.name.lower()}s.{_VERBS[operation.method]}"
    mine = replace(attempt, action=action, id=new_id("evt"), entered=False, resource=None, resource_type=None)
    try:
        if time.monotonic() >= caller.until:
            raise Unavailable("The request took too long: send this operation again.")
        resource = _done(operation, caller, resources[operation.name], mine, run.made)
    except PlatformaError as error:
        answer = scim_problem(error, attempt.request_id)
        if operation.bulk_id is not None:
            run.lost.add(operation.bulk_id)
        return {**told, "status": str(answer.status), "response": answer.body}
    if resource is None:
        return {**told, "status": "204"}
    if operation.bulk_id is not None and operation.method == "POST":
        run.made[operation.bulk_id] = resource["id"]
    meta = resource["meta"]
    status = "201" if operation.method == "POST" else "200"
    return {**told, "location": meta["location"], "version": meta["version"], "status": status}


def _done(
    operation: Operation, caller: Directory, resources: Resources, attempt: Attempt, made: Mapping[str, str]
) -> dict[str, Any] | None:
    data, resource_id = _resolved(operation.data, made), _resolved(operation.resource_id, made)
    if operation.method == "POST":
        return resources.create(caller, data, attempt)
    if resource_id is None:
        raise NotFound
    if operation.method == "DELETE":
        resources.delete(caller, resource_id, operation.versions, attempt)
        return None
    if operation.method == "PUT":
        return resources.replace(caller, resource_id, data, operation.versions, attempt)
    return resources.update(caller, resource_id, data, operation.versions, attempt, _BRIEF).resource


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        if match := _REFERENCE.fullmatch(value):
            yield match[1]
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _references(inner)


def _resolved(value: Any, made: Mapping[str, str]) -> Any:
    """
    *value* with ids in the place of references.

    Raises:
        InvalidValue: one is to what is not made.
    """
    if isinstance(value, str) and (match := _REFERENCE.fullmatch(value)):
        if match[1] not in made:
            raise InvalidValue(f"Nothing was made as bulkId:{match[1][:64]}.")
        return made[match[1]]
    if isinstance(value, Mapping):
        return {name: _resolved(inner, made) for name, inner in value.items()}
    return [_resolved(inner, made) for inner in value] if isinstance(value, list) else value
