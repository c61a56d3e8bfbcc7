"""Photos in any state to a training set of 512×512 face crops, with a manifest and a report.

    python datapreprocess.py --input data/train --output data/train512

See docs/preprocessing.md.
"""

from __future__ import annotations

import argparse
import functools
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from common import argument_types, emotions
from common.errors import UserError, command
from common.flags import Switch
from common.progress import progress_bar
from common.version import NAME_AND_VERSION
from preprocessing import aihub

if TYPE_CHECKING:
    from preprocessing.output import Journal, ManifestRow, Output
    from preprocessing.plan import CropSettings, Task
    from preprocessing.survey import Survey

BATCH = 8  # photos a worker takes at a time: half a second's work


def build_parser() -> argparse.ArgumentParser:
    """Every flag."""
    parser = argparse.ArgumentParser(
        description="Crop the faces of a data set to 512x512: <input>/<emotion>/... to <output>/<emotion>/. "
        "The input may also be AI Hub data set 82 as downloaded, zips and label files included."
    )

    parser.add_argument("--version", action="version", version=NAME_AND_VERSION)

    def add(flag: str, text: str, **given: Any) -> None:
        parser.add_argument(flag, help=text, **given)

    add("--input", "folder of photos and zips (%(default)s)", type=Path, default=Path("data/train"))
    add("--output", "folder for crops, manifest and report (%(default)s)", type=Path, default=Path("data/train512"))
    add("--emotions", "emotions to keep, in any spelling; disgust and contempt, too (the five)", nargs="+",
        default=emotions.FIVE, metavar="NAME")  # fmt: skip
    add("--labels", "table that names each file and its emotion: CSV, or separated by semicolons, tabs or spaces",
        type=Path, metavar="FILE")  # fmt: skip
    add("--map", "what words or numbers of folders and --labels mean: --map 4=happy joie=happy", nargs="+", default=(),
        metavar="WORD=NAME")  # fmt: skip
    add("--min_agreement", "AI Hub: how many of the three annotators must agree; the crop is filed under what they "
        "agree on. 0: trust the uploader (%(default)s)", type=int, default=2, choices=range(4))  # fmt: skip
    add("--min_face", "leave out smaller faces (%(default)s)", type=argument_types.count, default=64, metavar="PIXELS")
    add("--pairs", "the same file name in every emotion's folder is the same person, pose and light: cut all photos of "
        "a person where the neutral one shows the face, and name them alike, for main.py --lambda_pair",
        action=Switch, default=False)  # fmt: skip
    add("--align", "turn each face until its eyes are level", action=Switch, default=False)
    add("--border", "beyond the photo's edge, soft: mirrored and blurred; repeat: the edge's pixels, as "
        "streaks (%(default)s)", choices=("soft", "repeat"), default="soft")  # fmt: skip
    add("--format", "of the crops (%(default)s)", choices=("jpg", "png"), default="jpg")
    add("--quality", "of JPEG crops, 1 to 100 (%(default)s)", type=argument_types.percent, default=95, metavar="1-100")
    add("--val_fraction", "share of each emotion's faces to hold out for testing, by person (%(default)s)",
        type=argument_types.fraction, default=0.0, metavar="0-1")  # fmt: skip
    add("--split", "person: hold out --val_fraction; folders: hold out what lies in folders named val or test, as "
        "data sets are divided (%(default)s)", choices=("person", "folders"), default="person")  # fmt: skip
    add("--val_output", "folder for the crops held out (OUTPUT_val)", type=Path)
    add("--person_pattern", "finds who is on a photo in its path below --input, or in its file name: the first "
        "group (AI Hub's: %(default)s)", default=aihub.PERSON_PATTERN, metavar="REGEX")  # fmt: skip
    add("--num_workers", "processes (the machine's cores: %(default)s); 0: none but this one",
        type=argument_types.whole, default=_cores(), metavar="N")  # fmt: skip
    add("--shard", "do the K-th of N parts, for N machines (%(default)s)", type=_shard, default="1/1", metavar="K/N")
    add("--merge", "make manifest and report out of the finished shards in OUTPUT", action=Switch, default=False)
    return parser


@command
def main(argv: list[str] | None = None) -> int:
    """Preprocess what the command line asks for: 0 if any face was kept, 1 if none was."""
    args = build_parser().parse_args(argv)

    from preprocessing.output import Output, merge_shards
    from preprocessing.report import write_report
    from preprocessing.summary import print_summary

    val = args.val_output or args.output.with_name(args.output.name + "_val")
    output = Output(args.output, val, args.shard)
    if args.merge:
        _report_joined(merge_shards(output))
    else:
        pattern_given = args.person_pattern != aihub.PERSON_PATTERN
        preprocess(read_settings(args), output, args.num_workers, pattern_given)
    if args.shard[1] > 1:
        print(f"when all {args.shard[1]} shards are done: python datapreprocess.py --merge --output {args.output}")
    else:
        write_report(output)
    return print_summary(output)


