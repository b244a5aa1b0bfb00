"""A verdict as a table in the terminal, a page of the notebook, a drawing, or one static HTML file.

Each door is a module of its own, so that `assay.report` itself loads neither rich nor jinja2:
`report.terminal`, `report.markdown`, `report.svg`, `report.html`.
"""
