"""What a deploy does to settings: elements that it doesn't bring stay as the org has them, those it brings are set.

Source: Metadata API Developer Guide, "SecuritySettings", note on NetworkAccess (204.0 to 214.0, excerpts read
2026-11-22): the trusted IP ranges that are deployed replace all that the org has; an empty networkAccess removes them.
That other elements which a file leaves out keep their values is from knowledge of the API.
"""

from __future__ import annotations

import copy
import ipaddress
from collections.abc import Iterator
from dataclasses import replace

from lxml import etree

from emulators.salesforce.metadata.messages import DeployMessage, error
from emulators.salesforce.metadata.package import Incoming
from emulators.salesforce.metadata.xmlform import canonical, elements, find, line_of, local, text, walk

_REPLACED_WHOLE = frozenset({"networkAccess"})


def over(held: etree._Element, coming: Incoming) -> Incoming:
    """Return settings as an org keeps them: what comes laid over what it holds."""
    assert coming.element is not None
    path = next(iter(coming.files))
    return replace(coming, files={path: canonical(_merged(held, coming.element))})


def check_network_access(coming: Incoming) -> Iterator[DeployMessage]:
    """Yield what is wrong with the trusted IP ranges of security settings."""
    for each in walk(coming.element, "networkAccess/ipRanges") if coming.element is not None else ():
        start, end = text(each, "start"), text(each, "end")
        line = line_of(each)
        try:
            first, last = ipaddress.ip_address(start), ipaddress.ip_address(end)
        except ValueError:
            yield error(coming.key, coming.path, f"Invalid IP address range: {start} - {end}", line, 1)
            continue
        if first.version != last.version or int(first) > int(last):
            why = f"The end IP address must not be lower than the start IP address: {start} - {end}"
            yield error(coming.key, coming.path, why, line, 1)


def _merged(held: etree._Element, coming: etree._Element) -> etree._Element:
    """Return `coming` with what it leaves out of `held`; groups of elements are merged the same way, lists are not."""
    result = copy.deepcopy(coming)
    named = {local(each) for each in elements(coming)}
    for each in elements(held):
        name = local(each)
        if name not in named:
            result.append(copy.deepcopy(each))
        elif len(each) and name not in _REPLACED_WHOLE and _is_group(held, name) and _is_group(coming, name):
            own = find(result, name)
            if own is not None and len(own):
                result.replace(own, _merged(each, own))
    return result


def _is_group(parent: etree._Element, name: str) -> bool:
    """Return whether a name stands for one group of settings, not for an entry of a list."""
    return sum(local(each) == name for each in elements(parent)) == 1
