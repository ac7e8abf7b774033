"""Objects and uploads through the functions: bytes there and back, ranges, conditions, versions, parts in any order."""

import base64
import hashlib
import os
from urllib.parse import quote

import boto3
import pytest

from platforma import bootstrap
from platforma.keys.objects import uploads
from platforma.keys.objects.model import PART_BYTES
from tests.world import REGION, Tenant, World, running

MIB = 1 << 20


@pytest.fixture(scope="module")
def world():
    with pytest.MonkeyPatch.context() as patch, running(patch) as made:
        yield made


@pytest.fixture(scope="module")
def tenant(world: World) -> Tenant:
    return world.tenant()


@pytest.fixture(scope="module")
def other(world: World) -> Tenant:
    return world.tenant("other", "admin@other.test")


def put(tenant: Tenant, key: str, body: bytes = b"hello", **headers: str):
    return tenant.call("PUT", f"/v1/objects/{key}", raw=body, headers=headers)


def get(tenant: Tenant, key: str, **headers: str):
    return tenant.call("GET", f"/v1/objects/{key}", headers=headers)


def raw(reply) -> bytes:
    return reply.text.encode("latin-1")


@pytest.mark.parametrize("size", [0, 1, MIB - 1, MIB, MIB + 1, PART_BYTES])
def test_what_was_put_is_got(tenant, size):
    body = os.urandom(size)

    stored = put(tenant, f"sizes/{size}", body, **{"Content-Type": "text/csv"})
    read = get(tenant, f"sizes/{size}")

    assert (stored.status, stored.json["size"], stored.json["checksum"]) == (200, size, hashlib.sha256(body).hexdigest())
    assert (read.status, raw(read)) == (200, body)
    assert (read.headers["x-object-type"], read.headers["etag"]) == ("text/csv", '"v1"')
    digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
    assert read.headers["repr-digest"] == f"sha-256=:{digest}:"


def test_what_tenants_store_is_never_rendered(tenant):
    put(tenant, "page.html", b"<script>", **{"Content-Type": "text/html"})

    read = get(tenant, "page.html")

    assert read.headers["content-type"] == "application/octet-stream"
    assert read.headers["content-disposition"].startswith("attachment")
    assert read.headers["x-content-type-options"] == "nosniff"


def test_more_than_four_mebibytes_is_too_large(tenant):
    assert put(tenant, "large", bytes(PART_BYTES + 1)).status == 413


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=0-", 0, 3 * MIB),
        ("bytes=-5", 3 * MIB - 5, 3 * MIB),
        (f"bytes={MIB - 1}-{MIB}", MIB - 1, MIB + 1),
        (f"bytes={MIB}-{2 * MIB - 1}", MIB, 2 * MIB),
        (f"bytes={3 * MIB - 1}-{9 * MIB}", 3 * MIB - 1, 3 * MIB),
        (f"bytes=7-{10**24}", 7, 3 * MIB),
        ("Bytes=0-1", 0, 2),
    ],
)
def test_a_range_is_just_those_bytes(tenant, asked, start, end):
    body = b"".join(bytes([n]) * MIB for n in range(3))
    put(tenant, "range", body, **{"If-Match": "*"}) if get(tenant, "range").status == 200 else put(tenant, "range", body)

    read = get(tenant, "range", Range=asked)

    assert (read.status, read.headers["content-range"]) == (206, f"bytes {start}-{end - 1}/{3 * MIB}")
    assert raw(read) == body[start:end]


def test_a_range_outside_says_how_much_there_is(tenant):
    put(tenant, "short")

    read = get(tenant, "short", Range="bytes=5-")

    assert (read.status, read.headers["content-range"]) == (416, "bytes */5")


@pytest.mark.parametrize("asked", ["bytes=0-1,3-4", "bytes=-", "items=0-1", "bytes=4-2", "bytes=a-b"])
def test_what_is_no_single_range_of_bytes_is_ignored(tenant, asked):
    put(tenant, f"ignored/{quote(asked)}")

    assert get(tenant, f"ignored/{quote(asked)}", Range=asked).status == 200


