/** `route` and `netstat -r` of the emulated global zone. The kernel's refusals go to standard output, and their number is the exit status. */
import type { HostContext, InstantCommand } from "../CommandContext.js"
import { getopt, hasFlag, lastValue } from "../internal/getopt.js"
import * as inet from "../internal/inet.js"
import { fail, ok, result, type Result } from "../internal/result.js"
import * as Routing from "./Routing.js"
import * as Tables from "./Tables.js"

const usage = [
  "usage: route [ -fnvq ] cmd [[ -<qualifers> ] args ]",
  "       route [ -p ] cmd",
  "       cmd: add | change | delete | flush | get | monitor | show"
].join("\n")

const ESRCH = 3
const EEXIST = 17
const ENETUNREACH = 128

interface Request {
  readonly destination: string
  readonly net: inet.Net | "default"
  readonly isHost: boolean
  readonly gateway: string | undefined
  readonly flags: string
  readonly words: ReadonlyArray<string>
}

const classful = (value: bigint): number => {
  const first = Number(value >> 24n)
  return value === 0n ? 0 : first < 128 ? 8 : first < 192 ? 16 : 24
}

const lengthOfMask = (text: string): number | undefined => {
  for (let length = 0; length <= 32; length++) if (inet.maskText(length) === text) return length
  return undefined
}

const valueless = new Set(["net", "host", "inet", "inet6", "static", "nostatic", "iface", "interface", "reject", "blackhole", "proto1", "proto2", "private", "indirect", "lock", "lockrest", "cloning"])
const valued = new Set(["netmask", "gateway", "dst", "ifp", "ifa", "mtu", "hopcount", "expire", "recvpipe", "sendpipe", "ssthresh", "rtt", "rttvar", "setsrc"])

const syntax = (text: string): Result => fail(`${text}\n${usage}`)

/** The words behind the command, by the rules of route: keywords begin with a dash, but for net and host. */
const request = (verb: string, words: ReadonlyArray<string>): Request | Result => {
  const keywords = new Set<string>()
  const values = new Map<string, string>()
  const plain: Array<string> = []
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? ""
    const key = word.startsWith("-") ? word.slice(1) : word === "net" || word === "host" ? word : undefined
    if (key === undefined) plain.push(word)
    else if (valueless.has(key)) keywords.add(key)
    else if (valued.has(key)) {
      const value = words[++at]
      if (value === undefined) return syntax(`route: argument required following keyword '${word}'`)
      values.set(key, value)
    } else return syntax(`route: bad keyword '${key}'`)
  }
  if (keywords.has("net") && keywords.has("host")) return syntax("route: -host and -net are mutually exclusive")
  const destination = values.get("dst") ?? plain.shift()
  if (destination === undefined) return syntax("route: destination required")
  const gateway = values.get("gateway") ?? plain.shift()
  if (verb !== "get" && gateway === undefined) return syntax("route: gateway required for add or delete command")
  const bits = keywords.has("inet6") ? 128 : 32
  const mask = values.get("netmask") ?? plain.shift()
  if (mask !== undefined && bits === 128) return syntax("route: -netmask not supported for IPv6: use <prefix>/<prefix-length> instead")
  const flags = `UG${keywords.has("reject") ? "R" : ""}${keywords.has("blackhole") ? "B" : ""}`
  if (gateway !== undefined && inet.parse(gateway)?.bits !== bits) {
    return syntax(gateway.includes("/") ? `route: ${gateway}: unexpected '/'` : bits === 128 ? `route: ${gateway}: bad address` : `${gateway}: bad value`)
  }
  if (destination === "default") return { destination, net: "default", isHost: false, gateway, flags, words }
  const parsed = inet.parse(destination)
  if (parsed?.bits !== bits) {
    const [, length] = destination.split("/")
    return syntax(
      length !== undefined && /^\d+$/.test(length) && Number(length) > bits
        ? `route: bad prefix length: ${length}`
        : bits === 128 ? `route: ${destination}: bad address` : `${destination}: bad value`
    )
  }
  const length = destination.includes("/")
    ? parsed.length
    : mask !== undefined
    ? lengthOfMask(mask)
    : keywords.has("net") && bits === 32 ? classful(parsed.value) : bits
  if (length === undefined) return syntax(`${mask ?? ""}: bad value`)
  const net = inet.parse(`${inet.addressText(parsed)}/${length}`) ?? parsed
  return { destination, net, isHost: length === bits && !keywords.has("net"), gateway, flags, words }
}

const named = (net: Request["net"]): string => net === "default" ? "default" : inet.text(net)

const short = (verb: string, asked: Request, saved = false): string =>
  `${verb}${saved ? " persistent" : ""} ${asked.isHost ? "host" : "net"} ${asked.destination}: gateway ${asked.gateway ?? ""}`

