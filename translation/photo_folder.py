"""Test mode: every photo of a folder, translated to every emotion, into a folder of results."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

from tqdm import tqdm

from checkpointing import network_files
from checkpointing.trained_generator import TrainedGenerator, load_generator
from common import emotions
from common.errors import UserError
from common.whole_files import told_unwritable
from imaging.image_folder import find_images
from imaging.photo import MAX_DECODED_PIXELS, SUFFIXES, Photo, UnreadablePhoto
from translation.default_generator import of_command_line
from translation.foreign_checkpoints import foreign_settings
from translation.results import PageEntry, Results, names_of, save, write_page
from translation.translator import How, Original, Translation, Translator

KEPT = "results from an earlier run, kept"


def translate_folder(config: argparse.Namespace, given: set[str]) -> int:
    """Translate every photo that `config.image_path` names, into `config.result_dir`; returns the exit code.

    `given` are the flags that stood on the command line: those that contradict the checkpoint are refused.
    0 when a photo has results, 1 when none has.
    """
    folder = Path(config.result_dir)
    photos: dict[Path, Path] = {}  # each with its place below what was named
    for source in map(Path, config.image_path):
        top = source.parent if source.is_file() else source
        photos |= {photo: photo.relative_to(top) for photo in find_photos(source, folder)}
    with translator_for(config, given) as translator:
        wanted = _wanted(config.emotions, translator.domains)
        names = names_of(list(photos.values()), translator.domains, config.format)
        places = {photo: Results(folder, name, config.format) for photo, name in zip(photos, names, strict=True)}
        _refuse_to_replace_photos(places)
        with told_unwritable(f"--result_dir {folder}"):
            folder.mkdir(parents=True, exist_ok=True)
            run = FolderRun(translator, places, config, wanted)
            rows = run.rows()
            page = write_page(folder, rows, wanted)
    _tell(rows, page, run)
    return 0 if any(row.results for row in rows) else 1


class FolderRun:
    """One pass over photos; `places` says where the results of each go."""

    def __init__(
        self,
        translator: Translator,
        places: dict[Path, Results],
        config: argparse.Namespace,
        wanted: Sequence[str],
    ) -> None:
        self._translator = translator
        self._how = How(config.strength, wanted)
        self._places = places
        self._config = config
        self._rows: dict[Path, PageEntry] = {}
        self.found = self.translated = 0  # faces

    def rows(self) -> list[PageEntry]:
        """Translate and save every photo; yields what to say about each, in order."""
        with tqdm(total=len(self._places), unit="photo", mininterval=1.0) as progress:
            for translation in self._translator.translate_many(self._readable(), self._config.face, self._how):
                self._save(translation)
                progress.update(len(self._rows) - progress.n)
            progress.update(len(self._rows) - progress.n)
        return [self._rows[photo] for photo in self._places]

    def _readable(self) -> Iterator[Original]:
        """Each photo that can be read and has no results yet."""
        for path, results in self._places.items():
            if results.strip.exists() and not self._config.overwrite:
                self._rows[path] = PageEntry(str(path), results, KEPT)
                continue
            try:
                photo = Photo(path)
                pixels = photo.pixels()
            except UnreadablePhoto as reason:
                self._rows[path] = PageEntry(str(path), None, str(reason))
                continue
            yield Original(pixels, path, photo.icc_profile, _reduced(photo, pixels.shape[1], pixels.shape[0]))

    def _save(self, translation: Translation) -> None:
        photo = translation.photo
        results = self._places[photo.path]
        left, found = translation.without_mesh, len(translation.faces)
        self.found += found
        self.translated += found - left
        if not translation.results:
            self._rows[photo.path] = PageEntry(str(photo.path), None, translation.problem)
            return
        save(photo.pixels, translation.results, results, self._config.quality, photo.icc_profile)
        notes = "; ".join(filter(None, (photo.note, _faces_told(found, left))))
        self._rows[photo.path] = PageEntry(str(photo.path), results, notes)


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


def translator_for(config: argparse.Namespace, given: set[str]) -> Translator:
    """The translator that the command line asks for, after refusing flags that contradict it."""
    trained = load_generator(of_command_line(config, given), **foreign_settings(config))
    _refuse_contradictions(config, given, trained)
    if trained.published:
        print(f"no config.json beside {trained.path}: it is shown faces as the published repo's networks saw them")
    return Translator.of(trained, config.amp, config.backend, config.detail)


def _refuse_contradictions(config: argparse.Namespace, given: set[str], trained: TrainedGenerator) -> None:
    told = {flag: getattr(config, flag) for flag in given & {"g_conv_dim", "g_repeat_num", "c_dim"}}
    network_files.require(trained.architecture, trained.path, told)
    for flag in ("image_size", "crop_size", "d_conv_dim", "d_repeat_num"):
        if trained.config and flag in given and trained.config["arguments"][flag] != getattr(config, flag):
            has = trained.config["arguments"][flag]
            raise UserError(
                f"{trained.path} was trained with --{flag} {has}, and --{flag} says {getattr(config, flag)}: "
                f"leave the flag out, or use another checkpoint"
            )
