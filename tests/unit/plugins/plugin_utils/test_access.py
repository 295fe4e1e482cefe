"""Whether the vendor's access changed since a copy was kept: damaged copies, suspects, and the time of loss."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import pytest

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._cloudtrail.revocation import SUSPECTS
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._access import access_text, compare_access
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._trail import Trail

ARN = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
LOST_AT = "2026-11-20T08:15:00Z"
POLICY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "kms:*"}]}
NO_COPY = "There is no earlier copy of policy and grants. assess_cmk saves one."
LOCKED_OUT = "the vendor may still be locked out although the key is enabled"


def key(**more: Any) -> dict[str, Any]:
    return {"region": "us-east-1", "arn": ARN, "policy": POLICY, "grants": [], **more}


def compared(kept: str, *, keeps: bool = False, **more: Any) -> dict[str, Any]:
    (result,) = compare_access(Trail.from_json({"keys": [key(**more)]}), kept, keeps=keeps)
    found = asdict(result)
    del found["label"]
    return found


def kept(**more: Any) -> str:
    return access_text(Trail.from_json({"keys": [key(**more)]}))


def suspect(name: str, time: str) -> dict[str, str]:
    return {"name": name, "time": time}


class TestDamagedCopies:
    @pytest.mark.parametrize("text", ["", " \n", "{", "[]", "null", "7", '"text"', kept()[:40], "\x00", "NaN"])
    def test_they_count_as_no_copy(self, text: str) -> None:
        assert compared(text) == {"region": "us-east-1", "arn": ARN, "changed": False, "diff": "", "note": NO_COPY}

    @pytest.mark.parametrize("terms", [None, [], "policy", {}, {"policy": None}, {"grants": 3}])
    def test_a_copy_with_other_terms_differs(self, terms: object) -> None:
        result = compared(json.dumps({ARN: terms}))
        assert result["changed"] is True
        assert result["note"] == f"Policy or grants differ from the saved copy: {LOCKED_OUT}. Nothing was changed."

    def test_a_copy_of_another_key(self) -> None:
        assert compared(kept(arn=ARN.replace("1234abcd", "9999abcd")))["note"] == NO_COPY

    def test_the_copy_itself_is_equal(self) -> None:
        assert compared(kept()) == {"region": "us-east-1", "arn": ARN, "changed": False, "diff": "", "note": ""}

    def test_a_run_that_keeps_a_copy_says_nothing_of_one_that_is_missing(self) -> None:
        assert compared("{", keeps=True)["note"] == ""
        assert compared(kept(policy={}), keeps=True)["note"].startswith("Policy or grants differ")


class TestSuspects:
    @pytest.mark.parametrize("name", SUSPECTS)
    def test_each_is_named_where_there_is_no_copy(self, name: str) -> None:
        lost = {"revoked_at": LOST_AT}
        note = compared("", last_revocation=lost, suspects=[suspect(name, "2026-11-20T09:00:00Z")])["note"]
        assert note == f"{NO_COPY} CloudTrail shows {name} at 2026-11-20T09:00:00Z: {LOCKED_OUT}."

    @pytest.mark.parametrize(
        ("time", "named"),
        [("2026-11-20T08:14:59Z", False), ("2026-11-20T08:15:00Z", True), ("2026-11-20T08:15:01Z", True)],
    )
    def test_from_the_second_of_the_loss_on(self, time: str, named: bool) -> None:
        note = compared("", last_revocation={"revoked_at": LOST_AT}, suspects=[suspect("PutKeyPolicy", time)])["note"]
        assert (LOCKED_OUT in note) is named

    @pytest.mark.parametrize("lost", [None, {}, {"revoked_at": None}, {"revoked_at": ""}])
    def test_all_of_them_where_no_loss_is_known(self, lost: object) -> None:
        note = compared("", last_revocation=lost, suspects=[suspect("PutKeyPolicy", "2026-09-01T00:00:00Z")])["note"]
        assert "CloudTrail shows PutKeyPolicy at 2026-09-01T00:00:00Z" in note

    def test_other_events_are_none(self) -> None:
        assert compared("", suspects=[suspect("DisableKey", "2026-11-20T09:00:00Z")])["note"] == NO_COPY

    def test_the_newest_three(self) -> None:
        events = [suspect("PutKeyPolicy", f"2026-11-2{day}T00:00:00Z") for day in range(1, 6)]
        note = compared("", suspects=events)["note"]
        assert [day for day in range(1, 6) if f"2026-11-2{day}T" in note] == [3, 4, 5]

    def test_where_a_copy_is_compared_they_are_not_needed(self) -> None:
        assert compared(kept(), suspects=[suspect("PutKeyPolicy", "2026-11-20T09:00:00Z")])["note"] == ""

    def test_where_the_policy_could_not_be_read(self) -> None:
        event = suspect("PutKeyPolicy", "2026-11-20T09:00:00Z")
        note = compared(kept(), policy=None, access_reason="AWS refused GetKeyPolicy.", suspects=[event])["note"]
        assert note.startswith(
            "Policy and grants could not be compared: AWS refused GetKeyPolicy. CloudTrail shows Put"
        )
        assert compared(kept(), policy=None)["note"] == "Policy and grants could not be compared: they were not read."


class TestTheCopy:
    def test_what_could_not_be_read_is_not_kept(self) -> None:
        assert json.loads(kept(policy=None)) == {}
        assert list(json.loads(kept())) == [ARN]

    def test_ids_of_grants_and_their_order_do_not_count(self) -> None:
        grants = [{"grant_id": "1", "name": "a"}, {"grant_id": "2", "name": "b"}]
        again = [{"grant_id": "3", "name": "b"}, {"grant_id": "4", "name": "a"}]
        assert compared(kept(grants=grants), grants=again)["changed"] is False
        assert compared(kept(grants=grants), grants=again[:1])["changed"] is True

    def test_nor_does_the_order_of_their_parts(self) -> None:
        grants = [{"name": "a", "operations": ["Decrypt"]}, {"operations": ["Encrypt"], "name": "b"}]
        again = [{"operations": ["Decrypt"], "name": "a"}, {"name": "b", "operations": ["Encrypt"]}]
        assert compared(kept(grants=grants), grants=again)["changed"] is False

    def test_it_is_a_file_that_people_read(self) -> None:
        assert kept(policy={"b": 1, "a": 2}) == (
            f'{{\n  "{ARN}": {{\n    "grants": [],\n    "policy": {{\n      "a": 2,\n      "b": 1\n    }}\n  }}\n}}\n'
        )

    def test_the_difference_shows_two_lines_around_it(self) -> None:
        policy = dict.fromkeys("abcdefgh", 1)
        diff = compared(kept(policy=policy), policy={**policy, "e": 2})["diff"]
        assert diff.splitlines() == [
            "--- kept copy",
            "+++ now",
            "@@ -6,5 +6,5 @@",
            '     "c": 1,',
            '     "d": 1,',
            '-    "e": 1,',
            '+    "e": 2,',
            '     "f": 1,',
            '     "g": 1,',
        ]

    def test_a_run_that_keeps_no_copy_says_that_there_is_none(self) -> None:
        (found,) = compare_access(Trail.from_json({"keys": [key()]}), "")
        assert found.note == NO_COPY
