/** `container_runtime`, `zones`, `zpool`: what pods run in and on. */
import { CommandLine, type CommandRunner, HostCapabilities, HostInfo, ZoneAdm } from "@reddwarf/runtime-illumos"
import { ZfsOutput, ZpoolCommands, ZpoolStatus } from "@reddwarf/storage-zfs"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as AgentStatus from "../AgentStatus.js"
import * as HealthCheck from "../HealthCheck.js"
import type { HealthMetrics } from "../HealthMetrics.js"
import type * as HostReader from "../HostReader.js"
import * as Observation from "../Observation.js"

/** What pods run on. @category models */
export type Runtime =
  | { readonly _tag: "None" }
  /** A runtime with a socket, as containerd. */
  | { readonly _tag: "Cri"; readonly socket: string }
  /** Zones. */
  | { readonly _tag: "Zones"; readonly statusFile?: string; readonly brands?: ReadonlyArray<string>; readonly stuckZone?: "warn" | "fail" }
  /** A simulated host: what the agent leaves behind, and that it runs. */
  | { readonly _tag: "Development"; readonly statusFile: string }

/** Older listings of the agent are a fault, in milliseconds. */
const listingMillis = 180_000
/** Zones may be between two states for so long, in milliseconds. */
const stuckMillis = 600_000

/** Reads `zoneadm list -cp`; `undefined` when a line has another form, or when the global zone is missing. @category combinators */
export const parseZones = (text: string): ReadonlyArray<ZoneAdm.ZoneEntry> | undefined => {
  const lines = text.split("\n").filter((line) => line !== "")
  const entries = lines.flatMap((line) => ZoneAdm.parseEntry(line) ?? [])
  return entries.length === lines.length && entries.some(({ id }) => id === 0) ? entries : undefined
}

/** @category combinators */
export const listingAge = (status: AgentStatus.AgentStatus | undefined, now: number): Observation.Observation => {
  if (status === undefined) return Observation.unknown("the status file of the agent cannot be read")
  const age = now - status.zonesListedAt
  return age < listingMillis ? Observation.pass() : Observation.fail(`the agent last listed zones ${Math.round(age / 1000)} s ago`)
}

/** States in which a zone is only on its way. */
const between: ReadonlySet<ZoneAdm.ZoneState> = new Set(["incomplete", "shutting_down", "down"])

/** Names of zones that are between two states for too long; `since` remembers from when. @category combinators */
export const stuckZones = (
  zones: ReadonlyArray<ZoneAdm.ZoneEntry>,
  managed: ReadonlySet<string>,
  since: Map<string, number>,
  now: number
): ReadonlyArray<string> => {
  const moving = zones.filter(({ name, state }) => managed.has(name) && between.has(state)).map(({ name, state }) => ({ name, key: `${name} ${state}` }))
  const keys = new Set(moving.map(({ key }) => key))
  for (const key of since.keys()) if (!keys.has(key)) since.delete(key)
  for (const { key } of moving) if (!since.has(key)) since.set(key, now)
  return moving.filter(({ key }) => now - (since.get(key) ?? now) > stuckMillis).map(({ name }) => name)
}

/** Whether every brand can be had. @category combinators */
export const brandObservations = (wanted: ReadonlyArray<string>, installed: ReadonlyArray<string> | undefined, vmm: boolean | undefined): ReadonlyArray<Observation.Observation> => {
  if (installed === undefined) return wanted.length === 0 ? [] : [Observation.unknown("the brands of the host cannot be listed")]
  const missing = wanted.filter((brand) => !installed.includes(brand))
  return [
    ...(missing.length === 0 ? [] : [Observation.fail(`brand ${missing.join(", ")} is not installed`)]),
    ...(wanted.includes("bhyve") && vmm === false ? [Observation.fail("brand bhyve has no /dev/vmmctl")] : [])
  ]
}

const readStatus = (host: HostReader.Service, path: string): Effect.Effect<AgentStatus.AgentStatus | undefined> =>
  Effect.match(host.files.read(path), { onFailure: () => undefined, onSuccess: AgentStatus.decode })

const ran = (result: Effect.Effect<CommandRunner.CommandResult, CommandRunner.CommandUnavailable>): Effect.Effect<CommandRunner.CommandResult | undefined> =>
  Effect.orElseSucceed(result, () => undefined)

const throughZones = (
  host: HostReader.Service,
  metrics: HealthMetrics,
  runtime: Extract<Runtime, { readonly _tag: "Zones" }>,
  since: Map<string, number>
): Effect.Effect<Observation.Observation> =>
  Effect.gen(function*() {
    const [listed, names, status] = yield* Effect.all([
      ran(host.run(ZoneAdm.list, "1500 millis")),
      ran(host.run(HostInfo.brandDirectories, "1500 millis")),
      runtime.statusFile === undefined ? Effect.succeed(undefined) : readStatus(host, runtime.statusFile)
    ], { concurrency: 3 })
    const now = yield* Clock.currentTimeMillis
    const zones = listed?.exitCode === 0 ? parseZones(listed.stdout) : undefined
    if (zones === undefined) return Observation.fail(listed === undefined ? "zoneadm gives no answer" : listed.exitCode === 0 ? "the output of zoneadm cannot be read" : `zoneadm exits with ${listed.exitCode}`)
    const wanted = runtime.brands ?? status?.brands ?? []
    const folders = names?.exitCode === 0 ? names.stdout.split("\n").filter((name) => /^[a-z0-9][a-z0-9-]*$/.test(name)) : []
    const [configurations, vmm] = yield* Effect.all([
      wanted.length === 0 || folders.length === 0 ? Effect.succeed(undefined) : ran(host.run(HostCapabilities.brandConfigurations(folders), "1500 millis")),
      wanted.includes("bhyve") ? ran(host.run(CommandLine.make("/usr/bin/ls", "-1", "/dev/vmmctl"), "1500 millis")) : Effect.succeed(undefined)
    ], { concurrency: 2 })
    const installed = configurations === undefined ? undefined : HostCapabilities.parseBrands(configurations.stdout)
    const stuck = stuckZones(zones, new Set(status?.zones.map(({ name }) => name)), since, now)
    metrics.set("stuck_zones", stuck.length)
    const text = `stuck zones: ${stuck.slice(0, 3).join(", ")}`
    return Observation.all([
      Observation.pass(),
      ...brandObservations(wanted, installed, vmm === undefined ? undefined : vmm.exitCode === 0),
      ...(runtime.statusFile === undefined ? [] : [listingAge(status, now)]),
      ...(stuck.length === 0 ? [] : [runtime.stuckZone === "fail" ? Observation.fail(text) : Observation.pass(text)])
    ])
  })

