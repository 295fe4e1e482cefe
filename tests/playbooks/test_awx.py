"""extensions/awx: data that the modules of awx.awx accept, applied by the real play, and what its templates then run."""

from __future__ import annotations

import ast
import datetime as dt
import itertools
import json
import re
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from dateutil.rrule import rrulestr  # type: ignore[import-untyped, unused-ignore]

from tests.playbooks.conftest import Run, World, run_to_end
from tests.playbooks.runner import job
from tests.standins.awx import TOKEN, Awx, Item
from tests.tools.awx_collection import collections_path
from tests.tools.standins import ROOT, environment

AWX: t.Final = ROOT / "extensions/awx"
GUIDE: t.Final = ROOT / "docs/awx.md"
DESK_TOKEN: t.Final = "odd-desk-token-3e9b17c2"
AWS_SECRET: t.Final = "odd-aws-secret-8c1f44d0a7"
# The data's list, the module that applies it, and how AWX calls the objects.
LISTS: t.Final = {
    "aap_organizations": ("organization", "organizations"),
    "controller_credential_types": ("credential_type", "credential_types"),
    "controller_credentials": ("credential", "credentials"),
    "controller_execution_environments": ("execution_environment", "execution_environments"),
    "controller_projects": ("project", "projects"),
    "controller_inventories": ("inventory", "inventories"),
    "controller_inventory_sources": ("inventory_source", "inventory_sources"),
    "controller_templates": ("job_template", "job_templates"),
    "controller_schedules": ("schedule", "schedules"),
    "controller_workflows": ("workflow_job_template", "workflow_job_templates"),
}
FOR_ONE: t.Final = {"CMK assess", "CMK restore", "CMK confirm", "CMK verify"}
NODES: t.Final = "simplified_workflow_nodes"
CHAINS: t.Final = {
    "CMK restoration": ["assess", "approve", "restore", "verify"],
    "CMK restoration by hand": ["assess", "approve", "restore", "handover", "confirm", "verify"],
}
# What decides about a job beside the ask_* fields.
DECIDE: t.Final = {
    "become_enabled", "credentials", "diff_mode", "execution_environment", "extra_vars", "force_handlers", "forks",
    "host_config_key", "inventory", "job_slice_count", "job_tags", "job_type", "limit", "playbook", "project",
    "scm_branch", "skip_tags", "start_at_task", "survey_enabled", "survey_spec", "timeout", "use_fact_cache",
    "verbosity", "webhook_service",
}  # fmt: skip
DECIDE_WORKFLOW: t.Final = {
    "extra_vars",
    "job_tags",
    "limit",
    "scm_branch",
    "skip_tags",
    "survey_enabled",
    "survey_spec",
}
Data = dict[str, list[Item]]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Data:
    """The lists of controller.yml, as Ansible hands them to the modules."""
    folder = tmp_path_factory.mktemp("data")
    lists = ", ".join(f"'{name}': {name}" for name in LISTS)
    copy = {"content": f"{{{{ {{{lists}}} | to_json }}}}", "dest": str(folder / "data.json"), "mode": "0600"}
    play = {"hosts": "localhost", "gather_facts": False, "vars_files": [str(AWX / "controller.yml")]}
    play["tasks"] = [{"ansible.builtin.copy": copy}]
    (folder / "play.yml").write_text(json.dumps([play]), encoding="utf-8")
    env = {**environment("", "", folder), "CMK_SUPPORT_TOKEN": DESK_TOKEN, "AWS_SECRET_ACCESS_KEY": ""}
    ran = run_to_end(["ansible-playbook", "play.yml"], folder, env)
    assert ran.code == 0, ran.output
    return t.cast("Data", json.loads((folder / "data.json").read_text(encoding="utf-8")))


def named(items: list[Item], name: str) -> Item:
    (item,) = (item for item in items if item["name"] == name)
    return item


