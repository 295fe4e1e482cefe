# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._time import (
    ROUNDING,
    format_time,
    is_before,
    latest,
    parse_time,
    shift,
)

__all__ = ["ROUNDING", "format_time", "is_before", "latest", "parse_time", "shift"]
