"""Kill one training run with SIGKILL at random moments, resume it each time, and compare it with an unbroken run.

    OMP_NUM_THREADS=1 python benchmarks/kill_training.py --kills 50

Weights, optimisers, scores.csv and every TensorBoard scalar but the speed must be equal, bit for bit. Most kills wait
for an iteration, so that they fall into training, not into imports.
"""

from __future__ import annotations

import argparse
import csv
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))


def flags(folder: Path, image_dir: Path, judge: Path, num_iters: int) -> list[str]:
    """A tiny run that saves, samples and scores often; many of its moments are moments of a save."""
    values = {
        "image_dir": image_dir, "image_size": 32, "g_conv_dim": 8, "d_conv_dim": 8, "g_repeat_num": 1,
        "d_repeat_num": 3, "batch_size": 4, "num_iters": num_iters, "num_iters_decay": num_iters // 2,
        "lr_update_step": 10, "num_workers": 1, "ema_decay": 0.9, "log_step": 7, "sample_step": 50,
        "model_save_step": 5, "keep_last": 3, "keep_every": 100, "fid_features": "emotion", "emotion_model": judge,
        "fid_sample_size": 10, **{f"{n}_dir": folder / n for n in ("log", "model_save", "sample", "result")},
    }  # fmt: skip
    return [word for name, value in values.items() for word in (f"--{name}", str(value))]


def a_judge(path: Path) -> Path:
    """A small untrained judge: scores need not be good here, only the same."""
    import timm
    import torch

    from checkpointing.judge_file import IMAGENET_MEAN, IMAGENET_STD, Judge, save_judge

    torch.manual_seed(0)
    classes = ("Surprise", "Sadness", "Anger", "Happiness", "Fear")
    network = timm.create_model("test_efficientnet", num_classes=len(classes))
    save_judge(path, Judge("test_efficientnet", classes, 32, IMAGENET_MEAN, IMAGENET_STD, None, network.state_dict()))
    return path


def live(words: Sequence[str], output: Path, kill_after: tuple[int, float] | None) -> int | None:
    """Run `main.py`; its exit code, or None if killed.

    `kill_after`: the iteration to wait for (0: none), and the seconds from then to SIGKILL.
    """
    before = output.stat().st_size if output.exists() else 0
    with output.open("a") as log:
        run = subprocess.Popen([sys.executable, str(ROOT / "main.py"), *map(str, words)], stdout=log, stderr=log)
    if kill_after:
        iteration, seconds = kill_after
        while iteration and _reached(output, before) < iteration and run.poll() is None:
            time.sleep(0.01)
        time.sleep(seconds)
        run.kill()
    code = run.wait()
    return None if code < 0 else code


def _reached(output: Path, before: int) -> int:
    """The last iteration logged since the file had `before` bytes."""
    return max((int(i) for i in re.findall(rb"^\[(\d+)/", output.read_bytes()[before:], re.MULTILINE)), default=0)


def scalars(log_dir: Path) -> dict[str, list[tuple[int, float]]]:
    """Every scalar of a TensorBoard folder as its reader shows it, but the speed."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    board = EventAccumulator(str(log_dir), size_guidance={"scalars": 0}).Reload()
    tags = [tag for tag in board.Tags()["scalars"] if tag != "iterations_per_second"]
    return {tag: [(event.step, event.value) for event in board.Scalars(tag)] for tag in tags}


def differences(straight: Path, broken: Path, num_iters: int) -> list[str]:
    """What is not equal between two finished runs."""
    import torch

    from checkpointing import tensor_file, training_sets
    from checkpointing.tensor_file import tensors_of

    found = []
    for name in (num_iters, "best"):
        for part in training_sets.PARTS:
            a, b = (
                tensors_of(tensor_file.read(training_sets.path_of(run / "model_save", name, part)))
                for run in (straight, broken)
            )
            if a.keys() != b.keys() or not all(torch.equal(a[key], b[key]) for key in a):
                found.append(f"{name}-{part}.ckpt")
    for name in ("scores.csv", "losses.csv"):
        tables = [list(csv.reader((run / "model_save" / name).open(newline=""))) for run in (straight, broken)]
        if tables[0] != tables[1]:
            found.append(name)
    boards = [scalars(run / "log") for run in (straight, broken)]
    found += [f"TensorBoard {t}" for t in boards[0].keys() | boards[1].keys() if boards[0].get(t) != boards[1].get(t)]
    names = [sorted(p.name for p in (run / "model_save").glob("*")) for run in (straight, broken)]
    if names[0] != names[1]:
        found.append(f"files {sorted(set(names[0]) ^ set(names[1]))}")
    return found


def compare(work: Path, image_dir: Path, kills: int, num_iters: int, seed: int) -> int:
    """Run straight, run with kills, compare, and print the figures; returns the exit code."""
    judge = a_judge(work / "judge.pt")
    straight, broken = work / "straight", work / "broken"
    began = time.monotonic()
    if live(flags(straight, image_dir, judge, num_iters), work / "straight.txt", None) != 0:
        print((work / "straight.txt").read_text())
        return 1
    whole = time.monotonic() - began
    chance = random.Random(seed)
    words, output_file, codes = flags(broken, image_dir, judge, num_iters), work / "broken.txt", Counter[str]()
    for number in range(kills):
        resume = "latest" if any((broken / "model_save").glob("*-state.ckpt")) else "0"
        # Four in five while it trains, each a little further on; the others while it starts.
        target = num_iters * number // (kills + 1) if chance.random() < 0.8 else 0
        moment = (target, chance.uniform(0, 0.15 if target else 1.5))
        output_file.touch()
        code = live([*words, "--resume_iters", resume], output_file, moment)
        codes["killed" if code is None else f"ended with {code}"] += 1
        halfway = len(list((broken / "model_save").glob(".*.ckpt.*")))
        codes["killed during a save"] += bool(halfway)
        print(f"life {number + 1}: {dict(codes)}", flush=True)
    code = live([*words, "--resume_iters", "latest"], output_file, None)
    wrong = differences(straight, broken, num_iters)
    print(f"unbroken run: {whole:.1f} s for {num_iters} iterations; {dict(codes)}; last life ended with {code}")
    print(f"different: {', '.join(wrong)}" if wrong else "equal: weights, optimisers, scores.csv, TensorBoard scalars")
    return int(bool(wrong) or code != 0)


def main_() -> int:
    """Parse, draw faces, compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--num_iters", type=int, default=1600)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    work = Path(tempfile.mkdtemp(prefix="kill-training-"))
    try:
        from imaging import draw_faces

        draw_faces.main(["--output", str(work / "train"), "--per_emotion", "6", "--seed", "0"])
        return compare(work, work / "train", args.kills, args.num_iters, args.seed)
    finally:
        shutil.rmtree(work)


if __name__ == "__main__":
    sys.exit(main_())
