#!/usr/bin/python
# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: verify
version_added: 1.0.0
short_description: Verify that Atlassian has restored the sites, once or until it has
description:
  - Reads the ticket (M(keyops.atlassian_cmk.desk_ticket)), the use of the keys (M(keyops.atlassian_cmk.kms_key_use_info)) and the
    organization's sites, and judges them. For the entry point C(verify) of the role C(cmk).
  - With O(follow) it verifies again until there is nothing to wait for any more, or the limit in the settings passes. It reports each look
    on one line. Keys whose use is proven are not looked up again in CloudTrail.
  - Each source has a bound. All sites together take 10 seconds at most and the ticket 60. A CloudTrail that does not answer takes 30.
  - Waiting takes no process of its own, holds no lock and keeps no file. An interrupted run is continued by starting another one.
  - Sites are asked without credentials. Redirects are not followed, C(~/.netrc) is not read, and certificates are verified. At most 64 KiB
    of an answer are read.
author:
  - The keyops.atlassian_cmk contributors (!UNKNOWN)
options:
  run:
    description:
      - All that is known of the run, as the role's variable C(cmk_run) holds it. Its plan of the keys counts as the first look at them.
    type: dict
    required: true
  aws:
    description:
      - The options with which the AWS modules reach the organization's account, as in C(module_defaults).
    type: dict
    default: {}
  ticket_url:
    description:
      - The request's URL, up to its key. Empty if the ticket cannot be read.
    type: str
    default: ''
  user:
    description:
      - The user for basic authentication at the desk. Without one, the token is sent as Bearer.
    type: str
    default: ''
  token:
    description:
      - The API token or personal access token for the desk.
    type: str
    default: ''
  retries:
    description:
      - How many attempts may follow the first one to read the ticket. With O(follow) there are none, because the next look is one.
    type: int
    default: 6
  follow:
    description:
      - Whether to verify again.
    type: bool
    default: false
extends_documentation_fragment:
  - keyops.atlassian_cmk.attributes.info
  - keyops.atlassian_cmk.attributes.on_controller
"""

EXAMPLES = r"""
- name: Verify once that the sites of an organization answer
  keyops.atlassian_cmk.verify:
    run:
      entry_point: verify
      check_mode: false
      settings:
        org: acme
        slug: acme
        keys: []
        sites: [http://127.0.0.1:9]
        site_path: /
        site_status: 200
        verify_follow: false
        verify_limit: 0
        verify_interval: 60
        context_tag: ''
        atlassian_account_ids: []
        revoked_at: ''
        problems: []
      plan: {keys: []}
      change: {}
      revocation: {}
      decided: {}
      ticket: {}
      comment: ''
      error: ''
      user: ''
      started_at: "2026-11-24T03:00:00Z"
      now: "2026-11-24T03:00:00Z"
"""

RETURN = r"""
keys:
  description: The keys, as M(keyops.atlassian_cmk.kms_key_state) last saw them.
  returned: always
  type: list
  elements: dict
use:
  description: What M(keyops.atlassian_cmk.kms_key_use_info) returned of each key that it was asked of.
  returned: always
  type: list
  elements: dict
look:
  description: What M(keyops.atlassian_cmk.desk_ticket) would return; empty if the ticket is not read.
  returned: always
  type: dict
sites:
  description: The organization's sites.
  returned: always
  type: list
  elements: dict
  contains:
    site:
      description: The site, as it was given.
      returned: always
      type: str
      sample: https://acme.example.com
    up:
      description: Whether it answered with the expected status and, at Jira's API, with its JSON.
      returned: always
      type: bool
    status:
      description: The HTTP status; V(null) if it did not answer.
      returned: always
      type: int
    says:
      description: The same in words.
      returned: always
      type: str
      sample: answers 200
looks:
  description: How many times it was verified.
  returned: always
  type: int
timed_out:
  description: Whether the limit passed while there was still something to wait for.
  returned: always
  type: bool
error:
  description: Why the keys could not be read again; empty if they could.
  returned: when there was more than one look
  type: str
"""
