"""One event for a third party: verified offline, without anything of others, and of its persons what is to be told alone."""

import json
from pathlib import Path
from typing import Any

import pytest

from platforma.audit.__main__ import main
from platforma.audit.disclosure import disclose, verify_disclosure
from platforma.audit.entry import boxes_of
from platforma.audit.note import VerifierKey, parse_key
from platforma.audit.person_keys import PersonKeys
from platforma.audit.proof import Published
from platforma.audit.verification import Trusted
from platforma.kernel.errors import Unprocessable
from tests.unit.audit.world import OTHER, TENANT, World, user_id

CHANGES = {"after": {"email": "ada@example.test", "name": "Ada"}}
CHANGED = {"resource": user_id(2), "resource_type": "user"}


class Disclosing(World):
    def with_events(self) -> "Disclosing":
        for number in range(7):
            self.record(number, ip_address="192.0.2.7", user_id=user_id(1), changes=CHANGES, **CHANGED)
        self.attendant().ring([TENANT])
        self.later(minutes=2)
        self.attendant().sweep()
        return self

    def disclosed(self, *fields: str, everything: bool = True, sequence: int | None = 3) -> dict[str, Any]:
        persons = PersonKeys(self.person_keys, self.envelope, self.clock)
        found = disclose(
            TENANT,
            sequence,
            None if everything and not fields else fields,
            published=Published(self.store, self.bucket),
            persons=persons,
            signer=self.signer,
        )
        assert found is not None
        return found

    def trusted(self) -> Trusted:
        return Trusted(named=(parse_key(self.key()),))


@pytest.fixture(scope="module")
def world() -> Disclosing:
    return Disclosing().with_events()


def whole(document: dict[str, Any], trusted: Trusted) -> bool:
    return verify_disclosure(json.dumps(document).encode(), trusted)[0].whole


def test_a_third_party_verifies_it_with_the_logs_key_alone(world, tmp_path, capsys):
    file = tmp_path / "event.json"
    file.write_text(json.dumps(world.disclosed()))

    assert main(["verify", str(file), "--key", world.key()]) == 0
    assert capsys.readouterr().err == ""


def test_without_a_key_it_is_said_that_the_files_own_was_believed(world, tmp_path, capsys):
    file = tmp_path / "event.json"
    file.write_text(json.dumps(world.disclosed()))

    assert main(["verify", str(file)]) == 0
    assert f"Believed on the file's own word: {world.key()}" in capsys.readouterr().err


def test_it_has_the_event_whole_if_nothing_is_withheld(world):
    event = world.disclosed()["event"]

    assert (event["ip_address"], event["changes"]) == ("192.0.2.7", CHANGES)


def test_only_the_named_fields_are_told_and_it_verifies(world):
    told = world.disclosed("changes/after/email")

    assert whole(told, world.trusted())
    assert told["event"]["changes"] == {"after": {"email": "ada@example.test"}}
    assert told["salts"].keys() == {"changes/after/email"}
    assert not any(hidden in json.dumps(told) for hidden in ("192.0.2.7", '"Ada"'))


def test_nothing_personal_is_told_where_none_is_wanted(world):
    told = world.disclosed(everything=False)

    assert whole(told, world.trusted())
    assert told["salts"] == {}
    assert "ada@example.test" not in json.dumps(told)


def test_of_an_erased_person_nothing_is_told_and_the_rest_verifies():
    world = Disclosing().with_events()
    world.erase(user_id(2))

    told = world.disclosed()

    assert whole(told, world.trusted())
    assert "ada@example.test" not in json.dumps(told)
    assert told["event"]["ip_address"] == "192.0.2.7"
    with pytest.raises(Unprocessable):
        world.disclosed("changes/after/email")


def test_a_field_that_the_event_has_not_is_named(world):
    with pytest.raises(Unprocessable) as refused:
        world.disclosed("ip_address", "changes/after/phone")

    assert [fault["pointer"] for fault in refused.value.errors] == ["/fields"]


ATTACKS = {
    "the event says another result": lambda d: d["event"].update(result="denied"),
    "a personal value is another": lambda d: d["event"].update(ip_address="192.0.2.8"),
    "a personal value is added without its salt": lambda d: d["salts"].pop("user_agent"),
    "a field is added": lambda d: d["event"].update(reason="because"),
    "a field is left out": lambda d: d["event"].pop("action"),
    "the entry is another": lambda d: d.update(entry=d["entry"].replace("success", "denied")),
    "the place is another": lambda d: d.update(leaf_index=4),
    "the log is another's": lambda d: d.update(log_id=OTHER),
    "a hash is another": lambda d: d["hashes"].__setitem__(0, d["hashes"][1]),
    "the proof is cut": lambda d: d["hashes"].pop(),
    "the size is another": lambda d: d.update(tree_size=d["tree_size"] + 1),
    "the checkpoint is no note": lambda d: d.update(checkpoint="x"),
    "a salt opens nothing": lambda d: d["salts"].update(nothing="AAAA"),
    "it is no disclosure": lambda d: d.update(format="another"),
    "the event is no object": lambda d: d.update(event=[]),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_disclosure_that_was_changed_is_refused(world, attack):
    told = json.loads(json.dumps(world.disclosed()))

    ATTACKS[attack](told)

    assert not whole(told, world.trusted())


def test_another_key_verifies_nothing(world):
    own = parse_key(world.key())

    assert not whole(world.disclosed(), Trusted(named=(VerifierKey(own.name, bytes(32)),)))


def test_a_forked_log_disagrees_with_a_checkpoint_that_was_kept(world):
    forked = Disclosing()
    forked.signer = world.signer
    forked.with_events()
    kept = forked.disclosed()["checkpoint"].encode()
    told = world.disclosed()

    assert forked.disclosed()["tree_size"] == told["tree_size"]
    assert not whole(told, Trusted(named=(parse_key(world.key()),), seen=(kept,)))


def test_no_entry_but_its_own_is_in_it(world):
    told = world.disclosed()

    assert told["entry"].count('"sequence":') == 1
    assert {box["key"] for box in boxes_of(json.loads(told["entry"]))} == {user_id(1), user_id(2)}


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b"\xff", b"{" * 100_000, b'{"format":"platforma audit disclosure 1"}'])
def test_what_is_no_disclosure_is_said_to_be_none(body, tmp_path: Path):
    file = tmp_path / "x.json"
    file.write_bytes(body)

    assert main(["verify", str(file)]) == 1
