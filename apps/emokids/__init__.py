"""EMOKIDS, the Streamlit app (`streamlit_app.py`): a page a file, and its mirror."""
