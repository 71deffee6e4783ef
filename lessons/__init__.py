"""From content/ to a typed course: model, loader, faults, facts. No streamlit, no torch."""
