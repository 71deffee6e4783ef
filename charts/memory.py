"""Charts of memory: parts of a step one after another, devices that hold it, common claims, points of checking.

Leaves out computing: every number comes in a Result of ``demos.memory``.
"""

from __future__ import annotations

from typing import Any

from charts import theme
from charts.chart import Chart
from charts.drawing import Drawing, Number, Table
from common import numbers, palette
from demos.memory import fits, formulas, inference_formulas, points
from demos.memory.claims import Result as Claims
from demos.memory.fits import Result as Fits
from demos.memory.inference import Result as Inference
from demos.memory.lines import Line
from demos.memory.points import PARTS
from demos.memory.points import Result as Point
from demos.memory.training import Result as Training

GB, GIB = 10**9, 2**30
COLOURS = {
    "weights": palette.ROLES["base"],
    "constants": palette.ROLES["quantized"],
    "adapter": palette.ROLES["lora"],
    "adapters": palette.ROLES["lora"],
    "gradients": palette.SKY,
    "optimizer": palette.GREEN,
    "activations": palette.ORANGE,
    "cache": palette.VERMILION,
    "logits": palette.YELLOW,
    "buffers": palette.ROLES["quantized"],
    "overhead": "#B9BDC6",
}
VERDICTS = {
    "yes": ("влезет", palette.GREEN, "да"),
    "paged": ("влезет, если моменты уйдут в ОЗУ", palette.SKY, "с ОЗУ"),
    "tight": ("впритык: запаса нет", palette.ORANGE, "впритык"),
    "no": ("не влезет", palette.VERMILION, "нет"),
}
_UNCHECKED = "На GPU не сверено: накладные расходы CUDA и временные тензоры здесь — оценка."


def training(result: Training) -> Drawing:
    """A step of training: its parts, where it goes in, every formula, and where the calculator was checked."""
    held = fits.table(result.total, result.paged)
    numbers_ = (
        Number("Память шага", numbers.size(result.total), numbers.size(result.total, binary=True)),
        Number("Активации", numbers.size(result.activations), "Что autograd хранит до обратного прохода."),
        Number("Веса базы", numbers.size(result.weights)),
        Number("Обучается параметров", numbers.integer(result.trainable)),
    )
    tables = (
        _lines("Формулы: из чего каждый столбик", result.lines, result.total, formulas.SYMBOLS),
        _devices(held),
        checked(),
    )
    notes = (*result.notes, "Итог — сумма пиков. Пики логитов и активаций не совпадают, настоящий чуть ниже.", _sure())
    return Drawing((waterfall(result.lines, result.total), devices(held)), numbers_, tables, notes)


def inference(result: Inference) -> Drawing:
    """Answering: its parts, where it goes in, every formula."""
    held = fits.table(result.total)
    numbers_ = (
        Number("Память", numbers.size(result.total), numbers.size(result.total, binary=True)),
        Number("KV-кэш", numbers.size(result.cache), "Ключи и значения запроса и ответа."),
        Number("KV на токен", numbers.size(result.cache_token), "Одного запроса, во всех слоях."),
        Number("Веса", numbers.size(result.weights + result.constants), "С константами квантования."),
    )
    phases = (
        f"Активации: чтение запроса — {numbers.size(result.prefill)}, токен ответа — {numbers.size(result.decode)}. "
        "Скользящее окно внимания (Mistral v0.1, Phi-3-mini, Gemma-2) хранит меньше ключей: посчитано без него."
    )
    tables = (
        _lines("Формулы: из чего каждый столбик", result.lines, result.total, inference_formulas.SYMBOLS),
        _devices(held),
    )
    return Drawing((waterfall(result.lines, result.total), devices(held)), numbers_, tables, (phases, _UNCHECKED))


def where(result: Fits) -> Drawing:
    """Devices alone."""
    need = Number("Нужно", numbers.size(result.need), numbers.size(result.need, binary=True))
    return Drawing((devices(result),), (need,), (_devices(result),))


