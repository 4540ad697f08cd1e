"""One adapter a client: turns a row of the table into a call of the real client, and gives back what it answered."""

from __future__ import annotations

import base64
import contextlib
import csv
import io
import json
import os
import select
import shlex
import subprocess
import sys
import time
import zipfile
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

from simple_salesforce import Salesforce

from tests.clients.node import locked, modules, node
from tests.clients.stage import Column, Stage

HERE = Path(__file__).parent
_PATIENCE = 120
"""How long one operation may take, in seconds."""


class Failed(Exception):
    """The client did not do what it was asked; the message is its own."""


class Client(Protocol):
    """A client at work with one org. `run` and `environment` are a row's own, filled in already."""

    def call(self, run: Any, environment: Mapping[str, str]) -> Any:
        """Return what the client answered, as JSON. Raises `Failed`."""
        ...

    def close(self) -> None: ...


class Sf:
    """Salesforce's CLI, one process a call."""

    def __init__(self, stage: Stage, column: Column) -> None:
        self._node, _ = node()
        self._entry = modules() / "node_modules" / "@salesforce" / "cli" / "bin" / "run.js"
        self._folder, self._column = stage.project("sf", column), column
        home = self._folder / ".home"
        home.mkdir(exist_ok=True)
        # docs/clients.md tells people what each is for.
        self._settings = {
            "HOME": str(home),
            "PATH": f"{self._node.parent}{os.pathsep}{os.environ['PATH']}",
            "SF_AUDIENCE_URL": column.audience,
            "SFDX_DISABLE_DNS_CHECK": "true",
            "SF_DISABLE_TELEMETRY": "true",
            "SF_SKIP_NEW_VERSION_CHECK": "true",
            "SF_USE_GENERIC_UNIX_KEYCHAIN": "true",
            "SF_DISABLE_LOG_FILE": "true",
        }

    def call(self, run: str, environment: Mapping[str, str]) -> Any:
        arguments = shlex.split(run)
        if arguments[:2] != ["org", "login"]:
            arguments += ["--target-org", self._column.org.runner.username]
        command = [self._node, self._entry, *arguments, "--json"]
        done = _done(command, self._folder, {**self._settings, **environment})
        try:
            answer = json.loads(done.stdout)
        except ValueError:
            raise Failed((done.stdout + done.stderr)[-400:]) from None
        if done.returncode:
            raise Failed(f"exit {done.returncode}: {answer.get('message') or str(answer)[:400]}")
        return answer["result"]

    def close(self) -> None: ...


