"""The stream of training batches: what a sample is, who gets it, and what happens to images that can't be read."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from common.errors import UserError
from data_loader import FaceLoading, training_batches
from imaging import image_folder, photo
from imaging.face_crop import load_crop
from imaging.image_folder import LabelledImages, read_folder
from loading import decoded_cache
from loading.sample_stream import BalancedShuffle, EndlessShuffle, Shuffle
from loading.unreadable import Unreadable

CPU = torch.device("cpu")


def stream(images, say=print, **changes):
    """Training batches of `images`, small and quick unless `changes` say otherwise."""
    of_faces = {"crop_size": 448, "image_size": 32, "seed": 3}
    of_faces |= {name: changes.pop(name) for name in ("crop_size", "pairs", "pair_from", "augment") if name in changes}
    settings = {"batch_size": 4, "num_workers": 0, "device": CPU}
    return training_batches(images, Unreadable(images, say), FaceLoading(**of_faces), **settings | changes)


def pictures_in(folder, count, broken=()):
    """`count` pictures of one colour each, those whose number is in `broken` damaged in one of four ways."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for i in range(count):
        path = folder / f"{i:04}.jpg"
        Image.new("RGB", (32, 32), (i % 256, 100, 200)).save(path)
        if i in broken:
            damage(path, i)
        paths.append(str(path))
    return LabelledImages(["one"], paths, [0] * count)


