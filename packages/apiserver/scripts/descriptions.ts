/**
 * Writes `src/generated/descriptions.ts`: what the OpenAPI documents and `kubectl explain` say about types and fields. The texts
 * are those of two development dependencies: `@kubernetes/client-node` knows the newest fields, `kubernetes-types` also describes
 * fields whose type is described itself. They are packed, because they are needed rarely and would be the bulk of the server.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { brotliCompressSync, constants } from "node:zlib"

/** Texts of one type: of the type itself under the empty name, of its fields under theirs. */
type Texts = Record<string, string>

const root = fileURLToPath(new URL("..", import.meta.url))
const dependencies = join(root, "node_modules")
const models = join(dependencies, "@kubernetes", "client-node", "dist", "gen", "models")
const types = join(dependencies, "kubernetes-types")
const target = join(root, "src", "generated", "descriptions.ts")

const commentLines = (comment: string): ReadonlyArray<string> =>
  comment.split("\n").map((line) => line.replace(/^\s*\* ?/, "").trimEnd())

const textOf = (comment: string): string =>
  commentLines(comment).join("\n").trim().replaceAll(/\\(["'])/g, "$1").replaceAll("*_/", "*/")

const comment = String.raw`\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*`
const declared = new RegExp(String.raw`(?:${comment})?export (?:declare class|interface) (\w+) (?:extends [^{]*)?\{([\s\S]*?)\n\}`, "g")
const field = new RegExp(String.raw`${comment}(?:readonly )?["']?([\w$-]+)["']?\??:`, "g")

/** Every type that a declaration file describes. */
const typesIn = (path: string): ReadonlyArray<readonly [name: string, texts: Texts]> =>
  [...readFileSync(path, "utf8").matchAll(declared)].map(([, about, name = "", body = ""]) => {
    const texts: Texts = {}
    if (about !== undefined) texts[""] = textOf(about)
    for (const [, text = "", key = ""] of body.matchAll(field)) texts[key] = textOf(text)
    return [name, texts]
  })

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)

const collect = (): Record<string, Texts> => {
  const found: Record<string, Texts> = {}
  for (const file of readdirSync(models)) {
    // Only stable versions are served.
    if (!/^(?:[A-Z][a-z]+)?V\d+[A-Z]\w*\.d\.ts$/.test(file)) continue
    for (const [name, texts] of typesIn(join(models, file))) {
      if (`${name}.d.ts` === file) found[name] = texts
    }
  }
  for (const group of readdirSync(types)) {
    for (const version of ["v1", "v2"]) {
      const file = join(types, group, `${version}.d.ts`)
      if (!existsSync(file)) continue
      for (const [name, texts] of typesIn(file)) {
        const known = found[`${capital(group)}${capital(version)}${name}`] ?? found[`${capital(version)}${name}`]
        if (known !== undefined) for (const key in texts) known[key] ??= texts[key] ?? ""
      }
    }
  }
  return Object.fromEntries(Object.entries(found).sort(([a], [b]) => a < b ? -1 : 1))
}

const pack = (value: unknown): string =>
  brotliCompressSync(JSON.stringify(value), {
    params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_LGWIN]: 24 }
  }).toString("base64")

const found = collect()
if (found["V1Container"]?.["image"] === undefined || found["V1Pod"]?.["spec"] === undefined) {
  throw new Error(`the declaration files under ${dependencies} do not describe V1Container and V1Pod; install the dependencies again`)
}
const source = `/** Written by scripts/descriptions.ts: brotli of a JSON object, in base64. */\nexport const packed =\n  "${pack(found)}"\n`
mkdirSync(dirname(target), { recursive: true })
// Several tasks may run this at the same time; each of them sees a whole file.
if (!existsSync(target) || readFileSync(target, "utf8") !== source) {
  const draft = `${target}.${process.pid}`
  writeFileSync(draft, source)
  renameSync(draft, target)
}
