import { assert, describe, it } from "@effect/vitest"
import { Either, FastCheck as fc } from "effect"
import * as LinkName from "../src/LinkName.js"
import * as ZoneConfig from "../src/ZoneConfig.js"
import * as ZoneConfigExport from "../src/ZoneConfigExport.js"

const base = ZoneConfig.make("/zones/web1", "lx")
const script = (config: ZoneConfig.ZoneConfig) => Either.getOrThrow(ZoneConfig.render("web1", config))
const refusal = (config: ZoneConfig.ZoneConfig) =>
  Either.getOrThrow(Either.flip(ZoneConfig.render("web1", config))).message

/** A value zonecfg can store: anything but quotes and control characters. */
const value = fc.string({ minLength: 1, maxLength: 40, unit: "grapheme" }).filter((text) =>
  // oxlint-disable-next-line no-control-regex -- the characters under test
  !/["\u0000-\u001f\u007f]/.test(text) && Buffer.byteLength(text) <= 255
)
const word = fc.stringMatching(/^[a-z][a-z0-9]{0,8}$/)
const path = fc.array(word, { minLength: 1, maxLength: 4 }).map((parts) => `/${parts.join("/")}`)
const octet = fc.integer({ min: 0, max: 255 })
const ip = fc.tuple(octet, octet, octet, octet).map((octets) => octets.join("."))

const net: fc.Arbitrary<ZoneConfig.NetResource> = fc.record({
  physical: fc.integer({ min: 0, max: 99 }).map((index) => LinkName.make(`rd_a_${index}`)),
  allowedAddress: fc.tuple(ip, fc.integer({ min: 0, max: 32 })).map(([address, length]) => `${address}/${length}`),
  defrouter: ip,
  globalNic: fc.constant("net0"),
  vlanId: fc.integer({ min: 1, max: 4094 }),
  properties: fc.array(fc.record({ name: word, value }), { minLength: 1, maxLength: 3 })
}, { requiredKeys: ["physical", "allowedAddress"] })

const config: fc.Arbitrary<ZoneConfig.ZoneConfig> = fc.record({
  zonepath: path,
  brand: word,
  autoboot: fc.boolean(),
  ipType: fc.constantFrom("shared" as const, "exclusive" as const),
  limitpriv: fc.constant("default,dtrace_proc"),
  bootargs: value.filter((text) => text === text.trim()),
  schedulingClass: fc.constantFrom("FSS" as const, "FX" as const),
  net: fc.array(net, { maxLength: 3 }),
  fs: fc.array(
    fc.record({ dir: path, special: path, type: word, options: fc.array(value.filter((text) => !text.includes(",")), { maxLength: 3 }) }),
    { maxLength: 3 }
  ),
  device: fc.array(word.map((name) => `/dev/zvol/rdsk/${name}*`), { maxLength: 2 }),
  rctl: fc.array(
    fc.record({
      name: fc.constantFrom("zone.max-lwps", "zone.cpu-shares"),
      limit: fc.bigInt({ min: 0n, max: 2n ** 63n }),
      action: fc.constantFrom("none" as const, "deny" as const)
    }),
    { maxLength: 2 }
  ),
  attr: fc.array(fc.record({ name: word, type: fc.constant("string" as const), value }), { maxLength: 4 }),
  dataset: fc.array(word.map((name) => `rpool/${name}`), { maxLength: 2 }),
  cappedCpuPercent: fc.integer({ min: 1, max: 6400 }),
  cappedMemory: fc.record({
    physical: fc.bigInt({ min: 1024n, max: 2n ** 32n }).map((kib) => kib * 1024n),
    swap: fc.bigInt({ min: 51_200n, max: 2n ** 32n }).map((kib) => kib * 1024n)
  })
}, { requiredKeys: ["zonepath", "brand", "autoboot", "ipType", "net", "fs", "device", "rctl", "attr", "dataset"] })

/** The lexical rules of zonecfg for one line: what it would split it into. */
const tokens = (line: string): ReadonlyArray<string> => line.match(/"[^"\n]*"|[^\s"=;()[\],]+|[=;()[\],]/g) ?? []

