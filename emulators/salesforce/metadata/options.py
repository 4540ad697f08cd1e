"""The options of a deploy, read from SOAP or JSON alike.

Metadata API Developer Guide, "Deploy Metadata with Apex Testing Using REST", deployOptions (excerpt read 2026-11-22);
how production words its refusal of purgeOnDelete: an issue that quotes it; the rest from knowledge.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from emulators.salesforce.orgs import OrgRecord

TEST_LEVELS = ("NoTestRun", "RunSpecifiedTests", "RunLocalTests", "RunAllTestsInOrg", "RunRelevantTests")


class InvalidOptions(Exception):
    """The options contradict each other or the kind of the org. The message is the API's."""


@dataclass(frozen=True)
class DeployOptions:
    """What a deploy is asked to do. `test_level` "" means the default of the org's kind,
    which depends on the `api_version` that the client speaks (0 when it isn't known)."""

    check_only: bool = False
    ignore_warnings: bool = False
    rollback_on_error: bool = True
    single_package: bool = False
    allow_missing_files: bool = False
    auto_update_package: bool = False
    purge_on_delete: bool = False
    perform_retrieve: bool = False
    run_all_tests: bool = False
    test_level: str = ""
    run_tests: tuple[str, ...] = ()
    api_version: int = 0

    def as_json(self) -> dict[str, object]:
        """Return the options as the REST API prints them."""
        return {
            "allowMissingFiles": self.allow_missing_files,
            "autoUpdatePackage": self.auto_update_package,
            "checkOnly": self.check_only,
            "ignoreWarnings": self.ignore_warnings,
            "performRetrieve": self.perform_retrieve,
            "purgeOnDelete": self.purge_on_delete,
            "rollbackOnError": self.rollback_on_error,
            "runTests": list(self.run_tests) or None,
            "singlePackage": self.single_package,
            "testLevel": self.test_level or None,
        }


_SWITCHES = {
    "checkOnly": "check_only",
    "ignoreWarnings": "ignore_warnings",
    "rollbackOnError": "rollback_on_error",
    "singlePackage": "single_package",
    "allowMissingFiles": "allow_missing_files",
    "autoUpdatePackage": "auto_update_package",
    "purgeOnDelete": "purge_on_delete",
    "performRetrieve": "perform_retrieve",
    "runAllTests": "run_all_tests",
}


def read_options(values: Mapping[str, object], tests: Iterable[str], version: int | None = None) -> DeployOptions:
    """Return options from their API names. Text and JSON truth values are both taken; absent means false.

    Raises `InvalidOptions`.
    """
    switches = {
        own: str(values[name]).strip().lower() in ("true", "1")
        for name, own in _SWITCHES.items()
        if values.get(name) is not None
    }
    level = str(values.get("testLevel") or "")
    known = {each.lower(): each for each in TEST_LEVELS}
    if level and level.lower() not in known:
        raise InvalidOptions(f"'{level}' is not a valid value for the type TestLevel")
    return DeployOptions(
        **{"rollback_on_error": False} | switches,
        test_level=known.get(level.lower(), ""),
        run_tests=tuple(name.strip() for name in tests if name.strip()),
        api_version=version or 0,
    )


def check_options(org: OrgRecord, options: DeployOptions) -> None:
    """Raise `InvalidOptions` where an org of this kind refuses the options at once."""
    if options.run_tests and options.test_level not in ("RunSpecifiedTests", ""):
        raise InvalidOptions("runTests can be used only with a testLevel of RunSpecifiedTests")
    if options.test_level == "RunSpecifiedTests" and not options.run_tests:
        raise InvalidOptions("Test level RunSpecifiedTests requires at least one test class in runTests")
    if org.is_sandbox:
        return
    if options.test_level == "NoTestRun":
        raise InvalidOptions("testLevel of NoTestRun cannot be used in production organizations")
    if options.purge_on_delete:
        raise InvalidOptions("purgeOnDelete option can only be used on a non-active org")
    if not options.rollback_on_error:
        raise InvalidOptions("Deploy requests to production organizations must set rollbackOnError to true")
