/**
 * What a bhyve zone needs before its machine starts: something to boot from, and every volume and medium visible in the zone. The brand
 * would find out in its boot script; the words it uses there are not verified.
 */
import type { HostContext } from "../CommandContext.js"
import { resources, type ZoneConfiguration } from "../HostState.js"
import * as Datasets from "../zfs/Datasets.js"

const attributes = (configuration: ZoneConfiguration): ReadonlyMap<string, string> =>
  new Map(resources(configuration, "attr").map((attribute) => [attribute.properties["name"] ?? "", attribute.properties["value"] ?? ""]))

/** Options of a disk stand behind its name. */
const nameOf = (value: string): string => value.split(",")[0] ?? ""

const matches = (pattern: string, path: string): boolean =>
  pattern.endsWith("*") ? path.startsWith(pattern.slice(0, -1)) : pattern === path

const diskProblem = (context: HostContext, configuration: ZoneConfiguration, disk: string): string | undefined => {
  if (Datasets.find(context.host, disk)?.type !== "volume") return `disk ${disk}: no such volume`
  const device = `/dev/zvol/rdsk/${disk}`
  const visible = resources(configuration, "device").some((entry) => matches(entry.properties["match"] ?? "", device))
  return visible ? undefined : `disk ${disk}: ${device} is not in the zone`
}

const mediumProblem = (configuration: ZoneConfiguration, medium: string): string | undefined =>
  resources(configuration, "fs").some((entry) => {
    const dir = entry.properties["dir"] ?? ""
    return medium === dir || medium.startsWith(`${dir}/`)
  })
    ? undefined
    : `cdrom ${medium} is not in the zone`

/** Why the machine of this configuration cannot start; nothing for zones that are none. @category combinators */
export const problem = (context: HostContext, configuration: ZoneConfiguration): string | undefined => {
  if (configuration.properties["brand"] !== "bhyve") return undefined
  const settings = attributes(configuration)
  const disks = [...settings].flatMap(([name, value]) => /^(bootdisk|disk\d*)$/.test(name) ? [nameOf(value)] : [])
  const media = [...settings].flatMap(([name, value]) => /^cdrom\d*$/.test(name) ? [nameOf(value)] : [])
  if (settings.get("bootdisk") === undefined && media.length === 0) return "no bootdisk and no cdrom to boot from"
  const vcpus = settings.get("vcpus") ?? "1"
  if (!/^[1-9]\d*$|^(cpus|sockets|cores|threads)=\d+(,(cpus|sockets|cores|threads)=\d+)*$/.test(vcpus)) return `vcpus ${vcpus} is invalid`
  const ram = settings.get("ram") ?? "1G"
  if (!/^\d+[kmgt]?$/i.test(ram)) return `ram ${ram} is invalid`
  for (const disk of disks) {
    const found = diskProblem(context, configuration, disk)
    if (found !== undefined) return found
  }
  return media.map((medium) => mediumProblem(configuration, medium)).find((found) => found !== undefined)
}