/** The file of persistent routes; refusals come after the kernel's answer. */
const saveRoute = ({ host }: HostContext, verb: string, asked: Request): Result => {
  const tables = Tables.of(host)
  const matches = (route: { readonly destination: string; readonly gateway: string }) =>
    route.destination === named(asked.net) && (asked.gateway === undefined || route.gateway === asked.gateway)
  if (verb === "add") {
    if (tables.persistentRoutes.some(matches)) return fail(`${short(verb, asked, true)}: entry exists`)
    tables.persistentRoutes.push({ line: asked.words.join(" "), destination: named(asked.net), gateway: asked.gateway ?? "" })
    return ok(short(verb, asked, true))
  }
  if (!tables.persistentRoutes.some(matches)) return fail(`${short(verb, asked, true)}: not in file`)
  tables.persistentRoutes = tables.persistentRoutes.filter((route) => !matches(route))
  return ok(short(verb, asked, true))
}

const change = (context: HostContext, verb: "add" | "delete", asked: Request): Result => {
  const tables = Tables.of(context.host)
  const gateway = asked.gateway ?? ""
  const same = (route: Tables.StaticRoute) => route.destination === named(asked.net) && route.gateway === gateway
  if (verb === "delete") {
    if (!tables.routes.some(same)) return result(ESRCH, `${short(verb, asked)}: not in table`)
    tables.routes = tables.routes.filter((route) => !same(route))
    return ok(short(verb, asked))
  }
  if (tables.routes.some(same)) return result(EEXIST, `${short(verb, asked)}: entry exists`)
  if (!Routing.isNeighbour(context.host, gateway)) return result(ENETUNREACH, `${short(verb, asked)}: Network is unreachable`)
  tables.routes.push({ destination: named(asked.net), gateway, flags: asked.flags })
  return ok(short(verb, asked))
}

const get = ({ host }: HostContext, asked: Request): Result => {
  const address = asked.net === "default" ? inet.parse("0.0.0.0/0") : asked.net
  const found = address === undefined ? undefined : Routing.lookup(host, address)
  if (found === undefined || address === undefined) return result(ESRCH, ` ${asked.destination}: not in table`)
  const net = found.destination === "default" ? undefined : inet.parse(found.destination)
  const through = found.interface === "" ? Routing.lookup(host, inet.parse(found.gateway) ?? address)?.interface ?? "" : found.interface
  const flags = ["UP", ...(found.flags.includes("G") ? ["GATEWAY"] : []), ...(found.flags.includes("H") ? ["HOST"] : []), "DONE", ...(found.flags.includes("G") ? ["STATIC"] : [])]
  return ok([
    `   route to: ${asked.destination}`,
    `destination: ${net === undefined ? "default" : inet.addressText(net)}`,
    ...(address.bits === 32 && !found.flags.includes("H") ? [`       mask: ${net === undefined ? "default" : inet.maskText(net.length)}`] : []),
    ...(found.flags.includes("G") ? [`    gateway: ${found.gateway}`] : []),
    `  interface: ${through}`,
    `      flags: <${flags.join(",")}>`,
    " recvpipe  sendpipe  ssthresh    rtt,ms rttvar,ms  hopcount      mtu     expire",
    `       0         0         0         0         0         0      ${String(found.mtu === 0 ? 1500 : found.mtu)}         0`
  ].join("\n"))
}

const showSaved = ({ host }: HostContext): Result => {
  const saved = Tables.of(host).persistentRoutes
  return ok(saved.length === 0 ? "No persistent routes are defined" : saved.map(({ line }) => `persistent: route add ${line}`).join("\n"))
}

/** `route [-np] <command> …`. @category commands */
export const route: InstantCommand = (context, args) => {
  const parsed = getopt(args, "dfnpqtv")
  if (parsed.error !== undefined) return fail(`route: illegal option -- ${parsed.error.flag}\n${usage}`)
  const [verb, ...words] = parsed.operands
  const persistent = hasFlag(parsed, "p")
  Routing.prune(context.host)
  if (verb === "show") return persistent ? showSaved(context) : syntax("route: show command requires -p")
  if (verb === "flush") {
    Tables.of(context.host).routes = []
    if (persistent) Tables.of(context.host).persistentRoutes = []
    return ok("default              done")
  }
  if (verb !== "add" && verb !== "delete" && verb !== "get") return fail(usage)
  const asked = request(verb, words)
  if ("exitCode" in asked) return asked
  if (verb === "get") return get(context, asked)
  const done = change(context, verb, asked)
  // The file is changed also when the kernel has it already, or has it no more.
  if (!persistent || ![0, EEXIST, ESRCH].includes(done.exitCode)) return done
  const saved = saveRoute(context, verb, asked)
  return result(saved.exitCode === 0 ? done.exitCode : saved.exitCode, `${done.stdout}${saved.stdout}`, saved.stderr)
}

