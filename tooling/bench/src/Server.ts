/** The API server that is measured: our own, started for the run, or any other one by kubeconfig. */
import { spawn } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { read as readKubeconfig } from "./Kubeconfig.ts"
import { RawConnection, type Target } from "./RawClient.ts"

/** Milliseconds from the spawn of the process on. */
export interface Started {
  /** To the first answer, whatever it was. */
  readonly answeredMillis: number
  /** To the first 200 of `/readyz`. */
  readonly readyMillis: number
  /** The other answers of `/readyz` before: how often, by status code. */
  readonly refusals: Readonly<Record<number, number>>
}

/** A running server. */
export interface Server {
  readonly target: Target
  /** Process id, when the server is ours to observe. */
  readonly pid: number | undefined
  readonly stop: () => Promise<void>
  /** How the start went, when the server is ours. */
  readonly started: Started | undefined
  readonly directory: string | undefined
}

/** The program that is started: the built one of this repository, or another build of it. */
const BINARY = process.env["REDDWARF_SERVER"] ?? join(import.meta.dirname, "../../../apps/server/dist/reddwarf-server.js")

/** Asks until the server is ready. */
const ready = async (kubeconfig: string, began: number): Promise<{ readonly target: Target; readonly started: Started }> => {
  const deadline = performance.now() + 60_000
  const refusals: Record<number, number> = {}
  let answered: number | undefined
  for (;;) {
    try {
      const target = await readKubeconfig(kubeconfig)
      const connection = await RawConnection.open(target)
      const { status } = await connection.request("GET", "/readyz")
      const millis = performance.now() - began
      answered ??= millis
      connection.close()
      if (status === 200) return { target, started: { answeredMillis: answered, readyMillis: millis, refusals } }
      refusals[status] = (refusals[status] ?? 0) + 1
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
  const { started, target } = await Promise.race([ready(kubeconfig, began), exited.then(() => Promise.reject(new Error("reddwarf-server ended before it was ready")))])
  return {
    target,
    pid: child.pid,
    started,
    directory: home,
    stop: async () => {
      child.kill("SIGTERM")
      await exited
      if (directory === undefined) rmSync(home, { recursive: true, force: true })
    }
  }
}

/** A server that somebody else runs. */
export const external = async (kubeconfig: string, url?: string): Promise<Server> => ({
  target: await readKubeconfig(kubeconfig, url),
  pid: undefined,
  started: undefined,
  directory: undefined,
  stop: () => Promise.resolve()
})

/** What a process has used so far. */
export interface Usage {
  readonly cpuSeconds: number
  readonly residentBytes: number
  /** Bytes that it caused to be written to disk; undefined where /proc does not tell. */
  readonly writtenBytes: number | undefined
}

const written = (pid: number): number | undefined => {
  try {
    const match = /^write_bytes: (\d+)/m.exec(readFileSync(`/proc/${String(pid)}/io`, "latin1"))
    return match === null ? undefined : Number(match[1])
  } catch {
    return undefined
  }
}

/** What a process has used so far; undefined where /proc does not tell. */
export const usage = (pid: number | undefined): Usage | undefined => {
  if (pid === undefined) return undefined
  try {
    const stat = readFileSync(`/proc/${String(pid)}/stat`, "latin1")
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
    const ticks = Number(fields[11]) + Number(fields[12])
    return { cpuSeconds: ticks / 100, residentBytes: Number(fields[21]) * 4096, writtenBytes: written(pid) }
  } catch {
    return undefined
  }
}
