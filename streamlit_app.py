"""EMOKIDS, the adult's desk: `streamlit run streamlit_app.py`. See docs/desk.md.

Settings come from the environment:
    STARGAN_FE_CHECKPOINT  a -G.ckpt file, or best, latest or an iteration of data/models, as for the child's page
    STARGAN_FE_TOKEN       an access code, without which no page opens (none)
"""

from __future__ import annotations

from starlette.middleware import Middleware
from streamlit.starlette import App

from apps.desk import mirror_files
from apps.security_headers import STREAMLIT_POLICY, WebHeaders

app = App(
    "apps/desk/run.py",
    routes=[mirror_files.route],
    middleware=[Middleware(WebHeaders, policy=STREAMLIT_POLICY)],
)