def test_a_range_for_another_version_is_ignored(tenant):
    put(tenant, "if-range")

    assert get(tenant, "if-range", **{"Range": "bytes=0-0", "If-Range": '"v9"'}).status == 200
    assert get(tenant, "if-range", **{"Range": "bytes=0-0", "If-Range": '"v1"'}).status == 206


def test_head_tells_all_but_the_bytes(tenant):
    put(tenant, "head", b"12345")

    told = tenant.call("HEAD", "/v1/objects/head")

    assert (told.status, told.text) == (200, "")
    assert (told.headers["x-object-size"], told.headers["etag"]) == ("5", '"v1"')


def test_who_has_it_already_is_told_so(tenant):
    put(tenant, "cached")

    assert get(tenant, "cached", **{"If-None-Match": '"v1"'}).status == 304
    assert get(tenant, "cached", **{"If-None-Match": '"v2"'}).status == 200


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_who_wants_one_version_gets_no_other(tenant, method):
    """Section 13.1.1: a download that is gone on with is of the version that it began with."""
    put(tenant, "wanted")

    def status(wanted: str) -> int:
        return tenant.call(method, "/v1/objects/wanted", headers={"If-Match": wanted}).status

    assert [status(wanted) for wanted in ('"v1"', "*", '"v9", "v1"', '"v2"', 'W/"v1"', "junk")] == [
        200,
        200,
        200,
        412,
        412,
        412,
    ]


def test_what_is_there_is_replaced_only_on_condition_and_old_versions_are_read_by_number(tenant):
    put(tenant, "versions", b"one")

    assert put(tenant, "versions", b"two").status == 428
    assert put(tenant, "versions", b"two", **{"If-None-Match": "*"}).status == 412
    assert put(tenant, "versions", b"two", **{"If-Match": '"v7"'}).status == 412
    assert put(tenant, "versions", b"two", **{"If-Match": '"v1"'}).json["version"] == 2
    assert raw(get(tenant, "versions")) == b"two"
    assert raw(get(tenant, "versions?version=1")) == b"one"
    assert get(tenant, "versions?version=3").status == 404


def test_deleted_it_is_gone_and_its_numbers_go_on(tenant):
    put(tenant, "deleted", b"one")

    assert tenant.call("DELETE", "/v1/objects/deleted").status == 428
    assert tenant.call("DELETE", "/v1/objects/deleted", headers={"If-Match": '"v1"'}).status == 204
    assert get(tenant, "deleted").status == 404
    assert tenant.call("DELETE", "/v1/objects/deleted", headers={"If-Match": "*"}).status == 404
    assert raw(get(tenant, "deleted?version=1")) == b"one"
    assert put(tenant, "deleted", b"two").json["version"] == 3


def test_a_body_is_held_to_the_digest_that_it_brings(tenant):
    good = base64.b64encode(hashlib.sha256(b"hello").digest()).decode()
    bad = base64.b64encode(hashlib.sha256(b"hellO").digest()).decode()

    assert put(tenant, "digest", b"hello", **{"Content-Digest": f"sha-256=:{bad}:"}).json["code"] == "digest_mismatch"
    assert put(tenant, "digest", b"hello", **{"Repr-Digest": f"md5=:AA==:, sha-256=:{good}:"}).status == 200


def test_a_prefix_lists_what_begins_with_it_page_by_page(tenant):
    for name in ("list/a/1", "list/a/2", "list/ab/3", "list/b/4", "listing"):
        put(tenant, name)

    def listed(prefix: str, limit: int = 50) -> set[str]:
        keys, cursor = [], ""
        while True:
            page = tenant.call("GET", f"/v1/objects?prefix={prefix}&limit={limit}{cursor}", expect=200).json
            keys += [item["key"] for item in page["items"]]
            if page["next_cursor"] is None:
                assert len(keys) == len(set(keys))
                return set(keys)
            cursor = f"&cursor={page['next_cursor']}"

    assert listed("list/a/") == {"list/a/1", "list/a/2"}
    assert listed("list/a") == {"list/a/1", "list/a/2", "list/ab/3"}
    assert listed("list", 2) == {"list/a/1", "list/a/2", "list/ab/3", "list/b/4", "listing"}
    assert listed("nothing/") == set()


