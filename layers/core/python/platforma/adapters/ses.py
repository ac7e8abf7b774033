"""Mail by Amazon SES."""

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from platforma.identity.mail import Letter
from platforma.kernel.errors import Unavailable


class SESMailer:
    """`Mailer`, from the address *sender*, which must be verified with SES."""

    def __init__(self, sender: str, region: str) -> None:
        self._sender = sender
        config = Config(connect_timeout=2, read_timeout=5, retries={"total_max_attempts": 3, "mode": "standard"})
        self._client = boto3.client("sesv2", region_name=region, config=config)

    def send(self, to: str, letter: Letter) -> None:
        """See `Mailer.send`."""
        content = {
            "Simple": {
                "Subject": {"Data": letter.subject, "Charset": "UTF-8"},
                "Body": {"Text": {"Data": letter.text, "Charset": "UTF-8"}},
            }
        }
        try:
            self._client.send_email(FromEmailAddress=self._sender, Destination={"ToAddresses": [to]}, Content=content)
        except (BotoCoreError, ClientError) as error:
            raise Unavailable("The mail was not taken.", cause=type(error).__name__) from error
