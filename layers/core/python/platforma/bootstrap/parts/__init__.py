"""The parts that use cases are given, by area; each is made when it is first asked for, and once."""

from platforma.bootstrap.parts import (
    apikeys,
    audit,
    certificates,
    compliance,
    edge,
    encryption,
    ground,
    identity,
    oauth,
    policy,
    scim,
    sso,
)

__all__ = [
    "apikeys",
    "audit",
    "certificates",
    "compliance",
    "edge",
    "encryption",
    "ground",
    "identity",
    "oauth",
    "policy",
    "scim",
    "sso",
]
