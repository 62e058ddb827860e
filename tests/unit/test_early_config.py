"""The concurrency backend is read before oslo.config exists, yet from the places oslo.config reads."""

from __future__ import annotations

import pathlib

import pytest

from nova_lite import early_config


def read(argv: list[str], **environ: str) -> str:
    return early_config.concurrency_backend(["nova-lite-api", *argv], {"HOME": "/nonexistent", **environ})


def conf(path: pathlib.Path, text: str) -> str:
    path.write_text(text)
    return str(path)


def test_default_is_eventlet() -> None:
    assert read([]) == "eventlet"


@pytest.mark.parametrize("form", ["separate", "equals"])
def test_named_file(tmp_path: pathlib.Path, form: str) -> None:
    path = conf(
        tmp_path / "a.conf", "[other]\nconcurrency_backend = eventlet\n[DEFAULT]\nconcurrency_backend = threading\n"
    )
    argv = ["--config-file", path] if form == "separate" else [f"--config-file={path}"]
    assert read(argv) == "threading"


def test_value_in_another_group_does_not_count(tmp_path: pathlib.Path) -> None:
    assert read(["--config-file", conf(tmp_path / "a.conf", "[api]\nconcurrency_backend = threading\n")]) == "eventlet"


def test_commented_value_does_not_count(tmp_path: pathlib.Path) -> None:
    path = conf(tmp_path / "a.conf", "[DEFAULT]\n#concurrency_backend = threading\n")
    assert read(["--config-file", path]) == "eventlet"


def test_last_file_wins_and_directory_comes_after_files(tmp_path: pathlib.Path) -> None:
    first = conf(tmp_path / "a.conf", "[DEFAULT]\nconcurrency_backend = threading\n")
    directory = tmp_path / "conf.d"
    directory.mkdir()
    conf(directory / "z.conf", "[DEFAULT]\nconcurrency_backend = eventlet\n")
    assert read(["--config-file", first]) == "threading"
    assert read(["--config-file", first, "--config-dir", str(directory)]) == "eventlet"


def test_home_configuration_is_found(tmp_path: pathlib.Path) -> None:
    (tmp_path / ".nova-lite").mkdir()
    conf(tmp_path / ".nova-lite" / "nova-lite.conf", "[DEFAULT]\nconcurrency_backend=threading\n")
    assert early_config.concurrency_backend(["x"], {"HOME": str(tmp_path)}) == "threading"


def test_environment_beats_files(tmp_path: pathlib.Path) -> None:
    path = conf(tmp_path / "a.conf", "[DEFAULT]\nconcurrency_backend = eventlet\n")
    assert read(["--config-file", path], NOVA_LITE_CONCURRENCY_BACKEND="threading") == "threading"


def test_wrong_value_ends_with_the_place_and_the_remedy() -> None:
    with pytest.raises(SystemExit) as caught:
        read([], NOVA_LITE_CONCURRENCY_BACKEND="gevent")
    assert "gevent" in str(caught.value)
    assert "NOVA_LITE_CONCURRENCY_BACKEND" in str(caught.value)
    assert "threading" in str(caught.value)
