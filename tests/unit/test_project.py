"""What the project's own files promise: versions, hooks, forms, the tarball's content, and when there is no release."""

from __future__ import annotations

import fnmatch
import re
import shutil
import subprocess
import sys
import tarfile
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible_collections.amazon.aws.plugins.module_utils import botocore as amazon_aws

from tests.tools import versions
from tests.tools.standins import ROOT

BIN: t.Final = Path(sys.executable).parent
FORMS: t.Final = sorted(path.name for path in (ROOT / ".github/ISSUE_TEMPLATE").glob("*.yml") if path.stem != "config")


def read(path: str) -> t.Any:
    return yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))


def pins(name: str) -> dict[str, str]:
    """The pinned versions of a file of requirements."""
    text = (ROOT / f"requirements/{name}.txt").read_text(encoding="utf-8")
    return dict(re.findall(r"(?m)^([\w.-]+)(?:\[.*?\])?==([^ \n]+)", text))


def numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


class TestVersions:
    def test_the_readme_names_those_that_are_tested(self) -> None:
        readme = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
        cores = sorted({row.core for row in versions.ROWS}, key=numbers)
        oldest = min((row.python for row in versions.ROWS), key=numbers)
        core = f"ansible-core {cores[0]} or newer ({', '.join(cores)})"
        assert f"{core} with Python {oldest} or newer" in readme
        assert f"boto3 and botocore {pins('floor')['boto3']} or newer" in readme
        assert f"amazon.aws {read('galaxy.yml')['dependencies']['amazon.aws'].removeprefix('>=')} or newer" in readme

    def test_the_collection_asks_for_the_oldest_that_is_tested(self) -> None:
        cores = sorted({row.core for row in versions.ROWS}, key=numbers)
        assert read("meta/runtime.yml")["requires_ansible"] == f">={cores[0]}.0"
        assert read("roles/cmk/meta/main.yml")["galaxy_info"]["min_ansible_version"] == cores[0]

    def test_the_pins_bring_the_versions_of_the_rows(self) -> None:
        text = (ROOT / "requirements/dev.txt").read_text(encoding="utf-8")
        brought = re.findall(r"(?m)^ansible-core==(\d+\.\d+)", text)
        others = {row.requirements[-1] for row in versions.ROWS} - {"dev"}
        brought += [".".join(pins(name)["ansible-core"].split(".")[:2]) for name in others]
        assert set(brought) == {row.core for row in versions.ROWS}
        assert {f"core-{row.core}" for row in versions.ROWS if row.requirements != ("dev",)} == others

    def test_the_newest_core_runs_on_every_python_but_the_oldest(self) -> None:
        newest = max((row.core for row in versions.ROWS if row.requirements == ("dev",)), key=numbers)
        pythons = {row.python for row in versions.ROWS}
        assert {row.python for row in versions.ROWS if row.core == newest} == pythons - {min(pythons, key=numbers)}

    def test_the_floor_is_what_the_modules_document(self) -> None:
        # Their documentation takes the SDK's versions from amazon.aws (fragment amazon.aws.boto3).
        floor = pins("floor")
        claimed = {"boto3": amazon_aws.MINIMUM_BOTO3_VERSION, "botocore": amazon_aws.MINIMUM_BOTOCORE_VERSION}
        if pins("dev")["ansible"].startswith("12.") and sys.version_info < (3, 12):
            assert {name: floor[name] for name in claimed} == claimed
        assert all(numbers(floor[name]) <= numbers(version) for name, version in claimed.items())

    def test_a_python_that_is_not_here_is_not_found(self) -> None:
        assert versions.interpreter("2.4") == ""
        here = f"{sys.version_info[0]}.{sys.version_info[1]}"
        assert versions._says(sys.executable) == here


class TestHooks:
    HOOKS: t.Final = [hook for repo in read(".pre-commit-config.yaml")["repos"] for hook in repo["hooks"]]

    def test_nothing_is_downloaded(self) -> None:
        assert [repo["repo"] for repo in read(".pre-commit-config.yaml")["repos"]] == ["local"]

    @pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook["id"])
    def test_its_command_exists(self, hook: dict[str, t.Any]) -> None:
        assert hook["language"] == "system"
        program, *arguments = hook["entry"].split()
        if program == "make":
            assert re.search(rf"(?m)^{arguments[0]}:", (ROOT / "Makefile").read_text(encoding="utf-8"))
        else:
            folder, _slash, name = program.rpartition("/")
            assert folder == ".venv/bin"
            assert (BIN / name).exists()
        if "-m" in arguments:
            assert (ROOT / f"{arguments[1].replace('.', '/')}.py").is_file()


