"""Histories by chance, many of them fast, and the shortest form of one that breaks a promise.

``python -m tests.unit.model.explore [COUNT] [SEED]`` tries many histories and prints the shortest broken ones.
"""

from __future__ import annotations

import collections
import random
import sys
import typing as t

from .history import BrokenError, Command, History, new_history
from .runs import Setup
from .world import REGIONS, TICKETS

STEPS: t.Final = 14
_ANY: t.Final = ((REGIONS[0],), (REGIONS[1],), REGIONS)
_STOPS: t.Final = ("journal", "one key", "keys", "asked", "settled", "ticket read", "comment sent", "notified")
_LATE: t.Final = (0, 0, 60, 600, 900)


def _history(*commands: tuple[t.Any, ...]) -> list[Command]:
    return [
        Command("new_history", (0, 0, False, True)),
        *(Command(str(name), tuple(values)) for name, *values in commands),
    ]


# Histories that chance meets rarely. Each ends well, and breaks a promise once the rule of its name is broken.
KNOWN: t.Final[dict[str, list[Command]]] = {
    "a stale note in a run that enables": _history(
        ("lose", REGIONS),
        ("restore", "one", Setup(mode="manual")),
        ("notify",),
        ("trail_is_late", 900),
        ("lose", REGIONS),
        ("restore", "one", Setup(mode="manual"), "", True, "time"),
    ),
    "a note that ended an earlier restoration": _history(
        ("lose", REGIONS),
        ("restore", "one", Setup(mode="manual")),
        ("notify",),
        ("restore", "one", Setup(mode="manual"), "", True, "url"),
        ("lose", REGIONS),
        ("restore", "one", Setup(mode="manual")),
        ("restore", "one", Setup(mode="manual"), "", True, "url"),
    ),
    "a note that is older than the restoration": _history(
        ("lose", REGIONS),
        ("restore", "one", Setup(mode="manual")),
        ("notify",),
        ("lose", REGIONS),
        ("restore", "one", Setup(mode="manual")),
        ("restore", "one", Setup(mode="manual"), "", True, "time"),
    ),
}


def new_world(chance: random.Random) -> Command:
    """How a history begins."""
    offsets = chance.choice((0, 0, 240, -240)), chance.choice((0, 0, 600, -600))
    return Command("new_history", (*offsets, chance.random() < 0.3, chance.random() < 0.7))


def choose_setup(chance: random.Random) -> Setup:
    """What a run is given and what fails; mostly nothing does."""
    if chance.random() < 0.4:
        return Setup(mode="manual" if chance.random() < 0.2 else "api")

    def some(likelihood: float) -> tuple[str, ...]:
        return tuple(region for region in REGIONS if chance.random() < likelihood)

    posts = (("answer lost",), ("later",), ("error",), ("error", "error"), ("answer lost", "ok"), ("later", "later"))
    return Setup(
        mode="manual" if chance.random() < 0.2 else "api",
        unread=some(0.2),
        slow=some(0.1),
        refused=some(0.1),
        unanswered=some(0.1),
        posts=chance.choice(posts) if chance.random() < 0.4 else (),
        reads=chance.choice(("ok", "ok", "ok", "down", "down later")),
    )


def _restore(chance: random.Random) -> tuple[t.Any, ...]:
    stop = chance.choice(_STOPS) if chance.random() < 0.3 else ""
    note = chance.choice(("time", "url")) if chance.random() < 0.35 else ""
    return _controller(chance), choose_setup(chance), stop, chance.random() < 0.6, note


def _controller(chance: random.Random) -> str:
    return "one" if chance.random() < 0.7 else "two"


