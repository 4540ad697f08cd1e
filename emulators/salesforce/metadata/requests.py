"""The deploys of an org as the Tooling API lists them: rows of the object `DeployRequest`.

Its fields are those that public tools query (sfdx-hardis, sfdx-plugins of several authors; read 2026-11-22).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from emulators.salesforce.catalog import stamp
from emulators.salesforce.metadata.answers import deploy_result
from emulators.salesforce.metadata.deploys import Deploys
from emulators.salesforce.orgs import OrgRecord
from emulators.service import World

_NUMBERS = ("ComponentsTotal", "ComponentsDeployed", "ComponentErrors", "TestsTotal", "TestsCompleted", "TestErrors")


def deploy_requests(world: World, org: OrgRecord) -> Iterator[dict[str, Any]]:
    """Yield a row for each deploy, validations included, oldest first."""
    for job in Deploys(world, org).all():
        answer = deploy_result(job, world.now(), details=False)
        created, started, completed = job["created"], job.get("started"), job.get("completed")
        yield {
            "Id": job["id"],
            "IsDeleted": False,
            "CreatedById": job["created_by"],
            "CreatedDate": stamp(created),
            "LastModifiedDate": stamp(completed or started or created),
            "SystemModstamp": stamp(completed or started or created),
            "StartDate": stamp(started) if started else None,
            "CompletedDate": stamp(completed) if completed else None,
            "Status": job["status"],
            "CheckOnly": job["options"]["check_only"],
            "TestLevel": job["options"]["test_level"],
            "ErrorMessage": answer.get("errorMessage"),
            **{f"Number{name}": answer[f"number{name}"] for name in _NUMBERS},
        }
