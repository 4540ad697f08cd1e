"""The page docs/clients.md: what each client did with each org when the two were last run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tests.clients.record import Run
from tests.clients.runner import Operation
from tests.clients.stage import ORGS

HEAD = """\
# Clients and the emulated orgs

Real, unchanged clients against the emulated orgs. The table behind this page is `tests/clients/matrix.yml`, where each
row says what is asked and what proves that it was done.

{made}

What the runner sets, beside proxy and CA:

- `sf`: `SF_AUDIENCE_URL` (who a JWT is meant for; China's login host isn't the CLI's own), `SFDX_DISABLE_DNS_CHECK`
  (names are resolved by the proxy). For a run that leaves nothing behind: `HOME`, `SF_USE_GENERIC_UNIX_KEYCHAIN` (there
  is no desktop keyring), `SF_DISABLE_TELEMETRY`, `SF_SKIP_NEW_VERSION_CHECK`, `SF_DISABLE_LOG_FILE`.
- jsforce: `NODE_USE_ENV_PROXY` (Node heeds the proxy variables only when told), `NODE_PATH` (where it is installed).
- `cci`: the kit's keychain, for all rows but those named *stock*; those take CumulusCI's own variables that their
  names say, and `SF_PROD_LOGIN_URL` for the JWT's audience. `CUMULUSCI_REPO_ROOT` and `CUMULUSCI_AUTO_DETECT` (the
  sample project is no git checkout), `CUMULUSCI_KEY`. `tests/clients/project/cumulusci.yml` holds the options that
  the command line can't say, and takes `unschedule_apex`, which executes Apex, out of `deploy_unmanaged`.
  Most rows share one process, which also notes what a task returned: some print nothing.
- The orgs offer one managed package for installation.

✓ done, and proven by the answer, a file or a query of the org · ✗ not done · – not run, or changed since its run
"""
_SIGNS = {"passed": "✓", "failed": "✗", "not run": "–"}


def page(table: Iterable[Operation], runs: Iterable[Run], versions: Mapping[str, str]) -> str:
    """Return the page's text. Runs of another version of a client don't count; what no run did is shown as not run."""
    rows = list(table)
    last = {(each.client, each.org): each for each in runs if each.version == versions.get(each.client)}
    clients = list(dict.fromkeys(row.client for row in rows))
    lines = [HEAD.format(made=_made(rows, last, clients))]
    for client in clients:
        lines += [f"## {client} {versions[client]}", "", heading(), "|---|" + "---|" * len(ORGS)]
        found = [last.get((client, org)) for org in ORGS]
        for row in (row for row in rows if row.client == client):
            signs = [_SIGNS[each.mark(row) if each else "not run"] for each in found]
            lines.append(f"| {label(row)} | {' | '.join(signs)} |")
        lines += [f"| *run on* | {' | '.join(each.day if each else 'not run' for each in found)} |", ""]
    return "\n".join(lines)


def _made(rows: list[Operation], last: Mapping[tuple[str, str], Run], clients: list[str]) -> str:
    """Return how the page came about, and how much of the table it covers."""
    marks = [each.mark(row) if (each := last.get((row.client, org))) else "not run" for row in rows for org in ORGS]
    ran = len(marks) - marks.count("not run")
    counts = f"{marks.count('passed')} ✓, {marks.count('failed')} ✗, {marks.count('not run')} –"
    if ran == len(marks):
        return f"Written by `python -m tests.clients` (`make matrix`), which ran all of it: {counts}."
    return (
        "Written by `python -m tests.clients`, a client and an org at a time. `make matrix` runs all.\n\n"
        f"**Partial: {ran} of {len(marks)} were run** ({counts})."
    )


def heading() -> str:
    """Return the header of a client's table: the orgs, whose names say edition and kind."""
    return "| operation | " + " | ".join(ORGS) + " |"


def label(row: Operation) -> str:
    """Return what the page calls an operation."""
    return f"{row.name} (refused, as it should be)" if row.refused else row.name
