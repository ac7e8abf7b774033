"""SAM: builds the functions and their layers, and deploys the three stacks in order."""

import os
import platform
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from infra.local import aws
from infra.local.progress import StepFailed
from infra.local.stack import REGION, ROOT, ROOT_KEY_ID, ROOT_SECRET, Stack

UPLOADS = "platforma-uploads"
# A creation that failed or never finished holds nothing; CloudFormation wants it deleted before it is tried again.
NEVER_MADE = {"ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "REVIEW_IN_PROGRESS", "CREATE_FAILED", "DELETE_FAILED"}


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


class Build:
    """`sam build` on its way, beside the servers' start."""

    def __init__(self, stack: Stack) -> None:
        self.folder = stack.folder("build")
        self.log = stack.logs / "sam-build.log"
        command = [
            sam(), "build", "--template-file", str(ROOT / "template.yaml"), "--base-dir", str(ROOT),
            "--build-dir", str(self.folder / "platforma"), "--cached", "--cache-dir", str(self.folder / "cache"),
            "--parallel",
        ]  # fmt: skip
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=self.folder, env=environment(stack)
            )

    def template(self) -> Path:
        """
        The built template, once it is there.

        Raises:
            StepFailed: the build failed.
        """
        if self.process.wait():
            raise StepFailed("building the functions (sam build)", log=self.log, remedy="mend what the log names, run again")
        return self.folder / "platforma" / "template.yaml"

    def abandon(self) -> None:
        """End a build whose result nobody will want."""
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait()


def deploy(stack: Stack, name: str, template: Path, parameters: Mapping[str, str]) -> None:
    """
    Deploy one stack in place.

    Raises:
        StepFailed: CloudFormation refused or rolled back.
    """
    cloudformation, log = aws.client("cloudformation", stack.aws_url), stack.logs / f"deploy-{name}.log"
    if aws.status_of(stack, name) in NEVER_MADE:
        cloudformation.delete_stack(StackName=name)
        cloudformation.get_waiter("stack_delete_complete").wait(StackName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    command = [
        sam(), "deploy", "--template-file", str(template), "--stack-name", name, "--region", REGION,
        "--s3-bucket", UPLOADS, "--s3-prefix", name, "--capabilities", "CAPABILITY_IAM", "CAPABILITY_NAMED_IAM",
        "CAPABILITY_AUTO_EXPAND", "--no-confirm-changeset", "--no-fail-on-empty-changeset", "--no-progressbar",
        "--parameter-overrides", *(f"{key}={value}" for key, value in parameters.items()),
    ]  # fmt: skip
    with log.open("wb") as sink:
        ended = subprocess.run(
            command, stdout=sink, stderr=sink, stdin=subprocess.DEVNULL, cwd=stack.folder("build"), env=environment(stack),
            check=False,
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
