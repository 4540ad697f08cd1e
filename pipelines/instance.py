"""Gets a job of CI in on a host of yours: the keys of the RAM role that the ECS instance has, which end within hours.

`eval "$(python -m pipelines.instance)"` exports them. For hosts of CI that sign no tokens of their own; see `oidc` for
those that do. ECS user guide, "Instance metadata" and "Instance RAM roles" (hardened mode: a token first, as of 2026).
"""

from __future__ import annotations

import sys

import requests

from pipelines.oidc import EXPORTED, Denied, hand_over

METADATA = "http://100.100.100.200"
TOKEN_SECONDS = 60
SECONDS = 5


def keys(metadata: str = METADATA) -> dict[str, str]:
    """Return the environment variables of the keys of the instance's role.

    Raises `Denied` when the host is no ECS instance, or has no role.
    """
    with requests.Session() as session:
        session.trust_env = False  # no proxy: the address answers on the instance itself only
        try:
            lasts = {"X-aliyun-ecs-metadata-token-ttl-seconds": str(TOKEN_SECONDS)}
            token = session.put(f"{metadata}/latest/api/token", headers=lasts, timeout=SECONDS)
            token.raise_for_status()
            session.headers["X-aliyun-ecs-metadata-token"] = token.text
            address = f"{metadata}/latest/meta-data/ram/security-credentials/"
            role = session.get(address, timeout=SECONDS)
            if role.status_code == requests.codes.not_found:
                raise Denied("the ECS instance has no RAM role: give it one (docs/ci-identity.md)")
            role.raise_for_status()
            answer = session.get(address + role.text.strip(), timeout=SECONDS).json()
            return {name: answer[field] for name, field in EXPORTED.items()}
        except (requests.RequestException, ValueError, KeyError) as error:
            raise Denied(f"no RAM role's keys from {metadata}, which answers on ECS instances only: {error}") from error


if __name__ == "__main__":
    sys.exit(hand_over(keys))
