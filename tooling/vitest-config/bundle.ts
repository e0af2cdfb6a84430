/** Programs that tests start as processes of their own. */
import * as Effect from "effect/Effect"
import { readdirSync } from "node:fs"
import { basename, join } from "node:path"
import { fileURLToPath } from "node:url"
import { build } from "tsup"

const packages = fileURLToPath(new URL("../../packages", import.meta.url))

/** The program as one file in `directory`, with everything in it, so that it starts quickly; like the tests, it is made of the sources. Gives the file's path. */
export const bundle = (source: URL, directory: string): Effect.Effect<string> => {
  const name = basename(source.pathname, ".ts")
  return Effect.as(
    Effect.promise(() =>
      build({
        config: false,
        entry: { [name]: fileURLToPath(source) },
        outDir: directory,
        format: "esm",
        target: "node24",
        platform: "node",
        removeNodeProtocol: false,
        noExternal: [/.*/],
        silent: true,
        outExtension: () => ({ js: ".mjs" }),
        // Libraries in it may load modules of Node in the old way.
        banner: { js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);" },
        esbuildOptions: (options) => {
          options.alias = Object.fromEntries(readdirSync(packages).map((each) => [`@reddwarf/${each}`, join(packages, each, "src/index.ts")]))
        }
      })
    ),
    join(directory, `${name}.mjs`)
  )
}