class Lines:
    """A process that answers a line of JSON with a line of JSON; one that does not answer in time is started anew."""

    def __init__(
        self, command: list[Any], folder: Path, settings: Mapping[str, str], patience: float = _PATIENCE
    ) -> None:
        self._command, self._folder, self._settings, self.patience = command, folder, settings, patience
        self._process = self._start()

    def _start(self) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self._command,
            cwd=self._folder,
            env={**os.environ, **self._settings},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def ask(self, question: Any) -> dict[str, Any]:
        if self._process.poll() is not None:
            self._process = self._start()
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        if not select.select([self._process.stdout], [], [], self.patience)[0]:
            self._process.kill()
            self._process.communicate()
            raise Failed(f"no answer in {self.patience} s")
        line = self._process.stdout.readline()
        if not line:
            raise Failed(f"the client ended with exit code {self._process.wait(10)}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        if self._process.poll() is None:
            self._process.communicate(timeout=20)


def _done(command: list[Any], folder: Path, settings: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a command of its own to its end. Raises `Failed` when it takes too long."""
    try:
        return subprocess.run(
            command,
            cwd=folder,
            env={**os.environ, **settings},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_PATIENCE,
        )
    except subprocess.TimeoutExpired:
        raise Failed(f"no answer in {_PATIENCE} s") from None


class Jsforce:
    """jsforce, logged in by token, in one Node process."""

    def __init__(self, stage: Stage, column: Column) -> None:
        program, _ = node()
        home = modules()
        self._folder = stage.project("jsforce", column)
        login = {"instanceUrl": column.session.url, "accessToken": column.session.token, "version": "62.0"}
        script = HERE / "jsforce.js"
        self._lines = Lines(
            [program, script, json.dumps(login)],
            self._folder,
            # jsforce reads the proxy from its own variable; NODE_PATH is where the packages are.
            {"NODE_PATH": str(home / "node_modules"), "NODE_USE_ENV_PROXY": "1"},
        )

    def call(self, run: list[Any], environment: Mapping[str, str]) -> Any:
        name, *arguments = run
        if name == "deploy":
            arguments[0] = base64.b64encode(_package(self._folder / str(arguments[0]))).decode()
        answer = self._lines.ask({"call": name, "args": arguments})
        if "error" in answer:
            raise Failed(answer["error"])
        return answer.get("result")

    def close(self) -> None:
        self._lines.close()


class SimpleSalesforce:
    """simple-salesforce, logged in by token, in this process."""

    def __init__(self, stage: Stage, column: Column) -> None:
        self._folder = stage.project("simple-salesforce", column)
        self._column = column
        host = column.session.host
        self._org = Salesforce(instance=host, session_id=column.session.token, version="62.0")

    def call(self, run: list[Any], environment: Mapping[str, str]) -> Any:
        name, *arguments = run
        try:
            return json.loads(json.dumps(getattr(self, f"_{name}")(*arguments), default=str))
        except Exception as wrong:  # what the client raises is the finding
            raise Failed(f"{type(wrong).__name__}: {wrong}"[:400]) from wrong

    def close(self) -> None:
        self._org.session.close()

    def _describe(self) -> Any:
        return self._org.describe()

    def _describe_object(self, name: str) -> Any:
        return getattr(self._org, name).describe()

    def _create(self, name: str, record: dict[str, Any]) -> Any:
        return getattr(self._org, name).create(record)

    def _change(self, name: str, ident: str, record: dict[str, Any]) -> Any:
        return {"status": getattr(self._org, name).update(ident, record)}

    def _upsert(self, name: str, external: str, record: dict[str, Any]) -> Any:
        return {"status": getattr(self._org, name).upsert(external, record)}

    def _delete(self, name: str, ident: str) -> Any:
        return {"status": getattr(self._org, name).delete(ident)}

    def _query(self, soql: str) -> Any:
        return self._org.query_all(soql)

    def _tooling(self, soql: str) -> Any:
        return self._org.toolingexecute("query/", params={"q": soql})

    def _limits(self) -> Any:
        return self._org.limits()

    def _deleted(self, name: str) -> Any:
        now = datetime.now(UTC)
        return getattr(self._org, name).deleted(now - timedelta(minutes=10), now + timedelta(minutes=2))

    def _bulk(self, operation: str, name: str, data: Any) -> Any:
        return getattr(getattr(self._org.bulk, name), operation)(data)

    def _bulk_load(self, operation: str, name: str, records: list[dict[str, Any]]) -> Any:
        return getattr(getattr(self._org.bulk2, name), operation)(records=records, wait=1)

    def _bulk_results(self, name: str, job: str) -> Any:
        return getattr(self._org.bulk2, name).get_all_ingest_records(job)

    def _bulk_query(self, name: str, soql: str) -> Any:
        sets = getattr(self._org.bulk2, name).query(soql, wait=1)
        return [row for each in sets for row in csv.DictReader(io.StringIO(each))]

    def _metadata_types(self) -> Any:
        return [each.xmlName for each in self._org.mdapi.describe_metadata().metadataObjects]

    def _list_metadata(self, kind: str) -> Any:
        query = self._org.mdapi.ListMetadataQuery(type=kind)
        return [each.fullName for each in self._org.mdapi.list_metadata([query])]

    def _read_metadata(self, kind: str, name: str) -> Any:
        found = getattr(self._org.mdapi, kind).read(name)
        return {"fullName": found.fullName, "label": found.label}

    def _deploy(self, folder: str) -> Any:
        data = io.BytesIO(_package(self._folder / folder))
        ident, _ = self._org.mdapi.deploy(data, sandbox=self._column.is_sandbox, testLevel="RunLocalTests")
        while True:
            state, problem, detail, tests = self._org.mdapi.check_deploy_status(ident)
            if state not in ("Pending", "InProgress", "Queued"):
                return {"state": state, "problem": problem, "detail": detail, "tests": tests}
            time.sleep(0.2)

    def _retrieve(self, kind: str, name: str) -> Any:
        ident, _ = self._org.mdapi.retrieve("", unpackaged={kind: [name]})
        while True:
            state, problem, messages = self._org.mdapi.check_retrieve_status(ident)
            if state not in ("Pending", "InProgress", "Queued"):
                break
            time.sleep(0.2)
        _, _, _, data = self._org.mdapi.retrieve_zip(ident)
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return {"state": state, "problem": problem, "messages": messages, "files": sorted(archive.namelist())}


class Cci:
    """CumulusCI with the kit's keychain, in one process."""

    def __init__(self, stage: Stage, column: Column) -> None:
        self._column = column
        self._root = stage.project("cci", column)
        self._settings = {
            "CUMULUSCI_AUTO_DETECT": "1",
            "CUMULUSCI_REPO_ROOT": str(self._root),
            "CUMULUSCI_KEY": "0123456789abcdef",
            "PYTHONPATH": str(HERE.parents[1]),
        }
        self._lines = Lines([sys.executable, "-m", "tests.clients.cci_worker"], self._root, self._settings)

    def call(self, run: str, environment: Mapping[str, str]) -> Any:
        arguments = shlex.split(run)
        if arguments[0] == "cci":
            return self._alone(arguments, environment)
        if arguments[:2] in (["task", "run"], ["flow", "run"]) and "--org" not in arguments:
            arguments[3:3] = ["--org", self._column.name]
        answer = self._lines.ask({"arguments": arguments, "environment": environment})
        if answer["code"]:
            raise Failed(f"exit {answer['code']}: {answer['output'].strip()[-500:]}")
        return answer

    def _alone(self, arguments: list[str], environment: Mapping[str, str]) -> Any:
        """Run cci in a process of its own, for settings that it reads when it is imported."""
        done = _done(arguments, self._root, {**self._settings, **environment})
        if done.returncode:
            raise Failed(f"exit {done.returncode}: {(done.stdout + done.stderr).strip()[-500:]}")
        return {"output": done.stdout}

    def close(self) -> None:
        self._lines.close()


def _package(folder: Path) -> bytes:
    """Return the files of a folder in Metadata API format as a zip."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                archive.write(path, path.relative_to(folder).as_posix())
    return buffer.getvalue()


CLIENTS: Mapping[str, Any] = {"sf": Sf, "jsforce": Jsforce, "simple-salesforce": SimpleSalesforce, "cci": Cci}
"""The clients, by what the table calls them."""


def versions() -> dict[str, str]:
    """Return the version of each client, from the lock files' point of view: what is installed is what is locked."""
    return {
        "sf": locked("@salesforce/cli"),
        "jsforce": locked("jsforce"),
        "simple-salesforce": version("simple-salesforce"),
        "cci": version("cumulusci"),
    }


@contextlib.contextmanager
def closing(client: Client) -> Any:
    """Close a client at the end of the block."""
    try:
        yield client
    finally:
        client.close()
