"""EMOKIDS: `streamlit run streamlit_app.py`. docs/apps.md tells the rest.

The pages are `emokids.py`; beside them the server answers the mirror's camera frames.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.middleware import Middleware
from streamlit.starlette import App

import live_mirror
from departed_visitors import forget_departed_visitors
from errors import UserError
from web_headers import STREAMLIT_POLICY, WebHeaders


def load_studio() -> None:
    """Load the generator before the first visitor needs it; where there is none, say so."""
    from emokids_studio import studio

    try:
        studio()
    except UserError as error:
        print(f"No pictures will be generated: {error}", file=sys.stderr)


@asynccontextmanager
async def lifespan(_: App) -> AsyncIterator[None]:
    """Visitors may come in while the generator is being loaded."""
    loading = asyncio.create_task(asyncio.to_thread(load_studio))
    forgetting = asyncio.create_task(forget_departed_visitors())
    yield
    forgetting.cancel()
    await loading
    from emokids_studio import studio

    studio.clear()


app = App(
    "emokids.py",
    lifespan=lifespan,
    routes=[live_mirror.route],
    middleware=[Middleware(WebHeaders, policy=STREAMLIT_POLICY)],
)
