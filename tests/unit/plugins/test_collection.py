"""What several files of the collection say must agree: realms, defaults, argument specs, action groups."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._desk import Look, unfit_comment
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._options import DEFAULTS
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._settings import _REGION, read_settings

ROOT = Path(__file__).resolve().parents[3]
ROLE = ROOT / "roles" / "cmk"

# Atlassian's list of regions for customer-managed keys, written down here independently of the role. The page has the
# typo ca-cantral-1; realms after Singapore are not confirmed, and eu-central-1 is in two realms.
REALMS = {
    "United States": ["us-east-1", "us-west-2"],
    "Europe": ["eu-central-1", "eu-west-1"],
    "Australia": ["ap-southeast-2"],
    "Canada": ["ca-central-1"],
    "Germany": ["eu-central-1"],
    "India": ["ap-south-1"],
    "Japan": ["ap-northeast-1"],
    "South Korea": ["ap-northeast-2"],
    "Singapore": ["ap-southeast-1"],
}
TYPES: dict[str, type | tuple[type, ...]] = {
    "str": str,
    "bool": bool,
    "int": int,
    "float": (int, float),
    "list": list,
    "dict": dict,
}


def read(*path: str) -> Any:
    return yaml.safe_load(ROLE.joinpath(*path).read_text(encoding="utf-8"))


def test_realms() -> None:
    realms = read("vars", "realms.yml")["cmk_realms"]
    assert realms == REALMS
    # The order is that of the documentation, and the known realms are listed in it.
    assert list(realms) == list(REALMS)


@pytest.mark.parametrize("realm", REALMS)
def test_every_realm_can_be_asked_for(realm: str) -> None:
    for spelling in (realm, realm.upper(), realm.lower().replace(" ", "_")):
        given = {"org": "acme", "realm": spelling, "key": "alias/a", "report_dir": "/r"}
        waiting = {"wait_timeout": 1, "wait_reads": 1, "wait_delay": 0}
        result = read_settings(given | waiting, read("vars", "realms.yml")["cmk_realms"])
        assert result.problems == ()
        assert result.realm == realm
        assert [key["region"] for key in result.keys] == REALMS[realm]
    assert all(_REGION.fullmatch(region) for region in REALMS[realm])


def entry_points() -> list[str]:
    return list(read("meta", "argument_specs.yml")["argument_specs"])


class TestArgumentSpecs:
    def test_every_entry_point_has_its_tasks(self) -> None:
        assert {"main", "restore"} <= set(entry_points())
        for name in entry_points():
            assert (ROLE / "tasks" / f"{name}.yml").is_file()

    def test_main_is_restore(self) -> None:
        specs = read("meta", "argument_specs.yml")["argument_specs"]
        assert specs["main"] == specs["restore"]

    def test_together_they_have_the_variables_of_the_defaults(self) -> None:
        specs = read("meta", "argument_specs.yml")["argument_specs"]
        assert {name for spec in specs.values() for name in spec["options"]} == set(read("defaults", "main.yml"))

    @pytest.mark.parametrize("entry_point", entry_points())
    def test_the_defaults_are_the_same(self, entry_point: str) -> None:
        options = read("meta", "argument_specs.yml")["argument_specs"][entry_point]["options"]
        defaults = read("defaults", "main.yml")
        assert {name: option.get("default") for name, option in options.items()} == {
            name: defaults[name] for name in options
        }

    @pytest.mark.parametrize("entry_point", entry_points())
    def test_defaults_are_of_their_type(self, entry_point: str) -> None:
        for name, option in read("meta", "argument_specs.yml")["argument_specs"][entry_point]["options"].items():
            assert option["description"]
            assert isinstance(option["default"], TYPES[option["type"]]), name
            assert isinstance(option["default"], bool) is (option["type"] == "bool"), name


def test_an_empty_number_means_the_roles_default() -> None:
    defaults = read("defaults", "main.yml")
    numbers = {name.removeprefix("cmk_") for name, value in defaults.items() if type(value) in (int, float)}
    assert {f"cmk_{name}": value for name, value in DEFAULTS.items()} == {
        f"cmk_{name}": defaults[f"cmk_{name}"] for name in numbers | {"expected_use", "verify_limit", "verify_interval"}
    }


def test_the_defaults_lack_only_what_the_inventory_must_say() -> None:
    plain = {name.removeprefix("cmk_"): value for name, value in read("defaults", "main.yml").items()}
    templates = [name for name, value in plain.items() if isinstance(value, str) and "{{" in value]
    given = {name: value for name, value in plain.items() if name not in templates}
    given |= {"org": "acme", "report_dir": "~/cmk-reports"}
    problems = read_settings(given, REALMS).problems
    assert len(problems) == 1
    assert problems[0].startswith("No realm is given.")
    assert read_settings(given | {"realm": "japan", "key": "alias/a"}, REALMS).problems == ()


def test_the_longest_comment_is_jiras() -> None:
    assert unfit_comment("x" * 32767, "CMK-1", Look()) == {}
    assert unfit_comment("x" * 32768, "CMK-1", Look())["code"] == "comment_too_long"


def test_the_action_group_holds_every_aws_module() -> None:
    modules = (ROOT / "plugins" / "modules").glob("*.py")
    with_aws = {path.stem for path in modules if "run_module" in path.read_text(encoding="utf-8")}
    runtime = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text(encoding="utf-8"))
    group = runtime["action_groups"]["aws"]
    assert {name for name in group if isinstance(name, str)} == with_aws
    assert [entry["metadata"]["extend_group"] for entry in group if isinstance(entry, dict)] == [["amazon.aws.aws"]]
