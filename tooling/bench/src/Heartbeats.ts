/** The case of the heartbeats: each node renews its lease every ten seconds over a connection of its own. */
import { meter, type Result } from "./Load.ts"
import { expect } from "./Pods.ts"
import { RawConnection } from "./RawClient.ts"
import { type Server, usage } from "./Server.ts"

const LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
const everyMillis = 10_000
const REVISION = Buffer.from("\"resourceVersion\":\"")

interface Node {
  readonly name: string
  readonly connection: RawConnection
  resourceVersion: string
  busy: boolean
}

const lease = ({ name, resourceVersion }: Node): string => {
  const known = resourceVersion === "" ? "" : `,"resourceVersion":"${resourceVersion}"`
  const renewTime = new Date().toISOString().replace("Z", "000Z")
  return `{"apiVersion":"coordination.k8s.io/v1","kind":"Lease","metadata":{"name":"${name}","namespace":"kube-node-lease"${known}},`
    + `"spec":{"holderIdentity":"${name}","leaseDurationSeconds":40,"renewTime":"${renewTime}"}}`
}

const revisionIn = (body: Buffer): string => {
  const start = body.indexOf(REVISION) + REVISION.length
  return body.toString("latin1", start, body.indexOf(0x22, start))
}

const renew = async (node: Node): Promise<void> => {
  const answer = await node.connection.request("PUT", `${LEASES}/${node.name}`, lease(node))
  expect(answer, 200, `renew the lease of ${node.name}`)
  node.resourceVersion = revisionIn(answer.body)
}

const open = async (server: Server, name: string): Promise<Node> => {
  const node: Node = { name, connection: await RawConnection.open(server.target), resourceVersion: "", busy: false }
  const answer = await node.connection.request("POST", LEASES, lease(node))
  if (answer.status === 409) {
    const present = await node.connection.request("GET", `${LEASES}/${name}`)
    expect(present, 200, `get the lease of ${name}`)
    node.resourceVersion = revisionIn(present.body)
  } else {
    expect(answer, 201, `create the lease of ${name}`)
    node.resourceVersion = revisionIn(answer.body)
  }
  return node
}

/** Heartbeats of `count` nodes, evenly spread over their period, for `seconds` after one period of warming up. */
export const heartbeats = (count: number, seconds: number) => async (server: Server): Promise<Result> => {
  const nodes = await Promise.all(Array.from({ length: count }, (_, i) => open(server, `bench-node-${String(i)}`)))
  let skipped = 0
  let failure: unknown
  /** Lets time pass while leases are renewed. */
  const beat = async (millis: number, latencies: Array<number>): Promise<void> => {
    const began = performance.now()
    const due = Math.round(millis / everyMillis * count)
    for (let next = 0; next < due;) {
      const target = Math.min(due, Math.floor((performance.now() - began) / everyMillis * count) + 1)
      for (; next < target; next++) {
        const node = nodes[next % count]
        if (node === undefined) break
        if (node.busy) {
          skipped++
          continue
        }
        node.busy = true
        const at = performance.now()
        renew(node).then(() => {
          latencies.push(performance.now() - at)
          node.busy = false
        }, (error: unknown) => {
          failure ??= error
        })
      }
      if (failure !== undefined) throw failure
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    while (nodes.some(({ busy }) => busy)) {
      if (failure !== undefined) throw failure
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }
  try {
    await beat(everyMillis, [])
    const latencies: Array<number> = []
    const before = usage(server.pid)
    const measured = meter(server)
    await beat(seconds * 1000, latencies)
    const after = usage(server.pid)
    const minutes = measured.seconds() / 60
    const note = [
      ...(before === undefined || after === undefined ? [] : [`${((after.cpuSeconds - before.cpuSeconds) / measured.seconds() * 100).toFixed(1)} % of a core`]),
      ...(before?.writtenBytes === undefined || after?.writtenBytes === undefined ? [] : [`${((after.writtenBytes - before.writtenBytes) / 1e6 / minutes).toFixed(1)} MB written a minute`]),
      ...(skipped === 0 ? [] : [`${String(skipped)} late`])
    ]
    return measured.result(`heartbeats of ${String(count)} nodes, every 10 s`, latencies.length, latencies, note.join(", "))
  } finally {
    if (failure === undefined) await Promise.all(nodes.map(({ connection, name }) => connection.request("DELETE", `${LEASES}/${name}`)))
    for (const { connection } of nodes) connection.close()
  }
}
