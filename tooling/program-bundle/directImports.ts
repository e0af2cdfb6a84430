import { readdirSync, readFileSync } from "node:fs"
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

const kindsName = "@reddwarf/api-types"

/** The module in which each built-in kind is defined, by the name of its export; those that are defined together with others are not here. */
const modulesOfKinds = (): ReadonlyMap<string, string> => {
  const groups = join(root, "packages/api-types/src/kinds/groups")
  return new Map(readdirSync(groups).flatMap((file) =>
    [...readFileSync(join(groups, file), "utf8").matchAll(/^import \{ (\w+) \} from "(.+)\.js"$/gm)].map(([, name = "", path = ""]) =>
      [name, `${join(groups, path)}.ts`] as const)))
}

/**
 * In the bundle of a program each module is a function that runs when it is first needed. An import of one name from the index of a
 * package would need all modules of that package; so such imports become imports of the very module. The kinds of the API are one module with
 * all that is known of each of them; a module that names some of them gets those.
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
    const kinds = modulesOfKinds()
    /** Those that a text names; none when it does something else with them, so that it needs all. */
    const kindsIn = (text: string, as: string): ReadonlyArray<string> => {
      const named = [...text.replaceAll(namedImport, "").matchAll(new RegExp(`\\b${as}\\b(?:\\.(\\w+))?`, "g"))].map(([, name = ""]) => name)
      return named.every((name) => kinds.has(name)) ? [...new Set(named)].toSorted() : []
    }
    const direct = (from: string, words: string, text: string): string => {
      const [name = "", as = name] = words.split(/\s+as\s+/)
      const used = from === kindsName && name === "Kinds" ? kindsIn(text, as) : []
      if (used.length > 0) return `import * as ${as} from "kinds:${used.join()}"`
      // What begins with a small letter is a function that the index takes from a module of that purpose.
      return /^[a-z]/.test(name)
        ? `import { ${words} } from "${from}/Function"`
        : `import * as ${as} from ${JSON.stringify(moduleOf(from, name))}`
    }
    build.onResolve({ filter: /^kinds:/ }, ({ path }) => ({ path: path.slice("kinds:".length), namespace: "kinds" }))
    build.onLoad({ filter: /.*/, namespace: "kinds" }, ({ path }) => ({
      contents: path.split(",").map((name) => `export { ${name} } from ${JSON.stringify(kinds.get(name))}`).join("\n"),
      loader: "js",
      resolveDir: root
    }))
    build.onLoad({ filter: /\.ts$/ }, ({ path }) => {
      if (!path.startsWith(root) || path.includes(`${sep}node_modules${sep}`)) return undefined
      const source = readFileSync(path, "utf8")
      const text = source.replace(namedImport, (statement: string, list: string, from: string) => {
        const names = list.split(",").map((words) => words.trim()).filter((words) => words !== "" && !words.startsWith("type "))
        // As many lines as before, for the source map.
        return `${names.map((words) => direct(from, words, source)).join(";")}${"\n".repeat(statement.split("\n").length - 1)}`
      })
      return { contents: text, loader: "ts", resolveDir: dirname(path) }
    })
  }
}
