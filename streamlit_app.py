"""EMOKIDS: `streamlit run streamlit_app.py`. See docs/emokids.md.

The pages are `apps/emokids/pages.py`; beside them the server answers the mirror's camera frames.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.middleware import Middleware
from streamlit.starlette import App

from apps.emokids import mirror_server, visitors
from apps.security_headers import STREAMLIT_POLICY, WebHeaders


def load_studio() -> None:
    """Load the generator before the first visitor needs it and say which it is."""
    from apps.emokids.studio import studio_or_none

    found = studio_or_none()
    if found:
        print(f"Faces are made with {found.choice}", file=sys.stderr)


@asynccontextmanager
async def lifespan(_: App) -> AsyncIterator[None]:
    """Visitors may come in while the generator is being loaded."""
    loading = asyncio.create_task(asyncio.to_thread(load_studio))
    forgetting = asyncio.create_task(visitors.forget_departed_visitors())
    yield
    forgetting.cancel()
    await asyncio.to_thread(visitors.close_for_everybody)
    await loading
    from apps.emokids.studio import studio

    studio.clear()


app = App(
    "apps/emokids/pages.py",
    lifespan=lifespan,
    routes=[mirror_server.route],
    middleware=[Middleware(WebHeaders, policy=STREAMLIT_POLICY)],
)
