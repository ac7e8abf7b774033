"""
SAM: builds the functions and their layers, and deploys the three stacks in order.

What has not changed since is neither built nor deployed again. What a stack was deployed from is kept in the emulator
itself, so that it is forgotten together with the deployment: by `make clean`, and by a kill that cost the emulator its last
minutes. Builds and deployments inherit the stack's lock (`up.alone`).
"""

import os
import platform
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from botocore.exceptions import ClientError

from infra.local import aws, sources
from infra.local.certificates import write_private
from infra.local.progress import StepFailed, wait_until
from infra.local.stack import REGION, ROOT, ROOT_KEY_ID, ROOT_SECRET, Stack

UPLOADS = "platforma-uploads"
# A creation that failed or never finished holds nothing; CloudFormation wants it deleted before it is tried again.
NEVER_MADE = {"ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "REVIEW_IN_PROGRESS", "CREATE_FAILED", "DELETE_FAILED"}
WHOLE = {"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"}
IN_PROGRESS_SECONDS = 120


def environment(stack: Stack) -> dict[str, str]:
    """This shell's environment without its own AWS settings, turned to the emulator."""
    ours = {
        name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "SAM_", "PYTHON", "VIRTUAL_ENV"))
    }
    tools = [str(ROOT / ".venv" / "bin"), str(ROOT / ".tools" / "sam" / "bin"), ours.get("PATH", os.defpath)]
    certificates = {name: value for name, value in os.environ.items() if name == "AWS_CA_BUNDLE"}
    return ours | certificates | {
        "PATH": os.pathsep.join(tools),
        "AWS_ENDPOINT_URL": stack.aws_url,
        "AWS_ACCESS_KEY_ID": ROOT_KEY_ID,
        "AWS_SECRET_ACCESS_KEY": ROOT_SECRET,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "SAM_CLI_TELEMETRY": "0",
        "SAM_CLI_POLL_DELAY": "0.5",
        "UV": str(ROOT / ".venv" / "bin" / "uv"),
        "PLATFORMA_LAYER_PYTHON": f"{sys.version_info.major}.{sys.version_info.minor}",
        "PLATFORMA_LAYER_PLATFORM": wheel_platform(),
    }  # fmt: skip


def wheel_platform() -> str:
    """This machine, as uv names what wheels are for."""
    machine = {"arm64": "aarch64", "amd64": "x86_64"}.get(platform.machine().lower(), platform.machine().lower())
    if sys.platform == "darwin":
        return f"{machine}-apple-darwin"
    return f"{machine}-manylinux_2_28" if platform.libc_ver()[0] == "glibc" else f"{machine}-unknown-linux-musl"


def target() -> dict[str, str]:
    """What functions are for on this machine, in the templates' words."""
    return {
        "Runtime": f"python3.{min(sys.version_info.minor, 14)}",
        "Architecture": "arm64" if platform.machine() in {"arm64", "aarch64"} else "x86_64",
    }


