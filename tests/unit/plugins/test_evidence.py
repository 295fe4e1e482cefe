"""The evidence of a run: its format, what cannot get in, and the reports that are printed from it."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import html.parser
import itertools
import json
import re
import typing as t
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._reports.events import KINDS
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._reports.evidence import evidence as make_evidence
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._reports.fields import (
    flag,
    link,
    moment,
    number,
    text,
)
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._reports.format import PHASES
from tests.tools import evidence_doc
from tests.tools.evidence_runs import DIFF, REGIONS, RUNS, STARTED, event, key, loss, run
from tests.tools.reports import TEMPLATES, render


def evidence(run_: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """The evidence as JSON has it."""
    return t.cast("dict[str, t.Any]", make_evidence(run_))


SCHEMA: t.Final = evidence_doc.schema()
CHECK: t.Final = jsonschema.Draft202012Validator(SCHEMA)
HTML: t.Final = sorted(TEMPLATES.glob("report*.j2"))
EVIL: t.Final = (
    """</pre></title></style><script>alert("x")</script>' onload="a" | `b` {{ 7919*6271 }} {% raw %} {# x #} [c](d)"""
)


def schema_objects(part: t.Any) -> t.Iterator[dict[str, t.Any]]:
    if isinstance(part, dict):
        if isinstance(part.get("properties"), dict):
            yield part
        for inner in part.values():
            yield from schema_objects(inner)


def schema_words(part: t.Any) -> t.Iterator[str]:
    """Find the words that the schema prescribes."""
    if isinstance(part, dict):
        yield from part.get("enum", [])
        for inner in part.values():
            yield from schema_words(inner)


def changed(value: t.Any, change: t.Callable[[t.Any], t.Any]) -> t.Any:
    """Rebuild nested data, with every part of it passed through ``change``, the innermost first."""
    if isinstance(value, dict):
        return change({name: changed(inner, change) for name, inner in value.items()})
    if isinstance(value, list):
        return change([changed(item, change) for item in value])
    return change(value)


class TestFormat:
    def test_the_schema_is_one(self) -> None:
        jsonschema.Draft202012Validator.check_schema(SCHEMA)

    def test_the_schema_lets_nothing_else_in_and_explains_everything(self) -> None:
        for part in schema_objects(SCHEMA):
            assert part["additionalProperties"] is False
            assert part["required"] == list(part["properties"])
            for field in part["properties"].values():
                assert field.get("description") or field["$ref"]

    def test_the_page_is_in_step_with_the_schema(self) -> None:
        page = (evidence_doc.DOCS / "evidence.md").read_text(encoding="utf-8")
        assert page == evidence_doc.page(), "run python -m tests.tools.evidence_doc"

    @pytest.mark.parametrize("name", RUNS)
    def test_every_kind_of_run_keeps_to_it(self, name: str) -> None:
        found = evidence(RUNS[name])
        CHECK.validate(found)
        assert json.loads(json.dumps(found)) == found

    def test_the_schema_names_all_kinds_and_phases(self) -> None:
        assert set(SCHEMA["properties"]["timeline"]["items"]["properties"]["kind"]["enum"]) == set(KINDS)
        assert set(SCHEMA["properties"]["window"]["properties"]["phase"]["enum"]) == set(PHASES)

    def test_an_empty_run_keeps_to_it(self) -> None:
        CHECK.validate(evidence({"entry_point": "restore"}))

    @settings(max_examples=40)
    @given(data=st.data())
    def test_what_has_a_wrong_type_counts_as_not_known(self, data: st.DataObject) -> None:
        wrong = st.sampled_from([None, "", "x", 0, 1.5, float("nan"), True, [], ["x"], [None], {}, {"x": "y"}, b"x"])
        name = data.draw(st.sampled_from(sorted(RUNS)))
        spoiled = changed(RUNS[name], lambda part: data.draw(wrong) if data.draw(st.integers(0, 9)) == 0 else part)
        if not isinstance(spoiled, dict):
            return
        found = evidence({**spoiled, "entry_point": "restore"})
        CHECK.validate(found)
        for template in ("report.html.j2", "report.md.j2"):
            render(template, found)

    def test_calls_without_a_time_are_told_without_one(self) -> None:
        calls = [{"operation": "DescribeKey", "time": None, "error": ""}] * 2
        found = evidence(run([key(region, calls=calls) for region in REGIONS]))
        assert "| DescribeKey × 2 | not known | ok | not known |" in render("report.md.j2", found)
        assert "not known" in render("report.html.j2", found)


