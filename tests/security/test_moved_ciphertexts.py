"""Who may write tables and bucket, and has no key, puts ciphertexts in the places of others: nobody is told another's."""

import hashlib
from itertools import permutations

import boto3
import pytest

from platforma import bootstrap
from platforma.adapters.dynamodb.sealed_records import DynamoDBSealedRecords
from platforma.keys.encryption.ports import SealedRecord
from tests.world import OBJECTS, Tenant, World, running


@pytest.fixture
def world():
    with pytest.MonkeyPatch.context() as patch, running(patch) as made:
        yield made


@pytest.fixture
def tenant(world: World) -> Tenant:
    return world.tenant("acme", "admin@acme.test")


def records(world: World) -> tuple[DynamoDBSealedRecords, list[SealedRecord]]:
    """Everything sealed in every table."""
    store = DynamoDBSealedRecords({name: name for name in bootstrap.TABLES})
    found = []
    for table in store.tables:
        after: str | None = None
        while True:
            page, after = store.page(table, after)
            found += page
            if after is None:
                break
    return store, found


def of_user(found: list[SealedRecord], user_id: str) -> list[SealedRecord]:
    """What is sealed of a person in the directory."""
    return [one for one in found if one.table == "identity" and user_id in one.sk]


def test_the_fields_of_people_are_sealed_each_for_its_place(world: World, tenant: Tenant):
    ada, grace = tenant.user("ada@acme.test"), tenant.user("grace@acme.test")
    store, found = records(world)
    mine, hers = of_user(found, ada), of_user(found, grace)
    assert mine
    assert [one.path for one in mine] == [one.path for one in hers]

    before, alarms = tenant.call("GET", f"/v1/users/{ada}", expect=200).json, 0
    for place, other in zip(mine, hers, strict=True):
        assert store.replace(place, other.ciphertext)
        reply = tenant.call("GET", f"/v1/users/{ada}")
        alarms += reply.status == 500
        assert reply.status == 500 or reply.json == before, "it is our own alarm, or what is not shown here"
        assert "grace" not in reply.text
        moved = SealedRecord(place.table, place.pk, place.sk, place.path, other.ciphertext)
        assert store.replace(moved, place.ciphertext)
    assert alarms
    assert tenant.call("GET", f"/v1/users/{ada}", expect=200).json == before


def test_another_tenants_fields_open_in_nobody_elses_place(world: World, tenant: Tenant):
    other = world.tenant("other", "admin@other.test")
    ada, eve = tenant.user("ada@acme.test"), other.user("eve@other.test")
    store, found = records(world)

    for place, foreign in zip(of_user(found, eve), of_user(found, ada), strict=True):
        assert store.replace(place, foreign.ciphertext)
    reply = other.call("GET", f"/v1/users/{eve}")

    assert reply.status == 500
    assert "ada" not in reply.text


def test_a_record_with_its_associated_data_stripped_does_not_open(world: World, tenant: Tenant):
    """The header that says whose it is cut out, emptied, or made another's."""
    ada = tenant.user("ada@acme.test")
    place = next(one for one in of_user(records(world)[1], ada) if one.sk == f"USER#{ada}" and one.path == ("person",))
    own = tenant.id.encode()
    other = world.tenant("other", "admin@other.test").id.encode()
    at = place.ciphertext.index(own)
    stripped = [
        place.ciphertext[: at - 1] + b"\x00" + place.ciphertext[at + len(own) :],
        place.ciphertext.replace(own, other, 1),
        place.ciphertext[at + len(own) :],
        b"",
        place.ciphertext[:1] + place.ciphertext[-60:],
    ]

    for text in stripped:
        boto3.client("dynamodb").update_item(
            TableName="identity",
            Key={"pk": {"S": place.pk}, "sk": {"S": place.sk}},
            UpdateExpression="SET #f = :v",
            ExpressionAttributeNames={"#f": str(place.path[0])},
            ExpressionAttributeValues={":v": {"B": text}},
        )
        assert tenant.call("GET", f"/v1/users/{ada}").status in (500, 503)


def uploaded(tenant: Tenant, key: str, parts: list[bytes]) -> None:
    made = tenant.call("POST", "/v1/uploads", {"key": key}, expect=201).json
    for number, part in enumerate(parts, 1):
        tenant.call("PUT", f"/v1/uploads/{made['id']}/parts/{number}", raw=part, expect=200)
    told = [{"n": number, "sha256": hashlib.sha256(part).hexdigest()} for number, part in enumerate(parts, 1)]
    tenant.call("POST", f"/v1/uploads/{made['id']}/complete", {"parts": told}, expect=200)


