"""Policies, decisions, protected APIs and what is known of resources."""

from platforma.edge.endpoints.row import Endpoint, row

ENDPOINTS: tuple[Endpoint, ...] = (
    row(
        *("POST", "/v1/policies", "settings.policies.create", "policy_manage", "permission", "Write a policy"),
        resource="policy",
        body="policy.PolicyWrite",
        answer="policy.PolicyView",
        status=201,
    ),
    row(
        *("GET", "/v1/policies", "settings.policies.list", "policy_manage", "permission", "List policies"),
        resource="policy",
        answer="policy.PolicyList",
        query="common.Paging",
    ),
    row(
        *("GET", "/v1/policies/{id}", "settings.policies.get", "policy_manage", "permission", "Read a policy"),
        resource="policy",
        answer="policy.PolicyView",
    ),
    row(
        *("PUT", "/v1/policies/{id}", "settings.policies.update", "policy_manage", "permission", "Replace a policy"),
        resource="policy",
        body="policy.PolicyWrite",
        answer="policy.PolicyView",
        if_match=True,
    ),
    row(
        *("DELETE", "/v1/policies/{id}", "settings.policies.delete", "policy_manage", "permission", "Delete a policy"),
        resource="policy",
        status=204,
        if_match=True,
    ),
    row(
        *("GET", "/v1/policies/{id}/versions", "settings.policy_versions.list", "policy_manage", "permission"),
        "List a policy's versions",
        resource="policy",
        answer="policy.PolicyList",
        query="common.Paging",
    ),
    row(
        *(
            "POST",
            "/v1/policies/validate",
            "settings.policy_documents.verify",
            "policy_manage",
            "permission",
            "Check a policy",
        ),
        body="policy.PolicyCheck",
        answer="policy.PolicyChecked",
    ),
    row(
        *("POST", "/v1/authorize", "decisions.decisions.read", "policy_decide", "self", "Ask for a decision"),
        body="policy.AuthorizeRequest",
        answer="policy.DecisionView",
    ),
    row(
        *("POST", "/v1/authorize/batch", "decisions.batches.read", "policy_decide", "self", "Ask for up to 100 decisions"),
        body="policy.AuthorizeBatch",
        answer="policy.DecisionBatch",
    ),
    row(
        *("POST", "/access/v1/evaluation", "decisions.evaluations.read", "policy_decide", "self"),
        "Ask for a decision (AuthZEN)",
        body="authzen.Evaluation",
        answer="authzen.EvaluationAnswer",
        wire="authzen",
    ),
    row(
        *("POST", "/access/v1/evaluations", "decisions.evaluation_batches.read", "policy_decide", "self"),
        "Ask for several decisions (AuthZEN)",
        body="authzen.Evaluations",
        answer="authzen.EvaluationsAnswer",
        wire="authzen",
    ),
    row(
        *("GET", "/.well-known/authzen-configuration", "decisions.metadata.get", "policy_decide", "public"),
        "Where decisions are asked for (AuthZEN)",
        answer="authzen.Configuration",
    ),
    row(
        *(
            "POST",
            "/v1/protected-apis",
            "settings.protected_apis.create",
            "policy_apis",
            "permission",
            "Protect another API",
        ),
        resource="protected_api",
        body="policy.ProtectedAPIWrite",
        answer="policy.ProtectedAPIView",
        status=201,
    ),
    row(
        *("GET", "/v1/protected-apis", "settings.protected_apis.list", "policy_apis", "permission", "List protected APIs"),
        resource="protected_api",
        answer="policy.ProtectedAPIList",
        query="common.Paging",
    ),
    row(
        *(
            "GET",
            "/v1/protected-apis/{id}",
            "settings.protected_apis.get",
            "policy_apis",
            "permission",
            "Read a protected API",
        ),
        resource="protected_api",
        answer="policy.ProtectedAPIView",
    ),
    row(
        *("DELETE", "/v1/protected-apis/{id}", "settings.protected_apis.delete", "policy_apis", "permission"),
        "Stop protecting an API",
        resource="protected_api",
        status=204,
        if_match=True,
    ),
    row(
        *("PUT", "/v1/resources/{type}/{id}", "settings.resources.set", "policy_apis", "permission"),
        "Tell what is known of a resource",
        resource="resource",
        body="policy.ResourceWrite",
        answer="policy.ResourceView",
    ),
    row(
        *("GET", "/v1/resources/{type}/{id}", "settings.resources.get", "policy_apis", "permission"),
        "Read what is known of a resource",
        resource="resource",
        answer="policy.ResourceView",
    ),
    row(
        *("DELETE", "/v1/resources/{type}/{id}", "settings.resources.delete", "policy_apis", "permission"),
        "Forget a resource",
        resource="resource",
        status=204,
        if_match=True,
    ),
)