class TestForms:
    @pytest.mark.parametrize("name", FORMS)
    def test_it_is_a_form(self, name: str) -> None:
        form = read(f".github/ISSUE_TEMPLATE/{name}")
        assert set(form) <= {"name", "description", "title", "labels", "body"}
        ids = [part["id"] for part in form["body"] if part["type"] != "markdown"]
        assert len(ids) == len(set(ids)) > 0
        for part in form["body"]:
            assert part["type"] in ("markdown", "input", "textarea", "checkboxes", "dropdown")
            assert part["attributes"].get("label") or part["attributes"].get("value")

    def test_a_report_asks_for_the_result_and_warns_about_secrets(self) -> None:
        body = read(".github/ISSUE_TEMPLATE/bug_report.yml")["body"]
        asked = {part["id"]: part for part in body if "id" in part}
        assert asked["result"]["attributes"]["label"] == "cmk_result"
        assert asked["result"]["validations"]["required"] is True
        assert "Leave out secrets" in body[0]["attributes"]["value"]
        assert asked["secrets"]["attributes"]["options"][0]["required"] is True


def tracked() -> list[str]:
    found = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout
    return found.splitlines() or pytest.skip("this is no git checkout")


def test_the_tarball_holds_what_users_need_and_no_more() -> None:
    ignored = read("galaxy.yml")["build_ignore"]
    kept = {path.split("/")[0] for path in tracked() if not any(_is_below(path, pattern) for pattern in ignored)}
    needed = {"CHANGELOG.md", "LICENSE", "README.md", "changelogs", "docs", "meta", "playbooks", "plugins", "roles"}
    welcome = {
        ".ansible-lint",
        "CODE_OF_CONDUCT.md",
        "SECURITY.md",
        "CONTRIBUTING.md",
        "examples",
        "extensions",
        "execution-environment.yml",
    }
    # ansible-galaxy leaves galaxy.yml out by itself.
    assert needed <= kept <= needed | welcome | {"galaxy.yml"}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """As much of a checkout as a build needs, and what users make there."""
    for name in (
        "galaxy.yml",
        "README.md",
        "LICENSE",
        ".gitignore",
        "meta/runtime.yml",
        "examples/inventory/organizations.yml",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    for name in PRIVATE:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("cmk_account_id: 111122223333", encoding="utf-8")
    return tmp_path


PRIVATE: t.Final = (
    "inventory/organizations.yml",
    "inventory/group_vars/all.yml",
    "inventory.yml",
    "reports/acme/20261127T174018Z-restore/restore.json",
    "cmk-reports/acme/comment.txt",
    "artifacts/1/stdout",
    "ansible.log",
    "playbooks/restore_cmk.retry",
    ".env",
    ".vault_pass",
    "vault_password.txt",
)


def test_what_users_make_in_a_checkout_is_not_packed(checkout: Path) -> None:
    command = [str(BIN / "ansible-galaxy"), "collection", "build", "--output-path", "built"]
    env = {"PATH": f"{BIN}:/usr/bin:/bin", "HOME": str(checkout / "home")}
    subprocess.run(command, cwd=checkout, env=env, check=True, capture_output=True)
    (tarball,) = (checkout / "built").iterdir()
    with tarfile.open(tarball) as packed:
        names = set(packed.getnames())
    assert names.isdisjoint(PRIVATE)
    assert {"README.md", "examples/inventory/organizations.yml"} <= names


def test_nor_does_git_take_it(checkout: Path) -> None:
    subprocess.run(["git", "init", "--quiet", "."], cwd=checkout, check=True)
    listed = subprocess.run(
        ["git", "ls-files", "--others", "--exclude-standard"], cwd=checkout, check=True, capture_output=True, text=True
    ).stdout.splitlines()
    assert set(listed).isdisjoint(PRIVATE)
    assert "examples/inventory/organizations.yml" in listed


def test_a_certification_can_check_what_uses_awx() -> None:
    used = {
        name
        for path in (ROOT / "extensions/awx").rglob("*.yml")
        for name in re.findall(r"(?m)^\s*(?:- )?(awx\.awx\.[a-z_]+):", path.read_text(encoding="utf-8"))
    }
    assert used
    assert used <= set(read(".ansible-lint")["mock_modules"])


def test_plugins_write_to_the_screen_by_display_alone() -> None:
    # ansible-core warns of a worker that "errantly sent data directly to stdout".
    direct = re.compile(r"(?<![\w.])print\(|sys\.(__)?std(out|err)|os\.write\(1")
    files = sorted((ROOT / "plugins").rglob("*.py"))
    assert files
    assert [str(path.relative_to(ROOT)) for path in files if direct.search(path.read_text(encoding="utf-8"))] == []


class TestWorkflow:
    WORKFLOW: t.Final = read(".github/workflows/test.yml")
    STEPS: t.Final = [step for job in WORKFLOW["jobs"].values() for step in job["steps"]]

    def test_each_core_of_the_matrix_is_tested(self) -> None:
        cores = self.WORKFLOW["jobs"]["versions"]["strategy"]["matrix"]["core"]
        assert cores == sorted({row.core for row in versions.ROWS}, key=numbers)

    def test_each_python_of_the_matrix_is_there(self) -> None:
        (offered,) = [step["with"]["python-version"].split() for step in self.WORKFLOW["jobs"]["versions"]["steps"]
                      if "python-version" in step.get("with", {})]  # fmt: skip
        assert set(offered) == {row.python for row in versions.ROWS}

    def test_it_runs_on_each_pull_request_and_weekly(self) -> None:
        # YAML 1.1 reads the key "on" as true.
        assert {"pull_request", "schedule"} <= set(self.WORKFLOW[True])

    def test_it_may_only_read_and_needs_no_secret(self) -> None:
        assert self.WORKFLOW["permissions"] == {"contents": "read"}
        assert "secrets." not in (ROOT / ".github/workflows/test.yml").read_text(encoding="utf-8")

    def test_actions_are_pinned(self) -> None:
        used = [step["uses"] for step in self.STEPS if "uses" in step]
        assert used
        assert [name for name in used if not re.fullmatch(r"actions/[a-z-]+@v\d+\.\d+\.\d+", name)] == []

    def test_its_commands_exist(self) -> None:
        makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
        for command in (step["run"].split() for step in self.STEPS if "run" in step):
            assert (ROOT / command[0]).is_file() or re.search(rf"(?m)^{command[1]}:", makefile), command


def _is_below(path: str, pattern: str) -> bool:
    return fnmatch.fnmatch(path, pattern) or path.startswith(f"{pattern}/")


class TestRelease:
    @pytest.fixture
    def checkout(self, tmp_path: Path) -> Path:
        """A small checkout that could be released, as far as the first looks go."""
        folder = tmp_path / "checkout"
        for name in ("tests/tools/release.sh", "galaxy.yml", "CHANGELOG.md", "changelogs/changelog.yaml"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
        # What comes after the looks, so that a test cannot make a release by mistake.
        (folder / "tests/tools/package.sh").write_text("#!/bin/sh\necho went on; exit 1\n", encoding="utf-8")
        (folder / "tests/tools/package.sh").chmod(0o755)
        # Notes of the next release may lie in this checkout; a release has none left.
        without_notes = shutil.ignore_patterns("fragments")
        shutil.copytree(ROOT / "changelogs", folder / "changelogs", dirs_exist_ok=True, ignore=without_notes)
        self.git(folder, "init", "--quiet", ".")
        self.commit(folder)
        return folder

    def git(self, folder: Path, *arguments: str) -> None:
        who = ("-c", "user.name=test", "-c", "user.email=test@example.com")
        subprocess.run(["git", *who, *arguments], cwd=folder, check=True)

    def commit(self, folder: Path) -> None:
        self.git(folder, "add", "--all")
        self.git(folder, "commit", "--quiet", "--message", "test")

    def release(self, folder: Path) -> tuple[int, str]:
        env = {"PATH": f"{BIN}:/usr/bin:/bin", "HOME": str(folder.parent)}
        ran = subprocess.run(
            ["tests/tools/release.sh"], cwd=folder, env=env, capture_output=True, text=True, check=False
        )
        return ran.returncode, ran.stdout + ran.stderr

    def test_what_is_committed_and_has_notes_is_gone_on_with(self, checkout: Path) -> None:
        code, said = self.release(checkout)
        assert "went on" in said
        assert code != 0  # by what stands in for the packaging

    def test_not_with_changes(self, checkout: Path) -> None:
        (checkout / "README.md").write_text("new", encoding="utf-8")
        code, said = self.release(checkout)
        assert code == 1
        assert "has changes that are not committed" in said
        assert "went on" not in said

    def test_not_without_notes(self, checkout: Path) -> None:
        text = (checkout / "galaxy.yml").read_text(encoding="utf-8")
        (checkout / "galaxy.yml").write_text(re.sub(r"(?m)^version: .*", "version: 9.8.7", text), encoding="utf-8")
        self.commit(checkout)
        code, said = self.release(checkout)
        assert code == 1
        assert "version 9.8.7 of galaxy.yml has no notes" in said
        assert "went on" not in said

    def test_not_with_fragments_of_no_release(self, checkout: Path) -> None:
        (checkout / "changelogs/fragments").mkdir(exist_ok=True)
        (checkout / "changelogs/fragments/new.yml").write_text("minor_changes: [one]\n", encoding="utf-8")
        self.commit(checkout)
        code, said = self.release(checkout)
        assert code == 1
        assert "changelogs/fragments holds notes of no release" in said
        assert "went on" not in said
