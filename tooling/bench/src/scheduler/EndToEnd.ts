/** Pods that a client creates over the real API, and that the scheduler of the same server binds. */
import { percentile, type Result } from "../Load.ts"
import { expect, podsOf } from "../Pods.ts"
import { until } from "../PodStarts.ts"
import { RawConnection } from "../RawClient.ts"
import { type Server, start, usage } from "../Server.ts"
import { node, pod } from "./Templates.ts"

const concurrency = 32
const singles = 100
const namespace = "default"

const json = JSON.stringify

/** Runs a task for each number below `count`, over connections of its own. */
const each = async (server: Server, count: number, task: (connection: RawConnection, i: number) => Promise<void>): Promise<void> => {
  const connections = await Promise.all(Array.from({ length: concurrency }, () => RawConnection.open(server.target)))
  let next = 0
  await Promise.all(connections.map(async (connection) => {
    while (next < count) await task(connection, next++)
    connection.close()
  }))
}

const merge = "application/merge-patch+json"

/** Nodes that say once that they are ready. Nobody renews their leases, so they are good for less than a minute. */
const createNodes = (server: Server, count: number): Promise<void> =>
  each(server, count, async (connection, i) => {
    const made = node(`node-${String(i)}`, i, ["zone1", "zone2", "zone3"])
    const { name = "" } = made.metadata
    const { apiVersion, kind, spec, status } = made
    const metadata = { name, labels: made.metadata.labels }
    expect(await connection.request("POST", "/api/v1/nodes", json({ apiVersion, kind, metadata, spec })), 201, `create ${name}`)
    const conditions = status?.conditions?.map((condition) => ({ ...condition, lastHeartbeatTime: new Date().toISOString() }))
    expect(await connection.request("PATCH", `/api/v1/nodes/${name}/status`, json({ status: { ...status, conditions } }), merge), 200, `report of ${name}`)
    expect(await connection.request("PATCH", `/api/v1/nodes/${name}`, json({ spec: { taints: null } }), merge), 200, `clear ${name}`)
  })

/** When the watch said of each pod that it has a node. */
const followBindings = async (server: Server): Promise<{ readonly bound: Map<string, number>; readonly close: () => void }> => {
  const connection = await RawConnection.open(server.target)
  const bound = new Map<string, number>()
  let text = ""
  connection.stream(`${podsOf(namespace)}?watch=true`, {
    onData: (data) => {
      const now = performance.now()
      const lines = (text + data.toString("utf8")).split("\n")
      text = lines.pop() ?? ""
      for (const line of lines) {
        if (!line.includes("\"nodeName\":\"")) continue
        const name = /"metadata":\{[^{]*?"name":"([^"]+)"/.exec(line)?.[1]
        if (name !== undefined && !bound.has(name)) bound.set(name, now)
      }
    },
    onEnd: () => {}
  })
  return { bound, close: () => connection.close() }
}

const bodyOf = (name: string, i: number): string => {
  const { metadata: { uid: _, namespace: __, ...metadata }, ...made } = pod("default", namespace, name, i)
  return json({ ...made, metadata })
}

const create = async (connection: RawConnection, sent: Map<string, number>, name: string, i: number): Promise<void> => {
  sent.set(name, performance.now())
  expect(await connection.request("POST", podsOf(namespace), bodyOf(name, i)), 201, `create ${name}`)
}

const latenciesOf = (sent: ReadonlyMap<string, number>, bound: ReadonlyMap<string, number>): ReadonlyArray<number> =>
  Array.from(sent, ([name, at]) => (bound.get(name) ?? Number.NaN) - at).toSorted((a, b) => a - b)

const resultOf = (server: Server, name: string, latencies: ReadonlyArray<number>, seconds: number, cpuSeconds: number | undefined): Result => ({
  name,
  operations: latencies.length,
  perSecond: latencies.length / seconds,
  p50: percentile(latencies, 0.5),
  p90: percentile(latencies, 0.9),
  p99: percentile(latencies, 0.99),
  serverCpuMillis: cpuSeconds === undefined ? undefined : cpuSeconds * 1000 / latencies.length,
  generatorCpuMillis: undefined,
  residentMegabytes: (usage(server.pid)?.residentBytes ?? Number.NaN) / 1e6
})

/** `pods` on `nodes`, thirty-two at a time; then a hundred one at a time. Latencies are from sending a pod to the event that it has a node. */
export const endToEnd = async (port: number, nodes: number, pods: number): Promise<{ readonly burst: Result; readonly alone: Result }> => {
  const server = await start(port)
  const { bound, close } = await followBindings(server)
  try {
    await createNodes(server, nodes)
    const warm = new Map<string, number>()
    await each(server, Math.ceil(pods / 10), (connection, i) => create(connection, warm, `warm-${String(i)}`, i))
    await until("the first pods are bound", () => [...warm.keys()].every((name) => bound.has(name)))
    const sent = new Map<string, number>()
    const before = usage(server.pid)
    const began = performance.now()
    await each(server, pods, (connection, i) => create(connection, sent, `pod-${String(i)}`, i))
    await until("all pods are bound", () => bound.size >= warm.size + sent.size)
    const seconds = (Math.max(...bound.values()) - began) / 1000
    const after = usage(server.pid)
    const cpu = before === undefined || after === undefined ? undefined : after.cpuSeconds - before.cpuSeconds
    const burst = resultOf(server, `bound, ${String(nodes)} nodes, created at ${String(concurrency)}`, latenciesOf(sent, bound), seconds, cpu)
    const alone = new Map<string, number>()
    const connection = await RawConnection.open(server.target)
    const singlesBegan = performance.now()
    for (let i = 0; i < singles; i++) {
      const name = `single-${String(i)}`
      await create(connection, alone, name, i)
      await until(`${name} is bound`, () => bound.has(name))
    }
    connection.close()
    const took = (performance.now() - singlesBegan) / 1000
    return { burst, alone: resultOf(server, `bound, ${String(nodes)} nodes, one at a time`, latenciesOf(alone, bound), took, undefined) }
  } finally {
    close()
    await server.stop()
  }
}
