"""What the child does before the mirror: whose turn it is, the pictures of its own tries, when it is over."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Try:
    """A child's own face, as a JPEG, whether it reached its emotion and held it, or came closer than the first one."""

    picture: bytes
    reached: bool
    closer: bool = False


@dataclass
class Play:
    """The tries of one child, by emotion. It lives in this browser session only."""

    tries: dict[str, list[Try]] = field(default_factory=dict)
    comparing: bool = False  # the last try of the emotion is shown beside the model
    resting: bool = False
    over: bool = False
    began: float | None = None  # on a steady clock, in seconds

    def add(self, emotion: str, tried: Try) -> None:
        """The child's newest try, to be looked at."""
        self.tries.setdefault(emotion, []).append(tried)
        self.comparing = True

    def try_again(self, emotion: str) -> None:
        """The child would rather try once more; a try that reached the emotion keeps its star."""
        if not self.tries[emotion][-1].reached:
            self.tries[emotion].pop()
        self.comparing = False

    def has_star(self, emotion: str) -> bool:
        """Whether one of the kept tries reached the emotion."""
        return any(tried.reached for tried in self.tries.get(emotion, ()))

    def best(self, emotion: str) -> Try | None:
        """The newest try that reached it, else the newest."""
        tries = self.tries.get(emotion, [])
        return next((tried for tried in reversed(tries) if tried.reached), tries[-1] if tries else None)

    def next(self, emotion: str, order: tuple[str, ...], rounds: int) -> str | None:
        """The next emotion with a turn left, going round from `emotion`; None where all are through."""
        at = order.index(emotion) + 1 if emotion in order else 0
        for name in order[at:] + order[:at]:
            if len(self.tries.get(name, ())) < rounds:
                return name
        return None

    def time_is_up(self, now: float, minutes: int) -> bool:
        """Whether it has gone on for so many minutes; 0 is no limit."""
        return bool(minutes) and self.began is not None and now - self.began >= 60 * minutes