def options(module: str) -> Item:
    """The options of a module of awx.awx, as it documents them."""
    path = collections_path() / f"ansible_collections/awx/awx/plugins/modules/{module}.py"
    for statement in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "DOCUMENTATION":
            return t.cast("Item", yaml.safe_load(ast.literal_eval(statement.value))["options"])
    raise AssertionError(module)


def faults(documented: Item, arguments: Item) -> list[str]:
    """What a module would refuse or convert. Conversion counts, since other tools read the data too."""
    keys = ("type", "elements", "choices", "required", "aliases")
    spec = {
        name: {key: option[key] for key in keys if key in option}
        | ({"options": option["suboptions"]} if name == "approval_node" else {})
        for name, option in documented.items()
    }
    for option in spec.get("approval_node", {}).get("options", {}).values():
        option.pop("description", None)
    checked = ArgumentSpecValidator(spec).validate(arguments)
    converted = [
        f"{name} is {type(value).__name__}"
        for name, value in arguments.items()
        if not isinstance(value, dict) and repr(checked.validated_parameters.get(name)) != repr(value)
    ]
    return [*checked.error_messages, *converted]


class TestData:
    @pytest.mark.parametrize("name", LISTS)
    def test_each_object_is_one_that_the_module_accepts(self, data: Data, name: str) -> None:
        documented = options(LISTS[name][0])
        assert data[name]
        for item in data[name]:
            assert faults(documented, {key: value for key, value in item.items() if key != NODES}) == [], item["name"]

    def test_each_node_is_one_that_the_module_accepts(self, data: Data) -> None:
        documented = options("workflow_job_template_node")
        for workflow in data["controller_workflows"]:
            for node in workflow[NODES]:
                assert faults(documented, {**node, "workflow_job_template": workflow["name"]}) == []
                assert ("approval_node" in node) is not ("unified_job_template" in node)

    @pytest.mark.parametrize(
        "wrong",
        [{"ask_limit_launch": False}, {"verbosity": 7}, {"become_enabled": "no"}, {"timeout": "0"}, {"name": None}],
        ids=str,
    )
    def test_what_the_module_refuses_is_noticed(self, data: Data, wrong: Item) -> None:
        item = named(data["controller_templates"], "CMK restore")
        assert faults(options("job_template"), item | wrong)

    def test_every_field_that_a_launch_could_change_is_named(self, data: Data) -> None:
        for lists, decide in (("controller_templates", DECIDE), ("controller_workflows", DECIDE_WORKFLOW)):
            documented = options(LISTS[lists][0])
            asks = {name for name in documented if name.startswith("ask_")}
            assert len(asks) >= 7
            assert decide <= set(documented)
            for item in data[lists]:
                assert asks | decide <= set(item), item["name"]
                on = {name for name in asks if item[name]}
                assert on == ({"ask_job_slice_count_on_launch"} if item["name"] == "CMK restore fleet" else set())
                assert item["survey_enabled"] is True
                assert not item["limit"]
                assert not item["job_tags"]
                assert not item["skip_tags"]

    def test_a_second_person_approves_before_the_restore(self, data: Data) -> None:
        for workflow in data["controller_workflows"]:
            nodes = {node["identifier"]: node for node in workflow[NODES]}
            chain = CHAINS[workflow["name"]]
            assert list(nodes) == chain
            links = [(name, kind, after) for name, node in nodes.items()
                     for kind in ("success_nodes", "failure_nodes", "always_nodes") for after in node.get(kind, [])]  # fmt: skip
            assert links == [(name, "success_nodes", after) for name, after in itertools.pairwise(chain)]
            assert workflow["destroy_current_nodes"] is True
            assert [name for name in chain if "approval_node" in nodes[name]] == [
                name for name in chain if name in ("approve", "handover")
            ]
            used = {node["unified_job_template"] for node in nodes.values() if "unified_job_template" in node}
            assert used <= {item["name"] for item in data["controller_templates"]} - {"CMK revoke"}
        # An old approval must not enable a key.
        assert 0 < nodes["handover"]["approval_node"]["timeout"] <= 4 * 3600

    def test_no_organization_waits_for_another(self, data: Data) -> None:
        for item in [*data["controller_templates"], *data["controller_workflows"]]:
            alone = item["name"] in ("CMK restore fleet", "CMK revoke")
            assert item["allow_simultaneous"] is not alone

    def test_surveys_ask_what_the_role_reads_and_no_secret(self, data: Data) -> None:
        known = set(yaml.safe_load((ROOT / "roles/cmk/defaults/main.yml").read_text(encoding="utf-8")))
        optional = set()
        for item in [*data["controller_templates"], *data["controller_workflows"]]:
            questions = {question["variable"]: question for question in item["survey_spec"]["spec"]}
            assert "org" in questions
            assert set(questions) - {"org", "confirm"} <= known
            assert {question["type"] for question in questions.values()} <= {"text", "multiplechoice"}
            assert not any(word in name for name in questions for word in ("token", "secret", "password", "access_key"))
            # Each organization has a ticket of its own, so a fleet's tickets come from the inventory.
            assert ("cmk_ticket" in questions) is (item["name"] in ("CMK restore", "CMK confirm", *CHAINS))
            optional |= {name for name, question in questions.items() if not question["required"]}
        assert optional == {"cmk_revoked_at", "cmk_ticket_told"}

    def test_both_forms_of_the_proof_are_named(self, data: Data) -> None:
        spec = named(data["controller_templates"], "CMK restore")["survey_spec"]["spec"]
        (question,) = [question for question in spec if question["variable"] == "cmk_ticket_told"]
        for word in ("ISO 8601", "URL", "https://", "Empty means"):
            assert word in question["question_description"]

    def test_the_desks_credential_injects_what_the_role_reads(self, data: Data) -> None:
        kind = named(data["controller_credential_types"], "Atlassian CMK support desk")
        defaults = (ROOT / "roles/cmk/defaults/main.yml").read_text(encoding="utf-8")
        assert set(kind["injectors"]["env"]) == {"CMK_SUPPORT_URL", "CMK_SUPPORT_USER", "CMK_SUPPORT_TOKEN"}
        for each in data["controller_credential_types"]:
            assert all(f"'{name}'" in defaults for name in each["injectors"]["env"])
        assert [known["id"] for known in kind["inputs"]["fields"] if known.get("secret")] == ["support_token"]
        assert kind["injectors"]["env"]["CMK_SUPPORT_TOKEN"] == "{{ support_token }}"

    def test_inputs_without_their_secret_are_left_to_a_person(self, data: Data) -> None:
        assert named(data["controller_credentials"], "CMK support desk")["inputs"]["support_token"] == DESK_TOKEN
        assert named(data["controller_credentials"], "CMK AWS")["inputs"] == {}
        assert [item["update_secrets"] for item in data["controller_credentials"]] == [False, False]

    def test_the_schedule_is_one_that_awx_accepts(self, data: Data) -> None:
        """AWX wants a beginning with a time zone and an interval, and takes no answer that the survey does not ask for."""
        (schedule,) = data["controller_schedules"]
        begin, rule = re.fullmatch(r"DTSTART:(\d{8}T\d{6}Z) RRULE:(\S+)", schedule["rrule"]).groups()  # type: ignore[union-attr]
        assert "INTERVAL=1" in rule.split(";")
        first, second = rrulestr(f"DTSTART:{begin}\nRRULE:{rule}")[:2]
        assert (second - first, first.strftime("%A %H:%M %Z")) == (dt.timedelta(days=7), "Monday 05:30 UTC")
        spec = named(data["controller_templates"], schedule["unified_job_template"])["survey_spec"]["spec"]
        assert [question["variable"] for question in spec] == list(schedule["extra_data"])

    def test_the_project_holds_the_playbooks(self, data: Data) -> None:
        used = {item["playbook"] for item in data["controller_templates"]}
        assert used == {path.name for path in (AWX / "project").glob("*.yml")}
        for name in used:
            (play,) = yaml.safe_load((AWX / "project" / name).read_text(encoding="utf-8"))
            assert play["ansible.builtin.import_playbook"] == f"keyops.atlassian_cmk.{Path(name).stem}"

    def test_the_collection_that_is_required_is_the_one_that_is_tested(self) -> None:
        (required,) = yaml.safe_load((AWX / "requirements.yml").read_text(encoding="utf-8"))["collections"]
        manifest = collections_path() / "ansible_collections/awx/awx/MANIFEST.json"
        tested = json.loads(manifest.read_text(encoding="utf-8"))["collection_info"]
        assert required == {"name": "awx.awx", "version": tested["version"]}