# What may happen, how often, and with which arguments.
_CHOICES: t.Final[dict[str, tuple[int, t.Callable[[random.Random], tuple[t.Any, ...]]]]] = {
    "wait": (8, lambda chance: (chance.choice((20, 60, 300, 900, 3600, 86400, 10 * 86400, 40 * 86400)),)),
    "trail_is_late": (3, lambda chance: (chance.choice(_LATE),)),
    "lose": (
        12,
        lambda chance: (chance.choice(_ANY), "ScheduleKeyDeletion" if chance.random() < 0.1 else "DisableKey"),
    ),
    "restore_by_hand": (7, lambda chance: (chance.choice(_ANY),)),
    "replace_key": (1, lambda chance: (chance.choice(REGIONS),)),
    "use_keys": (2, lambda chance: ()),
    "lose_folder": (3, lambda chance: (_controller(chance),)),
    "damage_journal": (1, lambda chance: (_controller(chance),)),
    "fill_disk": (1, lambda chance: (_controller(chance), chance.random() < 0.5)),
    "open_ticket": (1, lambda chance: (chance.choice(TICKETS),)),
    "set_open": (1, lambda chance: (chance.random() < 0.6,)),
    "quote": (2, lambda chance: (chance.choice(("wiki", "mail", "lines", "handed over")),)),
    "forge": (2, lambda chance: (chance.choice(("stranger", "colleague", "vendor", "us")),)),
    "paste_preview": (1, lambda chance: ()),
    "paste": (2, lambda chance: ()),
    "notify": (5, lambda chance: ()),
    "restore": (16, _restore),
    "restore_cleanly": (6, lambda chance: (_controller(chance),)),
    "resume": (3, lambda chance: (_controller(chance), chance.random() < 0.2)),
    "assess": (2, lambda chance: (_controller(chance), choose_setup(chance))),
    "verify": (3, lambda chance: (_controller(chance), choose_setup(chance))),
    "revoke": (3, lambda chance: (_controller(chance), chance.choice(("", "", "plan", "one key")))),
}
_NAMES: t.Final = tuple(_CHOICES)
_WEIGHTS: t.Final = tuple(weight for weight, _values in _CHOICES.values())


def choose(chance: random.Random, count: int) -> list[Command]:
    """A history by chance, which ends with a run without faults."""
    names = chance.choices(_NAMES, _WEIGHTS, k=count)
    commands = [Command(name, _CHOICES[name][1](chance)) for name in names]
    return [new_world(chance), *commands, Command("restore_cleanly", ("one",))]


def play(commands: t.Sequence[Command]) -> History:
    """Let a history happen. BrokenError if a promise is broken."""
    first, *rest = commands
    aws, desk, hides, knows = first.values
    history = new_history(aws, desk, hides_emails=hides, knows_us=knows)
    for command in rest:
        history.do(command.name, *command.values)
    return history


def broken(commands: t.Sequence[Command]) -> str:
    """The promise that a history breaks; empty if none."""
    try:
        play(commands)
    except BrokenError as error:
        return str(error).partition(":")[0]
    return ""


def shorten(commands: list[Command]) -> list[Command]:
    """Leave out what is not needed to break the same promise."""
    promise = broken(commands)
    size = max(1, len(commands) // 2)
    while size:
        place = 1
        while place < len(commands):
            shorter = commands[:place] + commands[place + size :]
            if broken(shorter) == promise:
                commands = shorter
            else:
                place += size
        size //= 2
    return _simplify(commands, promise)


def _simplify(commands: list[Command], promise: str) -> list[Command]:
    """Leave out the faults that are not needed."""
    plain = Setup()
    for place, command in enumerate(commands):
        values = list(command.values)
        for number, value in enumerate(command.values):
            if not isinstance(value, Setup):
                continue
            for name in ("mode", "unread", "slow", "refused", "unanswered", "posts", "reads"):
                simpler = Setup(**{**vars(values[number]), name: getattr(plain, name)})
                changed = Command(command.name, (*values[:number], simpler, *values[number + 1 :]))
                shorter = [*commands[:place], changed, *commands[place + 1 :]]
                if broken(shorter) == promise:
                    commands, values[number] = shorter, simpler
    return commands


def search(count: int, seed: int = 0, steps: int = STEPS) -> tuple[int, list[Command] | None, collections.Counter[str]]:
    """Try histories until one breaks a promise; return how many were tried, and that one."""
    twice: collections.Counter[str] = collections.Counter()
    for commands in KNOWN.values():
        if broken(commands):
            return 1, commands, twice
    for number in range(count):
        commands = choose(random.Random(seed * 1_000_003 + number), steps)
        try:
            twice.update(play(commands).twice)
        except BrokenError:
            return number + 1, commands, twice
    return count, None, twice


def explain(commands: t.Sequence[Command]) -> str:
    """A history and the promise that it breaks, for a message."""
    try:
        play(commands)
        message = "nothing is broken"
    except BrokenError as error:
        message = str(error)
    return "\n".join([*map(str, commands), message])


if __name__ == "__main__":
    tries, found, reasons = search(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0)
    print(f"{tries} histories; announced twice: {dict(reasons)}")
    if found:
        print(explain(shorten(found)))