const table4 = (entries: ReadonlyArray<Routing.TableEntry>): ReadonlyArray<string> => [
  "",
  "IRE Table: IPv4",
  "  Destination             Mask           Gateway          Device  MTU  Ref Flg  Out  In/Fwd ",
  "-------------------- --------------- -------------------- ------ ----- --- --- ----- ------ ",
  ...entries.map((entry) => {
    const net = entry.destination === "default" ? undefined : inet.parse(entry.destination)
    const [address, mask] = net === undefined ? ["default", "0.0.0.0"] : [inet.addressText(net), inet.maskText(net.length)]
    return `${address.padEnd(20)} ${mask.padEnd(15)} ${entry.gateway.padEnd(20)} ${entry.interface.padEnd(6)} ${String(entry.mtu).padStart(5)} ${"1".padStart(3)} ${entry.flags.padEnd(3)} ${"0".padStart(5)} ${"0".padStart(6)} `
  })
]

const table6 = (entries: ReadonlyArray<Routing.TableEntry>): ReadonlyArray<string> => [
  "",
  "IRE Table: IPv6",
  "  Destination/Mask            Gateway                    If    MTU  Ref Flags  Out   In/Fwd ",
  "--------------------------- --------------------------- ----- ----- --- ----- ------ ------ ",
  ...entries.map((entry) => {
    const destination = entry.destination.endsWith("/128") ? entry.destination.slice(0, -4) : entry.destination
    return `${destination.padEnd(27)} ${entry.gateway.padEnd(27)} ${entry.interface.padEnd(5)} ${String(entry.mtu).padStart(5)} ${"1".padStart(3)} ${entry.flags.padEnd(5)} ${"0".padStart(6)} ${"0".padStart(6)} `
  })
]

/** `netstat -rnv [-f inet|inet6]`. @category commands */
export const netstat: InstantCommand = (context, args) => {
  const parsed = getopt(args, "arnvf:")
  const family = lastValue(parsed, "f")
  if (parsed.error !== undefined || !["inet", "inet6", undefined].includes(family)) {
    return fail("Usage: netstat [-anv] [-f address_family] [-T d|u]\n       netstat [-g | -p | -s [-f address_family]] [-n] [interval [count]]")
  }
  if (!hasFlag(parsed, "r") || !hasFlag(parsed, "v")) return fail("netstat: only the routing table with its masks is emulated (-rnv)")
  Routing.prune(context.host)
  return ok([
    ...(family === "inet6" ? [] : table4(Routing.table(context.host, 32))),
    ...(family === "inet" ? [] : table6(Routing.table(context.host, 128)))
  ].join("\n"))
}

const routeadmOptions = new Set(["ipv4-forwarding", "ipv6-forwarding", "ipv4-routing", "ipv6-routing"])

const propertyOf = (option: string): readonly [string, string] => [option.slice(0, 4), option.endsWith("forwarding") ? "forwarding" : "routing"]

const stateOf = ({ host }: HostContext, option: string): string => {
  const [protocol, property] = propertyOf(option)
  const persistent = host.protocolProperties[protocol]?.[property]
  const current = Tables.of(host).temporaryProperties[`${protocol}:${property}`] ?? persistent ?? "off"
  const word = (value: string) => value === "on" ? "enabled" : "disabled"
  return `persistent=${persistent === undefined ? "default" : word(persistent)} default=disabled current=${word(current)}`
}

/** `routeadm [-u] [-e|-d <option>]… ` and `routeadm -p [<option>]`. @category commands */
export const routeadm: InstantCommand = (context, args) => {
  const shows = args[0] === "-p"
  const parsed = getopt(shows ? args.slice(1) : args, "bd:e:l:m:R:r:s:u")
  if (parsed.error !== undefined) return fail(`routeadm: illegal option -- ${parsed.error.flag}\nusage: routeadm [-p [<option>]]\n       routeadm [-e <option>] [-d <option>] [-u]`)
  if (shows) {
    const [option] = parsed.operands
    if (option === undefined) return ok([...routeadmOptions].map((name) => `${name} ${stateOf(context, name)}`).join("\n"))
    return routeadmOptions.has(option) ? ok(stateOf(context, option)) : fail(`routeadm: invalid option: ${option}`)
  }
  for (const { flag, value } of parsed.options) {
    if (flag !== "e" && flag !== "d") continue
    if (!routeadmOptions.has(value)) return fail(`routeadm: invalid option: ${value}`)
    const [protocol, property] = propertyOf(value)
    const setting = flag === "e" ? "on" : "off"
    context.host.protocolProperties[protocol] = { ...context.host.protocolProperties[protocol], [property]: setting }
    if (hasFlag(parsed, "u")) delete Tables.of(context.host).temporaryProperties[`${protocol}:${property}`]
  }
  return ok()
}
