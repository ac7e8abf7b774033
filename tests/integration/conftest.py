"""What these tests know the system by; the fixtures are those of `tests/conftest.py`, which the browser's tests share."""

import pytest

from tests.running import Running

__all__ = ["Running"]


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What looks for the secrets of the whole run comes last."""
    items.sort(key=lambda item: item.path.name == "test_no_secret_anywhere.py")
