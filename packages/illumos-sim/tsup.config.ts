import { defineConfig } from "tsup"

export default defineConfig([
  {
    entry: ["src/index.ts"],
    format: ["esm"],
    target: "node24",
    platform: "node",
    sourcemap: true,
    clean: true,
    // node:sqlite exists under its full name only.
    removeNodeProtocol: false
  },
  {
    // One file: it is started for every single command of a script.
    entry: { "reddwarf-illumos-sim": "src/bin.ts" },
    format: ["esm"],
    target: "node24",
    platform: "node",
    sourcemap: true,
    splitting: false,
    noExternal: [/.*/],
    removeNodeProtocol: false,
    banner: {
      js: "#!/usr/bin/env node\nimport { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);"
    }
  }
])
