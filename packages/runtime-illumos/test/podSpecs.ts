/** Pods nobody thought of: any names, any values, on any brand. */
import { FastCheck as fc } from "effect"
import * as LinkName from "../src/LinkName.js"
import * as ZoneName from "../src/ZoneName.js"
import type { ZoneSpec } from "../src/ZoneSpec.js"
import type { PodShape } from "./podShapes.js"
import { value } from "./zoneConfigs.js"

const label = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/)
const name = fc.oneof(
  fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join(".").slice(0, 253).replace(/[.-]+$/, "")),
  // Not what an API server lets through, and still no reason to write something a host does not take.
  fc.string({ minLength: 1, maxLength: 60, unit: "grapheme" })
)
const identity = fc.record({ namespace: label, name, uid: fc.uuid() })

const octet = fc.integer({ min: 0, max: 255 })
const address = fc.oneof(
  fc.tuple(octet, octet, octet, fc.integer({ min: 8, max: 30 })).map(([a, b, c, length]) => ({
    address: `10.${a}.${b}.${c}/${length}`,
    defaultRouter: `10.${a}.${b}.1`
  })),
  fc.tuple(fc.integer({ min: 1, max: 0xffff }), fc.integer({ min: 1, max: 0xffff })).map(([a, b]) => ({
    address: `fd00:${a.toString(16)}::${b.toString(16)}/64`,
    defaultRouter: `fd00:${a.toString(16)}::1`
  }))
)

const word = fc.stringMatching(/^[a-z][a-z0-9.-]{0,12}$/).filter((text) => !/[.-]$/.test(text) && !text.includes(".."))
const mountPoint = fc.array(word, { minLength: 1, maxLength: 4 }).map((parts) => `/${parts.join("/")}`)
const source = fc.array(fc.oneof(word, word.map((text) => `${text} and more`)), { minLength: 1, maxLength: 4 }).map((parts) => `/sources/${parts.join("/")}`)

const memory = fc.bigInt({ min: 50n * 1024n ** 2n, max: 2n ** 40n })
const resources = fc.record({
  cpuPercent: fc.integer({ min: 1, max: 12_800 }),
  cpuShares: fc.integer({ min: 1, max: 65_535 }),
  physicalMemory: memory,
  swap: memory,
  maxLwps: fc.integer({ min: 100, max: 100_000 }),
  maxProcesses: fc.integer({ min: 100, max: 100_000 })
}, { requiredKeys: [] })

const dns = fc.record({
  nameservers: fc.array(fc.constantFrom("10.96.0.10", "fd00::a", "192.0.2.53", "192.0.2.54"), { maxLength: 4 }),
  searches: fc.array(word, { maxLength: 3 }),
  options: fc.constant(["ndots:5"])
})

/** Any shape; what a brand needs is there. */
export const podShape: fc.Arbitrary<PodShape> = fc.record({
  pod: identity,
  brand: fc.constantFrom("lx", "sparse", "lipkg", "ipkg", "pkgsrc", "joyent", "illumos", "bhyve"),
  dialect: fc.constantFrom("gate" as const, "omnios" as const),
  addresses: fc.uniqueArray(fc.tuple(fc.nat(999), address), { maxLength: 3, selector: ([index, net]) => `${index} ${net.address}` }),
  attributes: fc.uniqueArray(fc.record({ name: fc.stringMatching(/^x-[a-z0-9.-]{1,30}$/), value }), { maxLength: 4, selector: (attribute) => attribute.name }),
  fileSystems: fc.uniqueArray(
    fc.record({ dir: mountPoint, special: source, type: fc.constant("lofs"), options: fc.subarray(["ro", "nodevices", "nosetuid"]) }),
    { maxLength: 4, selector: (fs) => fs.dir }
  ),
  resources,
  dns: fc.option(dns, { nil: undefined })
}).map(({ addresses, attributes, brand, dialect, dns, fileSystems, pod, resources }) => {
  const zoneName = ZoneName.zoneNameOf(pod)
  const spec: ZoneSpec = {
    zoneName,
    zonepath: `/zones/${zoneName}`,
    brand,
    attributes: [{ name: "reddwarf-uid", value: pod.uid }, ...attributes],
    network: addresses.map(([index, net]) => ({ link: LinkName.linkNameOf({ ...pod, index }), ...net })),
    fileSystems,
    resources,
    dns,
    image: "rpool/images/any@base",
    machine: { bootDisk: "rpool/volumes/root" }
  }
  return { name: `${brand} ${zoneName}`, title: pod.name, dialect, spec }
})
