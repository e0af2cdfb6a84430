/** What must hold before zoneadm acts on a zone: state, lock, verification. */
import type { HostContext } from "../CommandContext.js"
import * as Faults from "../Faults.js"
import { type Zone, zonepath, zoneState } from "../HostState.js"
import { currentProcess } from "../internal/lockFile.js"
import { isAlive } from "../internal/processTable.js"
import { fail, type Result } from "../internal/result.js"
import { present } from "../internal/hostFiles.js"
import { check } from "../zonecfg/Verify.js"
import { missingSource } from "../ZoneFileSystems.js"
import { linkWarnings } from "../ZoneKernel.js"
import { notVerified, own } from "./Messages.js"
import * as ZonePath from "./ZonePath.js"

/** The name zoneadm gives a running or otherwise live zone in its refusals. */
const liveName = (zone: Zone): string => (zone.kernel?.state === "running" ? "running" : zone.kernel?.state ?? "")

/** Refuses an operation that is not for zones in the kernel. @category combinators */
export const notInKernel = (zone: Zone, operation: string): Result | undefined =>
  zone.kernel === undefined ? undefined : fail(own(zone, `${operation} operation is invalid for ${liveName(zone)} zones.`))

/** Refuses an operation on a zone that is not installed. @category combinators */
export const mustBeInstalled = (zone: Zone, operation: string): Result | undefined =>
  zone.kernel !== undefined || zone.indexState === "installed" ? undefined : fail(own(zone, `must be installed before ${operation}.`))

/** Refuses install-like operations by state. @category combinators */
export const mustBeConfigured = (zone: Zone): Result | undefined => {
  if (zone.indexState === "installed") return fail(own(zone, "is already installed."))
  return zone.indexState === "incomplete" ? fail(own(zone, "zone is incomplete; uninstall required.")) : undefined
}

/** Refuses while another zoneadm works on the zone. An operation whose process died no longer counts. @category combinators */
export const lock = (context: HostContext, zone: Zone): Result | undefined => {
  const busy = fail(own(zone, "another zoneadm may have an operation in progress."))
  if (Faults.consume(context.host, "zoneLocked", (fault) => fault.zone === zone.name) !== undefined) return busy
  if (zone.operation === undefined) return undefined
  if (isAlive(zone.operation.owner)) return busy
  delete zone.operation
  return undefined
}

/** Marks the zone as being worked on by this process. @category combinators */
export const begin = (zone: Zone, name: string, token: string): void => {
  zone.operation = { name, token, owner: currentProcess() }
}

/** What verification prints, and whether it failed. @category models */
export interface Verification {
  readonly lines: ReadonlyArray<string>
  readonly failed: boolean
}

/** Checks the zone as `verify`, `install`, `boot` and `ready` do. @category combinators */
export const verify = (context: HostContext, zone: Zone, operation: string): Verification => {
  const { host, files } = context
  const brand = zone.configuration.properties["brand"] ?? ""
  if (!host.brands.includes(brand)) return { lines: [own(zone, "missing or invalid brand")], failed: true }
  const lines: Array<string> = []
  const reason = check(host, zone.name, zone.configuration, (text) => lines.push(text))
  const path = zonepath(zone)
  if (reason !== undefined || path === "") return { lines: [...lines, notVerified(zone)], failed: true }
  if (zone.kernel === undefined) {
    const problems = ZonePath.problems(context, zone, operation)
    if (problems.length > 0) return { lines: [...lines, ...problems, notVerified(zone)], failed: true }
    if (operation === "verify" && !present(files.real(path))) lines.push(ZonePath.absentWarning(zone))
  }
  const source = missingSource(context, zone.configuration)
  if (source !== undefined && operation !== "install" && operation !== "clone") return { lines: [...lines, source, notVerified(zone)], failed: true }
  if (operation !== "install" && operation !== "clone") lines.push(...linkWarnings(host, zone.configuration))
  return { lines, failed: false }
}

/** The state as refusals of zoneadmd name it. @category combinators */
export const named = (zone: Zone): string => zoneState(zone)
