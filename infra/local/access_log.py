"""
Carries the edge's access log to the audit function, as CloudWatch Logs does it with the gateway's on AWS; and what functions
log of requests, in bulk: the emulator's own subscriptions would call the audit function once for every request.

A small process of its own: it follows the file, and gives whole lines to the function within seconds, in the very event of a
log subscription. Its place in the file is written after the function took them, so a line may come twice, never not at all;
each carries an id that stays the same.
"""

import argparse
import base64
import gzip
import hashlib
import json
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from infra.local import aws, edge
from infra.local.certificates import write_private
from infra.local.processes import Server
from infra.local.stack import ROOT, Stack

FUNCTION = "AuditGatewayFunction"
PAUSE_SECONDS = 2.0
BATCH_LINES = 200
BATCH_BYTES = 400_000
LOG_GROUP = "/platforma/access"
FUNCTION_LOGS = "/aws/lambda/platforma-"
MARKS_EVERY = 10.0
OVERLAP_MS = 30_000
"""How far back functions' logs are read again, for what was written late; a line that comes twice enters once."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the log: where it begins, where the next one does, and what it says."""

    begins: int
    ends: int
    entry: Mapping[str, Any]


def server(stack: Stack) -> Server:
    """The shipping process of this stack."""
    home = stack.home / "access-log"
    return Server("access log", home / "position.json", home / "pid", stack.logs / "access-log.log")


def start(stack: Stack) -> None:
    """Have it running with today's code and addresses."""
    shipper = server(stack)
    shipper.stop()
    stack.folder("access-log")
    command = [sys.executable, "-m", "infra.local.access_log", str(edge.access_log(stack)), str(shipper.mark), stack.aws_url]
    shipper.start(command, {"PATH": os.defpath, "HOME": str(stack.home), "PYTHONPATH": str(ROOT)}, folder=ROOT)


def lines(log: Path, position: int) -> Iterator[Line]:
    """The whole lines from *position* on; the one that is still being written is left for the next time."""
    with log.open("rb") as source:
        source.seek(position)
        for raw in source:
            if not raw.endswith(b"\n"):
                return
            try:
                entry = json.loads(raw)
            except ValueError:
                entry = {}
            yield Line(position, position := position + len(raw), entry)


def batches(found: Iterator[Line]) -> Iterator[list[Line]]:
    """Lines in groups that one event can carry."""
    batch, size = list[Line](), 0
    for line in found:
        batch.append(line)
        size += line.ends - line.begins
        if len(batch) >= BATCH_LINES or size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def message_of(entry: Mapping[str, Any]) -> str:
    """What the gateway's access log says of a request, in the format of template.yaml's AccessLogSetting."""
    request, tls = entry["request"], entry["request"].get("tls", {})
    request_id = entry.get("answer_request_id") or entry["edge_id"]
    answered_by_function = bool(entry.get("answer_request_id")) and not entry.get("gateway_refused")
    return json.dumps(
        {
            "requestId": request_id,
            "extendedRequestId": request_id,
            "requestTimeEpoch": str(int((entry["ts"] - entry.get("duration", 0)) * 1000)),
            "httpMethod": request["method"],
            "path": request["uri"].partition("?")[0],
            "resourcePath": "-",
            "protocol": request["proto"],
            "status": str(entry["status"]),
            "responseLength": str(entry["size"]),
            "responseLatency": str(round(entry.get("duration", 0) * 1000)),
            "ip": request["remote_ip"],
            "userAgent": entry.get("user_agent") or "-",
            "tlsVersion": "TLSv1.3" if tls.get("version") == 0x0304 else "-",
            "cipherSuite": str(tls.get("cipher_suite", "-")),
            "integrationStatus": str(entry["status"]) if answered_by_function else "-",
            "errorType": "-",
            "domainName": request["host"],
            "stage": "v1",
            "apiId": "-",
        }
    )


def event_of(batch: list[Line], log: Path) -> dict[str, Any]:
    """A CloudWatch Logs subscription event with these lines."""
    events = [
        {
            "id": f"{log.stat().st_ino}-{line.begins}",
            "timestamp": int(line.entry["ts"] * 1000),
            "message": message_of(line.entry),
        }
        for line in batch
        if line.entry.get("logger", "").startswith("http.log.access")
    ]
    return subscription_event(LOG_GROUP, events)


