/**
 * Prints what the heartbeats of 1,000 nodes cost the store, each renewed every 10 seconds, for a minute of real time:
 * `node bench/heartbeats.ts [seconds]`.
 */
import { ObjectStore } from "@reddwarf/store"
import { Console, DateTime, Effect, Option, Schedule } from "effect"
import { randomUUID } from "node:crypto"
import * as NodeFs from "node:fs"
import * as NodeOs from "node:os"
import * as NodePath from "node:path"

const encoder = new TextEncoder()
const nodes = 1000
const seconds = Number(process.argv[2] ?? 60)
const uids = Array.from({ length: nodes }, () => [randomUUID(), randomUUID()])

const lease = (i: number, now: number): ObjectStore.Encode => (revision) => {
  const renewTime = `${DateTime.formatIso(DateTime.unsafeMake(now)).slice(0, -1)}${String(revision % 1000).padStart(3, "0")}Z`
  const name = `node-${i}`
  const [uid, owner] = uids[i] ?? []
  return {
    bytes: encoder.encode(`${JSON.stringify({
      apiVersion: "coordination.k8s.io/v1",
      kind: "Lease",
      metadata: {
        name,
        namespace: "kube-node-lease",
        uid,
        resourceVersion: String(revision),
        creationTimestamp: "2026-11-21T00:00:00Z",
        ownerReferences: [{ apiVersion: "v1", kind: "Node", name, uid: owner }],
        managedFields: [{
          manager: "reddwarf-agent",
          operation: "Update",
          apiVersion: "coordination.k8s.io/v1",
          time: renewTime,
          fieldsType: "FieldsV1",
          fieldsV1: { "f:spec": { "f:holderIdentity": {}, "f:leaseDurationSeconds": {}, "f:renewTime": {} } }
        }]
      },
      spec: { holderIdentity: name, leaseDurationSeconds: 40, renewTime }
    })}\n`)
  }
}

const written = (): number => Number(/^write_bytes: (\d+)/m.exec(NodeFs.readFileSync("/proc/self/io", "utf8"))?.[1])

const directory = NodeFs.mkdtempSync(NodePath.join(NodeOs.tmpdir(), "reddwarf-store-bench-"))

const program = Effect.gen(function*() {
  const store = yield* ObjectStore.ObjectStore
  const clock = yield* Effect.clock
  let turn = 0
  const beat = (i: number) =>
    Effect.gen(function*() {
      const key = `/leases/node-${i}`
      const current = yield* store.get(key)
      const encode = lease(i, clock.unsafeCurrentTimeMillis())
      yield* Option.isNone(current) ? store.create(key, encode) : store.update(key, current.value.revision, encode)
    })
  for (let i = 0; i < nodes; i++) yield* beat(i)
  yield* Effect.sleep("11 seconds")
  const cpu = process.cpuUsage()
  const disk = written()
  // A tenth of a second brings ten of them.
  const some = Effect.suspend(() => Effect.forEach(Array.from({ length: 10 }, (_, i) => (turn++ * 10 + i) % nodes), beat, { discard: true }))
  yield* Effect.repeat(some, Schedule.fixed("100 millis").pipe(Schedule.intersect(Schedule.recurs(seconds * 10 - 1))))
  const { system, user } = process.cpuUsage(cpu)
  yield* Console.log(
    `${nodes} nodes for ${seconds} s: ${((user + system) / 1e4 / seconds).toFixed(2)} % of a core, ` +
      `${((written() - disk) / 1024 / 1024 / seconds * 60).toFixed(2)} MiB written a minute`
  )
})

await Effect.runPromise(
  program.pipe(
    Effect.provide(ObjectStore.layerSqlite({ path: NodePath.join(directory, "store.db"), writeBehind: { prefixes: ["/leases/"] } })),
    Effect.ensuring(Effect.sync(() => NodeFs.rmSync(directory, { recursive: true })))
  )
)
