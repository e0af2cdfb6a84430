/** The fuzz test with as many inputs as wanted: `fuzz -- --runs 100000 [--seed 42]`. A failure prints the seed and the smallest input. */
import { spawnSync } from "node:child_process"
import { parseArgs } from "node:util"

const { values } = parseArgs({
  args: process.argv.slice(2).filter((argument) => argument !== "--"),
  options: { runs: { type: "string", default: "100000" }, seed: { type: "string" } }
})
if (!/^[1-9]\d*$/.test(values.runs) || values.seed !== undefined && !/^-?\d+$/.test(values.seed)) {
  process.stderr.write("usage: fuzz --runs <count> [--seed <number>]\n")
  process.exit(2)
}
const { status } = spawnSync("vitest", ["run", "test/fuzz.test.ts"], {
  stdio: "inherit",
  env: {
    ...process.env,
    REDDWARF_FUZZ_RUNS: values.runs,
    ...(values.seed === undefined ? {} : { REDDWARF_FUZZ_SEED: values.seed })
  }
})
process.exit(status ?? 1)
