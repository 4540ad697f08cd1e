"""The Pulumi program: reads the stack's settings, builds the landing zone, exports its contract."""

import pulumi

from infra.landing_zone import LandingZone
from infra.stack import stack_settings

for key, value in LandingZone("landing-zone", stack_settings()).contract.items():
    pulumi.export(key, value)
