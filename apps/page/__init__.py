"""The phone web app: the page in `web/`, and what its server (`backend.py`) needs."""
