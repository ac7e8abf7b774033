"""The authorizer of other APIs: REST TOKEN and REQUEST events, HTTP API payload 2.0 (simple form)."""

from platforma import bootstrap
from platforma.edge.gateway_authorizer import GatewayAuthorizer

handler = GatewayAuthorizer("policy_authorizer", bootstrap.edge, bootstrap.policies).handler
