"""What boto3's adapters have in common."""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError

from platforma.kernel.errors import Unavailable


@contextmanager
def answering() -> Iterator[None]:
    """Tell of an AWS service's failures as what they are to a caller: `Unavailable`, with the service's code as cause."""
    try:
        yield
    except ClientError as error:
        raise Unavailable(cause=error.response.get("Error", {}).get("Code", "")) from error
    except BotoCoreError as error:
        raise Unavailable(cause=type(error).__name__) from error
