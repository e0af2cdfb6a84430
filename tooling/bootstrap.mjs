// The only file that runs on the machine's own Node (20 or newer) and before anything is installed: no dependencies, no TypeScript.
// It installs and builds what is missing, with visible progress, then hands over to the Node 24 that the lockfile brought.
import { spawn } from "node:child_process"
import { createHash } from "node:crypto"
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { constants } from "node:os"
import { delimiter, join } from "node:path"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("..", import.meta.url))
const bin = join(root, "node_modules", ".bin")
const stamp = join(root, "node_modules", ".reddwarf-installed")
const { packageManager } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"))

/** Runs one command in the foreground and gives its exit status; signals of the terminal reach it directly. */
const run = (program, args, env = {}) =>
  new Promise((resolve) => {
    const child = spawn(program, args, { cwd: root, stdio: "inherit", env: { ...process.env, ...env } })
    const forward = (signal) => child.kill(signal)
    const keep = () => {}
    process.on("SIGINT", process.stdin.isTTY ? keep : forward)
    process.on("SIGTERM", forward)
    child.on("error", (error) => {
      process.stderr.write(`${program}: ${error.message}\n`)
      resolve(127)
    })
    child.on("exit", (code, signal) => {
      process.removeAllListeners("SIGINT")
      process.removeAllListeners("SIGTERM")
      resolve(code ?? 128 + (constants.signals[signal] ?? 0))
    })
  })

const step = async (title, program, args, env) => {
  process.stdout.write(`==> ${title}\n`)
  const status = await run(program, args, env)
  if (status !== 0) {
    process.stderr.write(`reddwarf: "${title}" failed with exit status ${status}: ${[program, ...args].join(" ")}\n`)
    process.exit(status)
  }
}

/** What is installed depends on these files alone. */
const wanted = () => {
  const hash = createHash("sha256")
  for (const file of ["pnpm-lock.yaml", "pnpm-workspace.yaml", "package.json"]) hash.update(readFileSync(join(root, file)))
  return hash.digest("hex")
}

const install = async () => {
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted()) return
  await step("Installing dependencies", "npx", ["-y", packageManager, "install", "--frozen-lockfile"], { CI: "true" })
  writeFileSync(stamp, wanted())
}

/** Everything after the installation runs on the Node of the lockfile. */
const env = { PATH: `${bin}${delimiter}${process.env.PATH ?? ""}`, TURBO_TELEMETRY_DISABLED: "1", DO_NOT_TRACK: "1" }
const turbo = (logs, ...args) => ["run", ...args, `--output-logs=${logs}`, "--log-prefix=task", "--no-update-notifier"]

const commands = {
  demo: async (args) => {
    await install()
    await step("Building", join(bin, "turbo"), turbo("errors-only", "build"), env)
    return await run(join(bin, "node"), ["tooling/demo/src/main.ts", ...args], env)
  },
  test: async () => {
    await install()
    await step("Building, checking types, running the tests", join(bin, "turbo"), turbo("new-only", "build", "typecheck", "lint", "test", "--continue=dependencies-successful"), env)
    await step("Linting", join(bin, "oxlint"), ["--type-aware", "--deny-warnings"], env)
    await step("Checking the boundaries between packages", join(bin, "turbo"), ["boundaries"], env)
    return 0
  },
  // The test files that drive real peers (kubectl, Kubernetes' own test vectors, ZFS): `*.peers.test.ts`. Here a missing peer is a failure.
  "test:peers": async () => {
    await install()
    await step("Building", join(bin, "turbo"), turbo("errors-only", "build"), env)
    const peers = { ...env, REDDWARF_REQUIRE_PEERS: "1" }
    await step("Running the suites with real peers", join(bin, "turbo"), turbo("new-only", "test:peers", "--only", "--force", "--concurrency=1", "--continue=dependencies-successful"), peers)
    return 0
  },
  build: async () => {
    await install()
    await step("Building", join(bin, "turbo"), turbo("errors-only", "build"), env)
    return 0
  }
}

const [name, ...args] = process.argv.slice(2)
const command = commands[name]
if (command === undefined) {
  process.stderr.write(`usage: node tooling/bootstrap.mjs ${Object.keys(commands).join(" | ")}\n`)
  process.exit(2)
}
if (Number(process.versions.node.split(".")[0]) < 20) {
  process.stderr.write(`reddwarf: Node ${process.versions.node} is too old; install Node 20 or newer and run the command again\n`)
  process.exit(1)
}
process.exit(await command(args))
