/** The case of pods that run: how soon after their creation, many at once, and what that costs the agent. */
import { simulatedHostsOf, startAgent, supervisorsOf } from "./Agent.ts"
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

/** A server and an agent with nothing to do yet, and what is seen of their pods. */
interface Scene {
  /** Creates pods at once, each on a connection of its own, and waits until all run. */
  readonly start: (names: ReadonlyArray<string>, measured: boolean) => Promise<void>
  /** Deletes pods and waits until they are gone. */
  readonly remove: (names: ReadonlyArray<string>) => Promise<void>
  readonly result: (name: string) => Result
}

const staged = async (port: number, most: number, act: (scene: Scene) => Promise<void>, name: string): Promise<ReadonlyArray<Result>> => {
  const server = await start(port)
  const agent = await startAgent(server, `127.${String(96 + port % 100)}.7.0/24`)
  const { close, seen } = await follow(server)
  const connections = await Promise.all(Array.from({ length: most }, () => RawConnection.open(server.target)))
  const connectionFor = (index: number): RawConnection => {
    const found = connections[index]
    if (found === undefined) throw new Error(`more than ${String(most)} pods at once`)
    return found
  }
  const latencies: Array<number> = []
  let agentMillis = 0
  let supervisorMillis = 0
  let hostMillis = 0
  const scene: Scene = {
    start: async (names, measured) => {
      const sent = new Map<string, number>()
      const before = cpuMillis([agent.pid])
      const supervised = cpuMillis(supervisorsOf(server))
      const hosted = cpuMillis(simulatedHostsOf(server))
      await Promise.all(names.map(async (pod, i) => {
        sent.set(pod, performance.now())
        expect(await connectionFor(i).request("POST", PODS, podOf(pod)), 201, `create ${pod}`)
      }))
      await until("all pods run", () => names.every((pod) => seen.running.has(pod)))
      if (!measured) return
      for (const [pod, at] of sent) latencies.push((seen.running.get(pod) ?? Number.NaN) - at)
      agentMillis += cpuMillis([agent.pid]) - before
      supervisorMillis += cpuMillis(supervisorsOf(server)) - supervised
      hostMillis += cpuMillis(simulatedHostsOf(server)) - hosted
    },
    remove: async (names) => {
      await Promise.all(names.map(async (pod, i) => {
        await connections[i]?.request("DELETE", `${PODS}/${pod}`)
      }))
      await until("all pods are gone", () => names.every((pod) => seen.gone.has(pod)))
    },
    result: (title) => {
      const sorted = latencies.toSorted((a, b) => a - b)
      const forEach = (millis: number): string => (millis / sorted.length).toFixed(1)
      return {
        name: title,
        operations: sorted.length,
        perSecond: Number.NaN,
        p50: percentile(sorted, 0.5),
        p90: percentile(sorted, 0.9),
        p99: percentile(sorted, 0.99),
        serverCpuMillis: undefined,
        generatorCpuMillis: undefined,
        residentMegabytes: (usage(agent.pid)?.residentBytes ?? Number.NaN) / 1e6,
        note: `CPU for each pod: agent ${forEach(agentMillis)} ms, supervisor ${forEach(supervisorMillis)} ms, simulated host ${forEach(hostMillis)} ms; memory is the agent's`
      }
    }
  }
  try {
    await act(scene)
    return [scene.result(name)]
  } finally {
    close()
    for (const connection of connections) connection.close()
    await agent.stop()
    await server.stop()
  }
}

const named = (prefix: string, count: number): ReadonlyArray<string> => Array.from({ length: count }, (_, i) => `${prefix}-${String(i)}`)

/** Rounds and pods that warm up. */
const warmUps = 2

/**
 * Creates `concurrent` pods at once on one simulated host, waits until all run, deletes them, `rounds` times after two that warm up.
 * Latencies are from sending a pod to the event that says that it runs.
 */
export const podStarts = (concurrent: number, rounds: number) => (port: number): Promise<ReadonlyArray<Result>> =>
  staged(port, concurrent, async ({ remove, start }) => {
    for (let round = 0; round < rounds + warmUps; round++) {
      const names = named(`pod-${String(round)}`, concurrent)
      await start(names, round >= warmUps)
      await remove(names)
    }
  }, `pod start to Running, ${String(concurrent)} at once`)

/** One pod after the other, `count` of them, each removed before the next, beside `others` that run all the time. */
export const podStartsBeside = (others: number, count: number) => (port: number): Promise<ReadonlyArray<Result>> =>
  staged(port, Math.max(1, others), async ({ remove, start }) => {
    await start(named("other", others), false)
    for (let n = 0; n < count + warmUps; n++) {
      await start([`pod-${String(n)}`], n >= warmUps)
      await remove([`pod-${String(n)}`])
    }
  }, `pod start to Running, beside ${String(others)}`)
