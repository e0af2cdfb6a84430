import { basename, join } from "node:path"
import { fileURLToPath } from "node:url"
import { defineConfig } from "vitest/config"

const packages = fileURLToPath(new URL("../../packages", import.meta.url))

/** Where a run leaves its counts as JSON, for whoever adds them up. */
const reports = process.env["REDDWARF_TEST_REPORTS"]

/** Tests run against the sources of every workspace package, so nothing has to be built first. */
export const sharedConfig = defineConfig({
  resolve: { alias: [{ find: /^@reddwarf\/([a-z-]+)$/, replacement: `${packages}/$1/src/index.ts` }] },
  test: {
    include: ["test/**/*.test.ts"],
    setupFiles: [fileURLToPath(new URL("properties.ts", import.meta.url))],
    testTimeout: process.env["REDDWARF_PROPERTY_RUNS"] === undefined ? 20_000 : 600_000,
    hookTimeout: 20_000,
    ...(reports === undefined
      ? {}
      : { reporters: ["default", ["json", { outputFile: join(reports, `${basename(process.cwd())}.json`) }]] })
  }
})
