"""Lists that are followed by cursors (RFC 9865)."""

import re

import pytest

from platforma.sso.scim import query as lists
from platforma.sso.scim.query import SEARCH_REQUEST
from tests.directories import Directory, connect, refused
from tests.world import World


def followed(directory: Directory, asked: str, path: str = "/Users") -> list[list[str]]:
    """The ids of each page, from the first to the one without a cursor."""
    pages, cursor = [], ""
    for _ in range(20):
        page = directory.call("GET", f"{path}?{asked}&cursor={cursor}", expect=200).json
        pages.append([each["id"] for each in page["Resources"]])
        if "nextCursor" not in page:
            return pages
        cursor = page["nextCursor"]
        assert re.fullmatch(r"[A-Za-z0-9._~-]+", cursor)
    raise AssertionError("no end")


@pytest.fixture(scope="module")
def paged(world: World) -> tuple[Directory, list[str]]:
    mine = connect(world, world.tenant("paged", "admin@paged.test"), "paged.test")
    return mine, [mine.user(f"u{number}", title=f"t{9 - number}")["id"] for number in range(5)]


def test_a_list_is_followed_by_cursors(paged):
    mine, ids = paged

    assert followed(mine, "count=2") == [ids[:2], ids[2:4], ids[4:]]
    assert followed(mine, "count=6") == [ids]
    assert followed(mine, "count=2&sortBy=title") == [ids[:2:-1], ids[2:0:-1], ids[:1]]
    assert [each for page in followed(mine, "count=2&filter=title%20pr") for each in page] == ids
    assert followed(mine, "count=2&filter=userName%20eq%20%22u3%22") == [[ids[3]]]
    first = mine.call("GET", "/Users?cursor&count=2", expect=200).json
    assert "startIndex" not in first
    assert first["itemsPerPage"] == 2
    counted = mine.call("GET", "/Users?cursor&count=0", expect=200).json
    assert (counted["totalResults"], counted["Resources"]) == (5, [])
    assert "nextCursor" not in mine.call("GET", "/Users?count=2", expect=200).json
    body = {"schemas": [SEARCH_REQUEST], "cursor": first["nextCursor"], "count": 9}
    assert [each["id"] for each in mine.call("POST", "/Users/.search", body, expect=200).json["Resources"]] == ids[2:]


def test_groups_are_followed_by_cursors(paged):
    mine, ids = paged
    made = [
        mine.call("POST", "/Groups", {"displayName": f"g{number}", "members": [{"value": ids[0]}]}, expect=201).json["id"]
        for number in range(3)
    ]

    assert followed(mine, "count=2", "/Groups") == [made[:2], made[2:]]
    pages = followed(mine, "count=1&filter=displayName%20sw%20%22g%22", "/Groups")
    assert [each for page in pages for each in page] == made
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lists, "MAX_MEMBERS_SHOWN", 1)
        assert followed(mine, "count=3", "/Groups") == [[each] for each in made]


def test_who_is_made_or_removed_between_two_pages_shifts_no_other(world):
    mine = connect(world, world.tenant("shifting", "admin@shifting.test"), "shifting.test")
    ids = [mine.user(f"u{number}")["id"] for number in range(4)]
    first = mine.call("GET", "/Users?cursor=&count=2", expect=200).json

    mine.call("DELETE", f"/Users/{ids[0]}", expect=204)
    last = mine.user("u9")["id"]

    assert mine.found(f"count=9&cursor={first['nextCursor']}") == [*ids[2:], last]


def test_a_list_that_takes_too_long_goes_on_by_its_cursor(paged):
    mine, ids = paged

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lists, "MAX_EXAMINED", 2)
        refused(mine.call("GET", "/Users?filter=title%20pr"), 400, "tooMany")
        pages = followed(mine, "filter=title%20eq%20%22t5%22")

    assert pages == [[], [], [ids[4]]]


def test_a_list_that_cannot_be_counted_in_time_is_refused_and_says_what_can(paged):
    mine, ids = paged

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("platforma.edge.scim.PATIENCE", 0.0)
        told = refused(mine.call("GET", "/Users?startIndex=3"), 400, "tooMany")
        assert followed(mine, "count=2") == [ids[:2], ids[2:4], ids[4:]]

    assert "cursor" in told["detail"]


@pytest.mark.parametrize("bend", ["made up", "bent", "another query's", "another type's", "another directory's", "long"])
def test_a_cursor_that_is_none_of_the_query_is_refused(paged, okta, bend):
    mine, _ = paged
    cursor = mine.call("GET", "/Users?cursor&count=2", expect=200).json["nextCursor"]
    other = ("B" if cursor[0] == "A" else "A") + cursor[1:]
    who, path = {
        "made up": (mine, "/Users?cursor=AAAA"),
        "bent": (mine, f"/Users?cursor={other}"),
        "another query's": (mine, f"/Users?cursor={cursor}&filter=title%20pr"),
        "another type's": (mine, f"/Groups?cursor={cursor}"),
        "another directory's": (okta, f"/Users?cursor={cursor}"),
        "long": (mine, "/Users?cursor=" + "A" * 5000),
    }[bend]

    refused(who.call("GET", path), 400, "invalidCursor")
