"""What a person may ask of us: what is known of them, and to be forgotten; the log verifies before and after."""

import base64
from pathlib import Path

import boto3
import pytest

from platforma import bootstrap
from platforma.adapters.columns import ColdColumns
from platforma.adapters.dynamodb.person_keys import DynamoDBPersonKeys
from platforma.audit import note, tree
from platforma.audit.note import parse_key
from platforma.audit.verification import Stored, Trusted
from platforma.audit.verify import verify
from platforma.kernel.clock import rfc3339
from platforma.kernel.events import Attempt, Event
from platforma.oauth.consents.model import Consent
from platforma.oauth.sessions.model import new_session
from tests.world import BUCKET, COLD, PASSWORD, REGION, Tenant, World

QUESTION = {"action": "infrastructure.clusters.get", "resource": {"type": "cluster", "id": "cls_eu01"}}


class Bucket:
    """`Source`: the audit bucket, its locks left aside."""

    def __init__(self) -> None:
        self.s3 = boto3.client("s3", region_name=REGION)

    def names(self):
        return [found["Key"] for found in self.s3.list_objects_v2(Bucket=BUCKET)["Contents"]]

    def read(self, name: str) -> Stored:
        return Stored(self.s3.get_object(Bucket=BUCKET, Key=name)["Body"].read())

    def faults(self):
        return ()


def whole(tenant: Tenant) -> bool:
    keys = tenant.call("GET", f"/audit/{tenant.id}/keys", expect=200).json["keys"]
    report = verify(Bucket(), Trusted(named=tuple(parse_key(key) for key in keys)), only=[tenant.id])
    return report.whole


def an_event(world: World, tenant: Tenant) -> Event:
    return Attempt("r", "settings.consents.create", world.clock, tenant_id=tenant.id, principal_type="system").event(
        "success"
    )


def key_of(tenant: Tenant, user_id: str) -> dict[str, str]:
    body = {"name": "k", "environment": "live", "scopes": ["infrastructure:read"], "owner": {"type": "user", "id": user_id}}
    return tenant.call("POST", "/v1/api-keys", body, expect=201).json


@pytest.fixture
def ada(world: World, tenant: Tenant) -> str:
    """A person of whom the log tells."""
    made = tenant.user("ada@acme.test")
    tenant.call("PATCH", f"/v1/users/{made}", {"name": "Ada L."}, headers={"If-Match": "*"}, expect=200)
    world.clock.move(minutes=2)
    world.sweep()
    return made


def erased(world: World, tenant: Tenant, user_id: str) -> dict[str, object]:
    tenant.call("POST", f"/v1/users/{user_id}/erasure", expect=202)
    for _ in range(3):
        world.clock.move(minutes=11)
        world.sweep()
        world.erase()
    return tenant.call("GET", f"/v1/users/{user_id}/erasure", expect=200).json


def test_an_erased_person_is_gone_from_index_and_log_and_the_log_verifies(world: World, tenant: Tenant, ada: str):
    assert whole(tenant)
    assert "ada@acme.test" in str(tenant.events(resource=ada))

    certificate = erased(world, tenant, ada)

    assert (certificate["status"], certificate["user_id"]) == ("done", ada)
    assert tenant.call("GET", f"/v1/users/{ada}").status == 404
    told = tenant.events(resource=ada)
    assert {event["action"] for event in told} >= {"settings.users.create", "settings.users.erase"}
    assert "ada@acme.test" not in str(told)
    assert "Ada" not in str(told)
    assert whole(tenant)


def parquet(folder: Path) -> str:
    """All that lies in the bucket of old events."""
    s3, found = boto3.client("s3", region_name=REGION), []
    for kept in s3.list_objects_v2(Bucket=COLD).get("Contents", []):
        s3.download_file(COLD, kept["Key"], str(folder / "found"))
        found += ColdColumns().rows(folder / "found")
    return str(found)


