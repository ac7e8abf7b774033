import os
import signal
import subprocess
import sys

import pytest

from infra.local.processes import Server, command_line
from infra.local.progress import wait_until

SLEEPER = "import sys, time; time.sleep(60)"


@pytest.fixture
def server(tmp_path):
    server = Server("sleeper", tmp_path / "mark", tmp_path / "pid", tmp_path / "log")
    yield server
    server.stop(seconds=2)


def start(server, code=SLEEPER):
    server.start([sys.executable, "-c", code, str(server.mark)], {"PATH": os.defpath}, folder=server.mark.parent)
    assert server.pid() is not None


def test_a_started_server_is_known_by_its_pid_file(server):
    start(server)

    assert str(server.mark) in command_line(int(server.pid_file.read_text()))


def test_a_stopped_server_is_gone_with_its_pid_file(server):
    start(server)
    pid = server.pid()

    assert server.stop() is True
    assert command_line(pid) == ""
    assert not server.pid_file.exists()


def test_a_server_that_ignores_kindness_is_killed(server):
    start(server, "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True); time.sleep(60)")
    assert wait_until(lambda: server.log.read_text() == "1\n", 5)

    assert server.stop(seconds=0.2) is True
    assert server.pid() is None


def test_a_pid_that_went_to_another_program_is_never_signalled(server):
    with subprocess.Popen([sys.executable, "-c", SLEEPER]) as stranger:
        server.pid_file.write_text(str(stranger.pid))

        assert server.pid() is None
        assert server.stop() is False
        assert stranger.poll() is None
        stranger.send_signal(signal.SIGKILL)


@pytest.mark.parametrize("content", ["", "x", "999999999"])
def test_a_pid_file_that_means_nothing_is_nobody(server, content):
    server.pid_file.write_text(content)

    assert server.pid() is None
    assert server.stop() is False
