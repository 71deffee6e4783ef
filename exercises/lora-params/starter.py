"""Сколько параметров обучит LoRA: ответ до того, как модель скачана."""


def lora_params(config: dict, rank: int, targets: list[str]) -> int:
    """Число обучаемых параметров LoRA ранга rank на слоях targets во всех блоках модели.

    config — числа из config.json модели и linear_layers — имена линейных слоёв одного блока.
    Raises ValueError, если какого-то имени из targets в linear_layers нет; имя названо в тексте ошибки.
    """
    raise NotImplementedError
