/** Zone configurations that a host takes, for property tests here and through the simulated zonecfg. */
import { FastCheck as fc } from "effect"
import * as LinkName from "../src/LinkName.js"
import type * as ZoneConfig from "../src/ZoneConfig.js"

type Draft<A> = { -readonly [K in keyof A]: A[K] }

/** A value zonecfg can store: anything but quotes and control characters. */
export const value = fc.string({ minLength: 1, maxLength: 40, unit: "grapheme" }).filter((text) =>
  // oxlint-disable-next-line no-control-regex -- the characters under test
  !/["\u0000-\u001f\u007f]|[\ud800-\udfff]/u.test(text) && Buffer.byteLength(text) <= 255
)
const inside = value.filter((text) => !/^[ \t]|[ \t]$/.test(text))
const word = fc.stringMatching(/^[a-z][a-z0-9]{0,8}$/)
const path = fc.array(word, { minLength: 1, maxLength: 4 }).map((parts) => `/${parts.join("/")}`)
const octet = fc.integer({ min: 0, max: 255 })
const ip4 = fc.tuple(octet, octet, octet, octet).map((octets) => octets.join("."))
const ip6 = fc.array(fc.integer({ min: 1, max: 0xffff }), { minLength: 8, maxLength: 8 }).map((parts) => parts.map((part) => part.toString(16)).join(":"))
const withLength = fc.oneof(
  fc.tuple(ip4, fc.integer({ min: 0, max: 32 })).map(([address, length]) => `${address}/${length}`),
  fc.tuple(ip6, fc.integer({ min: 0, max: 128 })).map(([address, length]) => `${address}/${length}`)
)
const physical = fc.integer({ min: 0, max: 3 }).map((index) => LinkName.make(`rd_a_${index}`))
const kib = (least: bigint, most: bigint) => fc.bigInt({ min: least / 1024n, max: most / 1024n }).map((count) => count * 1024n)
const mib = 1024n * 1024n

const extras = fc.record({
  globalNic: fc.constantFrom("net0", "auto", "aggr0"),
  macAddr: fc.constantFrom("2:8:20:a:b:c", "02:08:20:0a:0b:0c"),
  vlanId: fc.integer({ min: 1, max: 4094 }),
  properties: fc.array(fc.record({ name: word, value }), { minLength: 1, maxLength: 3 })
}, { requiredKeys: [] })

const exclusiveNet = fc.record({ physical, allowedAddress: withLength, defrouter: fc.oneof(ip4, ip6) }, { requiredKeys: ["physical"] })
const sharedNet = fc.record({ physical, address: fc.oneof(withLength, ip4), defrouter: ip4 }, { requiredKeys: ["physical", "address"] })

const unique = <A>(items: fc.Arbitrary<A>, key: (item: A) => string, maxLength: number) => fc.uniqueArray(items, { selector: key, maxLength })

const fs: fc.Arbitrary<ZoneConfig.FsResource> = fc.record({
  dir: path,
  special: fc.oneof(path, value),
  raw: path,
  type: word,
  options: fc.uniqueArray(value.filter((text) => !text.includes(",")), { maxLength: 3 })
}, { requiredKeys: ["dir", "special", "type", "options"] })

const attr: fc.Arbitrary<ZoneConfig.AttrResource> = fc.oneof(
  fc.record({ name: word, type: fc.constant("string" as const), value }),
  fc.record({ name: word, type: fc.constant("boolean" as const), value: fc.constantFrom("true", "false") }),
  fc.record({ name: word, type: fc.constant("int" as const), value: fc.integer().map(String) }),
  fc.record({ name: word, type: fc.constant("uint" as const), value: fc.nat().map(String) })
)

const rctlValue = fc.record({ limit: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), action: fc.constantFrom("none" as const, "deny" as const) })
const rctl: fc.Arbitrary<ZoneConfig.RctlResource> = fc.tuple(
  fc.constantFrom("zone.max-lofi", "zone.cpu-baseline", "zone.max-crypto-memory"),
  rctlValue,
  fc.array(rctlValue, { minLength: 1, maxLength: 2 })
).chain(([name, first, further]) => fc.constantFrom({ name, ...first }, { name, ...first, further }))

const flag = fc.oneof(
  fc.uniqueArray(fc.constantFrom("ASLR" as const, "FORBIDNULLMAP" as const, "NOEXECSTACK" as const), { minLength: 1, maxLength: 3 }),
  fc.constantFrom(["all" as const], ["none" as const])
)

const memory: fc.Arbitrary<ZoneConfig.CappedMemory> = fc.record({
  physical: kib(mib, 2n ** 44n),
  swap: kib(50n * mib, 2n ** 44n),
  locked: kib(1024n, 2n ** 44n)
}, { requiredKeys: [] }).filter((caps) => Object.keys(caps).length > 0).map((caps) =>
  caps.physical !== undefined && caps.locked !== undefined && caps.locked > caps.physical ? { ...caps, locked: caps.physical } : caps
)

