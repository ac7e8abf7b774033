"""Encryption and objects through the deployed stack's URL: IAM, Vault's policies, and bytes through gateway and edge."""

import base64
import hashlib
import os
import time

MIB = 1 << 20


def test_what_is_encrypted_decrypts_with_its_context_alone(running, token):
    body = {"plaintext": base64.b64encode(b"secret").decode(), "context": {"record": "1"}}
    sealed = running.call("POST", "/v1/encryption/encrypt", token=token, json=body)
    assert sealed.status_code == 200, sealed.text

    opened = running.call("POST", "/v1/encryption/decrypt", token=token, json={**sealed.json(), "context": {"record": "1"}})
    other = running.call("POST", "/v1/encryption/decrypt", token=token, json=sealed.json())

    assert base64.b64decode(opened.json()["plaintext"]) == b"secret"
    assert (other.status_code, other.json()["code"]) == (422, "does_not_decrypt")


def test_a_mebibyte_there_and_back(running, token):
    text = base64.b64encode(os.urandom(MIB)).decode()

    sealed = running.call("POST", "/v1/encryption/encrypt", token=token, json={"plaintext": text})
    assert sealed.status_code == 200, sealed.text

    assert running.call("POST", "/v1/encryption/decrypt", token=token, json=sealed.json()).json()["plaintext"] == text


def test_the_key_gets_a_version_and_records_are_moved_to_it(running, token):
    before = running.call("GET", "/v1/encryption/keys", token=token).json()["items"][0]
    rotated = running.call("POST", "/v1/encryption/keys/rotate", token=token)
    assert rotated.status_code == 200, rotated.text
    assert rotated.json()["latest_version"] == before["latest_version"] + 1
    started = running.call("POST", "/v1/encryption/rewrap", token=token)
    assert (started.status_code, started.json()["status"]) == (202, "running"), started.text

    answer = running.aws("lambda").invoke(FunctionName="platforma-keys_upkeep", Payload=b"{}")
    assert "FunctionError" not in answer, answer["Payload"].read()

    deadline = time.monotonic() + 90  # a pass ends within a minute of the schedule
    while (told := running.call("GET", "/v1/encryption/rewrap", token=token).json())["passes"] == 0:
        assert time.monotonic() < deadline, told
        running.aws("lambda").invoke(FunctionName="platforma-keys_upkeep", Payload=b"{}")
    assert told["rewrapped"] > 0
    assert told["remaining"] == 0
    assert running.call("GET", "/v1/users", token=token).status_code == 200


def test_an_object_of_any_bytes_under_any_name_comes_back_whole_and_by_range(running, token):
    body, path = os.urandom(2 * MIB + 3), f"/v1/objects/tests/{os.urandom(4).hex()}/ä b.bin"

    stored = running.call("PUT", path, token=token, content=body, headers={"Content-Type": "text/csv"})
    assert stored.status_code == 200, stored.text
    whole = running.call("GET", path, token=token)
    part = running.call("GET", path, token=token, headers={"Range": f"bytes={MIB - 2}-{MIB + 1}"})
    head = running.call("HEAD", path, token=token)

    assert (whole.status_code, whole.content) == (200, body)
    assert (part.status_code, part.content) == (206, body[MIB - 2 : MIB + 2])
    assert (head.status_code, head.headers["x-object-size"]) == (200, str(len(body)))
    assert running.call("PUT", path, token=token, content=b"x").status_code == 428
    listed = running.call("GET", "/v1/objects", token=token, params={"prefix": path.removeprefix("/v1/objects/")[:-8]})
    assert [item["key"] for item in listed.json()["items"]] == [path.removeprefix("/v1/objects/")]
    assert running.call("DELETE", path, token=token, headers={"If-Match": stored.headers["etag"]}).status_code == 204
    assert running.call("GET", path, token=token).status_code == 404


def test_a_large_object_goes_up_by_parts_and_comes_back(running, token):
    key, pieces = f"tests/{os.urandom(4).hex()}", [os.urandom(4 * MIB), os.urandom(4 * MIB), os.urandom(11)]
    upload = running.call("POST", "/v1/uploads", token=token, json={"key": key})
    assert upload.status_code == 201, upload.text
    at = f"/v1/uploads/{upload.json()['id']}"

    for n in (3, 1, 2):
        sent = running.call("PUT", f"{at}/parts/{n}", token=token, content=pieces[n - 1])
        assert sent.status_code == 200, sent.text
    parts = [{"n": n, "sha256": hashlib.sha256(piece).hexdigest()} for n, piece in enumerate(pieces, 1)]
    made = running.call("POST", f"{at}/complete", token=token, json={"parts": parts})
    assert made.status_code == 200, made.text

    whole, read = b"".join(pieces), b""
    while len(read) < len(whole):
        read += running.call("GET", f"/v1/objects/{key}", token=token, headers={"Range": f"bytes={len(read)}-"}).content
    assert read == whole


def test_what_stands_in_the_bucket_is_ciphertext_under_the_tenants_name(running, token):
    running.call("PUT", f"/v1/objects/tests/{os.urandom(4).hex()}", token=token, content=b"plain words " * 100)
    bucket, s3 = running.output["ObjectsBucket"], running.aws("s3")

    found = s3.list_objects_v2(Bucket=bucket)["Contents"]
    assert all(each["Key"].startswith(running.stack["tenant"]["id"]) for each in found)
    for each in found:
        assert b"plain words" not in s3.get_object(Bucket=bucket, Key=each["Key"])["Body"].read()
