// The course's code editor: CodeMirror 6 with what the exercise page needs and nothing else.
//
// Stores the text on the server within a second of the last key, without a rerun of the page; sends what is on the screen with
// «Запустить» and «Отправить». Leaves out checking: the text is never run or parsed in the browser.
import { autocompletion, closeBrackets, closeBracketsKeymap } from "@codemirror/autocomplete"
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands"
import { python } from "@codemirror/lang-python"
import { bracketMatching, indentOnInput, indentUnit, syntaxHighlighting } from "@codemirror/language"
import { EditorState } from "@codemirror/state"
import { drawSelection, EditorView, highlightActiveLine, keymap, lineNumbers } from "@codemirror/view"
import { classHighlighter } from "@lezer/highlight"

const PAUSE_MS = 600 // after the last key
const LONGEST_MS = 1500 // while the keys go on
const RETRY_MS = 3000
const editors = new WeakMap()

/** Mount or refresh the editor in `component.parentElement`; returns the function that takes it down. */
export function mount(component) {
  const host = component.parentElement
  let editor = editors.get(host)
  if (!editor) {
    editor = new Editor(host)
    editors.set(host, editor)
  }
  editor.refresh(component)
  return () => editor.leave()
}

class Editor {
  constructor(host) {
    this.host = host
    this.root = host.querySelector(".course-editor")
    this.part = name => this.root.querySelector(`[data-part=${name}]`)
    this.saving = Promise.resolve(true)
    this.view = null
    this.onHide = () => document.visibilityState === "hidden" && this.save({ keepalive: true })
    document.addEventListener("visibilitychange", this.onHide)
    window.addEventListener("pagehide", this.onHide)
  }

  refresh(component) {
    this.component = component
    this.data = component.data
    this.root.dataset.dark = isDark(this.root)
    if (!this.view) this.build()
    else if (this.data.version > this.version) this.adopt() // a new session, after a restart of the app, begins at 0
    else if (this.text !== this.stored) this.changed() // what could not be stored while the app was away
    this.version = this.data.version
    for (const name of ["run", "submit"]) this.part(name).disabled = Boolean(this.data.busy)
    this.wire()
  }

  build() {
    this.revision = this.data.revision
    this.stored = this.data.text
    const own = keymap.of([{ key: "Mod-Enter", run: () => (this.send("run"), true) }])
    this.view = new EditorView({
      parent: this.part("text"),
      root: this.host instanceof ShadowRoot ? this.host : undefined,
      state: EditorState.create({
        doc: this.data.text,
        extensions: [
          own, lineNumbers(), history(), drawSelection(), highlightActiveLine(), indentOnInput(), bracketMatching(), closeBrackets(),
          autocompletion({ activateOnTyping: false }), python(), indentUnit.of("    "), syntaxHighlighting(classHighlighter),
          keymap.of([...closeBracketsKeymap, ...defaultKeymap, ...historyKeymap, indentWithTab]),
          EditorView.lineWrapping,
          EditorView.contentAttributes.of({ "aria-label": this.data.label, "aria-describedby": "course-editor-keys", spellcheck: "false", autocapitalize: "off" }),
          EditorView.updateListener.of(update => update.docChanged && this.changed()),
        ],
      }),
    })
    // Streamlit listens for single keys on the document; what is typed here is ours.
    this.root.addEventListener("keydown", event => event.stopPropagation())
  }

  get text() {
    return this.view.state.doc.toString()
  }

  wire() {
    this.part("run").onclick = () => this.send("run")
    this.part("submit").onclick = () => this.send("submit")
    this.part("reset").onclick = () => this.reset()
    this.part("file").onchange = event => this.upload(event.target)
    this.part("mine").onclick = () => this.resolve(this.text)
    this.part("theirs").onclick = () => this.resolve(this.conflict.source)
  }

  /** The server has stored another text in place of ours, an uploaded file: what is typed next grows from it. */
  adopt() {
    this.revision = this.data.revision
    this.stored = this.data.text
    this.settle()
    this.replace(this.data.text)
  }

  changed() {
    if (!this.conflict) this.say("Сохраняю…", "wait")
    clearTimeout(this.timer)
    this.firstKey ??= Date.now()
    const pause = Math.min(PAUSE_MS, Math.max(0, this.firstKey + LONGEST_MS - Date.now()))
    this.timer = setTimeout(() => this.save(), pause)
  }

