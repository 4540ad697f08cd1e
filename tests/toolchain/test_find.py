"""The user's own toolchain comes first, the cache next, and what is ours is never taken for theirs."""

import json
from pathlib import Path

import pytest

from kit.problems import Refused
from toolchain import build, ensure, find, official, pins, shim

PLUGIN_HOME = Path("plugins") / find.plugin_folder() / find.PLUGIN


def executable(path: Path, text: str = "#!/bin/sh\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SFOA_TOOLCHAIN_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("PULUMI_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return tmp_path / "cache"


def test_the_user_s_own_engine_comes_before_a_built_one(tmp_path: Path) -> None:
    own = executable(tmp_path / "own" / "pulumi")
    executable(tmp_path / "own" / "pulumi-language-python")
    executable(pins.piece_dir("engine") / "bin" / "pulumi")
    executable(pins.piece_dir("engine") / "bin" / "pulumi-language-python")
    assert find.find_engine({"PATH": str(own.parent)}) == find.Found(own, "yours")
    found = find.find_engine({"PATH": ""})
    assert found is not None
    assert found.way == "built"


def test_an_engine_without_a_python_host_is_not_taken(tmp_path: Path) -> None:
    executable(tmp_path / "own" / "pulumi")
    assert find.find_engine({"PATH": str(tmp_path / "own")}) is None


def test_our_own_shim_is_never_taken_for_the_user_s_engine(tmp_path: Path) -> None:
    text = shim.shim_text(Path("/cache/bin/pulumi"), Path("/cache/plugin"), Path("/cache/home"))
    executable(tmp_path / "venv" / "pulumi", text)
    executable(tmp_path / "venv" / "pulumi-language-python")
    assert find.find_engine({"PATH": str(tmp_path / "venv")}) is None


def test_a_plugin_in_the_user_s_pulumi_home_is_used(tmp_path: Path) -> None:
    plugin = executable(tmp_path / "home" / ".pulumi" / PLUGIN_HOME)
    assert find.find_plugin({"PATH": ""}) == find.Found(plugin, "yours")


def test_a_plugin_of_another_version_is_not_used(tmp_path: Path) -> None:
    executable(tmp_path / "home" / ".pulumi" / "plugins" / "resource-alicloud-v1.0.0" / find.PLUGIN)
    assert find.find_plugin({"PATH": ""}) is None


def test_the_key_changes_with_any_source_that_is_built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in ("engine", "host", "plugin"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "go.mod").write_text("module example.com/a\n")
    monkeypatch.setattr(pins, "ROOT", tmp_path)
    before = pins.key("engine"), pins.key("plugin")
    (tmp_path / "host" / "go.sum").write_text("changed")
    after = pins.key("engine"), pins.key("plugin")
    assert before[0] != after[0]
    assert before[1] == after[1]


def test_without_go_the_refusal_names_all_three_ways(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(official, "installer_script", lambda: None)
    with pytest.raises(Refused) as refused:
        ensure.ensure()
    (problem,) = refused.value.problems
    assert "no Go on PATH" in problem.what
    assert all(f"({way})" in problem.fix for way in (1, 2, 3))


def test_without_disk_the_refusal_says_how_much_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    class Full:
        free = 2**30

    monkeypatch.setattr("toolchain.build.shutil.disk_usage", lambda _: Full)
    with pytest.raises(Refused, match=r"1\.0 GiB free; a cold build takes 10 GiB"):
        build.build("engine", lambda *_: None)


def test_without_a_module_proxy_the_refusal_carries_what_go_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go = "#!/bin/sh\necho 'dial tcp: lookup proxy: no such host' >&2\nexit 1\n"
    executable(tmp_path / "bin" / "go", go)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    with pytest.raises(Refused, match="no such host") as refused:
        build.build("plugin", lambda *_: None)
    assert all(f"({way})" in refused.value.problems[0].fix for way in (1, 2, 3))
    assert not pins.piece_dir("plugin").exists()


def test_an_installer_that_can_t_be_reached_is_given_up_within_its_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    # Port 9 of this machine: nothing listens there.
    monkeypatch.setattr(
        official,
        "pins",
        lambda: type("P", (), {"installer": "https://127.0.0.1:9/install.sh", "installer_patience": 1}),
    )
    assert official.installer_script() is None


def test_every_piece_says_how_long_it_usually_takes() -> None:
    table = json.loads((pins.ROOT / "pins.json").read_text())
    assert set(table["pieces"]) == set(pins.SOURCES)
    assert all(piece["usual_minutes"] > 0 for piece in table["pieces"].values())
