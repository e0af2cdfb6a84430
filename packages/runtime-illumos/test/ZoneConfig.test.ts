import { assert, describe, it } from "@effect/vitest"
import { Either, FastCheck as fc } from "effect"
import * as LinkName from "../src/LinkName.js"
import * as ZoneConfig from "../src/ZoneConfig.js"
import * as ZoneConfigDiff from "../src/ZoneConfigDiff.js"
import * as ZoneConfigExport from "../src/ZoneConfigExport.js"
import * as ZoneConfigInfo from "../src/ZoneConfigInfo.js"
import { zoneConfig } from "./zoneConfigs.js"

const base = ZoneConfig.make("/zones/web1", "lx")
const script = (config: ZoneConfig.ZoneConfig) => Either.getOrThrow(ZoneConfig.render("web1", config))
const refusal = (config: ZoneConfig.ZoneConfig) =>
  Either.getOrThrow(Either.flip(ZoneConfig.render("web1", config))).message

const config = zoneConfig("omnios")

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
    assert.deepStrictEqual(ZoneConfig.normalize(Either.getOrThrow(ZoneConfigExport.parse("z", script(config)))), ZoneConfig.normalize(config))
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
    ["hexadecimal", { hostid: "ffffffff" }],
    ["surrogate", { attr: [{ name: "a", type: "string", value: "\ud83d" }] }],
    ["blank", { bootargs: " -v" }],
    ["there twice", { attr: [{ name: "a", type: "string", value: "1" }, { name: "a", type: "string", value: "2" }] }],
    ["there twice", { fs: ["/b", "/c"].map((special) => ({ dir: "/a", special, type: "lofs", options: [] })) }],
    ["only with a shared IP stack", { net: [{ physical: LinkName.make("a0"), address: "10.0.0.1/8" }] }],
    ["required with a shared IP stack", { brand: "sparse", ipType: "shared", net: [{ physical: LinkName.make("a0") }] }],
    ["lx zones have an IP stack of their own", { ipType: "shared" }],
    ["lx zones have none", { hostid: "1" }],
    ["dotted numbers", { attr: [{ name: "kernel-version", type: "string", value: "five" }] }],
    ["not together with a CPU cap", { cappedCpuPercent: 100, dedicatedCpu: { least: 1 } }],
    ["number or range", { dedicatedCpu: { least: 2, most: 1 } }],
    ["need the scheduling class FSS", { cpuShares: 5, schedulingClass: "FX" }],
    ["by another property", { cpuShares: 5, rctl: [{ name: "zone.cpu-shares", limit: 5n, action: "none" }] }],
    ["by another property", { rctl: [{ name: "zone.cpu-cap", limit: 5n, action: "deny" }] }],
    ["at least 100", { maxLwps: 99 }],
    ["2^64", { rctl: [{ name: "zone.max-lofi", limit: 2n ** 64n, action: "deny" }] }],
    ["privileges", { limitpriv: "default,sys_x; halt" }],
    ["authorization", { admin: [{ user: "joe", auths: [] }] }],
    ["stand alone", { securityFlags: { lower: ["all", "ASLR"] } }],
    ["dataset name", { dataset: ["/rpool/x"] }]
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
      rctl: [],
      maxLwps: 3000,
      securityFlags: { lower: ["none"] },
      attr: [{ name: "kernel-version", type: "string", value: "5.10 x" }],
      cappedCpuPercent: 50,
      cappedMemory: { swap: 1073741824n }
    })
  })

  it("refuses text that is no export", () => {
    const error = Either.getOrThrow(Either.flip(ZoneConfigExport.parse("web1", "zonename: web1\n")))
    assert.strictEqual(error._tag, "UnreadableOutput")
  })

  it("refuses for illumos-gate what only OmniOS and SmartOS know", () => {
    const net = { physical: LinkName.make("a0"), allowedAddress: "10.0.0.1/8" }
    for (const [name, change] of [
      ["net.mac-addr", { net: [{ ...net, macAddr: "2:8:20:0:0:1" }] }],
      ["net.vlan-id", { net: [{ ...net, vlanId: 3 }] }],
      ["net.global-nic", { net: [{ ...net, globalNic: "net0" }] }],
      ["net.property", { net: [{ ...net, properties: [{ name: "mtu", value: "9000" }] }] }],
      ["zfs-io-priority", { zfsIoPriority: 5 }]
    ] as const) {
      const changed = { ...base, ...change }
      assert.isTrue(Either.isRight(ZoneConfig.render("web1", changed)))
      const error = Either.getOrThrow(Either.flip(ZoneConfig.render("web1", changed, { dialect: "gate" })))
      assert.include(error.message, `${name}: the zonecfg of this host does not know it`)
    }
  })

  it("names the resources of an export it has no place for", () => {
    const text = "create -b\nset zonepath=/z\nset brand=lx\nset ip-type=exclusive\nadd tape\nset name=\"x\"\nend\nadd attr\nset name=\"a\"\nset type=\"float\"\nset value=\"1\"\nend\n"
    const { config, unknown } = Either.getOrThrow(ZoneConfigExport.read("z", text))
    assert.deepStrictEqual(config, ZoneConfig.make("/z", "lx"))
    assert.deepStrictEqual(unknown, ["tape", "attr"])
  })

  it("reads what info prints for people", () => {
    const text = `zonename: web1
zonepath: /zones/web1
brand: lx
autoboot: false
bootargs: ""
pool: 
limitpriv: 
scheduling-class: 
ip-type: exclusive
hostid: 
fs-allowed: 
[max-lwps: 500]
fs:
\tdir: /data
\tspecial: /src
\traw not specified
\ttype: lofs
\toptions: [ro,nodevices,"logging=x"]
net:
\taddress not specified
\tallowed-address not specified
\tphysical: web1
\tdefrouter not specified
capped-cpu:
\t[ncpus: 0.50]
capped-memory:
\tphysical: 512M
\t[swap: 1.0G]
attr:
\tname: kernel-version
\ttype: string
\tvalue: "5.10"
rctl:
\tname: zone.max-swap
\tvalue: (priv=privileged,limit=1073741824,action=deny)
rctl:
\tname: zone.cpu-cap
\tvalue: (priv=privileged,limit=50,action=deny)
`.replace('bootargs: ""', "bootargs: ")
    assert.deepStrictEqual(Either.getOrThrow(ZoneConfigInfo.parse("web1", text)), {
      ...base,
      maxLwps: 500,
      fs: [{ dir: "/data", special: "/src", type: "lofs", options: ["ro", "nodevices", "logging=x"] }],
      net: [{ physical: LinkName.make("web1") }],
      attr: [{ name: "kernel-version", type: "string", value: "5.10" }],
      cappedCpuPercent: 50,
      cappedMemory: { physical: 512n * 1024n ** 2n, swap: 1024n ** 3n }
    })
    assert.isTrue(Either.isLeft(ZoneConfigInfo.parse("web1", "what is this\n")))
  })
})

