"""What proves a name in Route 53's zones (moto's): written, replaced, taken away, and nothing else touched."""

from collections.abc import Iterator

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber
from moto import mock_aws

from platforma.adapters.route53 import Route53
from platforma.certificates.errors import Refused
from platforma.certificates.model import Proof
from platforma.kernel.errors import Unavailable

PROOF = Proof("_acme-challenge.shop.example.com", ("one", "two"))


class Zones:
    """Two zones, one within the other; *dns* may write both."""

    def __init__(self) -> None:
        self.client = boto3.client("route53", region_name="us-east-1")
        self.ids = [
            self.client.create_hosted_zone(Name=f"{name}.", CallerReference=name)["HostedZone"]["Id"]
            for name in ("example.com", "shop.example.com")
        ]
        self.dns = Route53(self.ids, self.client)

    def texts(self, zone: int) -> dict[str, set[str]]:
        sets = self.client.list_resource_record_sets(HostedZoneId=self.ids[zone])["ResourceRecordSets"]
        return {
            each["Name"].rstrip("."): {value["Value"].strip('"') for value in each["ResourceRecords"]}
            for each in sets
            if each["Type"] == "TXT"
        }


@pytest.fixture
def zones() -> Iterator[Zones]:
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        patch.setenv("AWS_ACCESS_KEY_ID", "testing")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
        yield Zones()


def test_a_proof_is_written_into_the_closest_zone_with_all_its_values(zones: Zones):
    change = zones.dns.publish(PROOF)

    assert zones.dns.is_published(change)
    assert (zones.texts(0), zones.texts(1)) == ({}, {PROOF.name: {"one", "two"}})


def test_a_later_proof_takes_the_place_of_an_earlier_one(zones: Zones):
    zones.dns.publish(PROOF)

    zones.dns.publish(Proof(PROOF.name, ("three",)))

    assert zones.texts(1) == {PROOF.name: {"three"}}


def test_taken_away_it_is_gone_and_once_more_is_success_too(zones: Zones):
    zones.dns.publish(PROOF)

    zones.dns.remove(PROOF)
    zones.dns.remove(PROOF)

    assert zones.texts(1) == {}


def test_only_what_was_written_is_taken_away_and_what_took_its_place_stays(zones: Zones):
    """Route 53 deletes a record of exactly these values or refuses (ChangeAction); moto, unlike it, deletes by name."""
    zones.dns.publish(PROOF)  # its zones are known
    values = [{"Value": '"one"'}, {"Value": '"two"'}]
    record = {"Name": f"{PROOF.name}.", "Type": "TXT", "TTL": 10, "ResourceRecords": values}
    change = {"Changes": [{"Action": "DELETE", "ResourceRecordSet": record}]}
    asked = {"HostedZoneId": zones.ids[1], "ChangeBatch": change}
    with Stubber(zones.client) as stub:
        stub.add_client_error("change_resource_record_sets", "InvalidChangeBatch", expected_params=asked)
        zones.dns.remove(PROOF)

        stub.assert_no_pending_responses()


@pytest.mark.parametrize("name", ["_acme-challenge.example.org", "_acme-challenge.notexample.com", "_acme-challenge.com"])
def test_a_name_of_no_zone_of_ours_is_never_written(zones: Zones, name: str):
    with pytest.raises(Refused) as refused:
        zones.dns.publish(Proof(name, ("x",)))

    assert refused.value.lasting


@pytest.mark.parametrize("code", ["Throttling", "AccessDenied", "PriorRequestNotComplete", "InternalFailure"])
def test_a_route_53_that_does_not_do_it_now_is_tried_again_later(zones: Zones, code: str):
    zones.dns.publish(PROOF)  # its zones are known
    with Stubber(zones.client) as stub:
        stub.add_client_error("change_resource_record_sets", code)
        with pytest.raises(Unavailable):
            zones.dns.publish(PROOF)
        stub.add_client_error("get_change", code)
        with pytest.raises(Unavailable):
            zones.dns.is_published("change-1")


def test_a_zone_that_is_gone_is_unavailable(zones: Zones):
    dns = Route53(["Z000000000000"], zones.client)

    with pytest.raises(Unavailable):
        dns.publish(PROOF)
    with pytest.raises(ClientError):
        zones.client.get_hosted_zone(Id="Z000000000000")
