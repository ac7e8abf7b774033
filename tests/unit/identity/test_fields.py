"""What addresses, names, roles and attributes may hold."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platforma.identity.email_address import folded, parse_email
from platforma.identity.fields import merged_attributes, parse_attributes, parse_description, parse_name, parse_roles
from platforma.kernel.errors import Unprocessable


@pytest.mark.parametrize(
    ("given_as", "kept_as"),
    [
        ("Ada.L+x@Acme.TEST", "Ada.L+x@acme.test"),
        ("zo\u00eb@acme.test", "zo\u00eb@acme.test"),
        ("a@xn--bcher-kva.example", None),
    ],
)
def test_an_address_is_kept_as_given_but_for_its_domain(given_as, kept_as):
    assert parse_email(given_as) == (kept_as or given_as)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ada",
        "@acme.test",
        "ada@acme",
        "ada@@acme.test",
        "ada@b\u00fccher.example",
        "ada@\u0430cme.test",
        "a da@acme.test",
        "ada\u200b@acme.test",
        "ada\uff20evil.test@acme.test",
        "ada@acme.test\n",
        '"a"@acme.test',
        "a..b@acme.test",
        "\ud800@acme.test",
        "x" * 65 + "@acme.test",
        "ada@" + "x" * 250 + ".test",
        "Ada <ada@acme.test>",
        None,
        7,
    ],
)
def test_what_is_no_address_or_hides_one_is_refused(text):
    with pytest.raises(Unprocessable):
        parse_email(text)


@given(st.text())
def test_folding_twice_is_folding_once(text):
    assert folded(folded(text)) == folded(text)


@given(st.text() | st.integers() | st.none() | st.lists(st.text()))
def test_no_input_does_worse_than_being_refused(value):
    for parse in (parse_email, parse_name, parse_description, parse_attributes):
        with suppress(Unprocessable):
            parse(value)


@pytest.mark.parametrize("name", ["", "  ", "x" * 201, "a\x00b", "a\nb", "\udfff", None, ["Ada"]])
def test_a_name_that_cannot_be_shown_is_refused(name):
    with pytest.raises(Unprocessable):
        parse_name(name)


def test_roles_are_sorted_and_each_once():
    assert parse_roles(["viewer", "admin", "viewer"], known_roles=frozenset({"viewer", "admin"})) == ("admin", "viewer")


def test_an_unknown_role_is_named_by_its_place():
    with pytest.raises(Unprocessable) as refused:
        parse_roles(["viewer", "root", 7], known_roles=frozenset({"viewer"}))

    assert [error["pointer"] for error in refused.value.errors] == ["/roles/1", "/roles/2"]


@pytest.mark.parametrize("roles", ["admin", None, {"admin": 1}, [["admin"]], ["admin"] * 51])
def test_roles_are_a_list_of_names(roles):
    with pytest.raises(Unprocessable):
        parse_roles(roles, known_roles=frozenset({"admin"}))


@pytest.mark.parametrize(
    "attributes",
    [
        [],
        {"": 1},
        {"x" * 101: 1},
        {"a": {"b": 1}},
        {"a": [[1]]},
        {"a": float("nan")},
        {"a": 2**53},
        {"a": None},
        {"a": "\ud800"},
        {"a": "x" * 7000},
        {str(number): 1 for number in range(51)},
    ],
)
def test_attributes_hold_what_conditions_can_compare_and_little_of_it(attributes):
    with pytest.raises(Unprocessable):
        parse_attributes(attributes)


def test_a_faulty_attribute_is_named_by_an_escaped_pointer():
    with pytest.raises(Unprocessable) as refused:
        parse_attributes({"a/b~c": {}})

    assert refused.value.errors[0]["pointer"] == "/attributes/a~1b~0c"


def test_a_patch_sets_adds_and_takes_away():
    merged = merged_attributes({"team": "blue", "grade": 3}, {"team": "red", "grade": None, "tags": ["a", True]})

    assert merged == {"team": "red", "tags": ["a", True]}
