/** The demo, started on a data directory of its own, as a user starts it. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { type Finished, type Running, startCommand } from "./run.js"
import { waitFor } from "./waitFor.js"

export const repository = fileURLToPath(new URL("../../..", import.meta.url))
const node = join(repository, "node_modules/.bin/node")
const demo = join(repository, "tooling/demo/src/main.ts")

export interface Cluster {
  readonly kubeconfig: string
  readonly directory: string
  readonly demo: Running
  /** Process id from `run/<name>.pid`. */
  readonly pid: (name: string) => number
  /** Runs one host command against an agent's host. */
  readonly host: (...command: ReadonlyArray<string>) => Promise<Finished>
  /** Ctrl-C: waits for the end and gives the demo's exit status. */
  readonly stop: () => Promise<Finished>
  readonly dispose: () => void
}

export interface Options {
  readonly port: number
  readonly nodes?: number
  /** Continue on the directory of an earlier cluster. */
  readonly directory?: string
}

export const startCluster = async (options: Options): Promise<Cluster> => {
  const directory = options.directory ?? mkdtempSync(join(tmpdir(), "reddwarf-e2e-"))
  const running = startCommand(node, [demo, "--data-dir", directory, "--port", String(options.port), "--nodes", String(options.nodes ?? 1)], { cwd: repository })
  let ended: Finished | undefined
  void running.done.then((finished) => { ended = finished })
  const kubeconfig = await waitFor("the demo's kubeconfig line", () => {
    if (ended !== undefined) throw new Error(`the demo ended with ${String(ended.code)}: ${ended.stdout}${ended.stderr}`)
    return /^kubeconfig: (.+)$/m.exec(running.stdout())?.[1]
  }, { seconds: 90, seen: () => running.stdout() + running.stderr() })
  return {
    kubeconfig,
    directory,
    demo: running,
    pid: (name) => Number(readFileSync(join(directory, "run", `${name}.pid`), "utf8").trim()),
    host: (...command) =>
      startCommand(node, [join(repository, "apps/agent/dist/reddwarf-agent.js"), "host", "--data-dir", join(directory, "agent-0"), "--", ...command]).done,
    stop: () => {
      running.kill("SIGINT")
      return running.done
    },
    dispose: () => rmSync(directory, { recursive: true, force: true })
  }
}
