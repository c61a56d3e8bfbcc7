"""Does bfloat16 train as well as float32? The demo's training with both, over several seeds, as a table.

    python benchmarks/precision.py [--seeds 0 1 2] [--num_iters 2250] [--per_emotion 300]

The judge is trained once, and the same for all. What a run's last generator makes of people nobody was trained on is
measured in float32 whatever it was trained in; of the score, lower is better.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import demo

ROOT = Path(__file__).resolve().parent.parent

FINAL_SHARE = 0.44  # share of the iterations over which the demo's learning rates fall


def run(command: str, folder: Path) -> float:
    """Run one of the demo's commands, its files in `folder`; the seconds it took."""
    began = time.perf_counter()
    words = command.replace(str(demo.DEMO), str(folder)).split()
    ended = subprocess.run([sys.executable, *words], cwd=ROOT, capture_output=True, text=True)
    if ended.returncode:
        sys.exit(f"{command}\n{ended.stderr}")
    return time.perf_counter() - began


def train(folder: Path, amp: str, seed: int, num_iters: int) -> dict[str, float]:
    """One run: the score of its last generator, the judge's accuracy on its translations, and seconds an iteration."""
    models = folder / f"{amp}-{seed}"
    paths = {f"{demo.DEMO}/models ": f"{models} ", f"--result_dir {demo.RESULTS}": f"--result_dir {models}/results"}
    training = f"{demo.TRAIN} {demo.ON_CPU} --num_iters {num_iters} --num_iters_decay {int(num_iters * FINAL_SHARE)}"
    training += f" --sample_step {num_iters // 3} --amp {amp} --seed {seed}"
    evaluation = demo.EVALUATE.replace("best latest", "latest")
    for there, here in paths.items():
        training, evaluation = training.replace(there, here), evaluation.replace(there, here)
    seconds = run(training, folder)
    run(f"{evaluation} --amp off", folder)
    (measured,) = json.loads((models / "results" / "eval.json").read_text())["checkpoints"]
    return {
        "score": measured["score"],
        "judge right": measured["translated_accuracy"],
        "s an iteration": seconds / num_iters,
    }


def main() -> None:
    """Train, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--num_iters", type=int, default=2250)
    parser.add_argument("--per_emotion", type=int, default=300)
    args = parser.parse_args()
    found: dict[str, list[dict[str, float]]] = {"off": [], "bf16": []}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        run(f"-m imaging.draw_faces --output {folder}/train --per_emotion {args.per_emotion} --seed 0", folder)
        run(f"datapreprocess.py --input {folder}/train --output {folder}/train512", folder)
        run(demo.TRAIN_JUDGE, folder)
        people = f"--per_emotion {demo.PEOPLE} --seed 1 --same_identities --emotions {' '.join(demo.FIVE)}"
        run(f"-m imaging.draw_faces --output {folder}/held_out {people}", folder)
        run(f"datapreprocess.py --input {folder}/held_out --output {folder}/held_out512", folder)
        for seed in args.seeds:
            for amp, rows in found.items():
                rows.append(train(folder, amp, seed, args.num_iters))
                print(amp, seed, rows[-1], file=sys.stderr, flush=True)
    threads = os.environ.get("OMP_NUM_THREADS", "all")
    print(f"{args.num_iters} iterations, {5 * args.per_emotion} faces, {threads} threads\n")
    print(f"| `--amp` | seed | {' | '.join(found['off'][0])} |\n| --- | --- | --- | --- | --- |")
    for amp, rows in found.items():
        for seed, row in zip(args.seeds, rows, strict=True):
            print(f"| {amp} | {seed} | " + " | ".join(f"{value:.3g}" for value in row.values()) + " |")
        for what, of in (("mean", statistics.mean), ("standard deviation", statistics.stdev)) if len(rows) > 1 else ():
            print(f"| {amp} | {what} | " + " | ".join(f"{of([row[c] for row in rows]):.2g}" for c in rows[0]) + " |")


if __name__ == "__main__":
    main()
