import { assert, describe, it } from "@effect/vitest"
import { HostInfo, LinkName, NetworkRuntime, ZoneName, ZoneResources, ZoneRuntime } from "@reddwarf/runtime-illumos"
import { Effect, Layer } from "effect"
import { SimulatedHost } from "../src/index.js"
import { directory } from "./support.js"

const runtime = (folder: string, dialect: "gate" | "omnios") =>
  Layer.mergeAll(ZoneRuntime.layer, NetworkRuntime.layer).pipe(
    Layer.provideMerge(SimulatedHost.layerWithControls({ directory: folder, dialect, memoryMiB: 2048, shutdownGrace: "0 millis" }))
  )

describe("the zone runtime on a simulated host", () => {
  for (const dialect of ["gate", "omnios"] as const) {
    it.scopedLive(`${dialect}: from nothing to a running zone and back`, () =>
      Effect.gen(function*() {
        const folder = yield* directory
        yield* Effect.gen(function*() {
          const zones = yield* ZoneRuntime.ZoneRuntime
          const network = yield* NetworkRuntime.NetworkRuntime
          const identity = { namespace: "default", name: "web-1", uid: "7d4f0a51-0000-4000-8000-000000000001" }
          const name = ZoneName.zoneNameOf(identity)
          const link = LinkName.linkNameOf(identity)
          const stub = LinkName.LinkName.make("k8sstub0")
          yield* network.ensureEtherstub(stub)
          yield* network.ensureGateway({ stub, link: LinkName.LinkName.make("k8sgw0"), address: "127.88.0.1/16" })
          yield* network.ensureVnic({ name: link, over: stub, maxbw: 10_000_000 })
          const spec: ZoneRuntime.ZoneSpec = {
            zoneName: name,
            zonepath: `/zones/${name}`,
            brand: "sparse",
            attributes: [{ name: "reddwarf-uid", value: identity.uid }],
            network: [{ link, address: "127.88.0.7/16", defaultRouter: "127.88.0.1" }],
            fileSystems: [{ dir: "/data", special: folder, type: "lofs", options: ["ro"] }],
            resources: ZoneResources.fromDemand({ serviceClass: "Burstable", cpuRequestMillis: 250, cpuLimitMillis: 500, memoryLimitBytes: 512 * 1024 ** 2 })
          }
          yield* zones.ensureRunning(spec)
          yield* zones.ensureRunning(spec)
          assert.deepInclude((yield* zones.list).find((zone) => zone.name === name), { state: "running", brand: "sparse" })
          assert.deepInclude(yield* HostInfo.read, { memoryBytes: 2048 * 1024 ** 2 })
          assert.deepInclude(yield* zones.attributes(name), { "reddwarf-uid": identity.uid })
          const done = yield* zones.exec(name, ["sh", "-c", "echo \"it's $1\"; exit 3", "sh", "a b"], { timeout: "10 seconds" })
          assert.deepInclude(done, { stdout: "it's a b\n", exitCode: 3 })
          yield* zones.ensureRemoved(name)
          yield* network.deleteVnic(link)
          assert.deepStrictEqual((yield* network.listVnics("")).map((vnic) => vnic.name), ["k8sgw0"])
          assert.isUndefined((yield* zones.list).find((zone) => zone.name === name))
        }).pipe(Effect.provide(runtime(folder, dialect)))
      }), 30_000)
  }
})
