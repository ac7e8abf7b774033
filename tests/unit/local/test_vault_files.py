import re
from pathlib import Path

import pytest

from infra.vault import apply

HERE = Path(apply.__file__).parent
FUNCTIONS = apply.table("functions")
GRANT = re.compile(r'path "([^"]+)"\s*\{\s*capabilities\s*=\s*\[([^]]*)\]')

DESTROYING = {
    ("identity_tenants", "transit/keys/tenant-*"),
    ("sso_connections", "kv/metadata/platforma/providers/*"),
    ("identity_tenants", "kv/metadata/platforma/providers/*"),
}


def grants(policy):
    return {path: set(re.findall(r'"(\w+)"', words)) for path, words in GRANT.findall(policy)}


def test_every_function_that_speaks_to_vault_has_its_row():
    roles = set(re.findall(r"VAULT_ROLE: (\S+)", (HERE.parents[1] / "template.yaml").read_text()))

    assert roles == {apply.role_of(function) for function in FUNCTIONS}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_no_function_can_read_a_key_out_or_destroy_one_but_a_tenants_with_the_tenant(function):
    for path, words in grants(apply.policy_of(FUNCTIONS[function])).items():
        assert not words & {"sudo", "patch"}, path
        assert "delete" not in words or (function, path) in DESTROYING
        assert not path.startswith(("sys/", "transit/export", "transit/backup", "auth/token/create")), path
        assert path != "*", path


def test_only_who_makes_tenants_makes_keys_and_only_who_signs_the_log_signs():
    def holders(path, word=None):
        granted = {function: grants(apply.policy_of(row)).get(path, set()) for function, row in FUNCTIONS.items()}
        return {function for function, words in granted.items() if (word in words if word else words)}

    assert holders("transit/keys/tenant-*", "create") == holders("transit/keys/tenant-*", "delete") == {"identity_tenants"}
    assert holders("transit/keys/tenant-*") == {"compliance_reports", "identity_tenants", "keys_encryption", "keys_upkeep"}
    assert holders("transit/sign/audit-checkpoint") == {"audit_events", "audit_export", "audit_relay"}
    assert holders("transit/sign/statements") == {"identity_tenants"}
    assert holders("pki/issue/function") == {"certificates_renew"}
    assert holders("transit/decrypt/signing") == {"keys_rotation", "oauth_logout", "oauth_token", "platform_setup"}
    assert holders("transit/datakey/plaintext/signing") == {"keys_rotation", "platform_setup"}


def test_who_keeps_a_providers_secret_cannot_read_it():
    allowed = grants(apply.policy_of(FUNCTIONS["sso_connections"]))

    assert allowed["kv/data/platforma/providers/*"] == {"create", "update"}


def test_a_tenants_key_cannot_be_made_exportable():
    text = (HERE / "capabilities" / "tenant-keys.hcl").read_text()

    assert set(re.findall(r'^\s+"(\w+)"\s*=', text, re.MULTILINE)) == {
        *("type", "derived", "auto_rotate_period", "deletion_allowed")
    }


@pytest.mark.parametrize(
    ("capability", "parameters"),
    [
        ("key-versions", {"auto_rotate_period"}),
        ("rewrap", {"min_decryption_version", "min_encryption_version", "min_available_version"}),
    ],
)
def test_whoever_moves_a_keys_versions_can_do_nothing_else_to_it(capability, parameters):
    text = (HERE / "capabilities" / f"{capability}.hcl").read_text()

    assert set(re.findall(r'^\s+"(\w+)"\s*=', text, re.MULTILINE)) == parameters


def test_who_wraps_keys_anew_can_open_no_tenants_record():
    granted = grants(apply.policy_of(FUNCTIONS["keys_upkeep"]))

    assert "transit/rewrap/tenant-*" in granted
    assert not [path for path in granted if path.startswith("transit/decrypt/tenant-")]


def test_who_sets_vault_up_may_make_every_key_that_the_files_name():
    allowed = grants((HERE / "policies" / "operator.hcl").read_text())

    assert {f"transit/keys/{name}" for name in apply.table("transit_keys")} <= allowed.keys()


def test_the_reader_changes_nothing():
    allowed = grants((HERE / "policies" / "reader.hcl").read_text())

    assert allowed == {"*": {"read", "list", "sudo"}, "auth/token/renew-self": {"update"}}


def test_who_signs_people_in_reads_providers_secrets_and_keeps_none():
    reading = {
        function
        for function, row in FUNCTIONS.items()
        if "read" in grants(apply.policy_of(row)).get("kv/data/platforma/providers/*", set())
    }

    assert reading == {"sso_sign_in"}
    assert grants(apply.policy_of(FUNCTIONS["sso_sign_in"]))["kv/data/platforma/providers/*"] == {"read"}
