"""What may be written as a policy, and where exactly a fault is pointed at."""

import copy

import pytest

from platforma.kernel.errors import Unprocessable
from platforma.kernel.ids import new_id
from platforma.policy.document import MAX_BYTES, Statement, parse_attachments, parse_document, read_document
from tests.unit.policy.worlds import SAMPLE, TENANT


def faults(document, at=""):
    try:
        parse_document(document, at)
    except Unprocessable as error:
        return [fault["pointer"] for fault in error.errors]
    return []


def with_conditions(**conditions):
    return {**SAMPLE, "conditions": conditions}


def test_the_sample_is_a_policy():
    (statement,) = parse_document(SAMPLE)

    assert statement == Statement("allow", ("infrastructure:manage",), ("cluster:cls_eu*",), SAMPLE["conditions"])


def test_statements_keep_their_order():
    statements = parse_document({"statements": [SAMPLE, {**SAMPLE, "effect": "deny"}]})

    assert [statement.effect for statement in statements] == ["allow", "deny"]


@pytest.mark.parametrize(
    "action",
    [
        *("*", "*:*", "*:read", "infrastructure:*", "infrastructure.*", "infrastructure.clusters.*", "infrastructure.*.*"),
        *("settings.api-keys.create", "widgets:read"),
    ],
)
def test_an_action_pattern_is_taken(action):
    assert faults({**SAMPLE, "actions": [action]}) == []


@pytest.mark.parametrize(
    "action",
    [
        *("", "infrastructure", "infrastructure.clusters", "infrastructure.clusters.get.all", "infrastructure..get", "a..b"),
        *(
            "*.clusters.get",
            "infrastructure.*.get",
            "infrastructure.**",
            "**",
            "*:write",
            "infrastructure:",
            ":read",
            "a:b:c",
        ),
        *("Infrastructure:read", "infrastructure.clusters.get ", "infra*:read", "a.b.c*", None, 1, ["*"], "a" * 300),
        *("platform:manage", "platform.tenants.create", "infrastructure:read\n"),
    ],
)
def test_what_is_no_action_pattern_is_refused(action):
    assert faults({**SAMPLE, "actions": ["*", action]}) == ["/actions/1"]


@pytest.mark.parametrize(
    "resource",
    [
        "",
        "cluster",
        "cluster:",
        ":x",
        "cluster:**",
        "clu*:x",
        "?:x",
        "cluster:a**b",
        None,
        {},
        "cluster:" + "a" * 257,
        "a b:c",
    ],
)
def test_what_is_no_resource_pattern_is_refused(resource):
    assert faults({**SAMPLE, "resources": [resource]}) == ["/resources/0"]


@pytest.mark.parametrize(
    "resource", ["*", "*:*", "cluster:*", "cluster:cls:eu*", "*:?x", "cluster:" + "a" * 256, "a-b.c_D:ü"]
)
def test_a_resource_pattern_is_taken(resource):
    assert faults({**SAMPLE, "resources": [resource]}) == []