class Build:
    """`sam build` on its way, beside the servers' start; nothing at all if what it made last is of the same sources."""

    def __init__(self, stack: Stack) -> None:
        self.folder = stack.folder("build")
        self.log = stack.logs / "sam-build.log"
        self.made = self.folder / "platforma" / "template.yaml"
        self.mark = self.folder / "built-from"
        self.digest = sources.built_from({"target": wheel_platform()})
        self.process: subprocess.Popen[bytes] | None = None
        if self.mark.exists() and self.mark.read_text() == self.digest and self.made.exists():
            return
        self.mark.unlink(missing_ok=True)
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                self.command(), stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=self.folder, env=environment(stack),
                close_fds=False,
            )  # fmt: skip

    def command(self) -> list[str]:
        """The build, into this stack's own folder."""
        return [
            sam(), "build", "--template-file", str(ROOT / "template.yaml"), "--base-dir", str(ROOT),
            "--build-dir", str(self.made.parent), "--cached", "--cache-dir", str(self.folder / "cache"), "--parallel",
        ]  # fmt: skip

    def template(self) -> Path:
        """
        The built template, once it is there.

        Raises:
            StepFailed: the build failed.
        """
        if self.process is not None:
            if self.process.wait():
                raise StepFailed(
                    "building the functions (sam build)", log=self.log, remedy="mend what the log names, run again"
                )
            write_private(self.mark, self.digest)
        return self.made

    def abandon(self) -> None:
        """End a build whose result nobody will want."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait()


def deploy(stack: Stack, name: str, template: Path, parameters: Mapping[str, str], *, built_from: str = "") -> bool:
    """
    Deploy one stack in place, unless it is there and of the same template, parameters and sources; whether it was.

    Raises:
        StepFailed: CloudFormation refused or rolled back.
    """
    wanted = sources.digest([template, ROOT / "requirements" / "sam.txt"], {**parameters, "sources": built_from})
    _settled(stack, name)
    status = aws.status_of(stack, name)
    if status in WHOLE and deployed_from(stack, name) == wanted:
        return False
    ssm, cloudformation = aws.client("ssm", stack.aws_url), aws.client("cloudformation", stack.aws_url)
    ssm.delete_parameters(Names=[_note(name)])
    if status in NEVER_MADE:
        cloudformation.delete_stack(StackName=name)
        cloudformation.get_waiter("stack_delete_complete").wait(StackName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    _sam_deploy(stack, name, template, parameters)
    ssm.put_parameter(Name=_note(name), Value=wanted, Type="String", Overwrite=True)
    return True


def deployed_from(stack: Stack, name: str) -> str | None:
    """The digest of what a stack was deployed from; None if that is not known, or was never finished."""
    try:
        told = aws.client("ssm", stack.aws_url).get_parameter(Name=_note(name))
    except ClientError:
        return None
    return str(told["Parameter"]["Value"])


def _note(name: str) -> str:
    return f"/platforma/local/deployed-from/{name}"


def _settled(stack: Stack, name: str) -> None:
    """Wait for the end of a deployment that a killed command left behind."""

    def still() -> bool:
        status = aws.status_of(stack, name) or ""
        return not status.endswith("_IN_PROGRESS") or status in NEVER_MADE

    if not wait_until(still, IN_PROGRESS_SECONDS, pause=0.5):
        raise StepFailed(
            f"{name} stays {aws.status_of(stack, name)}",
            remedy="`make stop` and `make run` again; `make clean` starts from nothing (and forgets the data)",
        )


def _sam_deploy(stack: Stack, name: str, template: Path, parameters: Mapping[str, str]) -> None:
    log = stack.logs / f"deploy-{name}.log"
    command = [
        sam(), "deploy", "--template-file", str(template), "--stack-name", name, "--region", REGION,
        "--s3-bucket", UPLOADS, "--s3-prefix", name, "--capabilities", "CAPABILITY_IAM", "CAPABILITY_NAMED_IAM",
        "CAPABILITY_AUTO_EXPAND", "--no-confirm-changeset", "--no-fail-on-empty-changeset", "--no-progressbar",
        "--parameter-overrides", *(f"{key}={value}" for key, value in parameters.items()),
    ]  # fmt: skip
    with log.open("wb") as sink:
        ended = subprocess.run(
            command, stdout=sink, stderr=sink, stdin=subprocess.DEVNULL, cwd=stack.folder("build"), env=environment(stack),
            check=False, close_fds=False,
        )  # fmt: skip
    if ended.returncode:
        raise StepFailed(
            f"deploying {name} (sam deploy)", log=log, remedy="mend what the log names and run again; data is kept"
        )


def ensure_uploads(stack: Stack) -> None:
    """The bucket that SAM packs code into."""
    s3 = aws.client("s3", stack.aws_url)
    if UPLOADS not in {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]}:
        s3.create_bucket(Bucket=UPLOADS, CreateBucketConfiguration={"LocationConstraint": REGION})


def sam() -> str:
    """The locked SAM CLI."""
    return str(ROOT / ".tools" / "sam" / "bin" / "sam")
