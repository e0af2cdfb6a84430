import { assert, describe, it } from "@effect/vitest"
import { type CoreV1, Kinds } from "@reddwarf/api-types"
import { ApiClient, FakeApi } from "@reddwarf/client"
import { SimulatedHost } from "@reddwarf/illumos-sim"
import { ZoneInstanceKind } from "@reddwarf/node-agent"
import type { ZoneInstance } from "@reddwarf/plans"
import { ZoneRuntime } from "@reddwarf/runtime-illumos"
import { DatasetName, Zfs } from "@reddwarf/storage-zfs"
import * as Effect from "effect/Effect"
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import * as h from "./support/harness.js"
import { missing, pushBusybox } from "./support/imageRegistry.js"
import { type Services, withImages } from "./support/imageNode.js"

const kind = ZoneInstanceKind.zoneInstance
const ref = { namespace: "default", name: "app" }

const withPlans = <E>(body: (folders: h.Directories, host: string) => Effect.Effect<void, E, Services>) => withImages(body, kind)

const untilInstance = (what: string, test: (instance: ZoneInstance.ZoneInstance) => boolean, seconds = 40) =>
  Effect.gen(function*() {
    let last: ZoneInstance.ZoneInstance | undefined
    return yield* h.until(
      `the ZoneInstance to be ${what}`,
      Effect.map(FakeApi.FakeApi, (api) => {
        last = api.get(kind, ref)
        return last !== undefined && test(last) ? last : undefined
      }),
      seconds
    ).pipe(Effect.mapError(({ seconds, what }) => new h.WaitedInVain({ what, seconds, last: JSON.stringify(last) })))
  })

const isDone = (type: string) => ({ status }: ZoneInstance.ZoneInstance) => status?.lastPlan?.type === type && status.plan === undefined

/** What `kubectl set image pod/app c=...` does. */
const setImage = (image: string) =>
  Effect.flatMap(ApiClient.ApiClient, (client) =>
    client.patch(Kinds.pod, ref, { spec: { containers: [{ name: "c", image }] } }, { type: "merge" }))

const policy = (updatePolicy: object) =>
  Effect.flatMap(ApiClient.ApiClient, (client) => client.patch(kind, ref, { spec: { updatePolicy } }, { type: "merge" }))

const events = Effect.map(FakeApi.FakeApi, (api) => api.list<CoreV1.Event>(Kinds.event, "default").map(({ reason = "" }) => reason))

const program = (text: string) => ({ entrypoint: ["/bin/sh", "-c", `echo ${text}; cat version; while [ ! -e /end ]; do sleep 0.2; done`], env: ["PATH=/bin"], workingDir: "/" })
const version = (text: string) => ({ texts: { version: `${text}\n` } })

