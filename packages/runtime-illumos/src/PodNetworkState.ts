/** The part of a host that a pod network is compared with, as the tools show it. */
import * as Effect from "effect/Effect"
import * as CommandLine from "./CommandLine.js"
import type { CommandRunner } from "./CommandRunner.js"
import * as Dladm from "./Dladm.js"
import { HostCommandFailed, type HostError } from "./HostError.js"
import { detailOf } from "./internal/refusal.js"
import * as Ipadm from "./Ipadm.js"
import * as IpNat from "./IpNat.js"
import * as Overlay from "./Overlay.js"
import * as PodNetwork from "./PodNetwork.js"
import * as Route from "./Route.js"

/** A datalink with everything that matters here. @category models */
export interface HostLink {
  readonly name: string
  readonly linkClass: string
  readonly over: string
  readonly mtu: number
  /** Empty for links without one of their own. */
  readonly mac: string
  /** Zone that has the link now; empty when the global zone has it. */
  readonly zone: string
  /** Properties by the names of dladm; only those that are set. */
  readonly properties: Readonly<Record<string, string>>
}

/** What was found on the host. @category models */
export interface PodNetworkState {
  readonly links: ReadonlyArray<HostLink>
  readonly overlays: ReadonlyArray<Overlay.OverlayEntry>
  /** Names of the links that have an IP interface in the global zone. */
  readonly interfaces: ReadonlyArray<string>
  readonly addresses: ReadonlyArray<Ipadm.AddressEntry>
  readonly forwarding: Readonly<Record<Ipadm.Protocol, boolean>>
  readonly routes: ReadonlyArray<Route.RouteEntry>
  readonly rules: ReadonlyArray<IpNat.ListedRule>
  /** State of the service without which no packet is translated; absent when the host cannot tell. */
  readonly filterService: string | undefined
  /** Content of the overlay's file of targets; absent when there is none. */
  readonly targets: string | undefined
}

/** The service that translates and filters packets. @category models */
export const filterService = "svc:/network/ipfilter:default"

const watched = ["mtu", "maxbw", "protection", "allowed-ips", "zone"]

/** A host without a tool has nothing that only the tool can make. */
const unlessMissing = <A>(effect: Effect.Effect<A, HostError>, fallback: A): Effect.Effect<A, HostError> =>
  Effect.catchIf(effect, (error) => error._tag === "CommandUnavailable" && error.reason === "NotFound", () => Effect.succeed(fallback))

/** Whether the `zone` property of a link means that no zone has it. @category combinators */
export const isInGlobalZone = (zone: string): boolean => zone === "" || zone === "--" || zone === "global"

const isLocal = (rest: Partial<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(rest).flatMap(([name, value]) => value === undefined || value === "" ? [] : [[name, value]]))

/**
 * Reads the host. Only what the network needs is asked for: a host without an overlay need not know the word.
 *
 * @category constructors
 */
export const read = (
  runner: CommandRunner["Type"],
  network: PodNetwork.PodNetwork
): Effect.Effect<PodNetworkState, HostError> => {
  const dladm = Dladm.make(runner)
  const ipadm = Ipadm.make(runner)
  const routes = Route.make(runner)
  const families = new Set(PodNetwork.ownedRanges(network).map((range) => (range.version === 4 ? "inet" : "inet6")))
  const targets = PodNetwork.overlayTargets(network)
  const firstLine = (line: CommandLine.CommandLine) =>
    Effect.map(runner.run(line), (result) => result.exitCode === 0 ? result.stdout.trim() : undefined)
  const file = (path: string): Effect.Effect<string | undefined, HostError> =>
    Effect.flatMap(runner.run(CommandLine.make("/usr/bin/cat", path)), (result): Effect.Effect<string | undefined, HostError> => {
      if (result.exitCode === 0) return Effect.succeed(result.stdout)
      return /No such file or directory/.test(result.stderr)
        ? Effect.succeed(undefined)
        : Effect.fail(new HostCommandFailed({ operation: "read", object: path, detail: detailOf(result), exitCode: result.exitCode }))
    })
  return Effect.gen(function*() {
    const found = yield* Effect.all({
      links: dladm.links,
      vnics: dladm.vnics,
      properties: dladm.properties(watched),
      overlays: network.interconnect?.type === "vxlan" ? Overlay.make(runner).list : Effect.succeed([]),
      interfaces: ipadm.interfaces,
      addresses: ipadm.addresses,
      ipv4: ipadm.forwarding("ipv4"),
      ipv6: families.has("inet6") ? ipadm.forwarding("ipv6") : Effect.succeed(false),
      routes: Effect.map(Effect.forEach(families, (family) => routes.list(family)), (lists) => lists.flat()),
      nat: unlessMissing(IpNat.make(runner).listing, { rules: [], sessions: [] }),
      filterService: network.egress === undefined
        ? Effect.succeed(undefined)
        : unlessMissing(firstLine(CommandLine.make("/usr/bin/svcs", "-H", "-o", "state", filterService)), undefined),
      targets: targets === undefined ? Effect.succeed(undefined) : file(targets.path)
    }, { concurrency: 4 })
    const macs = new Map(found.vnics.map((vnic) => [vnic.link, vnic.mac]))
    const properties = new Map<string, Record<string, string>>()
    for (const { link, property, value } of found.properties) {
      const known = properties.get(link) ?? {}
      known[property] = value
      properties.set(link, known)
    }
    return {
      links: found.links.map((link) => {
        const { mtu: _, zone = "", ...rest } = properties.get(link.link) ?? {}
        return {
          name: link.link,
          linkClass: link.linkClass,
          over: link.over,
          mtu: link.mtu,
          mac: macs.get(link.link) ?? "",
          zone: isInGlobalZone(zone) ? "" : zone,
          properties: isLocal(rest)
        }
      }),
      overlays: found.overlays,
      interfaces: found.interfaces.map((entry) => entry.name),
      addresses: found.addresses,
      forwarding: { ipv4: found.ipv4, ipv6: found.ipv6 },
      routes: found.routes,
      rules: found.nat.rules,
      filterService: found.filterService,
      targets: found.targets
    }
  })
}
