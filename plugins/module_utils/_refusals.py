# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The one list of everything this collection refuses or reports as failed.

The documentation of the messages is generated from this list.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from ._text import plain

# Each entry is a code with what was seen and why it stops, and below it what the operator does next. A line that is indented further
# continues the one above. Both texts are templates of str.format.
_MESSAGES: t.Final = """
# References, checked before any call.
invalid_reference: {reference} is not a KMS key id, key ARN, alias name or alias ARN, so no key can be looked up in {region}.
  Give for example alias/atlassian-cmk, or the key's ARN as KMS shows it.
aws_managed_alias: {reference} is an alias of an AWS managed key, but a CMK for Atlassian is always a customer managed key.
  Give the alias, id or ARN of the customer managed key that was registered with Atlassian.
wrong_region: {reference} is in region {seen}, but a key in region {region} is expected, so nothing was called.
  Give the key's reference for {region}; each region of a realm has its own key.
wrong_partition: {reference} belongs to AWS partition {seen}, but region {region} belongs to partition {partition}.
  Correct the ARN; nothing was called.
reference_of_other_account: {reference} belongs to account {seen}, but account {account_id} is expected, so nothing was called.
  Correct the reference or the account id, whichever is wrong.
# Options of the AWS modules, checked before any call.
no_region: No region is given.
  Set region, or AWS_REGION in the environment.
no_keys: No key is given.
  Name at least one in keys.
key_without_region: An entry of keys has no region, or keys is empty.
  Set region for each entry of keys.
invalid_alias_prefix: The option alias_prefix must be the beginning of an alias' name, but is {seen}.
  Give for example alias/cryptor.
invalid_expected_arn: The option expected_arn must be the ARN of a key, but is {seen}.
  Give the ARN that this module returns in check mode.
invalid_key_arn: {seen} is not the ARN of a key.
  Give the ARN that DescribeKey returns, not an id or an alias.
invalid_since: The option since is {seen}, which is not a time in ISO 8601.
  Give for example 2026-11-24T03:00:09Z.
invalid_lookback: The option lookback_days must be from 1 to 90, but is {days}: CloudTrail keeps 90 days.
  Give a number in that range.
aws_unusable: AWS cannot be called with these options: {message}
  Correct the AWS options of the task (role: cmk_aws_profile) or the AWS configuration, then run again.
library_too_old: The installed boto3 does not support {operation}.
  Install a newer boto3 on the controller. Everything else works without it.
# Keys, decided from DescribeKey.
key_not_found: There is no key {reference} in region {region} of the account {account_id}.
  Check the reference, the region and the credentials. If the key was deleted, its data cannot be restored: notify Atlassian on the ticket.
owner_differs: {arn} belongs to account {seen}, but account {account_id} is expected, so the key was not changed.
  Use the credentials of the right account, or correct the account id.
alias_moved: {reference} in {region} resolves to {seen}, but the run was planned for {expected}, so neither key was changed.
  Find out who moved the alias and why, then run again: the new plan shows the key that the alias belongs to now.
aws_managed_key: {arn} is managed by AWS, not by the customer, so its state cannot be set.
  Give the customer managed key that was registered with Atlassian.
pending_deletion: {arn} is scheduled for deletion on {deletion_date}, and the deletion was not cancelled.
  To cancel it, run again with -e cmk_cancel_deletion=true (module: cancel_deletion=true) before that date. After it, the key and all data that it encrypts are
    lost.
pending_replica_deletion: {arn} waits for the deletion of its replica keys, and AWS then deletes it too, {window} after the last one. The deletion was not
    cancelled.
  To cancel it, run again with -e cmk_cancel_deletion=true (module: cancel_deletion=true). After the deletion, the key and all data that it encrypts are lost.
unavailable: {arn} is Unavailable because its custom key store is disconnected. Changing its state now would have no effect.
  Reconnect the key store (AWS KMS, Custom key stores), wait until the key is no longer Unavailable, then run again.
pending_import: {arn} is PendingImport: its key material was deleted or never imported, so it cannot be used.
  Import the same key material again (kms:GetParametersForImport, kms:ImportKeyMaterial), then run again.
creating: {arn} is Creating: AWS is still replicating it and refuses changes until that ends.
  Wait a minute and run again.
updating: {arn} is Updating: AWS is changing its primary region and refuses changes until that ends.
  Wait a minute and run again.
not_enabled: {arn} is {key_state}, so Atlassian cannot use it.
  CloudTrail shows who changed it. If that was not intended, run restore_cmk.
unknown_state: {arn} is in state {key_state}, which this version does not know, so it was not changed.
  Check the key in the AWS console, and check for a newer version of keyops.atlassian_cmk.
not_settled: AWS did not report {arn} as {wanted} {reads} times in a row within {timeout} s (last seen: {seen}).
  Changes can take minutes to spread. Run again, if needed with a longer wait_timeout (role: cmk_wait_timeout).
# BYOK: the keys of a region, and the trust statement of the role.
no_such_alias: No alias in region {region} of the account {account_id} begins with {prefix}, so no BYOK key was found there.
  Check the regions of the organization's BYOK location (cmk_regions) and the credentials.
too_many_aliases: Region {region} has more than {most} aliases, and the rest was not read, so keys whose alias begins with {prefix} may be missing.
  Search for further keys in the KMS console, and enable each by its key id with module kms_key_state.
alias_without_key: The alias {alias} in region {region} belongs to no key.
  Check the alias in the AWS console, and ask Atlassian on the ticket which key it belonged to.
role_not_found: There is no IAM role {role} in the account of the credentials in use.
  Use the credentials of the account in which BYOK was set up (role: cmk_aws_profile, cmk_assume_role_arn).
role_of_other_account: The IAM role {arn} belongs to account {seen}, but account {account_id} is expected, so it was not changed.
  Use the credentials of the right account, or correct the account id.
trust_malformed: The trust policy of role {role} cannot be read as a policy, so it was not changed. Seen: {seen}.
  Correct the trust policy in the IAM console as Atlassian documents it, then run again.
trust_not_found: No statement in the trust policy of role {role} names {principal}, so there is none to set back to Allow. Seen: {seen}.
  Add Atlassian's documented statement in the IAM console, or ask Atlassian on the ticket, then run again.
trust_ambiguous: In the trust policy of role {role}, {count} statements name {principal}, and Atlassian documents one, so none was changed. Seen: {seen}.
  Leave only Atlassian's documented statement in the IAM console, then run again.
trust_undocumented: The statement for Atlassian in the trust policy of role {role} is not as Atlassian documents it: {difference}. It was not changed. Seen:
    {seen}.
  Compare it with Atlassian's page on restoring access to BYOK keys, correct it in the IAM console, and run again.
trust_denied_elsewhere: In the trust policy of role {role}, another statement may deny {principal} its access, so nothing was changed. Seen: {seen}.
  Remove or narrow that statement in the IAM console if Atlassian is to have access, then run again.
trust_changed_meanwhile: The trust policy of role {role} changed after the plan was made, so nothing was written.
  Find out who is changing it, then run again.
trust_not_settled: The trust policy of role {role} was written, but AWS did not show it {reads} times in a row within {timeout} s (last seen: {seen}).
  Changes can take minutes to spread, or somebody else has changed it. Check the role and run again.
# Calls that AWS did not answer as hoped.
access_denied: AWS refused {operation} in {region}: {message}
  Allow {action} for this identity in its IAM policy and in the policy of the key or role, then run again.
denied: A policy denies {operation} in {region}, whatever other policies allow: {message}
  Ask who administers that policy to exempt this identity (condition aws:PrincipalArn), then run again.
guarded: A policy that protects keys in use denies {operation} in {region}, and no permission overrides it: {message}
  Ask its administrator (condition kms:TrailingDaysWithoutKeyUsage) to exempt this identity (condition aws:PrincipalArn), then run again.
credentials_expired: The AWS credentials have expired ({operation} in {region}).
  Get fresh credentials and run again. Completed steps are not repeated.
credentials_invalid: AWS does not accept the credentials ({operation} in {region}): {message}
  Check the access key, the profile and this machine's clock, then run again.
credentials_of_other_account: The credentials in use belong to account {seen}, but account {account_id} is expected: no key {reference} was found in {region}.
  Use the credentials of the right account (role: cmk_aws_profile, cmk_assume_role_arn), or correct the account id.
credentials_missing: No usable AWS credentials were found for region {region}: {message}
  Set AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (role: cmk_aws_profile), then run again.
login_needed: The login of AWS profile {profile} is missing or has expired: {message}
  Log in with {command} --profile {profile}, then run again.
mfa_code_needed: The role of AWS profile {profile} asks for a code of the MFA device {device}, and no saved session is still valid.
  Log in with aws sts get-caller-identity --profile {profile}, which asks for the code, or set CMK_AWS_MFA_CODE (role: cmk_aws_mfa_code), then run again.
mfa_code_refused: AWS refused the code of the MFA device {device} for AWS profile {profile}: {message}
  Each code is valid for one login. Wait for the next code and run again, or log in with aws sts get-caller-identity --profile {profile}.
process_failed: The credential_process of AWS profile {profile} gave no credentials. {program} says: {message}
  Run that program in a shell until it gives credentials, then run again.
throttled: AWS kept throttling {operation} in {region}: {message}
  Wait a minute and run again. Completed steps are not repeated.
aws_trouble: AWS could not carry out {operation} in {region}: {message}
  Check the AWS Health Dashboard for {region} and run again. Completed steps are not repeated.
not_reached: AWS was not reached for {operation} in {region}: {message}
  Check network, proxy, DNS and endpoint_url, then run again. Completed steps are not repeated.
aws_refused: AWS refused {operation} in {region} with {aws_code}: {message}
  Fix what AWS names, then run again. Completed steps are not repeated.
# What must be installed.
collection_missing: The collection {collection} is not installed on this controller, so AWS cannot be called.
  Install it with ansible-galaxy collection install {collection}, then run again.
library_missing: The Python library {library} cannot be imported by {python}, which runs Ansible, so AWS cannot be called.
  Install it with {python} -m pip install boto3, then run again.
# Two runs at the same time.
run_in_progress: Another run is in progress for this organization (process {pid} on {host}, since {since}), so this run stops: two runs must not change the
    keys in opposite directions.
  Wait until that run has ended, then run again. If it has ended for certain, run again with -e cmk_break_lock=true, which breaks the lock {path}.
other_run_notifies: Another run is in progress for this organization (process {pid} on {host}, since {since}), and comments on the ticket, so this run does
    not.
  Wait until that run has ended, then run again: it confirms that Atlassian was notified, or notifies Atlassian. If that run has ended for certain, add -e
    cmk_break_lock=true.
# Taking access away.
revoke_not_confirmed: Revoking Atlassian's access to the keys of {org} was not confirmed, so nothing was disabled.
  If it is intended, run again with the organization's name: -e confirm='{org}'.
revoke_confirmed_other: The confirmation is {seen}, which is not the name of {org} exactly, so nothing was disabled.
  If it is intended, run again with the organization's name: -e confirm='{org}'.
revoke_several: This run has {count} organizations, and access is revoked for one at a time, so nothing was disabled.
  Name this one alone with -e org, and confirm with its name: -e confirm='{org}'.
revoke_unavailable: {arn} is Unavailable: its custom key store is disconnected, so nobody can use it, but it can be used again as soon as the store is back.
  Leave the key store disconnected, or run this again at once when it is back.
# Drills.
drill_not_marked: {org} is not marked as an organization for drills, so nothing was called: a drill revokes Atlassian's access, and Atlassian then suspends
    the sites.
  Set cmk_drill: true for it in the inventory if it exists for drills alone. A value that is given with -e does not count.
drill_access_lost: Access to the keys is lost already ({keys}), so the drill revoked nothing: it begins with every key enabled.
  Find out why access is lost. To restore it, run: ansible-playbook keyops.atlassian_cmk.restore_cmk -e org={org}.
drill_part_missing: These parts of the drill ended without a result: {parts}.
  Their errors are shown above. Fix them, then drill again.
drill_not_restored: The drill revoked access to the keys and has not restored it ({keys}).
  Fix the problem above, then restore the access at once: ansible-playbook keyops.atlassian_cmk.restore_cmk -e org={org}.
# Who notified Atlassian.
note_refused: The value of cmk_ticket_told does not count: it {message}
  Comment on the ticket if nobody has, then run again with the right cmk_ticket_told.
# What Atlassian reports.
atlassian_unread: Atlassian's API did not report the apps: {message}.
  The verdict does not need it. Check cmk_atlassian_org_id and cmk_atlassian_api_key (scope read:workspaces:admin).
# The support desk.
desk_unauthorized: The support desk did not accept the credentials (HTTP 401): {message}
  Check cmk_support_user and cmk_support_token and run again: a token expires within a year, and a scoped token works only with
    cmk_support_url=https://api.atlassian.com/ex/jira/{{cloudId}}. Without a valid token, run again with -e cmk_support_mode=manual and post the comment
    yourself.
desk_forbidden: The support desk denies this account that request (HTTP 403): {message}
  Use an account that may read the ticket and comment on it, or run again with -e cmk_support_mode=manual and post the comment yourself.
desk_not_found: The support desk has no such ticket, or hides it from this account (HTTP 404): {message}
  Check cmk_ticket, cmk_support_url and the account and run again, or run again with -e cmk_support_mode=manual and post the comment yourself.
desk_conflict: The support desk reports a conflict (HTTP 409): {message}
  Open the ticket in a browser and check that it takes comments. Then run again, or run again with -e cmk_support_mode=manual and post the comment yourself.
desk_throttled: The support desk is under load and refuses requests (HTTP 429): {message}
  Run again in a few minutes, or run again with -e cmk_support_mode=manual and post the comment yourself.
desk_trouble: The support desk failed (HTTP {status}): {message}
  Run again in a few minutes, or run again with -e cmk_support_mode=manual and post the comment yourself.
desk_not_reached: The support desk was not reached: {message}
  Check cmk_support_url, network, proxy and DNS and run again, or run again with -e cmk_support_mode=manual and post the comment yourself.
desk_tls: The support desk's TLS certificate could not be verified: {message}
  Check cmk_support_url, add a private authority to this machine's trust store, and run again. Otherwise run again with -e cmk_support_mode=manual and post
    the comment yourself.
desk_login_page: The support desk answered with a web page or a redirect (HTTP {status}) instead of its API: perhaps a login page, or a suspended site.
  Check that cmk_support_url is the desk's API and not a suspended site of your own, and run again. Otherwise run again with -e cmk_support_mode=manual and
    post the comment yourself.
desk_not_json: The support desk's answer (HTTP {status}) is not the documented JSON.
  Check that cmk_support_url is the desk's base URL and run again, or run again with -e cmk_support_mode=manual and post the comment yourself.
desk_unconfirmed: It is not known whether the comment was stored. {sent} Reading the comments afterwards did not settle it: {message}
  Run again: the run reads the comments first, and posts only if the announcement is missing. Open the ticket before you post the comment yourself.
desk_refused: The support desk refused the request (HTTP {status}): {message}
  Correct what the desk names and run again, or run again with -e cmk_support_mode=manual and post the comment yourself.
# Mail to the support desk.
mail_not_reached: The mail server {server} was not reached: {message}
  Check cmk_mail_host, cmk_mail_port, network and DNS and run again, or notify Atlassian yourself with -e cmk_support_mode=manual.
mail_not_encrypted: The mail server {server} offers no encrypted connection, so nothing was sent: {message}
  Check cmk_mail_host and cmk_mail_port, or notify Atlassian yourself with -e cmk_support_mode=manual.
mail_unauthorized: The mail server {server} did not accept the credentials: {message}
  Check cmk_mail_user and cmk_mail_password and run again, or notify Atlassian yourself with -e cmk_support_mode=manual.
mail_refused: The mail server {server} did not take the mail to {to}: {message}
  Check cmk_mail_to and cmk_mail_from and run again, or notify Atlassian yourself with -e cmk_support_mode=manual.
mail_unconfirmed: It is not known whether the mail server {server} took the mail to {to}: {message}
  Open {ticket}. If the comment is there, run again with cmk_ticket_told. Otherwise run again, which mails again.
ticket_closed: The ticket {ticket} takes no comment from this account (its status is {status}).
  Reopen the ticket or set cmk_ticket to the ticket of this revocation, and run again. Otherwise run again with -e cmk_support_mode=manual and notify
    Atlassian yourself.
comment_template: The comment cannot be written from the template {template}: {message}
  Correct the template (cmk_comment_template) and run again. Completed steps are not repeated.
comment_too_long: The comment has {length} characters, and the desk takes at most {most}.
  Shorten the template (cmk_comment_template).
"""


