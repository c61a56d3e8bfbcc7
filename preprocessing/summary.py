"""What preprocessing says at its end, on the terminal."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field

from imaging import close_ups
from preprocessing.output import Output, read_rows, read_settings_file
from preprocessing.plan import NO_EMOTION, NOT_UNDERSTOOD
from preprocessing.vocabulary import Vocabulary

EXAMPLES = 8  # folders or words that are named


@dataclass
class _Counts:
    kept: dict[str, Counter[str]] = field(default_factory=lambda: {"train": Counter(), "val": Counter()})
    persons: dict[str, set[str]] = field(default_factory=lambda: {"train": set(), "val": set()})
    nameless: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    details: defaultdict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))  # reason: what

    def add(self, row: dict[str, str]) -> None:
        if row["kept"] == "1":
            self.kept[row["split"]][row["emotion"]] += 1
            self.persons[row["split"]].add(row["person"])
            self.nameless += not row["person"]
            return
        reason, _, detail = row["reason"].partition(" (")
        self.reasons[reason] += 1
        if reason == NO_EMOTION:
            self.details[reason][row["source"].rpartition("/")[0].rpartition("/")[2] or "the folder itself"] += 1
        elif reason == NOT_UNDERSTOOD:
            self.details[reason][detail.removesuffix(")")] += 1


def print_summary(output: Output) -> int:
    """Say what became of the files; 0 if any face was kept, 1 if none was."""
    counts = _Counts()
    for row in read_rows(output.manifest):
        counts.add(row)
    kept = counts.kept
    print(f"kept {_faces(kept['train'])} in {output.train}")
    if kept["val"]:
        print(f"held out {_faces(kept['val'])} in {output.val}")
        few = sorted(emotion for emotion in kept["train"] if kept["val"][emotion] < 2)
        if few:
            print(f"warning: fewer than two faces of {', '.join(few)} are held out, and --mode eval needs two")
    print(_persons(counts))
    for reason, count in counts.reasons.most_common():
        print(f"left out {count}: {reason}{_examples(counts.details[reason])}")
    if not (kept["train"] or kept["val"]):
        words = Vocabulary(tuple(map(tuple, read_settings_file(output).get("mapped", [])))).words
        print(f"the words that are understood, in any case: {', '.join(words)}; --map WORD=NAME adds to them")
    if advice := close_ups.advice(close_ups.clear_sizes(read_rows(output.manifest))):
        print(f"warning: {advice}")
    report = output.train / "report.html"
    print(f"see {output.manifest}" + (f" and {report}" if report.exists() and output.shard[1] == 1 else ""))
    return 0 if kept["train"] or kept["val"] else 1


def _faces(faces: Counter[str]) -> str:
    counts = ", ".join(f"{emotion} {count}" for emotion, count in sorted(faces.items()))
    return f"{faces.total()} faces" + (f" ({counts})" if counts else "")


def _persons(counts: _Counts) -> str:
    train, val = (counts.persons[split] - {""} for split in ("train", "val"))
    if not train | val:
        return "persons: not known, so each photo counts as another one's (--person_pattern reads them off the paths)"
    nameless = f"; nothing says who is on {counts.nameless} faces" if counts.nameless else ""
    both = f"; {len(train & val)} on both sides, as the folders have them" if train & val else ""
    return f"persons: {len(train)} in train, {len(val)} held out{both}{nameless}"


def _examples(details: Counter[str]) -> str:
    if not details:
        return ""
    shown = ", ".join(f"{what} {count}" for what, count in details.most_common(EXAMPLES))
    word = next(iter(details))
    return f": {shown}{' ...' if len(details) > EXAMPLES else ''} (--map {word}=happy would say what {word} means)"
