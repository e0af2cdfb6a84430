/** The case of pods that run: how soon after their creation, many at once, and what that costs the agent. */
import { startAgent, supervisorsOf } from "./Agent.ts"
import { percentile, type Result } from "./Load.ts"
import { expect, podsOf } from "./Pods.ts"
import { RawConnection } from "./RawClient.ts"
import { type Server, start, usage } from "./Server.ts"

/** The collection in which they are made. */
export const PODS = podsOf("default")
const deadlineMillis = 120_000

/** A pod whose one container sleeps. */
export const podOf = (name: string): string =>
  JSON.stringify({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name },
    spec: {
      // With 0 the object would go at once, and the next round would begin while the host still takes this one apart.
      terminationGracePeriodSeconds: 1,
      containers: [{ name: "main", image: "registry.example.com/main:1.0", command: ["/bin/sleep", "3600"] }]
    }
  })

/** What a watch has said of pods: when each was seen running first, and which are gone. */
export interface Seen {
  readonly running: Map<string, number>
  readonly gone: Set<string>
}

/** Follows the pods of the default namespace. */
export const follow = async (server: Server): Promise<{ readonly seen: Seen; readonly close: () => void }> => {
  const connection = await RawConnection.open(server.target)
  const seen: Seen = { running: new Map(), gone: new Set() }
  let text = ""
  connection.stream(`${PODS}?watch=true`, {
    onData: (data) => {
      const now = performance.now()
      const lines = (text + data.toString("utf8")).split("\n")
      text = lines.pop() ?? ""
      for (const line of lines) {
        const start = line.indexOf("{\"type\"")
        if (start < 0) continue
        const { object, type } = JSON.parse(line.slice(start)) as { type: string; object: { metadata: { name: string }; status?: { phase?: string } } }
        const { name } = object.metadata
        if (type === "DELETED") seen.gone.add(name)
        else if (object.status?.phase === "Running" && !seen.running.has(name)) seen.running.set(name, now)
      }
    },
    onEnd: () => {}
  })
  return { seen, close: () => connection.close() }
}

/** Waits until something is so; fails after two minutes. */
export const until = async (what: string, condition: () => boolean): Promise<void> => {
  const deadline = performance.now() + deadlineMillis
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`not within ${String(deadlineMillis / 1000)} s: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

/** CPU time of processes so far, in milliseconds. */
export const cpuMillis = (pids: ReadonlyArray<number>): number => pids.reduce((sum, pid) => sum + (usage(pid)?.cpuSeconds ?? 0) * 1000, 0)

/**
 * Creates `concurrent` pods at once on one simulated host, waits until all run, deletes them, `rounds` times after two that warm up.
 * Latencies are from sending a pod to the event that says that it runs.
 */
export const podStarts = (concurrent: number, rounds: number) => async (port: number): Promise<ReadonlyArray<Result>> => {
  const server = await start(port)
  const agent = await startAgent(server, `127.${String(96 + port % 100)}.7.0/24`)
  const { close, seen } = await follow(server)
  const connections = await Promise.all(Array.from({ length: concurrent }, () => RawConnection.open(server.target)))
  const latencies: Array<number> = []
  let agentMillis = 0
  let supervisorMillis = 0
  const round = async (n: number, measured: boolean): Promise<void> => {
    const sent = new Map<string, number>()
    const before = cpuMillis([agent.pid])
    const supervised = cpuMillis(supervisorsOf(server))
    await Promise.all(connections.map(async (connection, i) => {
      const name = `pod-${String(n)}-${String(i)}`
      sent.set(name, performance.now())
      expect(await connection.request("POST", PODS, podOf(name)), 201, `create ${name}`)
    }))
    await until("all pods run", () => [...sent.keys()].every((name) => seen.running.has(name)))
    if (measured) {
      for (const [name, at] of sent) latencies.push((seen.running.get(name) ?? Number.NaN) - at)
      agentMillis += cpuMillis([agent.pid]) - before
      supervisorMillis += cpuMillis(supervisorsOf(server)) - supervised
    }
    await Promise.all([...sent.keys()].map(async (name, i) => {
      await connections[i]?.request("DELETE", `${PODS}/${name}`)
    }))
    await until("all pods are gone", () => [...sent.keys()].every((name) => seen.gone.has(name)))
  }
  try {
    for (let n = 0; n < rounds + 2; n++) await round(n, n >= 2)
    const sorted = latencies.toSorted((a, b) => a - b)
    return [{
      name: `pod start to Running, ${String(concurrent)} at once`,
      operations: sorted.length,
      perSecond: Number.NaN,
      p50: percentile(sorted, 0.5),
      p90: percentile(sorted, 0.9),
      p99: percentile(sorted, 0.99),
      serverCpuMillis: undefined,
      generatorCpuMillis: undefined,
      residentMegabytes: (usage(agent.pid)?.residentBytes ?? Number.NaN) / 1e6,
      note: `CPU for each pod: agent ${(agentMillis / sorted.length).toFixed(1)} ms, supervisor ${(supervisorMillis / sorted.length).toFixed(1)} ms; memory is the agent's`
    }]
  } finally {
    close()
    for (const connection of connections) connection.close()
    await agent.stop()
    await server.stop()
  }
}
