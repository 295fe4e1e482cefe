# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._in_process import MODULES, InProcessAction


class ActionModule(InProcessAction):
    """Run the module in this process where it can."""

    module = MODULES["kms_key_use_info"]
