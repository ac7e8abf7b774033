"""
MiniStack with what it lacks for data that must last, and for a small machine; run by its own interpreter (`python -I`).

Object locks and unread stream records survive a stop, an update of a stack keeps what a resource's neighbours know of it,
SIGUSR1 saves the state without stopping, KMS encrypts anew, a layer is unpacked once, not once a worker, and a custom
domain's paths are the API's alone, as on AWS: neither the emulator's Cognito nor its own administration answers there. A
path's method for all others is imported with it.
Athena's queries, which it has DuckDB run over its own S3, get their parameters and the one function that DuckDB lacks.
Schedules are looked at every second, so that one of every minute comes every minute, and not up to ten seconds later.
DynamoDB's conditions are parsed once, and not once for each item of a partition: a tenant has tens of thousands.

What is stored is also saved as it changes, every few seconds. After a kill the objects in S3, which are written at once, are
taken back to that same moment: a log whose tables remember less than its bucket could never be continued.
"""

# mypy: ignore-errors
# ruff: noqa: SLF001, ANN001, ANN002, ANN003, ANN201 - the emulator's own, untyped insides
import functools
import hashlib
import json
import os
import re
import signal
import sys
import tempfile
import threading
import time
import types
import zipfile
from pathlib import Path

import duckdb
from ministack import app
from ministack.core import lambda_runtime
from ministack.services import apigateway_v1, athena, dynamodb, kms, s3, scheduler
from ministack.services.cloudformation import _stacks, provisioners

s3._PERSISTED_BUCKET_DICTS.update(object_retention=s3._object_retention, object_legal_hold=s3._object_legal_hold)
STREAMS = {"stream_records": dynamodb._stream_records, "stream_trimmed": dynamodb._stream_trimmed}
get_state, load_state, update = dynamodb.get_state, dynamodb.load_persisted_state, provisioners._update_resource
saving, unpacking, ended = threading.Lock(), threading.Lock(), threading.Event()
LAYERS = Path(tempfile.gettempdir()) / "layers"
ANY_METHOD = "x-amazon-apigateway-any-method"
STATE, OBJECTS = Path(os.environ["STATE_DIR"]), Path(os.environ["S3_DATA_DIR"])
RUNNING = STATE / "running"  # there while a run has not ended cleanly
STORES, PAUSE_SECONDS = ("dynamodb", "s3"), 15


def load_with_streams(data):
    """Restore the tables, then the records of their streams."""
    load_state(data)
    for name, store in STREAMS.items():
        store._data.update(getattr(data.get(name), "_data", {}))


def update_keeping_attributes(kind, physical_id, old, new, stack, logical_id=None, attributes=None):
    """Update one resource, with the attributes it had known to those that ask for them."""
    known = (_stacks.get(stack) or {}).get("_resources", {}).get(logical_id, {}).get("Attributes")
    return update(kind, physical_id, old, new, stack, logical_id, known if attributes is None else attributes)


def save():
    """Write the state, one save at a time."""
    with saving:
        app.save_all(app._build_persistence_save_dict())


def save_stores():
    """
    Save what is stored, now and again, once there is a whole state that it belongs to.

    Nothing else runs meanwhile, so the more there is to save, the rarer it is done.
    """
    pause = PAUSE_SECONDS
    while not ended.wait(pause):
        if (STATE / "cloudformation.json").exists():
            started = time.monotonic()
            with saving:
                states = app._build_persistence_save_dict()
                app.save_all({name: states[name] for name in STORES if name in states})
            pause = max(PAUSE_SECONDS, 20 * (time.monotonic() - started))


def take_back():
    """Remove the objects that are newer than the tables, if the last run was killed."""
    saved = STATE / "dynamodb.json"
    if RUNNING.exists() and saved.exists():
        moment = saved.stat().st_mtime
        for file in OBJECTS.rglob("*"):
            if file.is_file() and file.stat().st_mtime > moment:
                file.unlink()
    RUNNING.touch()


class SharedLayers(zipfile.ZipFile):
    """A zip file that, where a worker unpacks a layer, is unpacked once for all and linked to."""

    def extractall(self, path=None, members=None, pwd=None):
        """Unpack; the folder of a layer becomes a link to the one place where that very content already is."""
        if path is None or not Path(path).name.startswith("layer_"):
            return super().extractall(path, members, pwd)
        content = repr([(item.filename, item.CRC, item.file_size) for item in self.infolist()])
        shared = LAYERS / hashlib.sha256(content.encode()).hexdigest()
        with unpacking:
            if not shared.exists():
                fresh = Path(tempfile.mkdtemp(prefix="layer-"))
                super().extractall(fresh)
                LAYERS.mkdir(exist_ok=True)
                fresh.rename(shared)
        Path(path).rmdir()
        Path(path).symlink_to(shared)
        os.unlink(self.filename)  # noqa: PTH108 - the worker's own copy of the archive, of no more use
        return None


async def with_re_encrypt(method, path, headers, body, query_params):
    """KMS, which here lacks what wraps a ciphertext anew: opened under one key and encrypted under the other."""
    if not headers.get("x-amz-target", "").endswith(".ReEncrypt"):
        return await by_kms(method, path, headers, body, query_params)
    asked = json.loads(body)
    source = {"KeyId": asked.get("SourceKeyId", ""), "EncryptionContext": asked.get("SourceEncryptionContext", {})}
    status, told, opened = kms._decrypt({**source, "CiphertextBlob": asked["CiphertextBlob"]})
    if status != 200:
        return status, told, opened
    target = {"KeyId": asked["DestinationKeyId"], "EncryptionContext": asked.get("DestinationEncryptionContext", {})}
    return kms._encrypt({**target, "Plaintext": json.loads(opened)["Plaintext"]})


