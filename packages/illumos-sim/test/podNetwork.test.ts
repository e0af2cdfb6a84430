import { assert, describe, it } from "@effect/vitest"
import { type CommandLine, CommandRunner, LinkName, NetworkRuntime, type PodNetwork, PodNetworkPlan } from "@reddwarf/runtime-illumos"
import { Effect, Exit, FastCheck as fc, Layer } from "effect"
import type { HostState } from "../src/index.js"
import { type Host, host } from "./support.js"

const link = LinkName.make
const pod = link("rd_web_aaaaaaaaaaaaa_0")
const other = link("rd_db_bbbbbbbbbbbbb_0")

const base: PodNetwork.PodNetwork = {
  segment: { type: "etherstub", stub: link("rdstub0"), gateway: link("rdgw0") },
  ranges: [{ cidr: "10.88.1.0/24", gateway: "10.88.1.1" }, { cidr: "fd00:88:1::/64", gateway: "fd00:88:1::1" }],
  clusterRanges: ["10.88.0.0/16", "fd00:88::/32"],
  mtu: 1400,
  egress: { link: link("net0") },
  interconnect: { type: "host-gateway" },
  peers: [
    { name: "n2", ranges: ["10.88.2.0/24"], addresses: ["192.0.2.12"] },
    { name: "n3", ranges: ["10.88.3.0/24"], addresses: ["192.0.2.13"] }
  ],
  pods: [{ name: pod, addresses: ["10.88.1.7"], mac: "02:08:20:00:00:07", maxbw: 25 }, { name: other, addresses: ["10.88.1.8"] }]
}

const overlaid: PodNetwork.PodNetwork = {
  ...base,
  interconnect: {
    type: "vxlan", overlay: link("rdvx0"), port: link("rdvtep0"), vnetid: 77, listenAddress: "192.0.2.10", address: "100.64.0.1/24",
    directory: "/var/run/reddwarf"
  },
  peers: [
    { name: "n2", ranges: ["10.88.2.0/24"], addresses: ["192.0.2.12"], overlayAddress: "100.64.0.2" },
    { name: "n3", ranges: ["10.88.3.0/24"], addresses: ["192.0.2.13"], overlayAddress: "100.64.0.3" }
  ]
}

/** Things of somebody else, which must be there afterwards as they were. */
const foreign = [
  "ipadm create-addr -T static -a 192.0.2.10/24 net0/v4",
  "dladm create-etherstub stub7",
  "dladm create-vnic -t -l net0 -m 2:8:20:9:9:9 other0",
  "dladm create-vnic -t -l stub7 -m 2:8:20:9:9:8 rdforeign0",
  "ipadm create-addr -t -T static -a 10.7.0.1/24 other0/mine",
  "route -n add default 192.0.2.1",
  "route -n add -net 172.16.0.0/12 192.0.2.1"
]
const foreignRules = ["map net0 172.16.5.0/24 -> 0/32", "rdr net0 192.0.2.10/32 port 80 -> 172.16.5.9 port 80 tcp", "bimap net0 10.9.0.1/32 -> 192.0.2.99/32"]

const runnerOf = (node: Host): CommandRunner.CommandRunner["Type"] =>
  CommandRunner.CommandRunner.of({ run: node.run, start: node.start, tempFile: node.tempFile })

const networkOn = (runner: CommandRunner.CommandRunner["Type"]) =>
  Effect.map(
    Layer.build(Layer.provide(NetworkRuntime.layer, Layer.succeed(CommandRunner.CommandRunner, runner))),
    (context) => Effect.runSync(Effect.provide(NetworkRuntime.NetworkRuntime, context))
  )

const stdin = (node: Host, program: string, args: ReadonlyArray<string>, text: string) => node.run({ program: `/usr/sbin/${program}`, args, stdin: text })

const prepared = Effect.gen(function*() {
  const node = yield* host({ links: ["net0"] })
  for (const command of foreign) yield* node.expectOk(command)
  yield* stdin(node, "ipnat", ["-f", "-"], `${foreignRules.join("\n")}\n`)
  return node
})

const ourNames = new Set<string>(["rdstub0", "rdgw0", "rdvx0", "rdvtep0", pod, other])

