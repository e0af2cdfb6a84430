/** A node agent on a simulated illumos host, for the cases in which pods really run. */
import { execFileSync, spawn } from "node:child_process"
import { readdirSync, readFileSync, rmSync } from "node:fs"
import { join } from "node:path"
import { RawConnection } from "./RawClient.ts"
import type { Server } from "./Server.ts"

const apps = join(import.meta.dirname, "../../../apps")
const server = join(apps, "server/dist/reddwarf-server.js")
const agent = process.env["REDDWARF_AGENT"] ?? join(apps, "agent/dist/reddwarf-agent.js")

/** A running agent. */
export interface Agent {
  /** Of the process that is the agent now. */
  readonly pid: number
  readonly nodeName: string
  /** Kills the agent and starts another one on the same host; gives when that was, by `performance.now`. */
  readonly restart: () => Promise<number>
  /** Ends the agent and everything that its host runs. */
  readonly stop: () => Promise<void>
}

const nodeReady = async (connection: RawConnection, name: string): Promise<boolean> => {
  const answer = await connection.request("GET", `/api/v1/nodes/${name}`)
  if (answer.status !== 200) return false
  const { status } = JSON.parse(answer.body.toString("utf8")) as { status?: { conditions?: Array<{ type: string; status: string }> } }
  return status?.conditions?.some((condition) => condition.type === "Ready" && condition.status === "True") === true
}

/** Starts an agent as `node-0` of a server of our own and waits until its node is ready. Pods have addresses of this range of loopback. */
export const startAgent = async (to: Server, podCidr: string): Promise<Agent> => {
  const home = join(to.directory ?? "", "agent")
  const data = join(to.directory ?? "", "data")
  const kubeconfig = join(to.directory ?? "", "agent.kubeconfig")
  const nodeName = "node-0"
  execFileSync(process.execPath, [
    server, "kubeconfig", "--data-dir", data, "--server", `https://127.0.0.1:${String(to.target.port)}`, "--node", nodeName, "--out", kubeconfig
  ])
  const launch = () => {
    const child = spawn(process.execPath, [
      agent, "run", "--kubeconfig", kubeconfig, "--node-name", nodeName, "--data-dir", home, "--host", "sim", "--kubelet-bind", "127.0.0.1:0", "--healthz-port", "0", "--pod-cidr", podCidr, "--max-pods", "300"
    ], { stdio: ["ignore", "ignore", "inherit"] })
    const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()))
    return { child, exited, began: performance.now() }
  }
  let current = launch()
  const connection = await RawConnection.open(to.target)
  const deadline = performance.now() + 60_000
  while (!await nodeReady(connection, nodeName)) {
    if (performance.now() > deadline || current.child.exitCode !== null) throw new Error("the agent's node did not become ready")
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  connection.close()
  return {
    get pid() {
      return current.child.pid ?? 0
    },
    nodeName,
    restart: async () => {
      current.child.kill("SIGKILL")
      await current.exited
      current = launch()
      return current.began
    },
    stop: async () => {
      current.child.kill("SIGTERM")
      await current.exited
      execFileSync(process.execPath, [agent, "stop-zones", "--data-dir", home])
      rmSync(home, { recursive: true, force: true })
    }
  }
}

/** The processes of an agent that were started with this command, by what /proc tells. */
const processesOf = (to: Server, command: string): ReadonlyArray<number> =>
  readdirSync("/proc").filter((name) => /^\d+$/.test(name)).flatMap((name) => {
    try {
      const words = readFileSync(`/proc/${name}/cmdline`, "utf8").split("\0")
      return words.includes(command) && words.some((word) => word.startsWith(to.directory ?? "")) ? [Number(name)] : []
    } catch {
      return []
    }
  })

/** The processes that keep the containers of an agent. */
export const supervisorsOf = (to: Server): ReadonlyArray<number> => processesOf(to, "supervise")

/** The processes in which the commands of simulated hosts run: what they take is no agent's. */
export const simulatedHostsOf = (to: Server): ReadonlyArray<number> => processesOf(to, "simulated-host")