def start_bound(query):
    """Put each of a query's parameters, which are literals, in the place of its question mark, as Athena does."""
    text, values = query.get("QueryString", ""), list(query.get("ExecutionParameters", ()))
    marks = [(start, end) for kind, said, start, end in athena._sql_tokens(text) if (kind, said) == ("punct", "?")]
    for (start, end), value in reversed(list(zip(marks, values, strict=True))):
        text = text[:start] + value + text[end:]
    return start_query(query | {"QueryString": text})


def connected(*args, **kwargs):
    """A database that knows Trino's from_utf8."""
    database = connect(*args, **kwargs)
    database.execute("CREATE MACRO from_utf8(raw) AS decode(raw)")
    return database


@functools.lru_cache(maxsize=1024)
def key_read(expression):
    """The names and values of a condition on both keys: what the second begins with, or lies between; None: another one."""
    found = re.fullmatch(
        r"\(?(#?\w+) = (:\w+) AND (?:begins_with ?\((#?\w+), (:\w+)\)|(#?\w+) BETWEEN (:\w+) AND (:\w+))\)?", expression
    )
    return None if found is None else found.groups()


def key_fits(expression, item, values, names, slot="ConditionExpression"):
    """Whether an item fits a condition; those that nearly every query has on its keys are not parsed for each item."""
    read = key_read(expression) if slot == "KeyConditionExpression" else None
    if read is None:
        return condition_holds(expression, item, values, names, slot)
    partition, whole, begins, start, sort, low, high = read
    key = item.get(names.get(begins or sort, begins or sort), {}).get("S")
    bounds = [values[bound].get("S") for bound in ((start,) if begins else (low, high))]
    if key is None or None in bounds:
        return condition_holds(expression, item, values, names, slot)
    within = key.startswith(bounds[0]) if begins else bounds[0].encode() <= key.encode() <= bounds[1].encode()
    return within and item.get(names.get(partition, partition)) == values[whole]


def import_path_item(api_id, path, item, *more):
    """A path's methods, and what answers all others, which the emulator's import leaves out."""
    import_declared(api_id, path, {"any" if method == ANY_METHOD else method: said for method, said in item.items()}, *more)


def is_ours(headers):
    """Whether a request names one of our domains, which all end so; the edge lets no other name through."""
    return headers.get("host", "").partition(":")[0].lower().endswith(".platforma.internal")


async def before_body(method, path, headers, *more):
    """Leave our domains' requests alone until their body is read."""
    return None if is_ours(headers) else await short_cut(method, path, headers, *more)


async def after_body(method, path, headers, *more):
    """Leave our domains' requests to the gateway."""
    return None if is_ours(headers) else await shorter_cut(method, path, headers, *more)


async def by_gateway(method, path, headers, body, query_params, *more, raw_path=None, raw_query_string="", **others):
    """The gateway answers for our domains; where none is deployed, nobody does."""
    if not is_ours(headers):
        said = {"raw_path": raw_path, "raw_query_string": raw_query_string}
        return await special(method, path, headers, body, query_params, *more, **said, **others)
    host = headers["host"]
    answer = await app._handle_execute_api_request(
        host, path, method, headers, body, query_params, raw_path=raw_path, raw_query_string=raw_query_string
    )
    return answer or (502, {"Content-Type": "application/json"}, b"{}")


condition_holds, dynamodb._evaluate_condition = dynamodb._evaluate_condition, key_fits
read_once = functools.lru_cache(maxsize=4096)
dynamodb._condition_syntax_error, tokens_of = read_once(dynamodb._condition_syntax_error), read_once(dynamodb._tokenize)
dynamodb._tokenize = lambda expression: list(tokens_of(expression))
import_declared, apigateway_v1._import_path_item = apigateway_v1._import_path_item, import_path_item
apigateway_v1._OPENAPI_HTTP_METHODS |= {"any"}
scheduler._SCHEDULE_TICK_INTERVAL = 1
by_kms, kms.handle_request = kms.handle_request, with_re_encrypt
start_query, connect = athena._start_query_execution, duckdb.connect
athena._start_query_execution, duckdb.connect = start_bound, connected
short_cut, shorter_cut = app._handle_pre_body_request, app._handle_post_body_shortcuts
special = app._handle_special_data_plane_request
app._handle_pre_body_request, app._handle_post_body_shortcuts = before_body, after_body
app._handle_special_data_plane_request = by_gateway
lambda_runtime.zipfile = types.SimpleNamespace(**vars(zipfile) | {"ZipFile": SharedLayers})
dynamodb.get_state = lambda: get_state() | STREAMS
dynamodb.load_persisted_state, provisioners._update_resource = load_with_streams, update_keeping_attributes
del sys.argv[1:]  # our own mark in the command line; the emulator reads no arguments
signal.signal(signal.SIGUSR1, lambda *_: threading.Thread(target=save).start())
take_back()
threading.Thread(target=save_stores, daemon=True).start()
try:
    app.main()
finally:
    ended.set()
    RUNNING.unlink()
