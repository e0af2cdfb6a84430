/** `zoneadm list` in all its forms. */
import type { HostContext } from "../CommandContext.js"
import * as Faults from "../Faults.js"
import { type Zone, zonepath, zoneState } from "../HostState.js"
import { getopt, hasFlag } from "../internal/getopt.js"
import { fail, ok, type Result } from "../internal/result.js"
import { subUsage } from "./Messages.js"

interface Row {
  readonly id: string
  readonly name: string
  readonly state: string
  readonly path: string
  readonly uuid: string
  readonly brand: string
  readonly ipType: string
  readonly did: string
}

const globalRow = (context: HostContext): Row => ({
  id: "0",
  name: "global",
  state: "running",
  path: "/",
  uuid: "",
  brand: "ipkg",
  ipType: "shared",
  did: context.host.dialect === "omnios" ? "0" : ""
})

const zoneRow = (context: HostContext, zone: Zone): Row => {
  const raced = zone.kernel !== undefined && Faults.consume(context.host, "listRace", (fault) => fault.zone === zone.name) !== undefined
  return {
    id: zone.kernel === undefined || raced ? "-" : String(zone.kernel.id),
    name: zone.name,
    state: raced ? "running" : zoneState(zone),
    path: zonepath(zone),
    uuid: zone.uuid,
    brand: zone.configuration.properties["brand"] ?? "",
    ipType: zone.configuration.properties["ip-type"] === "exclusive" ? "excl" : "shared",
    did: String(zone.did)
  }
}

const parsable = (context: HostContext, row: Row): string =>
  [
    row.id, row.name, row.state, row.path.replaceAll(":", "\\:"), row.uuid, row.brand, row.ipType,
    ...(context.host.dialect === "omnios" ? [row.did] : [])
  ].join(":")

const verbose = (id: string, name: string, state: string, path: string, brand: string, ip: string): string =>
  `${id.padStart(4)} ${name.padEnd(16)} ${state.padEnd(10)} ${path.padEnd(30)} ${brand.padEnd(8)} ${ip.padEnd(6)}`

const print = (context: HostContext, rows: ReadonlyArray<Row>, style: "plain" | "parsable" | "verbose"): Result => {
  if (style === "plain") return ok(rows.map((row) => row.name).join("\n"))
  if (style === "parsable") return ok(rows.map((row) => parsable(context, row)).join("\n"))
  return ok([
    verbose("ID", "NAME", "STATUS", "PATH", "BRAND", "IP"),
    ...rows.map((row) => verbose(row.id, row.name, row.state, row.path, row.brand, row.ipType))
  ].join("\n"))
}

/** `zoneadm [-z zone] list [-cinpv]`. @category commands */
export const list = (context: HostContext, zone: Zone | "global" | undefined, args: ReadonlyArray<string>): Result => {
  const parsed = getopt(args, "?cinpv")
  const narrowed = zone !== undefined && ["c", "i", "n"].some((flag) => hasFlag(parsed, flag))
  if (parsed.error !== undefined || parsed.operands.length > 0 || narrowed || hasFlag(parsed, "?")) return fail(subUsage("list"), 2)
  if (hasFlag(parsed, "p") && hasFlag(parsed, "v")) return fail("zoneadm: list -p and -v are mutually exclusive.")
  const style = hasFlag(parsed, "p") ? "parsable" : hasFlag(parsed, "v") ? "verbose" : "plain"
  if (zone === "global") return print(context, [globalRow(context)], style)
  if (zone !== undefined) return print(context, [zoneRow(context, zone)], style)
  const everything = hasFlag(parsed, "c")
  const installed = everything || hasFlag(parsed, "i")
  const { zones } = context.host
  const inKernel = zones.filter((candidate) => candidate.kernel !== undefined)
    .sort((a, b) => (a.kernel?.id ?? 0) - (b.kernel?.id ?? 0))
    .filter((candidate) => installed || candidate.kernel?.state === "running")
  const others = zones.filter((candidate) =>
    candidate.kernel === undefined && (everything || (installed && candidate.indexState === "installed"))
  )
  const rows = [...(hasFlag(parsed, "n") ? [] : [globalRow(context)]), ...[...inKernel, ...others].map((candidate) => zoneRow(context, candidate))]
  return print(context, rows, style)
}
