import { assert, describe, it } from "@effect/vitest"
import { Effect, FastCheck as fc } from "effect"
import { ZoneCfg } from "@reddwarf/runtime-illumos"
import { lex } from "../src/zonecfg/Lexer.js"
import { parse } from "../src/zonecfg/Parser.js"
import { host } from "./support.js"

const words = (text: string, quotes = true) => lex(text, quotes).map((command) => [command.name, ...command.tokens.map((token) => token.text)])

describe("lexer", () => {
  it("ends commands at semicolons and newlines and joins nothing", () => {
    assert.deepStrictEqual(words("set zonepath=/a; verify\ncommit"), [["set", "zonepath", "=", "/a"], ["verify"], ["commit"]])
  })
  it("knows comments only where a command may start", () => {
    assert.deepStrictEqual(words("# all of it; verify\ncreate -b # x"), [["create", "-b", "#", "x"]])
  })
  it("has no escapes in quoted tokens and ends them at the newline", () => {
    assert.deepStrictEqual(words("set pool=\"a\\\"b\""), [["set", "pool", "=", "a\\", "b", ""]])
    assert.deepStrictEqual(words("set pool=\"open\nverify"), [["set", "pool", "=", "open"], ["verify"]])
  })
  it("separates list and complex values by commas, but not plain ones", () => {
    assert.deepStrictEqual(words("add options [ro,nodevices]"), [["add", "options", "[", "ro", ",", "nodevices", "]"]])
    assert.deepStrictEqual(words("set limitpriv=default,!x"), [["set", "limitpriv", "=", "default,!x"]])
    assert.deepStrictEqual(words("add value (priv=privileged,limit=1)").at(0)?.length, 11)
  })
  it("reports an unknown command by its first character", () => {
    assert.deepStrictEqual(lex("bogus", true).map((command) => command.unknown), ["b"])
  })
  it.prop("a quoted value without quote and newline comes back as it was", [fc.string().filter((text) => !/["\n]/.test(text))], ([text]) => {
    const [command] = lex(`set bootargs="${text}"`, true)
    return command !== undefined && command.tokens.at(-1)?.text === text && "name" in parse(command, "omnios")
  })
  it.prop("no text makes the lexer or the parser throw", [fc.string()], ([text]) => {
    for (const command of lex(`set ${text}`, false)) parse(command, "gate")
    return true
  })
})

interface ScriptRow {
  readonly name: string
  readonly lines: ReadonlyArray<string>
  readonly exit: number
  readonly stderr: ReadonlyArray<string>
}

const base = ["create -b", "set zonepath=/zones/z", "set brand=sparse", "set ip-type=exclusive"]

const rows: ReadonlyArray<ScriptRow> = [
  { name: "zone not created", lines: ["verify"], exit: 1, stderr: ["z: No such zone configured"] },
  { name: "unknown command", lines: ["bogus"], exit: 1, stderr: ["syntax error on line 1 at 'b'", "Commands:"] },
  { name: "unknown property", lines: ["create -b", "set foo=1"], exit: 1, stderr: ["syntax error on line 2 at 'foo'"] },
  { name: "missing value", lines: ["create -b", "set pool"], exit: 1, stderr: ["syntax error on line 2 at '\\n'"] },
  { name: "surplus token", lines: ["create -b", "set bootargs=-m verbose"], exit: 1, stderr: ["syntax error on line 2 at 'verbose'"] },
  { name: "relative zonepath", lines: ["create -b", "set zonepath=a"], exit: 1, stderr: ["On line 2 of", "a is not an absolute path."] },
  { name: "root as zonepath", lines: ["create -b", "set zonepath=//"], exit: 1, stderr: ["/ is not allowed as a zonepath."] },
  { name: "autoboot", lines: ["create -b", "set autoboot=yes"], exit: 1, stderr: ["autoboot value must be 'true' or 'false'."] },
  { name: "carriage return", lines: ["create -b", "set autoboot=true\r"], exit: 1, stderr: ["autoboot value must be"] },
  { name: "ip-type", lines: ["create -b", "set ip-type=excl"], exit: 1, stderr: ["ip-type value must be 'shared' or 'exclusive'."] },
  { name: "pool", lines: ["create -b", "set pool=SUNWx"], exit: 1, stderr: ["pool names starting with SUNW are reserved."] },
  { name: "hostid", lines: ["create -b", "set hostid=ffffffff"], exit: 1, stderr: ["hostid: Specified property is invalid"] },
  { name: "fs-allowed", lines: ["create -b", "set fs-allowed=a,,b"], exit: 1, stderr: ["Specified property is invalid"] },
  { name: "max-lwps", lines: ["create -b", "set max-lwps=99"], exit: 1, stderr: ["max-lwps property is out of range."] },
  { name: "max-shm-memory", lines: ["create -b", "set max-shm-memory=12"], exit: 1, stderr: ["A non-negative number with a required scale suffix (K, M, G or T) was expected\nhere."] },
  { name: "resource property outside", lines: ["create -b", "set physical=x0"], exit: 1, stderr: ["Cannot set a resource-specific property from the global scope."] },
  { name: "clear brand", lines: ["create -b", "clear brand"], exit: 1, stderr: ["brand: Clearing this property is not allowed"] },
  { name: "missing zonepath", lines: ["create -b", "verify"], exit: 1, stderr: ["zonepath cannot be empty.", "z: Required resource missing"] },
  { name: "unknown brand", lines: ["create -b", "set zonepath=/zones/z", "set brand=none", "verify"], exit: 1, stderr: ["z: unknown brand.\n\n", "z: Invalid document"] },
  { name: "unknown privilege", lines: [...base, "set limitpriv=default,foo", "verify"], exit: 1, stderr: ["z: invalid privilege: foo"] },
  { name: "link name", lines: [...base, "add net", "set physical=web-a", "end"], exit: 1, stderr: ["web-a: invalid physical interface name"] },
  { name: "logical interface", lines: [...base, "add net", "set physical=net0:1", "end"], exit: 1, stderr: ["physical interface name required; logical interface name not allowed"] },
  { name: "no physical", lines: [...base, "add net", "end"], exit: 1, stderr: ["physical not specified"] },
  { name: "shared without address", lines: ["create -b", "set zonepath=/zones/z", "set brand=sparse", "add net", "set physical=net0", "end", "verify"], exit: 1, stderr: ["net: address not specified"] },
  { name: "exclusive with address", lines: [...base, "add net", "set physical=v0", "set address=10.0.0.1/8", "end", "verify"], exit: 1, stderr: ["net: address cannot be specified for an exclusive IP type"] },
  { name: "defrouter alone", lines: [...base, "add net", "set physical=v0", "set defrouter=10.0.0.1", "end", "verify"], exit: 1, stderr: ["net: defrouter for v0 cannot be specified without allowed-address"] },
  { name: "prefix length", lines: [...base, "add net", "set allowed-address=10.0.0.1/33"], exit: 1, stderr: ["prefix lengths must be 0 - 32."] },
  { name: "IPv6 prefix", lines: [...base, "add net", "set allowed-address=fe80::1"], exit: 1, stderr: ["IPv6 addresses require /prefix-length suffix."] },
  { name: "attr name", lines: [...base, "add attr", "set name=a_b", "set type=string", "set value=x", "end"], exit: 1, stderr: ["Invalid attr name a_b: can only contain alpha-numeric characters, plus '-' and '.'."] },
  { name: "attr start", lines: [...base, "add attr", "set name=-b", "set type=string", "set value=x", "end"], exit: 1, stderr: ["must start with an alpha-numeric character."] },
  { name: "attr type", lines: [...base, "add attr", "set name=a", "set type=text", "set value=x", "end"], exit: 1, stderr: ["invalid attr type 'text'"] },
  { name: "attr length", lines: [...base, "add attr", "set name=a", "set type=string", `set value=${"x".repeat(256)}`, "end"], exit: 1, stderr: ["invalid attr value for type=string"] },
  { name: "attr empty", lines: [...base, "add attr", "set name=a", "set type=string", "set value=\"\"", "end"], exit: 1, stderr: ["value not specified"] },
  { name: "attr twice", lines: [...base, ...["", ""].flatMap(() => ["add attr", "set name=a", "set type=string", "set value=x", "end"])], exit: 1, stderr: ["An attr resource with the name 'a' already exists."] },
  { name: "net twice", lines: [...base, ...["", ""].flatMap(() => ["add net", "set physical=v0", "set allowed-address=10.0.0.2/8", "end"])], exit: 1, stderr: ["A net resource with the physical 'v0', and allowed-address '10.0.0.2/8' already exists."] },
  { name: "ncpus", lines: [...base, "add capped-cpu", "set ncpus=0.009"], exit: 1, stderr: ["ncpus property is out of range."] },
  { name: "memory suffix", lines: [...base, "add capped-memory", "set physical=1Mi"], exit: 1, stderr: ["A positive number with a required scale suffix (K, M, G or T) was expected\nhere."] },
  { name: "memory too small", lines: [...base, "add capped-memory", "set physical=1000K"], exit: 1, stderr: ["physical value is too small.  It must be at least 1M."] },
  { name: "swap too small", lines: [...base, "add capped-memory", "set swap=49M"], exit: 1, stderr: ["swap value is too small.  It must be at least 50M."] },
  { name: "memory empty", lines: [...base, "add capped-memory", "end"], exit: 1, stderr: ["No property was specified.  One of physical, swap or locked is required."] },
  { name: "memory twice", lines: [...base, "add capped-memory", "set swap=1G", "end", "add capped-memory"], exit: 1, stderr: ["The capped-memory resource or a related resource control already exists."] },
  { name: "fs dir", lines: [...base, "add fs", "set dir=a"], exit: 1, stderr: ["dir a is not an absolute path."] },
  { name: "rctl value", lines: [...base, "add rctl", "set name=zone.max-lwps", "add value (priv=basic,limit=1,action=deny)"], exit: 1, stderr: ["Invalid rctl value specification"] },
  { name: "dataset name", lines: [...base, "add dataset", "set name=/x", "end", "verify"], exit: 1, stderr: ["dataset: name invalid", "z: Bad document property"] },
  { name: "select missing", lines: [...base, "select net physical=v9"], exit: 1, stderr: ["select net: No such resource with that id"] },
  { name: "remove missing", lines: [...base, "remove net physical=v9"], exit: 1, stderr: ["remove net: No such resource with that id"] },
  { name: "remove none", lines: [...base, "remove net"], exit: 1, stderr: ["remove net: No such entry"] },
  { name: "remove several", lines: [...base, ...["v0", "v1"].flatMap((link) => ["add net", `set physical=${link}`, "end"]), "remove net"], exit: 1, stderr: ["There are multiple instances of this resource."] },
  { name: "open resource at the end", lines: [...base, "add net"], exit: 1, stderr: ["resource specification incomplete\nZone z failed to verify\nz: Insufficient specification\nConfiguration not saved."] },
  { name: "lx shared", lines: ["create -b", "set zonepath=/zones/z", "set brand=lx", "verify"], exit: 1, stderr: ["lx zones do not support shared IP stacks"] },
  { name: "lx hostid", lines: [...base, "set brand=lx", "set hostid=1", "verify"], exit: 1, stderr: ["lx zones do not support hostid emulation"] },
  { name: "no property of a net can be cleared", lines: [...base, "add net", "set physical=v0", "set allowed-address=10.0.0.2/8", "set defrouter=10.0.0.1", "clear defrouter"], exit: 1, stderr: ["defrouter: Clearing this property is not allowed"] },
  { name: "clear of what is not set", lines: [...base, "clear max-lwps"], exit: 1, stderr: ["clear max-lwps: No such entry"] },
  { name: "set -F", lines: [...base, "set -F autoboot=true"], exit: 1, stderr: ["Only zonepath setting can be forced."] },
  { name: "set -F of the path", lines: [...base, "set -F zonepath=/zones/y"], exit: 1, stderr: ["Zonepath is changeable only in an alternate root."] },
  { name: "pool beside dedicated CPUs", lines: [...base, "add dedicated-cpu", "set ncpus=1-2", "end", "set pool=web"], exit: 1, stderr: ["The dedicated-cpu resource already exists.  A persistent pool is incompatible\nwith the dedicated-cpu resource."] },
  { name: "dedicated CPUs beside a pool", lines: [...base, "set pool=web", "add dedicated-cpu"], exit: 1, stderr: ["The pool property is already set.  A persistent pool is incompatible with\nthe dedicated-cpu resource."] },
  { name: "dedicated CPUs beside shares", lines: [...base, "set cpu-shares=5", "add dedicated-cpu"], exit: 1, stderr: ["The cpu-shares property is already set."] },
  { name: "admin user", lines: [...base, "add admin", "set user=nobodyknows", "set auths=login", "end"], exit: 1, stderr: ["user nobodyknows is not valid"] },
  { name: "admin auths", lines: [...base, "add admin", "set user=root", "set auths=login,dance", "end"], exit: 1, stderr: ["auths dance is not valid"] },
  { name: "security flags", lines: [...base, "add security-flags", "set lower=FAST"], exit: 1, stderr: ["security flags FAST are invalid"] },
  { name: "security flags empty", lines: [...base, "add security-flags", "end"], exit: 1, stderr: ["No property was specified."] },
  { name: "select of several", lines: [...base, ...["2", "3"].flatMap((host) => ["add net", "set physical=v0", `set allowed-address=10.0.0.${host}/8`, "end"]), "select net physical=v0"], exit: 1, stderr: ["select net: Insufficient specification"] },
  { name: "remove of several, though forced", lines: [...base, ...["2", "3"].flatMap((host) => ["add net", "set physical=v0", `set allowed-address=10.0.0.${host}/8`, "end"]), "remove -F net physical=v0"], exit: 1, stderr: ["remove net: Insufficient specification"] },
  { name: "qualifier that names nothing", lines: [...base, "add net", "set physical=v0", "end", "select net mac-addr=2:8:20:0:0:1"], exit: 1, stderr: ["mac-addr: No such property type"] },
  { name: "rctl name, exit 0", lines: [...base, "add rctl", "set name=zone.9", "cancel"], exit: 0, stderr: ["'zone.9' is not a valid zone rctl name."] }
]

describe("zonecfg -f", () => {
  for (const row of rows) {
    it.scoped(row.name, () =>
      Effect.gen(function*() {
        const { script } = yield* host()
        const result = yield* script("z", row.lines)
        for (const text of row.stderr) assert.include(result.stderr, text)
        assert.strictEqual(result.exitCode, row.exit)
        assert.strictEqual(result.stdout, "")
        // Whatever a host says, its callers get an error they can act on.
        assert.notStrictEqual(ZoneCfg.classify("configure zone", "z", result)._tag, "HostCommandFailed")
      }))
  }

  it.scoped("stops at the first error, yet keeps what came before", () =>
    Effect.gen(function*() {
      const { script, sh } = yield* host()
      const result = yield* script("z", [...base, "set autoboot=maybe", "set bootargs=never"])
      assert.strictEqual(result.exitCode, 1)
      const info = yield* sh("zonecfg -z z info")
      assert.include(info.stdout, "zonepath: /zones/z\n")
      assert.include(info.stdout, "bootargs: \n")
    }))

  it.scoped("saves nothing that does not verify", () =>
    Effect.gen(function*() {
      const { script, sh } = yield* host()
      const result = yield* script("z", ["create -b"])
      assert.strictEqual(result.stderr, "zonepath cannot be empty.\nZone z failed to verify\nz: Required resource missing\nConfiguration not saved.\n")
      assert.strictEqual((yield* sh("zonecfg -z z info")).stderr, "z: No such zone configured\n")
    }))

  it.scoped("refuses on an installed zone with exit 0", () =>
    Effect.gen(function*() {
      const { script, zone, expectOk } = yield* host()
      yield* zone("z")
      yield* expectOk("zoneadm -z z install")
      const result = yield* script("z", ["create -F -b", "set zonepath=/zones/other", "set brand=lx", "set autoboot=true"])
      assert.strictEqual(result.exitCode, 0)
      assert.include(result.stderr, "Zone z already installed; create not allowed.")
      assert.include(result.stderr, "Zone z already installed; set zonepath not allowed.")
      assert.include(result.stderr, "Zone z already installed; set brand not allowed.")
      assert.include((yield* expectOk("zonecfg -z z info autoboot")).stdout, "autoboot: true")
    }))
})

describe("zonecfg with the script on argv", () => {
  it.scoped("goes on after an error, so a net can end up without address", () =>
    Effect.gen(function*() {
      const { command, zone, sh } = yield* host()
      yield* zone("z", "set ip-type=exclusive")
      const result = yield* command("zonecfg", "-z", "z", "add net; set physical=v0; set allowed-address=10.0.0.1/77; end")
      assert.strictEqual(result.exitCode, 1)
      assert.include((yield* sh("zonecfg -z z info net")).stdout, "\tallowed-address not specified\n")
    }))
  it.scoped("each command repeats that the zone is unknown", () =>
    Effect.gen(function*() {
      const { command } = yield* host()
      const result = yield* command("zonecfg", "-z", "z", "info; verify")
      assert.strictEqual(result.stderr, "z: No such zone configured\nz: No such zone configured\n")
    }))
  it.scoped("says that a resource was left open", () =>
    Effect.gen(function*() {
      const { command, zone } = yield* host()
      yield* zone("z")
      const result = yield* command("zonecfg", "-z", "z", "add net")
      assert.deepStrictEqual([result.exitCode, result.stderr], [1, "Resource incomplete.\n"])
    }))
  it.scoped("knows good names and the rules of create and delete", () =>
    Effect.gen(function*() {
      const { sh, zone, running } = yield* host()
      assert.strictEqual((yield* sh("zonecfg -z -x info")).exitCode, 2)
      assert.include((yield* sh(`zonecfg -z ${"x".repeat(64)} info`)).stderr, "Bogus zone name\n\n")
      assert.strictEqual((yield* sh("zonecfg -z global info")).exitCode, 2)
      yield* zone("z")
      assert.include((yield* sh("zonecfg -z z create -b")).stderr, "Zone exists, input not from terminal and -F not specified:\ncreate command ignored, exiting.")
      assert.include((yield* sh("zonecfg -z z create -F -b ; set zonepath=/zones/z")).stdout, "Zone z already exists; overwriting.")
      assert.include((yield* sh("zonecfg -z z delete")).stderr, "Input not from terminal and -F not specified:\ndelete command ignored, exiting.")
      assert.strictEqual((yield* sh("zonecfg -z z delete -F")).exitCode, 0)
      assert.strictEqual((yield* sh("zonecfg -z z delete -F")).stderr, "z: No such zone configured\n")
      yield* running("r")
      assert.strictEqual((yield* sh("zonecfg -z r delete -F")).stderr, "r: Zone state is invalid for the requested operation\n")
    }))
})

describe("info and export", () => {
  const lines = [
    "set ip-type=exclusive", "set max-lwps=500", "set limitpriv=default", "add net", "set physical=web1", "set allowed-address=10.1.2.3/24", "set defrouter=10.1.2.1", "end",
    "add capped-cpu", "set ncpus=0.5", "end", "add capped-memory", "set physical=512M", "set swap=1G", "end",
    "add attr", "set name=kernel-version", "set type=string", "set value=\"5.10 x\"", "end", "add fs", "set dir=/data", "set special=/src", "set type=lofs", "add options [ro,\"logging=x\"]", "end"
  ]
  for (const dialect of ["gate", "omnios"] as const) {
    it.scoped(`${dialect} prints what was set`, () =>
      Effect.gen(function*() {
        const { zone, sh } = yield* host({ dialect })
        assert.strictEqual((yield* zone("web1", ...lines)).stderr, "")
        const { stdout } = yield* sh("zonecfg -z web1 info")
        for (const text of [
          "zonename: web1\nzonepath: /zones/web1\nbrand: sparse\nautoboot: false\nbootargs: \npool: \nlimitpriv: default\nscheduling-class: \nip-type: exclusive\nhostid: \nfs-allowed: \n[max-lwps: 500]\n",
          "capped-cpu:\n\t[ncpus: 0.50]\n", "attr:\n\tname: kernel-version\n\ttype: string\n\tvalue: \"5.10 x\"\n",
          "rctl:\n\tname: zone.cpu-cap\n\tvalue: (priv=privileged,limit=50,action=deny)\n", "\toptions: [ro,\"logging=x\"]\n",
          dialect === "gate" ? "\tphysical: 512M\n\t[swap: 1G]\n" : "\t[physical: 512M]\n\t[swap: 1G]\n"
        ]) assert.include(stdout, text)
        const exported = yield* sh("zonecfg -z web1 export")
        assert.include(exported.stdout, "create -b\nset zonepath=/zones/web1\nset brand=sparse\nset autoboot=false\nset limitpriv=default\nset ip-type=exclusive\n")
        assert.include(exported.stdout, "add net\nset allowed-address=\"10.1.2.3/24\"\nset physical=\"web1\"\nset defrouter=\"10.1.2.1\"\nend\n")
      }))
  }
  it.scoped("an export read back gives the same export", () =>
    Effect.gen(function*() {
      const { zone, sh, script } = yield* host()
      yield* zone("a", ...lines)
      const first = (yield* sh("zonecfg -z a export")).stdout
      assert.strictEqual((yield* script("b", first.trim().split("\n"))).stderr, "")
      assert.strictEqual((yield* sh("zonecfg -z b export")).stdout, first)
    }))
  it.scoped("gate does not know the net keywords of OmniOS", () =>
    Effect.gen(function*() {
      const gate = yield* host({ dialect: "gate" })
      assert.include((yield* gate.zone("z", "add net", "set global-nic=net0", "end")).stderr, "syntax error on line 5 at 'global-nic'")
      assert.notInclude((yield* gate.sh("zonecfg help")).stdout, "global-nic")
    }))
  it.scoped("an unknown resource is no error", () =>
    Effect.gen(function*() {
      const { zone, sh } = yield* host()
      yield* zone("z")
      const result = yield* sh("zonecfg -z z info net physical=zz0")
      assert.deepStrictEqual(result, { exitCode: 0, stdout: "No such net resource.\n", stderr: "" })
    }))
})
