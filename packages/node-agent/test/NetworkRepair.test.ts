import { assert, describe, it } from "@effect/vitest"
import { type CoreV1, Kinds } from "@reddwarf/api-types"
import { ApiClient, FakeApi } from "@reddwarf/client"
import { SimulatedHost } from "@reddwarf/illumos-sim"
import { Ipam } from "@reddwarf/ipam"
import { NetworkRepair, type NodeAgent, NodeAgentOptions, NodePeers, PodSandbox, ZoneInstanceKind } from "@reddwarf/node-agent"
import { CommandLine, CommandRunner, Dladm, LinkName, NetworkRuntime, type PodNetwork, Route } from "@reddwarf/runtime-illumos"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import { readFileSync, statSync } from "node:fs"
import { join } from "node:path"
import * as h from "./support/harness.js"

const withHost = <E>(body: (folders: h.Directories) => Effect.Effect<void, E, h.World | Scope.Scope>, ...cidrs: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    const folders = yield* h.directories
    yield* Effect.zipRight(h.emptyAtEnd, body(folders)).pipe(Effect.scoped, Effect.provide(h.hostLayer(folders, ...cidrs)))
  }).pipe(Effect.provide(FakeApi.layer({ kinds: [...Kinds.all, ZoneInstanceKind.zoneInstance] })), Effect.scoped)

const withNode = (changes: Partial<NodeAgent.Options>, cidrs: ReadonlyArray<string>) => <E>(body: (folders: h.Directories) => Effect.Effect<void, E, h.World | Scope.Scope>) =>
  withHost((folders) =>
    Effect.gen(function*() {
      yield* h.supervisorFiber(folders)
      yield* h.agent(folders, changes)
      yield* body(folders)
    }), ...cidrs).pipe(Logger.withMinimumLogLevel(LogLevel.Error))

const forever = h.sh("while :; do sleep 1; done")

const run = (program: string, ...args: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    const runner = yield* CommandRunner.CommandRunner
    const result = yield* runner.run(CommandLine.make(`/usr/sbin/${program}`, ...args))
    assert.strictEqual(result.exitCode, 0, result.stderr)
  })

const inZone = (pod: CoreV1.Pod, path: string) =>
  Effect.gen(function*() {
    const host = yield* SimulatedHost.SimulatedHost
    const { zone } = PodSandbox.namesOf(PodSandbox.identityOf(pod))
    const zonepath = (yield* host.state).zones.find(({ name }) => name === zone)?.configuration.properties["zonepath"] ?? ""
    return join(host.realPath(zonepath), "root", path)
  })

const propertiesOf = (pod: CoreV1.Pod, ...names: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    const { link } = PodSandbox.namesOf(PodSandbox.identityOf(pod))
    const entries = yield* Dladm.make(yield* CommandRunner.CommandRunner).properties(names, link)
    return names.map((name) => entries.find(({ property }) => property === name)?.value ?? "")
  })

const annotate = (name: string, rate: string | null) =>
  Effect.flatMap(ApiClient.ApiClient, (client) =>
    client.patch(Kinds.pod, { namespace: "default", name }, { metadata: { annotations: { "kubernetes.io/egress-bandwidth": rate } } }, { type: "merge" }))

const nodeObject = (name: string, range: string, address: string): ApiClient.Draft<CoreV1.Node> => ({
  metadata: { name },
  spec: { podCIDR: range, podCIDRs: [range] },
  status: { addresses: [{ type: "InternalIP", address }] }
})

/** Routes through gateways to networks of pods. */
const podRoutes = Effect.gen(function*() {
  const list = yield* Route.make(yield* CommandRunner.CommandRunner).list("inet")
  return list.flatMap(({ destination, flags, gateway }) => flags.includes("G") && destination.startsWith("10.88.") ? [`${destination} ${gateway}`] : []).sort().join()
})

