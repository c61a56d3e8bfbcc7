"""EMOKIDS: `streamlit run streamlit_app.py`. docs/apps.md tells the rest.

The pages are `apps/emokids/pages.py`; beside them the server answers the mirror's camera frames.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.middleware import Middleware
from streamlit.starlette import App

from apps.emokids import mirror_server
from apps.emokids.visitors import forget_departed_visitors
from apps.security_headers import STREAMLIT_POLICY, WebHeaders
from common.errors import UserError


def load_studio() -> None:
    """Load the generator before the first visitor needs it; where there is none, say so."""
    from apps.emokids.studio import studio

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
    from apps.emokids.studio import studio

    studio.clear()


app = App(
    "apps/emokids/pages.py",
    lifespan=lifespan,
    routes=[mirror_server.route],
    middleware=[Middleware(WebHeaders, policy=STREAMLIT_POLICY)],
)
