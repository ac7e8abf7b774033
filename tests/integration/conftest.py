"""What these tests know the system by; the fixtures are those of `tests/conftest.py`, which the browser's tests share."""

from tests.running import Running

__all__ = ["Running"]
