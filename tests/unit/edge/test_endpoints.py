"""The endpoint table, and that the functions serve exactly what it says."""

import importlib.util
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from pydantic import RootModel

from platforma.edge.bodies import schema
from platforma.edge.endpoints import BY_OPERATION, BY_ROUTE, ENDPOINTS
from platforma.edge.openapi import openapi, operations
from platforma.policy.actions import permission_of

FUNCTIONS = Path(__file__).parents[3] / "functions"


def served(function: str) -> frozenset[str]:
    spec = importlib.util.spec_from_file_location(f"served_{function}", FUNCTIONS / function / "app.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    operations: frozenset[str] = module.api.operations
    return operations


def test_every_row_has_a_route_and_an_operation_of_its_own():
    assert len(BY_ROUTE) == len(BY_OPERATION) == len(ENDPOINTS)


@pytest.mark.parametrize("function", sorted({row.function for row in ENDPOINTS}))
def test_a_function_serves_exactly_its_rows(function: str):
    assert served(function) == {row.operation for row in ENDPOINTS if row.function == function}


@pytest.mark.parametrize("row", [row for row in ENDPOINTS if row.permission], ids=lambda row: row.operation)
def test_the_table_and_the_engine_agree_on_the_permission(row):
    assert permission_of(row.operation) == row.permission


@pytest.mark.parametrize("row", ENDPOINTS, ids=lambda row: row.operation)
def test_bodies_refuse_unknown_fields_but_where_a_standard_says_to_ignore_them(row):
    if row.body and not issubclass(schema(row.body), RootModel):  # what is no object has no fields
        assert schema(row.body).model_config["extra"] == ("ignore" if row.wire == "authzen" else "forbid")


def test_openapi_names_every_endpoint_with_operation_and_permission():
    document = openapi("https://platforma.test")

    listed = {
        (method.upper(), path, operation["x-platforma-operation"], operation["x-platforma-permission"])
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }

    assert listed == {(row.method, row.path.replace("+}", "}"), row.operation, row.permission) for row in ENDPOINTS}


def test_openapi_schemas_are_json_schemas():
    for shape in openapi("https://platforma.test")["components"]["schemas"].values():
        Draft202012Validator.check_schema(shape)


def test_operations_lists_them_all():
    assert [each["operation"] for each in operations()] == [row.operation for row in ENDPOINTS]
