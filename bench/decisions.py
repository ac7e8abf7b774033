"""
What a decision costs, beside cedarpy and pycasbin asked the same in the same run.

    decision    statements of the sample's shape (glob, network, window), each about other ids; the request matches one
    compile     ten thousand of them, made ready once a change; and the memory that one takes
    worst       what a thousand statements cost that all match, and that all fail at their last condition; what it costs to
                say why not, of ten thousand
    globs       a pattern made to be slow, against an id made for it

The peers get their policies and entities parsed. Times are wall time, the median of many.
"""

import gc
import json
import statistics
import time
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import casbin
import cedarpy

from platforma.policy.compile import PolicySet, compile_rules
from platforma.policy.decide import decide
from platforma.policy.globs import compile_glob
from platforma.policy.model import Attachment, Context, Policy, Request, Subject
from platforma.policy.ports import Rules

SIZES = (10, 100, 1_000, 10_000, 100_000)
MOST_FOR_PEERS = 10_000
TENANT, USER = "ten_1", "usr_1"
NOON = datetime(2026, 11, 24, 11, 0, tzinfo=UTC)
SUBJECT = Subject(type="user", id=USER, tenant_id=TENANT)
_SAMPLES = 301
_SECONDS = 4.0

CASBIN_MODEL = """
[request_definition]
r = sub, obj, act, ip, minute
[policy_definition]
p = sub, obj, act, ip, start, end
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = r.sub == p.sub && r.act == p.act && keyMatch(r.obj, p.obj) && ipMatch(r.ip, p.ip) && within(r.minute, p.start, p.end)
"""


def statement(resource: str, **conditions: Any) -> dict[str, Any]:
    """A statement of the sample's shape about *resource*."""
    own = {
        "ip_range": ["10.0.0.0/8"],
        "time_window": {"start": "06:00", "end": "22:00", "timezone": "Europe/Berlin"},
        **conditions,
    }
    return {"effect": "allow", "actions": ["infrastructure:manage"], "resources": [resource], "conditions": own}


def rules(resources: list[str], **conditions: Any) -> Rules:
    """A policy for each of *resources*, attached to the one user."""
    return Rules(
        policies=tuple(
            Policy(
                id=f"pol_{number:07}",
                tenant_id=TENANT,
                name="",
                document=statement(resource, **conditions),
                attachments=(Attachment("user", USER),),
                created_at="",
                updated_at="",
                updated_by=None,
            )
            for number, resource in enumerate(resources)
        )
    )


def ask(resource_id: str) -> Request:
    """The request that the one matching statement is about."""
    return Request(
        action="infrastructure.clusters.update",
        resource_type="cluster",
        resource_id=resource_id,
        context=Context(time=NOON, ip_address="10.1.2.3"),
    )


def median_us(call: Callable[[], object], *, seconds: float = _SECONDS) -> float:
    """The median of what *call* takes, in microseconds: quick ones timed by the fifty, slow ones for *seconds* at most."""
    call()
    began = time.perf_counter()
    call()
    once = time.perf_counter() - began
    batch = 50 if once < 0.0005 else 1
    taken: list[float] = []
    while (len(taken) < _SAMPLES and time.perf_counter() - began < seconds) or len(taken) < 3:
        start = time.perf_counter_ns()
        for _ in range(batch):
            call()
        taken.append((time.perf_counter_ns() - start) / batch / 1000)
    return round(statistics.median(taken), 2)


def _ours(resources: list[str], wanted: str) -> Callable[[], object]:
    policy_set, request = compile_rules(TENANT, rules(resources)), ask(wanted)
    assert decide(policy_set, SUBJECT, request).allowed
    return lambda: decide(policy_set, SUBJECT, request)


def _cedar(resources: list[str], wanted: str) -> Callable[[], object]:
    text = "\n".join(
        f'permit(principal == User::"{USER}", action == Action::"infrastructure:manage", resource is cluster) when {{'
        f' resource.id like "{resource.partition(":")[2]}" && context.ip.isInRange(ip("10.0.0.0/8"))'
        " && context.minute >= 360 && context.minute < 1320 };"
        for resource in resources
    )
    policies = cedarpy.PolicySet.from_str(text)
    things = [
        {"uid": {"type": "User", "id": USER}, "attrs": {}, "parents": []},
        {"uid": {"type": "cluster", "id": wanted}, "attrs": {"id": wanted}, "parents": []},
    ]
    entities = cedarpy.Entities.from_json_str(json.dumps(things))
    request = {
        "principal": {"type": "User", "id": USER},
        "action": {"type": "Action", "id": "infrastructure:manage"},
        "resource": {"type": "cluster", "id": wanted},
        "context": {"ip": {"__extn": {"fn": "ip", "arg": "10.1.2.3"}}, "minute": 720},
    }
    assert cedarpy.is_authorized(request, policies, entities).allowed
    return lambda: cedarpy.is_authorized(request, policies, entities)


