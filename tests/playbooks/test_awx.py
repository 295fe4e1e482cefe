"""extensions/awx: applied by the real playbook to the AWX stand-in, and what its templates then run."""

from __future__ import annotations

import json
import re
import typing as t
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from tests.playbooks.conftest import Run, World, run_to_end
from tests.standins.awx import TOKEN, Awx
from tests.standins.awx.api import ENCRYPTED, wrong_answers
from tests.tools.standins import ROOT, environment

AWX: t.Final = ROOT / "extensions/awx"
GUIDE: t.Final = ROOT / "docs/awx.md"
DESK_TOKEN: t.Final = "odd-desk-token-3e9b17c2"
AWS_SECRET: t.Final = "odd-aws-secret-8c1f44d0a7"
TEMPLATES: t.Final = ("CMK assess", "CMK restore", "CMK restore fleet", "CMK verify", "CMK revoke")
WORKFLOW: t.Final = "CMK restoration"


@dataclass
class Controller:
    """AWX, and the playbook that configures it."""

    awx: Awx
    folder: Path

    def configure(self, *arguments: str, **env: str) -> Run:
        given = {
            **environment("http://127.0.0.1:9", "", self.folder),
            "ANSIBLE_NOCOLOR": "true",
            "CONTROLLER_HOST": self.awx.url,
            "CONTROLLER_OAUTH_TOKEN": TOKEN,
            "CMK_SUPPORT_URL": "https://support.example.com",
            "CMK_SUPPORT_TOKEN": DESK_TOKEN,
            "AWS_SECRET_ACCESS_KEY": AWS_SECRET,
            **env,
        }
        return run_to_end(["ansible-playbook", "configure.yml", *arguments], AWX, given)

    def template(self, name: str) -> dict[str, t.Any]:
        return self.awx.state.named("job_templates", name)

    def survey(self, name: str) -> dict[str, t.Any]:
        kind = "workflow_job_templates" if name == WORKFLOW else "job_templates"
        return t.cast("dict[str, t.Any]", self.awx.state.surveys[kind, self.awx.state.named(kind, name)["id"]])

    def links(self) -> dict[str, list[str]]:
        """Each node of the workflow, and what comes after its success."""
        nodes = self.awx.state.objects["workflow_job_template_nodes"]
        return {
            node["identifier"]: [nodes[number]["identifier"] for number in node["success_nodes"]]
            for node in nodes.values()
        }


@pytest.fixture(scope="module")
def controller(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Controller]:
    """AWX as the playbook has left it. Pages are short, so that there are many."""
    with Awx() as awx:
        awx.state.page = 2
        made = Controller(awx, tmp_path_factory.mktemp("awx"))
        looked = made.configure("--check", "--diff", "-vvv")
        assert looked.code == 0, looked.output
        assert awx.changes() == []
        assert "CMK restoration would be changed" in looked.output
        assert "+allow_simultaneous: false" in looked.output
        first = made.configure("-vvv", "--diff")
        assert first.code == 0, first.output
        assert first.changed == 1
        assert awx.state.ignored == []
        for output in (looked.output, first.output):
            assert [secret for secret in (TOKEN, DESK_TOKEN, AWS_SECRET) if secret in output] == []
        yield made