describe("the network of pods", () => {
  it.live("gives a pod its names, its name servers and an address of each family", () =>
    withNode({ clusterDns: { servers: ["10.96.0.10"], domain: "c.test" } }, ["10.88.0.0/24", "fd00:88::/64"])((folders) =>
      Effect.gen(function*() {
        yield* h.createPod(h.draft("db", [{
          name: "c",
          command: h.sh("echo $IPS; while :; do sleep 1; done"),
          env: [{ name: "IPS", valueFrom: { fieldRef: { fieldPath: "status.podIPs" } } }]
        }], {
          hostname: "db-0",
          subdomain: "db",
          hostAliases: [{ ip: "192.0.2.9", hostnames: ["backup"] }],
          dnsConfig: { nameservers: ["192.0.2.1", "192.0.2.2", "192.0.2.3"] }
        }))
        const pod = yield* h.untilPod("db", "ready", h.isReady)
        const addresses = pod.status?.podIPs?.map(({ ip }) => ip) ?? []
        assert.match(addresses.join(" "), /^10\.88\.0\.\d+ fd00:88::[0-9a-f]+$/)
        assert.strictEqual(pod.status?.podIP, addresses[0])
        yield* h.until("the log", Effect.sync(() => h.logText(folders, pod, "c", 0) === `${addresses.join(",")}\n` ? true : undefined))

        const text = (path: string) => Effect.map(inZone(pod, path), (file) => readFileSync(file, "utf8"))
        assert.deepStrictEqual((yield* text("etc/hosts")).split("\n").slice(7), [
          `${addresses[0]}\tdb-0.db.default.svc.c.test\tdb-0`,
          `${addresses[1]}\tdb-0.db.default.svc.c.test\tdb-0`,
          "",
          "# Entries added by HostAliases.",
          "192.0.2.9\tbackup",
          ""
        ])
        assert.strictEqual(statSync(yield* inZone(pod, "etc/hosts")).mode & 0o777, 0o644)
        assert.strictEqual(
          yield* text("etc/resolv.conf"),
          "nameserver 10.96.0.10\nnameserver 192.0.2.1\nnameserver 192.0.2.2\nsearch default.svc.c.test svc.c.test c.test\noptions ndots:5\n"
        )
        assert.include(yield* text("etc/nsswitch.conf"), "hosts: files dns\n")
        assert.strictEqual(yield* text("etc/nodename"), "db-0\n")
        yield* h.until("the event", Effect.map(FakeApi.FakeApi, (api) =>
          api.list<CoreV1.Event>(Kinds.event, "default").find(({ reason }) => reason === "DNSConfigForming")))
        assert.deepStrictEqual(yield* propertiesOf(pod, "allowed-ips"), [addresses.join(",")])
        const api = yield* FakeApi.FakeApi
        const node = yield* h.until("the node", Effect.sync(() => api.get(Kinds.node, { name: h.nodeName })))
        assert.deepStrictEqual(NodePeers.rangesIn(node.spec), ["10.88.0.0/24", "fd00:88::/64"])
      })), 40_000)

  it.live("follows the bandwidth that a running pod asks for, and repairs the protection of its link", () =>
    withNode({}, [])(() =>
      Effect.gen(function*() {
        yield* h.createPod(h.draft("web", [{ name: "c", command: forever }]))
        const pod = yield* h.untilPod("web", "ready", h.isReady)
        const limit = Effect.map(propertiesOf(pod, "maxbw"), ([value]) => value)
        const untilLimit = (what: string, wanted: string) => h.until(what, Effect.map(limit, (value) => value === wanted ? true : undefined))
        const protection = propertiesOf(pod, "protection", "allowed-ips")
        const before = yield* protection
        assert.deepStrictEqual([yield* limit, before[1]], ["", pod.status?.podIP])
        yield* run("dladm", "reset-linkprop", "-t", "-p", "protection,allowed-ips", PodSandbox.namesOf(PodSandbox.identityOf(pod)).link)
        yield* annotate("web", "10M")
        yield* untilLimit("the limit", "10")
        yield* h.until("the protection", Effect.map(protection, (now) => now.join() === before.join() ? true : undefined))
        yield* annotate("web", "20M")
        yield* untilLimit("the other limit", "20")
        yield* annotate("web", null)
        yield* untilLimit("no limit", "")
        const kind = ZoneInstanceKind.zoneInstance
        const { status } = yield* h.until("the plans to be told", Effect.map(FakeApi.FakeApi, (api) => {
          const found = api.get(kind, { namespace: "default", name: "web" })
          return found?.status?.lastPlan?.type === "network-repair" && found.status.plan === undefined ? found : undefined
        }))
        // A change that comes while a plan is at work may be part of it.
        assert.deepStrictEqual([...new Set(status?.planHistory?.map(({ outcome, type }) => `${type} ${outcome}`))], ["network-repair Complete", "init Complete"])
      })), 60_000)

  it.live("reaches the pods of the nodes that the cluster has, and no others", () =>
    withHost((folders) =>
      Effect.gen(function*() {
        yield* run("ipadm", "create-addr", "-T", "static", "-a", "192.0.2.10/24", "net0/v4")
        // Left by an agent that ran before: nothing is known of its node yet.
        yield* run("route", "-n", "add", "-net", "10.88.9.0/24", "192.0.2.19")
        const client = yield* ApiClient.ApiClient
        yield* client.create(Kinds.node, nodeObject("n2", "10.88.2.0/24", "192.0.2.12"))
        yield* client.create(Kinds.node, nodeObject("n3", "10.88.0.0/16", "192.0.2.13"))
        const network = { peersFromNodes: true, clusterCidrs: ["10.88.0.0/16"] }
        yield* h.supervisorFiber(folders)
        yield* h.agent(folders, { network })
        const untilRoutes = (what: string, wanted: string) => h.until(what, Effect.map(podRoutes, (now) => now === wanted ? true : undefined))
        yield* untilRoutes("the route to n2", "10.88.2.0/24 192.0.2.12")
        yield* client.create(Kinds.node, nodeObject("n4", "10.88.4.0/24", "192.0.2.14"))
        yield* untilRoutes("the route to n4", "10.88.2.0/24 192.0.2.12,10.88.4.0/24 192.0.2.14")
        // A node that cannot be reached costs the others nothing.
        yield* client.create(Kinds.node, nodeObject("n5", "10.88.5.0/24", "203.0.113.1"))
        yield* client.delete(Kinds.node, { name: "n2" })
        yield* untilRoutes("the route to n2 to go", "10.88.4.0/24 192.0.2.14")
      })).pipe(Logger.withMinimumLogLevel(LogLevel.Error)), 40_000)

  it.live("reaches the pods of other nodes by a VXLAN, of which the nodes tell each other", () =>
    withHost((folders) =>
      Effect.gen(function*() {
        yield* run("ipadm", "create-addr", "-T", "static", "-a", "192.0.2.10/24", "net0/v4")
        const client = yield* ApiClient.ApiClient
        const interconnect: PodNetwork.Interconnect = {
          type: "vxlan",
          overlay: LinkName.make("rdovl0"),
          port: LinkName.make("rdport0"),
          vnetid: 4096,
          listenAddress: "192.0.2.10",
          address: "172.30.0.10/24",
          directory: "/var/lib/network"
        }
        yield* h.supervisorFiber(folders)
        const agent = yield* h.agent(folders, { network: { peersFromNodes: true, interconnect } })
        const n2 = nodeObject("n2", "10.88.2.0/24", "192.0.2.12")
        yield* client.create(Kinds.node, { ...n2, metadata: { name: "n2", annotations: { [NodePeers.overlayAnnotation]: "172.30.0.12" } } })
        yield* h.until("the route to n2", Effect.map(podRoutes, (now) => now === "10.88.2.0/24 172.30.0.12" ? true : undefined))
        const api = yield* FakeApi.FakeApi
        const own = yield* h.until("the node", Effect.sync(() => api.get(Kinds.node, { name: h.nodeName })))
        assert.strictEqual(own.metadata.annotations?.[NodePeers.overlayAnnotation], "172.30.0.10")
        yield* agent.stop
        // Without it the settings want links of that name gone.
        const links = Effect.map(Effect.flatMap(SimulatedHost.SimulatedHost, (host) => host.state), (state) => state.links.map(({ name }) => name))
        assert.includeMembers(yield* links, ["rdovl0", "rdport0"])
        const settings = NodeAgentOptions.resolve(h.agentOptions(folders, { network: { formerLinks: [interconnect.port, interconnect.overlay] } }))
        const repair = NetworkRepair.make(settings, {
          runner: yield* CommandRunner.CommandRunner,
          ipam: yield* Ipam.Ipam,
          network: yield* NetworkRuntime.NetworkRuntime,
          running: Effect.succeed(() => undefined)
        })
        yield* repair.network({})
        assert.notIncludeMembers(yield* links, ["rdovl0", "rdport0"])
      })).pipe(Logger.withMinimumLogLevel(LogLevel.Error)), 40_000)

  it.live("leases again what a running zone uses", () =>
    withHost((folders) =>
      Effect.gen(function*() {
        yield* h.supervisorFiber(folders)
        const first = yield* h.agent(folders)
        yield* h.createPod(h.draft("web", [{ name: "c", command: forever }]))
        const pod = yield* h.untilPod("web", "ready", h.isReady)
        yield* first.stop
        const ipam = yield* Ipam.Ipam
        yield* ipam.release(pod.metadata.uid ?? "")
        const second = yield* h.agent(folders)
        yield* second.value.hostReady
        assert.deepStrictEqual(Option.map(yield* ipam.find(pod.metadata.uid ?? ""), ({ address }) => address), Option.fromNullable(pod.status?.podIP))
      })).pipe(Logger.withMinimumLogLevel(LogLevel.Error)), 40_000)

  it.live("warns once of what is missing, and again when it is missing again", () =>
    Effect.gen(function*() {
      const lines: Array<string> = []
      const logger = Logger.make<unknown, void>(({ logLevel, message }) => void lines.push(`${logLevel.label} ${String(message)}`))
      yield* withHost((folders) =>
        Effect.gen(function*() {
          const repair = NetworkRepair.make(NodeAgentOptions.resolve(h.agentOptions(folders, { network: { egressLink: "auto" } })), {
            runner: yield* CommandRunner.CommandRunner,
            ipam: yield* Ipam.Ipam,
            network: yield* NetworkRuntime.NetworkRuntime,
            running: Effect.succeed(() => undefined)
          })
          const pass = repair.network({ pods: [] })
          const said = Effect.sync(() => lines.splice(0).filter((line) => line.includes("way out of pods")))
          yield* Effect.repeatN(pass, 2)
          const warning = "WARN way out of pods: there is no default route, so packets of pods are not translated"
          assert.deepStrictEqual(yield* said, [warning])
          yield* run("ipadm", "create-addr", "-T", "static", "-a", "192.0.2.10/24", "net0/v4")
          yield* run("route", "-n", "add", "default", "192.0.2.1")
          yield* Effect.repeatN(pass, 1)
          assert.deepStrictEqual(yield* said, ["INFO way out of pods: in order again"])
          yield* run("route", "-n", "delete", "default", "192.0.2.1")
          yield* Effect.repeatN(pass, 1)
          assert.deepStrictEqual(yield* said, [warning])
        })).pipe(Effect.provide(Logger.replace(Logger.defaultLogger, logger)))
    }), 40_000)
})
