"""Whatever happens in whatever order: nothing is silent, stuck, announced twice without a reason, or untrue."""

from __future__ import annotations

import os
import typing as t

import hypothesis
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from .explore import explain, search, shorten
from .history import History, new_history
from .runs import Setup
from .world import REGIONS, TICKETS

# How many histories are tried: some in make test, a million in make histories.
HISTORIES: t.Final = int(os.environ.get("CMK_HISTORIES", "1000"))
EXAMPLES: t.Final = min(HISTORIES // 20, 5000)
STEPS: t.Final = 20
SEEDS: t.Final = 4

_ANY: t.Final = st.sampled_from([(REGIONS[0],), (REGIONS[1],), REGIONS])
_ONE: t.Final = st.sampled_from(["one", "one", "two"])
_SOME: t.Final = st.sampled_from([(), (), (), (REGIONS[0],), (REGIONS[1],), REGIONS])
_FEW: t.Final = st.sampled_from([(), (), (), (), (), (REGIONS[0],), (REGIONS[1],)])
_STOPS: t.Final = st.sampled_from(
    ["", "", "", "", "journal", "one key", "keys", "asked", "settled", "ticket read", "comment sent", "notified"]
)
_POSTS: t.Final = st.sampled_from(
    [(), (), (), ("answer lost",), ("later",), ("error",), ("error", "error"), ("answer lost", "ok")]
)
_SETUPS: t.Final = st.builds(
    Setup,
    mode=st.sampled_from(["api", "api", "api", "manual"]),
    unread=_SOME,
    slow=_FEW,
    refused=_FEW,
    unanswered=_FEW,
    posts=_POSTS,
    reads=st.sampled_from(["ok", "ok", "ok", "down", "down later"]),
)
_LATE: t.Final = st.sampled_from([0, 0, 60, 600, 900])
_WAITS: t.Final = st.sampled_from([20, 60, 300, 900, 3600, 86400, 10 * 86400, 40 * 86400])


class Life(RuleBasedStateMachine):
    """An organization's life."""

    history: History

    @initialize(
        aws=st.sampled_from([0, 0, 240, -240]),
        desk=st.sampled_from([0, 0, 600, -600]),
        hides=st.booleans(),
        knows=st.booleans(),
        late=_LATE,
    )
    def begin(self, aws: int, desk: int, hides: bool, knows: bool, late: int) -> None:
        self.history = new_history(aws, desk, hides_emails=hides, knows_us=knows)
        self.history.do("trail_is_late", late)

    @rule(seconds=_WAITS)
    def wait(self, seconds: int) -> None:
        self.history.do("wait", seconds)

    @rule(late=_LATE)
    def trail_is_late(self, late: int) -> None:
        self.history.do("trail_is_late", late)

    @rule(regions=_ANY, operation=st.sampled_from(["DisableKey", "DisableKey", "DisableKey", "ScheduleKeyDeletion"]))
    def lose(self, regions: tuple[str, ...], operation: str) -> None:
        self.history.do("lose", regions, operation)

    @rule(regions=_ANY)
    def restore_by_hand(self, regions: tuple[str, ...]) -> None:
        self.history.do("restore_by_hand", regions)

    @rule(region=st.sampled_from(REGIONS))
    def replace_key(self, region: str) -> None:
        self.history.do("replace_key", region)

    @rule()
    def use_keys(self) -> None:
        self.history.do("use_keys")

    @rule(name=_ONE)
    def lose_folder(self, name: str) -> None:
        self.history.do("lose_folder", name)

    @rule(name=_ONE)
    def damage_journal(self, name: str) -> None:
        self.history.do("damage_journal", name)

    @rule(name=_ONE, is_full=st.booleans())
    def fill_disk(self, name: str, is_full: bool) -> None:
        self.history.do("fill_disk", name, is_full)

    @rule(ticket=st.sampled_from(TICKETS))
    def open_ticket(self, ticket: str) -> None:
        self.history.do("open_ticket", ticket)

    @rule(is_open=st.booleans())
    def set_open(self, is_open: bool) -> None:
        self.history.do("set_open", is_open)

    @rule(how=st.sampled_from(["wiki", "mail", "lines", "handed over"]))
    def quote(self, how: str) -> None:
        self.history.do("quote", how)

    @rule(author=st.sampled_from(["stranger", "colleague", "vendor", "us"]))
    def forge(self, author: str) -> None:
        self.history.do("forge", author)

    @rule()
    def paste_preview(self) -> None:
        self.history.do("paste_preview")

    @rule()
    def paste(self) -> None:
        self.history.do("paste")

    @rule()
    def notify(self) -> None:
        self.history.do("notify")

    @rule(name=_ONE, setup=_SETUPS, stop=_STOPS, dies=st.booleans(), note=st.sampled_from(["", "", "", "time", "url"]))
    def restore(self, name: str, setup: Setup, stop: str, dies: bool, note: str) -> None:
        self.history.do("restore", name, setup, stop, dies, note)

    @rule(name=_ONE)
    def restore_cleanly(self, name: str) -> None:
        self.history.do("restore_cleanly", name)

    @rule(name=_ONE)
    def restore_after_loss(self, name: str) -> None:
        self.history.do("lose", REGIONS)
        self.history.do("restore_cleanly", name)

    @precondition(lambda self: bool(self.history.paused))
    @rule(name=_ONE, dies=st.booleans())
    def resume(self, name: str, dies: bool) -> None:
        self.history.do("resume", name, dies)

    @rule(name=_ONE, setup=_SETUPS)
    def assess(self, name: str, setup: Setup) -> None:
        self.history.do("assess", name, setup)

    @rule(name=_ONE, setup=_SETUPS)
    def verify(self, name: str, setup: Setup) -> None:
        self.history.do("verify", name, setup)

    @rule(name=_ONE, stop=st.sampled_from(["", "", "plan", "one key"]))
    def revoke(self, name: str, stop: str) -> None:
        self.history.do("revoke", name, stop)

    def teardown(self) -> None:
        if hasattr(self, "history"):
            self.history.do("restore_cleanly", "one")


SETTINGS: t.Final = hypothesis.settings(
    max_examples=EXAMPLES,
    stateful_step_count=STEPS,
    deadline=None,
    database=None,
    derandomize=True,
    # explore.shorten is faster by far than the shrinking of a state machine.
    phases=(hypothesis.Phase.generate,),
    suppress_health_check=list(hypothesis.HealthCheck),
)


@pytest.mark.parametrize("seed", range(SEEDS))
def test_histories_by_chance(seed: int) -> None:
    tries, broken, _twice = search(HISTORIES // SEEDS, 100 + seed)
    assert broken is None, f"history {tries}\n{explain(shorten(broken))}"


def test_histories_by_hypothesis() -> None:
    run_state_machine_as_test(Life, settings=SETTINGS)
