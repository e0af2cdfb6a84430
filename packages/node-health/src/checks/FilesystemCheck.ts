/** `filesystem_ro`: nothing that must be writable is read-only, by the mount table, by ZFS, and by writing. */
import { CommandLine, type CommandRunner } from "@reddwarf/runtime-illumos"
import { ZfsOutput, ZpoolStatus } from "@reddwarf/storage-zfs"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FileProbe from "../FileProbe.js"
import * as HealthCheck from "../HealthCheck.js"
import type * as HostReader from "../HostReader.js"
import * as MountTable from "../MountTable.js"
import * as Observation from "../Observation.js"

/** @category models */
export interface Options {
  /** Paths on file systems that must be writable. Default root. */
  readonly mounts?: ReadonlyArray<string>
  /** Mount points that are read-only on purpose. */
  readonly expected?: ReadonlyArray<string>
  /** Folders that are written to. Default none. */
  readonly writeProbe?: ReadonlyArray<string>
  /** Content of fstab: what it mounts read-only is so on purpose. */
  readonly fstab?: string
}

/** Codes of failed writes that mean a file system cannot be written to. */
const broken: ReadonlySet<string> = new Set(["EROFS", "EIO", "ENXIO", "ENODEV"])
/** Codes that are about space, which is another check. */
const full: ReadonlySet<string> = new Set(["ENOSPC", "EDQUOT"])

/** What a write probe means. @category combinators */
export const written = (folder: string, error: FileProbe.ProbeError | undefined): Observation.Observation => {
  if (error === undefined) return Observation.pass()
  if (error._tag === "ProbeHung") return Observation.fail(`a write to ${folder} hangs`)
  if (broken.has(error.code)) return Observation.fail(error.code === "EROFS" ? `read-only: ${folder}` : `${error.code} on ${folder}`)
  return full.has(error.code) ? Observation.pass() : Observation.unknown(`${error.code} on ${folder}`)
}

/** `read-only: /a,/b`, the first three. */
const readOnly = (points: ReadonlyArray<string>): ReadonlyArray<Observation.Observation> =>
  points.length === 0 ? [] : [Observation.fail(`read-only: ${points.slice(0, 3).join(",")}`)]

const goodHealth: ReadonlySet<string> = new Set(["ONLINE", "DEGRADED"])

/** What ZFS says about the datasets and pools below the watched mounts. @category combinators */
export const zfsObservations = (
  mounts: ReadonlyArray<MountTable.Mount>,
  expected: ReadonlySet<string>,
  output: { readonly datasets?: string | undefined; readonly pools?: string | undefined; readonly status?: string | undefined }
): ReadonlyArray<Observation.Observation> => {
  const datasets = ZfsOutput.parseProperties(output.datasets ?? "")
  const pools = ZfsOutput.parseProperties(output.pools ?? "")
  const watched = [...new Set(mounts.map(({ special }) => special.split("/")[0] ?? ""))]
  const suspended = new Map(ZpoolStatus.parse(output.status ?? "").map(({ pool, state }) => [pool, state]))
  return [
    ...readOnly(mounts.filter(({ mountPoint, special }) => !expected.has(mountPoint) && datasets.get(special)?.get("readonly")?.value === "on").map(({ mountPoint }) => mountPoint)),
    ...watched.flatMap((pool) => {
      const health = suspended.get(pool) === "SUSPENDED" ? "SUSPENDED" : pools.get(pool)?.get("health")?.value ?? suspended.get(pool)
      if (health !== undefined && !goodHealth.has(health)) return [Observation.fail(`pool ${pool} ${health}`)]
      return pools.get(pool)?.get("readonly")?.value === "on" ? [Observation.fail(`pool ${pool} read-only`)] : []
    })
  ]
}

const text = (result: Effect.Effect<CommandRunner.CommandResult, CommandRunner.CommandUnavailable>): Effect.Effect<string | undefined> =>
  Effect.match(result, { onFailure: () => undefined, onSuccess: ({ stdout }) => stdout })

/** @category constructors */
export const make = (host: HostReader.Service, options: Options = {}, tuning?: HealthCheck.Tuning): HealthCheck.HealthCheck => {
  const wanted = options.mounts ?? ["/"]
  const fstab = MountTable.parseLinux(options.fstab ?? "").filter((mount) => mount.options.includes("ro")).map(({ mountPoint }) => mountPoint)
  const expected = new Set([...(options.expected ?? []), ...fstab])
  return HealthCheck.make({ name: "filesystem_ro", timeout: Duration.millis(1500), cacheTtl: Duration.seconds(5), onUnknown: "pass" }, tuning, (timeout) => {
    // The parts end before the whole does, so that their findings are heard.
    const limit = Math.round(Duration.toMillis(timeout) * 0.8)
    const table = Effect.gen(function*() {
      const illumos = host.platform === "illumos"
      const content = yield* host.kernelFile(illumos ? "/etc/mnttab" : "/proc/1/mounts")
      const usable = content ?? (illumos ? undefined : yield* host.kernelFile("/proc/self/mounts"))
      if (usable === undefined) return [Observation.unknown("the mount table cannot be read")]
      const all = illumos ? MountTable.parseMnttab(usable) : MountTable.parseLinux(usable)
      const mounts = [...new Set(wanted.flatMap((path) => MountTable.holding(all, path) ?? []))]
      const bad = readOnly(mounts.filter((mount) => MountTable.isReadOnly(mount) && !expected.has(mount.mountPoint)).map(({ mountPoint }) => mountPoint))
      const zfs = mounts.filter(({ special, type }) => type === "zfs" && /^[A-Za-z][A-Za-z0-9_.:-]*(\/[A-Za-z0-9_.: -]+)*$/.test(special))
      if (!illumos || zfs.length === 0) return bad
      const pools = [...new Set(zfs.map(({ special }) => special.split("/")[0] ?? special))]
      const columns = ["-Hp", "-o", "name,property,value,source"]
      const [datasets, properties, status] = yield* Effect.all([
        text(host.run(CommandLine.make("/usr/sbin/zfs", "get", ...columns, "readonly", ...zfs.map(({ special }) => special)), limit)),
        text(host.run(CommandLine.make("/usr/sbin/zpool", "get", ...columns, "readonly,health", ...pools), limit)),
        text(host.run(CommandLine.make("/usr/sbin/zpool", "status", ...pools), limit))
      ], { concurrency: 3 })
      return [...bad, ...zfsObservations(zfs, expected, { datasets, pools: properties, status })]
    })
    const probes = Effect.forEach(options.writeProbe ?? [], (folder) =>
      FileProbe.within(host.files.write(folder), folder, limit).pipe(
        Effect.match({ onFailure: (error) => written(folder, error), onSuccess: () => written(folder, undefined) })
      ), { concurrency: "unbounded" })
    return Effect.zipWith(table, probes, (a, b) => Observation.all([...a, ...b]), { concurrent: true })
  })
}
