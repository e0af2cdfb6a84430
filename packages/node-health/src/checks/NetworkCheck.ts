/** `network`: the link of the default route, its next hop, and name servers. Never other nodes: a partition must not drain all of them at once. */
import { CommandLine, type CommandRunner, Dladm, Ipadm, Route } from "@reddwarf/runtime-illumos"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { isIP } from "node:net"
import * as HealthCheck from "../HealthCheck.js"
import type { HealthMetrics } from "../HealthMetrics.js"
import type * as HostReader from "../HostReader.js"
import * as Observation from "../Observation.js"
import * as Resolver from "../Resolver.js"

/** @category models */
export interface Options {
  readonly link?: boolean
  readonly gateway?: boolean
  readonly dns?: boolean
  /** A port of the gateway that accepts connections, for hosts that may not ping. */
  readonly gatewayTcpPort?: number
  /** What name servers are asked for. Default the own host name. */
  readonly dnsProbeName?: string
  /** Name servers, as `ADDRESS` or `ADDRESS:PORT`. Default those of `/etc/resolv.conf`. */
  readonly dnsServers?: ReadonlyArray<string>
}

/** A way out of the node. @category models */
export interface DefaultRoute {
  readonly gateway: string
  readonly interface: string
}

/** The gateways of `/proc/net/route`: addresses are hexadecimal in the order of the machine. @category combinators */
export const parseLinuxRoutes = (text: string): ReadonlyArray<DefaultRoute> =>
  text.split("\n").slice(1).flatMap((line) => {
    const [device = "", destination, gateway = "", flags = "0", , , , mask] = line.trim().split(/\s+/)
    const up = (Number.parseInt(flags, 16) & 1) === 1
    if (destination !== "00000000" || mask !== "00000000" || !up || !/^[0-9A-Fa-f]{8}$/.test(gateway)) return []
    const bytes = (gateway.match(/../g) ?? []).map((byte) => Number.parseInt(byte, 16)).toReversed()
    return [{ interface: device, gateway: bytes.every((byte) => byte === 0) ? "" : bytes.join(".") }]
  })

/** Whether `ip -s neigh show` has an entry that was confirmed within 30 seconds. @category combinators */
export const isNeighbourFresh = (text: string): boolean =>
  text.split("\n").some((line) => {
    const confirmed = /\bused \d+\/(\d+)\/\d+/.exec(line)?.[1]
    return /\bREACHABLE\b/.test(line) && confirmed !== undefined && Number(confirmed) < 30
  })

/** What the state of a link means: `unknown` is a link that does not tell. @category combinators */
export const linkState = (name: string, state: string): Observation.Observation =>
  state === "up" || state === "unknown" ? Observation.pass() : Observation.fail(`link ${name} is ${state === "" ? "unreadable" : state}`)

/** How long an address may be tentative, in milliseconds. */
const tentativeMillis = 10_000

const printed = (result: Effect.Effect<CommandRunner.CommandResult, CommandRunner.CommandUnavailable>): Effect.Effect<string | undefined> =>
  Effect.match(result, { onFailure: () => undefined, onSuccess: ({ exitCode, stdout }) => exitCode === 0 ? stdout : undefined })

const nonEmpty = (text: string): ReadonlyArray<string> => text.split("\n").filter((line) => line !== "")

/** Part limits, in milliseconds: each below that of the check. */
const commandMillis = 800

/** What is not configured cannot fail: no default route and no name server are not faults of the network. */
const notConfigured = (what: string): Observation.Observation => Observation.pass(`no ${what}`)

/** The ways out of the node. */
const defaultRoutes = (host: HostReader.Service): Effect.Effect<ReadonlyArray<DefaultRoute>> => {
  if (host.platform !== "illumos") return Effect.map(host.kernelFile("/proc/net/route"), (text) => parseLinuxRoutes(text ?? ""))
  const run = (line: CommandLine.CommandLine) => printed(host.run(line, commandMillis))
  return Effect.gen(function*() {
    const table = Route.parseTable((yield* run(Route.table("inet"))) ?? "")
    const found = "unreadable" in table ? [] : table.filter(({ destination }) => destination === "default")
    return yield* Effect.forEach(found, ({ gateway, interface: device }) =>
      device === ""
        ? Effect.map(run(Route.get(gateway)), (text) => ({ gateway, interface: Route.parseLookup(text ?? "")?.interface ?? "" }))
        : Effect.succeed({ gateway, interface: device }), { concurrency: 4 })
  })
}