def configure(awx: Awx, folder: Path, *arguments: str, **more: str) -> Run:
    """Run configure.yml with the real modules. The first run starts the command, and the next ones are forks."""
    (folder / "hosts.yml").write_text("all: {}\n", encoding="utf-8")
    env = {
        **environment("http://127.0.0.1:9", "", folder),
        "ANSIBLE_INVENTORY": str(folder / "hosts.yml"),
        "ANSIBLE_COLLECTIONS_PATH": str(collections_path()),
        "ANSIBLE_NOCOLOR": "true",
        "CONTROLLER_HOST": awx.url,
        "CONTROLLER_OAUTH_TOKEN": TOKEN,
        "CMK_SUPPORT_URL": "https://support.example.com",
        "CMK_SUPPORT_TOKEN": DESK_TOKEN,
        "AWS_SECRET_ACCESS_KEY": AWS_SECRET,
        **more,
    }
    return run_to_end(["ansible-playbook", "configure.yml", *arguments], AWX, env)


def chain(awx: Awx, workflow: str) -> dict[str, list[str]]:
    """The nodes of a workflow as AWX has them, and what follows each."""
    number = awx.named("workflow_job_templates", workflow)["id"]
    nodes = awx.objects["workflow_job_template_nodes"]
    return {
        node["identifier"]: [nodes[after]["identifier"] for after in awx.lists.get((node["id"], "success_nodes"), ())]
        for node in nodes.values()
        if node["workflow_job_template"] == number
    }