class TestConfigure:
    def test_a_second_run_changes_nothing(self, controller: Controller) -> None:
        controller.awx.changes()
        again = controller.configure()
        assert (again.code, again.changed) == (0, 0), again.output
        assert "nothing changed" in again.output
        assert controller.awx.changes() == []

    def test_what_was_changed_by_hand_is_put_back_and_shown(self, controller: Controller) -> None:
        state = controller.awx.state
        restore, nodes = controller.template("CMK restore"), state.objects["workflow_job_template_nodes"]
        restore["allow_simultaneous"] = True
        restore["extra_vars"] = "---\ncmk_report_dir: /tmp\n"
        state.attached[restore["id"]].pop()
        del controller.survey("CMK revoke")["spec"][1]
        # Around the second person, and on to something else.
        by_name = {node["identifier"]: node for node in nodes.values()}
        by_name["assess"]["success_nodes"] = [by_name["restore"]["id"]]
        hand_made = state.add(
            "workflow_job_template_nodes",
            {
                "identifier": "by hand",
                "workflow_job_template": by_name["assess"]["workflow_job_template"],
                "unified_job_template": restore["id"],
            },
        )
        approval = state.named("workflow_approval_templates", "Restore Atlassian's access?")
        approval["timeout"] = 5
        controller.awx.changes()

        looked = controller.configure("--check", "--diff")
        assert (looked.code, looked.changed) == (0, 1), looked.output
        assert controller.awx.changes() == []
        ran = controller.configure("--diff")
        assert (ran.code, ran.changed) == (0, 1), ran.output
        for output in (looked.output, ran.output):
            assert "-allow_simultaneous: true\n" in output
            assert "+allow_simultaneous: false\n" in output
            assert "+  cmk_report_dir: /var/lib/cmk-reports\n" in output
            assert "+- CMK support desk\n" in output
            assert "+    variable: confirm\n" in output
            assert "-- identifier: by hand\n" in output
            assert "-    timeout: 5\n" in output
        assert "CMK restore, CMK revoke, CMK restoration changed" in ran.output
        assert restore["allow_simultaneous"] is False
        assert len(state.attached[restore["id"]]) == 2
        assert controller.survey("CMK revoke")["spec"][1]["variable"] == "confirm"
        assert hand_made["id"] not in nodes
        assert controller.links() == {
            "assess": ["approve"],
            "approve": ["restore"],
            "restore": ["verify"],
            "verify": [],
        }
        assert approval["timeout"] == 0
        assert controller.configure().changed == 0

    def test_secrets_are_changed_only_when_that_is_asked_for(self, controller: Controller) -> None:
        credential = controller.awx.state.named("credentials", "CMK support desk")
        assert set(credential["inputs"]) == {"support_url", "support_user", "support_token"}
        assert credential["inputs"]["support_token"] == DESK_TOKEN
        other = "odd-other-token-55d8"
        assert controller.configure(CMK_SUPPORT_TOKEN=other).changed == 0
        assert credential["inputs"]["support_token"] == DESK_TOKEN
        ran = controller.configure("-e", "cmk_awx_update_secrets=true", "--diff", "-vvv", CMK_SUPPORT_TOKEN=other)
        assert ran.code == 0, ran.output
        assert credential["inputs"]["support_token"] == other
        assert other not in ran.output
        assert ENCRYPTED not in json.dumps(credential["inputs"])
        credential["inputs"]["support_token"] = DESK_TOKEN

    @pytest.mark.parametrize(
        ("env", "words"),
        [
            (
                {"CONTROLLER_OAUTH_TOKEN": "odd-wrong-token-77ab"},
                "does not accept the token (HTTP 401). Make a new one with scope Write",
            ),
            ({"CONTROLLER_OAUTH_TOKEN": ""}, "CONTROLLER_OAUTH_TOKEN is not set. Set it in the environment"),
            ({"CONTROLLER_HOST": "http://awx.example.com"}, "would carry the token in the clear"),
        ],
        ids=["wrong token", "no token", "no TLS"],
    )
    def test_one_clear_line_when_it_cannot(self, controller: Controller, env: dict[str, str], words: str) -> None:
        ran = controller.configure(**env)
        assert ran.code == 2
        assert words in " ".join(ran.output.split())
        assert "Traceback" not in ran.output
        assert "odd-wrong-token-77ab" not in ran.output