def subscription_event(group: str, events: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """A CloudWatch Logs subscription event with these log events of *group*."""
    document = {
        "messageType": "DATA_MESSAGE", "owner": "000000000000", "logGroup": group, "logStream": "edge",
        "subscriptionFilters": ["audit"], "logEvents": events,
    }  # fmt: skip
    return {"awslogs": {"data": base64.b64encode(gzip.compress(json.dumps(document).encode())).decode()}}


class Shipper:
    """Follows one log; *place* holds how far the function has been told."""

    def __init__(self, log: Path, place: Path, url: str) -> None:
        self.log, self.place, self.url = log, place, url
        self.function: str | None = None

    def position(self) -> int:
        """Where to go on; at the beginning if the file is another one now."""
        try:
            known = json.loads(self.place.read_text())
            here = self.log.stat()
        except (OSError, ValueError):
            return 0
        return int(known["offset"]) if known["inode"] == here.st_ino and known["offset"] <= here.st_size else 0

    def ship(self) -> int:
        """
        Tell the function what is new; how many lines that were.

        Raises:
            ClientError, BotoCoreError, RuntimeError: it did not take them; the same lines are tried again.
        """
        count = 0
        if not self.log.exists():
            return count
        for batch in batches(lines(self.log, self.position())):
            event = event_of(batch, self.log)
            self.hand_over(event)
            write_private(self.place, json.dumps({"inode": self.log.stat().st_ino, "offset": batch[-1].ends}))
            count += len(batch)
        return count

    def hand_over(self, event: Mapping[str, Any]) -> None:
        """
        Give *event* to the function.

        Raises:
            ClientError, BotoCoreError, RuntimeError: it did not take it.
        """
        answer = aws.client("lambda", self.url).invoke(FunctionName=self.name(), Payload=json.dumps(event))
        if "FunctionError" in answer:
            raise RuntimeError(answer["Payload"].read().decode(errors="replace")[:500])

    def name(self) -> str:
        """The function's physical name, asked for once."""
        if self.function is None:
            told = aws.client("cloudformation", self.url).describe_stack_resource(
                StackName="platforma", LogicalResourceId=FUNCTION
            )
            self.function = str(told["StackResourceDetail"]["PhysicalResourceId"])
        return self.function


class Marks:
    """Reads what functions log of requests, and hands it over; *place* holds up to when."""

    def __init__(self, place: Path, shipper: Shipper) -> None:
        self.place, self.shipper = place, shipper
        self.handed: dict[str, int] = {}
        self.next = 0.0

    def ship(self, now: float) -> int:
        """
        Hand over what is new, at most every few seconds; how many lines that were.

        Raises:
            ClientError, BotoCoreError, RuntimeError: not all was taken; it is tried again.
        """
        if now < self.next:
            return 0
        self.next = now + MARKS_EVERY
        try:
            since = int(json.loads(self.place.read_text())["milliseconds"])
        except (OSError, ValueError, KeyError):
            since = 0
        logs, count = aws.client("logs", self.shipper.url), 0
        for group in logs.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=FUNCTION_LOGS):
            for found in group["logGroups"]:
                count += self._group(logs, found["logGroupName"], max(0, since - OVERLAP_MS))
        self.handed = {event: at for event, at in self.handed.items() if at >= since - OVERLAP_MS}
        write_private(self.place, json.dumps({"milliseconds": int(now * 1000)}))
        return count

    def _group(self, logs: Any, group: str, since: int) -> int:
        pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group, startTime=since)
        found = [event for page in pages for event in page["events"] if '"record"' in event["message"]]
        named = {hashlib.sha256(event["message"].encode()).hexdigest(): event for event in found}
        fresh = [
            {"id": name, "timestamp": event["timestamp"], "message": event["message"]}
            for name, event in named.items()
            if name not in self.handed
        ]
        for at in range(0, len(fresh), BATCH_LINES):
            self.shipper.hand_over(subscription_event(group, fresh[at : at + BATCH_LINES]))
        self.handed |= {str(event["id"]): int(event["timestamp"]) for event in fresh}
        return len(fresh)


def main() -> None:
    """Follow the log until ended."""
    parser = argparse.ArgumentParser(description="Carry the edge's access log to the audit function.")
    parser.add_argument("log", type=Path)
    parser.add_argument("place", type=Path)
    parser.add_argument("url")
    given = parser.parse_args()
    shipper, pause = Shipper(given.log, given.place, given.url), PAUSE_SECONDS
    marks = Marks(given.place.with_name("marks.json"), shipper)
    while True:
        try:
            shipper.ship()
            marks.ship(time.time())
            pause = PAUSE_SECONDS
        except (ClientError, BotoCoreError, RuntimeError, OSError) as error:
            shipper.function = None
            pause = min(pause * 2, 30)
            print(f"not shipped, again in {pause} s: {error}", flush=True)
        time.sleep(pause)


if __name__ == "__main__":
    main()
