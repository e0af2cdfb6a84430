/** The case of commands in a container: a whole session each, as `kubectl exec` has it. */
import { startAgent, supervisorsOf } from "./Agent.ts"
import { percentile, type Result } from "./Load.ts"
import { expect } from "./Pods.ts"
import { cpuMillis, follow, podOf, PODS, until } from "./PodStarts.ts"
import { openSocket, RawConnection, type Target } from "./RawClient.ts"
import { start } from "./Server.ts"

/** The channel on which the outcome of a command comes, as a Status. */
const outcomeChannel = 3

/** The payloads of the frames that are there as a whole. What a server sends is not masked, and here it is short. */
const payloadsOf = (data: Buffer): ReadonlyArray<Buffer> => {
  const found: Array<Buffer> = []
  for (let at = 0; at + 2 <= data.length;) {
    const short = (data[at + 1] ?? 0) & 0x7f
    const [head, length] = short === 126 ? [4, at + 4 <= data.length ? data.readUInt16BE(at + 2) : Infinity] : [2, short]
    if (at + head + length > data.length) break
    found.push(data.subarray(at + head, at + head + length))
    at += head + length
  }
  return found
}

/** Runs a command in the only container of a pod, over a connection of its own; gives its outcome when it has come. */
export const exec = async (target: Target, pod: string, ...command: ReadonlyArray<string>): Promise<string> => {
  const socket = await openSocket(target)
  try {
    return await new Promise<string>((resolve, reject) => {
      let received = Buffer.alloc(0)
      socket.on("error", reject).once("close", () => reject(new Error(`no outcome of ${command.join(" ")}: ${received.toString("latin1").slice(0, 300)}`)))
      socket.on("data", (data: Buffer) => {
        received = Buffer.concat([received, data])
        const head = received.indexOf("\r\n\r\n")
        if (head < 0) return
        const outcome = payloadsOf(received.subarray(head + 4)).find((payload) => payload[0] === outcomeChannel)
        if (outcome !== undefined) resolve(outcome.toString("utf8", 1))
      })
      const query = [...command.map((word) => `command=${encodeURIComponent(word)}`), "stdout=1", "stderr=1"].join("&")
      const authorization = target.token === undefined ? "" : `Authorization: Bearer ${target.token}\r\n`
      socket.write(
        `GET ${target.path}${PODS}/${pod}/exec?${query} HTTP/1.1\r\nHost: ${target.authority}\r\n${authorization}Connection: Upgrade\r\nUpgrade: websocket\r\n` +
          "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: v5.channel.k8s.io\r\n\r\n"
      )
    })
  } finally {
    socket.removeAllListeners("close")
    socket.destroy()
  }
}

/** Runs `/bin/true` in a pod `count` times, one after the other, after a tenth as many that warm up. Latencies are from connecting to the outcome. */
export const execs = (count: number) => async (port: number): Promise<ReadonlyArray<Result>> => {
  const server = await start(port)
  const agent = await startAgent(server, `127.${String(96 + port % 100)}.5.0/24`)
  const { close, seen } = await follow(server)
  const connection = await RawConnection.open(server.target)
  try {
    expect(await connection.request("POST", PODS, podOf("exec")), 201, "create exec")
    await until("the pod runs", () => seen.running.has("exec"))
    const latencies: Array<number> = []
    let before = 0
    for (let n = -Math.ceil(count / 10); n < count; n++) {
      if (n === 0) before = cpuMillis([agent.pid])
      const began = performance.now()
      const outcome = await exec(server.target, "exec", "/bin/true")
      if (!outcome.includes("\"Success\"")) throw new Error(`/bin/true ended with ${outcome}`)
      if (n >= 0) latencies.push(performance.now() - began)
    }
    const agentMillis = (cpuMillis([agent.pid]) - before) / count
    const sorted = latencies.toSorted((a, b) => a - b)
    return [{
      name: "exec /bin/true, one at a time",
      operations: count,
      perSecond: 1000 * count / latencies.reduce((sum, millis) => sum + millis, 0),
      p50: percentile(sorted, 0.5),
      p90: percentile(sorted, 0.9),
      p99: percentile(sorted, 0.99),
      serverCpuMillis: undefined,
      generatorCpuMillis: undefined,
      residentMegabytes: undefined,
      note: `a connection each; CPU of the agent ${agentMillis.toFixed(1)} ms each, ${String(supervisorsOf(server).length)} supervisor`
    }]
  } finally {
    close()
    connection.close()
    await agent.stop()
    await server.stop()
  }
}