def expected(workflow: str) -> dict[str, list[str]]:
    nodes = CHAINS[workflow]
    return {name: nodes[place + 1 : place + 2] for place, name in enumerate(nodes)}


def spoil(awx: Awx) -> None:
    """Change by hand what would go around the approval, or change what a job does."""
    restore = awx.named("job_templates", "CMK restore")
    restore |= {"ask_limit_on_launch": True, "ask_variables_on_launch": True, "limit": "other", "become_enabled": True,
                "verbosity": 4, "timeout": 5, "skip_tags": "notify", "extra_vars": "{}"}  # fmt: skip
    awx.lists[restore["id"], "credentials"].clear()
    del awx.surveys[awx.named("job_templates", "CMK revoke")["id"]]["spec"][1]
    workflow = awx.named("workflow_job_templates", "CMK restoration")
    workflow |= {"ask_variables_on_launch": True, "limit": "other"}
    awx.named("schedules", "CMK weekly rehearsal")["enabled"] = False
    by_hand = {"workflow_job_template": workflow["id"], "unified_job_template": restore["id"], "identifier": "by hand"}
    awx.add("workflow_job_template_nodes", by_hand)


def test_configure(data: Data, tmp_path: Path) -> None:
    """With a wrong token; broken off between the nodes and their links; then again, after changes by hand."""
    with Awx() as awx:
        refused = configure(awx, tmp_path, CONTROLLER_OAUTH_TOKEN="odd-wrong-token-77ab")
        assert refused.code == 2
        assert "401" in refused.output
        assert "odd-wrong-token-77ab" not in refused.output
        assert awx.changes == []

        awx.refuse = "success_nodes"
        broken = configure(awx, tmp_path, "-vvv")
        assert broken.code == 2, broken.output
        assert "Link the nodes" in broken.output
        # Nobody can launch what lacks the approval.
        assert len(awx.objects["workflow_job_template_nodes"]) == 10
        assert {item["survey_enabled"] for item in awx.objects["workflow_job_templates"].values()} == {False}
        (source,) = awx.objects["inventory_sources"]
        assert ("POST", f"/api/v2/inventory_sources/{source}/update/", {}) in awx.changes

        awx.refuse = ""
        spoil(awx)
        awx.changes.clear()
        ran = configure(awx, tmp_path, "-vvv", CMK_SUPPORT_TOKEN="odd-other-token-55d8")
        assert ran.code == 0, ran.output
        for output in (broken.output, ran.output):
            assert [secret for secret in (TOKEN, DESK_TOKEN, AWS_SECRET) if secret in output] == []
        assert_as_the_data_says(awx, data)
        # What nobody changed is not written again.
        written = {path.split("/")[3] for _method, path, _body in awx.changes if not path.endswith("/update/")}
        assert written == {"job_templates", "schedules", "workflow_job_templates", "workflow_job_template_nodes"}
        changed = {path for method, path, _body in awx.changes if method == "PATCH" and "/job_templates/" in path}
        assert changed == {awx.named("job_templates", "CMK restore")["url"]}
        # A secret that AWX has is replaced only on request.
        assert awx.named("credentials", "CMK support desk")["inputs"]["support_token"] == DESK_TOKEN


