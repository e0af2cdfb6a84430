/** The real clients that the suites drive; `REDDWARF_PEERS` names the folder that holds `bin/kubectl-<version>`. */
import { existsSync } from "node:fs"
import { join } from "node:path"
import type { Cluster } from "./Cluster.js"
import { type Finished, type Running, startCommand } from "./run.js"

const folder = process.env["REDDWARF_PEERS"]

/** Path of a peer, or undefined (said once) when it is not there. Where peers are required, missing is an error. */
export const peer = (name: string): string | undefined => {
  const path = folder === undefined ? undefined : join(folder, "bin", name)
  if (path !== undefined && existsSync(path)) return path
  const missing = `${name} is not here (${folder === undefined ? "REDDWARF_PEERS is not set" : `no ${path ?? name}`})`
  if (process.env["REDDWARF_REQUIRE_PEERS"] === "1") throw new Error(`${missing}, and REDDWARF_REQUIRE_PEERS=1 demands it`)
  process.stderr.write(`SKIPPED: ${missing}; the suites that need it do not run\n`)
  return undefined
}

export interface Kubectl {
  readonly run: (...args: ReadonlyArray<string>) => Promise<Finished>
  readonly input: (stdin: string, ...args: ReadonlyArray<string>) => Promise<Finished>
  readonly start: (...args: ReadonlyArray<string>) => Running
  /** As `start`, with an input that stays open. */
  readonly talk: (...args: ReadonlyArray<string>) => Running
  /** Standard output of a command that must succeed. */
  readonly ok: (...args: ReadonlyArray<string>) => Promise<string>
}

/** kubectl with a cache of its own for each cluster, so that nothing is remembered from an earlier one. */
export const kubectl = (program: string, cluster: Pick<Cluster, "kubeconfig" | "directory">): Kubectl => {
  const env = { KUBECONFIG: cluster.kubeconfig, HOME: cluster.directory, KUBECACHEDIR: join(cluster.directory, "kubectl-cache") }
  const start = (...args: ReadonlyArray<string>) => startCommand(program, args, { env })
  return {
    start,
    talk: (...args) => startCommand(program, args, { env, talk: true }),
    run: (...args) => start(...args).done,
    input: (stdin, ...args) => startCommand(program, args, { env, stdin }).done,
    ok: async (...args) => {
      const finished = await start(...args).done
      if (finished.code !== 0) throw new Error(`kubectl ${args.join(" ")} exited with ${String(finished.code)}: ${finished.stderr}${finished.stdout}`)
      return finished.stdout
    }
  }
}
