"""Rows of a batch drawn: pieces of examples, padding and free room; who attends to whom in one row.

Leaves out computing (``demos.packing``) and the row's tokens in colour (``ui.widgets.tokens``).
"""

from __future__ import annotations

from typing import Any

from charts import theme
from charts.chart import Chart
from charts.drawing import Drawing, Number, Table
from common import numbers, palette
from demos.packing.windows import Line, Result

COLOURS = (palette.BLUE, palette.ORANGE, palette.GREEN, palette.PURPLE, palette.SKY, palette.YELLOW)
"""Of examples, in turn: neighbours differ, and each piece has its number written on it."""
MOST_ROWS, MOST_PLACES = 40, 64
UNSEEN, OWN, FOREIGN = 0, 1, 2


def packed(result: Result) -> Drawing:
    """The rows, the attention of the shown one, and what was padded, lost and learned."""
    return Drawing(
        charts=(rows(result), attention(result)) if result.cells else (),
        numbers=(
            Number("Окон", numbers.integer(len(result.lines))),
            Number(
                "Впустую", numbers.percent(result.waste, 1), "Доля PAD среди всех мест, которые модель вычисляет зря."
            ),
            Number("Учится токенов", f"{numbers.integer(result.learned)} из {numbers.integer(result.tokens)}"),
            Number("Концов (EOS) учится", f"{result.ends} из {result.examples}", "Без них модель не умеет замолчать."),
        ),
        tables=(_line_table(result), _cell_table(result)),
        notes=_notes(result),
        warnings=_warnings(result),
    )


def rows(result: Result) -> Chart:
    """A bar for every row: its pieces, padding, free room."""
    shown = result.lines[:MOST_ROWS]
    finding = _finding(result)
    figure = theme.figure(finding, x="места в окне, токены", y="окно", height=170 + 24 * len(shown))
    for place, line in enumerate(shown, 1):
        start = 0
        for example, length in line.pieces:
            _bar(figure, place, (start, length), COLOURS[(example - 1) % len(COLOURS)], text=str(example))
            start += length
        _bar(figure, place, (start, line.padding), palette.GREY, pattern="x", text="PAD")
        _bar(figure, place, (start + line.padding, line.room), theme.CLEAR, text="")
    figure.update_layout(barmode="stack", showlegend=False, bargap=0.2)
    figure.update_yaxes(autorange="reversed", dtick=1 if len(shown) <= 20 else 5, showgrid=False)
    figure.update_xaxes(range=[0, result.window * 1.01])
    figure.add_hrect(y0=result.row - 0.5, y1=result.row + 0.5, line={"color": palette.VERMILION, "width": 2})
    words = "; ".join(f"окно {place}: {_pieces(line)}, PAD {line.padding}" for place, line in enumerate(shown[:8], 1))
    return Chart(figure, f"{finding}. {words}.")


def attention(result: Result) -> Chart:
    """Who sees whom in the shown row: a token of the row (down) looks at earlier ones (across)."""
    cells = result.cells[:MOST_PLACES]
    grid = [[_sees(result, down, across) for across in range(len(cells))] for down in range(len(cells))]
    foreign = sum(row.count(FOREIGN) for row in grid)
    alien = numbers.plural(foreign, "раз", "раза", "раз")
    finding = (
        f"Окно {result.row}: токены смотрят в чужой пример {alien}"
        if foreign
        else f"Окно {result.row}: каждый токен видит только свой пример"
    )
    labels = [f"{place}: {cell.text.strip() or '␣'}" for place, cell in enumerate(cells, 1)]
    figure = theme.figure(finding, x="на кого смотрит", y="кто смотрит", height=430)
    figure.add_heatmap(
        z=grid,
        x=list(range(1, len(cells) + 1)),
        y=list(range(1, len(cells) + 1)),
        zmin=UNSEEN,
        zmax=FOREIGN,
        colorscale=[
            [0, theme.CLEAR],
            [0.25, theme.CLEAR],
            [0.25, palette.BLUE],
            [0.75, palette.BLUE],
            [0.75, palette.VERMILION],
            [1, palette.VERMILION],
        ],
        showscale=False,
        xgap=1,
        ygap=1,
        customdata=[[_hover(labels, grid[y][x], y, x) for x in range(len(cells))] for y in range(len(cells))],
        hovertemplate="%{customdata}<extra></extra>",
    )
    figure.update_yaxes(autorange="reversed", showgrid=False)
    figure.update_xaxes(showgrid=False)
    groups = numbers.plural(len(result.segments), "отрезок", "отрезка", "отрезков")
    words = f"{finding}. В окне {groups} внимания; синее — свой пример, красное — чужой, пустое — не видно."
    return Chart(figure, words)


