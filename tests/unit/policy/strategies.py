"""
Tenants by chance, biased to edges: prefixes that share, windows at their minute, mapped addresses, missing inputs.

Everything is drawn from small pools, so that what is asked and what is said meet often.
"""

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from platforma.policy.model import Attachment, Context, Policy, Request, Role, Subject
from platforma.policy.ports import Rules
from platforma.policy.protected_api import ProtectedAPI
from tests.unit.policy.worlds import TENANT

ACTION_PATTERNS = [
    *("*", "*:*", "*:read", "*:manage", "infrastructure:manage", "infrastructure:read", "infrastructure:*"),
    *("infrastructure.*", "infrastructure.*.*", "infrastructure.clusters.*", "infrastructure.clusters.get"),
    *("infrastructure.clusters.delete", "infrastructure.cluster.*", "orders:manage", "orders.orders.list", "billing:read"),
    *("settings:manage", "settings:read", "settings.users.*", "settings.users.create", "audit:*", "crypto.data.decrypt"),
    *("crypto.data.*", "crypto:read", "widgets:manage", "widgets.*", "gadgets:read", "gadgets.things.*"),
]
ACTIONS = [
    *("infrastructure.clusters.get", "infrastructure.clusters.delete", "infrastructure.clusters.list"),
    *("infrastructure.cluster.get", "infrastructure:manage", "infrastructure:read", "orders.orders.list", "orders:manage"),
    *("billing.invoices.get", "settings.users.create", "settings.users.list", "settings:manage", "settings:read"),
    *("audit.events.search", "crypto.data.decrypt", "crypto.data.encrypt", "crypto:read", "crypto:manage"),
    *("widgets.widgets.get", "widgets:manage", "gadgets.things.get", "gadgets:read", "platform.tenants.list", "nonsense"),
]
RESOURCE_PATTERNS = [
    *("*", "*:*", "cluster:*", "cluster:cls_*", "cluster:cls_eu*", "cluster:cls_eu01", "cluster:cls_eu0?", "cluster:*01"),
    *("cluster:c*_*u*1", "cluster:?ls_eu01", "cluster:cls_eu", "*:cls_eu*", "*:cls_eu01", "*:*01", "node:*"),
    *("node:cls_eu01", "cluster:cls:eu*", "cluster:*?", "cluster:cls_eu01*", "*:?*", "cluster:*eu*eu*"),
]
RESOURCES: list[tuple[str | None, str | None]] = [
    *(("cluster", name) for name in ("cls_eu01", "cls_eu", "cls_eu012", "cls_us01", "cls_", "Cls_eu01")),
    *(("cluster", "cls:eu1"), ("cluster", "*"), ("cluster", "cls_eueu")),
    *(("cluster", None), ("node", "cls_eu01"), ("node", None), (None, None), ("cluster:cls", "eu1"), ("cluster", "")),
]
NETWORKS = [
    *("10.0.0.0/8", "10.1.2.0/24", "10.1.2.3/32", "10.1.2.3", "0.0.0.0/0", "::/0", "2001:db8::/32", "2001:db8::1/128"),
    *("::ffff:10.0.0.0/104", "::ffff:0:0/96", "192.0.2.0/25", "192.0.2.128/25"),
]
ADDRESSES = [
    *("10.1.2.3", "10.1.2.4", "11.0.0.0", "10.255.255.255", "::ffff:10.1.2.3", "::ffff:a01:203", "2001:db8::1"),
    *(
        "2001:db9::",
        "192.0.2.127",
        "192.0.2.128",
        "::1",
        None,
        "",
        "10.1.2",
        "010.1.2.3",
        "fe80::1%eth0",
        "10.1.2.3 ",
        "nonsense",
    ),
]
ZONES = [
    *(
        "Europe/Berlin",
        "America/New_York",
        "Asia/Kathmandu",
        "Pacific/Chatham",
        "Pacific/Apia",
        "UTC",
        "Australia/Lord_Howe",
    ),
]
CLOCKS = ["00:00", "00:01", "02:00", "02:30", "03:00", "06:00", "12:00", "21:59", "22:00", "23:59"]
_CHANGES = [
    datetime(2026, 3, 29, 1, 0, tzinfo=UTC),
    datetime(2026, 10, 25, 1, 0, tzinfo=UTC),
    datetime(2026, 3, 8, 7, 0, tzinfo=UTC),
    datetime(2026, 11, 1, 6, 0, tzinfo=UTC),
    datetime(2011, 12, 30, 10, 0, tzinfo=UTC),
    datetime(2026, 11, 24, 5, 0, tzinfo=UTC),
    datetime(2026, 11, 24, 21, 0, tzinfo=UTC),
    datetime(1969, 12, 31, 23, 59, tzinfo=UTC),
    datetime(1916, 4, 30, 22, 0, tzinfo=UTC),
]
_STEPS = [timedelta(), timedelta(microseconds=-1), timedelta(minutes=1), *(timedelta(hours=n) for n in (1, -1, 13))]
MOMENTS = [change + step for change in _CHANGES for step in _STEPS]
VALUES = ["eu", "eu-1", "EU", "", "1", 1, 1.0, 2, -0.5, True, False, None, 10**20]
ODD_VALUES = [*VALUES, ["eu"], {"eu": 1}]
NAMES = ["region", "tier"]

