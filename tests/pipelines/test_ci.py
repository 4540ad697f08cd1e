"""What CI is told to run exists, with the options that it is given; and no key of the cloud is stored there."""

from __future__ import annotations

import importlib
import re
import shlex
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from flows.cli import main as sfoa
from flows.commands.matrix import JOBS, _child, _row
from flows.reach import Reached
from flows.yunxiao import JOBS as YUNXIAO
from orgs.federation import load_federation

ROOT = Path(__file__).parents[2]
GITHUB = ROOT / ".github" / "workflows" / "release.yml"
GITLAB = (ROOT / ".gitlab-ci.yml", ROOT / JOBS)
REACHED = [Reached(org, besides=("why",)) for org in load_federation().orgs]
SHELL = {"if", "else", "fi", "echo", "export", "printenv", "eval", "cat", "set", "trap", "mkdir", "rm", "exit"}
"""Words of the shell, which need no look-up here."""


class Loader(yaml.SafeLoader):
    """Reads GitLab's own tag too, and `on` as the word that it is in GitHub's files."""


Loader.add_constructor("!reference", lambda loader, node: loader.construct_sequence(node))  # type: ignore[arg-type]
Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in rules if tag != "tag:yaml.org,2002:bool" or first not in "oO"]
    for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def read(path: Path) -> dict[str, Any]:
    data: dict[str, Any] = yaml.load(path.read_text(encoding="utf-8"), Loader)
    return data


def scripts() -> Iterator[tuple[str, str]]:
    """Return every line that CI runs, with the file that says so."""
    for job in read(GITHUB)["jobs"].values():
        for step in job["steps"]:
            yield from ((GITHUB.name, line) for line in step.get("run", "").splitlines())
    for path in GITLAB:
        for job in read(path).values():
            if isinstance(job, dict):
                entries = [*job.get("before_script", ()), *job.get("script", ())]
                yield from (
                    (path.name, line) for text in entries if isinstance(text, str) for line in text.splitlines()
                )
    for part in read(ROOT / YUNXIAO).values():
        for step in part["job"]["steps"].values():
            yield from ((YUNXIAO, line) for line in step["with"].get("run", "").splitlines())


def commands() -> list[tuple[str, ...]]:
    """Return each command of those lines as its words; what stands inside `$(…)` is one of its own."""
    texts = []
    for _, line in scripts():
        texts += [re.sub(r"\$\(.*?\)", "$INNER", line), *re.findall(r"\$\((.*?)\)", line)]
    split = (shlex.split(re.sub(r"\s*>>?\s*\S+$", "", text).split("; then")[0]) for text in texts)
    bare = (words for words in split if words and not re.match(r"[A-Z_]+=", words[0]))
    return [(words[0].removeprefix(".venv/bin/"), *words[1:]) for words in bare]


def of(program: str) -> list[tuple[str, ...]]:
    return sorted({words[1:] for words in commands() if words[0] == program})


def test_every_program_is_one_that_is_looked_at_here() -> None:
    assert {words[0] for words in commands()} - SHELL == {"sfoa", "cci", "make", "python"}


@pytest.mark.parametrize("words", of("sfoa"), ids=" ".join)
def test_a_command_of_sfoa_takes_what_it_is_given(words: tuple[str, ...]) -> None:
    command = sfoa.get_command(click.Context(sfoa), words[0])
    assert command is not None
    command.make_context(words[0], list(words[1:]))  # a usage error names what it doesn't take


def options_of(task: str) -> set[str]:
    """Return the options of a task of cumulusci.yml."""
    module, _, name = read(ROOT / "cumulusci.yml")["tasks"][task]["class_path"].rpartition(".")
    return set(getattr(importlib.import_module(module), name).Options.__fields__)


@pytest.mark.parametrize("words", of("cci"), ids=" ".join)
def test_a_command_of_cci_names_a_flow_or_task_and_options_that_there_are(words: tuple[str, ...]) -> None:
    kind, run, name, *rest = words
    assert run == "run"
    if kind == "task":
        given = {word.removeprefix("--").replace("-", "_") for word in rest if word.startswith("--")}
        assert given - {"org"} <= options_of(name)
        assert len(rest) == 2 * len(given)
        return
    assert kind == "flow"
    tasks = {step["task"] for step in read(ROOT / "cumulusci.yml")["flows"][name]["steps"].values()}
    told = [option for flag, option in pairwise(rest) if flag == "-o"]
    assert len(rest) == 2 + 3 * len(told)
    for option in told:
        task, _, field = option.partition("__")
        assert task in tasks
        assert field in options_of(task)


def test_a_target_of_make_is_in_the_makefile_and_a_module_is_there() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for words in of("make"):
        assert all(re.search(rf"^{re.escape(target)}:", makefile, re.MULTILINE) for target in words)
    for flag, name, *_ in of("python"):
        if flag == "-m":
            importlib.import_module(name)
        else:
            compile(name, "-c", "exec")


def test_the_matrix_has_what_the_jobs_read_of_it() -> None:
    text = GITHUB.read_text(encoding="utf-8")
    assert set(re.findall(r"\bmatrix\.([a-z]+)", text)) - {"outputs", "json"} <= _row(REACHED[0]).keys()
    templates = read(ROOT / JOBS)
    told = [words[words.index("--job") + 1] for words in of("sfoa") if "--job" in words]
    assert sorted(told) == ["promote", "validate"]
    for name in told:
        child = _child(REACHED, name)
        jobs = {key: value for key, value in child.items() if key.startswith(f"{name} ")}
        assert len(jobs) == len(REACHED)
        for job in jobs.values():
            assert job["extends"] in templates
            assert job["stage"] in child["stages"]
        assert set(re.findall(r"\$([A-Z]+)\b", yaml.dump(templates[f".{name}"]))) - {"RELEASE"} <= {"ORG", "KIND"}


def test_production_waits_for_its_environment_and_orgs_are_promoted_in_the_order_of_their_rings() -> None:
    promote = read(GITHUB)["jobs"]["promote"]
    assert promote["environment"] == "${{ matrix.kind }}"
    assert (promote["strategy"]["max-parallel"], promote["strategy"]["fail-fast"]) == (1, True)
    assert read(ROOT / JOBS)[".promote"]["environment"]["name"] == "$KIND"
    assert "needs" not in read(ROOT / JOBS)[".promote"]  # or a job would not wait for the stage before
    assert _child(REACHED, "promote")["stages"] == [f"ring-{ring}" for ring in range(1, 6)]


def test_only_the_orgs_key_is_a_secret_and_the_cloud_gives_keys_for_tokens() -> None:
    texts = [path.read_text(encoding="utf-8") for path in (GITHUB, *GITLAB)]
    assert set(re.findall(r"secrets\.(\w+)", "".join(texts))) == {"SFOA_JWT_KEY"}
    assert not any("ACCESS_KEY" in text or "://" in text for text in texts)
    for job in read(GITHUB)["jobs"].values():
        uses = [step["uses"] for step in job["steps"] if "uses" in step]
        assert all(re.fullmatch(r"[\w-]+/[\w-]+(/[\w-]+)?@v\d+", each) for each in uses)
        assert any(each.startswith("aliyun/") for each in uses) == (
            job.get("permissions", {}).get("id-token") == "write"
        )
    assert read(ROOT / JOBS)[".release"]["id_tokens"]["ALIYUN_TOKEN"] == {"aud": "sts.aliyuncs.com"}
