import { assert, describe, it } from "@effect/vitest"
import type { CoreV1 } from "@reddwarf/api-types"
import { ApiClient, FakeApi } from "@reddwarf/client"
import { Kinds } from "@reddwarf/api-types"
import { SimulatedHost } from "@reddwarf/illumos-sim"
import { ZoneRuntime } from "@reddwarf/runtime-illumos"
import * as Effect from "effect/Effect"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import * as h from "./support/harness.js"
import { missing, pushBusybox } from "./support/imageRegistry.js"
import { withImages } from "./support/imageNode.js"

const forever = "while :; do sleep 0.1; done"

/** What a container says of its root, and what it then does to it. */
const look = `${[
  "[ -e /own ] && echo stale || echo fresh",
  "cat /given",
  "[ -s /dev/termination-log ] && echo words || echo no words",
  "ls /data /cache 2>/dev/null | grep -c first",
  "grep -c p /etc/hostname"
].join("; ")}; echo x >/own; rm /given; echo changed >/etc/hostname; echo last >/dev/termination-log; touch /data/first /cache/first; `

const untilLog = (folders: h.Directories, pod: CoreV1.Pod, container: string, attempt: number, wanted: string) =>
  h.until(`the log of attempt ${attempt} of ${container}`, Effect.sync(() => h.logText(folders, pod, container, attempt) === wanted ? true : undefined)).pipe(
    Effect.catchAll(() => Effect.sync(() => assert.strictEqual(h.logText(folders, pod, container, attempt), wanted)))
  )

const first = "fresh\nby the image\nno words\n0\n1\n"
const further = "fresh\nby the image\nno words\n2\n1\n"

describe("the root of a container with an image, started again (skipped unless run as root with REDDWARF_PEERS naming a folder with bin/docker-registry and bin/busybox)", () => {
  it.live.skipIf(missing)("is that of the image, whether the container or its zone began anew; volumes stay", () =>
    withImages((folders, host) =>
      Effect.gen(function*() {
        const image = `${host}/team/app:1`
        yield* pushBusybox(image, { entrypoint: ["/bin/sh", "-c"], env: ["PATH=/bin"], workingDir: "/" }, { texts: { given: "by the image\n" } })
        const mounts = [{ name: "data", mountPath: "/data" }, { name: "memory", mountPath: "/cache" }]
        const dnsConfig = { nameservers: ["10.0.0.53"], searches: Array.from({ length: 20 }, (_, index) => `n${index}.example`), options: [{ name: "ndots", value: "3" }, { name: "rotate" }] }
        yield* h.createPod(h.draft("p", [
          { name: "a", image, args: [`${look}[ -e /data/again ] || { touch /data/again; exit 1; }; ${forever}`], volumeMounts: mounts },
          { name: "b", image, args: [`cat /etc/resolv.conf; ${forever}`] }
        ], {
          initContainers: [{ name: "i", image, args: ["[ -e /own ] && echo stale || echo fresh; echo x >/own; [ -e /data/init ] || { touch /data/init; exit 1; }"], volumeMounts: [{ name: "own", mountPath: "/data" }] }],
          volumes: [{ name: "data", emptyDir: {} }, { name: "own", emptyDir: {} }, { name: "memory", emptyDir: { medium: "Memory" } }],
          dnsPolicy: "None",
          dnsConfig
        }))
        const pod = yield* h.untilPod("p", "ready", (pod) => h.isReady(pod) && h.container(pod, "a")?.restartCount === 1, 40)
        assert.strictEqual(h.container(pod, "a")?.lastState?.terminated?.message, "last\n")
        yield* untilLog(folders, pod, "a", 0, first)
        yield* untilLog(folders, pod, "a", 1, further)
        yield* untilLog(folders, pod, "i", 0, "fresh\n")
        yield* untilLog(folders, pod, "i", 1, "fresh\n")
        // All of it, although the brand of a Linux zone knows one domain, and writes that into the root of the zone at each boot.
        const simulated = yield* SimulatedHost.SimulatedHost
        const zonepath = (yield* simulated.state).zones[0]?.configuration.properties["zonepath"] ?? ""
        assert.strictEqual(readFileSync(join(simulated.realPath(zonepath), "root/etc/resolv.conf"), "utf8"), "nameserver 10.0.0.53\ndomain n0.example\n")
        yield* untilLog(folders, pod, "b", 0, `nameserver 10.0.0.53\nsearch ${dnsConfig.searches.join(" ")}\noptions ndots:3 rotate\n`)

        // The zone goes down by itself and comes up again.
        const zones = yield* ZoneRuntime.ZoneRuntime
        const [zone] = yield* zones.list
        if (zone !== undefined) yield* zones.halt(zone.name)
        const again = yield* h.untilPod("p", "up again", (pod) => h.isReady(pod) && (h.container(pod, "a")?.restartCount ?? 0) > 1, 60)
        const attempt = h.container(again, "a")?.restartCount ?? 0
        yield* untilLog(folders, again, "a", attempt, "fresh\nby the image\nno words\n1\n1\n")

        yield* Effect.flatMap(ApiClient.ApiClient, (client) => client.delete(Kinds.pod, { namespace: "default", name: "p" }, { gracePeriodSeconds: 1 }))
        yield* h.until("the pod to go", Effect.map(FakeApi.FakeApi, (api) => api.get(Kinds.pod, { namespace: "default", name: "p" }) === undefined ? true : undefined))
        assert.deepStrictEqual(yield* h.leftovers(folders), h.nothing)
      })), 120_000)
})
