"""The face recognition network: dlib's own numbers, and faces that stay who they are when moved and turned."""

import cv2
import numpy as np
import pytest

from face_identity import IdentityNetwork
from imaging.drawing.picture import draw_face


@pytest.fixture(scope="module")
def network():
    with IdentityNetwork.load() as loaded:
        yield loaded


def test_the_numbers_are_those_that_dlib_computes(network):
    """Computed with dlib 20.0.1's `face_recognition_model_v1` from the same chip."""
    y, x = np.mgrid[:150, :150]
    chip = np.stack([(x * y // 7) % 256, (x + 2 * y) % 256, (x * x // 9 + y) % 256], -1).astype(np.uint8)
    unmoved = np.eye(2, 3)
    (descriptor,) = network.descriptors(chip[None], [unmoved])
    assert descriptor[:5] == pytest.approx([-0.066442, 0.110146, 0.088389, -0.003004, -0.061909], abs=1e-5)
    assert np.linalg.norm(descriptor) == pytest.approx(1.2894452, abs=1e-5)


def test_a_face_is_recognised_wherever_it_is_and_a_wall_is_nobody(network):
    faces = np.stack([draw_face(identity, "happy", size=256) for identity in range(5)])
    turn = cv2.getRotationMatrix2D((128, 128), 15, 0.85)
    moved = np.stack([cv2.warpAffine(face, turn, (256, 256), borderMode=cv2.BORDER_REPLICATE) for face in faces])
    distances = np.linalg.norm(network.descriptors(faces)[:, None] - network.descriptors(moved), axis=2)
    assert (distances.argmin(axis=1) == np.arange(5)).all()
    assert np.isnan(network.descriptors(np.full((1, 64, 64, 3), 128, np.uint8))).all()
