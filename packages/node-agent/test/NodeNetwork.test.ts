import { assert, describe, it } from "@effect/vitest"
import { SimulatedHost } from "@reddwarf/illumos-sim"
import { NodeNetwork } from "@reddwarf/node-agent"
import { CommandLine, CommandRunner, LinkName, NetworkRuntime, Route } from "@reddwarf/runtime-illumos"
import { Effect, Layer } from "effect"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

const facts: NodeNetwork.Facts = {
  stub: LinkName.make("rdstub0"),
  gatewayLink: LinkName.make("rdgw0"),
  pools: [{ cidr: "10.88.1.0/24", gateway: "10.88.1.1" }],
  outside: []
}

const directory = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "reddwarf-network-"))),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true, force: true }))
)

describe("NodeNetwork", () => {
  it("keeps the router of pods whose range is not configured any more", () => {
    const leased = (outside: boolean) => ({ address: "10.77.0.5", family: 4 as const, prefixLength: 16, gateway: "10.77.0.1", outside })
    const rangesWith = (outside: boolean) => NodeNetwork.of({ ...facts, outside: [{ addresses: [leased(outside)] }] }, {}, undefined).ranges
    assert.deepStrictEqual(rangesWith(true), [{ cidr: "10.88.1.0/24", gateway: "10.88.1.1" }, { cidr: "10.77.0.1/16", gateway: "10.77.0.1" }])
    assert.deepStrictEqual(rangesWith(false), [{ cidr: "10.88.1.0/24", gateway: "10.88.1.1" }])
  })

  it.scopedLive("sets up a host: way out by the default route, other nodes by theirs", () =>
    Effect.gen(function*() {
      const folder = yield* directory
      yield* Effect.gen(function*() {
        const runner = yield* CommandRunner.CommandRunner
        const network = yield* NetworkRuntime.NetworkRuntime
        const run = (program: string, ...args: ReadonlyArray<string>) => runner.run(CommandLine.make(`/usr/sbin/${program}`, ...args))
        const options: NodeNetwork.NodeNetworkOptions = {
          egressLink: "auto",
          clusterCidrs: ["10.88.0.0/16"],
          mtu: 1450,
          peers: [{ name: "n2", ranges: ["10.88.2.0/24"], addresses: ["192.0.2.12"] }]
        }
        const routes = Route.make(runner)
        assert.isUndefined(yield* NodeNetwork.egressLink(options, routes))
        yield* run("ipadm", "create-addr", "-T", "static", "-a", "192.0.2.10/24", "net0/v4")
        yield* run("route", "-n", "add", "default", "192.0.2.1")
        const egress = yield* NodeNetwork.egressLink(options, routes)
        assert.strictEqual(egress, LinkName.make("net0"))
        const wanted = NodeNetwork.of(facts, options, egress)
        yield* network.reconcile(wanted)
        assert.deepStrictEqual((yield* network.reconcile(wanted)).taken, [])
        assert.deepStrictEqual((yield* routes.list("inet")).flatMap((route) => route.flags.includes("G") ? [`${route.destination} ${route.gateway}`] : []), [
          "default 192.0.2.1",
          "10.88.2.0/24 192.0.2.12"
        ])
        assert.include((yield* run("ipnat", "-lR")).stdout, "map net0 from 10.88.1.0/24 ! to 10.88.0.0/16 -> 0.0.0.0/32 portmap tcp/udp 20000:39999\n")
        assert.strictEqual((yield* run("dladm", "show-link", "-p", "-o", "mtu", "rdgw0")).stdout, "1450\n")
        // The way out is given up: nothing is translated any more.
        yield* network.reconcile(NodeNetwork.of(facts, options, undefined))
        assert.notInclude((yield* run("ipnat", "-lR")).stdout, "10.88.1.0")
      }).pipe(Effect.provide(NetworkRuntime.layer.pipe(Layer.provideMerge(SimulatedHost.layer({ directory: folder, links: ["net0"] })))))
    }))
})
