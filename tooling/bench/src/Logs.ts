/** The case of a container that writes a lot, while somebody follows its log through the server. */
import { startAgent, supervisorsOf } from "./Agent.ts"
import { exec } from "./Exec.ts"
import type { Result } from "./Load.ts"
import { expect } from "./Pods.ts"
import { cpuMillis, follow, PODS, until } from "./PodStarts.ts"
import { RawConnection } from "./RawClient.ts"
import { start } from "./Server.ts"

const line = "0123456789".repeat(12).slice(0, 119)

/** Writes so many bytes, in lines, when it is told to. */
const writer = (name: string, bytes: number): string =>
  JSON.stringify({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name },
    spec: {
      restartPolicy: "Never",
      terminationGracePeriodSeconds: 1,
      containers: [{
        name: "main",
        image: "registry.example.com/main:1.0",
        command: ["/bin/sh", "-c", `until [ -e go ]; do sleep 0.05; done; yes ${line} | head -c ${String(bytes)}`]
      }]
    }
  })

/** Follows the log of a pod that writes `megabytes`, and says what came of it and how fast. */
export const logThroughput = (megabytes: number) => async (port: number): Promise<ReadonlyArray<Result>> => {
  const bytes = Math.round(megabytes * 1e6 / (line.length + 1)) * (line.length + 1)
  const server = await start(port)
  const agent = await startAgent(server, `127.${String(96 + port % 100)}.6.0/24`)
  const { close, seen } = await follow(server)
  const connection = await RawConnection.open(server.target)
  const reader = await RawConnection.open(server.target)
  try {
    expect(await connection.request("POST", PODS, writer("logs", bytes)), 201, "create logs")
    await until("the pod runs", () => seen.running.has("logs"))
    let received = 0
    let complete = 0
    let ended = false
    let tail = ""
    let head = ""
    reader.stream(`${PODS}/logs/log?follow=true`, {
      onData: (data) => {
        if (head.length < 500) head += data.toString("latin1", 0, 500)
        received += data.length
        // What comes after that is what stands around the text, and later the end of the answer, when the pod is known to be over.
        if (received >= bytes && complete === 0) complete = performance.now()
        tail = (tail + data.toString("latin1", Math.max(0, data.length - 7))).slice(-7)
        // The chunk that ends the answer.
        ended = tail.endsWith("\r\n0\r\n\r\n")
      },
      onEnd: () => { ended = true }
    })
    const supervisors = supervisorsOf(server)
    const before = [cpuMillis([agent.pid]), cpuMillis(supervisors), cpuMillis([server.pid ?? 0])] as const
    await exec(server.target, "logs", "touch", "go")
    const began = performance.now()
    await until("the log has ended", () => ended)
    if (received < bytes / 100) throw new Error(`the log ended after ${String(received)} bytes: ${head}`)
    const seconds = ((complete === 0 ? performance.now() : complete) - began) / 1000
    const spent = (at: 0 | 1 | 2, pids: ReadonlyArray<number>): string => ((cpuMillis(pids) - before[at]) / 1000).toFixed(1)
    return [{
      name: `logs -f of ${String(megabytes)} MB`,
      operations: bytes,
      perSecond: Math.min(received, bytes) / 1e6 / seconds,
      p50: Number.NaN,
      p90: Number.NaN,
      p99: Number.NaN,
      serverCpuMillis: undefined,
      generatorCpuMillis: undefined,
      residentMegabytes: undefined,
      note: [
        `MB a second; ${(Math.min(received, bytes) / bytes * 100).toFixed(1)} % came`,
        `CPU seconds: supervisor ${spent(1, supervisors)}, agent ${spent(0, [agent.pid])}, server ${spent(2, [server.pid ?? 0])}`
      ].join("; ")
    }]
  } finally {
    close()
    connection.close()
    reader.close()
    await agent.stop()
    await server.stop()
  }
}
