"""report.html"""


def write_report(output):
    pass
