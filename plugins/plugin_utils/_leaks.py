# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it may change in any release.

"""Settings of Ansible itself by which a secret stays behind; docs/security.md explains them."""

from __future__ import annotations

import typing as t

from ansible import constants as C  # noqa: N812 - the name that ansible-core itself uses
from ansible.utils.display import Display

KEPT_FILES: t.Final = (
    "ANSIBLE_KEEP_REMOTE_FILES is set, so Ansible leaves the support desk's token in files below its temporary folder "
    "(~/.ansible/tmp). Unset it, delete those files and revoke the token."
)


def warn_of_kept_files(*, has_token: bool) -> None:
    """Warn once a run if Ansible is told to leave the files of its modules behind, and one of them holds a token."""
    if has_token and C.DEFAULT_KEEP_REMOTE_FILES:
        Display().warning(KEPT_FILES)
