"""Problems in YAML name the line where the wrong value stands, all at once."""

from pathlib import Path

import pytest
import yaml
from pydantic import BaseModel, ConfigDict

from kit import yamlfile
from kit.problems import Refused
from kit.yamlfile import parse_model, parse_yaml

ROOT = Path(__file__).parents[2]
FILES = [file for folder in ("orgs", "infra", "flows") for file in sorted((ROOT / folder).rglob("*.y*ml"))]


class Org(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    name: str
    ring: int


class File(BaseModel):
    orgs: tuple[Org, ...]


def test_every_error_of_a_document_is_reported_together_with_its_line() -> None:
    file = parse_yaml("orgs:\n  - name: a\n    ring: one\n  - name: b\n    ring: 2\n    rnig: 3\n", "federation.yml")
    with pytest.raises(Refused) as refused:
        parse_model(File, file)
    assert [(str(p.place), p.value) for p in refused.value.problems] == [
        ("federation.yml:3", "'one'"),
        ("federation.yml:6", ""),
    ]


def test_a_missing_key_points_at_the_mapping_that_lacks_it() -> None:
    with pytest.raises(Refused) as refused:
        parse_model(File, parse_yaml("orgs:\n  - name: a\n    ring: 1\n  - name: b\n", "f.yml"))
    (problem,) = refused.value.problems
    assert (str(problem.place), problem.value) == ("f.yml:4", "")


def test_a_key_that_stands_twice_is_refused_with_its_line() -> None:
    with pytest.raises(Refused, match="'a' stands twice") as refused:
        parse_yaml("a: 1\nb: 2\na: 3\n", "f.yml")
    assert str(refused.value.problems[0].place) == "f.yml:3"


def test_broken_yaml_is_refused_with_its_line() -> None:
    with pytest.raises(Refused, match="not YAML") as refused:
        parse_yaml("a: [1,\nb: }\n", "f.yml")
    assert str(refused.value.problems[0].place) == "f.yml:2"


@pytest.mark.skipif(not yaml.__with_libyaml__, reason="not run: this PyYAML has no libyaml")
def test_libyaml_reads_every_file_as_the_slow_reader_does_and_on_the_same_lines(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert yamlfile.Loader is yaml.CSafeLoader
    texts = [file.read_text(encoding="utf-8") for file in [*FILES, *ROOT.glob("*.y*ml")]]
    assert len(texts) > 15
    fast = [parse_yaml(text, "f.yml") for text in texts]
    monkeypatch.setattr(yamlfile, "Loader", yaml.SafeLoader)
    assert [parse_yaml(text, "f.yml") for text in texts] == fast