class TestTheData:
    def test_every_template_is_one_at_a_time_and_takes_only_its_survey(self, controller: Controller) -> None:
        templates = {one["name"]: one for one in controller.awx.state.objects["job_templates"].values()}
        assert set(templates) == set(TEMPLATES)
        for one in [*templates.values(), controller.awx.state.named("workflow_job_templates", WORKFLOW)]:
            assert one["allow_simultaneous"] is False
            assert one["ask_variables_on_launch"] is False
            assert one["survey_enabled"] is True

    def test_a_second_person_confirms(self, controller: Controller) -> None:
        assert controller.links() == {
            "assess": ["approve"],
            "approve": ["restore"],
            "restore": ["verify"],
            "verify": [],
        }
        node = controller.awx.state.named("workflow_job_template_nodes", "approve")
        assert node["unified_job_template"] in controller.awx.state.objects["workflow_approval_templates"]
        for name, template in {"assess": "CMK assess", "restore": "CMK restore", "verify": "CMK verify"}.items():
            node = controller.awx.state.named("workflow_job_template_nodes", name)
            assert node["unified_job_template"] == controller.template(template)["id"]

    def test_slices_are_for_fleets_only(self, controller: Controller) -> None:
        for name in TEMPLATES:
            fleet = name == "CMK restore fleet"
            assert controller.template(name)["ask_job_slice_count_on_launch"] is fleet
            # Each organization has a ticket of its own, so a fleet's come from the inventory.
            questions = {question["variable"] for question in controller.survey(name)["spec"]}
            assert ("cmk_ticket" in questions) is (name == "CMK restore")

    def test_no_secret_is_an_extra_variable(self, controller: Controller) -> None:
        secrets = ("token", "secret", "password", "access_key")
        for name in (*TEMPLATES, WORKFLOW):
            for question in controller.survey(name)["spec"]:
                assert question["type"] != "password"
                assert not any(word in question["variable"] for word in secrets)
        for one in controller.awx.state.objects["job_templates"].values():
            assert json.loads(one["extra_vars"]) == {"cmk_report_dir": "/var/lib/cmk-reports"}

    def test_the_questions_are_variables_that_the_role_has(self, controller: Controller) -> None:
        known = set(yaml.safe_load((ROOT / "roles/cmk/defaults/main.yml").read_text(encoding="utf-8")))
        for name in (*TEMPLATES, WORKFLOW):
            asked = {question["variable"] for question in controller.survey(name)["spec"]}
            assert "org" in asked
            assert asked - {"org", "confirm"} <= known
        confirm = next(one for one in controller.survey("CMK revoke")["spec"] if one["variable"] == "confirm")
        assert (confirm["required"], confirm["min"]) == (True, 1)
        # An empty answer would hide what the inventory says.
        asked_for_all = {"org", "cmk_ticket", "cmk_cancel_deletion", "confirm", "cmk_revoked_at", "cmk_ticket_told"}
        optional = {
            question["variable"]
            for name in (*TEMPLATES, WORKFLOW)
            for question in controller.survey(name)["spec"]
            if not question["required"]
        }
        assert optional == {"cmk_revoked_at", "cmk_ticket_told"} < asked_for_all

    def test_the_desks_credential_injects_what_the_role_reads(self, controller: Controller) -> None:
        kind = controller.awx.state.named("credential_types", "Atlassian CMK support desk")
        defaults = (ROOT / "roles/cmk/defaults/main.yml").read_text(encoding="utf-8")
        assert set(kind["injectors"]["env"]) == {"CMK_SUPPORT_URL", "CMK_SUPPORT_USER", "CMK_SUPPORT_TOKEN"}
        assert all(f"'{name}'" in defaults for name in kind["injectors"]["env"])
        assert [known["id"] for known in kind["inputs"]["fields"] if known.get("secret")] == ["support_token"]
        assert kind["injectors"]["env"]["CMK_SUPPORT_TOKEN"] == "{{ support_token }}"

    def test_the_inventory_is_synced_once_it_is_there(self, controller: Controller) -> None:
        (source,) = controller.awx.state.objects["inventory_sources"]
        assert controller.awx.state.updates == [f"inventory_sources/{source}"]

    def test_the_project_holds_the_playbooks(self, controller: Controller) -> None:
        used = {one["playbook"] for one in controller.awx.state.objects["job_templates"].values()}
        assert used == {path.name for path in (AWX / "project").glob("*.yml")}
        for name in used:
            (play,) = yaml.safe_load((AWX / "project" / name).read_text(encoding="utf-8"))
            assert play["ansible.builtin.import_playbook"] == f"keyops.atlassian_cmk.{Path(name).stem}"


