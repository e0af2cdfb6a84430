/** One form for all configurations that a host cannot tell apart. */
import type * as Model from "../../ZoneConfig.js"
import { fold } from "./controls.js"
import { netKey } from "./rules.js"

const kibibyte = 1024n

/** Sizes are written in whole KiB. */
const rounded = (bytes: bigint): bigint => (bytes + kibibyte - 1n) / kibibyte * kibibyte

const byKey = <A>(items: ReadonlyArray<A>, key: (item: A) => string): ReadonlyArray<A> =>
  items.toSorted((a, b) => {
    const [left, right] = [key(a), key(b)]
    return left < right ? -1 : left > right ? 1 : 0
  })

type Unset<A> = { readonly [K in keyof A]: A[K] | undefined }

/** Without the properties that are not set, so that two forms can be compared as data. */
const defined = <A extends object>(value: Unset<A>): A => {
  const copy = { ...value }
  for (const key of Object.keys(copy)) if (Reflect.get(copy, key) === undefined) Reflect.deleteProperty(copy, key)
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what is undefined is gone
  return copy as A
}

const memoryOf = (memory: Model.CappedMemory | undefined): Model.CappedMemory | undefined => {
  if (memory === undefined) return undefined
  const { locked, physical, swap } = memory
  return defined<Model.CappedMemory>({
    physical: physical === undefined ? undefined : rounded(physical),
    swap: swap === undefined ? undefined : rounded(swap),
    locked: locked === undefined ? undefined : rounded(locked)
  })
}

const netOf = (net: Model.NetResource): Model.NetResource => {
  const { properties, ...rest } = net
  return defined<Model.NetResource>((properties ?? []).length === 0 ? rest : net)
}

const rctlOf = (rctl: Model.RctlResource): Model.RctlResource => {
  const { further, ...rest } = rctl
  return (further ?? []).length === 0 ? rest : rctl
}

const cpusOf = (cpus: Model.DedicatedCpu | undefined): Model.DedicatedCpu | undefined =>
  cpus === undefined ? undefined : defined<Model.DedicatedCpu>({ ...cpus, most: cpus.most === cpus.least ? undefined : cpus.most })

export const normal = (config: Model.ZoneConfig): Model.ZoneConfig => {
  const folded = fold(config.rctl.map(rctlOf))
  const admin = config.admin ?? []
  return defined<Model.ZoneConfig>({
    ...config,
    ...folded.limits,
    maxShmMemory: config.maxShmMemory === undefined ? folded.limits.maxShmMemory : rounded(config.maxShmMemory),
    hostid: config.hostid?.replace(/^0x/i, ""),
    net: byKey(config.net.map(netOf), netKey),
    fs: byKey(config.fs.map((fs) => defined<Model.FsResource>(fs)), (fs) => fs.dir),
    device: byKey(config.device, (match) => match),
    rctl: byKey(folded.rctl, (rctl) => rctl.name),
    attr: byKey(config.attr, (attr) => attr.name),
    dataset: byKey(config.dataset, (name) => name),
    admin: admin.length === 0 ? undefined : byKey(admin, ({ user }) => user),
    securityFlags: config.securityFlags === undefined ? undefined : defined<Model.SecurityFlags>(config.securityFlags),
    dedicatedCpu: cpusOf(config.dedicatedCpu),
    cappedCpuPercent: config.cappedCpuPercent ?? folded.cappedCpuPercent,
    cappedMemory: memoryOf(config.cappedMemory === undefined ? folded.cappedMemory : { ...folded.cappedMemory, ...config.cappedMemory })
  })
}
