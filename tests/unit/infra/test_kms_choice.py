"""KMS chosen in Vault's place: functions may the same, by the encryption context and by the tag of tenants' keys."""

import json
from typing import Any

import pytest

from platforma.adapters.kms import PERIOD, TAG
from platforma.kernel.tenancy import PLATFORM
from tests.unit.infra.templates import ROOT, SERVICE, STATE, as_list, of_type, properties, stem

CAPABILITIES = json.loads((ROOT / "infra" / "vault" / "functions.json").read_text())
POLICIES = {name: policy for name, policy in of_type(SERVICE, "AWS::IAM::ManagedPolicy").items() if name.startswith("Kms")}
BY_CAPABILITY = {
    "envelope": "KmsEnvelopePolicy",
    "platform-envelope": "KmsPlatformEnvelopePolicy",
    "tenant-sealing": "KmsTenantSealingPolicy",
    "signing": "KmsSigningPolicy",
    "signatures": "KmsSignaturesPolicy",
    "tenant-keys": "KmsTenantKeysPolicy",
    "key-versions": "KmsKeyVersionsPolicy",
    "key-ages": "KmsKeyAgesPolicy",
    "rewrap": "KmsRewrapPolicy",
}
OPENING = {"kms:Decrypt", "kms:GenerateDataKey", "kms:ReEncryptFrom", "kms:ReEncryptTo"}
KEYS = "arn:${AWS::Partition}:kms:${AWS::Region}:${AWS::AccountId}:key/*"


def on_aws(node: Any) -> Any:
    """What stands there on AWS."""
    return node["Fn::If"][1] if isinstance(node, dict) and node.get("Fn::If", [None])[0] == "IsAws" else node


def statements(policy: str) -> list[tuple[set[str], list[Any], dict[str, Any]]]:
    """Actions, resources and condition of each statement, on AWS."""
    found = properties(SERVICE, policy)["PolicyDocument"]["Statement"]
    return [
        (
            set(as_list(on_aws(one["Action"]))),
            [on_aws(each) for each in as_list(one["Resource"])],
            on_aws(one.get("Condition", {})) or {},
        )
        for one in found
    ]


def actions(policy: str) -> set[str]:
    return set().union(*(each[0] for each in statements(policy)))


def test_each_function_may_in_kms_what_it_may_in_vault():
    meant = {
        policy: {stem(function) + "Role" for function, held in CAPABILITIES.items() if capability in held}
        for capability, policy in BY_CAPABILITY.items()
    }
    given = {name: {role["Ref"] for role in policy["Properties"]["Roles"]} for name, policy in POLICIES.items()}

    assert given == meant


def test_nothing_of_it_is_there_unless_it_was_chosen():
    assert (
        SERVICE["Conditions"]["UsesKms"] == STATE["Conditions"]["UsesKms"] == {"Fn::Equals": [{"Ref": "KeyProvider"}, "kms"]}
    )
    assert {policy["Condition"] for policy in POLICIES.values()} == {"UsesKms"}
    assert {
        STATE["Resources"][f"{key}Key{alias}"]["Condition"] for key in ("Platform", "Signing") for alias in ("", "Alias")
    } == {"UsesKms"}
    variables = SERVICE["Globals"]["Function"]["Environment"]["Variables"]
    assert variables["KMS_PREFIX"] == {"Fn::If": ["UsesKms", {"Ref": "StateStack"}, ""]}
    assert {template["Parameters"]["KeyProvider"]["Default"] for template in (SERVICE, STATE)} == {"vault"}


@pytest.mark.parametrize("policy", POLICIES)
def test_a_key_opens_for_a_tenant_and_a_purpose_that_are_said_and_nothing_else_is(policy):
    for allowed, _, condition in statements(policy):
        if allowed & OPENING:
            said = {**condition.get("StringEquals", {}), **condition.get("StringLike", {})}
            assert condition["ForAllValues:StringEquals"] == {"kms:EncryptionContextKeys": ["tenant", "purpose"]}
            assert said["kms:EncryptionContext:tenant"] in ("ten_*", PLATFORM)
            if "kms:EncryptionContext:purpose" not in said:
                assert condition["StringNotEquals"] == {"kms:EncryptionContext:purpose": "signing"}
                assert condition["Null"] == {"kms:EncryptionContext:purpose": False}


def test_what_signs_tokens_is_opened_by_who_signs_and_made_by_who_rotates():
    opening = {
        policy
        for policy in POLICIES
        for allowed, _, condition in statements(policy)
        if allowed & OPENING and condition.get("StringEquals", {}).get("kms:EncryptionContext:purpose") == "signing"
    }

    assert opening == {"KmsSigningPolicy", "KmsSignaturesPolicy"}
    assert actions("KmsSignaturesPolicy") & OPENING == {"kms:Decrypt"}
    for policy in opening:
        for allowed, resources, _ in statements(policy):
            assert not allowed & OPENING or {"Fn::ImportValue": {"Fn::Sub": "${StateStack}-SigningKeyArn"}} in resources


def test_who_wraps_keys_anew_can_open_no_tenants_record():
    held = [BY_CAPABILITY[capability] for capability in CAPABILITIES["keys_upkeep"] if capability in BY_CAPABILITY]
    opened = {
        condition["StringEquals"]["kms:EncryptionContext:tenant"]
        for policy in held
        for allowed, _, condition in statements(policy)
        if "kms:Decrypt" in allowed
    }

    assert opened == {PLATFORM}
    assert actions("KmsRewrapPolicy") & OPENING == {"kms:ReEncryptFrom", "kms:ReEncryptTo"}


@pytest.mark.parametrize("policy", POLICIES)
def test_a_key_of_nobody_we_know_is_neither_looked_at_nor_changed(policy):
    for allowed, resources, condition in statements(policy):
        if {"Fn::Sub": KEYS} in resources and not allowed & OPENING:
            said = condition["StringEquals"]
            tag = "RequestTag" if allowed == {"kms:TagResource"} else "ResourceTag"
            assert said[f"aws:{tag}/{TAG}"] == {"Ref": "StateStack"}
        if resources == ["*"]:
            assert allowed == {"kms:CreateKey"}
            assert condition["StringEquals"][f"aws:RequestTag/{TAG}"] == {"Ref": "StateStack"}


def test_a_version_is_ended_by_who_rewraps_or_shreds_and_by_nobody_who_answers_tenants():
    ending = {"kms:ScheduleKeyDeletion", "kms:DisableKey"}
    found = {policy for policy in POLICIES if actions(policy) & ending}

    assert found == {"KmsRewrapPolicy", "KmsTenantKeysPolicy", "KmsKeyVersionsPolicy"}
    for allowed, _, condition in statements("KmsKeyVersionsPolicy"):
        if allowed & ending:
            assert condition["Null"] == {"kms:ResourceAliases": True}, "a key that never had a name"


@pytest.mark.parametrize("name", ["Platform", "Signing"])
def test_the_platforms_keys_say_their_version_and_are_renewed(name):
    key = properties(STATE, f"{name}Key")
    alias = f"alias/${{AWS::StackName}}/{name.lower()}"

    assert key["Description"] == {"Fn::Sub": f"{alias}/1"}
    assert key["RotationPeriodInDays"] == PERIOD.days
    assert properties(STATE, f"{name}KeyAlias")["AliasName"] == {"Fn::Sub": alias}
    assert properties(STATE, f"{name}KeyFirstAlias")["AliasName"] == {"Fn::Sub": f"{alias}/1"}
    assert not key.get("Tags"), "no role may change it"
