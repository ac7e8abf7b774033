"""Mail's queue and its sender, on moto's SQS and SES."""

import boto3
import pytest
from moto import mock_aws
from moto.core import DEFAULT_ACCOUNT_ID
from moto.ses.models import ses_backends

from platforma.adapters.ses import SESMailer
from platforma.adapters.sqs import SQSLinkRequests, read_request
from platforma.identity.links import LinkRequest
from platforma.identity.mail import letter
from platforma.kernel.errors import Broken, Unavailable

REGION = "eu-central-1"


@pytest.fixture(autouse=True)
def _aws(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    with mock_aws():
        yield


@pytest.mark.parametrize("request_", [LinkRequest("ten_1", user_id="usr_1"), LinkRequest("ten_1", email="é@acme.test")])
def test_a_request_is_read_from_the_queue_as_it_was_put(request_):
    client = boto3.client("sqs", region_name=REGION)
    url = client.create_queue(QueueName="mail")["QueueUrl"]

    SQSLinkRequests(url, REGION).put(request_)

    (message,) = client.receive_message(QueueUrl=url)["Messages"]
    assert read_request(message["Body"]) == request_


def test_without_the_queue_a_request_is_not_taken():
    with pytest.raises(Unavailable):
        SQSLinkRequests(f"https://sqs.{REGION}.amazonaws.com/123456789012/none", REGION).put(LinkRequest("ten_1"))


@pytest.mark.parametrize("body", ["", "[]", "{}", '{"tenant_id": "ten_1"}', '{"tenant_id": 1, "user_id": null}'])
def test_what_is_no_request_of_ours_is_an_alarm(body):
    with pytest.raises(Broken):
        read_request(body)


def test_a_letter_goes_from_our_address_to_one_person_as_plain_text():
    boto3.client("ses", region_name=REGION).verify_email_identity(EmailAddress="no-reply@platforma.test")

    SESMailer("no-reply@platforma.test", REGION).send(
        "ada@acme.test", letter("reset", "https://platforma.test/reset?token=t")
    )

    (sent,) = ses_backends[DEFAULT_ACCOUNT_ID][REGION].sent_messages
    assert (sent.source, sent.destinations["ToAddresses"]) == ("no-reply@platforma.test", ["ada@acme.test"])
    assert sent.subject == "Your new password / Ihr neues Passwort"
    assert sent.body.count("https://platforma.test/reset?token=t") == 2


def test_mail_from_an_address_that_is_not_ours_is_not_taken():
    with pytest.raises(Unavailable):
        SESMailer("stranger@platforma.test", REGION).send("ada@acme.test", letter("invitation", "https://platforma.test"))
