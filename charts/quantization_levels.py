"""Where levels come from, drawn over the numbers they serve; and the columns that LLM.int8() splits off.

Leaves out computing (``demos.quantization.levels``, ``.outliers``).
"""

from __future__ import annotations

from charts import quantization_words as words
from charts import theme
from charts.chart import Chart
from charts.drawing import Drawing, Number, Table
from charts.quantization import AFTER, BEFORE, density, stems
from common import numbers, palette
from demos.quantization.errors import Errors
from demos.quantization.levels import TABLES
from demos.quantization.levels import Result as Levels
from demos.quantization.outliers import Result as Split


def origins(result: Levels) -> Drawing:
    """One table: its levels, bitsandbytes' own, how it does on normal numbers."""
    shown = "—" if result.difference is None else numbers.significant(result.difference, 2)
    return Drawing(
        charts=(over_density(result), all_tables(result)),
        numbers=(
            Number("Отличие", shown, "Наибольшее отличие уровня от таблицы bitsandbytes."),
            Number("Точный ноль", "есть" if result.has_zero else "нет"),
            Number("Ошибка на N(0, 1)", words.error(result.relative), "RMSE к среднеквадратичному."),
            Number("NF4 на тех же числах", words.error(result.nf4_relative)),
        ),
        tables=(_table(result),),
        notes=_notes(result),
    )


def over_density(result: Levels) -> Chart:
    """Levels and how many numbers each gets, over the density of normal numbers in blocks."""
    least, most = min(one.usage for one in result.levels), max(one.usage for one in result.levels)
    finding = (
        f"{TABLES[result.table]}: на уровень приходится от {numbers.percent(least, 1)} "
        f"до {numbers.percent(most, 1)} чисел, а не поровну"
    )
    figure = theme.figure(finding, x="число / absmax своего блока", y="доля чисел, %", height=360)
    density(figure, result.edges, result.density, len(result.levels), "плотность N(0, 1) в блоках")
    stems(figure, tuple(one.value for one in result.levels), tuple(one.usage for one in result.levels))
    return Chart(figure, f"{finding}. Уровни: {'; '.join(_exact(one.value) for one in result.levels)}.")


def all_tables(result: Levels) -> Chart:
    """All tables, one under another, each level a mark."""
    zeros = [title for title, levels in result.others if 0.0 in levels]
    finding = f"Точный ноль есть у {', '.join(zeros)}; NF4 гуще у нуля, где чисел больше"
    figure = theme.figure(finding, x="доля absmax", height=300)
    for title, levels in result.others:
        chosen = title == TABLES[result.table]
        figure.add_scatter(
            x=list(levels),
            y=[title] * len(levels),
            mode="markers",
            name=title,
            showlegend=False,
            marker={
                "symbol": "line-ns",
                "size": 18,
                "line": {"width": 3 if chosen else 2, "color": AFTER if chosen else BEFORE},
            },
            hovertemplate="%{customdata}<extra></extra>",
            customdata=[f"{title}: {_exact(level)}" for level in levels],
        )
    figure.add_vline(x=0, line={"color": palette.VERMILION, "width": 1, "dash": "dot"})
    figure.update_yaxes(autorange="reversed", type="category")
    return Chart(
        figure, f"{finding}. {'; '.join(f'{title}: {len(levels)} уровней' for title, levels in result.others)}."
    )


def split(result: Split) -> Drawing:
    """LLM.int8(): columns, threshold, what the split saves."""
    rows = (
        ("всё в INT8", 0, result.plain.relative, result.plain.largest, result.plain.snr),
        (f"порог {_short(result.threshold)}", len(result.split), *_three(result.mixed)),
        ("активации точные, веса в INT8", result.features, *_three(result.weights)),
    )
    share = len(result.split) / result.features
    return Drawing(
        charts=(columns(result), thresholds(result)),
        numbers=(
            Number("Всё в INT8", words.error(result.plain.relative), "Ошибка произведения X·Wᵀ против float32."),
            Number("С отделением", words.error(result.mixed.relative)),
            Number("Столбцов отделено", f"{len(result.split)} из {result.features}", numbers.percent(share, 1)),
            Number("Предел", words.error(result.weights.relative), "Столько вносит округление самих весов."),
        ),
        tables=(
            Table("Ошибка произведения", ("как", "столбцов в 16 битах", "ошибка (доля)", "наибольшая", "дБ"), rows),
            Table(
                "По порогам",
                ("порог", "столбцов отделено", "ошибка (доля)"),
                tuple((point.threshold, point.columns, point.relative) for point in result.curve),
            ),
        ),
        notes=_split_notes(result),
    )