@pytest.mark.parametrize(
    ("name", "value", "pointer"),
    [
        ("ip_range", [], ""),
        ("ip_range", 7, ""),
        ("ip_range", ["10.0.0.0/8", "10.0.0.1/8"], "/1"),
        ("ip_range", "10.0.0.0/33", ""),
        ("ip_range", ["10.0.0.0/255.0.0.0"], "/0"),
        ("ip_range", ["010.0.0.0/8"], "/0"),
        ("ip_range", ["fe80::1%eth0/64"], "/0"),
        ("ip_range", ["2001:db8::1/32"], "/0"),
        ("ip_range", ["10.0.0.0/8"] * 101, ""),
        ("ip_range", [None], "/0"),
        ("time_window", {}, "/start"),
        ("time_window", {"start": "24:00", "end": "22:00", "timezone": "Europe/Berlin"}, "/start"),
        ("time_window", {"start": "06:00", "end": "6:00", "timezone": "Europe/Berlin"}, "/end"),
        ("time_window", {"start": "06:00", "end": "22:00", "timezone": "Europe/Atlantis"}, "/timezone"),
        ("time_window", {"start": "06:00", "end": "22:00", "timezone": "../etc/passwd"}, "/timezone"),
        ("time_window", [{"start": "06:00", "end": "22:00", "timezone": "UTC", "days": ["mon", "mon"]}], "/0/days/1"),
        ("time_window", {"start": "06:00", "end": "22:00", "timezone": "UTC", "days": []}, "/days"),
        ("time_window", {"start": "06:00", "end": "22:00", "timezone": "UTC", "day": "mon"}, "/day"),
        ("date_range", {}, ""),
        ("date_range", {"not_before": "2026-11-24"}, "/not_before"),
        ("date_range", {"not_before": "2026-11-24T10:00:00"}, "/not_before"),
        ("date_range", {"not_before": "2026-11-25T00:00:00Z", "not_after": "2026-11-24T00:00:00Z"}, ""),
        ("date_range", {"not_after": 5}, "/not_after"),
        ("resource_attributes", {}, ""),
        ("resource_attributes", {"a/b~": {"eq": 1}}, "/a~1b~0/eq"),
        ("resource_attributes", {"a": {}}, "/a"),
        ("resource_attributes", {"a": []}, "/a"),
        ("resource_attributes", {"a": [[1]]}, "/a/0"),
        ("resource_attributes", {"a": {"lt": True}}, "/a/lt"),
        ("resource_attributes", {"a": {"like": 1}}, "/a/like"),
        ("resource_attributes", {"a": {"like": "**"}}, "/a/like"),
        ("resource_attributes", {"a": {"exists": 1}}, "/a/exists"),
        ("resource_attributes", {"": 1}, "/"),
        ("resource_attributes", {str(n): n for n in range(21)}, ""),
        ("principal_attributes", [], ""),
        ("action_attributes", {"a": float("nan")}, "/a"),
        ("mfa", False, ""),
        ("mfa", 1, ""),
        ("environment", "prod", ""),
        ("environment", ["live"], ""),
        ("moon_phase", "full", ""),
    ],
)
def test_a_condition_that_cannot_be_meant_is_pointed_at(name, value, pointer):
    assert faults(with_conditions(**{name: value}), "/document")[0] == f"/document/conditions/{name}{pointer}"


def test_every_fault_is_told_at_once():
    document = {"effect": "permit", "actions": [], "resources": ["x"], "conditions": {"mfa": 1}, "note": ""}

    assert faults(document) == ["/note", "/effect", "/actions", "/resources/0", "/conditions/mfa"]


@pytest.mark.parametrize("document", [None, [], 1, {"statements": {}}, {"statements": []}, {"statements": [SAMPLE] * 101}])
def test_what_is_no_document_is_refused(document):
    assert len(faults(document)) == 1


def test_a_document_has_a_bounded_size():
    assert faults({**SAMPLE, "resources": ["cluster:" + "x" * 250] * (MAX_BYTES // 250)}) == [""]


def test_a_field_beside_statements_is_refused():
    assert faults({"statements": [SAMPLE], "version": 1}) == ["/version"]


@pytest.mark.parametrize(
    ("attachment", "pointer"),
    [
        ({"type": "tenant", "id": "ten_other"}, "/attachments/0/id"),
        ({"type": "user", "id": "usr_1"}, "/attachments/0/id"),
        ({"type": "user", "id": new_id("grp")}, "/attachments/0/id"),
        ({"type": "role", "id": "No Such"}, "/attachments/0/id"),
        ({"type": "planet", "id": "x"}, "/attachments/0/type"),
        ({"type": "user"}, "/attachments/0"),
        ("user", "/attachments/0"),
    ],
)
def test_a_policy_is_attached_to_what_could_exist(attachment, pointer):
    with pytest.raises(Unprocessable) as refused:
        parse_attachments([attachment], TENANT)

    assert [fault["pointer"] for fault in refused.value.errors] == [pointer]


def test_the_same_attachment_twice_is_refused():
    with pytest.raises(Unprocessable):
        parse_attachments([{"type": "tenant", "id": TENANT}] * 2, TENANT)


def test_a_stored_statement_that_cannot_be_read_leaves_its_neighbours_their_index():
    broken = copy.deepcopy(SAMPLE) | {"effect": "perhaps"}

    statements = read_document({"statements": [broken, SAMPLE, 7]})

    assert [statement.actions for statement in statements] == [(), ("infrastructure:manage",), ()]
