"""Results as Plotly figures with a title that says the finding, units and a text alternative. No streamlit."""
