/** The case of an agent that is killed: how soon the next one has adopted what runs. */
import { startAgent } from "./Agent.ts"
import type { Result } from "./Load.ts"
import { expect } from "./Pods.ts"
import { cpuMillis, follow, podOf, PODS, until } from "./PodStarts.ts"
import { RawConnection } from "./RawClient.ts"
import { start } from "./Server.ts"

/** So many are made at the same time. */
const atOnce = 20

interface PodList {
  readonly items: ReadonlyArray<{ readonly status?: { readonly containerStatuses?: ReadonlyArray<{ readonly restartCount: number }> } }>
}

/** Makes `count` pods, kills the agent, and waits until the next one says that it has adopted them. */
export const adoption = (count: number) => async (port: number): Promise<ReadonlyArray<Result>> => {
  const server = await start(port)
  const agent = await startAgent(server, `127.${String(96 + port % 100)}.0.0/20`)
  const { close, seen } = await follow(server)
  try {
    const names = Array.from({ length: count }, (_, i) => `adopted-${String(i)}`)
    for (let from = 0; from < count; from += atOnce) {
      // Anew each time: on a machine with other work the pods before may have taken longer than the server keeps a connection.
      const connection = await RawConnection.open(server.target)
      for (const name of names.slice(from, from + atOnce)) expect(await connection.request("POST", PODS, podOf(name)), 201, `create ${name}`)
      connection.close()
      await until("all pods run", () => names.slice(0, from + atOnce).every((name) => seen.running.has(name)))
    }
    const connection = await RawConnection.open(server.target)
    const began = await agent.restart()
    let told: string | undefined
    const deadline = began + 120_000
    while (told === undefined) {
      if (performance.now() > deadline) throw new Error("the agent has not adopted its pods within 120 s")
      await new Promise((resolve) => setTimeout(resolve, 20))
      const { body, status } = await connection.request("GET", `/api/v1/nodes/${agent.nodeName}/proxy/metrics`)
      // A gauge that nobody has set yet is not shown.
      if (status === 200) told = /^reddwarf_adoption_duration_seconds ([\d.e-]+)$/m.exec(body.toString("latin1"))?.[1]
    }
    const millis = performance.now() - began
    const { items } = JSON.parse((await connection.request("GET", PODS)).body.toString("utf8")) as PodList
    const restarts = items.flatMap(({ status }) => status?.containerStatuses ?? []).reduce((sum, { restartCount }) => sum + restartCount, 0)
    connection.close()
    return [{
      name: `adoption of ${String(count)} pods`,
      operations: count,
      perSecond: Number.NaN,
      p50: Number(told) * 1000,
      p90: Number.NaN,
      p99: Number.NaN,
      serverCpuMillis: undefined,
      generatorCpuMillis: undefined,
      residentMegabytes: undefined,
      note: `from the start of the agent as it says itself; ${millis.toFixed(0)} ms from its spawn until its metrics could be read; ${String(items.length)} pods, ${String(restarts)} restarts; CPU ${cpuMillis([agent.pid]).toFixed(0)} ms`
    }]
  } finally {
    close()
    await agent.stop()
    await server.stop()
  }
}
