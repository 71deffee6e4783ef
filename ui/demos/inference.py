"""How a model answers: token by token, three models side by side, and how fast. Steps are looked at without computing.

Leaves out drawing (``charts.inference``, ``charts.speed``) and computing (``demos.inference``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from charts import inference, speed
from charts.drawing import Drawing
from common import numbers
from demos.inference import timing
from demos.inference.compare import Result as Compared
from demos.inference.sample import Params, Result, Step
from demos.inference.speed import FILE, Point
from demos.inference.speed import Params as SpeedParams
from demos.inference.speed import Result as Speed
from demos.params import Field
from ui.demos import form, frame
from ui.demos.frame import Look, Prediction
from ui.demos.live import live, state
from ui.widgets.chart import chart
from ui.widgets.table import table

GROUP = "Инференс"
TEMPERATURES = (0.1, 0.3, 0.5, 0.7, 1.0, 1.3, 1.6, 2.0, 3.0, 5.0)
SHARES = (0.05, 0.1, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.99, 1.0)
KEPT = (0, 1, 2, 3, 5, 10, 20, 50, 100, 500, 2048)


def _sampling(fields: Mapping[str, Field], locked: frozenset[str], key: str) -> dict[str, Any]:
    """The request, then the knobs that one drags; who answers and how long unfolds."""
    values = {"prompt": form.field(fields["prompt"], key, locked="prompt" in locked)}
    values["decoding"] = form.choice(fields["decoding"], key, locked="decoding" in locked)
    if values["decoding"] == "sample":
        with st.grid(2, min_column_width=220):
            for name, offered in (("temperature", TEMPERATURES), ("top_p", SHARES), ("top_k", KEPT)):
                values[name] = form.slider(fields[name], key, offered, locked=name in locked)
            values["seed"] = form.field(fields["seed"], key, locked="seed" in locked)
    with st.expander("Ещё настройки", icon=":material/tune:", key=f"{key}-more"):
        values |= frame.grid(fields, ["model", "most"], locked, key)
    return values


def _step(params: Params, result: Result, key: str) -> None:
    """One step under the magnifier: the least sure one first."""
    if not result.steps:
        return
    place = inference.widest(result)
    if len(result.steps) > 1:
        place = st.select_slider(
            "Шаг под лупой",
            range(len(result.steps)),
            value=place,
            key=f"{key}-step-{hash((params.prompt, params.model, result.text))}",
            format_func=lambda spot: f"{spot + 1}. {result.steps[spot].token}",
        )
    chart(inference.step(result, place), f"chart-{key}-step", name="inference.step")
    table(inference.step_table(result, place), f"table-{key}-step")


def _code(params: Params) -> str:
    """The same by transformers alone."""
    if params.model in timing.FORMS or params.model == "base":
        how = _loading(params.model)
    else:
        how = (
            f'model = AutoModelForCausalLM.from_pretrained("content/model", dtype=torch.float32)\n'
            f'model = PeftModel.from_pretrained(model, "content/measured/adapters/{params.model}").eval()'
        )
    peft = "from peft import PeftModel\n" if "PeftModel" in how else ""
    quantized = ", BitsAndBytesConfig" if "BitsAndBytesConfig" in how else ""
    rules = (
        "do_sample=False"
        if params.rules.greedy
        else f"do_sample=True, temperature={params.temperature!r}, top_k={params.top_k}, top_p={params.top_p!r}"
    )
    return (
        f"import torch\n{peft}from transformers import AutoModelForCausalLM, AutoTokenizer{quantized}\n\n"
        f'tokenizer = AutoTokenizer.from_pretrained("content/model")\n{how}\n'
        f'chat = [{{"role": "user", "content": {params.prompt.strip()!r}}}]\n'
        "inputs = tokenizer.apply_chat_template(\n"
        '    chat, add_generation_prompt=True, return_dict=True, return_tensors="pt"\n)\n'
        f"torch.manual_seed({params.seed})\n"
        f"out = model.generate(**inputs, max_new_tokens={params.most}, {rules})\n"
        'answer = tokenizer.decode(out[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True)\n'
    )


def _loading(model: str) -> str:
    loaded = 'AutoModelForCausalLM.from_pretrained("content/model", dtype=torch.float32'
    if model == "base":
        return f"model = {loaded}).eval()"
    four = (
        'BitsAndBytesConfig(\n    load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True\n)'
        if model == "nf4"
        else "BitsAndBytesConfig(load_in_8bit=True)"
    )
    return f"config = {four}\nmodel = {loaded}, quantization_config=config).eval()"


def _unsure(result: Result) -> Step:
    return result.steps[inference.widest(result)]


def _unsure_at(result: Result) -> int:
    place = inference.widest(result)
    return 0 if place == 0 else 2 if place == len(result.steps) - 1 else 1


def _tell_unsure(result: Result) -> str:
    made = _unsure(result)
    return (
        f"Меньше всего уверенности на токене {inference.widest(result) + 1}, «{made.token}»: энтропия "
        f"{numbers.decimal(made.entropy, 1)} бита, выбор из {made.kept}. Слова «шлюмп» модель не знает, но не скажет "
        "«не знаю»: она придумает. А грамматику вокруг она знает твёрдо."
    )


def _merged_same(result: Compared) -> int:
    return 0 if result.same else 1


def _tell_merged(result: Compared) -> str:
    said = "слово в слово" if result.same else f"до токена {result.parted}"
    return f"Ответы совпали {said}; логиты разошлись не больше чем на {numbers.significant(result.gap, 2)}."


def _faster(result: Speed) -> int:
    ratio = _ratio(result)
    return 0 if ratio > 1.15 else 1 if ratio > 0.87 else 2


def _ratio(result: Speed) -> float:
    by_form = {point.form: point for point in result.points}
    return by_form["nf4"].rate / by_form["float32"].rate if by_form else 1.0


def _tell_faster(result: Speed) -> str:
    return (
        f"Скорость NF4 — {numbers.percent(_ratio(result), 0)} от скорости float32. 4 бита экономят память; "
        "время они экономят только там, где узкое место — чтение весов."
    )


def _against(fields: Mapping[str, Field], locked: frozenset[str], key: str) -> dict[str, Any]:
    return {"against": form.choice(fields["against"], key, locked="against" in locked)}


def _repeat(_params: SpeedParams, result: Speed, key: str) -> None:
    """One of the recorded points, measured again on this machine."""
    if not result.points:
        return
    chosen = st.selectbox(
        "Точка",
        range(len(result.points)),
        key=f"{key}-point-{result.against}",
        format_func=lambda place: _point(result.points[place]),
    )
    point = result.points[chosen or 0]
    values = {"form": point.form, "batch": point.batch, "prompt": point.prompt, "cache": point.cache}
    live("inference.measure", values, speed.live, key)


def _point(point: Point) -> str:
    cached = "с кэшем" if point.cache else "без кэша"
    return f"{timing.FORMS[point.form]}, пачка {point.batch}, запрос {point.prompt} токенов, {cached}"


def _compared(fields: Mapping[str, Field], locked: frozenset[str], key: str) -> dict[str, Any]:
    values = {"prompt": form.field(fields["prompt"], key, locked="prompt" in locked)}
    return values | frame.grid(fields, ["adapter", "merged"], locked, key)


def _measured(result: timing.Result) -> Drawing:
    return speed.live(result)


LOOKS: Mapping[str, Look] = {
    "inference.sample": Look(
        title="Как модель выбирает токен",
        group=GROUP,
        summary="Температура, top-k и top-p на настоящих вероятностях: что могло прийти и что отсечено.",
        draw=inference.answered,
        ask=Prediction(
            "Модель переводит «шлюмп будет читать зелёную фырку» (T = 1, top-p = 0,9). Слов «шлюмп» и «фырка» она не "
            "знает. Где она будет уверена меньше всего?",
            ("В самом начале", "Внутри ответа, на незнакомом слове", "В конце: когда остановиться"),
            _unsure_at,
            _tell_unsure,
        ),
        controls=_sampling,
        code=_code,
        below=_step,
    ),
    "inference.compare": Look(
        title="База, адаптер рядом и слитая модель",
        group=GROUP,
        summary="Один запрос трём моделям: что меняет адаптер и меняет ли что-нибудь слияние.",
        draw=inference.beside,
        ask=Prediction(
            "Адаптер «ответы в JSON» влили в веса float32. Ответит ли слитая модель так же, как база с "
            "адаптером рядом?",
            ("Да, токен в токен", "Нет, где-нибудь разойдутся"),
            _merged_same,
            _tell_merged,
        ),
        controls=_compared,
    ),
    "inference.speed": Look(
        title="Скорость: веса, пачка, длина запроса, KV-кэш",
        group=GROUP,
        summary="Время до первого токена и токены в секунду, измеренные на этой модели; точку можно повторить.",
        draw=speed.recorded,
        ask=Prediction(
            "Веса сжали из float32 в NF4, считает процессор, запрос один. Что стало с числом токенов в секунду?",
            ("Выросло", "Почти не изменилось", "Упало"),
            _faster,
            _tell_faster,
        ),
        controls=_against,
        below=_repeat,
        stamp=state(FILE),
    ),
    "inference.measure": Look(
        title="Измерить скорость самому",
        group=GROUP,
        summary="Одна точка на этой машине: веса, пачка, длина запроса, кэш.",
        draw=_measured,
    ),
}
"""How the demos of this file are shown."""
