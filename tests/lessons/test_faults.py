"""Every way to break a lesson is one fault with its file, its line, its key and a sentence that helps."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from lessons.faults import Fault

TOML, FLOW, QUIZ = "01-halves/lesson.toml", "01-halves/lesson.md", "01-halves/quiz.toml"


class Case(NamedTuple):
    """Replace ``old`` by ``new``; the fault stands on the line of ``at`` (``new`` when empty)."""

    file: str
    old: str
    new: str
    key: str
    says: str
    at: str = ""


CASES = {
    # -- keys and types
    "unknown key": Case(TOML, "prerequisites", "prereqs", "prereqs", "ближайший известный — `prerequisites`"),
    "unknown nested key": Case(QUIZ, 'why = "Она тупая."', 'wy = "Она тупая."', "question.options.wy", "`why`"),
    "missing key": Case(TOML, 'english = "half"\n', "", "terms.english", "нет обязательного ключа", "[[terms]]"),
    "empty value": Case(TOML, 'goal = "Считать куски."', 'goal = " "', "goal", "пустое значение"),
    "wrong type": Case(TOML, 'number = "1"', "number = 1", "number", "здесь целое число, а нужно: строка"),
    "not a list": Case(TOML, '["Посчитаете куски."]', '"Посчитаете"', "outcomes", "массив", "outcomes"),
    "a list item": Case(TOML, '["Посчитаете куски."]', "[\n  1,\n]", "outcomes", "строка", "  1,"),
    "unknown kind": Case(QUIZ, 'kind = "single"', 'kind = "singel"', "question.kind", "ближайший известный — `single`"),
    "a boolean is no number": Case(QUIZ, "tolerance = 0.05", "tolerance = true", "question.tolerance", "true"),
    "number or fact": Case(QUIZ, 'answer = "halves.share"', "answer = [1]", "question.answer", "число или строка"),
    # -- files
    "broken TOML": Case(TOML, "[map]", "[map", "", "заголовок таблицы не закрыт"),
    "no quotes": Case(TOML, '"Половины"', "Половины", "", "тексту нужны кавычки", "title"),
    "key twice": Case(TOML, 'number = "1"', 'id = "again"', "", "уже задан"),
    "not TOML at the end": Case(QUIZ, '"Единица."', "'''Единица.", "", "не закрыта"),
    "missing figure": Case(TOML, "figures/cut.svg", "figures/cat.svg", "phases.figure", "нет файла «figures/cat.svg»"),
    "figure outside": Case(TOML, "figures/cut.svg", "../course.toml", "phases.figure", "нет файла"),
    # -- ids and references of lesson.toml
    "term twice": Case(TOML, "[[phases]]", '[[terms]]\nid = "half"\nname = "a"\nenglish = "b"\ndefinition = "c"\n\n'
                       "[[phases]]", "terms.id", "уже есть в строке 18", 'id = "half"\nname = "a"'),
    "neighbour of no term": Case(TOML, 'english = "half"', 'english = "half"\nnear = ["Слово ъ"]', "terms.near",
                                 "нет термина «Слово ъ»", 'near = ["Слово ъ"]'),
    "id with spaces": Case(TOML, 'id = "half"', 'id = "половина яблока"', "terms.id", "латинские буквы"),
    "block of an item": Case(TOML, 'block = "count"', 'block = "cuont"', "checklist.block", "`count`"),
    "proof by no question": Case(TOML, '"quiz:pieces"', '"quiz:peices"', "checklist.proofs", "`pieces`"),
    "proof by no exercise": Case(TOML, '"quiz:pieces"', '"exercise:cut"', "checklist.proofs", "`cut-it`"),
    "proof by no check": Case(TOML, '"quiz:pieces"', '"exercise:cut-it/eqal"', "checklist.proofs", "`equal`"),
    "proof of no kind": Case(TOML, '"quiz:pieces"', '"pieces"', "checklist.proofs", "нужно quiz:"),
    "proofs alike": Case(TOML, '"quiz:pieces"', '"quiz:who-cuts"', "checklist.proofs", "разного вида"),
    "proofs recognised only": Case(TOML, '"quiz:pieces"', '"quiz:true-ones"', "checklist.proofs", "сделанным"),
    "unknown misconception": Case(TOML, '"ADDS_INSTEAD"', '"ADS_INSTEAD"', "myths.misconception", "`ADDS_INSTEAD`"),
    "two right guesses": Case(TOML, '{ text = "Правда" }', '{ text = "Правда", right = true }', "myths.guesses",
                              "одна"),
    "bar of no fact": Case(TOML, '"так думают", fact = "halves.added"', '"так думают", fact = "halves.aded"',
                           "myths.bars", "`halves.added`"),
    "bars of two kinds": Case(TOML, '"так думают", fact = "halves.added"', '"так думают", fact = "halves.share"',
                              "myths.bars", "разные единицы", "bars = ["),
    "one bar": Case(TOML, '  { label = "так думают", fact = "halves.added" },\n', "", "myths.bars", "одна полоска",
                    "bars = ["),
    "no picture": Case(TOML, 'figure = "figures/cut.svg"\nalt = "Яблоко и нож."\n\n[[myths]]\nid = "myth-1"',
                       '\n[[myths]]\nid = "myth-1"', "myths.id", "нет картинки", 'id = "myth-0"'),
    "picture without alt": Case(TOML, 'alt = "Яблоко и нож."\n\n[[myths]]\nid = "myth-1"',
                                '\n[[myths]]\nid = "myth-1"', "myths.figure", "alt", 'figure = "figures/cut.svg"\n\n'),
    "next leads nowhere": Case(TOML, 'lesson = "halves"', 'lesson = "thirds"', "next.lesson", "нет урока «thirds»"),
    "prerequisite unknown": Case(TOML, '"Умение считать до двух"', '"halvs"', "prerequisites", "нет урока «halvs»"),
    "prerequisite of itself": Case(TOML, '"Умение считать до двух"', '"halves"', "prerequisites", "круг", '["halves"]'),
    # -- facts and language
    "unknown fact": Case(TOML, "кусков {{ fact halves.pieces }}", "кусков {{ fact halves.peices }}", "map.breakthrough",
                         "ближайший известный — `halves.pieces`"),
    "unknown fact in Markdown": Case(FLOW, "{{ fact halves.weight }}", "{{ fact halves.wait }}", "", "нет факта"),
    "braces": Case(FLOW, "{{ fact halves.weight }}", "{{ halves.weight }}", "", "не понять «{{ halves.weight }}»"),
    "bare figure": Case(FLOW, "Смотрите", "Ровно 50 % — это\nсмотрите", "", "набрано руками: «50 %»", "Ровно 50"),
    "bare figure in TOML": Case(TOML, '"Нож тупой."', '"В 3 раза тупее."', "errors.cause", "«3 раза»"),
    "bare figure in a caption": Case(FLOW, "Разрез — **вер", "Разрез в 1,5 ГБ — **вер", "figure", "«1,5 ГБ»"),
    "avoided word": Case(TOML, '"Наточите нож."', '"Сделайте файнтюн."', "errors.fix", "говорят «дообучение»"),
    "avoided word capital": Case(FLOW, "Смотрите", "Квантизация. Смотрите", "", "говорят «квантование»"),
    # -- blocks and directives
    "heading without attributes": Case(FLOW, "## Счёт {#count core 5}", "## Счёт", "##", "пишут так"),
    "heading of the first level": Case(FLOW, "## Вглубь {#deeper deep 10}", "# Вглубь", "##", "пишут так"),
    "block twice": Case(FLOW, "{#deeper deep 10}", "{#start deep 10}", "#start", "уже есть в строке 1"),
    "no minutes": Case(FLOW, "{#deeper deep 10}", "{#deeper deep 0}", "#deeper", "0 минут"),
    "too long": Case(FLOW, "{#count core 5}", "{#count core 33}", "core", "36 мин", "## Начало"),
    "text before the blocks": Case(FLOW, "## Начало", "Привет\n\n## Начало", "", "до первого блока", "Привет"),
    "unknown directive": Case(FLOW, "::: phases", "::: fases", "fases", "ближайший известный — `phases`"),
    "part twice": Case(FLOW, "::: errors", "::: errors\n\n::: map", "map", "уже стоит в строке 3", "::: map\n\n::: ex"),
    "part with words": Case(FLOW, "::: errors", "::: errors all", "errors", "ничего не пишут"),
    "body not closed": Case(FLOW, "вертикальный**.\n:::", "вертикальный**.\n", "figure", "не закрыто", "::: figure"),
    "nothing to close": Case(FLOW, "::: errors", "::: errors\n:::", ":::", "закрывать здесь нечего", ":::\n\n::: ex"),
    "fence not closed": Case(FLOW, "::: next", "::: next\n\n```\nx", "", "не закрыт", "```\nx"),
    "unknown demo": Case(FLOW, "demo halves.cut", "demo halves.cat", "demo", "`halves.cut`"),
    "unknown field": Case(FLOW, "times=10 lock=times", "time=10", "demo", "`times`"),
    "unknown lock": Case(FLOW, "lock=times", "lock=tims", "demo", "нет поля «tims»"),
    "a word, no field": Case(FLOW, "lock=times", "locked", "demo", "нужно поле=значение"),
    "refused preset": Case(FLOW, "times=10", "times=-1", "demo", "Разрезов не бывает меньше нуля"),
    "open quote": Case(FLOW, "lock=times", 'lock="times', "demo", "кавычка не закрыта"),
    "nothing done with one's own": Case(FLOW, "::: errors", "::: errors\n\n::: mine opne", "mine", "`open`",
                                        "::: mine"),
    "one's own twice": Case(FLOW, "::: errors", "::: errors\n\n::: mine open\n\n::: mine merge", "mine", "довольно",
                            "::: mine merge"),
    "unknown question": Case(FLOW, "quiz pieces", "quiz peaces", "quiz", "ближайший известный — `pieces`"),
    "question asked twice": Case(FLOW, "quiz pieces", "quiz after-one", "quiz", "уже задан"),
    "bare quiz twice": Case(FLOW, "::: errors", "::: errors\n\n::: quiz", "quiz", "уже стоит", "::: quiz\n\n::: check"),
    "nobody asks": Case(FLOW, "::: quiz\n", "\n", "quiz", "вопросы никто не задаёт: share,", "::: quiz pieces"),
    "figure without alt": Case(FLOW, "Яблоко, разрезанное пополам.\nРазрез — **вертикальный**.\n", "", "figure",
                               "описание рисунка", "::: figure"),
    "figure missing": Case(FLOW, "figures/cut.svg", "figures/cup.svg", "figure", "нет файла"),
    "figure is no SVG": Case(FLOW, "figures/cut.svg", "quiz.toml", "figure", "только SVG"),
    "code of a solution": Case(FLOW, "demos/halving.py:", "exercises/cut-it/solution.py:", "code", "нельзя"),
    "code outside": Case(FLOW, "demos/halving.py:", "demos/../cli/check.py:", "code", "нельзя"),
    "code file missing": Case(FLOW, "demos/halving.py:", "demos/halfing.py:", "code", "нет файла"),
    "code name missing": Case(FLOW, "Apple.cut", "Apple.cat", "code", "ближайший известный — `Apple.cut`"),
    "fragment missing": Case(FLOW, "pieces *= 2", "pieces /= 2", "code", "нет куска «pieces /= 2»"),
    "arrow without a remark": Case(FLOW, "⟶ столько разрезов", "", "code", "стрелку пишут так", "range(times)"),
    "unknown exercise": Case(FLOW, "::: exercise cut-it", "::: exercise cut", "exercise", "`cut-it`"),
    "link to no lesson": Case(FLOW, "lesson:halves#start", "lesson:halvs#start", "", "нет урока «halvs»"),
    "link to no block": Case(FLOW, "lesson:halves#start", "lesson:halves#strat", "", "нет блока «strat»"),
    "link to no exercise": Case(FLOW, "exercise:cut-it)", "exercise:cut)", "", "нет упражнения «cut»"),
    # -- questions
    "question twice": Case(QUIZ, 'id = "share"', 'id = "pieces"', "question.id", "уже есть",
                           'id = "pieces"\nkind = "number"\nconcept = "doubling"\nblock = "count"\ntext = "Как'),
    "question of no block": Case(QUIZ, 'block = "count"', 'block = "cunt"', "question.block", "`count`"),
    "wrong without why": Case(QUIZ, ', why = "Она тупая."', "", "question.options.text", "нет why",
                              '{ text = "Ложкой"'),
    "two right": Case(QUIZ, 'text = "Ложкой", ', 'text = "Ложкой", right = true, ', "question.options", "а здесь 2"),
    "option twice": Case(QUIZ, '"Ложкой"', '"Ножом"', "question.options.text", "повторяется"),
    "several all right": Case(QUIZ, 'text = "Рояль", ', 'text = "Рояль", right = true, ', "question.options",
                              "неверный", "options = [\n  { text = \"Нож\""),
    "order too short": Case(QUIZ, ', { text = "Съесть" }', "", "question.options", "не меньше трёх", '{ text = "Разр'),
    "order with right": Case(QUIZ, '{ text = "Съесть" }', '{ text = "Съесть", right = true }',
                             "question.options.right", "порядок и есть ответ"),
    "pair twice": Case(QUIZ, 'pair = "4"', 'pair = "2"', "question.options.pair", "повторяется"),
    "no pair": Case(QUIZ, ', pair = "4"', "", "question.options", "нет пары", '{ text = "2" }'),
    "pair elsewhere": Case(QUIZ, '{ text = "Съесть" }', '{ text = "Съесть", pair = "a" }', "question.options.pair",
                           "соответствие"),
    "spot beyond the code": Case(QUIZ, '{ text = "1", why = "Нач', '{ text = "7", why = "Нач', "question.options.text",
                                 "от 1 до 2"),
    "predict without code": Case(QUIZ, 'code = "print(2 ** 3)"\n', "", "question", "нужен code",
                                '[[question]]\nid = "output"'),
    "number with options": Case(QUIZ, "tolerance = 0.0\n", 'options = [{ text = "1" }]\n', "question.options", "wrong"),
    "number without answer": Case(QUIZ, 'answer = "halves.pieces"\n', "", "question.answer", "нет ответа",
                                  "[[question]]"),
    "answer to a choice": Case(QUIZ, 'text = "Чем режут?"', 'text = "Чем?"\nanswer = 2', "question.answer", "с числом",
                               "answer = 2"),
    "answer of no fact": Case(QUIZ, '"halves.pieces"', '"halves.peices"', "question.answer", "`halves.pieces`"),
    "share not in percent": Case(QUIZ, 'unit = "%"', 'unit = "доля"', "question.answer", "нужен unit",
                                 'answer = "halves.share"'),
    "wrong that is right": Case(QUIZ, 'value = "halves.added"', "value = 1024", "question.wrong.value", "в допуск"),
    "wrong of a misconception": Case(QUIZ, 'misconception = "ADDS_INSTEAD" }]', 'misconception = "ADD" }]',
                                     "question.wrong.misconception", "`ADDS_INSTEAD`"),
    # -- the course's own files
    "course key": Case("course.toml", "lead", "led", "led", "`lead`"),
    "misconception of no block": Case("misconceptions.toml", '"count"', '"cont"', "misconception.block", "`count`"),
    "fact of two kinds": Case("facts.toml", "value = 182", 'value = 182\nfunction = "halves.cut"', "halves.weight",
                              "одно из двух", 'id = "halves.weight"'),
    "fact without a source": Case("facts.toml", 'source = "Справочник садовода, 1999, с. 7"\n', "", "halves.weight",
                                  "source", 'id = "halves.weight"'),
    "claim without a block": Case("facts.toml", "halves#count", "halves#cout", "claim.taught", "`count`"),
    "claim of no verdict": Case("facts.toml", '"неверно"', '"неверна"', "claim.verdict", "`неверно`"),
}  # fmt: skip
CONSEQUENCES = {
    "unknown nested key", "missing figure", "figure outside", "heading without attributes",
    "heading of the first level", "unknown directive", "body not closed", "fence not closed", "unknown question",
    "question asked twice", "block twice", "fact of two kinds", "fact without a source", "question twice",
    "wrong of a misconception", "bare quiz twice",
}  # fmt: skip
"""Cases in which one edit is honestly more than one fault (a part that is now missing, a question asked nowhere)."""


@pytest.mark.parametrize("name", CASES)
def test_a_fault_names_file_line_key_and_the_way_out(site: Any, name: str) -> None:
    case = CASES[name]
    site.change(case.file, case.old, case.new)
    text = site.read(case.file)
    line = text[: text.index(case.at or case.new)].count("\n") + 1
    found = site.faults()
    wanted = [fault for fault in found if case.says in fault.message]
    assert wanted, "\n".join(map(str, found)) or "no fault"
    assert (wanted[0].path, wanted[0].line, wanted[0].key) == (Path("content") / case.file, line, case.key)
    assert len(found) == 1 or name in CONSEQUENCES, "\n".join(map(str, found))


def test_all_faults_of_all_files_come_in_one_run(site: Any) -> None:
    site.change(TOML, 'goal = "Считать куски."', "goal = 1")
    site.change(TOML, 'english = "half"', 'englsh = "half"')
    site.change(TOML, 'symptom = "Куски неравны."\n', "")
    site.change(FLOW, "::: phases", "::: fases")
    site.change(QUIZ, 'kind = "order"', 'kind = "sort"')
    site.change("course.toml", "lead", "led")
    names = {(fault.path.name, fault.key) for fault in site.faults()}
    assert names >= {
        ("lesson.toml", "goal"),
        ("lesson.toml", "terms.englsh"),
        ("lesson.toml", "errors.symptom"),
        ("lesson.md", "fases"),
        ("quiz.toml", "question.kind"),
        ("course.toml", "led"),
    }


def test_faults_are_sorted_and_read_as_an_editor_expects(site: Any) -> None:
    line = site.change(TOML, "prerequisites", "prereqs")
    (fault,) = site.faults()
    assert str(fault) == (
        f"content/01-halves/lesson.toml:{line} `prereqs`: неизвестный ключ; ближайший известный — `prerequisites`"
    )
    assert sorted([Fault(Path("b"), 1, "", ""), Fault(Path("a"), 9, "", ""), Fault(Path("a"), 2, "", "")])[0].line == 2


def test_a_file_that_is_not_utf8_is_a_fault_with_its_line(site: Any) -> None:
    (site.content / FLOW).write_bytes(b"## Start {#start core 3}\n\n" + "текст".encode("cp1251"))
    assert "content/01-halves/lesson.md:3: файл не в кодировке UTF-8" in str(site.faults()[0])


def test_a_missing_file_of_a_lesson_is_a_fault(site: Any) -> None:
    (site.content / QUIZ).unlink()
    assert [str(fault) for fault in site.faults()] == ["content/01-halves/quiz.toml:1: нет такого файла"]


def test_a_figure_that_would_not_be_drawn_is_a_fault(site: Any) -> None:
    site.write("01-halves/figures/cut.svg", "<svg>\n<path></svg>")
    assert {fault.message for fault in site.faults()} == {
        "«cut.svg» не нарисуется: ошибка SVG в строке 2",
        "«figures/cut.svg» не нарисуется: ошибка SVG в строке 2",
    }


def test_prerequisites_must_not_go_round(site: Any) -> None:
    shutil.copytree(site.content / "01-halves", site.content / "02-quarters")
    site.change("02-quarters/lesson.toml", 'id = "halves"', 'id = "quarters"')
    site.change("02-quarters/lesson.toml", '"Умение считать до двух"', '"halves"')
    site.change(TOML, '"Умение считать до двух"', '"quarters"')
    assert [fault.message for fault in site.faults()] == [
        "круг: halves → quarters → halves",
        "круг: quarters → halves → quarters",
    ]


def test_two_lessons_must_not_share_an_id(site: Any) -> None:
    shutil.copytree(site.content / "01-halves", site.content / "02-again")
    course, faults = site.leniently()
    assert [str(fault) for fault in faults] == [
        "content/02-again/lesson.toml:1 `id`: id «halves» уже есть у урока 01-halves"
    ]
    assert len(course.lessons) == 1


def test_line_ends_of_windows_change_nothing(site: Any) -> None:
    for name in (TOML, FLOW, QUIZ):
        file = site.content / name
        file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    assert site.faults() == ()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["course.toml", "facts.toml", "misconceptions.toml", TOML, QUIZ])
@pytest.mark.parametrize("value", ["[1]", "{ a = 1 }"])
def test_a_value_of_the_wrong_kind_is_a_fault_wherever_it_stands(site: Any, name: str, value: str) -> None:
    lines = site.read(name).split("\n")
    for at, line in enumerate(lines):
        key, equals, _ = line.partition(" = ")
        if equals and key != "arguments" and not key.startswith((" ", "pieces")):
            site.write(name, "\n".join([*lines[:at], f"{key} = {value}", *lines[at + 1 :]]))
            assert site.faults(), f"{name}:{at + 1} {key} = {value}"