@pytest.mark.parametrize(
    "key",
    [
        "..",
        "a/../b",
        "./a",
        "a//b",
        "a/",
        "a\\b",
        "a\x00b",
        "a\u202eb",
        "e\u0301",
        "x" * 1025,
        "/".join("a" * 33),
        "\ud800",
        "a\ufffd",
    ],
)
def test_what_could_be_mistaken_for_another_key_is_none(tenant, key):
    function, event = tenant.world.event("PUT", "/v1/objects/x", headers={}, body=b"x")
    event["pathParameters"] = {"key": key}
    event["headers"] = event["multiValueHeaders"] = None
    event["multiValueHeaders"] = {"Authorization": [f"Bearer {tenant.token}"]}

    answer = tenant.world.function(function).handler(event, None)

    assert answer["statusCode"] == 422


@pytest.mark.parametrize("key", ["a b", "ä/ö.txt", "日本/語", "a%b", "a+b", "~", "a?b"])
def test_other_names_are_what_they_are(tenant, key):
    put(tenant, f"names/{quote(key, safe='/')}")
    keys = [item["key"] for item in tenant.call("GET", "/v1/objects?prefix=names/", expect=200).json["items"]]

    assert f"names/{key}" in keys


def test_another_tenants_object_does_not_exist(tenant, other):
    put(tenant, "mine")

    assert get(other, "mine").status == 404
    assert other.call("HEAD", "/v1/objects/mine").status == 404
    assert other.call("DELETE", "/v1/objects/mine", headers={"If-Match": "*"}).status == 404
    assert other.call("GET", "/v1/objects", expect=200).json["items"] == []


def start(tenant: Tenant, key: str) -> str:
    return tenant.call("POST", "/v1/uploads", {"key": key}, expect=201).json["id"]


def send(tenant: Tenant, upload: str, n: int, body: bytes):
    return tenant.call("PUT", f"/v1/uploads/{upload}/parts/{n}", raw=body)


def complete(tenant: Tenant, upload: str, parts: dict[int, str], **headers: str):
    body = {"parts": [{"n": n, "sha256": sha256} for n, sha256 in parts.items()]}
    return tenant.call("POST", f"/v1/uploads/{upload}/complete", body, headers=headers)


def test_parts_in_any_order_and_sent_again_make_the_object(tenant):
    pieces = {3: os.urandom(700_000), 1: os.urandom(PART_BYTES), 2: os.urandom(MIB + 5)}
    upload = start(tenant, "big/one")
    send(tenant, upload, 2, b"a first try")
    told = {n: send(tenant, upload, n, body).json["sha256"] for n, body in pieces.items()}

    made = complete(tenant, upload, told)
    whole = b"".join(pieces[n] for n in (1, 2, 3))

    assert (made.status, made.json["size"]) == (200, len(whole))
    read = b""
    while len(read) < len(whole):
        answer = get(tenant, "big/one", Range=f"bytes={len(read)}-")
        assert answer.status == 206
        read += raw(answer)
    assert read == whole
    edge = get(tenant, "big/one", Range=f"bytes={PART_BYTES - 3}-{PART_BYTES + 2}")
    assert raw(edge) == whole[PART_BYTES - 3 : PART_BYTES + 3]
    assert get(tenant, "big/one").status == 413


def test_completing_twice_is_once(tenant):
    upload = start(tenant, "big/twice")
    told = {1: send(tenant, upload, 1, b"x").json["sha256"]}

    first, second = complete(tenant, upload, told), complete(tenant, upload, told)

    assert (first.status, second.status) == (200, 200)
    assert first.json == second.json


