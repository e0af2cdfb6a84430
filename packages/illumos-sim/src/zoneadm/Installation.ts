/** zoneadm subcommands that change what is on disk: install, clone, uninstall, attach, detach, move, mark. */
import { randomUUID } from "node:crypto"
import * as fs from "node:fs"
import * as path from "node:path"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { Host, HostContext } from "../CommandContext.js"
import * as Faults from "../Faults.js"
import { findZone, type IndexState, type Zone, zonepath, zoneState } from "../HostState.js"
import { getopt, hasFlag, lastValue } from "../internal/getopt.js"
import { isEmptyFolder } from "../internal/hostFiles.js"
import { fail, ok, result, type Result } from "../internal/result.js"
import type { StateUnavailable } from "../StateFile.js"
import * as Datasets from "../zfs/Datasets.js"
import * as Checks from "./Checks.js"
import type { ZoneCommand } from "./Lifecycle.js"
import { own, subUsage } from "./Messages.js"
import * as ZonePath from "./ZonePath.js"

const gone = (zone: string): Result => fail(`zoneadm: ${zone}: No such zone configured`)

type Work = (context: HostContext, zone: Zone) => { readonly failure: string } | { readonly stdout: string }

/**
 * Marks the zone incomplete, waits as long as the work takes, then does it. A caller that is killed or interrupted meanwhile
 * leaves the zone incomplete, as on illumos.
 */
const longOperation = (host: Host, name: string, operation: "install" | "clone", first: (context: HostContext, zone: Zone) => Result | undefined, work: Work): Effect.Effect<Result, StateUnavailable> =>
  Effect.gen(function*() {
    const token = randomUUID()
    const refused = yield* host.step((context) => {
      const zone = findZone(context.host, name)
      if (zone === undefined) return gone(name)
      const refusal = Checks.lock(context, zone) ?? Checks.notInKernel(zone, operation) ?? Checks.mustBeConfigured(zone) ?? first(context, zone)
      if (refusal !== undefined) return refusal
      const verified = Checks.verify(context, zone, operation)
      if (verified.failed) return fail(verified.lines.join("\n"))
      zone.indexState = "incomplete"
      Checks.begin(zone, operation, token)
      return undefined
    })
    if (refused !== undefined) return refused
    const release = host.step((context) => {
      const zone = findZone(context.host, name)
      if (zone?.operation?.token === token) delete zone.operation
    })
    return yield* (host.timing.install > 0 ? Effect.sleep(host.timing.install) : Effect.void).pipe(
      Effect.zipRight(host.step((context) => finish(context, name, operation, work))),
      Effect.onExit((exit) => Exit.isSuccess(exit) ? Effect.void : Effect.ignore(release))
    )
  })

const finish = (context: HostContext, name: string, operation: string, work: Work): Result => {
  const zone = findZone(context.host, name)
  if (zone === undefined) return gone(name)
  delete zone.operation
  ZonePath.make(context, zone)
  const fault = Faults.consume(context.host, "installFails", (candidate) => candidate.zone === name)
  if (fault !== undefined) {
    if (fault.status === 254) {
      ZonePath.destroy(context, zone)
      zone.indexState = "configured"
    }
    return fail(own(zone, `'/usr/lib/brand/${zone.configuration.properties["brand"] ?? ""}/${operation}' failed with exit code ${fault.status}.`))
  }
  const done = work(context, zone)
  if ("failure" in done) return fail(done.failure)
  zone.indexState = "installed"
  if (zone.uuid === "") zone.uuid = randomUUID()
  return ok(done.stdout)
}

/** `zoneadm install [brand arguments]`. @category commands */
export const install: ZoneCommand = (host, name, args) =>
  longOperation(host, name, "install", () => undefined, (context, zone) => {
    // The installer gets its arguments from a shell that read them joined and unquoted: what that does to others than plain words is not emulated.
    const bad = args.flatMap((word) => word.split(" ")).find((word) => !/^[A-Za-z0-9_@%+=:,./-]*$/.test(word))
    if (bad !== undefined) return { failure: own(zone, `'/usr/lib/brand/${zone.configuration.properties["brand"] ?? ""}/install' failed with exit code 255.`) }
    const failure = ZonePath.populate(context, zone, args.flatMap((word) => word.split(" ")).filter((word) => word !== ""))
    return failure === undefined ? { stdout: "" } : { failure }
  })