class TestAllowList:
    @pytest.mark.parametrize("name", RUNS)
    def test_what_is_not_named_stays_outside(self, name: str) -> None:
        secret = {"token": "Secret-4b1f7c9e2d60", "headers": {"Authorization": "Secret-4b1f7c9e2d60"}}
        poisoned = changed(RUNS[name], lambda part: {**part, **secret} if isinstance(part, dict) else part)
        assert evidence(poisoned) == evidence(RUNS[name])
        assert "Secret" not in json.dumps(evidence(poisoned))

    def test_a_text_field_takes_no_object(self) -> None:
        found = evidence({"entry_point": "restore", "comment": {"token": "s"}, "result": {"error": ["s"], "org": b"s"}})
        assert (found["ticket"]["comment"], found["error"], found["org"]) == ("", "", "")

    def test_what_a_module_returns_besides_stays_outside(self) -> None:
        assert "not-for-the-evidence" not in json.dumps(evidence(RUNS["restored"]))


@pytest.mark.parametrize(
    ("read", "given_value", "taken"),
    [
        (text, None, ""),
        (text, True, ""),
        (text, 17, "17"),
        (text, "a\r\nb\rc", "a\nb\nc"),
        (text, "red \x1b[31m\x00\x7f\x9b", "red [31m"),
        (text, "half \ud800", "half ?"),
        (text, "Zürich", "Zürich"),
        (moment, "2026-11-24T03:00:00Z", "2026-11-24T03:00:00Z"),
        (moment, "2026-11-24T03:00:00.999+00:00", "2026-11-24T03:00:00Z"),
        (moment, "2026-11-24T14:00:00+1100", "2026-11-24T03:00:00Z"),
        (moment, " 2026-11-24 03:00 ", "2026-11-24T03:00:00Z"),
        (moment, dt.datetime(2026, 11, 24, 4, tzinfo=dt.timezone(dt.timedelta(hours=1))), "2026-11-24T03:00:00Z"),
        (moment, "0001-01-01T00:00:00+14:00", None),
        (moment, "yesterday", None),
        (moment, 1764000000, None),
        (moment, None, None),
        (flag, "True", True),
        (flag, "false", False),
        (flag, None, False),
        (flag, True, True),
        (number, 8.5349, 8.53),
        (number, True, None),
        (number, float("inf"), None),
        (number, "8", None),
        (link, "https://support.example.com/a?b=c@d", "https://support.example.com/a?b=c@d"),
        (link, "http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        (link, "https://user:secret@support.example.com/", ""),
        (link, "javascript:alert(1)", ""),
        (link, "https://support.example.com/a b", ""),
        (link, "yesterday at noon", ""),
    ],
)
def test_reading(read: t.Callable[[object], object], given_value: object, taken: object) -> None:
    assert read(given_value) == taken


class TestVerdict:
    """Of the states of the keys; all that it says is in plugin_utils/test_headlines.py."""

    @pytest.mark.parametrize(
        ("states", "status", "code", "says"),
        [
            (("Disabled", "Disabled"), "planned", "planned", "A run would disable 2 of 2 keys."),
            (("Disabled", "PendingDeletion"), "already_revoked", "revoked", "Access was already revoked"),
            (("Disabled", "Disabled"), "partial", "revoked", "but the run ended early"),
            (("Disabled", "Enabled"), "partial", "partly_revoked", "Only 1 of 2 keys cannot be used any more."),
            (("Enabled", "Enabled"), "partial", "partly_revoked", "Only 0 of 2 keys"),
            (("Disabled", "Enabled"), "failed", "partly_revoked", "run again at once"),
            (("Enabled", "Enabled"), "failed", "not_revoked", "No key was disabled."),
            (("Unavailable", "Updating"), "failed", "not_revoked", "No key was disabled."),
        ],
    )
    def test_of_a_revocation(self, states: tuple[str, str], status: str, code: str, says: str) -> None:
        keys = [{**one, "key_state": state} for one, state in zip(RUNS["revoke"]["keys"], states, strict=True)]
        result = {**RUNS["revoke"]["result"], "status": status}
        verdict = evidence({**RUNS["revoke"], "keys": keys, "result": result})["verdict"]
        assert verdict["code"] == code
        assert says in f"{verdict['headline']} {verdict['detail']}"

    def test_a_disabled_key_is_not_usable_just_because_nothing_failed(self) -> None:
        """As in a run that ended before its change."""
        failed = run([key(region, after="Disabled") for region in REGIONS], error="Disk full.", told=False)
        assert evidence(failed)["verdict"]["headline"] == "Not restored"

    def test_a_run_that_ended_early_with_all_keys_usable_says_both(self) -> None:
        failed = run([key(region, "Enabled") for region in REGIONS], error="Read the ticket: failed.", ticket={})
        verdict = evidence(failed)["verdict"]
        assert (verdict["code"], verdict["headline"]) == ("failed", "Keys restored, Atlassian could NOT be notified")

    def test_an_answer_that_was_lost_leaves_open_whether_atlassian_knows(self) -> None:
        ticket = {"code": "desk_unconfirmed", "error": "No answer came.", "hint": "Run again, which looks first."}
        found = evidence(run([key(region, "Enabled") for region in REGIONS], told=False, ticket=ticket))
        assert found["ticket"]["code"] == "desk_unconfirmed"
        assert found["verdict"]["headline"] == "Keys restored, Atlassian has PERHAPS been notified"
        assert "NOT been notified" not in found["verdict"]["detail"]
        assert "PERHAPS" in render("report.html.j2", found)
        assert "PERHAPS" in render("report.md.j2", found)


class TestWarnings:
    def test_of_a_changed_policy(self) -> None:
        warnings = evidence(RUNS["partial"])["warnings"]
        assert "may still be locked out although the key is enabled" in warnings[0]
        assert "us-west-2" in warnings[0]
        assert "us-east-1" not in warnings[0]

    def test_of_events_that_may_have_locked_atlassian_out(self) -> None:
        (warning, _late) = evidence(RUNS["desk_down"])["warnings"]
        assert "key in us-west-2" in warning
        assert "1 change of its policy or grants, the last one PutKeyPolicy at 2026-11-15 14:31 UTC by" in warning

    def test_a_comparison_tells_more_than_events(self) -> None:
        compared = {**RUNS["desk_down"], "access": [{"region": "us-west-2", "changed": False, "diff": "", "note": ""}]}
        assert "policy" not in str(evidence(compared)["warnings"])
        failed = {**RUNS["desk_down"], "access": [{"region": "us-west-2", "note": "They could not be compared."}]}
        assert "policy" in str(evidence(failed)["warnings"])

    def test_events_before_the_loss_are_none(self) -> None:
        routine = [event("us-west-2", "RetireGrant", "2026-11-01T00:00:00Z")]
        revocation = {"keys": [loss("us-west-2", more=routine)]}
        assert evidence({**RUNS["restored"], "revocation": revocation})["warnings"] == []

    def test_of_a_revocation(self) -> None:
        (warning,) = evidence(RUNS["revoke"])["warnings"]
        assert "If a re-encryption was in progress, data is in mixed states now." in warning
        still, _warning = evidence(RUNS["revoke_partial"])["warnings"]
        assert still == "Atlassian may still use the key in us-west-2: what that key protects can still be read."

    def test_of_the_limits(self) -> None:
        assert "More than 20 days" in evidence(RUNS["partial"])["warnings"][-1]

    def test_none_if_all_is_well(self) -> None:
        assert evidence(RUNS["restored"])["warnings"] == []


def told(found: dict[str, t.Any]) -> list[tuple[str, str, str]]:
    return [(one["at"][11:19], one["kind"], one["region"]) for one in found["timeline"]]


class TestTimeline:
    def test_of_a_restoration_in_two_regions(self) -> None:
        assert told(evidence(RUNS["restored"])) == [
            ("14:20:31", "revoked", "us-east-1"),
            ("14:20:44", "revoked", "us-west-2"),
            ("03:00:00", "started", ""),
            ("03:00:02", "enabled", "us-east-1"),
            ("03:00:02", "enabled", "us-west-2"),
            ("03:00:09", "usable", ""),
            ("03:00:10", "announced", ""),
            ("03:00:11", "finished", ""),
            ("14:20:31", "mark", ""),
            ("03:00:10", "expected", ""),
            ("14:20:31", "mark", ""),
        ]

    def test_of_an_earlier_restoration_comes_from_cloudtrail(self) -> None:
        labels = [one["label"] for one in evidence(RUNS["already_restored"])["timeline"] if one["kind"] == "enabled"]
        assert labels == ["Access came back (CloudTrail)"] * 2

    def test_of_a_verification_goes_on_from_the_restoration(self) -> None:
        kinds = {name: [one["kind"] for one in evidence(RUNS[name])["timeline"]] for name in ("restored", "verify")}
        assert set(kinds["restored"]) | {"used", "replied"} == set(kinds["verify"])
        news = [one for one in told(evidence(RUNS["verify"])) if one[1] in ("used", "replied")]
        assert news == [
            ("15:00:00", "replied", ""),
            ("02:11:09", "used", "us-east-1"),
            ("02:14:40", "used", "us-west-2"),
        ]

    @pytest.mark.parametrize("name", ["check_mode", "assess"])
    def test_of_a_plan_holds_nothing_that_was_not_done(self, name: str) -> None:
        found = evidence(RUNS[name])
        assert not {"enabled", "usable", "announced", "handed_over"} & {one["kind"] for one in found["timeline"]}
        assert (found["restored_at"], found["reference"]) == (None, "")

    def test_a_failed_call_changed_nothing(self) -> None:
        kinds = [(one["kind"], one["region"]) for one in evidence(RUNS["partial"])["timeline"]]
        assert ("enabled", "us-east-1") in kinds
        assert ("enabled", "us-west-2") not in kinds

    def test_a_clock_that_began_before_the_events_is_shown_too(self) -> None:
        assert ("08:00:00", "revoked", "") in told(evidence(RUNS["partial"]))

    def test_the_limits_are_named_by_their_days(self) -> None:
        window = {**RUNS["restored"]["window"], "reinstate_by": "2026-11-30T14:20:31Z"}
        labels = [one["label"] for one in evidence({**RUNS["restored"], "window": window})["timeline"]]
        assert "15 days: Atlassian can reinstate until here" in labels

    def test_routine_changes_of_policy_before_the_loss_are_left_to_the_regions(self) -> None:
        routine = [event("us-west-2", "RetireGrant", f"2026-11-{day:02}T00:00:00Z") for day in range(1, 24)]
        revocation = {"keys": [loss("us-west-2", more=routine)]}
        found = evidence({**RUNS["restored"], "revocation": revocation})
        shown = [one["at"][:10] for one in found["timeline"] if one["kind"] == "access_changed"]
        assert shown == ["2026-11-21", "2026-11-22", "2026-11-23"]
        assert len(found["regions"][1]["revocation"]["suspects"]) == 23

    def test_a_cancelled_deletion(self) -> None:
        calls = [
            {"operation": "CancelKeyDeletion", "at": "2026-11-24T03:00:02Z", "error": ""},
            {"operation": "EnableKey", "at": "2026-11-24T03:00:03Z", "error": ""},
        ]
        one = key("us-east-1", "PendingDeletion", calls=calls, actions=["CancelKeyDeletion", "EnableKey"])
        window = {**RUNS["restored"]["window"], "deletion_date": "2026-11-26T00:00:00Z"}
        labels = [one["label"] for one in evidence(run([one], window=window))["timeline"]]
        assert "Deletion cancelled (CancelKeyDeletion)" in labels
        assert "Deletion was due, but is cancelled" in labels


class TestRevocation:
    def test_its_story_begins_with_it(self) -> None:
        """What CloudTrail tells before it is another revocation, which was undone."""
        found = evidence(RUNS["revoke"])
        assert told(found) == [
            ("03:00:00", "started", ""),
            ("03:00:02", "revoked", "us-east-1"),
            ("03:00:02", "revoked", "us-west-2"),
            ("03:00:11", "finished", ""),
            ("03:00:02", "mark", ""),
            ("03:00:02", "mark", ""),
        ]
        assert (found["window"]["revoked_at"], found["revocation"]["identity"]) == ("2026-11-24T03:00:02Z", "")
        assert [one["state_at_revocation"] for one in found["regions"]] == ["Enabled", "Enabled"]

    @pytest.mark.parametrize("template", ["report.html.j2", "report.md.j2"])
    def test_it_speaks_of_no_ticket_but_the_one_to_come(self, template: str) -> None:
        report = render(template, evidence(RUNS["revoke"])).replace("\\", "")
        assert "Atlassian opens one at the revocation: put its key into the inventory as cmk_ticket" in report
        assert "Atlassian notified" not in report
        assert "expected" not in report.lower()


class Page(html.parser.HTMLParser):
    """What a browser makes of a report."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def outline(self) -> list[tuple[str, list[str]]]:
        return [(tag, list(attributes)) for tag, attributes in self.tags]

    def all(self, *names: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.tags if tag in names]


def evil(found: dict[str, t.Any]) -> dict[str, t.Any]:
    """Put something evil into every text of the evidence; only what the schema fixes to a form stays as it is."""
    fixed = {*schema_words(SCHEMA), "Enabled"}
    times = re.compile(r"[0-9-]+T[0-9:]+Z")

    def spoil(part: t.Any) -> t.Any:
        if not isinstance(part, str) or not part or part in fixed or times.fullmatch(part):
            return part
        return part + EVIL

    return t.cast("dict[str, t.Any]", changed(found, spoil))


@pytest.mark.parametrize("name", RUNS)
class TestEscaping:
    def test_html(self, name: str) -> None:
        source = render("report.html.j2", evil(evidence(RUNS[name])))
        page = Page(source)
        usual = Page(render("report.html.j2", evidence(RUNS[name])))
        # No value has made an element or an attribute.
        assert page.outline() == usual.outline()
        for raw in ("<script>alert", "{{", "{%", "{#", str(7919 * 6271), "</pre></title>", "' onload"):
            assert raw not in source
        assert EVIL in "".join(page.text)

    def test_md(self, name: str) -> None:
        source = render("report.md.j2", evil(evidence(RUNS[name])))
        usual = render("report.md.j2", evidence(RUNS[name]))
        for raw in ("<script", "{{", "{%", "{#", str(7919 * 6271), "</pre></title>"):
            assert raw not in source
        # As many blocks and as many cells as ever: no value has ended one.
        assert source.count("<pre>") == source.count("</pre>") == usual.count("<pre>")
        cells = [len(re.findall(r"(?<!\\)\|", line)) for line in source.splitlines() if line.startswith("|")]
        assert cells == [line.count("|") for line in usual.splitlines() if line.startswith("|")]
        outside = re.sub(r"<pre>.*?</pre>", "", source, flags=re.DOTALL)
        assert not re.search(r"(?<!\\)[`\[]", outside)


@pytest.mark.parametrize("name", RUNS)
class TestPage:
    @pytest.fixture
    def source(self, name: str) -> str:
        return render("report.html.j2", evidence(RUNS[name]))

    @pytest.fixture
    def page(self, source: str) -> Page:
        return Page(source)

    def test_it_loads_nothing(self, source: str, page: Page) -> None:
        assert not page.all("link", "iframe", "object", "embed", "img", "base", "form")
        assert not re.search(r"url\(|@import|\bsrc=|javascript:", source)

    def test_it_runs_nothing_but_the_copy_button(self, name: str, source: str, page: Page) -> None:
        policy = next(str(meta["content"]) for meta in page.all("meta") if "http-equiv" in meta)
        scripts = re.findall(r"<script>(.*?)</script>", source, re.DOTALL)
        hashes = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts]
        assert policy == "; ".join(
            ["default-src 'none'", "style-src 'unsafe-inline'", "base-uri 'none'", "form-action 'none'"]
            + [f"script-src 'sha256-{digest}'" for digest in hashes]
        )
        # Only where a person has something to paste.
        assert len(page.all("script")) == len(hashes) == (name in ("handover_pending", "desk_down", "byok_late"))

    def test_headings_are_in_order(self, page: Page) -> None:
        levels = [int(tag[1]) for tag, _attributes in page.tags if re.fullmatch("h[1-6]", tag)]
        assert levels[0] == 1
        assert levels.count(1) == 1
        assert all(level <= before + 1 for before, level in itertools.pairwise(levels))

    def test_tables_have_headers(self, page: Page) -> None:
        assert all(attributes.get("scope") in ("col", "row") for attributes in page.all("th"))
        assert len(page.all("thead")) == len(page.all("table"))

    def test_drawings_are_named(self, page: Page) -> None:
        drawings = page.all("svg")
        assert all("aria-hidden" in one or one.get("role") == "img" for one in drawings)
        assert len(page.all("desc")) == len([one for one in drawings if one.get("role") == "img"])

    def test_what_is_referred_to_is_there_once(self, page: Page) -> None:
        ids = [attributes["id"] for _tag, attributes in page.tags if "id" in attributes]
        assert len(ids) == len(set(ids))
        for _tag, attributes in page.tags:
            for reference in (attributes.get("aria-labelledby") or "").split():
                assert reference in ids

    def test_it_says_what_it_is_for_a_phone_and_a_reader(self, page: Page) -> None:
        assert page.all("html")[0]["lang"] == "en"
        assert "width=device-width" in str(page.all("meta")[1]["content"])

    def test_the_facts_are_in_both_reports(self, name: str, page: Page) -> None:
        found = evidence(RUNS[name])
        said = " ".join("".join(page.text).split())
        md = render("report.md.j2", found).replace("\\", "")
        facts = [found["verdict"]["headline"], found["verdict"]["detail"], found["ticket"]["key"], *found["warnings"]]
        for region in found["regions"]:
            facts += [region["arn"], region["error"], region["hint"]]
            facts += [one["event_id"] for one in (region["revocation"] or {}).get("events", [])]
        for fact in facts:
            assert fact in said
            assert fact in md


def test_a_difference_of_policies_is_shown_as_it_is() -> None:
    found = evidence(RUNS["partial"])
    assert DIFF in "".join(Page(render("report.html.j2", found)).text)
    assert DIFF.strip() in render("report.md.j2", found)


@pytest.mark.parametrize("path", [path for path in HTML if ".md" not in path.name], ids=lambda path: path.name)
def test_every_value_in_the_html_is_escaped(path: Path) -> None:
    for printed in re.findall(r"{{(.*?)}}", path.read_text(encoding="utf-8"), re.DOTALL):
        # The parts of it are checked where they are written.
        assert printed.rstrip().endswith("| e") or printed.strip().startswith("m."), printed


@pytest.mark.parametrize("printed", re.findall(r"{{(.*?)}}", (TEMPLATES / "report.md.j2").read_text(encoding="utf-8")))
def test_every_value_in_the_markdown_is_escaped(printed: str) -> None:
    begins_by_escaping = re.compile(
        r"""(value( \| string)? \| replace\('&', '&amp;'\) \| replace\('<', '&lt;'\)|(text|when|block)\()"""
    )
    assert begins_by_escaping.match(printed.strip())


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2)."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", [0, 1, 2], ids=["light", "dark", "print"])
def test_contrast(scheme: int) -> None:
    style = (TEMPLATES / "report_style.j2").read_text(encoding="utf-8")
    colours = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", re.findall(r":root {(.*?)}", style, re.DOTALL)[scheme]))
    pairs = [(front, back) for front in ("text", "muted", "link") for back in ("card", "page")]
    for tone in ("good", "attention", "bad", "plan"):
        pairs += [(tone, f"{tone}-pale"), ("text", f"{tone}-pale"), ("link", f"{tone}-pale"), (tone, "card")]
    for front, back in pairs:
        assert contrast(colours[front], colours[back]) >= 4.5, (front, back)


class TestPaste:
    """The text that a person must paste."""

    @pytest.mark.parametrize("name", ["handover_pending", "desk_down", "byok_late"])
    def test_it_stands_directly_under_the_banner_and_only_there(self, name: str) -> None:
        source = render("report.html.j2", evidence(RUNS[name]))
        assert re.search(r'</header>\s*<main>\s*<section class="card paste"', source)
        assert source.count("Please start the restoration of our suspended sites.") == 1
        link = "https://support.example.com/servicedesk/customer/portal/1/CMK-1"
        heading = source.partition('<h2 id="paste">')[2].partition("</h2>")[0]
        assert " ".join(heading.split()) == f'Paste this text into ticket <a href="{link}" rel="noreferrer">CMK-1</a>'

    @pytest.mark.parametrize("name", ["restored", "check_mode", "assess", "verify_waiting", "revoke", "partial"])
    def test_without_something_to_paste_there_is_none(self, name: str) -> None:
        assert 'id="paste"' not in render("report.html.j2", evidence(RUNS[name]))

    @pytest.mark.parametrize("code", ["desk_unconfirmed", "mail_unconfirmed", "mailed"])
    def test_a_comment_that_may_be_there_is_not_pasted_blindly(self, code: str) -> None:
        ticket = (
            {"mailed": {"to": "desk@example.com", "at": STARTED}}
            if code == "mailed"
            else {"code": code, "error": "No."}
        )
        found = evidence(run([key(region) for region in REGIONS], told=False, ticket=ticket))
        assert "Only if the ticket does not show it yet: paste this text" in render("report.html.j2", found)

    def test_a_ticket_without_an_address_is_named(self) -> None:
        found = evidence(RUNS["handover_pending"])
        found["ticket"]["url"] = ""
        source = " ".join(render("report.html.j2", found).split())
        assert "Paste this text into ticket CMK-1</h2>" in source


class TestAbout:
    def test_requests_versions_and_earlier_runs_are_shown(self) -> None:
        found = evidence(RUNS["already_restored"])
        source = render("report.html.j2", found)
        assert '<a href="../20261124T030000Z-restore/restore.html">restore, ' in source
        md = render("report.md.j2", found).replace("\\", "")
        for report in (source, md):
            assert found["regions"][0]["calls"][0]["request_id"] in report
            assert "ansible-core 2.19.14, amazon.aws 10.1.2, boto3 1.44.8, botocore 1.44.8" in report
            assert "20261124T030000Z-restore, SHA-256 of its list" in report
            assert found["previous"]["sha256"] in report

    def test_the_job_leads_to_the_approver(self) -> None:
        for template in ("report.html.j2", "report.md.j2"):
            report = render(template, evidence(RUNS["on_a_persons_word"]))
            assert "71, workflow job 69, where AWX shows who approved" in report
            assert "AWX job" not in render(template, evidence(RUNS["restored"]))

    @pytest.mark.parametrize("name", ["../../etc", "a/b", "x.html", "", None, 7.5])
    def test_a_link_to_a_run_leads_nowhere_else(self, name: object) -> None:
        earlier = [{"run": name, "entry_point": name, "at": STARTED}]
        (found,) = evidence({**RUNS["restored"], "earlier_runs": earlier})["earlier_runs"]
        assert (found["run"], found["entry_point"]) == ("", "")

    @pytest.mark.parametrize("name", RUNS)
    @pytest.mark.parametrize("template", ["report.html.j2", "report.md.j2"])
    def test_times_have_one_format(self, name: str, template: str) -> None:
        found = evidence(RUNS[name])
        # These are others' words.
        found["ticket"] |= {"comment": "The text.", "told_note": "A note."}
        visible = re.sub(r"<[^>]*>", "", render(template, found))
        times = re.findall(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:.{6}", visible)
        assert times
        assert [time for time in times if not re.fullmatch(r"[0-9-]{10} [0-9]{2}:[0-9]{2} UTC.?", time)] == []


class TestByok:
    def test_keys_of_one_region_stay_apart(self) -> None:
        found = evidence(RUNS["byok"])
        assert [region["region"] for region in found["regions"]] == ["us-east-1", "us-east-1", "us-west-2"]
        page = render("report.html.j2", found)
        assert page.count("us-east-1 alias/cryptor-1</h3>") == page.count("us-east-1 alias/cryptor-2</h3>") == 1

    def test_the_trust_statement_and_one_limit(self) -> None:
        found = evidence(RUNS["byok"])
        assert (found["trust"]["state_before"], found["trust"]["state_after"], found["trust"]["ok"]) == (
            "Deny",
            "Allow",
            True,
        )
        assert [one["label"] for one in found["timeline"] if one["kind"] == "mark"] == [
            "15 days: Atlassian's limit for restoring access to BYOK keys"
        ]
        assert not [one for one in found["timeline"] if one["kind"] == "expected"]
        for template in ("report.html.j2", "report.md.j2"):
            page = render(template, found)
            assert "10 days" not in page
            assert "20 days" not in page
            assert "Deny → Allow" in page

    def test_a_refused_statement_is_not_restored(self) -> None:
        found = evidence(RUNS["byok_refused"])
        assert (found["status"], found["trust"]["ok"], found["verdict"]["tone"]) == ("partial", False, "bad")
        assert "does not trust Atlassian" in found["verdict"]["detail"]
        for template in ("report.html.j2", "report.md.j2"):
            assert "it has Condition" in render(template, found)

    def test_past_the_limit(self) -> None:
        found = evidence(RUNS["byok_late"])
        assert (found["window"]["phase"], found["warnings"]) == ("at_risk", [found["window"]["says"]])
