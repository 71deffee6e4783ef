"""Chat templates drawn: what a chat's tokens are made of, and how far answers fall in another model's template.

Leaves out colouring the tokens themselves (``ui.widgets.tokens``) and computing (``demos.chat_templates``).
"""

from __future__ import annotations

from charts import theme
from charts.chart import Chart
from charts.drawing import Cell, Drawing, Number, Table
from common import numbers, palette
from demos.chat_templates.render import Result
from demos.chat_templates.wrong import RIGHT, SKILLS, Measured
from demos.chat_templates.wrong import Result as Fall

MARK, LEARNED, OTHER = palette.PURPLE, palette.GREEN, palette.GREY
LOSSES = {"assistant": "ответы ассистента", "completion": "последний ответ", "all": "весь текст"}


def rendered(result: Result) -> Drawing:
    """Of what the tokens are made, what enters the loss, and what is odd about the text."""
    count = len(result.tokens)
    return Drawing(
        charts=(composition(result),),
        numbers=(
            Number("Токенов", numbers.integer(count)),
            Number("Служебных меток", numbers.integer(result.special), "Метки, которые токенизатор не режет на части."),
            Number("В потерях", _share(result.trained, count), f"Потери считаются по: {LOSSES[result.loss]}."),
            Number("BOS в начале", numbers.integer(result.bos), "Токен начала текста. Нужен один или ни одного."),
        ),
        tables=(
            Table(
                "Токен за токеном",
                ("№", "токен", "метка", "в потерях"),
                tuple(
                    (place, token.text, token.special, token.trained) for place, token in enumerate(result.tokens, 1)
                ),
            ),
        ),
        notes=_notes(result),
        warnings=_warnings(result),
    )


def composition(result: Result) -> Chart:
    """One bar: marks and words, learned and not."""
    parts = (
        ("слова вне потерь", OTHER, "", sum(not token.special and not token.trained for token in result.tokens)),
        ("слова в потерях", LEARNED, "", sum(not token.special and token.trained for token in result.tokens)),
        ("метки вне потерь", MARK, "/", sum(token.special and not token.trained for token in result.tokens)),
        ("метки в потерях", MARK, "", sum(token.special and token.trained for token in result.tokens)),
    )
    count = len(result.tokens)
    learned = numbers.plural(result.trained, "токену", "токенам", "токенам")
    finding = f"{result.title}: модель учится {learned} из {numbers.integer(count)}"
    figure = theme.figure(finding, x="токены", height=240)
    for name, colour, pattern, many in parts:
        figure.add_bar(
            x=[many],
            y=[""],
            name=name,
            orientation="h",
            marker={"color": colour, "pattern": {"shape": pattern}, "line": {"width": 1, "color": theme.LINES}},
            hovertemplate=f"{name}: {numbers.plural(many, 'токен', 'токена', 'токенов')}<extra></extra>",
        )
    figure.update_layout(barmode="stack", legend_traceorder="normal")
    figure.update_yaxes(showticklabels=False)
    return Chart(figure, f"{finding}. {'; '.join(f'{name} — {many}' for name, _, _, many in parts)}.")


def fallen(result: Fall) -> Drawing:
    """Accuracy by template, and by skill in a table."""
    head = ("как записан вопрос", "верно", "из", *SKILLS.values())
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (row.title, row.right, row.of, *(right for _, right in row.skills)) for row in result.rows
    )
    versions = dict(result.versions)
    made = (
        (
            f"Записано {result.date[:10]} скриптом {result.script}: по {result.each} отложенных вопросов на умение, "
            f"жадный выбор токенов, transformers {versions.get('transformers')}, torch {versions.get('torch')}. "
            "Промежуток — 95 %, по Уилсону."
        ),
        "Модель курса мала и знает один шаблон, поэтому падает до нуля. Большая модель в чужом шаблоне часто отвечает, "
        "но хуже, не останавливается или говорит за пользователя.",
    )
    return Drawing(
        charts=(accuracy(result),) if result.rows else (),
        numbers=(
            Number("Токенов в этом вопросе", numbers.integer(result.tokens)),
            Number("В своём шаблоне", numbers.integer(result.own_tokens)),
            Number("Ответ сейчас", "верный" if result.right else "неверный"),
        ),
        tables=(Table("По умениям", head, rows, note=f"Верных ответов из {result.each} на каждое умение."),)
        if rows
        else (),
        notes=made if rows else (),
        warnings=() if rows else ("Точность на этой базовой модели ещё не записана: scripts/measure_templates.py.",),
    )


