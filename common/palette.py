"""One colour for one thing, everywhere: lessons, charts, figures. Okabe–Ito, told apart by colour-blind readers.

Source: M. Okabe, K. Ito, «Color Universal Design», 2008. Leaves out Streamlit's theme
(``.streamlit/config.toml``), which uses ``ACCENT`` too; a test compares them.
"""

from __future__ import annotations

from types import MappingProxyType

BLACK, ORANGE, SKY, GREEN = "#000000", "#E69F00", "#56B4E9", "#009E73"
YELLOW, BLUE, VERMILION, PURPLE = "#F0E442", "#0072B2", "#D55E00", "#CC79A7"
GREY = "#8A8F98"

ACCENT = BLUE

ROLES = MappingProxyType(
    {
        "base": GREY,  # frozen base weights W
        "A": ORANGE,
        "B": SKY,
        "quantized": PURPLE,
        "full": VERMILION,  # full fine-tuning
        "lora": BLUE,
        "qlora": GREEN,
        "attention": BLUE,
        "mlp": ORANGE,
        "embedding": GREY,
    }
)
"""The colour of each thing the course draws."""

STATES = MappingProxyType(
    {"empty": "#D9DCE1", "claimed": SKY, "proven": GREEN, "review": ORANGE, "contradicted": VERMILION}
)
"""The colour of each checklist state (``progress.states.State``)."""
