"""
Wycheproof's JWS and JWK vectors through the verifier that clients' assertions and proofs go through.

Source: https://github.com/C2SP/wycheproof at dac1dd4729fd1f8dd9e1e9f3dce51d783da6c166 (Apache-2.0), testvectors_v1:
json_web_signature_test.json and json_web_key_test.json, as they are. Symmetric keys and algorithms that are not offered here
are refused whatever the vector says; of the others, all that is valid is taken, and nothing else.
"""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from platforma.keys.jwk import NotAKey, from_jwk
from platforma.oauth.client_assertion import ALGORITHMS
from platforma.oauth.client_keys import ClientKeys
from platforma.oauth.compact_jws import parse_foreign, verify_signature
from platforma.oauth.errors import InvalidToken

CONTRADICTORY = {346, 350}
"""They call valid what is signed by PS384 with a key that says it is for PS256."""
VECTORS = Path(__file__).parents[1] / "vectors"


def cases(name):
    for group in json.loads((VECTORS / f"{name}.json").read_text())["testGroups"]:
        keys = group.get("public", group["private"])
        for test in group["tests"]:
            yield pytest.param(keys.get("keys", [keys]), test, id=f"{group['comment']}-{test['tcId']}")


def verifies(jws, keys):
    """Whether a client with these keys would be believed to have signed *jws*."""
    client = SimpleNamespace(jwks={"keys": keys}, jwks_uri=None)
    try:
        unverified = parse_foreign(jws)
        key = ClientKeys(None, None).key_of(client, unverified.header.get("kid"), unverified.header["alg"])
        verify_signature(unverified, key, ALGORITHMS)
    except InvalidToken:
        return False
    return True


def offered(keys, test):
    return test["tcId"] not in CONTRADICTORY and all(key["kty"] != "oct" and key.get("alg") in ALGORITHMS for key in keys)


@pytest.mark.parametrize(("keys", "test"), [*cases("json_web_signature_test"), *cases("json_web_key_test")])
def test_what_is_valid_is_taken_and_nothing_else(keys, test):
    assert verifies(test["jws"], keys) == (test["result"] == "valid" and offered(keys, test))


def test_the_vectors_hold_valid_signatures_of_ours():
    taken = [case for case in cases("json_web_signature_test") if verifies(case.values[1]["jws"], case.values[0])]

    assert len(taken) == 16


def test_a_key_of_a_chip_that_makes_weak_ones_is_none():
    (weak,) = [case.values[0][0] for case in cases("json_web_key_test") if "roca" in str(case.id)]

    with pytest.raises(NotAKey):
        from_jwk(weak)