a_scalar = st.sampled_from(VALUES)
a_window = st.fixed_dictionaries(
    {"start": st.sampled_from(CLOCKS), "end": st.sampled_from(CLOCKS), "timezone": st.sampled_from(ZONES)},
    optional={"days": st.lists(st.sampled_from(["mon", "tue", "fri", "sat", "sun"]), min_size=1, max_size=3, unique=True)},
)
a_date_range = st.sampled_from(
    [
        {"not_before": "2026-11-24T05:00:00Z"},
        {"not_after": "2026-10-25T01:00:00+00:00"},
        {"not_before": "2026-03-29T03:00:00+02:00", "not_after": "2026-11-24T22:00:00+01:00"},
        {"not_before": "2026-11-24T05:00:00Z", "not_after": "2026-11-24T05:00:00Z"},
    ]
)
some_operators = st.fixed_dictionaries(
    {},
    optional={
        "equals": a_scalar,
        "not_equals": a_scalar,
        "in": st.lists(a_scalar, min_size=1, max_size=3),
        "not_in": st.lists(a_scalar, min_size=1, max_size=3),
        "like": st.sampled_from(["eu*", "*", "e?", "*-1", "eu"]),
        "not_like": st.sampled_from(["eu*", "?"]),
        "lt": st.sampled_from(["eu-1", 2, 0.5]),
        "lte": st.sampled_from(["eu", 1]),
        "gt": st.sampled_from(["", 1, -0.5]),
        "gte": st.sampled_from(["eu", 1.0]),
        "exists": st.booleans(),
    },
).filter(bool)
a_test = st.one_of(a_scalar, st.lists(a_scalar, min_size=1, max_size=3), some_operators)
some_tests = st.dictionaries(st.sampled_from(NAMES), a_test, min_size=1, max_size=2)
some_conditions = st.fixed_dictionaries(
    {},
    optional={
        "ip_range": st.one_of(st.sampled_from(NETWORKS), st.lists(st.sampled_from(NETWORKS), min_size=1, max_size=3)),
        "time_window": st.one_of(a_window, st.lists(a_window, min_size=1, max_size=2)),
        "date_range": st.one_of(a_date_range, st.lists(a_date_range, min_size=1, max_size=2)),
        "resource_attributes": some_tests,
        "principal_attributes": some_tests,
        "action_attributes": some_tests,
        "mfa": st.just(True),
        "environment": st.sampled_from(["live", "test"]),
        "a_later_one": st.just({"some": "thing"}),
    },
)
few_conditions = st.one_of(
    st.just({}),
    some_conditions.map(lambda conditions: dict(list(conditions.items())[:1])),
    some_conditions.map(lambda conditions: dict(list(conditions.items())[-2:])),
)


def some(pool, most: int = 2):
    return st.lists(st.sampled_from(pool), min_size=1, max_size=most, unique=True)


