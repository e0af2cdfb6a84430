/** A server and an agent on a simulated host that are killed and started again; what runs on the host is looked at from outside. */
import { spawn, type ChildProcess } from "node:child_process"
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { CoreV1Api, CustomObjectsApi, KubeConfig } from "@kubernetes/client-node"
import { repository } from "./Cluster.js"
import { startCommand } from "./run.js"
import { waitFor } from "./waitFor.js"

const node = join(repository, "node_modules/.bin/node")
const agentProgram = join(repository, "apps/agent/dist/reddwarf-agent.js")
const serverProgram = join(repository, "apps/server/dist/reddwarf-server.js")
const hostProgram = join(repository, "packages/illumos-sim/dist/reddwarf-illumos-sim.js")

/** A process that is killed and started again under the same name. */
export interface Killable {
  readonly start: () => void
  /** SIGKILL, and waits for the end. */
  readonly kill: () => Promise<void>
  /** SIGTERM, and waits for the end; gives the exit status. */
  readonly stop: () => Promise<number>
  readonly pid: () => number | undefined
}

const killable = (directory: string, name: string, args: ReadonlyArray<string>): Killable => {
  let child: ChildProcess | undefined
  const ended = (process: ChildProcess): Promise<number> =>
    process.exitCode !== null || process.signalCode !== null
      ? Promise.resolve(process.exitCode ?? -1)
      : new Promise((resolve) => process.once("exit", (code) => resolve(code ?? -1)))
  const end = async (signal: NodeJS.Signals): Promise<number> => {
    if (child === undefined) return 0
    const running = child
    child = undefined
    running.kill(signal)
    return await ended(running)
  }
  return {
    start: () => {
      const log = openSync(join(directory, `${name}.log`), "a", 0o600)
      child = spawn(node, [...args], { detached: true, stdio: ["ignore", log, log] })
      closeSync(log)
    },
    kill: async () => {
      await end("SIGKILL")
    },
    stop: () => end("SIGTERM"),
    pid: () => child?.pid
  }
}

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once("error", reject)
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address()
      probe.close(() => (typeof address === "object" && address !== null ? resolve(address.port) : reject(new Error("no port"))))
    })
  })

/** What the host has for pods. */
export interface HostView {
  /** By name: the state, and the identity of the boot of one that is up. */
  readonly zones: ReadonlyMap<string, string>
  readonly links: ReadonlyArray<string>
  readonly datasets: ReadonlyArray<string>
  readonly addresses: ReadonlyArray<string>
  readonly supervised: ReadonlyArray<string>
}

/** One attempt of a container as the supervisor has recorded it. */
export interface ContainerRecord {
  readonly name: string
  readonly phase: string
  readonly attempt: number
  readonly pid?: number
  readonly exits: ReadonlyArray<{ readonly attempt: number; readonly exitCode: number; readonly finishedAt: number; readonly reason: string }>
}

export interface KillNode {
  readonly directory: string
  readonly dataDir: string
  readonly kubeconfig: string
  readonly agent: Killable
  readonly server: Killable
  readonly config: KubeConfig
  readonly api: CoreV1Api
  readonly objects: CustomObjectsApi
  readonly host: () => HostView
  readonly containers: (uid: string) => ReadonlyArray<ContainerRecord>
  readonly supervisorPid: () => number
  /** One line of a fault script: a fault is planted in the host, or all are cleared. */
  readonly fault: (...words: ReadonlyArray<string>) => Promise<void>
  /** The machine goes down and comes up: every zone is halted, everything that ran on it is gone. */
  readonly rebootHost: () => Promise<void>
  /** Ends everything and gives the agent's exit status. */
  readonly dispose: () => Promise<number>
  /** The end of the logs, for a failure. */
  readonly logs: () => string
}

/** Addresses for the pods, different for every port, so that two runs on one machine do not disturb each other. */
const podCidr = (port: number): string => {
  const block = port % (238 * 16)
  return `127.${String(16 + (block >> 4))}.${String((block & 15) * 16 + 15)}.0/24`
}

const parse = (file: string): unknown => JSON.parse(readFileSync(file, "utf8"))

