# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the AWS modules refuse or report as failed: a part of the one list in _refusals, in the same form."""

from __future__ import annotations

import typing as t

MESSAGES: t.Final[dict[str, tuple[str, str]]] = {
    # References, checked before any call.
    "invalid_reference": (
        "{reference} is not a KMS key id, key ARN, alias name or alias ARN, so no key can be looked up in {region}.",
        "Give for example alias/atlassian-cmk, or the key's ARN as KMS shows it.",
    ),
    "aws_managed_alias": (
        "{reference} is an alias of AWS's own keys, and a CMK for Atlassian is always a customer managed key.",
        "Give the alias, id or ARN of the customer managed key that was registered with Atlassian.",
    ),
    "wrong_region": (
        "{reference} is in region {seen}, but a key in region {region} is expected, so nothing was called.",
        "Give the key's reference for {region}; each region of a realm has its own key.",
    ),
    "wrong_partition": (
        "{reference} belongs to AWS partition {seen}, but region {region} belongs to partition {partition}.",
        "Correct the ARN; nothing was called.",
    ),
    "reference_of_other_account": (
        "{reference} belongs to account {seen}, but account {account_id} is expected, so nothing was called.",
        "Correct the reference or the account id, whichever is wrong.",
    ),
    # Options of the AWS modules, checked before any call.
    "no_region": ("No region is given.", "Set region, or AWS_REGION in the environment."),
    "no_keys": ("No key is given.", "Name at least one in keys."),
    "key_without_region": ("A key without a region is given, or no key at all.", "Set region for each entry of keys."),
    "invalid_alias_prefix": (
        "The option alias_prefix must be the beginning of an alias' name, but is {seen}.",
        "Give for example alias/cryptor.",
    ),
    "invalid_expected_arn": (
        "The option expected_arn must be the ARN of a key, but is {seen}.",
        "Give the ARN that this module returns in check mode.",
    ),
    "invalid_key_arn": (
        "{seen} is not the ARN of a key.",
        "Give the ARN that DescribeKey returns, not an id or an alias.",
    ),
    "invalid_since": (
        "The option since is {seen}, which is not a time in ISO 8601.",
        "Give for example 2026-11-24T03:00:09Z.",
    ),
    "invalid_lookback": (
        "The option lookback_days must be from 1 to 90, but is {days}: CloudTrail keeps 90 days.",
        "Give a number in that range.",
    ),
    "aws_unusable": (
        "AWS cannot be called with these options: {message}",
        "Correct the AWS options of the task (role: cmk_aws_profile) or the AWS configuration, then run again.",
    ),
    "library_too_old": (
        "The installed boto3 does not know all of {operation}.",
        "Install a newer boto3 on the controller. Nothing else depends on it.",
    ),
    # Keys, decided from DescribeKey.
    "key_not_found": (
        "There is no key {reference} in region {region} of the account {account_id}.",
        "Check reference, region and credentials; a key is never created. If the key was deleted, its data cannot be restored: notify Atlassian on "
        "the ticket.",
    ),
    "owner_differs": (
        "{arn} belongs to account {seen}, but account {account_id} is expected, so the key was left alone.",
        "Use the credentials of the right account, or correct the account id.",
    ),
    "alias_moved": (
        "{reference} in {region} resolves to {seen}, but the run was planned for {expected}, so neither key was changed.",
        "Find out who moved the alias and why, then run again: the new plan shows the key that the alias belongs to now.",
    ),
    "aws_managed_key": (
        "{arn} is managed by AWS, not by the customer, so its state cannot be set.",
        "Give the customer managed key that was registered with Atlassian.",
    ),
    "pending_deletion": (
        "{arn} is scheduled for deletion on {deletion_date}, and the deletion was not cancelled.",
        "To cancel it, run again with -e cmk_cancel_deletion=true (module: cancel_deletion=true) before that date. After it, the key and all that it "
        "encrypts are lost.",
    ),
    "pending_replica_deletion": (
        "{arn} waits for the deletion of its replica keys and is then deleted itself ({window} after the last one), and the deletion was not "
        "cancelled.",
        "To cancel it, run again with -e cmk_cancel_deletion=true (module: cancel_deletion=true). After the deletion, the key and all that it "
        "encrypts are lost.",
    ),
    "unavailable": (
        "{arn} is Unavailable: its custom key store is disconnected, and a key state set now has no effect until the store is back.",
        "Reconnect the key store (AWS KMS, Custom key stores), wait until the key is no longer Unavailable, run again.",
    ),
    "pending_import": (
        "{arn} is PendingImport: its key material was deleted or never imported, so it cannot be used.",
        "Import the same key material again (kms:GetParametersForImport, kms:ImportKeyMaterial), then run again.",
    ),
    "creating": (
        "{arn} is Creating: AWS is still replicating it and refuses changes until that ends.",
        "Wait a minute and run again.",
    ),
    "updating": (
        "{arn} is Updating: AWS is changing its primary region and refuses changes until that ends.",
        "Wait a minute and run again.",
    ),
    "not_enabled": (
        "{arn} is {key_state}, so Atlassian cannot use it.",
        "Find in CloudTrail who did that. Unless it was intentional, run restore_cmk.",
    ),
    "unknown_state": (
        "{arn} is in state {key_state}, which this version does not know, so it was left alone.",
        "Check the key in the AWS console, and check for a newer version of keyops.atlassian_cmk.",
    ),
    "not_settled": (
        "{arn} was set to {wanted}, but AWS did not report that {reads} times in a row within {timeout} s (last seen: {seen}).",
        "Changes can take minutes to spread: run again, with a longer wait_timeout (role: cmk_wait_timeout) if needed.",
    ),
    # BYOK: the keys of a region, and the trust statement of the role.
    "no_such_alias": (
        "No alias in region {region} of the account {account_id} begins with {prefix}, so no key of BYOK was found there.",
        "Check the regions of the organization's BYOK location (cmk_regions) and the credentials; a key is never created.",
    ),
    "too_many_aliases": (
        "Region {region} has more than {most} aliases, and the rest was not read, so keys whose alias begins with {prefix} may be missing.",
        "Search for further keys in the KMS console, and enable each by its key id with module kms_key_state.",
    ),
    "alias_without_key": (
        "The alias {alias} in region {region} belongs to no key.",
        "Check the alias in the AWS console, and ask Atlassian on the ticket which key it belonged to.",
    ),
    "role_not_found": (
        "There is no IAM role {role} in the account of the credentials in use.",
        "Use the credentials of the account in which BYOK was set up (role: cmk_aws_profile, cmk_assume_role_arn); a role is never created.",
    ),
    "role_of_other_account": (
        "The IAM role {arn} belongs to account {seen}, but account {account_id} is expected, so it was left alone.",
        "Use the credentials of the right account, or correct the account id.",
    ),
    "trust_malformed": (
        "The trust policy of role {role} cannot be read as a policy, so it was left alone. Seen: {seen}.",
        "Correct the trust policy in the IAM console as Atlassian documents it, then run again.",
    ),
    "trust_not_found": (
        "No statement in the trust policy of role {role} names {principal}, so there is none to set back to Allow. Seen: {seen}.",
        "Add Atlassian's documented statement in the IAM console, or ask Atlassian on the ticket, then run again.",
    ),
    "trust_ambiguous": (
        "In the trust policy of role {role}, {count} statements name {principal}, and Atlassian documents one, so none was changed. Seen: {seen}.",
        "Leave only Atlassian's documented statement in the IAM console, then run again.",
    ),
    "trust_undocumented": (
        "The statement for Atlassian in the trust policy of role {role} is not as Atlassian documents it: {difference}. It was left alone. Seen: "
        "{seen}.",
        "Compare it with Atlassian's page on restoring access to BYOK keys, correct it in the IAM console, and run again.",
    ),
    "trust_denied_elsewhere": (
        "In the trust policy of role {role}, another statement may deny {principal} its access, so nothing was changed. Seen: {seen}.",
        "Remove or narrow that statement in the IAM console if Atlassian is to have access, then run again.",
    ),
    "trust_changed_meanwhile": (
        "The trust policy of role {role} is not the one that was planned with: somebody has changed it since. Nothing was written.",
        "Find out who is changing it, then run again.",
    ),
    "trust_not_settled": (
        "The trust policy of role {role} was written, but AWS did not show it {reads} times in a row within {timeout} s (last seen: {seen}).",
        "Changes can take minutes to spread, or somebody else has changed it. Check the role and run again.",
    ),
    # Calls that AWS did not answer as hoped.
    "access_denied": (
        "AWS refused {operation} in {region}: {message}",
        "Allow {action} for this identity in its IAM policy and in the policy of the key or role, then run again.",
    ),
    "denied": (
        "A policy denies {operation} in {region}, whatever other policies allow: {message}",
        "Ask who administers that policy to exempt this identity (condition aws:PrincipalArn), then run again.",
    ),
    "guarded": (
        "A guard denies {operation} in {region}, which no permission overrides: {message}",
        "Such policies protect keys that were used lately (kms:TrailingDaysWithoutKeyUsage). Ask who administers that policy to exempt this identity "
        "(condition aws:PrincipalArn), then run again.",
    ),
    "credentials_expired": (
        "The AWS credentials have expired ({operation} in {region}).",
        "Get fresh credentials and run again. Completed steps are not repeated.",
    ),
    "credentials_invalid": (
        "AWS does not accept the credentials ({operation} in {region}): {message}",
        "Check the access key, the profile and this machine's clock, then run again.",
    ),
    "credentials_of_other_account": (
        "The credentials in use belong to account {seen}, but account {account_id} is expected: no key {reference} was found in {region}.",
        "Use the credentials of the right account (role: cmk_aws_profile, cmk_assume_role_arn), or correct the account id.",
    ),
    "credentials_missing": (
        "No usable AWS credentials were found for region {region}: {message}",
        "Set AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (role: cmk_aws_profile), then run again.",
    ),
    "login_needed": (
        "The login of AWS profile {profile} is missing or has expired: {message}",
        "Log in with {command} --profile {profile}, then run again.",
    ),
    "mfa_code_needed": (
        "The role of AWS profile {profile} asks for a code of the MFA device {device}, and no session is saved that still lasts.",
        "Log in with aws sts get-caller-identity --profile {profile}, which asks for the code, or set CMK_AWS_MFA_CODE (role: cmk_aws_mfa_code), then "
        "run again.",
    ),
    "mfa_code_refused": (
        "AWS refused the code of the MFA device {device} for AWS profile {profile}: {message}",
        "Each code serves one login: wait for the next one, then run again. It also works to log in with aws sts get-caller-identity --profile "
        "{profile}.",
    ),
    "process_failed": (
        "The credential_process of AWS profile {profile} gave no credentials. {program} says: {message}",
        "Run that program in a shell until it gives credentials, then run again.",
    ),
    "throttled": (
        "AWS kept throttling {operation} in {region}: {message}",
        "Wait a minute and run again. Completed steps are not repeated.",
    ),
    "aws_trouble": (
        "AWS could not carry out {operation} in {region}: {message}",
        "Check the AWS Health Dashboard for {region} and run again. Completed steps are not repeated.",
    ),
    "not_reached": (
        "AWS was not reached for {operation} in {region}: {message}",
        "Check network, proxy, DNS and endpoint_url, then run again. Completed steps are not repeated.",
    ),
    "aws_refused": (
        "AWS refused {operation} in {region} with {aws_code}: {message}",
        "Fix what AWS names, then run again. Completed steps are not repeated.",
    ),
}
