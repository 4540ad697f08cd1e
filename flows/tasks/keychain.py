"""The keychain that `cumulusci.yml` names: the federation's orgs, each with a token minted for its edition.

Nothing of them is stored. The user's own services, scratch orgs and connected orgs stay beside them.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import keyring
from cumulusci.cli.utils import timestamp_file
from cumulusci.core.config import OrgConfig
from cumulusci.core.exceptions import CumulusCIUsageError
from cumulusci.core.keychain import EncryptedFileProjectKeychain

from flows.project import federation_of
from flows.tokens import Session, mint
from kit.logfilter import install
from kit.problems import Refused
from orgs.domains import hosts
from orgs.editions import OrgKind
from orgs.federation import Org

TOKEN_SECONDS = 600
"""How long a token is used before another is minted: well below the shortest session that an org can set."""

UPDATE_CHECK_SECONDS = 3600


class FederationOrg(OrgConfig):  # type: ignore[misc]
    """An org of the federation, as CumulusCI sees it."""

    def __init__(self, org: Org, keychain: FederationKeychain) -> None:
        self.org = org
        self._hosts = hosts(org)
        self._minted = 0.0
        self._session: Session | None = None
        config = {
            "instance_url": f"https://{self._hosts.my_domain}",
            "username": org.runner.username,
            "sandbox": org.kind is OrgKind.SANDBOX,
            "expires": "Persistent",
        }
        super().__init__(config, org.name, keychain=keychain)

    @property
    def session(self) -> Session:
        """A session of the org, minted when there is none or the last one is old."""
        if self._session is None or time.monotonic() - self._minted > TOKEN_SECONDS:
            self.renew()
        assert self._session is not None
        return self._session

    def renew(self) -> Session:
        """Mint another session and return it."""
        self._session, self._minted = mint(self.org), time.monotonic()
        self.config.update(access_token=self._session.token, id=self._session.identity)
        return self._session

    def refresh_oauth_token(self, *_connected_app: Any, **_options: Any) -> None:
        """Give CumulusCI a token of ours, in place of one from a connected app that it knows."""
        fresh = self._session is not None and time.monotonic() - self._minted <= TOKEN_SECONDS
        if fresh and self.organization_sobject is not None:
            return
        assert self.session
        self._load_userinfo()
        self._load_orginfo()

    @property
    def access_token(self) -> str:
        """The token of the session. Tasks of CumulusCI's metadata ETL ask for it before they refresh it."""
        return self.session.token

    @property
    def lightning_base_url(self) -> str:
        """The Lightning URL of the org's edition; CumulusCI knows only the global one."""
        return f"https://{self._hosts.lightning}"

    @contextmanager
    def save_if_changed(self) -> Iterator[None]:
        """Save nothing."""
        yield

    def save(self) -> None:
        """Save nothing: what there is to know stands in federation.yml."""


class _WhereAKeyCanBe:
    """Whether the user's own orgs and services can be encrypted: with $CUMULUSCI_KEY or a keyring that works.

    Without either CumulusCI warns on every command. Here it doesn't, and refuses to store a secret instead.
    """

    def __get__(self, instance: object, owner: type) -> bool:
        if os.environ.get("CUMULUSCI_KEY"):
            return True
        try:
            keyring.get_password("cumulusci", "CUMULUSCI_KEY")
        except Exception:  # backends of keyring raise what they like
            return False
        return True


class FederationKeychain(EncryptedFileProjectKeychain):  # type: ignore[misc]
    """The federation's orgs, and beside them what the user stored with CumulusCI."""

    encrypted = _WhereAKeyCanBe()

    def __init__(self, project_config: Any, key: str | None) -> None:
        install()
        try:
            federation = federation_of(Path(project_config.repo_root or "."))
        except Refused as refused:
            raise CumulusCIUsageError(str(refused)) from refused
        self._federation = {org.name: FederationOrg(org, self) for org in federation.orgs}
        super().__init__(project_config, key)
        _postpone_update_check()

    def _load_orgs(self) -> None:
        super()._load_orgs()
        self.orgs.update(self._federation)

    def _get_org(self, name: str) -> Any:
        return self._federation.get(name) or super()._get_org(name)

    def _set_org(self, org_config: Any, global_org: bool, save: bool = True) -> None:
        if org_config.name in self._federation:
            if not isinstance(org_config, FederationOrg):
                raise CumulusCIUsageError(
                    f"{org_config.name} is an org of the federation: federation.yml describes it, and it needs no "
                    "`cci org connect`. Give the other org another name."
                )
            return
        if save and not self.key and {"access_token", "refresh_token"} & org_config.config.keys():
            raise CumulusCIUsageError(_NO_KEY)
        super()._set_org(org_config, global_org, save=save)

    def _remove_org(self, name: str, global_org: bool) -> None:
        if name in self._federation:
            raise CumulusCIUsageError(f"{name} is an org of the federation: remove it from federation.yml")
        super()._remove_org(name, global_org)

    def set_service(
        self, service_type: str, alias: str, service_config: Any, save: bool = True, config_encrypted: bool = False
    ) -> None:
        """Store a service of the user, encrypted or not at all."""
        if save and not self.key:
            raise CumulusCIUsageError(_NO_KEY)
        super().set_service(service_type, alias, service_config, save=save, config_encrypted=config_encrypted)


_NO_KEY = (
    "There is no key to encrypt it with, so it is not stored. Set CUMULUSCI_KEY to 16 characters, or install a keyring."
)


def _postpone_update_check() -> None:
    """Let an hour pass before CumulusCI looks for a newer release of itself again.

    It remembers only when it got an answer: without a way out, every command would wait and complain.
    """
    with timestamp_file() as file:
        if time.time() - float(file.read() or 0) > UPDATE_CHECK_SECONDS:
            file.seek(0)
            file.truncate()
            file.write(str(time.time()))
