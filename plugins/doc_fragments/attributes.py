# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description: Can run in check mode and return the changed status and the refusals that a real run would bring, without changing anything.
    support: full
  diff_mode: {description: "Will return details on what has changed (or would change in check mode), when in diff mode.", support: full}
  idempotent: {description: "When run twice in a row with the same arguments, the second run changes nothing.", support: full}
"""

    AWS_GROUP = r"""
options: {}
attributes:
  action_group:
    description: Use C(group/keyops.atlassian_cmk.aws) in C(module_defaults) to set defaults for this module and for those of amazon.aws.
    support: full
    membership: [keyops.atlassian_cmk.aws]
"""

    INFO = r"""
options: {}
attributes:
  check_mode: {description: "Changes nothing, so it does the same in check mode.", support: full}
  diff_mode: {description: "Changes nothing, so there is no difference to show.", support: N/A}
  idempotent: {description: "Changes nothing, however often it runs.", support: full}
"""

    ON_CONTROLLER = r"""
options: {}
attributes:
  action: {description: "Runs wholly on the controller, without a module process.", support: full}
"""