const cloneContent = (context: HostContext, zone: Zone, source: Zone, copy: boolean, snapshot: string | undefined): { readonly stdout: string } => {
  const from = Datasets.mountedAt(context.host, zonepath(source))
  const to = Datasets.mountedAt(context.host, zonepath(zone))
  const target = context.files.real(`${zonepath(zone)}/root`)
  fs.mkdirSync(target, { recursive: true })
  if (!copy && from !== undefined && to !== undefined) {
    const numbers = Datasets.snapshotsOf(context.host, from.name).flatMap((taken) => /@SUNWzone(\d+)$/.exec(taken.name)?.[1] ?? [])
    const existing = snapshot === undefined ? undefined : Datasets.find(context.host, snapshot)
    const taken = existing ?? Datasets.snapshot(context, from, `SUNWzone${Math.max(0, ...numbers.map(Number)) + 1}`)
    to.origin = taken.name
    context.files.copyContent(path.join(Datasets.content(context, taken), "root"), target)
    return { stdout: snapshot === undefined ? "Instead of copying, a ZFS clone has been created for this zone." : `Cloning snapshot ${taken.name}` }
  }
  context.files.copyContent(context.files.real(`${zonepath(source)}/root`), target)
  return { stdout: "Copying..." }
}

/** `zoneadm clone [-m copy] [-s snapshot] <source>`. @category commands */
export const clone: ZoneCommand = (host, name, args) => {
  const parsed = getopt(args, "?m:s:")
  const [sourceName, surplus] = parsed.operands
  const method = lastValue(parsed, "m")
  if (parsed.error !== undefined || sourceName === undefined || surplus !== undefined || (method !== undefined && method !== "copy")) {
    return Effect.succeed(fail(subUsage("clone"), 2))
  }
  const snapshot = lastValue(parsed, "s")
  const admit = (context: HostContext, zone: Zone): Result | undefined => {
    const source = findZone(context.host, sourceName)
    if (source === undefined) return fail(`zoneadm: ${sourceName}: No such zone configured`)
    if (source.kernel !== undefined) return fail(own(zone, `clone operation is invalid for ${zoneState(source)} zones.`))
    if (source.indexState !== "installed") return fail(`zoneadm: zone ${sourceName} is ${source.indexState}; installed is required.`)
    return snapshot !== undefined && Datasets.find(context.host, snapshot) === undefined
      ? fail(own(zone, `snapshot ${snapshot} does not exist`))
      : undefined
  }
  return longOperation(host, name, "clone", admit, (context, zone) => {
    const source = findZone(context.host, sourceName)
    return source === undefined ? { failure: `zoneadm: ${sourceName}: No such zone configured` } : cloneContent(context, zone, source, method === "copy", snapshot)
  })
}

/** A subcommand that is done in one step. */
const instant = (act: (context: HostContext, zone: Zone, args: ReadonlyArray<string>) => Result): ZoneCommand => (host, name, args) =>
  host.step((context) => {
    const zone = findZone(context.host, name)
    return zone === undefined ? gone(name) : act(context, zone, args)
  })

/** `zoneadm uninstall [-F]`. @category commands */
export const uninstall = instant((context, zone, args) => {
  const parsed = getopt(args, "?F")
  if (hasFlag(parsed, "?")) return fail(subUsage("uninstall"), 2)
  const refused = Checks.lock(context, zone) ?? Checks.notInKernel(zone, "uninstall")
  if (refused !== undefined) return refused
  if (zone.indexState === "configured") return fail(own(zone, "is already in state 'configured'."))
  if (!hasFlag(parsed, "F")) return fail(own(zone, "Input not from terminal and -F not specified: uninstall not done."))
  const mounts = ZonePath.mountsBelowRoot(context, zone)
  if (mounts.length > 0) {
    const root = `${zonepath(zone)}/root`
    return fail([own(zone, `These file systems are mounted on subdirectories of ${root}.`), "", ...mounts.map((mount) => `\t${mount}`)].join("\n"))
  }
  ZonePath.destroy(context, zone)
  zone.indexState = "configured"
  return ok()
})

