import * as Either from "effect/Either"
import type { ZoneConfigRejected } from "../HostError.js"
import type { AttrResource, FsResource, ZoneConfig } from "../ZoneConfig.js"
import type { ZoneMachine, ZoneSpec } from "../ZoneSpec.js"
import { mostAttributeBytes, nameservers, refuse } from "./brandParts.js"

const mebibyte = 1024 * 1024
const mostDisks = 16

/** Volumes: pool and at least one more component. */
const volumeName = /^[A-Za-z][A-Za-z0-9_.:-]*(\/[A-Za-z0-9_.:-]+)+$/
const settingName = /^[A-Za-z][A-Za-z0-9-]*$/

const vcpusOf = (spec: ZoneSpec, machine: ZoneMachine): number =>
  machine.vcpus ?? Math.max(1, Math.ceil((spec.resources?.cpuPercent ?? 100) / 100))

/** The guest's memory alone: the processes that emulate the machine need some of their own beside it. */
const ramOf = (spec: ZoneSpec, machine: ZoneMachine): number =>
  machine.ramBytes ?? Number(spec.resources?.physicalMemory ?? BigInt(1024 * mebibyte))

/** Memory that the emulation itself takes beside the guest's, which must not count against the guest. */
const emulationBytes = 256n * BigInt(mebibyte)

/** The memory caps of the zone hold the guest and its emulation; a cap that is too tight would kill the machine. */
const withRoom = (config: ZoneConfig, ramBytes: number): ZoneConfig => {
  const { cappedMemory } = config
  if (cappedMemory === undefined) return config
  const least = BigInt(ramBytes) + emulationBytes
  const raised = (bytes: bigint | undefined) => bytes === undefined || bytes >= least ? bytes : least
  const { locked, physical, swap } = { locked: raised(cappedMemory.locked), physical: raised(cappedMemory.physical), swap: raised(cappedMemory.swap) }
  return {
    ...config,
    cappedMemory: {
      ...(physical === undefined ? {} : { physical }),
      ...(swap === undefined ? {} : { swap }),
      ...(locked === undefined ? {} : { locked })
    }
  }
}

const settingsOf = (spec: ZoneSpec, machine: ZoneMachine): ReadonlyMap<string, string> => {
  const { cdrom, cloudInit, console, diskInterface, firmware, netInterface, sshKey } = machine
  const dns = spec.dns
  const guest = cloudInit !== undefined && cloudInit !== false
  const entries: ReadonlyArray<readonly [string, string | undefined]> = [
    ["bootdisk", machine.bootDisk],
    ["cdrom", cdrom],
    ...(machine.disks ?? []).map((disk, index) => [`disk${index}`, disk] as const),
    ["vcpus", String(vcpusOf(spec, machine))],
    ["ram", `${Math.ceil(ramOf(spec, machine) / mebibyte)}M`],
    ["bootrom", firmware],
    ["diskif", diskInterface],
    ["netif", netInterface],
    ["console", console],
    ["cloud-init", cloudInit === true ? "on" : cloudInit === false ? undefined : cloudInit],
    // Only cloud-init reads these.
    ["sshkey", guest ? sshKey : undefined],
    ["resolvers", guest && dns !== undefined && nameservers(dns).length > 0 ? nameservers(dns).join(",") : undefined],
    ["dns-domain", guest ? dns?.searches?.[0] : undefined]
  ]
  const settings = new Map<string, string>()
  for (const [name, value] of entries) if (value !== undefined) settings.set(name, value)
  for (const [name, value] of Object.entries(machine.settings ?? {})) settings.set(name, value)
  return settings
}

const problemOf = (spec: ZoneSpec, machine: ZoneMachine): string | undefined => {
  const { bootDisk, cdrom, disks = [], ramBytes, vcpus } = machine
  if (bootDisk === undefined && cdrom === undefined) return "a machine boots from a disk or a medium: name a volume or an image"
  const badDisk = [...(bootDisk === undefined ? [] : [bootDisk]), ...disks].find((disk) => !volumeName.test(disk))
  if (badDisk !== undefined) return `${JSON.stringify(badDisk)} is not the name of a volume`
  if (disks.length > mostDisks) return `it has at most ${mostDisks} disks beside the one it boots from`
  if (cdrom !== undefined && !cdrom.startsWith("/")) return `the medium ${JSON.stringify(cdrom)} is not an absolute path`
  if (vcpus !== undefined && (!Number.isInteger(vcpus) || vcpus < 1)) return `${vcpus} is not a number of virtual CPUs`
  if (ramBytes !== undefined && !(ramBytes >= mebibyte)) return "it needs at least 1 MiB of memory"
  const settings = [...settingsOf(spec, machine)]
  const badName = settings.find(([name]) => !settingName.test(name))
  if (badName !== undefined) return `${JSON.stringify(badName[0])} is not the name of a setting`
  const long = settings.find(([, value]) => Buffer.byteLength(value) > mostAttributeBytes)
  return long === undefined ? undefined : `${long[0]} is longer than ${mostAttributeBytes} bytes`
}

/** The configuration of a zone that is a virtual machine. */
export const configure = (spec: ZoneSpec, config: ZoneConfig): Either.Either<ZoneConfig, ZoneConfigRejected> => {
  const machine = spec.machine ?? {}
  const problem = problemOf(spec, machine)
  if (problem !== undefined) return refuse(spec, problem)
  const volumes = [...(machine.bootDisk === undefined ? [] : [machine.bootDisk]), ...(machine.disks ?? [])]
  const attributes = [...settingsOf(spec, machine)].map(([name, value]): AttrResource => ({ name, type: "string", value }))
  const media: ReadonlyArray<FsResource> = machine.cdrom === undefined
    ? []
    : [{ dir: machine.cdrom, special: machine.cdrom, type: "lofs", options: ["ro", "nodevices"] }]
  return Either.right(withRoom({
    ...config,
    attr: [...config.attr, ...attributes],
    fs: [...config.fs, ...media],
    // The zone sees a volume only when its raw device is handed over.
    device: [...config.device, ...volumes.map((volume) => `/dev/zvol/rdsk/${volume}*`)]
  }, ramOf(spec, machine)))
}
