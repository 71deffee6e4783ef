// What Streamlit cannot be told from Python: the language of the page, its own few English words, and starting a new
// block at its top. Runs once; everything else is the pages' own.
(() => {
  if (window.courseScript) return;
  window.courseScript = true;
  document.documentElement.lang = "ru";

  const WORDS = {
    "Skip to main content": "Перейти к содержанию",
    "App pages": "Страницы курса",
    "Navigate to home page": "На карту курса",
    "Main menu": "Меню",
    "Sidebar": "Боковая панель",
    "Expand sidebar": "Открыть боковую панель",
    "Collapse sidebar": "Закрыть боковую панель",
    "Running...": "Считаем…",
    "Stop": "Остановить",
    "Connecting": "Соединяемся…",
    "Connection error": "Связь с курсом прервалась",
    "Page not found": "Такой страницы нет",
    "The page that you have requested does not seem to exist. Running the app's main page.":
      "Возможно, адрес скопирован не целиком. Открыта карта курса.",
    "Copy": "Скопировать",
    "Copy to clipboard": "Скопировать",
    "Copied": "Скопировано",
    "Fullscreen": "Во весь экран",
    "Exit fullscreen": "Вернуть размер",
    "Clear value": "Очистить",
    "Clear all": "Очистить всё",
    "Select all": "Выбрать всё",
    "Search": "Найти",
    "No results": "Ничего не найдено",
    "No options": "Выбирать не из чего",
    "No options to select": "Выбирать не из чего",
    "No options to select.": "Выбирать не из чего.",
    "Choose an option": "Выберите",
    "Choose options": "Выберите",
    "Increment": "Больше",
    "Decrement": "Меньше",
    "Previous page": "Предыдущая страница",
    "Next page": "Следующая страница",
    "Loading...": "Загружаем…",
    "Loading": "Загружаем…",
    "Close": "Закрыть",
    "Cancel": "Отмена",
    "Help": "Пояснение",
    "More": "Ещё",
    "Notifications": "Сообщения",
    "Logo": "Донастройка",
    "Upload": "Загрузить",
    "Browse files": "Выбрать файл",
    "Drag and drop file here": "Перетащите файл сюда",
    "Drag and drop a file here": "Перетащите файл сюда",
    "Add files": "Добавить файл",
    "Drag and drop files here": "Перетащите файлы сюда",
    "Link to heading": "Ссылка на этот раздел",
    "Script execution error": "На странице ошибка",
    "Is Streamlit still running?": "Работает ли ещё курс?",
  };
  const ATTRIBUTES = ["aria-label", "title", "placeholder", "alt"];
  const OURS = "pre, code, textarea, [data-testid='stMarkdownContainer']";

  const speak = (root) => {
    if (root.nodeType === Node.TEXT_NODE) return word(root);
    if (root.nodeType !== Node.ELEMENT_NODE) return;
    attributes(root);
    root.querySelectorAll("[aria-label], [title], [placeholder], [alt]").forEach(attributes);
    const texts = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) word(texts.currentNode);
  };
  const attributes = (element) => {
    for (const name of ATTRIBUTES) {
      const english = element.getAttribute(name);
      const russian = WORDS[english] ?? english?.replace(/^Help for /, "Пояснение: ");
      if (russian && russian !== english) element.setAttribute(name, russian);
    }
  };
  const word = (text) => {
    const english = text.data.trim();
    const russian = WORDS[english] ?? (/^File must be .+ or smaller\.$/.test(english) ? "Файл слишком большой." : undefined);
    const theirs = `[data-testid="stFileUploaderDropzone"]`; // a button of Streamlit's with Markdown inside
    const near = text.parentElement;
    if (russian && (near?.closest(theirs) || !near?.closest(OURS))) text.data = russian;
  };

  // A sheet is printed by a button of the page.
  document.addEventListener("click", ({ target }) => {
    if (target instanceof Element && target.closest(".st-key-print button")) window.print();
  });

  // Another block of the lesson starts at its top, for the eye and for the keyboard.
  let place = null;
  const arrive = () => {
    const now = document.getElementById("course-place")?.dataset.place ?? null;
    if (now === place) return;
    if (now !== null && place !== null) document.querySelector("[data-testid='stMain']")?.scrollTo({ top: 0 });
    place = now;
  };

  // While an answer is being drawn its card loses a few lines for a moment. At the end of a page everything would jump,
  // so the card keeps its height until the answer stands and there is page enough below.
  const CARDS = "[class*='st-key-question-'], [class*='st-key-myth-']";
  const DRAWN_MS = 2000;
  const release = (card) => {
    const main = document.querySelector("[data-testid='stMain']");
    const below = main ? main.scrollHeight - main.clientHeight - main.scrollTop : Infinity;
    if (card.isConnected && below < window.innerHeight / 2) return hold(card);
    card.style.minHeight = "";
  };
  const hold = (card) => {
    clearTimeout(Number(card.dataset.held));
    card.dataset.held = setTimeout(release, DRAWN_MS, card);
  };
  document.addEventListener("click", ({ target }) => {
    const card = target instanceof Element && target.closest(CARDS);
    if (!card) return;
    card.style.minHeight = `${card.getBoundingClientRect().height}px`;
    hold(card);
  }, true);

  new MutationObserver((changes) => {
    for (const change of changes) {
      if (change.type === "attributes") attributes(change.target);
      else if (change.type === "characterData") word(change.target);
      else change.addedNodes.forEach(speak);
    }
    arrive();
  }).observe(document.documentElement, {
    subtree: true, childList: true, characterData: true, attributes: true,
    attributeFilter: [...ATTRIBUTES, "data-place"],
  });
  speak(document.body);
  arrive();
})();
