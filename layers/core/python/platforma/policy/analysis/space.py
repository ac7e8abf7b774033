"""
The space of all questions, as far as some rules can tell them apart: a dimension for each thing that they look at, divided
into classes, each with a value that stands for it. In it every rule is a box.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import chain
from typing import Any

from platforma.policy.analysis.addresses import Addresses
from platforma.policy.analysis.boxes import Box
from platforma.policy.analysis.moments import Moments
from platforma.policy.analysis.operations import Operations
from platforma.policy.analysis.things import Things
from platforma.policy.analysis.values import telling_values
from platforma.policy.attributes import attribute_test
from platforma.policy.conditions import Condition, compile_conditions
from platforma.policy.document import Statement
from platforma.policy.networks import networks_of

ACTION, RESOURCE, ADDRESS, TIME, MFA, ENVIRONMENT = "action", "resource", "ip_address", "time", "mfa", "environment"
_KNOWN: Mapping[str, tuple[Any, ...]] = {MFA: (None, True, False), ENVIRONMENT: (None, "live", "test")}
"""The values of the small dimensions; None is not known."""


class Space:
    """
    The dimensions that *statements* and *scopes* need. *domains* are those of the tenant, *own* operations that are told
    apart besides; time is that of the ten years from *now*, and always known.

    Raises:
        TooComplex: they divide it into too many classes.
    """

    def __init__(
        self,
        statements: Iterable[Statement],
        *,
        domains: frozenset[str],
        now: datetime,
        own: Iterable[str] = (),
        scopes: Iterable[str] = (),
    ) -> None:
        statements = list(statements)
        self._shared: dict[str, tuple[Condition, ...]] = {}
        conditions = [
            one for each in statements for one in compile_conditions(each.conditions, self._shared) if one.readable
        ]
        wanted: dict[str, dict[str, Any]] = {}
        for one in conditions:
            wanted.setdefault(one.name, {})[_key(one)] = one.wanted
        named = chain(scopes, (text for each in statements for text in each.actions))
        self.operations = Operations(named, domains, own)
        self._things = Things(text for each in statements for text in each.resources)
        networks = (network for value in wanted.get("ip_range", {}).values() for network in networks_of(value))
        self._addresses = Addresses(networks) if "ip_range" in wanted else None
        timed = "time_window" in wanted or "date_range" in wanted
        windows, dates = (wanted.get(name, {}).values() for name in ("time_window", "date_range"))
        self._moments = Moments(windows, dates, now) if timed else None
        self._attributes = {name: telling_values(tests.values()) for name, tests in wanted.items() if "." in name}
        self.values: dict[str, list[Any]] = {ACTION: list(self.operations.values), RESOURCE: list(self._things.values)}
        self.full: dict[str, int] = {ACTION: self.operations.full, RESOURCE: self._things.full}
        self._of_condition: dict[tuple[str, str, bool], tuple[str, int]] = {}
        self._fill()

    def _fill(self) -> None:
        further: dict[str, list[Any]] = {name: list(_KNOWN[name]) for name in (MFA, ENVIRONMENT)}
        further.update(self._attributes)
        for name, values in further.items():
            self.values[name], self.full[name] = values, (1 << len(values)) - 1
        if self._addresses is not None:
            self.values[ADDRESS], self.full[ADDRESS] = list(self._addresses.values), self._addresses.full
        if self._moments is not None:
            self.values[TIME], self.full[TIME] = list(self._moments.values), self._moments.full

    def box(self, statement: Statement) -> Box | None:
        """What *statement*, one of those that the space was made of, applies to; None if to nothing."""
        denies = statement.effect == "deny"
        box = {ACTION: self.operations.matched(statement.actions, statement.effect)}
        box[RESOURCE] = self._things.matched(statement.resources)
        for condition in compile_conditions(statement.conditions, self._shared):
            if not condition.readable:
                if denies:
                    continue  # never known, which a deny is not stopped by
                return None
            dimension, classes = self._classes(condition, denies=denies)
            box[dimension] = box.get(dimension, self.full[dimension]) & classes
        if not all(box.values()):
            return None
        return {dimension: classes for dimension, classes in box.items() if classes != self.full[dimension]}

    def value(self, dimension: str, box: Box) -> Any:
        """The value of the first class of *box* in this dimension."""
        classes = box.get(dimension, self.full[dimension])
        return self.values[dimension][(classes & -classes).bit_length() - 1]

    def _classes(self, condition: Condition, *, denies: bool) -> tuple[str, int]:
        key = (condition.name, _key(condition), denies)
        if key not in self._of_condition:
            self._of_condition[key] = self._divided(condition, denies=denies)
        return self._of_condition[key]

    def _divided(self, condition: Condition, *, denies: bool) -> tuple[str, int]:
        """The dimension of *condition*, and its classes that let a statement apply."""
        name, wanted = condition.name, condition.wanted
        if name == "ip_range" and self._addresses is not None:
            found = self._addresses.within(networks_of(wanted))
            return ADDRESS, found | self._addresses.unknown if denies else found
        if name in ("time_window", "date_range") and self._moments is not None:
            return TIME, self._moments.open(wanted) if name == "time_window" else self._moments.held(wanted)
        if name in _KNOWN:
            answers = [None if value is None else value == wanted for value in _KNOWN[name]]
        else:
            answers = list(map(attribute_test(wanted), self.values[name]))
        good = (True, None) if denies else (True,)
        return name, sum(1 << at for at, answer in enumerate(answers) if answer in good)


def _key(condition: Condition) -> str:
    return json.dumps(condition.wanted, sort_keys=True)
