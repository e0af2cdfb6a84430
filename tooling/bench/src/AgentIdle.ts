/** The case of an agent without work: what it takes of a core, and its memory, with so many pods that run. */
import { simulatedHostsOf, startAgent, supervisorsOf } from "./Agent.ts"
import type { Result } from "./Load.ts"
import { expect } from "./Pods.ts"
import { cpuMillis, follow, podOf, PODS, until } from "./PodStarts.ts"
import { RawConnection } from "./RawClient.ts"
import { start, usage } from "./Server.ts"

/** So many are made at the same time. */
const atOnce = 20

/** What follows the start of the last pod, such as its events, is over then. */
const settleMillis = 30_000

const megabytes = (pids: ReadonlyArray<number>): number =>
  pids.reduce((sum, pid) => sum + (usage(pid)?.residentBytes ?? Number.NaN), 0) / 1e6

/** Makes `count` pods on one simulated host, waits until all run and then half a minute, and measures for `seconds` in which nobody asks for anything. */
export const agentIdle = (count: number, seconds: number) => async (port: number): Promise<ReadonlyArray<Result>> => {
  const server = await start(port)
  const agent = await startAgent(server, `127.${String(96 + port % 100)}.0.0/20`)
  const { close, seen } = await follow(server)
  try {
    const names = Array.from({ length: count }, (_, i) => `idle-${String(i)}`)
    for (let from = 0; from < count; from += atOnce) {
      // Anew each time: on a machine with other work the pods before may have taken longer than the server keeps a connection.
      const connection = await RawConnection.open(server.target)
      for (const name of names.slice(from, from + atOnce)) expect(await connection.request("POST", PODS, podOf(name)), 201, `create ${name}`)
      connection.close()
      await until("all pods run", () => names.slice(0, from + atOnce).every((name) => seen.running.has(name)))
    }
    const running = megabytes([agent.pid])
    await new Promise((resolve) => setTimeout(resolve, settleMillis))
    const supervisors = supervisorsOf(server)
    const hosts = simulatedHostsOf(server)
    const before = [cpuMillis([agent.pid]), cpuMillis(supervisors), cpuMillis(hosts)] as const
    const began = performance.now()
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000))
    const share = (pids: ReadonlyArray<number>, since: number): string => ((cpuMillis(pids) - since) / (performance.now() - began) * 100).toFixed(2)
    return [{
      name: `agent idle, ${String(count)} pods`,
      operations: 0,
      perSecond: Number.NaN,
      p50: Number.NaN,
      p90: Number.NaN,
      p99: Number.NaN,
      serverCpuMillis: undefined,
      generatorCpuMillis: undefined,
      residentMegabytes: megabytes([agent.pid]),
      note: [
        `share of a core: agent ${share([agent.pid], before[0])} %, supervisor ${share(supervisors, before[1])} %, simulated host ${share(hosts, before[2])} %`,
        `memory is the agent's, ${running.toFixed(0)} MB when the last pod ran`,
        `supervisor ${megabytes(supervisors).toFixed(0)} MB`,
        `simulated host ${megabytes(hosts).toFixed(0)} MB`
      ].join("; ")
    }]
  } finally {
    close()
    await agent.stop()
    await server.stop()
  }
}
