"""The environment in which any tool talks to the emulators instead of the real services, and home itself."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from emulators.alicloud.account import ACCESS_KEY_ID, ACCESS_KEY_SECRET, ACCOUNT_ID, REGION

CLEARED = (
    "ALL_PROXY",
    "all_proxy",
    "ALIBABA_CLOUD_SECURITY_TOKEN",
    "ALICLOUD_SECURITY_TOKEN",
    "OSS_SESSION_TOKEN",
    "AWS_SESSION_TOKEN",
    "AWS_PROFILE",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_S3",
    "ALIBABA_CLOUD_PROFILE",
    "ALICLOUD_PROFILE",
    "ALIBABA_CLOUD_CREDENTIALS_URI",
    "ALIBABA_CLOUD_ECS_METADATA",
    "ALIBABA_CLOUD_ROLE_ARN",
    "ALIBABA_CLOUD_OIDC_TOKEN_FILE",
)
"""What a user's own environment may hold that would win over the emulated account's AccessKey."""


PARALLEL = "64"
"""How much the engine does at once. Its own default is four for each core; but it waits for a cloud, not for a core."""


def home() -> Path:
    """Return the kit's home: `$SFOA_HOME`, else `.sfoa` in the working directory; absolute."""
    return Path(os.environ.get("SFOA_HOME") or ".sfoa").resolve()


def additions(home: Path, port: int) -> dict[str, str]:
    """Return the variables that lead a command of `home` to the emulators on `port`."""
    proxy = f"http://127.0.0.1:{port}"
    bundle = str(home / "emulators" / "ca.pem")
    local = "127.0.0.1,localhost"
    approvers = home / "approvers.json"
    return {
        **dict.fromkeys(("HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy"), proxy),
        **dict.fromkeys(("NO_PROXY", "no_proxy"), local),
        **dict.fromkeys(
            ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "AWS_CA_BUNDLE"), bundle
        ),
        # AWS_…: Pulumi's S3 backend keeps state in OSS, which speaks S3
        **dict.fromkeys(
            ("ALIBABA_CLOUD_ACCESS_KEY_ID", "ALICLOUD_ACCESS_KEY", "OSS_ACCESS_KEY_ID", "AWS_ACCESS_KEY_ID"),
            ACCESS_KEY_ID,
        ),
        **dict.fromkeys(
            (
                "ALIBABA_CLOUD_ACCESS_KEY_SECRET",
                "ALICLOUD_SECRET_KEY",
                "OSS_ACCESS_KEY_SECRET",
                "AWS_SECRET_ACCESS_KEY",
            ),
            ACCESS_KEY_SECRET,
        ),
        **dict.fromkeys(("ALIBABA_CLOUD_ACCOUNT_ID", "ALICLOUD_ACCOUNT_ID"), ACCOUNT_ID),
        **dict.fromkeys(("ALIBABA_CLOUD_REGION", "ALICLOUD_REGION"), REGION),
        "PULUMI_BACKEND_URL": (home / "pulumi-state").as_uri(),
        "PULUMI_CONFIG_PASSPHRASE": "emulators-only",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_PARALLEL": PARALLEL,
        "SFOA_HOME": str(home),
        "SFOA_STACK": "local",
        "SFOA_JWT_KEY_FILE": str(home / "runner" / "runner.key"),
        **({"SFOA_APPROVERS": str(approvers)} if approvers.is_file() else {}),  # the throw-away keys of `make up`
    }


def environment(home: Path, port: int, base: Mapping[str, str]) -> dict[str, str]:
    """Return `base` with the additions, and without what would win over them."""
    kept = {name: value for name, value in base.items() if name not in CLEARED}
    return kept | additions(home, port)