def test_the_parts_of_two_uploads_do_not_mix_whoever_moves_them_in_the_bucket(world: World, tenant: Tenant):
    uploaded(tenant, "one.bin", [b"a" * 1000, b"b" * 1000])
    uploaded(tenant, "two.bin", [b"c" * 1000, b"d" * 1000])
    s3 = boto3.client("s3")
    names = [each["Key"] for each in s3.list_objects_v2(Bucket=OBJECTS)["Contents"]]
    bodies = {name: s3.get_object(Bucket=OBJECTS, Key=name)["Body"].read() for name in names}
    assert len(names) == 4

    for place, other in permutations(names, 2):
        s3.put_object(Bucket=OBJECTS, Key=place, Body=bodies[other])
        replies = [tenant.call("GET", f"/v1/objects/{key}") for key in ("one.bin", "two.bin")]
        assert sorted(reply.status for reply in replies) == [200, 500]
        s3.put_object(Bucket=OBJECTS, Key=place, Body=bodies[place])
    tenant.call("GET", "/v1/objects/one.bin", expect=200)


def test_a_part_that_is_shortened_lengthened_or_gone_in_the_bucket_is_no_object(world: World, tenant: Tenant):
    uploaded(tenant, "one.bin", [b"a" * 1000])
    s3 = boto3.client("s3")
    name = s3.list_objects_v2(Bucket=OBJECTS)["Contents"][0]["Key"]
    body = s3.get_object(Bucket=OBJECTS, Key=name)["Body"].read()

    for changed in (body[:-1], body + b"\x00", body * 2, b"", body[16:]):
        s3.put_object(Bucket=OBJECTS, Key=name, Body=changed)
        reply = tenant.call("GET", "/v1/objects/one.bin")
        whole = reply.status == 200 and reply.text == "a" * 1000 and changed.startswith(body)  # what is behind is not read
        assert whole or (reply.status in (500, 503) and "aaaa" not in reply.text)
    s3.delete_object(Bucket=OBJECTS, Key=name)
    assert tenant.call("GET", "/v1/objects/one.bin").status in (500, 503)


def key_items(marks: tuple[str, ...]) -> list[dict]:
    """What stands in the Key table under partitions with these marks."""
    found = boto3.client("dynamodb").scan(TableName="key")["Items"]
    return [item for item in found if any(mark in item["pk"]["S"] for mark in marks) and "sealed" in item]


def put(*items: dict) -> None:
    for item in items:
        boto3.client("dynamodb").put_item(TableName="key", Item=item)


@pytest.mark.parametrize("taken", [("sealed",), ("manifest",), ("sealed", "manifest"), ("sealed", "manifest", "version")])
def test_versions_of_objects_are_not_exchanged_whichever_attributes_are(
    world: World, tenant: Tenant, taken: tuple[str, ...]
):
    """But for one: a version of the object's own, put back whole in the newest's place, is what it was."""
    bodies = [("one.bin", b"one", {}), ("two.bin", b"two", {}), ("one.bin", b"new", {"If-Match": "*"})]
    for key, body, headers in bodies:
        tenant.call("PUT", f"/v1/objects/{key}", raw=body, headers=headers, expect=200)
    reads = ("/v1/objects/one.bin", "/v1/objects/two.bin", "/v1/objects/one.bin?version=1", "/v1/objects?prefix=")
    before = [tenant.call("GET", path, expect=200).text for path in reads]
    items = key_items(("#OBJECT",))
    assert len(items) == 3

    for place, other in permutations(items, 2):
        if "version" in taken and other["pk"]["S"].endswith(f"#OBJECT#{place['sk']['S']}"):
            continue
        put(place | {name: other[name] for name in taken})
        replies = [tenant.call("GET", path) for path in reads]
        assert all(reply.status in (404, 500) or reply.text == text for reply, text in zip(replies, before, strict=True))
        assert {reply.status for reply in replies} & {404, 500}
        put(place)


def test_manifests_are_not_exchanged(world: World, tenant: Tenant):
    for key in ("one", "two"):
        tenant.call("PUT", f"/v1/objects/{key}", raw=key.encode(), expect=200)
    one, two = key_items(("#MANIFEST",))

    put(one | {"sealed": two["sealed"]}, two | {"sealed": one["sealed"]})

    assert [tenant.call("GET", f"/v1/objects/{key}").status for key in ("one", "two")] == [500, 500]


def test_uploads_and_their_parts_are_not_exchanged(world: World, tenant: Tenant):
    made = [tenant.call("POST", "/v1/uploads", {"key": key}, expect=201).json["id"] for key in ("one", "two")]
    for upload in made:
        for n in (1, 2):
            tenant.call("PUT", f"/v1/uploads/{upload}/parts/{n}", raw=b"the same", expect=200)
    told = {"parts": [{"n": n, "sha256": hashlib.sha256(b"the same").hexdigest()} for n in (1, 2)]}
    items = key_items(("#UPLOAD",))
    assert len(items) == 6

    for place, other in permutations(items, 2):
        if place["sk"]["S"][:4] == other["sk"]["S"][:4]:
            put(place | {"sealed": other["sealed"]})
            assert 500 in [tenant.call("POST", f"/v1/uploads/{upload}/complete", told).status for upload in made]
            put(*items)
            for item in key_items(("#OBJECT", "#MANIFEST")):
                boto3.client("dynamodb").delete_item(TableName="key", Key={name: item[name] for name in ("pk", "sk")})