def read_settings(args: argparse.Namespace) -> CropSettings:
    """The settings that the arguments mean. Raises `UserError` where they mean nothing."""
    from preprocessing.plan import CropSettings
    from preprocessing.vocabulary import read_emotions, read_map

    if not args.input.is_dir():
        raise UserError(f"--input {args.input} is not a folder: give the folder that holds the photos")
    folder, output = args.input.resolve(), args.output.resolve()
    if output == folder or folder in output.parents:
        raise UserError(f"--output {args.output} lies inside --input {args.input}: the crops would be cropped again")
    _check_pattern(args.person_pattern)
    vocabulary = read_map(args.map)
    if args.split == "folders" and args.val_fraction:
        raise UserError("--split folders and --val_fraction exclude each other: one of them says what is held out")
    if args.pairs and args.align:
        raise UserError("--pairs and --align exclude each other: photos of a pair are cut alike, not turned one by one")
    return CropSettings(
        pairs=args.pairs,
        input=str(folder),
        emotions=read_emotions(args.emotions, vocabulary),
        min_agreement=args.min_agreement,
        min_face=args.min_face,
        align=args.align,
        format=args.format,
        quality=args.quality,
        val_fraction=args.val_fraction,
        person_pattern=args.person_pattern,
        labels=str(args.labels.resolve()) if args.labels else "",
        mapped=vocabulary.mapped,
        split=args.split,
        border=args.border,
    )


def _check_pattern(pattern: str) -> None:
    try:
        groups = re.compile(pattern).groups
    except re.error as error:
        raise UserError(f"--person_pattern {pattern} is no regular expression: {error}") from error
    if not groups:
        raise UserError(f"--person_pattern {pattern} has no group: put (…) around what names the person")


def preprocess(settings: CropSettings, output: Output, workers: int, pattern_given: bool) -> None:
    """Bring the output folder up to date with the input and write the manifest of this shard."""
    from common.worker_processes import WorkerDied
    from preprocessing.survey import survey

    found = survey(settings, pattern_given)
    for note in found.notes(settings):
        print(note)
    try:
        output.train.mkdir(parents=True, exist_ok=True)
        with output.alone():
            removed = _fill(settings, output, workers, found)
    except KeyboardInterrupt:
        print("\nstopped: the same command carries on from here", file=sys.stderr)
        raise SystemExit(130) from None
    except WorkerDied as error:
        raise UserError(
            "a worker process was killed, most likely because memory ran out: run the same command again with fewer "
            f"than --num_workers {workers}; what is finished stays"
        ) from error
    except OSError as error:
        raise UserError(
            f"cannot write to {error.filename or output.train} ({error.strerror or error}): repair that and run the "
            "same command again"
        ) from error
    if removed:
        print(f"{removed} crops removed whose photos or labels have changed")


def _fill(settings: CropSettings, output: Output, workers: int, found: Survey) -> int:
    """Do what is missing; how many crops were removed because their photos or labels have changed."""
    from common.worker_processes import map_in_processes
    from preprocessing.output import Journal, keep_settings
    from preprocessing.plan import plan

    keep_settings(output, settings)
    output.clear_parts()
    journal = Journal(output)
    current: set[str] = set()
    with progress_bar(round(found.count / output.shard[1]), "photos") as progress:
        waiting = _unfinished(plan(settings, found.labels, output.shard), journal, current, progress)
        work = functools.partial(_work, settings=settings, output=output)
        for rows in map_in_processes(work, waiting, workers, BATCH):
            journal.add(rows)
            progress.update(len(rows))
    removed, joined = journal.write_manifest(current)
    _report_joined(joined)
    return removed


def _report_joined(faces: int) -> None:
    if faces:
        print(f"{faces} faces stay in train though drawn to be held out: nearly the same pictures are there")


def _unfinished(tasks: Iterator[Task], journal: Journal, current: set[str], progress: tqdm) -> Iterator[Task]:
    """The tasks that need a worker. All are noted in `current`; those left out unopened are done at once."""
    from preprocessing.output import left_out

    for task in tasks:
        current.add(task.digest)
        if task.digest in journal.done:
            progress.update()
        elif task.left_out:
            journal.add([(task.digest, left_out(task, task.left_out))])
            progress.update()
        else:
            yield task


def _work(tasks: list[Task], settings: CropSettings, output: Output) -> list[tuple[str, ManifestRow]]:
    """What a worker does with a batch."""
    from preprocessing.crop import crop_photo

    return [(task.digest, crop_photo(task, settings, output)) for task in tasks]


def _cores() -> int:
    """The cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _shard(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d+)/(\d+)", text)
    if not match or not 1 <= int(match[1]) <= int(match[2]):
        raise argparse.ArgumentTypeError(f"{text} is not K/N with K from 1 to N, as in 2/8")
    return int(match[1]), int(match[2])


if __name__ == "__main__":
    sys.exit(main())
