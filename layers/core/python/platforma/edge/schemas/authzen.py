"""OpenID AuthZEN Authorization API 1.0: bodies in and out. Its own rule holds: what is not known is ignored."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from platforma.edge.schemas.common import Attributes, View

Text = Annotated[str, StringConstraints(min_length=1, max_length=256)]
MAX_EVALUATIONS = 100


class Entity(BaseModel):
    """A part of an evaluation. Types are not coerced, unknown fields are ignored."""

    model_config = ConfigDict(extra="ignore", strict=True)


class Party(Entity):
    """Who acts: subject, or what is acted on: resource (sections 5.1 and 5.2)."""

    type: Text
    id: Text
    properties: Attributes | None = None


class ActionRef(Entity):
    """What is done (section 5.3)."""

    name: Text
    properties: Attributes | None = None


class Evaluation(Entity):
    """One question (section 6.1)."""

    subject: Party
    action: ActionRef
    resource: Party
    context: dict[str, Any] = {}


class Options(Entity):
    """How several questions are gone through (section 7.1.2); unknown options are ignored."""

    evaluations_semantic: Annotated[
        str, StringConstraints(pattern=r"^(execute_all|deny_on_first_deny|permit_on_first_permit)$")
    ] = "execute_all"


class Evaluations(Entity):
    """Several questions, with defaults for each (section 7.1); without any, the defaults are the one question."""

    subject: dict[str, Any] | None = None
    action: dict[str, Any] | None = None
    resource: dict[str, Any] | None = None
    context: dict[str, Any] | None = None
    evaluations: Annotated[list[Any], Field(max_length=MAX_EVALUATIONS)] = []
    options: Options = Options()


class Sought(Entity):
    """What is searched for: its id and properties are not looked at (sections 8.4.1 and 8.5.1)."""

    type: Text


class PageAsked(Entity):
    """Which part of the results is wanted (section 8.2.1)."""

    token: Annotated[str, StringConstraints(max_length=2048)] | None = None
    limit: Annotated[int, Field(ge=0)] | None = None


class SubjectSearch(Entity):
    """Who may do this (section 8.4.1)."""

    subject: Sought
    action: ActionRef
    resource: Party
    context: dict[str, Any] = {}
    page: PageAsked | None = None


class ResourceSearch(Entity):
    """On what the subject may do this (section 8.5.1)."""

    subject: Party
    action: ActionRef
    resource: Sought
    context: dict[str, Any] = {}
    page: PageAsked | None = None


class ActionSearch(Entity):
    """What the subject may do with this (section 8.6.1)."""

    subject: Party
    resource: Party
    context: dict[str, Any] = {}
    page: PageAsked | None = None


class EvaluationAnswer(View):
    """The answer (section 6.2); *context* says what decided."""

    decision: bool
    context: dict[str, Any] | None = None


class EvaluationsAnswer(View):
    """The answers, in the order of the questions (section 7.2), or the one answer where there was one question."""

    evaluations: list[EvaluationAnswer] | None = None
    decision: bool | None = None
    context: dict[str, Any] | None = None


class PageAnswered(View):
    """Where the results go on (section 8.2.2): *next_token* is empty when they are at their end."""

    next_token: str
    count: int


class EntityFound(View):
    """A subject or resource that was found."""

    type: str
    id: str


class EntitiesFound(View):
    """Those of the subjects or resources that were found which this page holds (section 8.3)."""

    page: PageAnswered
    results: list[EntityFound]


class ActionFound(View):
    """An action that was found."""

    name: str


class ActionsFound(View):
    """Those of the actions that were found which this page holds (section 8.3)."""

    page: PageAnswered
    results: list[ActionFound]


class Configuration(View):
    """Where this decision point is asked (section 9)."""

    policy_decision_point: str
    access_evaluation_endpoint: str
    access_evaluations_endpoint: str
    search_subject_endpoint: str
    search_resource_endpoint: str
    search_action_endpoint: str