a_statement = st.fixed_dictionaries(
    {
        "effect": st.sampled_from(["allow", "allow", "deny"]),
        "actions": some(ACTION_PATTERNS, 3),
        "resources": st.one_of(st.just(["*"]), some(RESOURCE_PATTERNS, 3)),
    },
    optional={"conditions": few_conditions},
)
TARGETS = [
    *(("tenant", TENANT), ("role", "operator"), ("role", "auditor"), ("group", "grp_1"), ("user", "usr_1")),
    *(("user", "usr_2"), ("api_key", "key_1"), ("oauth_client", "cli_1"), ("oauth_client", "cli_2")),
]
a_document = st.one_of(a_statement, st.fixed_dictionaries({"statements": st.lists(a_statement, min_size=1, max_size=3)}))


@st.composite
def some_rules(draw) -> Rules:
    drawn = draw(st.lists(st.tuples(a_document, some(TARGETS, 3)), max_size=5))
    policies = tuple(
        Policy(
            id=f"pol_{number}",
            tenant_id=TENANT,
            name="",
            document=document,
            attachments=tuple(Attachment(*target) for target in targets),
            created_at="",
            updated_at="",
            updated_by=None,
        )
        for number, (document, targets) in enumerate(drawn)
    )
    roles = (Role(tenant_id=TENANT, name="auditor", actions=tuple(draw(some(ACTION_PATTERNS)))),)
    about = {"name": "", "audience": "", "environment": "live", "created_at": ""}
    api = ProtectedAPI(id="api_1", tenant_id=TENANT, domains=("widgets",), routes=(), **about)
    return Rules(roles=roles, policies=policies, apis=draw(st.sampled_from([(), (api,)])))


some_attributes = st.dictionaries(st.sampled_from(NAMES), st.sampled_from(ODD_VALUES), max_size=2)


@st.composite
def a_subject(draw) -> Subject:
    a_role = st.sampled_from(["admin", "operator", "developer", "viewer", "billing", "auditor", "gone"])
    kind = draw(st.sampled_from(["user", "oauth_client"]))
    base = Subject(
        type=kind,
        id=draw(st.sampled_from(["usr_1", "usr_2"] if kind == "user" else ["cli_1", "cli_2"])),
        tenant_id=TENANT,
        roles=frozenset(draw(st.lists(a_role, max_size=2))),
        groups=frozenset(draw(st.sampled_from([(), (), ("grp_1",)]))),
        attributes=draw(some_attributes),
        standing=draw(st.sampled_from(["active"] * 9 + ["suspended"])),
    )
    way = draw(st.sampled_from(["itself", "itself", "key", "token"]))
    scopes = draw(st.one_of(st.none(), st.just(("*", "openid")), some(ACTION_PATTERNS).map(tuple)))
    mfa = draw(st.sampled_from([None, True, False]))
    more = {"tenant_id": TENANT, "scopes": scopes, "mfa": mfa}
    if way == "key":
        environment = draw(st.sampled_from(["live", "test"]))
        return Subject(type="api_key", id="key_1", owner=base, environment=environment, **more)
    if way == "token":
        client = draw(st.sampled_from(["cli_1", "cli_2"]))
        own = {"roles": base.roles, "groups": base.groups, "attributes": base.attributes}
        return Subject(type=base.type, id=base.id, client_id=client, **own, **more)
    return base


a_context = st.builds(
    Context,
    time=st.sampled_from(MOMENTS),
    ip_address=st.sampled_from(ADDRESSES),
    mfa=st.sampled_from([None, True, False]),
    environment=st.sampled_from([None, "live", "test"]),
)
some_circumstances = st.tuples(a_context, some_attributes, some_attributes, st.booleans())


def requests(actions, resources, circumstances) -> list[Request]:
    """Each of *actions* on each of *resources* under each of *circumstances*."""
    return [
        Request(
            action=action,
            resource_type=kind,
            resource_id=name,
            context=context,
            resource_attributes=of_resource,
            action_attributes=of_action,
            own_api=own_api,
        )
        for action in actions
        for kind, name in resources
        for context, of_resource, of_action, own_api in circumstances
    ]