/** The parts of a host that the two sides of the test look at. MAC addresses that the host chose itself differ each time. */
const split = ({ interfaces, links, network, protocolProperties }: HostState.HostState) => {
  const ours = (name: string) => ourNames.has(name)
  const inCluster = (text: string) => /10\.88\.|fd00:88/.test(text)
  const shown = links.map(({ mac, macType, ...rest }) => ({ ...rest, mac: macType === "fixed" ? mac : "" }))
  const routes = (network?.routes ?? []).map((route) => `${route.destination} ${route.gateway}`).sort()
  const byName = <A extends { readonly name: string }>(list: ReadonlyArray<A>) => [...list].sort((a, b) => (a.name < b.name ? -1 : 1))
  return {
    ours: {
      links: byName(shown.filter((entry) => ours(entry.name))),
      interfaces: byName(interfaces.filter((entry) => ours(entry.name)).map((entry) => ({
        name: entry.name,
        addresses: byName(entry.addresses.filter((object) => !object.name.endsWith("/mine")))
      }))),
      routes: routes.filter(inCluster),
      rules: (network?.nat ?? []).filter(inCluster),
      forwarding: [protocolProperties, network?.temporaryProperties].map((entry) => JSON.stringify(entry)).join(" ").includes("on")
    },
    foreign: {
      links: byName(shown.filter((entry) => !ours(entry.name))),
      interfaces: byName(interfaces.filter((entry) => !ours(entry.name))),
      routes: routes.filter((text) => !inCluster(text)),
      rules: (network?.nat ?? []).filter((text) => !inCluster(text)),
      flows: network?.flows ?? []
    }
  }
}

/** What may have happened to the host. Those that are not possible at the moment change nothing. */
const drifts = [
  "ipadm delete-if rdgw0",
  "ipadm delete-addr rdgw0/v4",
  "ipadm create-addr -t -T static -a 10.88.1.99/24 rdgw0/v4",
  "ipadm create-addr -t -T static -a 10.99.0.1/24 rdgw0/mine",
  "ipadm set-prop -t -p forwarding=off ipv4",
  "ipadm set-prop -p forwarding=off ipv6",
  "dladm delete-vnic rdgw0",
  "dladm create-vnic -t -l net0 rdgw0",
  "dladm create-vnic -t -l rdstub0 -p mtu=1300 rdgw0",
  "dladm delete-etherstub rdstub0",
  "dladm create-etherstub -t rdstub0",
  `dladm delete-vnic ${pod}`,
  `dladm create-vnic -t -l net0 ${pod}`,
  `dladm create-vnic -t -l rdstub0 -m 2:8:20:0:0:1 ${pod}`,
  `dladm set-linkprop -t -p maxbw=5 ${pod}`,
  `dladm set-linkprop -t -p maxbw=5 ${other}`,
  `dladm reset-linkprop -t -p maxbw ${pod}`,
  `dladm set-linkprop -t -p protection=mac-nospoof ${pod}`,
  `dladm set-linkprop -t -p allowed-ips=10.88.1.200 ${other}`,
  `dladm set-linkprop -t -p mtu=1500 ${other}`,
  `ipadm create-if -t ${other}`,
  "route -n delete -net 10.88.2.0/24 192.0.2.12",
  "route -n add -net 10.88.2.0/24 192.0.2.200",
  "route -n add -net 10.88.9.0/24 192.0.2.19",
  "route -n delete -net 10.88.3.0/24 100.64.0.3",
  "dladm delete-vnic rdvtep0",
  "ipadm delete-if rdvtep0",
  "dladm delete-overlay rdvx0",
  "ipnat -C"
] as const
const ruleDrifts = [
  "map net0 from 10.88.1.0/24 ! to 10.88.0.0/16 -> 0/32",
  "map net0 10.88.1.0/24 -> 0/32",
  "map net0 from 10.88.1.0/24 ! to 10.88.0.0/16 -> 0/32 portmap tcp/udp 20000:39999",
  "map other0 10.88.7.0/24 -> 0/32 portmap tcp/udp auto"
] as const

type Drift = { readonly command: string } | { readonly rule: string; readonly flag: "-f" | "-rf" }

const drift: fc.Arbitrary<Drift> = fc.oneof(
  fc.constantFrom(...drifts).map((command) => ({ command })),
  fc.record({ rule: fc.constantFrom(...ruleDrifts), flag: fc.constantFrom("-f" as const, "-rf" as const) })
)

