"""MiniStack as the local AWS: persistent, IAM enforced, in an environment that holds nothing of ours."""

import hashlib
import http.client
import json
import os
import shutil
import signal
from pathlib import Path

from infra.local.certificates import write_private
from infra.local.ports import claim
from infra.local.processes import Server
from infra.local.progress import StepFailed, wait_until
from infra.local.stack import REGION, ROOT, ROOT_KEY_ID, ROOT_SECRET, Stack

LAUNCHER = Path(__file__).with_name("emulator_launcher.py")


def server(stack: Stack) -> Server:
    """The MiniStack process of this stack."""
    home = stack.home / "ministack"
    return Server("MiniStack", home / "state", home / "pid", stack.logs / "ministack.log")


def start(stack: Stack) -> None:
    """
    Have the emulator up, with today's environment.

    Raises:
        StepFailed: its port is taken, or it does not come up.
    """
    emulator, variables = server(stack), environment(stack)
    wanted = json.dumps({"environment": variables, "program": program()}, indent=1)
    known = stack.folder("ministack") / "started-with.json"
    if emulator.pid() and known.exists() and known.read_text() == wanted and is_ready(stack):
        return
    emulator.stop(seconds=30)
    claim(stack.ports.aws, "MiniStack", "PLATFORMA_AWS_PORT")
    shutil.rmtree(stack.home / "ministack" / "tmp", ignore_errors=True)
    for folder in ("state", "s3", "tmp"):
        stack.folder(f"ministack/{folder}")
    write_private(known, wanted)
    python = ROOT / ".tools" / "ministack" / "bin" / "python"
    command = [str(python), "-I", str(LAUNCHER), str(emulator.mark)]
    emulator.start(command, variables, folder=stack.home / "ministack")
    if not wait_until(lambda: is_ready(stack) or emulator.pid() is None, 90) or not is_ready(stack):
        raise StepFailed(
            "MiniStack does not come up", log=emulator.log, remedy="read its log; `make clean` forgets its data"
        )


def program() -> str:
    """What runs: the emulator's lock and our launcher."""
    return hashlib.sha256((ROOT / "requirements" / "ministack.txt").read_bytes() + LAUNCHER.read_bytes()).hexdigest()


def environment(stack: Stack) -> dict[str, str]:
    """All that the emulator, and so every function, inherits."""
    home = stack.home / "ministack"
    return {
        "PATH": os.defpath,
        "HOME": str(home),
        "TMPDIR": str(home / "tmp"),
        "LANG": "C.UTF-8",
        "GATEWAY_PORT": str(stack.ports.aws),
        "BIND_HOST": "127.0.0.1",
        "AUTH": "true",
        "AWS_ACCESS_KEY_ID": ROOT_KEY_ID,
        "AWS_SECRET_ACCESS_KEY": ROOT_SECRET,
        "AWS_DEFAULT_REGION": REGION,
        "MINISTACK_REGION": REGION,
        "PERSIST_STATE": "1",
        "STATE_DIR": str(home / "state"),
        "S3_PERSIST": "1",
        "S3_DATA_DIR": str(home / "s3"),
        "LAMBDA_EXECUTOR": "local",
        "LAMBDA_WARM_TTL_SECONDS": "900",
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
    }


def is_ready(stack: Stack) -> bool:
    """Whether it answers."""
    connection = http.client.HTTPConnection("127.0.0.1", stack.ports.aws, timeout=2)
    try:
        connection.request("GET", "/_ministack/health")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def save(stack: Stack) -> None:
    """Have the state written now, so that even a killed emulator comes back with what was deployed."""
    server(stack).signal(signal.SIGUSR1)