const limits: fc.Arbitrary<ZoneConfig.ZoneLimits> = fc.record({
  maxLwps: fc.integer({ min: 100, max: 1_000_000 }),
  maxProcesses: fc.integer({ min: 100, max: 1_000_000 }),
  maxMsgIds: fc.nat(),
  maxSemIds: fc.nat(),
  maxShmIds: fc.nat(),
  maxShmMemory: kib(0n, 2n ** 44n)
}, { requiredKeys: [] })

/** How much of the machine's CPUs: the ways exclude each other. */
const cpus = fc.oneof(
  fc.constant({}),
  fc.record({
    cappedCpuPercent: fc.integer({ min: 1, max: 6400 }),
    cpuShares: fc.integer({ min: 1, max: 65_535 }),
    schedulingClass: fc.constant("FSS" as const),
    pool: word
  }, { requiredKeys: [] }),
  fc.record({ schedulingClass: fc.constantFrom("TS" as const, "FX" as const, "RT" as const, "IA" as const) }),
  fc.record({
    dedicatedCpu: fc.tuple(fc.integer({ min: 1, max: 64 }), fc.nat(64), fc.boolean(), fc.nat(100)).map(([least, more, weighted, importance]) => ({
      least,
      ...(more === 0 ? {} : { most: least + more }),
      ...(weighted ? { importance } : {})
    }))
  })
)

const netKey = (net: { readonly physical: string; readonly address?: string; readonly allowedAddress?: string }) =>
  `${net.physical} ${net.address ?? ""} ${net.allowedAddress ?? ""}`

const nets = (dialect: ZoneConfig.Dialect, ipType: "shared" | "exclusive"): fc.Arbitrary<ReadonlyArray<ZoneConfig.NetResource>> => {
  const net: fc.Arbitrary<ZoneConfig.NetResource> = ipType === "shared" ? sharedNet : exclusiveNet
  const one = dialect === "gate" || ipType === "shared" ? net : fc.tuple(net, extras).map(([base, more]): ZoneConfig.NetResource => ({ ...base, ...more }))
  return unique(one, netKey, 5).map((all) =>
    all.map((net) => {
      if (ipType === "shared" || all.some((other) => other.physical === net.physical && other.allowedAddress !== undefined)) return net
      const { defrouter: _, ...rest } = net
      return rest
    })
  )
}

/** Configurations a host of the dialect takes. The brand is always there; `lx` has rules of its own and comes by `lx`. */
export const zoneConfig = (dialect: ZoneConfig.Dialect): fc.Arbitrary<ZoneConfig.ZoneConfig> =>
  fc.constantFrom("shared" as const, "exclusive" as const).chain((ipType) =>
    fc.tuple(
      fc.record({
        zonepath: path,
        brand: fc.constantFrom("sparse", "ipkg", "bhyve"),
        autoboot: fc.boolean(),
        ipType: fc.constant(ipType),
        limitpriv: fc.constantFrom("default,dtrace_proc", "default,!net_access", "default"),
        bootargs: inside,
        fsAllowed: fc.constantFrom("ufs", "nfs,smbfs"),
        hostid: fc.integer({ min: 1, max: 0xffff_fffe }).map((id) => id.toString(16)),
        net: nets(dialect, ipType),
        fs: unique(fs, (item) => item.dir, 3),
        device: fc.uniqueArray(word.map((name) => `/dev/zvol/rdsk/${name}*`), { maxLength: 2 }),
        rctl: unique(rctl, (item) => item.name, 2),
        attr: unique(attr, (item) => item.name, 4),
        dataset: fc.uniqueArray(word.map((name) => `rpool/${name}`), { maxLength: 2 }),
        admin: unique(
          fc.record({ user: fc.constantFrom("root", "nobody"), auths: fc.subarray(["login", "manage", "clonefrom"] as const, { minLength: 1 }) }),
          ({ user }) => user,
          2
        ),
        securityFlags: fc.record({ default: flag, lower: flag, upper: flag }, { requiredKeys: [] }).filter((sets) => Object.keys(sets).length > 0),
        cappedMemory: memory
      }, { requiredKeys: ["zonepath", "brand", "autoboot", "ipType", "net", "fs", "device", "rctl", "attr", "dataset"] }),
      cpus,
      limits,
      fc.option(fc.nat(16_384), { nil: undefined })
    ).map(([base, cpu, limit, priority]) => {
      const config: Draft<ZoneConfig.ZoneConfig> = { ...base, ...cpu, ...limit }
      if (dialect === "omnios" && priority !== undefined) config.zfsIoPriority = priority
      return config
    })
  )