def waterfall(lines: tuple[Line, ...], total: int) -> Chart:
    """Parts one after another up to the total: horizontal bars, each begins where the last has ended."""
    bars = [line for line in lines if not line.of and line.bytes]
    largest = max(bars, key=lambda line: line.bytes)
    share = numbers.percent(largest.bytes / total, 0)
    finding = f"{numbers.size(total)}: больше всего — {_lower(largest.title)}, {share}"
    figure = theme.figure(finding, x="ГБ (10⁹ байт)", height=140 + 38 * (len(bars) + 1))
    starts = [sum(line.bytes for line in bars[:place]) for place in range(len(bars))]
    figure.add_bar(
        base=[start / GB for start in (*starts, 0)],
        x=[size / GB for size in (*(line.bytes for line in bars), total)],
        y=[*(line.title for line in bars), "Всего"],
        orientation="h",
        marker={"color": [*(COLOURS[line.id] for line in bars), palette.ACCENT]},
        text=[numbers.size(size) for size in (*(line.bytes for line in bars), total)],
        textposition="outside",
        cliponaxis=False,
        hovertemplate="%{customdata}<extra></extra>",
        customdata=[*(f"{line.title}: {_both(line.bytes)}" for line in bars), f"Всего: {_both(total)}"],
    )
    figure.update_yaxes(autorange="reversed", showgrid=False, type="category")
    figure.update_xaxes(range=[0, 1.5 * total / GB])
    parts = "; ".join(f"{line.title} — {numbers.size(line.bytes)}" for line in bars)
    return Chart(figure, f"{finding}. {parts}. Всего {_both(total)}.")


def devices(result: Fits) -> Chart:
    """What each device may give, and a line at what is needed."""
    rows, need = result.rows, result.need
    holds = [row for row in rows if row.verdict in ("yes", "paged")]
    finding = (
        f"{numbers.size(need)} влезает на {holds[0].title}" if holds else f"{numbers.size(need)} не влезает никуда"
    )
    if len(holds) > 1:
        finding += f" и ещё на {numbers.plural(len(holds) - 1, 'устройство', 'устройства', 'устройств')}"
    figure = theme.figure(finding, x="доступно, ГБ (10⁹ байт)", height=170 + 26 * len(rows))
    words = [
        f"{row.title}: доступно {_both(row.usable)} из {numbers.size(row.memory)} — {VERDICTS[row.verdict][0]}"
        for row in rows
    ]
    figure.add_bar(
        x=[row.usable / GB for row in rows],
        y=[row.title for row in rows],
        orientation="h",
        marker={"color": [VERDICTS[row.verdict][1] for row in rows]},
        hovertemplate="%{customdata}<extra></extra>",
        customdata=words,
    )
    shown = max(row.usable for row in rows) / GB
    figure.add_scatter(  # a column of its own, so that the line crosses no word
        x=[1.2 * shown] * len(rows),
        y=[row.title for row in rows],
        mode="text",
        text=[VERDICTS[row.verdict][2] for row in rows],
        hoverinfo="skip",
    )
    figure.update_layout(showlegend=False)
    if need / GB <= shown:
        figure.add_vline(x=need / GB, line={"color": palette.VERMILION, "width": 2, "dash": "dot"})
    figure.update_yaxes(autorange="reversed", showgrid=False, type="category")
    figure.update_xaxes(range=[0, 1.45 * shown])
    return Chart(figure, f"{finding}. {'; '.join(words)}.")


def claims(result: Claims) -> Drawing:
    """Common claims beside what comes out."""
    rows = [claim for claim in result.claims if claim.claimed > 100]
    wrong = sum(claim.verdict != "верно" for claim in result.claims)
    finding = f"Верно утверждений: {len(result.claims) - wrong} из {len(result.claims)}"
    labels = [_wrapped(claim.said) for claim in rows]
    lines = sum(1 + label.count("<br>") for label in labels)
    figure = theme.figure(finding, x="байты, лог. шкала", height=180 + 16 * len(rows) + 17 * lines)
    for name, colour, symbol, values in (
        ("говорят", palette.ROLES["base"], "circle", [claim.claimed for claim in rows]),
        ("выходит", palette.ROLES["lora"], "diamond", [claim.computed for claim in rows]),
    ):
        figure.add_scatter(
            x=values,
            y=labels,
            name=name,
            mode="markers",
            marker={"size": 12, "color": colour, "symbol": symbol},
            hovertemplate="%{customdata}<extra></extra>",
            customdata=[
                f"{claim.said}<br>{name}: {numbers.size(value, 2)}" for claim, value in zip(rows, values, strict=True)
            ],
        )
    figure.update_yaxes(autorange="reversed", type="category", tickfont={"size": 12})
    figure.update_xaxes(
        type="log", tickvals=[10**p for p in range(5, 13)], ticktext=[numbers.size(10**p, 0) for p in range(5, 13)]
    )
    cells = tuple((claim.said, numbers.size(claim.computed, 2), claim.verdict, claim.why) for claim in result.claims)
    table = Table("Что говорят — что выходит", ("Говорят", "Выходит", "Верно ли", "Почему"), cells, folded=False)
    spoken = "; ".join(
        f"{claim.said}: выходит {numbers.size(claim.computed, 2)}, {claim.verdict}" for claim in result.claims
    )
    return Drawing((Chart(figure, f"{finding}. {spoken}."),), (), (table,))


