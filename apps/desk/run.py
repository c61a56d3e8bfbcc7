"""What Streamlit runs: one run of a page."""

if __name__ == "__main__":  # a process that decodes photos only imports it, and quickly
    from apps.desk.frame import main

    main()
