/** `pnpm churn [--minutes N] [--seed N]`: pods that come, change, break and go for that long on a simulated host that fails. */
import { spawnSync } from "node:child_process"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"

const { values } = parseArgs({ options: { minutes: { type: "string", default: "60" }, seed: { type: "string", default: "7" } } })
for (const [name, value] of Object.entries(values)) {
  if (!/^\d+(\.\d+)?$/.test(value)) {
    process.stderr.write(`--${name} ${value} is no number\n`)
    process.exit(2)
  }
}
const folder = fileURLToPath(new URL(".", import.meta.url))
const done = spawnSync("vitest", ["run", "--root", folder, "test/churn.peers.test.ts"], {
  stdio: "inherit",
  env: { ...process.env, REDDWARF_CHURN_MINUTES: values.minutes, REDDWARF_SEED: values.seed }
})
process.exit(done.status ?? 1)
