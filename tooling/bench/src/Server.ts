/** The API server that is measured: our own, started for the run, or any other one by kubeconfig. */
import { spawn } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { parse } from "yaml"
import { RawConnection, type Target } from "./RawClient.ts"

export interface Server {
  readonly target: Target
  /** Process id, when the server is ours to observe. */
  readonly pid: number | undefined
  readonly stop: () => Promise<void>
  /** Milliseconds from spawn to the first `ok` of /readyz. */
  readonly startMillis: number | undefined
  readonly directory: string | undefined
}

interface NamedEntries {
  readonly clusters: ReadonlyArray<{ readonly cluster: { readonly server: string; readonly "certificate-authority-data": string } }>
  readonly users: ReadonlyArray<{ readonly user: { readonly "client-certificate-data": string; readonly "client-key-data": string } }>
}

const decode = (base64: string): string => Buffer.from(base64, "base64").toString("utf8")

export const readKubeconfig = (file: string, override?: string): Target => {
  const config = parse(readFileSync(file, "utf8")) as NamedEntries
  const [cluster, user] = [config.clusters[0]?.cluster, config.users[0]?.user]
  if (cluster === undefined || user === undefined) throw new Error(`${file} has no cluster or no user`)
  const url = new URL(override ?? cluster.server)
  return {
    host: url.hostname,
    port: Number(url.port === "" ? 443 : url.port),
    ca: decode(cluster["certificate-authority-data"]),
    cert: decode(user["client-certificate-data"]),
    key: decode(user["client-key-data"])
  }
}

const BINARY = join(import.meta.dirname, "../../../apps/server/dist/reddwarf-server.js")

const ready = async (kubeconfig: string): Promise<Target> => {
  const deadline = performance.now() + 60_000
  for (;;) {
    try {
      const target = readKubeconfig(kubeconfig)
      const connection = await RawConnection.open(target)
      const answer = await connection.request("GET", "/readyz")
      connection.close()
      if (answer.status === 200) return target
    } catch (error) {
      if (performance.now() > deadline) throw error
    }
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

/** Starts reddwarf-server on a data directory of its own (kept when `directory` is given) and waits until it is ready. */
export const start = async (port: number, directory?: string): Promise<Server> => {
  const home = directory ?? mkdtempSync(join(tmpdir(), "reddwarf-bench-"))
  const kubeconfig = join(home, "admin.kubeconfig")
  const began = performance.now()
  const child = spawn(process.execPath, [BINARY, "serve", "--data-dir", join(home, "data"), "--bind", `127.0.0.1:${String(port)}`, "--kubeconfig-out", kubeconfig], { stdio: ["ignore", "ignore", "inherit"] })
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()))
  const target = await Promise.race([ready(kubeconfig), exited.then(() => Promise.reject(new Error("reddwarf-server ended before it was ready")))])
  return {
    target,
    pid: child.pid,
    startMillis: performance.now() - began,
    directory: home,
    stop: async () => {
      child.kill("SIGTERM")
      await exited
      if (directory === undefined) rmSync(home, { recursive: true, force: true })
    }
  }
}

export const external = (kubeconfig: string, url?: string): Server => ({
  target: readKubeconfig(kubeconfig, url),
  pid: undefined,
  startMillis: undefined,
  directory: undefined,
  stop: () => Promise.resolve()
})

/** CPU seconds used so far and resident bytes of a process; undefined where /proc does not tell. */
export const usage = (pid: number | undefined): { readonly cpuSeconds: number; readonly residentBytes: number } | undefined => {
  if (pid === undefined) return undefined
  try {
    const stat = readFileSync(`/proc/${String(pid)}/stat`, "latin1")
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
    const ticks = Number(fields[11]) + Number(fields[12])
    return { cpuSeconds: ticks / 100, residentBytes: Number(fields[21]) * 4096 }
  } catch {
    return undefined
  }
}
