"""Test mode: every photo of a folder, translated to every emotion, into a folder of results."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from checkpointing import default_generator, network_files
from checkpointing.default_generator import of_command_line
from checkpointing.foreign_checkpoints import foreign_settings
from checkpointing.trained_generator import TrainedGenerator, load_generator
from common import emotions
from common.errors import UserError
from common.pretrained_files import sha256
from common.progress import progress_bar
from common.settings import NetworkSettings, UseSettings
from common.whole_files import unwritable_reported
from imaging.image_folder import find_images
from imaging.photo import MAX_DECODED_PIXELS, SUFFIXES, Photo, UnreadablePhoto
from translation.result_check import Check
from translation.result_ledger import Ledger, PhotoRecord, records_of
from translation.results import PageEntry, Results, places_of, save, write_page
from translation.translator import How, Original, Translation, Translator

KEPT = "results from an earlier run, kept"


def translate_folder(
    models: Path, use: UseSettings, networks: NetworkSettings, amp: str, given: Collection[str]
) -> int:
    """Translate every photo that `use.image_path` names, with a generator of the folder `models`.

    `given` are the flags that stood on the command line: those that contradict the checkpoint are refused.
    Returns the exit code: 0 when a photo has results, 1 when none has.
    """
    folder = use.result_dir
    photos: dict[Path, Path] = {}  # each with its place below what was named
    for source in use.image_path:
        top = source.parent if source.is_file() else source
        photos |= {photo: photo.relative_to(top) for photo in find_photos(source, folder)}
    path = of_command_line(models, use.test_iters, given)
    trained = load_generator(path, **foreign_settings(networks, use.sample_label_dir))
    _refuse_contradictions(networks, given, trained)
    if trained.published:
        print(f"no config.json beside {trained.path}: it is shown faces as the published repo's networks saw them")
    with Translator.of(trained, amp, use.backend, use.detail) as translator:
        wanted = _wanted(use.emotions, translator.domains)
        with unwritable_reported(f"--result_dir {folder}"):
            folder.mkdir(parents=True, exist_ok=True)
            milder = "strength" not in given and use.detail == "photo"
            run = FolderRun(translator, use, How(use.strength, wanted, milder), path)
            run.find_places(photos, folder)
            rows = run.rows()
            page = write_page(folder, run.ledger.photos(), [row for row in rows if not row.results])
    _tell(rows, page, run)
    return 0 if any(row.results for row in rows) else 1


class FolderRun:
    """One pass over photos, with the generator of the file `path`."""

    def __init__(self, translator: Translator, use: UseSettings, how: How, path: Path) -> None:
        self._translator = translator
        self._how = how
        self._use = use
        self._made_by: dict[str, Any] = {
            "generator": path.name,
            "trained_on": default_generator.TRAINED_ON[default_generator.choice_of(path, "own").trained_on],
            "detail": use.detail,
            "strength": use.strength,
        }
        self.ledger = Ledger(use.result_dir)
        self._places: dict[Path, Results] = {}
        self._hashes: dict[Path, str] = {}
        self._rows: dict[Path, PageEntry] = {}
        self.found = self.translated = self.doubtful = 0  # faces, and results that are weak or failed

    def find_places(self, photos: Mapping[Path, Path], folder: Path) -> None:
        """Decide where the results of each photo go; `photos` are paths, by each its path below one folder."""
        self._hashes = {photo: _hash(photo) for photo in photos}
        domains, suffix = self._translator.domains, self._use.format
        self._places = places_of(photos, self._hashes, folder, domains, suffix, self.ledger)
        _refuse_to_replace_photos(self._places)

    def rows(self) -> list[PageEntry]:
        """Translate and save every photo; what to say about each, in order."""
        try:
            self._translate()
        finally:
            self.ledger.write()
        return [self._rows[photo] for photo in self._places]

    def _translate(self) -> None:
        with progress_bar(len(self._places), "photos") as progress:
            for translation in self._translator.translate_many(self._readable(), self._use.face, self._how):
                self._save(translation)
                progress.update(len(self._rows) - progress.n)
            progress.update(len(self._rows) - progress.n)

    def _readable(self) -> Iterator[Original]:
        """Each photo that can be read and has no results yet."""
        for path, results in self._places.items():
            if not self._use.overwrite and self._is_done(results):
                self._rows[path] = PageEntry(str(path), results, KEPT)
                continue
            try:
                photo = Photo(path)
                pixels = photo.pixels()
            except UnreadablePhoto as reason:
                self._rows[path] = PageEntry(str(path), None, str(reason))
                continue
            yield Original(pixels, path, photo.icc_profile, _reduced(photo, pixels.shape[1], pixels.shape[0]))

    def _is_done(self, results: Results) -> bool:
        """Whether an earlier run made all that is wanted."""
        record = self.ledger.of(results.name, results.suffix)
        return record is not None and results.strip.exists() and set(self._how.domains) <= set(record.emotions)

    def _save(self, translation: Translation) -> None:
        photo = translation.photo
        results = self._places[photo.path]
        left, found = translation.without_mesh, len(translation.faces)
        self.found += found
        self.translated += found - left
        if not translation.results:
            self._rows[photo.path] = PageEntry(str(photo.path), None, translation.problem)
            return
        notes = "; ".join(filter(None, (photo.note, _faces_told(found, left), *_calm_told(translation))))
        results.strip.unlink(missing_ok=True)  # with it the results would be complete
        self._record(translation, results, notes)
        save(translation, results, self._use.quality)
        self.doubtful += sum(c.state != "good" for c in translation.checks.values())
        told = "; ".join(filter(None, (notes, _checks_told(translation.checks.values()))))
        self._rows[photo.path] = PageEntry(str(photo.path), results, told)

    def _record(self, translation: Translation, results: Results, note: str) -> None:
        domains = list(translation.results)
        files = {domain: results.of(domain).relative_to(results.folder).as_posix() for domain in domains}
        path = translation.photo.path
        self.ledger.add(
            PhotoRecord(
                photo=str(path),
                sha256=self._hashes[path],
                name=results.name,
                suffix=results.suffix,
                emotions=domains,
                note=note,
                results=records_of(translation.checks, files),
                **self._made_by,
            )
        )


def _hash(photo: Path) -> str:
    """Of a photo's file; of none that can't be read, which is then left out with the reason."""
    try:
        return sha256(photo)
    except OSError:
        return ""


def _calm_told(translation: Translation) -> Iterator[str]:
    """What is said of each face that is not calm, or not free."""
    for number, shows in translation.notes.items():
        of = f"face {number}: " if len(translation.faces) > 1 else ""
        yield f"{of}{', '.join(shows)}: calm faces, with nothing in front of them, come out best"


def _checks_told(checks: Collection[Check]) -> str:
    """How many results moved less far than they might, and how many are weak or failed; "" where all are good."""
    less_far = sum(bool(check.held_back) for check in checks)
    states = Counter(check.state for check in checks if check.state != "good")
    told = [f"{less_far} moved less far, as the page says why"] if less_far else []
    return ", ".join([*told, *(f"{n} {state}" for state, n in states.items())])


def _faces_told(found: int, left: int) -> str:
    """What to say of a photo's faces; "" of a single one that was translated."""
    if left:
        return f"{left} of {found} faces left as they were: no face mesh in them"
    return f"{found} faces found and translated" if found > 1 else ""