def assert_as_the_data_says(awx: Awx, data: Data) -> None:
    for lists in ("controller_templates", "controller_workflows"):
        kind = LISTS[lists][1]
        for item in data[lists]:
            made = awx.named(kind, item["name"])
            assert awx.surveys[made["id"]] == item["survey_spec"]
            assert json.loads(made["extra_vars"]) == item["extra_vars"]
            same = set(item) - {NODES, "survey_spec", "extra_vars", "destroy_current_nodes", "organization", "inventory",
                                "project", "credentials", "execution_environment"}  # fmt: skip
            assert {name: made[name] for name in same} == {name: item[name] for name in same}
    for item in data["controller_schedules"]:
        same = set(item) - {"unified_job_template", "organization"}
        made = awx.named("schedules", item["name"])
        assert {name: made[name] for name in same} == {name: item[name] for name in same}
        assert made["unified_job_template"] == awx.named("job_templates", item["unified_job_template"])["id"]
    for template in awx.objects["job_templates"].values():
        assert len(awx.lists[template["id"], "credentials"]) == 2
    for workflow in CHAINS:
        assert chain(awx, workflow) == expected(workflow)
    # A node holds no prompts.
    known = {"id", "url", "related", "summary_fields", "scm_revision", "type", "identifier"}
    for node in awx.objects["workflow_job_template_nodes"].values():
        assert set(node) - known == {"workflow_job_template", "unified_job_template"}


def answers(spec: Item) -> list[dict[str, str]]:
    """What people may answer to a survey: no optional question or all of them, and each choice."""
    free = {
        "org": "acme",
        "confirm": "acme",
        "cmk_ticket": " CMK-1 ",
        "cmk_revoked_at": "2026-11-21T03:01Z",
        "cmk_ticket_told": "2026-11-24T03:20Z",
    }
    needed = {question["variable"] for question in spec["spec"] if question["required"]}
    choice: Item = {"variable": "", "choices": [""]}
    choice = next((question for question in spec["spec"] if question["type"] == "multiplechoice"), choice)
    every = {question["variable"]: free.get(question["variable"], "") for question in spec["spec"]}
    least = {name: text for name, text in every.items() if name in needed}
    # AWX's page sends an empty text for a question that is left empty.
    empty = {name: text if name in needed else "" for name, text in every.items()}
    filled = [
        answered | ({choice["variable"]: answer} if choice["variable"] else {})
        for answer, answered in zip((choice["choices"] * 3)[:3], (least, every, empty), strict=True)
    ]
    return [answered for index, answered in enumerate(filled) if answered not in filled[:index]]


