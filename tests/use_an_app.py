"""Use an app once, as a visitor would: `python -m tests.use_an_app page|desk FOLDER` starts, asks and stops it."""

from __future__ import annotations

import base64
import sys
import time
from pathlib import Path

import matplotlib
import numpy as np
from PIL import Image

from tests.serving import Server, StreamlitServer, jpeg

LINGERING = 16  # seconds: a library that reports to its maker may wait before it does
PHOTO = Path(matplotlib.get_data_path()) / "sample_data/grace_hopper.jpg"


def use_page(folder: Path) -> None:
    """The first page, and five faces of a photo."""
    photo = jpeg(np.asarray(Image.open(PHOTO).convert("RGB")))
    with Server(folder) as server:
        assert server.get("/")[0] == 200
        status, _, answer = server.post("/generate", {"image": base64.b64encode(photo).decode()})
        assert status == 200, (answer, server.log())
        time.sleep(LINGERING)


def use_desk(folder: Path) -> None:
    """The first page: its script runs when somebody is connected."""
    from streamlit.proto.BackMsg_pb2 import BackMsg
    from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
    from websockets.sync.client import connect

    with StreamlitServer(folder) as server:
        assert server.get("/")[0] == 200
        with connect(f"ws://127.0.0.1:{server.port}/_stcore/stream", origin=server.url, max_size=None) as socket:
            ask = BackMsg()
            ask.rerun_script.query_string = ""
            socket.send(ask.SerializeToString())
            shown = 0
            while True:
                said = ForwardMsg.FromString(socket.recv(180))
                shown += said.WhichOneof("type") == "delta"
                if said.WhichOneof("type") == "script_finished":
                    break
        assert shown > 3, server.log()
        time.sleep(LINGERING)


if __name__ == "__main__":
    {"page": use_page, "desk": use_desk}[sys.argv[1]](Path(sys.argv[2]))