def test_an_erased_person_is_taken_out_of_old_events_before_it_is_said_to_be_done(
    world: World, tenant: Tenant, ada: str, tmp_path: Path
):
    assert world.old_events("compact")["cold"]["behind"] == 0
    assert "ada@acme.test" in parquet(tmp_path)

    certificate = erased(world, tenant, ada)

    assert (certificate["status"], certificate["cold_rewritten"]) == ("done", 1)
    assert "ada@acme.test" not in parquet(tmp_path)
    assert ada in parquet(tmp_path)


def test_its_certificate_shows_that_the_log_only_grew(world: World, tenant: Tenant, ada: str):
    certificate = erased(world, tenant, ada)
    keys = [parse_key(key) for key in tenant.call("GET", f"/audit/{tenant.id}/keys", expect=200).json["keys"]]

    before, after = (note.verify(certificate[name][tenant.id].encode(), keys) for name in ("before", "after"))

    shown = tenant.call("GET", f"/v1/audit/consistency?from={before.size}&to={after.size}", expect=200).json
    path = [base64.b64decode(hash_) for hash_ in shown["hashes"]]
    tree.verify_consistency(before.size, after.size, path, before.root, after.root)
    assert before.size < after.size


def test_erasure_is_asked_for_once(world: World, tenant: Tenant, ada: str):
    tenant.call("POST", f"/v1/users/{ada}/erasure", expect=202)

    assert tenant.call("POST", f"/v1/users/{ada}/erasure").status == 409


def test_who_was_deleted_before_is_erased_all_the_same(world: World, tenant: Tenant, ada: str):
    tenant.call("DELETE", f"/v1/users/{ada}", headers={"If-Match": "*"}, expect=204)

    assert erased(world, tenant, ada)["status"] == "done"
    assert "ada@acme.test" not in str(tenant.events(resource=ada))


def test_nobody_is_erased_by_another_tenant_or_as_the_last_administrator(world: World, tenant: Tenant, ada: str):
    other = world.tenant("other", "admin@other.test")

    assert other.call("POST", f"/v1/users/{ada}/erasure").status == 404
    assert other.call("GET", f"/v1/users/{ada}/erasure").status == 404
    assert tenant.call("POST", f"/v1/users/{tenant.admin_id}/erasure").status == 409
    assert tenant.call("GET", f"/v1/users/{ada}/erasure").status == 404


def test_a_data_export_has_the_person_and_what_the_log_tells_of_their_acts(world: World, tenant: Tenant):
    ada = tenant.user("ada@acme.test", roles=("viewer",))

    archive = tenant.call("GET", f"/v1/users/{ada}/data-export", expect=200).json

    assert (archive["user"]["email"], archive["roles"]) == (
        "ada@acme.test",
        [
            {
                "role": "viewer",
                "source": "direct",
                "managed_by": "manual",
                "group_id": None,
                **dict.fromkeys(("connection_id", "mapped_group", "at")),
                "given_by": {"type": "oauth_client", "id": tenant.client["client_id"]},
                "given_at": rfc3339(world.clock()),
            }
        ],
    )
    assert (archive["kept"], archive["next_cursor"]) == (
        {"directory": [], "factors": [], "api_keys": [], "sessions": [], "consents": [], "grants": []},
        None,
    )
    (told,) = archive["events"]
    assert (told["action"], told["changes"]["after"]["email"]) == ("settings.users.create", "ada@acme.test")
    assert PASSWORD not in str(archive)
    (event,) = tenant.events(action="settings.users.disclose")
    assert event["resource"] == ada


def test_it_has_the_persons_keys_and_what_was_asked_about_them_but_nobody_elses_address(world: World, tenant: Tenant):
    ada = tenant.user("ada@acme.test", roles=("viewer",))
    key = key_of(tenant, ada)
    world.call("GET", "/v1/me", token=key["key"], ip="198.51.100.8")
    about = {"principal": {"type": "user", "id": ada}, **QUESTION}
    tenant.call("POST", "/v1/authorize", about, expect=200)

    first = world.call("GET", f"/v1/users/{ada}/data-export", token=key["key"], ip="198.51.100.8").json

    (kept,) = first["kept"]["api_keys"]
    assert (kept["id"], kept["last_used_ip"]) == (key["id"], "198.51.100.8")
    assert key["key"] not in str(first)
    told = {event["action"]: event["ip_address"] for event in first["events"]}
    assert told == {"settings.users.create": None, "decisions.decisions.read": None, "settings.me.get": "198.51.100.8"}


