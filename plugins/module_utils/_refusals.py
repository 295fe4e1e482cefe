# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The one list of everything this collection refuses or reports as failed.

Each entry holds what was seen and why it stops (``error``) and what the operator does next (``hint``). Both are
:meth:`str.format` templates. The documentation of the messages is generated from this list.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ._messages import MESSAGES
from ._text import plain


@dataclass(frozen=True)
class Refusal:
    """Why something is not done.

    ``code`` is stable and machine readable, ``error`` and ``hint`` are one sentence each (or a few short ones).
    """

    code: str
    error: str
    hint: str

    def __str__(self) -> str:
        return f"{self.error} {self.hint}"


NO_REFUSAL: t.Final = Refusal("", "", "")


class RefusedError(Exception):
    """Carries a :class:`Refusal` up to the place that reports it."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(str(refusal))
        self.refusal = refusal


REFUSALS: t.Final[dict[str, tuple[str, str]]] = {
    **MESSAGES,
    # What must be installed.
    "collection_missing": (
        "The collection {collection} is not installed on this controller, so AWS cannot be called.",
        "Install it with ansible-galaxy collection install {collection}, then run again.",
    ),
    "library_missing": (
        "The Python library {library} cannot be imported by {python}, which runs Ansible, so AWS cannot be called.",
        "Install it with {python} -m pip install boto3, then run again.",
    ),
    # Two runs at the same time.
    "run_in_progress": (
        "Another run is in progress for this organization (process {pid} on {host}, since {since}), so this run stops: two runs must not change the "
        "keys in opposite directions.",
        "Wait until that run has ended, then run again. If it has ended for certain, run again with -e cmk_break_lock=true, which breaks the lock "
        "{path}.",
    ),
    "other_run_notifies": (
        "Another run is in progress for this organization (process {pid} on {host}, since {since}), and comments on the ticket, so this run does not.",
        "Wait until that run has ended, then run again: it confirms that Atlassian was notified, or notifies Atlassian. If that run has ended for "
        "certain, add -e cmk_break_lock=true.",
    ),
    # Taking access away.
    "revoke_not_confirmed": (
        "Revoking Atlassian's access to the keys of {org} was not confirmed, so nothing was disabled.",
        "If it is intended, run again with the organization's name: -e confirm='{org}'.",
    ),
    "revoke_confirmed_other": (
        "The confirmation is {seen}, which is not the name of {org} exactly, so nothing was disabled.",
        "If it is intended, run again with the organization's name: -e confirm='{org}'.",
    ),
    "revoke_several": (
        "This run has {count} organizations, and access is revoked for one at a time, so nothing was disabled.",
        "Name this one alone with -e org, and confirm with its name: -e confirm='{org}'.",
    ),
    "revoke_unavailable": (
        "{arn} is Unavailable: its custom key store is disconnected, so nobody can use it, but it can be used again as soon as the store is back.",
        "Leave the key store disconnected, or run this again at once when it is back.",
    ),
    # Drills.
    "drill_not_marked": (
        "{org} is not marked as an organization for drills, so nothing was called: a drill revokes Atlassian's access, and Atlassian then suspends "
        "the sites.",
        "Set cmk_drill: true for it in the inventory if it exists for drills alone. A value that is given with -e does not count.",
    ),
    "drill_access_lost": (
        "Access to the keys is lost already ({keys}), so the drill revoked nothing: it begins with every key enabled.",
        "Find out why access is lost. To restore it, run: ansible-playbook keyops.atlassian_cmk.restore_cmk -e org={org}.",
    ),
    "drill_part_missing": (
        "These parts of the drill ended without a result: {parts}.",
        "Their errors are shown above. Fix them, then drill again.",
    ),
    "drill_not_restored": (
        "The drill revoked access to the keys and has not restored it ({keys}).",
        "Fix the problem above, then restore the access at once: ansible-playbook keyops.atlassian_cmk.restore_cmk -e org={org}.",
    ),
    # Who notified Atlassian.
    "note_refused": (
        "The value of cmk_ticket_told does not count: it {message}",
        "Comment on the ticket if nobody has, then run again with the right cmk_ticket_told.",
    ),
    # What Atlassian reports.
    "atlassian_unread": (
        "Atlassian's API did not report the apps: {message}.",
        "The verdict does not need it. Check cmk_atlassian_org_id and cmk_atlassian_api_key (scope read:workspaces:admin).",
    ),
    # The support desk.
    "desk_unauthorized": (
        "The support desk did not accept the credentials (HTTP 401): {message}",
        "Check cmk_support_user and cmk_support_token and run again: a token expires within a year, and a scoped token works only with "
        "cmk_support_url=https://api.atlassian.com/ex/jira/{{cloudId}}. Without a valid token, run again with -e cmk_support_mode=manual and post the "
        "comment yourself.",
    ),
    "desk_forbidden": (
        "The support desk denies this account that request (HTTP 403): {message}",
        "Use an account that may read the ticket and comment on it, or run again with -e cmk_support_mode=manual and post the comment yourself.",
    ),
    "desk_not_found": (
        "The support desk has no such ticket, or hides it from this account (HTTP 404): {message}",
        "Check cmk_ticket, cmk_support_url and the account and run again, or run again with -e cmk_support_mode=manual and post the comment yourself.",
    ),
    "desk_conflict": (
        "The support desk reports a conflict (HTTP 409): {message}",
        "Open the ticket in a browser and check that it takes comments. Then run again, or run again with -e cmk_support_mode=manual and post the "
        "comment yourself.",
    ),
    "desk_throttled": (
        "The support desk is under load and refuses requests (HTTP 429): {message}",
        "Run again in a few minutes, or run again with -e cmk_support_mode=manual and post the comment yourself.",
    ),
    "desk_trouble": (
        "The support desk failed (HTTP {status}): {message}",
        "Run again in a few minutes, or run again with -e cmk_support_mode=manual and post the comment yourself.",
    ),
    "desk_not_reached": (
        "The support desk was not reached: {message}",
        "Check cmk_support_url, network, proxy and DNS and run again, or run again with -e cmk_support_mode=manual and post the comment yourself.",
    ),
    "desk_tls": (
        "The support desk's TLS certificate could not be verified: {message}",
        "Check cmk_support_url, add a private authority to this machine's trust store, and run again. Otherwise run again with -e "
        "cmk_support_mode=manual and post the comment yourself.",
    ),
    "desk_login_page": (
        "The support desk answered with a web page or a redirect (HTTP {status}) instead of its API: perhaps a login page, or a suspended site.",
        "Check that cmk_support_url is the desk's API and not a suspended site of your own, and run again. Otherwise run again with -e "
        "cmk_support_mode=manual and post the comment yourself.",
    ),
    "desk_not_json": (
        "The support desk's answer (HTTP {status}) is not the documented JSON.",
        "Check that cmk_support_url is the desk's base URL and run again, or run again with -e cmk_support_mode=manual and post the comment yourself.",
    ),
    "desk_unconfirmed": (
        "It is not known whether the comment was stored. {sent} Reading the comments afterwards did not settle it: {message}",
        "Run again: the run reads the comments first, and posts only if the announcement is missing. Open the ticket before you post the comment "
        "yourself.",
    ),
    "desk_refused": (
        "The support desk refused the request (HTTP {status}): {message}",
        "Correct what the desk names and run again, or run again with -e cmk_support_mode=manual and post the comment yourself.",
    ),
    # Mail to the support desk.
    "mail_not_reached": (
        "The mail server {server} was not reached: {message}",
        "Check cmk_mail_host, cmk_mail_port, network and DNS and run again, or notify Atlassian yourself with -e cmk_support_mode=manual.",
    ),
    "mail_not_encrypted": (
        "The mail server {server} offers no encrypted connection, so nothing was sent: {message}",
        "Check cmk_mail_host and cmk_mail_port, or notify Atlassian yourself with -e cmk_support_mode=manual.",
    ),
    "mail_unauthorized": (
        "The mail server {server} did not accept the credentials: {message}",
        "Check cmk_mail_user and cmk_mail_password and run again, or notify Atlassian yourself with -e cmk_support_mode=manual.",
    ),
    "mail_refused": (
        "The mail server {server} did not take the mail to {to}: {message}",
        "Check cmk_mail_to and cmk_mail_from and run again, or notify Atlassian yourself with -e cmk_support_mode=manual.",
    ),
    "mail_unconfirmed": (
        "It is not known whether the mail server {server} took the mail to {to}: {message}",
        "Open {ticket}. If the comment is there, run again with cmk_ticket_told. Otherwise run again, which mails again.",
    ),
    "ticket_closed": (
        "The ticket {ticket} takes no comment from this account (its status is {status}).",
        "Reopen the ticket or set cmk_ticket to the ticket of this revocation, and run again. Otherwise run again with -e cmk_support_mode=manual and "
        "notify Atlassian yourself.",
    ),
    "comment_template": (
        "The comment cannot be written from the template {template}: {message}",
        "Correct the template (cmk_comment_template) and run again. Completed steps are not repeated.",
    ),
    "comment_too_long": (
        "The comment has {length} characters, and the desk takes at most {most}.",
        "Shorten the template (cmk_comment_template).",
    ),
}


def refusal(code: str, **seen: object) -> Refusal:
    """Fill in the entry ``code`` of :data:`REFUSALS` with what was seen.

    What was seen may come from AWS, the desk or the inventory: each text is one line without control characters.
    """
    error, hint = REFUSALS[code]
    return Refusal(code, plain(error.format(**seen)), plain(hint.format(**seen)))