@pytest.mark.parametrize("parts", [{1: "0" * 64}, {2: hashlib.sha256(b"x").hexdigest()}])
def test_a_part_that_is_not_what_was_sent_makes_nothing(tenant, parts):
    upload = start(tenant, "big/mismatch")
    send(tenant, upload, 1, b"x")

    assert complete(tenant, upload, parts).json["code"] == "part_mismatch"
    assert get(tenant, "big/mismatch").status == 404


def test_a_part_named_twice_makes_nothing(tenant):
    upload, sha256 = start(tenant, "big/named"), hashlib.sha256(b"x").hexdigest()
    send(tenant, upload, 1, b"x")
    body = {"parts": [{"n": 1, "sha256": sha256}, {"n": 1, "sha256": sha256}]}

    assert tenant.call("POST", f"/v1/uploads/{upload}/complete", body).status == 422


def test_parts_that_come_to_more_than_five_gibibytes_make_nothing(tenant, monkeypatch):
    assert uploads.MAX_BYTES == 5 << 30
    monkeypatch.setattr(uploads, "MAX_BYTES", 3)
    upload = start(tenant, "big/too")
    told = {n: send(tenant, upload, n, b"xx").json["sha256"] for n in (1, 2)}

    assert complete(tenant, upload, told).status == 413
    assert get(tenant, "big/too").status == 404


def test_an_upload_replaces_an_object_only_on_condition(tenant):
    put(tenant, "big/there")
    upload = start(tenant, "big/there")
    told = {1: send(tenant, upload, 1, b"x").json["sha256"]}

    assert complete(tenant, upload, told).status == 428
    assert complete(tenant, upload, told, **{"If-Match": '"v1"'}).json["version"] == 2


def test_an_aborted_or_late_upload_takes_nothing_more(world, tenant):
    aborted, late = start(tenant, "big/aborted"), start(tenant, "big/late")
    told = {1: send(tenant, aborted, 1, b"x").json["sha256"]}
    assert tenant.call("DELETE", f"/v1/uploads/{aborted}").status == 204

    assert send(tenant, aborted, 2, b"x").json["code"] == "upload_ended"
    assert complete(tenant, aborted, told).json["code"] == "upload_ended"
    assert tenant.call("DELETE", f"/v1/uploads/{aborted}").status == 409
    world.clock.move(hours=24)
    assert send(tenant, late, 1, b"x").json["code"] == "upload_ended"


def test_another_tenants_upload_does_not_exist(tenant, other):
    upload = start(tenant, "big/mine")

    assert send(other, upload, 1, b"x").status == 404
    assert complete(other, upload, {1: "0" * 64}).status == 404
    assert other.call("DELETE", f"/v1/uploads/{upload}").status == 404


@pytest.mark.parametrize("n", ["0", "2049", "-1", "x", "1e3", "٣"])
def test_a_part_has_a_number(tenant, n):
    upload = start(tenant, "big/numbers")

    assert tenant.call("PUT", f"/v1/uploads/{upload}/parts/{n}", raw=b"x").status == 422


def test_nothing_of_a_key_or_its_bytes_is_in_a_table_a_bucket_or_an_event(world, tenant):
    put(tenant, "patients/ada-lovelace.txt", b"a very private content")
    get(tenant, "patients/ada-lovelace.txt")

    dynamodb, s3 = boto3.client("dynamodb", region_name=REGION), boto3.client("s3", region_name=REGION)
    kept = "".join(str(dynamodb.scan(TableName=table)["Items"]) for table in bootstrap.TABLES)
    for found in s3.list_objects_v2(Bucket="platforma-objects")["Contents"]:
        kept += found["Key"] + str(s3.get_object(Bucket="platforma-objects", Key=found["Key"])["Body"].read())
    kept += str(tenant.events(action="objects.*"))
    for secret in ("lovelace", "patients", "very private"):
        assert secret not in kept
    names = {event["resource"] for event in tenant.events(action="objects.objects.put", limit="1")}
    assert names == {tenant.call("HEAD", "/v1/objects/patients/ada-lovelace.txt").headers["x-object-id"]}
