"""Writing policies: checked, and told as events."""

from dataclasses import replace

import pytest

from platforma.kernel.errors import NotFound, PreconditionFailed, Unprocessable
from platforma.kernel.ids import new_id
from platforma.policy import (
    delete_policy,
    get_policy,
    list_policies,
    list_policy_versions,
    validate_policy,
)
from platforma.policy.ports import Member
from platforma.policy.snapshots import Snapshots
from tests.unit.policy.worlds import SAMPLE, TENANT, user


def test_a_new_policy_is_kept_with_its_event(office):
    policy = office.create()

    assert get_policy(TENANT, policy.id, store=office.store) == policy
    (event,) = office.events
    assert (event.resource, event.resource_type, event.changes["after"]["document"]) == (policy.id, "policy", SAMPLE)


def test_a_long_document_is_told_by_its_hash(office):
    office.create({**SAMPLE, "resources": [f"cluster:{n:0100}" for n in range(100)]})

    assert office.events[0].changes["after"]["document"].keys() == {"sha256", "bytes"}


def test_a_policy_that_is_not_valid_is_not_kept(office):
    with pytest.raises(Unprocessable) as refused:
        office.create({**SAMPLE, "effect": "maybe"})

    assert [fault["pointer"] for fault in refused.value.errors] == ["/document/effect"]
    assert not office.events


def test_each_version_is_a_write_that_named_or_did_not_name_the_one_before(office):
    first = office.create()
    second = office.replace(first, if_match=1)
    third = office.replace(first)

    with pytest.raises(PreconditionFailed):
        office.replace(first, if_match=2)

    assert list_policy_versions(TENANT, first.id, store=office.store).items == (third, second, first)
    assert list_policies(TENANT, store=office.store).items == (third,)


def test_a_change_that_names_no_version_comes_after_one_that_came_first(office, monkeypatch):
    policy, get, others = office.create(), office.store.get, iter([2, 3])

    def slow_get(tenant_id, policy_id):
        found = get(tenant_id, policy_id)
        if number := next(others, None):
            office.store.replace(replace(found, version=number), office.attempt().event("success"))
        return found

    monkeypatch.setattr(office.store, "get", slow_get)

    assert office.replace(policy).version == 4


def test_what_is_not_there_is_not_found(office):
    for policy_id in (new_id("pol"), "pol_", "../x"):
        with pytest.raises(NotFound):
            get_policy(TENANT, policy_id, store=office.store)
        with pytest.raises(NotFound):
            list_policy_versions(TENANT, policy_id, store=office.store)
        with pytest.raises(NotFound):
            delete_policy(TENANT, policy_id, if_match=None, store=office.store, attempt=office.attempt())


def test_a_deleted_policy_is_gone_and_its_versions_stay(office):
    policy = office.create()

    delete_policy(TENANT, policy.id, if_match=1, store=office.store, attempt=office.attempt())

    assert office.store.get(TENANT, policy.id) is None
    assert list_policy_versions(TENANT, policy.id, store=office.store).items == (policy,)


def validated(office, document, attachments=()):
    attached = [{"type": kind, "id": name} for kind, name in attachments]
    snapshots = Snapshots(office.store, lambda: office.now)
    return validate_policy(
        TENANT,
        document=document,
        attachments=attached,
        snapshots=snapshots,
        holders=office.holders,
        clock=lambda: office.now,
    )


def test_faults_of_document_and_attachments_are_told_together(office):
    found = validated(office, {**SAMPLE, "effect": "x"}, [("user", "nobody")])

    assert (found["valid"], [one["pointer"] for one in found["errors"]]) == (
        False,
        ["/document/effect", "/attachments/0/id"],
    )


@pytest.mark.parametrize(
    ("document", "pointer", "word"),
    [
        ({"effect": "allow", "actions": ["*"], "resources": ["*"]}, "/document", "Over-broad"),
        ({**SAMPLE, "actions": ["widgets:read"]}, "/document/actions/0", "not known"),
        (
            {**SAMPLE, "conditions": {"date_range": {"not_after": "2020-01-01T00:00:00Z"}}},
            "/document/conditions/date_range",
            "Never",
        ),
        ({"statements": [SAMPLE, {**SAMPLE, "resources": ["cluster:cls_eu01"]}]}, "/document/statements/1", "Shadowed"),
        ({"statements": [SAMPLE, SAMPLE]}, "/document/statements/1", "Shadowed"),
        (
            {"statements": [SAMPLE, {"effect": "deny", "actions": ["*"], "resources": ["cluster:*"]}]},
            "/document/statements/0",
            "Shadowed",
        ),
    ],
)
def test_what_its_author_may_not_have_meant_is_warned_of(office, document, pointer, word):
    warnings = validated(office, document)["warnings"]

    assert [one["pointer"] for one in warnings] == [pointer]
    assert word in warnings[0]["detail"]


def test_the_sample_raises_no_warning_but_of_whom_it_narrows(office):
    office.people.append(Member(user("operator", id="usr_3"), able=False))

    assert validated(office, SAMPLE)["warnings"] == []
    assert validated(office, SAMPLE, [("role", "viewer")])["warnings"] == []
    (warning,) = validated(office, SAMPLE, [("tenant", TENANT)])["warnings"]
    assert warning["detail"].startswith("Narrows 1 user:")