def test_it_has_what_they_allowed_and_where_they_are_signed_in_and_consents_go_with_them(world: World, tenant: Tenant, ada):
    now = world.clock()
    for number in range(101):  # more than a page
        consent = Consent(tenant.id, ada, f"cli_{number:03}", ("openid",), now, now)
        bootstrap.consents().put(consent, an_event(world, tenant))
    session, _ = new_session(tenant.id, ada, amr=("pwd",), now=now, interaction=None, of=None)
    bootstrap.sessions().add(session, an_event(world, tenant))

    kept = tenant.call("GET", f"/v1/users/{ada}/data-export", expect=200).json["kept"]
    tenant.call("POST", f"/v1/users/{ada}/erasure", expect=202)

    assert len({each["client_id"] for each in kept["consents"]}) == 101
    assert [each["id"] for each in kept["sessions"]] == [session.id]
    assert bootstrap.consents().of_user(tenant.id, ada, limit=1, after=None) == ([], None)


def test_its_pages_follow_upon_each_other(world: World, tenant: Tenant, ada: str):
    where, ids = f"/v1/users/{ada}/data-export?limit=1", []
    page = tenant.call("GET", where, expect=200).json
    while True:
        ids += [event["id"] for event in page["events"]]
        if page["next_cursor"] is None:
            break
        page = tenant.call("GET", f"{where}&cursor={page['next_cursor']}", expect=200).json
        assert page["kept"] == {}

    assert len(ids) == len(set(ids)) == 2


def test_an_erased_persons_keys_leave_nothing_behind(world: World, tenant: Tenant, ada: str):
    key = key_of(tenant, ada)

    tenant.call("POST", f"/v1/users/{ada}/erasure", expect=202)

    assert tenant.call("GET", f"/v1/api-keys/{key['id']}").status == 404
    assert world.call("GET", "/v1/me", token=key["key"]).status == 401
    assert ada not in str(tenant.call("GET", "/v1/api-keys", expect=200).json)


def test_who_was_only_asked_about_is_erased_from_the_index(world: World, tenant: Tenant, ada: str):
    about = {"principal": {"type": "user", "id": ada, "attributes": {"level": 3}}, **QUESTION}
    tenant.call("POST", "/v1/authorize", about, expect=200)
    world.sweep()
    (event,) = tenant.events(action="decisions.decisions.read")

    erased(world, tenant, ada)

    (after,) = tenant.events(action="decisions.decisions.read")
    assert after["id"] == event["id"]
    assert "attributes" in str(event)
    assert "attributes" not in after["decision"]["principal"]


def test_a_new_tenants_administrator_is_named_to_the_platform_by_id_alone(world: World, tenant: Tenant):
    platform = world.token(world.platform_client)

    told = world.call("GET", "/v1/audit/events?action=platform.tenants.create", token=platform).json["items"]

    assert tenant.admin_id in str(told)
    assert "admin@acme.test" not in str(told)


def test_a_persons_data_is_shown_to_them_and_to_those_who_manage_people_alone(world: World, tenant: Tenant):
    ada = tenant.user("ada@acme.test")
    other = world.tenant("other", "admin@other.test")
    reader = world.token(tenant.client_with(roles=("viewer",), scopes=("settings:read",)))

    assert other.call("GET", f"/v1/users/{ada}/data-export").status == 404
    assert world.call("GET", f"/v1/users/{ada}/data-export", token=reader).status == 404


def test_a_relay_that_comes_second_with_a_persons_key_uses_the_first(world: World, tenant: Tenant, ada: str):
    tenant.call("PATCH", f"/v1/users/{ada}", {"name": "Ada B."}, headers={"If-Match": "*"}, expect=200)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DynamoDBPersonKeys, "find", lambda *_asked: {})  # as if the key were made right after this
        world.sweep()

    assert whole(tenant)