describe("the image of a running pod (skipped unless run as root with REDDWARF_PEERS naming a folder with bin/docker-registry and bin/busybox)", () => {
  it.live.skipIf(missing)("is replaced in place: the pod keeps uid, address and zone, its container starts anew from the new root", () =>
    withPlans((folders, host) =>
      Effect.gen(function*() {
        const [one, two] = [`${host}/team/app:1`, `${host}/team/app:2`]
        yield* pushBusybox(one, program("one"), version("1"))
        const digest = yield* pushBusybox(two, program("two"), version("2"))
        yield* h.createPod(h.draft("app", [{ name: "c", image: one }]))
        const before = yield* h.untilPod("app", "ready", h.isReady, 40)
        yield* h.until("the log", Effect.sync(() => h.logText(folders, before, "c", 0) === "one\n1\n" ? true : undefined))
        yield* untilInstance("brought up", isDone("init"))
        yield* policy({ soakSeconds: 1 })
        yield* setImage(two)
        const shown = yield* untilInstance("updated", isDone("image-update"))
        assert.strictEqual(shown.status?.lastPlan?.outcome, "Complete", JSON.stringify(shown.status?.lastPlan))
        assert.deepStrictEqual(shown.status?.current?.containers, [{ name: "c", digest: `${host}/team/app@${digest}` }])
        const after = yield* h.untilPod("app", "ready again", (pod) => h.isReady(pod) && h.container(pod, "c")?.restartCount === 1, 20)
        assert.deepStrictEqual([after.metadata.uid, after.status?.podIP], [before.metadata.uid, before.status?.podIP])
        assert.strictEqual(h.container(after, "c")?.imageID, `${host}/team/app@${digest}`)
        yield* h.until("the log", Effect.sync(() => h.logText(folders, after, "c", 1) === "two\n2\n" ? true : undefined))
        const client = yield* ApiClient.ApiClient
        yield* client.delete(Kinds.pod, ref, { gracePeriodSeconds: 1 })
        yield* h.until("the pod to be gone", Effect.map(h.getPod("app"), (pod) => pod === undefined ? true : undefined))
        assert.deepStrictEqual(yield* h.leftovers(folders), h.nothing)
      })), 150_000)

  it.live.skipIf(missing)("is taken back when its container does not stay up, and not tried again; one that cannot be pulled stops nothing", () =>
    withPlans((folders, host) =>
      Effect.gen(function*() {
        const [one, bad] = [`${host}/team/app:1`, `${host}/team/app:bad`]
        const digest = yield* pushBusybox(one, program("one"), version("1"))
        yield* pushBusybox(bad, { entrypoint: ["/bin/sh", "-c", "exit 1"], env: ["PATH=/bin"] }, version("bad"))
        yield* h.createPod(h.draft("app", [{ name: "c", image: one }]))
        const before = yield* h.untilPod("app", "ready", h.isReady, 40)
        yield* untilInstance("brought up", isDone("init"))
        yield* policy({ soakSeconds: 5 })

        yield* setImage(`${host}/team/none:1`)
        yield* h.until("the pull to fail", Effect.map(events, (all) => all.includes("Failed") ? true : undefined))
        assert.isTrue(h.isReady(yield* h.untilPod("app", "as it was", () => true)))
        assert.strictEqual(h.container(yield* h.untilPod("app", "as it was", () => true), "c")?.restartCount, 0)

        yield* setImage(bad)
        const shown = yield* untilInstance("rolled back", isDone("rollback"), 60)
        assert.deepStrictEqual(shown.status?.planHistory?.slice(0, 2).map(({ outcome, type }) => [type, outcome]), [["rollback", "Complete"], ["image-update", "Failed"]])
        assert.isTrue(shown.status?.conditions?.some(({ status, type }) => type === "ImageUpdateRolledBack" && status === "True"))
        const after = yield* h.untilPod("app", "ready again", (pod) => h.isReady(pod) && h.container(pod, "c")?.imageID === `${host}/team/app@${digest}`, 30)
        assert.strictEqual(after.status?.podIP, before.status?.podIP)
        yield* h.until("its output", Effect.sync(() => {
          const attempt = h.container(after, "c")?.restartCount ?? 0
          return h.logText(folders, after, "c", attempt) === "one\n1\n" ? true : undefined
        }))
        assert.include(yield* events, "ImageRolledBack")
      })), 180_000)

  it.live.skipIf(missing)("is replaced, and taken back, for a container with a root of its own as well; no root is left that nobody uses", () =>
    withPlans((folders, host) =>
      Effect.gen(function*() {
        const [one, two, bad] = [`${host}/team/app:1`, `${host}/team/app:2`, `${host}/team/app:bad`]
        yield* pushBusybox(one, program("one"), version("1"))
        const digest = yield* pushBusybox(two, program("two"), version("2"))
        yield* pushBusybox(bad, { entrypoint: ["/bin/sh", "-c", "exit 1"], env: ["PATH=/bin"] }, version("bad"))
        yield* h.createPod(h.draft("app", [{ name: "main", image: one }, { name: "c", image: one }]))
        yield* h.untilPod("app", "ready", h.isReady, 40)
        yield* untilInstance("brought up", isDone("init"))
        yield* policy({ soakSeconds: 3 })
        const client = yield* ApiClient.ApiClient
        const setOf = (image: string) => client.patch(Kinds.pod, ref, { spec: { containers: [{ name: "main", image: one }, { name: "c", image }] } }, { type: "merge" })
        const zfsRoots = Effect.gen(function*() {
          const zfs = yield* Zfs.Zfs
          const table = yield* zfs.getTree(DatasetName.make("rpool/reddwarf/zones"), "all", 2)
          return [...table].filter(([name]) => name.includes("/root-")).map(([, found]) => ({
            mountpoint: found.get("mountpoint")?.value ?? "",
            container: found.get("reddwarf:container")?.value
          }))
        }).pipe(Effect.provide(Zfs.layer))
        const roots = Effect.map(zfsRoots, (all) => all.length)
        const output = (text: string) =>
          h.until(`output ${JSON.stringify(text)}`, Effect.map(h.getPod("app"), (pod) =>
            pod !== undefined && h.isReady(pod) && h.logText(folders, pod, "c", h.container(pod, "c")?.restartCount ?? 0) === text ? true : undefined))

        yield* setOf(bad)
        yield* untilInstance("rolled back", isDone("rollback"), 60)
        yield* output("one\n1\n")
        assert.strictEqual(yield* roots, 2)
        // Also when the zone begins again by itself, although the pod names another image.
        const runtime = yield* ZoneRuntime.ZoneRuntime
        const [zone] = yield* runtime.list
        if (zone !== undefined) yield* runtime.halt(zone.name)
        yield* untilInstance("restarted", isDone("restart"), 40)
        yield* output("one\n1\n")

        yield* setOf(two)
        const shown = yield* untilInstance("updated", isDone("image-update"), 60)
        assert.strictEqual(shown.status?.lastPlan?.outcome, "Complete", JSON.stringify(shown.status?.lastPlan))
        assert.strictEqual(shown.status?.current?.containers?.find(({ name }) => name === "c")?.digest, `${host}/team/app@${digest}`)
        yield* output("two\n2\n")
        assert.strictEqual(yield* roots, 2)
        // The new root has the files of the node, and is fresh when its container is started again.
        const pod = yield* h.untilPod("app", "ready", h.isReady)
        const attempt = h.container(pod, "c")?.restartCount ?? 0
        const simulated = yield* SimulatedHost.SimulatedHost
        const { mountpoint } = (yield* zfsRoots).find(({ container }) => container === "c") ?? { mountpoint: "" }
        const files = simulated.realPath(`${mountpoint}/root`)
        assert.include(readFileSync(`${files}/etc/hosts`, "utf8"), "localhost")
        writeFileSync(`${files}/end`, "")
        yield* h.untilPod("app", "started again", (pod) => h.isReady(pod) && (h.container(pod, "c")?.restartCount ?? 0) > attempt)
        assert.isFalse(existsSync(`${files}/end`))
      })), 180_000)
})
