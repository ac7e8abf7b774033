import subprocess
import sys

import pytest

from infra.local.ports import Ports
from infra.local.progress import StepFailed
from infra.local.stack import Stack
from infra.local.up import alone

HOLDER = "import sys; print(1, flush=True); sys.stdin.read()"


@pytest.fixture
def stack(tmp_path):
    return Stack(tmp_path / "home", Ports())


def test_a_second_command_waits_and_then_says_who_is_in_the_way(stack):
    with alone(stack), pytest.raises(StepFailed, match="another command"), alone(stack, patience=0.1):
        pass


def test_the_next_command_goes_on(stack):
    with alone(stack):
        pass
    with alone(stack, patience=0):
        pass


def test_the_build_of_a_killed_command_still_keeps_others_away(stack):
    with alone(stack):
        build = subprocess.Popen(
            [sys.executable, "-c", HOLDER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, close_fds=False
        )
        assert build.stdout.readline() == b"1\n"
    try:
        with pytest.raises(StepFailed), alone(stack, patience=0.1):
            pass
    finally:
        build.communicate(b"")
    with alone(stack, patience=0):
        pass