  /** Store the text. Saves go one after another, so that revisions stay in order; resolves to whether it is stored. */
  save(options = {}) {
    clearTimeout(this.timer)
    this.firstKey = null
    this.saving = this.saving.then(() => this.store(options))
    return this.saving
  }

  async store({ keepalive = false }) {
    const source = this.text
    if (this.conflict) return false
    if (source === this.stored) {
      if (this.part("state").dataset.kind === "wait") this.say("Сохранено", "good")
      return true
    }
    try {
      const answer = await fetch("/api/draft", {
        method: "POST",
        keepalive,
        headers: { "Content-Type": "application/json", "X-Course-Token": this.data.token },
        body: JSON.stringify({ exercise: this.data.exercise, source, revision: this.revision }),
      })
      const body = await answer.json()
      if (answer.status === 409) return this.meet(body)
      if (!answer.ok) return this.fail(body.message, answer.status >= 500)
      this.revision = body.revision
      this.stored = source
      this.say(`Сохранено в ${new Date().toLocaleTimeString("ru-RU", { hour: "2-digit", minute: "2-digit" })}`, "good")
      return true
    } catch {
      return this.fail("Не сохранено: нет связи с курсом. Текст остаётся здесь, пробую ещё.", true)
    }
  }

  fail(message, again) {
    this.say(message ?? "Не сохранено. Пробую ещё.", "bad")
    if (again) this.timer = setTimeout(() => this.save(), RETRY_MS)
    return false
  }

  /** Another tab has stored a newer draft: nothing is overwritten until the learner has chosen. */
  meet(body) {
    this.conflict = body
    this.part("conflict").hidden = false
    this.say("В другой вкладке есть более новый черновик.", "bad")
    return false
  }

  resolve(source) {
    this.revision = this.conflict.revision
    this.stored = this.conflict.source
    this.settle()
    if (source !== this.text) this.replace(source)
    this.save().then(() => this.view.focus())
    if (source === this.stored) this.say("Взят черновик из другой вкладки.", "good")
  }

  settle() {
    this.conflict = null
    this.part("conflict").hidden = true
  }

  replace(text) {
    if (text === this.text) return
    this.view.dispatch({ changes: { from: 0, to: this.view.state.doc.length, insert: text } })
  }

  reset() {
    this.replace(this.data.starter)
    this.say("Заготовка возвращена. Ваш текст вернёт Ctrl+Z.", "good")
    this.view.focus()
  }

  async send(name) {
    if (this.data.busy) return
    await this.save()
    if (this.conflict) return this.say("Сначала выберите, какой черновик оставить.", "bad")
    this.component.setTriggerValue(name, { source: this.text, at: Date.now() })
  }

  async upload(input) {
    const file = input.files[0]
    input.value = ""
    if (!file) return
    const notebook = file.name.toLowerCase().endsWith(".ipynb") // its outputs and pictures are dropped on the server
    if (file.size > (notebook ? this.data.notebookLimit : this.data.limit))
      return this.say(notebook ? this.data.notebookTooLarge : this.data.tooLarge, "bad")
    const bytes = new Uint8Array(await file.arrayBuffer())
    const binary = Array.from(bytes, byte => String.fromCharCode(byte)).join("")
    this.component.setTriggerValue("upload", { name: file.name, base64: btoa(binary), at: Date.now() })
  }

  say(text, kind) {
    const line = this.part("state")
    line.textContent = text
    line.dataset.kind = kind
  }

  leave() {
    this.save({ keepalive: true })
    document.removeEventListener("visibilitychange", this.onHide)
    window.removeEventListener("pagehide", this.onHide)
    this.view?.destroy()
    editors.delete(this.host)
  }
}

/** Whether the theme in force is dark, judged by the background that the page really has. */
function isDark(element) {
  const color = getComputedStyle(element).getPropertyValue("--st-background-color").trim()
  const digits = color.match(/^#(..)(..)(..)/)
  if (!digits) return matchMedia("(prefers-color-scheme: dark)").matches
  const [red, green, blue] = digits.slice(1).map(pair => parseInt(pair, 16))
  return 0.299 * red + 0.587 * green + 0.114 * blue < 128
}
