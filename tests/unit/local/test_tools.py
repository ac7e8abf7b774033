import importlib.util
from pathlib import Path

import pytest

FILE = Path(__file__).parents[3] / "infra" / "local" / "tools.py"


@pytest.fixture
def tools(tmp_path, monkeypatch):
    specification = importlib.util.spec_from_file_location("platforma_tools", FILE)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    (tmp_path / "requirements").mkdir()
    (tmp_path / "requirements" / "dev.txt").write_text(
        "uv==1 \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb\n    # via x\nyaml==2\n"
    )
    monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(module, "PLACES", {"dev": tmp_path / ".venv"})
    return module


def make_whole(tools):
    place = tools.PLACES["dev"] / "bin"
    place.mkdir(parents=True)
    (place / "python").touch()
    tools.stamp_file("dev").parent.mkdir(exist_ok=True)
    tools.stamp_file("dev").write_text(tools.stamp_of("dev"))


def test_an_environment_with_todays_stamp_is_made(tools):
    make_whole(tools)

    assert tools.is_made("dev")


def test_a_half_made_one_is_not(tools):
    make_whole(tools)
    tools.stamp_file("dev").unlink()

    assert not tools.is_made("dev")


def test_one_whose_python_is_gone_is_not(tools):
    make_whole(tools)
    (tools.PLACES["dev"] / "bin" / "python").unlink()

    assert not tools.is_made("dev")


def test_a_changed_lock_asks_for_it_anew(tools):
    make_whole(tools)
    with tools.lock_file("dev").open("a") as lock:
        lock.write("more==3\n")

    assert not tools.is_made("dev")


def test_a_file_in_its_place_gives_way(tools, monkeypatch, tmp_path):
    tools.PLACES["dev"].touch()

    def run(_command, _log):
        (tools.PLACES["dev"] / "bin").mkdir(parents=True, exist_ok=True)
        (tools.PLACES["dev"] / "lib").mkdir(exist_ok=True)

    monkeypatch.setattr(tools, "run", run)

    tools.make("dev", tmp_path / "log")

    assert tools.stamp_of("dev") == tools.stamp_file("dev").read_text()


def test_pip_gets_exactly_the_locked_file_of_uv(tools):
    assert (
        tools.pinned("uv", tools.lock_file("dev").read_text()) == "uv==1 \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb\n"
    )


def test_the_first_environment_finds_our_own_packages(tools, tmp_path):
    make_whole(tools)
    packages = tmp_path / ".venv" / "lib" / "python3.11" / "site-packages"
    packages.mkdir(parents=True)

    assert tools.main([]) == 0

    assert (packages / "platforma.pth").read_text() == f"{tmp_path}/layers/core/python\n"


def test_an_environment_of_npm_is_whole_with_its_modules_only(tools):
    tools.PLACES["peers"] = tools.ROOT / ".tools" / "peers"
    tools.NPM["peers"] = tools.ROOT / "peers"
    tools.NPM["peers"].mkdir()
    tools.lock_file("peers").write_text("{}")
    tools.stamp_file("peers").parent.mkdir(parents=True)
    tools.stamp_file("peers").write_text(tools.stamp_of("peers"))

    assert not tools.is_made("peers")

    (tools.PLACES["peers"] / "node_modules").mkdir()

    assert tools.is_made("peers")