def point(result: Point) -> Drawing:
    """One point of checking, counted now."""
    worst = max(abs(row.difference) for row in result.rows)
    finding = f"{result.title}: наибольшее расхождение {numbers.percent(worst)}"
    figure = theme.figure(finding, x="МБ (10⁶ байт)", height=160 + 60 * len(result.rows))
    for name, colour, values in (
        ("оценка", palette.ROLES["lora"], [row.estimated for row in result.rows]),
        ("подсчёт", palette.ROLES["base"], [row.counted for row in result.rows]),
    ):
        figure.add_bar(
            x=[value / 10**6 for value in values],
            y=[PARTS[row.part] for row in result.rows],
            name=name,
            orientation="h",
            marker={"color": colour},
            hovertemplate="%{customdata}<extra></extra>",
            customdata=[f"{name}: {numbers.integer(value)} Б" for value in values],
        )
    figure.update_yaxes(autorange="reversed", showgrid=False, type="category")
    rows = tuple((PARTS[row.part], row.estimated, row.counted, numbers.percent(row.difference)) for row in result.rows)
    table = Table("По частям", ("Часть", "Оценка, Б", "Подсчёт, Б", "Расхождение"), rows, folded=False)
    spoken = "; ".join(f"{PARTS[row.part]}: {numbers.integer(row.counted)} байт" for row in result.rows)
    return Drawing((Chart(figure, f"{finding}. {spoken}."),), (), (table, checked()), (_sure(),))


def checked() -> Table:
    """Every recorded point with the difference of each part."""
    found = points.recorded()
    rows = tuple((known.title, *(_difference(known, part) for part in PARTS)) for known in found.points)
    versions = ", ".join(f"{name} {version}" for name, version in found.versions)
    note = (
        f"Подсчитано {found.made[:10]} скриптом scripts/memory.py: {versions}. Модели маленькие, устройство — CPU. "
        "Последние строки — настоящие размеры: тензоры с формой и без чисел, одни активации."
    )
    return Table("Где сверено: оценка против подсчёта", ("Точка", *PARTS.values()), rows, note)


def _difference(known: Point, part: str) -> str | None:
    return next((numbers.percent(row.difference) for row in known.rows if row.part == part), None)


def _sure() -> str:
    found = points.recorded()
    many = numbers.plural(len(found.points), "точке", "точках", "точках")
    real = numbers.plural(len(found.large), "модели", "моделях", "моделях")
    worst = numbers.percent(found.worst)
    return f"Сверено на {many} CPU и на {real} настоящего размера, наибольшее расхождение {worst}. {_UNCHECKED}"


def _lines(title: str, lines: tuple[Line, ...], total: int, symbols: str) -> Table:
    rows = tuple(
        (f"— {line.title}" if line.of else line.title, *_sizes(line.bytes), line.symbols, line.numbers or None)
        for line in lines
        if line.bytes
    )
    whole = ("Всего", *_sizes(total), "сумма", None)
    return Table(title, ("Часть", "ГБ", "ГиБ", "Формула", "С числами, в байтах"), (*rows, whole), symbols)


def _devices(result: Fits) -> Table:
    rows = tuple(
        (row.title, *_sizes(row.memory), row.usable / GB, row.left / GB, VERDICTS[row.verdict][0], row.note or None)
        for row in result.rows
    )
    note = (
        "Память видеокарт — как её показывает драйвер; десятая часть оставлена на потери распределителя. "
        "Mac отдаёт видеоядрам две трети общей памяти, от 36 ГБ — три четверти. Пятая часть ОЗУ оставлена системе."
    )
    names = ("Устройство", "ГБ", "ГиБ", "Доступно, ГБ", "Останется, ГБ", "Влезет?", "Помните")
    return Table("Влезет?", names, rows, note)


def _sizes(count: int) -> tuple[str, str]:
    return numbers.decimal(count / GB, 3), numbers.decimal(count / GIB, 3)


def _both(count: int) -> str:
    return f"{numbers.size(count, 2)} ({numbers.size(count, 2, binary=True)})"


def _lower(title: str) -> str:
    return title if title[:2].isupper() else title[0].lower() + title[1:]


def _wrapped(text: str) -> Any:
    words, lines = text.split(), [""]
    for word in words:
        if len(lines[-1]) + len(word) > 30:
            lines.append("")
        lines[-1] += f" {word}" if lines[-1] else word
    return "<br>".join(lines)
