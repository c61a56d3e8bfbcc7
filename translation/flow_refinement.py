"""The rest of the way: dense optical flow from a face moved by its mesh to the generator's answer.

Meshes stop short of what brows do. The flow brings them as far as the generator wants: OpenCV's DIS (Kroeger, Timofte,
Dai and Van Gool, "Fast optical flow using dense inverse search", ECCV 2016), kept where it explains the answer better.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from imaging.face_geometry import Mask
from imaging.mesh_warp import Places
from translation.face_movement import grid

LIGHT = 9.0  # pixels over which both pictures are brought to one light before
FARTHEST = 8.0  # pixels
SMOOTH = 1.9  # pixels
SEEN = 3.8  # pixels over which it is asked whether the flow explains the answer better
BETTER = 0.02, 0.15  # share of the error that goes: below the first the flow is dropped, above the second kept

LEAST = 2.0  # grey levels: an error that is no error

Luma = NDArray[np.float32]  # [FIELD_SIZE, FIELD_SIZE], 0 to 255
Flow = NDArray[np.float32]  # [FIELD_SIZE, FIELD_SIZE, 2], in its pixels


def to_answer(where: Places, own: Luma, answer: Luma, may_move: Mask) -> Flow:
    """How to move on `own`, taken from the places `where`, so that it is nearer to `answer`; only where it `may_move`.

    For each pixel of the answer, by how many pixels its place in the moved face lies elsewhere.
    """
    left, top, width, height = cv2.boundingRect((may_move > 0).astype(np.uint8))
    flow = np.zeros((*own.shape, 2), np.float32)
    if width:
        part = np.s_[top : top + height, left : left + width]
        flow[part] = _within(_taken(own, where)[part], answer[part], may_move[part])
    return flow


def _within(moved: Luma, answer: Luma, may_move: Mask) -> Flow:
    lit = moved * _blurred(answer, LIGHT) / (_blurred(moved, LIGHT) + 1e-3)
    flow = _new().calc(_bytes(answer), _bytes(lit), None)  # type: ignore[call-overload]
    flow = np.clip(flow, -FARTHEST, FARTHEST) * may_move[..., None]
    flow = _blurred(flow, SMOOTH)
    before = _blurred(np.abs(lit - answer), SEEN)
    height, width = moved.shape
    here = np.stack(np.meshgrid(np.arange(width), np.arange(height)), axis=2).astype(np.float32)
    after = _blurred(np.abs(_taken(lit, here + flow) - answer), SEEN)
    gained = (before - after) / (before + LEAST)
    share = np.clip((gained - BETTER[0]) / (BETTER[1] - BETTER[0]), 0, 1)
    return np.asarray(flow * _blurred(share.astype(np.float32), SMOOTH)[..., None], np.float32)


def moved_on(where: Places, flow: Flow) -> Places:
    """The places `where`, each moved on by `flow`."""
    return np.asarray(
        cv2.remap(where, grid() + flow, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32
    )


def _new() -> cv2.DISOpticalFlow:
    """Made anew each time: it keeps pictures, and two threads must not share it."""
    flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    flow.setFinestScale(0)
    flow.setPatchStride(4)
    flow.setGradientDescentIterations(12)
    flow.setVariationalRefinementIterations(5)
    flow.setVariationalRefinementAlpha(40.0)
    return flow


def _taken(luma: Luma, where: Places) -> Luma:
    return np.asarray(cv2.remap(luma, where, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32)


def _blurred(values: NDArray, sigma: float) -> NDArray:
    return cv2.GaussianBlur(values, (0, 0), sigma)


def _bytes(luma: Luma) -> NDArray[np.uint8]:
    return np.clip(luma, 0, 255).astype(np.uint8)
