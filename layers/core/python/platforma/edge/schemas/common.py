"""What all schemas share: strict types, no unknown fields, paging."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from platforma.kernel.clock import rfc3339

Name = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
Timestamp = Annotated[
    str,
    BeforeValidator(lambda value: rfc3339(value) if isinstance(value, datetime) else value),
    StringConstraints(max_length=40),
    Field(json_schema_extra={"format": "date-time"}),
]
ResourceID = Annotated[str, StringConstraints(min_length=1, max_length=256, pattern=r"^[^\x00-\x1f\x7f]+$")]
Attributes = Annotated[dict[str, Any], Field(max_length=100)]
Scopes = Annotated[list[Annotated[str, StringConstraints(min_length=1, max_length=200)]], Field(max_length=100)]


class Body(BaseModel):
    """What a caller sends: types are not coerced, unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", strict=True)


class View(BaseModel):
    """What a caller gets, read from a domain value's attributes."""

    model_config = ConfigDict(from_attributes=True)

    @classmethod
    def of(cls, value: object) -> dict[str, Any]:
        """*value* (a domain value or a dict) in this shape, as JSON has it."""
        return cls.model_validate(value).model_dump(mode="json")


Cursor = Annotated[str, StringConstraints(min_length=1, max_length=2048)]


class Paging(Body):
    """How much of a list, and from where."""

    limit: Annotated[int, Field(ge=1, le=200)] = 50
    cursor: Cursor | None = None


class Problem(View):
    """An error, as RFC 9457 has it."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str
    errors: list[dict[str, str]] | None = None
    id: str | None = None
    witness: dict[str, Any] | None = None
