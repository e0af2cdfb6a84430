/** One agent on a simulated host of its own, for a server that runs already. */
import { mkdirSync } from "node:fs"
import { join } from "node:path"
import { repository } from "./Cluster.js"
import { type Finished, startCommand } from "./run.js"
import type { Server } from "./Server.js"

const node = join(repository, "node_modules/.bin/node")
const program = join(repository, "apps/agent/dist/reddwarf-agent.js")

export interface Agent {
  /** What it said last. */
  readonly log: () => string
  /** Runs `reddwarf-agent COMMAND --data-dir … ARGUMENTS`. */
  readonly command: (command: ReadonlyArray<string>, ...args: ReadonlyArray<string>) => Promise<Finished>
  /** SIGTERM, and waits for the end. Its pods stay. */
  readonly stop: () => Promise<Finished>
  /** As turning the machine off: ends the pods and the supervisor of a stopped agent. */
  readonly powerOff: () => Promise<Finished>
}

export interface Options {
  readonly port: number
  readonly podCidr: string
  /** Further arguments of `run`. */
  readonly args?: ReadonlyArray<string>
}

export const startAgent = async (server: Server, name: string, options: Options): Promise<Agent> => {
  const dataDir = join(server.directory, name)
  const kubeconfig = join(dataDir, "kubeconfig")
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  const made = await startCommand(node, [
    join(repository, "apps/server/dist/reddwarf-server.js"), "kubeconfig",
    "--data-dir", join(server.directory, "server"), "--server", `https://127.0.0.1:${String(options.port)}`, "--node", name, "--out", kubeconfig
  ]).done
  if (made.code !== 0) throw new Error(`no credentials for ${name}: ${made.stderr}`)
  const running = startCommand(node, [
    program, "run", "--kubeconfig", kubeconfig, "--node-name", name, "--data-dir", dataDir, "--host", "sim",
    "--kubelet-bind", "127.0.0.1:0", "--healthz-port", "0", "--pod-cidr", options.podCidr, ...options.args ?? []
  ])
  const command: Agent["command"] = (command, ...args) => startCommand(node, [program, ...command, "--data-dir", dataDir, ...args]).done
  return {
    // Without stack traces: a test runner that reports them would look up each line in the source map of the whole program.
    log: () => (running.stdout() + running.stderr()).split("\n").filter((line) => !/^\s+at /.test(line)).slice(-20).join("\n"),
    command,
    stop: () => {
      running.kill("SIGTERM")
      return running.done
    },
    powerOff: () => command(["stop-zones"])
  }
}
