"""Which automation took access away, and what keeps it from doing so again."""

from __future__ import annotations

import pytest

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._cloudtrail.automation import advise, find_automation

TERRAFORM = "APN/1.0 HashiCorp/1.0 Terraform/1.9.5 (+https://www.terraform.io) terraform-provider-aws/5.66.0"


@pytest.mark.parametrize(
    ("user_agent", "invoked_by", "name"),
    [
        (TERRAFORM, None, "Terraform"),
        ("APN/1.0 Pulumi/1.0 PulumiAWS/6.0", None, "Pulumi"),
        ("cloudformation.amazonaws.com", "cloudformation.amazonaws.com", "AWS CloudFormation"),
        ("AWS Internal", "config.amazonaws.com", "AWS Config or Systems Manager"),
        ("ssm.amazonaws.com", None, "AWS Config or Systems Manager"),
        ("Mozilla/5.0 (X11; Linux x86_64)", None, ""),
        ("AWS Internal", "kms.amazonaws.com", ""),
        ("aws-cli/2.17 md/Terraformer", None, ""),
        ("evil cloudformation.amazonaws.com", None, ""),
        (None, None, ""),
        (7, {"a": 1}, ""),
    ],
)
def test_by_user_agent_or_service(user_agent: object, invoked_by: object, name: str) -> None:
    assert find_automation(user_agent, invoked_by) == name
    assert bool(advise(name)) is bool(name)


def test_each_advice_says_what_happens_otherwise() -> None:
    for name in ("Terraform", "Pulumi", "AWS CloudFormation", "AWS Config or Systems Manager"):
        assert advise(name).endswith("revokes access again")