def accuracy(result: Fall) -> Chart:
    """Bars with intervals, the model's own template first."""
    rows = result.rows
    own, best = rows[0], max(rows[1:], key=lambda row: row.right)
    finding = (
        f"В своём шаблоне верны {_of(own)} ответов, "
        f"в любом другом — не больше {numbers.percent(best.right / best.of, 0)}"
    )
    figure = theme.figure(finding, x="верных ответов, %", height=150 + 36 * len(rows))
    figure.add_bar(
        x=[100 * row.right / row.of for row in rows],
        y=[row.title for row in rows],
        orientation="h",
        marker={
            "color": [palette.BLUE if row.way == RIGHT else palette.VERMILION for row in rows],
            "line": {"width": [3 if row.way == result.way else 0 for row in rows], "color": palette.ORANGE},
        },
        error_x=theme.whiskers(
            [(100 * row.low, 100 * row.high) for row in rows],
            [100 * row.right / row.of for row in rows],
            color=palette.GREY,
        ),
        customdata=[f"{row.title}: {row.right} из {row.of}, {_interval(row)}" for row in rows],
        hovertemplate="%{customdata}<extra></extra>",
    )
    figure.update_xaxes(range=[0, 103])
    figure.update_yaxes(autorange="reversed", showgrid=False, type="category")
    return Chart(figure, f"{finding}. {'; '.join(f'{row.title} — {row.right} из {row.of}' for row in rows)}.")


def _interval(row: Measured) -> str:
    return f"промежуток {numbers.percent(row.low, 1)} – {numbers.percent(row.high, 1)}"


def _of(row: Measured) -> str:
    return numbers.percent(row.right / row.of, 0)


def _share(part: int, whole: int) -> str:
    return f"{numbers.integer(part)} ({numbers.percent(part / whole, 0)})" if whole else "0"


def _notes(result: Result) -> tuple[str, ...]:
    said = [f"Шаблон: {result.origin}. Слова режет токенизатор мини-переводчика: у других семейств токены иные."]
    if result.broken_marks:
        many = numbers.plural(result.broken_marks, "токен", "токена", "токенов")
        said.append(f"Меток этого шаблона мини-переводчик не знает: для него они распадутся и добавят {many}.")
    return tuple(said)


def _code(text: str) -> str:
    """Somebody's text in a remark: shown as it is, whatever stands in it."""
    return f"`{' '.join(text.replace('`', chr(39)).split())}`"


def _warnings(result: Result) -> tuple[str, ...]:
    said = []
    if result.bos > 1:
        said.append(
            "BOS стоит дважды: его записали и шаблон, и токенизатор. Модель такого начала не видела. "
            "Готовый текст токенизируйте с `add_special_tokens=False`."
        )
    if not result.trained and result.loss == "assistant" and not result.marked:
        said.append(
            "Учить не на чем: в этом тексте шаблон не отметил ответ ассистента (`{% generation %}`). "
            "trl с `assistant_only_loss=True` остановится с ошибкой."
        )
    elif not result.trained:
        said.append("Учить не на чем: последнее сообщение — не ответ ассистента.")
    if result.dropped:
        which = ", ".join(map(str, result.dropped))
        said.append(f"Шаблон молча пропустил или изменил текст сообщений: {which}. Проверьте роли.")
    if result.added:
        said.append(f"Шаблон добавил от себя: {_code(result.added[:120])}.")
    if result.injected:
        said.append(
            f"В тексте сообщения стоит метка {_code(result.injected[0])}: для модели это настоящая граница. "
            "Так подделывают чужую реплику; метки из чужого текста убирают."
        )
    return tuple(said)
