import { defineConfig } from "tsup"

// One file per program: it starts five times faster than the same program loaded module by module.
export default defineConfig({
  entry: { "reddwarf-agent": "src/bin.ts" },
  format: ["esm"],
  target: "node24",
  platform: "node",
  sourcemap: true,
  clean: true,
  splitting: false,
  noExternal: [/.*/],
  // node:sqlite exists under its full name only.
  removeNodeProtocol: false,
  banner: {
    js: "#!/usr/bin/env node\nimport { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);"
  }
})
