/** The measured cases by name, in the order in which they run: each leaves its objects for the next. */
import { adoption } from "./Adoption.ts"
import { agentIdle } from "./AgentIdle.ts"
import { besides, sideBySide } from "./Alternate.ts"
import { execs } from "./Exec.ts"
import { heartbeats } from "./Heartbeats.ts"
import { type Result, single } from "./Load.ts"
import { logThroughput } from "./Logs.ts"
import { podStarts, podStartsBeside } from "./PodStarts.ts"
import * as Pods from "./Pods.ts"
import { probes } from "./Probes.ts"
import * as Requests from "./Requests.ts"
import type { Server } from "./Server.ts"
import { measure } from "./Start.ts"
import { fanout } from "./Watches.ts"

/** One case. */
export type Case =
  /** Runs on the server that all such cases share. */
  | { readonly name: string; readonly on: (server: Server) => Promise<Result> }
  /** Starts servers of its own, from this port on, while no other is running. */
  | { readonly name: string; readonly alone: (port: number) => Promise<ReadonlyArray<Result>> }

const memory = (name: string, pods: number) => async (server: Server): Promise<Result> => {
  await Pods.ensure(server, Pods.NAMESPACE, pods)
  return single(server, name, undefined)
}

const startup = (server: Server): Promise<Result> => Promise.resolve(single(server, "cold start to /readyz, empty", server.started?.readyMillis))

/** Twenty seconds after the start, in which nobody asked for anything. */
const idle = async (server: Server): Promise<Result> => {
  await new Promise((resolve) => setTimeout(resolve, 20_000))
  return single(server, "memory, idle", undefined)
}

const startBeside = (pods: number) => async (port: number): Promise<ReadonlyArray<Result>> => {
  const { podBytes, readyMegabytes, settledMegabytes, started } = await measure(port, pods)
  const millis = started?.readyMillis ?? Number.NaN
  const note = [
    `first answer after ${started === undefined ? "-" : started.answeredMillis.toFixed(0)} ms`,
    `ready at ${readyMegabytes === undefined ? "-" : readyMegabytes.toFixed(0)} MB`,
    `pods of ${String(podBytes)} bytes`
  ]
  return [{
    name: `cold start to /readyz, ${String(pods)} pods`,
    operations: 0,
    perSecond: Number.NaN,
    p50: millis,
    p90: millis,
    p99: millis,
    serverCpuMillis: undefined,
    generatorCpuMillis: undefined,
    residentMegabytes: settledMegabytes,
    note: note.join(", ")
  }]
}

/** All cases; `scale` 1 is the full size, smaller ones keep the cases from rotting. */
export const cases = (scale: number): ReadonlyArray<Case> => {
  const n = (count: number, least = 1): number => Math.max(least, Math.round(count * scale))
  const thousand = n(1000, 100)
  return [
    { name: "start", on: startup },
    { name: "memory-idle", on: idle },
    { name: "create-1", on: Requests.create(1, n(500)) },
    { name: "create-64", on: Requests.create(64, n(9500)) },
    { name: "memory-10000", on: memory("memory, 10,000 pods, under load", n(10_000)) },
    { name: "get-1", on: Requests.get(1, n(5000)) },
    { name: "get-64", on: Requests.get(64, n(20_000)) },
    { name: "patch-1", on: Requests.patch(1, n(500)) },
    { name: "patch-64", on: Requests.patch(64, n(5000)) },
    { name: "status-64", on: Requests.status(64, n(5000)) },
    { name: "list-5000", on: Requests.list(n(5000), n(10, 2)) },
    { name: "list-10000", on: Requests.list(0, n(10, 2)) },
    { name: "watch-latency", on: fanout({ watchers: 100, writers: 1, writes: n(500, 20), pace: 20 }) },
    { name: "watch-100", on: fanout({ watchers: 100, writers: 1, writes: n(1000, 20) }) },
    { name: "watch-1000", on: fanout({ watchers: thousand, writers: 1, writes: n(400, 20) }) },
    { name: "watch-1000-8", on: fanout({ watchers: thousand, writers: 8, writes: n(800, 40) }) },
    { name: "heartbeats", on: heartbeats(thousand, n(60, 5)) },
    { name: "memory-30000", on: memory("memory, 30,000 pods, under load", n(30_000)) },
    { name: "delete-64", on: Requests.remove(64, n(5000)) },
    { name: "deletecollection", on: Requests.removeCollection(n(5000)) },
    { name: "pod-start-1", alone: podStarts(1, n(20, 2)) },
    { name: "pod-start-30", alone: podStarts(30, n(5, 1)) },
    { name: "pod-start-beside-30", alone: podStartsBeside(n(30), n(60, 2)) },
    { name: "agent-idle-10", alone: agentIdle(n(10), n(60, 10)) },
    { name: "agent-idle-200", alone: agentIdle(n(200), n(60, 10)) },
    { name: "agent-adoption-200", alone: adoption(n(200)) },
    { name: "exec", alone: execs(n(200, 10)) },
    { name: "log-throughput", alone: logThroughput(n(40, 10)) },
    { name: "probes-2000", alone: probes(n(2000), n(20, 2)) },
    { name: "create-100000", alone: (port) => besides(port, n(100_000), n(4000, 64)) },
    { name: "start-30000", alone: startBeside(n(30_000)) },
    { name: "start-150000", alone: startBeside(n(150_000)) },
    { name: "side-by-side", alone: (port) => sideBySide(port, n(5000, 64)) }
  ]
}
