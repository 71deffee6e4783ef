"""One demo on a page of its own, its fields in the address: ``?name=lora.count&architecture=phi-3-mini&rank=16``."""

from __future__ import annotations

import streamlit as st

from demos import registry
from ui import demos, links, look

TITLES = {
    "lora.count": "Калькулятор LoRA",
    "lora.spectrum": "Сколько энергии держит ранг",
    "finetuning.rates": "Скорость обучения: у каждого метода своя",
    "finetuning.curves": "Три кривые: полное, LoRA и QLoRA",
    "finetuning.ranks": "Какой ранг нужен задаче",
    "finetuning.alphas": "Что делает альфа",
    "finetuning.methods": "Все методы рядом",
}


def _page() -> None:
    name = st.query_params.get("name", "lora.count")
    if name not in demos.VIEWS:
        links.lost("Такой демонстрации нет: возможно, адрес скопирован не целиком.")
        return
    look.title(TITLES[name])
    st.title(TITLES[name], anchor=False)
    known = registry.fields(name)
    preset = {field: value for field, value in st.query_params.items() if field in known}
    demos.show(name, preset, frozenset(), f"page-{name}-{hash(frozenset(preset.items()))}")


_page()