describe("ZoneConfigDiff", () => {
  const change = (from: ZoneConfig.ZoneConfig, to: ZoneConfig.ZoneConfig, options?: ZoneConfigDiff.DiffOptions) =>
    Either.getOrThrow(ZoneConfigDiff.diff("web1", from, to, options))

  it.prop("has nothing to say about equal configurations", [config], ([config]) => {
    assert.deepStrictEqual(change(config, { ...config, attr: config.attr.toReversed(), net: config.net.toReversed() }), [])
    return ZoneConfigDiff.script("web1", config, config).pipe(Either.getOrThrow) === undefined
  })

  it("changes in place, and mentions nothing that stays", () => {
    const link = LinkName.make("rd_a_0")
    const from: ZoneConfig.ZoneConfig = {
      ...base,
      bootargs: "-v",
      maxLwps: 500,
      net: [{ physical: link, allowedAddress: "10.0.0.2/8" }],
      attr: [{ name: "a", type: "string", value: "1" }, { name: "b", type: "string", value: "2" }],
      fs: [{ dir: "/d", special: "/s", type: "lofs", options: ["ro"] }],
      cappedCpuPercent: 100,
      cappedMemory: { physical: 512n * 1024n ** 2n, swap: 1024n ** 3n }
    }
    assert.deepStrictEqual(
      change(from, {
        ...base,
        maxLwps: 600,
        net: [{ physical: link, allowedAddress: "10.0.0.2/8" }, { physical: link, allowedAddress: "fd00::2/64" }],
        attr: [{ name: "b", type: "string", value: "3" }],
        fs: [{ dir: "/d", special: "/s", type: "lofs", options: [] }],
        cappedCpuPercent: 150,
        cappedMemory: { physical: 1024n ** 3n, swap: 1024n ** 3n }
      }),
      [
        "remove attr name=\"a\"",
        "clear bootargs",
        "set max-lwps=600",
        "add net",
        "set physical=\"rd_a_0\"",
        "set allowed-address=\"fd00::2/64\"",
        "end",
        "select fs dir=\"/d\"",
        "set options=[]",
        "end",
        "select attr name=\"b\"",
        "set value=\"3\"",
        "end",
        "select capped-cpu",
        "set ncpus=1.50",
        "end",
        "select capped-memory",
        "set physical=1G",
        "end"
      ]
    )
  })

  it("changes path and brand only of a zone that is not installed", () => {
    const to = { ...base, zonepath: "/zones/other" }
    const error = Either.getOrThrow(Either.flip(ZoneConfigDiff.diff("web1", base, to)))
    assert.include(error.message, "zonepath: cannot change once the zone is installed")
    assert.deepStrictEqual(change(base, to, { installed: false }), ["set zonepath=\"/zones/other\""])
  })
})
