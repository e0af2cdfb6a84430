/** The server alone, without nodes, on a data directory of its own. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { repository } from "./Cluster.js"
import { startCommand } from "./run.js"
import { waitFor } from "./waitFor.js"

export interface Server {
  readonly directory: string
  /** Path of an administrator's kubeconfig. */
  readonly kubeconfig: string
  /** SIGTERM, waits for the end, removes the directory. */
  readonly stop: () => Promise<void>
}

export const startServer = async (port: number): Promise<Server> => {
  const directory = mkdtempSync(join(tmpdir(), "reddwarf-server-"))
  const kubeconfig = join(directory, "kubeconfig")
  const running = startCommand(join(repository, "node_modules/.bin/node"), [
    join(repository, "apps/server/dist/reddwarf-server.js"), "serve",
    "--data-dir", join(directory, "server"), "--bind", `127.0.0.1:${String(port)}`, "--kubeconfig-out", kubeconfig
  ])
  const seen = () => running.stdout() + running.stderr()
  await waitFor("the server to serve", () => existsSync(kubeconfig) && readFileSync(kubeconfig, "utf8") !== "" && seen().includes("serving") ? true : undefined, { seconds: 30, everyMillis: 50, seen })
  return {
    directory,
    kubeconfig,
    stop: async () => {
      running.kill("SIGTERM")
      await running.done
      rmSync(directory, { recursive: true, force: true })
    }
  }
}