/** `zoneadm detach [-n]`. @category commands */
export const detach = instant((context, zone, args) => {
  const parsed = getopt(args, "?n")
  if (hasFlag(parsed, "?")) return fail(subUsage("detach"), 2)
  const refused = Checks.lock(context, zone) ?? Checks.notInKernel(zone, "detach") ?? Checks.mustBeInstalled(zone, "detach")
  if (refused !== undefined) return refused
  if (!hasFlag(parsed, "n")) zone.indexState = "configured"
  return ok()
})

/** `zoneadm attach [-F]`. @category commands */
export const attach = instant((context, zone, args) => {
  const parsed = getopt(args, "?Fn:")
  if (hasFlag(parsed, "?")) return fail(subUsage("attach"), 2)
  const locked = Checks.lock(context, zone)
  if (locked !== undefined) return locked
  if (zone.kernel !== undefined || zone.indexState === "installed") return fail(own(zone, "is already installed."))
  if (zone.indexState === "incomplete" && !hasFlag(parsed, "F")) return fail(own(zone, "zone is incomplete; uninstall required."))
  if (!hasFlag(parsed, "F")) {
    const root = context.files.real(`${zonepath(zone)}/root`)
    if (!fs.existsSync(root) || isEmptyFolder(root)) return fail(`could not verify zonepath ${zonepath(zone)}: No such file or directory`)
  }
  zone.indexState = "installed"
  if (zone.uuid === "") zone.uuid = randomUUID()
  return ok()
})

/** `zoneadm move <zonepath>`. @category commands */
export const move = instant((context, zone, args) => {
  const [target, surplus] = args
  if (target === undefined || surplus !== undefined) return fail(subUsage("move"), 2)
  const refused = Checks.lock(context, zone) ?? Checks.notInKernel(zone, "move") ?? Checks.mustBeInstalled(zone, "move")
  if (refused !== undefined) return refused
  if (!target.startsWith("/")) return fail(`${target} is not an absolute path.`)
  const from = context.files.real(zonepath(zone))
  const to = context.files.real(target)
  if (fs.existsSync(to) && !isEmptyFolder(to)) return fail(own(zone, `${target} is not empty`))
  context.files.makeDirectory(to, 0o700)
  context.files.copyContent(from, to)
  const dataset = Datasets.mountedAt(context.host, zonepath(zone))
  if (dataset !== undefined) dataset.local["mountpoint"] = target
  context.files.remove(from)
  zone.configuration = { ...zone.configuration, properties: { ...zone.configuration.properties, zonepath: target } }
  return ok()
})

const markable = (text: string): text is IndexState => text === "configured" || text === "installed" || text === "incomplete"

/** `zoneadm mark incomplete`, `zoneadm mark -F <state>`. @category commands */
export const mark = instant((context, zone, args) => {
  const parsed = getopt(args, "F")
  const [state = "", surplus] = parsed.operands
  if (parsed.error !== undefined || surplus !== undefined || !markable(state)) return result(2)
  if (state !== "incomplete" && !hasFlag(parsed, "F")) return result(2)
  const refused = Checks.lock(context, zone) ?? Checks.notInKernel(zone, "mark")
  if (refused !== undefined) return refused
  zone.indexState = state
  return ok()
})

/** `zoneadm verify`. @category commands */
export const verify = instant((context, zone, args) => {
  if (args.length > 0) return fail(subUsage("verify"), 2)
  if (zone.kernel === undefined && zone.indexState === "incomplete") return fail(own(zone, "zone is incomplete; uninstall required."))
  const verified = Checks.verify(context, zone, "verify")
  return result(verified.failed ? 1 : 0, "", verified.lines.join("\n"))
})
