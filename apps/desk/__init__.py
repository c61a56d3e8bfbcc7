"""The adult's desk, EMOKIDS (`streamlit_app.py`): make faces, look at expressions, keep the record."""