def answers(spec: dict[str, t.Any]) -> list[dict[str, str]]:
    """What people may answer to a survey: no optional question or all of them, and each choice."""
    free = {
        "org": "acme",
        "confirm": "acme",
        "cmk_ticket": " CMK-1 ",
        "cmk_revoked_at": "2026-11-21T03:01Z",
        "cmk_ticket_told": "2026-11-24T03:20Z",
    }
    needed = {question["variable"] for question in spec["spec"] if question["required"]}
    choice: dict[str, t.Any] = {"variable": "", "choices": [""]}
    choice = next((one for one in spec["spec"] if one["type"] == "multiplechoice"), choice)
    every = {question["variable"]: free.get(question["variable"], "") for question in spec["spec"]}
    least = {name: text for name, text in every.items() if name in needed}
    # AWX's page sends an empty text for a question that is left empty.
    empty = {name: text if name in needed else "" for name, text in every.items()}
    found = [
        given | ({choice["variable"]: answer} if choice["variable"] else {})
        for answer, given in zip((choice["choices"] * 3)[:3], (least, every, empty), strict=True)
    ]
    return [given for index, given in enumerate(found) if given not in found[:index]]


@pytest.mark.parametrize("name", ["CMK assess", "CMK restore", "CMK restore fleet"])
def test_every_answer_to_a_survey_works(controller: Controller, world: World, name: str) -> None:
    """As AWX hands them to the playbook: extra variables that are all texts."""
    playbook = controller.template(name)["playbook"]
    for given in answers(controller.survey(name)):
        assert wrong_answers(controller.survey(name), given) == []
        assert all(isinstance(value, str) for value in given.values())
        world.aws.control("POST", "reset")
        world.desk.control("POST", "/reset")
        world.keys("Disabled", "Disabled")
        # What AWX has checked out from the project.
        ran = world.run("-e", json.dumps(given), playbook=playbook, cwd=AWX / "project")
        assert ran.code == 0, ran.output
        assert len(world.told()) == (playbook == "restore_cmk.yml")


def test_awx_refuses_answers_that_are_none(controller: Controller) -> None:
    spec = controller.survey("CMK restore")
    good = answers(spec)[0]
    assert wrong_answers(spec, good) == []
    assert wrong_answers(spec, {name: text for name, text in good.items() if name != "cmk_ticket"})
    assert wrong_answers(spec, good | {"org": ""})
    assert wrong_answers(spec, good | {"cmk_cancel_deletion": "maybe"})
    assert wrong_answers(spec, good | {"cmk_support_token": "x"})


def test_the_guide_names_what_there_is(controller: Controller) -> None:
    guide = GUIDE.read_text(encoding="utf-8")
    objects = controller.awx.state.objects
    names = {one["name"] for kind, all_of in objects.items() if "nodes" not in kind for one in all_of.values()}
    quoted = set(re.findall(r"\*\*([^*]+)\*\*", guide))
    assert quoted <= names, quoted - names
    assert {*TEMPLATES, WORKFLOW, "CMK support desk", "CMK AWS", "CMK operations"} <= quoted
    data = (AWX / "controller.yml").read_text(encoding="utf-8")
    for variable in re.findall(r"`(cmk_awx_\w+)`", guide):
        assert f"\n{variable}:" in data, variable


def test_the_playbook_needs_no_further_collection() -> None:
    used = re.findall(r"^\s+([a-z]+\.[a-z_]+\.[a-z_]+):", (AWX / "configure.yml").read_text(encoding="utf-8"), re.M)
    assert {name.rpartition(".")[0] for name in used} == {"keyops.atlassian_cmk"}