type LinkLook = (device: string) => Effect.Effect<Observation.Observation>

/** The link and its addresses, which must not stay tentative. */
const illumosLinks = (host: HostReader.Service): LinkLook => {
  /** Since when addresses are tentative. */
  const tentative = new Map<string, number>()
  return (device) =>
    Effect.gen(function*() {
      const [links, addresses] = yield* Effect.all([
        printed(host.run(Dladm.showLink, commandMillis)),
        printed(host.run(Ipadm.showAddr, commandMillis))
      ], { concurrency: 2 })
      const now = yield* Clock.currentTimeMillis
      const link = nonEmpty(links ?? "").flatMap((line) => Dladm.parseLink(line) ?? []).find((entry) => entry.link === device)
      const states = nonEmpty(addresses ?? "").flatMap((line) => Ipadm.parseAddress(line) ?? []).filter(({ object }) => object.split("/")[0] === device)
      for (const object of tentative.keys()) if (!states.some((entry) => entry.object === object && entry.state === "tentative")) tentative.delete(object)
      return Observation.all([
        link === undefined ? Observation.unknown(`the state of link ${device} cannot be read`) : linkState(device, link.state),
        ...states.map(({ object, state }) => {
          if (state === "ok") return Observation.pass()
          if (state !== "tentative") return Observation.fail(`address ${object} is ${state}`)
          const since = tentative.get(object) ?? now
          tentative.set(object, since)
          return now - since <= tentativeMillis ? Observation.pass(`address ${object} is tentative`) : Observation.fail(`address ${object} is tentative`)
        })
      ])
    })
}

const linuxLinks = (host: HostReader.Service): LinkLook => (device) =>
  Effect.map(host.kernelFile(`/sys/class/net/${device}/operstate`), (state) => linkState(device, (state ?? "").trim()))