def _pieces(line: Line) -> str:
    return ", ".join(f"пример {example} — {length}" for example, length in line.pieces)


def _hover(labels: list[str], seen: int, down: int, across: int) -> str:
    how = ("не видит", "видит", "видит чужой токен")[seen]
    return f"«{labels[down]}» {how} «{labels[across]}»".replace("<", "‹").replace(">", "›")


def _sees(result: Result, down: int, across: int) -> int:
    same = any(start <= across <= down < stop for start, stop in result.segments)
    if not same:
        return UNSEEN
    return OWN if result.cells[down].example == result.cells[across].example else FOREIGN


def _bar(figure: Any, row: int, span: tuple[int, int], colour: str, *, text: str, pattern: str = "") -> None:
    start, length = span
    if not length:
        return
    many = numbers.plural(length, "токен", "токена", "токенов")
    what = {"PAD": "PAD", "": "свободно"}.get(text, f"пример {text}")
    figure.add_bar(
        x=[length],
        y=[row],
        base=[start],
        orientation="h",
        marker={
            "color": colour,
            "pattern": {"shape": pattern},
            "line": {"width": 1, "color": theme.LINES},
        },
        text=[text],
        textposition="inside",
        insidetextanchor="middle",
        textangle=0,
        insidetextfont={"color": palette.BLACK} if pattern else None,  # white is lost between the hatching
        hovertemplate=f"окно {row}, {what}: {many}<extra></extra>",
    )


def _finding(result: Result) -> str:
    many = numbers.plural(len(result.lines), "окно", "окна", "окон")
    if result.flat:
        return f"{many} без единого PAD: trl сшивает окна пачки в одну ленту"
    return f"{many}, впустую {numbers.percent(result.waste, 0)} вычислений"


def _line_table(result: Result) -> Table:
    return Table(
        "Окна",
        ("окно", "примеры", "токенов", "PAD", "свободно", "учится"),
        tuple(
            (
                place,
                ", ".join(f"{example} ({length})" for example, length in line.pieces),
                line.used,
                line.padding,
                line.room,
                line.learned,
            )
            for place, line in enumerate(result.lines, 1)
        ),
        note="В скобках — сколько токенов примера лежит в окне. Свободное место модель не вычисляет.",
    )


def _cell_table(result: Result) -> Table:
    cells = result.cells
    after = [*cells[1:], None][: len(cells)]
    return Table(
        f"Окно {result.row}: кто кого предсказывает",
        ("место", "токен", "пример", "position_ids", "метка (labels)", "предсказывает"),
        tuple(
            (
                place,
                cell.text,
                cell.example or None,
                cell.position if cell.example else None,
                cell.text if cell.labelled else "−100",
                following.text if following is not None and following.learned else "—",
            )
            for place, (cell, following) in enumerate(zip(cells, after, strict=True), 1)
        ),
        note="Метки стоят на своих местах, а сдвиг на один делает модель: токен угадывают логиты предыдущего места.",
    )


def _notes(result: Result) -> tuple[str, ...]:
    said = []
    if result.flat:
        said.append(
            "Окна пачки идут одной лентой, position_ids в каждом примере начинаются с нуля, по ним внимание и делится. "
            "Первый токен куска получает −100: перед ним стоит чужой пример."
        )
    if len(result.lines) > MOST_ROWS:
        said.append(f"На рисунке первые {MOST_ROWS} окон, в таблице все.")
    if len(result.cells) > MOST_PLACES:
        said.append(f"Внимание показано для первых {MOST_PLACES} мест окна.")
    return tuple(said)


def _warnings(result: Result) -> tuple[str, ...]:
    said = []
    if not result.learned:
        said.append(
            "Не учится ни один токен: окно кончается раньше ответов. Loss будет нулевым или nan, обучение — впустую."
        )
    if result.learned and not result.ends:
        said.append("Ни один EOS не входит в потери: модель не научится останавливаться.")
    if result.lost:
        lost = numbers.plural(result.lost, "токен", "токена", "токенов")
        said.append(f"Отрезано {lost}: хвосты примеров длиннее окна, а в хвосте — ответ и EOS.")
    if result.dropped:
        gone = numbers.plural(result.dropped, "пример", "примера", "примеров")
        said.append(f"trl выбросит {gone}: после обрезки в них нечего учить.")
    if result.foreign:
        times = numbers.plural(result.foreign, "раз", "раза", "раз")
        said.append(f"Внимание смешивает примеры: во всех окнах токен видит чужой {times}.")
    if result.torn:
        said.append(f"Разрезано примеров: {numbers.integer(result.torn)}. Конец ответа не видит своего вопроса.")
    return tuple(said)
