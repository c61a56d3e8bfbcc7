"""Each benchmark that is quick in a small size still runs to its table. What it measures is not looked at."""

import os
import re

import pytest

SMALL = {
    "training.py": "--image_size 32 --conv_dim 8 --batch_size 2 --d_repeat_num 3 --rounds 1 --iterations 10",
    "data_pipeline.py": "--image_dir {drawn} --image_size 32 --batch_size 2 --rounds 1 --seconds 0.1",
}
LAST = {  # what the last part of each measures
    "training.py": r"`--gradient_checkpointing` \| \d",
    "data_pipeline.py": r"`--cache` \| 2 \| \d",
}


@pytest.mark.slow
@pytest.mark.parametrize("name", SMALL)
def test_a_benchmark_runs(cli, drawn, name):
    words = SMALL[name].format(drawn=drawn).split()
    alone = {**os.environ, "OMP_NUM_THREADS": "1"}  # threads that share their core with others wait for each other
    ended = cli(f"benchmarks/{name}", *words, timeout=400, env=alone)
    assert ended.returncode == 0, ended.stderr
    assert re.search(LAST[name], ended.stdout), ended.stdout
