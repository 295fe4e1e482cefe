#!/usr/bin/python
# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: desk_ticket
version_added: 1.0.0
short_description: Read a ticket of the support desk and its comments
description:
  - Reads a request of Jira Service Management, and looks in all of its public comments for announcements of restorations.
  - Tries again what may pass (HTTP 429 as C(Retry-After) says, HTTP 5xx, no answer), and says so.
  - Redirects are not followed, and C(~/.netrc) is not read, so the token goes to the named host and nowhere else.
  - Reads at most 50 pages, 8 MiB an answer, 32 MiB in all, and for 60 seconds beside the waits; RV(bound) says so.
  - A desk that does not answer does not fail the task. RV(ok) and RV(error) report it.
author:
  - The keyops.atlassian_cmk contributors (!UNKNOWN)
options:
  url:
    description:
      - The request's URL, up to its key.
    type: str
    required: true
  org_slug:
    description:
      - The organization's name as it stands in references.
    type: str
    required: true
  user:
    description:
      - The user for basic authentication. Without one, the token is sent as Bearer.
    type: str
    default: ''
  token:
    description:
      - The API token or personal access token.
    type: str
    required: true
  wait:
    description:
      - How long to wait before the first request, in seconds.
    type: float
    default: 0
  attempt:
    description:
      - The number of this attempt. Pauses double with it.
    type: int
    default: 1
  retries:
    description:
      - How many attempts may follow the first.
    type: int
    default: 6
  until:
    description:
      - The time, in seconds since the epoch, after which no further attempt begins. The default is an hour from now.
    type: float
extends_documentation_fragment:
  - keyops.atlassian_cmk.attributes.info
  - keyops.atlassian_cmk.attributes.on_controller
"""

EXAMPLES = r"""
- name: Check whether Atlassian was notified
  keyops.atlassian_cmk.desk_ticket:
    url: "{{ lookup('ansible.builtin.env', 'CMK_SUPPORT_URL') }}/rest/servicedeskapi/request/CMK-1"
    org_slug: acme
    user: "{{ lookup('ansible.builtin.env', 'CMK_SUPPORT_USER') }}"
    token: "{{ lookup('ansible.builtin.env', 'CMK_SUPPORT_TOKEN') }}"
  no_log: true
"""

RETURN = r"""
ok:
  description: Whether the ticket and all of its comments were read.
  returned: always
  type: bool
code:
  description: A stable name of the reason if they were not; else empty.
  returned: always
  type: str
error:
  description: What was seen and why it stops; empty if all is well.
  returned: always
  type: str
hint:
  description: What to do next; empty if all is well.
  returned: always
  type: str
status:
  description: The ticket's status, in the desk's words.
  returned: always
  type: str
  sample: Waiting for customer
allowed:
  description: Whether this user may comment; true where the desk does not say.
  returned: always
  type: bool
clock_offset:
  description:
    - How many seconds the desk's clock is ahead of the controller's, from the HTTP header C(Date).
    - V(none) if the desk sent no valid one.
  returned: always
  type: int
complete:
  description:
    - Whether every public comment was read.
    - If not, a missing announcement proves nothing.
  returned: always
  type: bool
bound:
  description: Which bound of pages, bytes or time ended the reading of the comments, in a sentence; empty if none did.
  returned: always
  type: str
mentions:
  description:
    - The announcements that the comments hold, oldest first.
    - A reference counts only as an unquoted line of its own, with or without C(Reference:) before it.
  returned: always
  type: list
  elements: dict
  contains:
    reference:
      description: The restoration's reference.
      returned: always
      type: str
      sample: cmk-restore/acme/0123456789ab
    comment_id:
      description: The comment's id.
      returned: always
      type: str
    url:
      description: The comment's address.
      returned: always
      type: str
    at:
      description: When it was written, ISO 8601, by the desk's clock.
      returned: always
      type: str
    noted_at:
      description: When it was written, UTC, by the controller's clock; empty if RV(clock_offset) is not known.
      returned: always
      type: str
      sample: '2026-11-24T03:00:09Z'
    author:
      description: The author's display name.
      returned: always
      type: str
    by_us:
      description:
        - Whether the author is the account that reads the ticket, by its e-mail address or by C(GET /rest/api/2/myself).
        - V(false) also where that cannot be established.
      returned: always
      type: bool
authors:
  description: Who wrote public comments, in the order of each author's newest comment.
  returned: always
  type: list
  elements: dict
  contains:
    author:
      description: The author's account id; empty if the desk does not tell.
      returned: always
      type: str
    name:
      description: The author's name.
      returned: always
      type: str
    references:
      description: The restorations that the author has announced.
      returned: always
      type: list
      elements: str
    comment_id:
      description: The id of the author's newest comment.
      returned: always
      type: str
    url:
      description: Its address.
      returned: always
      type: str
    at:
      description: When it was written, ISO 8601.
      returned: always
      type: str
    text:
      description: Its text on one line of at most 200 characters, without control characters.
      returned: always
      type: str
in_time:
  description: Whether O(until) is not over yet.
  returned: always
  type: bool
attempt:
  description: The number of the last attempt.
  returned: always
  type: int
"""