describe("ZoneConfig", () => {
  it("writes a pod's zone, ip-type before net and commit last", () => {
    const text = script({
      ...base,
      limitpriv: "default",
      net: [{ physical: LinkName.make("rd_web_0"), allowedAddress: "10.88.0.7/16", defrouter: "10.88.0.1" }],
      fs: [{ dir: "/var/run/secrets/x", special: "/var/lib/node/x", type: "lofs", options: ["ro", "nodevices"] }],
      attr: [{ name: "reddwarf-uid", type: "string", value: "0a b;=[]" }],
      cappedCpuPercent: 50,
      cappedMemory: { physical: 512n * 1024n ** 2n, swap: 1536n * 1024n ** 2n }
    })
    assert.strictEqual(
      text,
      `create -b
set zonepath="/zones/web1"
set brand="lx"
set autoboot=false
set ip-type=exclusive
set limitpriv="default"
add net
set physical="rd_web_0"
set allowed-address="10.88.0.7/16"
set defrouter="10.88.0.1"
end
add capped-cpu
set ncpus=0.50
end
add capped-memory
set physical=512M
set swap=1536M
end
add fs
set dir="/var/run/secrets/x"
set special="/var/lib/node/x"
set type="lofs"
add options ["ro","nodevices"]
end
add attr
set name="reddwarf-uid"
set type=string
set value="0a b;=[]"
end
verify
commit
`
    )
  })

  it.prop("reads back what it writes", [config], ([config]) => {
    assert.deepStrictEqual(Either.getOrThrow(ZoneConfigExport.parse("z", script(config))), config)
  })

  it.each(["\u2028", " ", "\u00a0", "a\u2029b"])("keeps %j in a value", (value) => {
    const config = { ...base, attr: [{ name: "a", type: "string" as const, value }] }
    assert.deepStrictEqual(Either.getOrThrow(ZoneConfigExport.parse("web1", script(config))).attr, config.attr)
  })

  it.prop("never lets a value become a command", [config], ([config]) => {
    const commands = new Set(["create", "set", "add", "end", "verify", "commit"])
    for (const line of script(config).trimEnd().split("\n")) {
      assert.isTrue(commands.has(line.split(" ")[0] ?? ""), line)
      assert.notInclude(tokens(line), ";")
      assert.isBelow((line.match(/"/g) ?? []).length % 2, 1)
    }
  })

  it.prop("asks for CPU caps that zonecfg truncates to the wanted percentage", [fc.integer({ min: 1, max: 100_000 })], ([percent]) => {
    const ncpus = /set ncpus=(\S+)/.exec(script({ ...base, cappedCpuPercent: percent }))?.[1]
    return Math.trunc(Number(ncpus) * 100) === percent
  })

  it.each<readonly [string, Partial<ZoneConfig.ZoneConfig>]>([
    ["double quote", { attr: [{ name: "a", type: "string", value: "say \"hi\"" }] }],
    ["control character", { attr: [{ name: "a", type: "string", value: "x\nset autoboot=true" }] }],
    ["more than 255 bytes", { attr: [{ name: "a", type: "string", value: "ü".repeat(128) }] }],
    ["empty value", { attr: [{ name: "a", type: "string", value: "" }] }],
    ["letters, digits, '-' and '.'", { attr: [{ name: "a_b", type: "string", value: "x" }] }],
    ["not of type uint", { attr: [{ name: "a", type: "uint", value: "-1" }] }],
    ["zonepath", { zonepath: "zones/a" }],
    ["zonepath", { zonepath: "/zones/../etc" }],
    ["name of a brand", { brand: "l x" }],
    ["prefix length", { net: [{ physical: LinkName.make("a0"), allowedAddress: "10.0.0.300/24" }] }],
    ["prefix length", { net: [{ physical: LinkName.make("a0"), allowedAddress: "10.0.0.3" }] }],
    ["needs an allowed address", { net: [{ physical: LinkName.make("a0"), defrouter: "10.0.0.1" }] }],
    ["comma", { fs: [{ dir: "/a", special: "/b", type: "lofs", options: ["ro,suid"] }] }],
    ["50 MiB", { cappedMemory: { swap: 1024n } }],
    ["required", { cappedMemory: {} }],
    ["percentage", { cappedCpuPercent: 0 }],
    ["hexadecimal", { hostid: "ffffffff" }]
  ])("refuses what cannot be stored: %s", (reason, change) => {
    assert.include(refusal({ ...base, ...change }), reason)
  })

  it("reads an export of OmniOS, caps included", () => {
    const text = `create -b
set zonepath=/zones/web1
set brand=lx
set autoboot=false
set bootargs=-m verbose
set ip-type=exclusive
add fs
set dir="/data"
set special="/src"
set type="lofs"
add options "ro"
add options "nodevices"
end
add net
set allowed-address="10.1.2.3/24"
set physical="web1"
set defrouter="10.1.2.1"
add property (name=maxbw,value="10M,20M")
end
add rctl
set name="zone.max-swap"
add value (priv=privileged,limit=1073741824,action=deny)
end
add rctl
set name="zone.cpu-cap"
add value (priv=privileged,limit=50,action=deny)
end
add rctl
set name="zone.max-lwps"
add value (priv=privileged,limit=3000,action=deny)
end
add attr
set name="kernel-version"
set type="string"
set value="5.10 x"
end
add security-flags
set lower="none"
end
`
    assert.deepStrictEqual(Either.getOrThrow(ZoneConfigExport.parse("web1", text)), {
      ...base,
      bootargs: "-m verbose",
      fs: [{ dir: "/data", special: "/src", type: "lofs", options: ["ro", "nodevices"] }],
      net: [{
        physical: LinkName.make("web1"),
        allowedAddress: "10.1.2.3/24",
        defrouter: "10.1.2.1",
        properties: [{ name: "maxbw", value: "10M,20M" }]
      }],
      rctl: [{ name: "zone.max-lwps", limit: 3000n, action: "deny" }],
      attr: [{ name: "kernel-version", type: "string", value: "5.10 x" }],
      cappedCpuPercent: 50,
      cappedMemory: { swap: 1073741824n }
    })
  })

  it("refuses text that is no export", () => {
    const error = Either.getOrThrow(Either.flip(ZoneConfigExport.parse("web1", "zonename: web1\n")))
    assert.strictEqual(error._tag, "UnreadableOutput")
  })
})
