"""Every error class has a status, and no answer tells more than it should."""

import importlib
import pkgutil

import pytest

import platforma
from platforma.edge.problems import oauth_problem, problem
from platforma.edge.status import STATUS, status_of
from platforma.kernel.errors import Broken, FieldError, PlatformaError, Unavailable, Unprocessable

for module in pkgutil.walk_packages(platforma.__path__, "platforma."):
    if "__main__" not in module.name:
        importlib.import_module(module.name)


def classes(cls: type[PlatformaError]) -> list[type[PlatformaError]]:
    return [cls, *(below for sub in cls.__subclasses__() for below in classes(sub))]


@pytest.mark.parametrize("cls", classes(PlatformaError), ids=lambda cls: cls.__name__)
def test_an_error_class_is_mapped_by_more_than_the_root(cls):
    mapped = [each for each in cls.__mro__ if each in STATUS]

    assert mapped
    assert cls is PlatformaError or mapped[0] is not PlatformaError or cls.__name__ == "OAuthError"


def test_a_broken_invariant_is_told_to_nobody():
    answer = problem(Broken("The key of ten_x is gone."), "request-1")

    assert answer.status == 500
    assert "ten_x" not in str(answer.body)


def test_a_fault_carries_its_pointer():
    answer = problem(Unprocessable(errors=[FieldError("/name", "Too long.")]), "request-1")

    assert answer.status == 422
    assert answer.body["errors"] == [{"pointer": "/name", "detail": "Too long."}]


def test_unavailable_says_when_to_come_back():
    assert problem(Unavailable(retry_after=7), "r").headers["Retry-After"] == "7"
    assert oauth_problem(Unavailable(), "r").body["error"] == "temporarily_unavailable"


@pytest.mark.parametrize("cls", classes(PlatformaError), ids=lambda cls: cls.__name__)
def test_a_status_is_an_error_status(cls):
    assert 400 <= status_of(cls.__new__(cls))[0] < 600