def columns(result: Split) -> Chart:
    """The largest activation of each feature, split ones marked."""
    gone = set(result.split)
    largest = max(result.columns)
    finding = (
        f"{numbers.plural(len(gone), 'столбец', 'столбца', 'столбцов')} из {result.features} выше порога "
        f"{_short(result.threshold)}: считать их отдельно — {numbers.percent(len(gone) / result.features, 1)} работы"
        if result.threshold
        else f"Ничего не отделено: строку округляют по самому большому числу, {numbers.decimal(largest, 1)}"
    )
    figure = theme.figure(finding, x="столбец (признак)", y="наибольшая |активация|", height=340)
    for name, colour, chosen in (
        ("в INT8", palette.ROLES["base"], False),
        ("отдельно, в 16 битах", palette.VERMILION, True),
    ):
        places = [place for place in range(result.features) if (place in gone) is chosen]
        figure.add_bar(
            x=places,
            y=[result.columns[place] for place in places],
            name=name,
            width=1 if not chosen else 2,
            marker={"color": colour, "line": {"width": 0}},
            hovertemplate="%{customdata}<extra></extra>",
            customdata=[f"столбец {place}: {numbers.decimal(result.columns[place], 2)}" for place in places],
        )
    if result.threshold:
        figure.add_hline(y=result.threshold, line={"color": palette.BLUE, "width": 1.5, "dash": "dash"})
    figure.update_layout(barmode="overlay", bargap=0)
    return Chart(figure, f"{finding}. Самый большой столбец — {numbers.decimal(largest, 1)}.")


def thresholds(result: Split) -> Chart:
    """Error of the product against the threshold."""
    finding = (
        f"Без отделения ошибка {words.error(result.plain.relative)}, с порогом {_short(result.threshold)} — "
        f"{words.error(result.mixed.relative)}"
        if result.threshold
        else f"Без отделения ошибка {words.error(result.plain.relative)}: порог 0 ничего не отделяет"
    )
    figure = theme.figure(finding, x="порог (лог. шкала)", y="ошибка X·Wᵀ, %", height=320)
    figure.add_scatter(
        x=[point.threshold for point in result.curve],
        y=[100 * point.relative for point in result.curve],
        mode="lines+markers",
        name="LLM.int8()",
        line={"color": palette.BLUE, "width": 2},
        hovertemplate="%{customdata}<extra></extra>",
        customdata=[
            f"порог {_short(p.threshold)}: отделено {p.columns}, ошибка {words.error(p.relative)}" for p in result.curve
        ],
    )
    for name, value, colour in (
        ("всё в INT8", result.plain.relative, palette.GREY),
        ("предел: округлены только веса", result.weights.relative, palette.GREEN),
    ):
        figure.add_hline(y=100 * value, line={"color": colour, "width": 1.5, "dash": "dot"})
        figure.add_annotation(
            x=1, xref="paper", xanchor="right", y=100 * value, yshift=9, text=name, showarrow=False, font={"size": 12}
        )
    figure.update_yaxes(rangemode="tozero")
    figure.update_xaxes(type="log", tickvals=[0.5, 1, 2, 3, 6, 10, 20, 40, 100])
    return Chart(
        figure, f"{finding}. Предел, который задаёт округление весов, — {words.error(result.weights.relative)}."
    )


def _table(result: Levels) -> Table:
    rows = tuple(
        (
            place,
            one.probability,
            one.quantile,
            _exact(one.value),
            "" if one.library is None else _exact(one.library),
            None if one.library is None else one.value - one.library,
            one.usage,
        )
        for place, one in enumerate(result.levels)
    )
    names = ("№", "вероятность", "квантиль N(0, 1)", "уровень", "в bitsandbytes", "отличие", "доля чисел")
    told = [place for place in range(len(names)) if any(row[place] not in (None, "") for row in rows)]
    return Table(
        "Уровни",
        tuple(names[place] for place in told),
        tuple(tuple(row[place] for place in told) for row in rows),
        folded=False,
    )


def _notes(result: Levels) -> tuple[str, ...]:
    tries = "Проверено на случайных числах N(0, 1): они придуманы генератором."
    if result.table == "nf4":
        return (
            f"Вероятности идут равными шагами от {numbers.significant(result.offset, 7)} до ½ в обе стороны: 8 уровней "
            "выше нуля, 7 ниже и сам ноль. Квантили делят на наибольший — получается −1 … 1.",
            tries,
        )
    if result.table == "bins":
        return (
            "Так NF4 часто пересказывают: 16 равновероятных долей и среднее каждой. Уровни выходят симметричными "
            "и без нуля — это не NF4.",
            tries,
        )
    if result.table == "fp4":
        return ("У FP4 два нуля, плюс и минус: разных значений 15 из 16.", tries)
    return (tries,)


def _split_notes(result: Split) -> tuple[str, ...]:
    planted = numbers.plural(len(result.planted), "столбец подсажен", "столбца подсажены", "столбцов подсажено")
    own = (
        f"Слой {result.layer}: {numbers.plural(result.tokens, 'токен', 'токена', 'токенов')}, "
        f"{result.features} → {result.outputs}. Активации настоящие, из модели курса; самая большая до подсадки — "
        f"{numbers.decimal(result.natural, 2)}."
    )
    fake = f"{planted} нарочно: в больших моделях такие выбросы появляются сами, одни и те же у всех токенов."
    return (own, fake) if result.planted else (own, "Выбросов не подсажено: столбцы такие, какими их дала модель.")


def _three(errors: Errors) -> tuple[float, float, float]:
    return errors.relative, errors.largest, errors.snr


def _exact(value: float) -> str:
    return numbers.decimal(value, 7)


def _short(value: float) -> str:
    return numbers.significant(value, 4)