@dataclass(frozen=True)
class Refusal:
    """Why something is not done."""

    code: str  # stable
    error: str  # what was seen, and why it stops
    hint: str  # what the operator does next

    def __str__(self) -> str:
        return f"{self.error} {self.hint}"


NO_REFUSAL: t.Final = Refusal("", "", "")


class RefusedError(Exception):
    """Carries a :class:`Refusal` up to the place that reports it."""

    def __init__(self, refusal: Refusal, operation: str = "") -> None:
        super().__init__(str(refusal))
        self.refusal, self.operation = refusal, operation

    @property
    def brief(self) -> str:
        """Why an optional call gave nothing; of a missing permission one short sentence, the same for every region."""
        is_denied = self.operation and self.refusal.code in ("access_denied", "denied")
        return f"AWS refused {self.operation}." if is_denied else self.refusal.error


def _read_messages(text: str) -> dict[str, tuple[str, str]]:
    entries = re.findall(r"^(\w+): (.+)\n  (.+)$", re.sub(r"\n {4}", " ", text), re.MULTILINE)
    return {code: (error, hint) for code, error, hint in entries}


REFUSALS: t.Final = _read_messages(_MESSAGES)


def refusal(code: str, **seen: object) -> Refusal:
    """Fill in the entry ``code`` of :data:`REFUSALS` with what was seen.

    What was seen may come from AWS, the desk or the inventory: each text is one line without control characters.
    """
    error, hint = REFUSALS[code]
    return Refusal(code, plain(error.format(**seen)), plain(hint.format(**seen)))
