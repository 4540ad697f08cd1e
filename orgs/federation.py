"""Reads `federation.yml`: the only place where an org is described."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from kit.problems import Problem, Refused
from kit.spoken import names_of
from kit.yamlfile import YamlFile, problems_of, read_yaml
from orgs.consistency import entries_of, inconsistencies
from orgs.editions import Edition, OrgKind
from orgs.model import (
    Approval,
    Approver,
    Centre,
    Federation,
    MissingFeatures,
    Org,
    Part,
    Power,
    Runner,
    ScratchOrg,
    Strategy,
    Term,
    api_number,
)

__all__ = [
    "Approval",
    "Approver",
    "Centre",
    "Edition",
    "Federation",
    "MissingFeatures",
    "Org",
    "OrgKind",
    "Part",
    "Power",
    "Runner",
    "ScratchOrg",
    "Strategy",
    "Term",
    "api_number",
    "load_federation",
    "own_file",
    "parse_federation",
]

DEFAULT_FILE = Path(__file__).with_name("federation.yml")


def own_file(name: str = DEFAULT_FILE.name) -> Path:
    """Return a file of the folder in which the federation file lies that a command means when it is told none.

    That is `orgs/` of the project around the working directory. Without one it is the sample, beside this module: kit
    and project may lie in different places, and another company's file is never read in place of the project's own.
    """
    here = Path.cwd()
    own = (folder / "orgs" for folder in (here, *here.parents))
    return next((folder for folder in own if (folder / DEFAULT_FILE.name).is_file()), DEFAULT_FILE.parent) / name


def load_federation(path: Path | None = None) -> Federation:
    """Read a federation file, by default the project's own (`own_file`).

    Raises `Refused` with every problem of the file, each with its line, the value, the rule and the fix.
    """
    source = path or own_file()
    return parse_federation(read_yaml(source), source.parent)


def parse_federation(file: YamlFile, folder: Path) -> Federation:
    """Return the federation that a parsed YAML file describes; it lies in `folder`. Raises as `load_federation`."""
    problems = inconsistencies(entries_of(file.data), file, folder)
    try:
        federation = Federation.model_validate(file.data)
    except ValidationError as error:
        problems += problems_of(error, file, names=names_of(Federation))
        raise _refused(problems, file) from error
    if problems:
        raise _refused(problems, file)
    return federation


def _refused(problems: list[Problem], file: YamlFile) -> Refused:
    in_order = sorted(problems, key=lambda problem: problem.place.line if problem.place else 0)
    return Refused(in_order, f"{file.name} is not valid: {len(in_order)} problem(s)")
