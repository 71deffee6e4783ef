// Bundle editor.js; the first line of the result carries the hash of what it was made from, so that a test can tell a stale bundle.
import { createHash } from "node:crypto"
import { readFileSync } from "node:fs"
import { build } from "esbuild"

const hash = createHash("sha256")
for (const name of ["editor.js", "package-lock.json"]) hash.update(readFileSync(new URL(name, import.meta.url)))

await build({
  entryPoints: ["editor.js"],
  outfile: "../editor.js",
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  legalComments: "eof",
  banner: { js: `/* source sha256 ${hash.digest("hex")} */` },
})
