"""The page's coach (apps/page/web/feedback.js), run by node on readings of faces."""

from __future__ import annotations

import json
import shutil
import subprocess

from conftest import ROOT

from apps import expression_rules

NODE = shutil.which("node")

PROGRAM = f"""
    import {{ Coach, Visit }} from {json.dumps((ROOT / "apps/page/web/feedback.js").as_uri())};
    let text = "";
    for await (const part of process.stdin) text += part;
    const {{ table, runs }} = JSON.parse(text);
    const visits = {{}};
    console.log(JSON.stringify(runs.map(({{ emotion, rest, level, visit, hold, eases, frames }}) => {{
        const own = visit ? (visits[visit] ??= new Visit()) : null;
        const rules = {{ ...table, holdSeconds: hold ?? table.holdSeconds }};
        const coach = new Coach(rules, emotion, rest ?? null, level ?? table.difficulty.usual, own, eases ?? true);
        return frames.map(({{ face, seconds, turned }}) => ({{
            ...coach.see(face, seconds, turned ?? 0),
            best: coach.best,
            clock: coach.clock,
            rest: coach.rest,
        }}));
    }})));
"""


def coached(*runs):
    """What the coach says to each run: a moment for each frame, with the coach's best, clock and rest.

    A run is {"emotion", "frames": [{"face", "seconds", "turned"}]}, and if wanted "rest", "level", "hold" seconds,
    whether it "eases", and the name of a "visit" that several runs share.
    """
    command = [NODE, "--input-type=module", "--eval", PROGRAM]
    given = json.dumps({"table": expression_rules.as_json(), "runs": runs})
    answer = subprocess.run(command, input=given, capture_output=True, text=True, check=True, timeout=100)
    return json.loads(answer.stdout)


def film(*parts, since=0.0, rate=10):
    """Frames of faces one after the other: (face, seconds) or (face, seconds, degrees turned away)."""
    frames = []
    for face, seconds, *turned in parts:
        first = len(frames)
        frames += [
            {"face": face, "seconds": since + (first + i) / rate, "turned": turned[0] if turned else 0}
            for i in range(round(seconds * rate))
        ]
    return frames
