import { readFileSync } from "node:fs"
import { dirname, join, sep } from "node:path"
import { fileURLToPath } from "node:url"
import type { Options } from "tsup"

type Plugin = NonNullable<Options["esbuildPlugins"]>[number]

const root = fileURLToPath(new URL("../..", import.meta.url))

/** `import { A, type B, C as D } from "…"`, with what it imports from. */
const namedImport = /^import \{([^}]*)\} from "(effect|@effect\/(?:cli|opentelemetry|platform|platform-node)|@reddwarf\/[a-z-]+)"/gm

/** The module that a package of this repository exports under each name. */
const exportsOf = (name: string): ReadonlyMap<string, string> => {
  const sources = join(root, "packages", name, "src")
  const lines = readFileSync(join(sources, "index.ts"), "utf8").matchAll(/^export \* as (\w+) from "(.+)\.js"$/gm)
  return new Map([...lines].map(([, exported = "", path = ""]) => [exported, `${join(sources, path)}.ts`]))
}

/**
 * In the bundle of a program each module is a function that runs when it is first needed. An import of one name from the index of a
 * package would need all modules of that package; so such imports become imports of the very module.
 */
export const directImports: Plugin = {
  name: "direct-imports",
  setup: (build) => {
    const packages = new Map<string, ReadonlyMap<string, string>>()
    const moduleOf = (from: string, name: string): string => {
      if (!from.startsWith("@reddwarf/")) return `${from}/${name}`
      const known = packages.get(from) ?? exportsOf(from.slice("@reddwarf/".length))
      packages.set(from, known)
      const path = known.get(name)
      if (path === undefined) throw new Error(`${from} exports no module ${name}: its index.ts needs a line export * as ${name} from "./${name}.js"`)
      return path
    }
    const direct = (from: string, words: string): string => {
      const [name = "", as = name] = words.split(/\s+as\s+/)
      // What begins with a small letter is a function that the index takes from a module of that purpose.
      return /^[a-z]/.test(name)
        ? `import { ${words} } from "${from}/Function"`
        : `import * as ${as} from ${JSON.stringify(moduleOf(from, name))}`
    }
    build.onLoad({ filter: /\.ts$/ }, ({ path }) => {
      if (!path.startsWith(root) || path.includes(`${sep}node_modules${sep}`)) return undefined
      const text = readFileSync(path, "utf8").replace(namedImport, (statement: string, list: string, from: string) => {
        const names = list.split(",").map((words) => words.trim()).filter((words) => words !== "" && !words.startsWith("type "))
        // As many lines as before, for the source map.
        return `${names.map((words) => direct(from, words)).join(";")}${"\n".repeat(statement.split("\n").length - 1)}`
      })
      return { contents: text, loader: "ts", resolveDir: dirname(path) }
    })
  }
}
