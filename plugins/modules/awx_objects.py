#!/usr/bin/python
# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: awx_objects
version_added: 1.0.0
short_description: Bring objects of AWX to what the data says
description:
  - Applies organizations, credential types, credentials, execution environments, projects, inventories and their sources,
    job templates and workflows to AWX or automation controller by its REST API.
  - Reads them in the form of the collections C(infra.aap_configuration) and C(awx.awx), and needs neither.
  - Each object is looked up by its name and what it belongs to, compared, and only what differs is sent. Fields that the
    data does not name are left alone; surveys, credentials of a template and the nodes of a workflow are wholly those of the
    data.
  - Nothing but a node of a workflow is ever deleted.
author:
  - The keyops.atlassian_cmk contributors (!UNKNOWN)
options:
  objects:
    description:
      - Endpoint to list of objects. References are names. Known endpoints are C(organizations), C(credential_types),
        C(credentials), C(execution_environments), C(projects), C(inventories), C(inventory_sources), C(job_templates) and
        C(workflow_job_templates).
      - Inputs of a credential that are empty are left as they are in AWX, and so are secrets that AWX already has, unless the
        credential says C(update_secrets=true).
    type: dict
    required: true
  controller_host:
    description:
      - The address of AWX. Plain http is refused, except to this machine.
      - The default is the environment variable E(CONTROLLER_HOST). Behind the platform gateway, set
        E(CONTROLLER_OPTIONAL_API_URLPATTERN_PREFIX) to V(/api/controller/).
    type: str
  controller_oauthtoken:
    description:
      - The token, with scope Write. The default is the environment variable E(CONTROLLER_OAUTH_TOKEN).
    type: str
  validate_certs:
    description:
      - Whether AWX's certificate is checked. The default is the environment variable E(CONTROLLER_VERIFY_SSL), or else
        V(true).
    type: bool
  project_timeout:
    description:
      - How long AWX may take to fetch a project, in seconds. Its playbooks are needed for the job templates.
    type: float
    default: 300
extends_documentation_fragment:
  - keyops.atlassian_cmk.attributes
  - keyops.atlassian_cmk.attributes.on_controller
"""

EXAMPLES = r"""
# CONTROLLER_HOST and CONTROLLER_OAUTH_TOKEN are set in the environment.
- name: Have an organization and its inventory
  keyops.atlassian_cmk.awx_objects:
    objects:
      organizations:
        - name: Key operations
      inventories:
        - name: CMK organizations
          organization: Key operations
          variables:
            ansible_connection: local
"""

RETURN = r"""
objects:
  description: The objects that were changed, or would be in check mode.
  returned: unless AWX cannot be asked at all
  type: list
  elements: dict
  contains:
    kind:
      description: The object's endpoint.
      returned: always
      type: str
      sample: job_templates
    name:
      description: Its name.
      returned: always
      type: str
      sample: CMK restore
    is_new:
      description: Whether it did not exist.
      returned: always
      type: bool
    fields:
      description: The fields that differed.
      returned: always
      type: list
      elements: str
      sample: [allow_simultaneous, survey_spec]
"""
