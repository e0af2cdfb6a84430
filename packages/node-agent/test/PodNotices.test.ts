import { assert, describe, it } from "@effect/vitest"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { SupervisorClient, SupervisorPaths } from "@reddwarf/node-agent"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { until } from "vitest-config/waiting"
import * as h from "./support/harness.js"

/** Polling can be no help here: it comes once an hour. */
const followed = Effect.gen(function*() {
  const { dataDir } = yield* h.directories
  const client = yield* Effect.provide(
    SupervisorClient.SupervisorClient,
    SupervisorClient.layer({ dataDir, pollInterval: "1 hour" }).pipe(Layer.provide(NodeContext.layer))
  )
  const seen: Array<string> = []
  yield* Effect.forkScoped(client.follow((uid) => Effect.sync(() => void seen.push(uid))))
  const write = (uid: string, text: string) => {
    const path = SupervisorPaths.state(dataDir, uid)
    writeFileSync(`${path}.tmp`, text)
    renameSync(`${path}.tmp`, path)
  }
  const times = (uid: string) => seen.filter((other) => other === uid).length
  const untilSeen = (uid: string, count: number) => until(`notice ${String(count)} of ${uid}`, Effect.sync(() => times(uid) >= count))
  const folder = (uid: string) => SupervisorPaths.pod(dataDir, uid)
  return { client, folder, times, untilSeen, write }
})

describe("changes of what the supervisor wrote", () => {
  it.scopedLive("are noticed in a folder that was there long before", () =>
    Effect.gen(function*() {
      const { client, times, untilSeen, write } = yield* followed
      yield* client.prepare("early")
      yield* client.prepare("late")
      // The look that finds this one passes the folder without a state as well.
      write("early", "1")
      yield* untilSeen("early", 1)
      write("late", "1")
      yield* untilSeen("late", 1)
      write("late", "22")
      yield* untilSeen("late", 2)
      assert.strictEqual(times("early"), 1)
    }))

  it.scopedLive("are noticed in a folder that took the place of another one", () =>
    Effect.gen(function*() {
      const { client, folder, untilSeen, write } = yield* followed
      yield* client.prepare("again")
      write("again", "1")
      yield* untilSeen("again", 1)
      rmSync(folder("again"), { recursive: true })
      mkdirSync(folder("again"))
      write("again", "22")
      yield* untilSeen("again", 2)
      write("again", "333")
      yield* untilSeen("again", 3)
    }))
})