/** Starts both, and waits until the node is ready. `extra` are further arguments of the agent. */
export const startKillNode = async (extra: ReadonlyArray<string> = []): Promise<KillNode> => {
  const port = await freePort()
  const directory = mkdtempSync(join(tmpdir(), "reddwarf-kill-"))
  const dataDir = join(directory, "agent")
  const kubeconfig = join(directory, "kubeconfig")
  mkdirSync(dataDir, { mode: 0o700 })
  const server = killable(directory, "server", [
    serverProgram, "serve", "--data-dir", join(directory, "server"), "--bind", `127.0.0.1:${String(port)}`, "--kubeconfig-out", kubeconfig
  ])
  server.start()
  const config = new KubeConfig()
  await waitFor("the server's kubeconfig", () => existsSync(kubeconfig) && readFileSync(kubeconfig, "utf8") !== "" ? true : undefined)
  config.loadFromFile(kubeconfig)
  const api = config.makeApiClient(CoreV1Api)
  await waitFor("the server", async () => {
    try {
      await api.listNamespace()
      return true
    } catch {
      return undefined
    }
  })
  const made = await startCommand(node, [
    serverProgram, "kubeconfig", "--data-dir", join(directory, "server"), "--server", `https://127.0.0.1:${String(port)}`, "--node", "node-0", "--out", join(dataDir, "kubeconfig")
  ]).done
  if (made.code !== 0) throw new Error(`no credentials for the node: ${made.stderr}`)
  const agent = killable(directory, "agent", [
    agentProgram, "run", "--kubeconfig", join(dataDir, "kubeconfig"), "--node-name", "node-0", "--data-dir", dataDir, "--host", "sim",
    "--kubelet-bind", "127.0.0.1:0", "--healthz-port", "0", "--pod-cidr", podCidr(port), ...extra
  ])
  agent.start()
  const hostDir = join(dataDir, "host")
  const tail = (name: string) => {
    const file = join(directory, `${name}.log`)
    return existsSync(file) ? readFileSync(file, "utf8").split("\n").filter((line) => !/^\s+at /.test(line)).slice(-15).join("\n") : ""
  }
  const logs = () => `agent:\n${tail("agent")}\nserver:\n${tail("server")}`
  await waitFor("a ready node", async () => {
    const { items } = await api.listNode()
    return items[0]?.status?.conditions?.some(({ status, type }) => type === "Ready" && status === "True") === true ? true : undefined
  }, { seen: logs })
  const fault = async (...words: ReadonlyArray<string>): Promise<void> => {
    const done = await startCommand(node, [hostProgram, "--directory", hostDir, "fault", ...words]).done
    if (done.code !== 0) throw new Error(`the host does not take the fault ${words.join(" ")}: ${done.stderr}${done.stdout}`)
  }
  const supervisorPid = () => (parse(join(dataDir, "supervisor/supervisor.json")) as { readonly pid: number }).pid
  return {
    directory,
    dataDir,
    kubeconfig,
    agent,
    server,
    config,
    api,
    objects: config.makeApiClient(CustomObjectsApi),
    logs,
    supervisorPid,
    host: () => {
      const state = parse(join(hostDir, "state.json")) as {
        readonly zones: ReadonlyArray<{ readonly name: string; readonly indexState: string; readonly kernel?: { readonly state: string; readonly boot: string } }>
        readonly links: ReadonlyArray<{ readonly name: string }>
        readonly datasets: ReadonlyArray<{ readonly name: string }>
      }
      const leases = join(dataDir, "addresses.json")
      const pods = join(dataDir, "supervisor/pods")
      return {
        zones: new Map(state.zones.map((zone) => [zone.name, zone.kernel === undefined ? zone.indexState : `${zone.kernel.state} ${zone.kernel.boot}`])),
        links: state.links.map(({ name }) => name).filter((name) => name.startsWith("rd_")).sort(),
        datasets: state.datasets.map(({ name }) => name).filter((name) => /^rpool\/zones\/[^/]+$/.test(name)).sort(),
        addresses: leasesIn(existsSync(leases) ? readFileSync(leases, "utf8") : ""),
        supervised: existsSync(pods) ? readdirSync(pods).sort() : []
      }
    },
    containers: (uid) => {
      const file = join(dataDir, "supervisor/pods", uid, "state.json")
      return existsSync(file) ? (parse(file) as { readonly containers: ReadonlyArray<ContainerRecord> }).containers : []
    },
    fault,
    rebootHost: () => fault("reboot"),
    dispose: async () => {
      const code = await agent.stop()
      await startCommand(node, [agentProgram, "stop-zones", "--data-dir", dataDir, "--grace-seconds", "0"]).done
      await server.stop()
      rmSync(directory, { recursive: true, force: true })
      return code
    }
  }
}

type Change = readonly [what: "allocate" | "reserve" | "release", owner: string, ...rest: ReadonlyArray<unknown>]

/** Owners of addresses in the file of leases: everything at one time, then what changed, each line behind its checksum. */
const leasesIn = (text: string): ReadonlyArray<string> => {
  const owners = new Set<string>()
  for (const line of text.split("\n")) {
    if (line === "") continue
    const record = JSON.parse(line.slice(line.indexOf(" ") + 1)) as { readonly leases?: ReadonlyArray<readonly [string, unknown]>; readonly changes?: ReadonlyArray<Change> }
    for (const [owner] of record.leases ?? []) owners.add(owner)
    for (const [what, owner] of record.changes ?? []) {
      if (what === "release") owners.delete(owner)
      else owners.add(owner)
    }
  }
  return [...owners].sort()
}