def damage(path, how):
    whole = path.read_bytes()
    if how % 4 == 3:
        path.unlink()
    else:
        path.write_bytes((b"", whole[: len(whole) // 2], b"not a picture")[how % 4])


# --- One face ---------------------------------------------------------------------------------------------------


def test_small_and_oblong_pictures_are_scaled_up_not_padded(tmp_path):
    Image.new("RGB", (100, 60), (200, 10, 10)).save(tmp_path / "small.png")
    picture = load_crop(str(tmp_path / "small.png"), 448, 64)
    assert picture.shape == (64, 64, 3)
    assert np.unique(picture.reshape(-1, 3), axis=0).tolist() == [[200, 10, 10]]


def test_the_centre_crop_is_where_it_should_be(tmp_path):
    """On a ramp every pixel tells where it came from, also from a JPEG that was decoded at a reduced size."""
    ramp = np.broadcast_to((np.arange(512) / 2).astype(np.uint8), (512, 512))
    expected = (32 + (np.arange(64) + 0.5) * 7 - 0.5) / 2
    for name in ("crop.png", "crop.jpg"):
        Image.fromarray(ramp).convert("RGB").save(tmp_path / name, quality=95)
        row = load_crop(str(tmp_path / name), 448, 64)[32, :, 0]
        assert np.abs(row - expected).max() < 1.5


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "CMYK", "1"])
def test_pictures_of_every_colour_mode_become_rgb(tmp_path, mode):
    name = str(tmp_path / ("a.jpg" if mode == "CMYK" else "a.png"))
    Image.new("RGB", (64, 64), (255, 255, 255)).convert(mode).save(name)
    assert load_crop(name, 64, 32).shape == (32, 32, 3)
    assert load_crop(name, 64, 32).min() >= 254


def test_resizing_is_that_of_pillow(drawn):
    for path in sorted(drawn.glob("happy/*.jpg"))[:3]:
        box = (32, 32, 480, 480)
        pillow = np.asarray(Image.open(path).resize((256, 256), Image.Resampling.BICUBIC, box=box)).astype(int)
        difference = np.abs(load_crop(str(path), 448, 256) - pillow)
        assert difference.max() <= 5 and difference.mean() < 0.02  # at hard edges PyTorch's weights are coarser


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_a_phones_photo_is_upright(tmp_path, orientation):
    seen = Image.new("RGB", (60, 60), (0, 0, 200))
    seen.paste((200, 0, 0), (0, 0, 60, 30))  # red above
    turn = {3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}.get(orientation)
    exif = Image.Exif()
    exif[0x0112] = orientation
    (seen.transpose(turn) if turn else seen).save(tmp_path / "a.jpg", exif=exif)
    picture = load_crop(str(tmp_path / "a.jpg"), 448, 32)
    assert picture[4, 16, 0] > 150 > 50 > picture[28, 16, 0]


# --- The folder -------------------------------------------------------------------------------------------------


def save_pictures(folder, *names):
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        Image.new("RGB", (32, 32), (90, 100, 200)).save(folder / name, "JPEG")


def test_training_reads_what_preprocessing_reads_and_counts_the_rest(tmp_path):
    assert photo.SUFFIXES <= image_folder.SUFFIXES
    for emotion in ("angry", "happy"):
        save_pictures(tmp_path / emotion, "a.jfif", "b.JPE", "c.mpo")
        Image.new("RGB", (32, 32)).save(tmp_path / emotion / "d.tif")
        (tmp_path / emotion / "notes.txt").write_text("no image")
    images = read_folder(tmp_path, 2)
    assert len(images.paths) == 8 and images.others == {".txt": 2}
    assert all(load_crop(path, 448, 16).shape == (16, 16, 3) for path in images.paths)
    (tmp_path / "sad").mkdir()
    (tmp_path / "sad/a.psd").write_text("")
    with pytest.raises(UserError, match=r"sad holds no image \(but \.psd\)"):
        read_folder(tmp_path, 3)


def test_what_programs_leave_behind_is_no_data(tmp_path):
    """Nor is a link to a picture of the set; one to a picture elsewhere is."""
    save_pictures(tmp_path / "elsewhere", "x.jpg")
    for emotion in ("angry", "happy"):
        save_pictures(tmp_path / "set" / emotion, "a.jpg")
        for folder in (".ipynb_checkpoints", "__MACOSX", "@eaDir"):
            save_pictures(tmp_path / "set" / emotion / folder, "thumb.jpg")
            save_pictures(tmp_path / "set" / folder / emotion, "thumb.jpg")
    (tmp_path / "set/angry/again.jpg").symlink_to(tmp_path / "set/happy/a.jpg")
    (tmp_path / "set/angry/other.jpg").symlink_to(tmp_path / "elsewhere/x.jpg")
    os.mkfifo(tmp_path / "set/happy/pipe.jpg")  # reading it would wait for ever
    names = [Path(path).relative_to(tmp_path / "set").as_posix() for path in read_folder(tmp_path / "set", 2).paths]
    assert names == ["angry/a.jpg", "angry/other.jpg", "happy/a.jpg"]


def test_a_divided_set_is_told_which_folder_to_give(tmp_path):
    for side in ("Test", "train"):
        save_pictures(tmp_path / side / "happy", "a.jpg")
    with pytest.raises(UserError, match=r"Test and train, which are no emotions: give --image_dir .*/train$"):
        read_folder(tmp_path, 5)
    with pytest.raises(UserError, match="no emotions"):
        read_folder(tmp_path, 2)


# --- The stream -------------------------------------------------------------------------------------------------


def test_the_stream_is_the_same_however_it_is_read(drawn):
    """Sample k is the same picture with the same augmentation from any start and any number of workers."""
    images = read_folder(drawn, 5)
    whole = stream(images)
    batches = [next(whole) for _ in range(20)]
    later = stream(images, num_workers=2, start=4 * 17)
    for i in (17, 18, 19):
        x, c = next(later)[:2]
        assert torch.equal(x, batches[i][0])
        assert torch.equal(c, batches[i][1])
    first, second = (
        torch.cat([batch.x_real for batch in batches])[:30],
        torch.cat([batch.x_real for batch in batches])[30:60],
    )
    assert not torch.equal(first, second)  # another epoch: another order, another augmentation
    assert x.dtype == torch.float32 and c.dtype == torch.int64
    assert -1 <= float(first.min()) < -0.5 < 0.5 < float(first.max()) <= 1


def test_the_labels_are_those_of_the_pictures(tmp_path):
    """Each picture's colour is its label; light changes it by less than labels differ."""
    paths = [str(tmp_path / f"{label}.png") for label in range(3)]
    for label, path in enumerate(paths):
        Image.new("RGB", (32, 32), tuple(180 * (channel == label) for channel in range(3))).save(path)
    for x, c in (next(stream(LabelledImages(["r", "g", "b"], paths, [0, 1, 2])))[:2] for _ in range(5)):
        assert torch.equal(x.mean((2, 3)).argmax(1), c)


def test_every_image_is_seen_once_an_epoch():
    numbers = (place for batch in EndlessShuffle(Shuffle(10, 0), batch_size=4) for place in batch)
    orders = []
    for epoch in range(3):
        places = [next(numbers) for _ in range(10)]
        assert [number for _, number in places] == list(range(10 * epoch, 10 * epoch + 10))
        orders.append([index for index, _ in places])
        assert sorted(orders[-1]) == list(range(10))
    assert orders[0] != orders[1] != orders[2]


def test_balanced_every_emotion_is_seen_equally_often():
    """One face of one emotion, four of another: each sixth of the stream is a whole number of rounds."""
    labels = [0, 1, 1, 1, 1, 2, 2]
    seen = [index for batch, _ in zip(EndlessShuffle(BalancedShuffle(labels, 0), batch_size=4), range(9), strict=False)
            for index, _ in batch]  # fmt: skip
    rounds = [seen[i : i + 3] for i in range(0, 36, 3)]
    assert all(sorted(labels[index] for index in found) == [0, 1, 2] for found in rounds)
    assert len({tuple(labels[index] for index in found) for found in rounds}) > 1  # not in one order
    of_the_second = [index for index in seen if labels[index] == 1]
    assert all(sorted(of_the_second[i : i + 4]) == [1, 2, 3, 4] for i in (0, 4, 8))  # its own epochs
    begun_later = iter(EndlessShuffle(BalancedShuffle(labels, 0), batch_size=4, start=20))
    assert [index for index, _ in next(begun_later)] == seen[20:24]


def test_two_processes_share_one_stream(drawn):
    """Two ranks with batches of 4 see what one process sees in batches of 8, also after a run of another size."""
    images = read_folder(drawn, 5)
    alone = stream(images, batch_size=8)
    ranks = [stream(images, rank=rank, world_size=2) for rank in range(2)]
    for _ in range(8):  # two epochs
        shares = [next(rank) for rank in ranks]
        for whole, parts in zip(next(alone)[:2], zip(*(share[:2] for share in shares), strict=True), strict=True):
            assert torch.allclose(whole, torch.cat(parts), atol=1e-6)
    seen = 8 * 8
    four = [stream(images, batch_size=2, start=seen, rank=rank, world_size=4) for rank in range(4)]
    assert torch.allclose(next(alone)[0], torch.cat([next(rank)[0] for rank in four]), atol=1e-6)


# --- Pairs and photos' flaws ------------------------------------------------------------------------------------


@pytest.fixture
def pairs(tmp_path):
    """Twelve people: the left half of a picture is the person's own grey, the right half the emotion's."""
    paths, labels = [], []
    for label, emotion in enumerate(("angry", "happy", "neutral")):
        (tmp_path / emotion).mkdir()
        for person in range(12):
            picture = np.full((64, 64, 3), 40 + 10 * person, np.uint8)
            picture[:, 32:] = 90 * label
            Image.fromarray(picture).save(tmp_path / emotion / f"{person:02}.png")
    images = read_folder(tmp_path, 3)
    paths, labels = images.paths, images.labels
    assert (len(paths), len(labels)) == (36, 36)
    return images


@pytest.mark.parametrize("augment", ["seed", "photo"])
def test_a_pair_is_one_person_under_the_same_light(pairs, augment):
    """Also where the picture was flipped, scaled or turned grey; the input alone has the sensor's noise."""
    shown, asked = set(), set()
    batches = stream(pairs, pairs=True, augment=augment)
    for x_real, c_org, c_trg, x_trg in (next(batches) for _ in range(30)):
        assert x_trg.is_contiguous(memory_format=torch.channels_last)
        for real, answer, org, trg in zip(x_real, x_trg, c_org, c_trg, strict=True):
            left, right = (
                real[:, :, :8].mean() - answer[:, :, :8].mean(),
                real[:, :, 24:].mean() - answer[:, :, 24:].mean(),
            )
            own, emotion = sorted((abs(left.item()), abs(right.item())))  # flipped or not
            assert own < 0.02  # the person's half is the same in both
            assert (emotion > 0.1) == (org != trg)
            asked.add((int(org), int(trg)))
            shown.add(round(answer.mean().item(), 3))
    assert len(asked) == 9  # every emotion is asked of every emotion
    assert len(shown) > 60


def test_pairs_begin_with_the_emotions_asked_for_and_answer_with_every_one(pairs):
    batches = stream(pairs, pairs=True, pair_from=["neutral", "happy"])
    c_org, c_trg = (torch.cat(labels) for labels in zip(*(next(batches)[1:3] for _ in range(30)), strict=True))
    assert {pairs.domains[label] for label in c_org} == {"neutral", "happy"}
    assert min(c_trg.bincount(minlength=3)) > 20


def test_pairs_are_the_same_however_they_are_read(pairs):
    whole = stream(pairs, pairs=True, augment="photo")
    batches = [next(whole) for _ in range(12)]
    later = next(stream(pairs, pairs=True, augment="photo", num_workers=1, start=4 * 11))
    assert all(torch.equal(ours, there) for ours, there in zip(later, batches[11], strict=True))


def test_a_face_without_its_pair_is_named(pairs):
    Path(pairs.paths[5]).unlink()
    root = Path(pairs.paths[5]).parent.parent
    with pytest.raises(
        UserError, match=r"angry has none named as .*05\.png: make the faces with datapreprocess\.py --pairs"
    ):
        next(stream(read_folder(root, 3), pairs=True))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU")
@pytest.mark.parametrize("num_workers", [0, 2])
def test_batches_on_a_gpu_are_those_of_the_cpu(drawn, num_workers):
    images = read_folder(drawn, 5)
    here, there = stream(images), stream(images, device=torch.device("cuda", 0), num_workers=num_workers)
    for _ in range(30):
        (x, c), (x_there, c_there) = next(here)[:2], next(there)[:2]
        torch.cuda._sleep(10_000_000)  # training that is still busy while the next batches arrive
        assert x_there.is_cuda and x_there.is_contiguous(memory_format=torch.channels_last)
        assert torch.allclose(x, x_there.cpu(), atol=1e-5)
        assert torch.equal(c, c_there.cpu())


# --- Images that can't be read ----------------------------------------------------------------------------------


def test_unreadable_images_are_replaced_by_the_next_counted_and_named(tmp_path):
    """Ten of a hundred, half of them turning bad while training runs, with a loader of their own."""
    bad = list(range(0, 100, 10))
    images, told = pictures_in(tmp_path, 100, broken=bad[:5]), []
    batches = stream(images, told.append, crop_size=32, batch_size=10, num_workers=1)
    for number in range(40):
        x_real = next(batches).x_real
        assert x_real.shape == (10, 3, 32, 32)
        if number == 10:
            for i in bad[5:]:
                damage(Path(images.paths[i]), i)
    for i in bad:
        assert sum(images.paths[i] in line for line in told) == 1
    assert len(told) == len(bad)


@pytest.mark.parametrize("cached", [False, True])
def test_the_replacement_is_the_same_in_every_run(tmp_path, cached):
    """And the same from the cache, which remembers what could not be read."""
    images = pictures_in(tmp_path / "train", 30, broken=(3, 4))
    cache, told = tmp_path / "cache" if cached else None, ([], [])
    if cached:
        decoded_cache.prepare(cache, images, 448, 32, num_workers=0)
    first, second = stream(images, told[0].append), stream(images, told[1].append, cache=cache)
    for _ in range(20):
        assert torch.equal(next(first)[0], next(second)[0])
    assert len(told[0]) == 2
    assert told[0] == told[1]
