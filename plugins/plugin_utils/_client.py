# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it may change in any release.

"""Ansible's own HTTP client, which reads the certificates that it trusts once, and not again for each request.

Ansible imports an action in its main process, before it forks the process for a task: what is read by then is there for
all organizations. Reading the certificates of a system takes 25 ms of CPU, also for a request in clear.
"""

from __future__ import annotations

import contextlib
import functools
import ssl
import typing as t

from ansible.module_utils.urls import Request, make_context


@functools.cache
def _trust() -> ssl.SSLContext:
    return t.cast("ssl.SSLContext", make_context())


def ask(url: str, **options: t.Any) -> t.Any:
    """Send a GET, follow no redirect, and take no credentials but those that are given.

    :param options: more for ``ansible.module_utils.urls.Request.open``
    :return: the response
    :raise OSError: (also ``urllib.error.HTTPError``), ``http.client.HTTPException`` or ``ValueError``; they have no other
        class in common
    """
    return Request().open("GET", url, context=_trust(), follow_redirects="none", use_netrc=False, **options)


# What cannot be read here, the request that needs it tells.
with contextlib.suppress(OSError):
    _trust()
