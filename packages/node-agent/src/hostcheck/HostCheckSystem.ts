/** Checks of the system itself: who runs the agent, what zones the host can have, how it shares its CPUs and memory. */
import { CommandLine, CommandRunner, HostCapabilities, HostError, HostInfo, Swap } from "@reddwarf/runtime-illumos"
import * as Effect from "effect/Effect"
import { type Check, ok, type Outcome, problem, unknown, warning, worst } from "./HostCheck.js"

/** Runs a program whose output is needed whatever its exit status is. */
const run = (program: string, ...args: ReadonlyArray<string>) =>
  Effect.flatMap(CommandRunner.CommandRunner, (runner) => runner.run(CommandLine.make(program, ...args)))

const gibibytes = (bytes: number): string => `${(bytes / 1024 ** 3).toFixed(1)} GiB`

/** What kind of host it is. @category constructors */
export const system: Check<CommandRunner.CommandRunner> = {
  name: "system",
  ask: Effect.map(HostInfo.read, ({ cpus, distribution, kernelVersion, machine, memoryBytes, osRelease }) => {
    const found = `${distribution} ${osRelease} ${kernelVersion}, ${cpus} CPUs, ${gibibytes(memoryBytes)}`
    return machine === "i86pc" ? ok(found) : warning(`${found}, ${machine}`, "nothing but 64-bit x86 has been tried; expect surprises")
  })
}

/** The least privileges with which zones can be managed; zoneadm and zlogin ask for all of them. */
const needed = ["proc_zone", "sys_admin", "sys_config", "sys_dl_config", "sys_ip_config", "sys_mount", "sys_res_config", "file_dac_read", "file_dac_write"]

/** Whether the agent may manage zones: in the global zone, with all privileges. @category constructors */
export const privileges = (pid: number): Check<CommandRunner.CommandRunner> => ({
  name: "privileges",
  ask: Effect.gen(function*() {
    const zone = (yield* run("/usr/bin/zonename")).stdout.trim()
    if (zone !== "global") return problem(`this is the zone ${zone}`, "run the agent in the global zone; zones cannot be made inside a zone")
    const who = /^uid=\d+\(([^)]*)\)/.exec((yield* run("/usr/bin/id")).stdout)?.[1] ?? "an unknown user"
    const sets = yield* run("/usr/bin/ppriv", String(pid))
    const effective = /^\s*E:\s*(.*)$/m.exec(sets.stdout)?.[1]?.trim().split(",")
    if (effective === undefined) return unknown(`the privileges of ${who} cannot be read`, "run the agent as root")
    if (effective.includes("all") || effective.includes("zone")) return ok(`${who}, all privileges, in the global zone`)
    const missing = needed.filter((privilege) => !effective.includes(privilege))
    return problem(
      `${who} has not all privileges${missing.length === 0 ? "" : `; among others ${missing.slice(0, 3).join(", ")} are missing`}`,
      "run the agent as root, or as a service with all privileges (reddwarf-agent smf-manifest prints one)"
    )
  })
})

/** Which zonecfg the host has, and how it keeps zones within their memory. @category constructors */
export const dialect: Check<CommandRunner.CommandRunner> = {
  name: "zonecfg",
  ask: Effect.map(HostCapabilities.read, ({ physicalMemoryCap, zonecfgDialect, zoneListFields }) => {
    const found = `dialect ${zonecfgDialect}, ${zoneListFields} fields in zone lists, memory caps by ${physicalMemoryCap === "kernel" ? "the kernel" : "rcapd"}`
    return physicalMemoryCap === "kernel"
      ? ok(found)
      : warning(found, "memory limits of pods are kept by paging out after the fact: run svcadm enable system/rcap, and give pods memory to spare")
  })
}

/** The brands that pods can have; `wanted` are those of the settings. @category constructors */
export const brands = (wanted: ReadonlyArray<string>): Check<CommandRunner.CommandRunner> => ({
  name: "brands",
  ask: Effect.map(HostCapabilities.read, (capabilities): Outcome => {
    if (capabilities.brands === undefined) return unknown("the host has no way to list its brands", "name the brands with --supported-brands")
    const usable = HostCapabilities.usableBrands(capabilities) ?? []
    const names = usable.join(", ")
    if (usable.length === 0) return problem("no brand is installed whose zones can boot", "install one, for instance: pkg install system/zones/brand/sparse")
    const found: Outcome = ok(names)
    const absent = wanted.filter((brand) => !capabilities.brands?.some(({ name }) => name === brand))
    const broken = capabilities.brands.filter(({ unusable }) => unusable !== undefined)
    const outcomes: ReadonlyArray<Outcome> = [
      ...absent.map((brand) => problem(`${brand} is not installed`, `run pkg install system/zones/brand/${brand}, or leave it out of --supported-brands`)),
      ...broken.map(({ name, unusable = "" }) =>
        wanted.includes(name)
          ? problem(`${name} cannot be used: ${unusable}`, "switch virtualisation on in the firmware, or leave the brand out of --supported-brands")
          : warning(`${names}; not ${name}: ${unusable}`, "nothing, unless pods shall have virtual machines: then switch virtualisation on in the firmware"))
    ]
    return worst([found, ...outcomes])
  })
})

/** How new processes are scheduled: shares of CPU mean something only with the fair share scheduler. @category constructors */
export const scheduling: Check<CommandRunner.CommandRunner> = {
  name: "scheduling-class",
  ask: Effect.map(run("/usr/sbin/dispadmin", "-d"), ({ stdout }) => {
    const name = /^(\S+)\s+\(/.exec(stdout)?.[1]
    return name === "FSS"
      ? ok("FSS")
      : warning(name === undefined ? "no default scheduling class is set" : `the default scheduling class is ${name}`, "CPU requests of pods have no effect: run dispadmin -d FSS and reboot")
  })
}

/** How much virtual memory is left. Less than a tenth of the memory is little. @category constructors */
export const memory: Check<CommandRunner.CommandRunner> = {
  name: "memory",
  ask: Effect.gen(function*() {
    const runner = yield* CommandRunner.CommandRunner
    const { memoryBytes } = yield* HostInfo.read
    const text = (yield* runner.run(Swap.summary)).stdout
    const summary = Swap.parseSummary(text)
    if (summary === undefined) {
      return yield* new HostError.UnreadableOutput({ operation: "read", object: CommandLine.format(Swap.summary), detail: text.slice(0, 200) })
    }
    const devices = Swap.parseDevices((yield* runner.run(Swap.devices)).stdout)
    const found = `${gibibytes(summary.available)} of virtual memory available, swap devices: ${devices.length}`
    if (summary.available < memoryBytes / 10) return warning(found, "stop what the host does not need, or add swap: swap -a /dev/zvol/dsk/POOL/VOLUME")
    return devices.length > 0
      ? ok(found)
      : warning(found, "memory that processes reserve and do not use is lost without a swap device: zfs create -V 8G POOL/swap, swap -a /dev/zvol/dsk/POOL/swap")
  })
}

/** Least Node.js that the agent runs on. */
const leastNode = 24

/** The Node.js that runs the agent. @category constructors */
export const node = (version: string): Check => ({
  name: "node",
  ask: Effect.sync(() => {
    const major = Number(/^v?(\d+)\./.exec(version)?.[1] ?? Number.NaN)
    return major >= leastNode ? ok(`Node.js ${version}`) : problem(`Node.js ${version}`, `run the agent with Node.js ${leastNode} or later`)
  })
})
