"""Actions, patterns, and which patterns are within which."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from platforma.policy.actions import covers, parse_action, parse_pattern, permission_of, within
from platforma.policy.catalogue import CONTROL_DOMAINS, PERMISSIONS
from tests.unit.policy.strategies import ACTION_PATTERNS

WORDS = {
    "domain": [
        "infrastructure",
        "orders",
        "billing",
        "widgets",
        "gadgets",
        "platform",
        "unheard_of",
        *sorted(CONTROL_DOMAINS),
    ],
    "resource": ["clusters", "orders", "cluster", "users", "data", "things", "unheard_of"],
    "verb": ["get", "list", "create", "delete", "decrypt", "encrypt", "unheard_of"],
}
EVERY_ACTION = [
    *(".".join(words) for words in itertools.product(*WORDS.values())),
    *(f"{domain}:{level}" for domain in WORDS["domain"] for level in ("read", "manage")),
]


@pytest.mark.parametrize(
    ("operation", "permission"),
    [
        ("infrastructure.clusters.get", "infrastructure:read"),
        ("objects.objects.head", "objects:read"),
        ("infrastructure.clusters.update", "infrastructure:manage"),
        ("infrastructure.get.got", "infrastructure:manage"),
        ("crypto.data.decrypt", "crypto:read"),
    ],
)
def test_an_operation_needs_what_its_verb_says_but_for_the_catalogue(operation, permission):
    assert permission_of(operation) == permission


def test_the_catalogue_changes_levels_and_never_domains():
    assert all(permission.split(":")[0] == operation.split(".")[0] for operation, permission in PERMISSIONS.items())


@pytest.mark.parametrize(
    "name", ["", "a.b", "a.b.c.d", "a:write", "a.b.*", "*", "*:read", "A.b.c", "a.b.c\n", "a" * 500, "can_read"]
)
def test_what_is_neither_operation_nor_permission_is_no_action(name):
    assert parse_action(name) is None
    assert not covers(["*"], name)


@pytest.mark.parametrize("scope", ["openid", "profile", "email", "offline_access"])
def test_a_scope_that_is_no_pattern_covers_nothing(scope):
    assert parse_pattern(scope) is None
    assert not covers([scope], "settings:read")


@pytest.mark.parametrize(
    ("inner", "outer", "expected"),
    [
        (["infrastructure.clusters.get"], ["infrastructure:read"], True),
        (["infrastructure:read"], ["infrastructure.*"], False),
        (["infrastructure.clusters.*"], ["infrastructure:read"], False),
        (["infrastructure:*"], ["infrastructure:manage"], True),
        (["*"], ["*:*"], False),
        (["*"], ["*:manage", "settings:*", "audit:manage", "decisions:manage", "crypto:manage"], True),
        (["*:read"], ["infrastructure:read"], False),
        (["openid"], ["*"], False),
        (["platform:manage"], ["*"], False),
        ([], [], True),
    ],
)
def test_patterns_are_within_others_or_not(inner, outer, expected):
    assert within(inner, outer) is expected


PATTERNS = st.lists(st.sampled_from([*ACTION_PATTERNS, "decisions:manage", "crypto:manage", "audit:manage"]), max_size=5)


@settings(max_examples=1000, deadline=None, database=None)
@given(inner=PATTERNS, outer=PATTERNS)
def test_within_is_exactly_that_no_action_is_covered_by_the_inner_alone(inner, outer):
    more = [action for action in EVERY_ACTION if covers(inner, action) and not covers(outer, action)]

    assert within(inner, outer) is (not more)
