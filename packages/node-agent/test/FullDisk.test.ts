import { assert, describe, it } from "@effect/vitest"
import { type CoreV1, Kinds } from "@reddwarf/api-types"
import { ApiClient, FakeApi } from "@reddwarf/client"
import { ZoneInstanceKind } from "@reddwarf/node-agent"
import { ZoneRuntime } from "@reddwarf/runtime-illumos"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import type * as Scope from "effect/Scope"
import { existsSync, readdirSync } from "node:fs"
import { join } from "node:path"
import { isDeepStrictEqual } from "node:util"
import * as fullDisk from "./support/fullDisk.js"
import * as h from "./support/harness.js"

const kind = ZoneInstanceKind.zoneInstance
const ref = (name: string) => ({ namespace: "default", name })

const withDisk = <E>(body: (folders: h.Directories, disk: fullDisk.Disk) => Effect.Effect<void, E, h.World | Scope.Scope>) =>
  Effect.gen(function*() {
    const folders = yield* h.directories
    const disk: fullDisk.Disk = { state: "fine" }
    yield* Effect.zipRight(h.emptyAtEnd, Effect.zipRight(h.supervisorFiber(folders), body(folders, disk))).pipe(
      Effect.scoped,
      Effect.provide(h.hostLayerOn(fullDisk.machine(folders.dataDir, disk), folders, "10.88.0.0/24"))
    )
  }).pipe(Effect.provide(FakeApi.layer({ kinds: [...Kinds.all, kind] })), Effect.scoped, Logger.withMinimumLogLevel(LogLevel.None))

const events = (reason: string) =>
  Effect.map(FakeApi.FakeApi, (api) => api.list<CoreV1.Event>(Kinds.event, "default").filter((event) => event.reason === reason))

const untilGone = (name: string) =>
  h.until("pod and instance to be gone", Effect.map(FakeApi.FakeApi, (api) => api.get(Kinds.pod, ref(name)) === undefined && api.get(kind, ref(name)) === undefined ? true : undefined))

const untilEmpty = (folders: h.Directories) =>
  Effect.gen(function*() {
    const ledger = join(folders.dataDir, "ledger/pods")
    yield* h.until("nothing to be left", Effect.map(h.leftovers(folders), (left) => isDeepStrictEqual(left, h.nothing) && readdirSync(ledger).length === 0 ? true : undefined))
  })

const zoneCount = Effect.flatMap(ZoneRuntime.ZoneRuntime, ({ list }) => Effect.map(list, ({ length }) => length))

const remove = (name: string, gracePeriodSeconds: number) =>
  Effect.flatMap(ApiClient.ApiClient, (client) => client.delete(Kinds.pod, ref(name), { gracePeriodSeconds }))

describe("a pod that is deleted", () => {
  it.live("goes while the disk of the agent is full; another one waits until there is room", () =>
    withDisk((folders, disk) =>
      Effect.gen(function*() {
        yield* h.agent(folders)
        const asked = join(folders.root, "asked")
        yield* h.createPod(h.draft("web", [{ name: "c", command: h.sh(`trap 'echo > ${asked}; exit 0' TERM; echo up; while :; do sleep 0.05; done`) }]))
        const pod = yield* h.untilPod("web", "ready", h.isReady)
        yield* h.until("its trap to be set", Effect.sync(() => h.logText(folders, pod, "c", 0) === "up\n" ? true : undefined))
        disk.state = "full"
        yield* remove("web", 300)
        yield* untilGone("web")
        assert.isTrue(existsSync(asked), "its container was asked to end")
        assert.strictEqual(yield* zoneCount, 0)
        const [event] = yield* events("LedgerUnavailable")
        assert.include(event?.message ?? "", "ENOSPC")
        assert.strictEqual(event?.type, "Warning")

        yield* h.createPod(h.draft("next", [{ name: "c", command: h.sh("while :; do sleep 0.1; done") }]))
        yield* h.until("the next one to wait for the ledger", Effect.map(FakeApi.FakeApi, (api) =>
          api.get(kind, ref("next"))?.status?.conditions?.some(({ reason, status, type }) => type === "PlanBlocked" && status === "True" && reason === "LedgerUnavailable") === true ? true : undefined))
        assert.strictEqual(yield* zoneCount, 0)
        disk.state = "fine"
        yield* h.untilPod("next", "ready", h.isReady)
        yield* remove("next", 1)
        yield* untilGone("next")
        yield* untilEmpty(folders)
      })), 60_000)

  it.live("goes while nothing can be changed on that disk; what is left of its files goes later", () =>
    withDisk((folders, disk) =>
      Effect.gen(function*() {
        yield* h.agent(folders)
        yield* h.createPod(h.draft("web", [{ name: "c", command: h.sh("trap '' TERM; while :; do sleep 0.05; done"), volumeMounts: [{ name: "v", mountPath: "/v" }] }], { volumes: [{ name: "v", emptyDir: {} }] }))
        yield* h.untilPod("web", "ready", h.isReady)
        disk.state = "readOnly"
        // One that does not obey has no more time than it was given.
        yield* remove("web", 1)
        yield* untilGone("web")
        assert.strictEqual(yield* zoneCount, 0)
        assert.isNotEmpty((yield* h.leftovers(folders)).supervised)
        disk.state = "fine"
        yield* untilEmpty(folders)
      })), 60_000)
})