const apply = (node: Host, change: Drift) =>
  "command" in change ? node.sh(change.command) : stdin(node, "ipnat", [change.flag, "-"], `${change.rule}\n`)

const reads = /^(show-|-l|-rnv|-H|-n$|get)/
const changes = (line: CommandLine.CommandLine): boolean => !reads.test(line.args[0] ?? "") && !line.program.endsWith("/cat")

class Crash {
  readonly _tag = "Crash"
}

/** Dies at the nth change: before it is made, or after it was. */
const crashing = (runner: CommandRunner.CommandRunner["Type"], nth: number, after: boolean): CommandRunner.CommandRunner["Type"] => {
  let left = nth
  return {
    ...runner,
    run: (line) =>
      Effect.suspend(() => {
        if (!changes(line) || --left !== 0) return runner.run(line)
        const crash = Effect.die(new Crash())
        return after ? Effect.zipRight(runner.run(line), crash) : crash
      })
  }
}

const wanted = (network: PodNetwork.PodNetwork) =>
  Effect.scoped(Effect.gen(function*() {
    const node = yield* prepared
    const runtime = yield* networkOn(runnerOf(node))
    yield* runtime.reconcile(network)
    return split(yield* node.state)
  }))

describe("the pod network on a simulated host", () => {
  it.scoped("is made from nothing, and the second time nothing is done", () =>
    Effect.gen(function*() {
      const node = yield* prepared
      const before = split(yield* node.state).foreign
      const runtime = yield* networkOn(runnerOf(node))
      const dry = yield* runtime.plan(base)
      assert.deepStrictEqual(split(yield* node.state).foreign, before)
      const { deferred, taken } = yield* runtime.reconcile(base)
      assert.deepStrictEqual(taken, dry.steps)
      assert.deepStrictEqual(deferred, [])
      assert.deepStrictEqual(taken.map(PodNetworkPlan.describe), [
        "create-etherstub rdstub0: there is no such link",
        "create-vnic rdgw0 over rdstub0: there is no such link",
        "create-address rdgw0/v4 10.88.1.1/24: there is no such address",
        "create-link-local-address rdgw0/ll: IPv6 needs it before any other address",
        "create-address rdgw0/v6 fd00:88:1::1/64: there is no such address",
        "enable-forwarding ipv4: packets of pods would not leave the node",
        "enable-forwarding ipv6: packets of pods would not leave the node",
        "add-route 10.88.2.0/24 via 192.0.2.12: there is no such route",
        "add-route 10.88.3.0/24 via 192.0.2.13: there is no such route",
        "enable-filter-service ipfilter: the service is disabled, so nothing would be translated",
        "replace-nat-rules +map net0 from 10.88.1.0/24 ! to 10.88.0.0/16 -> 0.0.0.0/32 portmap tcp/udp 20000:39999, +map net0 from 10.88.1.0/24 ! to 10.88.0.0/16 -> 0.0.0.0/32: packets of pods would leave with an address nobody answers",
        `create-vnic ${pod} over rdstub0: there is no such link`,
        `create-vnic ${other} over rdstub0: there is no such link`
      ])
      const made = yield* node.state
      assert.deepStrictEqual(split(made).foreign, before)
      assert.deepStrictEqual((yield* runtime.reconcile(base)).taken, [])
      assert.deepStrictEqual(yield* node.state, made)
    }))

  it.scoped("keeps the ways to other nodes as long as it is not known which there are", () =>
    Effect.gen(function*() {
      const node = yield* prepared
      const runtime = yield* networkOn(runnerOf(node))
      yield* runtime.reconcile(base)
      assert.deepStrictEqual((yield* runtime.reconcile({ ...base, peers: [], keepRoutes: true })).taken, [])
      assert.deepStrictEqual((yield* runtime.reconcile({ ...base, peers: [] })).taken.map(({ action }) => action.type), ["delete-route", "delete-route"])
    }))

  it.scoped("leaves links to be made by whoever starts their pods, and keeps those that are there right", () =>
    Effect.gen(function*() {
      const node = yield* prepared
      const runtime = yield* networkOn(runnerOf(node))
      const left: PodNetwork.PodNetwork = { ...base, pods: (base.pods ?? []).map((one) => ({ ...one, whenMissing: "leave" })) }
      yield* runtime.reconcile(left)
      assert.isUndefined((yield* node.state).links.find(({ name }) => name === pod || name === other))
      yield* runtime.ensureVnic({ name: other, over: link("rdstub0"), maxbw: 5, mtu: 1400 })
      assert.deepStrictEqual((yield* runtime.reconcile(left)).taken.map(PodNetworkPlan.describe), [`reset-link-property maxbw of ${other}: it is 5, the pod has no limit`])
    }))

  it.scoped("does not mind a link that goes with its pod at that moment", () =>
    Effect.gen(function*() {
      const node = yield* prepared
      const inner = runnerOf(node)
      const quiet = yield* networkOn(inner)
      yield* quiet.reconcile({ ...base, pods: [] })
      yield* quiet.ensureVnic({ name: other, over: link("rdstub0"), maxbw: 5, mtu: 1400 })
      const runner = CommandRunner.CommandRunner.of({
        ...inner,
        run: (line) => line.args.includes("reset-linkprop") ? Effect.zipRight(Effect.orDie(quiet.deleteVnic(other)), inner.run(line)) : inner.run(line)
      })
      const runtime = yield* networkOn(runner)
      yield* runtime.reconcile({ ...base, pods: [{ name: other, addresses: ["10.88.1.8"], whenMissing: "leave" }] })
      assert.isUndefined((yield* node.state).links.find(({ name }) => name === other))
    }))

  for (const [name, network] of [["routes", base], ["an overlay", overlaid]] as const) {
    it.effect.prop(`with ${name}: whatever happened to the host, one reconciliation repairs it`, [fc.array(drift, { maxLength: 8 })], ([events]) =>
      Effect.scoped(Effect.gen(function*() {
        const goal = yield* wanted(network)
        const node = yield* prepared
        const runtime = yield* networkOn(runnerOf(node))
        if (events.length % 2 === 0) yield* runtime.reconcile(network)
        for (const event of events) yield* apply(node, event)
        const before = split(yield* node.state).foreign
        yield* runtime.reconcile(network)
        const after = split(yield* node.state)
        assert.deepStrictEqual(after.ours, goal.ours)
        assert.deepStrictEqual(after.foreign, before)
        assert.deepStrictEqual((yield* runtime.reconcile(network)).taken, [])
      })), { fastCheck: { numRuns: 25 } })
  }

  for (const after of [false, true]) {
    it.scoped(`a crash ${after ? "behind" : "before"} any change is made good by the next reconciliation`, () =>
      Effect.gen(function*() {
        // From one network to another: things are made, changed and removed.
        const next: PodNetwork.PodNetwork = {
          ...overlaid,
          segment: { type: "etherstub", stub: link("rdstub0"), gateway: link("rdgw0"), gatewayMac: "02:08:20:00:00:01" },
          mtu: 1350,
          former: { ranges: ["10.77.0.0/16"] },
          removeStrayPodLinks: true,
          pods: [{ name: pod, addresses: ["10.88.1.7"], mac: "02:08:20:00:00:07", maxbw: 5 }]
        }
        const goal = yield* wanted(next)
        for (let nth = 1;; nth++) {
          const done = yield* Effect.scoped(Effect.gen(function*() {
            const node = yield* prepared
            const runner = runnerOf(node)
            const runtime = yield* networkOn(runner)
            yield* runtime.reconcile(base)
            yield* stdin(node, "ipnat", ["-f", "-"], "map net0 10.77.1.0/24 -> 0/32\n")
            const foreignBefore = split(yield* node.state).foreign
            const crashed = yield* Effect.exit(Effect.flatMap(networkOn(crashing(runner, nth, after)), (broken) => broken.reconcile(next)))
            yield* runtime.reconcile(next)
            const state = split(yield* node.state)
            assert.deepStrictEqual(state.ours, goal.ours, `after a crash at change ${nth}`)
            assert.deepStrictEqual(state.foreign, { ...foreignBefore, rules: foreignBefore.rules.filter((rule) => !rule.includes("10.77.")) })
            assert.deepStrictEqual((yield* runtime.reconcile(next)).taken, [])
            return Exit.isSuccess(crashed)
          }))
          if (done) {
            assert.isAbove(nth, 10)
            break
          }
        }
      }))
  }
})