@pytest.mark.parametrize("name", ["CMK assess", "CMK restore", "CMK restore fleet"])
def test_every_answer_to_a_survey_works(data: Data, world: World, name: str) -> None:
    """As AWX hands them to the playbook: extra variables that are all texts."""
    template = named(data["controller_templates"], name)
    for answered in answers(template["survey_spec"]):
        assert all(isinstance(value, str) for value in answered.values())
        world.aws.control("POST", "reset")
        world.desk.control("POST", "/reset")
        world.keys("Disabled", "Disabled")
        # What AWX has checked out from the project.
        ran = world.run("-e", json.dumps(answered), playbook=template["playbook"], cwd=AWX / "project")
        assert ran.code == 0, ran.output
        assert len(world.told()) == (template["playbook"] == "restore_cmk.yml")


class TestByHand:
    """The nodes restore and confirm of the workflow CMK restoration by hand, as jobs of ansible-runner."""

    HOST: t.Final = {
        "ansible_connection": "local",
        "cmk_realm": "United States",
        "cmk_key": "alias/atlassian-cmk",
        "cmk_account_id": "111122223333",
        "cmk_support_mode": "manual",
        "cmk_wait_delay": 0.1,
    }

    def node(self, data: Data, world: World, folder: Path, template: str) -> Item:
        """Run the job of a node, and return what it published."""
        answered = {"org": "acme", "cmk_ticket": "CMK-1", "cmk_report_dir": str(folder / "shared")}
        extra = named(data["controller_templates"], template)["extra_vars"] | answered
        ran = job(world, folder / template.replace(" ", "_"), {"acme": self.HOST}, extra)
        assert ran.end() == 0, ran.texts()
        return t.cast("Item", ran.stats()["cmk_restore"]["acme"])

    def test_the_confirmation_is_recorded(self, data: Data, world: World, tmp_path: Path) -> None:
        world.keys("Disabled", "Disabled")
        restored = self.node(data, world, tmp_path, "CMK restore")
        assert (restored["status"], restored["ticket"]["told"]) == ("handover_pending", False)
        confirmed = self.node(data, world, tmp_path, "CMK confirm")
        assert (confirmed["status"], confirmed["ticket"]["told"]) == ("restored", True)
        (journal,) = (tmp_path / "shared/acme").glob("restoration.json")
        noted = json.loads(journal.read_text(encoding="utf-8"))["told"]
        assert noted["by"] == "person"
        assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ", noted["note"])
        assert sorted(world.calls("EnableKey")) == ["us-east-1", "us-west-2"]

    def test_it_does_not_count_for_a_key_that_it_enabled_itself(self, data: Data, world: World, tmp_path: Path) -> None:
        world.keys("Disabled", "Disabled")
        confirmed = self.node(data, world, tmp_path, "CMK confirm")
        assert (confirmed["status"], confirmed["ticket"]["told"]) == ("handover_pending", False)


def test_the_guide_names_what_there_is(data: Data) -> None:
    guide = GUIDE.read_text(encoding="utf-8")
    names = {item["name"] for items in data.values() for item in items}
    quoted = set(re.findall(r"\*\*([^*]+)\*\*", guide))
    assert quoted <= names, quoted - names
    assert names - quoted <= {"Key operations"}
    text = (AWX / "controller.yml").read_text(encoding="utf-8")
    for variable in re.findall(r"`(cmk_awx_\w+)`", guide):
        assert f"\n{variable}:" in text, variable


def test_the_play_uses_one_further_collection() -> None:
    used = re.findall(r"(?m)^\s+([a-z]+\.[a-z_]+)\.[a-z_]+:", (AWX / "configure.yml").read_text(encoding="utf-8"))
    assert set(used) == {"awx.awx"}
