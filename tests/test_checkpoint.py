"""Checkpoints: foreign formats, six domains into five, refusals in one sentence, nothing half written."""

import pickle
from collections import OrderedDict

import pytest
import torch
from conftest import flags

from checkpointing import network_files, run_config, tensor_file
from checkpointing.trained_generator import load_generator
from common import whole_files
from common.errors import UserError
from model import Discriminator, Generator
from translation.translator import Translator


def stargan_ta(folder):
    """Six-domain networks as StarGAN-TA publishes them: tracked InstanceNorm buffers, DataParallel's prefix."""
    torch.manual_seed(0)
    G, D = Generator(8, 6, 1), Discriminator(32, 8, 6, 3)
    state = OrderedDict()
    for key, value in G.state_dict().items():
        state[f"module.{key}"] = value
        if key.endswith("bias"):  # only the norms have one
            stem = f"module.{key.removesuffix('bias')}"
            state |= {f"{stem}running_mean": torch.full_like(value, 1e3), f"{stem}running_var": value + 1}
            state[f"{stem}num_batches_tracked"] = torch.tensor(7)
    folder.mkdir(parents=True, exist_ok=True)
    torch.save(state, folder / "600000-G.ckpt")
    torch.save(D.state_dict(), folder / "600000-D.ckpt")
    return G, D


@pytest.mark.parametrize(("d", "c", "r"), [(8, 5, 1), (12, 7, 3)])
def test_the_architecture_is_read_off_the_shapes(tmp_path, d, c, r):
    path = tmp_path / "1-G.ckpt"
    found = network_files.generator_architecture(Generator(d, c, r).state_dict(), path)
    assert (found.conv_dim, found.c_dim, found.repeat_num) == (d, c, r)
    found = network_files.discriminator_architecture(Discriminator(64, d, c, 4).state_dict(), path)
    assert (found.conv_dim, found.c_dim, found.repeat_num, found.image_size) == (d, c, 4, 64)


def test_six_domains_become_five_by_dropping_neutral(tmp_path):
    """The five that stay answer as they did among six."""
    six_G, six_D = stargan_ta(tmp_path)
    state, found = network_files.generator_weights(tmp_path / "600000-G.ckpt")
    G = Generator(found.conv_dim, found.c_dim, found.repeat_num)
    G.load_state_dict(state)
    state, _ = network_files.discriminator_weights(tmp_path / "600000-D.ckpt")
    D = Discriminator(32, 8, 5, 3)
    D.load_state_dict(state)
    x = torch.rand(5, 3, 32, 32) * 2 - 1
    kept = [0, 1, 2, 4, 5]  # of angry fearful happy neutral sad surprised
    torch.testing.assert_close(G(x, torch.eye(5)), six_G(x, torch.eye(6)[kept]))
    torch.testing.assert_close(D(x)[1], six_D(x)[1][:, kept])
    torch.testing.assert_close(D(x)[0], six_D(x)[0])


def test_a_generator_loads_as_others_wrap_it(tmp_path):
    from safetensors.torch import save_file

    state = Generator(8, 5, 1).state_dict()
    torch.save(
        {"state_dict": {f"module.{key}": value for key, value in state.items()}, "epoch": 3}, tmp_path / "a.ckpt"
    )
    save_file(state, tmp_path / "b.safetensors")
    for name in ("a.ckpt", "b.safetensors"):
        loaded = load_generator(tmp_path / name).network.state_dict()
        assert loaded.keys() == state.keys() and all(torch.equal(loaded[key], state[key]) for key in state)
    (tmp_path / "b.safetensors").write_bytes((tmp_path / "b.safetensors").read_bytes()[:-9])
    with pytest.raises(UserError, match=r"b\.safetensors cannot be read as a checkpoint"):
        load_generator(tmp_path / "b.safetensors")


def test_a_network_that_was_pickled_whole_is_told_apart_without_escape_codes(tmp_path):
    torch.save(Generator(8, 5, 1), tmp_path / "whole.ckpt")
    with pytest.raises(
        UserError, match=r"whole.ckpt is a pickled network, not its weights: .* state_dict\(\)"
    ) as failure:
        network_files.load_network(tmp_path / "whole.ckpt")
    assert "\x1b" not in str(failure.value) and "\n" not in str(failure.value)


def test_training_goes_on_from_a_six_domain_checkpoint(main_here, drawn, tmp_path):
    stargan_ta(tmp_path / "model_save")
    changes = {"image_dir": drawn, "num_iters": 600_005, "num_iters_decay": 0, "resume_iters": 600000}
    run = main_here(*flags(tmp_path, **changes))
    assert run.returncode == 0, run.stderr
    assert (tmp_path / "model_save" / "600005-state.ckpt").exists()


def test_a_foreign_checkpoint_names_its_domains(tmp_path):
    stargan_ta(tmp_path)
    path = tmp_path / "600000-G.ckpt"
    assert network_files.domain_names(path, 5) == ["angry", "fearful", "happy", "sadness", "surprised"]
    assert network_files.domain_names(path, 6)[3] == "neutral"
    assert network_files.domain_names(path, 2, ["old", "young"]) == ["old", "young"]
    with pytest.raises(UserError, match="sample_label_dir"):
        network_files.domain_names(path, 3)


def test_own_six_domains_stay_six(tmp_path):
    stargan_ta(tmp_path)
    domains = ["angry", "fearful", "happy", "neutral", "sadness", "surprised"]
    run_config.save_config(tmp_path, {"arguments": {"image_size": 32, "crop_size": 448}, "domains": domains})
    with Translator.load(tmp_path / "600000-G.ckpt") as translator:
        assert translator.domains == domains
        assert translator.image_size == 32


class Evil:
    def __reduce__(self):
        return (open, ("evil", "w"))


@pytest.mark.parametrize("content", ["empty", "text", "cut", "evil", "list", "discriminator"])
def test_a_bad_file_is_one_sentence_and_runs_nothing(tmp_path, monkeypatch, content):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "1-G.ckpt"
    torch.save(Generator(8, 5, 1).state_dict(), path)
    if content in ("empty", "text"):
        path.write_bytes(b"" if content == "empty" else b"a letter")
    elif content == "cut":
        path.write_bytes(path.read_bytes()[:3000])
    elif content == "evil":
        path.write_bytes(pickle.dumps({"main.0.weight": Evil()}))
    else:
        torch.save([1, 2] if content == "list" else Discriminator(32, 8, 5, 3).state_dict(), path)
    with pytest.raises(UserError, match=r"1-G\.ckpt") as refused:
        network_files.generator_weights(path)
    assert "\n" not in str(refused.value)
    assert not (tmp_path / "evil").exists()


def test_a_truncated_file_is_called_one(tmp_path):
    path = tmp_path / "1-G.ckpt"
    torch.save(Generator(8, 5, 1).state_dict(), path)
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(UserError, match=r"\(cut short: its end is missing\)"):
        network_files.generator_weights(path)
    path.write_bytes(b"<!doctype html>")
    with pytest.raises(UserError, match=r"\(not a file of PyTorch\)"):
        network_files.generator_weights(path)


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "1-G.ckpt"
    whole_files.write_atomically(path, lambda temporary: tensor_file.write_tensors(temporary, {"a": torch.ones(3)}))

    def half(temporary):
        temporary.write_bytes(b"half")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        whole_files.write_atomically(path, half)
    assert torch.equal(tensor_file.read(path)["a"], torch.ones(3))
    assert [p.name for p in tmp_path.iterdir()] == ["1-G.ckpt"]