/** `container_runtime`. @category constructors */
export const containerRuntime = (host: HostReader.Service, metrics: HealthMetrics, runtime: Runtime, tuning?: HealthCheck.Tuning): HealthCheck.HealthCheck => {
  const since = new Map<string, number>()
  const look = (): Effect.Effect<Observation.Observation> => {
    if (runtime._tag === "None") return Effect.succeed(Observation.pass("no container runtime is configured"))
    if (runtime._tag === "Zones") return throughZones(host, metrics, runtime, since)
    if (runtime._tag === "Cri") {
      return host.connect({ path: runtime.socket }).pipe(
        Effect.timeoutFail({ duration: "1 second", onTimeout: () => "timeout" }),
        Effect.match({ onFailure: (code) => Observation.fail(`runtime socket: ${code}`), onSuccess: () => Observation.pass("only the connection was tried; its status was not asked for") })
      )
    }
    return Effect.zipWith(readStatus(host, runtime.statusFile), Clock.currentTimeMillis, (status, now) =>
      Observation.all([
        listingAge(status, now),
        status === undefined || host.isRunning(status.pid) ? Observation.pass() : Observation.fail(`the agent (process ${status.pid}) does not run`)
      ]))
  }
  return HealthCheck.make({ name: "container_runtime", timeout: Duration.seconds(2), cacheTtl: Duration.seconds(2), onUnknown: "fail" }, tuning, look)
}

/** `zones`: the zone of every critical pod is running. @category constructors */
export const zones = (host: HostReader.Service, statusFile: string, tuning?: HealthCheck.Tuning): HealthCheck.HealthCheck =>
  HealthCheck.make({ name: "zones", timeout: Duration.seconds(2), cacheTtl: Duration.seconds(2), onUnknown: "pass" }, tuning, () =>
    Effect.zipWith(readStatus(host, statusFile), ran(host.run(ZoneAdm.list, "1500 millis")), (status, listed) => {
      const found = listed?.exitCode === 0 ? parseZones(listed.stdout) : undefined
      if (status === undefined || found === undefined) return Observation.unknown(status === undefined ? "the status file of the agent cannot be read" : "the zones cannot be listed")
      const running = new Set(found.filter(({ state }) => state === "running").map(({ name }) => name))
      const missing = status.zones.filter(({ critical, name }) => critical && !running.has(name)).map(({ name }) => name)
      return missing.length === 0 ? Observation.pass() : Observation.fail(`not running: ${missing.slice(0, 3).join(", ")}`)
    }, { concurrent: true }))

/** What the health of pools means. @category combinators */
export const poolObservations = (pools: ReadonlyMap<string, string>, wanted: string | undefined, degraded: "pass" | "fail"): Observation.Observation => {
  const listed = [...pools].filter(([name]) => wanted === undefined || name === wanted)
  if (listed.length === 0) return wanted === undefined ? Observation.unknown("no pool is listed") : Observation.fail(`pool ${wanted} does not exist`)
  return Observation.all(listed.map(([name, health]) =>
    health === "ONLINE"
      ? Observation.pass()
      : health === "DEGRADED"
      ? degraded === "pass" ? Observation.pass(`pool ${name} DEGRADED`) : Observation.fail(`pool ${name} DEGRADED`)
      : Observation.fail(`pool ${name} ${health}`)))
}

/** `zpool` for all pools, `zpool:<name>` for one; undefined when the name has another form. @category constructors */
export const zpool = (host: HostReader.Service, name: string, degraded: "pass" | "fail", tuning?: HealthCheck.Tuning): HealthCheck.HealthCheck | undefined => {
  const wanted = name === "zpool" ? undefined : name.slice("zpool:".length)
  if (wanted !== undefined && !/^[A-Za-z][A-Za-z0-9_.:-]*$/.test(wanted)) return undefined
  return HealthCheck.make({ name, timeout: Duration.seconds(2), cacheTtl: Duration.seconds(5), onUnknown: "pass" }, tuning, () =>
    Effect.map(
      Effect.all([
        ran(host.run(ZpoolCommands.listAllRounded, "1500 millis")),
        ran(host.run(CommandLine.make("/usr/sbin/zpool", "status"), "1500 millis"))
      ], { concurrency: 2 }),
      ([listed, status]) => {
        if (listed === undefined || listed.exitCode !== 0) return Observation.unknown("zpool gives no answer")
        const health = new Map(ZfsOutput.parsePools(listed.stdout).map((pool) => [pool.name, pool.health]))
        // Only here is a pool shown to be suspended.
        for (const { pool, state } of ZpoolStatus.parse(status?.stdout ?? "")) if (state === "SUSPENDED") health.set(pool, state)
        return poolObservations(health, wanted, degraded)
      }
    ))
}
