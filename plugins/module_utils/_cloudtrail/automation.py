# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Was it an automation that called, and what keeps it from doing so again? Pure.

Sources: AWS CloudTrail User Guide, "CloudTrail record contents" (``userAgent``) and "CloudTrail userIdentity element"
(``invokedBy``: the AWS service that made the call). Terraform's AWS provider and Pulumi name themselves in the user agent.
"""

from __future__ import annotations

import re
import typing as t

# How an automation shows in the user agent or as the invoking service, its name, and what keeps it from doing so again.
_KNOWN: t.Final = (
    (
        r"\bterraform\b",
        "Terraform",
        "set is_enabled of the key in its code as well, or its next apply revokes access again",
    ),
    (r"\bpulumi\b", "Pulumi", "set isEnabled of the key in its code as well, or its next update revokes access again"),
    (
        r"^cloudformation\.amazonaws\.com$",
        "AWS CloudFormation",
        "set Enabled of the key in its template as well, or its next update revokes access again",
    ),
    (
        r"^(?:config|ssm)\.amazonaws\.com$",
        "AWS Config or Systems Manager",
        "switch its remediation off, or it revokes access again",
    ),
)


def find_automation(user_agent: object, invoked_by: object) -> str:
    """Name the automation that made a call, by ``userAgent`` and ``userIdentity.invokedBy``; empty if none is known."""
    texts = [str(text) for text in (user_agent, invoked_by) if text]
    found = (name for pattern, name, _advice in _KNOWN for text in texts if re.search(pattern, text, re.IGNORECASE))
    return next(found, "")


def advise(automation: str) -> str:
    """Say what keeps an automation from revoking access again; empty for one that is not known."""
    return next((advice for _pattern, name, advice in _KNOWN if name == automation), "")