const links = (look: LinkLook, routes: ReadonlyArray<DefaultRoute>): Effect.Effect<Observation.Observation> => {
  const devices = [...new Set(routes.map((route) => route.interface))].filter((device) => /^[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(device))
  if (devices.length === 0) return Effect.succeed(notConfigured("default route"))
  return Effect.map(
    Effect.forEach(devices, look, { concurrency: 4 }),
    // One way out is enough.
    (states) => states.find(({ observed }) => observed === "pass") ?? Observation.all(states)
  )
}

/** By the kernel's own knowledge, else by an echo, else by a connection: the first that says yes. */
const reaches = (host: HostReader.Service, gateway: string, port: number | undefined): Effect.Effect<boolean> => {
  const illumos = host.platform === "illumos"
  const fresh = illumos
    ? Effect.succeed(false)
    : Effect.map(printed(host.run(CommandLine.make("/sbin/ip", "-s", "neigh", "show", gateway), commandMillis)), (text) => isNeighbourFresh(text ?? ""))
  const echo = illumos ? CommandLine.make("/usr/sbin/ping", gateway, "1") : CommandLine.make("/bin/ping", "-n", "-c", "1", "-W", "1", gateway)
  const ping = Effect.map(printed(host.run(echo, "1100 millis")), (text) => text !== undefined)
  const connection = port === undefined ? Effect.succeed(false) : Effect.match(
    host.connect({ host: gateway, port }).pipe(Effect.timeoutFail({ duration: "500 millis", onTimeout: () => "timeout" })),
    { onFailure: (code) => code === "ECONNREFUSED", onSuccess: () => true }
  )
  const orElse = (first: Effect.Effect<boolean>, second: Effect.Effect<boolean>) => Effect.flatMap(first, (yes) => yes ? Effect.succeed(true) : second)
  return orElse(fresh, orElse(ping, connection))
}

const gateways = (host: HostReader.Service, port: number | undefined, routes: ReadonlyArray<DefaultRoute>): Effect.Effect<Observation.Observation> => {
  const hops = [...new Set(routes.map((route) => route.gateway))].filter((address) => isIP(address) !== 0).slice(0, 4)
  if (hops.length === 0) return Effect.succeed(notConfigured("gateway"))
  return Effect.map(
    Effect.forEach(hops, (hop) => reaches(host, hop, port), { concurrency: "unbounded" }),
    (answers) => answers.includes(true) ? Observation.pass() : Observation.fail(`gateway ${hops.join(", ")} does not answer`)
  )
}

/** The name servers of the node, read again each minute. */
const serversOf = (host: HostReader.Service): Effect.Effect<ReadonlyArray<string>> => {
  let known: { readonly servers: ReadonlyArray<string>; readonly at: number } | undefined
  return Effect.gen(function*() {
    const now = yield* Clock.currentTimeMillis
    if (known !== undefined && now - known.at < 60_000) return known.servers
    const text = yield* Effect.orElseSucceed(Effect.timeout(host.files.read("/etc/resolv.conf"), commandMillis), () => undefined)
    // What was known before is better than nothing.
    known = { servers: text === undefined ? known?.servers ?? [] : Resolver.parseResolvConf(text), at: now }
    return known.servers
  })
}

const nameServers = (host: HostReader.Service, servers: Effect.Effect<ReadonlyArray<string>>, asked: string): Effect.Effect<Observation.Observation> =>
  Effect.gen(function*() {
    const usable = (yield* servers).slice(0, 8)
    if (usable.length === 0) return notConfigured("name server")
    const answers = yield* Effect.forEach(usable, (server) => Effect.either(host.ask(server, asked, 1000)), { concurrency: "unbounded" })
    if (answers.some(({ _tag }) => _tag === "Right")) return Observation.pass()
    return Observation.fail(`name servers: ${answers.flatMap((answer) => answer._tag === "Left" ? [`${answer.left.server} ${answer.left.code}`] : []).join(", ")}`)
  })

const conntrack = (host: HostReader.Service, metrics: HealthMetrics): Effect.Effect<ReadonlyArray<Observation.Observation>> =>
  host.platform === "illumos" ? Effect.succeed([]) : Effect.zipWith(
    host.kernelFile("/proc/sys/net/netfilter/nf_conntrack_count"),
    host.kernelFile("/proc/sys/net/netfilter/nf_conntrack_max"),
    (count, max) => {
      const [used, limit] = [Number(count ?? Number.NaN), Number(max ?? Number.NaN)]
      if (!(limit > 0) || !Number.isFinite(used)) return []
      metrics.set("conntrack_fill_ratio", used / limit)
      if (used >= limit) return [Observation.fail("conntrack table full")]
      return used / limit >= 0.95 ? [Observation.pass(`conntrack table ${Math.floor(used / limit * 100)}% full`)] : []
    }
  )

/** @category constructors */
export const make = (host: HostReader.Service, metrics: HealthMetrics, options: Options = {}, tuning?: HealthCheck.Tuning): HealthCheck.HealthCheck => {
  const look = host.platform === "illumos" ? illumosLinks(host) : linuxLinks(host)
  const servers = options.dnsServers === undefined ? serversOf(host) : Effect.succeed(options.dnsServers)
  const skipped = Effect.succeed(Observation.pass())
  return HealthCheck.make({ name: "network", timeout: Duration.millis(2500), cacheTtl: Duration.seconds(2), onUnknown: "fail" }, tuning, () =>
    Effect.gen(function*() {
      const routes = options.link === false && options.gateway === false ? [] : yield* defaultRoutes(host)
      const [byLink, byGateway, byDns, table] = yield* Effect.all([
        options.link === false ? skipped : links(look, routes),
        options.gateway === false ? skipped : gateways(host, options.gatewayTcpPort, routes),
        options.dns === false ? skipped : nameServers(host, servers, options.dnsProbeName ?? host.hostname),
        conntrack(host, metrics)
      ], { concurrency: 4 })
      return Observation.all([byLink, byGateway, byDns, ...table])
    }))
}