def _casbin(resources: list[str], wanted: str) -> Callable[[], object]:
    model = casbin.Model()
    model.load_model_from_text(CASBIN_MODEL)
    enforcer = casbin.Enforcer(model)
    enforcer.add_function("within", lambda minute, start, end: int(start) <= minute < int(end))
    enforcer.add_policies([[USER, resource, "infrastructure:manage", "10.0.0.0/8", "360", "1320"] for resource in resources])
    request = (USER, f"cluster:{wanted}", "infrastructure:manage", "10.1.2.3", 720)
    assert enforcer.enforce(*request)
    return lambda: enforcer.enforce(*request)


def _sizes() -> list[dict[str, Any]]:
    """
    A row for each size. Ours are measured in turn, a batch at a time: were one size done after the other, a machine that is
    quicker or busier a minute later would look like an engine that is slower on more.
    """
    resources = [f"cluster:cls_{number:06}_*" for number in range(max(SIZES))]
    wanted = {size: f"cls_{size // 2:06}_01" for size in SIZES}
    ours = _in_turn({size: _ours(resources[:size], wanted[size]) for size in SIZES})
    rows = []
    for size in SIZES:
        row: dict[str, Any] = {"statements": size, "ours_us": ours[size]}
        if size <= MOST_FOR_PEERS:
            row["cedarpy_us"] = median_us(_cedar(resources[:size], wanted[size]))
            row["casbin_us"] = median_us(_casbin(resources[:size], wanted[size]))
            row["cedarpy_ratio"] = round(row["cedarpy_us"] / row["ours_us"], 1)
            row["casbin_ratio"] = round(row["casbin_us"] / row["ours_us"], 1)
        rows.append(row)
    return rows


def _in_turn(calls: dict[int, Callable[[], object]], *, batch: int = 200) -> dict[int, float]:
    """The median of what each of *calls* takes, in microseconds, of batches taken in turn."""
    taken: dict[int, list[float]] = {size: [] for size in calls}
    for _ in range(_SAMPLES):
        for size, call in calls.items():
            start = time.perf_counter_ns()
            for _ in range(batch):
                call()
            taken[size].append((time.perf_counter_ns() - start) / batch / 1000)
    return {size: round(statistics.median(each), 2) for size, each in taken.items()}


def _compiling() -> dict[str, Any]:
    content = rules([f"cluster:cls_{number:06}_*" for number in range(10_000)])
    gc.collect()
    began = time.process_time()
    compiled = compile_rules(TENANT, content)
    seconds = time.process_time() - began
    del compiled
    gc.collect()
    tracemalloc.start()
    compiled = compile_rules(TENANT, content)
    gc.collect()
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return {"compile_10000_seconds": round(seconds, 3), "bytes_per_statement": round(held / compiled.statements)}


def _worst() -> dict[str, Any]:
    everything, request = ["cluster:cls_*"] * 1000, ask("cls_1")
    late = {"start": "23:00", "end": "23:30", "timezone": "Europe/Berlin"}
    match, miss = compile_rules(TENANT, rules(everything)), compile_rules(TENANT, rules(everything, time_window=late))
    assert decide(match, SUBJECT, request).allowed
    assert not decide(miss, SUBJECT, request).allowed
    return {
        "all_match_1000_us": median_us(lambda: decide(match, SUBJECT, request)),
        "all_fail_last_1000_us": median_us(lambda: decide(miss, SUBJECT, request)),
        "first_question_of_a_principal_us": _first_question(match),
        "explained_denial_10000_us": _explained(),
    }


def _first_question(policy_set: PolicySet) -> float:
    request = ask("cls_1")
    subjects = (
        Subject(type="user", id=f"usr_{number}", tenant_id=TENANT, roles=frozenset({"operator", "viewer"}))
        for number in range(1_000_000)
    )
    return median_us(lambda: decide(policy_set, next(subjects), request), seconds=1)


def _explained() -> float:
    many = compile_rules(TENANT, rules([f"cluster:cls_{number:06}_*" for number in range(10_000)]))
    request = ask("another")
    assert decide(many, SUBJECT, request, explain=True).nearest
    return median_us(lambda: decide(many, SUBJECT, request, explain=True))


def _globs() -> dict[str, Any]:
    glob, text = compile_glob("*a" * 100 + "*b"), "a" * 256
    assert glob.fullmatch(text) is None
    return {"adversarial_glob_us": median_us(lambda: glob.fullmatch(text))}


def run() -> dict[str, Any]:
    """The figures, by name; `sizes` is a row for each number of statements in force."""
    return {"sizes": _sizes(), **_compiling(), **_worst(), **_globs()}


def _main() -> None:
    figures = run()
    print(f"{'statements':>10} {'ours us':>9} {'cedarpy us':>11} {'ratio':>8} {'casbin us':>11} {'ratio':>8}")
    for row in figures.pop("sizes"):
        names = ("statements", "ours_us", "cedarpy_us", "cedarpy_ratio", "casbin_us", "casbin_ratio")
        widths = (10, 9, 11, 8, 11, 8)
        print(*(f"{row.get(name, '-'):>{width}}" for name, width in zip(names, widths, strict=True)))
    for name, value in figures.items():
        print(f"{name:40} {value}")


if __name__ == "__main__":
    _main()