def _reduced(photo: Photo, width: int, height: int) -> str:
    """What to say of a photo that was too large to be read as it is; "" of any other."""
    if width == photo.width:
        return ""
    largest = MAX_DECODED_PIXELS // 1_000_000
    return (
        f"results are {width}x{height}, not {photo.width}x{photo.height}: above {largest} megapixels a photo is reduced"
    )


def _tell(rows: list[PageEntry], page: Path, run: FolderRun) -> None:
    """The summary, on the terminal."""
    kept = sum(row.note == KEPT for row in rows)
    new = sum(row.results is not None for row in rows) - kept
    faces = f"{run.translated} faces" if run.translated == run.found else f"{run.translated} of {run.found} faces"
    print(f"{new} of {len(rows)} photos translated, {faces}; look at {page}")
    if run.doubtful:
        print(f"  {run.doubtful} results are weak or failed: the page says which, and why")
    if kept:
        print(f"  {kept} had results from an earlier run: --overwrite replaces them")
    for row in rows:
        if row.results is None:
            print(f"  left out {row.photo}: {row.note}")
        elif row.note and row.note != KEPT:
            print(f"  {row.photo}: {row.note}")


def find_photos(source: Path, result_dir: Path) -> list[Path]:
    """The photo `source`, or the photos below that folder but for those below `result_dir`."""
    if source.is_file():
        return [source]
    if not source.is_dir():
        raise UserError(f"there is no photo or folder {source}: name one with --image_path")
    results = result_dir.resolve()
    if results == source.resolve():
        raise UserError(f"--result_dir {result_dir} is the photos' own folder: name another one")
    photos = [Path(path) for path in find_images(source, SUFFIXES | {""})]
    photos = [p for p in photos if results not in p.resolve().parents and (p.suffix or _is_photo(p))]
    if not photos:
        raise UserError(f"{source} holds no photo: put some there, or name another --image_path")
    return photos


def _wanted(named: Sequence[str] | None, domains: Sequence[str]) -> list[str]:
    """Of the generator's domains those that the command line names, by whatever word."""
    if not named:
        return list(domains)
    meanings = {emotions.canonical(domain) or emotions.fold(domain): domain for domain in domains}
    wanted = [meanings.get(emotions.canonical(word) or emotions.fold(word)) for word in named]
    for word, domain in zip(named, wanted, strict=True):
        if domain is None:
            raise UserError(f"--emotions {word}: this generator has {', '.join(domains)}")
    return [domain for domain in domains if domain in wanted]


def _is_photo(path: Path) -> bool:
    """Whether a file is a photo whose name does not say so."""
    try:
        Photo(path)
    except UnreadablePhoto:
        return False
    return True


def _refuse_to_replace_photos(places: dict[Path, Results]) -> None:
    """Results beside the photos could have a photo's name."""
    for photo, results in places.items():
        if results.strip.exists() and results.strip.samefile(photo):
            raise UserError(f"the results would replace {photo} itself: name another --result_dir")


def _refuse_contradictions(networks: NetworkSettings, given: Collection[str], trained: TrainedGenerator) -> None:
    """Raise `UserError` where a flag that stood on the command line is not what the generator was trained with."""
    told = {flag: getattr(networks, flag) for flag in ("g_conv_dim", "g_repeat_num", "c_dim") if flag in given}
    network_files.require(trained.architecture, trained.path, told)
    for flag in ("image_size", "crop_size", "d_conv_dim", "d_repeat_num"):
        if trained.config and flag in given and trained.config["arguments"][flag] != getattr(networks, flag):
            has = trained.config["arguments"][flag]
            raise UserError(
                f"{trained.path} was trained with --{flag} {has}, and --{flag} says {getattr(networks, flag)}: "
                f"leave the flag out, or use another checkpoint"
            )
