from infra.local import sources


def made(folder):
    (folder / "functions" / "a").mkdir(parents=True)
    (folder / "functions" / "a" / "app.py").write_text("1")
    return folder


def digest(folder, **said):
    return sources.digest([folder / "functions"], said)


def test_the_same_sources_have_the_same_digest(tmp_path):
    assert digest(made(tmp_path)) == digest(tmp_path)


def test_a_changed_file_and_a_renamed_one_change_it(tmp_path):
    before = digest(made(tmp_path))
    file = tmp_path / "functions" / "a" / "app.py"
    file.rename(file.with_name("other.py"))
    renamed = digest(tmp_path)
    file.with_name("other.py").rename(file)
    file.write_text("2")

    assert len({before, renamed, digest(tmp_path)}) == 3


def test_another_parameter_changes_it(tmp_path):
    assert digest(made(tmp_path), Runtime="python3.11") != digest(tmp_path, Runtime="python3.13")


def test_byte_code_left_lying_about_does_not(tmp_path):
    before = digest(made(tmp_path))
    (tmp_path / "functions" / "a" / "__pycache__").mkdir()
    (tmp_path / "functions" / "a" / "__pycache__" / "app.pyc").write_bytes(b"x")

    assert digest(tmp_path) == before


def test_what_functions_are_built_from_is_all_there():
    assert all((sources.ROOT / name).exists() for name in sources.BUILT_FROM)
